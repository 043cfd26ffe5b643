"""How endpoints describe themselves in OpenAPI: one helper, so that every operation lists its problems alike."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers

from crm.api.paging import BY_ID, PAGE_PARAMETERS, ordering_parameter
from crm.api.problems import MEDIA_TYPE, PROBLEMS
from crm.api.selection import FIELDS_PARAMETER
from crm.enums import Resource
from crm.rules.token_scopes import scope_needed

F = TypeVar("F", bound=Callable[..., Any])

IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Your own text: the same request sent again with it happens once, and is answered alike for a day.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` that was read: 412 `stale` when it is no longer true.",
)


class ProblemOut(serializers.Serializer[Any]):
    """RFC 9457 problem details. `type` ends with `/problems/<name>/`."""

    type = serializers.URLField(help_text="Names: " + ", ".join(f"`{name}`" for name in PROBLEMS))
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Messages by field, such as `phones.0.number`; `__all__` for the whole.",
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


class ScopedSchema(AutoSchema):
    """Tell of each operation which scope a token needs for it."""

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> Any:
        """Return the description of an operation, its scope below."""
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        resource = getattr(self.view, "resource", "")
        if operation and resource in Resource.values:
            scope = scope_needed(resource, method, only_reads=method in getattr(self.view, "only_reads", ()))
            told = operation.get("description", "")
            operation["description"] = f"{told}\n\nScope: `{scope}`.".strip()
        return operation


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
) -> Callable[[F], F]:
    """Describe one operation. `answers` maps each success status to its shape, or to None when it has no body;
    `orderings` are those of a list; `has_fields`: what a GET answers may be kept to some fields."""
    more: list[Any] = list(parameters)
    if is_list:
        more += [*PAGE_PARAMETERS, ordering_parameter(orderings)]
    if operation.split("_")[-1] in {"create"} or (request is not None and has_etag is False):
        more.append(IDEMPOTENCY)
    if has_etag:
        more.append(IF_MATCH)
    responses: dict[Any, Any] = dict(answers)
    responses[("default", MEDIA_TYPE)] = ProblemOut
    shape = answers.get(200)

    def described(handler: F) -> F:
        selects = has_fields and handler.__name__ == "get" and hasattr(shape, "fields")
        if selects:
            setattr(handler, "answer_shape", shape)  # noqa: B010
        return extend_schema(
            operation_id=operation,
            summary=summary,
            description=description,
            tags=[tag],
            request=request,
            responses=responses,
            parameters=[*more, *([FIELDS_PARAMETER] if selects else [])],
        )(handler)

    return described
