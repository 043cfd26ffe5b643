"""Exclusions: listed, added, checked in bulk, lifted. And the gate's verdict on one prospect or number."""

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.access import campaigns_of, exclusions_of, programmes_of
from campaigns.enums import ExclusionReason, Gate, Scope
from campaigns.models import Campaign, Exclusion
from campaigns.rules.gate import Verdict
from campaigns.rules.gate import describe as sentence_of
from campaigns.selectors.exclusions import covering, covering_anywhere
from campaigns.selectors.gate import verdict
from campaigns.services.dialler_lists import sort_out
from campaigns.services.exclusions import exclude, exclude_many, lift_exclusion
from crm.access import get_prospect_or_404, prospects_of, sponsors_of
from crm.api import queries
from crm.api.endpoints import EVERYBODY, PROGRAMS, SUPERVISORS, Endpoint, caller, now, record, stamp
from crm.api.fields import Body, Id, Moment, Text, read, read_query
from crm.api.paging import page
from crm.api.schema import describe, page_of
from crm.enums import Role
from crm.models import User
from crm.rules.errors import Forbidden, Invalid
from crm.rules.phones import normalise, search_forms

MAX_CHECKED = 10_000
#: Reasons that a program may give. A ban is asked for, and granted by a manager.
BY_HAND = [choice for choice in ExclusionReason.choices if choice[0] != ExclusionReason.BAN]
FILTERS = ("number", "prospect", "scope", "reason", "active")
REGION = r"^[A-Z]{2}\Z"


class ExclusionIn(Body):
    """A bar on a number (any spelling), a prospect, or both; its place is the one that `scope` names."""

    ignored = ("id", "lifted_at", "lifted_by", "lift_reason", "call", "version")
    scope = serializers.ChoiceField(Scope.choices)
    sponsor = Id(required=False, allow_null=True)
    programme = Id(required=False, allow_null=True)
    campaign = Id(required=False, allow_null=True)
    number = Text(max_length=200, required=False, allow_null=True)
    region = serializers.RegexField(REGION, required=False)
    prospect = Id(required=False, allow_null=True)
    reason = serializers.ChoiceField(BY_HAND)
    note = Text(max_length=300, required=False, allow_blank=True)
    since = Moment(
        required=False, allow_null=True, help_text="Since when it has stood elsewhere; now without it."
    )
    until = Moment(required=False, allow_null=True)


class ExclusionOut(serializers.Serializer[Any]):
    """An exclusion as it is answered."""

    id = serializers.IntegerField()
    scope = serializers.ChoiceField(Scope.choices)
    sponsor = serializers.IntegerField(allow_null=True)
    programme = serializers.IntegerField(allow_null=True)
    campaign = serializers.IntegerField(allow_null=True)
    number = serializers.CharField(allow_null=True)
    prospect = serializers.IntegerField(allow_null=True)
    reason = serializers.ChoiceField(ExclusionReason.choices)
    note = serializers.CharField(allow_blank=True)
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    lifted_at = serializers.DateTimeField(allow_null=True)
    lifted_by = serializers.IntegerField(allow_null=True)
    lift_reason = serializers.CharField(allow_blank=True)
    call = serializers.IntegerField(allow_null=True)
    version = serializers.IntegerField()


class LiftIn(Body):
    """Why an exclusion is lifted."""

    reason = Text(max_length=300)


class CheckIn(Body):
    """Numbers to check, in any spelling; with a campaign, by its scope."""

    numbers = serializers.ListField(
        child=serializers.CharField(max_length=200, allow_blank=True), max_length=MAX_CHECKED
    )
    campaign = Id(required=False, allow_null=True)
    region = serializers.RegexField(REGION, required=False)


class CheckedOut(serializers.Serializer[Any]):
    """What is known of one number: `number` is null where none could be read."""

    input = serializers.CharField(allow_blank=True)
    number = serializers.CharField(allow_null=True)
    excluded = serializers.BooleanField()
    exclusion = serializers.IntegerField(allow_null=True)
    scope = serializers.ChoiceField(Scope.choices, allow_null=True)
    reason = serializers.ChoiceField(ExclusionReason.choices, allow_null=True)
    until = serializers.DateTimeField(allow_null=True)


class CheckOut(serializers.Serializer[Any]):
    """A verdict for each number, in the order of the request."""

    results = CheckedOut(many=True)


class CodedIn(Body):
    """A number with the code that another dialler gave it, and since when."""

    number = Text(max_length=200, allow_blank=True)
    code = Text(max_length=40, allow_blank=True)
    at = Moment(required=False, allow_null=True)


