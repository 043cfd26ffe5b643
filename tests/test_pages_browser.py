"""The desks of managers and supervisors in a browser: live counts, an import up to its report."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.models import Campaign, ImportJob
from campaigns.services.imports import preview_import, run_import, upload_import
from crm.enums import Role
from crm.models import User
from tests.factories import (
    make_campaign,
    make_criterion,
    make_entry,
    make_programme,
    make_prospect,
    make_source,
    make_user,
)

pytestmark = pytest.mark.django_db(transaction=True)

LIST = """Raison sociale;Téléphone;Ville;Code NAF
Crédit Éphémère;01 99 00 77 01;Rennes;64.19Z
Boulangerie d'Or;02 61 91 77 02;Brest;10.71C
Banque du Port;112;Nantes;64.19Z
"""


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


def test_a_preview_that_arrives_takes_nothing_back_of_what_was_chosen_meanwhile(
    manager: Page, live_server: LiveServer, campaign: Campaign
) -> None:
    user, at = User.objects.get(role=Role.MANAGER), timezone.now()
    job = upload_import(
        campaign=campaign,
        source=make_source(),
        name="liste.csv",
        content=LIST.encode("cp1252"),
        by=user,
        at=at,
    )
    manager.goto(live_server.url + reverse("import", args=[job.pk]))
    expect(manager.get_by_role("heading", name="Lecture du fichier…")).to_be_visible()
    manager.get_by_label("Ville").select_option("ignore")

    preview_import(job=job, by=user, at=at)

    expect(manager.locator("#import-body")).to_contain_text(re.compile(r"2\s*fiches créées"))
    expect(manager.get_by_role("button", name="Importer", exact=True)).to_be_visible()
    expect(manager.get_by_role("button", name="Renoncer à ce fichier")).to_have_count(1)
    expect(manager.locator("#import-details")).to_contain_text("Qualité de la liste")
    expect(manager.get_by_label("Ville")).to_have_value("ignore")
    manager.get_by_role("button", name="Appliquer et recompter").click()
    expect(manager.get_by_label("Ville")).to_have_value("ignore")
    job.refresh_from_db()
    assert job.mapping["Ville"] == "ignore"


def test_a_list_goes_from_its_file_to_its_report(
    manager: Page, live_server: LiveServer, campaign: Campaign, tmp_path: Path
) -> None:
    file = tmp_path / "liste.csv"
    file.write_bytes(LIST.encode("cp1252"))
    manager.goto(live_server.url + reverse("import-new", args=[campaign.slug]))
    manager.get_by_label("Fichier de la liste").set_input_files(file)
    manager.get_by_label("Nom du nouveau fournisseur").fill("Annuaire")
    manager.get_by_role("button", name="Voir ce qu'il contient").click()

    expect(manager.locator("#import-body")).to_contain_text(re.compile(r"2\s*fiches créées"))
    expect(manager.get_by_role("row", name="Code NAF")).to_contain_text("64.19Z")
    manager.get_by_label("Ville").select_option("ignore")
    manager.get_by_role("button", name="Appliquer et recompter").click()
    expect(manager.get_by_label("Ville")).to_have_value("ignore")
    manager.get_by_role("button", name="Importer", exact=True).click()
    expect(manager.locator("#import-body")).to_contain_text("Import en cours")

    run_import(job_id=ImportJob.objects.get().pk, at=timezone.now())

    expect(manager.get_by_role("link", name="Télécharger les rejets (CSV)")).to_be_visible()
    manager.get_by_role("link", name="Voir la liste", exact=True).click()
    expect(manager.get_by_role("table")).to_contain_text("Crédit Éphémère")
