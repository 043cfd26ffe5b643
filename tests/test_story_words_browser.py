"""Words about a person, in the agent's browser: a note that is held until it is neutral, an e-mail, the mandate."""

from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from calls.models import Call, CallEvent, FollowUp, NoteWarning
from calls.services.follow_ups import send_due
from calls.services.notes import note_of
from campaigns.models import Campaign, FollowUpTemplate
from crm.enums import Role
from tests.factories import (
    make_campaign,
    make_criterion,
    make_entry,
    make_programme,
    make_prospect,
    make_user,
)
from tests.stories import (
    NUMBER,
    House,
    expect_state,
    mismatch,
    reach_criteria,
    say_the_closing,
    take_the_demo_phone,
    take_the_next,
)

pytestmark = pytest.mark.django_db(transaction=True)

INSULT = "Le directeur est un connard. Rappeler mardi"


@pytest.fixture
def house(browser: Browser, live_server: LiveServer) -> Iterator[House]:
    house = House(browser, live_server.url)
    yield house
    house.leave()


@pytest.fixture
def campaign(settings: Settings) -> Campaign:
    """A running campaign of banks with a mandate, an e-mail and one fiche to call."""
    settings.EMAIL_OFFERED = True
    programme = make_programme()
    make_criterion(programme)
    campaign = make_campaign(programme, name="Banques", may_promise="Un rappel sous deux jours.")
    FollowUpTemplate.objects.create(
        campaign=campaign, name="Suite", subject="Suite à notre appel", body="Bonjour {person},\n\nà bientôt."
    )
    prospect = make_prospect(NUMBER, organisation="Banque du Marché", email="contact@banque.example")
    make_entry(campaign, prospect, due_at=timezone.now())
    return campaign


@pytest.fixture
def agent(house: House, campaign: Campaign) -> Page:
    """The desk of an agent whose prospects answer."""
    page = house.sign_in(make_user(Role.AGENT, "agathe"))
    take_the_demo_phone(page)
    return page


def write(page: Page, words: str) -> None:
    """Type into the note, from wherever one is."""
    page.keyboard.press("n")
    expect(page.locator(".note__text")).to_be_focused()
    page.keyboard.type(words)


def stored(call: Call) -> str:
    return note_of(call)


def test_a_note_with_an_insult_is_held_and_the_neutral_wording_taken_by_one_key(agent: Page) -> None:
    call = take_the_next(agent)
    reach_criteria(agent)

    write(agent, INSULT)

    expect(agent.locator(".note-warning")).to_contain_text("Insulte")
    expect(agent.locator(".note-warning")).to_contain_text("« connard »")
    expect(agent.locator(".note__text")).to_be_focused()
    expect(agent.locator(".note__text")).to_have_value(INSULT)
    assert stored(call) == ""
    agent.keyboard.type(" matin")
    expect(agent.locator(".note__text")).to_have_value(f"{INSULT} matin")
    expect(agent.locator("#note-status")).to_have_text("Gardée ici : à revoir.")
    agent.wait_for_timeout(1200)
    agent.keyboard.press("Escape")
    agent.keyboard.press("z")

    expect(agent.locator("#note-status")).to_have_text("Note enregistrée.")
    expect(agent.locator(".note-warning")).to_have_count(0)
    expect(agent.locator(".note__text")).to_have_value("Échange difficile. Rappeler mardi matin")
    assert stored(call) == "Échange difficile. Rappeler mardi matin"
    assert "connard" not in str(list(CallEvent.objects.values_list("data", flat=True)))


def test_words_are_kept_with_a_reason_and_an_account_number_never(agent: Page) -> None:
    call = take_the_next(agent)
    reach_criteria(agent)

    write(agent, "IBAN FR76 3000 6000 0112 3456 7890 189, elle est malade")
    expect(agent.locator(".note-warning")).to_be_visible()
    agent.keyboard.press("Escape")
    agent.keyboard.press("h")
    expect(agent.locator('[name="override"]')).to_be_focused()
    agent.keyboard.type("elle demande un report")
    agent.keyboard.press("Enter")

    expect(agent.locator(".note__text")).to_have_value("IBAN [IBAN retiré], elle est malade")
    assert stored(call) == "IBAN [IBAN retiré], elle est malade"
    assert NoteWarning.objects.get().reason == "elle demande un report"


