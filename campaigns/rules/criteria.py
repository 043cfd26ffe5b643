"""What a criterion may say: fields, operators, values. The predicate itself is `campaigns.selectors.criteria`."""

import re
from typing import Any

from django.utils.translation import gettext_lazy as _

from campaigns.enums import Operator
from crm.rules.errors import Invalid

#: Columns of a prospect that a criterion may ask about, with their labels.
COLUMNS: dict[str, Any] = {
    "kind": _("genre"),
    "civility": _("civilité"),
    "first_name": _("prénom"),
    "last_name": _("nom"),
    "organisation": _("organisation"),
    "job_title": _("fonction"),
    "sector": _("secteur (NAF)"),
    "email": _("e-mail"),
    "address": _("adresse"),
    "postal_code": _("code postal"),
    "city": _("ville"),
    "country": _("pays"),
    "language": _("langue"),
    "preferred_channel": _("canal préféré"),
}
#: Any key of a prospect's `attributes` is reached under this prefix.
ATTRIBUTE = "attributes."
#: Codes rather than words: punctuation and blanks do not count, and the upper bound of `between` takes in all that
#: begins with it.
CODES = frozenset({"sector", "postal_code"})

MAX_TEXT = 200
MAX_ITEMS = 5_000
MAX_KEY = 100

_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?", re.ASCII)
_COMPARED = re.compile(r"[a-z0-9]", re.ASCII | re.IGNORECASE)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_FRENCH_DATE = re.compile(r"(\d{2})/(\d{2})/(\d{4})", re.ASCII)


def check_field(field: str) -> str:
    """Return the field's name; raise Invalid (field `field`) when there is no such field."""
    field = field.strip()
    if field in COLUMNS:
        return field
    key = field.removeprefix(ATTRIBUTE)
    if field.startswith(ATTRIBUTE) and key.strip() and len(key) <= MAX_KEY and key.isprintable():
        return field
    message = _("Champ inconnu : « %(field)s ». Champs connus : %(known)s, et attributes.<clé>.")
    raise Invalid.field("field", message % {"field": field[:80], "known": ", ".join(COLUMNS)})


def check_value(operator: str, value: Any, *, field: str = "") -> Any:
    """Return the value in the form that its operator stores; raise Invalid (field `operator` or `value`).

    Of a `field` that holds codes, a value without a letter or digit (".*") is refused: nothing of it would be compared,
    and it would take in everybody.
    """
    checked = _checked(operator, value)
    if field in CODES:
        for text in checked if isinstance(checked, list) else [checked]:
            if text is not None and not _COMPARED.search(text):
                raise Invalid.field("value", _("Un code contient au moins une lettre ou un chiffre."))
    return checked


def _checked(operator: str, value: Any) -> Any:
    if operator not in Operator.values:
        raise Invalid.field("operator", _("Opérateur inconnu."))
    if operator == Operator.IS_SET:
        if value not in (None, "", [], True):
            raise Invalid.field("value", _("« est renseigné » ne prend pas de valeur."))
        return None
    if operator == Operator.IN:
        return _items(value)
    if operator == Operator.BETWEEN:
        return _bounds(value)
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Invalid.field("value", _("La valeur est un texte."))
    text = " ".join(str(value).split())
    if not text or len(text) > MAX_TEXT or not text.isprintable():
        raise Invalid.field("value", _("La valeur est un texte de 1 à 200 caractères."))
    return text


def _items(value: Any) -> list[str]:
    if isinstance(value, str):
        value = [part for part in re.split(r"[;,\n]", value) if part.strip()]
    if not isinstance(value, list) or not value or len(value) > MAX_ITEMS:
        raise Invalid.field("value", _("« est parmi » prend une liste de valeurs."))
    return list(dict.fromkeys(_text(item) for item in value))


def _bounds(value: Any) -> list[str | None]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise Invalid.field("value", _("« est compris entre » prend deux bornes."))
    low, high = (None if bound in (None, "") else _text(bound) for bound in value)
    if low is None and high is None:
        raise Invalid.field("value", _("Donnez au moins une des deux bornes."))
    if low is not None and high is not None and _order(low, high):
        raise Invalid.field("value", _("La première borne dépasse la seconde."))
    return [low, high]


def _order(low: str, high: str) -> bool:
    kind = bounds_kind(low, high)
    if kind == "number":
        return number_of(low) > number_of(high)
    if kind == "date":
        return date_of(low) > date_of(high)
    return False


def bounds_kind(low: str | None, high: str | None) -> str:
    """Tell how `between` compares: "number" or "date" when each given bound is one, else "text"."""
    given = [bound for bound in (low, high) if bound is not None]
    if all(_NUMBER.fullmatch(_tight(bound)) for bound in given):
        return "number"
    if all(_ISO_DATE.fullmatch(bound) or _FRENCH_DATE.fullmatch(bound) for bound in given):
        return "date"
    return "text"


def number_of(text: str) -> float:
    """Return a bound as a number ("1 200,5" is 1200.5)."""
    return float(_tight(text).replace(",", "."))


def date_of(text: str) -> str:
    """Return a date bound as YYYY-MM-DD, which sorts as text."""
    return _FRENCH_DATE.sub(r"\3-\2-\1", text)


def _tight(text: str) -> str:
    return re.sub(r"\s", "", text)
