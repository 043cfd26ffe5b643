"""Agreed callbacks, and what a supervisor is told or asked."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from calls.api.incidents import HelpAnswerIn, HelpAnswerOut, IncidentIn, create_incident
from calls.enums import CallbackState, Decision, IncidentKind, StartedBy
from calls.models import Callback, Incident
from calls.selectors.callbacks import possible_owners
from calls.services.callbacks import (
    agree_callback,
    cancel_callback,
    lock_callback,
    move_callback,
    reassign_callback,
)
from calls.services.help import answer_incident
from calls.services.incidents import decide
from campaigns.access import campaigns_of
from crm.access import own_within_token, prospects_of, sponsors_of
from crm.api import queries
from crm.api.endpoints import (
    EVERYBODY,
    PROGRAMS,
    SUPERVISORS,
    Endpoint,
    caller,
    check_fresh,
    etag_of,
    locked,
    now,
    record,
    stamp,
)
from crm.api.fields import Body, Id, Moment, Text, Truth, read
from crm.api.paging import page
from crm.api.schema import describe, page_of
from crm.enums import Role
from crm.models import User
from crm.rules.errors import Invalid


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
    state = serializers.ChoiceField(CallbackState.choices)
    reason = serializers.CharField(allow_blank=True, help_text="Why it was cancelled.")
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class CallbackIn(Body):
    """A later call to a prospect of a campaign's list. Without owner it is everybody's.

    `exact`: the person gave that very time, outside the calling rules too.
    """

    ignored = ("id", "call", "state", "reason", "created_at", "closed_at")
    campaign = Id()
    prospect = Id()
    due_at = Moment()
    owner = Id(required=False, allow_null=True)
    exact = Truth(required=False)
    note = Text(max_length=500, required=False, allow_blank=True)


class CallbackChange(Body):
    """Another time, another owner (null: whoever is free), or `state` `cancelled` with its `reason`."""

    ignored = ("id", "campaign", "prospect", "call", "note", "created_at", "closed_at")
    due_at = Moment(required=False)
    exact = Truth(required=False)
    owner = Id(required=False, allow_null=True)
    state = serializers.ChoiceField(CallbackState.choices, required=False)
    reason = Text(max_length=300, required=False, allow_blank=True)


class IncidentOut(serializers.Serializer[Any]):
    """A report or a question, and what was decided."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(IncidentKind.choices)
    sponsor = serializers.IntegerField()
    call = serializers.IntegerField(allow_null=True)
    prospect = serializers.IntegerField(allow_null=True)
    exclusion = serializers.IntegerField(allow_null=True)
    summary = serializers.CharField(allow_blank=True)
    data = serializers.DictField()  # type: ignore[assignment]
    at = serializers.DateTimeField()
    by = serializers.IntegerField(allow_null=True)
    decision = serializers.ChoiceField(Decision.choices, allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    started_by = serializers.ChoiceField(StartedBy.choices, allow_blank=True)
    answers = HelpAnswerOut(many=True)


class DecisionIn(Body):
    """A decision; `correct` takes the right `code`, `reopen` another `number`."""

    ignored = (
        *("id", "kind", "sponsor", "call", "prospect", "exclusion", "summary", "data", "at", "by"),
        *("decided_at", "decided_by", "answers"),
    )
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
        "state": str(callback.state),
        "reason": callback.cancel_reason,
        "created_at": stamp(callback.created_at),
        "closed_at": stamp(callback.closed_at),
    }


def incident_out(incident: Incident) -> dict[str, Any]:
    """Return an incident with its decision; `decision_row` should be joined, `answers` fetched."""
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
        "answers": [
            {
                "kind": row.kind,
                "words": row.words,
                "due_at": stamp(row.due_at),
                "at": stamp(row.at),
                "by": row.by_id,
            }
            for row in incident.answers.all()
        ],
    }


def callbacks_of(user: User) -> QuerySet[Callback]:
    """Return the callbacks that the user sees: an agent's own, and to the others those of their sponsors."""
    own = Q(own_within_token(user, "campaign__programme__sponsor"), owner=user)
    if user.role == Role.AGENT:
        return Callback.objects.filter(own)
    return Callback.objects.filter(own | Q(campaign__programme__sponsor__in=sponsors_of(user)))


def incidents_of(user: User) -> QuerySet[Incident]:
    """Return the incidents of the user's sponsors."""
    rows = Incident.objects.filter(sponsor__in=sponsors_of(user))
    return rows.select_related("decision_row").prefetch_related("answers")


class CallbackList(Endpoint):
    """Agreed callbacks."""

    resource = "callbacks"
    roles = {"GET": EVERYBODY, "POST": SUPERVISORS | PROGRAMS}

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

    @describe(
        "callbacks_create",
        "Agree a callback outside of a call",
        problems=(
            "invalid-transition",
            "excluded",
            "not-callable",
        ),
        tag="callbacks",
        request=CallbackIn,
        answers={201: CallbackOut},
        description="The prospect is in the campaign's list already; the same callback again is the one that stands.",
    )
    def post(self, request: Request) -> Response:
        """Create."""
        user, data = caller(request), read(request, CallbackIn)
        campaign = campaigns_of(user).filter(pk=data.pop("campaign")).first()
        if campaign is None:
            raise Invalid.field("campaign", _("Cette campagne n'existe pas."))
        prospect = prospects_of(user).filter(pk=data.pop("prospect")).first()
        if prospect is None:
            raise Invalid.field("prospect", _("Cette fiche n'existe pas."))
        data["owner"] = _owner(user, data.get("owner"))
        made = agree_callback(campaign=campaign, prospect=prospect, **data, by=user, at=now())
        return record(callback_out(made), status=201, location=f"{request.path}{made.pk}/")


