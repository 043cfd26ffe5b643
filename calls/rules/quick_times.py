"""Times of a callback that can be agreed within a breath, by one key each. Pure."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

#: Clock of the called party.
EVENING, MORNING = time(18), time(10)
#: What is proposed as "this evening" must still be this far away.
AHEAD = timedelta(hours=1)


def _hour(local: datetime) -> datetime:
    """In an hour, on a full five minutes."""
    later = local + timedelta(hours=1)
    return later.replace(second=0, microsecond=0) + timedelta(minutes=-later.minute % 5)


def _evening(local: datetime) -> datetime:
    today = local.replace(hour=EVENING.hour, minute=0, second=0, microsecond=0)
    return today if today - local >= AHEAD else today + timedelta(days=1)


def _morning(local: datetime) -> datetime:
    tomorrow = local + timedelta(days=1)
    return tomorrow.replace(hour=MORNING.hour, minute=0, second=0, microsecond=0)


#: By its code.
TIMES: dict[str, Callable[[datetime], datetime]] = {
    "hour": _hour,
    "evening": _evening,
    "morning": _morning,
}


def quick_time(code: str, at: datetime, time_zone: str) -> datetime:
    """Return the moment of a code (`TIMES`), aware, by the clock of `time_zone`. Raises KeyError for another code."""
    return TIMES[code](at.astimezone(ZoneInfo(time_zone or "Europe/Paris")))
