"""A prospect's timeline in words: what happened, newest first, a line each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from calls.enums import AnsweredBy, CallEventKind, Cause, HungUpBy, Result
from campaigns.enums import ExclusionReason, Step
from campaigns.models import Disposition
from crm.enums import EventKind
from crm.models import ProspectEvent


@dataclass(frozen=True, slots=True)
class Line:
    """A line of history: when, what in words, and the call that it tells of (null: none)."""

    at: datetime
    text: str
    kind: str
    call_ref: int | None


#: Codes in the data of an event, by their name there, with their labels.
_LABELS: dict[str, dict[str, Any]] = {
    "cause": dict(Cause.choices),
    "by": dict(HungUpBy.choices),
    "answered_by": dict(AnsweredBy.choices),
    "result": dict(Result.choices),
    "reason": dict(ExclusionReason.choices),
    "step": dict(Step.choices),
}
#: What is shown of an event's data, in this order.
_SHOWN = ("label", "cause", "by", "answered_by", "step", "result", "heard", "note", "text", "reason", "why")


#: Times among the data, as ISO 8601: of an agreed callback, of a wish.
_MOMENTS = ("due_at", "remind_at")


def lines_of(events: Iterable[ProspectEvent]) -> list[Line]:
    """Return these events as lines, in their order."""
    labels = {**_LABELS, "label": _english_labels() if (get_language() or "").startswith("en") else {}}
    return [Line(event.at, _text(event, labels), event.kind, event.call_ref) for event in events]


def _english_labels() -> dict[str, str]:
    """The timeline keeps a disposition's French label, as it was then. One query, on English pages only."""
    return dict(Disposition.objects.exclude(label_en="").values_list("label", "label_en"))


def _moment(text: str) -> str:
    return date_format(localtime(datetime.fromisoformat(text)), _("j F à H:i"))


def _text(event: ProspectEvent, labels: dict[str, dict[str, Any]]) -> str:
    words = [
        str(labels.get(name, {}).get(event.data[name], event.data[name]))
        for name in _SHOWN
        if event.data.get(name)
    ]
    words += [_moment(event.data[name]) for name in _MOMENTS if event.data.get(name)]
    if event.kind == EventKind.CLOSING and event.data.get("event") == CallEventKind.CLOSING_STEP:
        words = words[:1]
    return _(" : ").join(
        [str(EventKind(event.kind).label), ", ".join(words)] if words else [str(EventKind(event.kind).label)]
    )