class BulkIn(Body):
    """Many numbers to exclude: `numbers` alike, for one `reason`, or `items` as the code of each says.

    `mapping` says what codes mean; those of VICIdial's standard statuses are known. Nothing is barred by a code that
    is not known, nor by one that does not say so.
    """

    scope = serializers.ChoiceField(Scope.choices)
    sponsor = Id(required=False, allow_null=True)
    programme = Id(required=False, allow_null=True)
    campaign = Id(required=False, allow_null=True)
    numbers = serializers.ListField(
        child=serializers.CharField(max_length=200, allow_blank=True),
        min_length=1,
        max_length=MAX_CHECKED,
        required=False,
    )
    items = serializers.ListField(child=CodedIn(), min_length=1, max_length=MAX_CHECKED, required=False)
    mapping = serializers.DictField(
        child=serializers.ChoiceField(BY_HAND, allow_null=True),
        required=False,
        help_text="What a code of the other dialler says: a reason, or null for a code that bars nobody.",
    )
    region = serializers.RegexField(REGION, required=False)
    reason = serializers.ChoiceField(BY_HAND, required=False)
    note = Text(max_length=300, required=False, allow_blank=True)
    until = Moment(required=False, allow_null=True)


class BulkOut(serializers.Serializer[Any]):
    """What became of the numbers; `unreadable` are those in which no number could be read.

    Of `items`: how many had a code that bars nobody (`silent`), and one that nobody knows (`unknown`), by code.
    """

    created = serializers.IntegerField()
    already = serializers.IntegerField()
    unreadable = serializers.ListField(child=serializers.CharField())
    silent = serializers.DictField(child=serializers.IntegerField(), required=False)
    unknown = serializers.DictField(child=serializers.IntegerField(), required=False)


class ContactabilityQuery(Body):
    """Whom to ask the gate about."""

    campaign = Id()
    prospect = Id(required=False)
    number = Text(max_length=200, required=False)
    region = serializers.RegexField(REGION, required=False)


