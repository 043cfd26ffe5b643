"""Importing a list: uploaded, previewed, run in resumable chunks, undone while nothing of it was called.

The file is kept in PostgreSQL and the job is a row, so that any worker can go on where another one died. Every chunk
is one transaction that also moves the job's watermark, by compare-and-swap: of two workers on one job, one goes on.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from queue import Full, Queue
from threading import Event, Thread
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campaigns.enums import ImportState
from campaigns.models import CallList, Campaign, ImportFile, ImportJob
from campaigns.rules.mapping import ColumnGuess, explicit_mapping, guess_mapping
from campaigns.rules.records import Recipe, Record, Repairs, records
from campaigns.rules.tabular import Layout, rows, sniff
from campaigns.selectors.imports import entry_counts, entry_counts_of_job
from campaigns.services.campaigns import require_unclosed
from campaigns.services.entries import add_prospects
from campaigns.services.import_merge import Merged, Target, merge_records, record_outcomes, refresh_statistics
from campaigns.services.wake import wake
from crm.models import Source, User
from crm.rules.errors import DomainError, Invalid, InvalidTransition
from crm.rules.phones import is_region
from crm.services.hooks import prospects_changed

logger = logging.getLogger(__name__)

MAX_FILE_BYTES = 200 * 1024 * 1024
#: Up to this size a preview is made while the person waits; a larger file is previewed by a worker.
PROMPT_PREVIEW_BYTES = 1024 * 1024
#: Small enough that an agent who bars a number meanwhile waits for some tenths of a second at most.
CHUNK_ROWS = 2_000
#: Chunks that are read ahead while the database works.
READ_AHEAD = 2
SAMPLE_ROWS = 300
#: Refused rows that a preview shows.
MAX_EXAMPLES = 20
#: A running job without a sign of life for so long is taken up by another worker.
STALE_AFTER = timedelta(seconds=60)
MAX_RETRIES = 5
MAX_FAILURES = 5

OUTCOMES = ("created", "updated", "unchanged", "duplicates", "rejected")
SUMMARY_KEYS = ("rows", *OUTCOMES, "excluded", "screened_out", "seconds")

Progress = Callable[[int], None]


class FileTooLarge(Invalid):
    """The file is larger than what is taken at once."""

    default_message = _("Le fichier dépasse 200 Mo : découpez-le.")


class SourceOfAnotherSponsor(Invalid):
    """The supplier's records belong to another principal than the campaign's."""

    default_message = _("Ce fournisseur appartient à un autre donneur d'ordre que celui de la campagne.")


class ImportNotReady(InvalidTransition):
    """The import is not in the state that this needs."""

    default_message = _("Cet import n'est pas dans un état qui le permet.")


class ImportTakenOver(Exception):
    """Another worker goes on with this job, or it was cancelled: this one stops and has changed nothing more."""


@dataclass(slots=True)
class Totals:
    """Counts of an import so far. created + updated + unchanged + duplicates + rejected = rows (the data rows read);
    excluded and screened_out count list entries of the campaign; excluded_by_file those of the excluded that a "do not
    call" of this very file keeps out, the others were excluded before."""

    counts: dict[str, Any]
    repairs: Repairs

    @classmethod
    def stored(cls, counts: Mapping[str, Any]) -> Totals:
        """Go on from a job's counts, or from nothing."""
        fresh: dict[str, Any] = dict.fromkeys(
            ("rows", *OUTCOMES, "excluded", "excluded_by_file", "screened_out"), 0
        )
        fresh |= {
            "seconds": 0.0,
            "rejected_by_reason": {},
            "excluded_by_reason": {},
            "screened_out_by_criterion": [],
        }
        return cls({**fresh, **counts}, Repairs(counts.get("repairs")))

    def add(self, chunk: list[Record], merged: Merged) -> None:
        """Count a merged chunk."""
        self.counts["rows"] += len(chunk)
        for outcome, count in merged.outcomes.items():
            self.counts["duplicates" if outcome == "duplicate" else outcome] += count
        reasons = self.counts["rejected_by_reason"]
        for reason, count in merged.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
        for record in chunk:
            if not record.reason:
                self.repairs.add(record)

    def as_json(self) -> dict[str, Any]:
        """Everything, as stored on the job."""
        return {**self.counts, "repairs": self.repairs.as_json()}

    def summary(self) -> dict[str, Any]:
        """The nine keys of the command's last line."""
        return {key: self.counts[key] for key in SUMMARY_KEYS}


