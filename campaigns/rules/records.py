"""A row of a file becomes a record: cells cleaned, numbers read, reasons given. Pure; the database comes later."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from operator import gt, itemgetter
from typing import Any, Literal
from unicodedata import is_normalized, normalize
from zlib import crc32

from campaigns.rules.answers import consent_given, refuses_call, says_yes
from campaigns.rules.mapping import ATTRIBUTE_PREFIX, IGNORE, is_damaged_id
from campaigns.rules.record_codes import country_code, language_code, sector_code, stated_kind
from campaigns.rules.record_consent import (
    CONSENT_TARGETS,
    MAX_CONSENT_TEXT,
    Consent,
    blank_consent,
    consent_date,
)
from campaigns.rules.record_phones import NEVER_DIALLED, region_of, settle_numbers, take_phones
from campaigns.rules.tabular import Row
from crm.rules.phones import FRENCH_OVERSEAS_REGIONS, ParsedNumber

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

_INVISIBLE = re.compile(
    r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
    r"|(?<=[A-Za-zÀ-ÿ])[\u200c\u200d](?=[A-Za-zÀ-ÿ])"
)
_SPACES = re.compile(r"\s*\n\s*| {2,}")

#: Columns whose blank cell clears nothing: what they would be without is worked out.
_NEVER_CLEARED = frozenset({"country", "kind"})


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the rows of one file are read: headers, the target of each column (same order), the region of its numbers,
    what a blank cell does to a field that is known, and the day on which it is read (None: no date is too late)."""

    headers: tuple[str, ...]
    targets: tuple[str, ...]
    region: str = "FR"
    blank: Literal["keep", "clear"] = "keep"
    today: date | None = None


@dataclass(slots=True)
class Record:
    """A data row, read. `reason` is "" when it can be taken, else why not, with the column and the cell that say so."""

    line: int
    cells: tuple[str, ...]
    reason: str = ""
    column: str = ""
    value: str = ""
    external_id: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    #: Columns that were worked out and not stated: good for a new record, never a reason to change a known one.
    assumed: set[str] = field(default_factory=set)
    attributes: dict[str, str] = field(default_factory=dict)
    numbers: list[ParsedNumber] = field(default_factory=list)
    opt_out: bool = False
    consent: Consent | None = None
    #: A number, usable or not, that stands for none ("0102030405").
    placeholder: bool = False
    #: Fields that the file clears, by the names that `digests` has: blank cells, where the recipe says so.
    cleared: tuple[str, ...] = ()
    repairs: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def has_valid_number(self) -> bool:
        """Whether some number belongs to an assigned range and can be called."""
        return any(it.validity == "valid" and it.kind not in NEVER_DIALLED for it in self.numbers)

    @property
    def has_possible_number(self) -> bool:
        """Whether some number has only the length of one: its range is not assigned."""
        return any(it.validity == "possible" and it.kind not in NEVER_DIALLED for it in self.numbers)

    @property
    def was_repaired(self) -> bool:
        """Whether anything had to be repaired in the row."""
        return bool(self.repairs)

    def digests_json(self) -> str:
        """A JSON object with a checksum per field that the file fills, 0 for one that it clears: tells whether the
        supplier's value changed, and nothing else. Written as it is gathered, for a list has millions; of a name told
        twice the last counts. Names are plain words, so that nothing in them needs an escape."""
        assumed = self.assumed
        # A checksum is never 0, which says that the field was cleared.
        parts = [f'"{name}": 0' for name in self.cleared]
        parts += [
            f'"{name}": {crc32(value.encode()) or 1}'
            for name, value in self.columns.items()
            if value and name not in assumed
        ]
        if self.attributes:
            parts += [
                f'"{ATTRIBUTE_PREFIX}{name}": {crc32(value.encode()) or 1}'
                for name, value in self.attributes.items()
            ]
        if self.numbers:
            numbers = "|".join([number.number for number in self.numbers])
            parts.append(f'"phones": {crc32(numbers.encode()) or 1}')
        return "{" + ", ".join(parts) + "}"

    def attributes_json(self) -> str:
        """The attributes as a JSON object."""
        if not self.attributes:
            return "{}"
        pairs = [f"{quoted(name)}: {quoted(value)}" for name, value in self.attributes.items()]
        return "{" + ", ".join(pairs) + "}"


