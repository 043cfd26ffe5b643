"""Who may see and do what with calls. Not yours: 404. Not for your role: 403."""

from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from calls.models import Call
from calls.selectors.call_screen import READ_WITH, running_campaigns_of
from campaigns.models import Campaign
from crm.access import own_within_token, sees_every_sponsor, sponsors_of
from crm.enums import Role
from crm.models import User
from crm.selectors.composed import ask
from crm.selectors.keyset import MAX_ID
from crm.selectors.prepared import read_one

OWN = "SELECT <columns> FROM calls_call t WHERE id = %s::bigint AND agent_id = %s::bigint"
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
    for call in ask(_own, pk=min(pk, MAX_ID), agent=user.pk):
        return cast(Call, call)
    raise Http404


def own_row_or_404(user: User, pk: int) -> Call:
    """Return a call as `own_call_or_404` does, alone: a verb reads the rest once it holds the call."""
    found = read_one(Call, OWN, [min(pk, MAX_ID), user.pk])
    if found is None:
        raise Http404
    return found[0]


def _own(*, pk: int, agent: int) -> QuerySet[Call]:
    return Call.objects.select_related(*READ_WITH).filter(pk=pk, agent=agent)


def running_campaign_or_404(user: User, pk: Any) -> Campaign:
    """Return a campaign that the user may call for now; `pk` is what a form sent. No number, or no such one: 404."""
    wanted = int(pk) if str(pk or "").isdecimal() else 0
    for campaign in running_campaigns_of(user):
        if campaign.pk == wanted:
            return campaign
    raise Http404


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
    own = Call.objects.filter(own_within_token(user, "campaign__programme__sponsor"), agent=user)
    if user.role == Role.AGENT:
        return own
    return own | Call.objects.filter(campaign__programme__sponsor__in=sponsors_of(user))
