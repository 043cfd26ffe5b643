"""What reading a cell of phone numbers gives, and the regions whose numbers are dialled as French ones."""

from __future__ import annotations

from typing import Literal, NamedTuple

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

FRENCH_OVERSEAS_REGIONS = frozenset({"GP", "MQ", "GF", "RE", "PM", "YT", "BL", "MF", "WF", "PF", "NC"})


# Named tuples, not dataclasses: millions of them are made while a list is read, at a third of the price.
class ParsedNumber(NamedTuple):
    """One number: ``number`` in E.164 (``+`` and digits), its kind, validity, extension ("" or digits), the words
    written beside it, and ``raw``, the piece of the cell that it came from."""

    number: str
    kind: Kind
    validity: Validity
    extension: str = ""
    note: str = ""
    raw: str = ""


class RefusedNumber(NamedTuple):
    """A piece of the cell that looked like a number and is not usable, with the reason."""

    raw: str
    reason: Reason


class ParsedPhones(NamedTuple):
    """What a cell holds: usable numbers in their order without doubles, codes of the repairs that were applied, pieces
    that were refused; ``reason`` is "" when there is at least one number, else why there is none."""

    numbers: tuple[ParsedNumber, ...] = ()
    repairs: tuple[str, ...] = ()
    refused: tuple[RefusedNumber, ...] = ()
    reason: Reason = ""
