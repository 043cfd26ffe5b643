"""A mismatch, stored: the answer, and in the same statement by the database the bars; then what people are told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from calls.enums import AnsweredBy, CallEventKind, EffectKind, IncidentKind, Result
from calls.models import Call, CallAnswer, CallEffect, Incident
from calls.selectors.choosing import others_on_number
from calls.services.held import Line, line, talk_lease, tell, tell_all
from campaigns.enums import ClosingKind, EntryState, Scope
from campaigns.models import Criterion, Exclusion, ListEntry
from crm.enums import EventKind
from crm.models import User


def store_mismatch(call: Call, criterion: Criterion | None, heard: str, *, by: User, at: datetime) -> Call:
    """Store a mismatch on a locked call and return the call as the database left it.

    Blocking (or without criterion: somebody else answered), it is final: call, bars, entry and callbacks go with the
    answer's own statement. A non-blocking one is reported and excludes nothing.
    """
    entry = call.entry
    before = entry_before(call, entry)
    expected = _expected(call, criterion)[:200]
    version = criterion.version if criterion else 0
    CallAnswer.objects.create(
        call=call,
        criterion=criterion,
        version=version,
        result=Result.MISMATCH,
        blocking=criterion.blocking if criterion else True,
        expected=expected,
        heard=heard,
        answered_by=call.answered_by,
        respondent=call.respondent,
        at=at,
        by=by,
    )
    data = {
        "criterion": criterion.pk if criterion else None,
        "version": version,
        "result": str(Result.MISMATCH),
        "expected": expected,
        "heard": heard,
    }
    if not _read_what_it_did(call, at):
        tell(call, CallEventKind.CRITERION, by=by, at=at, data=data)
        return call
    bars, others = _bars_of(call)
    lines = _lines(data, sorted(bar.pk for bar in bars))
    incidents = shared_number(call, bars, others, by=by, at=at)
    if call.answered_by == AnsweredBy.OTHER:
        found, told = resourcing(call, by=by, at=at)
        incidents += found
        lines += told
    tell_all(call, lines, by=by, at=at)
    if entry is not None:
        CallEffect.objects.create(call=call, kind=EffectKind.ENTRY, entry=entry, before=before, at=at)
        ListEntry.objects.filter(pk=entry.pk).update(attempts=before["attempts"] + 1)
    report(incidents)
    return call


#: What the answer's own statement changed of the call, where the answer is final.
AFTER = """
    UPDATE calls_call SET closing_at = %s, line_dead_at = NULL, lease_until = %s
     WHERE id = %s AND out_of_criteria_at IS NOT NULL
    RETURNING state, closing_kind, closing_at, goodbye_at, goodbyes, line_dead_at, lease_until, out_of_criteria_at,
              disposition_id
"""


def _read_what_it_did(call: Call, at: datetime) -> bool:
    """Start the closing of a call that the database found out of criteria; return whether it did."""
    with connection.cursor() as cursor:
        cursor.execute(AFTER, [at, talk_lease(call, at), call.pk])
        row = cursor.fetchone()
        names = [column.name for column in cursor.description]
    for name, value in zip(names, row or (), strict=False):
        setattr(call, name, value)
    return row is not None


def _lines(data: dict[str, Any], bars: Sequence[int]) -> list[Line]:
    excluded = {"reason": "out_of_criteria", "scope": str(Scope.PROGRAMME), "exclusions": bars}
    return [
        line(CallEventKind.CRITERION, data),
        line(CallEventKind.CLOSING_STARTED, {"closing": str(ClosingKind.MISMATCH)}),
        Line(EventKind.OUT_OF_CRITERIA, data),
        Line(EventKind.EXCLUDED, excluded),
    ]


def _expected(call: Call, criterion: Criterion | None) -> str:
    if criterion is not None:
        return criterion.expected or _value_of(criterion)
    return call.prospect.display_name if call.prospect else ""


def _value_of(criterion: Criterion) -> str:
    value = criterion.value
    return " – ".join(str(item or "…") for item in value) if isinstance(value, list) else str(value or "")


def entry_before(call: Call, entry: ListEntry | None) -> dict[str, Any]:
    """Return what a correction needs to put an entry back: as it was before the claim, JSON."""
    if entry is None:
        return {}
    held_by_call = entry.state == EntryState.CLAIMED
    return {
        "state": (call.entry_was or EntryState.READY) if held_by_call else entry.state,
        "due_at": entry.due_at.isoformat(),
        "attempts": entry.attempts,
        "owner": entry.owner_id,
        "exact": entry.exact,
        "number": entry.number,
    }


def call_exclusions(call: Call) -> QuerySet[Exclusion]:
    """Return the active exclusions that this call caused."""
    return Exclusion.objects.filter(call_ref=call.pk, lifted_at__isnull=True)


def _bars_of(call: Call) -> tuple[Sequence[Exclusion], int]:
    """Return the active exclusions that this call caused and how many other records have its number. One query."""
    bars = list(call_exclusions(call).annotate(others=others_on_number(call)).order_by("id"))
    return bars, int(bars[0].others or 0) if bars else 0


def shared_number(
    call: Call, bars: Sequence[Exclusion], others: int, *, by: User, at: datetime
) -> list[Incident]:
    """Return the question whether the other records on the barred number may be called on it, where there are any.

    `bars` are the exclusions that the call caused, by id; `others` is how many such records there are.
    """
    on_number = [bar for bar in bars if bar.number == call.number]
    if not on_number or not others:
        return []
    data = {"others": others}
    return [_incident(call, IncidentKind.SHARED_NUMBER, by=by, at=at, exclusion=on_number[-1], data=data)]


def resourcing(call: Call, *, by: User, at: datetime) -> tuple[list[Incident], list[Line]]:
    """Return what puts the fiche on the manager's list: its number reached somebody else, another one may be found."""
    if call.prospect_id is None:
        return [], []
    data = {"campaign": call.campaign_id}
    incident = _incident(call, IncidentKind.RESOURCING, by=by, at=at, data=data)
    return [incident], [Line(EventKind.RESOURCED, data)]


def report(incidents: Sequence[Incident]) -> None:
    """Store these incidents; one that its call has already is left as it is."""
    if incidents:
        Incident.objects.bulk_create(incidents, ignore_conflicts=True)


def _incident(
    call: Call,
    kind: IncidentKind,
    *,
    by: User,
    at: datetime,
    data: dict[str, Any],
    exclusion: Exclusion | None = None,
) -> Incident:
    return Incident(
        call=call,
        kind=kind,
        sponsor_id=call.campaign.programme.sponsor_id,
        prospect_id=call.prospect_id,
        exclusion=exclusion,
        data=data,
        at=at,
        by=by,
    )
