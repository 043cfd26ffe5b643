"""Campaigns: the list, one with its health, its settings, and why nobody is callable."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import access
from campaigns.enums import CampaignStatus
from campaigns.forms.campaigns import CampaignForm, HoursFormSet, StatusForm, hours_initial, hours_of
from campaigns.models.campaigns import default_hours
from campaigns.selectors import health
from campaigns.services import campaigns
from crm.access import role_required
from crm.enums import MANAGING, SUPERVISING
from crm.forms import show_refusal
from crm.rules.errors import DomainError
from crm.views.answers import now, page_of, refused, saved, sent, user_of

FORM = "campaigns/campaign_form.html"

#: What moves a campaign to a state, and what is said then.
MOVES = {
    CampaignStatus.RUNNING: (campaigns.start_campaign, gettext_lazy("La campagne est en cours.")),
    CampaignStatus.PAUSED: (
        campaigns.pause_campaign,
        gettext_lazy("La campagne est en pause : plus aucune fiche n'est servie."),
    ),
    CampaignStatus.CLOSED: (campaigns.close_campaign, gettext_lazy("La campagne est terminée.")),
}


@role_required(*SUPERVISING)
@require_safe
def campaign_list(request: HttpRequest) -> HttpResponse:
    """List the campaigns that the user sees, each with its state and one sentence of health."""
    rows = access.campaigns_of(user_of(request)).select_related("programme__sponsor")
    page = page_of(request, rows.order_by("name", "id"))
    context = {"page": page, "rows": health.healths(list(page.object_list))}
    return render(request, "campaigns/campaign_list.html", context)


@role_required(*SUPERVISING)
@require_safe
def campaign(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a campaign: its health, its counts by state and by reason, its last imports."""
    found = access.get_campaign_or_404(user_of(request), slug)
    context = {
        "campaign": found,
        "health": health.health_of(found, at=now()),
        "imports": found.imports.select_related("source", "by", "file")
        .defer("file__content")
        .order_by("-id")[:10],
        "tab": "campaign",
    }
    return render(request, "campaigns/campaign.html", context)


@role_required(*SUPERVISING)
@require_safe
def campaign_queue(request: HttpRequest, slug: str) -> HttpResponse:
    """Say why nobody, or how many, can be called now, and until when."""
    found = access.get_campaign_or_404(user_of(request), slug)
    context = {"campaign": found, "health": health.health_of(found, at=now()), "tab": "queue"}
    return render(request, "campaigns/campaign_queue.html", context)


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def campaign_new(request: HttpRequest) -> HttpResponse:
    """Show the form of a new campaign; create it, in preparation."""
    user = user_of(request)
    form = CampaignForm(
        sent(request),
        initial={"programme": request.GET.get("programme")},
        programmes=access.programmes_of(user),
    )
    hours = HoursFormSet(sent(request), initial=hours_initial(default_hours()), prefix="hours")
    if request.method == "POST" and form.is_valid() and hours.is_valid():
        try:
            created = campaigns.create_campaign(data=_values(form, hours), by=user, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            message = _("%(name)s est en préparation. Importez une liste, puis démarrez-la.") % {
                "name": created.name
            }
            return saved(request, message, "campaign", created.slug)
    return _form_page(request, form, hours, title=_("Nouvelle campagne"))


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def campaign_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form of a campaign; edit its settings and hours."""
    user = user_of(request)
    found = access.get_campaign_or_404(user, slug)
    form = CampaignForm(sent(request), instance=found, programmes=access.programmes_of(user))
    hours = HoursFormSet(sent(request), initial=hours_initial(found.hours), prefix="hours")
    if request.method == "POST" and form.is_valid() and hours.is_valid():
        data = {
            name: value for name, value in _values(form, hours).items() if name not in ("programme", "slug")
        }
        try:
            campaigns.edit_campaign(campaign=found, data=data, by=user, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            return saved(request, _("Enregistré."), "campaign", slug)
    return _form_page(request, form, hours, title=_("Réglages"), campaign=found, tab="edit")


@role_required(*MANAGING)
@require_POST
def campaign_status(request: HttpRequest, slug: str) -> HttpResponse:
    """Start, pause or close a campaign, as `status` says."""
    user = user_of(request)
    found = access.get_campaign_or_404(user, slug)
    form = StatusForm(request.POST)
    if not form.is_valid():
        return refused(request, DomainError(_("Cet état n'existe pas.")), "campaign", slug)
    move, message = MOVES[CampaignStatus(form.cleaned_data["status"])]
    try:
        move(campaign=found, by=user, at=now())
    except DomainError as error:
        return refused(request, error, "campaign", slug)
    return saved(request, message, "campaign", slug)


def _values(form: CampaignForm, hours: Any) -> dict[str, Any]:
    return form.values() | {"hours": hours_of(hours)}


def _form_page(request: HttpRequest, form: CampaignForm, hours: Any, **context: Any) -> HttpResponse:
    """Show the settings and the hours: 200 when fresh, 422 when either is refused."""
    wrong = form.is_bound and (form.errors or not hours.is_valid())
    return render(request, FORM, {"form": form, "hours": hours, **context}, status=422 if wrong else 200)
