"""What a disposition changes elsewhere: bars, the queue's entry, callbacks; kept as `CallEffect` rows, and undone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from calls.enums import CallbackState, EffectKind
from calls.models import Call, Callback, CallEffect
from calls.rules.retry import Outcome, Plan, plan_entry
from calls.selectors.bars import callable_number, covering_exclusion
from calls.services.held import lock_entry, numbers_of, tell_prospect
from calls.services.mismatch import ask_about_shared_number, call_exclusions, entry_before, send_to_resourcing
from campaigns.enums import BarTarget, EntryState, ExclusionReason, Gate, Reach, Scope
from campaigns.models import Attempt, Disposition, DispositionRule, Exclusion, ListEntry
from campaigns.services.exclusions import lift_exclusion
from crm.enums import EventKind
from crm.models import User


@dataclass(frozen=True, slots=True)
class Agreed:
    """A time agreed for a later call: when, by whom (null: the first free agent), and whether the person gave it."""

    at: datetime
    agent: User | None = None
    exact: bool = False

    def facts(self) -> dict[str, Any]:
        """Return it as JSON for the history."""
        return {
            "callback_at": self.at.isoformat(),
            "callback_agent": self.agent.pk if self.agent else None,
            "exact": self.exact,
        }


def run_effects(
    call: Call, disposition: Disposition, agreed: Agreed | None, *, note: str, by: User, at: datetime
) -> None:
    """Do what the disposition of a locked call says: write its bars, settle its entry, agree its callback."""
    if not disposition.counts_as_attempt:
        Attempt.objects.filter(call_ref=call.pk).update(counted=False)
    # Read before the bars: they may close the entry.
    entry = lock_entry(call)
    before = entry_before(call, entry)
    _bar(call, disposition, by=by, at=at)
    if entry is not None:
        _settle(call, entry, before, disposition, agreed, note=note, by=by, at=at)
    if disposition.by_mismatch_only or disposition.bar_reason == ExclusionReason.WRONG_NUMBER:
        ask_about_shared_number(call, by=by, at=at)
    if disposition.resource and not (_is_about_the_number(disposition) and _has_another_number(call)):
        send_to_resourcing(call, by=by, at=at)


def undo_effects(call: Call, reason: str, *, by: User, at: datetime) -> None:
    """Undo what the call changed so far: lift its exclusions, cancel its callback, put its entry back as it was."""
    Attempt.objects.filter(call_ref=call.pk).update(counted=True)
    for exclusion in call_exclusions(call).order_by("pk"):
        lift_exclusion(exclusion=exclusion, reason=reason[:300], by=by, at=at)
    Callback.objects.filter(call=call, state=CallbackState.OPEN).update(
        state=CallbackState.CANCELLED, closed_at=at
    )
    entry = lock_entry(call)
    if entry is None:
        return
    first = call.effects.filter(kind=EffectKind.ENTRY, entry=entry).order_by("id").first()
    unknown = {"state": call.entry_was or EntryState.READY, "attempts": entry.attempts}
    before: dict[str, Any] = first.before if first else unknown
    restored = {
        "state": before["state"],
        "due_at": datetime.fromisoformat(before["due_at"]) if "due_at" in before else entry.due_at,
        "attempts": before["attempts"],
        "owner_id": before.get("owner"),
        "exact": before.get("exact", False),
        "excluded_by": None,
        "verdict_gate": "",
        "verdict_reason": "",
        "verdict_until": None,
        "updated_at": at,
    }
    ListEntry.objects.filter(pk=entry.pk).update(**restored)


def _bar(call: Call, disposition: Disposition, *, by: User, at: datetime) -> None:
    """Write the exclusions of a disposition, with this call as their cause."""
    if not disposition.bar_target:
        return
    prospect = call.prospect_id if disposition.bar_target != BarTarget.NUMBER else None
    numbers = [call.number] if disposition.bar_target != BarTarget.PROSPECT or prospect is None else []
    if prospect is not None:
        numbers.extend(numbers_of(prospect))
    place = _place(call, disposition.bar_scope)
    targets: list[dict[str, Any]] = [{"number": number} for number in dict.fromkeys(numbers)]
    if prospect is not None:
        targets.insert(0, {"prospect_id": prospect})
    bars = Exclusion.objects.bulk_create(
        Exclusion(
            scope=disposition.bar_scope,
            reason=disposition.bar_reason,
            since=at,
            created_by=by,
            call_ref=call.pk,
            **place,
            **target,
        )
        for target in targets
    )
    CallEffect.objects.bulk_create(
        CallEffect(call=call, kind=EffectKind.EXCLUSION, exclusion=bar, at=at) for bar in bars
    )
    tell_prospect(
        call,
        EventKind.EXCLUDED,
        by=by,
        at=at,
        data={
            "reason": disposition.bar_reason,
            "scope": disposition.bar_scope,
            "exclusions": [bar.pk for bar in bars],
        },
    )


def _place(call: Call, scope: str) -> dict[str, int]:
    return {
        Scope.EVERYWHERE: {},
        Scope.SPONSOR: {"sponsor_id": call.campaign.programme.sponsor_id},
        Scope.PROGRAMME: {"programme_id": call.campaign.programme_id},
        Scope.CAMPAIGN: {"campaign_id": call.campaign_id},
    }[Scope(scope)]


def _settle(
    call: Call,
    entry: ListEntry,
    before: dict[str, Any],
    disposition: Disposition,
    agreed: Agreed | None,
    *,
    note: str,
    by: User,
    at: datetime,
) -> None:
    number, bar = _still_callable(call, entry)
    plan = plan_entry(
        Outcome(
            final=disposition.final,
            requires_callback=disposition.requires_callback,
            retry_after=_delay(call, disposition),
            counts_as_attempt=disposition.counts_as_attempt,
            about_the_number=_is_about_the_number(disposition),
        ),
        attempts=before["attempts"],
        max_attempts=call.campaign.max_attempts,
        barred=not number and bar is not None,
        callable_number=bool(number),
        callback_at=agreed.at if agreed else None,
        at=at,
    )
    CallEffect.objects.create(call=call, kind=EffectKind.ENTRY, entry=entry, before=before, at=at)
    _close_callbacks(call, entry, at=at)
    _write(entry, plan, number, bar, agreed, at=at)
    if plan.state == EntryState.CALLBACK and agreed is not None:
        _agree(call, entry, agreed, note, by=by, at=at)


def _is_about_the_number(disposition: Disposition) -> bool:
    """Whether it says that a number is no good, and nothing of the person: their next number is tried."""
    return disposition.bar_target == BarTarget.NUMBER and disposition.reach == Reach.MACHINE


def _has_another_number(call: Call) -> bool:
    return call.prospect_id is not None and bool(callable_number(call.prospect_id, call.campaign_id))


def _still_callable(call: Call, entry: ListEntry) -> tuple[str, int | None]:
    """Return the number to dial next ("" when none) and the exclusion that covers the call's, if any."""
    number = callable_number(entry.prospect_id, entry.campaign_id)
    return number, covering_exclusion(call.number, entry.prospect_id, entry.campaign_id)


