"""`make run` carries an empty folder to a page that answers, stops everything it started, and keeps the data."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from config import embedded
from tests.running import BARE, copied, free_port, running


@pytest.fixture
def checkout() -> Iterator[Path]:
    with copied() as copy:
        yield copy


def ready(port: int) -> dict[str, object]:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as response:
                answer: dict[str, object] = json.load(response)
                return answer
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def left_behind(checkout: Path) -> list[str]:
    return [
        " ".join(process.info["cmdline"])
        for process in psutil.process_iter(["cmdline", "status"])
        if process.info["status"] != psutil.STATUS_ZOMBIE
        and str(checkout) in " ".join(process.info["cmdline"] or [])
    ]


def users(checkout: Path) -> int:
    with psycopg.connect(embedded.postgres_url(checkout / "var")) as connection:
        row = connection.execute("SELECT count(*) FROM crm_user").fetchone()
    assert row is not None
    return int(row[0])


def test_it_loads_the_demo_stops_what_it_started_and_only_that_and_keeps_the_data(checkout: Path) -> None:
    port = free_port()

    with running(checkout, port) as first:
        parts = ready(port)["parts"]
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)
    after_first = left_behind(checkout)
    loaded = users(checkout)
    with running(checkout, port):
        again = ready(port)["ready"]

    assert parts == {"database": "ok", "redis": "ok", "migrations": "ok"}
    assert first.returncode == 0
    assert after_first == []
    assert loaded >= 4
    assert again is True
    # PostgreSQL ran before the second start, because somebody had looked at the users: it is theirs and goes on.
    assert embedded.is_running(checkout / "var")
    assert users(checkout) == loaded


def drop_connections(checkout: Path) -> None:
    """End every other connection to the database, as its restart does, and wait until they are gone."""
    with psycopg.connect(embedded.postgres_url(checkout / "var")) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


def api(port: int, token: str, path: str, *, body: bytes | None = None, kind: str = "") -> dict[str, Any]:
    """Ask the running product as a program does."""
    headers = {"Authorization": f"Bearer {token}"} | ({"Content-Type": kind} if kind else {})
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/{path}", data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        answer: dict[str, Any] = json.load(response)
        return answer


def form(fields: dict[str, str], name: str, content: bytes) -> tuple[bytes, str]:
    """Return a multipart body with a file, and its content type."""
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}' for key, value in fields.items()
    ]
    parts.append(f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n')
    return "\r\n".join(parts).encode() + content + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"


def test_a_list_is_imported_by_the_worker_and_a_database_that_drops_its_connections_is_not_noticed(
    checkout: Path,
) -> None:
    port = free_port()
    rows = "".join(f"Crédit n° {n};03 53 01 {n // 100:02d} {n % 100:02d};6419Z\n" for n in range(2500))
    content = f"Raison sociale;Téléphone;NAF\n{rows}".encode("cp1252")

    with running(checkout, port):
        ready(port)
        manage = [sys.executable, "manage.py", "create_token", "manager"]
        made = subprocess.run(
            manage, cwd=checkout, env=os.environ | BARE, capture_output=True, text=True, check=True
        )
        token = made.stdout.split()[-1]
        campaign = api(port, token, "campaigns/")["results"][0]["id"]
        source = api(port, token, "sources/")["results"][0]["id"]
        body, kind = form({"source": str(source)}, "banques.csv", content)
        job = api(port, token, f"campaigns/{campaign}/imports/", body=body, kind=kind)
        deadline = time.monotonic() + 60
        while job["state"] not in ("done", "failed") and time.monotonic() < deadline:
            time.sleep(0.2)
            job = api(port, token, f"imports/{job['id']}/")
        drop_connections(checkout)
        after = [api(port, token, f"imports/{job['id']}/")["state"] for _ in range(6)]

    assert (job["state"], job["encoding"]) == ("done", "cp1252")
    assert {key: job["counts"][key] for key in ("rows", "created", "rejected")} == {
        "rows": 2500,
        "created": 2500,
        "rejected": 0,
    }
    assert after == ["done"] * 6


def test_a_port_that_is_taken_is_said_before_anything_starts(checkout: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        environment = os.environ | BARE | {"PORT": str(other.getsockname()[1])}

        done = subprocess.run(
            [sys.executable, "-m", "config.run"],
            cwd=checkout,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert "is taken" in done.stderr
    assert not (checkout / "var").exists()
