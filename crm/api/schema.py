"""How endpoints describe themselves in OpenAPI: one helper, so that every operation lists its problems alike."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers

from crm.api.fields import MOMENT, REFERENCE
from crm.api.paging import BY_ID, PAGE_PARAMETERS, ordering_parameter
from crm.api.problem_shapes import LIMITS, headers, problem_answers
from crm.api.selection import fields_parameter
from crm.enums import Resource
from crm.rules.token_scopes import scope_needed

F = TypeVar("F", bound=Callable[..., Any])

IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="Your own text: the same request sent again with it happens once, and is answered alike for a day.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` that was read: 412 `stale` when it is no longer true.",
)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describe `Authorization: Bearer TOKEN`."""

    target_class = "crm.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the OpenAPI security scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token, made on the page « Jetons d'API » or by `manage.py create_token`. It needs the "
            "scope that each operation names: `<resource>:read`, or `<resource>:write`, which holds the first.",
        }


class ExactSchema(AutoSchema):
    """Tell of each operation which scope a token needs for it, and every answer that it may get."""

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> Any:
        """Return the description of an operation, its scope below, its problems and headers among its answers."""
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        view: Any = self.view
        if not operation or not hasattr(view, "resource"):
            return operation
        resource = view.resource
        if resource in Resource.values:
            scope = scope_needed(resource, method, only_reads=method in view.only_reads)
            told = operation.get("description", "")
            operation["description"] = f"{told}\n\nScope: `{scope}`.".strip()
        handler = getattr(view, method.lower())
        is_counted = bool(view.throttle_classes)
        for status, answer in operation["responses"].items():
            self._add_headers(answer, status, method, is_counted=is_counted)
        names = COMMON | getattr(handler, "problems", frozenset()) | _derived(method, path)
        if is_counted:
            names |= {"throttled"}
        operation["responses"] |= problem_answers(names, is_counted=is_counted)
        return operation

    def _add_headers(self, answer: dict[str, Any], status: str, method: str, *, is_counted: bool) -> None:
        """Describe the headers of a success: those of a record, of a repeated POST, of counted requests."""
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        component = self.registry._components.get((schema.get("$ref", "").rpartition("/")[2], "schemas"))
        is_record = component is not None and "id" in component.schema.get("properties", {})
        always = ("ETag", *(("Location",) if status in ("201", "202") else ())) if is_record else ()
        sometimes = (
            *(("Idempotency-Replayed",) if method == "POST" else ()),
            *(LIMITS if is_counted else ()),
        )
        if found := headers(always=always, sometimes=sometimes):
            answer["headers"] = answer.get("headers", {}) | found


#: What any address may answer.
COMMON = frozenset({"validation", "unauthenticated", "forbidden", "busy", "unavailable", "internal"})


def _derived(method: str, path: str) -> set[str]:
    """Return the problems that follow from a method and an address: of a record, of a body, of an idempotency key."""
    names = {"not-found"} if "{" in path else set()
    if method in ("POST", "PATCH"):
        names |= {"too-large", "unsupported-media-type"}
    if method == "POST":
        names |= {"idempotency-conflict"}
    return names


class BodyShape(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describe what a body refuses and ignores."""

    target_class = "crm.api.fields.Body"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        """Return the shape, closed against unknown fields, with the ones of the answer that may be sent back."""
        shape = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        if not shape.get("properties"):
            return shape
        for name in self.target.ignored:
            shape["properties"].setdefault(name, {"description": "As it was answered; ignored."})
        return {**shape, "additionalProperties": False}


class TextShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describe a text that must say something: one of blanks alone says nothing."""

    target_class = "crm.api.fields.Text"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        """Return the shape of the field."""
        shape = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        # Whoever asked adds null again.
        shape["type"] = "string"
        return shape if self.target.allow_blank else {**shape, "pattern": r"\S"}


class MomentShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describe the years of a moment."""

    target_class = "crm.api.fields.Moment"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        """Return the shape of the field."""
        return dict(MOMENT)


def _bounded(parameter: OpenApiParameter) -> OpenApiParameter:
    """Return a query parameter within what crm.api.queries reads: an id, a moment of these centuries."""
    if parameter.type is int:
        parameter.type = REFERENCE
    elif parameter.type is datetime:
        parameter.type = MOMENT
    return parameter


def _examples(asked: Any, answered: Any) -> list[OpenApiExample] | None:
    found = []
    if asked is not None:
        found.append(OpenApiExample("Request", asked, request_only=True))
    if answered is not None:
        found.append(OpenApiExample("Answer", answered, response_only=True))
    return found or None


def page_of(item: type[serializers.BaseSerializer[Any]]) -> serializers.BaseSerializer[Any]:
    """Return the shape of a page of `item`."""
    name = item.__name__.removesuffix("Out")
    return inline_serializer(
        f"{name}Page",
        {
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            "results": item(many=True),
        },
    )


def describe(
    operation: str,
    summary: str,
    *,
    tag: str,
    request: Any = None,
    answers: Mapping[Any, Any],
    parameters: Sequence[Any] = (),
    description: str = "",
    is_list: bool = False,
    has_etag: bool = False,
    orderings: tuple[str, ...] = BY_ID,
    has_fields: bool = True,
    problems: Sequence[str] = (),
    asked: Any = None,
    answered: Any = None,
) -> Callable[[F], F]:
    """Describe one operation. `answers` maps each success status to its shape, or to None when it has no body;
    `orderings` are those of a list; `has_fields`: what a GET answers may be kept to some fields; `has_etag`: it obeys
    `If-Match`; `problems` are the names that the domain adds to those that every such address has (`_derived`); `asked`
    and `answered` are an example."""
    shape = answers.get(200)

    def described(handler: F) -> F:
        more: list[Any] = [_bounded(item) for item in parameters]
        if is_list:
            more += [*PAGE_PARAMETERS, ordering_parameter(orderings)]
        if handler.__name__ == "post":
            more.append(IDEMPOTENCY)
        if has_etag:
            more.append(IF_MATCH)
        if has_fields and handler.__name__ == "get" and hasattr(shape, "fields"):
            setattr(handler, "answer_shape", shape)  # noqa: B010
            more.append(fields_parameter(shape))
        queries = frozenset(item.name for item in more if item.location == OpenApiParameter.QUERY)
        setattr(handler, "query_names", queries)  # noqa: B010
        setattr(handler, "problems", frozenset({*problems, *(("stale",) if has_etag else ())}))  # noqa: B010
        return extend_schema(
            operation_id=operation,
            summary=summary,
            description=description,
            tags=[tag],
            request=request,
            responses=dict(answers),
            parameters=more,
            examples=_examples(asked, answered),
        )(handler)

    return described
