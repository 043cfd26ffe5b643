"""The schema describes what the API really does, without a warning; and no body, however wrong, breaks it."""

from typing import Any

import pytest
from django.db import transaction
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from crm.api.problem_shapes import HEADERS, SHAPES
from crm.api.problems import PROBLEMS
from tests.api_client import Api, problem_of
from tests.factories import make_user
from tests.test_api_calls import Desk
from tests.test_api_matrix import MATRIX, address_of, make_world


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


def test_the_schema_is_valid_openapi_3_1_without_a_warning() -> None:
    GENERATOR_STATS.reset()
    with GENERATOR_STATS.silence():
        found = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]

    validate_schema(found)  # type: ignore[no-untyped-call]
    assert found["openapi"].startswith("3.1")
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache


def test_every_operation_says_what_its_problems_look_like(schema: dict[str, Any]) -> None:
    operations = [item for path in schema["paths"].values() for item in path.values()]

    assert len(operations) > 60
    for item in operations:
        assert {"400", "401", "403", "500", "503"} <= set(item["responses"]), item["operationId"]
        for status, answer in item["responses"].items():
            wanted = "application/problem+json" if int(status) >= 400 else None
            assert wanted is None or set(answer["content"]) == {wanted}, (item["operationId"], status)
    assert len({item["operationId"] for item in operations}) == len(operations)


def test_every_kind_of_problem_has_its_shape() -> None:
    assert set(SHAPES) == set(PROBLEMS)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "line", [line for line in MATRIX if line.method != "GET"], ids=lambda line: line.name
)
def test_a_parameter_that_does_not_exist_is_refused_and_named(line: Any) -> None:
    if line.name == "api-nowhere":
        return
    world = make_world()
    role = next(name for name in ("manager", "agent", "integration") if getattr(line, name) != 403)

    answer = Api(world.users[role]).call(line.method, f"{address_of(line.name, world)}?dry_run=1", {})

    assert "dry_run" in problem_of(answer, "validation", 400)["errors"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value"),
    [("name", 12), ("slug", 12), ("sponsor", "1"), ("obtained_at", 20260101), ("name", True)],
)
def test_a_value_is_not_made_into_another_type(name: str, value: Any) -> None:
    api = Api(make_user("manager"))

    answer = api.post("sources/", {"name": "Une source", name: value})

    assert set(problem_of(answer, "validation", 400)["errors"]) == {name}


def operation_of(schema: dict[str, Any], address: str, method: str) -> dict[str, Any]:
    """Return the operation that describes an address; a literal part of a path goes before a parameter."""
    parts = address.split("/")
    fitting = [
        path
        for path in schema["paths"]
        if len(path.split("/")) == len(parts)
        and all(own == part or own.startswith("{") for own, part in zip(path.split("/"), parts, strict=True))
        and method.lower() in schema["paths"][path]
    ]
    found: dict[str, Any] = schema["paths"][min(fitting, key=lambda path: path.count("{"))][method.lower()]
    return found


def resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        part = schema["components"]["schemas"][part["$ref"].rpartition("/")[2]]
    return part


