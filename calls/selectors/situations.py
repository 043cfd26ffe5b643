"""Delicate situations as they were met: on one call, in a list, of a source."""

from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import JSONObject

from calls.enums import CallEventKind
from calls.models import Call, CallEvent, Situation, SituationMark
from calls.rules.suspicions import is_suspect
from campaigns.models import CallList, Campaign
from crm.models import Source


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
    def is_suspect(self) -> bool:
        """Whether that says that the list is wrong."""
        return is_suspect(self.met, self.talks)


def open_situation(call: Call, code: str) -> tuple[Situation | None, list[dict[str, Any]]]:
    """Return the situation of this code if it is the one open on the call, else None; and the gestures done on it.

    One query.
    """
    kinds = (CallEventKind.SITUATION, CallEventKind.SITUATION_EFFECT)
    told = CallEvent.objects.filter(call=call.pk, kind__in=kinds).order_by("id")
    row: Any = Situation.objects.filter(code=code).annotate(
        told=ArraySubquery(told.values(json=JSONObject(kind="kind", data="data")))
    )
    for found in row:
        stages = [event["data"] for event in found.told if event["kind"] == CallEventKind.SITUATION]
        done = [event["data"] for event in found.told if event["kind"] == CallEventKind.SITUATION_EFFECT]
        is_open = bool(stages) and stages[-1].get("situation") == code
        return (found if is_open else None), done
    return None, []


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


@dataclass(frozen=True, slots=True)
class Met:
    """How many calls to people of a source met a lost person, and somebody who speaks another language."""

    lost: int = 0
    language: int = 0


def met_by_source(sources: QuerySet[Source]) -> dict[int, Met]:
    """Return what calls to the people of these sources met, those with nothing left out. One query."""
    rows = SituationMark.objects.filter(source__in=sources).values("source")
    counts = {effect: Count("pk", filter=Q(effect=effect)) for effect in ("lost", "language")}
    counted = rows.annotate(**counts).values_list("source", *counts)
    return {source: Met(lost, language) for source, lost, language in counted}
