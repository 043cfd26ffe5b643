"""Several workers at one import, several imports at once, and others who write meanwhile, with real connections."""

import io
import json
import multiprocessing
import random
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.core.management import call_command

from campaigns.enums import EntryState, ImportPhase, ImportState
from campaigns.management.commands import import_list
from campaigns.models import (
    Consent,
    Exclusion,
    ImportChunk,
    ImportJob,
    ImportReject,
    ImportRow,
    ListEntry,
    SuppliedValues,
)
from campaigns.services import import_work
from campaigns.services.exclusions import exclude
from campaigns.services.import_stage import names_of
from campaigns.services.import_work import Step, work_on
from campaigns.services.imports import (
    cancel_import,
    preview_import,
    run_import,
    set_import_mapping,
    start_import,
)
from crm.models import Prospect, ProspectEvent, ProspectNumber, Source
from crm.services.prospects import PhoneInput, create_prospect, erase_prospect_record
from tests.factories import NOW, make_campaign, make_programme, make_source
from tests.importing import COUNTED, Desk, check
from tests.racing import race, second_session, unexpected
from tests.rawsql import execute

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = "SIRET;Raison sociale;NAF;Ville;Téléphone;Ne pas appeler;Couleur\n"
PATIENCE = 60.0


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_work, "CHUNK_ROWS", 12)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def listed(count: int, first: int = 0, name: str = "Société") -> str:
    """A list with opt-outs, rejected rows, and rows that repeat one far above."""
    lines = [
        f"{n};{name} {n};6419Z;Metz;{'néant' if n % 23 == 7 else f'01 99 00 {n // 100:02d} {n % 100:02d}'};"
        f"{'oui' if n % 19 == 4 else ''};{'bleu' if n % 2 else ''}\n"
        for n in range(first, first + count)
    ]
    again = [
        f"{n};Encore {n};;Nancy;01 99 00 {n // 100:02d} {n % 100:02d};;\n"
        for n in range(first, first + count, 9)
    ]
    return HEAD + "".join(lines + again)


def contents(source: Source, job: ImportJob) -> dict[str, list[Any]]:
    """What an import left, in words that are the same for each import of the same list."""
    ours = Prospect.objects.filter(source=source)
    entries = ListEntry.objects.filter(campaign=job.campaign_id, prospect__source=source)
    rows = ImportRow.objects.filter(job=job)
    found: dict[str, Any] = {
        "prospects": ours.values_list("external_id", "organisation", "city", "attributes", "version"),
        "numbers": ProspectNumber.objects.filter(prospect__source=source).values_list(
            "number", "position", "raw"
        ),
        "entries": entries.values_list("prospect__external_id", "state", "number"),
        "rows": rows.values_list("line", "outcome", "prospect__external_id"),
        "rejects": ImportReject.objects.filter(job=job).values_list("line", "reason", "value"),
        "timeline": ProspectEvent.objects.filter(prospect__source=source).values_list(
            "prospect__external_id", "kind", "data__line"
        ),
    }
    return {name: sorted(map(repr, rows)) for name, rows in found.items()}


def counted(job: ImportJob) -> dict[str, Any]:
    return {name: count for name, count in job.counts.items() if name != "seconds"}


def worker(job: ImportJob, progress: Callable[[int], None] | None = None) -> Callable[[], None]:
    """Work on an import until it is over, as a worker does that is woken again and again."""

    def work() -> None:
        deadline = time.monotonic() + PATIENCE
        while work_on(job_id=job.pk, at=NOW, progress=progress) is not Step.OVER:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    return work


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def merged_chunks(job: ImportJob) -> int:
    return ImportChunk.objects.filter(job=job, counts__isnull=False).count()


def work_up_to(job: ImportJob, phase: ImportPhase) -> None:
    """Work on an import until it has reached a phase."""
    while ImportJob.objects.get(pk=job.pk).phase < phase:
        work_on(job_id=job.pk, at=NOW, seconds=0)


# ---- several workers


@pytest.mark.parametrize("repeated", ["first", "merge"])
def test_several_workers_leave_the_same_rows_as_one(desk: Desk, repeated: str) -> None:
    alone = desk.bring_in(listed(120), repeated=repeated)
    text, other = listed(120), Desk()
    shared = other.start(text, repeated=repeated)

    results = race(*[worker(shared)] * 4)

    assert unexpected(results) == []
    shared.refresh_from_db()
    check(shared)
    assert contents(other.source, shared) == contents(desk.source, alone)
    assert counted(shared) == counted(alone)


