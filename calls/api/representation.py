"""A call as the API answers it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rest_framework import serializers

from calls.enums import AnsweredBy, CallState, Cause, Evidence, HungUpBy, Mode, Result
from calls.models import Call
from calls.rules.transitions import FOR_SUPERVISORS, allowed
from calls.selectors.call_screen import CallScreen, screen_of
from calls.selectors.facts import facts_of
from calls.selectors.listed_calls import ListedCall, listed_calls
from campaigns.enums import Step
from crm.api.endpoints import stamp
from crm.models import User

#: What the representation reads of a call besides its row.
READ_WITH = ("campaign__programme__sponsor", "prospect__source", "disposition", "agent")
#: Verbs that `events/` takes, each under its own name there.
EVENTS = frozenset({"ringing", "answered", "not_reached", "hung_up", "line_dead", "explain"})


class MismatchOut(serializers.Serializer[Any]):
    """A criterion that was not met; without criterion, somebody else had answered."""

    criterion = serializers.IntegerField(allow_null=True)
    expected = serializers.CharField(allow_blank=True)
    heard = serializers.CharField(allow_blank=True)


class StepOut(serializers.Serializer[Any]):
    """A sentence of the closing, and when it was said."""

    step = serializers.ChoiceField(Step.choices)
    text = serializers.CharField()
    said_at = serializers.DateTimeField(allow_null=True)


class QuestionOut(serializers.Serializer[Any]):
    """A criterion to ask, and what the person on the line answered; `result` is empty until then."""

    criterion = serializers.IntegerField()
    question = serializers.CharField()
    expected = serializers.CharField(allow_blank=True)
    blocking = serializers.BooleanField()
    result = serializers.ChoiceField(Result.choices, allow_blank=True)
    heard = serializers.CharField(allow_blank=True)


class ContradictionOut(serializers.Serializer[Any]):
    """What an exchange reported against what was noted: about which event, what each says (`by` or `cause`)."""

    about = serializers.CharField()
    reported = serializers.CharField()
    noted = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()


class CallOut(serializers.Serializer[Any]):
    """A call. `allowed` lists the verbs that its reader may use now; `disposition` is a code."""

    id = serializers.IntegerField()
    campaign = serializers.IntegerField()
    prospect = serializers.IntegerField(allow_null=True)
    number = serializers.CharField()
    agent = serializers.IntegerField()
    state = serializers.ChoiceField(CallState.choices)
    mode = serializers.ChoiceField(Mode.choices)
    started_at = serializers.DateTimeField()
    lease_until = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    answered_by = serializers.ChoiceField(AnsweredBy.choices, allow_blank=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    hung_up_by = serializers.ChoiceField(HungUpBy.choices, allow_blank=True)
    evidence = serializers.ChoiceField(Evidence.choices, allow_blank=True)
    cause = serializers.ChoiceField(Cause.choices, allow_blank=True)
    contradictions = ContradictionOut(many=True)
    criteria = QuestionOut(many=True)
    mismatches = MismatchOut(many=True)
    closing = StepOut(many=True)
    may_hang_up = serializers.BooleanField()
    may_hang_up_from = serializers.DateTimeField(allow_null=True, help_text="When it comes by itself.")
    disposition = serializers.CharField(allow_null=True)
    dispositions = serializers.ListField(child=serializers.CharField(), help_text="Codes offered now.")
    callback = serializers.IntegerField(allow_null=True)
    incidents = serializers.ListField(child=serializers.IntegerField())
    allowed = serializers.ListField(child=serializers.CharField())
    version = serializers.IntegerField()


def call_out(call: Call, at: datetime, reader: User) -> dict[str, Any]:
    """Return a call as the contract has it, with the verbs that its reader may use.

    One that was just claimed has no history to read: no query.
    """
    if call.state == CallState.CLAIMED:
        return _claimed(call, at, reader)
    return _columns(call) | _facts(screen_of(call, at), reader)


def calls_out(calls: Sequence[Call], at: datetime, reader: User) -> list[dict[str, Any]]:
    """Return calls as `call_out` has each, in at most seven queries however many they are.

    They come with what `READ_WITH` names.
    """
    begun = [call for call in calls if call.state != CallState.CLAIMED]
    listed = listed_calls(begun, at) if begun else {}
    return [
        _columns(call) | _facts(listed[call.pk], reader) if call.pk in listed else _claimed(call, at, reader)
        for call in calls
    ]


def _claimed(call: Call, at: datetime, reader: User) -> dict[str, Any]:
    return _columns(call) | {
        "contradictions": [],
        "criteria": [],
        "mismatches": [],
        "closing": [],
        "may_hang_up": False,
        "may_hang_up_from": None,
        "dispositions": [],
        "callback": None,
        "incidents": [],
        "allowed": _verbs(allowed(facts_of(call, at)), reader),
    }


def _columns(call: Call) -> dict[str, Any]:
    return {
        "id": call.pk,
        "campaign": call.campaign_id,
        "prospect": call.prospect_id,
        "number": call.number,
        "agent": call.agent_id,
        "state": str(call.state),
        "mode": str(call.mode),
        "started_at": stamp(call.started_at),
        "lease_until": stamp(call.lease_until),
        "answered_at": stamp(call.answered_at),
        "answered_by": str(call.answered_by),
        "ended_at": stamp(call.ended_at),
        "hung_up_by": str(call.hung_up_by),
        "evidence": str(call.evidence),
        "cause": str(call.cause),
        "disposition": call.disposition.code if call.disposition else None,
        "version": call.version,
    }


def _facts(screen: CallScreen | ListedCall, reader: User) -> dict[str, Any]:
    return {
        "contradictions": [
            {"about": row.about, "reported": row.reported, "noted": row.noted, "at": stamp(row.at)}
            for row in screen.contradictions
        ],
        "criteria": [
            {
                "criterion": question.criterion_id,
                "question": question.text,
                "expected": question.expected,
                "blocking": question.blocking,
                "result": str(question.result),
                "heard": question.heard,
            }
            for question in screen.questions
        ],
        "mismatches": [
            {"criterion": item.criterion_id, "expected": item.expected, "heard": item.heard}
            for item in screen.mismatches
        ],
        "closing": [
            {"step": step.step, "text": step.text, "said_at": stamp(step.said_at)} for step in screen.steps
        ],
        "may_hang_up": screen.may_hang_up,
        "may_hang_up_from": stamp(screen.may_hang_up_from),
        "dispositions": [disposition.code for disposition in screen.dispositions],
        "callback": screen.callback_id,
        "incidents": list(screen.incidents),
        "allowed": _verbs(screen.allowed, reader),
    }


def _verbs(possible: Sequence[str], reader: User) -> list[str]:
    """Return the verbs that are possible and the reader's to use, and `events` where one of them is told there."""
    allowed = [verb for verb in possible if reader.is_supervising or verb not in FOR_SUPERVISORS]
    return [*allowed, *(["events"] if EVENTS.intersection(allowed) else [])]
