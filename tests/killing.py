"""An import with servers and workers of its own, so that each of them can be killed.

A folder holds PostgreSQL and Redis; the database `seed` has an import that was started and nobody is at. Every run
copies it, has real Celery workers do the import, and kills what its plan says at the moments that it says.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis

from config import embedded

ROOT = Path(__file__).resolve().parent.parent
#: Nobody waits so long for anything here; it only ends a run that hangs.
PATIENCE = 240.0
WORKERS = 2

#: What can be killed.
KINDS = ("child", "worker", "backend", "postgres", "redis")
#: The phases of `ImportPhase` in which chunks are worked on.
STAGE, MATCH, MERGE, DONE = 1, 2, 3, 4

#: Beat, with no patience: an import is given to the workers again as soon as they are silent.
TICKER = """
import time
import django
django.setup()
from datetime import timedelta
from django.db import Error, connection
from django.utils import timezone
from campaigns.services.import_work import STALE_AFTER
from campaigns.services.import_work import wake_imports
while True:
    try:
        wake_imports(at=timezone.now() + STALE_AFTER + timedelta(seconds=1))
    except Error:
        connection.close()
    time.sleep(0.4)
"""


@dataclass(frozen=True, slots=True)
class Kill:
    """What is killed, and when: once the import has reached the phase and this share of the chunks has done it."""

    kind: str
    phase: int
    share: float
    #: A moment later than that, in seconds, so that it falls anywhere into the work on a chunk.
    delay: float = 0.0


def random_plan(seed: int, kinds: Sequence[str] = KINDS, count: int = 5) -> list[Kill]:
    """Return kills at random moments, in the order in which an undisturbed import comes by them."""
    dice = random.Random(seed)
    chosen = [*dice.sample(kinds, min(count, len(kinds))), *dice.choices(kinds, k=max(0, count - len(kinds)))]
    moments = sorted((dice.choice((STAGE, MATCH, MERGE, MERGE)), dice.random() * 0.7) for _ in chosen)
    return [
        Kill(kind, phase, share, dice.random() * 0.08)
        for kind, (phase, share) in zip(chosen, moments, strict=True)
    ]


@dataclass(slots=True)
class Outcome:
    """What a run left: rows by table, as multisets; and how often it happened that the rows had to be read again."""

    rows: dict[str, Counter[str]]
    kills: int = 0
    read_again: int = 0
    state: str = ""
    log: str = ""


@dataclass(slots=True)
class House:
    """The servers of a folder."""

    folder: Path
    #: Settings of the workers, as environment variables.
    settings: dict[str, str] = field(default_factory=dict)
    runs: int = 0
    urls: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Start what does not run."""
        self.urls = {
            "DATABASE_URL": embedded.postgres_url(self.folder, throwaway=True),
            "REDIS_URL": embedded.redis_url(self.folder),
        }

    def environment(self, database: str) -> dict[str, str]:
        """Return the environment of a process on one of the databases."""
        url = self.urls["DATABASE_URL"].replace(f"/{embedded.DATABASE}", f"/{database}", 1)
        given = {"DATABASE_URL": url, "REDIS_URL": self.urls["REDIS_URL"], "DATABASE_POOL_SIZE": "0"}
        return os.environ | given | {"DJANGO_SETTINGS_MODULE": "config.settings"} | self.settings

    def connect(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a bare connection, autocommitting."""
        return psycopg.connect(self.environment(database)["DATABASE_URL"], autocommit=True)

    def seed(self, script: str, migrated: str = "") -> dict[str, Any]:
        """Make the database `seed`, migrated (or copied from the URL of a database that is `migrated`), and filled by a
        script whose last line of output is JSON."""
        with self.connect("postgres") as server:
            # What is committed must be there after a kill, as in production.
            server.execute("ALTER SYSTEM SET synchronous_commit = on")
            server.execute("SELECT pg_reload_conf()")
            server.execute("CREATE DATABASE seed")
        environment = self.environment("seed")
        if migrated:
            self._copy(migrated, environment["DATABASE_URL"])
        else:
            _finished([sys.executable, "manage.py", "migrate", "--verbosity", "0"], environment)
        found: dict[str, Any] = json.loads(
            _finished([sys.executable, "-c", script], environment).splitlines()[-1]
        )
        return found

    def _copy(self, origin: str, target: str) -> None:
        dump = str(self.folder / "migrated.sql")
        _finished([str(embedded._program("pg_dump")), "--no-owner", "--file", dump, origin])
        psql = [str(embedded._program("psql")), "--quiet", "--set", "ON_ERROR_STOP=1"]
        _finished([*psql, "--file", dump, target])

    def postmaster(self) -> int:
        """Return the process id of PostgreSQL."""
        return int((self.folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def _finished(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def processes(house: House, database: str, log: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A Celery worker with its children, in a process group of its own, and the ticker; killed at the end."""
    running = [start_worker(house, database, log)]
    environment = house.environment(database)
    ticker = subprocess.Popen(
        [sys.executable, "-c", TICKER],
        cwd=ROOT,
        env=environment,
        stdout=log.open("ab"),
        stderr=subprocess.STDOUT,
    )
    try:
        yield running
    finally:
        ticker.kill()
        ticker.wait()
        kill_group(running[-1])


def start_worker(house: House, database: str, log: Path) -> subprocess.Popen[bytes]:
    """Start a Celery worker, as the Procfile does."""
    command = [sys.executable, "-m", "celery", "--app", "config", "worker", "--loglevel", "WARNING"]
    return subprocess.Popen(
        [*command, "--concurrency", str(WORKERS), "--hostname", f"{database}@%h"],
        cwd=ROOT,
        env=house.environment(database),
        stdout=log.open("ab"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass(slots=True)
class Run:
    """One import in a database of its own."""

    house: House
    job: int
    database: str
    log: Path
    kills: int = 0

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database, again while it is down."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with self.house.connect(self.database) as connection:
                    return connection.execute(sql).fetchall()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def place(self) -> tuple[str, int, float]:
        """Return the import's state, phase, and the share of its chunks that has done the phase."""
        ((state, phase, share),) = self.ask(
            "SELECT j.state, j.phase, coalesce((SELECT avg((c.phase > j.phase)::int) FROM campaigns_importchunk c"
            f" WHERE c.job_id = j.id), 0)::float FROM campaigns_importjob j WHERE j.id = {self.job}"
        )
        return state, phase, share

    def wait_for(self, reached: Callable[[int, float], bool]) -> bool:
        """Wait until the import is there or is over; say whether it still runs."""
        deadline = time.monotonic() + PATIENCE
        while True:
            state, phase, share = self.place()
            if state != "running":
                return False
            if reached(phase, share):
                return True
            assert time.monotonic() < deadline, self.log.read_text()[-4000:]
            time.sleep(0.01)

    def kill(self, kind: str, running: list[subprocess.Popen[bytes]], dice: random.Random) -> None:
        """Kill one thing and start what does not come back by itself."""
        self.kills += 1
        if kind == "child":
            children = psutil.Process(running[-1].pid).children()
            if children:
                with suppress(psutil.Error):
                    dice.choice(children).kill()
        elif kind == "worker":
            kill_group(running[-1])
            running.append(start_worker(self.house, self.database, self.log))
        elif kind == "backend":
            # PostgreSQL takes the sudden end of one server process for a crash, and recovers by itself.
            pids = self.ask(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            if pids:
                with suppress(ProcessLookupError):
                    os.kill(dice.choice(pids)[0], signal.SIGKILL)
        elif kind == "postgres":
            os.kill(self.house.postmaster(), signal.SIGKILL)
            self.house.start()
        else:
            with redis.Redis.from_url(self.house.urls["REDIS_URL"]) as client:
                server = psutil.Process(client.info("server")["process_id"])
            server.kill()
            server.wait(timeout=PATIENCE)
            self.house.start()


def _reaches(kill: Kill) -> Callable[[int, float], bool]:
    return lambda phase, share: (phase, share) >= (kill.phase, kill.share)


def _never(phase: int, share: float) -> bool:
    return False


def run(house: House, job: int, plan: Sequence[Kill] = (), seed: int = 0) -> Outcome:
    """Copy the seed and have the import done in it, killing what the plan says; return what it left."""
    house.runs += 1
    name = f"run_{house.runs}"
    with house.connect("postgres") as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE seed")
    found = Run(house, job, name, house.folder / f"{name}.log")
    dice = random.Random(seed)
    with processes(house, name, found.log) as running:
        for kill in plan:
            if not found.wait_for(_reaches(kill)):
                break
            time.sleep(kill.delay)
            found.kill(kill.kind, running, dice)
        found.wait_for(_never)
    log = found.log.read_text(errors="replace")
    state = found.place()[0]
    return Outcome(contents(found), found.kills, log.count("rows are read again"), state, log)


#: A prospect in words that are the same in every run.
_WHO = """(SELECT concat_ws('/', p.source_id, p.external_id, p.organisation, p.last_name,
                   (SELECT string_agg(n.number, ',' ORDER BY n.number) FROM crm_prospectnumber n
                     WHERE n.prospect_id = p.id)) FROM crm_prospect p WHERE p.id = {})"""


def _rows_of_prospects(table: str, *but: str) -> str:
    return f"SELECT {_WHO.format('x.prospect_id')}, to_jsonb(x) - ARRAY{['id', 'prospect_id', *but]} FROM {table} x"


_BAR = "(SELECT to_jsonb(e) - ARRAY['id', 'prospect_id'] FROM campaigns_exclusion e WHERE e.id = y.excluded_by_id)"

#: What a run leaves, without ids that sequences gave and moments that clocks gave.
TABLES = {
    "prospects": f"SELECT {_WHO.format('x.id')}, to_jsonb(x) - 'id' FROM crm_prospect x",
    "numbers": _rows_of_prospects("crm_prospectnumber"),
    "timeline": _rows_of_prospects("crm_prospectevent"),
    "entries": _rows_of_prospects("campaigns_listentry", "excluded_by_id", "updated_at"),
    "bars of entries": f"SELECT {_WHO.format('y.prospect_id')}, {_BAR} FROM campaigns_listentry y",
    "exclusions": _rows_of_prospects("campaigns_exclusion"),
    "consents": _rows_of_prospects("campaigns_consent"),
    "supplied": _rows_of_prospects("campaigns_suppliedvalues"),
    "import rows": _rows_of_prospects("campaigns_importrow"),
    "rejects": "SELECT to_jsonb(x) - 'id' FROM campaigns_importreject x",
    "jobs": "SELECT state, phase, settled, total_rows, counts - 'seconds', failures, error FROM campaigns_importjob",
    "chunks": "SELECT to_jsonb(x) - ARRAY['id', 'done_at'] FROM campaigns_importchunk x",
    "lists": "SELECT to_jsonb(x) FROM campaigns_calllist x",
    "leftovers": "SELECT relname FROM pg_class WHERE relname ~ '^import_(stage|match)_[0-9]+$'",
}


def contents(found: Run) -> dict[str, Counter[str]]:
    """Return what the database holds, by table, as multisets."""
    return {
        name: Counter(json.dumps(row, sort_keys=True, default=str) for row in found.ask(sql))
        for name, sql in TABLES.items()
    }


def differences(expected: Outcome, found: Outcome) -> dict[str, tuple[list[str], list[str]]]:
    """Return, by table, a few of the rows that are missing and of those that are too many."""
    told = {}
    for name, rows in expected.rows.items():
        missing, surplus = rows - found.rows[name], found.rows[name] - rows
        if missing or surplus:
            told[name] = (list(missing.elements())[:4], list(surplus.elements())[:4])
    return told