def summary_of(counts: Mapping[str, Any]) -> dict[str, Any]:
    """The nine keys of the command's last line, from a job's `counts` or `preview`."""
    return Totals.stored(counts).summary()


# ---- upload and mapping


def upload_import(
    *,
    campaign: Campaign,
    source: Source,
    name: str,
    content: bytes,
    mapping: Mapping[str, str] | None = None,
    region: str = "FR",
    by: User,
    at: datetime,
) -> ImportJob:
    """Keep a file and guess its columns. `mapping` (`{header: field}`) overrides guesses.

    Raises `UnreadableFile`, `FileTooLarge`, `UnknownColumn`, `UnknownField`, `SourceOfAnotherSponsor`,
    `CampaignClosed`; then nothing is written. `preview["columns"]` of the job lists what was guessed: header, target,
    confidence, samples."""
    check_source(campaign, source)
    reading = read_layout(content, mapping or {}, region)
    with transaction.atomic():
        require_unclosed(campaign)
        file = ImportFile.objects.create(
            name=name[:255], size=len(content), sha256=hashlib.sha256(content).hexdigest(), content=content
        )
        return ImportJob.objects.create(
            campaign=campaign,
            source=source,
            file=file,
            by=by,
            encoding=reading.layout.encoding,
            delimiter=reading.layout.delimiter,
            region=region,
            mapping=dict(zip(reading.layout.headers, reading.targets, strict=True)),
            preview={"columns": reading.columns()},
            total_rows=estimated_rows(content, reading.layout),
            created_at=at,
        )


def set_import_mapping(
    *, job: ImportJob, mapping: Mapping[str, str], region: str | None = None, by: User, at: datetime
) -> ImportJob:
    """Change which column fills which field (`{header: field}`, the others keep theirs) before the import runs.
    The preview is to be made again. Raises `ImportNotReady`, `UnknownColumn`, `UnknownField`."""
    _require(job, ImportState.UPLOADED)
    job.region = (region or job.region).upper()
    reading = read_layout(bytes(job.file.content), {**job.mapping, **mapping}, job.region)
    job.mapping = dict(zip(reading.layout.headers, reading.targets, strict=True))
    job.preview = {"columns": reading.columns()}
    job.by = by
    job.save(update_fields=["region", "mapping", "preview", "by"])
    return job


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read: its layout, what each column was guessed to be, and the target that was settled for it."""

    layout: Layout
    guesses: tuple[ColumnGuess, ...]
    targets: tuple[str, ...]
    region: str

    @property
    def recipe(self) -> Recipe:
        """What the reading of rows needs."""
        return Recipe(self.layout.headers, self.targets, self.region)

    def rejects(self, content: bytes) -> Iterator[Record]:
        """The rows of `content` that an import would reject, read again."""
        return (record for record in records(rows(content, self.layout), self.recipe) if record.reason)

    def columns(self) -> list[dict[str, Any]]:
        """The columns as JSON: header, target, confidence of the guess, up to three samples."""
        return [
            {"header": g.header, "target": target, "confidence": g.confidence, "samples": list(g.samples)}
            for g, target in zip(self.guesses, self.targets, strict=True)
        ]


def read_layout(content: bytes, mapping: Mapping[str, str], region: str) -> Reading:
    """Find out encoding, delimiter, header and fields of a file. Raises `UnreadableFile`, `UnknownColumn`,
    `UnknownField`, `FileTooLarge`, and Invalid (field `region`) for a country without a numbering plan."""
    if not is_region(region):
        raise Invalid.field("region", _("Pays inconnu : donnez ses deux lettres, comme FR."))
    if len(content) > MAX_FILE_BYTES:
        raise FileTooLarge()
    layout = sniff(content)
    sample = [row.cells for row in islice(rows(content, layout), SAMPLE_ROWS) if not row.problem]
    guesses = guess_mapping(layout.headers, sample, region)
    return Reading(layout, guesses, explicit_mapping(layout.headers, mapping, guesses), region)


def check_source(campaign: Campaign, source: Source) -> None:
    """Raise `SourceOfAnotherSponsor` when the campaign may not use this supplier's records."""
    if source.sponsor_id is not None and source.sponsor_id != campaign.programme.sponsor_id:
        raise SourceOfAnotherSponsor(fields={"source": [SourceOfAnotherSponsor.default_message]})


