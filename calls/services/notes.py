"""The agent's note on a call: saved as it is typed, the last one counts."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from calls.enums import CallEventKind, NotePlace
from calls.models import Call, CallEvent
from calls.services.errors import InvalidTransition
from calls.services.held import Line, held, require_verb, tell_all
from calls.services.note_check import kept_words
from crm.enums import EventKind
from crm.models import User
from crm.selectors.composed import ask

#: The disposition of a call that a child answered: no data is kept of a child (see `SituationEffect.MINOR`).
OF_A_CHILD = "minor"


def write_note(*, call: Call, text: str, by: User, at: datetime, override_reason: str = "") -> Call:
    """Store the agent's note (2,000 characters); unchanged words write nothing.

    It is checked first: account numbers are masked, and NoteNotNeutral is raised for words that should not be kept,
    unless `override_reason` says why they are. Words of the stored note were decided on. Raises InvalidTransition
    once the call is known to have reached a child.
    The prospect's timeline gets its last form, once, when the call is done (`publish_note`).
    """
    text = text.strip()[:2000]
    with held(call, by=by) as current:
        require_verb("note", current, at)
        if current.disposition is not None and current.disposition.code == OF_A_CHILD and text:
            raise InvalidTransition(_("Un enfant a répondu : rien n'est noté de lui."))
        stored = note_of(current)
        if text != stored:
            text = kept_words(
                current, text, NotePlace.NOTE, override_reason=override_reason, accepted=stored, by=by, at=at
            )
        if text != stored:
            CallEvent.objects.create(call=current, kind=CallEventKind.NOTE, at=at, by=by, data={"text": text})
            if not current.is_open:
                publish_note(current, by=by, at=at)
        return current


def note_of(call: Call) -> str:
    """Return the agent's note as it stands, "" when there is none."""
    return next((str(last.data.get("text", "")) for last in ask(_last_note, call=call.pk)), "")


def _last_note(*, call: int) -> QuerySet[CallEvent]:
    return CallEvent.objects.filter(call=call, kind=CallEventKind.NOTE).order_by("-id")[:1]


def publish_note(call: Call, *, by: User, at: datetime) -> None:
    """Write the note into the prospect's timeline, inside the sponsor."""
    tell_all(call, note_lines(note_of(call)), by=by, at=at)


def note_lines(note: str) -> list[Line]:
    """Return the line of the prospect's timeline that publishes this note of a call, none for no words."""
    if not note:
        return []
    return [Line(EventKind.NOTE, {"event": str(CallEventKind.NOTE), "text": note})]
