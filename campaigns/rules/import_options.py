"""What an import does with what is known, repeated or blank: chosen on the preview, kept with the job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from django.utils.translation import gettext_lazy as _

from crm.rules.errors import Invalid

Mode = Literal["both", "create", "update"]
Blank = Literal["keep", "clear"]
Repeated = Literal["first", "merge", "reject"]
Among = Literal["file", "source", "sponsor", "everywhere"]
OptOutScope = Literal["sponsor", "programme", "campaign"]

CHOICES: dict[str, tuple[str, ...]] = {
    "mode": ("both", "create", "update"),
    "blank": ("keep", "clear"),
    "repeated": ("first", "merge", "reject"),
    "among": ("file", "source", "sponsor", "everywhere"),
    "opt_out_scope": ("sponsor", "programme", "campaign"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What is done beyond reading the rows.

    `mode`: create and update, or only one of them. `blank`: what a blank cell does to a value that the supplier gave
    before. `repeated`: of rows that mean the same prospect the first wins, the later ones fill its blanks, or they are
    rejected. `among`: where a row without an id of its own is recognised by its number: in the file alone, among the
    supplier's records, the sponsor's, or all that the campaign may use. `opt_out_scope`: how far the file's "do not
    call" reaches.
    """

    mode: Mode = "both"
    blank: Blank = "keep"
    repeated: Repeated = "first"
    among: Among = "source"
    opt_out_scope: OptOutScope = "sponsor"

    def as_json(self) -> dict[str, str]:
        """Everything, as stored on the job."""
        return asdict(self)


def options_of(stored: Mapping[str, Any]) -> Options:
    """Read options (`{name: choice}`, those that are missing have their default). Raises Invalid for others."""
    known = {field.name for field in fields(Options)}
    for name, choice in stored.items():
        if name not in known:
            raise Invalid.field("options", _("Option inconnue : %(name)s.") % {"name": str(name)[:60]})
        if choice not in CHOICES[name]:
            raise Invalid.field(name, _("Choisissez : %(choices)s.") % {"choices": ", ".join(CHOICES[name])})
    return Options(**stored)
