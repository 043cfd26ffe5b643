"""What a disposition changes elsewhere: bars, the queue's entry, callbacks; kept as `CallEffect` rows, and undone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from calls.enums import CallbackState, EffectKind
from calls.models import Call, Callback, CallEffect, Incident
from calls.rules.retry import Outcome, Plan, plan_entry
from calls.selectors.bars import callable_number
from calls.selectors.choosing import Choice
from calls.services.held import Line, lock_entry
from calls.services.mismatch import (
    call_exclusions,
    entry_before,
    report,
    resourcing,
    shared_number,
)
from campaigns.enums import BarTarget, EntryState, ExclusionReason, Gate, Reach, Scope
from campaigns.models import Attempt, Disposition, Exclusion, ListEntry
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
    call: Call, choice: Choice, agreed: Agreed | None, *, note: str, by: User, at: datetime
) -> list[Line]:
    """Do what the disposition of a locked call says: write its bars, settle its entry, agree its callback.

    Returns the lines that the caller tells, after the disposition's own.
    """
    disposition = choice.disposition
    if not disposition.counts_as_attempt:
        Attempt.objects.filter(call_ref=call.pk).update(counted=False)
    # Read before the bars: they may close the entry.
    entry = lock_entry(call)
    before = entry_before(call, entry)
    bars, lines = _bar(call, choice, by=by, at=at)
    effects = [CallEffect(call=call, kind=EffectKind.EXCLUSION, exclusion=bar, at=at) for bar in bars]
    another = None
    if entry is not None:
        after = _close_callbacks(call, entry, at=at)
        another = after.number
        settled, told = _settle(call, entry, before, choice, agreed, after, note=note, by=by, at=at)
        effects += settled
        lines += told
    if effects:
        CallEffect.objects.bulk_create(effects)
    incidents: list[Incident] = []
    if disposition.by_mismatch_only or disposition.bar_reason == ExclusionReason.WRONG_NUMBER:
        incidents += shared_number(call, bars, choice.others, by=by, at=at)
    if disposition.resource and not (
        _is_about_the_number(disposition) and _has_another_number(call, another)
    ):
        found, told = resourcing(call, by=by, at=at)
        incidents += found
        lines += told
    report(incidents)
    return lines


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


def _bar(call: Call, choice: Choice, *, by: User, at: datetime) -> tuple[list[Exclusion], list[Line]]:
    """Write the exclusions of a disposition, with this call as their cause."""
    disposition = choice.disposition
    if not disposition.bar_target:
        return [], []
    prospect = call.prospect_id if disposition.bar_target != BarTarget.NUMBER else None
    numbers = [call.number] if disposition.bar_target != BarTarget.PROSPECT or prospect is None else []
    if prospect is not None:
        numbers.extend(choice.numbers)
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
    told = {
        "reason": disposition.bar_reason,
        "scope": disposition.bar_scope,
        "exclusions": [bar.pk for bar in bars],
    }
    return bars, [Line(EventKind.EXCLUDED, told)]


def _place(call: Call, scope: str) -> dict[str, int]:
    return {
        Scope.EVERYWHERE: {},
        Scope.SPONSOR: {"sponsor_id": call.campaign.programme.sponsor_id},
        Scope.PROGRAMME: {"programme_id": call.campaign.programme_id},
        Scope.CAMPAIGN: {"campaign_id": call.campaign_id},
    }[Scope(scope)]


@dataclass(frozen=True, slots=True)
class After:
    """How an entry stands once the bars of its call are written.

    `number`: the one to dial next ("" when none); `bar`: the exclusion that covers the call's, with its `reason` and
    `until`; `callbacks`: ids of those that are done with this call.
    """

    number: str
    bar: int | None
    reason: str
    until: datetime | None
    callbacks: list[int]


CLOSE_CALLBACKS = """
    WITH kept AS (
        UPDATE calls_callback SET state = 'done', closed_at = %(at)s
         WHERE entry_id = %(entry)s AND state = 'open' AND call_id IS DISTINCT FROM %(call)s
        RETURNING id
    )
    SELECT coalesce(asked.number, ''), asked.bar, coalesce(x.reason, ''), x.until,
           ARRAY(SELECT id FROM kept ORDER BY id)
      FROM (SELECT courtois_callable_number(%(prospect)s, %(campaign)s) AS number,
                   courtois_covering_exclusion(%(number)s, %(prospect)s, %(campaign)s) AS bar OFFSET 0) asked
      LEFT JOIN campaigns_exclusion x ON x.id = asked.bar
