"""The change feed after a restore from a dump, and after a replica took over: real servers, real copies."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from config import embedded
from crm.models import Prospect
from tests.api_client import Api
from tests.factories import make_prospect, make_user
from tests.feed import Follower, settle

ROOT = Path(__file__).resolve().parent.parent
#: Asks the API in a process of its own, as the web server that is started on another database does.
ASK = """
import json, sys
import django
django.setup()
from django.test import Client
token, *paths = sys.argv[1:]
client = Client(headers={"Authorization": f"Bearer {token}", "Host": "localhost"})
answers = [client.get(path) for path in paths]
print(json.dumps([[answer.status_code, json.loads(answer.content)] for answer in answers]))
"""


@dataclass(slots=True)
class Server:
    """Another PostgreSQL cluster, with the product on it."""

    folder: Path
    token: str
    url: str = ""

    def start(self) -> None:
        """Start the cluster, or join it."""
        self.url = embedded.postgres_url(self.folder, throwaway=True)

    def python(self, *arguments: str) -> str:
        """Run Python with the product's settings on this cluster; return what it printed."""
        environment = os.environ | {
            "DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "REDIS_URL": "redis://localhost:1",
        }
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, *paths: str) -> list[tuple[int, dict[str, Any]]]:
        """Return status and body of the API's answers to GETs, in their order."""
        answers = json.loads(self.python("-c", ASK, self.token, *(f"/api/v1/{path}" for path in paths)))
        return [(status, body) for status, body in answers]

    def change(self, prospect: int) -> None:
        """Change a record by SQL alone."""
        with psycopg.connect(self.url) as session:
            session.execute(
                "UPDATE crm_prospect SET city = city || 'x', version = version + 1 WHERE id = %s", [prospect]
            )

    def take_over(self) -> None:
        """Go on as a replica that has everything and is promoted: on another timeline."""
        with psycopg.connect(self.url, autocommit=True) as session:
            session.execute("ALTER SYSTEM SET wal_level = 'replica'")
        embedded.stop(self.folder)
        self.start()
        embedded.stop(self.folder)
        owner = (self.folder / "postgres").stat()
        signal = self.folder / "postgres" / "standby.signal"
        signal.touch(mode=0o600)
        os.chown(signal, owner.st_uid, owner.st_gid)
        self.start()
        with psycopg.connect(self.url) as session:
            assert session.execute("SELECT pg_promote()").fetchone() == (True,)


def own_database() -> str:
    """Return the URL of the test's own database, for PostgreSQL's programs."""
    given = connection.settings_dict
    return make_conninfo("", host=given["HOST"], user=given["USER"] or "postgres", dbname=given["NAME"])


def restore(source: str, into: Server, *options: str) -> None:
    """Dump one database and restore it into another, or the same, with the programs that administrators use."""
    file = into.folder / "dump"
    run(embedded._program("pg_dump"), f"--dbname={source}", "--format=custom", f"--file={file}")
    run(embedded._program("pg_restore"), *options, "--exit-on-error", f"--dbname={into.url}", file)


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def restored(transactional_db: None) -> Iterator[Server]:
    """Start a new cluster, not yet restored into."""
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="restored-"))
    server = Server(folder, "")
    try:
        server.start()
        yield server
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def ids(body: dict[str, Any]) -> list[int]:
    return [item["id"] for item in body["results"]]


def refusal(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    status, body = answer
    return status, body["type"].rsplit("/", 2)[1]


def test_a_restore_voids_every_cursor_and_a_replica_that_takes_over_keeps_them(restored: Server) -> None:
    api = Api(make_user("manager"))
    restored.token = api.headers["Authorization"].removeprefix("Bearer ")
    follower = Follower(api)
    kept = make_prospect()
    settle()
    restore(own_database(), restored)
    lost = make_prospect()
    follower.read()

    # What the reader has is more than what is there: the dump was made before.
    before, listed = restored.ask(f"changes/?cursor={follower.cursor}", "prospects/")
    restored.python("manage.py", "rebase_changes")
    after = restored.ask(f"changes/?cursor={follower.cursor}")[0]
    restored.change(kept.pk)
    again = restored.ask(f"changes/?cursor={after[1]['cursor']}")[0]

    assert refusal(before) == (503, "feed-moved")
    assert Prospect.objects.filter(pk=lost.pk).exists()
    assert ids(listed[1]) == [kept.pk]
    assert refusal(after) == (410, "cursor-gone")
    assert (again[0], ids(again[1])) == (200, [kept.pk])

    # A replica that had everything: what the reader has not read yet is still told, once.
    restored.change(kept.pk)
    restored.take_over()
    waiting = restored.ask(f"changes/?cursor={again[1]['cursor']}")[0]
    restored.python("manage.py", "rebase_changes", "--nothing-lost")
    on = restored.ask(f"changes/?cursor={again[1]['cursor']}")[0]

    assert refusal(waiting) == (503, "feed-moved")
    assert (on[0], ids(on[1])) == (200, [kept.pk])

    # The same cluster, the same database, its tables made anew.
    restore(restored.url, restored, "--clean", "--if-exists")
    assert refusal(restored.ask(f"changes/?cursor={on[1]['cursor']}")[0]) == (503, "feed-moved")
