"""Exclusions: search, add, and lift with a reason. They are never deleted."""

from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import access
from campaigns.forms.exclusions import DncForm, ExclusionFilterForm, ExclusionForm
from campaigns.models import Exclusion
from campaigns.selectors import exclusions as exclusions_selector
from campaigns.selectors.dnc import dnc_lines, dnc_name
from campaigns.services import exclusions
from crm.access import prospects_of, role_required, sponsors_of
from crm.enums import MANAGING, SUPERVISING
from crm.forms import show_refusal
from crm.models import User
from crm.rules.errors import DomainError
from crm.selectors.keyset import page_at, place_of
from crm.views.answers import PAGE_SIZE, form_page, now, saved, sent, user_of
from crm.views.exports import sheet_answer, text_answer


@role_required(*SUPERVISING)
@require_safe
def exclusion_list(request: HttpRequest) -> HttpResponse:
    """List the exclusions inside the user's walls, by the filters and the order of the address."""
    user = user_of(request)
    filters = _filters(request, user)
    values, sort = filters.values(), request.GET.get("sort", "")
    sort = sort if sort.removeprefix("-") in ("since", "number") else ""
    page = page_at(
        _found(filters, user),
        exclusions_selector.exclusion_order(sort),
        place_of(request.GET.get("after"), request.GET.get("before")),
        size=PAGE_SIZE,
        dress=partial(exclusions_selector.exclusions_dressed, user=user),
    )
    origins = exclusions_selector.call_origins(user, page.rows)
    context = {
        "filters": filters,
        "page": page,
        "rows": [(row, origins.get(row.call_ref or 0)) for row in page.rows],
        "sort": sort or "-since",
        "filtered": bool(values or filters.errors),
        "now": now(),
        "dnc": _dnc_form(user) if user.is_managing else None,
    }
    return render(request, "campaigns/exclusion_list.html", context)


@role_required(*MANAGING)
@require_safe
def exclusion_export(request: HttpRequest) -> HttpResponseBase:
    """Send the exclusions that the address keeps as a file."""
    user = user_of(request)
    dressed = exclusions_selector.exclusions_dressed(_found(_filters(request, user), user), user=user)
    return sheet_answer("exclusions", exclusion_titles(), dressed, exclusion_cells, by=user)


@role_required(*MANAGING)
@require_safe
def exclusion_dnc(request: HttpRequest) -> HttpResponseBase:
    """Send what another dialler must not call, of the campaign or the sponsor that the address names."""
    user = user_of(request)
    form = _dnc_form(user, request.GET)
    if not form.is_valid():
        return redirect("exclusion-list")
    campaign, sponsor = form.place_chosen()
    lines = dnc_lines(campaign=campaign, sponsor=sponsor, written=form.cleaned_data["format"], by=user)
    return text_answer(dnc_name(campaign, sponsor), lines)


def _dnc_form(user: User, sent_data: Any = None) -> DncForm:
    return DncForm(sent_data, campaigns=access.campaigns_of(user), sponsors=sponsors_of(user))


def exclusion_titles() -> list[str]:
    """Return the first line of the file."""
    return [
        _("Numéro"),
        _("Fiche"),
        _("Motif"),
        _("Précision"),
        _("Portée"),
        _("Lieu"),
        _("Depuis"),
        _("Jusqu'au"),
        _("Par"),
        _("Levée le"),
        _("Motif de levée"),
    ]


def exclusion_cells(row: Exclusion) -> list[Any]:
    """Return a line of the file. A confidential fiche is told by its id only."""
    prospect = row.prospect if row.names_prospect else None  # type: ignore[attr-defined]
    place = row.campaign or row.programme or row.sponsor
    masked = prospect is not None and prospect.confidential
    name = "" if prospect is None else f"#{prospect.pk}" if masked else prospect.display_name
    return [
        "" if masked else row.spelling,
        name,
        row.get_reason_display(),
        "" if masked else row.note,
        row.get_scope_display(),
        place.name if place else "",
        _moment(row.since),
        _moment(row.until),
        row.created_by.get_username() if row.created_by else "",
        _moment(row.lifted_at),
        row.lift_reason,
    ]


def _moment(at: datetime | None) -> str:
    return localtime(at).strftime("%Y-%m-%d %H:%M") if at else ""


def _filters(request: HttpRequest, user: User) -> ExclusionFilterForm:
    programmes = access.programmes_of(user).only("name").order_by("name")
    return ExclusionFilterForm(request.GET, programmes=programmes)


def _found(filters: ExclusionFilterForm, user: User) -> QuerySet[Exclusion]:
    """Return the exclusions that the form keeps; a search that cannot be read finds none, and not all of them."""
    rows = exclusions_selector.exclusions_found(user, **filters.values())
    return rows.none() if filters["q"].errors else rows


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
    """Show one exclusion: what it bars, where, why and since when, where it came from, whom it holds back."""
    user = user_of(request)
    found = access.get_exclusion_or_404(user, pk)
    job = access.imports_of(user).filter(pk=found.import_ref).first() if found.import_ref else None
    context = {
        "exclusion": found,
        "origin": exclusions_selector.call_origins(user, [found]).get(found.call_ref or 0),
        "job": job,
        "held": exclusions_selector.held_back(user, found),
        "now": now(),
    }
    return render(request, "campaigns/exclusion.html", context)


def _places(user: User) -> dict[str, Any]:
    return {
        "sponsor": sponsors_of(user),
        "programme": access.programmes_of(user),
        "campaign": access.campaigns_of(user),
    }
