"""When a message that was not taken is sent again. Pure.

The schedule is that of Standard Webhooks: ten attempts over some three days, closer at first, farther apart later.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: Delays after the first, second… failed attempt.
DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MAX_ATTEMPTS = len(DELAYS) + 1
#: Up to this part of a delay is added, so that what failed together does not come back together.
JITTER = 0.2
#: The longest that a receiver may ask us to wait.
LONGEST_WAIT = timedelta(days=1)
#: A subscription that took nothing for so long is stopped once a message has failed for good.
SILENCE = timedelta(days=5)
#: Answers whose `Retry-After` is obeyed: too many requests, and not available (RFC 6585, RFC 9110).
ASKING_TO_WAIT = frozenset({429, 503})
#: The receiver wants no more of it (RFC 9110, section 15.5.11).
GONE = 410


def retry_delay(attempts: int, *, roll: float) -> timedelta | None:
    """Return the delay after so many failed attempts (1 and more), None when there were enough.

    `roll` is a random number from 0 to 1: how much of the jitter is added.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    return DELAYS[max(attempts, 1) - 1] * (1 + JITTER * roll)


def wait_asked(status: int, retry_after: str, *, at: datetime) -> timedelta | None:
    """Return how long an answer asks us to wait, at most a day; None when it does not, or cannot be understood.

    `retry_after` is its header: seconds, or a date (RFC 9110, section 10.2.3).
    """
    text = retry_after.strip()
    if status not in ASKING_TO_WAIT or not text:
        return None
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until - at, timedelta()), LONGEST_WAIT)


def is_silent(*, since: datetime, at: datetime) -> bool:
    """Whether a subscription that last took something, or was last switched on, at `since` has been silent too long."""
    return at - since >= SILENCE
