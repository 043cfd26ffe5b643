"""Which column fills which field: guessed from the header's words and from what the column holds.

A guess is shown on the preview and confirmed or changed there; what nobody claims is kept as an attribute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from campaigns.rules.headers import KNOWN_OTHERS, TARGETS, field_of, fold, rank_of
from crm.rules.errors import Invalid
from crm.rules.phones import normalise

IGNORE = "ignore"
ATTRIBUTE_PREFIX = "attributes."
MAX_ATTRIBUTE_LENGTH = 60

#: Fields that several columns may fill.
REPEATABLE = frozenset({"phone", "note"})

_EMAIL = re.compile(r"[^@\s;,]+@[^@\s;,]+\.[^@\s;,.]{2,}")
_FRENCH_POSTAL_CODE = re.compile(r"(?:0[1-9]|[1-8]\d|9[0-8])\d{3}")
_NAF = re.compile(r"\d{2}\.?\d{2}\s?[A-Z]", re.IGNORECASE)
_SCIENTIFIC_ID = re.compile(r"\d([.,]\d+)?[eE]\+\d{1,2}")
_SIRET = re.compile(r"\d{14}")
#: Fields that hold words: a column of codes or coordinates under such a name is something else.
_WORDS = frozenset({"first_name", "last_name", "organisation", "job_title", "city", "civility"})
_COMPANY = re.compile(
    r"\b(?:sa|sas|sasu|sarl|eurl|sci|snc|gmbh|ltd|llc|inc|hospital|clinic|center|centre|ets|etablissements?|association|"
    r"societe|banque|mairie|commune|ecole|college|lycee|pharmacie|garage)\b"
)
_YES = frozenset(
    {
        "oui",
        "o",
        "x",
        "1",
        "yes",
        "y",
        "true",
        "vrai",
        "ne pas appeler",
        "opposition",
        "opt out",
        "dnc",
        "stop",
    }
)
_NO = frozenset({"", "non", "n", "0", "no", "false", "faux"})


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """A column: its header, the field it seems to fill (`attributes.<slug>` or `ignore` at least), how sure that is
    (0 to 1) and up to three sample values."""

    header: str
    target: str
    confidence: float
    samples: tuple[str, ...]


def guess_mapping(
    headers: Sequence[str], sample: Iterable[Sequence[str]], region: str = "FR"
) -> tuple[ColumnGuess, ...]:
    """Guess for each header, in order, from its words and from the `sample` rows (as many cells as headers)."""
    columns = _columns(len(headers), sample)
    votes = [_vote(header, values, region) for header, values in zip(headers, columns, strict=True)]
    targets = _settle(headers, votes, columns)
    return tuple(
        ColumnGuess(header, target, confidence, tuple(dict.fromkeys(values))[:3])
        for header, values, (target, confidence) in zip(headers, columns, targets, strict=True)
    )


def explicit_mapping(
    headers: Sequence[str], chosen: Mapping[str, str], guesses: Sequence[ColumnGuess]
) -> tuple[str, ...]:
    """The target of each column, in order: `chosen` (`{header: target}`, headers compared without case and accents;
    or all the other way round, `{target: header}`), the guess elsewhere. A field that was chosen for one column is
    taken from the others that merely guessed it.
    Raises `UnknownColumn` or `UnknownField`."""
    by_fold = {fold(header): index for index, header in enumerate(headers)}
    if chosen and not any(fold(name) in by_fold for name in chosen):
        turned = {header: target for target, header in chosen.items()}
        if all(fold(header) in by_fold for header in turned):
            chosen = turned
    targets = [guess.target for guess in guesses]
    claimed: dict[int, str] = {}
    for header, target in chosen.items():
        index = list(headers).index(header) if header in headers else by_fold.get(fold(header), -1)
        if index < 0:
            raise UnknownColumn(header)
        claimed[index] = checked_target(target, header)
    for index, target in claimed.items():
        if target not in REPEATABLE and target != IGNORE:
            targets = [
                attribute_of(headers[at]) if other == target else other for at, other in enumerate(targets)
            ]
        targets[index] = target
    for index, target in claimed.items():
        targets[index] = target
    return _distinct_attributes(targets)


class UnknownColumn(Invalid):
    """The mapping names a column that the file does not have: `column`."""

    def __init__(self, column: str) -> None:
        """Name the column."""
        self.column = column
        message = _("Le fichier n'a pas de colonne « %(column)s ».") % {"column": column[:80]}
        super().__init__(message, fields={"mapping": [message]})


class UnknownField(Invalid):
    """The mapping names a field that no column can fill: `field_name`."""

    def __init__(self, field_name: str) -> None:
        """Name the field."""
        self.field_name = field_name
        message = _("« %(field)s » n'est pas un champ de la fiche.") % {"field": field_name[:80]}
        super().__init__(message, fields={"mapping": [message]})


def checked_target(target: str, header: str) -> str:
    """`target` in its canonical form ("" = ignore, "attribute" = one named after `header`); raises `UnknownField`."""
    name = target.strip()
    if name in ("", IGNORE):
        return IGNORE
    if name in TARGETS:
        return name
    if name in ("attribute", "attributes"):
        return attribute_of(header)
    key = name.removeprefix(ATTRIBUTE_PREFIX)
    if key != name and re.fullmatch(r"[a-z0-9][a-z0-9_]{0,59}", key):
        return name
    raise UnknownField(target)


def attribute_of(header: str) -> str:
    """The attribute that keeps a column that fills no field: "Libellé NAF" → `attributes.libelle_naf`."""
    slug = re.sub(r"[^a-z0-9]+", "_", fold(header)).strip("_")[:MAX_ATTRIBUTE_LENGTH].strip("_")
    return ATTRIBUTE_PREFIX + (slug or "colonne")


def is_damaged_id(value: str) -> bool:
    """Whether a spreadsheet wrote an id in scientific notation ("7,75619E+13"): what it stood for is lost."""
    return bool(_SCIENTIFIC_ID.fullmatch(value.strip()))


def says_yes(cell: str) -> bool:
    """Whether the cell of an opt-out column bars the call. Only a clear "no" or a blank leaves the call open: what
    cannot be understood there is taken as the person's objection."""
    return fold(cell) not in _NO if fold(cell) not in _YES else True


