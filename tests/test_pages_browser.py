"""The desks of managers and supervisors in a browser: live counts, an import up to its report, pages for everybody."""

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.models import Campaign, ImportJob
from campaigns.services.imports import run_import
from crm.enums import Role
from tests.factories import (
    make_campaign,
    make_criterion,
    make_entry,
    make_exclusion,
    make_programme,
    make_prospect,
    make_user,
)
from tests.paging import come_to_rest
from tests.talking import Talk

pytestmark = pytest.mark.django_db(transaction=True)

LIST = """Raison sociale;Téléphone;Ville;Code NAF
Crédit Éphémère;01 99 00 77 01;Rennes;64.19Z
Boulangerie d'Or;02 61 91 77 02;Brest;10.71C
Banque du Port;112;Nantes;64.19Z
"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture
def manager(page: Page, browser_context: BrowserContext, live_server: LiveServer) -> Page:
    """A page in which a manager is signed in."""
    client = Client()
    client.force_login(make_user(Role.MANAGER))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    browser_context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
    )
    page.goto(live_server.url + reverse("campaign-list"))
    return page


@pytest.fixture
def campaign() -> Campaign:
    programme = make_programme()
    make_criterion(programme)
    campaign = make_campaign(programme)
    for sector in ("64.19Z", "64.20Z", "10.71C", ""):
        make_entry(campaign, make_prospect(sector=sector))
    return campaign


def test_counts_follow_what_is_typed_before_anything_is_saved(
    manager: Page, live_server: LiveServer, campaign: Campaign
) -> None:
    manager.goto(live_server.url + reverse("criterion-new", args=[campaign.programme_id]))
    counts = manager.locator("#criterion-counts")

    manager.get_by_label("Champ de la fiche").select_option("sector")
    manager.get_by_label("Comparaison").select_option("starts_with")
    manager.get_by_label("Valeur").fill("64.19")

    expect(counts).to_contain_text(re.compile(r"1\s*fiche remplit ce critère"))
    expect(counts).to_contain_text(re.compile(r"2\s*fiches le contredisent"))
    expect(counts).to_contain_text(re.compile(r"1\s*fiche inconnue\s: à demander"))
    assert campaign.programme.criteria.count() == 1


def test_a_sentence_is_heard_while_it_is_typed(
    manager: Page, live_server: LiveServer, campaign: Campaign
) -> None:
    manager.goto(live_server.url + reverse("words", args=[campaign.slug]))

    manager.locator("#mismatch-thank-text").fill("Merci, {nobody}.")
    expect(manager.locator("#mismatch-thank-said")).to_contain_text("Repère inconnu : {nobody}.")
    manager.locator("#mismatch-thank-text").fill("Merci pour {subject}.")
    expect(manager.locator("#mismatch-thank-said .say")).to_have_text(
        "Merci pour une enquête sur les services bancaires."
    )


def test_a_list_goes_from_its_file_to_its_report(
    manager: Page, live_server: LiveServer, campaign: Campaign, tmp_path: Path
) -> None:
    file = tmp_path / "liste.csv"
    file.write_bytes(LIST.encode("cp1252"))
    manager.goto(live_server.url + reverse("import-new", args=[campaign.slug]))
    manager.get_by_label("Fichier CSV").set_input_files(file)
    manager.get_by_label("Nom du nouveau fournisseur").fill("Annuaire")
    manager.get_by_role("button", name="Voir ce qu'il contient").click()

    expect(manager.locator("#import-body")).to_contain_text(re.compile(r"2\s*fiches créées"))
    expect(manager.get_by_role("row", name="Code NAF")).to_contain_text("64.19Z")
    manager.get_by_label("Ville").select_option("ignore")
    manager.get_by_role("button", name="Appliquer et recompter").click()
    expect(manager.get_by_label("Ville")).to_have_value("ignore")
    manager.get_by_role("button", name="Importer", exact=True).click()
    expect(manager.locator("#import-body")).to_contain_text("Import en cours")

    run_import(job_id=ImportJob.objects.get().pk, at=timezone.now(), take_over=True)

    expect(manager.get_by_role("link", name="Télécharger les rejets (CSV)")).to_be_visible()
    manager.get_by_role("link", name="Voir la liste", exact=True).click()
    expect(manager.get_by_role("table")).to_contain_text("Crédit Éphémère")


def test_every_page_can_be_used_by_everybody_on_every_screen(manager: Page, live_server: LiveServer) -> None:
    talk = Talk().mismatched("une boulangerie").hung_up("agent")
    bar = make_exclusion(programme=talk.programme, number="+33199009999")
    campaign, prospect = talk.campaign, talk.prospect
    pages = [
        *(
            reverse(name)
            for name in ("campaign-list", "campaign-new", "programme-list", "exclusion-list", "inbox")
        ),
        *(
            reverse(name)
            for name in ("prospect-list", "sponsor-list", "source-list", "exclusion-new", "source-new")
        ),
        *(
            reverse(name, args=[campaign.slug])
            for name in ("campaign", "entry-list", "campaign-queue", "words")
        ),
        *(reverse(name, args=[campaign.slug]) for name in ("dispositions", "campaign-edit", "import-new")),
        *(reverse(name, args=[prospect.pk]) for name in ("prospect", "prospect-edit", "prospect-erasure")),
        reverse("programme", args=[talk.programme.pk]),
        reverse("criterion", args=[talk.criterion.pk]),
        reverse("exclusion", args=[bar.pk]),
    ]
    wrong = []

    for address in pages:
        manager.set_viewport_size({"width": 390, "height": 844})
        manager.goto(live_server.url + address)
        if manager.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wrong.append(f"{address} is wider than a telephone")
        manager.set_viewport_size({"width": 1280, "height": 720})
        wrong += violations(manager, address, {"runOnly": RULES})
        manager.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
        wrong += violations(manager, address, {"runOnly": {"type": "rule", "values": ["color-contrast"]}})

    assert wrong == []


def violations(page: Page, address: str, options: dict[str, Any]) -> list[str]:
    """Return what axe finds wrong; its preloading of style sheets writes inline ones, which our policy refuses."""
    come_to_rest(page)
    found = Axe().run(page, options={**options, "preload": False}).response["violations"]
    return [f"{address}: {rule['id']} {rule['nodes'][0]['html'][:120]}" for rule in found]
