"""Cursors whose statements the connection keeps the plans of, for the few that are asked all day."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper


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
    connection.ensure_connection()
    wrapper = _Logged if connection.queries_logged else CursorWrapper
    return wrapper(psycopg.Cursor(connection.connection), connection)
