"""What an incident begins with and what an agent who waits is answered: what a body means for the services."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from calls.api.calls import get_call_or_404
from calls.enums import AnswerKind, IncidentKind
from calls.models import Call, Incident
from calls.services.dispositions import ask_correction
from calls.services.reporting import REPORTED, report_incident
from calls.services.supervisor import ask_supervisor
from crm.access import prospects_of, sponsors_of
from crm.api.fields import Body, Id, Moment, Text
from crm.models import User
from crm.rules.errors import Forbidden, Invalid

#: What the agent of a call asks, as on its screen.
ASKED = frozenset({IncidentKind.HELP, IncidentKind.ENTRY_ERROR})


class IncidentIn(Body):
    """What is reported, of which call or prospect, in a few words.

    `help` and `entry_error` are asked by the agent of a `call`; `complaint`, `rights` and `other` are reported by
    supervisors and programs. `sponsor` only for a prospect that belongs to none.
    """

    kind = serializers.ChoiceField(sorted(map(str, ASKED | REPORTED)))
    call = Id(required=False, allow_null=True)
    prospect = Id(required=False, allow_null=True)
    sponsor = Id(required=False, allow_null=True)
    summary = Text(max_length=500, required=False, allow_blank=True)


class HelpAnswerIn(Body):
    """What an agent who waits is answered; `later` takes the time at which the person is called back."""

    kind = serializers.ChoiceField(AnswerKind.choices)
    words = Text(max_length=500, required=False, allow_blank=True)
    due_at = Moment(required=False, allow_null=True)


class HelpAnswerOut(serializers.Serializer[Any]):
    """An answer to an agent who waits."""

    kind = serializers.CharField()
    words = serializers.CharField(allow_blank=True)
    due_at = serializers.DateTimeField(allow_null=True)
    at = serializers.DateTimeField()
    by = serializers.IntegerField()


def create_incident(user: User, data: dict[str, Any], at: datetime) -> Incident:
    """Store what a body reports, by the service of its kind; the same of one call again is the one that stands."""
    call = get_call_or_404(user, data["call"]) if data.get("call") else None
    summary = data.get("summary", "")
    if data["kind"] in ASKED:
        return _asked(user, data["kind"], call, summary, at)
    named: dict[str, Any] = {"call": call}
    for name, rows in (("prospect", prospects_of(user)), ("sponsor", sponsors_of(user))):
        if pk := data.get(name):
            named[name] = rows.filter(pk=pk).first()
            if named[name] is None:
                raise Invalid.field(name, _("Introuvable."))
    return report_incident(kind=data["kind"], summary=summary, **named, by=user, at=at)


def _asked(user: User, kind: str, call: Call | None, summary: str, at: datetime) -> Incident:
    if call is None:
        raise Invalid.field("call", _("Sur quel appel ?"))
    if call.agent_id != user.pk:
        raise Forbidden(_("C'est l'appel d'un autre agent."))
    if kind == IncidentKind.HELP:
        ask_supervisor(call=call, words=summary, by=user, at=at)
    else:
        ask_correction(call=call, reason=summary, by=user, at=at)
    return Incident.objects.get(call=call, kind=kind)