def _delay(call: Call, disposition: Disposition) -> Any:
    rule = DispositionRule.objects.filter(campaign=call.campaign_id, disposition=disposition).first()
    return (rule.delay() if rule else None) or disposition.retry_after


def _write(
    entry: ListEntry, plan: Plan, number: str, bar: int | None, agreed: Agreed | None, *, at: datetime
) -> None:
    promised = agreed if plan.state == EntryState.CALLBACK else None
    changes: dict[str, Any] = {
        "state": plan.state,
        "attempts": plan.attempts,
        "owner_id": promised.agent.pk if promised and promised.agent else None,
        "exact": promised.exact if promised else False,
        "excluded_by_id": bar if plan.state == EntryState.EXCLUDED else None,
        "verdict_gate": "",
        "verdict_reason": "",
        "verdict_until": None,
        "updated_at": at,
    }
    if plan.due_at is not None:
        changes["due_at"] = plan.due_at
    if number:
        changes["number"] = number
    if plan.state == EntryState.EXCLUDED and bar is not None:
        exclusion = Exclusion.objects.get(pk=bar)
        changes |= {
            "verdict_gate": Gate.EXCLUSION,
            "verdict_reason": exclusion.reason,
            "verdict_until": exclusion.until,
        }
    ListEntry.objects.filter(pk=entry.pk).update(**changes)


def _close_callbacks(call: Call, entry: ListEntry, *, at: datetime) -> None:
    """The callback that this call kept is done."""
    for callback in Callback.objects.filter(entry=entry, state=CallbackState.OPEN).exclude(call=call):
        Callback.objects.filter(pk=callback.pk).update(state=CallbackState.DONE, closed_at=at)
        CallEffect.objects.create(
            call=call,
            kind=EffectKind.CALLBACK,
            callback=callback,
            before={"state": str(callback.state)},
            at=at,
        )


def _agree(call: Call, entry: ListEntry, agreed: Agreed, note: str, *, by: User, at: datetime) -> None:
    callback = Callback.objects.create(
        entry=entry,
        campaign_id=entry.campaign_id,
        prospect_id=entry.prospect_id,
        call=call,
        owner=agreed.agent,
        due_at=agreed.at,
        exact=agreed.exact,
        note=note[:500],
        created_by=by,
        created_at=at,
    )
    CallEffect.objects.create(
        call=call, kind=EffectKind.CALLBACK, callback=callback, before={"state": None}, at=at
    )
    tell_prospect(
        call,
        EventKind.CALLBACK,
        by=by,
        at=at,
        data={"callback": callback.pk, "due_at": agreed.at.isoformat(), "exact": agreed.exact},
    )
