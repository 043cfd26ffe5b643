"""What each problem looks like in OpenAPI: its statuses and members, one component a name, one answer a status."""

from dataclasses import dataclass, field
from typing import Any

from crm.api.problems import MEDIA_TYPE, PROBLEMS

TEXT = {"type": "string"}
ID = {"type": "integer", "minimum": 1}
MESSAGES = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": TEXT},
    "description": "Messages by field, such as `phones.0.number`; `__all__` for the whole.",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The statuses that a problem comes with, the members that it has beside those of every problem, those of them
    that never lack, and what they may hold."""

    statuses: tuple[int, ...]
    members: dict[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    example: dict[str, Any] = field(default_factory=dict)


SHAPES: dict[str, Shape] = {
    "open-call": Shape((409,), {"call": {**ID, "description": "The call that is open."}}, (), {"call": 31}),
    "closing-required": Shape((409,)),
    "excluded": Shape((409,), {"exclusion": {"anyOf": [ID, {"type": "null"}]}}, (), {"exclusion": 40}),
    "not-callable": Shape(
        (409,),
        {
            "gate": {**TEXT, "description": "The rule that refuses."},
            "reason": {**TEXT, "description": "Why, as a code."},
            "until": {"anyOf": [{**TEXT, "format": "date-time"}, {"type": "null"}]},
        },
        (),
        {"gate": "window", "reason": "outside_hours", "until": "2026-11-27T09:00:00Z"},
    ),
    "invalid-transition": Shape((409,)),
    "stale": Shape(
        (412,),
        {"version": {"type": "integer", "description": "Where the record is now."}},
        (),
        {"version": 4},
    ),
    "validation": Shape(
        (400,),
        {"errors": MESSAGES},
        ("errors",),
        {"errors": {"phones.0.number": ["Ce champ est obligatoire."]}},
    ),
    "not-found": Shape((404,)),
    "forbidden": Shape(
        (403,), {"scope": {**TEXT, "description": "What the token lacks."}}, (), {"scope": "prospects:write"}
    ),
    "throttled": Shape((429,)),
    "idempotency-conflict": Shape((409, 422)),
    "cursor-gone": Shape(
        (410,), {"cursor": {**TEXT, "description": "Where to go on after the lists."}}, (), {"cursor": "WyJh"}
    ),
    "feed-moved": Shape((503,)),
    "unauthenticated": Shape((401,)),
    "method-not-allowed": Shape((405,)),
    "unsupported-media-type": Shape((415,)),
    "too-large": Shape((413,)),
    "busy": Shape((503,)),
    "unavailable": Shape((503,)),
    "internal": Shape((500,)),
}

HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {"description": "Send it back as `If-Match`.", "schema": TEXT},
    "Location": {"description": "Where the new record is.", "schema": TEXT},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
    "WWW-Authenticate": {"description": "How to come in.", "schema": TEXT},
    "Idempotency-Replayed": {
        "description": "This key was answered before: here is that answer.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "RateLimit-Policy": {
        "description": 'Where requests are counted: `"default";q=3000;w=60`.',
        "schema": TEXT,
    },
    "RateLimit": {"description": 'What is left, and until when: `"default";r=2987;t=41`.', "schema": TEXT},
}
#: The headers that an answer of this status never lacks.
ALWAYS = {401: ("WWW-Authenticate",), 429: ("Retry-After",)}
SOMETIMES = {503: ("Retry-After",)}
LIMITS = ("RateLimit-Policy", "RateLimit")


def component_name(name: str) -> str:
    """Return the name of a problem's component: `open-call` is `OpenCallProblem`."""
    return "".join(word.capitalize() for word in name.split("-")) + "Problem"


def components() -> dict[str, Any]:
    """Return the components of all problems, by name."""
    return {component_name(name): _component(name, shape) for name, shape in SHAPES.items()}


def _component(name: str, shape: Shape) -> dict[str, Any]:
    title = str(PROBLEMS[name].title)
    example = {
        "type": f"https://courtois.example/problems/{name}/",
        "title": title,
        "status": shape.statuses[0],
        "detail": title,
        **shape.example,
    }
    return {
        "type": "object",
        "description": f"RFC 9457: {title}.",
        "examples": [example],
        "properties": {
            "type": {"type": "string", "format": "uri", "pattern": f"/problems/{name}/$"},
            "title": TEXT,
            "status": {"type": "integer", "enum": list(shape.statuses)},
            "detail": TEXT,
            **shape.members,
        },
        "required": ["type", "title", "status", "detail", *shape.required],
    }


def headers(*, always: tuple[str, ...] = (), sometimes: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the described headers of an answer."""
    return {name: {**HEADERS[name], "required": True} for name in always} | {
        name: HEADERS[name] for name in sometimes
    }


def problem_answer(status: int, names: list[str], *, is_counted: bool) -> dict[str, Any]:
    """Return the described answer of a status that these problems come with."""
    refs = [{"$ref": f"#/components/schemas/{component_name(name)}"} for name in names]
    told = headers(
        always=ALWAYS.get(status, ()),
        sometimes=(*SOMETIMES.get(status, ()), *(LIMITS if is_counted and status != 401 else ())),
    )
    return {
        "description": ", ".join(f"`{name}`" for name in names),
        "content": {MEDIA_TYPE: {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}}},
        **({"headers": told} if told else {}),
    }


def problem_answers(names: frozenset[str], *, is_counted: bool) -> dict[str, Any]:
    """Return the described answers of these problems, by status."""
    found: dict[int, list[str]] = {}
    for name in SHAPES:
        for status in SHAPES[name].statuses if name in names else ():
            found.setdefault(status, []).append(name)
    return {
        str(status): problem_answer(status, found[status], is_counted=is_counted) for status in sorted(found)
    }


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the components of the problems to a schema: a hook of drf-spectacular."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(components())
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    return result
