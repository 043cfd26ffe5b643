"""Queries that are composed once in a process and asked again with other values.

Django composes the SQL of a queryset each time: for the few that every request of a call asks, this takes longer than
PostgreSQL's answer. Here a queryset is composed with stand-ins, its SQL is kept, each run sends its values beside it,
and the connection keeps the plan.
"""

import re
from collections.abc import Callable, Hashable, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet

from crm.selectors.prepared import prepared_cursor

#: What a value may be: an id, a text or a time, or a few texts.
Given = int | str | datetime | tuple[str, ...]
#: A stand-in is found again among the parameters: no id, text or time that anybody writes, nor one that survives being
#: turned into capitals.
LARGE = 6_148_914_691_236_517_205
UNWRITTEN = "\ue0c5e\ue0c5"
LONG_AGO = datetime(2, 2, 2, tzinfo=UTC)
TYPES = {int: "bigint", str: "text", datetime: "timestamptz"}
#: Composed queries that a process keeps: those of the code, and those of the criteria that were asked lately.
KEPT = 512


def ask(build: Callable[..., QuerySet[Any, Any]], *shape: Hashable, **values: Given) -> list[Any]:
    """Return the rows of `build(*shape, **values)`, composed by the first run with this shape.

    `build` hands each value on to the query as it is, where it becomes a parameter. Whatever else decides about the
    SQL (whether something is null, the language, how many) belongs to the shape, and so does a number that the column
    keeps in less than eight bytes. What a queryset prefetches is not read.
    """
    kinds = tuple(
        (name, len(value) if isinstance(value, tuple) else type(value)) for name, value in values.items()
    )
    return _composed(build, shape, kinds).rows(values)


@lru_cache(maxsize=KEPT)
def _composed(
    build: Callable[..., QuerySet[Any, Any]], shape: tuple[Hashable, ...], kinds: tuple[tuple[str, Any], ...]
) -> "_Composed":
    stand_ins: dict[str, Any] = {}
    for number, (name, kind) in enumerate(kinds):
        if isinstance(kind, int):
            stand_ins[name] = tuple(f"{UNWRITTEN}{number}.{place}" for place in range(kind))
        elif kind is str:
            stand_ins[name] = f"{UNWRITTEN}{number}"
        else:
            stand_ins[name] = LONG_AGO + timedelta(number) if kind is datetime else LARGE - number
    return _Composed(build(*shape, **stand_ins), stand_ins)


class _Composed:
    """A queryset, its SQL, and where each value goes among the parameters."""

    def __init__(self, rows: QuerySet[Any, Any], stand_ins: dict[str, Any]) -> None:
        self._queryset = rows
        self._compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = self._compiler.as_sql()
        names: dict[Any, tuple[str, int | None]] = {}
        for name, value in stand_ins.items():
            if isinstance(value, tuple):
                names |= {item: (name, place) for place, item in enumerate(value)}
            else:
                names[value] = (name, None)
        self._places: list[tuple[str, int | None]] = []
        self._sql = self._written(sql, params, names)
        lost = set(names.values()) - set(self._places)
        if lost:
            raise ValueError(
                f"composed without {sorted(name for name, _item in lost)}: it belongs to the shape"
            )

    def _written(self, sql: str, params: Sequence[Any], names: dict[Any, tuple[str, int | None]]) -> str:
        """Return the SQL with everything written out but the values, of which PostgreSQL is told the type."""
        connection = connections[DEFAULT_DB_ALIAS]
        connection.ensure_connection()
        literals = psycopg.ClientCursor(connection.connection)
        left = iter(params)

        def one(found: re.Match[str]) -> str:
            if found[0] == "%%":
                return "%%"
            param = next(left)
            kind = next((name for known, name in TYPES.items() if isinstance(param, known)), None)
            if kind and param in names:
                self._places.append(names[param])
                return f"%s::{kind}"
            return literals.mogrify("%s", [param]).replace("%", "%%")

        return re.sub("%[%s]", one, sql)

    def rows(self, values: dict[str, Any]) -> list[Any]:
        """Ask with these values."""
        params = [values[name] if item is None else values[name][item] for name, item in self._places]
        compiler = copy(self._compiler)
        compiler.connection = _Prepared(connections[DEFAULT_DB_ALIAS])
        compiler.as_sql = lambda *_args, **_kwargs: (self._sql, params)
        found: Any = self._queryset._iterable_class
        return [*found(_Asked(self._queryset, compiler))]


class _Prepared:
    """Django's connection, whose statements are prepared: their plans are kept with it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def cursor(self) -> Any:
        """Open one."""
        return prepared_cursor()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class _Asked:
    """A queryset as those who make its rows see it: with the compiler of one run."""

    db = DEFAULT_DB_ALIAS

    def __init__(self, rows: QuerySet[Any, Any], compiler: Any) -> None:
        self._rows, self._compiler = rows, compiler
        self.query = _Query(rows.query, compiler)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)


class _Query:
    """A query whose compiler is there already."""

    def __init__(self, query: Any, compiler: Any) -> None:
        self._query, self._compiler = query, compiler

    def get_compiler(self, using: str | None = None, connection: Any = None) -> Any:
        """Return it."""
        return self._compiler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._query, name)
