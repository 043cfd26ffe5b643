"""A list of suppliers into the tables: the whole command beside a raw COPY of the rows that it ended with, and beside
django-import-export in bulk mode. `python -m bench.imports [--rows 100000,1000000] [--known 0,1000000] [--jobs 2]`."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import psycopg

from bench.lists import write_list
from bench.place import FOLDER, ROOT, bench_database, say, told, verdict
from bench.records import grow, make_campaign

#: What a row of a list ends as, in an order in which each finds what it refers to.
TABLES = ("crm_prospect", "crm_prospectnumber", "campaigns_listentry", "crm_prospectevent")
#: What those rows refer to besides, copied before the clock starts.
BEFORE = (
    "crm_user",
    "crm_source",
    "campaigns_calllist",
    "campaigns_importfile",
    "campaigns_importjob",
    "campaigns_exclusion",
)
SHARE_OF_COPY = 0.4
TIMES_PEER = 4.0
PEER_ROWS = 20_000
PEER_TURNS = 3
MEGABYTES = 300.0
#: A second import of the same list may take as long as the first, and the noise of the machine.
SECOND = 1.05


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command: its summary, its seconds and the largest memory of any process, in MB."""

    summary: dict[str, Any]
    seconds: float
    megabytes: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return float(self.summary["rows"]) / self.seconds


def main() -> int:
    """Measure; returns 1 when a target is missed."""
    options = _options()
    met = []
    with tempfile.TemporaryDirectory() as folder:
        for known in options.known:
            for rows in options.rows:
                path = Path(folder) / f"{rows}.csv"
                if not path.exists():
                    write_list(path, rows)
                met += measure(path, rows, known, options.jobs)
        met += against_peer(Path(folder), options.jobs)
    return 0 if all(met) else 1


def measure(path: Path, rows: int, known: int, jobs: int) -> list[bool]:
    """Import a list into a database with so many known prospects, twice, and COPY the same rows into a copy of it."""
    with bench_database() as url:
        make_campaign()
        if known:
            grow(0, known)
        with told("a copy of the database for COPY"):
            _copy_database(url, "raw")
        first = run_command(path, jobs)
        say(
            f"\n{rows:,} rows into {known:,} prospects, {jobs} processes: {first.rate:,.0f} rows/s"
            f" ({first.seconds:.1f} s), {first.megabytes:.0f} MB"
        )
        say(f"  {json.dumps(first.summary)}")
        seconds = _raw_copy(url, known)
        again = run_command(path, jobs)
        say(f"  COPY of the final rows {rows / seconds:,.0f}/s; the same list again {again.rate:,.0f}/s")
        return [
            verdict("share of raw COPY", seconds / first.seconds, SHARE_OF_COPY),
            verdict(
                "largest process",
                max(first.megabytes, again.megabytes),
                MEGABYTES,
                at_least=False,
                unit=" MB",
            ),
            verdict("second import beside the first", again.seconds / first.seconds, SECOND, at_least=False),
            verdict(
                "rows changed by the second",
                again.summary["updated"] + again.summary["created"],
                0,
                at_least=False,
            ),
        ]


def against_peer(folder: Path, jobs: int) -> list[bool]:
    """Import a short list beside django-import-export, which is given the rows already read and repaired and writes the
    same ones: once as it comes, and in turns with plain ids in place of references, which it would ask for one by one.
    """
    path = folder / "peer.csv"
    write_list(path, PEER_ROWS)
    ours: list[float] = []
    tuned: list[float] = []
    without: list[float] = []
    peer = 0.0
    for turn in range(PEER_TURNS):
        with bench_database() as url:
            make_campaign()
            with told("copies of the database for the peer"):
                for name in ("peer", "tuned"):
                    _copy_database(url, name)
            ours.append(run_command(path, jobs).rate)
            with tempfile.TemporaryDirectory() as rows:
                _dump(url, Path(rows), 0)
                short, whole = _peer_rates(_named(url, "tuned"), rows)
                without.append(short)
                tuned.append(whole)
                if turn == 0:
                    _, peer = _peer_rates(_named(url, "peer"), rows, "--references")
    own, best = median(ours), median(tuned)
    say(
        f"\n{PEER_ROWS:,} rows: {own:,.0f}/s; django-import-export {peer:,.0f}/s as it comes, {best:,.0f}/s with plain"
        f" ids, {median(without):,.0f}/s without the timeline (median of {PEER_TURNS})"
    )
    return [
        verdict("times django-import-export, as it comes", own / peer, TIMES_PEER),
        verdict("times django-import-export, with plain ids", own / best, TIMES_PEER),
    ]


