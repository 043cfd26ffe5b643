"""What earlier contacts left to know, so that nothing must be told twice: a part of the query around a call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import JSONObject

from calls.enums import CallbackState, CallEventKind, FollowUpState
from calls.models import Callback, CallEvent, FollowUp

#: Lines of each kind.
KEPT = 3


@dataclass(frozen=True, slots=True)
class Told:
    """Something kept of an earlier contact: when, and in which words. Of a callback `at` is when it is due."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Carried:
    """What earlier calls to a prospect left, inside the sponsor, newest first: the last note, wishes, promises."""

    notes: Sequence[Told] = ()
    wishes: Sequence[Told] = ()
    callbacks: Sequence[Told] = ()
    follow_ups: Sequence[Told] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known yet."""
        return not (self.notes or self.wishes or self.callbacks or self.follow_ups)


#: Names of the columns that `carried_rows` adds.
CARRIED = ("carried_notes", "carried_wishes", "carried_callbacks", "carried_follow_ups")


def carried_rows(sponsor: int) -> dict[str, ArraySubquery]:
    """Return the columns to annotate calls with; each an array of JSON."""
    earlier = CallEvent.objects.filter(
        call__prospect=OuterRef("prospect_id"),
        call__lt=OuterRef("pk"),
        call__campaign__programme__sponsor=sponsor,
    ).annotate(text=KeyTextTransform("text", "data"))
    written = earlier.filter(text__gt="").order_by("-id")
    callbacks = Callback.objects.filter(
        prospect=OuterRef("prospect_id"),
        campaign__programme__sponsor=sponsor,
        state=CallbackState.OPEN,
    ).order_by("due_at", "id")
    follow_ups = FollowUp.objects.filter(
        prospect=OuterRef("prospect_id"), call__campaign__programme__sponsor=sponsor
    ).exclude(state__in=[FollowUpState.FAILED, FollowUpState.CANCELLED])
    return {
        "carried_notes": _told(written.filter(kind=CallEventKind.NOTE)[:1], "at", "text"),
        "carried_wishes": _told(written.filter(kind=CallEventKind.WISH)[:KEPT], "at", "text"),
        "carried_callbacks": _told(callbacks[:KEPT], "due_at", "note"),
        "carried_follow_ups": _told(follow_ups.order_by("-id")[:KEPT], "at", "subject"),
    }


def _told(rows: QuerySet[Any], at: str, text: str) -> ArraySubquery:
    return ArraySubquery(rows.values(json=JSONObject(at=at, text=text)))


def carried_of(row: Mapping[str, Any]) -> Carried:
    """Return what these columns of a row tell."""
    return Carried(
        *(
            [Told(datetime.fromisoformat(item["at"]), item["text"] or "") for item in row[name]]
            for name in CARRIED
        )
    )
