"""The three screens of an import: the file, what it will do, its progress and report."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.enums import ImportState
from campaigns.models import Campaign, ImportChunk, ImportJob, ListEntry
from campaigns.services.imports import run_import
from crm.models import Prospect, Source
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_exclusion,
    make_programme,
    make_source,
    make_sponsor,
)
from tests.paging import signed_in, text_of

pytestmark = pytest.mark.django_db

LIST = """Raison sociale;Téléphone;Ville;Code NAF;Réf
Crédit Éphémère;01 99 00 77 01;Rennes;64.19Z;R1
Boulangerie d'Or;02 61 91 77 02 poste 12;Brest;10.71C;R2
Banque du Port;112;Nantes;64.19Z;R3
Sans numéro;;Nantes;64.19Z;R4
Crédit Éphémère;01.99.00.77.01;Rennes;64.19Z;R1
"""


def banks() -> Campaign:
    programme = make_programme()
    make_criterion(programme)
    return make_campaign(programme)


def sent_file(client: Client, campaign: Campaign, content: bytes = LIST.encode("cp1252"), **data: Any) -> Any:
    """Send a file as the first screen does."""
    file = SimpleUploadedFile("liste.csv", content, content_type="text/csv")
    fields = {"file": file, "source_name": "Annuaire", "region": "FR", **data}
    return client.post(reverse("import-new", args=[campaign.slug]), fields)


def test_the_second_screen_tells_apart_what_the_file_excludes_and_what_was_excluded_before() -> None:
    client, _user = signed_in()
    campaign = banks()
    make_exclusion(sponsor=campaign.programme.sponsor, number="+33199007701")
    content = "Tel;Ne pas appeler\n01 99 00 77 01;\n01 99 00 77 02;oui\n01 99 00 77 03;oui\n"

    response = sent_file(client, campaign, content.encode())
    page = text_of(client.get(response["Location"]))

    assert "1 déjà exclues ici" in page
    assert "2 exclues par le fichier" in page


def test_the_second_screen_shows_what_the_import_will_do_and_writes_nothing() -> None:
    client, _user = signed_in()

    response = sent_file(client, banks())
    page = text_of(client.get(response["Location"]))

    assert "Encodage cp1252" in page
    assert "Séparateur point-virgule" in page
    for words in (
        "5 lignes lues",
        "2 fiches créées",
        "1 doublons dans le fichier",
        "2 rejetées",
        "1 hors-critères sur papier",
        "Numéro court ou d'urgence",
        "Crédit Éphémère",
        "02 61 91 77 02 poste 12 → +33261917702",
    ):
        assert words in page
    assert not Prospect.objects.exists()
    assert Source.objects.get().sponsor == Campaign.objects.get().programme.sponsor


def test_a_guess_is_corrected_and_the_consequences_are_counted_again() -> None:
    client, _user = signed_in()
    url = sent_file(client, banks())["Location"]
    job = ImportJob.objects.get()
    chosen = {f"column-{index}": "ignore" for index in range(5)}

    response = client.post(url, {"do": "map", "region": "FR", **chosen, "column-1": "phone"}, follow=True)

    job.refresh_from_db()
    assert job.mapping["Raison sociale"] == "ignore"
    assert "0 hors-critères sur papier" in text_of(response)


def test_a_column_cannot_fill_a_field_that_does_not_exist() -> None:
    client, _user = signed_in()
    url = sent_file(client, banks())["Location"]

    response = client.post(url, {"do": "map", "region": "FR", "column-0": "password"})

    assert response.status_code == 422
    assert ImportJob.objects.get().mapping["Raison sociale"] == "organisation"


def test_the_import_is_started_once_polled_and_reported_with_its_rejects() -> None:
    client, _user = signed_in()
    url = sent_file(client, banks())["Location"]
    job = ImportJob.objects.get()
    progress = reverse("import-progress", args=[job.pk])

    for _attempt in range(2):
        client.post(url, {"do": "start"})
    polled = client.get(progress)
    run_import(job_id=job.pk, at=NOW)
    finished = client.get(progress)
    page = text_of(client.get(url))
    rejects = b"".join(client.get(reverse("import-rejects", args=[job.pk])).streaming_content).decode()  # type: ignore[attr-defined]

    assert "Import en cours" in text_of(polled)
    assert "HX-Refresh" not in polled
    assert finished["HX-Refresh"] == "true"
    assert "2 fiches créées" in page
    assert "Télécharger les rejets" in page
    assert "Banque du Port;112;Nantes;64.19Z;R3;4;" in rejects
    assert ListEntry.objects.count() == 2


def test_a_page_whose_worker_is_silent_says_so() -> None:
    client, _user = signed_in()
    url = sent_file(client, banks())["Location"]
    client.post(url, {"do": "start"})
    long_ago = timezone.now() - timedelta(minutes=1)
    ImportJob.objects.update(created_at=long_ago, started_at=long_ago, phase_at=long_ago)
    ImportChunk.objects.update(done_at=long_ago)

    assert "Le service de fond ne donne pas signe de vie." in text_of(client.get(url))


def test_an_import_is_undone_while_nothing_of_it_was_called() -> None:
    client, _user = signed_in()
    url = sent_file(client, banks())["Location"]
    job = ImportJob.objects.get()
    client.post(url, {"do": "start"})
    run_import(job_id=job.pk, at=NOW)
    undo = reverse("import-undo", args=[job.pk])

    first = client.post(undo, follow=True)
    second = client.post(undo, follow=True)

    job.refresh_from_db()
    assert job.state == ImportState.UNDONE
    assert not ListEntry.objects.exists()
    assert "L'import est défait." in text_of(first)
    assert "Seul un import terminé peut être défait." in text_of(second)


def test_the_same_list_again_brings_nothing_new_and_says_so() -> None:
    client, _user = signed_in()
    campaign = banks()
    url = sent_file(client, campaign)["Location"]
    client.post(url, {"do": "start"})
    run_import(job_id=ImportJob.objects.get().pk, at=NOW)

    again = sent_file(client, campaign, source=Source.objects.get().pk, source_name="")

    assert "c'est sans doute un fichier déjà importé" in text_of(client.get(again["Location"]))


def test_a_file_of_which_nothing_can_be_used_says_so() -> None:
    client, _user = signed_in()
    content = b"Nom;Tel\nA;112\nB;\n"

    page = text_of(client.get(sent_file(client, banks(), content)["Location"]))

    assert "Toutes les lignes sont rejetées" in page
    assert "déjà importé" not in page


def test_every_repair_is_told_in_words() -> None:
    client, _user = signed_in()
    content = f"SIRET;Nom;Tel;Ville\n2,601E+13;A;0199007701;{'x' * 300}\n".encode()

    page = text_of(client.get(sent_file(client, banks(), content)["Location"]))

    assert "identifiant abîmé par le tableur" in page
    assert "valeur trop longue, raccourcie" in page


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Ce fichier est vide."),
        (b"\n\n", "Le fichier est vide"),
        (b"Nom;Telephone\n", "qu'une ligne d'en-têtes"),
        (b"PK\x03\x04xl/workbook.xml" + b"\x00" * 100, "classeur"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "pas du texte"),
        (b"<!doctype html><html><body>x</body></html>", "page web"),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_plain_words_and_nothing_is_kept(
    content: bytes, message: str
) -> None:
    client, _user = signed_in()

    response = sent_file(client, banks(), content)

    assert response.status_code == 422
    assert message in text_of(response)
    assert not ImportJob.objects.exists()
    assert not Source.objects.exists()


def test_a_file_comes_from_one_supplier_of_the_same_sponsor() -> None:
    client, _user = signed_in()
    campaign = banks()
    foreign = make_source(make_sponsor())

    nobody = sent_file(client, campaign, source_name="")
    another = sent_file(client, campaign, source=foreign.pk, source_name="")

    assert "Choisissez le fournisseur, ou nommez-en un nouveau." in text_of(nobody)
    assert another.status_code == 422
    assert not ImportJob.objects.exists()
