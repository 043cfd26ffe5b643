"""What the page of one fiche reads, inside the walls of the sponsors that its reader sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet

from campaigns.enums import CampaignStatus, EntryState
from campaigns.models import Exclusion, ListEntry
from campaigns.rules.gate import describe
from campaigns.selectors.consents import ToldConsent, consents_told
from campaigns.selectors.gate import verdict
from crm.access import prospects_of, sponsors_of
from crm.models import Prospect, ProspectNumber, Sponsor, User

#: Campaigns that are judged one by one.
CAMPAIGNS = 20
#: Fiches that are named beside a number that they share.
SHARING = 3
#: Fiches that share a number, a switchboard at most.
MAX_SHARING = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """A fiche in one campaign: its entry, whether it may be called now, why and until when in one sentence.

    `bar` is the exclusion that decides, with who wrote it; null when something else does.
    """

    entry: ListEntry
    allowed: bool
    why: str
    bar: Exclusion | None


@dataclass(frozen=True, slots=True)
class Phone:
    """A number of a fiche: the exclusion in force on it (null: none), the other fiches that the reader sees with the
    same number, the first of them and how many they are."""

    row: ProspectNumber
    bar: Exclusion | None
    sharing: Sequence[Prospect]
    shared: int


@dataclass(frozen=True, slots=True)
class ProspectPage:
    """What stands below the identity: numbers, standings by campaign, exclusions with those in force first, consents
    with the newest first."""

    phones: Sequence[Phone]
    standings: Sequence[Standing]
    exclusions: Sequence[Exclusion]
    consents: Sequence[ToldConsent]

    @property
    def allowed(self) -> int:
        """In how many campaigns it may be called now."""
        return sum(row.allowed for row in self.standings)


def prospect_page(prospect: Prospect, *, user: User, at: datetime) -> ProspectPage:
    """Return what this reader may see of a fiche."""
    sponsors = sponsors_of(user)
    exclusions = list(exclusions_about(prospect, sponsors))
    return ProspectPage(
        phones=_phones(prospect, exclusions, user, at),
        standings=_standings(prospect, sponsors, exclusions, at),
        exclusions=exclusions,
        consents=consents_told(prospect, sponsors, at),
    )


def exclusions_about(prospect: Prospect, sponsors: QuerySet[Sponsor]) -> QuerySet[Exclusion]:
    """Return the exclusions of a fiche or of one of its numbers, those that hold first."""
    numbers = list(prospect.phones.values_list("number", flat=True))
    # Said apart, for each half has an index of its own.
    about = Q(prospect=prospect, lifted_at__isnull=True) | Q(prospect=prospect, lifted_at__isnull=False)
    about |= Q(number__in=numbers)
    inside = Q(sponsor__isnull=True) | Q(sponsor__in=sponsors)
    rows = Exclusion.objects.filter(about, inside).select_related(
        "sponsor", "programme", "campaign", "prospect", "created_by", "lifted_by"
    )
    return rows.order_by(F("lifted_at").asc(nulls_first=True), "-id")


def _phones(prospect: Prospect, exclusions: Sequence[Exclusion], user: User, at: datetime) -> list[Phone]:
    rows = list(prospect.phones.all())
    barred: dict[str, Exclusion] = {}
    for bar in exclusions:
        if bar.lifted_at is None and (bar.until is None or bar.until > at) and bar.number:
            barred.setdefault(bar.number, bar)
    others: dict[str, list[Prospect]] = {}
    same = ProspectNumber.objects.filter(
        number__in=[row.number for row in rows], prospect__in=prospects_of(user)
    )
    for other in (
        same.exclude(prospect=prospect).select_related("prospect").order_by("prospect")[:MAX_SHARING]
    ):
        others.setdefault(other.number, []).append(other.prospect)
    return [
        Phone(
            row, barred.get(row.number), others.get(row.number, [])[:SHARING], len(others.get(row.number, []))
        )
        for row in rows
    ]


def _standings(
    prospect: Prospect, sponsors: QuerySet[Sponsor], exclusions: Sequence[Exclusion], at: datetime
) -> list[Standing]:
    known = {bar.pk: bar for bar in exclusions}
    entries = (
        ListEntry.objects.filter(prospect=prospect, campaign__programme__sponsor__in=sponsors)
        .exclude(campaign__status=CampaignStatus.CLOSED)
        .select_related("campaign__programme__sponsor", "prospect")
        .order_by("-id")[:CAMPAIGNS]
    )
    found = []
    for entry in entries:
        agreed = entry.exact and entry.state == EntryState.CALLBACK and entry.due_at <= at
        answer = verdict(campaign=entry.campaign, prospect=prospect, at=at, exact=agreed)
        bar = known.get(answer.data.get("exclusion", 0))
        found.append(Standing(entry, answer.allowed, describe(answer), bar))
    return found
