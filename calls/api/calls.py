"""Calls: the next one, and every verb of the one in hand. A verb is one service; the answer is the call after it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from calls.access import calls_of, campaign_to_claim_or_404
from calls.api.representation import READ_WITH, CallOut, call_out, calls_out
from calls.enums import AnsweredBy, CallState, Cause, Evidence, HungUpBy, Result
from calls.models import Call
from calls.services import closing, dial, dispositions, lease, line, notes, situations, supervisor, talk
from calls.services.claim import claim_next
from calls.services.line_reports import Reported, record_report
from campaigns.access import campaigns_of
from campaigns.enums import Step
from campaigns.models import Campaign, Criterion, Disposition
from crm.access import prospects_of, sponsors_of
from crm.api import queries
from crm.api.endpoints import AGENTS, EVERYBODY, PROGRAMS, SUPERVISORS, Endpoint, caller, now, record
from crm.api.fields import MAX_ID, Body, Id, Moment, Text, Truth, read
from crm.api.paging import page
from crm.api.schema import describe, page_of
from crm.enums import Role
from crm.models import Prospect, User
from crm.rules.errors import Forbidden, Invalid

FILTERS = ("campaign", "state", "prospect", "agent", "disposition", "started_after", "started_before")
TAG = "calls"


def override() -> Text:
    """Return the field that says why words are kept that the check of notes warns of."""
    return Text(
        max_length=300,
        required=False,
        allow_blank=True,
        help_text="Why words are kept that should not be noted of a person. Account and card numbers never are.",
    )


class AnsweredByIn(Body):
    """Who speaks at the other end; `heard` when it is another organisation or person."""

    answered_by = serializers.ChoiceField(AnsweredBy.choices, required=False)
    heard = Text(max_length=500, required=False, allow_blank=True)


#: What a line can do.
LINE_EVENTS = ["ringing", "answered", "not_reached", "hung_up", "line_dead", "line_alive"]


class ReportIn(Body):
    """What is known of an event. `at` is the exchange's own moment, `event_id` its own id: sent twice, done once."""

    event: serializers.ChoiceField
    cause = serializers.ChoiceField(Cause.choices, required=False)
    by = serializers.ChoiceField(HungUpBy.choices, required=False)
    sip_status = serializers.IntegerField(min_value=100, max_value=699, required=False, allow_null=True)
    q850 = serializers.IntegerField(min_value=0, max_value=127, required=False, allow_null=True)
    at = Moment(required=False, allow_null=True)
    event_id = Text(max_length=100, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for what each event needs."""
        for event, field in (("not_reached", "cause"), ("hung_up", "by"), ("hang_up_explained", "reason")):
            if attrs["event"] == event and not attrs.get(field):
                raise serializers.ValidationError({field: [_("Obligatoire pour cet événement.")]})
        return attrs


class EventIn(ReportIn):
    """What the line did. `not_reached` takes a `cause`; `hung_up` takes `by` and what the phone knows of it.

    A `hung_up` by the agent that names no `evidence` asks first: refused while the closing is due. One that names it
    reports a line that is already cut: it is stored as it happened, and reviewed where the agent might not. `at` and
    `event_id` are a program's; what it reports too late is kept in the history, and refused to nobody.
    """

    event = serializers.ChoiceField([*LINE_EVENTS, "hang_up_explained"])
    evidence = serializers.ChoiceField(Evidence.choices, required=False)
    reason = Text(max_length=500, required=False, allow_blank=True)


class CriterionAnswerIn(Body):
    """An answer to a criterion; without criterion, a mismatch: another organisation or person answered."""

    criterion = Id(required=False, allow_null=True)
    result = serializers.ChoiceField(Result.choices)
    heard = Text(max_length=500, required=False, allow_blank=True)
    override_reason = override()


class ClosingIn(Body):
    """The sentence that was said."""

    step = serializers.ChoiceField(Step.choices)


class SituationIn(Body):
    """The stage of a playbook that was reached; `stage` null: the person calmed down."""

    situation = Text(max_length=40)
    stage = serializers.IntegerField(min_value=0, max_value=99, allow_null=True)


class DispositionIn(Body):
    """How the call ended. `callback_at` with its time zone; `exact`: the person gave that very time."""

    code = Text(max_length=40)
    note = Text(max_length=2000, required=False, allow_blank=True)
    callback_at = Moment(required=False, allow_null=True)
    callback_agent = Id(required=False, allow_null=True)
    exact = Truth(required=False)
    override_reason = override()


class CorrectionIn(DispositionIn):
    """The disposition that replaces the stored one, and why."""

    reason = Text(max_length=500)


class ReasonIn(Body):
    """Why, in a few words."""

    reason = Text(max_length=500)


class ReleaseIn(Body):
    """Why the prospect is given back, in a few words."""

    reason = Text(max_length=200)


class NoteIn(Body):
    """The agent's note."""

    note = Text(max_length=2000, allow_blank=True)
    override_reason = override()


class HelpIn(Body):
    """Why the supervisor is called, in a few words if there are some."""

    words = Text(max_length=500, required=False, allow_blank=True)


class WishIn(Body):
    """What the person wishes to be called about, in their words, and when."""

    text = Text(max_length=500)
    remind_at = Moment(required=False, allow_null=True)


class DialIn(Body):
    """A prospect, or a number in any spelling, to call by hand for a campaign."""

    campaign = Id()
    prospect = Id(required=False, allow_null=True)
    number = Text(max_length=200, required=False, allow_null=True)


def _dialled_prospect(user: User, campaign: Campaign, pk: int) -> Prospect:
    """Return the prospect to call by hand: one that the user sees, or one that the campaign's list could serve them."""
    seen = Q(pk__in=prospects_of(user).filter(pk=pk).values("pk"))
    queued = Q(pk__in=campaign.entries.filter(prospect=pk).values("prospect"))
    prospect = Prospect.objects.select_related("source").filter(seen | queued, pk=pk).first()
    if prospect is None:
        raise Invalid.field("prospect", _("Cette fiche n'existe pas."))
    return prospect


def call_record(call: Call, at: datetime, reader: User, *, status: int = 200, location: str = "") -> Response:
    """Answer with a call."""
    return record(call_out(call, at, reader), status=status, location=location)


def get_call_or_404(user: User, pk: int) -> Call:
    """Return a call that the user sees, with what its representation reads."""
    if pk > MAX_ID:
        raise Http404
    return get_object_or_404(calls_of(user).select_related(*READ_WITH), pk=pk)


class NextCall(Endpoint):
    """The next prospect of a campaign, claimed for the agent."""

    resource = "calls"
    roles = {"POST": AGENTS}
    throttle_classes = []

    @describe(
        "campaigns_next_call",
        "Claim the next prospect that may be called",
        problems=(
            "invalid-transition",
            "open-call",
        ),
        tag=TAG,
        answers={
            201: CallOut,
            204: OpenApiResponse(description="Nobody can be called now: `queue/` says why."),
        },
        description="409 `open-call` while the agent's call is not done; `call` is its id.",
    )
    def post(self, request: Request, pk: int) -> Response:
        """Claim."""
        user, at = caller(request), now()
        read(request, Body)
        campaign = campaign_to_claim_or_404(user, pk)
        call = claim_next(campaign=campaign, by=user, at=at)
        if call is None:
            return Response(status=204)
        return call_record(call, at, user, status=201, location=_address(request, call))


def _address(request: Request, call: Call) -> str:
    return f"{request.path.partition('/api/v1/')[0]}/api/v1/calls/{call.pk}/"


class ManualDial(Endpoint):
    """A call to a chosen prospect or number, through the same gate as every call."""

    resource = "calls"
    roles = {"POST": AGENTS}
    throttle_classes = []

    @describe(
        "calls_dial_manually",
        "Prepare a call to a prospect or a number",
        problems=(
            "invalid-transition",
            "excluded",
            "not-callable",
            "open-call",
        ),
        tag=TAG,
        request=DialIn,
        answers={201: CallOut},
        description="409 `excluded` or `not-callable` when the gate refuses; then `dial/` dials.",
    )
    def post(self, request: Request) -> Response:
        """Claim by hand."""
        user, at, data = caller(request), now(), read(request, DialIn)
        found = Campaign.objects.filter(programme__sponsor__in=sponsors_of(user)).select_related(
            "programme__sponsor"
        )
        campaign = found.filter(pk=data["campaign"]).first()
        if campaign is None:
            raise Invalid.field("campaign", _("Cette campagne n'existe pas."))
        number, prospect_pk = data.get("number"), data.get("prospect")
        if not number and not prospect_pk:
            raise Invalid.field("number", _("Donnez un numéro ou une fiche."))
        prospect = _dialled_prospect(user, campaign, prospect_pk) if prospect_pk else None
        call = dial.dial_manually(campaign=campaign, prospect=prospect, number=number or None, by=user, at=at)
        return call_record(call, at, user, status=201, location=_address(request, call))


class CallList(Endpoint):
    """The calls that the user sees: an agent's own."""

    resource = "calls"
    roles = {"GET": EVERYBODY}

    @describe(
        "calls_list",
        "List calls",
        tag=TAG,
        answers={200: page_of(CallOut)},
        is_list=True,
        parameters=[
            OpenApiParameter("campaign", int),
            OpenApiParameter("state", str, enum=CallState.values),
            OpenApiParameter("prospect", int),
            OpenApiParameter("agent", int),
            OpenApiParameter(
                "disposition", str, description="A code; of those that were corrected, the last."
            ),
            OpenApiParameter("started_after", datetime, description="At this moment or later."),
            OpenApiParameter("started_before", datetime, description="Before this moment."),
        ],
    )
    def get(self, request: Request) -> Response:
        """List."""
        user, at = caller(request), now()
        rows = _filtered(request, calls_of(user)).select_related(*READ_WITH)
        return page(request, rows, represent_all=lambda calls: calls_out(calls, at, user), filters=FILTERS)


def _filtered(request: Request, rows: QuerySet[Call]) -> QuerySet[Call]:
    rows = rows.filter(
        **queries.references(request, campaign="campaign", prospect="prospect", agent="agent"),
        **queries.codes(request, state=CallState.values),
    )
    code = request.query_params.get("disposition")
    if code is not None:
        disposition = Disposition.objects.filter(code=code).first()
        if disposition is None:
            raise queries.refusal("disposition", _("Cette qualification n'existe pas."))
        rows = rows.filter(disposition=disposition)
    for name, lookup in (("started_after", "gte"), ("started_before", "lt")):
        moment = queries.moment(request, name)
        if moment is not None:
            rows = rows.filter(**{f"started_at__{lookup}": moment})
    return rows


class CallDetail(Endpoint):
    """One call."""

    resource = "calls"
    roles = {"GET": EVERYBODY}
    throttle_classes = []

    @describe("calls_get", "Read a call", tag=TAG, answers={200: CallOut})
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        return call_record(get_call_or_404(caller(request), pk), now(), caller(request))


class Verb(Endpoint):
    """A verb of the call in hand: the agent's own call, as on its screen."""

    resource = "calls"
    roles = {"POST": AGENTS}
    throttle_classes = []

    def run(
        self,
        request: Request,
        pk: int,
        shape: type[Body],
        act: Callable[[User, Call, dict[str, Any], datetime], Call],
    ) -> Response:
        """Read the body, find the call, let `act` call its one service, and answer with the call after it."""
        user, at = caller(request), now()
        call = get_call_or_404(user, pk)
        if call.agent_id != user.pk and not self.reaches_others(user):
            raise Forbidden(_("C'est l'appel d'un autre agent."))
        data = read(request, shape)
        act(user, call, data, at)
        return call_record(get_call_or_404(user, pk), at, user)

    def reaches_others(self, user: User) -> bool:
        """Whether the user may use this verb on another agent's call."""
        return False


class CallDial(Verb):
    """Dialling."""

    @describe(
        "calls_dial",
        "Dial the claimed number",
        problems=(
            "invalid-transition",
            "excluded",
            "not-callable",
            "open-call",
        ),
        tag=TAG,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Enter `dialling`; 409 `excluded` when a bar came meanwhile."""
        return self.run(request, pk, Body, lambda user, call, data, at: dial.dial(call=call, by=user, at=at))


class CallGreet(Verb):
    """The greeting."""

    @describe(
        "calls_greet",
        "Say that the greeting was said",
        problems=("invalid-transition",),
        tag=TAG,
        request=AnsweredByIn,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Greet; another organisation or person is a mismatch in itself."""

        def act(user: User, call: Call, data: dict[str, Any], at: datetime) -> Call:
            return talk.greet(call=call, by=user, at=at, **_answered_by(data))

        return self.run(request, pk, AnsweredByIn, act)


class CallHandover(Verb):
    """« Je vous la passe »."""

    @describe(
        "calls_handover",
        "The line passes to another person",
        problems=("invalid-transition",),
        tag=TAG,
        request=AnsweredByIn,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Start again with the new person."""

        def act(user: User, call: Call, data: dict[str, Any], at: datetime) -> Call:
            return talk.hand_over(call=call, by=user, at=at, **_answered_by(data))

        return self.run(request, pk, AnsweredByIn, act)


def _answered_by(data: dict[str, Any]) -> dict[str, Any]:
    return {"answered_by": data.get("answered_by", ""), "heard": data.get("heard", "")}


class CallEvents(Verb):
    """What the phone, the exchange, or the agent in their place, reports of the line."""

    roles = {"POST": AGENTS | PROGRAMS}

    def reaches_others(self, user: User) -> bool:
        """An exchange reports on every call of its sponsors."""
        return user.role == Role.INTEGRATION

    @describe(
        "calls_events",
        "Report what the line did",
        asked={"event": "hung_up", "by": "prospect", "evidence": "softphone", "sip_status": 200},
        problems=(
            "invalid-transition",
            "closing-required",
        ),
        tag=TAG,
        request=EventIn,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Record an event."""
        return self.run(request, pk, EventIn, _record_event)


def reported_in(data: dict[str, Any]) -> Reported:
    """Return what a program reports in the body of an event."""
    names = ("event", "by", "cause", "sip_status", "q850", "at", "event_id", "evidence")
    return Reported(**{name: data[name] for name in names if data.get(name) is not None})


def _record_event(user: User, call: Call, data: dict[str, Any], at: datetime) -> Call:
    if user.role == Role.INTEGRATION:
        if data["event"] not in LINE_EVENTS:
            raise Invalid.field("event", _("Seul l'agent explique une fin d'appel."))
        return record_report(call=call, reported=reported_in(data), by=user, at=at).call
    for name in ("at", "event_id"):
        if data.get(name):
            raise Invalid.field(name, _("Seul un programme le dit, avec son propre jeton."))
    match data["event"]:
        case "ringing":
            return line.record_ringing(call=call, by=user, at=at)
        case "answered":
            return line.record_answer(call=call, by=user, at=at)
        case "not_reached":
            return line.record_not_reached(call=call, cause=data["cause"], by=user, at=at, **_signals(data))
        case "line_dead" | "line_alive":
            return line.record_line_dead(call=call, by=user, at=at, dead=data["event"] == "line_dead")
        case "hang_up_explained":
            return line.explain_hang_up(call=call, why=data["reason"], by=user, at=at)
    return _record_hang_up(user, call, data, at)


def _record_hang_up(user: User, call: Call, data: dict[str, Any], at: datetime) -> Call:
    evidence = data.get("evidence", Evidence.DECLARED)
    if evidence == Evidence.PBX:
        raise Invalid.field("evidence", _("Seul un autocommutateur le dit, avec son propre jeton."))
    if data["by"] == HungUpBy.AGENT and "evidence" not in data:
        line.ask_hang_up(call=call, by=user, at=at)
    return line.record_hang_up(
        call=call,
        hung_up_by=data["by"],
        evidence=evidence,
        reason=data.get("reason", ""),
        by=user,
        at=at,
        **_signals(data),
    )


def _signals(data: dict[str, Any]) -> dict[str, Any]:
    return {"sip_status": data.get("sip_status"), "q850": data.get("q850")}


class CallCriteria(Verb):
    """The answers to the criteria. A blocking mismatch is final the moment it is stored."""

    @describe(
        "calls_criteria",
        "Store the answer to a criterion",
        problems=("invalid-transition",),
        tag=TAG,
        request=CriterionAnswerIn,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Answer."""

        def act(user: User, call: Call, data: dict[str, Any], at: datetime) -> Call:
            criterion = _criterion(call, data.get("criterion"))
            heard = data.get("heard", "")
            return talk.answer_criterion(
                call=call,
                criterion=criterion,
                result=data["result"],
                heard=heard,
                override_reason=data.get("override_reason", ""),
                by=user,
                at=at,
            )

        return self.run(request, pk, CriterionAnswerIn, act)


def _criterion(call: Call, pk: int | None) -> Criterion | None:
    if pk is None:
        return None
    criterion = Criterion.objects.filter(programme=call.campaign.programme_id, pk=pk).first()
    if criterion is None:
        raise Invalid.field("criterion", _("Ce critère n'est pas de cette démarche."))
    return criterion


class CallClosing(Verb):
    """The closing, sentence by sentence."""

    @describe(
        "calls_closing",
        "Say that a closing sentence was said",
        problems=("invalid-transition",),
        tag=TAG,
        request=ClosingIn,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Say a step."""
        return self.run(
            request,
            pk,
            ClosingIn,
            lambda user, call, data, at: closing.say_closing_step(
                call=call, step=data["step"], by=user, at=at, by_key=False
            ),
        )


class CallSituations(Verb):
    """Delicate situations."""

    @describe(
        "calls_situations",
        "Enter a stage of a playbook",
        problems=("invalid-transition",),
        tag=TAG,
        request=SituationIn,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Enter a stage, or leave the situation."""

        def act(user: User, call: Call, data: dict[str, Any], at: datetime) -> Call:
            if data["stage"] is None:
                return situations.leave_situation(call=call, by=user, at=at)
            return situations.enter_stage(
                call=call, situation=data["situation"], stage=data["stage"], by=user, at=at
            )

        return self.run(request, pk, SituationIn, act)


class CallDriving(Verb):
    """The person is driving."""

    @describe(
        "calls_driving",
        "The person is driving: end the call",
        problems=("invalid-transition",),
        tag=TAG,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Allow the end."""
        return self.run(
            request, pk, Body, lambda user, call, data, at: situations.mark_driving(call=call, by=user, at=at)
        )


class CallDisposition(Verb):
    """How the call ended."""

    @describe(
        "calls_disposition",
        "Qualify the call",
        asked={"code": "callback", "callback_at": "2026-11-27T10:00:00+01:00", "exact": True},
        problems=(
            "invalid-transition",
            "closing-required",
        ),
        tag=TAG,
        request=DispositionIn,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Store a disposition and run its effects."""

        def act(user: User, call: Call, data: dict[str, Any], at: datetime) -> Call:
            return dispositions.dispose(call=call, by=user, at=at, **_disposition(call, data))

        return self.run(request, pk, DispositionIn, act)


def _disposition(call: Call, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "code": data["code"],
        "note": data.get("note", ""),
        "callback_at": data.get("callback_at"),
        "callback_agent": _colleague(call, data.get("callback_agent")),
        "exact": data.get("exact", False),
        "override_reason": data.get("override_reason", ""),
    }


def _colleague(call: Call, pk: int | None) -> User | None:
    """Return the agent who shall call back: one who may call for this sponsor."""
    if pk is None:
        return None
    agent = User.objects.filter(pk=pk, is_active=True).first()
    if agent is None or not agent.is_calling or not campaigns_of(agent).filter(pk=call.campaign_id).exists():
        raise Invalid.field("callback_agent", _("Cet agent ne peut pas rappeler pour cette campagne."))
    return agent


class CallFinish(Verb):
    """The last confirmation of a call whose end is known."""

    @describe(
        "calls_finish",
        "Finish a qualified call",
        problems=(
            "invalid-transition",
            "closing-required",
        ),
        tag=TAG,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Move to `done`."""
        return self.run(
            request, pk, Body, lambda user, call, data, at: dispositions.finish(call=call, by=user, at=at)
        )


class CallRelease(Verb):
    """Giving a claimed prospect back."""

    @describe(
        "calls_release",
        "Give the prospect back",
        problems=("invalid-transition",),
        tag=TAG,
        request=ReleaseIn,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Release."""
        return self.run(
            request,
            pk,
            ReleaseIn,
            lambda user, call, data, at: lease.release_call(call=call, reason=data["reason"], by=user, at=at),
        )


class CallLease(Verb):
    """The lease, which an open screen renews."""

    @describe(
        "calls_lease", "Renew the lease", problems=("invalid-transition",), tag=TAG, answers={200: CallOut}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Renew."""
        return self.run(
            request, pk, Body, lambda user, call, data, at: lease.renew_lease(call=call, by=user, at=at)
        )


class CallNote(Verb):
    """The agent's note."""

    @describe(
        "calls_note",
        "Write the note of the call",
        problems=("invalid-transition",),
        tag=TAG,
        request=NoteIn,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Write."""
        return self.run(
            request,
            pk,
            NoteIn,
            lambda user, call, data, at: notes.write_note(
                call=call,
                text=data["note"],
                override_reason=data.get("override_reason", ""),
                by=user,
                at=at,
            ),
        )


class CallWish(Verb):
    """A wish to be called about something else."""

    @describe(
        "calls_wish",
        "Keep a wish of the person",
        problems=("invalid-transition",),
        tag=TAG,
        request=WishIn,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Keep it."""
        return self.run(
            request,
            pk,
            WishIn,
            lambda user, call, data, at: talk.note_wish(
                call=call, text=data["text"], remind_at=data.get("remind_at"), by=user, at=at
            ),
        )


class CallHelp(Verb):
    """A call for the supervisor."""

    @describe(
        "calls_help",
        "Call the supervisor",
        problems=("invalid-transition",),
        tag=TAG,
        request=HelpIn,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Ask."""
        return self.run(
            request,
            pk,
            HelpIn,
            lambda user, call, data, at: supervisor.ask_supervisor(
                call=call, words=data.get("words", ""), by=user, at=at
            ),
        )


class CallCorrectionRequest(Verb):
    """An entry error, told to the supervisor."""

    @describe(
        "calls_correction_request",
        "Ask a supervisor to correct an entry error",
        problems=("invalid-transition",),
        tag=TAG,
        request=ReasonIn,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Ask."""
        return self.run(
            request,
            pk,
            ReasonIn,
            lambda user, call, data, at: dispositions.ask_correction(
                call=call, reason=data["reason"], by=user, at=at
            ),
        )


class SupervisorVerb(Verb):
    """What a supervisor does with any call of their sponsors."""

    roles = {"POST": SUPERVISORS}

    def reaches_others(self, user: User) -> bool:
        """Any call that they see."""
        return True


class CallSupervisorRelease(SupervisorVerb):
    """Letting the agent end the call."""

    @describe(
        "calls_supervisor_release",
        "Let the agent hang up",
        problems=("invalid-transition",),
        tag=TAG,
        request=ReasonIn,
        answers={200: CallOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Allow the end."""
        return self.run(
            request,
            pk,
            ReasonIn,
            lambda user, call, data, at: closing.release_to_hang_up(
                call=call, reason=data["reason"], by=user, at=at
            ),
        )


class CallCorrection(SupervisorVerb):
    """The correction of a stored disposition."""

    @describe(
        "calls_correction",
        "Correct the disposition of a call",
        problems=(
            "invalid-transition",
            "closing-required",
        ),
        tag=TAG,
        request=CorrectionIn,
        answers={200: CallOut},
        description="A new row; the exclusions that the call caused are lifted and the new effects run.",
    )
    def post(self, request: Request, pk: int) -> Response:
        """Correct."""

        def act(user: User, call: Call, data: dict[str, Any], at: datetime) -> Call:
            return dispositions.correct_disposition(
                call=call, reason=data["reason"], by=user, at=at, **_disposition(call, data)
            )

        return self.run(request, pk, CorrectionIn, act)
