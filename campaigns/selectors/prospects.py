"""What the page of one fiche reads, inside the walls of the sponsors that its reader sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet

from campaigns.enums import CampaignStatus, EntryState
from campaigns.models import Exclusion, ListEntry
from campaigns.rules.gate import describe
from campaigns.selectors.gate import verdict
from crm.models import Prospect, ProspectEvent, Sponsor

#: Lines of the timeline on one page.
TIMELINE = 100
#: Campaigns that are judged one by one.
CAMPAIGNS = 20


@dataclass(frozen=True, slots=True)
class Standing:
    """A fiche in one campaign: its entry, whether it may be called now, and why in one sentence."""

    entry: ListEntry
    allowed: bool
    why: str


@dataclass(frozen=True, slots=True)
class ProspectPage:
    """What stands below the identity: standings by campaign, exclusions in force first, newest events first."""

    standings: Sequence[Standing]
    exclusions: Sequence[Exclusion]
    events: Sequence[ProspectEvent]
    more_events: bool


def prospect_page(prospect: Prospect, *, sponsors: QuerySet[Sponsor], at: datetime) -> ProspectPage:
    """Return what a reader who sees these `sponsors` may see of a fiche."""
    events = list(
        ProspectEvent.objects.filter(Q(sponsor__isnull=True) | Q(sponsor__in=sponsors), prospect=prospect)
        .select_related("by", "sponsor")
        .order_by("-id")[: TIMELINE + 1]
    )
    return ProspectPage(
        standings=_standings(prospect, sponsors, at),
        exclusions=list(exclusions_about(prospect, sponsors)),
        events=events[:TIMELINE],
        more_events=len(events) > TIMELINE,
    )


def exclusions_about(prospect: Prospect, sponsors: QuerySet[Sponsor]) -> QuerySet[Exclusion]:
    """Return the exclusions of a fiche or of one of its numbers, those that hold first."""
    numbers = list(prospect.phones.values_list("number", flat=True))
    about = Q(prospect=prospect) | Q(number__in=numbers)
    inside = Q(sponsor__isnull=True) | Q(sponsor__in=sponsors)
    rows = Exclusion.objects.filter(about, inside).select_related(
        "sponsor", "programme", "campaign", "prospect"
    )
    return rows.order_by(F("lifted_at").asc(nulls_first=True), "-id")


def _standings(prospect: Prospect, sponsors: QuerySet[Sponsor], at: datetime) -> list[Standing]:
    entries = (
        ListEntry.objects.filter(prospect=prospect, campaign__programme__sponsor__in=sponsors)
        .exclude(campaign__status=CampaignStatus.CLOSED)
        .select_related("campaign__programme__sponsor", "prospect", "excluded_by")
        .order_by("-id")[:CAMPAIGNS]
    )
    found = []
    for entry in entries:
        agreed = entry.exact and entry.state == EntryState.CALLBACK and entry.due_at <= at
        answer = verdict(campaign=entry.campaign, prospect=prospect, at=at, exact=agreed)
        found.append(Standing(entry, answer.allowed, describe(answer)))
    return found
