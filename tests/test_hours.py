"""Calling hours by the clock of the person called."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from campaigns.rules.hours import DEFAULT_HOURS, check_hours, next_opening, window_open
from crm.rules.errors import Invalid

PARIS, REUNION = "Europe/Paris", "Indian/Reunion"
NIGHT = [{"days": [7], "from": "02:30", "to": "04:00"}]


def at(text: str, tz: str = PARIS) -> datetime:
    """Return a local moment as the UTC moment that it is."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz)).astimezone(UTC)


BOUNDARIES = [
    ("2026-11-25 09:59:59", False),
    ("2026-11-25 10:00:00", True),
    ("2026-11-25 12:59:59", True),
    ("2026-11-25 13:00:00", False),
    ("2026-11-25 13:59:59", False),
    ("2026-11-25 14:00:00", True),
    ("2026-11-25 19:59:59", True),
    ("2026-11-25 20:00:00", False),
    ("2026-11-28 11:00:00", False),
    ("2026-11-29 11:00:00", False),
    ("2026-11-30 11:00:00", True),
]


@pytest.mark.parametrize(("moment", "is_open"), BOUNDARIES)
def test_a_window_holds_its_first_second_and_not_its_last(moment: str, is_open: bool) -> None:
    assert window_open(DEFAULT_HOURS, PARIS, at(moment)) is is_open


ELSEWHERE = [
    # 10:00 in Paris is 12:00 in Réunion in summer, 13:00 in winter.
    ("2026-07-15 10:00", REUNION, True),
    ("2026-11-25 10:00", REUNION, False),
    ("2026-11-25 14:00", "America/Martinique", False),
    ("2026-11-25 15:00", "America/Martinique", True),
    ("2026-11-25 11:00", "Not/AZone", False),
    ("2026-11-25 11:00", "", False),
]


@pytest.mark.parametrize(("paris", "tz", "is_open"), ELSEWHERE)
def test_the_clock_is_that_of_the_person_called(paris: str, tz: str, is_open: bool) -> None:
    assert window_open(DEFAULT_HOURS, tz, at(paris)) is is_open


OPENINGS = [
    ("2026-11-25 11:00", "2026-11-25 11:00"),
    ("2026-11-25 08:00", "2026-11-25 10:00"),
    ("2026-11-25 13:00", "2026-11-25 14:00"),
    ("2026-11-27 20:00", "2026-11-30 10:00"),
    ("2026-11-28 00:00", "2026-11-30 10:00"),
    # Clocks change in the night to Sunday: Monday's ten o'clock is by the new clock.
    ("2026-03-27 21:00", "2026-03-30 10:00"),
    ("2026-10-23 21:00", "2026-10-26 10:00"),
]


@pytest.mark.parametrize(("moment", "opening"), OPENINGS)
def test_the_next_opening_is_the_first_moment_inside_a_window(moment: str, opening: str) -> None:
    found = next_opening(DEFAULT_HOURS, PARIS, at(moment))

    assert found == at(opening)
    assert window_open(DEFAULT_HOURS, PARIS, found)


def test_a_window_inside_the_hour_that_the_clock_skips_opens_when_the_gap_ends() -> None:
    found = next_opening(NIGHT, PARIS, at("2026-03-29 01:00"))

    assert found == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert found is not None
    assert f"{found.astimezone(ZoneInfo(PARIS)):%H:%M}" == "03:00"


def test_a_window_inside_the_hour_that_comes_twice_opens_the_first_time() -> None:
    found = next_opening(NIGHT, PARIS, at("2026-10-25 01:00"))

    assert found == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_no_hours_and_an_unknown_zone_never_open() -> None:
    moment = at("2026-11-25 11:00")

    assert next_opening([], PARIS, moment) is None
    assert next_opening(DEFAULT_HOURS, "Not/AZone", moment) is None
    assert window_open([], PARIS, moment) is False


WRONG = [
    "10:00-13:00",
    [{"days": [1], "from": "10:00"}],
    [{"days": [], "from": "10:00", "to": "13:00"}],
    [{"days": [0], "from": "10:00", "to": "13:00"}],
    [{"days": [8], "from": "10:00", "to": "13:00"}],
    [{"days": [1, 1], "from": "10:00", "to": "13:00"}],
    [{"days": [True], "from": "10:00", "to": "13:00"}],
    [{"days": ["1"], "from": "10:00", "to": "13:00"}],
    [{"days": [1], "from": "25:00", "to": "26:00"}],
    [{"days": [1], "from": "9:00", "to": "13:00"}],
    [{"days": [1], "from": "20:00", "to": "08:00"}],
    [{"days": [1], "from": "10:00", "to": "10:00"}],
    [{"days": [1], "from": 10, "to": 13}],
    [{"days": [1], "from": "10:00", "to": "13:00", "tz": "x"}],
    [[1]],
]


@pytest.mark.parametrize("hours", WRONG)
def test_hours_that_cannot_be_read_are_refused(hours: object) -> None:
    with pytest.raises(Invalid) as refusal:
        check_hours(hours)

    assert "hours" in refusal.value.fields


def test_hours_keep_midnight_as_an_end_and_sort_their_days() -> None:
    assert check_hours([{"days": [5, 1], "from": "00:00", "to": "24:00"}]) == [
        {"days": [1, 5], "from": "00:00", "to": "24:00"}
    ]
    assert window_open([{"days": [3], "from": "00:00", "to": "24:00"}], PARIS, at("2026-11-25 23:59:59"))
