"""The agent's cockpit in a browser: by keyboard alone, with the simulated phone, and always back on the same call."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from calls.enums import CallEventKind, IncidentKind
from calls.models import Call, Pause
from campaigns.models import Campaign
from crm.enums import Role
from crm.models import User
from tests.factories import (
    make_campaign,
    make_criterion,
    make_entry,
    make_programme,
    make_prospect,
    make_user,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent() -> User:
    return make_user(Role.AGENT, first_name="Agathe")


@pytest.fixture
def campaign() -> Campaign:
    programme = make_programme()
    make_criterion(programme)
    campaign = make_campaign(programme, dead_line_seconds=5, patience_seconds=10)
    for number in ("+33199000001", "+33199000002", "+33199000003"):
        make_entry(
            campaign,
            make_prospect(number, organisation=f"Banque {number[-1]}"),
            due_at=timezone.now() - timedelta(minutes=5),
        )
    return campaign


@pytest.fixture
def desk(
    page: Page, browser_context: BrowserContext, live_server: LiveServer, agent: User, campaign: Campaign
) -> Page:
    """The desk of a signed-in agent, whose phone is the simulated one."""
    session = SessionStore()
    session[SESSION_KEY] = str(agent.pk)
    session[BACKEND_SESSION_KEY] = "config.sessions.Accounts"
    session[HASH_SESSION_KEY] = agent.get_session_auth_hash()
    session["phone"] = "demo"
    session.create()
    key = session.session_key or ""
    browser_context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}]
    )
    page.goto(f"{live_server.url}/desk/?scenario=answers")
    return page


def expect_state(page: Page, state: str) -> None:
    """Wait for the screen of a state, and for its primary action to listen."""
    expect(page.locator(f'.screen[data-state="{state}"]')).to_be_visible()
    expect(page.locator("[data-guarded]")).to_have_count(0)


def play(page: Page, scenario: str) -> None:
    page.goto(page.url.split("?")[0] + f"?scenario={scenario}")


def reach_criteria(page: Page) -> None:
    """From the desk to the first question, by keyboard."""
    expect_state(page, "desk")
    page.keyboard.press("Space")
    expect_state(page, "claimed")
    page.keyboard.press("Enter")
    expect_state(page, "dialling")
    expect_state(page, "connected")
    page.keyboard.press("Space")
    expect(page.locator(".question--now")).to_be_focused()


def mismatch(page: Page) -> None:
    """Say no to the first question, with what was heard."""
    page.keyboard.press("2")
    field = page.locator('input[name="heard"]')
    expect(field).to_be_focused()
    field.type("boulangerie")
    page.keyboard.press("Enter")
    expect_state(page, "closing")


def say_the_closing(page: Page) -> None:
    """Read the three sentences, one by one, as slowly as the server asks (700 ms at least)."""
    for said in range(3):
        expect(page.locator(".progress-steps .is-done")).to_have_count(said)
        expect_state(page, "closing")
        expect(page.locator("[data-primary]")).to_be_focused()
        page.wait_for_timeout(800)
        page.keyboard.press("Space")
    expect(page.locator('.screen[data-state="closing"]')).to_have_count(0)


def test_a_mismatch_is_closed_politely_by_keyboard_alone(desk: Page) -> None:
    reach_criteria(desk)
    mismatch(desk)

    expect(desk.get_by_text("Hors-critères : boulangerie, attendu : une banque.")).to_be_visible()
    say_the_closing(desk)
    expect_state(desk, "waiting")
    expect(desk.get_by_role("button", name="Raccrocher")).to_have_count(0)
    expect_state(desk, "ended")

    expect(desk.get_by_role("heading", name="Hors-critères enregistré")).to_be_visible()
    call = Call.objects.get()
    assert (call.hung_up_by, call.evidence) == ("prospect", "softphone")
    desk.keyboard.press("Space")
    expect_state(desk, "claimed")
    assert Call.objects.count() == 2


def test_escape_takes_back_a_no_before_it_is_stored(desk: Page) -> None:
    reach_criteria(desk)
    desk.keyboard.press("2")
    expect(desk.locator('input[name="heard"]')).to_be_focused()

    desk.keyboard.press("Escape")

    expect(desk.locator('input[name="heard"]')).to_have_count(0)
    assert Call.objects.get().out_of_criteria_at is None


def test_a_key_held_down_says_one_sentence_only(desk: Page) -> None:
    reach_criteria(desk)
    mismatch(desk)
    desk.wait_for_timeout(800)

    for _repeat in range(20):
        desk.keyboard.down("Space")
        desk.wait_for_timeout(60)
    desk.keyboard.up("Space")

    expect(desk.locator(".progress-steps .is-done")).to_have_count(1)


def test_a_double_press_says_one_sentence_only(desk: Page) -> None:
    reach_criteria(desk)
    mismatch(desk)
    desk.wait_for_timeout(800)

    desk.keyboard.press("Space")
    desk.keyboard.press("Space")
    desk.wait_for_timeout(1000)

    expect(desk.locator(".progress-steps .is-done")).to_have_count(1)


def test_reload_back_and_a_second_tab_lead_to_the_same_call(
    desk: Page, browser_context: BrowserContext, live_server: LiveServer
) -> None:
    reach_criteria(desk)
    mismatch(desk)
    address = desk.url

    desk.reload()
    expect_state(desk, "closing")
    desk.goto(f"{live_server.url}/desk/")
    expect_state(desk, "closing")
    desk.go_back()
    expect_state(desk, "closing")
    second = browser_context.new_page()
    second.goto(live_server.url)

    expect_state(second, "closing")
    assert second.url == address


def test_a_second_tab_that_is_behind_is_told_so_and_shown_the_present_state(
    desk: Page, browser_context: BrowserContext
) -> None:
    reach_criteria(desk)
    second = browser_context.new_page()
    second.goto(desk.url)
    expect_state(second, "connected")
    mismatch(desk)

    second.keyboard.press("1")

    expect_state(second, "closing")


def test_a_busy_line_ends_by_itself(desk: Page) -> None:
    play(desk, "busy")
    desk.keyboard.press("Space")
    expect_state(desk, "claimed")

    desk.keyboard.press("Enter")

    expect_state(desk, "ended")
    assert Call.objects.get().cause == "busy"


def test_a_key_of_what_is_folded_away_does_nothing(desk: Page) -> None:
    play(desk, "busy")
    desk.keyboard.press("Space")
    expect_state(desk, "claimed")
    desk.keyboard.press("Enter")
    expect_state(desk, "ended")

    desk.keyboard.press("3")
    desk.keyboard.press("a")
    desk.keyboard.press("1")

    expect(desk.get_by_role("heading", name="Enregistré : Pas de réponse.")).to_be_visible()
    call = Call.objects.get()
    assert call.disposition is not None
    assert call.disposition.code == "no_answer"


def test_a_dead_line_may_be_hung_up_after_the_goodbye(desk: Page) -> None:
    play(desk, "never_hangs_up")
    reach_criteria(desk)
    mismatch(desk)
    say_the_closing(desk)
    expect_state(desk, "waiting")
    expect(desk.get_by_role("button", name="Raccrocher")).to_have_count(0)

    desk.keyboard.press("m")
    button = desk.get_by_role("button", name="Raccrocher")
    expect(button).to_be_visible(timeout=20_000)
    button.click()

    expect_state(desk, "ended")
    assert Call.objects.get().hung_up_by == "agent"


def test_with_a_desk_phone_the_agent_declares_what_happened(desk: Page) -> None:
    # The system's question which program may open `tel:` would take the keyboard away from the page.
    desk.add_init_script(
        """const click = HTMLAnchorElement.prototype.click;
        HTMLAnchorElement.prototype.click = function () {
            if (this.protocol === "tel:") window.dialled = this.href;
            else click.call(this);
        };"""
    )
    desk.locator("#phone-choice").select_option("tel")
    expect(desk.locator("#demo-scenario")).to_have_count(0)
    desk.keyboard.press("Space")
    expect_state(desk, "claimed")
    desk.keyboard.press("Enter")
    expect_state(desk, "dialling")
    assert desk.evaluate("window.dialled") == "tel:+33199000001"
    desk.keyboard.press("Space")
    expect_state(desk, "connected")
    desk.keyboard.press("Space")
    expect(desk.locator(".question--now")).to_be_focused()
    mismatch(desk)
    say_the_closing(desk)
    expect_state(desk, "waiting")

    desk.keyboard.press("p")

    expect_state(desk, "ended")
    assert Call.objects.get().evidence == "declared"


def test_the_question_mark_lists_the_keys_of_the_screen(desk: Page) -> None:
    desk.keyboard.press("?")

    dialog = desk.locator("#keys-help")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Fiche suivante")
    desk.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()


def test_single_keys_are_deaf_inside_a_field(desk: Page) -> None:
    reach_criteria(desk)
    note = desk.locator('textarea[name="note"]')
    note.click()

    note.type("2 fois 3")

    expect(desk.locator('input[name="heard"]')).to_have_count(0)
    expect(desk.locator("#note-status")).to_have_text("Note enregistrée.")


def test_a_pause_is_taken_and_ended_by_keyboard(desk: Page) -> None:
    expect_state(desk, "desk")
    desk.keyboard.press("b")
    expect(desk.get_by_role("heading", name="En pause")).to_be_visible()
    expect_state(desk, "desk")

    desk.keyboard.press("Space")

    expect(desk.get_by_role("button", name="Fiche suivante")).to_be_visible()
    assert Pause.objects.get().ended_at is not None


def test_words_typed_after_a_key_that_unfolds_a_form_go_into_it(desk: Page) -> None:
    desk.keyboard.press("Space")
    expect_state(desk, "claimed")

    desk.keyboard.press("r")
    expect(desk.locator('input[name="reason"]')).to_be_focused()
    desk.keyboard.type("déjà servi")
    desk.keyboard.press("Enter")

    expect_state(desk, "desk")
    assert Call.objects.get().release_reason == "déjà servi"


def test_the_supervisor_is_called_and_a_wish_is_noted_by_keyboard(desk: Page) -> None:
    reach_criteria(desk)

    desk.keyboard.press("c")
    expect(desk.locator('textarea[name="words"]')).to_be_focused()
    desk.keyboard.type("elle demande un responsable")
    desk.keyboard.press("Enter")
    expect(desk.locator(".help")).to_contain_text("Superviseur prévenu à")
    desk.keyboard.press("w")
    field = desk.locator('input[name="text"]')
    expect(field).to_be_focused()
    field.type("une formation")
    desk.keyboard.press("Enter")

    expect(desk.locator(".help")).to_contain_text("Souhait : « une formation »")
    expect_state(desk, "connected")
    call = Call.objects.get()
    help = call.incidents.get()
    assert (help.kind, help.summary) == (IncidentKind.HELP, "elle demande un responsable")
    assert call.events.get(kind=CallEventKind.WISH).data == {"text": "une formation", "remind_at": None}


def test_the_note_survives_a_change_of_state(desk: Page) -> None:
    reach_criteria(desk)
    desk.locator('textarea[name="note"]').fill("rappeler la directrice")

    desk.locator("h1").click()
    mismatch(desk)

    expect(desk.locator('textarea[name="note"]')).to_have_value("rappeler la directrice")


def test_a_number_that_is_refused_stays_in_its_field_to_be_mended(desk: Page) -> None:
    desk.keyboard.press("a")
    desk.keyboard.type("12")
    desk.keyboard.press("Enter")

    expect(desk.get_by_text("Ce n'est pas un numéro que l'on peut appeler.")).to_be_visible()
    expect(desk.locator("#manual-number")).to_have_value("12")
    expect(desk.locator("#manual-number")).to_be_focused()


def test_who_chose_a_language_promises_the_callback_by_its_digit(desk: Page) -> None:
    reach_criteria(desk)
    desk.keyboard.press("s")
    expect(desk.locator(".palette__words")).to_be_focused()
    desk.keyboard.type("langue")
    desk.keyboard.press("Enter")
    for stage in ("2/3", "3/3"):
        expect(desk.locator('[data-key="ArrowRight"]')).to_be_visible()
        expect(desk.locator("[data-guarded]")).to_have_count(0)
        desk.keyboard.press("ArrowRight")
        expect(desk.locator(".what__count")).to_have_text(stage)

    desk.keyboard.press("f")
    desk.locator('select[name="language"]').select_option("es")
    desk.keyboard.press("3")

    expect_state(desk, "closing")
    expect(desk.locator("#what-title")).to_contain_text("Rappel promis demain à 10")
    expect(desk.locator(".who__facts").first).to_contain_text("Espagnol")
