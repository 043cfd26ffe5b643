"""The work of an import: chunk by chunk, phase by phase, shared by as many workers as like to.

An import goes through the phases of `ImportPhase`: its text is cut into chunks (PLAN); each chunk is read into the
import's own table (STAGE), compared with the records that are there (MATCH) and written (MERGE, which a preview rolls
back). A worker takes the next chunk by its row lock and does one phase of it in one transaction, so that a worker that
dies has done nothing of it. Whoever finds no chunk left of a phase takes the import on to the next, holding the lock
of its row. Whoever changes an import locks its chunks first, and so waits for those at work.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from campaigns.enums import ImportPhase, ImportState
from campaigns.models import ImportChunk, ImportJob, ImportReject
from campaigns.rules.import_options import options_of
from campaigns.rules.reading import Reader
from campaigns.rules.records import Recipe, Repairs
from campaigns.rules.tabular import Layout, Place, places, rows
from campaigns.selectors.import_files import import_limits, open_text
from campaigns.selectors.imports import entry_counts, entry_counts_of_job, imports_ahead, layout_of, rows_done
from campaigns.services.entries import add_prospects
from campaigns.services.import_merge import Merged, match_late, merge_rows, refresh_statistics, target_of
from campaigns.services.import_stage import (
    StageLost,
    create_tables,
    drop_tables,
    fold_rows,
    forget_matches,
    frequent_numbers,
    gather_statistics,
    match_rows,
    settle_rows,
    stage_records,
    staged_rows,
)
from campaigns.services.merging import is_to_be_done_again
from crm.rules.errors import DomainError
from crm.services.hooks import prospects_changed
from crm.services.wake import wake

logger = logging.getLogger(__name__)

CHUNK_ROWS: int = settings.IMPORT_CHUNK_ROWS
MAX_RETRIES = 5
MAX_FAILURES = 5
#: Without a sign of life for so long, an import that is under way is given to the workers again.
STALE_AFTER = timedelta(seconds=20)
#: First key of the advisory locks that limit how many workers are at one import.
SLOT_LOCK = 740_000
_LAST_LINE = 2**31 - 1

OUTCOMES = ("created", "updated", "unchanged", "duplicates", "rejected")
ENTRY_COUNTS = ("excluded", "excluded_by_file", "screened_out")

#: Called with the rows done, after each chunk.
Progress = Callable[[int], None]


class Step(Enum):
    """What became of one look for work."""

    WORKED = "worked"
    #: Others are at what is left, or it is not this import's turn.
    IDLE = "idle"
    #: Nothing is left to do.
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment at which the work began, as it was told, and how the time went by since."""

    at: datetime
    began: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """Return the moment that it is."""
        return self.at + timedelta(seconds=time.monotonic() - self.began)


def work_on(
    *,
    job_id: int,
    at: datetime,
    seconds: float | None = None,
    progress: Progress | None = None,
    limited: bool = False,
) -> Step:
    """Do what there is to do for an import, for about `seconds` or to its end. `limited`: not beside more than
    `IMPORT_WORKERS` others.

    Returns OVER when it is finished, IDLE when others do the rest, WORKED when there is more to do. An error is noted
    with the import, which fails for good when it was refused or the error comes back, and raised."""
    clock = Clock(at)
    until = None if seconds is None else clock.began + seconds
    try:
        while (step := _step(job_id, clock, limited)) is Step.WORKED:
            if progress:
                progress(rows_done(job_id))
            if until is not None and time.monotonic() >= until:
                break
    except Exception as error:
        _note_failure(job_id, error, clock)
        raise
    return step


def wake_workers(job: ImportJob) -> None:
    """Wake as many workers for an import as it has work for."""
    chunks = job.chunks.filter(phase=job.phase).count()
    for _ in range(max(1, min(settings.IMPORT_WORKERS, chunks))):
        wake("campaigns.run_import", job.pk)


