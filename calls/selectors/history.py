"""A prospect's timeline in words: what happened, newest first, a line each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
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


#: Lines of a call that the timeline files under a wider kind, and that are told by their own name.
_TOLD_AS_THEMSELVES = frozenset(
    {
        CallEventKind.RINGING,
        CallEventKind.CLOSING_STARTED,
        CallEventKind.CLOSING_INTERRUPTED,
        CallEventKind.LINE_DEAD,
        CallEventKind.HANG_UP_EXPLAINED,
        CallEventKind.CORRECTION_ASKED,
        CallEventKind.SUPERVISOR_ASKED,
        CallEventKind.SUPERVISOR_RELEASED,
        CallEventKind.WISH,
    }
)

#: Times among the data, as ISO 8601: of an agreed callback, of a wish.
_MOMENTS = ("due_at", "remind_at")


def lines_of(events: Iterable[ProspectEvent]) -> list[Line]:
    """Return these events as lines, in their order."""
    return _lines(events, _english_labels() if _is_english() else {})


def latest_lines(events: QuerySet[ProspectEvent], count: int) -> list[Line]:
    """Return the latest of these events as lines, newest first. One query."""
    rows: Any = events.order_by("-id")
    if _is_english():
        english = Disposition.objects.filter(label=OuterRef("label")).exclude(label_en="")
        rows = rows.annotate(label=KeyTextTransform("label", "data"))
        rows = rows.annotate(label_en=Subquery(english.values("label_en")[:1]))
    latest = list(rows[:count])
    return _lines(latest, {row.label: row.label_en for row in latest if getattr(row, "label_en", None)})


def _lines(events: Iterable[ProspectEvent], english: Mapping[str, str]) -> list[Line]:
    labels = {**_LABELS, "label": english}
    return [Line(event.at, _text(event, labels), event.kind, event.call_ref) for event in events]


def _is_english() -> bool:
    """Whether labels are translated: the timeline keeps a disposition's French label, as it was then."""
    return (get_language() or "").startswith("en")


def _english_labels() -> dict[str, str]:
    return dict(Disposition.objects.exclude(label_en="").values_list("label", "label_en"))


def _moment(text: str) -> str:
    return date_format(localtime(datetime.fromisoformat(text)), _("j F à H:i"))


def _text(event: ProspectEvent, labels: Mapping[str, Mapping[str, Any]]) -> str:
    words = [
        str(labels.get(name, {}).get(event.data[name], event.data[name]))
        for name in _SHOWN
        if event.data.get(name)
    ]
    words += [_moment(event.data[name]) for name in _MOMENTS if event.data.get(name)]
    if event.data.get("result") == Result.MISMATCH and event.data.get("expected"):
        words.append(_("attendu : %(expected)s") % {"expected": event.data["expected"]})
    if event.kind == EventKind.CLOSING and event.data.get("event") == CallEventKind.CLOSING_STEP:
        words = words[:1]
    told = event.data.get("event")
    label = str((CallEventKind(told) if told in _TOLD_AS_THEMSELVES else EventKind(event.kind)).label)
    return _(" : ").join([label, ", ".join(words)]) if words else label
