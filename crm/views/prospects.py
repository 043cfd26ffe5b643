"""Prospects: search by what people know of them, and correction of one fiche."""

from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm import access
from crm.enums import MANAGING, SUPERVISING
from crm.forms import ProspectForm, ProspectSearchForm, show_refusal
from crm.models import Prospect, User
from crm.rules.errors import DomainError, StaleRecord
from crm.selectors.keyset import page_at, place_of
from crm.selectors.prospects import SORTS, long_order, prospect_order, prospects_dressed, prospects_narrowed
from crm.services import prospects
from crm.views.answers import PAGE_SIZE, now, refused, saved, sent, user_of
from crm.views.exports import sheet_answer
from crm.views.looks import is_masked, masked


@access.role_required(*SUPERVISING)
@require_safe
def prospect_list(request: HttpRequest) -> HttpResponse:
    """Find fiches by what somebody says of them, narrowed and sorted by the address; else the last changed ones."""
    user = user_of(request)
    form = ProspectSearchForm(request.GET, sources=access.sources_of(user).only("slug", "name"))
    filters, sort = form.values(), sort_of(request)
    rows = _found(form, user)
    order = sort or ("name" if filters.q else "-updated")
    page = page_at(
        rows,
        prospect_order(order),
        place_of(request.GET.get("after"), request.GET.get("before")),
        size=PAGE_SIZE,
        dress=partial(prospects_dressed, barred=access.barred_for(user)),
        long=long_order(filters, order),
    )
    context = {"form": form, "page": page, "sort": sort, "filtered": filters.any or bool(form.errors)}
    return render(request, "crm/prospect_list.html", context)


@access.role_required(*MANAGING)
@require_safe
def prospect_export(request: HttpRequest) -> HttpResponseBase:
    """Send the fiches that the address keeps as a file; confidential ones by their id only."""
    user = user_of(request)
    form = ProspectSearchForm(request.GET, sources=access.sources_of(user).only("slug", "name"))
    rows = prospects_dressed(_found(form, user), access.barred_for(user))
    return sheet_answer("fiches", _titles(), rows, _cells, by=user)


def _found(form: ProspectSearchForm, user: User) -> QuerySet[Prospect]:
    """Return the fiches that the form keeps; a search that cannot be read finds none, and not all of them."""
    filters = form.values()
    barred = access.barred_for(user, sought=True) if filters.barred else None
    rows = prospects_narrowed(access.prospects_of(user), filters, barred)
    return rows.none() if form["q"].errors else rows


#: Columns of the file.
EXPORTED = (
    "organisation",
    "first_name",
    "last_name",
    "job_title",
    "sector",
    "email",
    "postal_code",
    "city",
    "language",
    "external_id",
)


def _titles() -> list[str]:
    columns = [capfirst(str(Prospect._meta.get_field(name).verbose_name)) for name in EXPORTED]  # type: ignore[union-attr]
    return [_("Fiche"), *columns, _("Numéros"), _("Fournisseur"), _("Exclue")]


def _cells(row: Prospect) -> list[Any]:
    masked = row.confidential
    columns = ["" if masked else getattr(row, name) for name in EXPORTED]
    numbers = "" if masked else ", ".join(phone.spelling for phone in row.phones.all())
    barred = _("oui") if row.is_barred else _("non")  # type: ignore[attr-defined]
    return [row.pk, *columns, numbers, row.source.name, barred]


def sort_of(request: HttpRequest) -> str:
    """Return what the address sorts by, "" for what the page prefers."""
    sort = request.GET.get("sort", "")
    return sort if sort.removeprefix("-") in SORTS else ""


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
    if is_masked(request, found, now()):
        return masked(request, found)
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
