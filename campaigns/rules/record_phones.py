"""The numbers of a record: read from its phone cells, each once, with the time zone that they tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crm.rules.phones import ParsedNumber, Reason, is_placeholder, normalise, region_for, time_zone_for

if TYPE_CHECKING:
    from campaigns.rules.records import Record

_FRENCH_ZONE = "Europe/Paris"

#: Lines on which nobody answers, or that cost the caller.
NEVER_DIALLED = frozenset({"fax", "premium", "short"})

#: Which refusal is told when several cells of a row were refused: what can be repaired first.
_REASONS = ("damaged_by_spreadsheet", "invalid_number", "premium_number", "short_number", "no_number")


def region_of(record: Record, default: str) -> str:
    """Return the region in which the national numbers of a record are read, its columns being settled."""
    return region_for(record.columns.get("postal_code", ""), record.columns["country"], default)


#: Of each reason for which a phone cell gave no number, the first one: header and cell.
Refusals = dict[str, tuple[str, str]]


def take_phones(record: Record, filled: Sequence[tuple[str, str]], region: str) -> Refusals:
    """Read the phone cells of a record; return the first refusal of each reason, as header and cell."""
    refusals: Refusals = {}
    for header, cell in filled:
        take_phone(record, refusals, header, cell, region)
    return refusals


def take_phone(record: Record, refusals: Refusals, header: str, cell: str, region: str) -> Reason:
    """Add the numbers of a phone cell to a record; return why there is none, "" when there is."""
    parsed = normalise(cell, region)
    for number in parsed.numbers:
        record.numbers.append(number)
        if is_placeholder(number.number):
            record.placeholder = True
    if parsed.repairs:
        result = ", ".join([number.number for number in parsed.numbers])
        record.repairs.extend([(code, cell.strip()[:80], result) for code in parsed.repairs])
    if parsed.reason:
        refusals.setdefault(parsed.reason, (header, cell.strip()[:300]))
        if is_placeholder("", cell):
            record.placeholder = True
    return parsed.reason


def settle_numbers(
    record: Record, filled: Sequence[tuple[str, str]], refusals: Refusals, region: str
) -> None:
    """Keep each number of a record once and tell its time zone by the first that can be called; without such a one the
    record has its reason. `filled`: the phone cells (header and cell) that were read."""
    numbers, columns = record.numbers, record.columns
    if len(numbers) > 1:
        first: dict[str, ParsedNumber] = {}
        for number in numbers:
            first.setdefault(number.number, number)
        numbers = record.numbers = list(first.values())
    for number in numbers:
        if number.kind not in NEVER_DIALLED:
            columns["time_zone"] = (
                _FRENCH_ZONE
                if region == "FR" and number.number.startswith("+33")
                else time_zone_for(number.number, columns.get("postal_code", ""), columns["country"])
            )
            return
    if numbers:
        record.reason = "fax_only"
        record.column, record.value = filled[0][0], filled[0][1].strip()[:300]
    else:
        record.reason = next((code for code in _REASONS if code in refusals), "no_number")
        record.column, record.value = refusals.get(record.reason, ("", ""))