def estimated_rows(content: bytes, layout: Layout) -> int:
    """Lines of the file, for a progress bar: cells that hold line breaks make it too high."""
    return max(content.count(layout.newline.encode()) + 1 - layout.first_data_line, 1)


# ---- preview


def preview_import(*, job: ImportJob, by: User, at: datetime) -> dict[str, Any]:
    """Find out what the import would do and store it on the job (`preview`), changing nothing else.

    It is the import itself, chunk by chunk, each rolled back. Keys: those of the summary, `rejected_by_reason`,
    `excluded_by_file`, `excluded_by_reason`, `screened_out_by_criterion`, `repairs`, `columns`, `encoding` and
    `delimiter`."""
    _require(job, ImportState.UPLOADED)
    target = Target(job.campaign, job.source, by, at, job.file.name)
    content = bytes(job.file.content)
    reading = read_layout(content, job.mapping, job.region)
    counts = dry_run(content=content, reading=reading, target=target)
    preview = {
        **counts,
        "columns": reading.columns(),
        "encoding": job.encoding,
        "delimiter": job.delimiter,
    }
    job.preview, job.total_rows = preview, counts["rows"]
    ImportJob.objects.filter(pk=job.pk, state=ImportState.UPLOADED).update(
        preview=preview, total_rows=job.total_rows
    )
    return preview


def request_preview(*, job: ImportJob, by: User, at: datetime) -> ImportJob:
    """Preview a small file at once, a large one by a worker: `preview` has no `rows` until it is done."""
    if job.file.size <= PROMPT_PREVIEW_BYTES:
        preview_import(job=job, by=by, at=at)
    else:
        wake("campaigns.preview_import", job.pk)
    return job


def dry_run(
    *, content: bytes, reading: Reading, target: Target, progress: Progress | None = None
) -> dict[str, Any]:
    """The counts that an import would end with, as JSON. Each chunk is merged and rolled back, so locks are short."""
    started = time.monotonic()
    totals = Totals.stored({})
    refused: list[dict[str, Any]] = []
    for chunk in _chunks(content, reading):
        with transaction.atomic():
            merged = _merge(chunk, target)
            _add_entry_counts(totals.counts, entry_counts(target.campaign, merged.met, merged.bars))
            transaction.set_rollback(True)
        totals.add(chunk, merged)
        if len(refused) < MAX_EXAMPLES:
            refused.extend(_as_example(record) for record in chunk if record.reason)
        if progress:
            progress(totals.counts["rows"])
    totals.counts["seconds"] = round(time.monotonic() - started, 3)
    return totals.as_json() | {"rejects": refused[:MAX_EXAMPLES]}


def _as_example(record: Record) -> dict[str, Any]:
    """A refused row as the preview shows it."""
    return {"line": record.line, "column": record.column, "value": record.value, "reason": record.reason}


# ---- run


def start_import(*, job: ImportJob, by: User, at: datetime, wake_worker: bool = True) -> ImportJob:
    """Hand the import to a worker (or to the caller, who then runs it). Starting twice is starting once.
    Raises `ImportNotReady` once it ran, `CampaignClosed`."""
    with transaction.atomic():
        locked = ImportJob.objects.select_for_update().get(pk=job.pk)
        if locked.state == ImportState.RUNNING:
            return locked
        _require(locked, ImportState.UPLOADED)
        require_unclosed(locked.campaign)
        locked.call_list = CallList.objects.create(
            campaign=locked.campaign, name=f"{locked.file.name}"[:200], source=locked.source, created_at=at
        )
        locked.state, locked.started_at, locked.by = ImportState.RUNNING, at, by
        locked.save(update_fields=["call_list", "state", "started_at", "by"])
        if wake_worker:
            wake("campaigns.run_import", locked.pk)
    return locked


def unfinished_import(
    *, campaign: Campaign, source: Source, content: bytes, reading: Reading
) -> ImportJob | None:
    """A running import of the very same file, fields and target that died on the way, to be gone on with."""
    return ImportJob.objects.filter(
        campaign=campaign,
        source=source,
        state=ImportState.RUNNING,
        region=reading.region,
        mapping=dict(zip(reading.layout.headers, reading.targets, strict=True)),
        file__sha256=hashlib.sha256(content).hexdigest(),
    ).first()


