"""Rows of a file read into records, with what was seen on the way: repairs, refusals, the quality of the list."""

from __future__ import annotations

from collections import Counter
from typing import Any

from campaigns.rules.records import Recipe, Record, Repairs, read_row
from campaigns.rules.tabular import Row


class Reader:
    """Reads rows by a recipe and counts.

    `quality` counts rows: `rows`, `valid` (with a number of the numbering plan), `possible` (only numbers of ranges
    that nobody was given), `repaired`, `placeholders` (a number that stands for none), `foreign` (in another
    encoding)."""

    def __init__(self, recipe: Recipe) -> None:
        """Start with nothing seen."""
        self._recipe = recipe
        self._repairs = Repairs()
        self._quality: Counter[str] = Counter()

    def read(self, row: Row) -> Record:
        """Read a row. Never raises."""
        record = read_row(row, self._recipe)
        quality = self._quality
        quality["rows"] += 1
        if row.foreign:
            quality["foreign"] += 1
        if record.placeholder:
            quality["placeholders"] += 1
        if record.reason:
            return record
        quality["valid" if record.has_valid_number else "possible"] += 1
        if record.was_repaired:
            quality["repaired"] += 1
            self._repairs.add(record)
        return record

    def as_json(self) -> dict[str, Any]:
        """`{"repairs": …, "quality": {name: rows}}`."""
        return {"repairs": self._repairs.as_json(), "quality": dict(self._quality)}
