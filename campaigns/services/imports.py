"""Importing a list: uploaded, previewed, run, cancelled; what there is to do is done by `import_work`.

The file is kept in PostgreSQL and the job is a row, so that any worker can go on where another one died.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, BinaryIO

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.enums import ImportPhase, ImportState
from campaigns.models import CallList, Campaign, ImportFile, ImportJob
from campaigns.rules.encodings import Scan
from campaigns.rules.import_options import Options, options_of
from campaigns.rules.mapping import ColumnGuess, explicit_mapping, guess_mapping
from campaigns.rules.tabular import Layout, rows, sniff
from campaigns.selectors.import_files import import_limits, open_file, open_text
from campaigns.selectors.imports import layout_of
from campaigns.selectors.mappings import remembered_mapping
from campaigns.services.campaigns import require_unclosed
from campaigns.services.import_files import readable_text, store_file
from campaigns.services.import_stage import drop_tables, forget_rows
from campaigns.services.import_work import (
    OUTCOMES,
    Progress,
    close_tables,
    go_back,
    lock_import,
    wake_workers,
    work_on,
)
from crm.models import Source, User
from crm.rules.errors import Invalid, InvalidTransition
from crm.rules.phones import is_region
from crm.services.wake import wake

#: Up to this size a preview is made while the person waits; a larger file is previewed by the workers.
PROMPT_PREVIEW_BYTES = 256 * 1024
SAMPLE_ROWS = 300
#: First keys of the advisory locks under which imports of a sponsor and of a supplier are started one after the other.
SPONSOR_LOCK, SOURCE_LOCK = 73, 75

SUMMARY_KEYS = ("rows", *OUTCOMES, "excluded", "screened_out", "seconds")


class SourceOfAnotherSponsor(Invalid):
    """The supplier's records belong to another principal than the campaign's."""

    default_message = _("Ce fournisseur appartient à un autre donneur d'ordre que celui de la campagne.")


class ImportNotReady(InvalidTransition):
    """The import is not in the state that this needs."""

    default_message = _("Cet import n'est pas dans un état qui le permet.")


def summary_of(counts: Mapping[str, Any]) -> dict[str, Any]:
    """The nine keys of the command's last line, from a job's `counts` or `preview`."""
    return {key: counts.get(key, 0) for key in SUMMARY_KEYS}


# ---- upload and mapping


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read: its layout, what each column was guessed to be, and the target that was settled for it."""

    layout: Layout
    guesses: tuple[ColumnGuess, ...]
    targets: tuple[str, ...]
    region: str

    @property
    def mapping(self) -> dict[str, str]:
        """Target by column header."""
        return dict(zip(self.layout.headers, self.targets, strict=True))

    def columns(self, former: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
        """The columns as JSON: header, target, how sure that is and what it rests on ("chosen" when it is no guess), up
        to three samples. A target that is what it was in `former` columns rests on what it did."""
        known = {(column["header"], column["target"]): column for column in former}
        return [
            _column(guess, target, known.get((guess.header, target)))
            for guess, target in zip(self.guesses, self.targets, strict=True)
        ]


def _column(guess: ColumnGuess, target: str, former: Mapping[str, Any] | None) -> dict[str, Any]:
    told = (guess.confidence, guess.origin) if target == guess.target else (1.0, "chosen")
    if former is not None:
        told = (former["confidence"], former.get("origin", "none"))
    return {
        "header": guess.header,
        "target": target,
        "confidence": told[0],
        "origin": told[1],
        "samples": list(guess.samples),
    }


def read_layout(
    content: BinaryIO,
    mapping: Mapping[str, str],
    region: str,
    *,
    remembered: Mapping[str, str] | None = None,
    template: Mapping[str, str] | None = None,
    layout: Layout | None = None,
    scanned: Scan | None = None,
) -> Reading:
    """Find out encoding, delimiter, header and fields of a text (`layout`: they are known already; `scanned`: what one
    look through it told). `remembered` is what the supplier's columns meant before; a `template` outranks it, `mapping`
    both.

    Raises `UnreadableFile`, `UnknownColumn`, `UnknownField`, and Invalid (field `region`) for a country without a
    numbering plan."""
    if not is_region(region):
        raise Invalid.field("region", _("Pays inconnu : donnez ses deux lettres, comme FR."))
    limits = import_limits()
    layout = layout or sniff(content, limits, scanned=scanned)
    sample = [
        row.cells for row in islice(rows(content, layout, limits=limits), SAMPLE_ROWS) if not row.problem
    ]
    guesses = guess_mapping(layout.headers, sample, region, remembered, template)
    return Reading(layout, guesses, explicit_mapping(layout.headers, mapping, guesses), region)


def check_source(campaign: Campaign, source: Source) -> None:
    """Raise `SourceOfAnotherSponsor` when the campaign may not use this supplier's records."""
    if source.sponsor_id is not None and source.sponsor_id != campaign.programme.sponsor_id:
        raise SourceOfAnotherSponsor(fields={"source": [SourceOfAnotherSponsor.default_message]})


def upload_import(
    *,
    campaign: Campaign,
    source: Source,
    name: str,
    content: bytes | BinaryIO,
    mapping: Mapping[str, str] | None = None,
    region: str = "FR",
    options: Options | None = None,
    sheet: str = "",
    by: User,
    at: datetime,
) -> ImportJob:
    """Keep a file (bytes, or a seekable stream of them) and guess its columns. `mapping` (`{header: field}`) overrides
    guesses; `sheet` names the one to read of a workbook.

    Raises `UnreadableFile`, `UnknownColumn`, `UnknownField`, `SourceOfAnotherSponsor`, `CampaignClosed`; then nothing
    is written. `preview["columns"]` of the job lists what was guessed: header, target, confidence, samples."""
    check_source(campaign, source)
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    with transaction.atomic(), readable_text(stream, sheet) as table:
        require_unclosed(campaign)
        remembered = remembered_mapping(source)
        reading = read_layout(
            table.text, mapping or {}, region, remembered=remembered, scanned=table.found.scanned
        )
        file = store_file(name=name, content=stream)
        text = store_file(name=name, content=table.text) if table.found.converted else None
        return ImportJob.objects.create(
            campaign=campaign,
            source=source,
            file=file,
            text=text,
            sheet=table.found.sheet[:120],
            sheets=list(table.found.sheets),
            by=by,
            encoding=table.found.encoding,
            delimiter="" if reading.layout.is_sheet else reading.layout.delimiter,
            layout=asdict(reading.layout),
            region=region,
            mapping=reading.mapping,
            options=(options or Options()).as_json(),
            preview={"columns": reading.columns()},
            phase=ImportPhase.PLAN,
            created_at=at,
        )


@transaction.atomic
def choose_sheet(*, job: ImportJob, sheet: str, by: User, at: datetime) -> ImportJob:
    """Read another sheet of the workbook. Its columns are guessed anew. Raises `ImportNotReady`, `UnreadableFile`."""
    locked = lock_import(job.pk)
    _require(locked, ImportState.UPLOADED)
    with open_file(locked.file) as stream, readable_text(stream, sheet) as table:
        remembered = remembered_mapping(locked.source)
        reading = read_layout(
            table.text, {}, locked.region, remembered=remembered, scanned=table.found.scanned
        )
        former, locked.text = locked.text, store_file(name=locked.file.name, content=table.text)
    locked.sheet, locked.by = table.found.sheet[:120], by
    locked.layout, locked.mapping = asdict(reading.layout), reading.mapping
    locked.preview = {"columns": reading.columns()}
    drop_tables(locked.pk)
    locked.chunks.all().delete()
    locked.rejects.all().delete()
    locked.phase, locked.phase_at, locked.settled = ImportPhase.PLAN, at, False
    locked.save()
    if former is not None:
        former.delete()
    return locked


@transaction.atomic
def set_import_mapping(
    *,
    job: ImportJob,
    mapping: Mapping[str, str],
    region: str | None = None,
    options: Mapping[str, str] | None = None,
    template: Mapping[str, str] | None = None,
    by: User,
    at: datetime,
) -> ImportJob:
    """Change which column fills which field (`{header: field}`, the others keep theirs), the region or the options
    before the import runs; with a `template`, all columns are guessed anew by it. The preview is to be made again.
    Raises `ImportNotReady`, `UnknownColumn`, `UnknownField`."""
    locked = lock_import(job.pk)
    _require(locked, ImportState.UPLOADED)
    region = (region or locked.region).upper()
    kept = {} if template else locked.mapping
    with open_text(locked) as stream:
        reading = read_layout(
            stream, {**kept, **mapping}, region, template=template, layout=layout_of(locked)
        )
    locked.region, locked.mapping, locked.by = region, reading.mapping, by
    locked.options = options_of({**locked.options, **(options or {})}).as_json()
    former = () if template else locked.preview.get("columns", ())
    locked.preview = {"columns": reading.columns(former)}
    locked.save(update_fields=["region", "mapping", "options", "preview", "by"])
    if locked.phase > ImportPhase.PLAN:
        forget_rows(locked.pk)
        locked.rejects.all().delete()
        locked.chunks.update(phase=ImportPhase.STAGE, reading=None, preview=None)
        locked.phase, locked.phase_at, locked.settled = ImportPhase.STAGE, at, False
        locked.save(update_fields=["phase", "phase_at", "settled"])
    return locked


# ---- preview


def preview_import(
    *, job: ImportJob, by: User, at: datetime, progress: Progress | None = None
) -> dict[str, Any]:
    """Find out what the import would do and store it on the job (`preview`), changing nothing else.

    It is the import itself, chunk by chunk, each rolled back. Keys: those of the summary, `rejected_by_reason`,
    `excluded_by_file`, `excluded_by_reason`, `screened_out_by_criterion`, `repairs`, `quality`, `columns`."""
    _require(job, ImportState.UPLOADED)
    with transaction.atomic():
        go_back(lock_import(job.pk), ImportPhase.MATCH, at)
    work_on(job_id=job.pk, at=at, progress=progress)
    job.refresh_from_db()
    return dict(job.preview)


def request_preview(*, job: ImportJob, by: User, at: datetime) -> ImportJob:
    """Preview a small file at once, a large one by the workers: `preview` has no `rows` until it is done."""
    if job.file.size <= PROMPT_PREVIEW_BYTES:
        preview_import(job=job, by=by, at=at)
    else:
        wake("campaigns.run_import", job.pk)
    return job


# ---- run


def start_import(*, job: ImportJob, by: User, at: datetime, wake_worker: bool = True) -> ImportJob:
    """Hand the import to the workers (or to the caller, who then runs it). Starting twice is starting once.
    Raises `ImportNotReady` once it ran, `CampaignClosed`."""
    with transaction.atomic():
        _start_in_turn(job)
        locked = lock_import(job.pk)
        if locked.state == ImportState.RUNNING:
            return locked
        _require(locked, ImportState.UPLOADED)
        require_unclosed(locked.campaign)
        locked.call_list = CallList.objects.create(
            campaign=locked.campaign, name=f"{locked.file.name}"[:200], source=locked.source, created_at=at
        )
        locked.state, locked.started_at, locked.by = ImportState.RUNNING, at, by
        locked.save(update_fields=["call_list", "state", "started_at", "by"])
        # What was found out for the preview may be out of date.
        go_back(locked, ImportPhase.MATCH, at)
        if wake_worker:
            wake_workers(locked)
    return locked


def _start_in_turn(job: ImportJob) -> None:
    """Imports that could bring the same person are started one after the other, and numbered by their lists."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, %s), pg_advisory_xact_lock(%s, %s)",
            [SPONSOR_LOCK, job.campaign.programme.sponsor_id, SOURCE_LOCK, job.source_id],
        )


def unfinished_import(job: ImportJob) -> ImportJob | None:
    """A running import of the very same file, fields and target as this one, which died on the way: to be gone on
    with."""
    same = ImportJob.objects.filter(
        campaign=job.campaign_id,
        source=job.source_id,
        region=job.region,
        mapping=job.mapping,
        options=job.options,
        sheet=job.sheet,
        file__sha256=job.file.sha256,
    )
    return same.filter(state=ImportState.RUNNING).exclude(pk=job.pk).first()


def cancel_import(*, job: ImportJob, by: User, at: datetime) -> ImportJob:
    """Stop an import. What its committed chunks wrote stays, and can be undone as after a whole one."""
    with transaction.atomic():
        locked = lock_import(job.pk)
        _require(locked, ImportState.UPLOADED, ImportState.RUNNING)
        locked.state, locked.finished_at = ImportState.CANCELLED, at
        locked.save(update_fields=["state", "finished_at"])
        close_tables(locked)
    return locked


def discard_upload(*, job: ImportJob) -> None:
    """Forget an import that was never started, with its file: a trial of the command line."""
    with transaction.atomic():
        locked = lock_import(job.pk)
        _require(locked, ImportState.UPLOADED)
        drop_tables(locked.pk)
        files = [locked.file_id, *([locked.text_id] if locked.text_id else [])]
        locked.delete()
        ImportFile.objects.filter(pk__in=files).delete()


def purge_uploads(*, at: datetime) -> int:
    """Forget the files that were uploaded `IMPORT_KEEP_UPLOADS_DAYS` ago and never imported, a hundred at most; returns
    how many. People's data is not kept for nothing."""
    before = at - timedelta(days=settings.IMPORT_KEEP_UPLOADS_DAYS)
    old = ImportJob.objects.filter(state=ImportState.UPLOADED, created_at__lt=before)
    found = list(old.filter(Q(phase_at__isnull=True) | Q(phase_at__lt=before)).order_by("pk")[:100])
    for job in found:
        try:
            discard_upload(job=job)
        except (ImportNotReady, ImportJob.DoesNotExist):
            continue  # Somebody started or discarded it meanwhile.
    return len(found)


def run_import(*, job_id: int, at: datetime, progress: Progress | None = None) -> dict[str, Any] | None:
    """Run a started import to its end, beside others who work on it; returns its counts once it is done, None when
    others are still at the rest of it, when it waits for its turn or was stopped. Killed at any point, the next run
    ends with the same rows as if nothing had happened."""
    work_on(job_id=job_id, at=at, progress=progress)
    job = ImportJob.objects.get(pk=job_id)
    return dict(job.counts) if job.state == ImportState.DONE else None


def _require(job: ImportJob, *states: ImportState) -> None:
    if job.state not in states:
        raise ImportNotReady()
