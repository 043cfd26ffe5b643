"""Pages of long lists by place instead of by number: the thousandth costs what the first does.

Where one is stands in the address as the id of a row, never as its name: `?after=` and `?before=`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from django.db.models import BooleanField, F, Field, Func, Model, QuerySet, TextField, Value

M = TypeVar("M", bound=Model)

#: Rows that are counted one by one, and sorted here; of longer lists it is said that they are longer.
CAP = 10_000
MAX_ID = 2**63 - 1


class Kept(Func):
    """A column of the row's table that its model does not carry, of a text type unless said otherwise."""

    def __init__(self, name: str, output_field: "Field[Any, Any] | None" = None) -> None:
        """Take the column's name; it is trusted."""
        super().__init__(F("pk"), output_field=output_field or TextField())
        self.name = name

    def as_sql(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Return the column, under the alias that the table has in the query."""
        (row,) = self.get_source_expressions()
        quote = compiler.quote_name_unless_alias
        return f"{quote(row.alias)}.{quote(self.name)}", []


class Beyond(Func):
    """Whether (key, id) comes after another pair, or before it: a comparison of rows, which an index answers."""

    output_field = BooleanField()

    def __init__(self, key: Any, pk: Any, place: Any, place_pk: Any, *, descending: bool = False) -> None:
        """Take the pair of the row and the pair that it is compared with."""
        super().__init__(key, pk, place, place_pk)
        self.descending = descending

    def as_sql(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Return the comparison."""
        parts, params = [], []
        for expression in self.get_source_expressions():
            sql, given = compiler.compile(expression)
            parts.append(sql)
            params.extend(given)
        key, pk, place, place_pk = parts
        return f"(({key}, {pk}) {'<' if self.descending else '>'} ({place}, {place_pk}))", params


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by. `blanks`: the key is a text, and rows where it is empty come last either way; `nulls`:
    so do rows where it is null."""

    key: Any
    descending: bool = False
    blanks: bool = False
    nulls: bool = False

    @property
    def is_parted(self) -> bool:
        """Whether rows without the key stand apart, behind the others."""
        return self.blanks or self.nulls

    def lacks(self, key: Any) -> bool:
        """Tell whether a row with this key is one of those behind."""
        return self.is_parted and key in ("", None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind the row of this id, or before it; None is the beginning."""

    after: int | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Rows of a list; how many the list has (`CAP` at most, `is_capped` says that there are more); the neighbours' ids.

    `first` is the number of the first row, null where the list is too long to know. `is_sorted` is false where the list
    was too long for its order, and stands in the one that was given for that case.
    """

    rows: Sequence[M]
    count: int
    is_capped: bool
    after: int | None
    before: int | None
    first: int | None
    is_sorted: bool = True

    @property
    def last(self) -> int | None:
        """The number of the last row."""
        return None if self.first is None else self.first + len(self.rows) - 1


def place_of(after: str | None, before: str | None) -> Place:
    """Return the place that an address names; what is no id is the beginning."""
    behind, ahead = (
        int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None
        for text in (after, before)
    )
    return Place(behind, None if behind is not None else ahead)


def page_at(
    rows: QuerySet[M],
    order: Order,
    place: Place,
    *,
    size: int,
    dress: Callable[[QuerySet[M]], QuerySet[M]] = lambda shown: shown,
    count: int | None = None,
    long: Order | None = None,
) -> Page[M]:
    """Return the page of `rows` that begins at a place. `dress` adds what only the rows that are shown need.

    Up to `CAP` rows are sorted here, which no correlation of search and order can make slow; the rest is read along
    the index of the order. Two queries, at most four. `count` is how many rows there are, where that is known already.
    `long` is the order of a list that is too long to be sorted here, where what narrows it says where in the other
    order its rows stand.
    """
    if count is None or count <= CAP:
        keys = list(rows.order_by().annotate(kept_key=order.key).values_list("kept_key", "pk")[: CAP + 1])
        if len(keys) <= CAP:
            return _sorted_here(rows, keys, order, place, size, dress)
    page = _along_the_index(rows, long or order, place, size, dress)
    if count is not None:
        page = replace(page, count=count, is_capped=False)
    return page if long is None else replace(page, is_sorted=long == order)


def _sorted_here(
    rows: QuerySet[M],
    keys: list[tuple[Any, int]],
    order: Order,
    place: Place,
    size: int,
    dress: Callable[[QuerySet[M]], QuerySet[M]],
) -> Page[M]:
    filled = sorted((row for row in keys if not order.lacks(row[0])), reverse=order.descending)
    blank = sorted((pk for key, pk in keys if order.lacks(key)), reverse=order.descending)
    ids = [pk for _key, pk in filled] + blank
    start = 0
    if place.after in ids:
        start = ids.index(place.after) + 1
    elif place.before in ids:
        start = max(0, ids.index(place.before) - size)
    if start >= len(ids):
        start = max(0, len(ids) - size)
    wanted = ids[start : start + size]
    found = (
        {row.pk: row for row in dress(rows.model._default_manager.filter(pk__in=wanted))} if wanted else {}
    )
    shown = [found[pk] for pk in wanted if pk in found]
    return Page(
        rows=shown,
        count=len(ids),
        is_capped=False,
        after=wanted[-1] if start + size < len(ids) else None,
        before=wanted[0] if start > 0 and wanted else None,
        first=start + 1,
    )


def _along_the_index(
    rows: QuerySet[M],
    order: Order,
    place: Place,
    size: int,
    dress: Callable[[QuerySet[M]], QuerySet[M]],
) -> Page[M]:
    backwards = place.before is not None
    anchor = _anchor(rows, order, place)
    backwards = backwards and anchor is not None
    # Rows without a key stand behind all others: the list is two stretches, each along the index.
    stretches = [False, True] if order.is_parted else [False]
    if backwards:
        stretches.reverse()
    if anchor is not None and order.is_parted and order.lacks(anchor[0]) != backwards:
        stretches = stretches[1:]
    found: list[M] = []
    for blank in stretches:
        wanted = size + 1 - len(found)
        if wanted <= 0:
            break
        inside = anchor is not None and order.lacks(anchor[0]) == blank
        stretch = _stretch(rows, order, anchor if inside else None, blank, backwards)
        # Found first and dressed after: what is joined must not be joined to rows that nobody sees.
        ids = rows.model._default_manager.filter(pk__in=stretch.values("pk")[:wanted])
        found += list(dress(ids).alias(kept_key=order.key).order_by(*stretch.query.order_by))
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    return Page(
        rows=found,
        count=CAP,
        is_capped=True,
        after=found[-1].pk if found and (more or backwards) else None,
        before=found[0].pk if found and (more if backwards else anchor is not None) else None,
        first=None,
    )


def _anchor(rows: QuerySet[M], order: Order, place: Place) -> tuple[Any, int] | None:
    pk = place.after if place.after is not None else place.before
    if pk is None:
        return None
    kept = rows.model._default_manager.filter(pk=pk).annotate(kept_key=order.key)
    return kept.values_list("kept_key", "pk").first()


def _stretch(
    rows: QuerySet[M], order: Order, anchor: tuple[Any, int] | None, blank: bool, backwards: bool
) -> QuerySet[M]:
    descending = order.descending != backwards
    found: QuerySet[M] = rows.alias(kept_key=order.key)  # type: ignore[assignment]
    if order.nulls:
        found = found.filter(kept_key__isnull=blank)
    elif order.blanks:
        found = found.filter(kept_key="") if blank else found.filter(kept_key__gt="")
    if blank:
        # Among themselves, they stand by their ids.
        if anchor is not None:
            found = found.filter(pk__lt=anchor[1]) if descending else found.filter(pk__gt=anchor[1])
        return found.order_by("-pk" if descending else "pk")
    if anchor is not None:
        key, pk = anchor
        found = found.filter(Beyond(F("kept_key"), F("pk"), Value(key), Value(pk), descending=descending))
    sign = "-" if descending else ""
    return found.order_by(f"{sign}kept_key", f"{sign}pk")
