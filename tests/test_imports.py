"""A list goes into a campaign: counted row by row, twice the same, never looser than before, resumable, undoable."""

import contextlib
import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from campaigns.enums import EntryState, ImportState
from campaigns.models import (
    Campaign,
    Exclusion,
    ImportFile,
    ImportJob,
    ImportReject,
    ImportRow,
    ListEntry,
    SuppliedValues,
)
from campaigns.rules.tabular import UnreadableFile
from campaigns.selectors.imports import progress_of, rejects_csv
from campaigns.services import import_work
from campaigns.services.campaigns import CampaignClosed, close_campaign
from campaigns.services.import_undo import ImportAlreadyUsed, undo_import
from campaigns.services.import_work import wake_imports
from campaigns.services.imports import (
    ImportNotReady,
    SourceOfAnotherSponsor,
    preview_import,
    purge_uploads,
    run_import,
    set_import_mapping,
    start_import,
    summary_of,
    upload_import,
)
from crm.enums import Role
from crm.models import Prospect, ProspectEvent, ProspectNumber, Source, User
from crm.services.prospects import edit_prospect, erase_prospect_record
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_exclusion,
    make_programme,
    make_source,
    make_sponsor,
    make_user,
)

pytestmark = pytest.mark.django_db

LIST = """SIRET;Raison sociale;NAF;CP;Ville;Téléphone;Portable;Ne pas appeler;Libellé NAF
1;Banque de l’Été;64.19Z;57000;METZ;01 99 00 12 34;;;Banques
2;Crèche Noël;8891A;57000;METZ;199001235;06 39 98 12 35;non;Accueil
3;Garage Zoé;;57000;METZ;+33 (0)1 99 00 12 36;;;
4;Mutuelle;6419Z;57000;METZ;01 99 00 12 37;;Oui;Banques
5;Sans numéro;6419Z;57000;METZ;néant;;;Banques
6;Pompiers;6419Z;57000;METZ;18;;;Banques
2;Crèche Noël bis;8891A;57000;METZ;01 99 00 99 99;;;Accueil
"""


@pytest.fixture
def manager() -> User:
    return make_user(Role.MANAGER)


@pytest.fixture
def campaign() -> Campaign:
    programme = make_programme()
    make_criterion(programme)
    return make_campaign(programme)


@pytest.fixture
def source() -> Source:
    return make_source(name="Annuaire")


@pytest.fixture
def bring_in(campaign: Campaign, source: Source, manager: User) -> Callable[..., ImportJob]:
    """Upload, start and run a text; returns the job."""

    def bring_in(text: str = LIST, into: Campaign | None = None, **options: Any) -> ImportJob:
        given = {"source": source, "by": manager, "at": NOW, "name": "liste.csv", **options}
        job = upload_import(campaign=into or campaign, content=text.encode(), **given)
        start_import(job=job, by=manager, at=NOW)
        run_import(job_id=job.pk, at=NOW)
        job.refresh_from_db()
        return job

    return bring_in


def counts(job: ImportJob) -> dict[str, int]:
    return {name: value for name, value in summary_of(job.counts).items() if name != "seconds"}


def test_every_row_is_accounted_for(bring_in: Callable[..., ImportJob]) -> None:
    job = bring_in()

    assert counts(job) == {
        "rows": 7,
        "created": 4,
        "updated": 0,
        "unchanged": 0,
        "duplicates": 1,
        "rejected": 2,
        "excluded": 1,
        "screened_out": 1,
    }
    assert job.state == ImportState.DONE
    assert progress_of(job) == 100
    assert job.counts["rejected_by_reason"] == {"no_number": 1, "short_number": 1}
    assert job.counts["excluded_by_reason"] == {"opposition": 1}
    assert [entry["count"] for entry in job.counts["screened_out_by_criterion"]] == [1]
    assert job.counts["repairs"]["leading_zero"] == {"count": 1, "examples": [["199001235", "+33199001235"]]}
    assert list(ImportRow.objects.filter(job=job).order_by("line").values_list("line", "outcome")) == [
        (2, "created"),
        (3, "created"),
        (4, "created"),
        (5, "created"),
        (8, "duplicate"),
    ]


