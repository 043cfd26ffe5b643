"""Phone numbers: from whatever a cell of a file or a search box holds to E.164, and from there to a time zone.

Pure functions on top of Google's metadata (the ``phonenumbers`` library). A cell gives zero or more numbers;
what was repaired on the way is said, and so is the reason when nothing could be used.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import PhoneNumberType as LibraryType
from phonenumbers import shortnumberinfo, timezone

Kind = Literal["landline", "mobile", "voip", "fax", "premium", "short", "toll_free", "unknown"]
Validity = Literal["valid", "possible", "invalid"]
Reason = Literal[
    "",
    "no_number",
    "invalid_number",
    "short_number",
    "premium_number",
    "damaged_by_spreadsheet",
]

# Longer cells are free text; the numbers that somebody put in a phone column stand at its beginning.
MAX_CELL_LENGTH = 500
MAX_NOTE_LENGTH = 200

FRENCH_OVERSEAS_REGIONS = frozenset({"GP", "MQ", "GF", "RE", "PM", "YT", "BL", "MF", "WF", "PF", "NC"})

# National numbers of metropolitan France and of these regions are dialled alike (0 + nine digits), but the
# country code differs: the three digits after the 0 decide (Arcep numbering plan).
_OVERSEAS_BY_PREFIX = {
    "262": "RE",
    "263": "RE",
    "269": "YT",
    "590": "GP",
    "594": "GF",
    "596": "MQ",
    "639": "YT",
    "690": "GP",
    "691": "GP",
    "692": "RE",
    "693": "RE",
    "694": "GF",
    "696": "MQ",
    "697": "MQ",
}

_REGION_BY_POSTAL_PREFIX = {
    "971": "GP",
    "972": "MQ",
    "973": "GF",
    "974": "RE",
    "975": "PM",
    "976": "YT",
    "977": "BL",
    "978": "MF",
    "986": "WF",
    "987": "PF",
    "988": "NC",
}

_ZONE_BY_REGION = {
    "FR": "Europe/Paris",
    "GP": "America/Guadeloupe",
    "MQ": "America/Martinique",
    "GF": "America/Cayenne",
    "RE": "Indian/Reunion",
    "PM": "America/Miquelon",
    "YT": "Indian/Mayotte",
    "BL": "America/Guadeloupe",
    "MF": "America/Guadeloupe",
    "WF": "Pacific/Wallis",
    "PF": "Pacific/Tahiti",
    "NC": "Pacific/Noumea",
}

_ZONE_BY_COUNTRY_CODE = {
    33: "Europe/Paris",
    590: "America/Guadeloupe",
    594: "America/Cayenne",
    596: "America/Martinique",
    508: "America/Miquelon",
    681: "Pacific/Wallis",
    687: "Pacific/Noumea",
    689: "Pacific/Tahiti",
}

# Where several zones of a country never differ by the clock, the one that people know it by.
_PREFERRED_ZONES = ("Europe/London", "Europe/Madrid", "Europe/Rome")

_KIND_BY_LIBRARY_TYPE: dict[int, Kind] = {
    LibraryType.FIXED_LINE: "landline",
    LibraryType.MOBILE: "mobile",
    LibraryType.VOIP: "voip",
    LibraryType.TOLL_FREE: "toll_free",
    LibraryType.PREMIUM_RATE: "premium",
    LibraryType.SHARED_COST: "premium",
}

_FRENCH_SHORT = re.compile(r"1\d{1,3}|3\d{3}|11[68]\d{3}")
_FRENCH_NATIONAL_KINDS: dict[str, Kind] = {"6": "mobile", "7": "mobile", "9": "voip"}

# Metropolitan numbers as they are mostly written; the first group tells national from international.
_PLAIN_FRENCH = re.compile(r"(0|\+33 ?|)([1-9])((?:[ .\-\u00a0\u202f]?\d\d){4})", re.ASCII)
_NOT_DIGITS = re.compile(r"\D")

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
_SHARED_BEGINNING = re.compile(r"(?P<number>.*\d)\s*/\s*(?P<tail>\d{1,4})", re.DOTALL)
_FAX = re.compile(r"\b(?:fax|t[ée]l[ée]copie|t[ée]l[ée]copieur|t[ée]l\.?[ /]?fax)\b", re.IGNORECASE)
_BEGINNING = re.compile(r"[ (]*\+?[\d \-./()\u00a0\u202f\u2026]+", re.ASCII)
_SPREADSHEET_HASHES = re.compile(r"#{3,}")


@dataclass(frozen=True, slots=True)
class ParsedNumber:
    """One number: ``number`` in E.164 (``+`` and digits), its kind, validity, extension ("" or digits), the words
    written beside it, and ``raw``, the piece of the cell that it came from."""

    number: str
    kind: Kind
    validity: Validity
    extension: str = ""
    note: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class RefusedNumber:
    """A piece of the cell that looked like a number and is not usable, with the reason."""

    raw: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class ParsedPhones:
    """What a cell holds: usable numbers in their order without doubles, codes of the repairs that were applied, pieces
    that were refused; ``reason`` is "" when there is at least one number, else why there is none."""

    numbers: tuple[ParsedNumber, ...] = ()
    repairs: tuple[str, ...] = ()
    refused: tuple[RefusedNumber, ...] = ()
    reason: Reason = ""


@dataclass(frozen=True, slots=True)
class _Reading:
    """One run of digits read as one number."""

    number: str = ""
    kind: Kind = "unknown"
    validity: Validity = "invalid"
    repairs: tuple[str, ...] = ()
    reason: Reason = ""


@dataclass(slots=True)
class _Cell:
    """A cell in the course of being read: text and numbers in their order, and what was repaired."""

    repairs: list[str] = field(default_factory=list)
    refused: list[RefusedNumber] = field(default_factory=list)
    pieces: list[str | ParsedNumber] = field(default_factory=list)

    def repair(self, code: str) -> None:
        if code not in self.repairs:
            self.repairs.append(code)


@lru_cache(maxsize=20_000)
def normalise(raw: str, region: str = "FR") -> ParsedPhones:
    """Read the numbers in ``raw``, any text, as written by somebody in ``region`` (ISO 3166 alpha-2). Never raises.

    Repairs: ``leading_zero``, ``trunk_zero`` (``+33 (0)1``), ``double_zero`` (``0033``), ``missing_plus``,
    ``separators``, ``exotic_space``, ``invisible_characters``, ``apostrophe``, ``foreign_digits``,
    ``letter_for_digit``, ``spreadsheet_text``, ``scientific_notation``, ``decimal``, ``several_numbers``,
    ``extension``, ``words``, ``overseas``, ``stray_plus``.
    A number in scientific notation is recovered only when it shows every digit; else ``damaged_by_spreadsheet``."""
    if region == "FR" and (match := _PLAIN_FRENCH.fullmatch(raw)) and (plain := _plain_french(raw, match)):
        return plain
    return _normalise_anything(raw, region.upper() or "FR")


def _plain_french(raw: str, match: re.Match[str]) -> ParsedPhones | None:
    """The quick way for the common spellings, from the library's own patterns; None where it must decide itself."""
    national = match[2] + _NOT_DIGITS.sub("", match[3])
    if national[:3] in _OVERSEAS_BY_PREFIX:
        return None
    kind = _french_kind_by_patterns(national)
    if kind is None or kind == "premium":
        return None
    spaced = raw.replace("\u00a0", " ").replace("\u202f", " ")
    repairs = ["exotic_space"] if spaced != raw else []
    if "." in raw or "-" in raw:
        repairs.append("separators")
    if not match[1]:
        repairs.append("leading_zero")
    return ParsedPhones((ParsedNumber("+33" + national, kind, "valid", raw=spaced),), tuple(repairs))


