"""A mismatch, stored: the answer, and in the same statement by the database the bars; then what people are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from calls.enums import AnsweredBy, CallEventKind, EffectKind, IncidentKind, Mode, Result
from calls.models import Call, CallAnswer, CallEffect, Incident
from calls.services.conclude import Consequences, as_json, columns_of, conclude, incident_of
from calls.services.held import Line, line, talk_lease, tell
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
    answer = CallAnswer(
        call=call,
        criterion=criterion,
        version=version,
        result=Result.MISMATCH,
        blocking=criterion.blocking if criterion else True,
        expected=expected,
        heard=heard,
        answered_by=call.answered_by,
        respondent=call.respondent,
    )
    final = _store(answer, by=by, at=at)
    data = {
        "criterion": criterion.pk if criterion else None,
        "version": version,
        "result": str(Result.MISMATCH),
        "expected": expected,
        "heard": heard,
    }
    if final is None:
        tell(call, CallEventKind.CRITERION, by=by, at=at, data=data)
        return call
    lines = _lines(data, final.bars)
    incidents = shared_number(call, final.number_bar, final.others, by=by, at=at)
    if call.answered_by == AnsweredBy.OTHER:
        found, told = resourcing(call, by=by, at=at)
        incidents += found
        lines += told
    changed: dict[str, Any] = {}
    effects = []
    if entry is not None:
        # Who calls us was not called.
        changed = {"attempts": before["attempts"] + (call.mode != Mode.INBOUND)}
        effects.append(CallEffect(call=call, kind=EffectKind.ENTRY, entry=entry, before=before))
    outcome = Consequences(changed, effects, incidents, lines)
    lease = talk_lease(call, at)
    return conclude(call, outcome, by=by, at=at, closing_at=at, line_dead_at=None, lease_until=lease)


@dataclass(frozen=True, slots=True)
class Final:
    """What the answer's own statement wrote: the ids of the bars, and which of them is on the call's number.

    `others`: how many other records of the programme have that number.
    """

    bars: list[int]
    number_bar: int | None
    others: int


def _store(answer: CallAnswer, *, by: User, at: datetime) -> Final | None:
    """Store an answer and read what the database made of its call, None for nothing final. One statement."""
    call = answer.call
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM courtois_store_mismatch(%s, %s, %s, %s)",
            [call.pk, by.pk, at, as_json(columns_of(answer))],
        )
        row = cursor.fetchone()
        names = [column.name for column in cursor.description]
    if row is None:
        return None
    found = dict(zip(names, row, strict=True))
    final = Final(found.pop("bars"), found.pop("number_bar"), found.pop("others"))
    for name, value in found.items():
        setattr(call, name, value)
    return final


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


def shared_number(call: Call, bar: int | None, others: int, *, by: User, at: datetime) -> list[Incident]:
    """Return the question whether the other records on the barred number may be called on it, where there are any.

    `bar` is the exclusion that the call caused on its number; `others` is how many such records there are.
    """
    if bar is None or not others:
        return []
    data = {"others": others}
    return [incident_of(call, IncidentKind.SHARED_NUMBER, by=by, at=at, exclusion=bar, data=data)]


def resourcing(call: Call, *, by: User, at: datetime) -> tuple[list[Incident], list[Line]]:
    """Return what puts the fiche on the manager's list: its number reached somebody else, another one may be found."""
    if call.prospect_id is None:
        return [], []
    data = {"campaign": call.campaign_id}
    incident = incident_of(call, IncidentKind.RESOURCING, by=by, at=at, data=data)
    return [incident], [Line(EventKind.RESOURCED, data)]