def test_records_keep_their_accents_and_their_numbers(bring_in: Callable[..., ImportJob]) -> None:
    bring_in()

    bank = Prospect.objects.get(external_id="1")
    nursery = Prospect.objects.get(external_id="2")
    assert (bank.organisation, bank.sector, bank.city) == ("Banque de l’Été", "6419Z", "METZ")
    assert bank.attributes == {"libelle_naf": "Banques"}
    assert bank.time_zone == "Europe/Paris"
    assert list(nursery.phones.values_list("number", "raw", "kind", "validity")) == [
        ("+33199001235", "199001235", "landline", "valid"),
        ("+33639981235", "06 39 98 12 35", "mobile", "possible"),
    ]


def test_each_record_stands_in_the_list_with_its_state(
    bring_in: Callable[..., ImportJob], campaign: Campaign
) -> None:
    job = bring_in()

    states = dict(campaign.entries.values_list("prospect__external_id", "state"))
    assert states == {
        "1": EntryState.READY,
        "2": EntryState.SCREENED_OUT,
        "3": EntryState.READY,
        "4": EntryState.EXCLUDED,
    }
    assert set(campaign.entries.values_list("call_list", flat=True)) == {job.call_list_id}


def test_each_created_record_says_in_its_timeline_where_it_came_from(
    bring_in: Callable[..., ImportJob],
) -> None:
    job = bring_in()

    events = ProspectEvent.objects.filter(kind="imported").order_by("id")
    assert [event.data["line"] for event in events] == [2, 3, 4, 5]
    assert events[0].data["import"] == job.pk
    assert events[0].sponsor == job.campaign.programme.sponsor


def test_the_same_list_again_changes_nothing(bring_in: Callable[..., ImportJob]) -> None:
    bring_in()
    before = list(Prospect.objects.order_by("pk").values())

    again = bring_in()

    assert counts(again) | {"created": 0} == counts(again)
    assert counts(again)["unchanged"] == 4
    assert (counts(again)["excluded"], counts(again)["screened_out"]) == (1, 1)
    assert list(Prospect.objects.order_by("pk").values()) == before
    assert ListEntry.objects.count() == 4
    assert ProspectNumber.objects.count() == 5
    assert Exclusion.objects.count() == 2


def test_a_supplier_s_new_value_is_taken_and_the_rest_left(bring_in: Callable[..., ImportJob]) -> None:
    bring_in()

    again = bring_in(
        LIST.replace("Garage Zoé", "Garage Zoé & Fils").replace("01 99 00 12 34", "01 99 00 77 77")
    )

    assert (counts(again)["updated"], counts(again)["unchanged"]) == (2, 2)
    garage, bank = Prospect.objects.get(external_id="3"), Prospect.objects.get(external_id="1")
    assert (garage.organisation, garage.version) == ("Garage Zoé & Fils", 2)
    assert list(bank.phones.values_list("number", flat=True)) == ["+33199007777", "+33199001234"]
    assert ListEntry.objects.get(prospect=bank).number == "+33199007777"


def test_what_was_said_on_a_call_outranks_the_file_until_the_supplier_changes_it(
    bring_in: Callable[..., ImportJob], manager: User
) -> None:
    bring_in()
    garage = Prospect.objects.get(external_id="3")
    edit_prospect(prospect=garage, data={"organisation": "Garage Benoît"}, phones=None, by=manager, at=NOW)

    same = bring_in()
    garage.refresh_from_db()
    assert garage.organisation == "Garage Benoît"
    assert counts(same)["updated"] == 0

    bring_in(LIST.replace("Garage Zoé", "Garage Zoé SARL"))
    garage.refresh_from_db()
    assert garage.organisation == "Garage Zoé SARL"


def test_a_blank_cell_erases_nothing(bring_in: Callable[..., ImportJob]) -> None:
    bring_in()

    bring_in(LIST.replace("Banque de l’Été", "").replace(";METZ;", ";;"))

    assert Prospect.objects.get(external_id="1").organisation == "Banque de l’Été"


def test_without_an_id_a_number_of_the_same_supplier_tells_the_record(
    bring_in: Callable[..., ImportJob],
) -> None:
    bring_in("Nom;Tel\nAlpha;0199001234\n")

    again = bring_in("Nom;Tel\nAlpha SARL;+33 1 99 00 12 34\n")
    elsewhere = bring_in("Nom;Tel\nAlpha;0199001234\n", source=make_source())

    assert counts(again)["updated"] == 1
    assert counts(elsewhere)["created"] == 1
    assert Prospect.objects.count() == 2


