"""When to call back, as people say it: "demain 15h", "lundi matin", "in 20 minutes". Pure: now and the zone are given.

A grammar of our own, strict: every word is understood or the text is refused, for a wrong appointment is worse than a
question. (dateparser 1.5 was measured on these phrases: it reads "demain 15h" as the day after at 8, "le 3 à 14h30" as
a day that is past, and none of "lundi matin", "jeudi prochain 10h", "dans une demi-heure".) French and English are read
alike, whatever the language of the page: their words do not collide. A date in figures has its day first.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from calls.rules.spoken_times import as_written, is_gone

#: At what time a part of the day is, and when it ends.
PARTS: dict[str, tuple[time, time]] = {
    "early_morning": (time(9), time(10)),
    "morning": (time(10), time(12)),
    "late_morning": (time(11, 30), time(12)),
    "noon": (time(12), time(13)),
    "lunch": (time(12, 30), time(14)),
    "early_afternoon": (time(14), time(15)),
    "afternoon": (time(15), time(18)),
    "late_afternoon": (time(17), time(18)),
    "end_of_day": (time(17, 30), time(19)),
    "early_evening": (time(18), time(19)),
    "evening": (time(18, 30), time(20)),
    "late_evening": (time(19, 30), time(20)),
}
#: Where only a day was said.
SOME_TIME = PARTS["morning"][0]
#: Between now and a part of today that has begun.
SOON = timedelta(minutes=15)
#: Nobody agrees on a call later than that: a figure was mistyped.
FARTHEST = timedelta(days=370)

DAYS = {
    name: number
    for number, names in enumerate(
        (
            "lundi lun monday mon",
            "mardi mar tuesday tue tues",
            "mercredi mer wednesday wed",
            "jeudi jeu thursday thu thur thurs",
            "vendredi ven friday fri",
            "samedi sam saturday sat",
            "dimanche dim sunday sun",
        )
    )
    for name in names.split()
}
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "janvier janv january jan",
            "fevrier fevr fev february feb",
            "mars march mar",
            "avril avr april apr",
            "mai may",
            "juin june jun",
            "juillet juil july jul",
            "aout august aug",
            "septembre sept sep september",
            "octobre oct october",
            "novembre nov november",
            "decembre dec december",
        ),
        start=1,
    )
    for name in names.split()
}
NUMBERS = {
    name: number
    for names, number in (
        ("un une one an", 1),
        ("deux two", 2),
        ("trois three", 3),
        ("quatre four", 4),
        ("cinq five", 5),
        ("six", 6),
        ("sept seven", 7),
        ("huit eight", 8),
        ("neuf nine", 9),
        ("dix ten", 10),
        ("onze eleven", 11),
        ("douze twelve", 12),
        ("quinze fifteen", 15),
        ("vingt twenty", 20),
        ("trente thirty", 30),
        ("quarante forty", 40),
    )
    for name in names.split()
}


class Unreadable(ValueError):
    """A text that names no moment to come; its `message` is a sentence for the person who typed it."""

    def __init__(self, message: Any) -> None:
        super().__init__(message)
        self.message = message


UNREADABLE = _(
    "Nous n'avons pas compris quand. Essayez « demain 15 h », « lundi matin » ou « dans 2 heures »."
)
PAST = _("Ce moment est passé.")
TOO_FAR = _("C'est dans plus d'un an : vérifiez la date.")
NIGHT = _("Est-ce la nuit ? Écrivez « 15 h » pour l'après-midi, ou « 3 h du matin ».")
NO_SUCH_DAY = _("Ce jour n'existe pas dans le calendrier.")


@dataclass(frozen=True, slots=True)
class Moment:
    """When: aware, in UTC. `exact`: a day and a time of the clock were named, not a part of the day nor a delay."""

    at: datetime
    exact: bool


@dataclass(slots=True)
class _Words:
    """What is left to read, and what was read so far."""

    left: str
    now: datetime
    day: date | None = None
    #: A day that the clock alone must not move: it was named.
    weekday: int | None = None
    strictly_later: bool = False
    weeks: int = 0
    clock: time | None = None
    part: str = ""
    #: "ce soir": of today.
    of_today: bool = False
    about: bool = False
    delay: timedelta | None = None

    def take(self, pattern: str) -> re.Match[str] | None:
        """Find `pattern` as whole words, cut it out and return it; None when it is not there."""
        found = re.search(rf"(?<![\w:/])(?:{pattern})(?![\w:/])", self.left)
        if found is not None:
            self.left = f"{self.left[: found.start()]} | {self.left[found.end() :]}"
        return found


def read_moment(text: str, now: datetime, time_zone: str) -> Moment:
    """Return the moment that `text` names, by the clock of `time_zone` (IANA); `now` is aware.

    It is always later than `now`. Raises Unreadable, with a sentence, for anything else.
    """
    zone = ZoneInfo(time_zone)
    plain = _plain(text)
    iso = _iso(plain)
    if iso is not None:
        return _checked(
            Moment(_utc(iso, zone, now) if iso.tzinfo is None else iso.astimezone(UTC), True), now
        )
    if is_gone(plain):
        raise Unreadable(PAST)
    words = _Words(as_written(plain), now.astimezone(zone))
    for read in READERS:
        read(words)
    if words.left.replace("|", " ").strip():
        raise Unreadable(UNREADABLE)
    return _checked(_moment_of(words, zone), now)


def _plain(text: str) -> str:
    """Return a text in lower case, without accents, apostrophes nor small words that say nothing."""
    flat = unicodedata.normalize("NFKD", text.strip().lower())
    flat = "".join(letter for letter in flat if not unicodedata.combining(letter))
    flat = re.sub(r"['’`´]", " ", flat)
    flat = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", flat)
    flat = re.sub(r"(?<=[a-z])\.", " ", flat)
    flat = re.sub(r"[,;()]+|\s-+\s", " ", flat)
    flat = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", flat)
    return re.sub(r"\s+", " ", flat).strip(" .!?")


def _iso(text: str) -> datetime | None:
    """Read what a picker of a browser sends, and what programs write."""
    if not re.match(r"\d{4}-\d\d-\d\d[t ]\d\d:\d\d", text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise Unreadable(NO_SUCH_DAY) from None


NUMBER = r"(?:\d{1,3}|" + "|".join(sorted(NUMBERS, key=len, reverse=True)) + "|a)"


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else NUMBERS.get(text, 1)


def _read_delay(words: _Words) -> None:
    """« Dans deux heures », "in an hour and a half", « dans un quart d'heure »."""
    ahead = r"(?:dans|d ici|in|within)"
    if words.take(rf"{ahead} (?:une )?demi heure|{ahead} (?:half an|a half) hour"):
        words.delay = timedelta(minutes=30)
    elif found := words.take(rf"{ahead} ({NUMBER}) quarts? d heure"):
        words.delay = timedelta(minutes=15 * _number(found[1]))
    elif words.take(rf"{ahead} a quarter of an hour"):
        words.delay = timedelta(minutes=15)
    elif found := words.take(
        rf"{ahead} ({NUMBER}) ?(?:heures?|hours?|h)( ?\d\d?(?: ?(?:min|minutes?))?| et demie?| and a half)?"
    ):
        rest = (found[2] or "").strip()
        minutes = 30 if rest and not rest[0].isdigit() else int(re.sub(r"\D", "", rest) or 0)
        words.delay = timedelta(hours=_number(found[1]), minutes=minutes)
    elif found := words.take(rf"{ahead} ({NUMBER}) ?(?:minutes?|mins?|mn)"):
        words.delay = timedelta(minutes=_number(found[1]))
    elif found := words.take(rf"{ahead} ({NUMBER}) ?(jours?|days?|semaines?|weeks?)"):
        days = _number(found[1]) * (7 if found[2][0] in "sw" else 1)
        words.day = words.now.date() + timedelta(days=days)


