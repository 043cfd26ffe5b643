"""An agent calls the supervisor, hands a call to a colleague, asks for a ban: each seen by the other one at once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from calls.enums import CallState, IncidentKind
from calls.models import Ban, Callback, Incident, Transfer
from calls.services.help import keep_promises
from campaigns.models import Campaign, Exclusion
from crm.enums import Role
from crm.models import Team, User
from tests.factories import (
    NOW,
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
    expect_state,
    reach_criteria,
    shown_call,
    take_the_demo_phone,
    take_the_next,
)

pytestmark = pytest.mark.django_db(transaction=True)
#: What is told "within two seconds" is asked every two; the machine of the tests is given as much again.
AT_ONCE = 4_000

# The field has the focus before the key's own turn of the browser ends, and again once the swap has settled.
FOCUSED_BY_Y = """() => {
  const y = { key: "y", code: "KeyY", bubbles: true, cancelable: true };
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", y));
  const at_once = document.activeElement.name;
  const target = document.querySelector("[data-screen]");
  document.dispatchEvent(new CustomEvent("htmx:afterSettle", { detail: { target } }));
  return document.activeElement.name === at_once ? at_once : "taken away";
}"""


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
def boss(campaign: Campaign) -> User:
    """The supervisor of the morning's team, at extension 21."""
    return make_user(Role.SUPERVISOR, "camille", first_name="Camille", last_name="Durand", extension="21")


@pytest.fixture
def agent(house: House, boss: User) -> Page:
    """The desk of an agent of that team whose prospects answer."""
    team = Team.objects.create(name="Matin", created_at=NOW)
    team.supervisors.add(boss)
    page = house.sign_in(make_user(Role.AGENT, "agathe", first_name="Agathe", team=team))
    take_the_demo_phone(page)
    return page


def ask_for_help(agent: Page, words: str = "elle veut un responsable") -> None:
    """Reach the criteria, then call the supervisor by keys alone."""
    take_the_next(agent)
    reach_criteria(agent)
    agent.keyboard.press("c")
    expect(agent.locator('textarea[name="words"]')).to_be_focused()
    agent.keyboard.type(words)
    agent.keyboard.press("Enter")
    expect(agent.locator("#beside")).to_contain_text("Camille Durand, poste 21")


def test_a_call_for_help_shows_on_any_page_and_the_agent_sees_who_comes(
    agent: Page, house: House, boss: User
) -> None:
    page = house.sign_in(boss)
    page.goto(f"{house.url}/campaigns/")
    ask_for_help(agent)

    calling = page.locator("#calling")
    expect(calling).to_contain_text("Agathe vous appelle", timeout=AT_ONCE)
    expect(calling).to_contain_text("elle veut un responsable")
    calling.get_by_role("link").click()
    expect(agent.locator("#beside")).to_contain_text("Vu par Camille Durand", timeout=AT_ONCE)
    expect(page.locator('[data-key="y"]')).to_be_visible()
    page.keyboard.press("y")

    expect(agent.locator("#beside")).to_contain_text(
        "Camille Durand accepte et vient en ligne.", timeout=AT_ONCE
    )
    expect_state(agent, "connected")
    page.goto(f"{house.url}/campaigns/")
    page.wait_for_timeout(500)
    expect(calling).to_be_empty()
    assert Incident.objects.get().waiting


def test_the_answer_reaches_an_agent_who_is_typing_and_takes_no_word_away(
    agent: Page, house: House, boss: User
) -> None:
    page = house.sign_in(boss)
    ask_for_help(agent)
    agent.keyboard.press("n")
    note = agent.locator('textarea[name="note"]')
    note.type("rappeler ")
    page.goto(f"{house.url}/inbox/")
    page.get_by_role("button", name="J'y vais").click()

    expect(agent.locator("#beside")).to_contain_text("accepte et vient en ligne", timeout=AT_ONCE)
    expect(note).to_be_focused()
    agent.keyboard.type("la directrice")
    expect(note).to_have_value("rappeler la directrice")


def test_a_supervisor_promises_to_call_back_and_lets_the_agent_hang_up(
    agent: Page, house: House, boss: User
) -> None:
    page = house.sign_in(boss)
    ask_for_help(agent)
    page.goto(f"{house.url}/inbox/")
    item = page.locator("article.item").first
    item.locator("summary", has_text="Libérer l'agent").click()
    item.locator('[name="reason"][required]').fill("la personne ne veut rien entendre")
    item.get_by_role("button", name="L'agent peut raccrocher").click()
    expect(agent.locator("#beside")).to_contain_text("la personne ne veut rien entendre", timeout=AT_ONCE)
    expect(agent.get_by_role("button", name="Raccrocher")).to_be_visible(timeout=AT_ONCE)

    item.locator("summary", has_text="Je rappelle plus tard").click()
    tomorrow = timezone.localtime() + timedelta(days=1)
    item.locator('[name="due_at"]').fill(f"{tomorrow:%Y-%m-%dT15:00}")
    item.get_by_role("button", name="Promettre le rappel").click()
    expect(page.locator(".item--decided")).to_contain_text("Reparler plus tard")
    expect(agent.locator("#beside")).to_contain_text("Camille Durand rappellera la personne", timeout=AT_ONCE)

    agent.keyboard.press("x")
    expect_state(agent, "ended")
    agent.get_by_text("Pas intéressé").first.click()
    expect(agent.get_by_role("heading", name="Enregistré : Pas intéressé.")).to_be_visible()
    agent.keyboard.press("d")
    expect_state(agent, "desk")
    assert keep_promises(at=timezone.now()) == 1
    assert Callback.objects.get().owner == boss