def cancel_import(*, job: ImportJob, by: User, at: datetime) -> ImportJob:
    """Stop an import. What its committed chunks wrote stays, and can be undone as after a whole one."""
    with transaction.atomic():
        locked = ImportJob.objects.select_for_update().get(pk=job.pk)
        _require(locked, ImportState.UPLOADED, ImportState.RUNNING)
        locked.state, locked.finished_at = ImportState.CANCELLED, at
        locked.save(update_fields=["state", "finished_at"])
    return locked


def run_import(
    *, job_id: int, at: datetime, take_over: bool = False, progress: Progress | None = None
) -> dict[str, Any] | None:
    """Run a started import to its end, from its watermark on; returns its counts.

    None when it is not running or another worker is at it (`take_over` goes on all the same: the other one then stops
    at its next chunk). Killed at any point, the next run ends with the same rows as if nothing had happened. created +
    updated + unchanged + duplicates + rejected = rows; excluded and screened_out count list entries."""
    job = _claimed(job_id, take_over)
    if job is None:
        return None
    try:
        return _run(job, at, progress)
    except ImportTakenOver:
        return None
    except Exception as error:
        _note_failure(job, error, at)
        raise


def wake_imports(*, at: datetime) -> int:
    """Wake every running import that no worker shows signs of life for; returns how many."""
    stale = ImportJob.objects.filter(_abandoned(), state=ImportState.RUNNING).values_list("pk", flat=True)
    waiting = list(stale)
    for pk in waiting:
        wake("campaigns.run_import", pk)
    return len(waiting)


def _run(job: ImportJob, at: datetime, progress: Progress | None) -> dict[str, Any]:
    started = time.monotonic()
    content = bytes(job.file.content)
    reading = read_layout(content, job.mapping, job.region)
    target = Target(job.campaign, job.source, job.by, at, job.file.name, job.pk, job.call_list)
    totals = Totals.stored(job.counts)
    before, committed = float(totals.counts["seconds"]), 0
    for chunk in _chunks(content, reading):
        fresh = [record for record in chunk if record.line > job.watermark]
        if not fresh:
            ImportJob.objects.filter(pk=job.pk).update(heartbeat_at=Now())
            continue
        totals.counts["seconds"] = round(before + time.monotonic() - started, 3)
        _commit_chunk(job, fresh, target, totals)
        committed += 1
        if committed & (committed - 1) == 0 and len(fresh) == CHUNK_ROWS:
            refresh_statistics()
        if progress:
            progress(totals.counts["rows"])
    totals.counts["seconds"] = round(before + time.monotonic() - started, 3)
    return _finish(job, totals, at + timedelta(seconds=time.monotonic() - started))


def _commit_chunk(job: ImportJob, chunk: list[Record], target: Target, totals: Totals) -> None:
    watermark = chunk[-1].line
    merged = _retried(lambda: _committed(job, chunk, target, totals, watermark))
    totals.add(chunk, merged)
    job.watermark = watermark


def _committed(job: ImportJob, chunk: list[Record], target: Target, totals: Totals, watermark: int) -> Merged:
    with transaction.atomic():
        mine = ImportJob.objects.filter(pk=job.pk, state=ImportState.RUNNING, watermark=job.watermark)
        if not mine.update(watermark=watermark, heartbeat_at=Now()):
            raise ImportTakenOver()
        merged = _merge(chunk, target)
        record_outcomes(target=target)
        counted = Totals.stored(totals.as_json())
        counted.counts["rejected_by_reason"] = dict(totals.counts["rejected_by_reason"])
        counted.add(chunk, merged)
        ImportJob.objects.filter(pk=job.pk).update(counts=counted.as_json())
        return merged


def _merge(chunk: list[Record], target: Target) -> Merged:
    """Write a chunk: prospects and numbers, the queue of the campaign, and what follows from changed records."""
    merged = merge_records(records=chunk, target=target)
    if merged.updated:
        prospects_changed(prospect_ids=merged.updated, at=target.at)
    if merged.met:
        add_prospects(
            campaign=target.campaign,
            prospects=merged.met,
            call_list=target.call_list,
            by=target.by,
            at=target.at,
        )
    return merged


