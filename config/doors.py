"""Two doors: people come with a session and get pages, programs come with a token and get JSON."""

from collections.abc import Callable

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import resolve

from crm.api.authentication import carries_token
from crm.api.endpoints import Endpoint

API = "/api/v1/"
#: An answer that is data loads nothing and stands in no frame.
POLICY = "default-src 'none'; frame-ancestors 'none'"


class TokenDoor:
    """Lead a request of the API that carries a token straight to its view.

    What stands behind this middleware serves sessions and pages: cookies, CSRF, messages, scripts. A token needs none
    of it, and a session never helps it out (`crm.api.authentication`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep the way of the others."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer by the view alone, or by the rest of the chain."""
        if not request.path_info.startswith(API) or not carries_token(request):
            return self.get_response(request)
        match = resolve(request.path_info)
        if not issubclass(getattr(match.func, "cls", object), Endpoint):
            return self.get_response(request)
        request.resolver_match = match
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        if isinstance(response, SimpleTemplateResponse):
            response.render()
        response.headers[HEADER] = POLICY
        return response


class PagePolicy(CSPMiddleware):
    """Gives an answer the policy of the pages, unless it has one: composing it in vain is a twentieth of a claim."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Set the header."""
        return response if HEADER in response.headers else super().process_response(request, response)
