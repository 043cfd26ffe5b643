"""Bans: asked for by who heard it, granted or refused by a manager, lifted, appealed. By the services of the pages."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from calls.api.calls import get_call_or_404
from calls.enums import BanState, BanVerdict
from calls.models import Ban, Incident
from calls.selectors.bans import bans_seen_by
from calls.services import bans
from campaigns.api.exclusions import place_of
from campaigns.enums import Scope
from crm.access import prospects_of, sponsors_of
from crm.api.endpoints import (
    AGENTS,
    MANAGERS,
    SUPERVISORS,
    Endpoint,
    caller,
    locked,
    now,
    record,
    stamp,
)
from crm.api.fields import Body, Id, Moment, Text, read
from crm.api.paging import page
from crm.api.schema import describe, page_of
from crm.models import User
from crm.rules.errors import Invalid
from crm.rules.phones import search_forms

TAG = "bans"
PLACES = ("sponsor", "programme", "campaign")


class BanIn(Body):
    """Whom to call no more, how far, and why: the person of a `call` or of an `incident`, else a number or a fiche."""

    reason = Text(max_length=500)
    call = Id(required=False, allow_null=True)
    incident = Id(required=False, allow_null=True)
    number = Text(max_length=200, required=False, allow_null=True)
    prospect = Id(required=False, allow_null=True)
    scope = serializers.ChoiceField(Scope.choices, required=False)
    sponsor = Id(required=False, allow_null=True)
    programme = Id(required=False, allow_null=True)
    campaign = Id(required=False, allow_null=True)


class ApprovalIn(Body):
    """Until when it holds (by default for `BAN_MONTHS`), and a word or none."""

    reason = Text(max_length=500, required=False, allow_blank=True)
    expires_at = Moment(required=False, allow_null=True)


class BanDecisionIn(ApprovalIn):
    """Granted, or refused with the reason that whoever asked reads."""

    verdict = serializers.ChoiceField(BanVerdict.choices)


class BanChange(ApprovalIn):
    """The state that the ban shall have: `granted`, `refused` or `lifted`, with its reason."""

    ignored = (
        *("id", "number", "prospect", "scope", *PLACES, "call", "incident", "why", "at", "by"),
        *("decided_at", "decided_by", "exclusion", "appeals"),
    )
    state = serializers.ChoiceField(BanState.choices)


class BanReason(Body):
    """Why, in a few words."""

    reason = Text(max_length=300)


class AppealIn(Body):
    """What came of the person's appeal."""

    text = Text(max_length=2000)


class AppealOut(serializers.Serializer[Any]):
    """A note on the person's appeal."""

    text = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    by = serializers.IntegerField()


class BanOut(serializers.Serializer[Any]):
    """A ban: whom it bars, how far, who asked and `why`, what was decided, and the `exclusion` that bars."""

    id = serializers.IntegerField()
    state = serializers.CharField()
    number = serializers.CharField(allow_null=True)
    prospect = serializers.IntegerField(allow_null=True)
    scope = serializers.CharField()
    sponsor = serializers.IntegerField(allow_null=True)
    programme = serializers.IntegerField(allow_null=True)
    campaign = serializers.IntegerField(allow_null=True)
    call = serializers.IntegerField(allow_null=True)
    incident = serializers.IntegerField(allow_null=True)
    why = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    by = serializers.IntegerField()
    reason = serializers.CharField(allow_blank=True, help_text="Of the decision.")
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.IntegerField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    exclusion = serializers.IntegerField(allow_null=True)
    appeals = AppealOut(many=True)


