"""Cells of the files that a spreadsheet opens."""

import csv
import io
from collections.abc import Iterable
from typing import Any

#: Tells a spreadsheet that the file is UTF-8.
BOM = "\ufeff"
#: What a spreadsheet would take for a formula (OWASP, CSV injection).
_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")


def safe_cell(value: Any) -> str:
    """Return a value as a cell that no spreadsheet executes: an apostrophe stands before what begins a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_BEGINNINGS) else text


def sheet_line(values: Iterable[Any]) -> str:
    """Return a line of a file of values separated by semicolons, as a French spreadsheet reads it."""
    line = io.StringIO()
    csv.writer(line, delimiter=";", lineterminator="\r\n").writerow([safe_cell(value) for value in values])
    return line.getvalue()
