"""Runs of digits read as one number: candidates of region, what was repaired, and why there is none."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import shortnumberinfo

from crm.rules.phones_plans import Facts, FactsOf, Plan, plan_facts, plan_of
from crm.rules.phones_types import FRENCH_OVERSEAS_REGIONS, Kind, Reason, Validity

# National numbers of metropolitan France and of these regions are dialled alike (0 + nine digits), but the
# country code differs: the three digits after the 0 decide (Arcep numbering plan).
_OVERSEAS_BY_PREFIX = {
    "262": "RE",
    "263": "RE",
    "269": "YT",
    "590": "GP",
    "594": "GF",
    "596": "MQ",
    "639": "YT",
    "690": "GP",
    "691": "GP",
    "692": "RE",
    "693": "RE",
    "694": "GF",
    "696": "MQ",
    "697": "MQ",
}

_LONGEST_SHORT = 6
#: What telephones take for a call for help wherever they are (ITU-T E.161.1), and what much of the world dials.
_EMERGENCY = frozenset({"112", "911", "999"})
_FRENCH_SHORT = re.compile(r"1\d{1,3}|3\d{3}|11[68]\d{3}")
_FRENCH_NATIONAL_KINDS: dict[str, Kind] = {"6": "mobile", "7": "mobile", "9": "voip"}
#: Longer runs of digits are read as no number: E.164 allows 15, and some dial two zeros before them.
MAX_DIGITS = 17


class Reading(NamedTuple):
    """One run of digits read as one number: with a number, or with the reason why there is none (both when the number
    exists and may not be called)."""

    number: str = ""
    kind: Kind = "unknown"
    validity: Validity = "invalid"
    repairs: tuple[str, ...] = ()
    reason: Reason = ""


_NOTHING = Reading()
_INVALID = Reading(reason="invalid_number")
_ALL_ZEROS = Reading(reason="no_number")
_SHORT = Reading(reason="short_number")


def read_digits(digits: str, plus: bool, region: str, facts_of: FactsOf) -> Reading:
    """Read ASCII digits as one number, what they are told by ``facts_of``. Never raises."""
    if not digits.strip("0"):
        return _ALL_ZEROS
    if len(digits) > MAX_DIGITS:
        return _INVALID
    if plus:
        reading = _international(digits, (), facts_of)
        if reading.number or not digits.startswith("0"):
            return reading if reading.number else _INVALID
        reading = _national(digits, region, facts_of)
        return reading._replace(repairs=(*reading.repairs, "stray_plus"))
    if digits.startswith("00") and len(digits) >= 10:
        reading = _international(digits[2:], ("double_zero",), facts_of)
        return reading if reading.number else _INVALID
    return _national(digits, region, facts_of)


def read_simple(digits: str, plus: bool, region: str) -> Reading | None:
    """Read "0199001234" and, behind "+", "33199001234" without a detour; None for whatever is less simple. What it says
    is what ``read_digits`` says."""
    plan = _simple_plan(region)
    if plan is None:
        return None
    start = 1
    if plus:
        if not digits.startswith(plan.code):
            return None
        start = len(plan.code)
    elif digits[0] != "0":
        return None
    national = digits[start:]
    if len(national) <= _LONGEST_SHORT:
        return None
    overseas = _OVERSEAS_BY_PREFIX.get(national[:3])
    if overseas and region == "FR" and (plus or not _is_surely_invalid(digits, overseas)):
        return None
    own = plan.own(national)
    return _judge(Facts(int(plan.code), national, *own), ()) if own else None


def _is_surely_invalid(digits: str, region: str) -> bool:
    facts = plan_facts(digits, region)
    return facts is not None and not facts.is_valid


@cache
def _simple_plan(region: str) -> Plan | None:
    plan = plan_of(region)
    return plan if plan and plan.is_simple and region not in FRENCH_OVERSEAS_REGIONS else None


def _national(digits: str, region: str, facts_of: FactsOf) -> Reading:
    for candidate in _candidate_regions(digits, region):
        reading = _in_region(digits, candidate, region, facts_of)
        # "11833" has a length that German subscribers have, and is directory assistance.
        if reading.number and (reading.validity == "valid" or not _is_known_short(digits, region)):
            return reading
    if len(digits) >= 11 and not digits.startswith("0"):
        reading = _international(digits, ("missing_plus",), facts_of)
        if reading.validity == "valid":
            return reading
    return _SHORT if _is_short(digits, region) else _INVALID


def _candidate_regions(digits: str, region: str) -> tuple[str, ...]:
    if region == "FR":
        overseas = _OVERSEAS_BY_PREFIX.get(digits[1:4] if digits.startswith("0") else digits[:3])
        return (overseas, "FR") if overseas else ("FR",)
    if region not in FRENCH_OVERSEAS_REGIONS:
        return (region,)
    overseas = _OVERSEAS_BY_PREFIX.get(digits.removeprefix("0")[:3], "")
    first = () if region == overseas else (region,)
    return tuple(code for code in (overseas, *first, "FR") if code)


def _in_region(digits: str, candidate: str, region: str, facts_of: FactsOf) -> Reading:
    facts = facts_of(digits, candidate)
    if facts is None:
        return _NOTHING
    repairs: tuple[str, ...] = ()
    if candidate in FRENCH_OVERSEAS_REGIONS:
        if not facts.is_valid:
            return _NOTHING
        if region == "FR":
            repairs = ("overseas",)
    code = str(facts.country_code)
    whole = len(code) + len(facts.national)
    if len(digits) >= whole and digits.startswith(code):
        repairs = (
            (*repairs, "missing_plus") if len(digits) == whole else (*repairs, "missing_plus", "trunk_zero")
        )
    elif not digits.startswith("0") and _dials_zero(candidate):
        repairs = (*repairs, "leading_zero")
    return _judge(facts, repairs)


@cache
def _dials_zero(region: str) -> bool:
    return bool(phonenumbers.ndd_prefix_for_region(region, True) == "0")


def _international(digits: str, repairs: tuple[str, ...], facts_of: FactsOf) -> Reading:
    facts = facts_of(digits, "")
    if facts is None:
        return _NOTHING
    if facts.country_code == 33 and not facts.is_valid and (moved := _moved_overseas(facts, facts_of)):
        return _judge(moved, (*repairs, "overseas"))
    if len(facts.national) + len(str(facts.country_code)) < len(digits):
        repairs = (*repairs, "trunk_zero")
    return _judge(facts, repairs)


def _moved_overseas(facts: Facts, facts_of: FactsOf) -> Facts | None:
    """+33 262 …, as often written for Réunion, is +262 262 …"""
    national = facts.national.lstrip("0")
    region = _OVERSEAS_BY_PREFIX.get(national[:3])
    if region is None:
        return None
    moved = facts_of("0" + national, region)
    return moved if moved and moved.is_valid else None


def _judge(facts: Facts, repairs: tuple[str, ...]) -> Reading:
    country_code, national, kind, is_valid, is_possible = facts
    if not is_possible:
        return _NOTHING
    number = f"+{country_code}{national}"
    if not 8 <= len(number) <= 16:
        return _NOTHING
    if country_code == 33:
        if len(national) != 9 or national[0] == "0":
            return _NOTHING
        if kind == "unknown":
            kind = _french_kind(national)
    return Reading(
        number,
        kind,
        "valid" if is_valid else "possible",
        repairs,
        "premium_number" if kind == "premium" else "",
    )


def _french_kind(national: str) -> Kind:
    """Kind of a French number that the library does not know (06 39 98 is kept for fiction: possible, not valid)."""
    if national[0] == "8":
        return "toll_free" if national[1] == "0" else "premium"
    return _FRENCH_NATIONAL_KINDS.get(national[0], "landline")


def _is_short(digits: str, region: str) -> bool:
    """Whether digits that are no subscriber's number are as long as the region's short numbers, or call for help."""
    return _is_short_by(shortnumberinfo.is_possible_short_number_for_region, digits, region)


def _is_known_short(digits: str, region: str) -> bool:
    """Whether digits are a short number that the region's plan lists."""
    return _is_short_by(shortnumberinfo.is_valid_short_number_for_region, digits, region)


def _is_short_by(is_short: Callable[[phonenumbers.PhoneNumber, str], bool], digits: str, region: str) -> bool:
    if len(digits) > _LONGEST_SHORT:
        return False
    if digits in _EMERGENCY:
        return True
    if region == "FR" or region in FRENCH_OVERSEAS_REGIONS:
        return bool(_FRENCH_SHORT.fullmatch(digits))
    code = phonenumbers.country_code_for_region(region)
    number = phonenumbers.PhoneNumber(
        country_code=code, national_number=int(digits), italian_leading_zero=digits.startswith("0")
    )
    return bool(is_short(number, region))