"""


def _close_callbacks(call: Call, entry: ListEntry, *, at: datetime) -> After:
    """The callback that this call kept is done. Returns how the entry stands. One statement."""
    facts: dict[str, int | str | datetime] = {
        "call": call.pk,
        "number": call.number,
        "entry": entry.pk,
        "prospect": entry.prospect_id,
        "campaign": entry.campaign_id,
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(CLOSE_CALLBACKS, facts)
        return After(*cursor.fetchone())


def _settle(
    call: Call,
    entry: ListEntry,
    before: dict[str, Any],
    choice: Choice,
    agreed: Agreed | None,
    after: After,
    *,
    note: str,
    by: User,
    at: datetime,
) -> tuple[list[CallEffect], list[Line]]:
    disposition = choice.disposition
    plan = plan_entry(
        Outcome(
            final=disposition.final,
            retry_after=choice.delay,
            counts_as_attempt=disposition.counts_as_attempt,
            about_the_number=_is_about_the_number(disposition),
        ),
        attempts=before["attempts"],
        max_attempts=None if call.campaign.is_unrestricted else call.campaign.max_attempts,
        barred=not after.number and after.bar is not None,
        callable_number=bool(after.number),
        callback_at=agreed.at if agreed else None,
        at=at,
    )
    effects = [CallEffect(call=call, kind=EffectKind.ENTRY, entry=entry, before=before, at=at)]
    kept = {"state": str(CallbackState.OPEN)}
    effects += [
        CallEffect(call=call, kind=EffectKind.CALLBACK, callback_id=done, before=kept, at=at)
        for done in after.callbacks
    ]
    _write(entry, plan, after, agreed, at=at)
    if plan.state != EntryState.CALLBACK or agreed is None:
        return effects, []
    callback, told = _agree(call, entry, agreed, note, by=by, at=at)
    return [*effects, callback], [told]


def _is_about_the_number(disposition: Disposition) -> bool:
    """Whether it says that a number is no good, and nothing of the person: their next number is tried."""
    return disposition.bar_target == BarTarget.NUMBER and disposition.reach == Reach.MACHINE


def _has_another_number(call: Call, another: str | None) -> bool:
    if another is not None:
        return another != ""
    return call.prospect_id is not None and bool(callable_number(call.prospect_id, call.campaign_id))


def _write(entry: ListEntry, plan: Plan, after: After, agreed: Agreed | None, *, at: datetime) -> None:
    promised = agreed if plan.state == EntryState.CALLBACK else None
    changes: dict[str, Any] = {
        "state": plan.state,
        "attempts": plan.attempts,
        "owner_id": promised.agent.pk if promised and promised.agent else None,
        "exact": promised.exact if promised else False,
        "excluded_by_id": after.bar if plan.state == EntryState.EXCLUDED else None,
        "verdict_gate": "",
        "verdict_reason": "",
        "verdict_until": None,
        "updated_at": at,
    }
    if plan.due_at is not None:
        changes["due_at"] = plan.due_at
    if after.number:
        changes["number"] = after.number
    if plan.state == EntryState.EXCLUDED and after.bar is not None:
        changes |= {
            "verdict_gate": Gate.EXCLUSION,
            "verdict_reason": after.reason,
            "verdict_until": after.until,
        }
    ListEntry.objects.filter(pk=entry.pk).update(**changes)


def _agree(
    call: Call, entry: ListEntry, agreed: Agreed, note: str, *, by: User, at: datetime
) -> tuple[CallEffect, Line]:
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
    told = {"callback": callback.pk, "due_at": agreed.at.isoformat(), "exact": agreed.exact}
    effect = CallEffect(call=call, kind=EffectKind.CALLBACK, callback=callback, before={"state": None}, at=at)
    return effect, Line(EventKind.CALLBACK, told)
