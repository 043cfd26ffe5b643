"""An example of every body of the API, for whoever reads its schema: `api_examples.json` holds one of each shape."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_suffix(".json")
JSON = "application/json"


@cache
def _written() -> dict[str, Any]:
    """The examples of the file, by the name of their component."""
    examples: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return examples


def add_examples(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Give an example to each JSON body that its operation gives none: a hook of drf-spectacular.

    That of its shape, as the file or another operation has it; a page has one record.
    """
    bodies = list(_bodies(result))
    known = dict(_written())
    for _title, name, body in bodies:
        for example in body.get("examples", {}).values():
            known.setdefault(name, example["value"])
    for title, name, body in bodies:
        if (example := _example(name, known)) is not None:
            body.setdefault("examples", {title: {"value": example}})
    return result


def _bodies(result: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the JSON bodies that are asked or answered: what they are, the name of their component, what is told."""
    for path in result["paths"].values():
        for operation in path.values():
            asked, answered = operation.get("requestBody", {}), operation["responses"].values()
            for title, part in (("Request", asked), *(("Answer", answer) for answer in answered)):
                if body := part.get("content", {}).get(JSON):
                    yield title, body["schema"].get("$ref", "").rpartition("/")[2], body


def _example(name: str, known: dict[str, Any]) -> Any:
    if name in known or not name.endswith("Page"):
        return known.get(name)
    row = known.get(f"{name.removesuffix('Page')}Out")
    return None if row is None else {"next": None, "previous": None, "results": [row]}
