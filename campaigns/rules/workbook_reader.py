"""Reads one sheet of a workbook and writes it as text: a program by itself, so that what a hostile file does to it
happens to nobody else. `workbooks.py` starts it and knows what it says.

    python -I workbook_reader.py FILE '{"sheet": "", "memory": …, "seconds": …, …}'

The text goes to standard output: one line per row of the sheet from row 1 on, cells parted by U+001F, line breaks
within a cell as U+001E. The last line on standard error is JSON: the sheets and the one that was read, or why not.
It imports nothing of the project and starts within some hundredths of a second.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import python_calamine
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

DELIMITER = "\x1f"
BREAK = "\x1e"

#: More parts than this has no workbook; a million of them cost memory before anything is read.
MAX_PARTS = 10_000
#: What inflates to less is harmless, however small it was.
HARMLESS_BYTES = 64 * 1024 * 1024
#: How much of a part is looked through for entities, which XML declares at its beginning.
DECLARATION_BYTES = 64 * 1024
#: The directory of an archive of so many parts is smaller than this.
MAX_DIRECTORY_BYTES = 4 * 1024 * 1024


class Refused(Exception):
    """The workbook is not read: a code of `formats.py` and the facts that its sentence names."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.outcome = {"code": code, **facts}


def main(path: str, options: dict[str, Any]) -> dict[str, Any]:
    """Write the sheet to standard output and return the outcome."""
    _confine(options["memory"], options["seconds"])
    if zipfile.is_zipfile(path):
        _check_archive(path, options)
    try:
        with _opened(path) as workbook:
            names = _table_names(workbook)
            name, sheet = _chosen(workbook, names, options["sheet"])
            # Far more columns than are taken are told here, before a million lines of them are written.
            if sheet.width > options["columns"]:
                raise Refused("too_many_columns", limit=options["columns"])
            _write(_lines(sheet))
    except PasswordError as error:
        raise Refused("password") from error
    except CalamineError as error:
        raise Refused("password" if _is_encrypted(path) else "damaged_workbook") from error
    return {"sheets": names, "sheet": name}


def _confine(memory: int, seconds: int) -> None:
    """Bound the memory and the time of this process. Where the system cannot, the caller's own clock remains."""
    for kind, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(kind, (value, value))
        except (ValueError, OSError):
            continue


# ---- what an archive would do


def _check_archive(path: str, options: dict[str, Any]) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            _check_sizes(parts, options)
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    _check_declarations(archive, part)
    except (
        zipfile.BadZipFile,
        EOFError,
        NotImplementedError,
        ValueError,
        OSError,
        zlib.error,
    ) as error:
        raise Refused("damaged_workbook") from error


def _check_sizes(parts: Sequence[zipfile.ZipInfo], options: dict[str, Any]) -> None:
    if any(part.flag_bits & 1 for part in parts):
        raise Refused("password")
    inflated = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    inflates_oddly = inflated > HARMLESS_BYTES and inflated > options["inflation"] * max(packed, 1)
    if len(parts) > MAX_PARTS or inflated > options["inflated_bytes"] or inflates_oddly:
        raise Refused("inflating_workbook")


def _check_declarations(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    with archive.open(part) as stream:
        start = stream.read(DECLARATION_BYTES).replace(b"\x00", b"")
    if b"<!ENTITY" in start:
        raise Refused("entities")


# ---- the sheet


def _opened(path: str) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_path(path)
    except PasswordError:
        raise
    except CalamineError:
        # The name says one kind; a binary workbook (XLSB) is told by its content only.
        with open(path, "rb") as file:
            return CalamineWorkbook.from_filelike(file)


def _is_encrypted(path: str) -> bool:
    """Whether this is the container in which Office keeps a workbook under a password."""
    with open(path, "rb") as file:
        start = file.read(8 * 1024 * 1024)
    return start.startswith(b"\xd0\xcf\x11\xe0") and "EncryptedPackage".encode("utf-16-le") in start


def _table_names(workbook: CalamineWorkbook) -> list[str]:
    """The sheets that hold cells, visible ones first."""
    kinds = python_calamine.SheetTypeEnum
    sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == kinds.WorkSheet]
    visible = [sheet.name for sheet in sheets if sheet.visible == python_calamine.SheetVisibleEnum.Visible]
    return visible + [sheet.name for sheet in sheets if sheet.name not in visible]


