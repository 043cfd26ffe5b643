"""What every address of the API does alike: who comes in, how fast, in which format, and each POST at most once."""

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, MethodNotAllowed, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.api.authentication import reach_of
from crm.api.fields import stamp as stamp
from crm.api.idempotency import run_once
from crm.api.parsers import StrictJSONParser, is_storable
from crm.api.queries import refuse_unknown
from crm.api.selection import FIELDS, only_fields, wanted_fields
from crm.api.throttling import Budget, PerToken, spend
from crm.enums import CALLING, MANAGING, SUPERVISING, Role
from crm.models import User
from crm.rules.errors import DomainError, Forbidden, StaleRecord
from crm.rules.token_scopes import is_covered, offer, scope_needed

M = TypeVar("M", bound=Model)

EVERYBODY = frozenset(Role)
AGENTS = CALLING
SUPERVISORS = SUPERVISING
MANAGERS = MANAGING
PROGRAMS = frozenset({Role.INTEGRATION})
#: The resource of an address that any token may ask.
ANY = "*"


class JsonAlways(BaseContentNegotiation):
    """One format: whatever `Accept` says, the answer is JSON."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        """Return the parser of the body's media type, or None: 415."""
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        if not media_type:
            return next(iter(parsers))
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the one renderer."""
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class RoleAllowed(BasePermission):
    """Let in the roles that the endpoint names for the method; nobody when it names none."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the user's role may use this method; a method that is not there is 405 for everybody."""
        user = request.user
        if not isinstance(user, User) or not user.is_authenticated:
            return False
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method not in view.allowed_methods:
            raise MethodNotAllowed(method)
        return user.role in getattr(view, "roles", {}).get(method, frozenset())


class ScopeHeld(BasePermission):
    """Let a token in that has the scope of the endpoint's resource; nobody where the endpoint names none."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the endpoint names its resource; a missing scope is named in the refusal."""
        resource: str = getattr(view, "resource", "")
        if not resource or resource == ANY:
            return bool(resource)
        method = str(request.method)
        require_scope(
            request, scope_needed(resource, method, only_reads=method in getattr(view, "only_reads", ()))
        )
        return True


def holds(request: Request, scope: str) -> bool:
    """Return whether the request's token has a scope; somebody who signed in has what the role has."""
    token = reach_of(request)
    return token is None or is_covered(scope, token.scopes)


def require_scope(request: Request, scope: str) -> None:
    """Refuse a token without this scope, and name it."""
    if not holds(request, scope):
        message = _("Il manque à ce jeton le droit « %(scope)s ».") % {"scope": scope}
        raise Forbidden(message, extra={"scope": scope})


class Endpoint(APIView):
    """An address of the API. `roles` names, for each method, who may use it: nobody else gets further.

    `resource` (a `Resource`, or ANY) is what it is about: a token needs `<resource>:read` for GET and for the methods
    of `only_reads`, which change nothing, and `<resource>:write` for the others. Without one nobody gets in.
    """

    roles: ClassVar[dict[str, frozenset[Role]]] = {}
    resource: ClassVar[str] = ""
    only_reads: ClassVar[frozenset[str]] = frozenset()
    parser_classes = [StrictJSONParser]
    content_negotiation_class = JsonAlways
    permission_classes = [RoleAllowed, ScopeHeld]
    throttle_classes = [PerToken]
    http_method_names = ["get", "head", "post", "patch", "delete"]
    #: What the token may still ask, where requests are counted; and the fields that were asked for.
    budget: Budget | None = None
    wanted: frozenset[str] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Note what the address offers to whom, for whoever chooses the scopes of a token."""
        super().__init_subclass__(**kwargs)
        for method, roles in cls.roles.items():
            if cls.resource not in ("", ANY):
                needed = scope_needed(cls.resource, method, only_reads=method in cls.only_reads)
                offer(cls.resource, needed.rpartition(":")[2], roles)

    def perform_authentication(self, request: Request) -> None:
        """Find out who asks, and count the request: a refused one is a request too."""
        super().perform_authentication(request)
        if PerToken in self.throttle_classes:
            self.budget = spend(request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check who asks, then that the address itself can be read; a POST with a key is then run once."""
        super().initial(request, *args, **kwargs)
        for name, values in request.query_params.lists():
            if not all(map(is_storable, values)):
                raise ValidationError({name: [_("Caractère nul ou incomplet.")]})
            if len(values) > 1:
                # Whichever were taken, the others would be passed over in silence.
                raise ValidationError({name: [_("Une seule fois par demande.")]})
        handler: Any = getattr(self, str(request.method).lower().replace("head", "get"), None)
        if (known := getattr(handler, "query_names", None)) is not None:
            refuse_unknown(request, {*known, FIELDS})
        if FIELDS in request.query_params:
            self.wanted = wanted_fields(request, handler)
        if request.method == "POST" and "Idempotency-Key" in request.headers:
            once = partial(self._answer, handler, request, *args, **kwargs)
            setattr(self, "post", partial(self._post_once, once))  # noqa: B010

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep to the fields that were asked for, and say how many requests are left."""
        if self.wanted is not None and 200 <= response.status_code < 300:
            response.data = only_fields(response.data, self.wanted)
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.budget is not None:
            for name, value in self.budget.headers().items():
                response[name] = value
        return response

    def _post_once(
        self, handler: Callable[[], Response], request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        return run_once(request, user=caller(request), at=now(), handler=handler)

    def _answer(self, post: Callable[..., Response], request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the answer of `post`, or that of its refusal: what a service stored about it shall be committed."""
        try:
            return post(request, *args, **kwargs)
        except (DomainError, APIException) as refusal:
            return self.handle_exception(refusal)


def caller(request: Request) -> User:
    """Return who asks; an endpoint lets nobody in without a user."""
    user = request.user
    assert isinstance(user, User)
    return user


def now() -> datetime:
    """Return the moment of the request, which the domain is told."""
    return timezone.now()


def etag_of(data: Any) -> str:
    """Return the entity tag of a representation: a digest of what a client reads."""
    text = json.dumps(data, sort_keys=True, default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'


def check_fresh(request: Request, etag: str) -> None:
    """Refuse with 412 when the request has an `If-Match` that does not name this entity tag."""
    wanted = request.headers.get("If-Match")
    if wanted is None or wanted.strip() == "*":
        return
    if etag not in {part.strip() for part in wanted.split(",")}:
        raise StaleRecord


def locked(request: Request, mine: QuerySet[M], pk: int, shown: Callable[[M], dict[str, Any]]) -> M:
    """Lock one of the records that the user sees (`mine`) for a PATCH, in the caller's transaction; return it.

    404 when it is not among them; 412 when `If-Match` does not name the entity tag of what is `shown` of it now.
    """
    rows = mine.model._default_manager.select_for_update(no_key=True)
    found = get_object_or_404(rows, pk__in=mine.order_by().values("pk"), id=pk)
    check_fresh(request, etag_of(shown(found)))
    return found


def record(
    data: dict[str, Any], *, status: int = 200, etag: str | None = None, location: str = ""
) -> Response:
    """Answer with one record and its entity tag."""
    headers = {"ETag": etag or etag_of(data)}
    if location:
        headers["Location"] = location
    return Response(data, status=status, headers=headers)
