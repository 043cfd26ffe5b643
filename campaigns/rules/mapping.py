"""Which column fills which field: remembered, or guessed from the header's words and from what the column holds.

A guess is shown on the preview and confirmed or changed there; what nobody claims is kept as an attribute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from django.utils.translation import gettext as _

from campaigns.rules.column_values import (
    address_share,
    are_own_codes,
    company_share,
    field_seen,
    has_answers,
    has_dates,
    has_numbers,
    has_sector_codes,
    has_words,
    is_phone,
    is_plain_words,
    is_text,
    share_of,
)
from campaigns.rules.column_values import is_damaged_id as is_damaged_id
from campaigns.rules.headers import (
    KNOWN_OTHERS,
    TARGETS,
    field_of,
    fold,
    is_unnamed,
    rank_of,
    suggested_field,
)
from campaigns.rules.lead_layouts import fields_of_layout
from crm.rules.errors import Invalid

IGNORE = "ignore"
ATTRIBUTE_PREFIX = "attributes."
MAX_ATTRIBUTE_LENGTH = 60

#: Fields that several columns may fill. Each "do not call" is heard: none may be lost to another one.
REPEATABLE = frozenset({"phone", "note", "opt_out", "may_call"})

#: Fields that hold words: a column of codes or coordinates under such a name is something else.
_WORDS = frozenset({"first_name", "last_name", "organisation", "job_title", "city", "civility"})
_ANSWERS = frozenset({"opt_out", "may_call", "consent"})
_DATES = frozenset({"consent_at", "consent_until"})
#: Names of a column that holds a whole name: it goes to the last name, first name and all.
_WHOLE_NAMES = frozenset(
    {
        "contact",
        "contact name",
        "interlocuteur",
        "nom prenom",
        "nom et prenom",
        "noms et prenoms",
        "full name",
    }
)
#: Names under which people write what their sector does as well as its code.
_WORDY_SECTORS = frozenset(
    {"activite", "activite principale", "secteur", "secteur d activite", "secteur activite"}
) | {
    "sector",
    "industry",
    "business sector",
}
_NAMES = frozenset({"nom", "name", "noms", "nom complet", "client", "prospect", "libelle"})

Origin = Literal["remembered", "template", "header", "values", "none"]


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """A column: its header, the field it seems to fill (`attributes.<slug>` or `ignore` at least), how sure that is
    (0 to 1), up to three sample values, and what the guess rests on."""

    header: str
    target: str
    confidence: float
    samples: tuple[str, ...]
    origin: Origin = "none"


class _Vote(NamedTuple):
    target: str
    confidence: float
    origin: Origin


def guess_mapping(
    headers: Sequence[str],
    sample: Iterable[Sequence[str]],
    region: str = "FR",
    remembered: Mapping[str, str] | None = None,
    template: Mapping[str, str] | None = None,
) -> tuple[ColumnGuess, ...]:
    """Guess for each header, in order, from its words and from the `sample` rows (as many cells as headers).

    `remembered` (`{header: target}`, what this supplier's headers meant before) outranks the guess, `template` (the
    same, of a template that was chosen) outranks both; headers are compared without case and accents."""
    columns = _columns(len(headers), sample)
    votes = [_vote(header, values, region) for header, values in zip(headers, columns, strict=True)]
    votes = _with_layout(headers, votes, columns)
    votes = _with_told(headers, votes, columns, region, remembered or {}, "remembered")
    votes = _with_told(headers, votes, columns, region, template or {}, "template")
    settled = _settle(headers, votes, columns, region)
    return tuple(
        ColumnGuess(header, vote.target, vote.confidence, tuple(dict.fromkeys(values))[:3], vote.origin)
        for header, values, vote in zip(headers, columns, settled, strict=True)
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


def _columns(width: int, sample: Iterable[Sequence[str]]) -> list[list[str]]:
    columns: list[list[str]] = [[] for _ in range(width)]
    for cells in sample:
        for values, cell in zip(columns, cells, strict=False):
            if cell.strip():
                values.append(cell.strip()[:200])
    return columns


# ---- one column, looked at alone


def _vote(header: str, values: list[str], region: str) -> _Vote:
    """The field that one column seems to fill."""
    named, confidence = field_of(header)
    if not named and len(values) > 1 and is_unnamed(header) and field_of(values[0])[0] not in ("", "fax"):
        # The second line of a header whose cells were merged.
        return _named(header, field_of(values[0])[0], 0.6, values[1:], region)
    if named == "fax":
        return _Vote(attribute_of(header), 1.0, "header")
    if named:
        return _named(header, named, confidence, values, region)
    if fold(header) in KNOWN_OTHERS:
        return _Vote(attribute_of(header), 0.0, "none")
    seen, sure = field_seen(values, region)
    hinted = suggested_field(header)
    if hinted and (not values or hinted == seen or (hinted != "phone" and not seen)):
        vote = _named(header, hinted, 0.7, values, region)
        return vote._replace(confidence=max(vote.confidence, sure)) if vote.target == seen else vote
    if seen == "external_id" and _are_shared(values):
        return _Vote(attribute_of(header), 0.3, "values")
    if seen:
        return _Vote(seen, sure, "values")
    return _Vote(attribute_of(header), 0.0, "none")


def _named(header: str, named: str, confidence: float, values: list[str], region: str) -> _Vote:
    """The vote for a field that the header names, unless the column's values belie it."""
    if not values:
        return _Vote(named, min(confidence, 0.8), "header")
    if named == "consent" and has_dates(values):
        return _Vote("consent_at", 0.8, "values")
    if doubt := _contradicted(header, named, values, region):
        return _Vote(attribute_of(header), doubt, "values")
    if named == "phone" and share_of(values, lambda value: is_phone(value, region)) < 0.5:
        confidence = min(confidence, 0.6)
    if fold(header) in _WHOLE_NAMES:
        confidence = min(confidence, 0.7)
    if named == "external_id":
        confidence = min(confidence, _id_confidence(values))
    return _Vote(named, confidence, "header")


