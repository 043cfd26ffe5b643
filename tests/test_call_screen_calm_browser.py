"""The agent's room is calm: nothing jumps or scrolls, a press answers at once and counts once, words are never lost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from calls.models import Call, CallEvent
from calls.services.lease import expire_leases, release_call
from calls.services.line import record_answer, record_hang_up
from calls.services.supervisor import ask_supervisor
from campaigns.enums import ClosingKind, ScriptKind, Step
from campaigns.models import ClosingStep, Script
from crm.enums import EventKind
from crm.models import ProspectEvent
from tests.factories import make_campaign, make_criterion, make_entry, make_number
from tests.test_call_screen import Story

pytestmark = pytest.mark.django_db(transaction=True)

# Busy machines too.
expect.set_options(timeout=15_000)

#: What stands at one place in every state.
PLACES = (".topbar", ".phone", ".zones > :nth-child(1)", ".what", ".zones > :nth-child(3)", ".what__action")
#: And, while there is a call, the note; while there is a sentence, its upper edge.
NOTE, SENTENCE = ".note textarea", ".what .say"
LONG = (
    "Bonjour, je vous appelle pour une enquête sur les services bancaires aux entreprises. "
    "Elle dure environ quatre minutes, vos réponses restent confidentielles et ne servent qu'à des statistiques. "
) * 4


@pytest.fixture
def story() -> Story:
    story = Story()
    for _next in range(2):
        make_entry(story.campaign, due_at=timezone.now() - timedelta(minutes=4))
    return story


@pytest.fixture
def screen(
    page: Page, browser_context: BrowserContext, live_server: LiveServer, story: Story
) -> Callable[..., Page]:
    """Open the story's call, or another path, as its agent; `phone` tells nothing back unless it is simulated."""

    def open_screen(path: str = "", *, phone: str = "tel") -> Page:
        agent = story.agent
        session = SessionStore()
        session[SESSION_KEY] = str(agent.pk)
        session[BACKEND_SESSION_KEY] = "config.sessions.Accounts"
        session[HASH_SESSION_KEY] = agent.get_session_auth_hash()
        session["phone"] = phone
        session.create()
        cookie = {
            "name": settings.SESSION_COOKIE_NAME,
            "value": session.session_key or "",
            "url": live_server.url,
        }
        browser_context.add_cookies([cookie])  # type: ignore[list-item]
        # The system's question which program may open `tel:` would take the keyboard away from the page.
        page.add_init_script(
            """const click = HTMLAnchorElement.prototype.click;
            HTMLAnchorElement.prototype.click = function () { if (this.protocol !== "tel:") click.call(this); };"""
        )
        page.goto(live_server.url + (path or story.url()))
        expect(page.locator(".screen")).to_be_visible()
        return page

    return open_screen


def box_of(page: Page, selector: str) -> dict[str, Any] | None:
    """Return the place of the first element of a selector, in whole pixels; None when there is none."""
    place: dict[str, Any] | None = page.evaluate(
        """(selector) => {
            const found = document.querySelector(selector);
            if (!found) return null;
            const {x, y, width, height} = found.getBoundingClientRect();
            return {x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height)};
        }""",
        selector,
    )
    return place


def places_of(page: Page) -> dict[str, Any]:
    return {selector: box_of(page, selector) for selector in PLACES}


def ready(page: Page, selector: str) -> None:
    """Wait for what a step leads to, and for the primary action to listen."""
    expect(page.locator(selector).first).to_be_visible()
    expect(page.locator("[data-guarded]")).to_have_count(0)


