"""What a column holds, told from its values alone: e-mails, codes, numbers, addresses, company names.

A share is between 0 and 1: the part of the filled cells that look like it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from campaigns.rules.answers import is_answer
from campaigns.rules.headers import fold
from crm.rules.phones import normalise

_EMAIL = re.compile(r"[^@\s;,]+@[^@\s;,]+\.[^@\s;,.]{2,}")
_NAF = re.compile(r"\d{2}\.?\d{2}\s?[A-Z]", re.IGNORECASE)
_SECTOR_CODE = re.compile(r"\d{2}\.?\d{0,2}\s?[A-Z]?|\d{2,6}", re.IGNORECASE)
_SIRET = re.compile(r"\d{14}")
_SIREN = re.compile(r"\d{9}")
_SCIENTIFIC_ID = re.compile(r"\d([.,]\d+)?[eE]\+\d{1,2}")
_CODE = re.compile(r"(?=.*\d)[\w.-]{5,40}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)\d\d(?!\d)")
_DECIMAL = re.compile(r"\d[.,]\d{3,}$")
_CIVILITY = re.compile(
    r"(?:m|mr|mrs|ms|miss|mme|mlle|monsieur|madame|mademoiselle|dr|docteur|me|pr)\.?", re.IGNORECASE
)
_POSTAL_CODES = {
    "FR": re.compile(r"(?:0[1-9]|[1-8]\d|9[0-8])\d{3}"),
    "US": re.compile(r"\d{5}(?:-\d{4})?"),
    "GB": re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}", re.IGNORECASE),
    "CA": re.compile(r"[A-Z]\d[A-Z]\s?\d[A-Z]\d", re.IGNORECASE),
    "DE": re.compile(r"\d{5}"),
    "ES": re.compile(r"(?:0[1-9]|[1-4]\d|5[0-2])\d{3}"),
    "IT": re.compile(r"\d{5}"),
}
_STREET = re.compile(
    r"(?:rue|avenue|av|boulevard|bd|place|chemin|allee|route|rte|impasse|quai|cours|square|road|rd|street|st|lane|drive|dr|"
    r"highway|circle|way|court|blvd|strasse|via|calle)"
)
_COMPANY = re.compile(
    r"\b(?:sa|sas|sasu|sarl|eurl|sci|snc|gmbh|ltd|llc|inc|plc|hospital|clinic|clinique|hopital|ch|chu|center|centers|centre|"
    r"medical|ets|etablissements?|association|societe|banque|mairie|commune|ecole|college|lycee|pharmacie|garage)\b"
)

#: How sure a field is when values alone suggest it, at best.
BY_VALUES = 0.8


def field_seen(values: Sequence[str], region: str) -> tuple[str, float]:
    """The field that the values alone suggest and how sure that is: ("", 0.0) when they suggest none."""
    if not values:
        return "", 0.0
    for target, pattern, sure in (
        ("email", _EMAIL, 1.0),
        ("sector", _NAF, 1.0),
        ("external_id", _SIRET, 1.0),
    ):
        if (share := share_of(values, pattern.fullmatch)) >= 0.7:
            return target, round(share * BY_VALUES * sure, 2)
    if (share := share_of(values, _CIVILITY.fullmatch)) >= 0.9:
        return "civility", round(share * BY_VALUES, 2)
    postal_code = _POSTAL_CODES.get(region)
    share = share_of(values, postal_code.fullmatch) if postal_code else 0.0
    if share >= 0.9 and not _is_sequence(values):
        return "postal_code", round(share * BY_VALUES, 2)
    if are_ids(values):
        return "", 0.0
    share = share_of(values, partial(is_phone, region=region))
    return ("phone", round(share * BY_VALUES, 2)) if share >= 0.7 else ("", 0.0)


def share_of(values: Sequence[str], says: Callable[[str], object]) -> float:
    """The share of the values of which `says` is true; 0 without values."""
    return sum(bool(says(value)) for value in values) / len(values) if values else 0.0


def is_phone(value: str, region: str) -> bool:
    """Whether a value is a number and little else; bare ids, dates and coordinates are not."""
    if not 9 <= sum(map(str.isdigit, value)) <= 45 or _DECIMAL.search(value) or _DATE.match(value):
        return False
    parsed = normalise(value, region)
    return bool(parsed.numbers) and (
        parsed.numbers[0].validity == "valid" or value.lstrip(" '’").startswith(("0", "+"))
    )


def are_ids(values: Sequence[str]) -> bool:
    """Whether the values are ids that a number could be mistaken for: nine digits behind a zero (FINESS), or nine
    digits that pass the check of a SIREN."""
    if sum(bool(re.fullmatch(r"0\d{8}", value)) for value in values) > len(values) * 0.05:
        return True
    return len(values) >= 3 and share_of(values, _is_siren) >= 0.9


def are_own_codes(values: Sequence[str], rows: int) -> bool:
    """Whether every row has a code of its own, which can then tell its record again. Counting lines is no id: the next
    file counts other people."""
    if len(values) < max(rows * 0.9, 3) or len(set(values)) < len(values) * 0.95:
        return False
    return share_of(values, _CODE.fullmatch) >= 0.9 and not _is_sequence(values)


def has_words(values: Sequence[str]) -> bool:
    """Whether at least a part of the values are words and not codes or coordinates."""
    return share_of(values, re.compile(r"[^\W\d_]{2}").search) >= 0.3


def is_text(values: Sequence[str]) -> bool:
    """Whether nearly all values hold a word."""
    return share_of(values, re.compile(r"[^\W\d_]{3}").search) > 0.8


def is_plain_words(values: Sequence[str]) -> bool:
    """Whether the values are words without a digit, such as the names of towns."""
    return is_text(values) and share_of(values, re.compile(r"\d").search) < 0.1


def has_numbers(values: Sequence[str], region: str) -> bool:
    """Whether any value holds what may be a number, good or bad."""
    return any(normalise(value, region).numbers or sum(map(str.isdigit, value)) >= 4 for value in values)


def has_sector_codes(values: Sequence[str]) -> bool:
    """Whether the values are codes of activity and not their names."""
    return share_of(values, _SECTOR_CODE.fullmatch) >= 0.3


def has_answers(values: Sequence[str]) -> bool:
    """Whether the values are a yes or no."""
    return share_of(values, is_answer) >= 0.5


def has_dates(values: Sequence[str]) -> bool:
    """Whether some values are dates."""
    return share_of(values, re.compile(r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}").search) >= 0.3


def address_share(values: Sequence[str]) -> float:
    """The share of values that look like a street with its number."""
    return share_of(values, _is_address)


def company_share(values: Sequence[str]) -> float:
    """How much the values look like names of companies: those with a word of one, less where they are repeated."""
    if not values or len(set(values)) < len(values) * 0.5:
        return 0.0
    named = share_of(values, lambda value: _COMPANY.search(fold(value)))
    return named * len(set(values)) / len(values)


def is_damaged_id(value: str) -> bool:
    """Whether a spreadsheet wrote an id in scientific notation ("7,75619E+13"): what it stood for is lost."""
    return bool(_SCIENTIFIC_ID.fullmatch(value.strip()))


def _is_address(value: str) -> bool:
    words = fold(value).split()
    if _DATE.match(value) or len(words) < 2 or not re.fullmatch(r"\d{1,5}(?:bis|ter|[a-d])?", words[0]):
        return False
    return any(map(_STREET.fullmatch, words[1:])) or (len(words[0]) < 5 and len(words) >= 3)


def _is_siren(value: str) -> bool:
    if not _SIREN.fullmatch(value):
        return False
    digits = [int(digit) * (1 + position % 2) for position, digit in enumerate(value)]
    return sum(digit // 10 + digit % 10 for digit in digits) % 10 == 0


def _is_sequence(values: Sequence[str]) -> bool:
    if len(values) < 3 or not all(map(str.isdecimal, values)):
        return False
    steps = [int(second) - int(first) for first, second in pairwise(values)]
    return steps.count(1) > len(steps) * 0.6
