"""Shapes of what comes in: serializers that refuse unknown fields, and the fields that all endpoints share."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from crm.rules.moments import stamp as stamp

MAX_ID = 2**63 - 1
YEARS = range(1900, 2200)
#: The same for a program that reads our schema.
MOMENT = {"type": "string", "format": "date-time", "pattern": r"^(19|20|21)\d\d-"}
REFERENCE = {"type": "integer", "minimum": 1, "maximum": MAX_ID}


class Id(serializers.IntegerField):
    """A reference: the id of a row, as PostgreSQL can hold it."""

    def __init__(self, **kwargs: Any) -> None:
        """Bound the number."""
        super().__init__(min_value=1, max_value=MAX_ID, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        """Refuse what only looks like a number, such as `true`."""
        if isinstance(data, bool) or not isinstance(data, int | float | str):
            self.fail("invalid")
        value: int = super().to_internal_value(data)
        return value


class Text(serializers.CharField):
    """A text of at most `max_length` characters; a number or a boolean is no text."""

    def __init__(self, max_length: int, **kwargs: Any) -> None:
        """Require the bound: every text has one."""
        super().__init__(max_length=max_length, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Refuse what is not a text."""
        if not isinstance(data, str):
            self.fail("invalid")
        value: str = super().to_internal_value(data)
        return value


class Truth(serializers.BooleanField):
    """`true` or `false`, nothing that merely means it."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse `"yes"`, `1` and their like."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Moment(serializers.DateTimeField):
    """A date and a time with their zone, within the years that people mean and PostgreSQL stores."""

    default_error_messages = {"invalid": _("Une date et une heure ISO 8601 avec leur fuseau.")}

    def enforce_timezone(self, value: datetime) -> datetime:
        """Refuse what is told without its zone, for nobody can say which was meant, and other centuries."""
        if value.tzinfo is None or value.year not in YEARS:
            self.fail("invalid")
        moment: datetime = super().enforce_timezone(value)
        return moment


class Body(serializers.Serializer[Any]):
    """A JSON object of known fields: a misspelt one is refused, never ignored.

    `ignored` names fields of the answer that a client may send back; they are ignored.
    """

    ignored: tuple[str, ...] = ()

    def to_internal_value(self, data: Any) -> Any:
        """Check the names, then each value."""
        if isinstance(data, Mapping):
            unknown = set(data) - set(self.fields) - set(self.ignored)
            if unknown:
                raise ValidationError(
                    {str(name)[:60]: [_("Champ inconnu.")] for name in sorted(map(str, unknown))}
                )
            if not self.context.get("texts"):
                self._refuse_other_types(data)
        return super().to_internal_value(data)

    def _refuse_other_types(self, data: Mapping[str, Any]) -> None:
        """Refuse a number where a text is meant, and the reverse: what Django would make of it is nobody's wish."""
        wrong: dict[str, Any] = {}
        for name, value in data.items():
            field = self.fields.get(name)
            item = getattr(field, "child", None) if isinstance(value, list) else None
            if field is not None and not (_has_type(field, value) if item is None else True):
                wrong[name] = [_WRONG_TYPE]
            elif item is not None:
                told = {str(n): [_WRONG_TYPE] for n, part in enumerate(value) if not _has_type(item, part)}
                wrong |= {name: told} if told else {}
        if wrong:
            raise ValidationError(wrong)


_WRONG_TYPE = _("Ce n'est pas le type attendu : un texte, un nombre, une liste ou un objet.")
_TEXTS = (
    serializers.CharField,
    serializers.ChoiceField,
    serializers.DateField,
    serializers.DateTimeField,
)


def _has_type(field: Any, value: Any) -> bool:
    """Whether a JSON value has the type that a field means; null is the field's own matter."""
    if value is None:
        return True
    if isinstance(field, _TEXTS):
        return isinstance(value, str)
    if isinstance(field, serializers.IntegerField):
        # 2.0 is a whole number, to JSON Schema as to JavaScript.
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return whole and not isinstance(value, bool)
    return True


def read(request: Request, shape: type[Body], *, partial: bool = False) -> dict[str, Any]:
    """Return the checked body of a request; `partial` keeps to the fields that were sent."""
    if shape is Body and request.data == {}:
        return {}
    if isinstance(request.data, MultiValueDict):
        _refuse_repeated(request.data)
    body = shape(data=request.data, partial=partial)
    body.is_valid(raise_exception=True)
    data: dict[str, Any] = body.validated_data
    return data


def _refuse_repeated(form: "MultiValueDict[str, Any]") -> None:
    """Refuse a form that has a field twice, such as two files: one of them would be passed over in silence."""
    if repeated := [name for name, values in form.lists() if len(values) > 1]:
        raise ValidationError({name[:60]: [_("Une seule fois par demande.")] for name in repeated})


def read_query(request: Request, shape: type[Body]) -> dict[str, Any]:
    """Return the checked query string of a request, without `fields`, which every answer takes."""
    told = {name: text for name, text in request.query_params.dict().items() if name != "fields"}
    body = shape(data=told, context={"texts": True})
    body.is_valid(raise_exception=True)
    data: dict[str, Any] = body.validated_data
    return data
