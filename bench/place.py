"""Where benchmarks run: a PostgreSQL of their own under `var/bench`, with fsync, emptied and removed at the end."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from config import embedded

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "var" / "bench"
BINARIES = Path(embedded._program("pgbench")).parent


@contextmanager
def bench_database() -> Iterator[str]:
    """Start a fresh server that syncs as in production, migrate it, set Django up on it; yield its URL, then remove it.

    Child processes find the same database in their environment.
    """
    embedded.stop(FOLDER)
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.environ["DATABASE_URL"] = embedded.postgres_url(FOLDER)
    os.environ["REDIS_URL"] = embedded.redis_url(FOLDER)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    # As in production: no query log of DEBUG, and a limit of requests that is counted but never met.
    os.environ.update(
        SECRET_KEY="only-for-the-benchmarks", ALLOWED_HOSTS="localhost", API_REQUESTS_PER_MINUTE="100000000"
    )
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    try:
        use_django()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        yield os.environ["DATABASE_URL"]
    finally:
        embedded.stop(FOLDER)
        shutil.rmtree(FOLDER, ignore_errors=True)


def use_django() -> None:
    """Set Django up in this process."""
    import django

    django.setup()


def connect() -> psycopg.Connection[tuple[object, ...]]:
    """Return a bare connection in autocommit."""
    connection: psycopg.Connection[tuple[object, ...]] = psycopg.connect(
        os.environ["DATABASE_URL"], autocommit=True
    )
    return connection


def libpq_environment() -> dict[str, str]:
    """Return the environment in which PostgreSQL's own programs find the database."""
    parts = conninfo_to_dict(os.environ["DATABASE_URL"])
    return os.environ | {
        "PGHOST": str(parts["host"]),
        "PGUSER": str(parts["user"]),
        "PGDATABASE": str(parts["dbname"]),
    }


def say(line: str = "") -> None:
    """Print a line at once: a benchmark is watched."""
    print(line, flush=True)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Tell on stderr what is being prepared, and how long it took."""
    begin = time.monotonic()
    print(f"  … {what}", end="", file=sys.stderr, flush=True)
    yield
    print(f" ({time.monotonic() - begin:.1f} s)", file=sys.stderr, flush=True)


def percentile(values: list[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def verdict(name: str, value: float, target: float, *, at_least: bool = True, unit: str = "") -> bool:
    """Print whether a figure meets its target; return it."""
    met = value >= target if at_least else value <= target
    sign = "≥" if at_least else "≤"
    say(f"  {'met   ' if met else 'MISSED'} {name}: {value:.2f}{unit} (target {sign} {target:g}{unit})")
    return met
