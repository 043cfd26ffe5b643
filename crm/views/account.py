"""One's own account: name, languages, goal, and the password."""

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from crm import access
from crm.enums import CALLING
from crm.forms import AccountForm, PasswordForm, show_refusal
from crm.models import User
from crm.rules.errors import DomainError
from crm.services import account as own
from crm.views.answers import now, saved, sent, user_of


@access.role_required(*CALLING)
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Show one's own account; change what is one's own to change."""
    user = user_of(request)
    form = AccountForm(sent(request), user=user)
    if request.method == "POST" and not user.must_change_password and form.is_valid():
        try:
            own.edit_account(data=form.cleaned_data, by=user, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            return saved(request, _("Enregistré."), "account")
    return _page(request, user, form, PasswordForm(user=user))


@access.role_required(*CALLING)
@sensitive_post_parameters()
@require_POST
def account_password(request: HttpRequest) -> HttpResponse:
    """Change one's own password: this session goes on, the others end."""
    user = user_of(request)
    form, first = PasswordForm(request.POST, user=user), user.must_change_password
    if form.is_valid():
        try:
            changed = own.change_password(
                current=form.cleaned_data.get("current", ""),
                new=form.cleaned_data["new"],
                by=user,
                at=now(),
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            update_session_auth_hash(request, changed)
            message = _("Votre mot de passe est changé ; vos autres sessions sont closes.")
            return saved(request, message, "home" if first else "account")
    return _page(request, user, AccountForm(user=user), form)


def _page(request: HttpRequest, user: User, form: AccountForm, password: PasswordForm) -> HttpResponse:
    wrong = (form.is_bound and form.errors) or (password.is_bound and password.errors)
    context = {"form": form, "password": password, "first": user.must_change_password}
    return render(request, "crm/account.html", context, status=422 if wrong else 200)
