"""A disposition as it is chosen on one call: with what the campaign changes about it, the note and the numbers."""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Func, IntegerField, OuterRef, Subquery, Value
from django.db.models.fields.json import KeyTextTransform

from calls.enums import STOPS_SALE, CallEventKind
from calls.models import Call, CallEvent, Incident
from campaigns.models import Disposition, DispositionRule
from crm.models import ProspectNumber


@dataclass(frozen=True, slots=True)
class Choice:
    """A disposition on a call.

    `offered`: the campaign proposes it; `stopped`: it would carry a sale through that was stopped on this call;
    `delay`: when an entry is tried again; `note`: the agent's note on the call as it stands; `numbers`: the E.164
    numbers of the prospect, in its order; `others`: how many other records of the programme have the number of the
    call.
    """

    disposition: Disposition
    offered: bool
    stopped: bool
    delay: timedelta | None
    note: str
    numbers: list[str]
    others: int


def choice_of(call: Call, code: str, *, retired: bool = False) -> Choice | None:
    """Return what choosing this disposition means on the call, None for an unknown one. One query.

    Those that are no longer in use are unknown unless `retired`.
    """
    rule = DispositionRule.objects.filter(campaign=call.campaign_id, disposition=OuterRef("pk"))
    notes = CallEvent.objects.filter(call=call.pk, kind=CallEventKind.NOTE).order_by("-id")
    stops = Incident.objects.filter(call=call.pk, kind__in=sorted(STOPS_SALE))
    numbers = ProspectNumber.objects.filter(prospect=call.prospect_id).values("number")
    known = Disposition.objects.filter(code=code)
    found = (
        (known if retired else known.filter(active=True))
        .annotate(
            refused=Exists(rule.filter(enabled=False)),
            stopped=Exists(stops),
            own_delay=Subquery(rule.values("retry_after")[:1]),
            kept_note=Subquery(notes.annotate(text=KeyTextTransform("text", "data")).values("text")[:1]),
            known_numbers=ArraySubquery(numbers),
            others=Func(Value(call.pk), function="courtois_others_on_number", output_field=IntegerField()),
        )
        .first()
    )
    if found is None:
        return None
    return Choice(
        disposition=found,
        offered=not found.refused,
        stopped=found.stopped and found.requires_match,
        delay=found.own_delay or found.retry_after,
        note=found.kept_note or "",
        numbers=found.known_numbers,
        others=found.others,
    )
