"""Who sees which programmes, campaigns, imports and exclusions. Not yours: 404."""

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404

from campaigns.enums import CampaignStatus, Scope
from campaigns.models import Campaign, Change, Criterion, Exclusion, ImportJob, Programme
from campaigns.selectors.changes import changes_seen_by
from campaigns.selectors.exclusions import with_prospect_seen
from crm.access import sources_of, sponsors_of
from crm.enums import Role
from crm.models import Source, User


def programmes_of(user: User) -> QuerySet[Programme]:
    """Return the programmes of the user's sponsors."""
    return Programme.objects.filter(sponsor__in=sponsors_of(user))


def campaigns_of(user: User) -> QuerySet[Campaign]:
    """Return the campaigns of the user's sponsors; agents see those that run."""
    campaigns = Campaign.objects.filter(programme__sponsor__in=sponsors_of(user))
    return campaigns.filter(status=CampaignStatus.RUNNING) if user.role == Role.AGENT else campaigns


def exclusions_of(user: User) -> QuerySet[Exclusion]:
    """Return the exclusions that hold everywhere and those of the user's sponsors; agents see none."""
    if user.role == Role.AGENT:
        return Exclusion.objects.none()
    return Exclusion.objects.filter(Q(scope=Scope.EVERYWHERE) | Q(sponsor__in=sponsors_of(user)))


def changes_of(user: User) -> QuerySet[Change]:
    """Return the history of the user's sponsors, and of what holds everywhere; agents see none."""
    return Change.objects.none() if user.role == Role.AGENT else changes_seen_by(user)


def imports_of(user: User) -> QuerySet[ImportJob]:
    """Return the imports into the user's campaigns, without the files themselves; agents see none."""
    if user.role == Role.AGENT:
        return ImportJob.objects.none()
    return ImportJob.objects.filter(campaign__in=campaigns_of(user))


def sources_for(user: User, campaign: Campaign) -> QuerySet[Source]:
    """Return the sources whose records may enter a campaign: the common ones and those of its sponsor."""
    inside = Q(sponsor__isnull=True) | Q(sponsor=campaign.programme.sponsor_id)
    return sources_of(user).filter(inside)


def get_programme_or_404(user: User, pk: int) -> Programme:
    """Return a programme that the user sees, with its sponsor."""
    return get_object_or_404(programmes_of(user).select_related("sponsor"), pk=pk)


def get_criterion_or_404(user: User, pk: int) -> Criterion:
    """Return a criterion that is asked in a programme that the user sees."""
    criteria = Criterion.objects.filter(programme__in=programmes_of(user), retired_at__isnull=True)
    return get_object_or_404(criteria.select_related("programme__sponsor"), pk=pk)


def get_campaign_or_404(user: User, key: str | int) -> Campaign:
    """Return a campaign that the user sees, by slug (text) or id (int), with its programme and sponsor."""
    named = Q(pk=key) if isinstance(key, int) else Q(slug=key)
    return get_object_or_404(campaigns_of(user).select_related("programme__sponsor"), named)


def get_exclusion_or_404(user: User, pk: int) -> Exclusion:
    """Return an exclusion that the user sees, with its fiche where they see it."""
    return get_object_or_404(with_prospect_seen(exclusions_of(user), user=user), pk=pk)


def get_import_or_404(user: User, pk: int) -> ImportJob:
    """Return an import that the user sees."""
    jobs = imports_of(user).select_related("campaign__programme__sponsor", "source", "file", "by")
    return get_object_or_404(jobs, pk=pk)
