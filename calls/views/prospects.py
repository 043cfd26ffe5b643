"""The page of one fiche: who it is, its history, what bars it, and whether each campaign may call it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from calls.selectors.history import lines_of
from campaigns import access
from campaigns.forms.lists import ProspectCampaignForm
from campaigns.selectors import prospects as prospects_selector
from campaigns.services import entries
from crm.access import get_prospect_or_404, role_required, sponsors_of
from crm.enums import MANAGING, SUPERVISING
from crm.rules.errors import DomainError
from crm.selectors.prospects import identity_of
from crm.views.answers import now, refused, saved, user_of


@role_required(*SUPERVISING)
@require_safe
def prospect(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a fiche; nothing of a sponsor that the user does not see."""
    user = user_of(request)
    found = get_prospect_or_404(user, pk)
    page = prospects_selector.prospect_page(found, sponsors=sponsors_of(user), at=now())
    context = {
        "prospect": found,
        "identity": [] if found.erased_at else identity_of(found),
        "phones": list(found.phones.all()),
        "page": page,
        "events": list(zip(page.events, lines_of(page.events), strict=True)),
        "form": ProspectCampaignForm(campaigns=access.campaigns_of(user).exclude(entries__prospect=found)),
    }
    return render(request, "calls/prospect.html", context)


@role_required(*MANAGING)
@require_POST
def prospect_campaigns(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a fiche into the list of a campaign."""
    user = user_of(request)
    found = get_prospect_or_404(user, pk)
    form = ProspectCampaignForm(request.POST, campaigns=access.campaigns_of(user))
    if not form.is_valid():
        return refused(request, DomainError(_("Choisissez une campagne.")), "prospect", pk)
    campaign = form.cleaned_data["campaign"]
    try:
        entries.add_prospects(campaign=campaign, prospects=[found], by=user, at=now())
    except DomainError as error:
        return refused(request, error, "prospect", pk)
    return saved(
        request, _("La fiche est dans la liste de %(name)s.") % {"name": campaign.name}, "prospect", pk
    )
