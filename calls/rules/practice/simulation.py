"""How a simulated call stands after what the agent did, and what can be done next. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from calls.rules.practice.lines import Exercise


class Phase(StrEnum):
    """Where the agent is: choosing a playbook, in one of its stages, in the closing, waiting, or done."""

    CHOOSE = "choose"
    STAGE = "stage"
    CLOSING = "closing"
    WAITING = "waiting"
    DONE = "done"


class Do(StrEnum):
    """What an agent can do in an exercise."""

    OPEN = "open"
    NEXT = "next"
    BACK = "back"
    SAY = "say"
    WAIT = "wait"
    END = "end"


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that the agent did. `situation` and `stage` (its number) of a stage that was entered, else empty."""

    do: str
    situation: str = ""
    stage: int = 0
    may_end: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How an exercise stands: its phase, the playbook and stage that are open, what the prospect says now.

    `line` is "opening", "goes_on", "calm", "goodbye" or "" (the line is dead). `said` counts the sentences of the
    closing, `calm` is whether the person is.
    """

    phase: Phase
    situation: str
    stage: int
    may_end: bool
    calm: bool
    said: int
    line: str


def standing_of(exercise: Exercise, moves: Sequence[Move], steps: int) -> Standing:
    """Return how an exercise stands after these moves; its closing has so many `steps`."""
    entered = [move for move in moves if move.do in (Do.OPEN, Do.NEXT)]
    helped = sum(move.situation == exercise.situation for move in entered)
    calm = not exercise.situation or 0 < exercise.patience <= helped
    said = sum(move.do == Do.SAY for move in moves)
    last = entered[-1] if entered else Move("")
    phase = _phase(exercise, moves, said, steps)
    line = _line(phase, calm=calm, begun=bool(moves))
    return Standing(phase, last.situation, last.stage, last.may_end, calm, said, line)


def _phase(exercise: Exercise, moves: Sequence[Move], said: int, steps: int) -> Phase:
    if moves and moves[-1].do in (Do.WAIT, Do.END):
        return Phase.DONE
    if said >= steps:
        return Phase.WAITING
    if not exercise.situation or any(move.do == Do.BACK for move in moves):
        return Phase.CLOSING
    return Phase.STAGE if moves else Phase.CHOOSE


def _line(phase: Phase, *, calm: bool, begun: bool) -> str:
    if phase == Phase.DONE:
        return ""
    if phase == Phase.WAITING:
        return "goodbye"
    if not begun:
        return "opening"
    return "calm" if calm else "goes_on"


#: What can be done in each phase. A call can be cut short in any: the review tells whether that was allowed.
POSSIBLE: dict[Phase, frozenset[Do]] = {
    Phase.CHOOSE: frozenset({Do.OPEN, Do.END}),
    Phase.STAGE: frozenset({Do.OPEN, Do.NEXT, Do.BACK, Do.END}),
    Phase.CLOSING: frozenset({Do.SAY, Do.END}),
    Phase.WAITING: frozenset({Do.WAIT, Do.END}),
    Phase.DONE: frozenset(),
}


def possible(phase: Phase, do: str) -> bool:
    """Whether something can be done in a phase."""
    return do in POSSIBLE[phase]