def test_a_limit_on_workers_leaves_the_others_free(desk: Desk, settings: Any) -> None:
    settings.IMPORT_WORKERS = 1
    job = desk.start(listed(120))
    work_on(job_id=job.pk, at=NOW, seconds=0)

    def limited() -> Step:
        return work_on(job_id=job.pk, at=NOW, seconds=0, limited=True)

    with second_session() as busy:
        busy.execute("SELECT pg_advisory_xact_lock(%s, %s)", [import_work.SLOT_LOCK + 1, job.pk])
        refused = limited()
        busy.rollback()

    assert (refused, limited()) == (Step.IDLE, Step.WORKED)


# ---- several imports


@pytest.mark.parametrize("shared", ["source", "sponsor"])
def test_of_two_imports_that_may_bring_the_same_person_the_second_waits(desk: Desk, shared: str) -> None:
    source = desk.source if shared == "source" else make_source()
    programme = make_programme() if shared == "source" else make_programme(desk.programme.sponsor)
    first, second = (
        desk.upload(listed(120), among="sponsor"),
        desk.upload(listed(120, 60), into=make_campaign(programme), source=source, among="sponsor"),
    )
    if shared == "sponsor":
        Source.objects.update(sponsor=desk.programme.sponsor)

    def do(job: ImportJob) -> Callable[[], None]:
        def both() -> None:
            start_import(job=job, by=desk.manager, at=NOW, wake_worker=False)
            worker(job)()

        return both

    results = race(do(first), do(second), do(first))

    assert unexpected(results) == []
    for job in (first, second):
        job.refresh_from_db()
        check(job)
    numbers = list(ProspectNumber.objects.values_list("number", flat=True))
    assert len(numbers) == len(set(numbers))
    moments = sorted((job.started_at, job.pk) for job in (first, second))
    assert len(moments) == 2
    assert first.counts["created"] + second.counts["created"] == Prospect.objects.count()


def test_the_second_import_does_nothing_before_the_first_is_done(desk: Desk) -> None:
    first, second = desk.start(listed(60)), desk.start(listed(60))

    assert run_import(job_id=second.pk, at=NOW) is None
    assert merged_chunks(second) == 0
    run_import(job_id=first.pk, at=NOW)
    counts = run_import(job_id=second.pk, at=NOW)

    assert counts is not None
    assert counts["created"] == 0


# ---- stopped, changed, started meanwhile


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_written_once_it_was_cancelled(desk: Desk, seed: int) -> None:
    job = desk.start(listed(200))
    reached = random.Random(seed).randrange(1, 10)
    written: list[tuple[int, int]] = []
    asked = Event()

    def rows() -> tuple[int, int]:
        return Prospect.objects.count(), ImportRow.objects.count()

    def linger(_rows: int) -> None:
        # However fast the machine, the import is not over before somebody asks to cancel it.
        if merged_chunks(job) >= reached:
            assert asked.wait(PATIENCE)

    def cancel() -> None:
        wait_until(lambda: merged_chunks(job) >= reached)
        asked.set()
        cancel_import(job=job, by=desk.manager, at=NOW)
        written.append(rows())

    results = race(worker(job, linger), worker(job, linger), cancel)

    assert unexpected(results) == []
    assert written == [rows()]
    job.refresh_from_db()
    assert job.state == ImportState.CANCELLED
    assert 0 < written[0][0] < 200
    assert not execute("SELECT to_regclass(%s)", names_of(job.pk)["stage"])[0][0]


@pytest.mark.parametrize("phase", [ImportPhase.STAGE, ImportPhase.MATCH, ImportPhase.MERGE])
def test_no_row_of_a_former_mapping_is_left(desk: Desk, phase: ImportPhase) -> None:
    job = desk.upload(listed(120))

    def change() -> None:
        wait_until(lambda: ImportChunk.objects.filter(job=job, phase__gt=phase).count() > 3)
        mapping = {"Raison sociale": "last_name"}
        set_import_mapping(job=job, mapping=mapping, by=desk.manager, at=NOW)

    results = race(worker(job), worker(job), change)

    assert unexpected(results) == []
    worker(job)()
    stage = names_of(job.pk)["stage"]
    assert execute(f"SELECT count(*), count(nullif(organisation, '')) FROM {stage}") == [(134, 0)]
    job.refresh_from_db()
    assert job.preview["rows"] == 134
    start_import(job=job, by=desk.manager, at=NOW, wake_worker=False)
    run_import(job_id=job.pk, at=NOW)
    assert not Prospect.objects.exclude(organisation="").exists()
    assert Prospect.objects.filter(last_name="Société 1").exists()


