"""Campaigns: their settings, their state, their words, and why nobody in them can be called."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.access import campaigns_of, programmes_of
from campaigns.enums import BarTarget, CampaignStatus, ClosingKind, Purpose, Reach, Scope, Step
from campaigns.models import Campaign, ClosingStep, Disposition
from campaigns.models.campaigns import MANDATE_LENGTH
from campaigns.selectors.queue import queue_counts
from campaigns.selectors.words import is_step
from campaigns.services.campaigns import (
    MANDATE,
    close_campaign,
    create_campaign,
    edit_campaign,
    pause_campaign,
    set_closing_step,
    set_disposition_rule,
    start_campaign,
)
from crm.api import queries
from crm.api.endpoints import (
    EVERYBODY,
    MANAGERS,
    PROGRAMS,
    SUPERVISORS,
    Endpoint,
    caller,
    locked,
    now,
    record,
    stamp,
)
from crm.api.fields import Body, Id, Text, Truth, read
from crm.api.paging import BY_CHANGE, SINCE_PARAMETER, WORDS_PARAMETER, page
from crm.api.schema import describe, page_of
from crm.rules.errors import Invalid

READERS = SUPERVISORS | PROGRAMS
CLOCK = r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"
YEAR_SECONDS = 366 * 24 * 3600


def why() -> Text:
    """Return the field of a change's reason: it stands in the history."""
    return Text(max_length=300, required=False, allow_blank=True, help_text="Kept in the history of changes.")


class MoveIn(Body):
    """Why a campaign is started, paused or closed."""

    reason = why()


class MandateIn(Body):
    """What an agent of the campaign may settle alone, in the campaign's language; "" where nothing is written."""

    may_decide = Text(max_length=MANDATE_LENGTH, allow_blank=True, required=False)
    may_promise = Text(max_length=MANDATE_LENGTH, allow_blank=True, required=False)
    may_offer = Text(max_length=MANDATE_LENGTH, allow_blank=True, required=False)


@extend_schema_field(
    {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["days", "from", "to"],
            "additionalProperties": False,
            "properties": {
                "days": {
                    "type": "array",
                    "items": {"type": "integer", "minimum": 1, "maximum": 7},
                    "minItems": 1,
                    "uniqueItems": True,
                },
                "from": {"type": "string", "pattern": CLOCK},
                "to": {"type": "string", "pattern": CLOCK},
            },
        },
    }
)
class Hours(serializers.JSONField):
    """Ranges of hours; `campaigns.rules.hours` reads them."""


class CampaignIn(Body):
    """The settings of a campaign. Times are seconds; its programme never changes."""

    ignored = ("id", "status", "created_at", "updated_at")
    programme = Id()
    name = Text(max_length=200)
    slug = serializers.RegexField(r"^[-a-zA-Z0-9_]+\Z", max_length=80, required=False)
    purpose = serializers.ChoiceField(Purpose.choices, required=False)
    calling_rule = Text(max_length=40, required=False)
    hours = Hours(
        required=False,
        help_text='`[{"days":[1..7],"from":"10:00","to":"13:00"}]`, local time of the called party.',
    )
    language = serializers.ChoiceField([("fr", "fr"), ("en", "en")], required=False)
    max_attempts = serializers.IntegerField(min_value=1, max_value=50, required=False)
    lease_seconds = serializers.IntegerField(min_value=10, max_value=900, required=False)
    dead_line_seconds = serializers.IntegerField(min_value=5, max_value=3600, required=False)
    patience_seconds = serializers.IntegerField(min_value=10, max_value=3600, required=False)
    mandate = MandateIn(required=False)
    reason = why()


class HoursOut(serializers.Serializer[Any]):
    """A range of hours on some weekdays (1: Monday)."""

    days = serializers.ListField(child=serializers.IntegerField())
    to = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        """Add `from`, a name that Python keeps for itself."""
        return {**super().get_fields(), "from": serializers.CharField()}


class MandateOut(serializers.Serializer[Any]):
    """What an agent of the campaign may settle alone."""

    may_decide = serializers.CharField(allow_blank=True)
    may_promise = serializers.CharField(allow_blank=True)
    may_offer = serializers.CharField(allow_blank=True)


class CampaignOut(serializers.Serializer[Any]):
    """A campaign as it is answered."""

    id = serializers.IntegerField()
    slug = serializers.CharField()
    name = serializers.CharField()
    programme = serializers.IntegerField()
    purpose = serializers.ChoiceField(Purpose.choices)
    calling_rule = serializers.CharField()
    hours = HoursOut(many=True)
    max_attempts = serializers.IntegerField()
    lease_seconds = serializers.IntegerField()
    dead_line_seconds = serializers.IntegerField()
    patience_seconds = serializers.IntegerField()
    language = serializers.CharField()
    mandate = MandateOut()
    status = serializers.ChoiceField(CampaignStatus.choices)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class DispositionRuleIn(Body):
    """What a campaign changes about a disposition. A null delay keeps the catalogue's."""

    code = Text(max_length=40)
    enabled = Truth(required=False)
    retry_after_seconds = serializers.IntegerField(
        min_value=0, max_value=YEAR_SECONDS, allow_null=True, required=False
    )
    reason = why()


