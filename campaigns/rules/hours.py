"""Calling hours: weekly windows in the called party's local time. Pure: zone and moment are given.

A window is `{"days": [1..7], "from": "10:00", "to": "13:00"}` (ISO weekdays, Monday = 1); it includes its first minute
and not its last one: at 13:00:00 it is closed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from crm.rules.errors import Invalid
from crm.rules.time_zones import is_time_zone

Hours = Sequence[Mapping[str, Any]]

#: Monday to Friday, 10:00-13:00 and 14:00-20:00 (C. conso. D223-9): what holds when a campaign names no hours.
DEFAULT_HOURS: list[dict[str, Any]] = [
    {"days": [1, 2, 3, 4, 5], "from": "10:00", "to": "13:00"},
    {"days": [1, 2, 3, 4, 5], "from": "14:00", "to": "20:00"},
]

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)
MAX_WINDOWS = 50


def check_hours(hours: object) -> list[dict[str, Any]]:
    """Return the windows in their stored form; raise Invalid (field `hours`) when one of them cannot be read."""
    if not isinstance(hours, list) or len(hours) > MAX_WINDOWS:
        raise Invalid.field("hours", _("Les horaires sont une liste de plages."))
    return [_checked(window) for window in hours]


def _checked(window: object) -> dict[str, Any]:
    if not isinstance(window, dict) or set(window) != {"days", "from", "to"}:
        raise Invalid.field("hours", _("Une plage horaire a trois champs : days, from et to."))
    days, start, end = window["days"], window["from"], window["to"]
    if (
        not isinstance(days, list)
        or not days
        or not all(type(day) is int and 1 <= day <= 7 for day in days)
        or len(set(days)) != len(days)
    ):
        raise Invalid.field("hours", _("Les jours vont de 1 (lundi) à 7 (dimanche), chacun une fois."))
    if not all(isinstance(text, str) and _TIME.fullmatch(text) for text in (start, end)) or start == "24:00":
        raise Invalid.field("hours", _("Une heure s'écrit HH:MM, de 00:00 à 24:00."))
    if start >= end:
        raise Invalid.field("hours", _("Une plage commence avant de finir : coupez-la à minuit."))
    return {"days": sorted(days), "from": start, "to": end}


def window_open(hours: Hours, tz: str, at: datetime) -> bool:
    """Tell whether `at` falls into one of the windows, by the clock of the zone `tz`. An unknown zone is closed."""
    if not is_time_zone(tz):
        return False
    local = at.astimezone(ZoneInfo(tz))
    clock = f"{local:%H:%M}"
    return any(
        local.isoweekday() in window["days"] and window["from"] <= clock < window["to"] for window in hours
    )


def next_opening(hours: Hours, tz: str, at: datetime) -> datetime | None:
    """Return the first moment from `at` on (UTC) when a window is open, `at` itself when one is; None when never."""
    if not hours or not is_time_zone(tz):
        return None
    if window_open(hours, tz, at):
        return at
    zone = ZoneInfo(tz)
    today = at.astimezone(zone).date()
    openings = (
        opening
        for ahead in range(9)
        for opening in _openings(hours, zone, today + timedelta(days=ahead))
        if opening > at and window_open(hours, tz, opening)
    )
    return next(openings, None)


def _openings(hours: Hours, zone: ZoneInfo, day: date) -> Iterator[datetime]:
    """Yield, in order, the moments of a local day that may open a window, clock changes included."""
    moments = set()
    for window in hours:
        if day.isoweekday() in window["days"]:
            start = datetime.combine(day, time.fromisoformat(window["from"]), tzinfo=zone)
            # A clock that is put back shows the hour twice; one that is put forward never shows it, and the window
            # then opens when the gap ends.
            moments |= {start.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
            moments |= _end_of_gap(start)
    yield from sorted(moments)


def _end_of_gap(start: datetime) -> set[datetime]:
    before, after = (start.replace(fold=fold).astimezone(UTC) for fold in (1, 0))
    if start.utcoffset() == start.replace(fold=1).utcoffset() or before >= after:
        return set()
    minute = before
    while minute <= after:
        if minute.astimezone(start.tzinfo).replace(tzinfo=None) >= start.replace(tzinfo=None):
            return {minute}
        minute += timedelta(minutes=1)
    return set()
