"""What Schemathesis is told: which rows exist, and which refusals of valid data are rules of the business."""

import itertools
import json
import os
from typing import Any

import schemathesis

#: Ids of rows by the name that a body or a query refers to them, and by the path of their own address.
WORLD: dict[str, Any] = json.loads(os.environ.get("COURTOIS_FUZZ_WORLD", "{}"))
KEYS = itertools.count()


def _real(name: str, drawn: Any) -> Any:
    """Return the id of a row that exists for three drawn numbers of four."""
    known = isinstance(WORLD.get(name), int) and isinstance(drawn, int) and not isinstance(drawn, bool)
    return WORLD[name] if known and drawn % 4 else drawn


def _in_its_place(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body without the places that its `scope` does not take: with all of them nothing would be accepted."""
    if not isinstance(body.get("scope"), str):
        return body
    places = {"sponsor", "programme", "campaign"} - {body["scope"]}
    return {name: value for name, value in body.items() if name not in places}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Lead most requests to records that exist, use each idempotency key once, and ask for whole records.

    Otherwise nearly all would end with 404, or with the 422 of a key that was used. `fields` keeps an answer to a part
    of its shape, which its schema cannot say. tests/test_api_ground.py and tests/test_api_tokens.py ask for all that.
    """
    rows = WORLD.get(case.operation.path, {})
    for name, value in (case.path_parameters or {}).items():
        if name in rows and isinstance(value, int) and value % 4:
            case.path_parameters[name] = rows[name]
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.query:
        case.query = {name: _real(name, value) for name, value in case.query.items() if name != "fields"}
    if isinstance(case.body, dict):
        case.body = _in_its_place({name: _real(name, value) for name, value in case.body.items()})
    if case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"{case.headers['Idempotency-Key'][:100].strip()}{next(KEYS)}"


#: Fields whose valid values a rule of the business may refuse, which no shape can tell.
REFUSALS = {
    "a row that exists, and is the caller's": "sponsor sponsors source programme campaign prospect prospects call "
    "incident criterion team owner agent callback_agent disposition code decision",
    "a text that we gave, for this list": "cursor",
    "what can be read as telephone numbers": "number numbers phones",
    "a name that is not taken": "name slug external_id",
    "what the state, who asks, or another field of the same request, asks for": "event cause by reason summary "
    "note at evidence stage event_id situation step kind scope state items mapping exact text heard started_by "
    "attributes version until retry_after_seconds",
    "a day that makes sense": "expires_at due_at callback_at remind_at from to obtained_at",
    "a grammar, or a text that can be said": "subject question expected hours field operator "
    "value calling_rule language time_zone email",
    "a server that may be told": "url",
    "what the file is": "file options sheet region",
    "several fields at once": "__all__",
}
KNOWN = {name for names in REFUSALS.values() for name in names.split()}


@schemathesis.check
def refused_for_a_known_reason(ctx: Any, response: Any, case: Any) -> None:
    """Let valid data be refused in the fields of REFUSALS alone."""
    if response.status_code == 400 and case.meta is not None and case.meta.generation.mode.is_positive:
        named = {name.partition(".")[0] for name in json.loads(response.content).get("errors", {})}
        assert named <= KNOWN, f"valid data refused: {named - KNOWN}"
