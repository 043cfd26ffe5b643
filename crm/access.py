"""Who may see and do what. Not yours: 404. Not allowed: 403."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404

from crm.models import Prospect, Source, Sponsor, User
from crm.rules.errors import Forbidden
from crm.selectors.scopes import (
    IN_HAND,
    barred_for,
    own_within_token,
    prospects_of,
    sees_every_sponsor,
    sources_of,
    sponsors_of,
)
from crm.selectors.webhooks import deliveries_of, owners_for, webhooks_of

__all__ = [
    "IN_HAND",
    "barred_for",
    "deliveries_of",
    "get_prospect_or_404",
    "get_source_or_404",
    "get_sponsor_or_404",
    "own_within_token",
    "owners_for",
    "prospects_of",
    "require",
    "role_required",
    "sees_every_sponsor",
    "sources_of",
    "sponsors_of",
    "webhooks_of",
]

View = Callable[..., HttpResponseBase]


def require(user: User, *roles: str) -> None:
    """Raise Forbidden unless the user has one of the roles."""
    if not user.is_active or user.role not in roles:
        raise Forbidden


def role_required(*roles: str) -> Callable[[View], View]:
    """Let only signed-in users of these roles enter a view; others get 403. Login itself is the middleware's."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user = request.user
            if not isinstance(user, User) or not user.is_active or user.role not in roles:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return guard


def get_sponsor_or_404(user: User, pk: int) -> Sponsor:
    """Return a sponsor that the user works for."""
    return get_object_or_404(sponsors_of(user), pk=pk)


def get_source_or_404(user: User, pk: int) -> Source:
    """Return a source that the user sees."""
    return get_object_or_404(sources_of(user), pk=pk)


def get_prospect_or_404(user: User, pk: int) -> Prospect:
    """Return a prospect that the user sees; an agent sees only the one of an open call and those of their callbacks."""
    return get_object_or_404(prospects_of(user).select_related("source"), pk=pk)
