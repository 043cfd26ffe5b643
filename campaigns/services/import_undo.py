"""Taking an import back, while nothing of it was called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.enums import EntryState, ImportState
from campaigns.models import Attempt, ImportJob, ImportRow, ListEntry
from campaigns.rules.records import COLUMN_LENGTHS
from campaigns.services.consents import annul_consents
from crm.models import User
from crm.rules.errors import InvalidTransition
from crm.services.hooks import prospects_changed
from crm.services.prospects import PERSONAL

#: States that only a call or an agent brings about.
TOUCHED = (EntryState.CLAIMED, EntryState.CALLBACK, EntryState.DONE)

CHUNK = 5_000


class ImportAlreadyUsed(InvalidTransition):
    """Somebody of this import was called, or is about to be."""

    default_message = _(
        "Des fiches de cet import ont déjà été présentées ou appelées : il ne peut plus être défait."
    )


@dataclass(frozen=True, slots=True)
class UndoResult:
    """What was taken back: entries removed, records erased that the import had made, records put back as before."""

    entries: int
    erased: int
    restored: int


def undo_import(*, job: ImportJob, by: User, at: datetime) -> UndoResult:
    """Take a finished, failed or cancelled import back, as a whole or not at all.

    Its list entries go; the records that it made are erased (unless another list or import uses them), those that it
    changed get their former values back unless somebody changed them since; the consents that it told end. Bars and
    withdrawals stay: an opposition that the file told is still one. Raises `ImportAlreadyUsed` or
    `InvalidTransition`."""
    try:
        with transaction.atomic():
            return _undone(job, by, at)
    except IntegrityError as error:
        # A call or a callback holds on to an entry.
        raise ImportAlreadyUsed() from error


def _undone(job: ImportJob, by: User, at: datetime) -> UndoResult:
    locked = ImportJob.objects.select_for_update(of=("self",)).get(pk=job.pk)
    if locked.state not in (ImportState.DONE, ImportState.FAILED, ImportState.CANCELLED):
        raise InvalidTransition(_("Seul un import terminé peut être défait."))
    entries = ListEntry.objects.filter(call_list__isnull=False, call_list=locked.call_list_id)
    list(entries.order_by("pk").select_for_update().values_list("pk", flat=True))
    _refuse_used(locked, entries)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("DELETE FROM campaigns_listentry WHERE call_list_id = %s", [locked.call_list_id])
        removed = cursor.rowcount
        restored = _restore(cursor, locked, at)
        annul_consents(cursor, import_ref=locked.pk, by_id=by.pk, at=at)
        erased = _erase(cursor, locked, by, at)
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    if restored:
        prospects_changed(restored, at)
    locked.state, locked.finished_at = ImportState.UNDONE, at
    locked.save(update_fields=["state", "finished_at"])
    return UndoResult(entries=removed, erased=erased, restored=len(restored))


def _refuse_used(job: ImportJob, entries: QuerySet[ListEntry]) -> None:
    made = ImportRow.objects.filter(job=job, outcome="created").values("prospect")
    if (
        entries.filter(state__in=TOUCHED).exists()
        or entries.filter(attempts__gt=0).exists()
        or Attempt.objects.filter(prospect__in=made).exists()
        or Attempt.objects.filter(campaign=job.campaign_id, prospect__in=entries.values("prospect")).exists()
    ):
        raise ImportAlreadyUsed()


_COLUMNS = tuple(COLUMN_LENGTHS)

_RESTORE = f"""
UPDATE crm_prospect p
   SET {", ".join(f"{name} = r.before ->> '{name}'" for name in _COLUMNS)}, attributes = r.before -> 'attributes',
       version = p.version + 1, updated_at = %(at)s
  FROM campaigns_importrow r
 WHERE r.job_id = %(job)s AND r.outcome = 'updated' AND r.prospect_id = p.id AND p.erased_at IS NULL
   AND p.version = (r.before ->> 'version')::int
RETURNING p.id
"""

_FORGET = """
DELETE FROM campaigns_suppliedvalues v USING campaigns_importrow r
 WHERE r.job_id = %(job)s AND r.outcome = 'updated' AND r.prospect_id = v.prospect_id
"""


def _restore(cursor: CursorWrapper, job: ImportJob, at: datetime) -> list[int]:
    """Former values back, where nobody corrected the record since; numbers that came with the import stay."""
    params: dict[str, Any] = {"job": job.pk, "at": at}
    cursor.execute(_FORGET, params)
    cursor.execute(_RESTORE, params)
    return sorted(row[0] for row in cursor.fetchall())


_ERASABLE = """
SELECT r.prospect_id FROM campaigns_importrow r
 WHERE r.job_id = %(job)s AND r.outcome = 'created'
   AND NOT EXISTS (SELECT FROM campaigns_listentry e WHERE e.prospect_id = r.prospect_id)
   AND NOT EXISTS (SELECT FROM campaigns_importrow o WHERE o.prospect_id = r.prospect_id AND o.job_id <> r.job_id)
 ORDER BY r.prospect_id
"""

# The triggers do the rest: bars move to the numbers, the numbers go, what the supplier said is forgotten.
_ERASE = f"""
UPDATE crm_prospect
   SET erased_external_id = CASE WHEN external_id = '' THEN ''
                                 ELSE encode(sha256(convert_to(external_id, 'UTF8')), 'hex') END,
       {", ".join(f"{name} = ''" for name in PERSONAL)}, attributes = '{{}}', confidential = false,
       erased_at = %(at)s, updated_at = %(at)s, version = version + 1
 WHERE id = ANY(%(prospects)s)
"""

_BLANK_EVENTS = (
    "UPDATE crm_prospectevent SET data = '{}' WHERE prospect_id = ANY(%(prospects)s) AND data <> '{}'"
)

_TELL = """
INSERT INTO crm_prospectevent (prospect_id, at, by_id, kind, data)
SELECT id, %(at)s, %(by)s, 'erased', jsonb_build_object('import', %(job)s::bigint, 'why', 'import_undone')
  FROM unnest(%(prospects)s::bigint[]) id
"""


def _erase(cursor: CursorWrapper, job: ImportJob, by: User, at: datetime) -> int:
    """Erase the records that only this import knew."""
    cursor.execute(_ERASABLE, {"job": job.pk})
    prospects = [row[0] for row in cursor.fetchall()]
    for start in range(0, len(prospects), CHUNK):
        params: dict[str, Any] = {
            "prospects": prospects[start : start + CHUNK],
            "at": at,
            "by": by.pk,
            "job": job.pk,
        }
        for statement in (_ERASE, _BLANK_EVENTS, _TELL):
            cursor.execute(statement, params)
    return len(prospects)
