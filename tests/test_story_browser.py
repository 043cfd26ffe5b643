"""The main job through the real pages: a list, a call, a mismatch, and nothing ever dials that prospect again."""

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, transaction
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from calls.models import Call
from campaigns.enums import EntryState
from campaigns.models import Campaign, Criterion, ImportJob, ListEntry, Programme
from crm.enums import Role
from crm.models import Prospect, Source, Sponsor, User
from crm.rules.errors import ClosingRequired, InvalidTransition, OpenCallExists
from tests.api_client import Api, problem_of
from tests.factories import make_user
from tests.rawsql import execute
from tests.stories import (
    BANKS,
    NUMBER,
    SAME_NUMBER,
    SPELLINGS,
    House,
    craft,
    everything,
    expect_state,
    figure,
    mismatch,
    reach_criteria,
    say_the_closing,
    says,
    shown_call,
    submit,
    take_the_demo_phone,
    take_the_next,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(browser: Browser, live_server: LiveServer) -> Iterator[House]:
    house = House(browser, live_server.url)
    yield house
    house.leave()


def test_a_prospect_out_of_criteria_is_closed_politely_and_never_dialled_again(house: House) -> None:
    manager = house.sign_in(make_user(Role.MANAGER, "marion"))
    user = make_user(Role.AGENT, "agathe", first_name="Agathe")
    campaign = set_up(house, manager)
    import_the_list(house, manager, campaign)
    start(house, manager, campaign)
    expect(manager.locator(".page-head .state--running")).to_be_visible()
    agent = house.sign_in(user)

    call = mismatch_a_bank(agent)
    nothing_leads_out_of_the_closing(agent, call, user)
    say_the_closing(agent)
    expect(agent.get_by_role("button", name="Raccrocher")).to_have_count(0)
    expect_state(agent, "ended")
    expect(agent.get_by_role("heading", name="Hors-critères enregistré")).to_be_visible()
    call.refresh_from_db()
    assert (call.disposition.code, call.hung_up_by) == ("out_of_criteria", "prospect")  # type: ignore[union-attr]
    agent.keyboard.press("Space")
    expect_state(agent, "claimed")
    release(agent)

    same_list_again(house, manager, campaign)
    another_list_with_the_number(house, manager, campaign)
    dialled_by_hand(agent, user, campaign, *SPELLINGS)
    entered_through_the_api(house, user, campaign)
    inserted_by_sql(user, campaign)

    called_for_another_programme(house, manager, agent)
    called_for_another_sponsor(house, manager, agent)

    agent.goto(f"{house.url}/desk/?campaign={campaign.pk}")
    erased_and_made_again(house, manager, campaign)
    dialled_by_hand(agent, user, campaign, NUMBER)
    assert Call.objects.filter(number=NUMBER, campaign=campaign).count() == 1


def set_up(house: House, page: Page) -> Campaign:
    """A sponsor, a source, a programme with its criterion and a campaign, each by its page and a double click."""
    house.fill(page, "/sponsors/new/", name="Institut des Études")
    house.fill(page, "/sources/new/", name="Annuaire", spoken_origin="l'annuaire des entreprises")
    sponsor = Sponsor.objects.get()
    house.fill(
        page, "/programmes/new/", sponsor=str(sponsor.pk), name="Banques", subject="les services bancaires"
    )
    programme = Programme.objects.get()
    house.fill(
        page,
        f"/programmes/{programme.pk}/criteria/",
        "Voir ce que cela touche",
        field="sector",
        operator="starts_with",
        value="64",
        question="Êtes-vous bien une banque ?",
        expected="une banque",
    )
    page.locator("main [name=reason]").fill("la cible de l'étude")
    submit(page, "Ajouter le critère")
    expect(page.get_by_role("heading", name="Banques", exact=True)).to_be_visible()
    house.fill(page, "/campaigns/new/", programme=str(programme.pk), name="Banques 2026", calling_rule="none")
    assert Source.objects.count() == Criterion.objects.count() == 1
    return Campaign.objects.get()


def start(house: House, page: Page, campaign: Campaign) -> None:
    """Let a campaign dial, once its page has said what that touches."""
    path = f"/campaigns/{campaign.slug}/status/?status=running"
    house.fill(page, path, "Démarrer", reason="la liste est prête")


def import_the_list(house: House, page: Page, campaign: Campaign) -> None:
    """The three screens: what will be done, its run, its counts and rejects."""
    house.upload(page, campaign, BANKS, "Annuaire")
    expect(page.locator("main")).to_contain_text("cp1252")
    expect(page.locator("main")).to_contain_text("Crédit Éphémère")
    assert not Prospect.objects.exists()
    house.run_import(page)

    assert ImportJob.objects.count() == 1
    counts = {
        "lignes lues": 7,
        "fiches créées": 4,
        "doublons": 1,
        "rejetées": 2,
        "hors-critères sur papier": 1,
    }
    for label, count in counts.items():
        expect(figure(page, label)).to_have_text(str(count))
    expect(page.locator("main")).to_contain_text("Numéro court ou d'urgence")
    with page.expect_download() as download:
        page.get_by_role("link", name="Télécharger les rejets").click()
    assert "Banque du Port;112;Sète" in download.value.path().read_text("utf-8-sig")
    page.get_by_role("link", name="Voir la campagne").click()
    assert Prospect.objects.filter(organisation="Caisse d'Œuvre", city="Nîmes").exists()


def mismatch_a_bank(page: Page) -> Call:
    """By keyboard from the desk to the closing."""
    take_the_demo_phone(page)
    call = take_the_next(page)
    assert call.number == NUMBER
    expect(page.locator(".what .say").first).to_contain_text("les services bancaires")
    reach_criteria(page)
    mismatch(page)
    expect(page.get_by_text("Hors-critères : boulangerie, attendu : une banque.")).to_be_visible()
    return call


def nothing_leads_out_of_the_closing(page: Page, call: Call, user: User) -> None:
    """No button, no crafted request of the page, none of the API."""
    expect(page.get_by_role("button", name="Raccrocher")).to_have_count(0)
    before, campaign, path = everything(), str(call.campaign_id), f"/calls/{call.pk}/"
    open_call, closing = OpenCallExists.default_message, ClosingRequired.default_message
    impossible = InvalidTransition.default_message
    refused = [
        (craft(page, f"{path}release/", reason="pressé"), closing),
        (craft(page, f"{path}completion/"), closing),
        (craft(page, f"{path}events/", event="hung_up", by="agent", evidence="declared"), closing),
        (craft(page, f"{path}disposition/", code="not_interested"), closing),
        (craft(page, f"{path}criteria/", criterion=str(Criterion.objects.get().pk), result="match"), closing),
        (craft(page, f"{path}closing/", step="goodbye"), "La phrase suivante de la clôture est"),
        (craft(page, f"{path}events/", event="not_reached", cause="busy"), impossible),
        (craft(page, f"{path}dial/"), impossible),
        (craft(page, "/desk/next-call/", campaign=campaign), open_call),
        (craft(page, "/desk/manual-call/", campaign=campaign, number="0261914402"), open_call),
        (craft(page, "/desk/pause/", reason="café"), open_call),
        (craft(page, "/logout/"), open_call),
    ]
    for answer, sentence in refused:
        assert answer.status == 409, (answer.url, answer.status)
        assert says(answer, sentence), answer.url
    api = Api(user)
    problem_of(api.post(f"calls/{call.pk}/release/", {"reason": "pressé"}), "closing-required", 409)
    problem_of(api.post(f"calls/{call.pk}/finish/"), "closing-required", 409)
    problem_of(api.post(f"calls/{call.pk}/disposition/", {"code": "refusal"}), "closing-required", 409)
    problem_of(
        api.post(f"calls/{call.pk}/events/", {"event": "hung_up", "by": "agent"}), "closing-required", 409
    )
    problem_of(api.post(f"calls/{call.pk}/dial/"), "invalid-transition", 409)
    problem_of(api.post(f"campaigns/{campaign}/next-call/"), "open-call", 409)
    assert everything() == before
    page.reload()
    expect_state(page, "closing")


def release(page: Page) -> None:
    """Give the fiche on the screen back, and stay at the desk."""
    page.keyboard.press("r")
    page.get_by_label("Pourquoi ?").fill("pour plus tard")
    page.get_by_role("button", name="Rendre", exact=True).click()
    expect_state(page, "desk")


def expect_barred(house: House, page: Page, campaign: Campaign, name: str) -> None:
    """The list shows every fiche of that name as excluded, and why."""
    page.goto(f"{house.url}/campaigns/{campaign.slug}/entries/?q={name}")
    rows = page.locator("table.data tbody tr")
    expect(rows.first).to_be_visible()
    for row in rows.all():
        expect(row).to_contain_text("Exclu")
        expect(row).to_contain_text("Hors-critères")


def same_list_again(house: House, page: Page, campaign: Campaign) -> None:
    house.import_list(page, campaign, BANKS, "Annuaire")
    expect(figure(page, "fiches créées")).to_have_text("0")
    expect(page.locator("main")).to_contain_text("Hors-critères")
    expect_barred(house, page, campaign, "Crédit Éphémère")


def another_list_with_the_number(house: House, page: Page, campaign: Campaign) -> None:
    house.fill(page, "/sources/new/", name="Autre fichier")
    house.import_list(page, campaign, SAME_NUMBER, "Autre fichier")
    expect(figure(page, "fiches créées")).to_have_text("1")
    expect_barred(house, page, campaign, "Crédit Éphémère Orléans")


def dialled_by_hand(page: Page, user: User, campaign: Campaign, *spellings: str) -> None:
    """By number, as spelled, on the page; by number and by prospect through the API."""
    for spelling in spellings:
        page.get_by_label("Numéro").fill(spelling)
        page.get_by_role("button", name="Préparer l'appel").click()
        expect(page.locator(".what [role=alert] .notice")).to_contain_text("hors-critères", ignore_case=True)
        expect_state(page, "desk")
    api = Api(user)
    body = problem_of(
        api.post("calls/dial/", {"campaign": campaign.pk, "number": SPELLINGS[1]}), "excluded", 409
    )
    assert "hors-critères" in body["detail"].lower()
    for prospect in Prospect.objects.with_number(NUMBER):
        answer = api.post("calls/dial/", {"campaign": campaign.pk, "prospect": prospect.pk})
        problem_of(answer, "excluded", 409)


def entered_through_the_api(house: House, user: User, campaign: Campaign) -> None:
    manager = Api(User.objects.get(username="marion"))
    made = manager.post(
        "prospects/",
        {
            "source": Source.objects.get(name="Annuaire").pk,
            "external_id": "api-1",
            "organisation": "Encore elle",
            "phones": [{"number": SPELLINGS[0]}],
        },
    )
    assert made.status_code == 201, made.content
    ids = list(Prospect.objects.with_number(NUMBER).values_list("pk", flat=True))
    assert made.json()["id"] in ids

    added = manager.post(f"campaigns/{campaign.pk}/entries/", {"prospects": ids}).json()
    assert (added["added"], added["excluded"]) == (0, 1), added
    verdict = manager.get(f"contactability/?campaign={campaign.pk}&prospect={made.json()['id']}").json()
    assert (verdict["allowed"], verdict["gate"]) == (False, "exclusion")
    agent = Api(user)
    claimed = agent.post(f"campaigns/{campaign.pk}/next-call/")
    assert claimed.json()["number"] != NUMBER
    agent.post(f"calls/{claimed.json()['id']}/release/", {"reason": "pour plus tard"})
    other = [entry for entry in ListEntry.objects.exclude(state=EntryState.READY) if entry.prospect_id in ids]
    assert {entry.state for entry in other} == {EntryState.EXCLUDED}


def inserted_by_sql(user: User, campaign: Campaign) -> None:
    for prospect in (None, *Prospect.objects.with_number(NUMBER)):
        with pytest.raises(IntegrityError) as refusal, transaction.atomic():
            execute(
                "INSERT INTO calls_call (campaign_id, prospect_id, number, agent_id, state, mode, started_at,"
                " lease_until) VALUES (%s, %s, %s, %s, 'claimed', 'manual', now(), now())",
                campaign.pk,
                prospect and prospect.pk,
                NUMBER,
                user.pk,
            )
        assert refusal.value.__cause__.diag.constraint_name == "call_not_excluded"  # type: ignore[union-attr]


def erased_and_made_again(house: House, page: Page, campaign: Campaign) -> None:
    """The person is erased by the page and delivered again by the same list: a new fiche, and barred."""
    erased = Prospect.objects.get(external_id="B1")
    page.goto(f"{house.url}/prospects/{erased.pk}/erasure/")
    page.get_by_label("Motif").fill("la personne l'a demandé")
    page.get_by_label("Je confirme").check()
    submit(page, "Effacer la personne")
    expect(page.locator("main")).to_contain_text("Effacée")

    house.import_list(page, campaign, BANKS, "Annuaire")

    again = Prospect.objects.filter(external_id="B1")
    assert again.exclude(pk=erased.pk).count() == 1
    expect_barred(house, page, campaign, "Crédit Éphémère")


def listed_for(house: House, page: Page, sponsor: str, programme: str) -> Campaign:
    """Set up another programme by the pages, with a running campaign that lists the prospect."""
    if not Sponsor.objects.filter(name=sponsor).exists():
        house.fill(page, "/sponsors/new/", name=sponsor)
    pk = str(Sponsor.objects.get(name=sponsor).pk)
    house.fill(page, "/programmes/new/", sponsor=pk, name=programme, subject="le pain")
    pk = str(Programme.objects.get(name=programme).pk)
    house.fill(page, "/campaigns/new/", programme=pk, name=programme, calling_rule="none")
    campaign = Campaign.objects.get(name=programme)
    page.goto(f"{house.url}/prospects/{Prospect.objects.get(external_id='B1').pk}/")
    page.locator("main [name=campaign]").select_option(label=programme)
    submit(page, "Mettre dans la liste")
    expect(page.locator("main")).to_contain_text("La fiche est dans la liste de")
    start(house, page, campaign)
    expect(page.locator(".page-head .state--running")).to_be_visible()
    return campaign


def claim_in(house: House, page: Page, campaign: Campaign) -> Call:
    """Dial the number by hand at the desk of a campaign; the fiche is shown."""
    page.goto(f"{house.url}/desk/?campaign={campaign.pk}")
    page.get_by_label("Numéro").fill(SPELLINGS[0])
    page.get_by_role("button", name="Préparer l'appel").click()
    expect_state(page, "claimed")
    call = shown_call(page)
    assert (call.number, call.campaign_id) == (NUMBER, campaign.pk)
    return call


def called_for_another_programme(house: House, manager: Page, agent: Page) -> None:
    """Allowed, and the agent apologises for the earlier disturbance."""
    campaign = listed_for(house, manager, "Institut des Études", "Boulangers")
    claim_in(house, agent, campaign)
    expect(agent.locator(".what .say").first).to_contain_text("toutes mes excuses")
    expect(agent.locator(".screen")).to_contain_text("Banques : boulangerie")
    release(agent)


def called_for_another_sponsor(house: House, manager: Page, agent: Page) -> None:
    """Allowed, and nothing of the first sponsor's calls is shown."""
    campaign = listed_for(house, manager, "Moulins réunis", "Farines")
    claim_in(house, agent, campaign)
    for secret in ("excuses", "boulangerie", "Hors-critères", "Banques :", "Institut"):
        expect(agent.locator(".screen")).not_to_contain_text(secret, ignore_case=True)
    release(agent)
