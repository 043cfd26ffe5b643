"""Workers, PostgreSQL and Redis are killed while a list comes in: it ends with the same rows as an undisturbed run."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from config import embedded
from tests.killing import MATCH, MERGE, STAGE, House, Kill, Outcome, differences, random_plan, run
from tests.template_database import ready_template

#: More rounds at random moments than a test run needs.
ROUNDS = int(os.environ.get("COURTOIS_KILLED_ROUNDS", "2"))
#: So few that there is time to kill something in every phase.
CHUNK_ROWS = "30"

#: Known records of which some are updated, bars, a criterion that the file contradicts; then the list: 1,600 rows with
#: repeated ones far apart, rows without an id, opt-outs (on repeated rows too), and rows to reject.
SEED = """
import json
import django
django.setup()
from campaigns.services.imports import run_import, start_import, upload_import
from campaigns.rules.import_options import Options
from crm.enums import Role
from tests.factories import *
programme = make_programme()
make_criterion(programme, value="64")
campaign, manager, source = make_campaign(programme), make_user(Role.MANAGER), make_source()
HEAD = "SIRET;Raison sociale;NAF;Ville;Téléphone;Portable;Ne pas appeler;Remarque maison\\n"

def row(n, city="Metz", id=None, name=None, opt_out=""):
    id = str(10_000 + n) if id is None else id
    naf = "8891A" if n % 17 == 0 else "6419Z"
    phone = {0: "néant", 1: "18"}.get(n % 41, f"01 99 00 {n // 100:02d} {n % 100:02d}")
    mobile = f"06 39 98 {n // 100:02d} {n % 100:02d}" if n % 3 == 0 and n % 41 > 1 else ""
    return f"{id};{name or f'Société Été {n}'};{naf};{city};{phone};{mobile};{opt_out};note {n % 7}\\n"

def bring_in(text):
    job = upload_import(campaign=campaign, source=source, name="liste.csv", content=text.encode("cp1252"), by=manager,
                        options=Options(repeated=REPEATED), at=NOW)
    start_import(job=job, by=manager, at=NOW, wake_worker=False)
    return job

REPEATED = "first"
known = bring_in(HEAD + "".join(row(n, "Nancy", opt_out="oui" if n % 50 == 5 else "") for n in range(0, 600, 3)))
run_import(job_id=known.pk, at=NOW)
for n in range(0, 600, 45):
    make_exclusion(programme=programme, number=f"+33199000{n:03d}", reason="out_of_criteria")
REPEATED = "merge"
lines = [row(n, opt_out="oui" if n % 29 == 3 else "") for n in range(1_250)]
lines += [row(n, "", name=f"Autre nom {n}", opt_out="x" if n % 11 == 0 else "") for n in range(0, 1_250, 5)]
lines += [row(n, "Toul", id="") for n in range(1_200, 1_300)]
job = bring_in(HEAD + "".join(lines))
print(json.dumps({"job": job.pk}))
"""


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Servers of their own, with an import that was started and is at nobody's."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="killed-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        found = House(folder / "var", {"IMPORT_CHUNK_ROWS": CHUNK_ROWS})
        found.start()
        try:
            yield found
        finally:
            embedded.stop(found.folder)


@pytest.fixture(scope="module")
def job(house: House) -> int:
    """The import's number in the seed."""
    given = connection.settings_dict
    parts = {
        "host": given["HOST"],
        "port": given["PORT"],
        "user": given["USER"],
        "password": given["PASSWORD"],
    }
    migrated = make_conninfo(
        dbname=ready_template(), **{name: str(value) for name, value in parts.items() if value}
    )
    return int(house.seed(SEED, migrated)["job"])


@pytest.fixture(scope="module")
def undisturbed(house: House, job: int) -> Outcome:
    """What a run leaves in which nothing is killed."""
    return run(house, job)


def test_the_undisturbed_run_has_something_of_everything(undisturbed: Outcome) -> None:
    rows = undisturbed.rows

    assert undisturbed.state == "done", undisturbed.log[-3000:]
    assert {name for name, found in rows.items() if not found} == {"consents", "leftovers"}
    outcomes = "".join(rows["import rows"])
    assert all(f'"{outcome}"' in outcomes for outcome in ("created", "updated", "duplicate"))
    assert all(f'"{state}"' in "".join(rows["entries"]) for state in ("ready", "excluded", "screened_out"))


def same(undisturbed: Outcome, found: Outcome) -> None:
    assert found.state == "done", found.log[-3000:]
    assert differences(undisturbed, found) == {}


def test_postgres_crashes_in_each_phase_and_the_rows_are_read_again(
    house: House, job: int, undisturbed: Outcome
) -> None:
    crashes = [Kill("postgres", phase, 0.4) for phase in (STAGE, MATCH, MERGE)]

    found = run(house, job, [*crashes, Kill("backend", MERGE, 0.7)])

    assert found.kills >= 3
    assert found.read_again >= 2
    same(undisturbed, found)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_everything_is_killed_at_random_moments(
    house: House, job: int, undisturbed: Outcome, seed: int
) -> None:
    found = run(house, job, random_plan(seed), seed)

    # A fast machine may be done before the last of them.
    assert found.kills >= 2
    same(undisturbed, found)
