"""Where the cells of a text are parted, and which of its first rows names the columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from campaigns.rules.headers import looks_like_header, looks_like_value

#: What lists are parted with, most usual first.
DELIMITERS = (";", "\t", ",", "|", "¬", "^", "~", "§", "¦", "\x1f", "\x01", "#", "!")
SAMPLE_LINES = 60
HEADER_SEARCH_ROWS = 15
MAX_NAME = 120

# What stands in names, addresses, numbers and dates parts no cells, however regularly it comes.
_NO_DELIMITER = frozenset("\"'’.-–_@/+()&%=<>?°€«»$ \r\n\x00\ufeff\ufffd\u00a0\u202f´`")


def announced_delimiter(line: str) -> str:
    """The delimiter that a first line `sep=;` names, as Excel writes it; "" without one."""
    match = re.fullmatch(r'"?sep=([^\w"\s]|\t)"?', line.strip(" \r\ufeff"), re.IGNORECASE)
    return match[1] if match else ""


def delimiter_of(lines: Sequence[str]) -> str:
    """The character that cuts most of these lines (blank ones left out) into the same number of cells, quoted text
    not counted. `;` when nothing cuts them."""
    bare = [re.sub(r'"[^"]*"', "", line) for line in lines[:SAMPLE_LINES]]
    best, share = _most_regular(bare, DELIMITERS)
    if share < 0.5:
        others = {c for c in "".join(bare) if not c.isalnum() and c not in _NO_DELIMITER}
        rare, rare_share = _most_regular(bare, sorted(others.difference(DELIMITERS)))
        if len(bare) > 1 and rare_share >= 0.9:
            return rare
    return best or ";"


def _most_regular(lines: Sequence[str], delimiters: Sequence[str]) -> tuple[str, float]:
    """Of these delimiters the one that stands equally often on most lines, and the share of such lines."""
    best, best_score = "", (0.0, 0)
    for delimiter in delimiters:
        counts = Counter(line.count(delimiter) for line in lines if delimiter in line)
        if not counts:
            continue
        usual, occurrences = max(counts.items(), key=lambda item: (item[1], item[0]))
        # A header of many cells over rows of fewer still tells: what is in the first line weighs.
        share = round(occurrences / len(lines) + (0.15 if delimiter in lines[0] else 0), 2)
        if (share, usual) > best_score:
            best, best_score = delimiter, (share, usual)
    return best, best_score[0]


def header_index(table: Sequence[tuple[str, ...]]) -> int | None:
    """Which of the first rows names the columns, None when none does."""
    for index, cells in enumerate(table[:HEADER_SEARCH_ROWS]):
        filled = [cell[:MAX_NAME] for cell in cells if cell.strip()]
        if any(map(looks_like_value, filled)):
            continue
        known = sum(map(looks_like_header, filled))
        if known >= 2 or (known == 1 and len(filled) <= 2):
            return index
    return 0 if table and _names_what_is_below(table[0], table[1:10]) else None


def _names_what_is_below(first: tuple[str, ...], below: Sequence[tuple[str, ...]]) -> bool:
    """A first row of unknown words, none twice, over rows of which most hold values."""
    names = [cell[:MAX_NAME] for cell in first if cell.strip()]
    if len(names) < 2 or not below or any(map(looks_like_value, names)) or len(set(names)) < len(names):
        return False
    values = sum(any(looks_like_value(cell[:MAX_NAME]) for cell in cells) for cells in below)
    return values >= len(below) * 0.5


def joined_header(header: Sequence[str], below: Sequence[str]) -> tuple[str, ...] | None:
    """The column names where a second line parts what the first one gathers: "Téléphones" over "Fixe" and "Mobile" is
    "Téléphones Fixe" and "Téléphones Mobile". None when the line below is no such thing, as nearly always.

    A cell that spans both lines may stand in both. Whatever else is below must be known as a name, one of them at
    least where the first line is blank: a row of data is never taken for a header."""
    upper = [_clean(cell) for cell in header] + [""] * (len(below) - len(header))
    lower = [_clean(cell) for cell in below] + [""] * (len(header) - len(below))
    added = [index for index, name in enumerate(lower) if name and name != upper[index]]
    if not any(not upper[index] for index in added) or not all(looks_like_header(lower[i]) for i in added):
        return None
    names, group = [], ""
    for index, name in enumerate(upper):
        group = name or group
        names.append(f"{group} {lower[index]}".strip() if index in added else name)
    return tuple(names)


def unique_names(cells: Sequence[str], width: int) -> tuple[str, ...]:
    """Column names without doubles or blanks: "Téléphone", "Téléphone (2)", "Colonne 4"."""
    names: list[str] = []
    taken: set[str] = set()
    for position in range(width):
        name = _clean(cells[position]) if position < len(cells) else ""
        name = name or f"Colonne {position + 1}"
        candidate, count = name, 1
        while candidate.casefold() in taken:
            count += 1
            candidate = f"{name} ({count})"
        taken.add(candidate.casefold())
        names.append(candidate)
    return tuple(names)


def _clean(cell: str) -> str:
    return re.sub(r"[\s\u200b\ufeff]+", " ", cell).strip()[:MAX_NAME]