def ban_out(ban: Ban) -> dict[str, Any]:
    """Return a ban; its decision with the exclusion should be joined, its appeals fetched."""
    decision = getattr(ban, "decision", None)
    return {
        "id": ban.pk,
        "state": str(ban.state),
        "number": ban.number,
        "prospect": ban.prospect_id,
        "scope": ban.scope,
        "sponsor": ban.sponsor_id,
        "programme": ban.programme_id,
        "campaign": ban.campaign_id,
        "call": ban.call_id,
        "incident": ban.incident_id,
        "why": ban.why,
        "at": stamp(ban.at),
        "by": ban.by_id,
        "reason": decision.reason if decision else "",
        "decided_at": stamp(decision.at) if decision else None,
        "decided_by": decision.by_id if decision else None,
        "expires_at": stamp(decision.expires_at) if decision else None,
        "exclusion": decision.exclusion_id if decision else None,
        "appeals": [{"text": row.text, "at": stamp(row.at), "by": row.by_id} for row in ban.appeals.all()],
    }


def _read_of(user: User) -> QuerySet[Ban]:
    return bans_seen_by(user).select_related("decision__exclusion").prefetch_related("appeals")


class BanList(Endpoint):
    """The bans inside the user's walls, and the request for one."""

    resource = "bans"
    roles = {"GET": SUPERVISORS, "POST": AGENTS}

    @describe(
        "bans_list",
        "List bans",
        tag=TAG,
        answers={200: page_of(BanOut)},
        is_list=True,
        parameters=[
            OpenApiParameter("state", str, enum=BanState.values),
            OpenApiParameter("number", str, description="In any spelling."),
        ],
    )
    def get(self, request: Request) -> Response:
        """List."""
        user, query = caller(request), request.query_params
        if query.get("state", BanState.REQUESTED) not in BanState.values:
            raise Invalid.field("state", _("État inconnu."))
        rows: QuerySet[Ban] = bans_seen_by(user).in_state(query.get("state", ""))
        if "number" in query:
            forms = search_forms(query["number"][:100])
            if not forms:
                raise Invalid.field("number", _("Ce n'est pas un numéro de téléphone."))
            rows = rows.filter(number__in=forms)
        rows = rows.select_related("decision__exclusion").prefetch_related("appeals")
        return page(request, rows, ban_out, filters=("state", "number"))

    @describe(
        "bans_create",
        "Ask for a ban; a manager decides",
        problems=(
            "not-found",
            "invalid-transition",
        ),
        tag=TAG,
        request=BanIn,
        answers={201: BanOut},
        description="An agent asks for a call of their own. A call asks once: again, it is the same request.",
    )
    def post(self, request: Request) -> Response:
        """Ask."""
        user, data = caller(request), read(request, BanIn)
        named = _named(user, data)
        data.setdefault("scope", Scope.EVERYWHERE)
        if named.get("call") is None:
            named |= place_of(user, data)
        elif any(data.get(name) for name in PLACES):
            raise Invalid.field("scope", _("La portée d'un bannissement demandé sur un appel vient de lui."))
        made = bans.request_ban(why=data["reason"], scope=data["scope"], **named, by=user, at=now())
        return record(ban_out(made), status=201, location=f"{request.path}{made.pk}/")


def _named(user: User, data: dict[str, Any]) -> dict[str, Any]:
    """Return whom a request names, inside the user's walls."""
    named: dict[str, Any] = {"number": data.get("number") or None}
    if pk := data.get("call"):
        named["call"] = get_call_or_404(user, pk)
    if pk := data.get("incident"):
        rows = Incident.objects.filter(sponsor__in=sponsors_of(user)) if user.is_supervising else None
        named["incident"] = rows.select_related("call").filter(pk=pk).first() if rows is not None else None
        if named["incident"] is None:
            raise Invalid.field("incident", _("Cet incident n'existe pas."))
        named["call"] = named.get("call") or named["incident"].call
    if pk := data.get("prospect"):
        named["prospect"] = prospects_of(user).filter(pk=pk).first()
        if named["prospect"] is None:
            raise Invalid.field("prospect", _("Cette fiche n'existe pas."))
    return named