def wake_imports(*, at: datetime) -> int:
    """Wake a worker for every import that is under way and shows no sign of life; returns for how many."""
    since = at - STALE_AFTER
    alive = ImportChunk.objects.filter(job=OuterRef("pk"), done_at__gt=since)
    waiting = under_way().filter(~Exists(alive), Q(phase_at__isnull=True) | Q(phase_at__lte=since))
    found = [job.pk for job in waiting if not imports_ahead(job).exists()]
    for pk in found:
        wake("campaigns.run_import", pk)
    return len(found)


def under_way() -> QuerySet[ImportJob]:
    """The imports that run or are being previewed."""
    previewed = Q(state=ImportState.UPLOADED, phase__lt=ImportPhase.DONE)
    return ImportJob.objects.filter(Q(state=ImportState.RUNNING) | previewed)


def lock_import(job_id: int) -> ImportJob:
    """Lock an import and its chunks, waiting for who is at work on one. The caller is in a transaction.

    The import first, as in `_advance`; and not its key, for those at work refer to it."""
    jobs = ImportJob.objects.select_for_update(of=("self",), no_key=True)
    job = jobs.select_related("campaign__programme").get(pk=job_id)
    list(job.chunks.select_for_update().order_by("index").values_list("pk"))
    return job


def go_back(job: ImportJob, phase: ImportPhase, at: datetime) -> None:
    """Have an import, locked, done again from a phase on; one that is not there yet goes on as it is. One that was, and
    whose rows are being read again, forgets what it found out."""
    if job.phase <= phase and not job.settled:
        return
    job.chunks.filter(phase__gt=phase).update(phase=phase)
    job.chunks.update(preview=None)
    job.rejects.all().delete()
    job.phase, job.phase_at, job.settled = min(job.phase, phase), at, False
    job.save(update_fields=["phase", "phase_at", "settled"])
    forget_matches(job.pk)


# ---- one step


def _step(job_id: int, clock: Clock, limited: bool) -> Step:
    job = under_way().filter(pk=job_id).first()
    if job is None:
        return Step.OVER
    if job.phase >= ImportPhase.MATCH and imports_ahead(job).exists():
        return Step.IDLE
    if job.phase == ImportPhase.PLAN:
        return _advance(job_id, clock)
    for attempt in range(1, MAX_RETRIES + 1):
        try:
            return _chunk_done(job, clock, limited, attempt) or _advance(job_id, clock)
        except StageLost:
            _read_again(job_id, clock)
            return Step.WORKED
        except (OperationalError, IntegrityError) as error:
            if attempt == MAX_RETRIES or not is_to_be_done_again(error):
                raise
            logger.info("import chunk done again after %s", type(error.__cause__).__name__)
            time.sleep(0.05 * attempt)
    raise AssertionError("unreachable")


@transaction.atomic
def _chunk_done(job: ImportJob, clock: Clock, limited: bool, attempt: int) -> Step | None:
    """Do the present phase of the next chunk; None when no chunk is free."""
    if limited and not _has_slot(job.pk):
        return Step.IDLE
    free = ImportChunk.objects.select_for_update(skip_locked=True, of=("self",))
    chunk = free.filter(job=job.pk, phase=job.phase).order_by("index").first()
    if chunk is None:
        return None
    # Read anew under the lock: who changes an import waits for it.
    current = under_way().filter(pk=job.pk, phase=chunk.phase).first()
    if current is None:
        return Step.WORKED
    PHASES[ImportPhase(chunk.phase)](current, chunk, clock, attempt)
    chunk.phase, chunk.done_at = chunk.phase + 1, clock.now()
    chunk.save(update_fields=["phase", "done_at", "reading", "preview", "counts"])
    return Step.WORKED


def _has_slot(job_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM generate_series(1, %s) n WHERE pg_try_advisory_xact_lock(%s + n, %s) LIMIT 1",
            [settings.IMPORT_WORKERS, SLOT_LOCK, job_id],
        )
        return cursor.fetchone() is not None


