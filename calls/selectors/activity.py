"""What the calls of campaigns came to, by day: calls made, people reached, out of criteria, completed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from calls.models import Call
from campaigns.models import Campaign

#: Days of the chart, today included.
DAYS = 14

#: As the columns of the dispositions have it; a call that is not qualified yet counts as made alone.
FIGURES = {
    "made": Count("pk"),
    "reached": Count("pk", filter=Q(disposition__contacted=True)),
    "out": Count("pk", filter=Q(disposition__eligible=False)),
    "completed": Count("pk", filter=Q(disposition__eligible=True, disposition__final=True)),
}


@dataclass(frozen=True, slots=True)
class Day:
    """The calls of one local day: how many were made, reached somebody, were out of criteria, and were completed."""

    day: date
    made: int = 0
    reached: int = 0
    out: int = 0
    completed: int = 0

    @property
    def others(self) -> int:
        """Conversations that were neither out of criteria nor completed."""
        return max(0, self.reached - self.out - self.completed)


def days_of(campaign: Campaign, *, at: datetime, days: int = DAYS) -> list[Day]:
    """Return the last days of a campaign, oldest first, those without calls included. One query."""
    today = timezone.localtime(at).date()
    first = today - timedelta(days=days - 1)
    rows = (
        Call.objects.filter(campaign=campaign, dialled_at__gte=_midnight(first))
        .annotate(day=TruncDate("dialled_at"))
        .order_by()
        .values("day")
        .annotate(**FIGURES)
    )
    found = {row["day"]: Day(**row) for row in rows}
    return [found.get(day, Day(day)) for day in (first + timedelta(days=n) for n in range(days))]


def today_of(campaigns: Iterable[Campaign], *, at: datetime) -> dict[int, Day]:
    """Return today's calls of these campaigns, by the campaign's id; none is left out. One query."""
    today = timezone.localtime(at).date()
    ids = [campaign.pk for campaign in campaigns]
    rows = (
        Call.objects.filter(campaign__in=ids, dialled_at__gte=_midnight(today))
        .order_by()
        .values("campaign")
        .annotate(**FIGURES)
    )
    found = {pk: Day(today, *figures) for pk, *figures in rows.values_list("campaign", *FIGURES)}
    return {pk: found.get(pk, Day(today)) for pk in ids}


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


@dataclass(frozen=True, slots=True)
class Bar:
    """A day of the chart: where it stands and how high its stretches are, from the bottom, in a picture 100 high."""

    day: Day
    left: int
    stretches: Sequence[tuple[str, int, int]]


#: Width of a day in the chart, and of the bar in it.
STEP, BAR = 34, 22


def bars_of(days: Sequence[Day]) -> list[Bar]:
    """Return the days as bars; the tallest fills the height, an empty one has no stretch."""
    highest = max((day.reached for day in days), default=0) or 1
    found = []
    for place, day in enumerate(days):
        top, stretches = 100, []
        for name, count in (("completed", day.completed), ("others", day.others), ("out", day.out)):
            height = max(1, round(100 * count / highest)) if count else 0
            top -= height
            if height:
                stretches.append((name, max(0, top), height))
        found.append(Bar(day, place * STEP + (STEP - BAR) // 2, stretches))
    return found
