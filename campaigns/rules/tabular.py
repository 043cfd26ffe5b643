"""Delimited text as people send it: encoding, delimiter and header found out, rows streamed with their line numbers.

Nothing here knows what the columns mean (`mapping.py` does) nor what becomes of a row. The caller holds the file's
bytes; beyond them, memory is bounded by the longest record that is accepted.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.rules.headers import looks_like_header, looks_like_value
from crm.rules.errors import DomainError

MAX_CELL_LENGTH = 64 * 1024
MAX_LINE_LENGTH = 1024 * 1024
# A quoted cell that runs over more lines than this was not closed: nobody keeps such a cell in a call list.
MAX_RECORD_LINES = 100

SAMPLE_BYTES = 256 * 1024
SAMPLE_RECORDS = 60
HEADER_SEARCH_ROWS = 15

DELIMITERS = (";", "\t", ",", "|", "¬", "^", "~", "§", "¦", "\x1f", "\x01", "#", "!")

Problem = Literal["", "unclosed_quote", "cell_too_long", "line_too_long", "too_many_cells"]


class UnreadableFile(DomainError):
    """The file cannot be read as a table. `code` is stable, `message` is a sentence for the person who sent it."""

    def __init__(self, code: str) -> None:
        """Take one of the codes of this module."""
        self.code = code
        message = _MESSAGES[code]
        super().__init__(message, fields={"file": [message]}, extra={"code": code})


_MESSAGES: dict[str, Promise] = {
    "empty_file": _("Le fichier est vide : il ne contient aucune ligne."),
    "header_only": _("Le fichier ne contient qu'une ligne d'en-têtes, sans aucune fiche."),
    "spreadsheet": _(
        "Ce fichier est un classeur (Excel ou LibreOffice). Enregistrez-le au format « CSV UTF-8 », puis renvoyez-le."
    ),
    "archive": _(
        "Ce fichier est une archive compressée. Décompressez-la et envoyez le fichier CSV qu'elle contient."
    ),
    "html": _("Ce fichier est une page web (HTML), quel que soit son nom. Exportez-le au format CSV."),
    "vcard": _("Ce fichier est un carnet d'adresses (vCard). Exportez-le au format CSV."),
    "json": _("Ce fichier est au format JSON. Exportez-le au format CSV."),
    "pdf": _("Ce fichier est un PDF. Demandez la liste au format CSV."),
    "binary": _("Ce fichier n'est pas du texte : il ne peut pas être lu comme un CSV."),
}

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "spreadsheet"),
    (b"%PDF", "pdf"),
    (b"\x1f\x8b", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"Rar!", "archive"),
    (b"{\\rtf", "binary"),
    (b"\x89PNG", "binary"),
    (b"\xff\xd8\xff", "binary"),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is to be read: Python codec, one-character delimiter, line terminator, column names (unique, never
    empty) and the line on which data begins (1 is the first line of the file)."""

    encoding: str
    delimiter: str
    newline: str
    headers: tuple[str, ...]
    has_header: bool
    first_data_line: int


@dataclass(frozen=True, slots=True)
class Row:
    """One record: the file line on which it starts, its cells (as many as there are headers unless `problem` says
    otherwise; untouched but for NUL characters), and why it cannot be used, "" when it can."""

    line: int
    cells: tuple[str, ...]
    problem: Problem = ""


def sniff(content: bytes) -> Layout:
    """Find out how to read `content`. Raises `UnreadableFile` when it is no table or holds no data row."""
    _refuse_other_formats(content)
    encoding = _encoding_of(content)
    sample = _sample_of(content, encoding)
    newline = "\n" if "\n" in sample or "\r" not in sample else "\r"
    lines = [line.rstrip("\r") for line in sample.split(newline)]
    if not any(line.strip(" ;,\t|\r\ufeff\x00") for line in lines):
        raise UnreadableFile("empty_file")
    announced = _announced_delimiter(lines)
    delimiter = announced or _delimiter_of([line for line in lines if line.strip()])
    head = _head(content, Layout(encoding, delimiter, newline, (), False, 2 if announced else 1))
    if not head:
        raise UnreadableFile("empty_file")
    return _with_headers(head, encoding, delimiter, newline)