@transaction.atomic
def _advance(job_id: int, clock: Clock) -> Step:
    """Take an import whose chunks have all done its phase on to the next one; IDLE while somebody is at one of them."""
    free = ImportJob.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
    job = free.filter(pk__in=under_way().filter(pk=job_id).values("pk")).first()
    if job is None or job.chunks.filter(phase__lte=job.phase).exists():
        return Step.IDLE
    ADVANCES[ImportPhase(job.phase)](job, clock)
    return Step.WORKED if job.phase < ImportPhase.DONE else Step.OVER


def _go_on(job: ImportJob, phase: ImportPhase, clock: Clock) -> None:
    job.phase, job.phase_at = phase, clock.now()
    job.save(update_fields=["phase", "phase_at", "settled", "total_rows", "preview"])
    if job.chunks.all()[1:].exists():
        wake_workers(job)


@transaction.atomic
def _read_again(job_id: int, clock: Clock) -> None:
    """The server crashed and the rows that were read are gone: read them again, and go on where the work was."""
    job = lock_import(job_id)
    if staged_rows(job_id) == _rows_of(job):
        return
    logger.warning("import %s: its rows are read again", job_id)
    job.chunks.update(phase=ImportPhase.STAGE)
    job.phase, job.phase_at = ImportPhase.STAGE, clock.now()
    job.save(update_fields=["phase", "phase_at"])


def _rows_of(job: ImportJob) -> int:
    return int(job.chunks.aggregate(rows=Sum("rows"))["rows"] or 0)


# ---- plan


def _plan(job: ImportJob, clock: Clock) -> None:
    """Cut the text into chunks."""
    create_tables(job.pk)
    layout = layout_of(job)
    with open_text(job) as stream:
        found = list(places(stream, layout, CHUNK_ROWS, import_limits()))
    ends = [following.line - 1 for _place, following in pairwise(found)] + [_LAST_LINE]
    ImportChunk.objects.bulk_create(
        [
            ImportChunk(
                job=job, index=index, line=place.line, last_line=last, offset=place.offset, rows=place.rows
            )
            for index, (place, last) in enumerate(zip(found, ends, strict=True))
        ],
        batch_size=1_000,
    )
    job.total_rows = sum(place.rows for place in found)
    _go_on(job, ImportPhase.STAGE, clock)


# ---- stage


def recipe_of(job: ImportJob, layout: Layout) -> Recipe:
    """Return how the rows of an import are read."""
    targets = tuple(job.mapping[header] for header in layout.headers)
    blank = options_of(job.options).blank
    return Recipe(layout.headers, targets, job.region, blank, job.created_at.date())


def _stage(job: ImportJob, chunk: ImportChunk, clock: Clock, attempt: int) -> None:
    """Read the rows of a chunk into the import's table."""
    layout = layout_of(job)
    reader = Reader(recipe_of(job, layout))
    with open_text(job) as stream:
        place = Place(chunk.offset, chunk.line, chunk.rows)
        found = rows(stream, layout, place, chunk.rows, import_limits())
        stage_records(job.pk, chunk.line, chunk.last_line, map(reader.read, found))
    chunk.reading = reader.as_json()


def _staged(job: ImportJob, clock: Clock) -> None:
    """All rows are read: compare them, unless that was done before they had to be read again."""
    if staged_rows(job.pk) != _rows_of(job):
        job.chunks.update(phase=ImportPhase.STAGE)
        return
    gather_statistics(job.pk)
    if not job.settled:
        _go_on(job, ImportPhase.MATCH, clock)
        return
    _fold(job)
    _ready_to_merge(job, clock)


def _fold(job: ImportJob) -> None:
    if options_of(job.options).repeated == "merge":
        fold_rows(job)


def _ready_to_merge(job: ImportJob, clock: Clock) -> None:
    written = "counts" if job.state == ImportState.RUNNING else "preview"
    job.chunks.filter(**{f"{written}__isnull": True}).update(phase=ImportPhase.MERGE)
    job.chunks.filter(**{f"{written}__isnull": False}).update(phase=ImportPhase.DONE)
    _go_on(job, ImportPhase.MERGE, clock)


# ---- match


