"""Races with real connections: each act runs in a thread of its own, on a connection of its own, closed at the end."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, BrokenBarrierError
from typing import Any

import psycopg
from django.db import connection
from psycopg.conninfo import make_conninfo

Act = Callable[[], Any]
LOCK_TIMEOUT = "8s"
#: The states in which PostgreSQL ends one side of a deadlock, or a wait that took too long.
STUCK = {"40P01": "deadlock", "55P03": "lock timeout"}


def race(*acts: Act, lock_timeout: str = LOCK_TIMEOUT) -> list[Any]:
    """Start the acts at the same instant; return what each returned, or the exception that it raised."""
    start = Barrier(len(acts))
    with ThreadPoolExecutor(len(acts)) as threads:
        running = [threads.submit(_alone, act, start, lock_timeout) for act in acts]
        return [act.result(timeout=120) for act in running]


def _alone(act: Act, start: Barrier, lock_timeout: str) -> Any:
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{lock_timeout}'")
        try:
            start.wait(timeout=20)
        except BrokenBarrierError as error:
            raise AssertionError("a racer never came to the start") from error
        return act()
    except Exception as error:
        return error
    finally:
        connection.close()


def stuck(error: object) -> str:
    """Return "deadlock" or "lock timeout" when that is behind the exception, else an empty string."""
    while isinstance(error, BaseException):
        if isinstance(error, psycopg.Error):
            return STUCK.get(error.sqlstate or "", "")
        error = error.__cause__
    return ""


def unexpected(results: list[Any], *expected: type[Exception]) -> list[Any]:
    """Return the exceptions among the results that are none of the expected ones, or that hide a deadlock."""
    return [
        found
        for found in results
        if isinstance(found, BaseException) and (stuck(found) or not isinstance(found, expected))
    ]


@contextmanager
def second_session(isolation: str = "read committed") -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A bare connection to the test database with a transaction to itself, rolled back and closed at the end."""
    given = connection.settings_dict
    parts = {
        "host": given["HOST"],
        "port": given["PORT"],
        "user": given["USER"],
        "password": given["PASSWORD"],
    }
    info = make_conninfo(
        "", dbname=given["NAME"], **{name: str(part) for name, part in parts.items() if part}
    )
    session: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(info)
    try:
        session.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        session.execute(f"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {isolation}")
        session.commit()
        yield session
    finally:
        session.close()


@contextmanager
def meanwhile(act: Act) -> Iterator[Future[Any]]:
    """Run the act in a thread while the block goes on; the block ends when the act has ended."""
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(_alone, act, Barrier(1), LOCK_TIMEOUT)


def wait_until_blocked(by: psycopg.Connection[tuple[Any, ...]], seconds: float = 5) -> int:
    """Wait until some session waits for a lock that `by` holds, and return its pid; fails when none does in time."""
    deadline = time.monotonic() + seconds
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))",
                [by.info.backend_pid],
            )
            if found := cursor.fetchone():
                return int(found[0])
            time.sleep(0.01)
    raise AssertionError("nobody waited for the lock")


def end_connection(pid: int) -> None:
    """End another connection to the database, as its restart does, and wait until it is gone."""
    with second_session() as ender:
        ender.execute("SELECT pg_terminate_backend(%s, 20000)", [pid])
