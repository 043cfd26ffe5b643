"""Accounts: the list, one at a time, many at once; passwords, and leaving and coming back."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import access
from crm.enums import MANAGING
from crm.forms import ReasonForm, UserBatchForm, UserFilterForm, UserForm, show_refusal
from crm.models import User
from crm.rules.errors import DomainError
from crm.selectors import people
from crm.services import users
from crm.views.answers import form_page, now, page_of, refused, saved, sent, user_of


@access.role_required(*MANAGING)
@require_safe
def user_list(request: HttpRequest) -> HttpResponse:
    """List the accounts inside the user's walls, by name, role, team and state."""
    user = user_of(request)
    filters = UserFilterForm(request.GET, teams=people.teams_of(user).order_by("name"))
    chosen, sort = filters.values(), request.GET.get("sort", "name")
    rows = people.users_found(
        people.users_of(user), text=chosen.pop("q"), sort=sort, **{key: chosen[key] for key in chosen}
    )
    context = {
        "filters": filters,
        "filtered": any(request.GET.get(name) for name in filters.fields),
        "page": page_of(request, rows),
        "sort": sort,
    }
    return render(request, "crm/user_list.html", context)


@access.role_required(*MANAGING)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def user_new(request: HttpRequest) -> HttpResponse:
    """Show the form of a new account; take somebody on, and show the first password this once."""
    user = user_of(request)
    form = UserForm(sent(request), **_offered(user))
    if request.method == "POST" and form.is_valid():
        try:
            given = users.create_user(
                username=form.cleaned_data["username"],
                data=form.person(),
                sponsors=list(form.cleaned_data["sponsors"]),
                by=user,
                at=now(),
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            return _passwords(request, [given], _("Compte créé"))
    return form_page(request, "crm/user_new.html", form, {})


@access.role_required(*MANAGING)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def user_batch(request: HttpRequest) -> HttpResponse:
    """Show the form for several new accounts; take all of them on or nobody, and show the passwords this once."""
    user = user_of(request)
    form = UserBatchForm(sent(request), request.FILES or None, **_offered(user))
    rows: list[Any] = []
    if request.method == "POST" and form.is_valid():
        try:
            given = users.create_users(
                people=form.pasted(),
                data=form.work(),
                sponsors=list(form.cleaned_data["sponsors"]),
                by=user,
                at=now(),
            )
        except DomainError as error:
            rows = error.rows if isinstance(error, users.RowsRefused) else []
            show_refusal(form, error)
        else:
            return _passwords(request, given, _("Comptes créés"))
    return form_page(request, "crm/user_batch.html", form, {"rows": rows})


@access.role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def user(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an account with its history; change it, where the user may."""
    by = user_of(request)
    found = _found(by, pk)
    editable = people.may_change(by, found)
    form = UserForm(sent(request), instance=found, **_offered(by)) if editable else None
    if request.method == "POST":
        if form is None:
            return refused(
                request, DomainError(_("Ce compte n'est pas à vous de changer.")), "user", found.pk
            )
        if form.is_valid():
            try:
                users.edit_user(
                    user=found,
                    data=form.person(),
                    sponsors=list(form.cleaned_data["sponsors"]),
                    by=by,
                    at=now(),
                )
            except DomainError as error:
                show_refusal(form, error)
            else:
                return saved(request, _("Enregistré."), "user", found.pk)
    # What the form has set on the way to a refusal is not what the page shows.
    found = _found(by, pk)
    context = {
        "person": found,
        "form": form,
        "own": found.pk == by.pk,
        "history": people.history_of(found, reader=by),
    }
    return render(request, "crm/user.html", context, status=422 if form and form.errors else 200)


@access.role_required(*MANAGING)
@never_cache
@require_POST
def user_password(request: HttpRequest, pk: int) -> HttpResponse:
    """Give somebody a new password, shown this once."""
    by = user_of(request)
    found = _found(by, pk)
    try:
        given = users.give_password(user=found, by=by, at=now())
    except DomainError as error:
        return refused(request, error, "user", pk)
    return _passwords(request, [given], _("Nouveau mot de passe"))


@access.role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def user_deactivation(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what becomes of what an account holds; put it out of service, with a reason."""
    by = user_of(request)
    found = _found(by, pk)
    if not people.may_change(by, found):
        return refused(request, DomainError(_("Ce compte n'est pas à vous de changer.")), "user", pk)
    form = ReasonForm(sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            users.deactivate_user(user=found, reason=form.cleaned_data["reason"], by=by, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            message = _("%(name)s n'entre plus. L'histoire garde son nom.") % {"name": _name(found)}
            return saved(request, message, "user", pk)
    context = {"person": found, "lines": people.holdings_of(found)}
    return form_page(request, "crm/user_deactivation.html", form, context)


@access.role_required(*MANAGING)
@never_cache
@require_POST
def user_reactivation(request: HttpRequest, pk: int) -> HttpResponse:
    """Put an account back into service, with a new password, shown this once."""
    by = user_of(request)
    found = _found(by, pk)
    try:
        given = users.reactivate_user(user=found, by=by, at=now())
    except DomainError as error:
        return refused(request, error, "user", pk)
    return _passwords(request, [given], _("Compte réactivé"))


def _passwords(request: HttpRequest, given: list[users.Given], title: str) -> HttpResponse:
    """Show passwords in the answer itself: nothing keeps them, and asking the address again gives none."""
    context = {"given": given, "title": title, "address": request.build_absolute_uri("/")}
    return render(request, "crm/user_passwords.html", context)


def _found(by: User, pk: int) -> User:
    return get_object_or_404(people.users_of(by).select_related("team").prefetch_related("sponsors"), pk=pk)


def _offered(by: User) -> dict[str, Any]:
    """Return what the forms of accounts offer to `by`."""
    return {"by": by, "sponsors": access.sponsors_of(by), "teams": people.teams_of(by).order_by("name")}


def _name(user: User) -> str:
    return user.get_full_name() or user.get_username()
