"""A row of a file becomes a record: cells cleaned, numbers read, reasons given. Pure; the database comes later."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from campaigns.rules.headers import fold
from campaigns.rules.mapping import ATTRIBUTE_PREFIX, IGNORE, is_damaged_id, says_yes
from campaigns.rules.tabular import Row
from crm.rules.phones import FRENCH_OVERSEAS_REGIONS, ParsedNumber, normalise, region_for, time_zone_for

#: Columns of a prospect that a file fills, with the length that each holds.
COLUMN_LENGTHS: dict[str, int] = {
    "kind": 12,
    "civility": 20,
    "first_name": 120,
    "last_name": 120,
    "organisation": 250,
    "job_title": 150,
    "sector": 20,
    "email": 254,
    "address": 400,
    "postal_code": 20,
    "city": 120,
    "country": 2,
    "language": 8,
    "time_zone": 60,
}
MAX_EXTERNAL_ID = 200
MAX_REJECTED_CELL = 2_000
EXAMPLES_PER_REPAIR = 3

#: Lines on which nobody answers, or that cost the caller.
_NEVER_DIALLED = frozenset({"fax", "premium", "short"})

#: Which refusal is told when several cells of a row were refused: what can be repaired first.
_REASONS = ("damaged_by_spreadsheet", "invalid_number", "premium_number", "short_number", "no_number")

_INVISIBLE = re.compile(
    r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
    r"|(?<=[A-Za-zÀ-ÿ])[\u200c\u200d](?=[A-Za-zÀ-ÿ])"
)
_NAF = re.compile(r"(\d{2})\.?(\d{2})\s?([A-Za-z])")
_SPACES = re.compile(r"\s*\n\s*| {2,}")

_COUNTRIES = {
    "france": "FR",
    "fra": "FR",
    "allemagne": "DE",
    "germany": "DE",
    "deutschland": "DE",
    "belgique": "BE",
    "belgium": "BE",
    "suisse": "CH",
    "switzerland": "CH",
    "luxembourg": "LU",
    "espagne": "ES",
    "spain": "ES",
    "italie": "IT",
    "italy": "IT",
    "portugal": "PT",
    "royaume uni": "GB",
    "united kingdom": "GB",
    "uk": "GB",
    "gbr": "GB",
    "etats unis": "US",
    "united states": "US",
    "usa": "US",
    "canada": "CA",
    "monaco": "MC",
    "guadeloupe": "GP",
    "martinique": "MQ",
    "guyane": "GF",
    "la reunion": "RE",
    "reunion": "RE",
    "mayotte": "YT",
    "nouvelle caledonie": "NC",
    "polynesie francaise": "PF",
}
_LANGUAGES = {
    "francais": "fr",
    "french": "fr",
    "anglais": "en",
    "english": "en",
    "allemand": "de",
    "german": "de",
    "espagnol": "es",
    "spanish": "es",
    "italien": "it",
    "italian": "it",
    "portugais": "pt",
    "portuguese": "pt",
    "arabe": "ar",
    "arabic": "ar",
    "neerlandais": "nl",
    "dutch": "nl",
    "alsacien": "gsw",
    "breton": "br",
}
_PERSONS = frozenset(
    {"person", "personne", "particulier", "physique", "personne physique", "individual", "b2c"}
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the rows of one file are read: headers, the target of each column (same order), the region of its numbers."""

    headers: tuple[str, ...]
    targets: tuple[str, ...]
    region: str = "FR"
    blank: str = "keep"


@dataclass(slots=True)
class Record:
    """A data row, read. `reason` is "" when it can be taken, else why not, with the column and the cell that say so;
    `first_line` is the line of the same file that already spoke of this prospect."""

    line: int
    cells: tuple[str, ...]
    reason: str = ""
    column: str = ""
    value: str = ""
    first_line: int | None = None
    external_id: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    #: Columns that were worked out and not stated: good for a new record, never a reason to change a known one.
    assumed: set[str] = field(default_factory=set)
    attributes: dict[str, str] = field(default_factory=dict)
    numbers: list[ParsedNumber] = field(default_factory=list)
    opt_out: bool = False
    placeholder: bool = False
    consent: dict[str, object] | None = None
    repairs: list[tuple[str, str, str]] = field(default_factory=list)

    def digests(self) -> dict[str, int]:
        """A checksum per field that the file fills: tells whether the supplier's value changed, and nothing else."""
        digests = {
            name: crc32(value.encode())
            for name, value in self.columns.items()
            if value and name not in self.assumed
        }
        for name, value in self.attributes.items():
            digests[ATTRIBUTE_PREFIX + name] = crc32(value.encode())
        if self.numbers:
            digests["phones"] = crc32("|".join(number.number for number in self.numbers).encode())
        return digests

    def original(self) -> str:
        """The row as it came, as a JSON list of texts, for the report of what was refused."""
        return json.dumps([cell[:MAX_REJECTED_CELL] for cell in self.cells], ensure_ascii=False)


