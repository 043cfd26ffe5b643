"""The example of a pipeline: it copies everything once, then what changed, and forgets whom the house forgets."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from calls.services.erasure import erase_prospect
from crm.models import Prospect
from crm.services.prospects import edit_prospect
from crm.services.tokens import create_token
from tests.factories import NOW, make_exclusion, make_prospect, make_user
from tests.feed import settle

EXAMPLE = Path(__file__).resolve().parent.parent / "docs/examples/dlt_changes.py"


def the_example() -> Any:
    spec = importlib.util.spec_from_file_location("dlt_changes", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def made(**fields: Any) -> Prospect:
    with transaction.atomic():
        return make_prospect(**fields)


@pytest.mark.django_db(transaction=True)
def test_the_pipeline_loads_everything_once_then_what_changed(
    live_server: LiveServer, tmp_path: Path
) -> None:
    manager = make_user("manager")
    token = create_token(user=manager, name="dlt", at=timezone.now())
    stays, moves, goes = (made(city=city, last_name=f"Nom{city}") for city in ("Brest", "Dole", "Sète"))
    make_exclusion(prospect=stays)
    database = tmp_path / "courtois.duckdb"
    load = the_example().load

    settle()
    first = load(live_server.url, token, database)
    edit_prospect(prospect=moves, data={"city": "Lyon"}, phones=None, by=manager, at=NOW)
    erase_prospect(prospect=goes, by=manager, at=timezone.now())
    settle()
    second = load(live_server.url, token, database)
    settle()
    third = load(live_server.url, token, database)

    with duckdb.connect(str(database), read_only=True) as found:
        cities = found.execute("SELECT id, city FROM feed.prospects ORDER BY id").fetchall()
        numbers = found.execute("SELECT count(*) FROM feed.prospects__phones").fetchone()
        tables = found.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
        staged = [
            found.execute(f'SELECT count(*) FROM "{a}"."{b}"').fetchone()
            for a, b in tables
            if "staging" in a and "prospects" in b
        ]
    assert first["prospects"] == 3
    assert first["exclusions"] == 1
    assert second["prospects"] == 2
    assert "prospects" not in third
    assert cities == [(stays.pk, "Brest"), (moves.pk, "Lyon")]
    assert numbers == (2,)
    assert staged
    assert set(staged) == {(0,)}
    assert all(b"NomS" not in path.read_bytes() for path in (tmp_path / "dlt").rglob("*") if path.is_file())
