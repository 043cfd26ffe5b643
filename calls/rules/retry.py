"""What a disposition does to the queue's entry of its call. Pure: data in, a plan out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from campaigns.enums import EntryState


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the disposition says. `retry_after` is the campaign's own delay, else the catalogue's."""

    final: bool
    retry_after: timedelta | None = None
    counts_as_attempt: bool = True
    #: It says that a number is no good, and nothing of the person.
    about_the_number: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The entry's next state, when it is due (null: unchanged), and how many attempts it then has."""

    state: str
    due_at: datetime | None
    attempts: int


def plan_entry(
    outcome: Outcome,
    *,
    attempts: int,
    max_attempts: int | None,
    barred: bool,
    callable_number: bool,
    callback_at: datetime | None,
    at: datetime,
) -> Plan:
    """Decide what becomes of an entry whose call got this disposition at `at`.

    `attempts` are those before this call; `barred`: an exclusion covers the person; `callable_number`: a number is
    left that may be dialled; `max_attempts`: null for a campaign without caps. An agreed callback is kept whatever the
    number of attempts and after a final disposition (an appointment) too: the person was promised it.
    """
    attempts += int(outcome.counts_as_attempt)
    used_up = max_attempts is not None and attempts >= max_attempts
    if barred:
        return Plan(EntryState.EXCLUDED, None, attempts)
    if callback_at is not None:
        state = EntryState.CALLBACK if callable_number else EntryState.EXHAUSTED
        return Plan(state, callback_at, attempts)
    if outcome.about_the_number and callable_number:
        return Plan(EntryState.EXHAUSTED if used_up else EntryState.READY, at, attempts)
    if outcome.final:
        return Plan(EntryState.DONE, None, attempts)
    if not callable_number or used_up:
        return Plan(EntryState.EXHAUSTED, None, attempts)
    return Plan(EntryState.READY, at + (outcome.retry_after or timedelta()), attempts)
