"""What the supervisor answers in the inbox: an entry error, a shared number, a hang-up that was not allowed."""

from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from calls.models import Call, Callback, CallDisposition, Incident, IncidentDecision
from campaigns.enums import EntryState
from campaigns.models import Campaign, Exclusion, ListEntry
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
    SPELLINGS,
    House,
    craft,
    expect_state,
    mismatch,
    reach_criteria,
    say_the_closing,
    shown_call,
    take_the_demo_phone,
    take_the_next,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(browser: Browser, live_server: LiveServer) -> Iterator[House]:
    house = House(browser, live_server.url)
    yield house
    house.leave()


@pytest.fixture
def campaign() -> Campaign:
    """A running campaign of banks with one fiche to call."""
    programme = make_programme()
    make_criterion(programme)
    campaign = make_campaign(programme, name="Banques")
    make_entry(campaign, make_prospect(NUMBER, organisation="Banque du Marché"), due_at=timezone.now())
    return campaign


@pytest.fixture
def agent(house: House, campaign: Campaign) -> Page:
    """The desk of an agent whose prospects answer."""
    page = house.sign_in(make_user(Role.AGENT, "agathe"))
    take_the_demo_phone(page)
    return page


@pytest.fixture
def supervisor(house: House, campaign: Campaign) -> Page:
    """The inbox of a supervisor."""
    page = house.sign_in(make_user(Role.SUPERVISOR, "simon"))
    page.goto(f"{house.url}/inbox/")
    return page


def mismatched(agent: Page) -> Call:
    """Carry the next call to its mismatch."""
    call = take_the_next(agent)
    reach_criteria(agent)
    mismatch(agent)
    return call


def decide(page: Page, kind: str, decision: str, reason: str = "", **fields: str) -> None:
    """Answer the item of a kind in the inbox, with a double click."""
    page.reload()
    item = page.locator("article.item").filter(has=page.get_by_role("heading", name=kind))
    choice = item.locator("[data-choice]").filter(has_text=decision)
    if not reason:
        choice.dblclick()
    else:
        # A decision that needs words opens their fields; they are confirmed together.
        choice.click()
        for name, value in fields.items():
            item.locator(f'[name="{name}"]').select_option(value)
        item.locator('[name="reason"]').fill(reason)
        item.locator("[data-confirm]").dblclick()
    expect(page.locator(".item--decided").last).to_contain_text(decision)


def test_an_entry_error_is_corrected_by_the_supervisor_and_both_rows_are_kept(
    agent: Page, supervisor: Page
) -> None:
    call = mismatched(agent)
    say_the_closing(agent)
    expect_state(agent, "ended")
    agent.keyboard.press("e")
    agent.get_by_label("Que s'est-il passé ?").fill("touche 2 au lieu de 1")
    agent.get_by_role("button", name="Demander la correction").dblclick()
    expect(agent.get_by_text("Le superviseur est prévenu.")).to_be_visible()
    agent.keyboard.press("d")
    expect_state(agent, "desk")

    expect(agent.locator(".screen")).not_to_contain_text("1 fiche appelable")
    decide(
        supervisor, "Erreur de saisie", "Corriger", "l'agent s'est trompé de touche", code="not_interested"
    )
    rows = CallDisposition.objects.filter(call=call).order_by("id")

    assert [row.disposition.code for row in rows] == ["out_of_criteria", "not_interested"]
    assert rows[1].corrects == rows[0]
    assert rows[1].reason == "l'agent s'est trompé de touche"
    assert not Exclusion.objects.active().exists()
    assert Exclusion.objects.filter(call_ref=call.pk, lifted_by__username="simon").count() == 2
    assert IncidentDecision.objects.count() == 1
    agent.get_by_label("Numéro").fill(SPELLINGS[0])
    agent.get_by_role("button", name="Préparer l'appel").click()
    expect_state(agent, "claimed")


def test_the_supervisor_lets_the_others_on_a_shared_number_be_called(
    agent: Page, supervisor: Page, campaign: Campaign
) -> None:
    neighbour = make_entry(
        campaign, make_prospect(NUMBER, organisation="Banque du Pont"), due_at=timezone.now()
    )
    own = mismatched(agent)
    say_the_closing(agent)
    expect_state(agent, "ended")
    agent.keyboard.press("d")
    expect_state(agent, "desk")
    agent.keyboard.press("Space")
    expect(agent.get_by_text("Aucune fiche n'est appelable maintenant.")).to_be_visible()

    supervisor.reload()
    expect(supervisor.locator("article.item")).to_contain_text("Ce numéro sert 1 autre fiche de la démarche.")
    decide(supervisor, "Numéro partagé", "Autoriser les autres fiches", "un standard commun")

    agent.reload()
    call = take_the_next(agent)
    assert call.entry == neighbour
    expect(agent.locator(".screen")).to_contain_text("Banque du Pont")
    assert ListEntry.objects.get(prospect=own.prospect).state == EntryState.EXCLUDED
    assert Exclusion.objects.active().filter(prospect=own.prospect).exists()


