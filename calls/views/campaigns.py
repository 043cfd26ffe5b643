"""The page of a campaign: its health, its funnel, its days, what is due. It lies here because it tells of calls."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from calls.selectors import activity
from calls.selectors.situations import standings_of
from campaigns import access
from campaigns.enums import EntryState
from campaigns.selectors import health
from campaigns.selectors.funnel import funnel_of
from crm.access import role_required
from crm.enums import SUPERVISING
from crm.views.answers import now, user_of

#: Callbacks and imports that the page shows; the rest is a link away.
SHOWN = 5


@role_required(*SUPERVISING)
@require_safe
def campaign(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a campaign: how it is, how far its list came and why not further, its last days, what is due."""
    found = access.get_campaign_or_404(user_of(request), slug)
    at = now()
    standing = health.health_of(found, at=at)
    days = activity.days_of(found, at=at)
    callbacks = found.entries.filter(state=EntryState.CALLBACK).select_related("prospect", "owner")
    context = {
        "campaign": found,
        "health": standing,
        "stages": funnel_of(standing.counts.groups),
        "days": days,
        "bars": activity.bars_of(days),
        "has_talks": any(day.reached for day in days),
        "callbacks": callbacks.order_by("due_at", "id")[:SHOWN],
        "callbacks_count": standing.counts.states.get(EntryState.CALLBACK, 0),
        "imports": found.imports.select_related("source", "by", "file").order_by("-id")[:SHOWN],
        "standings": standings_of(found),
        "now": at,
        "tab": "campaign",
    }
    return render(request, "campaigns/campaign.html", context)