def _contradicted(header: str, named: str, values: list[str], region: str) -> float:
    """How sure it is that the values are not what the header names; 0 when they may well be."""
    if named == "phone" and not has_numbers(values, region):
        return 0.5
    if named == "sector" and fold(header) in _WORDY_SECTORS and not has_sector_codes(values):
        return 0.6
    if named in _ANSWERS and not has_answers(values):
        return 0.4
    if named in _DATES and not has_dates(values):
        return 0.4
    if named in _WORDS and not has_words(values):
        return 0.5
    if named == "external_id" and _are_shared(values) and share_of(values, re.compile(r"\d").search) < 0.2:
        return 0.5
    return 0.0


def _are_shared(values: list[str]) -> bool:
    """Whether many rows share an id: it names something else, such as the parent, and merging on it would mix up
    people."""
    sound = [value for value in values if not is_damaged_id(value)]
    return len(sound) - len(set(sound)) > max(1, len(sound) * 0.1)


def _id_confidence(values: list[str]) -> float:
    """How far ids can be trusted: those that a spreadsheet rounded name nobody."""
    return 0.3 if _are_shared(values) else max(0.3, round(1 - share_of(values, is_damaged_id), 2))


# ---- what is known of the file as a whole


def _with_layout(headers: Sequence[str], votes: list[_Vote], columns: list[list[str]]) -> list[_Vote]:
    """A file without names that has the layout of a well-known dialler."""
    fields = fields_of_layout(columns) if all(map(is_unnamed, headers)) else {}
    if not fields:
        return votes
    return [
        _Vote(*(fields.get(index) or (attribute_of(header), 0.0)), "values") if columns[index] else vote
        for index, (header, vote) in enumerate(zip(headers, votes, strict=True))
    ]


def _with_told(
    headers: Sequence[str],
    votes: list[_Vote],
    columns: list[list[str]],
    region: str,
    told: Mapping[str, str],
    origin: Origin,
) -> list[_Vote]:
    """What a person once said of a header stands above the guess; of a column without a name only when its values do
    not belie it, since another file's fourth column may be anything."""
    known = {fold(header): target for header, target in told.items()}
    out = []
    for header, vote, values in zip(headers, votes, columns, strict=True):
        target = _valid_target(known.get(fold(header), ""), header)
        if not target or (is_unnamed(header) and values and _contradicted(header, target, values, region)):
            out.append(vote)
        else:
            out.append(_Vote(target, 1.0, origin))
    return out


def _valid_target(target: str, header: str) -> str:
    """A stored target as it is written now, "" when there is none or its field is no more."""
    try:
        return checked_target(target, header) if target else ""
    except UnknownField:
        return ""


# ---- one column per field


def _settle(headers: Sequence[str], votes: list[_Vote], columns: list[list[str]], region: str) -> list[_Vote]:
    """One column per field: what was told, then the surest, then the most usual name; the others become attributes."""
    settled = list(votes)
    for target in TARGETS:
        claims = [index for index, vote in enumerate(votes) if vote.target == target]
        if target in REPEATABLE or len(claims) < 2:
            continue
        best = min(claims, key=lambda index: _claim_rank(headers, votes, columns, index))
        for index in claims:
            if index != best:
                settled[index] = _Vote(attribute_of(headers[index]), 0.3, "none")
    _doubt_second_numbers(headers, settled)
    _place_unnamed(headers, settled, columns, region)
    _place_name(headers, settled, columns)
    names = _distinct_attributes([vote.target for vote in settled])
    return [vote._replace(target=name) for name, vote in zip(names, settled, strict=True)]