class Repairs:
    """What was repaired, counted by kind, with a few examples `[cell, result]` of each."""

    def __init__(self, stored: dict[str, dict[str, object]] | None = None) -> None:
        """Go on from `stored`, as `as_json` gave it."""
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[list[str]]] = {}
        for code, entry in (stored or {}).items():
            self._counts[code] = int(str(entry["count"]))
            self._examples[code] = list(entry["examples"])  # type: ignore[call-overload]

    def add_stored(self, stored: Mapping[str, dict[str, Any]]) -> None:
        """Add what `as_json` of another gave."""
        for code, entry in stored.items():
            self._counts[code] += entry["count"]
            examples = self._examples.setdefault(code, [])
            for example in entry["examples"]:
                if len(examples) < EXAMPLES_PER_REPAIR and example not in examples:
                    examples.append(example)

    def add(self, record: Record) -> None:
        """Count the repairs of a row."""
        for code, cell, result in record.repairs:
            self._counts[code] += 1
            examples = self._examples.setdefault(code, [])
            if len(examples) < EXAMPLES_PER_REPAIR and [cell, result] not in examples:
                examples.append([cell, result])

    def as_json(self) -> dict[str, dict[str, object]]:
        """`{code: {"count": n, "examples": [[cell, result], …]}}`, most frequent first."""
        return {
            code: {"count": count, "examples": self._examples.get(code, [])}
            for code, count in self._counts.most_common()
        }


