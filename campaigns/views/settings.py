"""The settings of a campaign and its state: what a change would touch is shown before it is made."""

from copy import copy
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from campaigns import access
from campaigns.enums import CampaignStatus
from campaigns.forms.campaigns import CampaignForm, HoursFormSet, StatusForm, hours_initial, hours_of
from campaigns.models import Campaign
from campaigns.models.campaigns import default_hours
from campaigns.selectors import changes as changes_selector
from campaigns.selectors import touched
from campaigns.services import campaigns
from campaigns.views.confirming import already, carried, confirmation, reason_form
from crm.access import role_required
from crm.enums import MANAGING
from crm.forms import show_refusal
from crm.rules.errors import DomainError, InvalidTransition
from crm.views.answers import now, refused, saved, sent, user_of

FORM = "campaigns/campaign_form.html"

#: What moves a campaign to a state: the service, the verb on the button, the title, and what is said then.
MOVES: dict[str, tuple[Any, Any, Any, Any]] = {
    CampaignStatus.RUNNING: (
        campaigns.start_campaign,
        gettext_lazy("Démarrer"),
        gettext_lazy("Démarrer la campagne %(name)s"),
        gettext_lazy("La campagne est en cours : %(effects)s."),
    ),
    CampaignStatus.PAUSED: (
        campaigns.pause_campaign,
        gettext_lazy("Mettre en pause"),
        gettext_lazy("Mettre en pause la campagne %(name)s"),
        gettext_lazy("La campagne est en pause : %(effects)s."),
    ),
    CampaignStatus.CLOSED: (
        campaigns.close_campaign,
        gettext_lazy("Terminer"),
        gettext_lazy("Terminer la campagne %(name)s"),
        gettext_lazy("La campagne est terminée : %(effects)s."),
    ),
}


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
    """Show the form of a campaign, then what other hours or caps would touch; save it with a reason."""
    user = user_of(request)
    found = access.get_campaign_or_404(user, slug)
    # The form writes what is typed on its instance: the page shows the campaign as it stands.
    form = CampaignForm(sent(request), instance=copy(found), programmes=access.programmes_of(user))
    hours = HoursFormSet(sent(request), initial=hours_initial(found.hours), prefix="hours")
    if request.method == "POST" and form.is_valid() and hours.is_valid() and "back" not in request.POST:
        try:
            return _edit_step(request, found, form, hours)
        except DomainError as error:
            show_refusal(form, error)
    return _form_page(request, form, hours, title=_("Réglages"), campaign=found, tab="edit")


def _edit_step(request: HttpRequest, campaign: Campaign, form: CampaignForm, hours: Any) -> HttpResponse:
    """Save the settings once what they touch has its reason, else show it. Raises DomainError."""
    user, at = user_of(request), now()
    values = _values(form, hours)
    data = {name: value for name, value in values.items() if name not in campaigns.FIXED}
    draft = campaigns.draft_campaign(campaign=campaign, data=data)
    timed = campaigns.changes_timing(campaign, draft)
    reason = reason_form(request)
    if not timed or (reason.is_bound and reason.is_valid()):
        words = reason.cleaned_data["reason"] if reason.is_bound and reason.is_valid() else ""
        campaigns.edit_campaign(campaign=campaign, data=data, by=user, at=at, reason=words)
        change = changes_selector.made(by=user, at=at)
        if change is None:
            return already(request, _("Rien n'a changé : c'est déjà enregistré."), "campaign", campaign.slug)
        message = _("Enregistré : %(effects)s.") % {"effects": changes_selector.effects_words(change)}
        return saved(request, message if timed else _("Enregistré."), "campaign", campaign.slug)
    return confirmation(
        request,
        reason,
        touched.hours_touched(campaign, draft, at=at),
        title=_("Changer quand la campagne appelle"),
        action=_("Enregistrer"),
        cancel_url=reverse("campaign-edit", args=[campaign.slug]),
        hidden=carried(request.POST),
        campaign=campaign,
        details=changes_selector.settings_differences(campaign, draft),
        back=True,
    )


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def campaign_status(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what starting, pausing or closing a campaign would touch, as `status` says; do it with a reason.

    A start needs no reason. A `status` sent alone only leads to what it would touch.
    """
    user, at = user_of(request), now()
    found = access.get_campaign_or_404(user, slug)
    asked = StatusForm(request.POST if request.method == "POST" else request.GET)
    if not asked.is_valid():
        return refused(request, DomainError(_("Cet état n'existe pas.")), "campaign", slug)
    status = CampaignStatus(asked.cleaned_data["status"])
    service, verb, title, message = MOVES[status]
    if found.status == status:
        words = _("C'est déjà fait : la campagne est « %(state)s ».") % {"state": found.get_status_display()}
        return already(request, words, "campaign", slug)
    if status not in campaigns.MOVES[found.status]:
        words = _("Une campagne terminée ne repart pas : créez la vague suivante.")
        return refused(request, InvalidTransition(words), "campaign", slug)
    if request.method == "POST" and "reason" not in request.POST:
        return redirect(f"{reverse('campaign-status', args=[slug])}?{urlencode({'status': status.value})}")
    form = reason_form(request, required=status != CampaignStatus.RUNNING)
    if form.is_bound and form.is_valid():
        try:
            service(campaign=found, by=user, at=at, reason=form.cleaned_data["reason"])
        except DomainError as error:
            return refused(request, error, "campaign", slug)
        effects = changes_selector.effects_words(changes_selector.made(by=user, at=at))
        return saved(request, str(message) % {"effects": effects}, "campaign", slug)
    return confirmation(
        request,
        form,
        touched.status_touched(found, status, at=at),
        title=str(title) % {"name": found.name},
        action=str(verb),
        cancel_url=reverse("campaign", args=[slug]),
        hidden=[("status", status.value)],
        danger=status == CampaignStatus.CLOSED,
        campaign=found,
    )


def _values(form: CampaignForm, hours: Any) -> dict[str, Any]:
    return form.values() | {"hours": hours_of(hours)}


def _form_page(request: HttpRequest, form: CampaignForm, hours: Any, **context: Any) -> HttpResponse:
    """Show the settings and the hours: 200 when fresh, 422 when either is refused."""
    wrong = form.is_bound and (form.errors or not hours.is_valid())
    return render(request, FORM, {"form": form, "hours": hours, **context}, status=422 if wrong else 200)
