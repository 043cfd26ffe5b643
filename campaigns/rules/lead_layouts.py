"""Files without a header whose columns stand in an order that a well-known dialler fixed.

VICIdial's lead files: list loader, "standard format" (its columns 1 to 23, further ones optional)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from campaigns.rules.column_values import share_of

_VICIDIAL: dict[int, tuple[str, float]] = {
    0: ("external_id", 0.6),
    4: ("phone", 0.8),
    5: ("civility", 0.8),
    6: ("first_name", 0.8),
    8: ("last_name", 0.8),
    9: ("address", 0.8),
    12: ("city", 0.8),
    15: ("postal_code", 0.8),
    16: ("country", 0.8),
    19: ("phone", 0.7),
    20: ("email", 0.8),
    22: ("note", 0.7),
}
#: What betrays it, by position: the columns that hardly any other file has there.
_VICIDIAL_SIGNS = {
    3: re.compile(r"\d{1,4}"),
    4: re.compile(r"\d{6,16}"),
    17: re.compile(r"[MFU]"),
    18: re.compile(r"\d{4}-\d\d-\d\d"),
    20: re.compile(r"\S+@\S+|"),
}


def fields_of_layout(columns: Sequence[Sequence[str]]) -> dict[int, tuple[str, float]]:
    """The field of each column and how sure it is, by position, when the `columns` (their filled cells) are those of a
    known layout; else {}. A layout keeps its country code apart, so that numbers abroad still need the right region."""
    if len(columns) < 23 or not columns[4]:
        return {}
    fits = all(
        share_of(columns[position], sign.fullmatch) >= 0.9
        for position, sign in _VICIDIAL_SIGNS.items()
        if columns[position]
    )
    told = sum(bool(columns[position]) for position in _VICIDIAL_SIGNS)
    return dict(_VICIDIAL) if fits and told >= 4 else {}
