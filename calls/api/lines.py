"""Telephony events from an exchange that knows numbers and extensions, and none of our ids."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from calls.access import calls_of
from calls.api.calls import LINE_EVENTS, ReportIn, reported_in
from calls.enums import ReportStanding
from calls.models import LineReport
from calls.selectors.lines import agents_named, calls_meant
from calls.services.line_reports import earlier_report, record_report
from campaigns.api.exclusions import REGION, read_number
from crm.api.endpoints import PROGRAMS, Endpoint, caller, now, stamp
from crm.api.fields import Id, Text, read
from crm.api.schema import describe
from crm.models import User
from crm.rules.errors import InvalidTransition, NotFound

UNKNOWN = _("Aucun appel à ce numéro n'est en cours ni vient de finir.")


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}]})
class AgentRef(serializers.Field[Any, Any, Any, Any]):
    """An agent: the id as a number, or the username or extension as a text."""

    def to_internal_value(self, data: Any) -> int | str:
        """Take a number or a text, neither of them long."""
        field = Id() if isinstance(data, int) else Text(max_length=150)
        found: int | str = field.run_validation(data)
        return found

    def to_representation(self, value: Any) -> Any:
        """Return it as it came."""
        return value


class LineEventIn(ReportIn):
    """What the line of an agent to a number did."""

    event = serializers.ChoiceField(LINE_EVENTS)
    number = Text(max_length=200)
    region = serializers.RegexField(REGION, required=False)
    agent = AgentRef(required=False, allow_null=True)
    campaign = Id(required=False, allow_null=True)


class LineReportOut(serializers.Serializer[Any]):
    """What was done with an event: of which call, how that stands now, and `result`.

    `done`: it moved the call. `already`: nothing new. `confirms`, `completes`: who hung up is known better. `late`,
    `contradicts`: kept in the call's history. `at` is when it counts as having happened.
    """

    call = serializers.IntegerField()
    event = serializers.CharField()
    result = serializers.ChoiceField(ReportStanding.choices)
    state = serializers.CharField()
    at = serializers.DateTimeField()


def report_out(report: LineReport) -> dict[str, Any]:
    """Return what became of a report."""
    return {
        "call": report.call_id,
        "event": report.event,
        "result": report.standing,
        "state": str(report.call.state),
        "at": stamp(report.counts_at),
    }


class LineEvents(Endpoint):
    """What an exchange reports of the lines of its sponsors."""

    resource = "calls"
    roles = {"POST": PROGRAMS}
    throttle_classes = []

    @describe(
        "calls_line_events",
        "Report what the line of an agent to a number did",
        problems=(
            "not-found",
            "invalid-transition",
        ),
        tag="calls",
        request=LineEventIn,
        answers={200: LineReportOut},
        description=(
            "404 when no call of that number is on or ended in the last 15 minutes; 409 when several may be meant: say "
            "`agent`, `campaign` or `at`. The same `event_id`, or the same words of the same call, is done once."
        ),
    )
    def post(self, request: Request) -> Response:
        """Find the call and record the event."""
        user, at, data = caller(request), now(), read(request, LineEventIn)
        earlier = earlier_report(event=data["event"], event_id=data.get("event_id", ""), by=user)
        if earlier is None:
            found = _meant(user, data, at)
            earlier = record_report(call=found, reported=reported_in(data), by=user, at=at)
            earlier.call.refresh_from_db(fields=["state"])
        elif not calls_of(user).filter(pk=earlier.call_id).exists():
            # Sent by the same account with a token that reached further.
            raise NotFound(UNKNOWN)
        return Response(report_out(earlier))


def _meant(user: User, data: dict[str, Any], at: Any) -> Any:
    agent = data.get("agent")
    found = calls_meant(
        calls_of(user),
        number=read_number(data["number"], data.get("region", "FR")),
        agents=None if agent is None else agents_named(agent),
        campaign=data.get("campaign"),
        said_at=data.get("at"),
        at=at,
    )
    if not found:
        raise NotFound(UNKNOWN)
    if len(found) > 1:
        raise InvalidTransition(
            _("Plusieurs appels peuvent être visés : précisez l'agent, la campagne ou l'heure."),
            extra={"calls": [call.pk for call in found]},
        )
    return found[0]