def _read_nearby_day(words: _Words) -> None:
    """« Demain », "the day after tomorrow", « ce soir »."""
    today = words.now.date()
    if words.take(r"apres demain|(?:the )?day after tomorrow"):
        words.day = today + timedelta(days=2)
    elif words.take(r"demain|tomorrow"):
        words.day = today + timedelta(days=1)
    elif words.take(r"aujourd hui|today|tout a l heure"):
        words.day, words.of_today = today, True
    elif words.take(r"tonight"):
        words.part, words.day, words.of_today = "evening", today, True
    elif words.take(r"(?:ce|cet|cette|this)(?= (?:matin|midi|apres|soir|aprem|morning|afternoon|evening))"):
        words.day, words.of_today = today, True


def _read_weekday(words: _Words) -> None:
    """« Mardi », « mardi prochain », « mardi en huit », "next week Tuesday"; a day and its figure: « mardi 3 »."""
    days = "|".join(sorted(DAYS, key=len, reverse=True))
    if words.take(r"(?:(?:debut|milieu) de |de )?(?:la )?semaine prochaine|(?:of )?next week"):
        words.weeks = 1
        words.weekday = 0
    # « 3 mar » is March, « mar 3 » is a Tuesday.
    found = words.take(
        rf"(?:(next|this|ce|on|le) )?(?<!\d )(?<!\d)({days})(?: (prochain|qui vient|suivant|en huit|en quinze|week))?"
    )
    if found is None:
        return
    words.weekday = DAYS[found[2]]
    later = (found[3] or "", found[1] or "")
    if later[0] in ("en huit", "week"):
        words.strictly_later, words.weeks = True, -1
    elif later[0] == "en quinze":
        words.strictly_later, words.weeks = True, -2
    elif later[0] or later[1] == "next":
        words.strictly_later = True


