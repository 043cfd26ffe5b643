"""Delicate situations on the line: a stage reached, the person calmed down, somebody who drives."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from calls.enums import CallEventKind, SituationEffect
from calls.models import Call, Stage
from calls.rules.hang_up import DRIVING, STAGE
from calls.services.errors import Invalid
from calls.services.held import held, require_verb, save, tell
from calls.services.situation_effects import BARS, allow, on_stage
from crm.models import User


def enter_stage(*, call: Call, situation: str, stage: int, by: User, at: datetime) -> Call:
    """Store that a stage of a playbook was reached: `situation` is its code, `stage` its position.

    A stage that says so lets the agent end the call, and opens an incident for the supervisor; what else a situation
    does by itself: `situation_effects`. The stage of now again changes nothing. Raises Invalid for an unknown one,
    InvalidTransition when nobody is on the line.
    """
    reached = (
        Stage.objects.select_related("situation").filter(situation__code=situation, position=stage).first()
    )
    if reached is None:
        raise Invalid.field("stage", _("Étape inconnue."))
    with held(call, by=by, bars="exclusive" if reached.situation.effect in BARS else "") as current:
        require_verb("situations", current, at)
        earlier = [
            event.data
            for event in current.events.filter(kind=CallEventKind.SITUATION).order_by("id")
            if event.data
        ]
        if earlier and (earlier[-1].get("situation"), earlier[-1].get("stage")) == (situation, stage):
            return current
        opened = not earlier or earlier[-1].get("situation") != situation
        data: dict[str, Any] = {
            "situation": situation,
            "stage": stage,
            "may_end": reached.may_end,
            "label": reached.situation.label,
        }
        tell(current, CallEventKind.SITUATION, by=by, at=at, data=data | ({"opened": True} if opened else {}))
        first = all(told.get("situation") != situation for told in earlier)
        on_stage(current, reached, first=first, by=by, at=at)
        return current


def leave_situation(*, call: Call, by: User, at: datetime) -> Call:
    """Store that the person calmed down: the call goes on as any other, and what a stage had allowed is over."""
    with held(call, by=by) as current:
        require_verb("situations", current, at)
        last = current.events.filter(kind=CallEventKind.SITUATION).order_by("-id").first()
        if last is None or last.data.get("situation") is None:
            return current
        if current.end_allowed_by.startswith(STAGE):
            save(current, end_allowed_by="")
        tell(current, CallEventKind.SITUATION, by=by, at=at, data={"situation": None, "calmed": True})
        return current


def mark_driving(*, call: Call, by: User, at: datetime) -> Call:
    """Store that the person is driving: an appointment or none, and the call ends. Again: nothing changes.

    It is the first stage of the playbook of that effect. Raises InvalidTransition when nobody is on the line.
    """
    stages = Stage.objects.filter(
        situation__effect=SituationEffect.DRIVING, may_end=True, situation__active=True
    )
    stage = stages.select_related("situation").order_by("situation__position", "position").first()
    if stage is not None:
        return enter_stage(call=call, situation=stage.situation.code, stage=stage.position, by=by, at=at)
    with held(call, by=by) as current:
        require_verb("driving", current, at)
        if current.end_allowed_by != DRIVING:
            allow(current, DRIVING)
            tell(current, CallEventKind.SITUATION, by=by, at=at, data={"situation": DRIVING, "may_end": True})
        return current
