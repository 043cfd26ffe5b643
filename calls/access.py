"""Who may see and do what with calls. Not yours: 404. Not for your role: 403."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Q, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from calls.models import Call
from campaigns.enums import CampaignStatus
from campaigns.models import Campaign
from crm.access import sees_every_sponsor, sponsors_of
from crm.enums import Role
from crm.models import User
from crm.selectors.prepared import read_one

CAMPAIGN = """
SELECT <columns>, p.sponsor_id FROM campaigns_campaign t JOIN campaigns_programme p ON p.id = t.programme_id
 WHERE t.id = %s
"""


def agent_of(request: HttpRequest) -> User:
    """Return the signed-in user who may hold calls, or refuse with 403."""
    user = request.user
    if not isinstance(user, User) or not user.is_calling:
        raise PermissionDenied
    return user


def own_call_or_404(user: User, pk: int) -> Call:
    """Return a call that this user made or is making, with what its screen reads; anybody else's does not exist."""
    related = ("campaign__programme__sponsor", "prospect__source", "disposition", "agent")
    return get_object_or_404(Call.objects.select_related(*related), pk=pk, agent=user)


def running_campaigns(user: User) -> QuerySet[Campaign]:
    """Return the campaigns that this user may call for now, inside their sponsors."""
    running = Campaign.objects.filter(status=CampaignStatus.RUNNING).select_related("programme")
    own = user.sponsors.order_by()
    return running.filter(Q(programme__sponsor__in=own.values("pk")) | ~Exists(own))


def running_campaign_or_404(user: User, pk: Any) -> Campaign:
    """Return a campaign of `running_campaigns`; `pk` is what a form sent. What is no number, or not running: 404."""
    if not str(pk or "").isdecimal():
        raise Http404
    return get_object_or_404(running_campaigns(user), pk=int(pk))


def campaign_to_claim_or_404(user: User, pk: int) -> Campaign:
    """Return a campaign of the user's sponsors in any state: one that is paused serves nobody, and says so."""
    found = read_one(Campaign, CAMPAIGN, [pk])
    if found is None:
        raise Http404
    campaign, (sponsor,) = found
    if not sees_every_sponsor(user) and not sponsors_of(user).filter(pk=sponsor).exists():
        raise Http404
    return campaign


def calls_of(user: User) -> QuerySet[Call]:
    """Return the calls that the user sees: an agent's own, and to the others those of their sponsors."""
    own = Call.objects.filter(agent=user)
    if user.role == Role.AGENT:
        return own
    return own | Call.objects.filter(campaign__programme__sponsor__in=sponsors_of(user))
