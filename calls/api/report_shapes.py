"""The shapes of the reports, and how the figures of the pages are told in them."""

from typing import Any

from rest_framework import serializers

from calls.selectors.activity import Day
from calls.selectors.courtesy import Courtesy
from calls.selectors.situations import ListStanding, Met
from campaigns.models import ImportJob
from campaigns.selectors.funnel import Stage
from campaigns.selectors.health import Health
from campaigns.selectors.import_quality import Quality
from crm.api.endpoints import stamp
from crm.models import Source, User

QUALITY = ("rows", "valid", "possible", "repaired", "placeholders", "foreign", "duplicates", "rejected")


class FiguresOut(serializers.Serializer[Any]):
    """Calls made, those that reached somebody, that were out of criteria, that were completed."""

    made = serializers.IntegerField()
    reached = serializers.IntegerField()
    out_of_criteria = serializers.IntegerField()
    completed = serializers.IntegerField()


class DayOut(FiguresOut):
    """The calls of a local day."""

    day = serializers.DateField()


class HeldOut(serializers.Serializer[Any]):
    """Entries that one reason holds back."""

    gate = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    message = serializers.CharField()
    count = serializers.IntegerField()
    until = serializers.DateTimeField(allow_null=True)


class HealthOut(serializers.Serializer[Any]):
    """How a campaign is: the sentence of its page, and the counts behind it. `tone`: `fine`, `care` or empty."""

    campaign = serializers.IntegerField()
    name = serializers.CharField()
    status = serializers.CharField()
    sentence = serializers.CharField()
    tone = serializers.CharField(allow_blank=True)
    total = serializers.IntegerField()
    callable = serializers.IntegerField()
    waiting = serializers.IntegerField()
    next_at = serializers.DateTimeField(allow_null=True)
    why = serializers.CharField(allow_blank=True)
    states = serializers.DictField(child=serializers.IntegerField())
    reasons = HeldOut(many=True)


class RoomOut(HealthOut):
    """A campaign that runs, with today's calls and its overdue callbacks."""

    today = FiguresOut()
    overdue = serializers.IntegerField()


class DayReportOut(serializers.Serializer[Any]):
    """The campaigns that run, those that need care first, and those that do not; what waits in the inbox."""

    running = RoomOut(many=True)
    resting = HealthOut(many=True)
    inbox = serializers.IntegerField()
    calling = serializers.IntegerField(help_text="Agents who call for help.")


class LossOut(serializers.Serializer[Any]):
    """Entries that came no further; `open`: their time may still come."""

    label = serializers.CharField()  # type: ignore[assignment]
    count = serializers.IntegerField()
    open = serializers.BooleanField()


class StageOut(serializers.Serializer[Any]):
    """A stage of the funnel. `percent` of what was imported, `of_previous` of the stage before."""

    stage = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    count = serializers.IntegerField()
    percent = serializers.IntegerField()
    of_previous = serializers.IntegerField(allow_null=True)
    losses = LossOut(many=True)


class StandingOut(serializers.Serializer[Any]):
    """How often the calls of a list met a situation: `lost` people, another `language`."""

    list = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True)
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    effect = serializers.CharField()
    met = serializers.IntegerField()
    talks = serializers.IntegerField()
    suspect = serializers.BooleanField()


class CampaignReportOut(HealthOut):
    """The page of a campaign."""

    funnel = StageOut(many=True)
    days = DayOut(many=True)
    situations = StandingOut(many=True)


class CourtesyOut(serializers.Serializer[Any]):
    """Conversations that ended: how many, with a whole closing or an interrupted one, and who hung up."""

    calls = serializers.IntegerField()
    whole = serializers.IntegerField()
    interrupted = serializers.IntegerField()
    by_person = serializers.IntegerField()
    by_agent = serializers.IntegerField()


class AgentCourtesyOut(CourtesyOut):
    """The courtesy of one agent."""

    agent = serializers.IntegerField()
    name = serializers.CharField()


class PeriodOut(serializers.Serializer[Any]):
    """A period: so many `days` up to today, or `from` a day `to` another."""

    days = serializers.IntegerField(required=False)
    total = CourtesyOut()
    agents = AgentCourtesyOut(many=True)

    def get_fields(self) -> dict[str, Any]:
        """Add the two days; one of them is a word of Python."""
        ends = {name: serializers.DateField(required=False) for name in ("from", "to")}
        return {**super().get_fields(), **ends}