def _claim_rank(
    headers: Sequence[str], votes: list[_Vote], columns: list[list[str]], index: int
) -> tuple[int, bool, bool, bool, float, bool, int, int]:
    vote, values = votes[index], columns[index]
    told = {"template": 0, "remembered": 1}.get(vote.origin, 2)
    damaged = vote.target == "external_id" and share_of(values, is_damaged_id) > 0.1
    shared = vote.target == "external_id" and _are_shared(values)
    sparse = len(values) < max(map(len, columns)) * 0.5
    rank = rank_of(headers[index], vote.target)
    return (told, not values, damaged, shared, -vote.confidence, sparse, rank, index)


def _doubt_second_numbers(headers: Sequence[str], settled: list[_Vote]) -> None:
    """Of several columns of numbers without a name, all but the first may well be a fax."""
    nameless = [
        index
        for index, vote in enumerate(settled)
        if vote.target == "phone" and vote.origin == "values" and is_unnamed(headers[index])
    ]
    for index in nameless[1:]:
        settled[index] = settled[index]._replace(confidence=min(settled[index].confidence, 0.5))


def _place_name(headers: Sequence[str], settled: list[_Vote], columns: list[list[str]]) -> None:
    """ "Nom" and "Name" are a person's where there is a first name, else an organisation's when none is named. Without
    any name, the column whose words look most like companies."""
    taken = {vote.target for vote in settled}
    wanted = "last_name" if "first_name" in taken and "last_name" not in taken else "organisation"
    if wanted in taken:
        wanted = "last_name" if "last_name" not in taken else ""
    for index, header in enumerate(headers):
        if wanted and fold(header) in _NAMES and settled[index].origin in ("none", "values"):
            settled[index] = _Vote(wanted, 0.8, "header")
            return
    if not taken & {"organisation", "last_name"}:
        _place_company(headers, settled, columns)


def _place_company(headers: Sequence[str], settled: list[_Vote], columns: list[list[str]]) -> None:
    free = [
        index
        for index, header in enumerate(headers)
        if settled[index].origin == "none"
        and fold(header) not in KNOWN_OTHERS
        and is_text(columns[index])
        and address_share(columns[index]) < 0.5
        and (is_unnamed(header) or company_share(columns[index]))
    ]
    best = max(free, key=lambda index: company_share(columns[index]), default=None)
    if best is not None:
        settled[best] = _Vote("organisation", round(0.2 + company_share(columns[best]) * 0.5, 2), "values")


def _place_unnamed(
    headers: Sequence[str], settled: list[_Vote], columns: list[list[str]], region: str
) -> None:
    """Columns without a name, by what their neighbours are: never sure, always worth a look."""
    free = [
        index
        for index, header in enumerate(headers)
        if is_unnamed(header) and settled[index].origin == "none" and columns[index]
    ]
    taken = {vote.target: index for index, vote in enumerate(settled)}
    addresses = [index for index in free if address_share(columns[index]) >= 0.6]
    if addresses and "address" not in taken:
        settled[addresses[0]] = _Vote(
            "address", round(address_share(columns[addresses[0]]) * 0.7, 2), "values"
        )
    if "postal_code" in taken and "city" not in taken:
        _place_city(settled, columns, taken["postal_code"], free, region)
    _place_id(headers, settled, columns, free)


def _place_id(
    headers: Sequence[str], settled: list[_Vote], columns: list[list[str]], free: list[int]
) -> None:
    """A code of its own on every row, where no better id is known than one that many rows lack."""
    rows = max(map(len, columns), default=0)
    own = next((index for index in free if are_own_codes(columns[index], rows)), None)
    known = next((index for index, vote in enumerate(settled) if vote.target == "external_id"), None)
    if known is not None and settled[known].origin == "values":
        filled = len(columns[known]) / max(rows, 1)
        settled[known] = settled[known]._replace(confidence=round(settled[known].confidence * filled, 2))
        if own is not None and filled < 0.9:
            settled[known], known = _Vote(attribute_of(headers[known]), 0.3, "none"), None
    if own is not None and known is None:
        settled[own] = _Vote("external_id", 0.4, "values")


def _place_city(
    settled: list[_Vote], columns: list[list[str]], postal_code: int, free: list[int], region: str
) -> None:
    """The town stands beside the postal code: behind it in France, before it (and a state) elsewhere."""
    steps = (1, -1, -2) if region == "FR" else (-1, -2, 1)
    for index in (postal_code + step for step in steps):
        fits = index in free and settled[index].origin == "none" and is_plain_words(columns[index])
        if fits and company_share(columns[index]) < 0.1:
            settled[index] = _Vote("city", 0.4, "values")
            return


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