def _columns(width: int, sample: Iterable[Sequence[str]]) -> list[list[str]]:
    columns: list[list[str]] = [[] for _ in range(width)]
    for cells in sample:
        for values, cell in zip(columns, cells, strict=False):
            if cell.strip():
                values.append(cell.strip()[:200])
    return columns


def _vote(header: str, values: list[str], region: str) -> tuple[str, float]:
    """The field that one column seems to fill, looked at alone."""
    named, confidence = field_of(header)
    seen, share = _by_values(values, region)
    if named == "fax":
        return attribute_of(header), 1.0
    if named == "phone" and values and seen != "phone" and not _has_numbers(values, region):
        return attribute_of(header), 0.5
    if (
        named == "sector"
        and values
        and _share(values, _NAF) < 0.3
        and fold(header) in ("activite", "activite principale")
    ):
        return attribute_of(header), 0.6
    if named == "opt_out" and values and not _is_yes_or_no(values):
        return attribute_of(header), 0.4
    if named in _WORDS and values and not _has_words(values):
        return attribute_of(header), 0.5
    if named:
        return named, confidence
    if seen:
        return seen, round(share * 0.8, 2)
    return attribute_of(header), 0.0


def _by_values(values: list[str], region: str) -> tuple[str, float]:
    """The field that the values alone suggest, with the share of them that do."""
    if not values:
        return "", 0.0
    for target, pattern in (("email", _EMAIL), ("sector", _NAF), ("external_id", _SIRET)):
        share = _share(values, pattern)
        if share >= 0.7:
            return target, share
    if region == "FR" and _share(values, _FRENCH_POSTAL_CODE) >= 0.9:
        return "postal_code", _share(values, _FRENCH_POSTAL_CODE)
    # Nine digits behind a zero are an id (FINESS, SIREN): a column that has them holds no numbers.
    if sum(bool(re.fullmatch(r"0\d{8}", value)) for value in values) > len(values) * 0.05:
        return "", 0.0
    usable = sum(_is_phone(value, region) for value in values) / len(values)
    return ("phone", usable) if usable >= 0.7 else ("", 0.0)


