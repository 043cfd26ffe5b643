"""Times as they are spoken, written as the grammar of moments reads them: « dix heures et demie » is 10h30. Pure.

Texts come and go without accents, in lower case (see `calls.rules.moments`). What is not surely a time is left as it is
and refused there: « trois heures » may be a delay, and nobody says whether it is of the night.
"""

import re
from collections.abc import Callable

_HOURS = {
    "huit": 8,
    "neuf": 9,
    "dix": 10,
    "onze": 11,
    "douze": 12,
    "treize": 13,
    "quatorze": 14,
    "quinze": 15,
    "seize": 16,
    "dix sept": 17,
    "dix huit": 18,
    "dix neuf": 19,
    "vingt": 20,
}
_MINUTES = {
    "": 0,
    "et quart": 15,
    "quinze": 15,
    "et demi": 30,
    "et demie": 30,
    "trente": 30,
    "quarante cinq": 45,
    "moins le quart": -15,
}


def _any(words: dict[str, int]) -> str:
    return "|".join(sorted(filter(None, words), key=len, reverse=True))


def _clock(hour: int, minutes: int) -> str:
    return f"{(hour * 60 + minutes) // 60}h{minutes % 60:02d}"


def _in_words(found: re.Match[str]) -> str:
    return _clock(_HOURS[found[1]], _MINUTES[found[2] or ""])


def _quarter_to(found: re.Match[str]) -> str:
    return _clock(int(found[1]), -15)


def _past(found: re.Match[str]) -> str:
    """ "Half past 3", "quarter to 4": nobody is called at three in the night."""
    minutes = {"half past": 30, "quarter past": 15, "quarter to": -15}[found[1]]
    hour = int(found[2])
    return _clock(hour + 12 if hour < 8 else hour, minutes)


def _from(found: re.Match[str]) -> str:
    return f"vers {found[1]}h{found[2] or ''}"


#: The rest of a time of the clock, its minutes kept.
_H = r"(?: ?(?:h|heures?) ?(\d\d)?)?"
#: What is read otherwise, in this order: a pattern of whole words, and what it is written as.
_REWRITTEN: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"(\d{4})-(\d\d)-(\d\d)", r"\3/\2/\1"),
    (r"(\d{1,2})[.-](\d{1,2})[.-](\d{4}|\d\d)", r"\1/\2/\3"),
    (r"(le|on|the) (\d{1,2})[.-](\d{1,2})", r"\1 \2/\3"),
    (rf"(?<!dans )(?<!ici )({_any(_HOURS)}) heures?(?: ({_any(_MINUTES)}))?", _in_words),
    (r"(\d{1,2}) ?(?:h|heures?) moins le quart", _quarter_to),
    (r"midi moins le quart", "11h45"),
    (r"midi et quart", "12h15"),
    (r"(?:a |at )?(half past|quarter past|quarter to) (\d{1,2})", _past),
    (r"(?:at )?(\d{1,2}) o clock", r"at \1"),
    (r"between (\d{1,2}) (?:and|to) \d{1,2} ?(am|pm)", r"around \1\2"),
    (
        rf"(?:entre|de|between|from) (\d{{1,2}}){_H} (?:et|a|and|to) \d{{1,2}} ?(?:h|heures?)(?: ?\d\d)?",
        _from,
    ),
    (r"(\d{1,2})h?(\d\d)?-\d{1,2}h(?:\d\d)?", _from),
)
_PATTERNS = tuple((re.compile(rf"(?<![\w:/-])(?:{said})(?![\w:/])"), written) for said, written in _REWRITTEN)
_GONE = re.compile(r"\b(?:hier|yesterday|il y a|ago|derniere?|last)\b")


def as_written(text: str) -> str:
    """Return the text with spoken times and other spellings of dates as the grammar of moments writes them."""
    for pattern, written in _PATTERNS:
        text = pattern.sub(written, text)
    return text


def is_gone(text: str) -> bool:
    """Whether the text speaks of the past: « hier », "last Monday"."""
    return _GONE.search(text) is not None
