"""Delimited text as people send it: encoding, delimiter and header found out, rows streamed with their line numbers.

Nothing here knows what the columns mean (`mapping.py` does) nor what becomes of a row. A text is read as bytes or as
a seekable binary stream whose position is moved; memory is bounded by the longest record that is accepted.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO, Literal, NamedTuple, cast

from campaigns.rules.columns import (
    announced_delimiter,
    delimiter_of,
    header_index,
    joined_header,
    unique_names,
)
from campaigns.rules.encodings import Scan, Transcoded, decoder, scan
from campaigns.rules.formats import DEFAULTS, START_BYTES, Limits, UnreadableFile, format_of

__all__ = ["Layout", "Limits", "Place", "Row", "UnreadableFile", "places", "rows", "sniff"]

#: A quoted cell that runs over more lines than this was not closed: nobody keeps such a cell in a call list.
MAX_RECORD_LINES = 100
#: A run of rows ends after so many bytes, however few its rows are: what is held at once stays bounded.
RUN_BYTES = 4 * 1024 * 1024
#: What is kept of a cell or line that is too long.
KEPT = 200

SAMPLE_BYTES = 256 * 1024
SAMPLE_RECORDS = 60
#: Blank lines count too, though less: a file of nothing else ends as well.
BLANK_PER_ROW = 4

#: Text that was made from a sheet begins so, parts its cells with the unit separator, quotes nothing and writes the
#: record separator for a line break within a cell: one line is one row of the sheet.
SHEET_MARK = "\ufeff\x1e"
SHEET_DELIMITER = "\x1f"
SHEET_BREAK = "\x1e"

# A cell longer than csv's own limit would be an error without its text; a line is bounded here already.
csv.field_size_limit(2**31 - 1)

Problem = Literal["", "unclosed_quote", "cell_too_long", "line_too_long", "too_many_cells"]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is to be read: Python codec, one-character delimiter, line terminator, column names (unique, never
    empty), the line on which data begins (1 is the first line of the file) and the one that names the columns (0
    without one), whether it is text made from a sheet, and how many lines are in another encoding."""

    encoding: str
    delimiter: str
    newline: str
    headers: tuple[str, ...]
    has_header: bool
    first_data_line: int
    header_line: int = 0
    is_sheet: bool = False
    foreign_lines: int = 0
    #: What the person should be told: codes of `formats.REMARKS`.
    remarks: tuple[str, ...] = ()


class Row(NamedTuple):
    """One record: the file line on which it starts, its cells (as many as there are headers unless `problem` says
    otherwise; untouched but for NUL characters), why it cannot be used ("" when it can), whether it was in another
    encoding than the file, and the delimiter at which it was cut where that is not the file's ("" where it is)."""

    line: int
    cells: tuple[str, ...]
    problem: Problem = ""
    foreign: bool = False
    recut: str = ""


class Place(NamedTuple):
    """Where a run of data rows begins: byte offset, line number, and how many data rows the run has."""

    offset: int
    line: int
    rows: int


Source = bytes | BinaryIO


def sniff(source: Source, limits: Limits = DEFAULTS, *, scanned: Scan | None = None) -> Layout:
    """Find out how to read a text. Raises `UnreadableFile` when it is no table or holds no data row.

    The whole text is read once for its encoding, unless what an earlier `scan` told is given."""
    with _opened(source) as stream:
        _refuse_what_is_no_text(stream, limits)
        found = scanned or scan(stream)
        bare = Layout(found.encoding, ";", found.newline, (), False, 1, foreign_lines=found.foreign_lines)
        lines = _sample_lines(stream, bare)
        if not any(line.strip(" ;,\t|\r\ufeff\x1e\x1f") for line in lines):
            raise UnreadableFile("empty_file")
        layout = _with_delimiter(bare, lines)
        head = _head(stream, layout, limits)
        if not head:
            raise UnreadableFile("empty_file")
        return _with_headers(head, layout, limits)


def rows(
    source: Source,
    layout: Layout,
    start: Place | None = None,
    limit: int | None = None,
    limits: Limits = DEFAULTS,
) -> Iterator[Row]:
    """Stream the data rows from a place on (without one, all that follow the header), at most `limit` of them.

    Blank rows are passed over; a row that cannot be read comes with its problem and whatever cells could be told."""
    return islice(_rows(source, layout, start, limits), limit)