def _owner(user: User, pk: int | None) -> User | None:
    """Return whom a callback is given to, of those to whom the user may give one; null is whoever is free."""
    if pk is None:
        return None
    owner = possible_owners(user).filter(pk=pk).first()
    if owner is None:
        raise Invalid.field("owner", _("Cet agent ne peut pas rappeler pour cette campagne."))
    return owner


class CallbackDetail(Endpoint):
    """One callback."""

    resource = "callbacks"
    roles = {"GET": EVERYBODY, "PATCH": EVERYBODY}

    @describe("callbacks_get", "Read a callback", tag="callbacks", answers={200: CallbackOut})
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        return record(callback_out(get_object_or_404(callbacks_of(caller(request)), pk=pk)))

    @describe(
        "callbacks_update",
        "Move, reassign or cancel a callback",
        problems=("invalid-transition",),
        tag="callbacks",
        request=CallbackChange,
        answers={200: CallbackOut},
        has_etag=True,
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Update: all of it, or nothing."""
        user = caller(request)
        found = get_object_or_404(callbacks_of(user), pk=pk)
        with transaction.atomic():
            current = lock_callback(found)
            check_fresh(request, etag_of(callback_out(current)))
            changed = _changed(user, current, read(request, CallbackChange, partial=True), now())
        return record(callback_out(changed))


def _changed(user: User, callback: Callback, data: dict[str, Any], at: datetime) -> Callback:
    """Do what a PATCH names and the callback is not yet."""
    wanted = data.get("state", callback.state)
    if wanted == CallbackState.CANCELLED:
        return cancel_callback(callback=callback, reason=data.get("reason", ""), by=user, at=at)
    if wanted != callback.state:
        raise Invalid.field("state", _("Un rappel s'annule ; il ne change d'état que par son appel."))
    moved = {name: data.get(name, getattr(callback, name)) for name in ("due_at", "exact")}
    if any(getattr(callback, name) != value for name, value in moved.items()):
        callback = move_callback(callback=callback, **moved, by=user, at=at)
    if data.get("owner", callback.owner_id) != callback.owner_id:
        callback = reassign_callback(callback=callback, to=_owner(user, data["owner"]), by=user, at=at)
    return callback


class IncidentList(Endpoint):
    """The supervisor's inbox, and what is put into it."""

    resource = "incidents"
    roles = {"GET": SUPERVISORS, "POST": EVERYBODY}

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

    @describe(
        "incidents_create",
        "Report an incident",
        problems=(
            "not-found",
            "invalid-transition",
        ),
        tag="incidents",
        request=IncidentIn,
        answers={201: IncidentOut},
        description="Of one call and kind there is one incident: again, it is the one that stands.",
    )
    def post(self, request: Request) -> Response:
        """Report."""
        made = create_incident(caller(request), read(request, IncidentIn), now())
        return record(incident_out(made), status=201, location=f"{request.path}{made.pk}/")


class IncidentDetail(Endpoint):
    """One incident."""

    resource = "incidents"
    roles = {"GET": SUPERVISORS, "PATCH": SUPERVISORS}

    @describe("incidents_get", "Read an incident", tag="incidents", answers={200: IncidentOut})
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        return record(incident_out(get_object_or_404(incidents_of(caller(request)), pk=pk)))

    @describe(
        "incidents_update",
        "Decide on an incident, if it still is as it was read",
        problems=(
            "invalid-transition",
            "excluded",
            "not-callable",
            "open-call",
        ),
        tag="incidents",
        request=DecisionIn,
        answers={200: IncidentOut},
        has_etag=True,
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Decide."""
        user = caller(request)
        with transaction.atomic():
            incident = locked(request, incidents_of(user), pk, incident_out)
            data = {"reason": ""} | read(request, DecisionIn)
            decide(incident=incident, **data, by=user, at=now())
        return record(incident_out(incidents_of(user).get(pk=pk)))


class IncidentAnswers(Endpoint):
    """What an agent who waits is answered; it decides nothing yet, but `later` does."""

    resource = "incidents"
    roles = {"POST": SUPERVISORS}

    @describe(
        "incidents_answer",
        "Answer an agent who waits",
        problems=("invalid-transition",),
        tag="incidents",
        request=HelpAnswerIn,
        answers={200: IncidentOut},
        description="`seen` is told once by whoever reads it; `accepted` and `later` take the request on: one of them.",
    )
    def post(self, request: Request, pk: int) -> Response:
        """Answer; the same answer twice is one."""
        user = caller(request)
        incident = get_object_or_404(incidents_of(user).select_related("call__campaign__programme"), pk=pk)
        answer_incident(incident=incident, **read(request, HelpAnswerIn), by=user, at=now())
        return record(incident_out(incidents_of(user).get(pk=pk)))


class IncidentDecide(Endpoint):
    """The decision on an incident, once."""

    resource = "incidents"
    roles = {"POST": SUPERVISORS}

    @describe(
        "incidents_decide",
        "Decide on an incident",
        problems=(
            "invalid-transition",
            "excluded",
            "not-callable",
            "open-call",
        ),
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
