"""Sponsors: the list, and one at a time."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm import access
from crm.enums import MANAGING
from crm.forms import SponsorForm, show_refusal
from crm.rules.errors import DomainError
from crm.selectors.sources import sponsors_counted, sponsors_found
from crm.services import sponsors
from crm.views.answers import form_page, now, page_of, saved, sent, typed, user_of

FORM = "crm/sponsor_form.html"


@access.role_required(*MANAGING)
@require_safe
def sponsor_list(request: HttpRequest) -> HttpResponse:
    """List the sponsors that the user sees, with what hangs on each."""
    q = typed(request)
    rows = sponsors_counted(sponsors_found(access.sponsors_of(user_of(request)), q)).order_by("name")
    return render(request, "crm/sponsor_list.html", {"page": page_of(request, rows), "q": q})


@access.role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def sponsor_new(request: HttpRequest) -> HttpResponse:
    """Show the form of a new sponsor; create it."""
    form = SponsorForm(sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            sponsor = sponsors.create_sponsor(name=form.cleaned_data["name"], by=user_of(request), at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            return saved(request, _("%(name)s est créé.") % {"name": sponsor.name}, "sponsor-list")
    return form_page(request, FORM, form, {"title": _("Nouveau donneur d'ordre")})


@access.role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def sponsor(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a sponsor's form; rename it."""
    found = get_object_or_404(access.sponsors_of(user_of(request)), pk=pk)
    title = found.name
    form = SponsorForm(sent(request), initial={"name": title})
    if request.method == "POST" and form.is_valid():
        try:
            sponsors.edit_sponsor(
                sponsor=found, name=form.cleaned_data["name"], by=user_of(request), at=now()
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            return saved(request, _("Enregistré."), "sponsor-list")
    return form_page(request, FORM, form, {"title": title})