def _require_staged(job: ImportJob, chunk: ImportChunk) -> None:
    if staged_rows(job.pk, chunk.line, chunk.last_line) != chunk.rows:
        raise StageLost


def _match(job: ImportJob, chunk: ImportChunk, clock: Clock, attempt: int) -> None:
    """Compare the rows of a chunk with the records that are there."""
    _require_staged(job, chunk)
    match_rows(job, options_of(job.options), chunk.line, chunk.last_line)


def _matched(job: ImportJob, clock: Clock) -> None:
    """Compare the rows with each other."""
    if staged_rows(job.pk) != _rows_of(job):
        job.chunks.update(phase=ImportPhase.STAGE)
        _go_on(job, ImportPhase.STAGE, clock)
        return
    settle_rows(job)
    job.settled = True
    job.preview = {**job.preview, "frequent": frequent_numbers(job.pk)}
    _fold(job)
    _ready_to_merge(job, clock)


# ---- merge


def _merge(job: ImportJob, chunk: ImportChunk, clock: Clock, attempt: int) -> None:
    """Write the rows of a chunk; a preview counts what that did and takes it back."""
    _require_staged(job, chunk)
    if attempt > 1:
        match_late(job, chunk.line, chunk.last_line)
    if job.state == ImportState.RUNNING:
        merged, chunk.counts = _merged(job, chunk, job.started_at or clock.at)
        if merged.created and _is_power_of_four(chunk.index + 1):
            transaction.on_commit(refresh_statistics)
    else:
        with transaction.atomic():
            merged, chunk.preview = _merged(job, chunk, clock.at)
            transaction.set_rollback(True)
    _keep_refused(job, merged)


def _keep_refused(job: ImportJob, merged: Merged) -> None:
    ImportReject.objects.bulk_create(
        ImportReject(job=job, line=line, reason=reason, column=column, value=value)
        for line, reason, column, value in merged.refused
    )


def _is_power_of_four(number: int) -> bool:
    return number & (number - 1) == 0 and number.bit_length() % 2 == 1


def _merged(job: ImportJob, chunk: ImportChunk, at: datetime) -> tuple[Merged, dict[str, Any]]:
    """Write prospects, the queue of the campaign and what follows from changed records; return what
    became of the rows, and its counts as JSON."""
    merged = merge_rows(target=target_of(job, at), line=chunk.line, last_line=chunk.last_line)
    if merged.updated:
        prospects_changed(prospect_ids=merged.updated, at=at)
    if merged.met:
        add_prospects(campaign=job.campaign, prospects=merged.met, call_list=job.call_list, by=job.by, at=at)
    counts = _counts_of(merged, chunk.rows)
    if job.state != ImportState.RUNNING:
        _add_entry_counts(counts, entry_counts(job.campaign, merged.met, merged.bars))
    return merged, counts


def _counts_of(merged: Merged, rows: int) -> dict[str, Any]:
    counts: dict[str, Any] = {"rows": rows, **dict.fromkeys(OUTCOMES, 0)}
    for outcome, count in merged.outcomes.items():
        counts["duplicates" if outcome == "duplicate" else outcome] += count
    return counts | {"rejected_by_reason": dict(merged.reasons), "consents": merged.consents}


# ---- finish


def _finish(job: ImportJob, clock: Clock) -> None:
    """All chunks are written: add up what became of them."""
    now = clock.now()
    job.phase, job.phase_at = ImportPhase.DONE, now
    if job.state == ImportState.UPLOADED:
        job.preview = {**job.preview, **totals_of(job, "preview")}
        job.preview["seconds"] = round(time.monotonic() - clock.began, 3)
        job.save(update_fields=["phase", "phase_at", "preview"])
        return
    counts = {"frequent": job.preview.get("frequent", []), **totals_of(job, "counts")}
    _add_entry_counts(counts, entry_counts_of_job(job))
    counts["seconds"] = round(max((now - (job.started_at or now)).total_seconds(), 0.001), 3)
    job.counts, job.state, job.finished_at = counts, ImportState.DONE, now
    job.save(update_fields=["phase", "phase_at", "counts", "state", "finished_at"])
    close_tables(job)