def test_a_row_repeats_another_by_its_id_and_without_one_by_a_number(
    bring_in: Callable[..., ImportJob],
) -> None:
    job = bring_in(
        "SIRET;Tel\na;0199001234\na;0199001235\nb;0199001234\n;01 99 00 12 34\n;0199009999\n;+33 1 99 00 99 99\n",
        mapping={"SIRET": "external_id"},
    )

    repeated = ImportReject.objects.filter(job=job).order_by("line").values_list("line", "reason", "value")
    assert list(repeated) == [(3, "duplicate", "2"), (5, "duplicate", "2"), (7, "duplicate", "6")]
    assert counts(job)["created"] == 3


def test_a_row_that_repeats_a_repeated_one_leads_to_the_first(bring_in: Callable[..., ImportJob]) -> None:
    job = bring_in("Nom;Tel\nA;0199001234\nB;0199001234 / 0199001235\nC;0199001235\n")

    assert list(ImportReject.objects.order_by("line").values_list("line", "value")) == [(3, "2"), (4, "2")]
    assert counts(job)["created"] == 1


def test_a_rejected_row_does_not_hide_the_good_one_that_follows(bring_in: Callable[..., ImportJob]) -> None:
    job = bring_in("SIRET;Tel\na;néant\na;0199001234\n")

    assert (counts(job)["rejected"], counts(job)["created"], counts(job)["duplicates"]) == (1, 1, 0)


def test_a_number_on_many_rows_is_told(bring_in: Callable[..., ImportJob]) -> None:
    rows = "".join(f"{line};0199001234\n" for line in range(25))

    job = bring_in(f"SIRET;Tel\n{rows}x;0199001235\n")

    assert job.counts["frequent"] == [["+33199001234", 25]]


def test_an_opt_out_of_the_supplier_bars_person_and_number_for_the_sponsor(
    bring_in: Callable[..., ImportJob], campaign: Campaign
) -> None:
    bring_in()

    barred = Prospect.objects.get(external_id="4")
    found = Exclusion.objects.values_list("scope", "sponsor", "number", "prospect", "reason")
    assert set(found) == {
        ("sponsor", campaign.programme.sponsor_id, "+33199001237", None, "opposition"),
        ("sponsor", campaign.programme.sponsor_id, None, barred.pk, "opposition"),
    }


def test_what_the_file_itself_excludes_is_told_apart_from_what_was_excluded_before(
    campaign: Campaign, source: Source, manager: User
) -> None:
    make_exclusion(sponsor=campaign.programme.sponsor, number="+33199001234")
    job = upload_import(
        campaign=campaign, source=source, name="l.csv", content=LIST.encode(), by=manager, at=NOW
    )

    preview = preview_import(job=job, by=manager, at=NOW)
    start_import(job=job, by=manager, at=NOW)
    run_import(job_id=job.pk, at=NOW)
    job.refresh_from_db()
    second = upload_import(
        campaign=campaign, source=source, name="l.csv", content=LIST.encode(), by=manager, at=NOW
    )
    again = preview_import(job=second, by=manager, at=NOW)

    told = [(found["excluded"], found["excluded_by_file"]) for found in (preview, job.counts, again)]
    assert told == [(2, 1), (2, 1), (2, 0)]


def test_nothing_is_imported_into_a_closed_campaign(
    campaign: Campaign, source: Source, manager: User
) -> None:
    given: dict[str, Any] = {
        "campaign": campaign,
        "source": source,
        "name": "l.csv",
        "content": LIST.encode(),
        "by": manager,
    }
    waiting, running = upload_import(**given, at=NOW), upload_import(**given, at=NOW)
    start_import(job=running, by=manager, at=NOW)
    close_campaign(campaign=campaign, by=manager, at=NOW)

    with pytest.raises(CampaignClosed):
        upload_import(**given, at=NOW)
    with pytest.raises(CampaignClosed):
        start_import(job=waiting, by=manager, at=NOW)
    with pytest.raises(CampaignClosed):
        run_import(job_id=running.pk, at=NOW)

    running.refresh_from_db()
    assert running.state == ImportState.FAILED
    assert running.error.startswith("La campagne est terminée")
    assert not Prospect.objects.exists()


