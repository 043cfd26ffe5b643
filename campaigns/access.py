"""Who may see what of the campaigns: everything hangs below a sponsor, and sponsors are walls (not yours: 404)."""

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404

from campaigns.models import Campaign, Criterion, Exclusion, ImportJob, Programme
from campaigns.models.exclusions import ExclusionQuerySet
from crm.access import sponsors_of
from crm.models import Source, User


def programmes_of(user: User) -> QuerySet[Programme]:
    """Return the programmes of the sponsors that the user sees."""
    return Programme.objects.filter(sponsor__in=sponsors_of(user))


def campaigns_of(user: User) -> QuerySet[Campaign]:
    """Return the campaigns of the sponsors that the user sees."""
    return Campaign.objects.filter(programme__sponsor__in=sponsors_of(user))


def exclusions_of(user: User) -> ExclusionQuerySet:
    """Return the exclusions inside the user's walls: those everywhere, and those of the sponsors that it sees."""
    inside = Q(sponsor__isnull=True) | Q(sponsor__in=sponsors_of(user))
    rows: ExclusionQuerySet = Exclusion.objects.filter(inside)
    return rows


def imports_of(user: User) -> QuerySet[ImportJob]:
    """Return the imports into the campaigns that the user sees, without their files' content."""
    jobs = ImportJob.objects.filter(campaign__in=campaigns_of(user))
    return jobs.select_related("campaign__programme", "source", "file", "by").defer("file__content")


def sources_for(user: User, campaign: Campaign) -> QuerySet[Source]:
    """Return the sources whose records may enter a campaign: the common ones and those of its sponsor."""
    sponsor = campaign.programme.sponsor_id
    return Source.objects.filter(Q(sponsor__isnull=True) | Q(sponsor=sponsor, sponsor__in=sponsors_of(user)))


def get_programme_or_404(user: User, pk: int) -> Programme:
    """Return a programme that the user sees."""
    return get_object_or_404(programmes_of(user).select_related("sponsor"), pk=pk)


def get_criterion_or_404(user: User, pk: int) -> Criterion:
    """Return a criterion that still stands, of a programme that the user sees."""
    standing = Criterion.objects.filter(programme__in=programmes_of(user), retired_at__isnull=True)
    return get_object_or_404(standing.select_related("programme__sponsor"), pk=pk)


def get_campaign_or_404(user: User, slug: str) -> Campaign:
    """Return a campaign that the user sees."""
    return get_object_or_404(campaigns_of(user).select_related("programme__sponsor"), slug=slug)


def get_import_or_404(user: User, pk: int) -> ImportJob:
    """Return an import into a campaign that the user sees."""
    return get_object_or_404(imports_of(user), pk=pk)


def get_exclusion_or_404(user: User, pk: int) -> Exclusion:
    """Return an exclusion inside the user's walls."""
    rows = exclusions_of(user).select_related(
        "sponsor", "programme", "campaign", "prospect", "created_by", "lifted_by"
    )
    return get_object_or_404(rows, pk=pk)
