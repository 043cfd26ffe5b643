"""When to call back, as people say it: understood in the prospect's zone, always to come, or refused."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calls.rules.moments import DAYS, MONTHS, PARTS, Unreadable, read_moment

PARIS = "Europe/Paris"
#: A Thursday, 16:00 in Paris.
NOW = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)


def read(text: str, now: datetime = NOW, zone: str = PARIS) -> tuple[str, bool]:
    """Return how a text is understood, by the clock of the zone."""
    moment = read_moment(text, now, zone)
    return f"{moment.at.astimezone(ZoneInfo(zone)):%a %d/%m/%y %H:%M}", moment.exact


@pytest.mark.parametrize(
    ("text", "when", "exact"),
    [
        ("demain 15h", "Fri 27/11/26 15:00", True),
        ("Demain à 15 h 30.", "Fri 27/11/26 15:30", True),
        ("lundi matin", "Mon 30/11/26 10:00", False),
        ("dans 2 heures", "Thu 26/11/26 18:00", False),
        ("dans une heure et demie", "Thu 26/11/26 17:30", False),
        ("dans un quart d'heure", "Thu 26/11/26 16:15", False),
        ("le 3 à 14h30", "Thu 03/12/26 14:30", True),
        ("vendredi en fin d'après-midi", "Fri 27/11/26 17:00", False),
        ("jeudi 15h", "Thu 03/12/26 15:00", True),
        ("jeudi 18h", "Thu 26/11/26 18:00", True),
        ("jeudi prochain 18h", "Thu 03/12/26 18:00", True),
        ("mardi en huit à 11h", "Tue 08/12/26 11:00", True),
        ("la semaine prochaine mardi 10h", "Tue 01/12/26 10:00", True),
        ("mardi 1er décembre 10h", "Tue 01/12/26 10:00", True),
        ("3/12 14h30", "Thu 03/12/26 14:30", True),
        ("15h", "Fri 27/11/26 15:00", True),
        ("demain vers 15h", "Fri 27/11/26 15:00", False),
        ("demain à 3h de l'après-midi", "Fri 27/11/26 15:00", True),
        ("ce soir", "Thu 26/11/26 18:30", False),
        ("cet après-midi", "Thu 26/11/26 16:15", False),
        ("mar 1 10h", "Tue 01/12/26 10:00", True),
        ("3 mar 10h", "Wed 03/03/27 10:00", True),
        ("tomorrow at 3 pm", "Fri 27/11/26 15:00", True),
        ("next Monday morning", "Mon 30/11/26 10:00", False),
        ("in 20 minutes", "Thu 26/11/26 16:20", False),
        ("in an hour and a half", "Thu 26/11/26 17:30", False),
        ("on the 3rd at 2:30 p.m.", "Thu 03/12/26 14:30", True),
        ("December 3rd at 14:00", "Thu 03/12/26 14:00", True),
        ("next week Tuesday 11am", "Tue 01/12/26 11:00", True),
        ("at 3", "Fri 27/11/26 15:00", True),
        ("2026-12-03T14:30", "Thu 03/12/26 14:30", True),
        ("demain à dix heures", "Fri 27/11/26 10:00", True),
        ("demain dix-sept heures quinze", "Fri 27/11/26 17:15", True),
        ("lundi neuf heures et demie", "Mon 30/11/26 09:30", True),
        ("demain 11h moins le quart", "Fri 27/11/26 10:45", True),
        ("demain entre 14h et 16h", "Fri 27/11/26 14:00", False),
        ("demain 14h-16h", "Fri 27/11/26 14:00", False),
        ("demain après 18h", "Fri 27/11/26 18:00", False),
        ("lundi à partir de 17h30", "Mon 30/11/26 17:30", False),
        ("demain après le déjeuner", "Fri 27/11/26 14:00", False),
        ("demain à 10h si possible", "Fri 27/11/26 10:00", True),
        ("le 3.12 à 14h", "Thu 03/12/26 14:00", True),
        ("03-12-2026 14:00", "Thu 03/12/26 14:00", True),
        ("2026-12-03", "Thu 03/12/26 10:00", False),
        ("tomorrow at 3 o'clock", "Fri 27/11/26 15:00", True),
        ("tomorrow at half past 3", "Fri 27/11/26 15:30", True),
        ("tomorrow at quarter to 10", "Fri 27/11/26 09:45", True),
        ("tomorrow between 2 and 4pm", "Fri 27/11/26 14:00", False),
        ("Monday after 5pm", "Mon 30/11/26 17:00", False),
    ],
)
def test_a_time_is_understood_as_it_is_said(text: str, when: str, exact: bool) -> None:
    assert read(text) == (when, exact)


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "bientôt", "demain 15h bla", "demain 15", "99h", "13pm", "le 31 février", "ce matin",
        "2020-01-01T10:00", "2020-99-01T10:00", "3/13 10h", "lundi mardi", "dans 3 ans", "dans 2h demain",
        "1/1/2099 10h", "'; --", "trois heures", "hier 15h", "lundi dernier", "demain avant midi", "entre 14h et",
    ],
)  # fmt: skip
def test_what_names_no_moment_to_come_is_refused_rather_than_guessed(text: str) -> None:
    with pytest.raises(Unreadable):
        read_moment(text, NOW, PARIS)


def test_a_moment_that_is_over_is_said_to_be() -> None:
    for text in ("hier 15h", "last Monday", "il y a 2 heures"):
        with pytest.raises(Unreadable, match="Ce moment est passé"):
            read_moment(text, NOW, PARIS)


def test_three_o_clock_is_asked_about_unless_the_half_of_the_day_was_said() -> None:
    for text in ("demain 3h", "demain à 3", "vers 4h30", "lundi 5h moins le quart", "entre 2h et 4h"):
        with pytest.raises(Unreadable, match="Est-ce la nuit"):
            read_moment(text, NOW, PARIS)
    for text in ("demain 3h du matin", "demain 03:00", "tomorrow 3 am"):
        assert read(text) == ("Fri 27/11/26 03:00", True)


def test_a_time_is_the_clock_of_the_person() -> None:
    assert read_moment("demain 9h", NOW, "Indian/Reunion").at == datetime(2026, 11, 27, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        # The clocks go from 2 to 3: half past two is half past three.
        ("2027-03-28T02:30", datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),
        # They go back from 3 to 2: the first half past two.
        ("2027-10-31T02:30", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_change_of_clocks_leaves_one_moment(text: str, at: datetime) -> None:
    assert read_moment(text, NOW, PARIS).at == at


def test_the_second_of_two_equal_hours_is_meant_once_the_first_is_over() -> None:
    now = datetime(2027, 10, 31, 0, 45, tzinfo=UTC)

    assert read_moment("2027-10-31T02:30", now, PARIS).at == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


#: Of the years 2026 to 2029, to the second.
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 4 * 365 * 86_400).map(lambda seconds: FIRST + timedelta(seconds=seconds))
zones = st.sampled_from([PARIS, "Indian/Reunion", "America/Martinique", "Pacific/Noumea", "America/St_Johns"])
phrases = st.lists(
    st.sampled_from(
        [*DAYS, *MONTHS, "demain", "après-demain", "le", "à", "at", "on", "next", "prochain", "dans", "in", "15h",
         "9h30",
         "3", "12", "pm", "matin", "soir", "fin", "d'après-midi", "heures", "minutes", "une", "midi", "tomorrow",
         "semaine prochaine", "vers", "10:15", "3/12", "2028"]
    ),
    max_size=5,
).map(" ".join)  # fmt: skip


@given(text=st.one_of(phrases, st.text(max_size=40)), now=moments, zone=zones)
def test_whatever_is_typed_is_refused_or_is_to_come(text: str, now: datetime, zone: str) -> None:
    try:
        moment = read_moment(text, now, zone)
    except Unreadable:
        return

    assert now < moment.at <= now + timedelta(days=370)
    assert moment.at.tzinfo is UTC


@given(
    now=moments,
    zone=zones,
    ahead=st.timedeltas(timedelta(minutes=1), timedelta(days=360)),
    english=st.booleans(),
)
def test_a_moment_written_out_is_read_back(now: datetime, zone: str, ahead: timedelta, english: bool) -> None:
    meant = (now + ahead).astimezone(ZoneInfo(zone)).replace(second=0, microsecond=0)
    assume(meant > now)
    # An hour that the clocks show twice has no writing of its own.
    assume(meant.utcoffset() == meant.replace(fold=1 - meant.fold).utcoffset())
    months = [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ]
    written = f"le {meant.day} {months[meant.month - 1]} {meant.year} à {meant.hour:02} h {meant.minute:02}"
    if english:
        written = f"{meant:%A} {meant:%B} {meant.day} {meant.year} at {meant:%I:%M %p}"

    moment = read_moment(written, now, zone)

    assert (moment.at, moment.exact) == (meant.astimezone(UTC), True)


@given(now=moments, zone=zones, day=st.sampled_from(sorted(DAYS)))
def test_a_weekday_alone_is_the_next_one(now: datetime, zone: str, day: str) -> None:
    local = read_moment(f"{day} 9h", now, zone).at.astimezone(ZoneInfo(zone))

    assert local.weekday() == DAYS[day]
    assert local - now.astimezone(ZoneInfo(zone)) <= timedelta(days=7, hours=2)


def test_the_parts_of_the_day_begin_before_they_end() -> None:
    assert all(start < end for start, end in PARTS.values())
