"""Lists by cursor: `{"next", "previous", "results"}`, in the order of ids, of last change, or as `ordering` says.

A page begins behind a row, by its place in the order and not by its number: whatever is added, changed or deleted
elsewhere meanwhile, no row comes twice and none is left out.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import F, Model, QuerySet, Value
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from crm.api import queries
from crm.api.fields import MAX_ID
from crm.api.selection import FIELDS
from crm.selectors.keyset import Beyond

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
M = TypeVar("M", bound=Model)

BY_ID = ("id", "-id")
#: For a model whose `updated_at` has an index, or few rows.
BY_CHANGE = (*BY_ID, "updated_at", "-updated_at")

PAGE_PARAMETERS = [
    OpenApiParameter(
        "cursor", str, description="From `next` or `previous` of an earlier page of the same list."
    ),
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        description=f"Results a page: {DEFAULT_LIMIT}, at most {MAX_LIMIT}.",
    ),
]
SINCE_PARAMETER = OpenApiParameter(
    "updated_since",
    datetime,
    description="Only what changed at or after this moment, in the order of change unless told otherwise.",
)
WORDS_PARAMETER = OpenApiParameter("q", str, description="A part of the name.")


def ordering_parameter(orderings: tuple[str, ...] = BY_ID) -> OpenApiParameter:
    """Return the description of `ordering` for a list that has these."""
    return OpenApiParameter("ordering", str, enum=orderings, description="`-`: the last one first.")


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by: a column, then the id the same way; by the id alone where the column is `id`."""

    column: str
    descending: bool

    def keys_of(self, row: Model) -> list[Any]:
        """Return the place of a row, as a cursor writes it."""
        if self.column == "id":
            return [row.pk]
        return [getattr(row, self.column).isoformat(), row.pk]

    def columns(self, *, backwards: bool) -> list[str]:
        """Return the columns to sort by."""
        sign = "-" if self.descending != backwards else ""
        return [f"{sign}{name}" for name in dict.fromkeys((self.column, "id"))]

    def beyond(self, rows: QuerySet[M], keys: list[Any], *, backwards: bool) -> QuerySet[M]:
        """Return the rows that come after a place, or before it."""
        descending = self.descending != backwards
        if self.column == "id":
            return rows.filter(pk__lt=keys[0]) if descending else rows.filter(pk__gt=keys[0])
        place = Value(keys[0]), Value(keys[1])
        return rows.filter(Beyond(F(self.column), F("pk"), *place, descending=descending))


def page(
    request: Request,
    queryset: QuerySet[M],
    represent: Callable[[M], dict[str, Any]] | None = None,
    *,
    represent_all: Callable[[Sequence[M]], list[dict[str, Any]]] | None = None,
    filters: tuple[str, ...] = (),
    has_updates: bool = False,
    orderings: tuple[str, ...] = BY_ID,
) -> Response:
    """Answer with one page of `queryset`, its rows represented one by one or all together.

    `filters` are the query parameters that the caller has already applied; any other is refused, for a misspelt filter
    would return everything. `has_updates`: the model has `updated_at`. `orderings` are those that it takes.
    """
    since = ("updated_since",) if has_updates else ()
    queries.refuse_unknown(request, {"cursor", "limit", "ordering", FIELDS, *filters, *since})
    limit = queries.number(request, "limit", low=1, high=MAX_LIMIT) or DEFAULT_LIMIT
    changed = queries.moment(request, "updated_since")
    if changed is not None:
        queryset = queryset.filter(updated_at__gte=changed)
    wanted = queries.choice(request, "ordering", orderings) or ("id" if changed is None else "updated_at")
    order = Order(wanted.removeprefix("-"), wanted.startswith("-"))
    backwards, keys = _place(request, order)
    if keys:
        queryset = order.beyond(queryset, keys, backwards=backwards)
    rows = list(queryset.order_by(*order.columns(backwards=backwards))[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    if backwards:
        rows.reverse()
    has_next, has_previous = (True, more) if backwards else (more, bool(keys))
    return Response(
        {
            "next": _link(request, order, rows[-1], back=False) if rows and has_next else None,
            "previous": _link(request, order, rows[0], back=True) if rows and has_previous else None,
            "results": represent_all(rows)
            if represent_all
            else [represent(row) for row in rows if represent],
        }
    )


def _link(request: Request, order: Order, row: Model, *, back: bool) -> str:
    text = json.dumps([int(back), _list(request, order), *order.keys_of(row)], separators=(",", ":"))
    cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return replace_query_param(request.build_absolute_uri(), "cursor", cursor)


def _list(request: Request, order: Order) -> str:
    """Return a short name of the list that is walked: its address, its filters and its order."""
    told = {
        name: values
        for name, values in request.query_params.lists()
        if name not in ("cursor", "limit", FIELDS)
    }
    told["ordering"] = [order.column, str(order.descending)]
    text = json.dumps([request.path, sorted(told.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _place(request: Request, order: Order) -> tuple[bool, list[Any]]:
    """Return whether the cursor walks back, and the place that it names; no keys without a cursor.

    Refuses one that another list gave: its place means nothing here.
    """
    text = request.query_params.get("cursor")
    if text is None:
        return False, []
    try:
        back, name, *keys = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise queries.refusal("cursor", _("Ce curseur n'est pas le nôtre.")) from error
    if name != _list(request, order):
        raise queries.refusal(
            "cursor",
            _("Ce curseur vient d'une autre liste : suivez `next` tel quel, avec ses filtres et son ordre."),
        )
    if back not in (0, 1) or not _are_keys(keys, order):
        raise queries.refusal("cursor", _("Ce curseur n'est pas le nôtre."))
    if len(keys) == 2:
        keys[0] = queries.read_moment("cursor", keys[0])
    return bool(back), keys


def _are_keys(keys: list[Any], order: Order) -> bool:
    pk = keys[-1] if keys else None
    fits = isinstance(pk, int) and 0 <= pk <= MAX_ID
    return (
        fits
        and len(keys) == (1 if order.column == "id" else 2)
        and all(isinstance(key, str) for key in keys[:-1])
    )
