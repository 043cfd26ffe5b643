"""The page of one fiche: who it is, its history, what bars it, and whether each campaign may call it."""

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from calls.selectors.history import TOPICS, passages_of, timeline
from calls.views.courtesy import closing_sentence
from campaigns import access
from campaigns.forms.lists import ProspectCampaignForm
from campaigns.selectors import prospects as prospects_selector
from campaigns.selectors.exclusions import call_origins
from campaigns.services import entries
from crm.access import get_prospect_or_404, role_required, sponsors_of
from crm.enums import MANAGING, SUPERVISING
from crm.rules.errors import DomainError
from crm.selectors.keyset import Order, page_at, place_of
from crm.selectors.prospects import identity_of
from crm.views.answers import now, refused, saved, user_of
from crm.views.looks import is_masked, masked

#: Lines of the timeline on one page.
TIMELINE = 50
#: Latest looks at a confidential fiche that its page lists.
LOOKS = 50


@role_required(*SUPERVISING)
@require_safe
def prospect(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a fiche; nothing of a sponsor that the user does not see. A confidential one asks for a reason first."""
    user, at = user_of(request), now()
    found = get_prospect_or_404(user, pk)
    if is_masked(request, found, at):
        return masked(request, found)
    page = prospects_selector.prospect_page(found, user=user, at=at)
    topic = request.GET.get("topic", "")
    topic = topic if topic in TOPICS else ""
    history = page_at(
        timeline(found, sponsors_of(user), topic),
        Order(F("pk"), descending=True),
        place_of(request.GET.get("after"), request.GET.get("before")),
        size=TIMELINE,
        dress=lambda rows: rows.select_related("by", "sponsor"),
    )
    origins = call_origins(user, page.exclusions)
    campaigns = list(
        access.campaigns_of(user).exclude(entries__prospect=found).values_list("pk", flat=True)[:1]
    )
    context = {
        "prospect": found,
        "identity": [] if found.erased_at else identity_of(found),
        "page": page,
        "bars": [(row, origins.get(row.call_ref or 0)) for row in page.exclusions],
        "history": history,
        "passages": [
            (passage, closing_sentence(passage.call) if passage.call else "")
            for passage in passages_of(history.rows, sponsors_of(user))
        ],
        "looks": list(found.looks.select_related("by")[:LOOKS])
        if found.confidential and user.is_managing
        else [],
        "topics": [(name, label) for name, (label, _kinds) in TOPICS.items()],
        "topic": topic,
        "form": ProspectCampaignForm(campaigns=access.campaigns_of(user).exclude(entries__prospect=found))
        if campaigns
        else None,
        "now": at,
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
