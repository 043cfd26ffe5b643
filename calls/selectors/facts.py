"""What the rules need to know of a call, read from its row; and what was said of its closing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from calls.enums import CallEventKind, CallState, HungUpBy
from calls.models import Call, CallEvent
from calls.rules.hang_up import LineFacts, may_hang_up
from calls.rules.transitions import Facts
from campaigns.enums import HangUpPolicy


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of the closing that was said: its step, its words, when, and whether it was a repetition."""

    step: str
    text: str
    at: datetime
    repeated: bool


def line_facts(call: Call) -> LineFacts:
    """Return what the golden rule looks at. Reads the call's campaign and disposition."""
    disposition = call.disposition
    return LineFacts(
        state=call.state,
        end_allowed_by=call.end_allowed_by,
        objected=disposition is not None and disposition.hang_up == HangUpPolicy.AFTER_GOODBYE,
        goodbyes=call.goodbyes,
        goodbye_at=call.goodbye_at,
        line_dead_at=call.line_dead_at,
        dead_line_seconds=call.campaign.dead_line_seconds,
        patience_seconds=call.campaign.patience_seconds,
    )


def facts_of(call: Call, at: datetime) -> Facts:
    """Return what the table of transitions looks at."""
    return Facts(
        state=call.state,
        greeted=call.greeted_at is not None,
        mismatched=call.out_of_criteria_at is not None,
        qualified=call.disposition_id is not None,
        goodbyes=call.goodbyes,
        may_hang_up=may_hang_up(line_facts(call), at),
        cut_by_agent=call.hung_up_by == HungUpBy.AGENT,
    )


def said_of(call: Call, events: Sequence[CallEvent]) -> list[Said]:
    """Return the sentences said in the call's present closing, oldest first, out of its `events`."""
    return [
        Said(
            step=event.data.get("step", ""),
            text=event.data.get("text", ""),
            at=event.at,
            repeated=bool(event.data.get("repeated")),
        )
        for event in events
        if event.kind == CallEventKind.CLOSING_STEP and event.data.get("closing") == call.closing_kind
    ]


def said_sentences(call: Call) -> list[Said]:
    """Return the sentences said in the call's present closing, oldest first. One query."""
    return said_of(call, list(call.events.filter(kind=CallEventKind.CLOSING_STEP)))


def is_settled(call: Call) -> bool:
    """Whether only the agent's last confirmation is missing: the line is free and how it ended is known."""
    if call.state == CallState.ENDED:
        return call.disposition_id is not None
    return call.state == CallState.NOT_REACHED and (call.disposition_id is not None or call.cause != "")