class Repairs:
    """What was repaired, counted by kind, with a few examples `[cell, result]` of each."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[list[str]]] = {}

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


def read_row(row: Row, recipe: Recipe) -> Record:
    """Read one row. Never raises: what cannot be used has its reason."""
    record = Record(row.line, row.cells)
    if row.problem:
        record.reason = row.problem
        record.value = row.cells[0][:300] if row.cells else ""
    else:
        reader_of(recipe).read(record)
    if row.recut:
        record.repairs.append(("other_delimiter", row.recut.join(row.cells)[:80], " | ".join(row.cells)[:80]))
    if row.foreign:
        cell = next((cell for cell in row.cells if not cell.isascii()), "")
        record.repairs.append(("other_encoding", cell.strip()[:80], clean(cell)[:80]))
    return record


def clean(cell: str) -> str:
    """A cell as it is kept: composed accents (NFC), no invisible characters, no spaces around. Nothing else changes."""
    if cell.isprintable():
        return cell.strip() if cell.isascii() else normalize("NFC", cell).strip()
    return _INVISIBLE.sub("", normalize("NFC", cell).replace("\r\n", "\n")).strip()


@lru_cache(maxsize=64)
def reader_of(recipe: Recipe) -> RowReader:
    """Return a recipe made ready."""
    return RowReader(recipe)


class RowReader:
    """A recipe made ready: for each kind of target, the positions of its columns."""

    __slots__ = (
        "_attributes",
        "_blank",
        "_columns",
        "_lengths",
        "_names",
        "_others",
        "_phones",
        "_pick",
        "_recipe",
        "_width",
    )

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._width = min(len(recipe.headers), len(recipe.targets))
        placed = list(enumerate(recipe.targets[: self._width]))
        self._phones = [(at, recipe.headers[at]) for at, target in placed if target == "phone"]
        taken = [(at, target) for at, target in placed if target not in ("phone", IGNORE)]
        columns = [(at, target) for at, target in taken if target in COLUMN_LENGTHS]
        others = [(at, target) for at, target in taken if target in _OTHER_TARGETS]
        attributes = [it for it in taken if it not in columns and it not in others]
        self._names = tuple(target for _, target in columns)
        self._lengths = tuple(_length_before_settling(target) for target in self._names)
        self._attributes = tuple(target.removeprefix(ATTRIBUTE_PREFIX) for _, target in attributes)
        self._others = tuple(target for _, target in others)
        self._pick = _picker([at for at, _ in (*columns, *attributes, *others)])
        self._blank = self._clearable() if recipe.blank == "clear" else ()

    def read(self, record: Record) -> None:
        """Fill a record from its cells."""
        self.read_fields(record)
        cells = record.cells
        filled = [(header, cells[at]) for at, header in self._phones if at < len(cells) and cells[at].strip()]
        region = region_of(record, self._recipe.region)
        settle_numbers(record, filled, take_phones(record, filled, region), region)

    def read_fields(self, record: Record) -> None:
        """Fill a record from its cells, all but its numbers."""
        cells = record.cells
        if len(cells) < self._width:
            cells += ("",) * (self._width - len(cells))
        picked = self._pick(cells)
        is_plain = _is_plain("".join(picked))
        values = [cell.strip() for cell in picked] if is_plain else [clean(cell) for cell in picked]
        columns_end = len(self._names)
        attributes_end = columns_end + len(self._attributes)
        self._take_columns(record, values[:columns_end] if is_plain else _on_one_line(values[:columns_end]))
        record.attributes.update(
            [
                pair
                for pair in zip(self._attributes, values[columns_end:attributes_end], strict=True)
                if pair[1]
            ]
        )
        if self._others:
            self._take_others(record, values[attributes_end:])
        _settle_columns(record, self._recipe.region)
        if self._blank:
            filled = {name for name, value in zip(self._fields(), values, strict=True) if value}
            record.cleared = tuple(name for name in self._blank if name not in filled)

    def _take_columns(self, record: Record, values: list[str]) -> None:
        columns = record.columns = {
            name: value for name, value in zip(self._names, values, strict=True) if value
        }
        if not any(map(gt, map(len, values), self._lengths)):
            return
        for name, value in columns.items():
            if len(value) > _length_before_settling(name):
                columns[name] = _shortened(record, name, value)

    def _take_others(self, record: Record, values: list[str]) -> None:
        notes: list[str] = []
        for target, value in zip(self._others, values, strict=True):
            if not value:
                continue
            if target == "external_id":
                _take_external_id(record, value)
            elif target == "opt_out":
                record.opt_out = record.opt_out or _is_opt_out(value)
            elif target == "may_call":
                record.opt_out = record.opt_out or refuses_call(value)
            elif target == "note":
                notes.append(value)
            else:
                _take_consent(record, target, value, self._recipe.today)
        if consent := record.consent:
            if consent["at"] and "consent" not in self._recipe.targets:
                # The file has no yes or no: the date of a consent tells that there was one.
                consent["given"] = True
            # Whoever refuses to be called has said so, whatever the column is named.
            record.opt_out = record.opt_out or consent["given"] is False
        if notes:
            record.attributes["note"] = "\n".join(notes)

    def _fields(self) -> tuple[str, ...]:
        """The name that each picked cell has among the digests."""
        others = (f"{ATTRIBUTE_PREFIX}note" if target == "note" else "" for target in self._others)
        return (*self._names, *(ATTRIBUTE_PREFIX + name for name in self._attributes), *others)

    def _clearable(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name in self._fields() if name and name not in _NEVER_CLEARED))


def _picker(places: list[int]) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """What takes the cells at these places out of a row."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda cells: tuple(cells[at] for at in places)