#: A whole call by keyboard, step by step: the key, what is typed after it, and what stands there then.
WHOLE_CALL: list[tuple[str, str, str]] = [
    ("Space", "", '[data-state="claimed"]'),
    ("Enter", "", '[data-state="dialling"]'),
    ("Space", "", '[data-state="connected"]'),
    ("Space", "", ".question--now"),
    ("c", "", '[name="words"]'),
    ("", "elle attend", '.help :text("Superviseur prévenu")'),
    ("g", "", '[name="q"]'),
    ("Escape", "", '[data-key="g"]'),
    ("w", "", '[name="text"]'),
    ("Escape", "", '[data-key="w"]'),
    ("e", "", '.who [name="field"]'),
    ("Escape", "", '.who [data-key="e"]'),
    ("Enter", "", ".outcomes"),
    ("Escape", "", ".question--now"),
    ("s", "", ".what--situation"),
    ("Escape", "", ".question--now"),
    ("2", "", '[name="heard"]'),
    ("Escape", "", '[data-key="2"]'),
    ("2", "", '[name="heard"]'),
    ("", "boulangerie", '[data-state="closing"]'),
    ("Space", "", ".progress-steps .is-done"),
    ("Space", "", ".progress-steps .is-done ~ .is-done"),
    ("Space", "", '[data-state="waiting"]'),
    ("p", "", '[data-state="ended"]'),
    ("Space", "", '[data-state="claimed"]'),
]


def test_nothing_changes_its_place_in_a_whole_call(screen: Callable[..., Page], story: Story) -> None:
    story.go("ended")
    page = screen()
    page.keyboard.press("d")
    ready(page, '[data-state="desk"]')
    reserved, moved, notes, sentences = places_of(page), [], set(), set()
    assert None not in reserved.values()

    for key, words, selector in WHOLE_CALL:
        if selector.startswith(".progress") or selector == '[data-state="waiting"]':
            page.wait_for_timeout(800)
        if key:
            page.keyboard.press(key)
        if words:
            page.keyboard.type(words)
            page.keyboard.press("Enter")
        ready(page, selector)
        if places_of(page) != reserved:
            moved.append((selector, places_of(page)))
        notes.add(str(box_of(page, NOTE)))
        sentence = box_of(page, SENTENCE)
        if sentence and "situation" not in selector:
            sentences.add((sentence["x"], sentence["y"]))

    assert moved == []
    assert len(notes) == 1
    assert len(sentences) == 1


WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
        const moved = entry.sources.map((one) => one.node?.outerHTML?.slice(0, 90));
        if (!entry.hadRecentInput) window.shifts.push([entry.value, moved]);
    }
}).observe({ type: "layout-shift", buffered: true });
"""


def test_nothing_shifts_by_itself_while_the_agent_listens_and_writes(
    screen: Callable[..., Page], story: Story, page: Page
) -> None:
    page.add_init_script(WATCH_SHIFTS)
    screen(story.url() + "?scenario=answers", phone="demo")
    page.keyboard.press("Enter")
    ready(page, '[data-state="connected"]')
    expect(page.locator("[data-phone-caption]")).not_to_be_empty()
    page.keyboard.press("Space")
    ready(page, ".question--now")
    page.keyboard.press("n")
    page.keyboard.type("la directrice est absente")
    expect(page.locator("#note-status")).to_have_text("Note enregistrée.")
    page.wait_for_timeout(1200)
    story.call = Call.objects.get(pk=story.call.pk)
    ask_supervisor(call=story.call, by=story.agent, at=timezone.now())
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    ready(page, '[name="heard"]')
    page.keyboard.type("boulangerie")
    page.keyboard.press("Enter")
    ready(page, '[data-state="closing"]')
    page.wait_for_timeout(2200)

    assert page.evaluate("window.shifts") == []


def hard(story: Story) -> None:
    """Give the story names, facts, numbers, questions, sentences and a history that are as long as they may be."""
    prospect, campaign = story.prospect, story.campaign
    prospect.organisation = (
        "Caisse régionale mutualiste de développement des professions indépendantes de l'Ouest"
    )
    prospect.first_name, prospect.last_name = "Marie-Béatrice", "Le Goff de Kermadec-Rochebrune"
    prospect.job_title = "directrice adjointe chargée des relations avec les entreprises et les collectivités"
    prospect.address = "12 bis, avenue du Général-de-Gaulle, bâtiment C, troisième étage, porte 12"
    prospect.email = "marie-beatrice.le-goff-de-kermadec@caisse-regionale.example"
    prospect.attributes = {
        f"un attribut numéro {n}": "une valeur assez longue pour sa ligne" for n in range(12)
    }
    prospect.source.spoken_origin = "l'annuaire public des entreprises"
    prospect.source.save()
    prospect.save()
    for position in range(1, 4):
        make_number(prospect, f"+3319900{7000 + position}", position=position)
    for position in range(1, 8):
        make_criterion(
            story.programme,
            field=f"attributes.k{position}",
            question=f"{LONG[:180]} ?",
            expected="oui",
            position=position,
        )
    story.criterion.question = f"{LONG[:295]} ?"
    story.criterion.save()
    Script.objects.create(campaign=campaign, kind=ScriptKind.OPENING, language="fr", text=f"{LONG[:599]}.")
    for step in Step:
        ClosingStep.objects.create(
            campaign=campaign, language="fr", kind=ClosingKind.MISMATCH, step=step, text=f"{LONG[:599]}."
        )
    ProspectEvent.objects.bulk_create(
        ProspectEvent(
            prospect=prospect,
            sponsor=story.programme.sponsor,
            data={"text": LONG[:200]},
            at=story.at,
            kind=EventKind.NOTE,
        )
        for _line in range(30)
    )


#: The states of a call, and the forms that open in them.
STATES = {
    "claimed": ("",),
    "dialling": ("",),
    "connected": ("",),
    "asked": (
        "",
        "?heard={criterion}",
        "?heard=other",
        "?conclude=1",
        "?conclude=1&code=callback",
        "?conclude=1&code=partial",
        "?edit=1",
        "?wish=1",
        "?situation=list",
    ),
    "closing": ("",),
    "waiting": ("",),
    "ended": ("",),
}

OVERFLOWS = """
[...document.querySelectorAll(
    "html, main, .screen, .zone, .phone, .what__head, .what__body, .what__extra, .help__acts")]
    .filter((one) => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1)
    .map((one) => one.className + " " + one.scrollHeight + ">" + one.clientHeight)
"""
HIDDEN = """
[...document.querySelectorAll(".say, [data-primary], [data-key]")].filter((one) => {
    const own = one.getBoundingClientRect();
    if (!own.height) return false;
    const frame = (one.closest(".what__body, .who") || document.documentElement).getBoundingClientRect();
    return own.top < frame.top - 4 || own.bottom > frame.bottom + 4 || own.bottom > innerHeight;
}).map((one) => one.outerHTML.slice(0, 120))
"""
KEYS = """
[...document.querySelectorAll("[data-key]")]
    .filter((one) => !one.disabled && one.getClientRects().length && !one.closest("dialog"))
    .map((one) => ({
        keys: one.dataset.key.split(" "),
        shown: one.querySelector("kbd") ? parseFloat(getComputedStyle(one.querySelector("kbd")).fontSize) : 0,
    }))