def rows(content: bytes | BinaryIO, layout: Layout) -> Iterator[Row]:
    """Stream the data rows that follow the header. Blank rows are passed over; a row that cannot be read comes with its
    problem and whatever cells could be told."""
    width = len(layout.headers)
    for row in _records(content, layout):
        if row.problem:
            yield row
        elif any(cell.strip() for cell in row.cells):
            yield _fitted(row, width)


def _fitted(row: Row, width: int) -> Row:
    missing = width - len(row.cells)
    if missing >= 0:
        return Row(row.line, row.cells + ("",) * missing)
    if any(cell.strip() for cell in row.cells[width:]):
        return Row(row.line, row.cells, "too_many_cells")
    return Row(row.line, row.cells[:width])


# ---- what kind of file


def _refuse_other_formats(content: bytes) -> None:
    start = content[:4096]
    if start.startswith(b"PK\x03\x04"):
        raise UnreadableFile("spreadsheet" if _is_workbook(content) else "archive")
    for magic, code in _MAGIC:
        if start.startswith(magic):
            raise UnreadableFile(code)
    text = start.lstrip(b"\xef\xbb\xbf\r\n\t ").lower()
    if text.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<head", b"<body", b"<style")):
        raise UnreadableFile("html")
    if text.startswith(b"begin:vcard"):
        raise UnreadableFile("vcard")
    if re.match(rb"[\[{]\s*[\[{\"]", text):
        raise UnreadableFile("json")
    odd = sum(byte < 32 and byte not in (0, 1, 9, 10, 11, 12, 13, 31) for byte in start)
    if odd > len(start) * 0.05 and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableFile("binary")


def _is_workbook(content: bytes) -> bool:
    return any(
        mark in content[:8192] for mark in (b"[Content_Types].xml", b"xl/", b"mimetypeapplication/vnd")
    )


# ---- encoding


def _encoding_of(content: bytes) -> str:
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le" if content.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    if guessed := _utf16_without_mark(content[:4096]):
        return guessed
    if _is_utf8(content) or _is_nearly_utf8(content[: 16 * SAMPLE_BYTES]):
        return "utf-8"
    return _legacy_encoding(content)


def _utf16_without_mark(start: bytes) -> str:
    half = len(start) // 2
    if half < 8:
        return ""
    even, odd = start[0 : 2 * half : 2].count(0), start[1 : 2 * half : 2].count(0)
    if odd > half * 0.4 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.05:
        return "utf-16-be"
    return ""


