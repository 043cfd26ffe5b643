"""A mismatch, stored: the answer, and in the same statement by the database the bars; then what people are told."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from calls.enums import AnsweredBy, CallEventKind, EffectKind, IncidentKind, Result
from calls.models import Call, CallAnswer, CallEffect, Incident
from calls.services.held import talk_lease, tell, tell_prospect
from campaigns.enums import ClosingKind, EntryState, Scope
from campaigns.models import Criterion, Exclusion, ListEntry
from crm.enums import EventKind
from crm.models import ProspectNumber, User


def store_mismatch(call: Call, criterion: Criterion | None, heard: str, *, by: User, at: datetime) -> Call:
    """Store a mismatch on a locked call and return the call as the database left it.

    Blocking (or without criterion: somebody else answered), it is final: call, bars, entry and callbacks go with the
    answer's own statement. A non-blocking one is reported and excludes nothing.
    """
    entry = ListEntry.objects.filter(pk=call.entry_id).first() if call.entry_id else None
    before = entry_before(call, entry)
    answer = CallAnswer.objects.create(
        call=call,
        criterion=criterion,
        version=criterion.version if criterion else 0,
        result=Result.MISMATCH,
        blocking=criterion.blocking if criterion else True,
        expected=_expected(call, criterion)[:200],
        heard=heard,
        answered_by=call.answered_by,
        respondent=call.respondent,
        at=at,
        by=by,
    )
    answer.refresh_from_db(fields=["blocking"])
    data = {
        "criterion": criterion.pk if criterion else None,
        "version": answer.version,
        "result": str(Result.MISMATCH),
        "expected": answer.expected,
        "heard": heard,
    }
    tell(call, CallEventKind.CRITERION, by=by, at=at, data=data)
    if not answer.blocking:
        return call
    Call.objects.filter(pk=call.pk).update(closing_at=at, line_dead_at=None, lease_until=talk_lease(call, at))
    call.refresh_from_db()
    _tell_all(call, data, by=by, at=at)
    if entry is not None:
        CallEffect.objects.create(call=call, kind=EffectKind.ENTRY, entry=entry, before=before, at=at)
        ListEntry.objects.filter(pk=entry.pk).update(attempts=before["attempts"] + 1)
    ask_about_shared_number(call, by=by, at=at)
    if call.answered_by == AnsweredBy.OTHER:
        send_to_resourcing(call, by=by, at=at)
    return call


def _tell_all(call: Call, data: dict[str, Any], *, by: User, at: datetime) -> None:
    tell(call, CallEventKind.CLOSING_STARTED, by=by, at=at, data={"closing": str(ClosingKind.MISMATCH)})
    tell_prospect(call, EventKind.OUT_OF_CRITERIA, by=by, at=at, data=data)
    bars = call_exclusions(call).values_list("pk", flat=True)
    tell_prospect(
        call,
        EventKind.EXCLUDED,
        by=by,
        at=at,
        data={"reason": "out_of_criteria", "scope": str(Scope.PROGRAMME), "exclusions": sorted(bars)},
    )


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


def ask_about_shared_number(call: Call, *, by: User, at: datetime) -> None:
    """Ask the supervisor whether the other records on the barred number may be called on it, where there are any."""
    bar = (
        Exclusion.objects.filter(call_ref=call.pk, number=call.number, lifted_at__isnull=True)
        .order_by("-id")
        .first()
    )
    if bar is None:
        return
    others = (
        ProspectNumber.objects.filter(
            number=call.number, prospect__entries__campaign__programme=call.campaign.programme_id
        )
        .exclude(prospect=call.prospect_id)
        .values("prospect")
        .distinct()
        .count()
    )
    if others:
        _report(call, IncidentKind.SHARED_NUMBER, by=by, at=at, exclusion=bar, data={"others": others})


def send_to_resourcing(call: Call, *, by: User, at: datetime) -> None:
    """Put the fiche on the manager's list: its number reached somebody else, another one may be found."""
    if call.prospect_id is None:
        return
    _report(call, IncidentKind.RESOURCING, by=by, at=at, data={"campaign": call.campaign_id})
    tell_prospect(call, EventKind.RESOURCED, by=by, at=at, data={"campaign": call.campaign_id})


def _report(
    call: Call,
    kind: IncidentKind,
    *,
    by: User,
    at: datetime,
    data: dict[str, Any],
    exclusion: Exclusion | None = None,
) -> None:
    Incident.objects.get_or_create(
        call=call,
        kind=kind,
        defaults={
            "sponsor_id": call.campaign.programme.sponsor_id,
            "prospect_id": call.prospect_id,
            "exclusion": exclusion,
            "data": data,
            "at": at,
            "by": by,
        },
    )