"""


@pytest.mark.parametrize("reached", STATES)
def test_nothing_scrolls_and_every_key_is_shown_and_single_however_long_the_words(
    screen: Callable[..., Page], story: Story, reached: str
) -> None:
    hard(story)
    story.go(reached)
    for form in STATES[reached]:
        page = screen(story.url() + form.format(criterion=story.criterion.pk))

        assert page.evaluate(OVERFLOWS) == [], form
        assert page.evaluate(HIDDEN) == [], form
        shown = page.evaluate(KEYS)
        keys = [key for action in shown for key in action["keys"]]
        assert sorted(keys) == sorted(set(keys)), form
        assert min(action["shown"] for action in shown) >= 14, form
        sentences = page.locator(".say:visible").evaluate_all(
            "(all) => all.map((one) => parseFloat(getComputedStyle(one).fontSize))"
        )
        assert all(24 <= size <= 28 for size in sentences), form
        assert page.locator(".btn-primary").count() <= 1, form
        announced = page.locator("[data-announce]").get_attribute("data-announce") or ""
        assert announced[:1].isupper(), announced
        assert announced.rstrip()[-1] in ".?!»", announced


def test_at_200_percent_nothing_stands_over_the_sentence(
    page: Page, screen: Callable[..., Page], story: Story
) -> None:
    page.set_viewport_size({"width": 640, "height": 360})
    story.go("connected")
    screen()
    sentence = page.locator(f"{SENTENCE}:visible").last

    place = sentence.bounding_box()
    assert place is not None
    # A long one goes on below the window.
    foot = (place["x"] + 20, min(place["y"] + place["height"] - 12, 350))
    on_top = page.evaluate("([x, y]) => document.elementFromPoint(x, y)?.className", foot)

    assert "say" in (on_top or "").split()


def test_a_call_that_nobody_answers_asks_for_no_scrolling_either(
    screen: Callable[..., Page], story: Story
) -> None:
    hard(story)
    story.go("connected")
    record_hang_up(hung_up_by="prospect", evidence="softphone", **story.by())
    page = screen()

    assert page.evaluate(OVERFLOWS) == []
    assert page.locator(".outcomes .btn").count() >= 12
    shown = page.evaluate(KEYS)
    keys = [key for action in shown for key in action["keys"]]
    assert sorted(keys) == sorted(set(keys))


PRESS = """([key, code, shift]) => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", { key, code, shiftKey: shift, bubbles: true, cancelable: true }))"""


def test_the_keys_are_those_of_a_french_keyboard_too(screen: Callable[..., Page], story: Story) -> None:
    story.go("asked")
    page = screen()

    page.evaluate(PRESS, ["?", "KeyM", True])
    expect(page.locator("#keys-help")).to_be_visible()
    expect(page.locator("#keys-help h3")).to_contain_text(["Dire et faire", "Qui", "Aide"])
    page.keyboard.press("Escape")
    page.evaluate(PRESS, ["é", "Digit2", False])

    expect(page.locator('[name="heard"]')).to_be_focused()


def held_back(page: Page, pattern: str, milliseconds: int) -> list[str]:
    """Make the server late for addresses of a pattern; returns the requests as they come."""
    seen: list[str] = []

    def hold(route: Route) -> None:
        seen.append(route.request.url)
        page.wait_for_timeout(milliseconds)
        route.continue_()

    page.route(pattern, hold)
    return seen


#: Press a key twice and return what stands there before anything else can happen, 50 ms later.
PRESS_TWICE = """async ([key, code]) => {
    const press = () => document.activeElement.dispatchEvent(
        new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true }));
    press();
    press();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const busy = [...document.querySelectorAll("[data-busy]")];
    return busy.map((one) => [one.textContent.trim().split(" ")[0], one.ariaBusy]);
}"""


def test_a_press_answers_at_once_and_counts_once_when_the_server_is_late(
    screen: Callable[..., Page], story: Story
) -> None:
    page = screen()
    seen = held_back(page, "**/dial/", 2000)

    busy = page.evaluate(PRESS_TWICE, ["Enter", "Enter"])

    assert busy == [["Appeler", "true"]]
    ready(page, '[data-state="dialling"]')
    assert len(seen) == 1
    assert Call.objects.get().state == "dialling"


def test_words_typed_before_their_field_is_there_go_into_it(
    screen: Callable[..., Page], story: Story
) -> None:
    story.go("asked")
    page = screen()
    held_back(page, "**heard=*", 600)

    page.keyboard.press("2")
    page.keyboard.press("2")
    page.keyboard.type("oto")

    expect(page.locator('[name="heard"]')).to_have_value("oto")
    page.keyboard.type("-école")
    page.keyboard.press("Enter")
    ready(page, '[data-state="closing"]')
    assert Call.objects.get().answers.get().heard == "oto-école"