def close_tables(job: ImportJob) -> None:
    """Drop the tables of an import that is over, and wake those that waited for it."""
    drop_tables(job.pk)
    for waiting in ImportJob.objects.filter(state=ImportState.RUNNING).exclude(pk=job.pk):
        wake("campaigns.run_import", waiting.pk)


def totals_of(job: ImportJob, what: str) -> dict[str, Any]:
    """Add up the chunks: `what` they had as outcome ("preview" or "counts"), and what was found in reading them.

    created + updated + unchanged + duplicates + rejected = rows; excluded and screened_out count list entries of the
    campaign; excluded_by_file those of the excluded that a "do not call" of this very file keeps out."""
    total: dict[str, Any] = {
        **dict.fromkeys(("rows", *OUTCOMES, *ENTRY_COUNTS), 0),
        "rejected_by_reason": {},
        "excluded_by_reason": {},
        "screened_out_by_criterion": [],
        "consents": {},
        "quality": {},
    }
    repairs = Repairs()
    for counts, reading in job.chunks.order_by("index").values_list(what, "reading"):
        _add_counts(total, counts or {})
        _add_numbers(total["quality"], (reading or {}).get("quality", {}))
        repairs.add_stored((reading or {}).get("repairs", {}))
    return total | {"repairs": repairs.as_json()}


def _add_counts(total: dict[str, Any], counts: Mapping[str, Any]) -> None:
    for name in ("rows", *OUTCOMES):
        total[name] += counts.get(name, 0)
    _add_numbers(total["rejected_by_reason"], counts.get("rejected_by_reason", {}))
    _add_numbers(total["consents"], counts.get("consents", {}))
    _add_entry_counts(total, counts)


def _add_numbers(total: dict[str, int], counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        total[name] = total.get(name, 0) + count


def _add_entry_counts(counts: dict[str, Any], found: Mapping[str, Any]) -> None:
    for key in ENTRY_COUNTS:
        counts[key] = counts.get(key, 0) + found.get(key, 0)
    _add_numbers(counts.setdefault("excluded_by_reason", {}), found.get("excluded_by_reason", {}))
    known = {entry["criterion"]: entry for entry in counts.setdefault("screened_out_by_criterion", [])}
    for entry in found.get("screened_out_by_criterion", []):
        if entry["criterion"] in known:
            known[entry["criterion"]]["count"] += entry["count"]
        else:
            counts["screened_out_by_criterion"].append(dict(entry))


# ---- failures


def _note_failure(job_id: int, error: Exception, clock: Clock) -> None:
    """An import that fails again and again stops with its error; beat tries it again before that, unless it was
    refused. A database that cannot be reached is nobody's failure."""
    if isinstance(error, OperationalError) or connection.needs_rollback:
        return
    logger.exception("import %s failed", job_id)
    with transaction.atomic():
        job = lock_import(job_id)
        refused = isinstance(error, DomainError)
        job.failures += 1
        job.error = (str(error) if refused else f"{type(error).__name__}: {error}")[:500]
        if (refused or job.failures >= MAX_FAILURES) and job.state in (
            ImportState.RUNNING,
            ImportState.UPLOADED,
        ):
            job.state, job.finished_at = ImportState.FAILED, clock.now()
            close_tables(job)
        job.save(update_fields=["failures", "error", "state", "finished_at"])


#: What is done with a chunk in each phase, and with the import when all its chunks have done it.
PHASES: dict[ImportPhase, Callable[[ImportJob, ImportChunk, Clock, int], None]] = {
    ImportPhase.STAGE: _stage,
    ImportPhase.MATCH: _match,
    ImportPhase.MERGE: _merge,
}
ADVANCES: dict[ImportPhase, Callable[[ImportJob, Clock], None]] = {
    ImportPhase.PLAN: _plan,
    ImportPhase.STAGE: _staged,
    ImportPhase.MATCH: _matched,
    ImportPhase.MERGE: _finish,
}
