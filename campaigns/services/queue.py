"""What the gate refuses is moved, not skipped: no claim walks past it again before its time."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from campaigns.enums import EntryState, Gate
from campaigns.models import ListEntry
from campaigns.rules.gate import Verdict

#: How long an entry steps aside when its number or person is in somebody's open call.
BUSY_DELAY = timedelta(seconds=10)
#: How long an entry waits when a gate says no without saying until when.
RECHECK_DELAY = timedelta(minutes=15)

#: The state of an entry that a gate refused for good; the other gates only put it off.
STATE_OF_GATE = {
    Gate.EXCLUSION: EntryState.EXCLUDED,
    Gate.NUMBER: EntryState.EXHAUSTED,
    Gate.CRITERIA: EntryState.SCREENED_OUT,
    Gate.ATTEMPTS: EntryState.EXHAUSTED,
}


def store_refusals(*, refusals: Mapping[int, Verdict], at: datetime) -> None:
    """Store the gate's refusals on their entries (id → verdict) and move each: out of the queue, or to its time.

    The caller holds the entries' locks. A campaign that is not open moves nothing: it is not the entry's doing.
    """
    for entry_id, verdict in refusals.items():
        gate = Gate(verdict.gate)
        if gate == Gate.CAMPAIGN:
            continue
        changes: dict[str, object] = {
            "verdict_gate": gate,
            "verdict_reason": str(verdict.reason)[:300],
            "verdict_until": verdict.until,
            "updated_at": at,
        }
        state = STATE_OF_GATE.get(gate)
        if state is not None and verdict.until is None:
            changes["state"] = state
        else:
            changes["due_at"] = verdict.until or at + RECHECK_DELAY
        if gate == Gate.EXCLUSION:
            changes["state"] = EntryState.EXCLUDED
            changes["excluded_by_id"] = verdict.data.get("exclusion")
        ListEntry.objects.filter(pk=entry_id).update(**changes)


def step_aside(*, entry_ids: list[int], at: datetime) -> None:
    """Put off entries whose number or person is in an open call, without a refusal of the gate."""
    ListEntry.objects.filter(pk__in=entry_ids).update(due_at=at + BUSY_DELAY, updated_at=at)
