"""What a disposition changes elsewhere: bars, the queue's entry, callbacks; kept as `CallEffect` rows, and undone."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from calls.enums import FROM_OUTSIDE, CallbackState, EffectKind, Mode
from calls.models import Call, Callback, CallEffect, Incident
from calls.rules.retry import Outcome, Plan, plan_entry
from calls.selectors.choosing import Choice
from calls.services.conclude import Consequences
from calls.services.held import Line, lock_entry
from calls.services.mismatch import (
    call_exclusions,
    entry_before,
    resourcing,
    shared_number,
)
from campaigns.enums import WAITING, BarTarget, EntryState, ExclusionReason, Gate, Reach, Scope
from campaigns.models import Disposition, ListEntry
from campaigns.services.exclusions import lift_exclusions
from crm.enums import EventKind
from crm.models import User


@dataclass(frozen=True, slots=True)
class Agreed:
    """A time agreed for a later call: when, by whom (null: the first free agent), and whether the person gave it.

    `language` is the one in which the person is called back, "" for that of the entry.
    """

    at: datetime
    agent: User | None = None
    exact: bool = False
    language: str = ""

    def facts(self) -> dict[str, Any]:
        """Return it as JSON for the history."""
        return {
            "callback_at": self.at.isoformat(),
            "callback_agent": self.agent.pk if self.agent else None,
            "exact": self.exact,
            **({"callback_language": self.language} if self.language else {}),
        }


def run_effects(
    call: Call, choice: Choice, agreed: Agreed | None, *, note: str, by: User, at: datetime
) -> Consequences:
    """Do what the disposition of a locked call says: write its bars, settle its entry, agree its callback.

    Returns what the caller stores with the disposition, by `conclude`; its lines come after the disposition's own.
    """
    disposition = choice.disposition
    entry, after = _settle_call(call, choice, by=by, at=at)
    before = entry_before(call, entry)
    effects = [CallEffect(call=call, kind=EffectKind.EXCLUSION, exclusion_id=bar) for bar in after.bars]
    lines: list[Line] = []
    if after.bars:
        excluded = {
            "reason": disposition.bar_reason,
            "scope": disposition.bar_scope,
            "exclusions": after.bars,
        }
        lines.append(Line(EventKind.EXCLUDED, excluded))
    changes: dict[str, Any] = {}
    if entry is not None:
        plan = _plan(call, before, choice, agreed, after, at=at)
        changes = _changes(plan, after, agreed, at=at)
        effects += _effects(call, entry, before, after)
        if plan.state == EntryState.CALLBACK and agreed is not None:
            callback, told = _agree(call, entry, agreed, note, by=by, at=at)
            effects.append(callback)
            lines.append(told)
    incidents: list[Incident] = []
    if disposition.by_mismatch_only or disposition.bar_reason == ExclusionReason.WRONG_NUMBER:
        incidents += shared_number(call, after.number_bar, choice.others, by=by, at=at)
    if disposition.resource and not (_is_about_the_number(disposition) and after.number):
        found, resourced = resourcing(call, by=by, at=at)
        incidents += found
        lines += resourced
    return Consequences(changes, effects, incidents, lines)


def undo_effects(call: Call, reason: str, *, by: User, at: datetime) -> None:
    """Undo what the call changed so far: lift its exclusions, cancel its callback, put its entry back as it was."""
    if bars := list(call_exclusions(call)):
        lift_exclusions(exclusions=bars, reason=reason[:300], by=by, at=at)
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
        "owner_id": _still_here(before.get("owner")),
        "exact": before.get("exact", False),
        "excluded_by": None,
        "verdict_gate": "",
        "verdict_reason": "",
        "verdict_until": None,
        "updated_at": at,
    }
    ListEntry.objects.filter(pk=entry.pk).update(**restored)


def _still_here(owner: int | None) -> int | None:
    """Return the agent whose callback it was, unless they left since: what waits for nobody is everybody's."""
    return owner if owner and User.objects.filter(pk=owner, is_active=True).exists() else None


def _bars(call: Call, choice: Choice) -> list[dict[str, Any]]:
    """Return the columns of the exclusions that a disposition writes: the person's first, then the numbers'."""
    disposition = choice.disposition
    if not disposition.bar_target:
        return []
    prospect = call.prospect_id if disposition.bar_target != BarTarget.NUMBER else None
    numbers = [call.number] if disposition.bar_target != BarTarget.PROSPECT or prospect is None else []
    targets: list[dict[str, Any]] = []
    if prospect is not None:
        targets.append({"prospect_id": prospect})
        numbers.extend(choice.numbers)
    targets += [{"number": number} for number in dict.fromkeys(numbers)]
    kind = {"scope": disposition.bar_scope, "reason": disposition.bar_reason}
    return [{**kind, **_place(call, disposition.bar_scope), **target} for target in targets]