def test_a_call_is_offered_by_keys_taken_by_a_colleague_and_finished_there(agent: Page, house: House) -> None:
    claire = make_user(Role.AGENT, "claire", first_name="Claire", last_name="Petit", languages=["it"])
    colleague = house.sign_in(claire)
    colleague.goto(f"{house.url}/desk/")
    call = take_the_next(agent)
    reach_criteria(agent)
    agent.keyboard.press("g")
    search = agent.locator('input[name="q"]')
    expect(search).to_be_focused()
    agent.keyboard.type("clai")
    expect(agent.locator("#colleagues option")).to_have_count(1)
    agent.locator('input[name="note"]').fill("elle préfère l'italien")
    agent.locator('input[name="note"]').press("Enter")
    expect(agent.locator("#beside")).to_contain_text("Appel proposé à Claire Petit")

    offer = colleague.locator("#offer")
    expect(offer).to_contain_text("Agathe vous propose son appel.", timeout=AT_ONCE)
    expect(offer).to_contain_text("elle préfère l'italien")
    colleague.keyboard.press("y")
    expect_state(colleague, "connected")
    expect(colleague.locator("#beside")).to_contain_text("Appel passé par Agathe.")
    expect(agent.get_by_text("Claire Petit a pris l'appel.")).to_be_visible(timeout=AT_ONCE)
    expect_state(agent, "desk")

    assert shown_call(colleague).pk == call.pk
    colleague.keyboard.press("2")
    colleague.locator('input[name="heard"]').fill("boulangerie")
    colleague.keyboard.press("Enter")
    expect_state(colleague, "closing")
    call.refresh_from_db()
    assert (call.agent, call.state) == (claire, CallState.CLOSING)


def test_an_offer_is_declined_or_taken_back_and_the_call_stays(agent: Page, house: House) -> None:
    claire = make_user(Role.AGENT, "claire", first_name="Claire")
    colleague = house.sign_in(claire)
    colleague.goto(f"{house.url}/desk/")
    take_the_next(agent)
    reach_criteria(agent)
    for _offer in range(2):
        agent.keyboard.press("g")
        expect(agent.locator('input[name="q"]')).to_be_focused()
        agent.keyboard.type("clai")
        expect(agent.locator("#colleagues option")).to_have_count(1)
        agent.keyboard.press("Enter")
        expect(colleague.locator("#offer")).to_contain_text("vous propose son appel", timeout=AT_ONCE)
        if _offer == 0:
            colleague.keyboard.press("g")
            expect(agent.locator("#beside")).to_contain_text("Claire ne peut pas prendre", timeout=AT_ONCE)
        else:
            agent.keyboard.press("y")
            expect(colleague.locator("#offer .offer__card")).to_have_count(0, timeout=AT_ONCE)

    expect_state(agent, "connected")
    answers = Transfer.objects.order_by("id").values_list("answer__kind", flat=True)
    assert list(answers) == ["declined", "withdrawn"]


def test_a_ban_is_asked_by_the_agent_granted_by_the_manager_and_refused_at_the_gate(
    agent: Page, house: House
) -> None:
    manager = house.sign_in(make_user(Role.MANAGER, "marion"))
    call = take_the_next(agent)
    reach_criteria(agent)
    agent.request.post(
        f"{house.url}/calls/{call.pk}/situations/",
        form={"situation": "aggressive", "stage": "3"},
        headers={"X-CSRFToken": csrf(agent), "Referer": house.url},
    )
    agent.reload()
    agent.keyboard.press("x")
    expect_state(agent, "ended")
    agent.get_by_text("Refus").first.click()
    expect(agent.get_by_text("Demander un bannissement")).to_be_visible()
    assert agent.evaluate(FOCUSED_BY_Y) == "reason"
    agent.keyboard.type("menaces répétées")
    agent.keyboard.press("Enter")
    expect(agent.get_by_text("Le bannissement est demandé.")).to_be_visible()

    manager.goto(f"{house.url}/inbox/")
    manager.get_by_role("link", name="1 bannissement à décider").click()
    manager.get_by_role("table").get_by_role("link").first.click()
    expect(manager.locator("main")).to_contain_text("menaces répétées")
    manager.get_by_role("button", name="Accorder").click()
    expect(manager.locator("main")).to_contain_text("Le bannissement est en vigueur.")

    agent.keyboard.press("d")
    expect_state(agent, "desk")
    agent.get_by_label("Numéro").fill(SPELLINGS[0])
    agent.get_by_role("button", name="Préparer l'appel").click()
    expect(agent.get_by_role("alert").first).to_be_visible()
    expect_state(agent, "desk")
    assert Ban.objects.get().state == "granted"
    assert Exclusion.objects.active().filter(reason="ban", number=NUMBER).count() == 1
    assert Incident.objects.filter(kind=IncidentKind.ABUSE).exists()


def csrf(page: Page) -> str:
    """Return the token that a form of the page sends."""
    return str(page.locator('[name="csrfmiddlewaretoken"]').first.input_value())
