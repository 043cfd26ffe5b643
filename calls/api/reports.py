"""The figures of the manager's pages as JSON, each from the selector of its page: same roles, same walls."""

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from calls.api import report_shapes as shapes
from calls.selectors import activity, courtesy
from calls.selectors.home import home_of
from calls.selectors.situations import met_by_source, standings_of
from campaigns.access import campaigns_of, get_campaign_or_404, imports_of, programmes_of
from campaigns.models import ImportJob
from campaigns.selectors import health, import_quality
from campaigns.selectors.funnel import funnel_of
from crm.access import get_source_or_404, sources_of, sponsors_of
from crm.api import queries
from crm.api.endpoints import MANAGERS, SUPERVISORS, Endpoint, caller, now
from crm.api.fields import Body, Id, read_query
from crm.api.paging import page
from crm.api.schema import describe, page_of
from crm.models import User
from crm.rules.errors import Invalid
from crm.selectors import people

TAG = "reports"
#: Days that a report of a campaign may tell of.
MOST_DAYS = 366


class Report(Endpoint):
    """A page of figures."""

    resource = "reports"
    roles = {"GET": SUPERVISORS}


class DayReport(Report):
    """What a manager sees first in the morning."""

    @describe(
        "reports_day", "The campaigns today, and what waits", tag=TAG, answers={200: shapes.DayReportOut}
    )
    def get(self, request: Request) -> Response:
        """Read."""
        user, at = caller(request), now()
        read_query(request, Body)
        found = home_of(campaigns_of(user), programmes_of(user), sponsors_of(user), imports_of(user), at=at)
        return Response(
            {
                "running": [
                    shapes.health_out(room.health)
                    | {"today": shapes.figures_out(room.today), "overdue": room.overdue}
                    for room in found.rooms
                ],
                "resting": [shapes.health_out(row) for row in found.resting],
                "inbox": found.inbox,
                "calling": found.calling,
            }
        )


class CampaignQuery(Body):
    """How many days the report tells of, today included."""

    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, required=False)


class CampaignReport(Report):
    """One campaign: its health, its funnel, its days, what its lists met."""

    @describe(
        "reports_campaign",
        "The figures of a campaign",
        tag=TAG,
        answers={200: shapes.CampaignReportOut},
        parameters=[
            OpenApiParameter(
                "days",
                {"type": "integer", "minimum": 1, "maximum": 366},
                description=f"14 unless told otherwise, at most {MOST_DAYS}.",
            )
        ],
    )
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        at = now()
        campaign = get_campaign_or_404(caller(request), pk)
        asked = read_query(request, CampaignQuery)
        standing = health.health_of(campaign, at=at)
        days = activity.days_of(campaign, at=at, days=asked.get("days", activity.DAYS))
        return Response(
            shapes.health_out(standing)
            | {
                "funnel": [shapes.stage_out(stage) for stage in funnel_of(standing.counts.groups)],
                "days": [{"day": row.day.isoformat(), **shapes.figures_out(row)} for row in days],
                "situations": [shapes.standing_out(row) for row in standings_of(campaign)],
            }
        )


class CourtesyQuery(Body):
    """Whose conversations, and of which local days; without any: today, 7 and 30 days."""

    campaign = Id(required=False)
    team = Id(required=False)

    def get_fields(self) -> dict[str, Any]:
        """Add the two days; one of them is a word of Python."""
        return {
            **super().get_fields(),
            "from": serializers.DateField(required=False),
            "to": serializers.DateField(required=False),
        }