def _place(call: Call, scope: str) -> dict[str, int]:
    return {
        Scope.EVERYWHERE: {},
        Scope.SPONSOR: {"sponsor_id": call.campaign.programme.sponsor_id},
        Scope.PROGRAMME: {"programme_id": call.campaign.programme_id},
        Scope.CAMPAIGN: {"campaign_id": call.campaign_id},
    }[Scope(scope)]


@dataclass(frozen=True, slots=True)
class After:
    """How things stand once the bars of a disposition are written.

    `bars`: their ids, and `number_bar` the one on the call's own number; `number`: the one to dial next ("" when none);
    `bar`: the exclusion that covers the call's, with its `reason` and `until`; `callbacks`: ids of those that are done
    with this call.
    """

    bars: list[int]
    number_bar: int | None
    number: str
    bar: int | None
    reason: str
    until: datetime | None
    callbacks: list[int]


def _settle_call(call: Call, choice: Choice, *, by: User, at: datetime) -> tuple[ListEntry | None, After]:
    """Write the bars, count the attempt or not, close the callback that the call kept. One statement.

    Returns the entry, locked, as it was before, and how things stand after.
    """
    targets = _bars(call, choice)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM courtois_settle_call(%s, %s, %s, %s, %s)",
            [call.pk, by.pk, at, choice.disposition.counts_as_attempt, json.dumps(targets)],
        )
        *was, bars, number, bar, reason, until, callbacks = cursor.fetchone()
    entry = call.entry
    if entry is not None:
        names = ("state", "due_at", "attempts", "owner_id", "exact", "number")
        for name, value in zip(names, was, strict=True):
            setattr(entry, name, value)
    ids = dict(zip((target.get("number") for target in targets), bars or [], strict=True))
    after = After(bars or [], ids.get(call.number), number or "", bar, reason or "", until, callbacks or [])
    return entry, after


def _plan(
    call: Call,
    before: dict[str, Any],
    choice: Choice,
    agreed: Agreed | None,
    after: After,
    *,
    at: datetime,
) -> Plan:
    disposition = choice.disposition
    plan = plan_entry(
        Outcome(
            final=disposition.final,
            retry_after=choice.delay,
            # Who calls us was not called.
            counts_as_attempt=disposition.counts_as_attempt and call.mode != Mode.INBOUND,
            about_the_number=_is_about_the_number(disposition),
        ),
        attempts=before["attempts"],
        max_attempts=None if call.campaign.is_unrestricted else call.campaign.max_attempts,
        barred=not after.number and after.bar is not None,
        callable_number=bool(after.number),
        callback_at=agreed.at if agreed else None,
        at=at,
    )
    if call.mode in FROM_OUTSIDE and plan.state == EntryState.READY and call.entry_was not in WAITING:
        # Neither who calls us nor another system puts anybody back into a queue that was done with them.
        return Plan(call.entry_was, None, plan.attempts)
    return plan


def _effects(call: Call, entry: ListEntry, before: dict[str, Any], after: After) -> list[CallEffect]:
    kept = {"state": str(CallbackState.OPEN)}
    return [
        CallEffect(call=call, kind=EffectKind.ENTRY, entry=entry, before=before),
        *(
            CallEffect(call=call, kind=EffectKind.CALLBACK, callback_id=done, before=kept)
            for done in after.callbacks
        ),
    ]


def _is_about_the_number(disposition: Disposition) -> bool:
    """Whether it says that a number is no good, and nothing of the person: their next number is tried."""
    return disposition.bar_target == BarTarget.NUMBER and disposition.reach == Reach.MACHINE


def _changes(plan: Plan, after: After, agreed: Agreed | None, *, at: datetime) -> dict[str, Any]:
    """Return the columns of the entry that a plan changes."""
    promised = agreed if plan.state == EntryState.CALLBACK else None
    excluded = plan.state == EntryState.EXCLUDED
    changes: dict[str, Any] = {
        "state": plan.state,
        "attempts": plan.attempts,
        "owner_id": promised.agent.pk if promised and promised.agent else None,
        "exact": promised.exact if promised else False,
        "excluded_by_id": after.bar if excluded else None,
        "verdict_gate": Gate.EXCLUSION if excluded else "",
        "verdict_reason": after.reason if excluded else "",
        "verdict_until": after.until if excluded else None,
        "updated_at": at,
    }
    if plan.due_at is not None:
        changes["due_at"] = plan.due_at
    if after.number:
        changes["number"] = after.number
    return changes


def _agree(
    call: Call, entry: ListEntry, agreed: Agreed, note: str, *, by: User, at: datetime
) -> tuple[CallEffect, Line]:
    if agreed.language:
        # The queue serves an entry to those who speak its language.
        ListEntry.objects.filter(pk=entry.pk).update(language=agreed.language)
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
    effect = CallEffect(call=call, kind=EffectKind.CALLBACK, callback=callback, before={"state": None})
    return effect, Line(EventKind.CALLBACK, told)