@pytest.mark.parametrize("phase", [ImportPhase.STAGE, ImportPhase.MATCH, ImportPhase.MERGE])
def test_an_import_starts_while_its_preview_is_under_way(desk: Desk, phase: ImportPhase) -> None:
    other = Desk()
    alone = other.bring_in(listed(120))
    job = desk.upload(listed(120))

    def start() -> None:
        wait_until(lambda: ImportChunk.objects.filter(job=job, phase__gt=phase).count() > 3)
        start_import(job=job, by=desk.manager, at=NOW, wake_worker=False)

    results = race(worker(job), worker(job), start)

    assert unexpected(results) == []
    worker(job)()
    job.refresh_from_db()
    check(job)
    assert counted(job) == counted(alone)
    assert contents(desk.source, job) == contents(other.source, alone)


# ---- others who write


def create_by_api(desk: Desk, external_id: int) -> None:
    """Create a record of the supplier as its own program would."""
    create_prospect(
        source=desk.source,
        data={"external_id": str(external_id), "organisation": "Par l'API", "kind": "organisation"},
        phones=[PhoneInput("01 99 00 99 99")],
        by=desk.manager,
        at=NOW,
    )


def test_a_record_that_the_api_creates_meanwhile_is_updated_and_not_doubled(desk: Desk) -> None:
    job = desk.start(listed(60))
    work_up_to(job, ImportPhase.MERGE)
    for n in (1, 31):
        create_by_api(desk, n)

    run_import(job_id=job.pk, at=NOW)

    job.refresh_from_db()
    check(job)
    assert job.counts["updated"] == 2
    assert list(
        Prospect.objects.filter(external_id__in=["1", "31"]).values_list("organisation", flat=True)
    ) == [
        "Société 1",
        "Société 31",
    ]
    assert len(set(Prospect.objects.values_list("external_id", flat=True))) == Prospect.objects.count()


def test_a_record_created_meanwhile_whose_row_is_repeated_with_an_opt_out_is_known_too(desk: Desk) -> None:
    row = "1;Alpha;6419Z;Metz;0199001001;{};\n2;Bêta;6419Z;Metz;0199001002;;\n"
    job = desk.start(HEAD + row.format("") + row.format("oui"))
    work_up_to(job, ImportPhase.MERGE)
    create_by_api(desk, 1)

    run_import(job_id=job.pk, at=NOW)

    job.refresh_from_db()
    check(job)
    assert Prospect.objects.get(external_id="1").organisation == "Alpha"
    assert ListEntry.objects.get(prospect__external_id="1").state == EntryState.EXCLUDED


def test_a_record_that_is_erased_meanwhile_stays_blank(desk: Desk) -> None:
    head = HEAD.replace("Couleur", "Consentement;Phrase")
    text = head + "1;Alpha;6419Z;Metz;0199001001;;oui;Je veux bien\n2;Bêta;6419Z;Metz;0199001002;;oui;Oui\n"
    columns = {"Consentement": "consent", "Phrase": "consent_text"}
    desk.bring_in(text.replace("oui", ""), mapping=columns)
    person = Prospect.objects.get(external_id="1")
    job = desk.start(text.replace("Alpha", "Alpha SA"), mapping=columns)
    work_up_to(job, ImportPhase.MERGE)
    erase_prospect_record(prospect=person, by=desk.manager, at=NOW)
    blank = Prospect.objects.filter(pk=person.pk).values().get()

    run_import(job_id=job.pk, at=NOW)

    job.refresh_from_db()
    check(job)
    assert Prospect.objects.filter(pk=person.pk).values().get() == blank
    assert not ProspectNumber.objects.filter(prospect=person).exists()
    assert not SuppliedValues.objects.filter(prospect=person).exists()
    assert not Consent.objects.filter(prospect=person).exclude(exact_text="").exists()
    assert not ListEntry.objects.filter(prospect=person, state=EntryState.READY).exists()