class CourtesyReport(Report):
    """How conversations ended, by agent."""

    @describe(
        "reports_courtesy",
        "Whole closings and who hung up, by agent",
        tag=TAG,
        answers={200: shapes.CourtesyReportOut},
        parameters=[
            OpenApiParameter("campaign", int),
            OpenApiParameter("team", int),
            OpenApiParameter("from", date, description="A local day; `to` is the last one, both included."),
            OpenApiParameter("to", date),
        ],
    )
    def get(self, request: Request) -> Response:
        """Read."""
        user, asked = caller(request), read_query(request, CourtesyQuery)
        narrowed = _narrowed(user, asked)
        if "from" in asked or "to" in asked:
            return Response({"periods": [_between(user, asked, narrowed)]})
        rows = courtesy.courtesies(sponsors_of(user), now(), **narrowed)
        total = courtesy.total_of(rows)
        return Response(
            {
                "periods": [
                    {
                        "days": days,
                        "total": shapes.courtesy_out(total[days]),
                        "agents": [shapes.agent_out(row.agent, row.periods[days]) for row in rows],
                    }
                    for days in courtesy.PERIODS
                ]
            }
        )


def _narrowed(user: User, asked: dict[str, Any]) -> dict[str, int | None]:
    """Return the campaign and the team that were asked for, of those that the user may choose."""
    rows: dict[str, QuerySet[Any]] = {"campaign": campaigns_of(user), "team": people.teams_of(user)}
    for name, known in rows.items():
        if name in asked and not known.filter(pk=asked[name]).exists():
            raise Invalid.field(name, _("Introuvable."))
    return {name: asked.get(name) for name in rows}


def _between(user: User, asked: dict[str, Any], narrowed: dict[str, int | None]) -> dict[str, Any]:
    if "from" not in asked or "to" not in asked or asked["from"] > asked["to"]:
        raise Invalid.field("from", _("Donnez le premier et le dernier jour."))
    rows = courtesy.courtesies_between(sponsors_of(user), asked["from"], asked["to"], **narrowed)
    return {
        "from": asked["from"].isoformat(),
        "to": asked["to"].isoformat(),
        "total": shapes.courtesy_out(courtesy.added(figures for _agent, figures in rows)),
        "agents": [shapes.agent_out(agent, figures) for agent, figures in rows],
    }


class SourceReports(Report):
    """What the suppliers delivered, the worst first."""

    roles = {"GET": MANAGERS}

    @describe(
        "reports_sources",
        "The quality of each supplier's lists, and what their people say",
        tag=TAG,
        answers={200: shapes.SourcesReportOut},
    )
    def get(self, request: Request) -> Response:
        """Read."""
        user = caller(request)
        read_query(request, Body)
        sources = sources_of(user)
        met = met_by_source(sources)
        rows = import_quality.quality_by_source(sources, imports_of(user))
        return Response(
            {
                "results": [
                    shapes.supplier_out(row.source, row.total) | shapes.met_out(met.get(row.source.pk))
                    for row in rows
                ]
            }
        )


class SourceReport(Report):
    """One supplier: all that it delivered, and its last imports."""

    roles = {"GET": MANAGERS}

    @describe(
        "reports_source",
        "The quality of a supplier's imports",
        tag=TAG,
        answers={200: shapes.SourceReportOut},
    )
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        user = caller(request)
        source = get_source_or_404(user, pk)
        read_query(request, Body)
        found = import_quality.quality_of_source(source, imports_of(user))
        imports = [shapes.import_out(job, quality) for job, quality in found.imports]
        met = met_by_source(sources_of(user).filter(pk=source.pk)).get(source.pk)
        return Response(
            shapes.supplier_out(source, found.total) | shapes.met_out(met) | {"last_imports": imports}
        )


class ImportReports(Report):
    """The quality of the imports that were carried through."""

    roles = {"GET": MANAGERS}

    @describe(
        "reports_imports",
        "The quality of each import",
        tag=TAG,
        answers={200: page_of(shapes.ImportQualityOut)},
        is_list=True,
        parameters=[OpenApiParameter("campaign", int), OpenApiParameter("source", int)],
    )
    def get(self, request: Request) -> Response:
        """List."""
        rows = imports_of(caller(request)).filter(
            state__in=import_quality.TOLD,
            **queries.references(request, campaign="campaign", source="source"),
        )

        def quality(job: ImportJob) -> dict[str, Any]:
            return shapes.import_out(job, import_quality.quality_of(job.counts))

        rows = rows.defer("preview", "mapping", "layout")
        return page(request, rows, quality, filters=("campaign", "source"))
