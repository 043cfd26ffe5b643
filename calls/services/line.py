"""What the line does: it rings, somebody answers or nobody does, it goes silent, it ends. Stored as it happened."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from calls.enums import CallEventKind, CallState, Cause, Evidence, HungUpBy, IncidentKind
from calls.models import Call
from calls.rules.closing import steps_left
from calls.rules.hang_up import may_hang_up
from calls.rules.transitions import MACHINE_CAUSES
from calls.selectors.facts import line_facts, said_sentences
from calls.services.conclude import incident_of, report
from calls.services.errors import Invalid, InvalidTransition
from calls.services.held import held, line, require_verb, save, talk_lease, tell, tell_all
from campaigns.enums import ClosingKind
from crm.models import User

#: Why nobody was reached, when the line ended before anybody answered.
CAUSE_OF_END: dict[str, Cause] = {
    HungUpBy.PROSPECT: Cause.REJECTED,
    HungUpBy.AGENT: Cause.CANCELLED,
    HungUpBy.NETWORK: Cause.TECHNICAL,
    HungUpBy.SUPERVISOR: Cause.CANCELLED,
    HungUpBy.UNKNOWN: Cause.NO_ANSWER,
}


def record_ringing(*, call: Call, by: User, at: datetime, evidence: str = "") -> Call:
    """Store that the other end rings, on what `evidence` ("": the agent's). Heard again, or late: nothing changes."""
    with held(call, by=by) as current:
        if current.state != CallState.DIALLING and current.dialled_at is not None:
            return current
        require_verb("ringing", current, at)
        if not current.events.filter(kind=CallEventKind.RINGING).exists():
            tell(current, CallEventKind.RINGING, by=by, at=at, data=_facts(evidence=evidence))
        return current


def record_answer(*, call: Call, by: User, at: datetime, evidence: str = "") -> Call:
    """Move to `connected`: the line was picked up, by whom is not known yet. Told twice: the same call.

    `evidence` as in `record_ringing`.
    Raises InvalidTransition when nothing was being dialled.
    """
    with held(call, by=by) as current:
        if current.answered_at is not None:
            return current
        require_verb("answered", current, at)
        save(current, state=CallState.CONNECTED, answered_at=at, lease_until=talk_lease(current, at))
        tell(current, CallEventKind.ANSWERED, by=by, at=at, data=_facts(evidence=evidence))
        return current


def record_not_reached(
    *,
    call: Call,
    cause: str,
    by: User,
    at: datetime,
    sip_status: int | None = None,
    q850: int | None = None,
    evidence: str = "",
) -> Call:
    """Store why nobody was reached (`calls.enums.Cause`), which proposes its disposition. Told twice: the same call.

    From `connected`, only a machine (voicemail, fax, announcement) and only before a person was greeted.
    Raises Invalid for an unknown cause, InvalidTransition otherwise.
    """
    if cause not in Cause.values:
        raise Invalid.field("cause", _("Cause inconnue."))
    with held(call, by=by) as current:
        if current.state in (CallState.NOT_REACHED, CallState.DONE) and current.cause == cause:
            return current
        require_verb("not_reached", current, at)
        if current.state == CallState.CONNECTED and cause not in MACHINE_CAUSES:
            raise InvalidTransition(
                _("Quelqu'un a décroché : seule une machine n'appelle pas de clôture."),
                extra={"state": current.state},
            )
        facts = _facts(sip_status=sip_status, q850=q850, evidence=evidence)
        return _not_reached(current, cause, facts, by=by, at=at)


def _not_reached(call: Call, cause: str, facts: dict[str, Any], *, by: User, at: datetime) -> Call:
    save(call, state=CallState.NOT_REACHED, cause=cause, lease_until=talk_lease(call, at))
    tell(call, CallEventKind.NOT_REACHED, by=by, at=at, data={"cause": cause, **facts})
    return call


def record_hang_up(
    *,
    call: Call,
    hung_up_by: str,
    evidence: str,
    by: User,
    at: datetime,
    reason: str = "",
    sip_status: int | None = None,
    q850: int | None = None,
) -> Call:
    """Store that the communication ended: by whom, on what evidence, with the phone's own words for it.

    An agent's hang-up that the golden rule does not allow is stored as it happened, and becomes an incident "to
    review". Sentences not said are kept as interrupted. Before any answer it is a call that was not reached. The end
    of a line that is already free changes nothing. Raises Invalid for unknown codes, InvalidTransition before dialling.
    """
    if hung_up_by not in HungUpBy.values:
        raise Invalid.field("by", _("Qui a raccroché ?"))
    if evidence not in Evidence.values:
        raise Invalid.field("evidence", _("Source inconnue."))
    facts = _facts(sip_status=sip_status, q850=q850, reason=reason.strip()[:500])
    with held(call, by=by) as current:
        if current.state in (CallState.ENDED, CallState.NOT_REACHED, CallState.DONE):
            return current
        require_verb("hung_up", current, at)
        if current.state == CallState.DIALLING:
            return _not_reached(current, CAUSE_OF_END[hung_up_by], facts, by=by, at=at)
        return _end(current, hung_up_by, evidence, facts, by=by, at=at)


def _end(
    call: Call, hung_up_by: str, evidence: str, facts: dict[str, Any], *, by: User, at: datetime
) -> Call:
    was_allowed = may_hang_up(line_facts(call), at)
    left = steps_left(call.closing_kind or ClosingKind.ORDINARY, [said.step for said in said_sentences(call)])
    save(
        call,
        state=CallState.ENDED,
        ended_at=at,
        hung_up_by=hung_up_by,
        evidence=evidence,
        lease_until=talk_lease(call, at),
    )
    steps = [str(step) for step in left]
    data = {"by": hung_up_by, "evidence": evidence, **facts}
    if hung_up_by == HungUpBy.AGENT:
        data["allowed"] = was_allowed
    lines = [line(CallEventKind.CLOSING_INTERRUPTED, {"steps": steps})] if steps else []
    tell_all(call, [*lines, line(CallEventKind.HUNG_UP, data)], by=by, at=at)
    if hung_up_by == HungUpBy.AGENT and not was_allowed:
        report_hang_up(call, steps, by=by, at=at)
    return call


def report_hang_up(call: Call, steps_left: list[str], *, by: User, at: datetime, declared: str = "") -> None:
    """Put an agent's hang-up that the golden rule did not allow before the supervisor, once per call.

    `declared` is what the agent had said of it, where an exchange says otherwise.
    """
    told = {"steps_left": steps_left, "goodbyes": call.goodbyes, "evidence": call.evidence}
    told |= _facts(declared=declared)
    report(incident_of(call, IncidentKind.HANG_UP_REVIEW, by=by, at=at, data=told))


def record_line_dead(*, call: Call, by: User, at: datetime, dead: bool = True) -> Call:
    """Store that nothing is heard any more since `at`, or (`dead=False`) that somebody is heard again.

    Said again while the line is silent, the first moment counts. Raises InvalidTransition when nobody is on the line.
    """
    with held(call, by=by) as current:
        require_verb("line_dead", current, at)
        if (current.line_dead_at is not None) == dead:
            return current
        save(current, line_dead_at=at if dead else None)
        tell(current, CallEventKind.LINE_DEAD, by=by, at=at, data={"dead": dead})
        return current


def ask_hang_up(*, call: Call, by: User, at: datetime) -> Call:
    """Say whether the agent may press the hang-up button now: returns the call, stores nothing.

    Raises ClosingRequired when the golden rule does not allow it, InvalidTransition when there is no line to end.
    """
    with held(call, by=by) as current:
        if current.state in (CallState.ENDED, CallState.NOT_REACHED, CallState.DONE):
            return current
        require_verb("hang_up", current, at)
        return current


def explain_hang_up(*, call: Call, why: str, by: User, at: datetime) -> Call:
    """Keep the agent's own words on why they hung up (a threat, a reflex): it is reviewed, not punished.

    Raises Invalid without words, InvalidTransition when the agent did not hang up.
    """
    why = why.strip()[:500]
    with held(call, by=by) as current:
        if current.ended_at is not None and current.hung_up_by != HungUpBy.AGENT:
            raise InvalidTransition(_("Ce n'est pas vous qui avez raccroché."))
        require_verb("explain", current, at)
        if not why:
            raise Invalid.field("reason", _("Dites pourquoi en quelques mots."))
        earlier = current.events.filter(kind=CallEventKind.HANG_UP_EXPLAINED).order_by("-id").first()
        if earlier is None or earlier.data.get("why") != why:
            tell(current, CallEventKind.HANG_UP_EXPLAINED, by=by, at=at, data={"why": why})
        return current


def _facts(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value not in (None, "")}
