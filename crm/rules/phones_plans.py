"""Numbering plans: what a run of digits is, by the library itself and by patterns compiled from its metadata.

The patterns are some ten times as quick. Where they are not sure of saying the same as the library, they say nothing
and the library is asked; that they do say the same is proved by ``tests/test_phones_fast.py`` and ``bench/numbers.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Literal, NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberDesc
from phonenumbers import PhoneNumberType as LibraryType

from crm.rules.phones_types import Kind


class Facts(NamedTuple):
    """A number as its country's plan sees it: country code, national (significant) number, kind, whether it belongs to
    an assigned range, and whether its length at least is one that the country uses."""

    country_code: int
    national: str
    kind: Kind
    is_valid: bool
    is_possible: bool = True


#: Digits of a length that no number of their country has. The library may have read something into them all the same.
IMPOSSIBLE = Facts(0, "", "unknown", is_valid=False, is_possible=False)

#: Reads digits as dialled in a region (alpha-2), or as an international number without its "+" where the region is "".
FactsOf = Callable[[str, str], Facts | None]

_KIND_BY_LIBRARY_TYPE: dict[int, Kind] = {
    LibraryType.FIXED_LINE: "landline",
    LibraryType.MOBILE: "mobile",
    LibraryType.VOIP: "voip",
    LibraryType.TOLL_FREE: "toll_free",
    LibraryType.PREMIUM_RATE: "premium",
    LibraryType.SHARED_COST: "premium",
}

#: Descriptions of a region's metadata in the order in which the library tries them, before landline and mobile.
_TRIED_FIRST: tuple[tuple[str, Kind], ...] = (
    ("premium_rate", "premium"),
    ("toll_free", "toll_free"),
    ("shared_cost", "premium"),
    ("voip", "voip"),
    ("personal_number", "unknown"),
    ("pager", "unknown"),
    ("uan", "unknown"),
    ("voicemail", "unknown"),
)


def library_facts(digits: str, region: str) -> Facts | None:
    """Ask the library; None when it cannot read the digits at all."""
    try:
        number = phonenumbers.parse(digits if region else "+" + digits, region or None)
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(number)
    return Facts(
        number.country_code or 0,
        phonenumbers.national_significant_number(number),
        _KIND_BY_LIBRARY_TYPE.get(phonenumbers.number_type(number), "unknown"),
        phonenumbers.is_valid_number(number),
        reason == phonenumbers.ValidationResult.IS_POSSIBLE,
    )


def facts_of(digits: str, region: str) -> Facts | None:
    """Read by the compiled patterns, and by the library where they are not sure. Same answers as ``library_facts``, but
    that nothing is told of an impossible number."""
    return plan_facts(digits, region) or library_facts(digits, region)


def plan_facts(digits: str, region: str) -> Facts | None:
    """Read by the compiled patterns alone; None where the library has to decide."""
    if region:
        plan = plan_of(region)
        return plan.dialled(digits) if plan else None
    for length in (2, 3, 1):
        plan = plan_of_code(digits[:length])
        if plan:
            return plan.significant(digits[length:])
    return None


@cache
def plan_of_code(code: str) -> Plan | None:
    """The plan of a country code, None where there is none of one or more countries."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ()) if code.isdecimal() else ()
    # "02" is no country code, though int() takes it for one.
    return plan_of(regions[0]) if regions and not code.startswith("0") else None


@cache
def plan_of(region: str) -> Plan | None:
    """The plan of a region (alpha-2, capitals), None where there is none or its metadata is not understood."""
    metadata = PhoneMetadata.metadata_for_region(region) if region in phonenumbers.SUPPORTED_REGIONS else None
    try:
        return Plan(metadata) if metadata else None
    except _NotUnderstoodError:
        return None


class _NotUnderstoodError(Exception):
    """The metadata holds something that these patterns do not cover."""


