"""What a page answers where nothing is, where only a form leads, or while the database is away: in the user's language,
in development too."""

import sys
from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.views import defaults

from crm.api.problems import MEDIA_TYPE, PROBLEMS, is_database_gone

#: These answer for themselves.
ELSEWHERE = ("/api/", "/admin/")


class PageRefusals:
    """Show our page for 404 whatever DEBUG says, and lead a GET of an address that only takes forms to its page.

    Such an address is asked by a reload, a bookmark or the change of language after a form that was refused.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, and put our pages in the place of the framework's."""
        response = self.get_response(request)
        if request.path.startswith(ELSEWHERE):
            return response
        if response.status_code == 405 and request.method in ("GET", "HEAD"):
            return redirect(_page_above(request.path))
        if response.status_code == 404 and request.resolver_match is None:
            return defaults.page_not_found(request, Http404())
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a record that is not there, or not this user's, by our page."""
        if not isinstance(exception, Http404) or request.path.startswith(ELSEWHERE):
            return None
        response = defaults.page_not_found(request, exception)
        if "HX-Request" in request.headers and request.method == "POST":
            # A whole page does not go into a fragment of another: what is shown is out of date, read it again.
            response["HX-Refresh"] = "true"
        return response


def _page_above(path: str) -> str:
    """Return the nearest address above `path` that exists."""
    while path != "/":
        path = path.rstrip("/").rpartition("/")[0] + "/"
        try:
            resolve(path)
        except Resolver404:
            continue
        break
    return path


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what is refused before any view: the API by a problem, whose address names no host that is unknown."""
    if not request.path.startswith("/api/"):
        return defaults.bad_request(request, exception)
    detail = str(PROBLEMS["validation"].title)
    if isinstance(exception, DisallowedHost):
        detail = _("Ce serveur ne répond pas sous ce nom d'hôte (en-tête `Host`).")
    body = {
        "type": "/problems/validation/",
        "title": str(PROBLEMS["validation"].title),
        "status": 400,
        "detail": detail,
        "errors": {"__all__": [detail]},
    }
    return JsonResponse(body, status=400, content_type=MEDIA_TYPE)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say that something broke; of a database that is away, that one tries again in a moment."""
    if not is_database_gone(sys.exception()):
        return defaults.server_error(request)
    response = defaults.server_error(request, "503.html")
    response.status_code = 503
    response.headers["Retry-After"] = "5"
    return response