def test_finishing_asks_for_the_decision_first_and_a_reload_loses_no_word(agent: Page) -> None:
    call = take_the_next(agent)
    reach_criteria(agent)
    mismatch(agent)
    say_the_closing(agent)
    expect_state(agent, "ended")
    write(agent, INSULT)
    expect(agent.locator(".note-warning")).to_be_visible()
    agent.reload()
    expect(agent.locator(".note__text")).to_have_value(INSULT)
    expect(agent.locator(".note-warning")).to_be_visible()
    expect_state(agent, "ended")

    agent.keyboard.press("d")

    expect(agent.locator(".what__notice [role=alert]")).to_contain_text("À ne pas noter")
    expect(agent.locator(".note-warning")).to_be_visible()
    assert Call.objects.get(pk=call.pk).is_open
    expect_state(agent, "ended")
    agent.keyboard.press("z")
    expect(agent.locator("#note-status")).to_have_text("Note enregistrée.")
    agent.keyboard.press("d")
    expect_state(agent, "desk")
    assert stored(call) == "Échange difficile. Rappeler mardi"


def test_what_was_heard_is_reworded_by_one_key_and_the_closing_opens(agent: Page) -> None:
    call = take_the_next(agent)
    reach_criteria(agent)
    agent.keyboard.press("2")
    expect(agent.locator('input[name="heard"]')).to_be_focused()
    agent.keyboard.type("un connard de boulanger")
    agent.keyboard.press("Enter")
    expect(agent.locator(".doubt__neutral")).to_be_focused()
    assert Call.objects.get(pk=call.pk).out_of_criteria_at is None

    agent.keyboard.press("z")
    expect(agent.locator('input[name="heard"]')).to_have_value("échange difficile")
    agent.keyboard.press("Enter")

    expect_state(agent, "closing")
    assert Call.objects.get(pk=call.pk).out_of_criteria_at is not None


def test_a_follow_up_is_sent_from_the_call_and_seen_on_the_fiche(house: House, agent: Page) -> None:
    call = take_the_next(agent)
    reach_criteria(agent)

    agent.keyboard.press("r")
    expect(agent.locator(".letter")).to_contain_text("Suite à notre appel")
    expect(agent.locator('[name="email"]')).to_have_value("contact@banque.example")
    expect(agent.locator("[data-guarded]")).to_have_count(0)
    agent.keyboard.press("Enter")

    expect(agent.get_by_text("L'e-mail part à contact@banque.example.")).to_be_visible()
    expect(agent.locator(".question--now")).to_be_visible()
    row = FollowUp.objects.get(call=call)
    assert send_due(at=timezone.now()) == 1
    row.refresh_from_db()
    assert row.state == "sent"
    manager = house.sign_in(make_user(Role.MANAGER, "manon"))
    manager.goto(f"{house.url}/prospects/{call.prospect_id}/?topic=notes")
    expect(manager.locator(".passages")).to_contain_text("E-mail de suivi : Suite à notre appel")


def test_the_mandate_stands_on_the_screen_by_one_key(agent: Page) -> None:
    take_the_next(agent)

    agent.keyboard.press("j")

    expect(agent.locator("#mandate")).to_contain_text("Vous pouvez promettre")
    expect(agent.locator("#mandate")).to_contain_text("Un rappel sous deux jours.")
    agent.keyboard.press("Escape")
    expect(agent.locator("#mandate")).to_be_hidden()


def test_a_stage_of_a_situation_shows_its_words_and_leaves_the_mandate_to_its_key(agent: Page) -> None:
    take_the_next(agent)
    reach_criteria(agent)

    agent.keyboard.press("s")
    agent.keyboard.type("chef")
    agent.keyboard.press("Enter")

    expect(agent.locator(".what__count")).to_have_text("1/2")
    expect(agent.locator(".what__body")).not_to_contain_text("Un rappel sous deux jours.")
    body = agent.locator(".what__body")
    assert body.evaluate("(one) => one.scrollHeight <= one.clientHeight + 1")
