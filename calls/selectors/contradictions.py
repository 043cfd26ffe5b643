"""Where an exchange says otherwise than what was noted of a call: both words, beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from calls.enums import CallEventKind, ReportStanding
from calls.models import CallEvent


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What an exchange reported (`about`: the event; `reported`: who or why) against what was `noted`, and when."""

    about: str
    reported: str
    noted: str
    at: datetime


def contradictions_of(events: Sequence[CallEvent]) -> list[Contradiction]:
    """Return the contradictions among the lines of a call's history, oldest first."""
    return [
        Contradiction(
            about=event.data.get("reported", ""),
            reported=event.data.get("by") or event.data.get("cause") or event.data.get("reported", ""),
            noted=event.data.get("known", ""),
            at=event.at,
        )
        for event in events
        if event.kind == CallEventKind.LINE_REPORT
        and event.data.get("standing") == ReportStanding.CONTRADICTS
    ]
