"""The three screens of an import: the file, what it will do, its progress and report."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from campaigns.enums import ImportPhase, ImportState
from campaigns.forms.imports import MappingForm
from campaigns.models import Campaign, ImportChunk, ImportJob, ListEntry, MappingTemplate
from campaigns.selectors.import_progress import progress
from campaigns.selectors.import_quality import share
from campaigns.selectors.import_report import bars_of
from campaigns.services.import_work import work_on
from campaigns.services.imports import run_import
from campaigns.services.mappings import save_template
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
from tests.workbook_files import sheet_xml, table, xlsx

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


def test_a_large_file_is_given_the_time_that_its_longest_step_takes() -> None:
    client, _user = signed_in()
    job = uploaded(client, banks())
    client.post(address(job), {"do": "start"})
    job.refresh_from_db()
    later = timezone.now() + timedelta(seconds=60)

    small = progress(job, later)
    job.total_rows = 2_000_000
    large = progress(job, later)

    assert small.silent
    assert not large.silent


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


# ---- what a person chooses on the second screen


def chosen(job: ImportJob, **changed: str) -> dict[str, str]:
    """The form of the second screen as it stands, with some changes."""
    job.refresh_from_db()
    form = MappingForm(columns=job.preview["columns"], region=job.region, options=job.options)
    return {**{field.name: str(field.value() or "") for field in form}, **changed}


def uploaded(
    client: Client, campaign: Campaign, content: bytes = LIST.encode("cp1252"), **data: Any
) -> ImportJob:
    """An import that the first screen took, at its preview."""
    url = sent_file(client, campaign, content, **data)["Location"]
    return ImportJob.objects.get(pk=int(url.rstrip("/").rpartition("/")[2]))


def address(job: ImportJob, name: str = "import") -> str:
    return reverse(name, args=[job.pk])


def test_options_are_asked_in_plain_words_and_the_rows_counted_again() -> None:
    client, _user = signed_in()
    job = uploaded(client, banks())

    fresh = text_of(client.get(address(job)))
    page = client.post(address(job), chosen(job, do="map", mode="update", repeated="reject"), follow=True)

    job.refresh_from_db()
    assert "Lignes qui désignent la même fiche" in fresh
    assert (job.options["mode"], job.options["repeated"], job.options["blank"]) == (
        "update",
        "reject",
        "keep",
    )
    assert "0 fiches créées" in text_of(page)
    assert "La fiche n'est pas connue, et l'import ne fait que mettre à jour." in text_of(page)


def test_an_option_that_does_not_exist_is_refused_and_nothing_changes() -> None:
    client, _user = signed_in()
    job = uploaded(client, banks())

    response = client.post(address(job), chosen(job, do="map", mode="destroy"))

    job.refresh_from_db()
    assert response.status_code == 422
    assert "Certains choix sont à corriger." in text_of(response)
    assert job.options["mode"] == "both"


def test_a_column_says_how_sure_it_is_and_why() -> None:
    client, _user = signed_in()
    campaign = banks()
    job = uploaded(client, campaign)
    client.post(address(job), chosen(job, do="map", **{"column-2": "ignore"}))

    page = text_of(client.get(address(job)))
    client.post(address(job), {"do": "start"})
    run_import(job_id=job.pk, at=timezone.now())
    again = uploaded(client, campaign, source=job.source_id, source_name="")
    remembered = text_of(client.get(address(again)))

    assert "sûr 100 % d'après l'en-tête" in page
    assert "choisi choisi ici" in page
    assert "comme dans sa dernière liste" in remembered
    assert again.mapping["Ville"] == "ignore"


def test_another_sheet_is_read_and_one_that_is_gone_is_refused() -> None:
    client, _user = signed_in()
    book = {
        "Clients": table(["Nom", "Tel"], ["A", "0199007701"]),
        "Salon": table(["Nom", "Tel"], ["Z", "112"]),
    }
    job = uploaded(client, banks(), xlsx({name: sheet_xml(cells) for name, cells in book.items()}))

    first = text_of(client.get(address(job)))
    second = text_of(client.post(address(job), {"do": "sheet", "sheet": "Salon"}, follow=True))
    gone = text_of(client.post(address(job), {"do": "sheet", "sheet": "Foire"}, follow=True))

    job.refresh_from_db()
    assert "Feuille Clients" in first
    assert "1 fiches créées" in first
    assert "Feuille Salon" in second
    assert "Toutes les lignes sont rejetées" in second
    assert "Le classeur n'a pas de feuille « Foire »" in gone
    assert job.sheet == "Salon"


def test_choices_are_kept_as_a_template_offered_applied_and_removed() -> None:
    client, _user = signed_in()
    campaign = banks()
    job = uploaded(client, campaign)

    kept = client.post(
        address(job),
        chosen(job, do="save", save_as="Annuaire", blank="clear", **{"column-2": "ignore"}),
        follow=True,
    )
    other = uploaded(client, campaign, source_name="Autre fournisseur")
    offered = text_of(client.get(address(other)))
    template = MappingTemplate.objects.get()
    client.post(address(other), {"do": "template", "template": template.pk})
    applied = text_of(client.get(address(other)))
    other.refresh_from_db()
    job.refresh_from_db()
    forgotten = client.post(address(other), {"do": "forget", "template": template.pk}, follow=True)
    twice = client.post(address(other), {"do": "forget", "template": template.pk}, follow=True)

    assert "Le modèle « Annuaire » est enregistré." in text_of(kept)
    assert (job.mapping["Ville"], job.options["blank"]) == ("ignore", "clear")
    assert "Le modèle « Annuaire » va à ce fichier" in offered
    assert (other.mapping["Ville"], other.options["blank"]) == ("ignore", "clear")
    assert "d'après le modèle" in applied
    assert "Le modèle « Annuaire » est supprimé." in text_of(forgotten)
    assert "Choisissez un modèle de la liste." in text_of(twice)
    assert not MappingTemplate.objects.exists()


def test_a_template_of_another_principal_is_not_to_be_had() -> None:
    client, user = signed_in()
    job = uploaded(client, banks())
    theirs = save_template(
        sponsor=make_sponsor(), name="Secret", mapping={"Ville": "ignore"}, by=user, at=timezone.now()
    )

    page = client.post(address(job), {"do": "template", "template": theirs.pk}, follow=True)

    job.refresh_from_db()
    assert "Choisissez un modèle de la liste." in text_of(page)
    assert "Secret" not in text_of(page)
    assert job.mapping["Ville"] == "city"


def test_a_template_needs_a_name() -> None:
    client, _user = signed_in()
    job = uploaded(client, banks())

    page = client.post(address(job), chosen(job, do="save", save_as="  "), follow=True)

    assert "Donnez au modèle un nom de 120 caractères au plus." in text_of(page)
    assert not MappingTemplate.objects.exists()


# ---- while it runs


def test_a_preview_that_is_done_leaves_the_page_as_a_reload_would_and_is_no_longer_asked_for() -> None:
    client, _user = signed_in()
    campaign = banks()
    job = uploaded(client, campaign)
    ImportJob.objects.filter(pk=job.pk).update(preview={"columns": job.preview["columns"]})

    waiting = client.get(address(job, "import-progress"))
    ImportJob.objects.filter(pk=job.pk).update(preview=job.preview)
    fragment = client.get(address(job, "import-progress"))
    page = client.get(address(job)).content.decode()

    assert waiting.status_code == 200
    assert "Lecture du fichier…" in text_of(waiting)
    assert fragment.status_code == 286
    assert "HX-Refresh" not in fragment
    words = [piece for piece in re.split(r"<[^>]+>", fragment.content.decode()) if piece.strip()]
    assert "fiches créées" in words
    assert all(piece in page for piece in words)


def test_a_run_says_its_phase_its_rows_its_pace_and_what_remains() -> None:
    client, _user = signed_in()
    job = uploaded(client, banks())
    client.post(address(job), {"do": "start"})
    began = timezone.now() - timedelta(seconds=10)
    ImportJob.objects.filter(pk=job.pk).update(phase=ImportPhase.MERGE, phase_at=began, total_rows=3_000)
    chunk = job.chunks.get()
    ImportChunk.objects.filter(pk=chunk.pk).update(phase=ImportPhase.MERGE, rows=2_000)
    ImportChunk.objects.create(
        job=job,
        index=1,
        line=90,
        last_line=99,
        offset=1,
        rows=1_000,
        phase=ImportPhase.DONE,
        done_at=timezone.now(),
    )

    page = text_of(client.get(address(job)))

    assert "Écriture 1 000 lignes sur 3 000" in page
    assert "100 lignes par seconde" in page or "99 lignes par seconde" in page
    assert "encore 20 secondes environ" in page
    assert "60 %" in page


def test_an_import_that_waits_for_its_turn_says_so_and_is_not_called_silent() -> None:
    client, _user = signed_in()
    campaign = banks()
    first, second = uploaded(client, campaign), uploaded(client, campaign, source_name="Autre")
    for job in (first, second):
        client.post(address(job), {"do": "start"})
    long_ago = timezone.now() - timedelta(hours=1)
    ImportJob.objects.update(created_at=long_ago, started_at=long_ago, phase_at=long_ago)
    ImportChunk.objects.update(done_at=long_ago)

    page = text_of(client.get(address(second)))
    run_import(job_id=first.pk, at=timezone.now())
    later = text_of(client.get(address(second)))

    assert "Cet import attend son tour" in page
    assert "signe de vie" not in page
    assert "attend son tour" not in later


def test_a_stopped_import_says_what_stays_and_is_stopped_once() -> None:
    client, _user = signed_in()
    job = uploaded(client, banks())
    client.post(address(job), {"do": "start"})
    running = text_of(client.get(address(job)))
    while not ImportChunk.objects.filter(job=job, counts__isnull=False).exists():
        work_on(job_id=job.pk, at=timezone.now(), seconds=0)

    first = text_of(client.post(address(job), {"do": "cancel"}, follow=True))
    second = text_of(client.post(address(job), {"do": "cancel"}, follow=True))

    assert "Les fiches déjà écrites restent" in running
    assert "L'import a été arrêté. Ce qui suit était déjà écrit, et reste." in first
    assert "2 fiches créées" in first
    assert "Défaire cet import" in first
    assert "Cet import n'est pas dans un état qui le permet." in second


def test_a_file_that_was_given_up_wrote_nothing_and_has_nothing_to_undo() -> None:
    client, _user = signed_in()
    job = uploaded(client, banks())

    page = text_of(client.post(address(job), {"do": "cancel"}, follow=True))

    assert "rien n'en a été écrit" in page
    assert "Défaire cet import" not in page


@pytest.mark.parametrize("do", ["map", "save", "sheet"])
def test_back_after_the_start_changes_nothing_more(do: str) -> None:
    client, _user = signed_in()
    job = uploaded(client, banks())
    body = chosen(job, do=do, save_as="Annuaire", **{"column-2": "ignore"})
    client.post(address(job), {"do": "start"})

    page = text_of(client.post(address(job), body, follow=True))

    job.refresh_from_db()
    assert "Cet import n'est pas dans un état qui le permet." in page
    assert job.mapping["Ville"] == "city"
    assert not MappingTemplate.objects.exists()


def test_an_import_of_another_principal_is_not_found() -> None:
    manager, _manager = signed_in()
    job = uploaded(manager, banks())
    stranger, user = signed_in()
    user.sponsors.add(make_sponsor())

    answers = [stranger.get(address(job, name)) for name in ("import", "import-progress", "import-rejects")]
    answers += [stranger.post(address(job), {"do": do}) for do in ("start", "cancel", "template", "sheet")]
    answers += [
        stranger.post(address(job, "import-undo")),
        stranger.get(reverse("source-imports", args=[job.source_id])),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert reverse("import", args=[job.pk]) not in stranger.get(reverse("source-quality")).content.decode()


# ---- after


def test_repeated_rows_are_a_file_of_their_own() -> None:
    client, _user = signed_in()
    job = uploaded(client, banks())

    page = text_of(client.get(address(job)))
    response = client.get(address(job, "import-rejects"), {"duplicates": "1"})
    duplicates = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]

    assert "Télécharger les doublons (CSV)" in page
    assert "doublons-import" in response["Content-Disposition"]
    assert duplicates.splitlines()[1:] == [
        "Crédit Éphémère;01.99.00.77.01;Rennes;64.19Z;R1;6;"
        "Doublon\N{NO-BREAK SPACE}: la même fiche est déjà là, cette ligne n'y a rien ajouté. (ligne 2)"
    ]


def test_each_reason_of_a_reject_shows_its_first_rows() -> None:
    client, _user = signed_in()
    content = "Nom;Tel\n" + "A;\n" * 30 + "B;112\n" + "".join(f"C;01990077{turn}\n" for turn in range(10, 60))

    page = text_of(client.get(address(uploaded(client, banks(), content.encode()))))

    assert "30 Aucun numéro de téléphone dans la ligne. ligne 2 ligne 3 ligne 4 1 Numéro court" in page
    assert "ligne 32 Tel 112" in page


def test_what_is_odd_in_a_file_is_said_before_anything_else() -> None:
    client, _user = signed_in()
    lines = "Nom;Tel\n" + "".join(f"Crédit {turn};0199007701\n" for turn in range(30))
    mixed = lines.encode() + "Société Éphémère;0199007702\n".encode("cp1252")

    page = text_of(client.get(address(uploaded(client, banks(), mixed))))

    assert "Des lignes ne sont pas dans l'encodage du fichier" in page
    assert "1 dans un autre encodage que le fichier" in page
    assert "30 +33199007701" in page


def test_the_quality_of_each_suppliers_lists_is_told_and_added_up(django_assert_max_num_queries: Any) -> None:
    client, _user = signed_in()
    campaign = banks()
    dirty = uploaded(client, campaign)
    clean = uploaded(
        client, campaign, b"Nom;Tel\nX;0261917755\nY;0639981234\n", source=dirty.source_id, source_name=""
    )
    uploaded(client, campaign, source=dirty.source_id, source_name="")
    for job in (dirty, clean):
        client.post(address(job), {"do": "start"})
        run_import(job_id=job.pk, at=timezone.now())

    with django_assert_max_num_queries(8):
        page = text_of(client.get(reverse("source-imports", args=[dirty.source_id])))
    with django_assert_max_num_queries(8):
        every = text_of(client.get(reverse("source-quality")))

    assert "2 imports" in page
    assert "En tout 7 57 % 14 % 14 % 29 % 29 % 0 %" in page
    assert "Plus d'une ligne sur cinq est rejetée ou en double" in page
    assert "Annuaire plus d'une ligne sur cinq perdue 2 7" in every


def test_a_supplier_who_delivered_nothing_yet_has_no_figures() -> None:
    client, _user = signed_in()
    source = make_source()

    page = text_of(client.get(reverse("source-imports", args=[source.pk])))

    assert "Aucun import terminé" in page
    assert "Aucun import terminé" in text_of(client.get(reverse("source-quality")))


@given(st.lists(st.integers(0, 10**7), min_size=5, max_size=5))
def test_the_bars_of_the_outcomes_lie_within_the_whole_and_none_that_counts_is_invisible(
    counts: list[int],
) -> None:
    names = ("created", "updated", "unchanged", "duplicates", "rejected")
    found = bars_of({"rows": sum(counts), **dict(zip(names, counts, strict=True))})

    assert [bar.count for bar in found] == counts
    for bar in found:
        assert 0 <= bar.start <= bar.start + bar.width <= 1000
        assert (bar.width > 0) == (bar.count > 0)


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(0, 0, "0"), (0, 9, "0"), (1, 1000, "<1"), (1, 3, "33"), (999, 1000, ">99"), (9, 9, "100")],
)
def test_a_share_is_never_rounded_to_nothing_or_to_everything(part: int, whole: int, words: str) -> None:
    assert share(part, whole) == words
