"""Exclusions: search, add, and lift with a reason. They are never deleted."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import access
from campaigns.forms.exclusions import ExclusionFilterForm, ExclusionForm
from campaigns.selectors import exclusions as exclusions_selector
from campaigns.services import exclusions
from crm.access import prospects_of, role_required, sponsors_of
from crm.enums import SUPERVISING
from crm.forms import ReasonForm, show_refusal
from crm.models import User
from crm.rules.errors import DomainError
from crm.views.answers import form_page, now, page_of, saved, sent, user_of


@role_required(*SUPERVISING)
@require_safe
def exclusion_list(request: HttpRequest) -> HttpResponse:
    """List the exclusions inside the user's walls, by the filters of the address."""
    filters = ExclusionFilterForm(request.GET)
    rows = exclusions_selector.exclusions_found(user_of(request), **filters.values())
    context = {"filters": filters, "page": page_of(request, rows), "filtered": any(filters.values().values())}
    return render(request, "campaigns/exclusion_list.html", context)


@role_required(*SUPERVISING)
@require_http_methods(["GET", "HEAD", "POST"])
def exclusion_new(request: HttpRequest) -> HttpResponse:
    """Show the form of a new exclusion; add it. It holds at once, for the calls under way too."""
    user = user_of(request)
    initial = {
        name: request.GET.get(name)
        for name in ("number", "prospect", "scope", "sponsor", "programme", "campaign")
    }
    form = ExclusionForm(sent(request), initial=initial, places=_places(user), prospects=prospects_of(user))
    if request.method == "POST" and form.is_valid():
        try:
            created = exclusions.exclude(**form.cleaned_data, by=user, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            return saved(request, _("L'exclusion est en vigueur."), "exclusion", created.pk)
    return form_page(request, "campaigns/exclusion_form.html", form, {})


@role_required(*SUPERVISING)
@require_safe
def exclusion(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one exclusion: what it bars, where, why, since when, and who lifted it."""
    return _page(request, pk, ReasonForm())


def _page(request: HttpRequest, pk: int, form: ReasonForm) -> HttpResponse:
    found = access.get_exclusion_or_404(user_of(request), pk)
    context = {
        "exclusion": found,
        "closed": found.closed_entries.count(),
        "others": exclusions_selector.others_on_number(user_of(request), found),
    }
    return form_page(request, "campaigns/exclusion.html", form, context)


def _places(user: User) -> dict[str, Any]:
    return {
        "sponsor": sponsors_of(user),
        "programme": access.programmes_of(user),
        "campaign": access.campaigns_of(user),
    }