def places(source: Source, layout: Layout, every: int, limits: Limits = DEFAULTS) -> Iterator[Place]:
    """Cut the data rows into runs of `every` (fewer where they are long): `rows(…, start=place, limit=place.rows)` of
    each run, one after the other, are the rows of the file. Raises `UnreadableFile` past the limit of rows."""
    with _reading(source, layout, limits) as reader:
        start, count, total, blank = (reader.offset, reader.line), 0, 0, 0
        while raw := reader.take():
            if not reader.is_plain(raw) and reader.is_blank(raw):
                blank += 1
                _require_blank_within(blank, limits)
                continue
            count += 1
            if count >= every or reader.offset - start[0] >= RUN_BYTES:
                total += count
                _require_rows_within(total, limits)
                yield Place(*start, count)
                start, count = (reader.offset, reader.line), 0
        _require_rows_within(total + count, limits)
        if count:
            yield Place(*start, count)


def _require_rows_within(count: int, limits: Limits) -> None:
    if count > limits.rows:
        raise UnreadableFile("too_many_rows", limit=limits.rows)


def _require_blank_within(count: int, limits: Limits) -> None:
    _require_rows_within(count // BLANK_PER_ROW, limits)


def _rows(source: Source, layout: Layout, start: Place | None, limits: Limits) -> Iterator[Row]:
    width = len(layout.headers)
    with _reading(source, layout, limits, start) as reader:
        take, record = reader.take, reader.record
        while raw := take():
            row = record(raw)
            cells = row.cells
            if len(cells) == width and not row.problem:
                # Most rows say something in their first cell.
                if cells[0].strip() or any(map(str.strip, cells)):
                    yield row
            elif row.problem:
                yield row
            elif any(map(str.strip, cells)):
                may_recut = not layout.is_sheet and b'"' not in raw
                yield (may_recut and _recut(row, width)) or _fitted(row, width, limits)


_CUT_OTHERWISE = (";", ",", "\t", "|")
#: Fewer columns could be a comma within a name.
_MIN_RECUT_COLUMNS = 3


def _recut(row: Row, width: int) -> Row | None:
    """A row in one piece that another usual delimiter cuts into just as many cells as there are columns."""
    if len(row.cells) > 1 or width < _MIN_RECUT_COLUMNS:
        return None
    for delimiter in _CUT_OTHERWISE:
        if row.cells[0].count(delimiter) == width - 1:
            return row._replace(cells=tuple(row.cells[0].split(delimiter)), recut=delimiter)
    return None


def _fitted(row: Row, width: int, limits: Limits) -> Row:
    """The row with as many cells as there are columns, or with the problem that it has more."""
    cells = row.cells
    missing = width - len(cells)
    if missing >= 0:
        return row._replace(cells=cells + ("",) * missing)
    if any(cell.strip() for cell in cells[width:]):
        return row._replace(cells=cells[: limits.columns], problem="too_many_cells")
    return row._replace(cells=cells[:width])


# ---- the head of a file


def _refuse_what_is_no_text(stream: BinaryIO, limits: Limits) -> None:
    require_size_within(stream, limits)
    if format_of(stream.read(START_BYTES)) != "text":
        raise UnreadableFile("workbook")


def require_size_within(stream: BinaryIO, limits: Limits) -> None:
    """Raise `UnreadableFile` when the stream is larger than what is taken; it is then at its beginning."""
    if stream.seek(0, io.SEEK_END) > limits.bytes:
        raise UnreadableFile("too_large", limit=limits.bytes // 1024**2)
    stream.seek(0)


def _sample_lines(stream: BinaryIO, layout: Layout) -> list[str]:
    """The first lines, decoded; the last one that the sample cuts is left out."""
    with _canonical(stream, layout) as text:
        sample = text.read(SAMPLE_BYTES)
        is_all = len(sample) < SAMPLE_BYTES
    decode = decoder("utf-8" if not _is_canonical(layout) else layout.encoding)
    lines = sample.split(b"\n")
    if not is_all and len(lines) > 1:
        lines.pop()
    return [decode(line)[0].replace("\x00", "").strip("\ufeff\r") for line in lines]


def _with_delimiter(layout: Layout, lines: list[str]) -> Layout:
    if lines and lines[0].startswith(SHEET_MARK[1:]):
        return replace(layout, delimiter=SHEET_DELIMITER, is_sheet=True)
    if announced := announced_delimiter(lines[0]) if lines else "":
        return replace(layout, delimiter=announced, first_data_line=2)
    return replace(layout, delimiter=delimiter_of([line for line in lines if line.strip()]))


def _head(stream: BinaryIO, layout: Layout, limits: Limits) -> list[Row]:
    """The first records that are not blank, from `first_data_line` on."""
    found: list[Row] = []
    blank = 0
    with _reading(stream, layout, limits) as reader:
        while len(found) < SAMPLE_RECORDS and (raw := reader.take()):
            row = None if raw in _EMPTY_LINES else reader.record(raw)
            if row is not None and (row.problem or any(map(str.strip, row.cells))):
                # One more than is taken is enough to tell that there are too many.
                found.append(row._replace(cells=row.cells[: limits.columns + 1]))
            else:
                blank += 1
                _require_blank_within(blank, limits)
    return found


def _with_headers(head: list[Row], layout: Layout, limits: Limits) -> Layout:
    readable = [row for row in head if not row.problem]
    index = header_index([row.cells for row in readable])
    if index is None:
        width = max((len(row.cells) for row in readable), default=1)
        return _named(replace(layout, first_data_line=head[0].line), (), width, limits)
    header = readable[index]
    following = [row for row in head if row.line > header.line]
    if len(following) > 1 and (names := joined_header(header.cells, following[0].cells)):
        header = header._replace(cells=names)
        del following[0]
    if not following:
        raise UnreadableFile("header_only")
    # Rows that are all longer than the header have columns without a name; a single longer one is damaged.
    widths = Counter(len(row.cells) for row in following if not row.problem)
    usual, count = widths.most_common(1)[0] if widths else (0, 0)
    width = max(len(header.cells), usual if count > 1 else 0)
    found = replace(layout, has_header=True, header_line=header.line, first_data_line=following[0].line)
    late = index > 0
    return _named(found, header.cells, width, limits, late=late)


def _named(
    layout: Layout, names: tuple[str, ...], width: int, limits: Limits, *, late: bool = False
) -> Layout:
    if width > limits.columns:
        raise UnreadableFile("too_many_columns", limit=limits.columns)
    headers = unique_names(names, width)
    remarks = {
        "mixed_encodings": layout.foreign_lines > 0,
        "no_header": not layout.has_header,
        "late_header": late,
        "renamed_headers": layout.has_header and headers != tuple(name.strip() for name in names),
    }
    return replace(layout, headers=headers, remarks=tuple(code for code, holds in remarks.items() if holds))


# ---- streams


@contextmanager
def _opened(source: Source) -> Iterator[BinaryIO]:
    """A stream with a quick `readline`, at its beginning; one that was given is left open."""
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    elif isinstance(source, io.RawIOBase):
        buffered = io.BufferedReader(source, SAMPLE_BYTES)
        try:
            buffered.seek(0)
            yield cast(BinaryIO, buffered)
        finally:
            buffered.detach()
    else:
        source.seek(0)
        yield source


def _is_canonical(layout: Layout) -> bool:
    return Scan(layout.encoding, layout.newline).is_canonical


@contextmanager
def _canonical(stream: BinaryIO, layout: Layout) -> Iterator[BinaryIO]:
    stream.seek(0)
    if _is_canonical(layout):
        yield stream
    else:
        raw = Transcoded(stream, layout.encoding, layout.newline)
        yield cast(BinaryIO, io.BufferedReader(raw, SAMPLE_BYTES))


@contextmanager
def _reading(source: Source, layout: Layout, limits: Limits, start: Place | None = None) -> Iterator[_Reader]:
    with _opened(source) as stream, _canonical(stream, layout) as text:
        reader = _Reader(text, layout, limits)
        if start is None:
            while reader.line < layout.first_data_line and reader.take():
                pass
        else:
            reader.go_to(start)
        yield reader


# ---- records


_EMPTY_LINES = (b"\n", b"\r\n")

State = Literal["closed", "open", "malformed"]
#: A line to come, the bytes that it has in the file, and how a quoted cell that is open at its beginning fares in it.
_Ahead = tuple[bytes, int, State]


class _Reader:
    """Reads canonical text line by line and makes records of lines, knowing the offset and number of the next line."""

    def __init__(self, stream: BinaryIO, layout: Layout, limits: Limits) -> None:
        self.offset = 0
        self.line = 1
        self._stream = stream
        self._readline = stream.readline
        self._limits = limits
        self._max_line = limits.line
        self._delimiter = layout.delimiter
        self._is_sheet = layout.is_sheet
        self._decode = decoder(layout.encoding if _is_canonical(layout) else "utf-8")
        self._ahead: deque[_Ahead] = deque()

    def go_to(self, place: Place) -> None:
        """Go on from a place; a text that is transcoded can only be read up to there."""
        if self._stream.seekable():
            self._stream.seek(place.offset)
        else:
            left = place.offset
            while left and (skipped := len(self._stream.read(min(left, SAMPLE_BYTES)))):
                left -= skipped
        self.offset, self.line = place.offset, place.line

    def take(self) -> bytes:
        """The next line with its terminator, b"" at the end. Of one that is too long, a byte more than is accepted."""
        if self._ahead:
            raw, length, __ = self._ahead.popleft()
        else:
            raw = self._readline(self._max_line + 1)
            length = len(raw)
            if not raw:
                return raw
            if length > self._max_line:
                length += self._pass_over_rest(raw)
        self.offset += length
        self.line += 1
        return raw

    def _pass_over_rest(self, raw: bytes) -> int:
        passed = 0
        while not raw.endswith(b"\n") and (raw := self._readline(SAMPLE_BYTES)):
            passed += len(raw)
        return passed

    def is_plain(self, raw: bytes) -> bool:
        """Whether this line is, at a glance, a whole record that is not blank."""
        return raw[:1].isalnum() and b'"' not in raw and len(raw) <= self._limits.cell

    def is_blank(self, raw: bytes) -> bool:
        """Whether the record that begins with this line has nothing to say and nothing wrong; it is then passed."""
        if raw in _EMPTY_LINES:
            return True
        row = self.record(raw)
        return not row.problem and not any(map(str.strip, row.cells))

    def record(self, raw: bytes) -> Row:
        """The record that begins with this line, the last one taken; takes the further lines that belong to it."""
        number = self.line - 1
        if len(raw) > self._max_line:
            return Row(number, (self._decode(raw[:KEPT])[0],), "line_too_long")
        text, foreign = self._text(raw, number)
        if self._is_sheet:
            return self._checked(number, text.replace(SHEET_BREAK, "\n").split(SHEET_DELIMITER), foreign)
        if '"' not in text:
            if len(raw) > self._limits.cell:
                return self._checked(number, text.split(self._delimiter), foreign)
            return Row(number, tuple(text.split(self._delimiter)), "", foreign)
        return self._quoted(number, text, foreign)

    def _text(self, raw: bytes, number: int) -> tuple[str, bool]:
        text, foreign = self._decode(raw)
        if number == 1:
            text = text.lstrip("\ufeff")
            if self._is_sheet:
                text = text.removeprefix(SHEET_MARK[1:])
        return text.rstrip("\r\n").replace("\x00", "").replace("\r", " "), foreign

    def _quoted(self, number: int, text: str, foreign: bool) -> Row:
        """A record with quotes, which may go on over further lines. A quote that is never closed costs its own row
        only: what follows is looked at and left where it is."""
        cells, state = _parse(text, self._delimiter)
        if state != "open":
            return self._checked(number, cells, foreign)
        further = self._lines_to_closing(len(text))
        if not further:
            return Row(number, _cut(text.split(self._delimiter), self._limits), "unclosed_quote", foreign)
        lines = [text]
        for _ in range(further):
            more, differs = self._text(self.take(), self.line - 1)
            lines.append(more)
            foreign = foreign or differs
        return self._checked(number, _parse("\n".join(lines), self._delimiter)[0], foreign)

    def _lines_to_closing(self, size: int) -> int:
        """How many further lines a record takes whose last quote is open; 0 when none closes it as it should."""
        for count, (raw, __, state) in enumerate(self._looked_ahead(), 1):
            size += len(raw)
            if state == "malformed" or count > MAX_RECORD_LINES or size > self._max_line:
                return 0
            if state == "closed":
                return count
        return 0

    def _looked_ahead(self) -> Iterator[_Ahead]:
        """The lines to come. Each is judged once, however many records look at it."""
        yield from self._ahead
        while True:
            raw = self._readline(self._max_line + 1)
            if not raw:
                return
            self._ahead.append(self._judged(raw))
            yield self._ahead[-1]

    def _judged(self, raw: bytes) -> _Ahead:
        if len(raw) > self._max_line:
            return raw, len(raw) + self._pass_over_rest(raw), "malformed"
        return raw, len(raw), _parse('"' + self._text(raw, 0)[0], self._delimiter)[1]

    def _checked(self, number: int, cells: list[str], foreign: bool) -> Row:
        if any(len(cell) > self._limits.cell for cell in cells):
            return Row(number, _cut(cells, self._limits), "cell_too_long", foreign)
        return Row(number, tuple(cells), "", foreign)


def _cut(cells: list[str], limits: Limits) -> tuple[str, ...]:
    """What is kept of a record that cannot be used."""
    return tuple(cell[:KEPT] if len(cell) > limits.cell else cell for cell in cells[: limits.columns])


def _parse(text: str, delimiter: str) -> tuple[list[str], State]:
    """The cells of a record. Where the last one is "open", its quote is not closed yet."""
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True)), "closed"
    except csv.Error as error:
        state: State = "open" if "unexpected end" in str(error) else "malformed"
    return next(csv.reader([text], delimiter=delimiter)), state