def test_a_very_slow_server_is_told_in_words(screen: Callable[..., Page], story: Story) -> None:
    page = screen()
    held_back(page, "**/dial/", 6500)
    before = places_of(page)

    page.evaluate(PRESS_TWICE, ["Enter", "Enter"])

    expect(page.locator("[data-trouble]:visible")).to_contain_text("Le serveur est lent.")
    assert places_of(page) == before
    ready(page, '[data-state="dialling"]')
    expect(page.locator("[data-trouble]:visible")).to_have_count(0)


def test_a_gesture_without_an_answer_is_kept_and_sent_once_when_the_server_is_back(
    screen: Callable[..., Page], story: Story
) -> None:
    page = screen()
    assert page.evaluate("htmx.config.timeout") == 15000
    page.evaluate("htmx.config.timeout = 500")
    page.keyboard.press("n")
    page.keyboard.type("à rappeler demain")
    expect(page.locator("#note-status")).to_have_text("Note enregistrée.")
    page.keyboard.press("Escape")
    page.route("**/dial/", lambda route: None)
    before = places_of(page)

    page.keyboard.press("Enter")

    expect(page.locator("[data-trouble]:visible")).to_contain_text("Votre geste est gardé ici")
    assert places_of(page) == before
    expect(page.locator(NOTE)).to_have_value("à rappeler demain")
    page.keyboard.press("Enter")
    page.evaluate("htmx.config.timeout = 15000")
    page.unroute("**/dial/")
    ready(page, '[data-state="dialling"]')
    expect(page.locator("[data-trouble]:visible")).to_have_count(0)
    expect(page.locator(NOTE)).to_have_value("à rappeler demain")
    assert Call.objects.get().events.filter(kind="dialled").count() == 1


def test_a_gesture_that_arrived_and_lost_its_answer_is_not_done_again(
    screen: Callable[..., Page], story: Story
) -> None:
    story.go("waiting")
    page = screen()
    said = Call.objects.get().goodbyes
    lost: list[int] = []

    def lose_the_answer(route: Route) -> None:
        if not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/closing/", lose_the_answer)
    # The first answer never comes: the only one is that of the same gesture, sent again by itself.
    with page.expect_response("**/closing/"):
        page.keyboard.press("g")

    expect(page.locator("[data-trouble]:visible")).to_have_count(0)
    assert lost == [200]
    assert Call.objects.get().goodbyes == said + 1


def test_a_note_typed_after_the_session_ended_is_kept_until_the_agent_is_back(
    screen: Callable[..., Page], story: Story, browser_context: BrowserContext
) -> None:
    story.go("asked")
    page = screen()
    back = browser_context.cookies()
    browser_context.clear_cookies(name=settings.SESSION_COOKIE_NAME)

    page.keyboard.press("n")
    page.keyboard.type("rappeler la comptable")

    expect(page.locator("#note-status")).to_have_text("Gardée ici : en attente.")
    expect(page.locator("[data-trouble]:visible")).to_contain_text("Vous n'êtes plus connecté")
    expect(page.locator("#id_password")).to_have_count(0)

    browser_context.add_cookies(back)  # type: ignore[arg-type]
    page.reload()
    expect(page.locator("#note-status")).to_have_text("Note enregistrée.")
    expect(page.locator(NOTE)).to_have_value("rappeler la comptable")


def test_a_network_away_while_a_page_is_read_anew_loses_no_gesture(
    screen: Callable[..., Page], story: Story
) -> None:
    story.go("asked")
    page = screen()
    page.route("**/criteria/", lambda route: route.abort())
    page.keyboard.press("1")
    expect(page.locator("[data-trouble]:visible")).to_contain_text("Votre geste est gardé ici")

    page.unroute("**/criteria/")
    page.reload()

    expect(page.get_by_text("Critères vérifiés").first).to_be_visible()
    assert Call.objects.get().answers.count() == 1


