"""What an exchange reports of a line: done once, kept in the history when it comes late, and beside the agent's word.

Who ended a call is the exchange's to say, for it holds both legs: its word replaces what the agent declared, which
stays in the history. Whether somebody answered, and what the agent heard instead (a voicemail, a fax), is the agent's:
there the exchange's word is kept beside, and changes nothing.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from calls.enums import WEIGHT, CallEventKind, CallState, Evidence, HungUpBy, ReportStanding
from calls.models import Call, LineReport
from calls.rules.closing import steps_left
from calls.rules.hang_up import may_hang_up
from calls.rules.transitions import MACHINE_CAUSES, ON_LINE, refusal
from calls.selectors.facts import facts_of, line_facts, said_sentences
from calls.services import line
from calls.services.held import held, require_verb, save, tell
from campaigns.enums import ClosingKind
from crm.models import User

#: How far the clock of an exchange may run ahead of ours.
AHEAD = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Reported:
    """What an exchange says: `event` (`ringing`, `answered`, `not_reached`, `hung_up`, `line_dead`, `line_alive`).

    `by` says who hung up, `cause` why nobody was reached; `sip_status` and `q850` are its codes, `at` its moment,
    `event_id` its own id of this report ("" when it has none), `evidence` what it knows it by.
    """

    event: str
    by: str = ""
    cause: str = ""
    sip_status: int | None = None
    q850: int | None = None
    at: datetime | None = None
    event_id: str = ""
    evidence: str = Evidence.PBX

    def codes(self) -> dict[str, Any]:
        """Return who, why and its codes as JSON, without what was not said."""
        given = {name: getattr(self, name) for name in ("by", "cause", "sip_status", "q850")}
        return {name: value for name, value in given.items() if value not in (None, "")}


def earlier_report(*, event: str, event_id: str, by: User) -> LineReport | None:
    """Return the report of such an event that the exchange sent under this id already, or None."""
    if not event_id:
        return None
    return LineReport.objects.filter(by=by, key=_own_key(event, event_id)).select_related("call").first()


def record_report(*, call: Call, reported: Reported, by: User, at: datetime) -> LineReport:
    """Do what an exchange reports of a call that was dialled or answered, or keep it where it comes too late.

    The exchange's moment is kept where it lies within the call and not ahead of us; else ours. The same report again
    is the first one. Raises Invalid for unknown codes, InvalidTransition before the call was dialled.
    """
    with held(call, by=by) as current:
        key = _key_of(current, reported)
        earlier = LineReport.objects.filter(by=by, key=key).first()
        if earlier is not None:
            return earlier
        if current.state in (CallState.CLAIMED, CallState.RELEASED):
            require_verb("hung_up", current, at)
        moment = _moment(current, reported, at)
        standing, known = _take(current, reported, by=by, at=moment)
        if standing not in (ReportStanding.DONE, ReportStanding.ALREADY):
            _keep(current, reported, standing, known, by=by, at=moment)
        return LineReport.objects.create(
            call=current,
            event=reported.event,
            key=key,
            standing=standing,
            data=reported.codes(),
            said_at=reported.at,
            counts_at=moment,
            at=at,
            by=by,
        )


def _own_key(event: str, event_id: str) -> str:
    """Return the key of an exchange's own id. Some name the call by it, not the event: each event counts for itself."""
    return f"id:{event}:{event_id}"


def _key_of(call: Call, reported: Reported) -> str:
    """Return what makes a report the same one: its id, else all that it says of this call.

    A line may go silent many times: without id and moment such reports are told apart by what they follow.
    """
    if reported.event_id:
        return _own_key(reported.event, reported.event_id)
    said = asdict(reported) | {"call": call.pk, "line_dead_at": None}
    if reported.event in ("line_dead", "line_alive") and reported.at is None:
        said["line_dead_at"] = [call.line_dead_at, LineReport.objects.filter(call=call).count()]
    return hashlib.sha256(json.dumps(said, default=str, sort_keys=True).encode()).hexdigest()


def _moment(call: Call, reported: Reported, at: datetime) -> datetime:
    begun = call.dialled_at or call.started_at
    if reported.event == "hung_up":
        begun = call.answered_at or begun
    if reported.at is None or not begun <= reported.at <= at + AHEAD:
        return at
    return min(reported.at, at)


#: What became of a report, and what was known instead where it says otherwise.
Taken = tuple[ReportStanding, str]