class DispositionOut(serializers.Serializer[Any]):
    """A disposition as a campaign uses it: what it does is in its fields."""

    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    label_en = serializers.CharField()
    aapor = serializers.CharField()
    reach = serializers.ChoiceField(Reach.choices, allow_blank=True)
    contacted = serializers.BooleanField()
    eligible = serializers.BooleanField(allow_null=True)
    final = serializers.BooleanField()
    enabled = serializers.BooleanField()
    retry_after_seconds = serializers.IntegerField(allow_null=True)
    requires_note = serializers.BooleanField()
    requires_callback = serializers.BooleanField()
    requires_match = serializers.BooleanField()
    by_mismatch_only = serializers.BooleanField()
    bar_target = serializers.ChoiceField(BarTarget.choices, allow_blank=True)
    bar_scope = serializers.ChoiceField(Scope.choices, allow_blank=True)


class ClosingStepIn(Body):
    """A campaign's own sentence for a step of the closing; an empty text goes back to the default one."""

    ignored = ("own",)
    language = serializers.ChoiceField([("fr", "fr"), ("en", "en")])
    kind = serializers.ChoiceField(ClosingKind.choices)
    step = serializers.ChoiceField(Step.choices)
    text = Text(max_length=600, allow_blank=True)


class ClosingStepOut(serializers.Serializer[Any]):
    """A sentence of the closing, with its placeholders; `own` when the campaign has replaced the default."""

    language = serializers.CharField()
    kind = serializers.ChoiceField(ClosingKind.choices)
    step = serializers.ChoiceField(Step.choices)
    text = serializers.CharField()
    own = serializers.BooleanField()


class ReasonOut(serializers.Serializer[Any]):
    """How many entries are not callable now for one reason; `until` is when the first of them may be."""

    gate = serializers.CharField(allow_blank=True)
    reason = serializers.CharField()
    count = serializers.IntegerField()
    until = serializers.DateTimeField(allow_null=True)
    message = serializers.CharField()


class QueueOut(serializers.Serializer[Any]):
    """Counts of a campaign's list; `why` says why nobody can be called now, and is empty while somebody can."""

    callable = serializers.IntegerField()
    total = serializers.IntegerField()
    states = serializers.DictField(child=serializers.IntegerField())
    reasons = ReasonOut(many=True)
    next_at = serializers.DateTimeField(allow_null=True)
    why = serializers.CharField(allow_blank=True)


NAMES = (
    "slug",
    "name",
    "purpose",
    "calling_rule",
    "hours",
    "max_attempts",
    "lease_seconds",
    "dead_line_seconds",
    "patience_seconds",
    "language",
    "status",
)


def campaign_out(campaign: Campaign) -> dict[str, Any]:
    """Return a campaign as the contract has it."""
    return {
        "id": campaign.pk,
        "programme": campaign.programme_id,
        **{name: getattr(campaign, name) for name in NAMES},
        "mandate": {name: getattr(campaign, name) for name in MANDATE},
        "created_at": stamp(campaign.created_at),
        "updated_at": stamp(campaign.updated_at),
    }


def _seconds(delay: timedelta | None) -> int | None:
    return None if delay is None else int(delay.total_seconds())


class CampaignList(Endpoint):
    """The campaigns of the user's sponsors."""

    resource = "campaigns"
    roles = {"GET": EVERYBODY, "POST": MANAGERS}

    @describe(
        "campaigns_list",
        "List campaigns",
        tag="campaigns",
        answers={200: page_of(CampaignOut)},
        is_list=True,
        parameters=[
            OpenApiParameter("status", str, enum=CampaignStatus.values),
            OpenApiParameter("programme", int),
            OpenApiParameter("sponsor", int),
            WORDS_PARAMETER,
            SINCE_PARAMETER,
        ],
        orderings=BY_CHANGE,
    )
    def get(self, request: Request) -> Response:
        """List."""
        found = campaigns_of(caller(request)).filter(
            **queries.references(request, programme="programme", sponsor="programme__sponsor"),
            **queries.codes(request, status=CampaignStatus.values),
        )
        for word in queries.words(request).split():
            found = found.filter(name__icontains=word)
        return page(
            request,
            found,
            campaign_out,
            filters=("status", "programme", "sponsor", "q"),
            has_updates=True,
            orderings=BY_CHANGE,
        )

    @describe(
        "campaigns_create",
        "Create a campaign",
        tag="campaigns",
        request=CampaignIn,
        answers={201: CampaignOut},
    )
    def post(self, request: Request) -> Response:
        """Create."""
        user, data = caller(request), read(request, CampaignIn)
        data.pop("reason", "")
        data |= data.pop("mandate", {})
        programme = programmes_of(user).filter(pk=data["programme"]).first()
        if programme is None:
            raise Invalid.field("programme", _("Cette démarche n'existe pas."))
        campaign = create_campaign(data=data | {"programme": programme}, by=user, at=now())
        return record(campaign_out(campaign), status=201, location=f"{request.path}{campaign.pk}/")