def test_a_note_that_could_not_be_saved_is_kept_over_a_reload_and_sent_again(
    screen: Callable[..., Page], story: Story
) -> None:
    page = screen()
    page.route("**/note/", lambda route: route.abort())
    page.keyboard.press("n")
    page.keyboard.type("la directrice est absente")
    expect(page.locator("#note-status")).to_have_text("Gardée ici : en attente.")
    page.unroute("**/note/")

    page.reload()

    expect(page.locator(NOTE)).to_have_value("la directrice est absente")
    expect(page.locator("#note-status")).to_have_text("Note enregistrée.")
    assert CallEvent.objects.get(kind="note").data == {"text": "la directrice est absente"}


def test_words_typed_while_the_screen_turns_stay_in_the_note(
    screen: Callable[..., Page], story: Story
) -> None:
    story.go("dialling")
    page = screen()
    page.keyboard.press("n")
    page.keyboard.type("voir ")
    record_answer(**story.by())
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator('[data-state="connected"]')).to_be_visible()

    expect(page.locator(NOTE)).to_be_focused()
    page.keyboard.type("x2 ")

    expect(page.locator(NOTE)).to_have_value("voir x2 ")
    assert Call.objects.get().greeted_at is None


def test_a_screen_whose_lease_was_lost_says_that_the_fiche_went_back(
    screen: Callable[..., Page], story: Story
) -> None:
    page = screen()
    before = places_of(page)
    Call.objects.update(lease_until=timezone.now() - timedelta(minutes=5))
    expire_leases(at=timezone.now())

    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    expect(page.get_by_role("heading", name="Fiche rendue à la liste.")).to_be_visible()
    assert places_of(page) == before
    page.keyboard.press("Enter")
    expect(page.locator('[data-state="dialling"]')).to_have_count(0)


def test_who_was_signed_out_meanwhile_signs_in_and_finds_the_call_again(
    screen: Callable[..., Page], story: Story, browser_context: BrowserContext
) -> None:
    page = screen()
    browser_context.clear_cookies(name=settings.SESSION_COOKIE_NAME)

    page.keyboard.press("Enter")

    page.wait_for_url(f"**/login/?next={story.url()}")
    expect(page.locator(".screen")).to_have_count(0)


def test_a_screen_that_is_heard_says_what_each_state_is(screen: Callable[..., Page], story: Story) -> None:
    page = screen()
    page.keyboard.press("Enter")
    ready(page, '[data-state="dialling"]')

    expect(page.locator("#live")).to_have_text("Numérotation en cours. Espace dès que la personne décroche.")
    expect(page.locator("[data-primary]")).to_be_focused()
    assert (
        page.locator(
            "[aria-live] [data-since], [role=status] [data-since], [role=alert] [data-since]"
        ).count()
        == 0
    )


def test_the_campaign_chosen_at_the_desk_stays_after_a_reload(
    screen: Callable[..., Page], story: Story, live_server: LiveServer
) -> None:
    other = make_campaign(story.programme, name="Zinc et étain")
    release_call(reason="essai", **story.by())
    page = screen("/desk/")
    page.get_by_label("Zinc et étain").check()
    expect(page.locator(".phone__name")).to_contain_text("Zinc et étain")

    page.goto(f"{live_server.url}/desk/")

    expect(page.get_by_label("Zinc et étain")).to_be_checked()
    expect(page.locator(".phone__name")).to_contain_text(other.name)


def test_on_a_narrow_screen_the_sentence_comes_first_and_the_action_stays_at_hand(
    screen: Callable[..., Page], story: Story, page: Page
) -> None:
    hard(story)
    page.set_viewport_size({"width": 390, "height": 844})
    story.go("connected")
    screen()

    say, who, action = (box_of(page, selector) for selector in (SENTENCE, ".who", ".what__action"))

    assert say is not None
    assert who is not None
    assert action is not None
    assert say["y"] < who["y"]
    assert action["y"] + action["height"] == 844
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator(SENTENCE).evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)") >= 24