class VerdictOut(serializers.Serializer[Any]):
    """The gate's verdict. `reason` is a code, `message` its sentence."""

    allowed = serializers.BooleanField()
    gate = serializers.ChoiceField(Gate.choices, allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    until = serializers.DateTimeField(allow_null=True)
    message = serializers.CharField()


def exclusion_out(exclusion: Exclusion) -> dict[str, Any]:
    """Return an exclusion as the contract has it."""
    return {
        "id": exclusion.pk,
        "scope": exclusion.scope,
        "sponsor": exclusion.sponsor_id,
        "programme": exclusion.programme_id,
        "campaign": exclusion.campaign_id,
        "number": exclusion.number,
        "prospect": exclusion.prospect_id,
        "reason": exclusion.reason,
        "note": exclusion.note,
        "since": stamp(exclusion.since),
        "until": stamp(exclusion.until),
        "lifted_at": stamp(exclusion.lifted_at),
        "lifted_by": exclusion.lifted_by_id,
        "lift_reason": exclusion.lift_reason,
        "call": exclusion.call_ref,
        "version": exclusion.version,
    }


def verdict_out(found: Verdict) -> dict[str, Any]:
    """Return a verdict of the gate as the contract has it."""
    return {
        "allowed": found.allowed,
        "gate": str(found.gate),
        "reason": found.reason,
        "until": stamp(found.until),
        "message": sentence_of(found),
    }


def read_number(raw: str, region: str = "FR", field: str = "number") -> str:
    """Return the one E.164 number in `raw`, or refuse the field."""
    found = normalise(raw, region).numbers
    if len(found) != 1:
        raise Invalid.field(field, _("« %(raw)s » ne se lit pas comme un numéro.") % {"raw": raw[:60]})
    return found[0].number


def place_of(user: User, data: dict[str, Any]) -> dict[str, Any]:
    """Return the sponsor, programme or campaign that the scope names; any other that is given must be left out."""
    scope = data["scope"]
    rows: dict[str, Any] = {
        Scope.SPONSOR: sponsors_of(user),
        Scope.PROGRAMME: programmes_of(user),
        Scope.CAMPAIGN: campaigns_of(user),
    }
    place: dict[str, Any] = {}
    for name in ("sponsor", "programme", "campaign"):
        pk = data.pop(name, None)
        if name == scope:
            place[name] = rows[scope].filter(pk=pk).first() if pk else None
            if place[name] is None:
                raise Invalid.field(name, _("Cette portée demande de le choisir."))
        elif pk is not None:
            raise Invalid.field(name, _("La portée « %(scope)s » n'en prend pas.") % {"scope": scope})
    if scope == Scope.EVERYWHERE and user.role == Role.INTEGRATION:
        raise Forbidden(_("Un programme n'exclut que chez ses donneurs d'ordre."))
    return place


class ExclusionList(Endpoint):
    """The exclusions inside the user's walls."""

    resource = "exclusions"
    roles = {"GET": SUPERVISORS | PROGRAMS, "POST": SUPERVISORS | PROGRAMS}

    @describe(
        "exclusions_list",
        "List exclusions",
        tag="exclusions",
        answers={200: page_of(ExclusionOut)},
        is_list=True,
        parameters=[
            OpenApiParameter("number", str, description="In any spelling."),
            OpenApiParameter("prospect", int),
            OpenApiParameter("scope", str, enum=Scope.values),
            OpenApiParameter("reason", str, enum=ExclusionReason.values),
            OpenApiParameter("active", bool, description="`true`: those in force; `false`: lifted or past."),
        ],
    )
    def get(self, request: Request) -> Response:
        """List."""
        return page(request, _filtered(request), exclusion_out, filters=FILTERS)

    @describe(
        "exclusions_create",
        "Exclude a number or a prospect: in force at once",
        asked={"scope": "sponsor", "sponsor": 3, "number": "01 99 00 00 09", "reason": "opposition"},
        tag="exclusions",
        request=ExclusionIn,
        answers={201: ExclusionOut},
    )
    def post(self, request: Request) -> Response:
        """Create."""
        user, data = caller(request), read(request, ExclusionIn)
        place = place_of(user, data)
        raw, region = data.pop("number", None), data.pop("region", "FR")
        number = read_number(raw, region) if raw else None
        pk = data.pop("prospect", None)
        prospect = prospects_of(user).filter(pk=pk).first() if pk else None
        if pk and prospect is None:
            raise Invalid.field("prospect", _("Cette fiche n'existe pas."))
        if number is None and prospect is None:
            raise Invalid.field("number", _("Donnez un numéro ou une fiche."))
        exclusion = exclude(**data, **place, number=number, prospect=prospect, by=user, at=now())
        return record(exclusion_out(exclusion), status=201, location=f"{request.path}{exclusion.pk}/")


class ExclusionBulk(Endpoint):
    """Many exclusions at once."""

    resource = "exclusions"
    roles = {"POST": SUPERVISORS | PROGRAMS}

    @describe(
        "exclusions_bulk",
        "Exclude up to 10,000 numbers",
        asked={"scope": "sponsor", "sponsor": 3, "reason": "opposition", "numbers": ["01 99 00 00 09"]},
        tag="exclusions",
        request=BulkIn,
        answers={201: BulkOut},
        description="All that can be read are excluded; numbers excluded alike already add nothing.",
    )
    def post(self, request: Request) -> Response:
        """Create."""
        user, data = caller(request), read(request, BulkIn)
        place = place_of(user, data)
        if "items" in data:
            return Response(_exclude_coded(user, data, place), status=201)
        for name in ("numbers", "reason"):
            if name not in data:
                raise Invalid.field(name, _("Ce champ est obligatoire."))
        if data.pop("mapping", None) is not None:
            raise Invalid.field("mapping", _("Une table des codes va avec `items`."))
        region, raws = data.pop("region", "FR"), data.pop("numbers")
        found = [(raw, normalise(raw, region).numbers) for raw in raws]
        numbers = {number.number for _raw, parsed in found for number in parsed}
        result = exclude_many(**data, **place, numbers=numbers, by=user, at=now())
        return Response(
            {
                "created": result.added,
                "already": result.already,
                "unreadable": [raw for raw, parsed in found if not parsed],
            },
            status=201,
        )


def _exclude_coded(user: User, data: dict[str, Any], place: dict[str, Any]) -> dict[str, Any]:
    """Bar the numbers whose code says so, since when it was given; tell of the others."""
    for name in ("numbers", "reason"):
        if name in data:
            raise Invalid.field(name, _("Avec `items`, le code de chacun donne le motif."))
    sorted_out = sort_out(data["items"], data.get("mapping", {}), data.get("region", "FR"))
    told = {name: data[name] for name in ("scope", "note", "until") if name in data}
    added = already = 0
    for reason, since in sorted_out.barred.items():
        result = exclude_many(**told, **place, numbers=since, since=since, reason=reason, by=user, at=now())
        added, already = added + result.added, already + result.already
    return {
        "created": added,
        "already": already,
        "unreadable": sorted_out.unreadable,
        "silent": sorted_out.silent,
        "unknown": sorted_out.unknown,
    }


def _filtered(request: Request) -> Any:
    rows, query = exclusions_of(caller(request)), request.query_params
    rows = rows.filter(
        **queries.codes(request, scope=Scope.values, reason=ExclusionReason.values),
        **queries.references(request, prospect="prospect"),
    )
    if "number" in query:
        forms = search_forms(query["number"][:100])
        if not forms:
            raise Invalid.field("number", _("Ce n'est pas un numéro de téléphone."))
        rows = rows.filter(number__in=forms)
    active = queries.truth(request, "active")
    if active is not None:
        wanted = Q(pk__in=Exclusion.objects.active().values("pk"))
        rows = rows.filter(wanted if active else ~wanted)
    return rows


class ExclusionDetail(Endpoint):
    """One exclusion."""

    resource = "exclusions"
    roles = {"GET": SUPERVISORS | PROGRAMS}

    @describe("exclusions_get", "Read an exclusion", tag="exclusions", answers={200: ExclusionOut})
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        return record(exclusion_out(get_object_or_404(exclusions_of(caller(request)), pk=pk)))


class ExclusionLift(Endpoint):
    """The lift of an exclusion: by a person who may, once, with a reason."""

    resource = "exclusions"
    roles = {"POST": SUPERVISORS}

    @describe(
        "exclusions_lift",
        "Lift an exclusion",
        problems=("invalid-transition",),
        tag="exclusions",
        request=LiftIn,
        answers={200: ExclusionOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Lift."""
        user = caller(request)
        exclusion = get_object_or_404(exclusions_of(user), pk=pk)
        reason = read(request, LiftIn)["reason"]
        lifted = lift_exclusion(exclusion=exclusion, reason=reason, by=user, at=now())
        return record(exclusion_out(lifted))


class ExclusionCheck(Endpoint):
    """Many numbers at once."""

    resource = "exclusions"
    only_reads = frozenset({"POST"})
    roles = {"POST": SUPERVISORS | PROGRAMS}

    @describe(
        "exclusions_check",
        "Check up to 10,000 numbers",
        asked={"numbers": ["01 99 00 00 01"]},
        answered={
            "results": [
                {
                    "input": "01 99 00 00 01",
                    "number": "+33199000001",
                    "excluded": False,
                    "exclusion": None,
                    "scope": None,
                    "reason": None,
                    "until": None,
                }
            ]
        },
        tag="exclusions",
        request=CheckIn,
        answers={200: CheckOut},
        description="Without campaign: any exclusion in force that the token sees, those of the people who carry the "
        "number too. Of several numbers in one text the first that is barred is told.",
    )
    def post(self, request: Request) -> Response:
        """Check."""
        user, data = caller(request), read(request, CheckIn)
        campaign = None
        if data.get("campaign") is not None:
            campaign = campaigns_of(user).filter(pk=data["campaign"]).first()
            if campaign is None:
                raise Invalid.field("campaign", _("Cette campagne n'existe pas."))
        region = data.get("region", "FR")
        read_as = [[found.number for found in normalise(raw, region).numbers] for raw in data["numbers"]]
        bars = _bars(user, campaign, {number for numbers in read_as for number in numbers})
        pairs = zip(data["numbers"], read_as, strict=True)
        return Response({"results": [_checked(raw, numbers, bars) for raw, numbers in pairs]})


def _bars(user: User, campaign: Campaign | None, numbers: set[str]) -> dict[str, Exclusion]:
    """Return, by number, the exclusion that covers it in the campaign; without one, the first that the user sees."""
    if campaign is not None:
        return covering(numbers, campaign)
    return covering_anywhere(numbers, exclusions_of(user))


def _checked(raw: str, numbers: list[str], bars: dict[str, Exclusion]) -> dict[str, Any]:
    """Return the verdict on a text: of several numbers in it that of the first that is barred, else of the first."""
    number = next((number for number in numbers if number in bars), numbers[0] if numbers else None)
    bar = bars.get(number or "")
    return {
        "input": raw,
        "number": number,
        "excluded": bar is not None,
        "exclusion": bar.pk if bar else None,
        "scope": bar.scope if bar else None,
        "reason": bar.reason if bar else None,
        "until": stamp(bar.until) if bar else None,
    }


class Contactability(Endpoint):
    """The gate's verdict, asked without calling."""

    resource = "contactability"
    roles = {"GET": EVERYBODY}

    @describe(
        "contactability_get",
        "Ask whether a prospect or a number may be called now",
        problems=("not-found",),
        tag="contactability",
        answers={200: VerdictOut},
        parameters=[
            OpenApiParameter("campaign", int, required=True),
            OpenApiParameter("prospect", int),
            OpenApiParameter("number", str, description="In any spelling."),
            OpenApiParameter("region", str, pattern="^[A-Z]{2}$"),
        ],
    )
    def get(self, request: Request) -> Response:
        """Ask."""
        user, data = caller(request), read_query(request, ContactabilityQuery)
        if ("prospect" in data) == ("number" in data):
            raise Invalid.field("prospect", _("Donnez une fiche ou un numéro, l'un des deux."))
        campaign = get_object_or_404(campaigns_of(user).select_related("programme"), pk=data["campaign"])
        at: datetime = now()
        if "prospect" in data:
            prospect = get_prospect_or_404(user, data["prospect"])
            return Response(verdict_out(verdict(campaign=campaign, prospect=prospect, at=at)))
        number = read_number(data["number"], data.get("region", "FR"))
        return Response(verdict_out(verdict(campaign=campaign, number=number, at=at)))
