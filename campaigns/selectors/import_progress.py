"""How far an import is, while somebody looks on: phase, rows, pace, what it waits for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns.enums import ImportPhase, ImportState
from campaigns.models import ImportJob
from campaigns.selectors.imports import PHASE_SHARES, imports_ahead, progress_of

#: Without a sign of life for so long, the page says that nobody works on it.
SILENT_AFTER = timedelta(seconds=20)
#: What a slow machine does of the steps that are not cut into chunks.
BYTES_A_SECOND, ROWS_A_SECOND = 20_000_000, 20_000
#: A pace is told once it rests on so much time.
PACE_AFTER = timedelta(seconds=2)

PHASES = (ImportPhase.PLAN, ImportPhase.STAGE, ImportPhase.MATCH, ImportPhase.MERGE)
#: A preview writes as the import does, and takes it all back.
TRIAL = gettext_lazy("Essai à blanc")


@dataclass(frozen=True, slots=True)
class Progress:
    """`steps` are the phases as (label, "done", "now" or "next"); `done` of `total` rows have gone through the present
    one, at `rate` rows per second (0 while it cannot be told); `left`: the time that remains, in words, or "". `ahead`:
    how many imports must end before this one goes on. `silent`: nobody has worked on it for a while."""

    percent: int
    steps: tuple[tuple[Any, str], ...]
    phase: Any
    done: int
    total: int
    rate: int
    left: str
    ahead: int
    silent: bool


def is_under_way(job: ImportJob) -> bool:
    """Tell whether a preview or a run is not finished."""
    if job.state == ImportState.UPLOADED:
        return "rows" not in job.preview
    return job.state == ImportState.RUNNING


def progress(job: ImportJob, at: datetime) -> Progress:
    """Return how far an import that is under way has come at a moment. Four queries."""
    rows: dict[int, int] = dict(job.chunks.values_list("phase").annotate(Sum("rows")).order_by())
    done = sum(count for phase, count in rows.items() if phase > job.phase)
    ahead = imports_ahead(job).count() if job.phase >= ImportPhase.MATCH else 0
    spent = at - (job.phase_at or job.created_at)
    # A wait says nothing of the pace.
    rate = done / spent.total_seconds() if spent >= PACE_AFTER and not ahead else 0.0
    return Progress(
        percent=progress_of(job),
        steps=tuple((_label(job, phase), _standing(job, phase)) for phase in PHASES),
        phase=_label(job, ImportPhase(job.phase)),
        done=done,
        total=job.total_rows,
        rate=round(rate),
        left=_time_left(_seconds_left(job, rows, rate)),
        ahead=ahead,
        silent=not ahead and _is_silent(job, at),
    )


def _label(job: ImportJob, phase: ImportPhase) -> Any:
    return TRIAL if phase == ImportPhase.MERGE and job.state == ImportState.UPLOADED else phase.label


def _standing(job: ImportJob, phase: ImportPhase) -> str:
    if phase == job.phase:
        return "now"
    return "done" if phase < job.phase else "next"


def _seconds_left(job: ImportJob, rows: dict[int, int], rate: float) -> float | None:
    """The present phase tells the pace, and each phase its share of the work; None when the pace is unknown."""
    present, following = (
        PHASE_SHARES.get(ImportPhase(phase), 0) for phase in (job.phase, min(job.phase + 1, 4))
    )
    if not rate or following == present:
        return None
    missing = sum((100 - PHASE_SHARES.get(ImportPhase(phase), 0)) * count for phase, count in rows.items())
    return missing / (rate * (following - present))


def _time_left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 10:
        return _("encore quelques secondes")
    if seconds < 90:
        tens = round(seconds / 10) * 10
        return _("encore %(n)d secondes environ") % {"n": tens}
    minutes = round(seconds / 60)
    return ngettext("encore %(n)d minute environ", "encore %(n)d minutes environ", minutes) % {"n": minutes}


def _is_silent(job: ImportJob, at: datetime) -> bool:
    signs = (job.chunks.aggregate(last=Max("done_at"))["last"], job.phase_at, job.started_at, job.created_at)
    return at - max(sign for sign in signs if sign is not None) > SILENT_AFTER + _longest_step(job)


def _longest_step(job: ImportJob) -> timedelta:
    """Cutting the text into chunks and comparing the rows with each other are one step each, however many they are."""
    return timedelta(seconds=job.file.size / BYTES_A_SECOND + job.total_rows / ROWS_A_SECOND)
