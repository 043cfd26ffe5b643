"""Cursors whose statements the connection keeps the plans of, for the few that are asked all day."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from django.db.models import Model

M = TypeVar("M", bound=Model)


class _Logged(CursorDebugWrapper):
    """Logs the statement as it was sent: its values went beside it."""

    @contextmanager
    def debug_sql(
        self,
        sql: str | None = None,
        params: Any = None,
        use_last_executed_query: bool = False,
        many: bool = False,
    ) -> Iterator[None]:
        with super().debug_sql(sql, params, use_last_executed_query=False, many=many):
            yield


def prepared_cursor() -> CursorWrapper:
    """Open a cursor on Django's connection that sends parameters beside the statement, which is prepared once.

    Used as Django's own cursors are; its queries are logged and counted with theirs. Values must stand where
    PostgreSQL can tell their type, or carry a cast. Without `DATABASE_PREPARE` nothing is kept.
    """
    mine = connections[DEFAULT_DB_ALIAS]
    mine.ensure_connection()
    wrapper = _Logged if mine.queries_logged else CursorWrapper
    return wrapper(psycopg.Cursor(mine.connection), mine)


def read_one(model: type[M], statement: str, params: Sequence[Any]) -> tuple[M, tuple[Any, ...]] | None:
    """Return the instance of `model` that a prepared statement finds, and the further columns of its row; or None.

    The statement has `<columns>` where those of the model's table go, which it names `t`. For the few rows that every
    request reads: composing a query costs more than answering it.
    """
    names, columns, readers = _shape(model)
    with prepared_cursor() as cursor:
        cursor.execute(statement.replace("<columns>", columns), params)
        row = cursor.fetchone()
    if row is None:
        return None
    values = list(row[: len(names)])
    for place, reader in readers:
        values[place] = reader(values[place], None, connection)
    return model.from_db(DEFAULT_DB_ALIAS, names, values), row[len(names) :]


@cache
def _shape(model: type[Model]) -> tuple[list[str], str, list[tuple[int, Callable[..., Any]]]]:
    fields = model._meta.concrete_fields
    readers = [
        (place, reader)
        for place, field in enumerate(fields)
        for reader in field.get_db_converters(connection)
    ]
    return [f.attname for f in fields], ", ".join(f't."{f.column}"' for f in fields), readers
