"""Calling the supervisor: asked once a call, at once in their inbox."""

from datetime import datetime

from calls.enums import CallEventKind, IncidentKind
from calls.models import Call, Incident
from calls.services.held import held, require_verb, tell
from crm.models import User


def ask_supervisor(*, call: Call, by: User, at: datetime, words: str = "") -> Call:
    """Ask the supervisor to come to this call, with a few `words` (500 characters) or none; a second time is the same.

    Raises InvalidTransition before somebody answered and once the call is finished.
    """
    with held(call, by=by) as current:
        if current.incidents.filter(kind=IncidentKind.HELP).exists():
            return current
        require_verb("help", current, at)
        incident = Incident.objects.create(
            call=current,
            kind=IncidentKind.HELP,
            sponsor_id=current.campaign.programme.sponsor_id,
            prospect_id=current.prospect_id,
            summary=words.strip()[:500],
            at=at,
            by=by,
        )
        tell(current, CallEventKind.SUPERVISOR_ASKED, by=by, at=at, data={"incident": incident.pk})
        return current
