"""The peer: django-import-export in bulk mode, given rows that are already read, repaired and told apart.

`python -m bench.import_export FOLDER [--references]` takes the folder that `bench.imports` dumped the final rows into,
and prints the seconds from the start of the process to the end of prospects, numbers and entries, then those to the end
of the timeline, too. It checks nothing of what an import here checks. With `--references` a reference is what the
library makes of it by default, a query a row; else a plain id that costs none.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from bench.place import use_django

#: Columns of the dumps, in their order, are the columns of the tables.
BATCH = 1_000


def main(folder: Path, *, references: bool) -> int:
    """Load the four tables and print the seconds."""
    began = psutil.Process().create_time()
    use_django()
    from import_export import resources

    from campaigns.models import ListEntry
    from crm.models import Prospect, ProspectEvent, ProspectNumber

    before = time.time()
    _load_what_they_refer_to(folder)
    began += time.time() - before
    for model in (Prospect, ProspectNumber, ListEntry, ProspectEvent):
        fields = {} if references else _plain_references(model)
        members = {**fields, "Meta": _meta_of(model)}
        resource = type(f"{model.__name__}Resource", (resources.ModelResource,), members)()
        rows = _dataset(folder, model)
        result = resource.import_data(rows, raise_errors=True, use_transactions=True)
        assert result.totals["new"] == len(rows), result.totals
        if model in (ListEntry, ProspectEvent):
            print(time.time() - began)
    return 0


def _meta_of(model: Any) -> type:
    """The options with which the library is quickest."""
    options = {
        "model": model,
        "use_bulk": True,
        "batch_size": BATCH,
        "skip_diff": True,
        "report_skipped": False,
        "force_init_instance": True,
        "skip_html_diff": True,
    }
    return type("Meta", (), options)


def _plain_references(model: Any) -> dict[str, Any]:
    from import_export.fields import Field
    from import_export.widgets import IntegerWidget

    return {
        field.name: Field(attribute=field.attname, column_name=field.name, widget=IntegerWidget())
        for field in model._meta.fields
        if field.is_relation
    }


def _load_what_they_refer_to(folder: Path) -> None:
    from bench.imports import BEFORE, _load
    from bench.place import connect

    with connect() as connection:
        connection.execute("SET session_replication_role = replica")
        for table in BEFORE:
            _load(connection, folder / table, table)


def _dataset(folder: Path, model: Any) -> Any:
    """The rows of a table as import-export wants them: by field name, texts as a file would have them."""
    import tablib

    from bench.imports import _columns
    from bench.place import connect

    fields = {field.column: field.name for field in model._meta.fields}
    with connect() as connection:
        columns = [name.strip('"') for name in _columns(connection, model._meta.db_table).split(", ")]
    lines = (folder / model._meta.db_table).read_text("utf-8").splitlines()
    data = tablib.Dataset(headers=[fields[name] for name in columns if name in fields])
    for line in lines:
        cells = zip(columns, line.split("\t"), strict=True)
        data.append([_value(name, cell) for name, cell in cells if name in fields])
    return data


def _value(name: str, cell: str) -> Any:
    if cell == "\\N":
        return ""
    if name in ("attributes", "data"):
        return cell.replace('\\\\"', '\\"')
    if name == "at" or name.endswith("_at"):
        return cell.removesuffix("+00")
    return {"t": True, "f": False}.get(cell, cell) if name in ("confidential", "exact") else cell


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--references", action="store_true")
    given = parser.parse_args()
    sys.exit(main(given.folder, references=given.references))
