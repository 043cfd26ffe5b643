"""Delicate situations as they were met: on one call, in a list, of a source."""

from dataclasses import dataclass

from django.db.models import Count, F, Func, QuerySet

from calls.enums import CallEventKind, SituationEffect
from calls.models import Call, Situation, SituationMark
from campaigns.models import CallList, Campaign
from crm.models import Source, User


@dataclass(frozen=True, slots=True)
class ListStanding:
    """A list and one situation: `met` of its `talks` (calls that were answered), and the share in percent."""

    call_list: int
    name: str
    source: str
    effect: str
    met: int
    talks: int

    @property
    def share(self) -> int:
        """The share in percent, rounded; 0 without conversations."""
        return round(100 * self.met / self.talks) if self.talks else 0

    @property
    def label(self) -> str:
        """What was met, in words."""
        return str(SituationEffect(self.effect).label)


def open_situation(call: Call, code: str) -> Situation | None:
    """Return the situation of this code when it is the one last opened on the call and not left since, else None."""
    last = call.events.filter(kind=CallEventKind.SITUATION).order_by("-id").first()
    if last is None or last.data.get("situation") != code:
        return None
    return Situation.objects.filter(code=code).first()


def languages_spoken() -> list[str]:
    """Return the codes of the languages in which somebody here can hold a call. One query."""
    spoken = User.objects.filter(is_active=True).annotate(code=Func(F("languages"), function="unnest"))
    return list(spoken.values_list("code", flat=True).distinct().order_by("code"))


def list_standing(call_list: int, effect: str) -> ListStanding:
    """Return how often a list met an effect. Three queries, by index."""
    row = CallList.objects.select_related("source").get(pk=call_list)
    met = SituationMark.objects.filter(call_list=call_list, effect=effect).count()
    return _standing(row, effect, met)


def _standing(row: CallList, effect: str, met: int) -> ListStanding:
    talks = Call.objects.filter(entry__call_list=row.pk, answered_at__isnull=False).count()
    source = row.source.name if row.source else ""
    return ListStanding(row.pk, row.name, source, effect, met, talks)


def standings_of(campaign: Campaign) -> list[ListStanding]:
    """Return what the lists of a campaign met, the most frequent first, five at most."""
    counted = (
        SituationMark.objects.filter(call_list__campaign=campaign)
        .values("call_list", "effect")
        .annotate(met=Count("pk"))
        .order_by("-met", "call_list")[:5]
    )
    found = list(counted)
    lists = CallList.objects.select_related("source").in_bulk([row["call_list"] for row in found])
    return [_standing(lists[row["call_list"]], row["effect"], row["met"]) for row in found]


def lost_by_source(sources: QuerySet[Source]) -> dict[int, int]:
    """Return how many lost people each of these sources led to, those with none left out. One query."""
    counted = SituationMark.objects.filter(source__in=sources, effect=SituationEffect.LOST)
    return dict(counted.values_list("source").annotate(met=Count("pk")))