def test_an_opt_out_on_a_repeated_or_rejected_row_counts_as_well(bring_in: Callable[..., ImportJob]) -> None:
    bring_in()

    bring_in(
        "SIRET;Tel;Ne pas appeler\n1;01 99 00 12 34;\n1;01 99 00 12 34;oui\n3;;x\n",
    )

    states = dict(ListEntry.objects.values_list("prospect__external_id", "state"))
    assert (states["1"], states["3"]) == (EntryState.EXCLUDED, EntryState.EXCLUDED)


def test_a_second_import_never_loosens_a_bar(bring_in: Callable[..., ImportJob], campaign: Campaign) -> None:
    bring_in()
    bank = Prospect.objects.get(external_id="1")
    make_exclusion(programme=campaign.programme, prospect=bank, reason="out_of_criteria")

    again = bring_in(LIST.replace("01 99 00 12 34", "01 99 00 77 77").replace(";Oui;", ";non;"))

    states = dict(campaign.entries.values_list("prospect__external_id", "state"))
    assert (states["1"], states["4"]) == (EntryState.EXCLUDED, EntryState.EXCLUDED)
    assert counts(again)["excluded"] == 2


def test_a_number_that_is_barred_stays_so_in_the_list_of_another_supplier(
    bring_in: Callable[..., ImportJob], campaign: Campaign
) -> None:
    make_exclusion(programme=campaign.programme, number="+33199001234", reason="out_of_criteria")

    job = bring_in("Nom;Tel\nAlpha;0199001234\n", source=make_source())

    assert counts(job)["excluded"] == 1
    assert campaign.entries.get().state == EntryState.EXCLUDED


def test_an_erased_person_who_comes_back_is_still_barred(
    bring_in: Callable[..., ImportJob], campaign: Campaign, manager: User
) -> None:
    bring_in()
    bank = Prospect.objects.get(external_id="1")
    make_exclusion(programme=campaign.programme, prospect=bank, reason="out_of_criteria")
    erase_prospect_record(prospect=bank, by=manager, at=NOW)

    again = bring_in(LIST.replace("01 99 00 12 34", "01 99 00 55 55"))

    back = Prospect.objects.get(external_id="1")
    assert counts(again)["created"] == 1
    assert campaign.entries.get(prospect=back).state == EntryState.EXCLUDED
    assert not SuppliedValues.objects.filter(prospect=bank).exists()


def test_the_preview_says_what_the_import_then_does_and_writes_nothing(
    campaign: Campaign, source: Source, manager: User
) -> None:
    job = upload_import(
        campaign=campaign, source=source, name="l.csv", content=LIST.encode(), by=manager, at=NOW
    )

    preview = preview_import(job=job, by=manager, at=NOW)

    assert not Prospect.objects.exists()
    assert not ListEntry.objects.exists()
    assert not Exclusion.objects.exists()
    assert not ImportRow.objects.exists()
    start_import(job=job, by=manager, at=NOW)
    run_import(job_id=job.pk, at=NOW)
    job.refresh_from_db()
    for key in (
        "rejected_by_reason",
        "excluded_by_file",
        "excluded_by_reason",
        "screened_out_by_criterion",
        "repairs",
    ):
        assert preview[key] == job.counts[key]
    assert counts(job) == {key: preview[key] for key in counts(job)}
    assert [column["target"] for column in preview["columns"]][:3] == [
        "external_id",
        "organisation",
        "sector",
    ]
    assert preview["columns"][0]["samples"] == ["1", "2", "3"]


def test_a_person_may_correct_the_guess_before_the_import_runs(
    campaign: Campaign, source: Source, manager: User
) -> None:
    text = "Id;Libellé;Ligne 1\nA;Alpha;0199001234\n"
    job = upload_import(
        campaign=campaign, source=source, name="l.csv", content=text.encode(), by=manager, at=NOW
    )

    set_import_mapping(job=job, mapping={"Libellé": "last_name", "Ligne 1": "phone"}, by=manager, at=NOW)
    start_import(job=job, by=manager, at=NOW)
    run_import(job_id=job.pk, at=NOW)

    assert Prospect.objects.get().last_name == "Alpha"
    with pytest.raises(ImportNotReady):
        set_import_mapping(job=ImportJob.objects.get(), mapping={"Libellé": "city"}, by=manager, at=NOW)


