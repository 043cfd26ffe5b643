"""Whether a call was hard: a situation was reached after which its agent is offered a break."""

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform

from calls.enums import HARD_EFFECTS, CallEventKind
from calls.models import Call, CallEvent, Situation


def hard_events() -> QuerySet[CallEvent]:
    """Return the lines of calls that tell of a hard situation."""
    hard = Situation.objects.filter(effect__in=sorted(HARD_EFFECTS))
    told = CallEvent.objects.filter(kind=CallEventKind.SITUATION)
    return told.alias(reached=KeyTextTransform("situation", "data")).filter(reached__in=hard.values("code"))


def was_hard(call: Call) -> bool:
    """Tell whether the call reached a situation that is hard on its agent. One query."""
    return hard_events().filter(call=call).exists()
