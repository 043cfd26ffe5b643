"""A migrated database that test databases are copied from: running every migration takes seconds, a copy does not."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo

ROOT = Path(__file__).resolve().parent.parent
LOCK_KEY = 20_250_101
#: Migrations take the SQL of triggers and fields from the models, and the rows from what is delivered.
SOURCES = """
    requirements.txt config/settings.py */migrations/*.py */enums.py
    crm/models/tables.py crm/models/triggers.py crm/models/zones.py crm/models/record_changes.py
    campaigns/services/reference.py campaigns/rules/catalogue.py
    calls/services/reference.py calls/rules/playbooks/*.py calls/services/word_lists.py calls/rules/word_lists.py
"""


def ready_template() -> str:
    """Return the name of the template database of the migrations as they are now, made first if it is missing."""
    name = f"courtois_template_{_digest()}"
    with psycopg.connect(make_conninfo("", dbname="postgres", **_server()), autocommit=True) as server:
        # Runs that start together wait here for the one that migrates.
        server.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            unfinished = sql.Identifier(f"{name}_unfinished")
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(unfinished))
            server.execute(sql.SQL("CREATE DATABASE {}").format(unfinished))
            _migrate(f"{name}_unfinished")
            server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(unfinished, sql.Identifier(name)))
    return name


def _digest() -> str:
    digest = hashlib.sha256()
    for source in sorted(path for pattern in SOURCES.split() for path in ROOT.glob(pattern)):
        digest.update(f"{source.relative_to(ROOT)}\0".encode() + source.read_bytes())
    return digest.hexdigest()[:16]


def _server() -> dict[str, str]:
    given = connection.settings_dict
    parts = {
        "host": given["HOST"],
        "port": given["PORT"],
        "user": given["USER"],
        "password": given["PASSWORD"],
    }
    return {name: str(value) for name, value in parts.items() if value}


def _migrate(database: str) -> None:
    environment = os.environ | {
        "DATABASE_URL": f"postgresql:///?{urlencode(_server() | {'dbname': database})}",
        "REDIS_URL": str(settings.REDIS_URL),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