def _read_date(words: _Words) -> None:
    """« Le 3 », « le 3 décembre 2027 », "December 3rd", « 3/12 »."""
    months = "|".join(sorted(MONTHS, key=len, reverse=True))
    ordinal = r"(\d{1,2})(?:er|st|nd|rd|th)?"
    if found := words.take(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?"):
        _set_date(words, int(found[1]), int(found[2]), found[3])
    elif found := words.take(rf"(?:the )?{ordinal} (?:of )?({months})(?: (\d{{4}}))?"):
        _set_date(words, int(found[1]), MONTHS[found[2]], found[3])
    elif found := words.take(rf"({months}) (?:the )?{ordinal}(?: (\d{{4}}))?(?! ?(?:h|:|am|pm))"):
        _set_date(words, int(found[2]), MONTHS[found[1]], found[3])
    elif found := words.take(
        r"(?:le|on the|the) (\d{1,2})(?:er|st|nd|rd|th)?(?! ?(?:h|:|am|pm))|(\d{1,2})(?:er|st|nd|rd|th)"
    ):
        _set_date(words, int(found[1] or found[2]), None, None)
    elif words.weekday is not None and (
        found := re.search(r"\|\s+(\d{1,2})(?![\w:/])(?! ?(?:h|heures?|am|pm|:))", words.left)
    ):
        words.left = words.left[: found.start()] + " | " + words.left[found.end() :]
        _set_date(words, int(found[1]), None, None)


def _set_date(words: _Words, day: int, month: int | None, year: str | None) -> None:
    """Keep the next date with this day, in this month and year where they were said, on the weekday that was said."""
    today = words.now.date()
    years = [int(year) + (2000 if len(year) == 2 else 0)] if year else [today.year, today.year + 1]
    months = [month] if month else list(range(1, 13))
    found = [_date(one, other, day) for one in years for other in months]
    possible = [one for one in found if one is not None and (year or one >= today)]
    if words.weekday is not None:
        possible = [one for one in possible if one.weekday() == words.weekday]
        words.weekday = None
    if not possible:
        raise Unreadable(NO_SUCH_DAY)
    words.day = min(possible)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


#: Parts of the day as they are said, the longest first.
SAID_PARTS: tuple[tuple[str, str], ...] = (
    ("early_morning", r"tot le matin|(?:en |au )?debut de matinee|early (?:in the )?morning"),
    ("late_morning", r"(?:en )?fin de matinee|late (?:in the )?morning|end of the morning"),
    (
        "lunch",
        r"entre midi et (?:deux|2|14 ?h)|(?:a |at )?(?:l )?heure du dejeuner|(?:at )?lunch ?time|at lunch",
    ),
    (
        "early_afternoon",
        r"(?:en |au )?debut d (?:apres midi|aprem)|apres (?:le )?dejeuner|early (?:in the )?afternoon|after lunch",
    ),
    (
        "late_afternoon",
        r"(?:en )?fin d apres midi|(?:en )?fin d aprem|late (?:in the )?afternoon|end of the afternoon",
    ),
    ("afternoon", r"(?:de |dans |in |of )?(?:l |the |cet )?(?:apres midi|aprem|afternoon)"),
    ("end_of_day", r"(?:en )?fin de journee|(?:at the )?end of (?:the )?day"),
    ("early_evening", r"(?:en |au )?debut de soiree|early (?:in the )?evening"),
    ("late_evening", r"(?:en )?fin de soiree|tard le soir|late (?:in the )?evening"),
    ("evening", r"(?:en |dans |du |in )?(?:le |la |the )?(?:soiree|soir|evening)"),
    ("morning", r"(?:en |dans |du |in )?(?:le |la |the )?(?:matinee|matin|morning)"),
)


def _read_part(words: _Words) -> None:
    """A part of the day; « midi et demi » is a time of the clock."""
    if words.take(r"(?:a )?midi et demie?"):
        words.clock = time(12, 30)
        return
    for part, said in SAID_PARTS:
        if words.take(said):
            words.part = part
            return
    if words.take(r"(?:a |at |le |vers )?(?:midi|noon|midday)"):
        words.part = "noon"


#: Said before a time that is not the very one.
ABOUT = r"vers|environ|around|about|a peu pres|pas avant|apres|a partir de|des|not before|after|from"


def _read_clock(words: _Words) -> None:
    """« 15 h 30 », "3 pm", « vers 14:00 », « après 18 h », « à 15 »."""
    words.about = words.take(ABOUT) is not None
    if found := words.take(
        r"(?:a |at |pour )?(\d{1,2}) ?(?:h|heures?|:) ?(\d{2})?(?: ?(?:min|mn))?( et demie?| et quart)?(?: ?(am|pm))?"
    ):
        extra = {" et demi": 30, " et demie": 30, " et quart": 15}.get(found[3] or "", 0)
        words.clock = _clock(found[1], int(found[2] or extra), found[4] or "", words.part)
    elif found := words.take(r"(?:a |at )?(\d{1,2}) ?(am|pm)|(?:a |at )?(\d{1,2})[.](\d{2}) ?(am|pm)?"):
        hour, minute, half = (found[1], "0", found[2]) if found[1] else (found[3], found[4], found[5])
        words.clock = _clock(hour, int(minute), half or "", words.part)
    elif found := words.take(r"(?:a|at) (\d{1,2})"):
        # Nobody is called at 3 in the night: "at 3" is said of the afternoon.
        is_afternoon = found[0].startswith("at") and int(found[1]) < 8 and not words.part
        words.clock = _clock(found[1], 0, "pm" if is_afternoon else "", words.part)
    elif words.about and (found := words.take(r"(\d{1,2})")):
        words.clock = _clock(found[1], 0, "", words.part)


#: Parts in which three o'clock is fifteen hours.
AFTER_NOON = frozenset(part for part, (start, _end) in PARTS.items() if start >= time(12))


def _clock(said: str, minute: int, half: str, part: str) -> time:
    hour = int(said)
    # « 03:00 » is of a clock of 24 hours; « 3 h » is as often said of the afternoon.
    if not half and not part and said in tuple("123456"):
        raise Unreadable(NIGHT)
    if half and not 1 <= hour <= 12:
        raise Unreadable(UNREADABLE)
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    elif part in AFTER_NOON and hour < 12:
        hour += 12
    if hour == 24 and minute == 0:
        hour = 0
    if hour > 23 or minute > 59:
        raise Unreadable(UNREADABLE)
    return time(hour, minute)


SMALL_WORDS = (
    "le la les a au en de du ce et on at the to in for of pour rappeler rappelez rappel call back please svp plutot"
    " precises precise pile sharp si if possible"
)


def _read_small_words(words: _Words) -> None:
    """What is left says nothing of the time."""
    while words.take("|".join(SMALL_WORDS.split())):
        pass


#: The order matters: what is longer and surer is cut out first.
READERS: tuple[Callable[[_Words], None], ...] = (
    _read_delay,
    _read_nearby_day,
    _read_weekday,
    _read_date,
    _read_part,
    _read_clock,
    _read_small_words,
)


def _moment_of(words: _Words, zone: ZoneInfo) -> Moment:
    """Put together what was read."""
    now = words.now.astimezone(UTC)
    named = words.day is not None or words.weekday is not None
    if words.delay is not None:
        if named or words.clock or words.part:
            raise Unreadable(UNREADABLE)
        whole = (now + words.delay).replace(second=0, microsecond=0)
        return Moment(whole if whole > now else whole + timedelta(minutes=1), False)
    if not named and words.clock is None and not words.part:
        raise Unreadable(UNREADABLE)
    if words.clock is None and words.of_today:
        return _later_today(words, zone)
    clock = words.clock or (PARTS[words.part][0] if words.part else SOME_TIME)
    return Moment(_first(words, clock, zone), words.clock is not None and not words.about)


def _later_today(words: _Words, zone: ZoneInfo) -> Moment:
    """A part of today: its beginning, or soon once it has begun. Today alone: soon."""
    now = words.now.astimezone(UTC)
    soon = _quarter(now + SOON)
    if not words.part:
        return Moment(soon, False)
    today = words.now.date()
    start, end = (_utc(datetime.combine(today, at), zone, now) for at in PARTS[words.part])
    if start > now:
        return Moment(start, False)
    if soon < end:
        return Moment(soon, False)
    raise Unreadable(PAST)


def _quarter(at: datetime) -> datetime:
    """Return the next full quarter of an hour from `at` on."""
    whole = at.replace(second=0, microsecond=0)
    late = timedelta(minutes=-whole.minute % 15)
    return whole + late if whole + late >= at else whole + late + timedelta(minutes=15)


def _first(words: _Words, clock: time, zone: ZoneInfo) -> datetime:
    """Return the first moment to come with this clock, on the day that was named or on any."""
    now, today = words.now.astimezone(UTC), words.now.date()
    if words.day is not None:
        return _utc(datetime.combine(words.day, clock), zone, now)
    if words.weekday is None:
        at = _utc(datetime.combine(today, clock), zone, now)
        return at if at > now else _utc(datetime.combine(today + timedelta(days=1), clock), zone, now)
    if words.weeks > 0:
        monday = today - timedelta(days=today.weekday()) + timedelta(weeks=words.weeks)
        return _utc(datetime.combine(monday + timedelta(days=words.weekday), clock), zone, now)
    day = today + timedelta(days=(words.weekday - today.weekday()) % 7)
    at = _utc(datetime.combine(day, clock), zone, now)
    if at <= now or (words.strictly_later and day == today):
        day += timedelta(days=7)
    return _utc(datetime.combine(day + timedelta(weeks=-words.weeks), clock), zone, now)


def _utc(local: datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """Return a local time in UTC. A time that the clocks jump over is the moment after the jump, one that they show
    twice the first of the two that is to come."""
    earlier, later = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if earlier.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        # In the gap: fold 1 reckons with the offset after it, fold 0 with the one before, which lies beyond it.
        return max(earlier, later)
    return earlier if earlier > now or later <= now else later


def _checked(moment: Moment, now: datetime) -> Moment:
    if moment.at <= now:
        raise Unreadable(PAST)
    if moment.at > now + FARTHEST:
        raise Unreadable(TOO_FAR)
    return replace(moment, at=moment.at.astimezone(UTC))
