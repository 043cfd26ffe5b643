"""API tokens: the list, a new one whose text is shown this once, and the end of one."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from crm import access
from crm.enums import MANAGING, Role
from crm.forms import TokenForm, show_refusal
from crm.models import ApiToken, User
from crm.rules.errors import DomainError
from crm.rules.token_scopes import OFFERED
from crm.selectors import tokens as tokens_selector
from crm.services import tokens
from crm.views.answers import form_page, now, page_of, refused, saved, sent, typed, user_of


@access.role_required(*MANAGING)
@require_safe
def token_list(request: HttpRequest) -> HttpResponse:
    """List the tokens of the accounts inside the user's walls: those that open something, or all with `?all=1`."""
    user, at, ended = user_of(request), now(), request.GET.get("all") == "1"
    page = page_of(request, tokens_selector.tokens_found(user, at, text=typed(request), ended=ended))
    context = {
        "page": page,
        "lines": [tokens_selector.token_line(token, reader=user, at=at) for token in page],
        "q": typed(request),
        "ended": ended,
    }
    return render(request, "crm/token_list.html", context)


@access.role_required(*MANAGING)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def token_new(request: HttpRequest) -> HttpResponse:
    """Show the form of a new token; make it, and show its text this once."""
    user = user_of(request)
    form = TokenForm(
        sent(request),
        initial={"account": request.GET.get("account", "")},
        programs=tokens_selector.programs_of(user),
        sponsors=access.sponsors_of(user),
        offered=OFFERED.get(Role.INTEGRATION, set()),
        today=timezone.localdate(now()),
    )
    if request.method == "POST" and form.is_valid():
        try:
            given = _given(form, user)
        except DomainError as error:
            show_refusal(form, error)
        else:
            return _shown(request, given, user)
    return form_page(request, "crm/token_new.html", form, {})


def _given(form: TokenForm, by: User) -> tokens.GivenToken:
    values: dict[str, Any] = {**form.values(), "by": by, "at": now()}
    account = form.cleaned_data["account"]
    if account is None:
        return tokens.give_token_to_new_program(**values)
    return tokens.give_token(user=account, **values)


def _shown(request: HttpRequest, given: tokens.GivenToken, user: User) -> HttpResponse:
    """Show the text in the answer itself: nothing keeps it, and asking the address again gives none."""
    context = {
        "line": tokens_selector.token_line(given.token, reader=user, at=now()),
        "token": given.token,
        "text": given.text,
        "address": request.build_absolute_uri(reverse("api-sponsors").removesuffix("sponsors/")),
    }
    return render(request, "crm/token_given.html", context)


@access.role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def token_revocation(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a token opens; end it."""
    user, at = user_of(request), now()
    rows: Any = tokens_selector.tokens_found(user, at, ended=True)
    token: ApiToken = get_object_or_404(rows, pk=pk)
    line = tokens_selector.token_line(token, reader=user, at=at)
    if request.method == "POST":
        try:
            tokens.revoke_token(token=token, at=at, by=user)
        except DomainError as error:
            return refused(request, error, "token-list")
        message = _("« %(name)s » n'ouvre plus rien.") % {"name": token.name or token.prefix}
        return saved(request, message, "token-list")
    return render(request, "crm/token_revocation.html", {"line": line, "token": token})
