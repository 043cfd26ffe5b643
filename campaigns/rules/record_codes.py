"""Columns of codes: country, language, activity, postal code, person or organisation, as people write them."""

from __future__ import annotations

import re
from functools import lru_cache

from campaigns.rules.headers import fold

_NAF = re.compile(r"(\d{2})\.?(\d{2})\s?([A-Za-z])")

_COUNTRIES = {
    "france": "FR",
    "fra": "FR",
    "allemagne": "DE",
    "germany": "DE",
    "deutschland": "DE",
    "belgique": "BE",
    "belgium": "BE",
    "suisse": "CH",
    "switzerland": "CH",
    "luxembourg": "LU",
    "espagne": "ES",
    "spain": "ES",
    "italie": "IT",
    "italy": "IT",
    "portugal": "PT",
    "royaume uni": "GB",
    "united kingdom": "GB",
    "uk": "GB",
    "gbr": "GB",
    "etats unis": "US",
    "united states": "US",
    "usa": "US",
    "canada": "CA",
    "monaco": "MC",
    "guadeloupe": "GP",
    "martinique": "MQ",
    "guyane": "GF",
    "la reunion": "RE",
    "reunion": "RE",
    "mayotte": "YT",
    "nouvelle caledonie": "NC",
    "polynesie francaise": "PF",
}
_LANGUAGES = {
    "francais": "fr",
    "french": "fr",
    "anglais": "en",
    "english": "en",
    "allemand": "de",
    "german": "de",
    "espagnol": "es",
    "spanish": "es",
    "italien": "it",
    "italian": "it",
    "portugais": "pt",
    "portuguese": "pt",
    "arabe": "ar",
    "arabic": "ar",
    "neerlandais": "nl",
    "dutch": "nl",
    "alsacien": "gsw",
    "breton": "br",
}
_PERSONS = frozenset(
    {"person", "personne", "particulier", "physique", "personne physique", "individual", "b2c"}
)


def sector_code(value: str) -> str:
    """An activity code as it is kept ("64.19z" → "6419Z"); anything else as it is."""
    match = _NAF.fullmatch(value)
    return match[1] + match[2] + match[3].upper() if match else value


@lru_cache(maxsize=2_000)
def country_code(value: str) -> str:
    """The code (ISO 3166 alpha-2) of a country's code or name, "" when it is neither."""
    return _code(value, _COUNTRIES, 2).upper()


@lru_cache(maxsize=2_000)
def language_code(value: str) -> str:
    """The code (ISO 639) of a language's code or name, "" when it is neither."""
    return _code(value, _LANGUAGES, 3).lower()


def _code(value: str, names: dict[str, str], length: int) -> str:
    if known := names.get(fold(value), ""):
        return known
    if re.fullmatch(rf"[A-Za-z]{{2,{length}}}(?:[-_][A-Za-z]{{2}})?", value):
        return re.split(r"[-_]", value)[0]
    return ""


@lru_cache(maxsize=2_000)
def stated_kind(value: str) -> str:
    """What a column that says whom a record is about means: "person" or "organisation"."""
    return "person" if fold(value) in _PERSONS else "organisation"
