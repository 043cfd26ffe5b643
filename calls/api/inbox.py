"""Agreed callbacks, and what a supervisor is told or asked."""

from typing import Any

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from calls.enums import CallbackState, Decision, IncidentKind, StartedBy
from calls.models import Callback, Incident
from calls.services.incidents import decide
from crm.access import own_within_token, sponsors_of
from crm.api import queries
from crm.api.endpoints import EVERYBODY, SUPERVISORS, Endpoint, caller, now, record, stamp
from crm.api.fields import Body, Moment, Text, read
from crm.api.paging import page
from crm.api.schema import describe, page_of
from crm.enums import Role
from crm.models import User


class CallbackOut(serializers.Serializer[Any]):
    """An agreed later call."""

    id = serializers.IntegerField()
    campaign = serializers.IntegerField()
    prospect = serializers.IntegerField()
    call = serializers.IntegerField(allow_null=True)
    owner = serializers.IntegerField(allow_null=True)
    due_at = serializers.DateTimeField()
    exact = serializers.BooleanField()
    note = serializers.CharField(allow_blank=True)
    state = serializers.CharField()
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class IncidentOut(serializers.Serializer[Any]):
    """A report or a question, and what was decided."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    sponsor = serializers.IntegerField()
    call = serializers.IntegerField(allow_null=True)
    prospect = serializers.IntegerField(allow_null=True)
    exclusion = serializers.IntegerField(allow_null=True)
    summary = serializers.CharField(allow_blank=True)
    data = serializers.DictField()  # type: ignore[assignment]
    at = serializers.DateTimeField()
    by = serializers.IntegerField(allow_null=True)
    decision = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    started_by = serializers.CharField(allow_blank=True)


class DecisionIn(Body):
    """A decision; `correct` takes the right `code`, `reopen` another `number`."""

    decision = serializers.ChoiceField(Decision.choices)
    reason = Text(max_length=500, required=False, allow_blank=True)
    code = Text(max_length=40, required=False, allow_blank=True)
    note = Text(max_length=2000, required=False, allow_blank=True)
    callback_at = Moment(required=False, allow_null=True)
    number = Text(max_length=200, required=False, allow_blank=True)
    started_by = serializers.ChoiceField(StartedBy.choices, required=False, allow_blank=True)


def callback_out(callback: Callback) -> dict[str, Any]:
    """Return a callback."""
    return {
        "id": callback.pk,
        "campaign": callback.campaign_id,
        "prospect": callback.prospect_id,
        "call": callback.call_id,
        "owner": callback.owner_id,
        "due_at": stamp(callback.due_at),
        "exact": callback.exact,
        "note": callback.note,
        "state": callback.state,
        "created_at": stamp(callback.created_at),
        "closed_at": stamp(callback.closed_at),
    }


def incident_out(incident: Incident) -> dict[str, Any]:
    """Return an incident with its decision; `decision_row` should be joined."""
    decision = getattr(incident, "decision_row", None)
    return {
        "id": incident.pk,
        "kind": incident.kind,
        "sponsor": incident.sponsor_id,
        "call": incident.call_id,
        "prospect": incident.prospect_id,
        "exclusion": incident.exclusion_id,
        "summary": incident.summary,
        "data": incident.data,
        "at": stamp(incident.at),
        "by": incident.by_id,
        "decision": decision.decision if decision else None,
        "decided_at": stamp(decision.at) if decision else None,
        "decided_by": decision.by_id if decision else None,
        "reason": decision.reason if decision else "",
        "started_by": decision.started_by if decision else "",
    }


def callbacks_of(user: User) -> QuerySet[Callback]:
    """Return the callbacks that the user sees: an agent's own, and to the others those of their sponsors."""
    own = Q(own_within_token(user, "campaign__programme__sponsor"), owner=user)
    if user.role == Role.AGENT:
        return Callback.objects.filter(own)
    return Callback.objects.filter(own | Q(campaign__programme__sponsor__in=sponsors_of(user)))


def incidents_of(user: User) -> QuerySet[Incident]:
    """Return the incidents of the user's sponsors."""
    return Incident.objects.filter(sponsor__in=sponsors_of(user)).select_related("decision_row")


class CallbackList(Endpoint):
    """Agreed callbacks."""

    resource = "callbacks"
    roles = {"GET": EVERYBODY}

    @describe(
        "callbacks_list",
        "List callbacks",
        tag="callbacks",
        answers={200: page_of(CallbackOut)},
        is_list=True,
        parameters=[
            OpenApiParameter("state", str, enum=CallbackState.values),
            OpenApiParameter("owner", int),
            OpenApiParameter("campaign", int),
        ],
    )
    def get(self, request: Request) -> Response:
        """List."""
        rows = callbacks_of(caller(request)).filter(
            **queries.codes(request, state=CallbackState.values),
            **queries.references(request, owner="owner", campaign="campaign"),
        )
        return page(request, rows, callback_out, filters=("state", "owner", "campaign"))


class CallbackDetail(Endpoint):
    """One callback."""

    resource = "callbacks"
    roles = {"GET": EVERYBODY}

    @describe("callbacks_get", "Read a callback", tag="callbacks", answers={200: CallbackOut})
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        return record(callback_out(get_object_or_404(callbacks_of(caller(request)), pk=pk)))


class IncidentList(Endpoint):
    """The supervisor's inbox."""

    resource = "incidents"
    roles = {"GET": SUPERVISORS}

    @describe(
        "incidents_list",
        "List incidents",
        tag="incidents",
        answers={200: page_of(IncidentOut)},
        is_list=True,
        parameters=[
            OpenApiParameter("kind", str, enum=IncidentKind.values),
            OpenApiParameter("decided", bool, description="`false`: those that wait for a decision."),
        ],
    )
    def get(self, request: Request) -> Response:
        """List."""
        rows = incidents_of(caller(request)).filter(**queries.codes(request, kind=IncidentKind.values))
        decided = queries.truth(request, "decided")
        if decided is not None:
            rows = rows.filter(decision_row__isnull=not decided)
        return page(request, rows, incident_out, filters=("kind", "decided"))


class IncidentDetail(Endpoint):
    """One incident."""

    resource = "incidents"
    roles = {"GET": SUPERVISORS}

    @describe("incidents_get", "Read an incident", tag="incidents", answers={200: IncidentOut})
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        return record(incident_out(get_object_or_404(incidents_of(caller(request)), pk=pk)))


class IncidentDecide(Endpoint):
    """The decision on an incident, once."""

    resource = "incidents"
    roles = {"POST": SUPERVISORS}

    @describe(
        "incidents_decide",
        "Decide on an incident",
        tag="incidents",
        request=DecisionIn,
        answers={200: IncidentOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Decide."""
        user = caller(request)
        incident = get_object_or_404(incidents_of(user), pk=pk)
        data = {"reason": ""} | read(request, DecisionIn)
        decide(incident=incident, **data, by=user, at=now())
        return record(incident_out(get_object_or_404(incidents_of(user), pk=pk)))
