"""`?fields=id,version`: an answer that is kept to the fields that were asked for, of a record or of each in a list."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

FIELDS = "fields"


def fields_parameter(shape: Any) -> OpenApiParameter:
    """Return the description of `fields` for an answer of this shape."""
    return OpenApiParameter(
        FIELDS,
        str,
        many=True,
        explode=False,
        enum=sorted(fields_of(shape)),
        description="Only these fields of each record, separated by commas: `id,version,phones`.",
    )


def wanted_fields(request: Request, handler: Callable[..., Any]) -> frozenset[str]:
    """Return the fields that `?fields=` names; refuses those that the answer of `handler` does not have, by name."""
    shape = getattr(handler, "answer_shape", None)
    if shape is None:
        raise ValidationError({FIELDS: [_("Paramètre inconnu.")]})
    known = fields_of(shape)
    asked = [name.strip() for name in request.query_params[FIELDS].split(",")]
    if unknown := [name[:60] for name in asked if name not in known]:
        message = _("Champ inconnu : %(names)s.") % {
            "names": ", ".join(f"« {name} »" for name in unknown[:20])
        }
        raise ValidationError({FIELDS: [message]})
    return frozenset(asked)


@cache
def fields_of(shape: Any) -> frozenset[str]:
    """Return the names of the fields that a record of an answer has; `shape` is a serializer or its class."""
    fields = (shape() if isinstance(shape, type) else shape).fields
    if {"next", "previous", "results"} == set(fields):
        fields = fields["results"].child.fields
    return frozenset(fields)


def only_fields(data: Any, wanted: frozenset[str]) -> Any:
    """Return a record, or a page of records, with only these fields."""
    if not isinstance(data, dict):
        return data
    if {"next", "previous", "results"} == set(data):
        return {**data, "results": [only_fields(row, wanted) for row in data["results"]]}
    return {name: value for name, value in data.items() if name in wanted}
