"""A password that somebody else has seen opens one page: the one on which it is changed."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from config.doors import API
from crm.api.problems import MEDIA_TYPE, PROBLEMS
from crm.models import User

#: What stays open, by the name of its address.
OPEN = frozenset(
    {"account", "account-password", "logout", "language", "set_language", "javascript-catalogue"}
)


class FirstPassword:
    """Lead whoever signed in with a password that was given to the page of their account, and refuse programs so."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Go on: the view is judged once it is known."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Answer instead of a view that must wait. Pages for everybody ask nobody who they are."""
        match = request.resolver_match
        in_api = request.path_info.startswith(API)
        for_everybody = not in_api and not getattr(view, "login_required", True)
        if for_everybody or (match and match.view_name in OPEN):
            return None
        user = request.user
        if not isinstance(user, User) or not user.must_change_password:
            return None
        if in_api:
            return _refusal(request)
        if "HX-Request" in request.headers:
            return HttpResponse(status=204, headers={"HX-Redirect": reverse("account")})
        return redirect("account")


def _refusal(request: HttpRequest) -> HttpResponse:
    body = {
        "type": request.build_absolute_uri("/problems/forbidden/"),
        "title": str(PROBLEMS["forbidden"].title),
        "status": 403,
        "detail": _("Changez d'abord votre mot de passe provisoire."),
    }
    return JsonResponse(body, status=403, content_type=MEDIA_TYPE)