def _chosen(workbook: CalamineWorkbook, names: list[str], wanted: str) -> tuple[str, CalamineSheet]:
    if wanted and wanted not in names:
        raise Refused("unknown_sheet", sheet=wanted, names=", ".join(names))
    for name in [wanted] if wanted else names:
        sheet = workbook.get_sheet_by_name(name)
        if sheet.start is not None:
            return name, sheet
    raise Refused("empty_sheet" if wanted else "empty_file")


def _lines(sheet: CalamineSheet) -> Iterator[str]:
    columns_before = (sheet.start or (0, 0))[1]
    groups = _vertical_groups(sheet, columns_before)
    open_groups: dict[int, tuple[int, str]] = {}
    for number, values in enumerate(sheet.iter_rows()):
        cells = [as_text(value) for value in values]
        _fill_groups(number, cells, groups, open_groups)
        yield DELIMITER.join(cells)


def _vertical_groups(sheet: CalamineSheet, columns_before: int) -> dict[int, list[tuple[int, int]]]:
    """Cells that span several rows: by first row, their column and last row. (ODS does not tell.)"""
    groups: dict[int, list[tuple[int, int]]] = {}
    for (top, left), (bottom, __) in sheet.merged_cell_ranges or ():
        if bottom > top:
            groups.setdefault(top, []).append((left - columns_before, bottom))
    return groups


def _fill_groups(
    number: int,
    cells: list[str],
    groups: dict[int, list[tuple[int, int]]],
    open_groups: dict[int, tuple[int, str]],
) -> None:
    """Repeat on each of its rows the value of a cell that spans them: it is said of all of them."""
    for column, (last, value) in list(open_groups.items()):
        if number > last:
            del open_groups[column]
        elif not cells[column]:
            cells[column] = value
    for column, last in groups.get(number, ()):
        if 0 <= column < len(cells) and cells[column]:
            open_groups[column] = (last, cells[column])


_BREAKS = re.compile(r"\r\n|[\r\n\x1e\x85\u2028\u2029]")


def as_text(value: Any) -> str:
    """A cell as one would write it: whole numbers without fraction or exponent, dates in ISO 8601, booleans as a
    French spreadsheet says them."""
    if isinstance(value, str):
        return _BREAKS.sub(BREAK, value).replace(DELIMITER, " ") if not value.isprintable() else value
    if isinstance(value, bool):
        return "VRAI" if value else "FAUX"
    if isinstance(value, int | float):
        return _number(value)
    return _moment(value)


def _number(value: float) -> str:
    # Beyond this a cell names no number that anybody wrote, only a size.
    if value != value or abs(value) > 1e300:
        return ""
    if value == int(value):
        return str(int(value)) if abs(value) < 1e17 else f"{Decimal(repr(float(value))):f}"
    return f"{Decimal(repr(value)):f}"


def _moment(value: datetime | date | time | timedelta) -> str:
    if isinstance(value, datetime):
        rounded = value + timedelta(microseconds=500_000) if value.microsecond else value
        return rounded.replace(microsecond=0).isoformat(sep=" ")
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return value.isoformat() if isinstance(value, date) else value.replace(microsecond=0).isoformat()


def _write(lines: Iterable[str]) -> None:
    out = sys.stdout.buffer
    out.write(f"\ufeff{BREAK}".encode())
    for line in lines:
        out.write(line.encode("utf-8", errors="replace") + b"\n")
    out.flush()


def _run() -> None:
    try:
        outcome = main(sys.argv[1], json.loads(sys.argv[2]))
    except Refused as refusal:
        outcome = refusal.outcome
    except (MemoryError, OverflowError):
        outcome = {"code": "workbook_too_large"}
    sys.stderr.write("\n" + json.dumps(outcome))


if __name__ == "__main__":
    _run()
