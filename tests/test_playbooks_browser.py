"""Each playbook as an agent walks it: opened by typing a word, stage by stage by one key, and back to the call."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from calls.models import Call, CallEvent, Situation
from calls.rules.playbooks import PLAYBOOKS, Playbook
from crm.enums import Role
from crm.models import Team
from tests.factories import make_user
from tests.test_call_screen import Story
from tests.test_call_screen_calm_browser import screen, story  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)

expect.set_options(timeout=15_000)

#: What an agent types in the hurry, and the row that it finds among the others.
TYPED = {
    "racist": "racis",
    "sexist": "misog",
    "flirting": "drague",
    "troll": "provoc",
    "aggressive": "hurle",
    "policy": "injuste",
    "not_following": "debutant",
    "angry": "COLÈRE",
    "legal": "cnil",
    "boss": "chef",
    "data_origin": "rgpd",
    "do_not_call": "bloctel",
    "language": "langue",
    "impairment": "malent",
    "deaf_relay": "rogervoice",
    "lost": "perdue",
    "well_known": "celebre",
    "suicidal": "mourir",
    "vulnerable": "fragile",
    "minor": "enfant",
    "bereavement": "deces",
    "driving": "volant",
}
#: Pixels of the words to say that are not seen without scrolling.
OVERFLOW = """(() => {
    const body = document.querySelector(".what__body");
    return body.scrollHeight - body.clientHeight;
})()"""


def ready(page: Page) -> None:
    """Wait until the screen listens."""
    expect(page.locator("[data-guarded]")).to_have_count(0)


def open_palette(page: Page) -> None:
    page.keyboard.press("s")
    expect(page.locator("#palette-words")).to_be_focused()


def stages_told(told: Story) -> list[tuple[str, int]]:
    rows = CallEvent.objects.filter(call=told.call, kind="situation").order_by("id")
    return [(row.data["situation"], row.data["stage"]) for row in rows if row.data.get("situation")]


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda playbook: playbook.code)
def test_a_playbook_is_found_by_a_word_walked_by_one_key_and_left(
    screen: Callable[..., Page],  # noqa: F811
    story: Story,  # noqa: F811
    playbook: Playbook,
) -> None:
    story.go("asked")
    page = screen()

    open_palette(page)
    page.keyboard.type(TYPED[playbook.code])
    expect(page.locator(f'.palette__row[value="{playbook.code}/1"]')).to_be_visible()
    expect(page.locator("[data-marked]")).to_have_attribute("value", f"{playbook.code}/1")
    page.keyboard.press("Enter")

    walked = 0
    for number, stage in enumerate(playbook.stages, start=1):
        walked = number
        expect(page.locator(".what__count")).to_have_text(f"{number}/{len(playbook.stages)}")
        expect(page.locator("#what-title")).to_have_text(stage.title)
        said = page.locator(".what .say")
        expect(said).to_have_count(len(stage.say) if stage.say_other else len(stage.fr))
        assert "{" not in " ".join(said.all_inner_texts())
        expect(page.locator(".to-do")).to_contain_text(stage.do.split(" : ")[0].split("{")[0])
        assert page.evaluate(OVERFLOW) <= 1, (playbook.code, number)
        expect(page.locator('[data-key="x"]')).to_have_count(int(stage.may_end))
        expect(page.get_by_text("Cette étape permet de mettre fin à l'appel")).to_have_count(
            int(stage.may_end)
        )
        if number == len(playbook.stages):
            break
        following = playbook.stages[number].title
        expect(page.locator(".stage__next")).to_contain_text(following)
        ready(page)
        page.keyboard.press("ArrowRight")

    expect(page.locator('[data-key="ArrowRight"]')).to_have_count(0)
    assert stages_told(story) == [(playbook.code, number) for number in range(1, walked + 1)]
    page.reload()
    expect(page.locator("#what-title")).to_have_text(playbook.stages[-1].title)
    ready(page)
    page.keyboard.press("ArrowDown")
    expect(page.locator(".question--now")).to_be_visible()
    if playbook.code != "driving":
        expect(page.locator('[data-key="x"]')).to_have_count(0)
    assert Call.objects.get(pk=story.call.pk).state == "connected"


def test_every_playbook_has_its_word() -> None:
    assert set(TYPED) == {playbook.code for playbook in PLAYBOOKS}


def test_a_playbook_opens_at_the_severity_that_is_heard(
    screen: Callable[..., Page],  # noqa: F811
    story: Story,  # noqa: F811
) -> None:
    story.go("asked")
    page = screen()

    open_palette(page)
    page.keyboard.type("racis insulte ouv")
    expect(page.locator(".palette__row:visible")).to_have_count(1)
    page.keyboard.press("Enter")

    expect(page.locator(".what__count")).to_have_text("4/6")
    expect(page.locator(".what__context")).to_contain_text("insulte ouverte")
    assert stages_told(story) == [("racist", 4)]


def test_the_palette_is_walked_by_arrows_digits_and_letters_and_left_by_escape(
    screen: Callable[..., Page],  # noqa: F811
    story: Story,  # noqa: F811
) -> None:
    story.go("asked")
    page = screen()

    open_palette(page)
    assert page.locator(".palette__row[data-key]").count() == 9
    page.keyboard.press("ArrowUp")
    expect(page.locator(".palette__row").last).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#palette-words")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".palette__row").first).to_be_focused()
    page.keyboard.type("chef")
    expect(page.locator("#palette-words")).to_have_value("chef")
    expect(page.locator("#live")).to_contain_text("Je veux votre responsable")
    page.keyboard.type("zzz")
    expect(page.locator("[data-none]")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("[data-none]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".question--now")).to_be_visible()
    assert stages_told(story) == []

    ready(page)
    open_palette(page)
    page.keyboard.type("menace")
    page.keyboard.press("2")

    expect(page.locator(".what__context")).to_contain_text("Agressivité")
    assert stages_told(story) == [("aggressive", 2)]


def test_the_palette_works_without_script(
    screen: Callable[..., Page],  # noqa: F811
    story: Story,  # noqa: F811
) -> None:
    story.go("asked")
    page = screen()
    browser = page.context.browser
    assert browser is not None
    bare = browser.new_context(
        java_script_enabled=False, locale="fr-FR", storage_state=page.context.storage_state()
    )
    plain = bare.new_page()

    plain.goto(f"{page.url}?situation=list")
    plain.locator("#palette-words").fill("interprète")
    plain.locator("#palette-words").press("Enter")
    assert plain.locator(".palette__row").count() == 2
    plain.locator('[value="language/1"]').click()

    assert plain.locator("#what-title").inner_text() == "Le dire dans la langue de la personne"
    assert (
        "Entschuldigung" in plain.locator(".stage").inner_text()
        or "leid" in plain.locator(".stage").inner_text()
    )
    assert plain.locator('.stage [lang="ar"][dir="rtl"]').count() == 1
    bare.close()


def test_who_speaks_another_language_hears_it_in_theirs(
    screen: Callable[..., Page],  # noqa: F811
    story: Story,  # noqa: F811
) -> None:
    story.prospect.language = "en"
    story.prospect.save()
    story.go("asked")
    page = screen()

    open_palette(page)
    page.keyboard.type("cnil")
    page.keyboard.press("Enter")

    english = next(playbook for playbook in PLAYBOOKS if playbook.code == "legal").stages[0].en[0]
    expect(page.locator(".what .say").first).to_have_text(english)
    expect(page.locator(".what .say").first).to_have_attribute("lang", "en")


def test_the_supervisor_and_the_address_for_complaints_are_named(
    screen: Callable[..., Page],  # noqa: F811
    story: Story,  # noqa: F811
) -> None:
    team = Team.objects.create(name="Matin", created_at=story.at)
    team.supervisors.add(make_user(Role.SUPERVISOR, first_name="Awa", last_name="Diop", extension="4210"))
    story.agent.team = team
    story.agent.save()
    story.prospect.source.rights_contact = "droits@annuaire.example"
    story.prospect.source.save()
    story.go("asked")
    page = screen()

    open_palette(page)
    page.keyboard.type("chef")
    page.keyboard.press("Enter")
    expect(page.locator(".what .say").first).to_contain_text("Awa Diop")
    expect(page.locator(".what .say").first).to_contain_text("poste 4210")
    ready(page)
    page.keyboard.press("ArrowDown")
    expect(page.locator(".question--now")).to_be_visible()
    ready(page)
    open_palette(page)
    page.keyboard.type("cnil")
    page.keyboard.press("Enter")
    expect(page.locator(".what__count")).to_have_text("1/3")
    ready(page)
    page.keyboard.press("ArrowRight")

    expect(page.locator(".what .say").first).to_contain_text("droits@annuaire.example")


def test_a_playbook_that_is_retired_is_no_longer_found(
    screen: Callable[..., Page],  # noqa: F811
    story: Story,  # noqa: F811
) -> None:
    Situation.objects.filter(code="boss").update(active=False)
    story.go("asked")
    page = screen()

    open_palette(page)
    page.keyboard.type("chef")

    expect(page.locator("[data-none]")).to_be_visible()


def test_the_mandate_stands_beside_what_is_said(
    screen: Callable[..., Page],  # noqa: F811
    story: Story,  # noqa: F811
) -> None:
    story.campaign.may_decide = "Un rendez-vous, à l'heure que la personne choisit."
    story.campaign.may_offer = "L'envoi des résultats par e-mail."
    story.campaign.save()
    story.go("asked")
    page = screen()

    open_palette(page)
    page.keyboard.type("injuste")
    page.keyboard.press("Enter")

    expect(page.locator(".stage__mandate")).to_contain_text("Un rendez-vous")
    expect(page.locator(".stage__mandate")).to_contain_text("L'envoi des résultats")
    assert page.evaluate(OVERFLOW) <= 1
