"""What tests of the change feed share: a program that follows it, and patience with the other tests' transactions."""

import time
from typing import Any

from django.db import connection

from tests.api_client import Api

#: Another worker's test is in a transaction of the same server, which holds up every feed on it until it ends.
PATIENCE = 180


def settle() -> None:
    """Wait until every transaction that began before now is over, wherever on the server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        (mine,) = cursor.fetchone()
        for _try in range(PATIENCE * 100):
            cursor.execute("SELECT %s::text::xid8 < pg_snapshot_xmin(pg_current_snapshot())", [mine])
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("a transaction of another test does not end")


class Follower:
    """A program that keeps its cursor and takes in whatever the feed says."""

    def __init__(self, api: Api, cursor: str = "latest", **query: Any) -> None:
        """Begin at a cursor, by default behind all that was written; `query` goes with every request."""
        self.api, self.cursor = api, cursor
        self.query = "".join(f"&{name}={value}" for name, value in query.items())
        self.seen: list[dict[str, Any]] = []
        if cursor == "latest":
            settle()
            self.page()

    def page(self) -> dict[str, Any]:
        """Read one page and move on."""
        answer = self.api.get(f"changes/?cursor={self.cursor}{self.query}")
        assert answer.status_code == 200, answer.content
        body: dict[str, Any] = answer.json()
        self.cursor = body["cursor"]
        return body

    def poll(self) -> list[dict[str, Any]]:
        """Return what can be read now, to the end."""
        new: list[dict[str, Any]] = []
        while True:
            page = self.page()
            new += page["results"]
            if not page["has_more"]:
                self.seen += new
                return new

    def read(self) -> list[dict[str, Any]]:
        """Return all that was written until now."""
        settle()
        return self.poll()
