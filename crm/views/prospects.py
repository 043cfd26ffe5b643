"""Prospects: search by what people know of them, and correction of one fiche."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm import access
from crm.enums import SUPERVISING
from crm.forms import ProspectForm, ProspectSearchForm, show_refusal
from crm.models import Prospect
from crm.rules.errors import DomainError, StaleRecord
from crm.selectors.prospects import prospects_found
from crm.services import prospects
from crm.views.answers import now, page_of, refused, saved, sent, user_of


@access.role_required(*SUPERVISING)
@require_safe
def prospect_list(request: HttpRequest) -> HttpResponse:
    """Find fiches by name, external id or a number in any spelling; without words, the last changed ones."""
    form = ProspectSearchForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    rows = prospects_found(access.prospects_of(user_of(request)), text)
    page = page_of(request, rows.select_related("source").prefetch_related("phones"))
    return render(request, "crm/prospect_list.html", {"form": form, "page": page})


@access.role_required(*SUPERVISING)
@require_http_methods(["GET", "HEAD", "POST"])
def prospect_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form of a fiche; correct it, unless somebody changed it since the form was read."""
    user = user_of(request)
    found = access.get_prospect_or_404(user, pk)
    if found.erased_at:
        return refused(
            request, DomainError(_("Cette fiche est effacée : elle ne se corrige plus.")), "prospect", pk
        )
    form = ProspectForm(sent(request), instance=found)
    context: dict[str, Any] = {"prospect": found, "form": form}
    if request.method == "POST" and form.is_valid():
        try:
            _edit(form, found, request)
        except DomainError as error:
            show_refusal(form, error)
            context["stale"] = isinstance(error, StaleRecord)
        else:
            return saved(request, _("La fiche est corrigée ; les listes sont relues."), "prospect", pk)
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "crm/prospect_form.html", context, status=status)


def _edit(form: ProspectForm, prospect: Prospect, request: HttpRequest) -> None:
    prospects.edit_prospect(
        prospect=prospect,
        data=form.values(),
        phones=[prospects.PhoneInput(raw=line, note=note) for line, note in form.numbers()],
        by=user_of(request),
        at=now(),
        expected_version=form.cleaned_data["version"],
    )