class CampaignDetail(Endpoint):
    """One campaign."""

    resource = "campaigns"
    roles = {"GET": EVERYBODY, "PATCH": MANAGERS}

    @describe("campaigns_get", "Read a campaign", tag="campaigns", answers={200: CampaignOut})
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        return record(campaign_out(get_object_or_404(campaigns_of(caller(request)), pk=pk)))

    @describe(
        "campaigns_patch",
        "Change the settings of a campaign",
        problems=("invalid-transition",),
        tag="campaigns",
        request=CampaignIn,
        answers={200: CampaignOut},
        has_etag=True,
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change."""
        user, data = caller(request), read(request, CampaignIn, partial=True)
        reason = data.pop("reason", "")
        data |= data.pop("mandate", {})
        with transaction.atomic():
            campaign = locked(request, campaigns_of(user), pk, campaign_out)
            if data.pop("programme", campaign.programme_id) != campaign.programme_id:
                raise Invalid.field("programme", _("La démarche d'une campagne ne change pas."))
            if data.pop("slug", campaign.slug) != campaign.slug:
                raise Invalid.field("slug", _("L'identifiant d'une campagne ne change pas."))
            campaign = edit_campaign(campaign=campaign, data=data, by=user, at=now(), reason=reason)
        return record(campaign_out(campaign))


class CampaignMove(Endpoint):
    """An address that moves a campaign to another state by its `service`."""

    resource = "campaigns"
    roles = {"POST": MANAGERS}
    service: Callable[..., Campaign]

    def post(self, request: Request, pk: int) -> Response:
        """Move the campaign to its new state."""
        user = caller(request)
        reason = read(request, MoveIn).get("reason", "")
        campaign = get_object_or_404(campaigns_of(user), pk=pk)
        return record(campaign_out(self.service(campaign=campaign, by=user, at=now(), reason=reason)))


def _move(operation: str, summary: str) -> Any:
    """Describe the one operation of such an address."""
    return extend_schema_view(
        post=describe(
            operation,
            summary,
            problems=("invalid-transition",),
            tag="campaigns",
            request=MoveIn,
            answers={200: CampaignOut},
        )
    )


@_move("campaigns_start", "Start a campaign")
class CampaignStart(CampaignMove):
    """Start a campaign."""

    service = staticmethod(start_campaign)


@_move("campaigns_pause", "Pause a campaign")
class CampaignPause(CampaignMove):
    """Pause a campaign."""

    service = staticmethod(pause_campaign)


@_move("campaigns_close", "Close a campaign for good")
class CampaignClose(CampaignMove):
    """Close a campaign."""

    service = staticmethod(close_campaign)


class CampaignQueue(Endpoint):
    """How a campaign's list stands."""

    resource = "campaigns"
    roles = {"GET": READERS}

    @describe(
        "campaigns_queue",
        "Count the list, and say why nobody is callable",
        tag="campaigns",
        answers={200: QueueOut},
    )
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        campaign = get_object_or_404(campaigns_of(caller(request)).select_related("programme"), pk=pk)
        return Response(queue_out(campaign))


def queue_out(campaign: Campaign) -> dict[str, Any]:
    """Return the counts of a list by state and by reason, and the sentence that says why nobody is callable."""
    counts = queue_counts(campaign, now())
    return {
        "callable": counts.callable,
        "total": counts.total,
        "states": counts.states,
        "reasons": [item.as_dict() | {"until": stamp(item.until)} for item in counts.reasons],
        "next_at": stamp(counts.next_at),
        "why": counts.why,
    }


class CampaignDispositions(Endpoint):
    """The dispositions as a campaign uses them."""

    resource = "campaigns"
    roles = {"GET": EVERYBODY, "POST": MANAGERS}

    @describe(
        "campaign_dispositions_list",
        "List the dispositions of a campaign",
        tag="campaigns",
        answers={200: page_of(DispositionOut)},
    )
    def get(self, request: Request, pk: int) -> Response:
        """List; the catalogue is short and comes whole."""
        campaign = get_object_or_404(campaigns_of(caller(request)), pk=pk)
        return _whole(list(dispositions_out(campaign).values()))

    @describe(
        "campaign_dispositions_set",
        "Offer a disposition or not, and say when to retry",
        problems=("invalid-transition",),
        tag="campaigns",
        request=DispositionRuleIn,
        answers={200: DispositionOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Change one; what is left out stays."""
        user = caller(request)
        campaign = get_object_or_404(campaigns_of(user), pk=pk)
        data = read(request, DispositionRuleIn)
        disposition = Disposition.objects.filter(code=data["code"], active=True).first()
        if disposition is None:
            raise Invalid.field("code", _("Cette qualification n'existe pas."))
        rule = campaign.disposition_rules.filter(disposition=disposition).first()
        delay = rule.retry_after if rule else None
        if "retry_after_seconds" in data:
            seconds = data["retry_after_seconds"]
            delay = None if seconds is None else timedelta(seconds=seconds)
        try:
            set_disposition_rule(
                campaign=campaign,
                disposition=disposition,
                enabled=data.get("enabled", rule.enabled if rule else True),
                retry_after=delay,
                by=user,
                at=now(),
                reason=data.get("reason", ""),
            )
        except Invalid as refusal:
            # By the name that the field has here.
            if "retry_after" in refusal.fields:
                refusal.fields["retry_after_seconds"] = refusal.fields.pop("retry_after")
            raise
        return Response(dispositions_out(campaign)[disposition.code])


DISPOSITION_NAMES = (
    "code",
    "label",
    "label_en",
    "aapor",
    "reach",
    "contacted",
    "eligible",
    "final",
    "requires_note",
    "requires_callback",
    "requires_match",
    "by_mismatch_only",
    "bar_target",
    "bar_scope",
)


def dispositions_out(campaign: Campaign) -> dict[str, dict[str, Any]]:
    """Return the active catalogue by code, with what the campaign changes about it. Two queries."""
    rules = {rule.disposition_id: rule for rule in campaign.disposition_rules.all()}
    found: dict[str, dict[str, Any]] = {}
    for disposition in Disposition.objects.filter(active=True):
        rule = rules.get(disposition.pk)
        own = rule.retry_after if rule else None
        found[disposition.code] = {
            **{name: getattr(disposition, name) for name in DISPOSITION_NAMES},
            "enabled": rule.enabled if rule else True,
            "retry_after_seconds": _seconds(disposition.retry_after if own is None else own),
        }
    return found


def _whole(results: list[dict[str, Any]]) -> Response:
    """Answer with a list that is short enough to come in one page."""
    return Response({"next": None, "previous": None, "results": results})


class CampaignClosingSteps(Endpoint):
    """The sentences of the closing in a campaign, in every language."""

    resource = "campaigns"
    roles = {"GET": MANAGERS | PROGRAMS, "POST": MANAGERS}

    @describe(
        "closing_steps_list",
        "List the closing sentences of a campaign",
        tag="campaigns",
        answers={200: page_of(ClosingStepOut)},
    )
    def get(self, request: Request, pk: int) -> Response:
        """List; there are a handful."""
        return _whole(closing_steps_out(get_object_or_404(campaigns_of(caller(request)), pk=pk)))

    @describe(
        "closing_steps_set",
        "Replace a closing sentence",
        problems=("invalid-transition",),
        tag="campaigns",
        request=ClosingStepIn,
        answers={200: ClosingStepOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Change one."""
        user = caller(request)
        campaign = get_object_or_404(campaigns_of(user), pk=pk)
        data = read(request, ClosingStepIn)
        if not is_step(data["kind"], data["step"]):
            raise Invalid.field("step", _("Cette clôture n'a pas cette étape."))
        set_closing_step(campaign=campaign, **data, by=user, at=now())
        key = (data["language"], data["kind"], data["step"])
        return Response(next(row for row in closing_steps_out(campaign) if _key(row) == key))


def _key(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["language"], row["kind"], row["step"]


def closing_steps_out(campaign: Campaign) -> list[dict[str, Any]]:
    """Return the sentences of a campaign's closings: its own where it has one, else the default of the language."""
    rows = ClosingStep.objects.filter(campaign__isnull=True) | ClosingStep.objects.filter(campaign=campaign)
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows.order_by("id"):
        shown = {"language": row.language, "kind": row.kind, "step": row.step, "text": row.text}
        key = _key(shown)
        if row.campaign_id is not None or key not in found:
            found[key] = {**shown, "own": row.campaign_id is not None}
    order = list(Step)
    return sorted(found.values(), key=lambda row: (row["language"], row["kind"], order.index(row["step"])))
