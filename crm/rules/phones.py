"""Phone numbers: from whatever a cell of a file or a search box holds to E.164, and from there to a time zone.

Pure functions on top of Google's metadata (the ``phonenumbers`` library). A cell gives zero or more numbers;
what was repaired on the way is said, and so is the reason when nothing could be used.
"""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

from crm.rules.phones_cells import MAX_CELL_LENGTH, MAX_NOTE_LENGTH, digits_of, read_cell
from crm.rules.phones_digits import read_digits, read_simple
from crm.rules.phones_placeholders import is_placeholder
from crm.rules.phones_plans import facts_of
from crm.rules.phones_types import (
    FRENCH_OVERSEAS_REGIONS,
    Kind,
    ParsedNumber,
    ParsedPhones,
    Reason,
    RefusedNumber,
    Validity,
)
from crm.rules.phones_zones import is_region, region_for, time_zone_for

__all__ = (
    "FRENCH_OVERSEAS_REGIONS",
    "MAX_CELL_LENGTH",
    "MAX_NOTE_LENGTH",
    "Kind",
    "ParsedNumber",
    "ParsedPhones",
    "Reason",
    "RefusedNumber",
    "Validity",
    "is_placeholder",
    "is_region",
    "national",
    "normalise",
    "region_for",
    "search_beginning",
    "search_forms",
    "time_zone_for",
)

MAX_PLAIN_LENGTH = 40

#: Digits, with at most one separator between two of them, an area code in brackets, or the zero of "+33 (0)1".
_PLAIN = re.compile(r"(?:\+?|\(0\d{1,4}\) ?)\d(?: ?\(0\) ?\d|[ .\-/\u00a0\u202f]?\d)*", re.ASCII)
#: What spreadsheets put behind a number that they took for one to reckon with.
_DECIMALS = (".0", ".00", ".000")
_ONLY_DIGITS = str.maketrans("", "", "+ .-/()\u00a0\u202f")
_BEGINNING = re.compile(r"[ (]*\+?[\d \-./()\u00a0\u202f\u2026]+", re.ASCII)
_NOT_DIGITS = re.compile(r"\D")


@lru_cache(maxsize=20_000)
def normalise(raw: str, region: str = "FR") -> ParsedPhones:
    """Read the numbers in ``raw``, any text, as written by somebody in ``region`` (ISO 3166 alpha-2). Never raises.

    Repairs: ``leading_zero``, ``trunk_zero`` (``+33 (0)1``), ``double_zero`` (``0033``), ``missing_plus``,
    ``separators``, ``exotic_space``, ``invisible_characters``, ``apostrophe``, ``foreign_digits``,
    ``letter_for_digit``, ``spreadsheet_text``, ``scientific_notation``, ``decimal``, ``several_numbers``,
    ``extension``, ``words``, ``overseas``, ``stray_plus``.
    A number in scientific notation is recovered only when it shows every digit; else ``damaged_by_spreadsheet``."""
    region = region.upper() or "FR"
    return _plain(raw, region) or read_cell(raw, region)


def _plain(raw: str, region: str) -> ParsedPhones | None:
    """The quick way for a cell that holds one number and nothing else; None where it is not quite so."""
    if len(raw) > MAX_PLAIN_LENGTH:
        return None
    raw = raw.strip(" ")
    if not _PLAIN.fullmatch(raw):
        return None
    digits = raw.translate(_ONLY_DIGITS)
    if raw.endswith(_DECIMALS):
        return None
    plus = raw[0] == "+"
    reading = read_simple(digits, plus, region) or read_digits(digits, plus, region, facts_of)
    if not reading.number or reading.reason:
        return None
    repairs = reading.repairs
    if not raw.isdigit():
        spaced = raw.replace("\u00a0", " ").replace("\u202f", " ")
        if "." in raw or "-" in raw or "/" in raw or "(" in raw:
            repairs = ("separators", *repairs)
        if spaced != raw:
            repairs = ("exotic_space", *repairs)
        raw = spaced
    return ParsedPhones((ParsedNumber(reading.number, reading.kind, reading.validity, raw=raw),), repairs)


def search_forms(text: str) -> tuple[str, ...]:
    """E.164 candidates for whatever somebody typed into a search box, "" when it is no number. Numbers that may not be
    called (premium rate) are found as well."""
    if sum(character.isdigit() for character in text) < 6:
        return ()
    found = [parsed.number for parsed in normalise(text, "FR").numbers]
    digits = digits_of(text)
    if 8 <= len(digits) <= 15:
        reading = read_digits(digits, text.lstrip().startswith("+"), "FR", facts_of)
        if reading.number:
            found.append(reading.number)
        if not digits.startswith("0"):
            found.append("+" + digits)
    return tuple(dict.fromkeys(found))


def national(number: str) -> str:
    """Return an E.164 number as people read it in France: "01 99 00 12 34", and "+44 20 7946 0000" from abroad."""
    if len(number) == 12 and number.startswith("+33"):
        digits = "0" + number[3:]
        return " ".join(digits[start : start + 2] for start in range(0, 10, 2))
    return _international_spelling(number)


@lru_cache(maxsize=2_000)
def _international_spelling(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def search_beginning(text: str) -> tuple[str, str] | None:
    """Return the range (first included, last not) of the E.164 numbers that begin as somebody began to type one in
    French, "06 39 98" or "+33 1 99"; None for fewer than four digits, a whole number, or anything else."""
    if not _BEGINNING.fullmatch(text):
        return None
    digits = _NOT_DIGITS.sub("", text)
    if text.lstrip(" (").startswith("+") or digits.startswith("00"):
        digits = digits.removeprefix("00")
        if digits.startswith("330"):
            digits = "33" + digits[3:]
    elif digits.startswith("0"):
        digits = "33" + digits[1:]
    else:
        return None
    if not 5 <= len(digits) < 11 or digits.startswith("0"):
        return None
    return f"+{digits}", f"+{int(digits) + 1}"
