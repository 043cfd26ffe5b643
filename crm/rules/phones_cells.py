"""Cells of phone columns: cleaned, cut into numbers, extensions and words, and put together again."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from crm.rules.phones_digits import Reading, read_digits
from crm.rules.phones_plans import FactsOf, facts_of
from crm.rules.phones_types import Kind, ParsedNumber, ParsedPhones, Reason, RefusedNumber

# Longer cells are free text; the numbers that somebody put in a phone column stand at its beginning.
MAX_CELL_LENGTH = 500
MAX_NOTE_LENGTH = 200

_SCIENTIFIC = re.compile(r"[+']?(\d+)(?:[.,](\d+))?\s?[eE]\+?(\d{1,3})")
_DECIMAL_TAIL = re.compile(r"(\+?\d{8,15})[.,]0{1,3}")
_EXCEL_TEXT = re.compile(r'="?([^"]*)"?')
_ADDRESS_OR_LINK = re.compile(r"\S+@\S+|(?:https?://|www\.)\S+", re.IGNORECASE)
_LETTER_O = re.compile(r"(?<![^\W\d_])[oO](?=\d)|(?<=\d)[oO](?=[\d\s.])|(?<=\d[\s.])[oO](?=\d)")
_LETTER_L = re.compile(r"(?<=[\d][\s.])[lI](?=\d)|(?<=\d)[lI](?=\d)|(?<=^0)[lI](?=[\s.]?\d)")
_EXTENSION = (
    r"(?<![^\W\d_])(?:postes?|ext(?:ension)?s?|int(?:erne)?s?|x|#)[\s.:=°n]{0,4}(?P<ext>\d{1,6})(?!\d)"
)
_SEGMENT = re.compile(
    rf"(?P<extension>;?{_EXTENSION})|(?P<chunk>\+?\s?\(?\+?\d(?:[\d\s.,\-/()·_]*\d)?)",
    re.IGNORECASE,
)
_STRONG_SEPARATOR = re.compile(r"\s/\s?|\s?/\s|\s{2,}|\s-\s|,\s|\s,|\n")
_LABEL = re.compile(
    r"\b(?:t[ée]l(?:[ée]phone)?s?|phones?|num[ée]ros?|n°|mobiles?|portables?|port|gsm|cell|fixes?|fax|ou|et|or|and|puis|bis)\b\.?",
    re.IGNORECASE,
)
_SHARED_A_DIGIT = re.compile(r"\d")
_SPREADSHEET_HASHES = re.compile(r"#{3,}")

_SHARED_BEGINNING = re.compile(r"(?P<number>.*\d)\s*/\s*(?P<tail>\d{1,4})", re.DOTALL)
_FAX = re.compile(r"\b(?:fax|t[ée]l[ée]copie|t[ée]l[ée]copieur|t[ée]l\.?[ /]?fax)\b", re.IGNORECASE)
_A_DIGIT = re.compile(r"\d")
_SPREADSHEET_HASHES = re.compile(r"#{3,}")


@dataclass(slots=True)
class _Cell:
    """A cell in the course of being read: text and numbers in their order, and what was repaired."""

    region: str = "FR"
    facts_of: FactsOf = facts_of
    repairs: list[str] = field(default_factory=list)
    refused: list[RefusedNumber] = field(default_factory=list)
    pieces: list[str | ParsedNumber] = field(default_factory=list)

    def repair(self, code: str) -> None:
        if code not in self.repairs:
            self.repairs.append(code)


def read_cell(raw: str, region: str, facts_of: FactsOf = facts_of) -> ParsedPhones:
    """Read the numbers in any text, as written in ``region`` (capitals), what digits are told by ``facts_of``."""
    cell = _Cell(region, facts_of)
    text = _clean(raw[:MAX_CELL_LENGTH], cell)
    if not text:
        return ParsedPhones(reason="no_number")
    if _SPREADSHEET_HASHES.fullmatch(text):
        return ParsedPhones(
            reason="damaged_by_spreadsheet", refused=(RefusedNumber(raw[:60], "damaged_by_spreadsheet"),)
        )
    if not _A_DIGIT.search(text):
        return ParsedPhones(reason="no_number")
    recovered = _undo_spreadsheet(text, cell)
    if recovered is None:
        return ParsedPhones(
            reason="damaged_by_spreadsheet", refused=(RefusedNumber(text, "damaged_by_spreadsheet"),)
        )
    _read_text(recovered, cell)
    return _result(cell)


def digits_of(text: str) -> str:
    """The ASCII digits in a text, whatever script they are written in."""
    return re.sub(r"\D", "", _clean(text[:MAX_CELL_LENGTH], _Cell()))


def _clean(raw: str, cell: _Cell) -> str:
    """ASCII digits and plain spaces; invisible characters out; letters kept as they are."""
    text = raw if raw.isascii() and raw.isprintable() else _clean_characters(raw, cell)
    text = text.strip()
    if text[:1] in ("'", "’", "‘", "`"):
        cell.repair("apostrophe")
        text = text[1:].strip()
    if text.startswith("=") and (match := _EXCEL_TEXT.fullmatch(text)):
        text = match[1].strip()
        cell.repair("spreadsheet_text")
    return text


def _clean_characters(raw: str, cell: _Cell) -> str:
    out = []
    for character in raw:
        if character in "\r\n\v\f\u2028\u2029":
            out.append("\n")
        elif character == "\t":
            out.append("  ")
        elif character.isascii():
            out.append(character if character.isprintable() else "")
        elif (decimal := unicodedata.decimal(character, None)) is not None:
            cell.repair("foreign_digits")
            out.append(str(decimal))
        else:
            out.append(_clean_other(character, unicodedata.category(character), cell))
    return "".join(out)


def _clean_other(character: str, category: str, cell: _Cell) -> str:
    if category == "Zs":
        cell.repair("exotic_space")
        return " "
    if category in ("Cf", "Cc", "Mn", "Me") and not unicodedata.combining(character):
        cell.repair("invisible_characters")
        return ""
    if category == "Pd":
        return "-"
    if "\uff00" <= character <= "\uffef":
        return unicodedata.normalize("NFKC", character)
    return character


def _undo_spreadsheet(text: str, cell: _Cell) -> str | None:
    """``text`` with scientific notation and decimals written out, None when digits were lost."""
    if match := _SCIENTIFIC.fullmatch(text):
        whole, fraction, exponent = match[1], match[2] or "", int(match[3])
        if len(whole) != 1 or len(fraction) != exponent:
            return None
        cell.repair("scientific_notation")
        return whole + fraction
    if match := _DECIMAL_TAIL.fullmatch(text):
        cell.repair("decimal")
        return match[1]
    return text


def _read_text(text: str, cell: _Cell) -> None:
    folded = text.lower()
    if "@" in text or "://" in folded or "www." in folded:
        text = _ADDRESS_OR_LINK.sub(" ", text)
    for letters, pattern, digit in (("oO", _LETTER_O, "0"), ("lI", _LETTER_L, "1")):
        if letters[0] not in text and letters[1] not in text:
            continue
        repaired = pattern.sub(digit, text)
        if repaired != text:
            cell.repair("letter_for_digit")
            text = repaired
    position = 0
    for match in _SEGMENT.finditer(text):
        if match.start() > position:
            cell.pieces.append(text[position : match.start()])
        position = match.end()
        if match["extension"]:
            _take_extension(match["extension"], match["ext"], cell)
        else:
            _read_chunk(match["chunk"], cell)
    cell.pieces.append(text[position:])


def _take_extension(text: str, digits: str, cell: _Cell) -> None:
    for index in range(len(cell.pieces) - 1, -1, -1):
        piece = cell.pieces[index]
        if isinstance(piece, ParsedNumber):
            if not piece.extension:
                cell.pieces[index] = piece._replace(extension=digits)
                cell.repair("extension")
            return
        if piece.strip(" .,;:-(/"):
            break
    cell.pieces.append(text)


def _read_chunk(chunk: str, cell: _Cell) -> None:
    """Read digits and punctuation as one number, or as several."""
    chunk = chunk.strip()
    parts = [part for part in _STRONG_SEPARATOR.split(chunk) if any(map(str.isdigit, part))]
    readings: list[tuple[str, Reading]] | None = None
    if len(parts) > 1:
        readings = [(part, _read_part(part, cell)) for part in parts]
    if readings is None or not all(reading.number for _, reading in readings):
        whole = _read_part(chunk, cell)
        if whole.number or readings is None:
            readings = [(chunk, whole)]
    if not all(reading.number for _, reading in readings):
        split = _split_groups(chunk, cell)
        readings = split or readings
    if len(readings) == 1 and not readings[0][1].number and (match := _SHARED_BEGINNING.fullmatch(chunk)):
        # "01 99 00 12 34/35": the first is certain, the second would be a guess.
        first = _read_part(match["number"], cell)
        if first.number:
            readings = [(match["number"], first), (match["tail"], Reading(reason="invalid_number"))]
    for part, reading in readings:
        _keep(part, reading, cell)


def _keep(part: str, reading: Reading, cell: _Cell) -> None:
    if not reading.number or reading.reason:
        # A few digits beside words ("de 9h à 12h", "/35") are words; the reason counts when they stand alone.
        cell.refused.append(RefusedNumber(part, reading.reason or "invalid_number"))
        if len(re.sub(r"\D", "", part)) < 7:
            cell.pieces.append(f" {part} ")
        return
    if re.search(r"[.\-/·_,()]", part):
        cell.repair("separators")
    for code in reading.repairs:
        cell.repair(code)
    cell.pieces.append(ParsedNumber(reading.number, reading.kind, reading.validity, raw=part))


def _split_groups(chunk: str, cell: _Cell) -> list[tuple[str, Reading]]:
    """Cut groups of digits into numbers that use them all up ("0199001234/0639981234"), [] when impossible."""
    groups = re.findall(r"\+?\d+", chunk)
    if len(groups) == 1 and len(groups[0]) in (20, 30) and cell.region == "FR":
        groups = [groups[0][start : start + 10] for start in range(0, len(groups[0]), 10)]
    found: list[tuple[str, Reading]] = []
    start = 0
    while start < len(groups):
        for end in range(start + 1, min(start + 8, len(groups)) + 1):
            part = " ".join(groups[start:end])
            reading = _read_part(part, cell)
            if reading.number and (reading.validity == "valid" or end - start > 1 or len(part) >= 9):
                found.append((part, reading))
                start = end
                break
        else:
            return []
    return found


def _read_part(part: str, cell: _Cell) -> Reading:
    compact = re.sub(r"[^\d+]", "", part)
    plus = compact.startswith("+")
    digits = compact.replace("+", "")
    if not digits or "+" in compact[1:]:
        return Reading(reason="invalid_number")
    return read_digits(digits, plus, cell.region, cell.facts_of)


def _result(cell: _Cell) -> ParsedPhones:
    numbers: dict[str, ParsedNumber] = {}
    for number in _with_notes(cell):
        numbers.setdefault(number.number, number)
    if len(numbers) > 1:
        cell.repair("several_numbers")
    if numbers:
        return ParsedPhones(tuple(numbers.values()), tuple(cell.repairs), tuple(cell.refused))
    reasons = {refused.reason for refused in cell.refused}
    order: tuple[Reason, ...] = ("premium_number", "short_number", "invalid_number", "no_number")
    reason: Reason = next((code for code in order if code in reasons), "no_number")
    return ParsedPhones(reason=reason, refused=tuple(cell.refused))


def _with_notes(cell: _Cell) -> list[ParsedNumber]:
    """Give each number the words that belong to it: a label before ("Semaine: …") or a note behind ("… (accueil)")."""
    before: dict[int, str] = {}
    behind: dict[int, str] = {}
    numbers: list[ParsedNumber] = []
    words = ""
    for piece in [*cell.pieces, None]:
        if isinstance(piece, str):
            words += piece
            continue
        if _is_label(words, after_number=bool(numbers), number_follows=piece is not None):
            before[len(numbers)] = words
        elif numbers:
            behind[len(numbers) - 1] = words
        words = ""
        if piece is not None:
            numbers.append(piece)
    return [
        _annotate(number, before.get(index, ""), behind.get(index, ""), cell)
        for index, number in enumerate(numbers)
    ]


def _is_label(words: str, *, after_number: bool, number_follows: bool) -> bool:
    if not number_follows:
        return False
    stripped = words.strip()
    if not after_number or stripped.endswith(":") or stripped[:1] in ("/", ";", "|", "-", ","):
        return True
    return bool(_FAX.search(stripped)) and not stripped.startswith("(")


def _annotate(number: ParsedNumber, before: str, behind: str, cell: _Cell) -> ParsedNumber:
    words = f"{before} {behind}"
    kind: Kind = "fax" if _FAX.search(words) else number.kind
    note = re.sub(r"\s+", " ", _LABEL.sub(" ", words)).strip(" .,;:/|-_'\"’")
    note = note.removesuffix("(").removeprefix(")").strip()
    if note.startswith("(") and note.find(")") in (-1, len(note) - 1):
        note = note.strip("() ")
    if words.strip(" \n;,/|"):
        cell.repair("words")
    return number._replace(kind=kind, note=note[:MAX_NOTE_LENGTH])
