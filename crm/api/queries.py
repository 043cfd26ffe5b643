"""What an address asks in its query string: each reader returns the checked value, or None where it is not there."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from crm.api.fields import MAX_ID, YEARS

#: As much as anybody looks for.
MAX_WORDS = 200


def refusal(name: str, message: Any) -> ValidationError:
    """Return the refusal of one parameter."""
    return ValidationError({name: [message]})


def refuse_unknown(request: Request, known: Collection[str]) -> None:
    """Refuse a parameter that is not known: a misspelt filter would return everything."""
    if unknown := sorted(set(request.query_params) - set(known)):
        raise ValidationError({name[:60]: [_("Paramètre inconnu.")] for name in unknown})


def number(request: Request, name: str, *, low: int, high: int) -> int | None:
    """Return a whole number from `low` to `high`."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
        raise refusal(name, _("Un nombre de %(low)d à %(high)d.") % {"low": low, "high": high})
    return int(text)


def reference(request: Request, name: str) -> int | None:
    """Return the id of a row; whether there is such a row is not looked at."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 1 <= int(text) <= MAX_ID):
        raise refusal(name, _("Un identifiant est un nombre."))
    return int(text)


def choice(request: Request, name: str, known: Collection[str]) -> str | None:
    """Return one of the known codes."""
    text = request.query_params.get(name)
    if text is not None and text not in known:
        raise refusal(name, _("Code inconnu : l'un de %(known)s.") % {"known": ", ".join(map(str, known))})
    return text


def truth(request: Request, name: str) -> bool | None:
    """Return whether it says `true` or `false`."""
    text = request.query_params.get(name)
    if text not in (None, "true", "false"):
        raise refusal(name, _("`true` ou `false`."))
    return None if text is None else text == "true"


def moment(request: Request, name: str) -> datetime | None:
    """Return a date and a time with their zone. A `+` that an address turned into a blank is read as it was meant."""
    text = request.query_params.get(name)
    return None if text is None else read_moment(name, text.replace(" ", "+"))


def read_moment(name: str, text: str) -> datetime:
    """Return the moment that an ISO 8601 text says, or refuse the parameter."""
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or found.year not in YEARS:
        raise refusal(name, _("Une date et une heure ISO 8601 avec leur fuseau."))
    return found


def words(request: Request, name: str = "q") -> str:
    """Return what is looked for; "" for nothing."""
    return request.query_params.get(name, "").strip()[:MAX_WORDS]


def references(request: Request, **columns: str) -> dict[str, int]:
    """Return the ids that the address names, each by the column that it is looked for in (`columns`, by parameter)."""
    found = {column: reference(request, name) for name, column in columns.items()}
    return {column: value for column, value in found.items() if value is not None}


def codes(request: Request, **known: Collection[str]) -> dict[str, str]:
    """Return the codes that the address names, by parameter; `known` are those that each takes."""
    found = {name: choice(request, name, choices) for name, choices in known.items()}
    return {name: value for name, value in found.items() if value is not None}
