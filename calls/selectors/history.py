"""A prospect's timeline in words: what happened, newest first, a line each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, cast

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from calls.enums import AnsweredBy, CallEventKind, Cause, HungUpBy, Mode, ReportStanding, Result
from calls.models import Call, Situation
from campaigns.enums import ExclusionReason, Step
from campaigns.models import Disposition
from crm.enums import EventKind
from crm.models import Prospect, ProspectEvent, Sponsor
from crm.rules.phones import national


@dataclass(frozen=True, slots=True)
class Line:
    """A line of history: when, what in words, and the call that it tells of (null: none)."""

    at: datetime
    text: str
    kind: str
    call_ref: int | None


@dataclass(frozen=True, slots=True)
class Passage:
    """What stands together in a timeline: one call with its lines in their order, or a line of its own (`call` null).

    `call_ref` is the call's id, null for anything else; `call` is null where it is behind a wall.
    """

    at: datetime
    lines: Sequence[tuple[ProspectEvent, Line, Sequence[str]]]
    call_ref: int | None
    call: Call | None


#: What the timeline can be narrowed to, by its name in the address.
TOPICS: dict[str, tuple[Any, frozenset[str]]] = {
    "calls": (
        gettext_lazy("Appels"),
        frozenset(
            {
                EventKind.CLAIMED,
                EventKind.RELEASED,
                EventKind.DIALLED,
                EventKind.REFUSED,
                EventKind.CONNECTED,
                EventKind.NOT_REACHED,
                EventKind.GREETED,
                EventKind.HANDED_OVER,
                EventKind.CRITERION,
                EventKind.OUT_OF_CRITERIA,
                EventKind.CLOSING,
                EventKind.SITUATION,
                EventKind.HUNG_UP,
                EventKind.DISPOSITION,
                EventKind.CORRECTED,
            }
        ),
    ),
    "callbacks": (gettext_lazy("Rappels"), frozenset({EventKind.CALLBACK})),
    "exclusions": (gettext_lazy("Exclusions"), frozenset({EventKind.EXCLUDED, EventKind.LIFTED})),
    "changes": (
        gettext_lazy("Fiche"),
        frozenset(
            {EventKind.CREATED, EventKind.IMPORTED, EventKind.EDITED, EventKind.ERASED, EventKind.RESOURCED}
        ),
    ),
    "lists": (gettext_lazy("Listes"), frozenset({EventKind.QUEUED, EventKind.UNQUEUED})),
    "notes": (
        gettext_lazy("Notes et incidents"),
        frozenset({EventKind.NOTE, EventKind.FOLLOW_UP, EventKind.INCIDENT}),
    ),
}

#: Changed fields that a line writes out.
WRITTEN_OUT = 6


def timeline(prospect: Prospect, sponsors: QuerySet[Sponsor], topic: str) -> QuerySet[ProspectEvent]:
    """Return the lines of a fiche that a reader who sees these `sponsors` may see; `topic` "" keeps all."""
    inside = Q(sponsor__isnull=True) | Q(sponsor__in=sponsors)
    events = ProspectEvent.objects.filter(inside, prospect=prospect)
    return events.filter(kind__in=TOPICS[topic][1]) if topic in TOPICS else events


def passages_of(events: Sequence[ProspectEvent], sponsors: QuerySet[Sponsor]) -> list[Passage]:
    """Return these lines, newest first, with those of one call put together. One query, two in English."""
    refs = {event.call_ref for event in events if event.call_ref is not None}
    calls = Call.objects.filter(pk__in=refs, campaign__programme__sponsor__in=sponsors)
    known = calls.select_related("campaign", "agent", "disposition").in_bulk() if refs else {}
    told = list(zip(events, lines_of(events), strict=True))
    found: list[Passage] = []
    for ref, group in groupby(told, key=lambda item: item[0].call_ref or -item[0].pk):
        lines = [(event, line, changes_of(event)) for event, line in group]
        found.append(Passage(lines[0][0].at, lines[::-1], ref if ref > 0 else None, known.get(ref)))
    return found


def changes_of(event: ProspectEvent) -> list[str]:
    """Return what a correction changed, a field each: "ville : Lyon → Paris"."""
    if event.kind != EventKind.EDITED:
        return []
    changes = event.data.get("changes") or {}
    written = [_changed(name, before, after) for name, (before, after) in list(changes.items())[:WRITTEN_OUT]]
    return written + (["…"] if len(changes) > WRITTEN_OUT else [])


def _changed(name: str, before: Any, after: Any) -> str:
    if name == "attributes":
        moved = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
        return _("autres champs : %(names)s") % {"names": ", ".join(moved[:WRITTEN_OUT])}
    if name == "phones":
        label, values = _("numéros"), [", ".join(map(national, row)) for row in (before, after)]
    else:
        label = str(Prospect._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        values = [_read(value) for value in (before, after)]
    return _("%(label)s : %(before)s → %(after)s") % {
        "label": label,
        "before": values[0] or "…",
        "after": values[1] or "…",
    }


def _read(value: Any) -> str:
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    return str(value)[:80]


#: Codes in the data of an event, by their name there, with their labels.
_LABELS: dict[str, dict[str, Any]] = {
    "cause": dict(Cause.choices),
    "by": dict(HungUpBy.choices),
    "answered_by": dict(AnsweredBy.choices),
    "result": dict(Result.choices),
    "reason": {
        **dict(ExclusionReason.choices),
        "lease": gettext_lazy("elle était restée sans nouvelles"),
        "excluded": gettext_lazy("une exclusion est venue entre-temps"),
        "erased": gettext_lazy("données effacées"),
    },
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
        CallEventKind.SITUATION_EFFECT,
        CallEventKind.CORRECTION_ASKED,
        CallEventKind.SUPERVISOR_ASKED,
        CallEventKind.SUPERVISOR_ANSWERED,
        CallEventKind.SUPERVISOR_RELEASED,
        CallEventKind.TRANSFER_OFFERED,
        CallEventKind.TRANSFERRED,
        CallEventKind.BAN_ASKED,
        CallEventKind.WISH,
        CallEventKind.LINE_REPORT,
    }
)

#: What became of a callback, by the event that its line names.
_OF_CALLBACKS = {
    "kept": gettext_lazy("Rappel tenu : la personne nous a appelés"),
    "released": gettext_lazy("Rappel rendu à l'équipe"),
    "agreed": gettext_lazy("Rappel convenu hors appel"),
    "moved": gettext_lazy("Rappel déplacé"),
    "reassigned": gettext_lazy("Rappel confié à quelqu'un d'autre"),
    "cancelled": gettext_lazy("Rappel annulé"),
}
FROM_OUTSIDE = {
    Mode.INBOUND: gettext_lazy("La personne nous a appelés"),
    Mode.EXTERNAL: gettext_lazy("Appelée par un autre système"),
}

#: What an exchange reported after the fact; who and why follow.
_REPORTED = {
    "ringing": gettext_lazy("ça sonne"),
    "answered": gettext_lazy("on a décroché"),
    "not_reached": gettext_lazy("personne n'a répondu"),
    "hung_up": gettext_lazy("fin de la communication"),
    "line_dead": gettext_lazy("ligne silencieuse"),
    "line_alive": gettext_lazy("on entend à nouveau"),
}


def words_of_report(data: Mapping[str, Any]) -> str:
    """Return what an exchange reported of a call, and what was known instead: "fin de la communication, L'agent"."""
    codes: dict[str, Any] = {
        **dict(Cause.choices),
        **dict(HungUpBy.choices),
        "answered": _REPORTED["answered"],
    }
    reported = str(data.get("reported", ""))
    said = [str(_REPORTED.get(reported, reported))]
    said += [str(codes.get(data[name], data[name])) for name in ("by", "cause") if data.get(name)]
    words = ", ".join(said)
    if data.get("standing") == ReportStanding.LATE:
        return _("%(words)s (arrivé après coup)") % {"words": words}
    if data.get("known"):
        known = codes.get(data["known"], data["known"])
        return _("%(words)s (on avait noté : %(known)s)") % {"words": words, "known": known}
    return words


#: Times among the data, as ISO 8601: of an agreed callback, of a wish.
_MOMENTS = ("due_at", "remind_at")


def lines_of(events: Iterable[ProspectEvent]) -> list[Line]:
    """Return these events as lines, in their order."""
    return _lines(events, _english_labels() if says_english() else {})


def latest(events: QuerySet[ProspectEvent], count: int, *, english: bool) -> QuerySet[ProspectEvent]:
    """Return the query of the latest of these events, newest first, with what their labels are in English."""
    rows: Any = events.order_by("-id")
    if english:
        known: list[Any] = [
            model._default_manager.filter(label=OuterRef("label")).exclude(label_en="").values("label_en")[:1]
            for model in (Disposition, Situation)
        ]
        rows = rows.annotate(label=KeyTextTransform("label", "data"))
        rows = rows.annotate(label_en=Coalesce(*(Subquery(labels) for labels in known)))
    return cast("QuerySet[ProspectEvent]", rows[:count])


def lines_with_labels(events: Iterable[ProspectEvent]) -> list[Line]:
    """Return the events of `latest` as lines."""
    found: list[Any] = list(events)
    return _lines(found, {row.label: row.label_en for row in found if getattr(row, "label_en", None)})


def _lines(events: Iterable[ProspectEvent], english: Mapping[str, str]) -> list[Line]:
    labels = {**_LABELS, "label": english}
    return [Line(event.at, _text(event, labels), event.kind, event.call_ref) for event in events]


def says_english() -> bool:
    """Whether labels are translated: the timeline keeps a disposition's French label, as it was then."""
    return (get_language() or "").startswith("en")


def _english_labels() -> dict[str, str]:
    rows = Disposition.objects.exclude(label_en="").values_list("label", "label_en")
    return dict(rows.union(Situation.objects.exclude(label_en="").values_list("label", "label_en"), all=True))


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
    if event.data.get("event") == CallEventKind.LINE_REPORT:
        words = [words_of_report(event.data)]
    if event.kind == EventKind.CLOSING and event.data.get("event") == CallEventKind.CLOSING_STEP:
        words = words[:1]
    told = event.data.get("event")
    label = str((CallEventKind(told) if told in _TOLD_AS_THEMSELVES else EventKind(event.kind)).label)
    if event.kind == EventKind.CALLBACK and told in _OF_CALLBACKS:
        label = str(_OF_CALLBACKS[told])
    elif event.data.get("mode") in FROM_OUTSIDE:
        label = str(FROM_OUTSIDE[event.data["mode"]])
    return _(" : ").join([label, ", ".join(words)]) if words else label