class Plan:
    """The numbering plan of a region, compiled from the library's metadata."""

    __slots__ = (
        "_country",
        "_general",
        "_idd",
        "_is_plain_prefix",
        "_lengths",
        "_longest",
        "_main",
        "_only_ranges",
        "_possible",
        "_prefix",
        "code",
        "is_simple",
    )

    def __init__(self, metadata: PhoneMetadata) -> None:
        """Compile; raises ``_NotUnderstoodError`` where the metadata goes beyond what is covered."""
        code = metadata.country_code or 0
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
        self.code = str(code)
        self._main: str = regions[0]
        self._general = re.compile(_pattern_of(metadata.general_desc)).fullmatch
        self._lengths = _lengths_of(metadata)
        self._longest = max(self._lengths)
        # Whether a length is possible is told by the first region of a country code, whatever the others say.
        self._possible = _lengths_of(_metadata_of(self._main))
        self._idd = re.compile(metadata.international_prefix or "(?!)").match
        prefix = re.compile(metadata.national_prefix_for_parsing or "(?!)")
        self._prefix = prefix.match
        # Some prefixes do more than go away: they name a carrier, or the number is written anew.
        self._is_plain_prefix = not prefix.groups and not metadata.national_prefix_transform_rule
        self._country = tuple(_Ranges(_metadata_of(region)) for region in regions)
        self._only_ranges = self._country[0]
        #: National numbers are dialled behind one "0", international ones behind "00", and no other region shares the
        #: country code: digits behind "0" or the code can be nothing else than a number of this plan.
        self.is_simple = (
            metadata.international_prefix == "00"
            and metadata.national_prefix_for_parsing == "0"
            and self._is_plain_prefix
            and len(regions) == 1
        )

    def dialled(self, digits: str) -> Facts | None:
        """Read digits as dialled inside the region; None when unsure."""
        if self._idd(digits):
            return None
        if digits.startswith(self.code):
            if len(digits) > self._longest:
                return self._without_code(digits[len(self.code) :])
            if not self._general(digits):
                return None
        return self.significant(digits)

    def significant(self, digits: str) -> Facts | None:
        """Read a national number, with or without the prefix ("0") that is dialled before it; None when unsure."""
        national = self._stripped(digits)
        if len(national) not in self._possible:
            return IMPOSSIBLE if self._is_of_no_length(digits) else None
        kind = self._kind(national)
        if kind == "unsure":
            return None
        return Facts(int(self.code), national, kind or "unknown", kind != "")

    def own(self, national: str) -> tuple[Kind, bool] | None:
        """Kind and validity of digits that follow "0" or the country code of a simple plan; None when unsure."""
        if len(national) not in self._lengths or national[0] == "0":
            return None
        kind = self._only_ranges.kind(national)
        if kind == "unsure":
            return None
        if kind:
            return kind, True
        # A number of no range loses its "0" only where it has at least the shape of one.
        return ("unknown", False) if self._general(national) else None

    def _without_code(self, rest: str) -> Facts | None:
        """Read "33199001234": too long for a national number, so that the country code at its beginning is one."""
        main = plan_of(self._main)
        return None if main is None or self._prefix(rest) else main.significant(rest)

    def _is_of_no_length(self, digits: str) -> bool:
        """Whether digits have no possible length, be it with or without what is dialled before them."""
        match = self._prefix(digits)
        if match is not None and not self._is_plain_prefix:
            return False
        shorter = len(digits) - match.end() if match else len(digits)
        return self._possible.isdisjoint((len(digits), shorter, len(digits.lstrip("0"))))

    def _stripped(self, digits: str) -> str:
        """The digits without the national prefix, "" when unsure."""
        match = self._prefix(digits)
        if match is None:
            return digits
        if not self._is_plain_prefix:
            return ""
        rest = digits[match.end() :]
        if self._general(digits) and not self._general(rest):
            return digits
        return rest if len(rest) in self._lengths else ""

    def _kind(self, national: str) -> Kind | Literal["", "unsure"]:
        """The kind of a number, "" when it belongs to no range of any region of the country code."""
        for ranges in self._country:
            if ranges.claims(national):
                return ranges.kind(national)
            if len(self._country) == 1 or not ranges.leading:
                kind = ranges.kind(national)
                if kind:
                    return kind
        return ""


class _Ranges:
    """The ranges of a region, one pattern: the first alternative that matches a whole number names its kind."""

    __slots__ = ("_leading", "_lengths", "_match", "leading")

    def __init__(self, metadata: PhoneMetadata) -> None:
        """Compile the descriptions of a region in the order in which the library tries them."""
        self.leading = metadata.leading_digits is not None
        self._leading = re.compile(metadata.leading_digits or "(?!)").match
        alternatives = dict(_alternatives(metadata))
        # The library looks at the shape of all numbers of a region first; Germany's ranges hold some that lack it.
        shape = rf"(?=(?:{_pattern_of(metadata.general_desc)})\Z)"
        ranges = "|".join(f"(?P<{name}>{it[0]})" for name, it in alternatives.items())
        self._match = re.compile(f"{shape}(?:{ranges})").fullmatch
        self._lengths = {name: (lengths, kind) for name, (_, lengths, kind) in alternatives.items()}

    def claims(self, national: str) -> bool:
        """Tell whether the first digits alone say that a number is this region's."""
        return self._leading(national) is not None

    def kind(self, national: str) -> Kind | Literal["", "unsure"]:
        """The kind of a number in this region, "" when none of its ranges holds it."""
        match = self._match(national)
        if match is None or match.lastgroup is None:
            return ""
        lengths, kind = self._lengths[match.lastgroup]
        return kind if len(national) in lengths else "unsure"


def _alternatives(metadata: PhoneMetadata) -> Iterator[tuple[str, tuple[str, frozenset[int], Kind]]]:
    """`(name, (pattern, lengths, kind))` of each description that a region has, in the library's order."""
    for name, kind in _TRIED_FIRST:
        description = _described(getattr(metadata, name))
        if description:
            yield name, (_pattern_of(description), _description_lengths(description, metadata), kind)
    fixed, mobile = _described(metadata.fixed_line), _described(metadata.mobile)
    if fixed and mobile:
        lengths = _description_lengths(fixed, metadata) & _description_lengths(mobile, metadata)
        yield "both", (rf"(?=(?:{_pattern_of(mobile)})\Z)(?:{_pattern_of(fixed)})", lengths, "unknown")
    if fixed:
        yield "fixed_line", (_pattern_of(fixed), _description_lengths(fixed, metadata), "landline")
    if mobile:
        yield "mobile", (_pattern_of(mobile), _description_lengths(mobile, metadata), "mobile")


def _described(description: PhoneNumberDesc | None) -> PhoneNumberDesc | None:
    return description if description is not None and description.national_number_pattern else None


def _description_lengths(description: PhoneNumberDesc, metadata: PhoneMetadata) -> frozenset[int]:
    return frozenset(description.possible_length) or _lengths_of(metadata)


def _metadata_of(region: str) -> PhoneMetadata:
    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        raise _NotUnderstoodError
    return metadata


def _lengths_of(metadata: PhoneMetadata) -> frozenset[int]:
    if metadata.general_desc is None or not metadata.general_desc.possible_length:
        raise _NotUnderstoodError
    return frozenset(metadata.general_desc.possible_length)


def _pattern_of(description: PhoneNumberDesc | None) -> str:
    pattern = description.national_number_pattern if description else None
    if not pattern or re.compile(pattern).groups:
        raise _NotUnderstoodError
    return str(pattern)
