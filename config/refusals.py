"""What a page answers where nothing is, or where only a form leads: in the user's language, in development too."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.views.defaults import page_not_found

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
            return page_not_found(request, Http404())
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a record that is not there, or not this user's, by our page."""
        if not isinstance(exception, Http404) or request.path.startswith(ELSEWHERE):
            return None
        response = page_not_found(request, exception)
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
