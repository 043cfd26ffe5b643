"""Copy prospects, calls, dispositions and exclusions into DuckDB, and keep them up to date from the change feed.

    pip install "dlt[duckdb]"
    COURTOIS=https://courtois.example TOKEN=… python dlt_changes.py courtois.duckdb

Each run takes in what changed since the one before. dlt keeps the cursor with the rows: both are loaded, or neither.
A person who was erased disappears from every table; no copy of what was loaded is left in dlt's own folder.
"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
# Files and staging tables on the way hold people's data: they go when they are loaded.
os.environ["LOAD__DELETE_COMPLETED_JOBS"] = "true"
os.environ["LOAD__TRUNCATE_STAGING_DATASET"] = "true"

import dlt

LISTS = {"prospects": "prospect", "calls": "call", "exclusions": "exclusion"}


class Courtois:
    """The API of a house, asked with a token of the scopes `changes:read` and those of what is copied."""

    def __init__(self, base: str, token: str) -> None:
        """Remember where it is and who asks."""
        self.base, self.token = base.rstrip("/"), token

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Return an answer."""
        address = path if path.startswith("http") else f"{self.base}/api/v1/{path}"
        if query:
            address += "?" + urllib.parse.urlencode(query)
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def rows_of(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield all records of a list."""
        page = self.get(f"{name}/", limit=500)
        while True:
            yield from page["results"]
            if page["next"] is None:
                return
            page = self.get(page["next"])


def row(kind: str, record: dict[str, Any], version: int, op: str = "created") -> dict[str, Any]:
    """Return a record as it is stored, in the table of its kind."""
    return {**record, "kind": kind, "version": version, "is_erased": op == "erased"}


@dlt.resource(
    name="changes",
    table_name=lambda item: f"{item['kind']}s",
    write_disposition="merge",
    primary_key=("kind", "id"),
    # Of two in one load the highest version stands; an erased one is deleted, with its numbers.
    columns={"version": {"dedup_sort": "desc"}, "is_erased": {"hard_delete": True}},
    max_table_nesting=1,
)
def changes(api: Courtois) -> Iterator[dict[str, Any]]:
    """Yield what changed since the last load; the whole lists first, and after too long an absence."""
    state = dlt.current.resource_state()
    cursor = state.get("cursor")
    page = None
    if cursor:
        try:
            page = api.get("changes/", cursor=cursor, limit=500)
        except urllib.error.HTTPError as error:
            # What follows the cursor is no longer kept: read the lists again.
            if error.code != 410:
                raise
    if page is None:
        page = api.get("changes/", cursor="latest", limit=500)
        for name, kind in LISTS.items():
            for record in api.rows_of(name):
                erased = "erased" if record.get("erased_at") else "created"
                yield row(kind, record, record["version"], erased)
    while True:
        for change in page["results"]:
            yield row(change["kind"], change["record"], change["version"], change["op"])
        state["cursor"] = page["cursor"]
        if not page["has_more"]:
            return
        page = api.get("changes/", cursor=page["cursor"], limit=500)


def load(base: str, token: str, database: Path, folder: Path | None = None) -> dict[str, int]:
    """Load what changed into `database`, a DuckDB file; return how many rows each table was told of.

    `folder` is where dlt keeps its own files, beside the database unless told otherwise.
    """
    pipeline = dlt.pipeline(
        pipeline_name="courtois",
        destination=dlt.destinations.duckdb(str(database)),
        dataset_name="feed",
        pipelines_dir=str(folder or database.parent / "dlt"),
    )
    pipeline.run(changes(Courtois(base, token))).raise_on_failed_jobs()
    counts = pipeline.last_trace.last_normalize_info.row_counts
    return {name: count for name, count in counts.items() if not name.startswith("_dlt")}


if __name__ == "__main__":
    print(load(os.environ["COURTOIS"], os.environ["TOKEN"], Path(sys.argv[1])))
