"""Time zones by name."""

from functools import cache
from zoneinfo import available_timezones


def is_time_zone(name: str) -> bool:
    """Tell whether `name` is an IANA zone that we can reckon with."""
    return name in _zones()


@cache
def _zones() -> frozenset[str]:
    """The zones of this machine; looking them up reads some six hundred files.

    Its own clock, which Python lists too, is none of them: PostgreSQL knows no such name."""
    return frozenset(available_timezones()) - {"localtime"}
