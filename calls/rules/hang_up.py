"""The golden rule: the prospect hangs up. When the agent may, and why (contract, section 4). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from calls.enums import CallState


class Why(StrEnum):
    """Why the agent may hang up."""

    NOBODY = "nobody"
    STAGE = "stage"
    SUPERVISOR = "supervisor"
    DRIVING = "driving"
    OBJECTED = "objected"
    DEAD_LINE = "dead_line"
    PATIENCE = "patience"


#: What `Call.end_allowed_by` begins with; a stage is followed by its name.
STAGE, SUPERVISOR, DRIVING = "stage", "supervisor", "driving"
_PERMITS = {STAGE: Why.STAGE, SUPERVISOR: Why.SUPERVISOR, DRIVING: Why.DRIVING}


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What the golden rule looks at.

    `end_allowed_by` is the call's permission ("stage:…", "supervisor", "driving" or empty); `objected`: the stored
    disposition says that the person objected to the call going on (refusal, opt-out); `goodbyes`: how often the
    goodbye was said; `goodbye_at`: when it was said, or first repeated once it was; `line_dead_at`: since when nothing
    is heard, null while somebody is.
    """

    state: str
    end_allowed_by: str = ""
    objected: bool = False
    goodbyes: int = 0
    goodbye_at: datetime | None = None
    line_dead_at: datetime | None = None
    dead_line_seconds: int = 20
    patience_seconds: int = 45


def why_may_hang_up(facts: LineFacts, at: datetime) -> Why | None:
    """Return why the agent may hang up at `at`, or None: then only the prospect ends the call."""
    if facts.state in (CallState.DIALLING, CallState.NOT_REACHED):
        # Nobody answered, or a machine did.
        return Why.NOBODY
    if facts.state not in (CallState.CONNECTED, CallState.CLOSING):
        return None
    permit = _PERMITS.get(facts.end_allowed_by.partition(":")[0])
    if permit is not None:
        return permit
    if facts.goodbyes < 1 or facts.goodbye_at is None:
        return None
    if facts.objected:
        # The call must end at once then: C. conso. L221-16.
        return Why.OBJECTED
    if facts.line_dead_at is not None and at >= _dead_line_over(facts):
        return Why.DEAD_LINE
    if facts.goodbyes > 1 and at >= facts.goodbye_at + timedelta(seconds=facts.patience_seconds):
        return Why.PATIENCE
    return None


def may_hang_up(facts: LineFacts, at: datetime) -> bool:
    """Whether the agent may hang up at `at`."""
    return why_may_hang_up(facts, at) is not None


def may_hang_up_from(facts: LineFacts, at: datetime) -> datetime | None:
    """Return the moment from which the agent may hang up if nothing else happens: `at` or later, None if never."""
    if may_hang_up(facts, at):
        return at
    if facts.state not in (CallState.CONNECTED, CallState.CLOSING) or facts.goodbye_at is None:
        return None
    moments = []
    if facts.goodbyes > 0 and facts.line_dead_at is not None:
        moments.append(_dead_line_over(facts))
    if facts.goodbyes > 1:
        moments.append(facts.goodbye_at + timedelta(seconds=facts.patience_seconds))
    return min(moments, default=None)


def _dead_line_over(facts: LineFacts) -> datetime:
    if facts.line_dead_at is None:
        raise ValueError("the line is not dead")
    return facts.line_dead_at + timedelta(seconds=facts.dead_line_seconds)