def _retried(commit: Callable[[], Merged]) -> Merged:
    """Run a chunk's transaction again when another writer got in between (deadlock, or the same new id)."""
    for attempt in range(1, MAX_RETRIES + 1):
        try:
            return commit()
        except (OperationalError, IntegrityError) as error:
            state = getattr(error.__cause__, "sqlstate", "")
            if attempt == MAX_RETRIES or state not in ("40P01", "40001", "23505", "55P03"):
                raise
            logger.info("import chunk run again after %s", state)
            time.sleep(0.05 * attempt)
    raise AssertionError("unreachable")


def _finish(job: ImportJob, totals: Totals, at: datetime) -> dict[str, Any]:
    _add_entry_counts(totals.counts, entry_counts_of_job(job))
    counts = totals.as_json()
    with transaction.atomic():
        mine = ImportJob.objects.filter(pk=job.pk, state=ImportState.RUNNING, watermark=job.watermark)
        if not mine.update(
            state=ImportState.DONE,
            counts=counts,
            total_rows=counts["rows"],
            finished_at=at,
            heartbeat_at=Now(),
        ):
            raise ImportTakenOver()
    return counts


def _add_entry_counts(counts: dict[str, Any], found: dict[str, Any]) -> None:
    for key in ("excluded", "excluded_by_file", "screened_out"):
        counts[key] += found[key]
    for reason, count in found["excluded_by_reason"].items():
        counts["excluded_by_reason"][reason] = counts["excluded_by_reason"].get(reason, 0) + count
    known = {entry["criterion"]: entry for entry in counts["screened_out_by_criterion"]}
    for entry in found["screened_out_by_criterion"]:
        if entry["criterion"] in known:
            known[entry["criterion"]]["count"] += entry["count"]
        else:
            counts["screened_out_by_criterion"].append(entry)


def _chunks(content: bytes, reading: Reading) -> Iterator[list[Record]]:
    return _ahead(_batched(records(rows(content, reading.layout), reading.recipe), CHUNK_ROWS))


def _batched(items: Iterable[Record], size: int) -> Iterator[list[Record]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _ahead(chunks: Iterator[list[Record]]) -> Iterator[list[Record]]:
    """The same chunks, read by a thread that stays `READ_AHEAD` before the caller: reading is a third of the work."""
    waiting: Queue[list[Record] | Exception | None] = Queue(READ_AHEAD)
    stopped = Event()

    def put(item: list[Record] | Exception | None) -> None:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=0.1)
            except Full:
                continue
            return

    def read() -> None:
        try:
            for chunk in chunks:
                put(chunk)
                if stopped.is_set():
                    return
            put(None)
        except Exception as error:
            put(error)

    reader = Thread(target=read, name="import-reader", daemon=True)
    reader.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        stopped.set()
        reader.join()


def _abandoned() -> Q:
    return Q(heartbeat_at__isnull=True) | Q(heartbeat_at__lt=Now() - STALE_AFTER)


def _claimed(job_id: int, take_over: bool) -> ImportJob | None:
    jobs = ImportJob.objects.filter(pk=job_id, state=ImportState.RUNNING)
    if not take_over:
        jobs = jobs.filter(_abandoned())
    if not jobs.update(heartbeat_at=Now()):
        return None
    return ImportJob.objects.select_related("campaign__programme", "source", "file", "by", "call_list").get(
        pk=job_id
    )


def _note_failure(job: ImportJob, error: Exception, at: datetime) -> None:
    """A job that fails again and again stops with its error; beat tries it again before that, unless it was refused."""
    logger.exception("import %s failed", job.pk)
    with transaction.atomic():
        locked = ImportJob.objects.select_for_update().get(pk=job.pk)
        failures = int(locked.counts.get("failures", 0)) + 1
        locked.counts = {**locked.counts, "failures": failures}
        refused = isinstance(error, DomainError)
        locked.error = (str(error) if refused else f"{type(error).__name__}: {error}")[:500]
        locked.heartbeat_at = None
        if (refused or failures >= MAX_FAILURES) and locked.state == ImportState.RUNNING:
            locked.state, locked.finished_at = ImportState.FAILED, at
        locked.save(update_fields=["counts", "error", "heartbeat_at", "state", "finished_at"])


def _require(job: ImportJob, *states: ImportState) -> None:
    if job.state not in states:
        raise ImportNotReady()