def check(schema: dict[str, Any], shape: dict[str, Any], body: Any) -> None:
    """Assert that an answer has the described shape, and no member that is not described."""
    Draft202012Validator({**shape, "components": schema["components"]}).validate(body)
    properties = resolved(schema, shape).get("properties", {})
    assert set(body) <= set(properties), set(body) - set(properties)
    results = properties.get("results")
    if results:
        item = resolved(schema, results["items"])
        for row in body["results"]:
            assert set(row) <= set(item["properties"]), set(row) - set(item["properties"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "line",
    [line for line in MATRIX if line.method in ("GET", "PATCH") and line.manager == 200],
    ids=lambda line: line.name,
)
def test_each_answer_has_the_shape_that_the_schema_says(schema: dict[str, Any], line: Any) -> None:
    if line.name in ("api-schema", "api-import-rejects"):
        return
    world = make_world()
    address = address_of(line.name, world)

    answer = Api(world.users["manager"]).call(line.method, address, None if line.method == "GET" else {})

    described = operation_of(schema, address, line.method)["responses"]["200"]
    check(schema, described["content"]["application/json"]["schema"], answer.json())
    told = described.get("headers", {})
    assert {name for name in HEADERS if name in answer.headers} <= set(told)
    assert {name for name, header in told.items() if header.get("required")} <= set(answer.headers)


@pytest.mark.django_db
def test_a_call_has_the_shape_that_the_schema_says_in_every_state(schema: dict[str, Any]) -> None:
    shape = {"$ref": "#/components/schemas/CallOut"}
    desk = Desk()

    check(schema, shape, desk.claim())
    check(schema, shape, desk.done("dial"))
    check(schema, shape, desk.done("events", event="answered"))
    check(schema, shape, desk.done("greet"))
    check(schema, shape, desk.done("criteria", criterion=desk.criterion.pk, result="mismatch", heard="non"))
    check(schema, shape, desk.done("closing", step="apologise"))
    check(schema, shape, desk.done("events", event="hung_up", by="prospect"))
    check(schema, shape, desk.done("disposition", code="out_of_criteria"))


#: What no field means; each is sent as the value of every field at once.
JUNK: list[Any] = [
    None,
    True,
    -1,
    10**30,
    "",
    "\u202e' OR 1=1 --",
    "x" * 100_000,
    [[1]],
    {"a": {"b": []}},
    "0001-01-01T00:00:00+23:59",
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "line",
    [line for line in MATRIX if line.method in ("POST", "PATCH")],
    ids=lambda line: f"{line.method} {line.name}",
)
def test_no_body_breaks_an_address(schema: dict[str, Any], line: Any) -> None:
    world = make_world()
    address = address_of(line.name, world)
    role = "agent" if line.name.startswith("api-call-") and line.agent != 403 else "manager"
    api = Api(world.users[role])
    fields: list[str] = []
    if line.name != "api-nowhere":
        operation = operation_of(schema, address, line.method)
        for media in operation.get("requestBody", {}).get("content", {}).values():
            fields = list(resolved(schema, media["schema"]).get("properties", {}))

    for junk in JUNK:
        body = dict.fromkeys(fields or ["a"], junk)
        with transaction.atomic():
            answer = api.call(line.method, address, body)
            transaction.set_rollback(True)
        assert answer.status_code < 500, (body, answer.content)
        if answer.status_code >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "line", [line for line in MATRIX if line.method == "GET"], ids=lambda line: line.name
)
def test_no_query_breaks_an_address(schema: dict[str, Any], line: Any) -> None:
    world = make_world()
    address = address_of(line.name, world)
    api = Api(world.users["manager"])
    names = {"format", "cursor"}
    if line.name not in ("api-nowhere", "api-schema"):
        described = operation_of(schema, address, "GET").get("parameters", [])
        names |= {item["name"] for item in described if item["in"] == "query"}

    for name in sorted(names):
        for value in ("", "%00", "x", "9" * 40, "%ED%A0%80", "0001-01-01T00:00:00%2B23:59"):
            answer = api.get(f"{address}?{name}={value}")
            assert answer.status_code < 500, (name, value, answer.content)


def test_each_body_has_an_example_that_is_what_the_schema_says(schema: dict[str, Any]) -> None:
    checked = 0
    for path in schema["paths"].values():
        for operation in path.values():
            for part in (operation.get("requestBody", {}), *operation["responses"].values()):
                for kind, media in part.get("content", {}).items():
                    assert kind != "application/json" or media.get("examples"), operation["operationId"]
                    for example in media.get("examples", {}).values():
                        whole = {**media["schema"], "components": schema["components"]}
                        Draft202012Validator(whole).validate(example["value"])
                        checked += 1

    assert checked > 100


def test_each_problem_has_an_example_that_is_what_the_schema_says(schema: dict[str, Any]) -> None:
    shapes = {
        name: shape for name, shape in schema["components"]["schemas"].items() if name.endswith("Problem")
    }

    assert len(shapes) == len(PROBLEMS)
    for shape in shapes.values():
        [example] = shape["examples"]
        Draft202012Validator({**shape, "components": schema["components"]}).validate(example)
