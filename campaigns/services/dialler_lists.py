"""A list of another dialler, sorted out: which numbers its codes bar, for which reason, since when."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from campaigns.rules.dialler_codes import folded, folded_mapping, reason_of
from crm.rules.phones import normalise

#: Of an item that does not say since when: later than any that does.
UNDATED = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SortedOut:
    """E.164 numbers by the reason that bars them, each with since when; what bars nobody; what is not understood."""

    barred: Mapping[str, Mapping[str, datetime]]
    unreadable: Sequence[str]
    silent: Mapping[str, int]
    unknown: Mapping[str, int]


def sort_out(items: Sequence[Mapping[str, Any]], mapping: Mapping[str, str | None], region: str) -> SortedOut:
    """Sort out items (`number` in any spelling, `code`, `at`) by what their codes say (`rules.dialler_codes`).

    A number that comes twice for one reason is barred since the first time. A code that bars nobody is counted, and
    its number not even read.
    """
    meant = folded_mapping(mapping)
    barred: dict[str, dict[str, datetime]] = {}
    unreadable: list[str] = []
    silent: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    for item in items:
        known, reason = reason_of(item["code"], meant)
        if reason is None:
            (silent if known else unknown)[folded(item["code"])] += 1
            continue
        numbers = normalise(item["number"], region).numbers
        if not numbers:
            unreadable.append(item["number"])
        since = barred.setdefault(str(reason), {})
        for found in numbers:
            moment = item.get("at") or UNDATED
            since[found.number] = min(since.get(found.number, moment), moment)
    return SortedOut(barred, unreadable, dict(silent), dict(unknown))
