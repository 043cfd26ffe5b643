"""The order of the closing's sentences, and what a double key is. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from campaigns.enums import STEPS_OF, Step

#: The same sentence within this time is one press of a key, not two sentences.
DOUBLE_KEY = timedelta(seconds=1)
#: No sentence is said in less: a key that is held down does not run through the closing.
SHORTEST_SENTENCE = timedelta(milliseconds=700)


def due_step(kind: str, said: Sequence[str]) -> Step | None:
    """Return the step to say next in a closing of this kind, or None when all were said."""
    return next((step for step in STEPS_OF[kind] if step not in said), None)


def steps_left(kind: str, said: Sequence[str]) -> list[Step]:
    """Return the steps not yet said, in order."""
    return [step for step in STEPS_OF[kind] if step not in said]


def is_double_key(step: str, last: str, last_at: datetime | None, at: datetime) -> bool:
    """Whether `step` is the same press as the last sentence."""
    return step == last and last_at is not None and timedelta() <= at - last_at < DOUBLE_KEY


def is_too_fast(last_at: datetime | None, at: datetime) -> bool:
    """Whether no sentence can have been said since the last one."""
    return last_at is not None and timedelta() <= at - last_at < SHORTEST_SENTENCE