class BanDetail(Endpoint):
    """One ban, and what is decided on it."""

    resource = "bans"
    roles = {"GET": SUPERVISORS, "PATCH": MANAGERS}

    @describe("bans_get", "Read a ban", tag=TAG, answers={200: BanOut})
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        return record(ban_out(get_object_or_404(_read_of(caller(request)), pk=pk)))

    @describe(
        "bans_update",
        "Grant, refuse or lift a ban",
        problems=("invalid-transition",),
        tag=TAG,
        request=BanChange,
        answers={200: BanOut},
        has_etag=True,
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Decide; the state that it has already changes nothing."""
        user = caller(request)
        with transaction.atomic():
            found = locked(request, bans_seen_by(user), pk, ban_out)
            data = read(request, BanChange)
            if data["state"] != found.state:
                _decide(found, data, by=user, at=now())
        return record(ban_out(_read_of(user).get(pk=pk)))


def _decide(ban: Ban, data: dict[str, Any], *, by: User, at: datetime) -> None:
    reason = data.get("reason", "")
    match data["state"]:
        case BanState.GRANTED:
            bans.grant_ban(ban=ban, reason=reason, expires_at=data.get("expires_at"), by=by, at=at)
        case BanState.REFUSED:
            bans.refuse_ban(ban=ban, reason=reason, by=by, at=at)
        case BanState.LIFTED:
            if not reason:
                raise Invalid.field("reason", _("Dites pourquoi en quelques mots."))
            bans.lift_ban(ban=ban, reason=reason[:300], by=by, at=at)
        case _:
            raise Invalid.field("state", _("Un bannissement s'accorde, se refuse ou se lève."))


class BanVerb(Endpoint):
    """What a manager does to a ban."""

    resource = "bans"
    roles = {"POST": MANAGERS}

    def run(
        self,
        request: Request,
        pk: int,
        shape: type[Body],
        act: Callable[[Ban, dict[str, Any], User], None],
    ) -> Response:
        """Find the ban, read the body, let `act` call its one service, and answer with the ban after it."""
        user = caller(request)
        found = bans_seen_by(user).filter(pk=pk).first()
        if found is None:
            raise Http404
        act(found, read(request, shape), user)
        return record(ban_out(_read_of(user).get(pk=pk)))


class BanApprove(BanVerb):
    """Granting a request."""

    @describe(
        "bans_approve",
        "Grant a ban",
        problems=("invalid-transition",),
        tag=TAG,
        request=ApprovalIn,
        answers={200: BanOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Grant; again: nothing changes."""

        def act(ban: Ban, data: dict[str, Any], user: User) -> None:
            _decide(ban, {**data, "state": BanState.GRANTED}, by=user, at=now())

        return self.run(request, pk, ApprovalIn, act)


class BanDecide(BanVerb):
    """The decision on a request, once."""

    @describe(
        "bans_decide",
        "Grant or refuse a ban",
        problems=("invalid-transition",),
        tag=TAG,
        request=BanDecisionIn,
        answers={200: BanOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Decide; the same again changes nothing."""

        def act(ban: Ban, data: dict[str, Any], user: User) -> None:
            _decide(ban, {**data, "state": data["verdict"]}, by=user, at=now())

        return self.run(request, pk, BanDecisionIn, act)


class BanLift(BanVerb):
    """The lift of a ban that holds."""

    @describe(
        "bans_lift",
        "Lift a ban",
        problems=("invalid-transition",),
        tag=TAG,
        request=BanReason,
        answers={200: BanOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Lift."""

        def act(ban: Ban, data: dict[str, Any], user: User) -> None:
            _decide(ban, {**data, "state": BanState.LIFTED}, by=user, at=now())

        return self.run(request, pk, BanReason, act)


class BanAppeals(BanVerb):
    """The person's appeal."""

    @describe(
        "bans_appeal",
        "Keep what came of an appeal",
        problems=("invalid-transition",),
        tag=TAG,
        request=AppealIn,
        answers={200: BanOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Keep it; the same text is kept once."""

        def act(ban: Ban, data: dict[str, Any], user: User) -> None:
            bans.note_appeal(ban=ban, text=data["text"], by=user, at=now())

        return self.run(request, pk, AppealIn, act)
