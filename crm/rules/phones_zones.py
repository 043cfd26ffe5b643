"""Where a number rings: the region whose national numbers a record holds, and the time zone of whom is called."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone
from phonenumbers.tzdata import TIMEZONE_DATA

from crm.rules.phones_plans import Facts, facts_of
from crm.rules.phones_types import FRENCH_OVERSEAS_REGIONS

_REGION_BY_POSTAL_PREFIX = {
    "971": "GP",
    "972": "MQ",
    "973": "GF",
    "974": "RE",
    "975": "PM",
    "976": "YT",
    "977": "BL",
    "978": "MF",
    "986": "WF",
    "987": "PF",
    "988": "NC",
}

_ZONE_BY_REGION = {
    "FR": "Europe/Paris",
    "GP": "America/Guadeloupe",
    "MQ": "America/Martinique",
    "GF": "America/Cayenne",
    "RE": "Indian/Reunion",
    "PM": "America/Miquelon",
    "YT": "Indian/Mayotte",
    "BL": "America/Guadeloupe",
    "MF": "America/Guadeloupe",
    "WF": "Pacific/Wallis",
    "PF": "Pacific/Tahiti",
    "NC": "Pacific/Noumea",
}

_ZONE_BY_COUNTRY_CODE = {
    33: "Europe/Paris",
    590: "America/Guadeloupe",
    594: "America/Cayenne",
    596: "America/Martinique",
    508: "America/Miquelon",
    681: "Pacific/Wallis",
    687: "Pacific/Noumea",
    689: "Pacific/Tahiti",
}

# Where several zones of a country never differ by the clock, the one that people know it by.
_PREFERRED_ZONES = ("Europe/London", "Europe/Madrid", "Europe/Rome")


def region_for(postal_code: str, country: str = "", default: str = "FR") -> str:
    """The region in which a record's national numbers are to be read: French overseas by postal code, else its country
    (alpha-2), else ``default``."""
    country = country.upper()
    if country in ("", "FR") or country in FRENCH_OVERSEAS_REGIONS:
        overseas = _REGION_BY_POSTAL_PREFIX.get(postal_code[:3]) if len(postal_code) == 5 else None
        if overseas and (country or default == "FR" or default in FRENCH_OVERSEAS_REGIONS):
            return overseas
    return country if is_region(country) else default


def is_region(code: str) -> bool:
    """Tell whether national numbers of this country (ISO 3166 alpha-2, in capitals) can be read."""
    return code in phonenumbers.SUPPORTED_REGIONS


def time_zone_for(number: str, postal_code: str = "", country: str = "") -> str:
    """IANA zone of the called party for an E.164 number, "" where it cannot be told (nobody may call then).

    A French overseas postal code (971 to 978, 986 to 988) outranks the number: mobiles of metropolitan France are
    used there."""
    region = region_for(postal_code, country, "FR")
    if region in FRENCH_OVERSEAS_REGIONS and postal_code[:3] in _REGION_BY_POSTAL_PREFIX:
        return _ZONE_BY_REGION[region]
    if not number:
        return _ZONE_BY_REGION.get(country.upper() or ("FR" if postal_code else ""), "")
    if number.startswith("+33"):  # no other country code begins so; most numbers do
        return _ZONE_BY_COUNTRY_CODE[33]
    facts = facts_of(number[1:], "") if number[1:].isdecimal() and number.isascii() else None
    return _zone_of(facts, number) if facts else ""


def _zone_of(facts: Facts, number: str) -> str:
    code, national = facts.country_code, facts.national
    if code == 262:
        return "Indian/Mayotte" if national.startswith(("269", "639")) else "Indian/Reunion"
    if code in _ZONE_BY_COUNTRY_CODE:
        return _ZONE_BY_COUNTRY_CODE[code]
    if not facts.is_valid:
        return ""
    zone = _only_zone(str(code))
    return _zone_by_library(number) if zone is None else zone


@cache
def _only_zone(code: str) -> str | None:
    """The zone of every number of a country code, None where it depends on the number."""
    zones = {_shared(names) for prefix, names in TIMEZONE_DATA.items() if prefix.startswith(code)}
    return zones.pop() if len(zones) == 1 else None


@lru_cache(maxsize=20_000)
def _zone_by_library(number: str) -> str:
    return _shared(timezone.time_zones_for_number(phonenumbers.parse(number, None)))


def _shared(names: Sequence[str]) -> str:
    """The zone that several names stand for, "" where their clocks differ."""
    zones = [name for name in names if name != timezone.UNKNOWN_TIMEZONE]
    if not zones or len({_clock_of(zone) for zone in zones}) != 1:
        return ""
    return next((zone for zone in _PREFERRED_ZONES if zone in zones), zones[0])


@lru_cache(maxsize=600)
def _clock_of(zone: str) -> tuple[object, ...]:
    """What the clock of a zone does in winter and in summer: zones alike in both are interchangeable for us."""
    info = ZoneInfo(zone)
    return tuple(datetime(2024, month, 15, 12, tzinfo=info).utcoffset() for month in (1, 4, 7, 10))
