"""The language of the pages: chosen in the frame, remembered by the browser and for the person."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from crm.models import User
from crm.services.account import choose_page_language


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remember the language of the pages (`language`: `fr` or `en`) and go back to the page that is shown."""
    response = redirect(_page_shown(request))
    code = request.POST.get("language", "")
    if code in dict(settings.LANGUAGES):
        remember_language(response, code)
        if isinstance(request.user, User):
            choose_page_language(code=code, by=request.user)
    return response


def remember_language(response: HttpResponse, code: str) -> None:
    """Let this browser ask for the pages in a language from now on."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite="Lax",
    )


def _page_shown(request: HttpRequest) -> str:
    """Return the address that the form was sent from, as it is by now: filters may have come after it was drawn."""
    for address in (request.headers.get("Referer", ""), request.POST.get("next", "")):
        if url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
            return address
    return "/"