def _peer_rates(url: str, rows: str, *arguments: str) -> tuple[float, float]:
    """Return the peer's rows a second without the timeline, and with it."""
    command = [sys.executable, "-m", "bench.import_export", rows, *arguments]
    environment = os.environ | {"DATABASE_URL": url}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    without, whole = map(float, done.stdout.split()[-2:])
    return PEER_ROWS / without, PEER_ROWS / whole


# ---- the command


def run_command(path: Path, jobs: int) -> Run:
    """Run `manage.py import_list` as a person would, watching the memory of its processes and the server's."""
    command = [
        sys.executable,
        "manage.py",
        "import_list",
        str(path),
        "--campaign",
        "bench",
        "--source",
        "Liste",
    ]
    begin = time.monotonic()
    process = subprocess.Popen([*command, "--jobs", str(jobs)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with _watched(process.pid) as peak:
        out, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"import_list failed: {out}")
    return Run(json.loads(out.strip().splitlines()[-1]), time.monotonic() - begin, peak[0] / 1e6)


@contextmanager
def _watched(pid: int) -> Iterator[list[float]]:
    """Watch the largest memory of the process, its children and the server's processes: what is
    not shared, for the server's buffers belong to all of them."""
    peak, ended = [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.5):
            for process in [*_family(psutil.Process(pid)), *_servers()]:
                try:
                    memory = process.memory_info()
                    peak[0] = max(peak[0], float(memory.rss - memory.shared))
                except psutil.Error:
                    continue

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _servers() -> list[psutil.Process]:
    lines = (FOLDER / "postgres" / "postmaster.pid").read_text().splitlines() if FOLDER.exists() else []
    return _family(psutil.Process(int(lines[0]))) if lines else []


# ---- raw COPY


def _named(url: str, name: str) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(url)
    return url.replace(f"/{parts['dbname']}", f"/{name}", 1)


def _copy_database(url: str, name: str) -> None:
    from django.db import connections

    connections.close_all()
    with psycopg.connect(_named(url, "template1"), autocommit=True) as server:
        database = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database]
        )
        server.execute(f'CREATE DATABASE {name} TEMPLATE "{database}" STRATEGY file_copy')


def _dump(url: str, folder: Path, known: int) -> None:
    """Write the rows that the import ended with to files, one a table, as COPY does."""
    with psycopg.connect(url, autocommit=True) as source:
        for table in (*BEFORE, *TABLES):
            which = {
                "crm_prospect": f"WHERE id > {known}",
                "crm_prospectnumber": f"WHERE prospect_id > {known}",
                "campaigns_listentry": f"WHERE prospect_id > {known}",
                "crm_source": "WHERE slug <> 'bench'",
            }.get(table, "")
            columns = _columns(source, table)
            with (
                source.cursor().copy(f"COPY (SELECT {columns} FROM {table} {which}) TO STDOUT") as copy,
                (folder / table).open("wb") as file,
            ):
                for block in copy:
                    file.write(block)


def _columns(connection: psycopg.Connection[Any], table: str) -> str:
    found = connection.execute(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        [table],
    ).fetchone()
    assert found is not None
    return str(found[0])


def _raw_copy(url: str, known: int) -> float:
    """Return the seconds that a bare COPY of the same rows takes, into the same tables with their indexes, constraints
    and triggers, a table a transaction."""
    with (
        tempfile.TemporaryDirectory() as folder,
        psycopg.connect(_named(url, "raw"), autocommit=True) as target,
    ):
        with told("the final rows in files"):
            _dump(url, Path(folder), known)
        target.execute("SET session_replication_role = replica")
        for table in BEFORE:
            _load(target, Path(folder) / table, table)
        target.execute("SET session_replication_role = origin")
        target.execute("CHECKPOINT")
        begin = time.monotonic()
        for table in TABLES:
            took = time.monotonic()
            _load(target, Path(folder) / table, table)
            say(f"  COPY {table}: {time.monotonic() - took:.1f} s")
        return time.monotonic() - begin


def _load(target: psycopg.Connection[Any], path: Path, table: str) -> None:
    with (
        target.transaction(),
        target.cursor().copy(f"COPY {table} ({_columns(target, table)}) FROM STDIN") as copy,
        path.open("rb") as file,
    ):
        while block := file.read(1024 * 1024):
            copy.write(block)


def _options() -> argparse.Namespace:
    def sizes(text: str) -> list[int]:
        return [int(size) for size in text.split(",")]

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=sizes, default=[100_000, 1_000_000])
    parser.add_argument("--known", type=sizes, default=[0, 1_000_000])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