class CourtesyReportOut(serializers.Serializer[Any]):
    """The page of courtesy."""

    periods = PeriodOut(many=True)


class QualityOut(serializers.Serializer[Any]):
    """Rows, and how many of them had a valid number, only possible ones, were repaired, repeated another, refused."""

    rows = serializers.IntegerField()
    valid = serializers.IntegerField()
    possible = serializers.IntegerField()
    repaired = serializers.IntegerField()
    placeholders = serializers.IntegerField()
    foreign = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = serializers.IntegerField()
    poor = serializers.BooleanField(help_text="More than a fifth of the rows could not be used.")


class SupplierOut(QualityOut):
    """What a supplier delivered, and what calls to its people met: lost people, another language."""

    source = serializers.IntegerField()  # type: ignore[assignment]
    name = serializers.CharField()
    imports = serializers.IntegerField()
    lost = serializers.IntegerField()
    language = serializers.IntegerField()


class SourcesReportOut(serializers.Serializer[Any]):
    """The page that compares the suppliers."""

    results = SupplierOut(many=True)


class ImportQualityOut(QualityOut):
    """One import that was carried through."""

    id = serializers.IntegerField()
    campaign = serializers.IntegerField()
    source = serializers.IntegerField()  # type: ignore[assignment]
    state = serializers.CharField()
    created_at = serializers.DateTimeField()


class SourceReportOut(SupplierOut):
    """The page of a supplier's imports."""

    last_imports = ImportQualityOut(many=True)


def figures_out(day: Day) -> dict[str, int]:
    """Return what the calls of a day came to."""
    return {
        "made": day.made,
        "reached": day.reached,
        "out_of_criteria": day.out,
        "completed": day.completed,
    }


def health_out(health: Health) -> dict[str, Any]:
    """Return how a campaign is."""
    counts = health.counts
    return {
        "campaign": health.campaign.pk,
        "name": health.campaign.name,
        "status": health.campaign.status,
        "sentence": health.sentence,
        "tone": health.tone,
        "total": counts.total,
        "callable": counts.callable,
        "waiting": counts.waiting,
        "next_at": stamp(counts.next_at),
        "why": counts.why,
        "states": counts.states,
        "reasons": [row.as_dict() | {"until": stamp(row.until)} for row in counts.reasons],
    }


def stage_out(stage: Stage) -> dict[str, Any]:
    """Return a stage of the funnel."""
    return {
        "stage": stage.code,
        "label": stage.label,
        "count": stage.count,
        "percent": stage.percent,
        "of_previous": stage.of_previous,
        "losses": [{"label": row.label, "count": row.count, "open": row.is_open} for row in stage.losses],
    }


def standing_out(standing: ListStanding) -> dict[str, Any]:
    """Return what a list met."""
    return {
        "list": standing.call_list,
        "name": standing.name,
        "source": standing.source,
        "effect": standing.effect,
        "met": standing.met,
        "talks": standing.talks,
        "suspect": standing.is_suspect,
    }


def courtesy_out(figures: Courtesy) -> dict[str, int]:
    """Return how conversations ended."""
    return {
        "calls": figures.calls,
        "whole": figures.whole,
        "interrupted": figures.interrupted,
        "by_person": figures.by_person,
        "by_agent": figures.by_agent,
    }


def agent_out(agent: User, figures: Courtesy) -> dict[str, Any]:
    """Return how an agent's conversations ended."""
    named = {"agent": agent.pk, "name": agent.get_full_name() or agent.get_username()}
    return named | courtesy_out(figures)


def quality_out(quality: Quality) -> dict[str, Any]:
    """Return the quality of rows."""
    return {name: getattr(quality, name) for name in QUALITY} | {"poor": quality.is_poor}


def supplier_out(source: Source, total: Quality) -> dict[str, Any]:
    """Return what a supplier delivered."""
    return {"source": source.pk, "name": source.name, "imports": total.imports} | quality_out(total)


def met_out(met: Met | None) -> dict[str, int]:
    """Return what calls to a supplier's people met."""
    found = met or Met()
    return {"lost": found.lost, "language": found.language}


def import_out(job: ImportJob, quality: Quality) -> dict[str, Any]:
    """Return the quality of an import."""
    return {
        "id": job.pk,
        "campaign": job.campaign_id,
        "source": job.source_id,
        "state": job.state,
        "created_at": stamp(job.created_at),
    } | quality_out(quality)
