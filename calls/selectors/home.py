"""What a manager sees at nine in the morning: which campaign needs her, why, and what else waits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from calls.enums import IncidentKind
from calls.models import Incident
from calls.selectors.activity import Day, today_of
from campaigns.enums import CampaignStatus, ImportState
from campaigns.models import Campaign, ImportJob, ListEntry, Programme
from campaigns.selectors.health import CARE, Health, healths
from crm.models import Sponsor

#: Campaigns that the page shows in full, and imports; the rest is a link away.
SHOWN = 50
IMPORTS = 10
#: How long a failed import is told of.
FAILED_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Room:
    """A campaign on the page: how it is, its calls of today, and how many callbacks are overdue."""

    health: Health
    today: Day
    overdue: int

    @property
    def needs_care(self) -> bool:
        """Whether nobody can be called although it runs."""
        return self.health.tone == CARE


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a new installation: whether it is done, and whether it is the next one to do."""

    code: str
    done: bool
    is_next: bool = False


@dataclass(frozen=True, slots=True)
class Home:
    """The page: campaigns that run (those that need care first), those that do not, imports, and the first steps.

    `steps` is empty once there is a campaign with a list.
    """

    rooms: Sequence[Room]
    resting: Sequence[Health]
    imports: Sequence[ImportJob]
    #: What waits for a decision in the inbox, and how many of those are agents who call.
    inbox: int
    calling: int
    steps: Sequence[Step] = field(default_factory=list)

    @property
    def in_need(self) -> int:
        """How many of those that run have nobody to call."""
        return sum(room.needs_care for room in self.rooms)

    @property
    def overdue(self) -> int:
        """How many callbacks are overdue in all campaigns that run."""
        return sum(room.overdue for room in self.rooms)


def home_of(
    campaigns: QuerySet[Campaign],
    programmes: QuerySet[Programme],
    sponsors: QuerySet[Sponsor],
    imports: QuerySet[ImportJob],
    *,
    at: datetime,
) -> Home:
    """Return the page for somebody who sees these campaigns, programmes, sponsors and imports. Five queries."""
    open_ones = campaigns.exclude(status=CampaignStatus.CLOSED).select_related("programme__sponsor")
    listed = list(open_ones.order_by("name", "id")[: 2 * SHOWN])
    found = healths(listed, at=at)
    today = today_of(listed, at=at) if listed else {}
    running = [health for health in found if health.campaign.status == CampaignStatus.RUNNING]
    rooms = [Room(health, today[health.campaign.pk], health.counts.overdue) for health in running]
    rooms.sort(key=lambda room: not room.needs_care)
    waiting = Incident.objects.waiting().filter(sponsor__in=sponsors)
    inbox = waiting.aggregate(all=Count("pk"), calling=Count("pk", filter=Q(kind=IncidentKind.HELP)))
    return Home(
        rooms=rooms[:SHOWN],
        resting=[health for health in found if health.campaign.status != CampaignStatus.RUNNING][:SHOWN],
        imports=list(_waiting(imports, at)[:IMPORTS]) if listed else [],
        inbox=inbox["all"],
        calling=inbox["calling"],
        steps=[] if any(health.counts.total for health in found) else _steps(campaigns, programmes, sponsors),
    )


def _waiting(imports: QuerySet[ImportJob], at: datetime) -> QuerySet[ImportJob]:
    """Return the imports that are under way, wait for a decision, or failed lately."""
    lately = Q(state=ImportState.FAILED, created_at__gte=at - FAILED_FOR)
    open_ones = Q(state__in=[ImportState.UPLOADED, ImportState.RUNNING])
    rows = imports.filter(open_ones | lately).select_related("campaign", "file")
    return rows.order_by("-id")


def _steps(
    campaigns: QuerySet[Campaign], programmes: QuerySet[Programme], sponsors: QuerySet[Sponsor]
) -> list[Step]:
    """Return what a new installation does first, and what is done of it; [] when an old list is merely closed."""
    entries = ListEntry.objects.filter(campaign__in=campaigns)
    done = {
        "sponsor": sponsors.exists(),
        "programme": programmes.exists(),
        "campaign": campaigns.exists(),
        "list": entries.exists(),
    }
    if all(done.values()):
        return []
    following = next(code for code, is_done in done.items() if not is_done)
    return [Step(code, is_done, code == following) for code, is_done in done.items()]
