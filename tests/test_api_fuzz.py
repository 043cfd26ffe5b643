"""Whatever a program sends, within the schema or outside: the answer is one that the schema tells.

A few requests for each operation, always the same; `python -m bench.fuzz_api` sends thousands.
"""

from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.fuzz.running import fuzz
from tests.fuzz.world import make_rows

#: What a few requests take: one of each kind; sequences and boundaries are the benchmark's.
FEW = ["--phases", "fuzzing", "--generation-deterministic", "--max-examples", "1", "--no-shrink"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ["manager", "agent", "integration"])
def test_every_answer_is_one_that_the_schema_tells(live_server: LiveServer, settings: Any, role: str) -> None:
    settings.API_REQUESTS_PER_MINUTE = 0
    token, rows = make_rows(role)

    done = fuzz(live_server.url, token, rows=rows, seed=1, arguments=FEW)

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
