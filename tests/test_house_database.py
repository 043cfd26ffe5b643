"""The pool of connections of a web process: what comes out of it is looked at first."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import psycopg
import pytest
from django.db import connections

pytestmark = pytest.mark.django_db


@pytest.fixture
def pooled() -> Iterator[Any]:
    """A database wrapper of its own, with a pool of two connections that have both been used."""
    wrapper: Any = connections.create_connection("default")
    wrapper._connection_pools = {}
    wrapper.settings_dict = deepcopy(wrapper.settings_dict)
    wrapper.settings_dict["OPTIONS"]["pool"] = {"min_size": 2, "max_size": 2, "timeout": 10}
    wrapper.pool.open(wait=True)
    yield wrapper
    wrapper.close()
    wrapper.close_pool()


def served(wrapper: Any) -> int:
    """Answer a request: take a connection, ask something, give it back; return the server's side of it."""
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    wrapper.close()
    return int(pid)


def end(wrapper: Any, *pids: int) -> None:
    """End the server's side of connections, as its restart does."""
    given = wrapper.get_connection_params() | {"cursor_factory": psycopg.Cursor}
    with psycopg.connect(**given) as other:
        for pid in pids:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_a_connection_that_lives_is_used_again(pooled: Any) -> None:
    assert len({served(pooled) for _ in range(6)}) <= 2


def test_connections_that_the_server_ended_are_replaced_before_a_request_meets_them(pooled: Any) -> None:
    former = {served(pooled) for _ in range(6)}
    end(pooled, *former)

    assert not {served(pooled) for _ in range(6)} & former
