"""Calling the supervisor: asked once a call, at once in their inbox."""

from datetime import datetime

from calls.enums import CallEventKind, IncidentKind
from calls.models import Call, Incident
from calls.services.held import held, require_verb, tell
from crm.models import User


def ask_supervisor(*, call: Call, by: User, at: datetime, words: str = "") -> Call:
    """Ask the supervisor to come to this call, with a few `words` (500 characters) or none.

    A second time is the same; words that were not told yet are added to what was asked.
    Raises InvalidTransition before somebody answered and once the call is finished.
    """
    words = words.strip()[:500]
    with held(call, by=by) as current:
        asked = current.incidents.filter(kind=IncidentKind.HELP).first()
        if asked is not None:
            return _add(current, asked, words, by=by, at=at)
        require_verb("help", current, at)
        incident = Incident.objects.create(
            call=current,
            kind=IncidentKind.HELP,
            sponsor_id=current.campaign.programme.sponsor_id,
            prospect_id=current.prospect_id,
            summary=words,
            at=at,
            by=by,
        )
        tell(current, CallEventKind.SUPERVISOR_ASKED, by=by, at=at, data={"incident": incident.pk})
        return current


def _add(call: Call, asked: Incident, words: str, *, by: User, at: datetime) -> Call:
    """Tell in the history of the call what the request did not say yet: the supervisor reads it beside."""
    told = call.events.filter(kind=CallEventKind.SUPERVISOR_ASKED, data__text=words)
    if words and words != asked.summary and not told.exists():
        require_verb("help", call, at)
        data = {"incident": asked.pk, "text": words}
        tell(call, CallEventKind.SUPERVISOR_ASKED, by=by, at=at, data=data)
    return call