def test_killed_after_any_chunk_it_ends_with_the_same_rows(
    bring_in: Callable[..., ImportJob], campaign: Campaign, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_work, "CHUNK_ROWS", 2)
    whole = bring_in(source=make_source(name="Témoin"), into=make_campaign(campaign.programme))
    source = make_source()
    job = upload_import(
        campaign=campaign, source=source, name="l.csv", content=LIST.encode(), by=manager, at=NOW
    )
    start_import(job=job, by=manager, at=NOW)

    class Killed(BaseException):
        pass

    def die(rows: int) -> None:
        raise Killed

    deaths = 0
    while ImportJob.objects.get(pk=job.pk).state == ImportState.RUNNING:
        with contextlib.suppress(Killed):
            run_import(job_id=job.pk, at=NOW, progress=die)
        deaths += 1
    # Once planned, after each phase of four chunks, and after each step from one phase to the next.
    assert deaths == 1 + 3 * 4 + 3

    job.refresh_from_db()
    assert counts(job) == counts(whole) | {"excluded": 1}
    assert job.counts["repairs"] == whole.counts["repairs"]
    columns = ("external_id", "organisation", "sector", "attributes", "version")
    found = Prospect.objects.order_by("external_id").values_list(*columns)
    assert list(found.filter(source=source)) == list(found.exclude(source=source))
    assert campaign.entries.count() == 4
    rows = ImportRow.objects.order_by("line").values_list("line", "outcome")
    assert list(rows.filter(job=job)) == list(rows.filter(job=whole))


def test_of_two_workers_on_one_job_one_goes_on(
    campaign: Campaign, source: Source, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_work, "CHUNK_ROWS", 2)
    job = upload_import(
        campaign=campaign, source=source, name="l.csv", content=LIST.encode(), by=manager, at=NOW
    )
    start_import(job=job, by=manager, at=NOW)
    taken: list[dict[str, Any] | None] = []

    def other_worker(rows: int) -> None:
        if not taken:
            taken.append(None)
            taken[0] = run_import(job_id=job.pk, at=NOW)

    run_import(job_id=job.pk, at=NOW, progress=other_worker)

    job.refresh_from_db()
    assert taken[0] is not None
    assert counts(job)["rows"] == 7
    assert Prospect.objects.count() == 4


def test_an_import_whose_worker_died_is_woken(campaign: Campaign, source: Source, manager: User) -> None:
    job = upload_import(
        campaign=campaign, source=source, name="l.csv", content=LIST.encode(), by=manager, at=NOW
    )
    assert wake_imports(at=NOW) == 1

    start_import(job=job, by=manager, at=NOW)
    assert wake_imports(at=NOW) == 1

    run_import(job_id=job.pk, at=NOW)
    assert wake_imports(at=NOW + timedelta(hours=1)) == 0


def test_starting_and_running_twice_is_once(bring_in: Callable[..., ImportJob], manager: User) -> None:
    job = bring_in()

    assert run_import(job_id=job.pk, at=NOW) == job.counts
    with pytest.raises(ImportNotReady):
        start_import(job=job, by=manager, at=NOW)
    assert Prospect.objects.count() == 4


@pytest.mark.parametrize("content", [b"", b"Nom;Tel\n", b"PK\x03\x04xl/workbook.xml", b"<html></html>"])
def test_an_unreadable_file_leaves_nothing(
    content: bytes, campaign: Campaign, source: Source, manager: User
) -> None:
    with pytest.raises(UnreadableFile):
        upload_import(campaign=campaign, source=source, name="l.csv", content=content, by=manager, at=NOW)

    assert not ImportFile.objects.exists()
    assert not ImportJob.objects.exists()


def test_a_supplier_of_another_sponsor_is_refused(campaign: Campaign, manager: User) -> None:
    foreign = make_source(make_sponsor())

    with pytest.raises(SourceOfAnotherSponsor):
        upload_import(
            campaign=campaign, source=foreign, name="l.csv", content=LIST.encode(), by=manager, at=NOW
        )