class Deduplicator:
    """Finds rows of one file that speak of a prospect already seen in it: by external id, without one by any number.

    Keeps a 64-bit hash per id and number, not the texts."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._ids: dict[int, int] = {}
        self._numbers: dict[int, int] = {}

    def mark(self, record: Record) -> None:
        """Set `first_line` on a taken row that repeats another; remember it otherwise."""
        if record.reason:
            return
        numbers = [hash(number.number) for number in record.numbers]
        if record.external_id:
            record.first_line = self._ids.get(hash(record.external_id))
        else:
            record.first_line = next((self._numbers[key] for key in numbers if key in self._numbers), None)
        if record.first_line is not None:
            return
        if record.external_id:
            self._ids[hash(record.external_id)] = record.line
        for key in numbers:
            self._numbers.setdefault(key, record.line)


def records(rows: Iterable[Row], recipe: Recipe) -> Iterator[Record]:
    """Read rows in their order, duplicates within the file marked."""
    duplicates = Deduplicator()
    for row in rows:
        record = read_row(row, recipe)
        duplicates.mark(record)
        yield record


def read_row(row: Row, recipe: Recipe) -> Record:
    """Read one row. Never raises: what cannot be used has its reason."""
    record = Record(row.line, row.cells)
    if row.problem:
        record.reason = row.problem
        record.value = row.cells[0][:300] if row.cells else ""
        return record
    phones = _take_cells(record, row.cells, recipe)
    _settle_columns(record, recipe.region)
    _take_numbers(record, phones, recipe.region)
    return record


def clean(cell: str) -> str:
    """A cell as it is kept: composed accents (NFC), no invisible characters, no spaces around. Nothing else changes."""
    if cell.isascii() and cell.isprintable():
        return cell.strip()
    return _INVISIBLE.sub("", unicodedata.normalize("NFC", cell).replace("\r\n", "\n")).strip()


def _take_cells(record: Record, cells: Sequence[str], recipe: Recipe) -> list[tuple[str, str]]:
    """Put each cell where its column goes; the cells of phone columns are returned with their headers."""
    phones: list[tuple[str, str]] = []
    notes: list[str] = []
    for header, target, cell in zip(recipe.headers, recipe.targets, cells, strict=False):
        if target == "phone":
            if cell and not cell.isspace():
                phones.append((header, cell))
            continue
        value = clean(cell)
        if not value or target == IGNORE:
            continue
        if target == "note":
            notes.append(value)
        elif target == "opt_out":
            record.opt_out = record.opt_out or says_yes(value)
        elif target == "external_id":
            _take_external_id(record, value)
        elif target in COLUMN_LENGTHS:
            record.columns[target] = _SPACES.sub(" ", value) if "\n" in value or "  " in value else value
        else:
            record.attributes[target.removeprefix(ATTRIBUTE_PREFIX)] = value
    if notes:
        record.attributes["note"] = "\n".join(notes)
    return phones


def _take_external_id(record: Record, value: str) -> None:
    """An id that a spreadsheet rounded names nobody: several firms share it, and merging them would be wrong."""
    if is_damaged_id(value):
        record.attributes["external_id_damaged"] = value
        record.repairs.append(("damaged_id", value, ""))
    else:
        record.external_id = value[:MAX_EXTERNAL_ID]


def _settle_columns(record: Record, region: str) -> None:
    columns = record.columns
    if match := _NAF.fullmatch(columns.get("sector", "")):
        columns["sector"] = match[1] + match[2] + match[3].upper()
    country = _code(record, "country", _COUNTRIES, 2).upper()
    if not country:
        country = region
        record.assumed.add("country")
    columns["country"] = "FR" if country in FRENCH_OVERSEAS_REGIONS and region == "FR" else country
    if language := _code(record, "language", _LANGUAGES, 8).lower():
        columns["language"] = language
    postal_code = columns.get("postal_code", "")
    if columns["country"] == "FR" and len(postal_code) == 4 and postal_code.isdecimal():
        columns["postal_code"] = "0" + postal_code
        record.repairs.append(("postal_code_zero", postal_code, columns["postal_code"]))
    if "kind" not in columns:
        record.assumed.add("kind")
    columns["kind"] = _kind(columns)
    for name, value in columns.items():
        length = COLUMN_LENGTHS[name]
        if len(value) > length:
            # The column keeps its beginning, the attribute all of it: nothing that was sent is lost.
            record.attributes[f"{name}_complet"] = value
            record.repairs.append(("shortened", value[:80], value[:length][:80]))
            columns[name] = value[:length].rstrip()


def _code(record: Record, name: str, names: dict[str, str], length: int) -> str:
    """A country or language as its code; what is neither code nor known name is kept as an attribute."""
    value = record.columns.pop(name, "")
    if not value:
        return ""
    if known := names.get(fold(value), ""):
        return known
    if re.fullmatch(rf"[A-Za-z]{{2,{min(length, 3)}}}(?:[-_][A-Za-z]{{2}})?", value):
        return re.split(r"[-_]", value)[0]
    record.attributes[name] = value
    return ""


def _kind(columns: dict[str, str]) -> str:
    if stated := columns.get("kind", ""):
        return "person" if fold(stated) in _PERSONS else "organisation"
    named = columns.get("last_name") or columns.get("first_name")
    return "person" if named and not columns.get("organisation") else "organisation"


def _take_numbers(record: Record, phones: list[tuple[str, str]], default_region: str) -> None:
    region = region_for(record.columns.get("postal_code", ""), record.columns["country"], default_region)
    refusals: dict[str, tuple[str, str]] = {}
    seen: dict[str, ParsedNumber] = {}
    for header, cell in phones:
        parsed = normalise(cell, region)
        for number in parsed.numbers:
            seen.setdefault(number.number, number)
        for code in parsed.repairs:
            record.repairs.append((code, cell.strip()[:80], ", ".join(n.number for n in parsed.numbers)))
        if parsed.reason:
            refusals.setdefault(parsed.reason, (header, cell.strip()[:300]))
    record.numbers = list(seen.values())
    first = next((number for number in record.numbers if number.kind not in _NEVER_DIALLED), None)
    if first is not None:
        record.columns["time_zone"] = time_zone_for(
            first.number, record.columns.get("postal_code", ""), record.columns["country"]
        )
        return
    record.reason = (
        "fax_only" if record.numbers else next((code for code in _REASONS if code in refusals), "no_number")
    )
    if record.reason == "fax_only":
        record.column, record.value = phones[0][0], phones[0][1].strip()[:300]
    else:
        record.column, record.value = refusals.get(record.reason, ("", ""))