def test_a_hang_up_that_was_not_allowed_is_stored_as_it_happened_and_reviewed(
    agent: Page, supervisor: Page
) -> None:
    call = mismatched(agent)
    craft(agent, f"/calls/{call.pk}/events/", event="hung_up", by="agent", evidence="softphone")
    agent.reload()
    expect_state(agent, "ended")
    agent.get_by_label("Vous avez raccroché : pourquoi ?").fill("on me menaçait")
    agent.get_by_role("button", name="Expliquer").dblclick()
    expect(agent.get_by_role("button", name="Expliquer")).to_have_count(0)

    decide(supervisor, "Fin d'appel à revoir", "Soutenir l'agent")

    call.refresh_from_db()
    assert (call.hung_up_by, call.disposition.code) == ("agent", "out_of_criteria")  # type: ignore[union-attr]
    assert call.events.filter(kind="closing_interrupted").count() == 1
    incident = Incident.objects.get()
    assert incident.decision_row.decision == "support_agent"
    supervisor.goto(supervisor.url.split("?")[0] + "?decided=1")
    supervisor.get_by_role("link", name="Fin d'appel à revoir").click()
    expect(supervisor.locator("article.item")).to_contain_text("on me menaçait")


def test_a_promised_callback_is_closed_by_a_mismatch_elsewhere_in_the_programme(
    agent: Page, house: House, campaign: Campaign
) -> None:
    other = make_campaign(campaign.programme, name="Banques, suite")
    make_entry(other, make_prospect(NUMBER, organisation="Banque du Marché, agence"), due_at=timezone.now())
    agent.goto(f"{house.url}/desk/?campaign={other.pk}")
    take_the_next(agent)
    reach_criteria(agent)
    agent.keyboard.press("3")
    expect(agent.locator(".question--now")).to_have_count(0)
    expect_state(agent, "connected")
    agent.keyboard.press("Enter")
    agent.get_by_text("À rappeler").click()
    agent.get_by_label("Rappeler quand").fill("demain 10h")
    agent.get_by_label("La personne a donné cette heure exacte").check()
    agent.get_by_label("Qui rappelle").select_option(label="Moi")
    expect(agent.locator("#callback-understood")).to_contain_text("heure exacte")
    expect_state(agent, "connected")
    agent.get_by_role("button", name="Enregistrer").dblclick()
    expect_state(agent, "closing")
    agent.wait_for_timeout(750)
    agent.keyboard.press("Space")
    expect(agent.locator(".progress-steps .is-done")).to_have_count(1)
    agent.wait_for_timeout(750)
    agent.keyboard.press("Space")
    expect_state(agent, "ended")
    agent.keyboard.press("d")
    expect_state(agent, "desk")
    expect(agent.locator(".desk-right .history").first).to_contain_text("Banque du Marché, agence")

    agent.goto(f"{house.url}/desk/?campaign={campaign.pk}")
    mismatched(agent)

    assert Callback.objects.get().state == "excluded"
    assert set(ListEntry.objects.values_list("state", flat=True)) == {EntryState.EXCLUDED}
    say_the_closing(agent)
    expect_state(agent, "ended")
    agent.keyboard.press("d")
    expect(agent.get_by_text("Aucun rappel promis.")).to_be_visible()


def test_double_clicks_two_tabs_and_back_make_one_call(agent: Page, house: House) -> None:
    expect_state(agent, "desk")
    agent.get_by_role("button", name="Fiche suivante").dblclick()
    expect_state(agent, "claimed")
    call = shown_call(agent)
    agent.get_by_role("button", name="Appeler").dblclick()
    expect_state(agent, "connected")
    agent.get_by_role("button", name="C'est dit").dblclick()
    expect(agent.locator(".question--now")).to_be_focused()
    second = agent.context.new_page()
    second.goto(house.url)
    expect_state(second, "connected")
    agent.keyboard.press("2")
    agent.locator('input[name="heard"]').fill("boulangerie")
    agent.get_by_role("button", name="Hors-critères").dblclick()
    expect_state(agent, "closing")
    agent.go_back()
    agent.go_forward()
    expect_state(agent, "closing")
    second.keyboard.press("1")
    expect_state(second, "closing")
    agent.wait_for_timeout(750)
    agent.get_by_role("button", name="C'est dit").dblclick()
    expect(agent.locator(".progress-steps .is-done")).to_have_count(1)

    kinds = list(call.events.order_by("id").values_list("kind", flat=True))
    once = (
        "claimed",
        "dialled",
        "answered",
        "greeted",
        "criterion",
        "closing_started",
        "closing_step",
    )
    assert {kind: kinds.count(kind) for kind in once} == dict.fromkeys(once, 1)
    assert Call.objects.count() == CallDisposition.objects.count() == 1
    assert Exclusion.objects.count() == 2