COVERED = """
SELECT count(*) FROM campaigns_listentry e
 WHERE e.state IN ('ready', 'callback')
   AND courtois_covering_exclusion(e.number, e.prospect_id, e.campaign_id) IS NOT NULL
"""


@pytest.mark.parametrize("seed", range(2))
def test_a_bar_that_is_written_while_rows_come_in_covers_them(desk: Desk, seed: int) -> None:
    job = desk.start(listed(120))
    numbers = [f"+33199000{n:03d}" for n in range(120)]
    random.Random(seed).shuffle(numbers)

    def bar(share: list[str]) -> Callable[[], None]:
        def all_of_them() -> None:
            wait_until(lambda: merged_chunks(job) > 0)
            for number in share:
                exclude(
                    scope="programme",
                    programme=desk.programme,
                    number=number,
                    reason="opposition",
                    by=desk.manager,
                    at=NOW,
                )

        return all_of_them

    results = race(worker(job), worker(job), bar(numbers[:30]), bar(numbers[30:60]))

    assert unexpected(results) == []
    job.refresh_from_db()
    check(job)
    assert Exclusion.objects.filter(scope="programme").count() == 60
    assert execute(COVERED) == [(0,)]


# ---- what a crash of the server does to the rows that were read


@pytest.mark.parametrize("phase", [ImportPhase.STAGE, ImportPhase.MATCH, ImportPhase.MERGE])
@pytest.mark.parametrize("started", [True, False], ids=["run", "preview"])
def test_rows_that_a_crash_emptied_are_read_again(desk: Desk, phase: ImportPhase, started: bool) -> None:
    other = Desk()
    other.bring_in(listed(30))
    desk.bring_in(listed(30))
    expected = preview_import(job=other.upload(listed(50), repeated="merge"), by=other.manager, at=NOW)
    job = desk.upload(listed(50), repeated="merge")
    if started:
        start_import(job=job, by=desk.manager, at=NOW, wake_worker=False)
    work_up_to(job, phase)
    for _ in range(3):
        work_on(job_id=job.pk, at=NOW, seconds=0)
    execute(f"TRUNCATE {names_of(job.pk)['stage']}")

    worker(job)()

    job.refresh_from_db()
    found = job.counts if started else job.preview
    same = (*COUNTED, "rejected_by_reason", "repairs", "excluded")
    assert {name: found[name] for name in same} == {name: expected[name] for name in same}
    assert ImportReject.objects.filter(job=job).count() == found["duplicates"] + found["rejected"]


def test_an_import_that_starts_while_its_rows_are_read_again_forgets_the_preview(desk: Desk) -> None:
    other = Desk()
    alone = other.bring_in(listed(60))
    job = desk.upload(listed(60))
    work_up_to(job, ImportPhase.MERGE)
    for _ in range(3):
        work_on(job_id=job.pk, at=NOW, seconds=0)
    execute(f"TRUNCATE {names_of(job.pk)['stage']}")
    for _ in range(3):
        work_on(job_id=job.pk, at=NOW, seconds=0)

    start_import(job=job, by=desk.manager, at=NOW, wake_worker=False)
    run_import(job_id=job.pk, at=NOW)

    job.refresh_from_db()
    check(job)
    assert counted(job) == counted(alone)
    assert contents(desk.source, job) == contents(other.source, alone)


# ---- the command line


def test_the_command_shares_a_list_with_processes_of_its_own(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "liste.csv"
    path.write_text(listed(100))
    monkeypatch.setattr(import_list, "WORTH_HELP_BYTES", 0)

    def only_watch(*, job_id: int, at: datetime, progress: Any = None) -> dict[str, Any] | None:
        """Leave all the work to the others, as long as there are any."""
        others = multiprocessing.active_children()
        job = ImportJob.objects.get(pk=job_id)
        assert others or job.state == ImportState.DONE, job.error
        return dict(job.counts) if job.state == ImportState.DONE else None

    monkeypatch.setattr(import_list, "run_import", only_watch)
    out = io.StringIO()
    options = {"campaign": desk.campaign.slug, "source": desk.source.slug, "jobs": 3}
    call_command("import_list", str(path), stdout=out, stderr=io.StringIO(), **options)

    summary = json.loads(out.getvalue())
    assert summary["rows"] == 112
    check(ImportJob.objects.get())
    assert Prospect.objects.count() == summary["created"]
    assert not multiprocessing.active_children()