def test_rejects_come_back_as_they_were_with_line_and_reason_last(bring_in: Callable[..., ImportJob]) -> None:
    job = bring_in(
        'Nom;Tel;Note\n"=HYPERLINK(""x"")";15;+33\nÉté;;"deux\nlignes"\nZoé;0199001234;ok\nX;;;trop\n'
    )

    text = "".join(rejects_csv(job))

    assert text.startswith("\ufeff")
    found = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))
    assert found[0] == ["Nom", "Tel", "Note", "ligne", "motif"]
    assert found[1][:4] == ['\'=HYPERLINK("x")', "15", "'+33", "2"]
    assert "court" in found[1][4]
    assert found[2][:4] == ["Été", "", "deux\nlignes", "3"]
    assert found[3][:4] == ["X", "", ";trop", "6"]
    assert [reject.reason for reject in ImportReject.objects.order_by("line")] == [
        "short_number",
        "no_number",
        "too_many_cells",
    ]


def test_an_import_is_undone_while_nobody_was_called(
    bring_in: Callable[..., ImportJob], manager: User
) -> None:
    job = bring_in()

    result = undo_import(job=job, by=manager, at=NOW + timedelta(hours=1))

    job.refresh_from_db()
    assert job.state == ImportState.UNDONE
    assert (result.entries, result.erased) == (4, 4)
    assert not ListEntry.objects.exists()
    assert not Prospect.objects.filter(erased_at__isnull=True).exists()
    assert not ProspectNumber.objects.exists()
    assert Exclusion.objects.filter(number="+33199001237", lifted_at__isnull=True).exists()
    again = bring_in()
    assert (counts(again)["created"], counts(again)["excluded"]) == (4, 1)


def test_undoing_an_update_gives_the_former_values_back(
    bring_in: Callable[..., ImportJob], manager: User
) -> None:
    bring_in()
    second = bring_in(LIST.replace("Garage Zoé", "Garage X").replace("Banque de l’Été", "Banque X"))
    bank = Prospect.objects.get(external_id="1")
    edit_prospect(prospect=bank, data={"city": "Nancy"}, phones=None, by=manager, at=NOW)

    result = undo_import(job=second, by=manager, at=NOW)

    assert (result.entries, result.erased, result.restored) == (0, 0, 1)
    assert Prospect.objects.get(external_id="3").organisation == "Garage Zoé"
    assert Prospect.objects.get(external_id="1").organisation == "Banque X"


def test_an_import_is_not_undone_once_somebody_was_called(
    bring_in: Callable[..., ImportJob], manager: User
) -> None:
    job = bring_in()
    ListEntry.objects.filter(prospect__external_id="1").update(state=EntryState.CLAIMED)

    with pytest.raises(ImportAlreadyUsed):
        undo_import(job=job, by=manager, at=NOW)

    job.refresh_from_db()
    assert job.state == ImportState.DONE
    assert ListEntry.objects.count() == 4


# ---- the command


def run_command(path: Path, campaign: Campaign, *more: str) -> dict[str, Any]:
    out, err = io.StringIO(), io.StringIO()
    call_command(
        "import_list",
        str(path),
        "--campaign",
        campaign.slug,
        "--source",
        "Annuaire 57",
        *more,
        stdout=out,
        stderr=err,
    )
    summary = json.loads(out.getvalue().strip().splitlines()[-1])
    assert list(summary) == [
        "rows",
        "created",
        "updated",
        "unchanged",
        "duplicates",
        "rejected",
        "excluded",
        "screened_out",
        "seconds",
    ]
    assert "%" in err.getvalue()
    return {name: value for name, value in summary.items() if name != "seconds"}


