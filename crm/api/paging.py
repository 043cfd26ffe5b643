"""Lists by cursor: `{"next", "previous", "results"}`, in the order of ids, or of last change with `updated_since`."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from crm.api.fields import MAX_ID, YEARS

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
M = TypeVar("M", bound=Model)

PAGE_PARAMETERS = [
    OpenApiParameter("cursor", str, description="From `next` or `previous` of an earlier page."),
    OpenApiParameter("limit", int, description=f"Results a page: {DEFAULT_LIMIT}, at most {MAX_LIMIT}."),
]
SINCE_PARAMETER = OpenApiParameter(
    "updated_since",
    datetime,
    description="Only what changed at or after this moment, in the order of change.",
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list: after or before the row with these keys."""

    backwards: bool
    keys: tuple[Any, ...]

    def encode(self) -> str:
        """Return its opaque text."""
        keys = [key.isoformat() if isinstance(key, datetime) else key for key in self.keys]
        text = json.dumps([int(self.backwards), *keys], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def page(
    request: Request,
    queryset: QuerySet[M],
    represent: Callable[[M], dict[str, Any]] | None = None,
    *,
    represent_all: Callable[[Sequence[M]], list[dict[str, Any]]] | None = None,
    filters: tuple[str, ...] = (),
    has_updates: bool = False,
) -> Response:
    """Answer with one page of `queryset`, its rows represented one by one or all together.

    `filters` are the query parameters that the caller has already applied; any other is refused, for a misspelt filter
    would return everything. `has_updates`: the model has `updated_at`.
    """
    known = {"cursor", "limit", *filters, *(["updated_since"] if has_updates else [])}
    if unknown := set(request.query_params) - known:
        raise ValidationError({name: [_("Paramètre inconnu.")] for name in sorted(unknown)})
    limit = _limit(request)
    since = _since(request)
    order = ("updated_at", "id") if since else ("id",)
    if since:
        queryset = queryset.filter(updated_at__gte=since)
    cursor = _cursor(request, order)
    rows = _rows(queryset, order, cursor, limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    backwards = cursor is not None and cursor.backwards
    if backwards:
        rows.reverse()
    has_next, has_previous = (True, more) if backwards else (more, cursor is not None)

    def link(row: M, *, back: bool) -> str:
        keys = tuple(getattr(row, name) for name in order)
        return replace_query_param(request.build_absolute_uri(), "cursor", Cursor(back, keys).encode())

    return Response(
        {
            "next": link(rows[-1], back=False) if rows and has_next else None,
            "previous": link(rows[0], back=True) if rows and has_previous else None,
            "results": represent_all(rows)
            if represent_all
            else [represent(row) for row in rows if represent],
        }
    )


def _rows(queryset: QuerySet[M], order: tuple[str, ...], cursor: Cursor | None, count: int) -> list[M]:
    backwards = cursor is not None and cursor.backwards
    if cursor is not None:
        side = "lt" if backwards else "gt"
        place = Q(**{f"{order[-1]}__{side}": cursor.keys[-1]})
        if len(order) == 2:
            first, value = order[0], cursor.keys[0]
            place = Q(**{f"{first}__{side}": value}) | (Q(**{first: value}) & place)
        queryset = queryset.filter(place)
    return list(queryset.order_by(*(f"-{name}" if backwards else name for name in order))[:count])


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_LIMIT):
        raise ValidationError({"limit": [_("Un nombre de 1 à %(max)d.") % {"max": MAX_LIMIT}]})
    return int(text)


def _since(request: Request) -> datetime | None:
    text = request.query_params.get("updated_since")
    if text is None:
        return None
    try:
        moment = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year not in YEARS:
        raise ValidationError({"updated_since": [_("Une date et une heure ISO 8601 avec leur fuseau.")]})
    return moment


def _cursor(request: Request, order: tuple[str, ...]) -> Cursor | None:
    text = request.query_params.get("cursor")
    if text is None:
        return None
    try:
        back, *keys = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if len(keys) != len(order) or back not in (0, 1) or not isinstance(keys[-1], int):
            raise ValueError(text)
        if not 0 <= keys[-1] <= MAX_ID:
            raise ValueError(text)
        if len(order) == 2:
            keys[0] = datetime.fromisoformat(keys[0])
            if keys[0].tzinfo is None or keys[0].year not in YEARS:
                raise ValueError(text)
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise ValidationError({"cursor": [_("Ce curseur n'est pas le nôtre.")]}) from error
    return Cursor(bool(back), tuple(keys))
