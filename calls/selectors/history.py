"""A prospect's timeline in words: what happened, newest first, a line each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from calls.enums import AnsweredBy, CallEventKind, Cause, HungUpBy, Result
from campaigns.enums import ExclusionReason, Step
from crm.enums import EventKind
from crm.models import ProspectEvent


@dataclass(frozen=True, slots=True)
class Line:
    """A line of history: when, what in words, and the call that it tells of (null: none)."""

    at: datetime
    text: str
    kind: str
    call_ref: int | None


#: Codes in the data of an event, by their name there, with their labels.
_LABELS: dict[str, dict[str, Any]] = {
    "cause": dict(Cause.choices),
    "by": dict(HungUpBy.choices),
    "answered_by": dict(AnsweredBy.choices),
    "result": dict(Result.choices),
    "reason": dict(ExclusionReason.choices),
    "step": dict(Step.choices),
}
#: What is shown of an event's data, in this order.
_SHOWN = ("label", "cause", "by", "answered_by", "step", "result", "heard", "note", "text", "reason", "why")


def lines_of(events: Iterable[ProspectEvent]) -> list[Line]:
    """Return these events as lines, in their order."""
    return [Line(event.at, _text(event), event.kind, event.call_ref) for event in events]


def _text(event: ProspectEvent) -> str:
    words = [_word(name, event.data[name]) for name in _SHOWN if event.data.get(name)]
    if event.kind == EventKind.CLOSING and event.data.get("event") == CallEventKind.CLOSING_STEP:
        words = words[:1]
    return " : ".join(
        [str(EventKind(event.kind).label), ", ".join(words)] if words else [str(EventKind(event.kind).label)]
    )


def _word(name: str, value: Any) -> str:
    return str(_LABELS.get(name, {}).get(value, value))