def _is_utf8(content: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(content)
    try:
        for start in range(0, len(view), SAMPLE_BYTES):
            decoder.decode(view[start : start + SAMPLE_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_nearly_utf8(content: bytes) -> bool:
    """A few bytes of another encoding in a file of UTF-8, as when two files were put together."""
    text = content.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd")
    return sum(character > "\x7f" for character in text) - damaged > 10 * damaged


def _read_as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Codec error handler: a byte that is no UTF-8 is read as Windows would, so that its accent is not lost."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", errors="replace"), error.end


codecs.register_error("courtois_cp1252", _read_as_cp1252)

_LEGACY_ENCODINGS = ("cp1252", "iso8859-15", "mac-roman", "cp850", "latin-1")
_EXPECTED_LETTERS = frozenset("éèêëàâäçùûüôöîïœæÉÈÊËÀÂÄÇÙÛÜÔÖÎÏŒÆñÑáíóúßåÅøØãõ")
_EXPECTED_SIGNS = frozenset("’‘“”«»–—…€°·\u00a0²³º£§µ¬")


def _legacy_encoding(content: bytes) -> str:
    """The one-byte encoding in which the high bytes read most like a western European list."""
    high = Counter(byte for byte in content[: 16 * SAMPLE_BYTES] if byte >= 0x80)
    scores = {name: _score(high, name) for name in _LEGACY_ENCODINGS}
    best = max(_LEGACY_ENCODINGS, key=lambda name: scores[name])
    if b"\n" not in content and b"\r" in content and scores["mac-roman"] >= scores[best] * 0.8:
        return "mac-roman"
    return best


def _score(high: Counter[int], encoding: str) -> int:
    total = 0
    for byte, count in high.items():
        try:
            character = bytes((byte,)).decode(encoding)
        except UnicodeDecodeError:
            total -= 10 * count
            continue
        if character in _EXPECTED_LETTERS:
            total += 3 * count
        elif character in _EXPECTED_SIGNS:
            total += 2 * count
        else:
            total -= 4 * count if not character.isprintable() else 2 * count
    return total


def _open(content: bytes | BinaryIO, layout: Layout) -> io.TextIOWrapper:
    stream: BinaryIO = io.BytesIO(content) if isinstance(content, bytes) else content
    return io.TextIOWrapper(
        stream, encoding=layout.encoding, errors="courtois_cp1252", newline=layout.newline
    )


def _sample_of(content: bytes, encoding: str) -> str:
    text = (
        content[:SAMPLE_BYTES].decode(encoding, errors="courtois_cp1252").replace("\x00", "").lstrip("\ufeff")
    )
    if len(content) <= SAMPLE_BYTES:
        return text
    cut = max(text.rfind("\n"), text.rfind("\r"))
    return text[:cut] if cut > 0 else text


# ---- delimiter and header


def _announced_delimiter(lines: list[str]) -> str:
    """The delimiter of Excel's own first line, `sep=;`."""
    match = re.fullmatch(r'"?sep=(.)"?', lines[0].strip(" "), re.IGNORECASE)
    return match[1] if match else ""


def _delimiter_of(lines: list[str]) -> str:
    """The character that cuts most lines into the same number of cells, quoted text left out."""
    bare = [re.sub(r'"[^"]*"', "", line) for line in lines[:SAMPLE_RECORDS]]
    best, best_score = ";", (0.0, 0)
    for delimiter in DELIMITERS:
        counts = Counter(line.count(delimiter) for line in bare if delimiter in line)
        if not counts:
            continue
        usual, occurrences = max(counts.items(), key=lambda item: (item[1], item[0]))
        # A header of many cells over rows of fewer still tells: what is in the first line weighs.
        share = round(occurrences / len(bare) + (0.15 if delimiter in bare[0] else 0), 2)
        if (share, usual) > best_score:
            best, best_score = delimiter, (share, usual)
    return best


def _head(content: bytes, layout: Layout) -> list[Row]:
    found: list[Row] = []
    for row in _records(content, layout):
        if row.problem or any(cell.strip() for cell in row.cells):
            found.append(row)
        if len(found) >= SAMPLE_RECORDS:
            break
    return found


def _with_headers(head: list[Row], encoding: str, delimiter: str, newline: str) -> Layout:
    readable = [row for row in head if not row.problem]
    index = _header_index([row.cells for row in readable])
    if index is None:
        width = max((len(row.cells) for row in readable), default=1)
        return Layout(encoding, delimiter, newline, _unique((), width), False, head[0].line)
    header = readable[index]
    following = [row for row in head if row.line > header.line]
    if not following:
        raise UnreadableFile("header_only")
    # Rows that are all longer than the header have columns without a name; a single longer one is damaged.
    widths = Counter(len(row.cells) for row in following if not row.problem)
    usual, count = widths.most_common(1)[0] if widths else (0, 0)
    width = max(len(header.cells), usual if count > 1 else 0)
    return Layout(encoding, delimiter, newline, _unique(header.cells, width), True, following[0].line)


def _header_index(table: list[tuple[str, ...]]) -> int | None:
    """Which of the first rows names the columns, None when none does."""
    for index, cells in enumerate(table[:HEADER_SEARCH_ROWS]):
        filled = [cell for cell in cells if cell.strip()]
        if any(map(looks_like_value, filled)):
            continue
        known = sum(map(looks_like_header, filled))
        if known >= 2 or (known == 1 and len(filled) <= 2):
            return index
    first = [cell for cell in table[0] if cell.strip()] if table else []
    below = table[1:10]
    if len(first) > 1 and below and not any(map(looks_like_value, first)) and len(set(first)) == len(first):
        values = sum(any(map(looks_like_value, cells)) for cells in below)
        if values >= len(below) * 0.5:
            return 0
    return None


def _unique(cells: tuple[str, ...], width: int) -> tuple[str, ...]:
    """Column names without doubles or blanks: "Téléphone", "Téléphone (2)", "Colonne 4"."""
    names: list[str] = []
    taken: set[str] = set()
    for position in range(width):
        raw = cells[position] if position < len(cells) else ""
        name = re.sub(r"[\s\u200b\ufeff]+", " ", raw).strip()[:120] or f"Colonne {position + 1}"
        candidate, count = name, 1
        while candidate.casefold() in taken:
            count += 1
            candidate = f"{name} ({count})"
        taken.add(candidate.casefold())
        names.append(candidate)
    return tuple(names)


# ---- records


def _records(content: bytes | BinaryIO, layout: Layout) -> Iterator[Row]:
    """Every record from `first_data_line` on, blank ones included, cells as they stand in the file."""
    pending: list[tuple[int, str]] = []
    lines = _lines(content, layout)
    while True:
        line = pending.pop(0) if pending else next(lines, None)
        if line is None:
            return
        number, text = line
        if len(text) >= MAX_LINE_LENGTH:
            yield Row(number, (text[:200],), "line_too_long")
        elif '"' not in text:
            yield _checked(number, tuple(text.split(layout.delimiter)))
        else:
            row, pending = _quoted(number, text, pending, lines, layout.delimiter)
            yield row


def _quoted(
    number: int, text: str, pending: list[tuple[int, str]], lines: Iterator[tuple[int, str]], delimiter: str
) -> tuple[Row, list[tuple[int, str]]]:
    """A record that has quotes and may go on over further lines; what was read ahead in vain is given back."""
    taken: list[tuple[int, str]] = []
    record = text
    while True:
        cells = _parse(record, delimiter) if not taken or '"' in taken[-1][1] else "open"
        if cells == "malformed" and not taken:
            return _checked(number, tuple(next(csv.reader([record], delimiter=delimiter), []))), pending
        if isinstance(cells, tuple):
            return _checked(number, cells), pending
        if cells == "too_long":
            return Row(number, (record[:200],), "cell_too_long"), pending
        more = pending.pop(0) if pending else next(lines, None)
        too_far = len(taken) >= MAX_RECORD_LINES or len(record) > MAX_LINE_LENGTH
        if cells == "malformed" or more is None or too_far:
            given_back = [*taken, *([more] if more else []), *pending]
            return Row(number, tuple(text.split(delimiter)), "unclosed_quote"), given_back
        taken.append(more)
        record = f"{record}\n{more[1]}"


def _parse(record: str, delimiter: str) -> tuple[str, ...] | Literal["open", "malformed", "too_long"]:
    try:
        parsed = list(csv.reader([record], delimiter=delimiter, strict=True))
    except csv.Error as error:
        reason = str(error)
        if "unexpected end" in reason:
            return "open"
        return "too_long" if "field larger" in reason else "malformed"
    return tuple(parsed[0]) if parsed else ()


def _checked(number: int, cells: tuple[str, ...]) -> Row:
    if any(len(cell) > MAX_CELL_LENGTH for cell in cells):
        return Row(number, tuple(cell[:200] for cell in cells), "cell_too_long")
    return Row(number, cells)


def _lines(content: bytes | BinaryIO, layout: Layout) -> Iterator[tuple[int, str]]:
    """Physical lines from `first_data_line` on, without terminator and NUL; an over-long one is cut to the limit."""
    text = _open(content, layout)
    number = 0
    while line := text.readline(MAX_LINE_LENGTH):
        number += 1
        if len(line) >= MAX_LINE_LENGTH and not line.endswith(layout.newline):
            while (rest := text.readline(MAX_LINE_LENGTH)) and not rest.endswith(layout.newline):
                pass
        if number < layout.first_data_line:
            continue
        if number == 1:
            line = line.lstrip("\ufeff")
        line = line.rstrip("\r\n").replace("\x00", "").replace("\r", " ")
        yield number, line