def _is_plain(joined: str) -> bool:
    """Whether nothing in the cells of a row has to be cleaned but the spaces around: one look at all of them."""
    return joined.isprintable() and "  " not in joined and (joined.isascii() or is_normalized("NFC", joined))


def _on_one_line(values: list[str]) -> list[str]:
    return [_SPACES.sub(" ", value) for value in values]


def _length_before_settling(name: str) -> int:
    """What a column holds; names of countries and the like, which become codes, may be as long as they are."""
    return _ANY_LENGTH if name in _CODES else COLUMN_LENGTHS[name]


_is_opt_out = lru_cache(maxsize=2_000)(says_yes)

#: Targets that are neither a column of the prospect nor an attribute of one cell.
_OTHER_TARGETS = frozenset({"external_id", "opt_out", "may_call", "note", *CONSENT_TARGETS})
#: Columns that hold a code, which is settled once all cells are taken.
_CODES = frozenset({"kind", "country", "language"})
_ANY_LENGTH = 1 << 30


def _take_external_id(record: Record, value: str) -> None:
    """An id that a spreadsheet rounded names nobody: several firms share it, and merging them would be wrong."""
    if not value.isdecimal() and is_damaged_id(value):
        record.attributes["external_id_damaged"] = value
        record.repairs.append(("damaged_id", value, ""))
    else:
        record.external_id = value[:MAX_EXTERNAL_ID]


def _take_consent(record: Record, target: str, value: str, today: date | None) -> None:
    consent = record.consent
    if consent is None:
        consent = record.consent = blank_consent()
    if target == "consent":
        consent["given"] = consent_given(value)
    elif target == "consent_channel":
        consent["channel"] = value[:MAX_CONSENT_TEXT]
    elif target == "consent_text":
        consent["text"] = value[:MAX_CONSENT_TEXT]
    else:
        moment = consent_date(target, value, today)
        if target == "consent_at":
            consent["at"] = moment
        else:
            consent["until"] = moment
        if not moment:
            record.repairs.append(("consent_date_unreadable", value[:80], ""))


def _shortened(record: Record, name: str, value: str) -> str:
    """The column keeps its beginning, an attribute all of it: nothing that was sent is lost."""
    length = COLUMN_LENGTHS[name]
    record.attributes[f"{name}_complet"] = value
    record.repairs.append(("shortened", value[:80], value[:length][:80]))
    return value[:length].rstrip()


def _settle_columns(record: Record, region: str) -> None:
    columns = record.columns
    if "sector" in columns:
        columns["sector"] = sector_code(columns["sector"])
    country = _settle_code(record, "country") if "country" in columns else ""
    if not country:
        country = region
        record.assumed.add("country")
    columns["country"] = "FR" if region == "FR" and country in FRENCH_OVERSEAS_REGIONS else country
    if "language" in columns and (language := _settle_code(record, "language")):
        columns["language"] = language
    postal_code = columns.get("postal_code", "")
    if len(postal_code) == 4 and columns["country"] == "FR" and postal_code.isdecimal():
        columns["postal_code"] = "0" + postal_code
        record.repairs.append(("postal_code_zero", postal_code, columns["postal_code"]))
    if "kind" in columns:
        columns["kind"] = stated_kind(columns["kind"])
        return
    record.assumed.add("kind")
    is_person = "organisation" not in columns and ("last_name" in columns or "first_name" in columns)
    columns["kind"] = "person" if is_person else "organisation"


def _settle_code(record: Record, name: str) -> str:
    """A country or language as its code; what is neither code nor known name is kept as an attribute."""
    value = record.columns.pop(name)
    code = country_code(value) if name == "country" else language_code(value)
    if not code:
        record.attributes[name] = value
    return code