def _take(call: Call, reported: Reported, *, by: User, at: datetime) -> Taken:
    match reported.event:
        case "ringing":
            return _ringing(call, reported, by=by, at=at)
        case "answered":
            return _answered(call, reported, by=by, at=at)
        case "not_reached":
            return _not_reached(call, reported, by=by, at=at)
        case "hung_up":
            return _hung_up(call, reported, by=by, at=at)
    if call.state not in ON_LINE:
        return ReportStanding.LATE, ""
    line.record_line_dead(call=call, by=by, at=at, dead=reported.event == "line_dead")
    return ReportStanding.DONE, ""


def _ringing(call: Call, reported: Reported, *, by: User, at: datetime) -> Taken:
    if call.state != CallState.DIALLING:
        return ReportStanding.LATE, ""
    if call.events.filter(kind=CallEventKind.RINGING).exists():
        return ReportStanding.ALREADY, ""
    line.record_ringing(call=call, by=by, at=at, evidence=reported.evidence)
    return ReportStanding.DONE, ""


def _answered(call: Call, reported: Reported, *, by: User, at: datetime) -> Taken:
    if call.state == CallState.DIALLING:
        line.record_answer(call=call, by=by, at=at, evidence=reported.evidence)
        return ReportStanding.DONE, ""
    if call.answered_at is not None:
        return (ReportStanding.ALREADY if call.state in ON_LINE else ReportStanding.LATE), ""
    # To the exchange a machine answers too.
    return (ReportStanding.LATE, "") if call.cause in MACHINE_CAUSES else _against(str(call.cause))


def _not_reached(call: Call, reported: Reported, *, by: User, at: datetime) -> Taken:
    possible = refusal("not_reached", facts_of(call, at)) is None
    if possible and (call.state == CallState.DIALLING or reported.cause in MACHINE_CAUSES):
        signals = {"sip_status": reported.sip_status, "q850": reported.q850}
        line.record_not_reached(
            call=call, cause=reported.cause, by=by, at=at, evidence=reported.evidence, **signals
        )
        return ReportStanding.DONE, ""
    if call.ended_at is None and call.state not in ON_LINE:
        return (ReportStanding.ALREADY, "") if call.cause == reported.cause else _against(str(call.cause))
    return _against("answered")


def _hung_up(call: Call, reported: Reported, *, by: User, at: datetime) -> Taken:
    if call.state == CallState.DIALLING or call.state in ON_LINE:
        line.record_hang_up(
            call=call,
            hung_up_by=reported.by,
            evidence=reported.evidence,
            by=by,
            at=at,
            sip_status=reported.sip_status,
            q850=reported.q850,
        )
        return ReportStanding.DONE, ""
    if call.ended_at is None:
        return ReportStanding.ALREADY, ""
    known = str(call.hung_up_by)
    if WEIGHT[call.evidence] >= WEIGHT[reported.evidence]:
        return (ReportStanding.ALREADY, "") if known == reported.by else _against(known)
    return _outranked(call, reported, known, by=by, at=at)


def _outranked(call: Call, reported: Reported, known: str, *, by: User, at: datetime) -> Taken:
    """Let the exchange say who ended the call. What was declared stays in the history; an early end is reviewed."""
    save(call, hung_up_by=reported.by, evidence=reported.evidence)
    if known == reported.by:
        return ReportStanding.CONFIRMS, ""
    if reported.by == HungUpBy.AGENT and not _was_allowed(call):
        kind = call.closing_kind or ClosingKind.ORDINARY
        left = [str(step) for step in steps_left(kind, [said.step for said in said_sentences(call)])]
        line.report_hang_up(call, left, by=by, at=at, declared=known)
    return (ReportStanding.COMPLETES, known) if known == HungUpBy.UNKNOWN else _against(known)


def _was_allowed(call: Call) -> bool:
    """Whether the agent might hang up when the call ended: by what was so then, not by what was stored since."""
    assert call.ended_at is not None
    facts = line_facts(call)
    objected = facts.objected and call.dispositions.filter(at__lte=call.ended_at).exists()
    return may_hang_up(replace(facts, state=CallState.CLOSING, objected=objected), call.ended_at)


def _against(known: str) -> Taken:
    return ReportStanding.CONTRADICTS, known


def _keep(
    call: Call, reported: Reported, standing: ReportStanding, known: str, *, by: User, at: datetime
) -> None:
    """Write the report into the history of the call and of its prospect, with what was known instead."""
    told = {"reported": reported.event, "standing": str(standing), "known": known, **reported.codes()}
    if reported.at is not None:
        told["said_at"] = reported.at.isoformat()
    tell(call, CallEventKind.LINE_REPORT, by=by, at=at, data=told)