def test_the_command_s_last_line_is_the_summary(tmp_path: Path, campaign: Campaign) -> None:
    path = tmp_path / "liste.csv"
    path.write_bytes(LIST.encode("cp1252"))

    summary = run_command(path, campaign, "--rejects", str(tmp_path / "rejets.csv"))

    assert summary["rows"] == 7
    assert sum(summary[key] for key in ("created", "updated", "unchanged", "duplicates", "rejected")) == 7
    assert Source.objects.get().slug == "annuaire-57"
    assert len((tmp_path / "rejets.csv").read_text("utf-8-sig").splitlines()) == 3
    assert Prospect.objects.filter(organisation="Banque de l’Été").exists()


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path, campaign: Campaign) -> None:
    path = tmp_path / "liste.csv"
    path.write_bytes(LIST.encode())

    tried = run_command(path, campaign, "--dry-run")

    assert not Prospect.objects.exists()
    assert not ImportJob.objects.exists()
    assert not Source.objects.exists()
    assert not User.objects.exists()
    assert run_command(path, campaign) == tried


def test_the_command_takes_columns_and_region(tmp_path: Path, campaign: Campaign) -> None:
    path = tmp_path / "list.csv"
    path.write_text("a,b\nAlpha,(334) 793-8701\n")

    summary = run_command(path, campaign, "--map", "phone=b", "--map", "organisation=a", "--region", "us")

    assert summary["created"] == 1
    assert ProspectNumber.objects.get().number == "+13347938701"
    assert Prospect.objects.get().time_zone == "America/Chicago"


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"Nom;Tel\r\n", b"PK\x03\x04xl/workbook.xml"])
def test_the_command_exits_with_2_on_what_it_cannot_read(
    content: bytes, tmp_path: Path, campaign: Campaign
) -> None:
    path = tmp_path / "liste.csv"
    path.write_bytes(content)

    with pytest.raises(CommandError) as caught:
        run_command(path, campaign)

    assert caught.value.returncode == 2
    assert not Source.objects.exists()
    assert not ImportJob.objects.exists()


@pytest.mark.parametrize("more", [["--map", "phone=Rien"], ["--map", "mot_de_passe=Tel"], ["--map", "phone"]])
def test_the_command_refuses_a_mapping_that_cannot_be(
    more: list[str], tmp_path: Path, campaign: Campaign
) -> None:
    path = tmp_path / "liste.csv"
    path.write_bytes(b"Nom;Tel\nAlpha;0199001234\n")

    with pytest.raises(CommandError) as caught:
        run_command(path, campaign, *more)

    assert caught.value.returncode == 1
    assert not Prospect.objects.exists()


def test_the_command_goes_on_with_an_import_that_was_killed(
    tmp_path: Path, campaign: Campaign, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_work, "CHUNK_ROWS", 2)
    path = tmp_path / "liste.csv"
    path.write_bytes(LIST.encode())
    source = Source.objects.create(name="Annuaire 57", slug="annuaire-57")
    job = upload_import(
        campaign=campaign, source=source, name="l.csv", content=LIST.encode(), by=manager, at=NOW
    )
    start_import(job=job, by=manager, at=NOW)

    class Killed(BaseException):
        pass

    def die(rows: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        run_import(job_id=job.pk, at=NOW, progress=die)
    summary = run_command(path, campaign)

    assert (summary["rows"], summary["created"]) == (7, 4)
    assert ImportJob.objects.count() == 1


def test_a_file_that_nobody_imported_is_forgotten_after_a_month(
    campaign: Campaign, source: Source, manager: User
) -> None:
    def uploaded(days: int) -> ImportJob:
        at = NOW - timedelta(days=days)
        return upload_import(
            campaign=campaign, source=source, name="l.csv", content=LIST.encode(), by=manager, at=at
        )

    old, looked_at, recent, started = (uploaded(days) for days in (31, 31, 29, 31))
    preview_import(job=old, by=manager, at=old.created_at)
    preview_import(job=looked_at, by=manager, at=NOW)
    start_import(job=started, by=manager, at=old.created_at)
    run_import(job_id=started.pk, at=NOW)

    assert purge_uploads(at=NOW) == 1
    assert purge_uploads(at=NOW) == 0
    assert set(ImportJob.objects.all()) == {looked_at, recent, started}
    assert not ImportFile.objects.filter(pk=old.file_id).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"import_stage_{old.pk}"])
        assert cursor.fetchone() == (None,)


@pytest.mark.parametrize(
    "name", ["campaigns.run_import", "campaigns.wake_imports", "campaigns.purge_uploads"]
)
def test_every_name_that_wakes_a_worker_is_a_task(name: str) -> None:
    from config.celery import app

    app.loader.import_default_modules()

    assert name in app.tasks