@lru_cache(maxsize=1)
def _french_patterns() -> tuple[tuple[re.Pattern[str], Kind], ...]:
    """Patterns of the library's metadata for France, in the order in which it tries them."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region("FR")
    if metadata is None:
        return ()
    order: tuple[tuple[phonenumbers.PhoneNumberDesc | None, Kind], ...] = (
        (metadata.premium_rate, "premium"),
        (metadata.toll_free, "toll_free"),
        (metadata.shared_cost, "premium"),
        (metadata.voip, "voip"),
        (metadata.fixed_line, "landline"),
        (metadata.mobile, "mobile"),
    )
    return tuple(
        (re.compile(description.national_number_pattern), kind)
        for description, kind in order
        if description is not None and description.national_number_pattern
    )


def _french_kind_by_patterns(national: str) -> Kind | None:
    return next((kind for pattern, kind in _french_patterns() if pattern.fullmatch(national)), None)


def _normalise_anything(raw: str, region: str) -> ParsedPhones:
    cell = _Cell()
    text = _clean(raw[:MAX_CELL_LENGTH], cell)
    if not text:
        return ParsedPhones(reason="no_number")
    if _SPREADSHEET_HASHES.fullmatch(text):
        return ParsedPhones(
            reason="damaged_by_spreadsheet", refused=(RefusedNumber(raw[:60], "damaged_by_spreadsheet"),)
        )
    recovered = _undo_spreadsheet(text, cell)
    if recovered is None:
        return ParsedPhones(
            reason="damaged_by_spreadsheet", refused=(RefusedNumber(text, "damaged_by_spreadsheet"),)
        )
    _read_text(recovered, region, cell)
    return _result(cell)


def region_for(postal_code: str, country: str = "", default: str = "FR") -> str:
    """The region in which a record's national numbers are to be read: French overseas by postal code, else its country
    (alpha-2), else ``default``."""
    country = country.upper()
    if country in ("", "FR") or country in FRENCH_OVERSEAS_REGIONS:
        overseas = _REGION_BY_POSTAL_PREFIX.get(postal_code[:3]) if len(postal_code) == 5 else None
        if overseas and (country or default == "FR" or default in FRENCH_OVERSEAS_REGIONS):
            return overseas
    return country if is_region(country) else default


def is_region(code: str) -> bool:
    """Tell whether national numbers of this country (ISO 3166 alpha-2, in capitals) can be read."""
    return code in phonenumbers.SUPPORTED_REGIONS


@lru_cache(maxsize=20_000)
def time_zone_for(number: str, postal_code: str = "", country: str = "") -> str:
    """IANA zone of the called party for an E.164 number, "" where it cannot be told (nobody may call then).

    A French overseas postal code (971 to 978, 986 to 988) outranks the number: mobiles of metropolitan France are
    used there."""
    region = region_for(postal_code, country, "FR")
    if region in FRENCH_OVERSEAS_REGIONS and postal_code[:3] in _REGION_BY_POSTAL_PREFIX:
        return _ZONE_BY_REGION[region]
    if not number:
        return _ZONE_BY_REGION.get(country.upper() or ("FR" if postal_code else ""), "")
    if number.startswith("+33"):  # no other country code begins so; most numbers do
        return _ZONE_BY_COUNTRY_CODE[33]
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return ""
    return _zone_of(parsed)


def search_forms(text: str) -> tuple[str, ...]:
    """E.164 candidates for whatever somebody typed into a search box, "" when it is no number. Numbers that may not be
    called (premium rate) are found as well."""
    if sum(character.isdigit() for character in text) < 6:
        return ()
    found = [parsed.number for parsed in normalise(text, "FR").numbers]
    digits = re.sub(r"\D", "", _clean(text[:MAX_CELL_LENGTH], _Cell()))
    if 8 <= len(digits) <= 15:
        reading = _read_digits(digits, text.lstrip().startswith("+"), "FR")
        if reading.number:
            found.append(reading.number)
        if not digits.startswith("0"):
            found.append("+" + digits)
    return tuple(dict.fromkeys(found))


def national(number: str) -> str:
    """Return an E.164 number as people read it in France: "01 99 00 12 34", and "+44 20 7946 0000" from abroad."""
    if len(number) == 12 and number.startswith("+33"):
        digits = "0" + number[3:]
        return " ".join(digits[start : start + 2] for start in range(0, 10, 2))
    return _international_spelling(number)


@lru_cache(maxsize=2_000)
def _international_spelling(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def search_beginning(text: str) -> tuple[str, str] | None:
    """Return the range (first included, last not) of the E.164 numbers that begin as somebody began to type one in
    French, "06 39 98" or "+33 1 99"; None for fewer than four digits, a whole number, or anything else."""
    if not _BEGINNING.fullmatch(text):
        return None
    digits = _NOT_DIGITS.sub("", text)
    if text.lstrip(" (").startswith("+") or digits.startswith("00"):
        digits = digits.removeprefix("00")
        if digits.startswith("330"):
            digits = "33" + digits[3:]
    elif digits.startswith("0"):
        digits = "33" + digits[1:]
    else:
        return None
    if not 5 <= len(digits) < 11 or digits.startswith("0"):
        return None
    return f"+{digits}", f"+{int(digits) + 1}"


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


def _read_text(text: str, region: str, cell: _Cell) -> None:
    text = _ADDRESS_OR_LINK.sub(" ", text)
    for pattern, digit in ((_LETTER_O, "0"), (_LETTER_L, "1")):
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
            _read_chunk(match["chunk"], region, cell)
    cell.pieces.append(text[position:])


def _take_extension(text: str, digits: str, cell: _Cell) -> None:
    for index in range(len(cell.pieces) - 1, -1, -1):
        piece = cell.pieces[index]
        if isinstance(piece, ParsedNumber):
            if not piece.extension:
                cell.pieces[index] = replace(piece, extension=digits)
                cell.repair("extension")
            return
        if piece.strip(" .,;:-(/"):
            break
    cell.pieces.append(text)


def _read_chunk(chunk: str, region: str, cell: _Cell) -> None:
    """Read digits and punctuation as one number, or as several."""
    chunk = chunk.strip()
    parts = [part for part in _STRONG_SEPARATOR.split(chunk) if any(map(str.isdigit, part))]
    readings: list[tuple[str, _Reading]] | None = None
    if len(parts) > 1:
        readings = [(part, _read_part(part, region)) for part in parts]
    if readings is None or not all(reading.number for _, reading in readings):
        whole = _read_part(chunk, region)
        if whole.number or readings is None:
            readings = [(chunk, whole)]
    if not all(reading.number for _, reading in readings):
        split = _split_groups(chunk, region)
        readings = split or readings
    if len(readings) == 1 and not readings[0][1].number and (match := _SHARED_BEGINNING.fullmatch(chunk)):
        # "01 99 00 12 34/35": the first is certain, the second would be a guess.
        first = _read_part(match["number"], region)
        if first.number:
            readings = [(match["number"], first), (match["tail"], _Reading(reason="invalid_number"))]
    for part, reading in readings:
        _keep(part, reading, cell)


def _keep(part: str, reading: _Reading, cell: _Cell) -> None:
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


def _split_groups(chunk: str, region: str) -> list[tuple[str, _Reading]]:
    """Cut groups of digits into numbers that use them all up ("0199001234/0639981234"), [] when impossible."""
    groups = re.findall(r"\+?\d+", chunk)
    if len(groups) == 1 and len(groups[0]) in (20, 30) and region == "FR":
        groups = [groups[0][start : start + 10] for start in range(0, len(groups[0]), 10)]
    found: list[tuple[str, _Reading]] = []
    start = 0
    while start < len(groups):
        for end in range(start + 1, min(start + 8, len(groups)) + 1):
            part = " ".join(groups[start:end])
            reading = _read_part(part, region)
            if reading.number and (reading.validity == "valid" or end - start > 1 or len(part) >= 9):
                found.append((part, reading))
                start = end
                break
        else:
            return []
    return found


def _read_part(part: str, region: str) -> _Reading:
    compact = re.sub(r"[^\d+]", "", part)
    plus = compact.startswith("+")
    digits = compact.replace("+", "")
    if not digits or "+" in compact[1:]:
        return _Reading(reason="invalid_number")
    return _read_digits(digits, plus, region)


@lru_cache(maxsize=20_000)
def _read_digits(digits: str, plus: bool, region: str) -> _Reading:
    """Read digits as one number: a reading with a number, or with the reason why there is none (both when the number
    exists and may not be called)."""
    if not digits.strip("0"):
        return _Reading(reason="no_number")
    if len(digits) > 17:
        return _Reading(reason="invalid_number")
    if not plus and digits.startswith("00") and len(digits) >= 10:
        reading = _international(digits[2:], ("double_zero",))
        return reading if reading.number else _Reading(reason="invalid_number")
    if plus:
        reading = _international(digits, ())
        if reading.number or not digits.startswith("0"):
            return reading if reading.number else _Reading(reason="invalid_number")
        reading = _national(digits, region)
        return replace(reading, repairs=(*reading.repairs, "stray_plus"))
    return _national(digits, region)


def _national(digits: str, region: str) -> _Reading:
    for candidate in _candidate_regions(digits, region):
        reading = _in_region(digits, candidate, region)
        if reading.number:
            return reading
    if len(digits) >= 11 and not digits.startswith("0"):
        reading = _international(digits, ("missing_plus",))
        if reading.validity == "valid":
            return reading
    return _Reading(reason="short_number" if _is_short(digits, region) else "invalid_number")


def _candidate_regions(digits: str, region: str) -> tuple[str, ...]:
    if region != "FR" and region not in FRENCH_OVERSEAS_REGIONS:
        return (region,)
    overseas = _OVERSEAS_BY_PREFIX.get(digits.removeprefix("0")[:3], "")
    first = () if region in ("FR", overseas) else (region,)
    return tuple(code for code in (overseas, *first, "FR") if code)


def _in_region(digits: str, candidate: str, region: str) -> _Reading:
    try:
        number = phonenumbers.parse(digits, candidate)
    except phonenumbers.NumberParseException:
        return _Reading()
    if candidate in FRENCH_OVERSEAS_REGIONS and not phonenumbers.is_valid_number(number):
        return _Reading()
    code = str(number.country_code)
    repairs: list[str] = []
    if candidate in FRENCH_OVERSEAS_REGIONS and region == "FR":
        repairs.append("overseas")
    prefix = phonenumbers.ndd_prefix_for_region(candidate, True)
    national = phonenumbers.national_significant_number(number)
    if digits.startswith(code) and len(digits) >= len(code) + len(national):
        repairs.append("missing_plus")
        if len(digits) > len(code) + len(national):
            repairs.append("trunk_zero")
    elif prefix == "0" and not digits.startswith("0"):
        repairs.append("leading_zero")
    return _judge(number, tuple(repairs))


def _international(digits: str, repairs: tuple[str, ...]) -> _Reading:
    try:
        number = phonenumbers.parse("+" + digits, None)
    except phonenumbers.NumberParseException:
        return _Reading()
    if number.country_code == 33 and (moved := _moved_overseas(number)):
        number, repairs = moved, (*repairs, "overseas")
    elif len(phonenumbers.national_significant_number(number)) + len(str(number.country_code)) < len(digits):
        repairs = (*repairs, "trunk_zero")
    return _judge(number, repairs)


def _moved_overseas(number: phonenumbers.PhoneNumber) -> phonenumbers.PhoneNumber | None:
    """+33 262 …, as often written for Réunion, is +262 262 …"""
    national = str(number.national_number)
    region = _OVERSEAS_BY_PREFIX.get(national[:3])
    if region is None or phonenumbers.is_valid_number(number):
        return None
    moved = phonenumbers.parse("0" + national, region)
    return moved if phonenumbers.is_valid_number(moved) else None


def _judge(number: phonenumbers.PhoneNumber, repairs: tuple[str, ...]) -> _Reading:
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return _Reading()
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not re.fullmatch(r"\+[1-9]\d{6,14}", text):
        return _Reading()
    validity: Validity = "valid" if phonenumbers.is_valid_number(number) else "possible"
    kind = _KIND_BY_LIBRARY_TYPE.get(phonenumbers.number_type(number), "unknown")
    if number.country_code == 33:
        national = phonenumbers.national_significant_number(number)
        if not re.fullmatch(r"[1-9]\d{8}", national):
            return _Reading()
        if kind == "unknown":
            kind = _french_kind(national)
    return _Reading(text, kind, validity, repairs, "premium_number" if kind == "premium" else "")


def _french_kind(national: str) -> Kind:
    """Kind of a French number that the library does not know (06 39 98 is kept for fiction: possible, not valid)."""
    if national[0] == "8":
        return "toll_free" if national[1] == "0" else "premium"
    return _FRENCH_NATIONAL_KINDS.get(national[0], "landline")


def _is_short(digits: str, region: str) -> bool:
    if len(digits) > 6:
        return False
    if region == "FR" or region in FRENCH_OVERSEAS_REGIONS:
        return bool(_FRENCH_SHORT.fullmatch(digits))
    number = phonenumbers.PhoneNumber(
        country_code=phonenumbers.country_code_for_region(region), national_number=int(digits)
    )
    return bool(shortnumberinfo.is_possible_short_number_for_region(number, region))


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
    return replace(number, kind=kind, note=note[:MAX_NOTE_LENGTH])


def _zone_of(number: phonenumbers.PhoneNumber) -> str:
    code, national = number.country_code, str(number.national_number)
    if code == 262:
        return "Indian/Mayotte" if national.startswith(("269", "639")) else "Indian/Reunion"
    if code in _ZONE_BY_COUNTRY_CODE:
        return _ZONE_BY_COUNTRY_CODE[code]
    zones = [zone for zone in timezone.time_zones_for_number(number) if zone != timezone.UNKNOWN_TIMEZONE]
    if not zones or len({_clock_of(zone) for zone in zones}) != 1:
        return ""
    return next((zone for zone in _PREFERRED_ZONES if zone in zones), zones[0])


@lru_cache(maxsize=600)
def _clock_of(zone: str) -> tuple[object, ...]:
    """What the clock of a zone does in winter and in summer: zones alike in both are interchangeable for us."""
    info = ZoneInfo(zone)
    return tuple(datetime(2024, month, 15, 12, tzinfo=info).utcoffset() for month in (1, 4, 7, 10))
