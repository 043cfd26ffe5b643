"""The life of a call as a table: which verb is possible in which state, and how a refusal is called."""

from collections.abc import Callable
from dataclasses import dataclass

from calls.enums import CallState, Cause

#: What a machine on the line can be: no closing is due to it (contract, section 4).
MACHINE_CAUSES = frozenset({Cause.VOICEMAIL, Cause.FAX, Cause.ANNOUNCEMENT})
#: Verbs that are not the agent's own.
FOR_SUPERVISORS = frozenset({"supervisor_release"})
#: Verbs by which an agent would leave a person on the line: refused as `closing-required` while somebody is there.
LEAVING = frozenset({"release", "finish", "hang_up"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What the table needs to know of a call.

    `greeted`: a person was greeted; `mismatched`: a blocking criterion was mismatched; `qualified`: a
    disposition is stored; `goodbyes`: how often the goodbye was said; `may_hang_up`: the golden rule's answer;
    `cut_by_agent`: the agent hung up.
    """

    state: str
    greeted: bool = False
    mismatched: bool = False
    qualified: bool = False
    goodbyes: int = 0
    may_hang_up: bool = False
    cut_by_agent: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """From which states a verb is possible, and on what further condition. `moves_to` is null where it stays."""

    states: frozenset[str]
    condition: Callable[[Facts], bool] = lambda facts: True
    moves_to: str | None = None


def _in(*states: str) -> frozenset[str]:
    return frozenset(str(state) for state in states)


ON_LINE = _in(CallState.CONNECTED, CallState.CLOSING)
OFF_LINE = _in(CallState.ENDED, CallState.NOT_REACHED)
TOLD = ON_LINE | OFF_LINE | _in(CallState.DONE)


def _greeted_or_closing(facts: Facts) -> bool:
    return facts.greeted or facts.state == CallState.CLOSING


def _is_human_or_dialling(facts: Facts) -> bool:
    return facts.state == CallState.DIALLING or not facts.greeted


def _can_be_qualified(facts: Facts) -> bool:
    if facts.state == CallState.CONNECTED:
        return facts.greeted
    if facts.state == CallState.CLOSING:
        return not facts.qualified
    return not facts.mismatched or facts.state == CallState.ENDED


VERBS: dict[str, Rule] = {
    "dial": Rule(_in(CallState.CLAIMED), moves_to=CallState.DIALLING),
    "release": Rule(_in(CallState.CLAIMED), moves_to=CallState.RELEASED),
    "ringing": Rule(_in(CallState.DIALLING)),
    "answered": Rule(_in(CallState.DIALLING), moves_to=CallState.CONNECTED),
    "not_reached": Rule(
        _in(CallState.DIALLING, CallState.CONNECTED), _is_human_or_dialling, moves_to=CallState.NOT_REACHED
    ),
    "greet": Rule(_in(CallState.CONNECTED), lambda facts: not facts.greeted),
    "handover": Rule(_in(CallState.CONNECTED), lambda facts: facts.greeted),
    "criteria": Rule(ON_LINE, lambda facts: facts.greeted and not facts.mismatched),
    "closing": Rule(ON_LINE, _greeted_or_closing, moves_to=CallState.CLOSING),
    "situations": Rule(ON_LINE),
    "driving": Rule(ON_LINE),
    "line_dead": Rule(ON_LINE),
    "help": Rule(ON_LINE | _in(CallState.ENDED)),
    "supervisor_release": Rule(ON_LINE),
    "hang_up": Rule(_in(CallState.DIALLING) | ON_LINE, lambda facts: facts.may_hang_up),
    "hung_up": Rule(_in(CallState.DIALLING) | ON_LINE, moves_to=CallState.ENDED),
    "disposition": Rule(ON_LINE | OFF_LINE, _can_be_qualified),
    "finish": Rule(
        OFF_LINE,
        lambda facts: facts.qualified or facts.state == CallState.NOT_REACHED,
        moves_to=CallState.DONE,
    ),
    "explain": Rule(_in(CallState.ENDED, CallState.DONE), lambda facts: facts.cut_by_agent),
    "note": Rule(TOLD | _in(CallState.CLAIMED, CallState.DIALLING)),
    "wish": Rule(TOLD),
}


def refusal(verb: str, facts: Facts) -> str | None:
    """Return the contract's problem name why `verb` is not possible now, or None when it is."""
    rule = VERBS[verb]
    if facts.state in rule.states and rule.condition(facts):
        return None
    if verb in LEAVING and facts.state in ON_LINE:
        return "closing-required"
    if verb in ("disposition", "criteria") and facts.state == CallState.CLOSING and facts.mismatched:
        return "closing-required"
    return "invalid-transition"


def allowed(facts: Facts) -> list[str]:
    """Return the verbs that are possible now, in the order of the table."""
    return [verb for verb in VERBS if refusal(verb, facts) is None]