def _is_phone(value: str, region: str) -> bool:
    """Whether a value is a number and little else; bare ids, dates and coordinates are not."""
    digits = sum(map(str.isdigit, value))
    if not 9 <= digits <= 45 or re.search(r"\d[.,]\d{3,}$|^\d{4}-\d\d-\d\d", value):
        return False
    parsed = normalise(value, region)
    return bool(parsed.numbers) and (
        parsed.numbers[0].validity == "valid" or value.lstrip().startswith(("0", "+"))
    )


def _has_words(values: list[str]) -> bool:
    return sum(bool(re.search(r"[^\W\d_]{2}", value)) for value in values) >= len(values) * 0.3


def _has_numbers(values: list[str], region: str) -> bool:
    return any(normalise(value, region).numbers or sum(map(str.isdigit, value)) >= 4 for value in values)


def _share(values: list[str], pattern: re.Pattern[str]) -> float:
    return sum(bool(pattern.fullmatch(value)) for value in values) / len(values)


def _is_yes_or_no(values: list[str]) -> bool:
    return sum(fold(value) in _YES or fold(value) in _NO for value in values) >= len(values) * 0.5


def _settle(
    headers: Sequence[str], votes: list[tuple[str, float]], columns: list[list[str]]
) -> list[tuple[str, float]]:
    """One column per field: the surest, then the most usual name; the others become attributes."""
    settled = list(votes)
    for target in TARGETS:
        claims = [index for index, (claimed, _) in enumerate(votes) if claimed == target]
        if target in REPEATABLE or len(claims) < 2:
            continue
        best = min(claims, key=lambda index: _claim_rank(headers, votes, columns, index))
        for index in claims:
            if index != best:
                settled[index] = (attribute_of(headers[index]), 0.3)
    settled = _with_a_name(headers, settled, columns)
    names = _distinct_attributes([target for target, _ in settled])
    return [(name, confidence) for name, (_, confidence) in zip(names, settled, strict=True)]


def _claim_rank(
    headers: Sequence[str], votes: list[tuple[str, float]], columns: list[list[str]], index: int
) -> tuple[bool, bool, float, bool, int, int]:
    target, confidence = votes[index]
    values = columns[index]
    # An id that many rows share names something else, such as the parent: merging on it would mix people up.
    shared = target == "external_id" and (
        len(set(values)) < len(values) * 0.9 or any(map(is_damaged_id, values))
    )
    sparse = len(values) < max(map(len, columns)) * 0.5
    return (not values, shared, -confidence, sparse, rank_of(headers[index], target), index)


def _with_a_name(
    headers: Sequence[str], settled: list[tuple[str, float]], columns: list[list[str]]
) -> list[tuple[str, float]]:
    """ "Nom" and "Name" are a person's where there is a first name, else an organisation's when none is named. Without
    any name, the column whose words look most like companies."""
    taken = {target for target, _ in settled}
    wanted = "last_name" if "first_name" in taken and "last_name" not in taken else "organisation"
    if wanted in taken:
        wanted = "last_name" if "last_name" not in taken else ""
    for index, header in enumerate(headers):
        if wanted and fold(header) in ("nom", "name", "noms", "nom complet", "client", "prospect", "libelle"):
            settled[index] = (wanted, 0.8)
            return settled
    if not taken & {"organisation", "last_name"}:
        free = [
            index
            for index, header in enumerate(headers)
            if settled[index][1] == 0.0 and fold(header) not in KNOWN_OTHERS and _is_text(columns[index])
        ]
        best = max(free, key=lambda index: _company_share(columns[index]), default=None)
        if best is not None:
            settled[best] = ("organisation", round(0.2 + _company_share(columns[best]) * 0.5, 2))
    return settled


def _company_share(values: list[str]) -> float:
    if not values or len(set(values)) < len(values) * 0.5:
        return 0.0
    return sum(bool(_COMPANY.search(fold(value))) for value in values) / len(values)


def _is_text(values: list[str]) -> bool:
    return sum(bool(re.search(r"[^\W\d_]{3}", value)) for value in values) > len(values) * 0.8


def _distinct_attributes(targets: Sequence[str]) -> tuple[str, ...]:
    """Attributes of the same name get a number, so that no column overwrites another."""
    counts: dict[str, int] = {}
    out = []
    for target in targets:
        if target.startswith(ATTRIBUTE_PREFIX):
            counts[target] = counts.get(target, 0) + 1
            if counts[target] > 1:
                target = f"{target}_{counts[target]}"
        out.append(target)
    return tuple(out)
