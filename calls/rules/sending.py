"""When a message that could not be sent is tried again."""

from datetime import timedelta

#: Takings after which a message has failed: they span more than a day.
MAX_ATTEMPTS = 10
#: A worker that took a message and said nothing for so long is dead: far beyond what a server may take to answer.
STALE_AFTER = timedelta(minutes=10)
_FIRST, _LONGEST = timedelta(minutes=1), timedelta(hours=6)


def retry_after(attempts: int) -> timedelta:
    """Return the delay after so many takings (1 and more): twice as long each time, 6 hours at most."""
    return min(_FIRST * int(2 ** min(attempts - 1, 20)), _LONGEST)
