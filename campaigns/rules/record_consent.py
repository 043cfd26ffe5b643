"""What the consent columns of a file say: yes, no or nothing, from when to when, by which channel, in which words."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from typing import TypedDict

#: Targets of columns, with what each fills in a `Consent`.
CONSENT_TARGETS = {
    "consent": "given",
    "consent_at": "at",
    "consent_until": "until",
    "consent_channel": "channel",
    "consent_text": "text",
}
MAX_CONSENT_TEXT = 2_000

_FRENCH_DATE = re.compile(
    r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})(?:[\sT,à]+(\d{1,2})\s?[:hH]\s?(\d{2})?(?::(\d{2}))?)?"
)
_ISO_DATE = re.compile(r"\d{4}-?\d\d-?\d\d(?:[ T]\d\d:?\d\d.*)?")
_EARLIEST_YEAR = 1970


class Consent(TypedDict):
    """`given` is None where the file does not say; `at` is an ISO date or date and time, `until` an ISO date, each ""
    where it says none or none that can be read."""

    given: bool | None
    at: str
    until: str
    channel: str
    text: str


def blank_consent() -> Consent:
    """Return what no column says anything about."""
    return {"given": None, "at": "", "until": "", "channel": "", "text": ""}


@lru_cache(maxsize=2_000)
def read_moment(cell: str) -> datetime | date | None:
    """Read a date, with or without its time: ISO (also as spreadsheets write it), or day, month and year as in France;
    None where it is neither, or no day of a calendar."""
    text = cell.strip()
    try:
        if _ISO_DATE.fullmatch(text):
            moment: datetime | date = (
                datetime.fromisoformat(text) if len(text) > 10 else date.fromisoformat(text)
            )
        elif match := _FRENCH_DATE.fullmatch(text):
            moment = _french(match)
        else:
            return None
    except ValueError:
        return None
    return moment if moment.year >= _EARLIEST_YEAR else None


def _french(match: re.Match[str]) -> datetime | date:
    day, month, year = int(match[1]), int(match[2]), int(match[3])
    if year < 100:
        year += 2000
    if match[4] is None:
        return date(year, month, day)
    hour, minute, second = int(match[4]), int(match[5] or 0), int(match[6] or 0)
    # As the file says it: the zone is the campaign's, which only the caller knows.
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001


def day_of(moment: datetime | date) -> date:
    """Return the day of a date, or of a date and time."""
    return moment.date() if isinstance(moment, datetime) else moment


def consent_date(target: str, cell: str, today: date | None) -> str:
    """Return the ISO form of a cell of `consent_at` or `consent_until`, "" where it cannot be read or tells of a
    consent that will be given only after `today` (None: not checked)."""
    moment = read_moment(cell)
    if moment is None:
        return ""
    if target == "consent_until":
        return day_of(moment).isoformat()
    return "" if today is not None and day_of(moment) > today else moment.isoformat()
