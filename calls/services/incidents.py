"""What a supervisor decides on an incident, once, and what follows; a fiche that gets another number."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from calls.enums import CallEventKind, CallState, Cause, Decision, Evidence, HungUpBy, StartedBy
from calls.models import Call, CallDisposition, Incident, IncidentDecision
from calls.rules.decisions import DECISIONS_OF, NEEDS_REASON, is_for_managers
from calls.rules.transitions import ON_LINE
from calls.selectors.bars import covering_exclusion
from calls.selectors.choosing import choice_of
from calls.services.bans import ban_by_decision
from calls.services.conclude import conclude
from calls.services.dispositions import correct_disposition, finish
from calls.services.effects import run_effects
from calls.services.errors import Forbidden, Invalid, InvalidTransition, ProspectExcluded, domain_errors
from calls.services.held import (
    held,
    line,
    lock_numbers,
    numbers_of,
    require_manager,
    require_supervisor,
    save,
    tell,
)
from campaigns.enums import EntryState, ExclusionReason
from campaigns.models import Campaign, Exclusion, ListEntry
from campaigns.services.exclusions import lift_exclusion, lift_exclusions
from crm.enums import EventKind
from crm.models import Prospect, ProspectEvent, ProspectNumber, User
from crm.rules.phones import normalise

#: How a call is told whose agent left it on the line and nobody knows how it ended.
LEFT_OPEN = "technical"


def decide(
    *,
    incident: Incident,
    decision: str,
    reason: str,
    by: User,
    at: datetime,
    code: str = "",
    note: str = "",
    callback_at: datetime | None = None,
    callback_exact: bool = False,
    number: str = "",
    started_by: str = "",
) -> IncidentDecision:
    """Store what was decided on an incident (`calls.enums.Decision`) and do it; the same decision twice is one.

    `correct` needs the new disposition's `code` (with its note or callback), `close_call` takes one, `reopen` needs
    the new `number` in any spelling; `started_by` keeps who was rude first (`calls.enums.StartedBy`). A ban is asked
    for, and granted where `by` may. Raises Forbidden (supervisors decide; a re-sourcing and a rule are the manager's),
    Invalid for what does not fit or is missing, InvalidTransition when something else was decided already.
    """
    require_supervisor(by)
    reason = reason.strip()[:500]
    _check(incident, decision, reason, code, number, by)
    if started_by and started_by not in StartedBy.values:
        raise Invalid.field("started_by", _("Réponse inconnue."))
    with domain_errors(), transaction.atomic():
        earlier = _earlier(incident)
        if earlier is not None:
            if earlier.decision == decision and _gives(incident, code):
                return earlier
            raise InvalidTransition(_("Cet incident est déjà décidé."))
        _do(incident, decision, reason, code, note, (callback_at, callback_exact), number, by=by, at=at)
        row = IncidentDecision.objects.create(
            incident=incident, decision=decision, reason=reason, started_by=started_by, at=at, by=by
        )
        _tell(incident, decision, reason, by=by, at=at)
        return row


def resource(
    *, prospect: Prospect, campaign: Campaign, number: str, reason: str, by: User, at: datetime
) -> ListEntry:
    """Reopen a fiche whose number reached somebody else, on another number: a manager's decision, with its reason.

    The new number (any spelling) is put first on the fiche; the bars on the person in this programme are lifted,
    those on numbers stay. Returns its entry, ready. Raises Forbidden, Invalid, ProspectExcluded when the new number
    is barred too.
    """
    require_manager(by)
    reason = reason.strip()
    if not reason:
        raise Invalid.field("reason", _("Dites pourquoi en quelques mots."))
    read = normalise(number)
    if not read.numbers:
        raise Invalid.field("number", _("Ce n'est pas un numéro que l'on peut appeler."))
    parsed = read.numbers[0]
    with domain_errors(), transaction.atomic():
        lock_numbers([parsed.number, *numbers_of(prospect.pk)], [prospect.pk])
        if Call.objects.open().filter(prospect=prospect).exists():
            raise InvalidTransition(_("Cette fiche est chez un agent."))
        bars = Exclusion.objects.active().filter(prospect=prospect, reason__in=_RESOURCED)
        if lifted := list(bars.filter(programme=campaign.programme_id)):
            lift_exclusions(exclusions=lifted, reason=reason[:300], by=by, at=at)
        _put_first(prospect, parsed.number, parsed.kind, parsed.validity, number)
        _refuse_barred(parsed.number, prospect, campaign)
        entry = ListEntry.objects.select_for_update().filter(campaign=campaign, prospect=prospect).first()
        if entry is None:
            raise Invalid.field("campaign", _("Cette fiche n'est pas dans cette campagne."))
        ListEntry.objects.filter(pk=entry.pk).update(
            state=EntryState.READY,
            number=parsed.number,
            due_at=at,
            excluded_by=None,
            verdict_gate="",
            verdict_reason="",
            verdict_until=None,
            updated_at=at,
        )
        ProspectEvent.objects.create(
            prospect=prospect,
            sponsor_id=campaign.programme.sponsor_id,
            at=at,
            by=by,
            kind=EventKind.RESOURCED,
            data={"campaign": campaign.pk, "number": parsed.number, "reason": reason},
        )
        entry.refresh_from_db()
        return entry


#: Bars on a person that another number can answer: the number was wrong, not the person unwilling.
_RESOURCED = (ExclusionReason.OUT_OF_CRITERIA, ExclusionReason.WRONG_NUMBER, ExclusionReason.INVALID)


def close_call(*, call: Call, reason: str, by: User, at: datetime, code: str = "") -> Call:
    """End, as a supervisor, a call that its agent left open; the line is taken for dead, nobody knows who hung up.

    A call whose disposition is not known gets `code`, by default the technical one. A finished call stays as it is.
    """
    require_supervisor(by)
    with held(call, by=by, bars="exclusive") as current:
        if not current.is_open:
            return current
        if current.state == CallState.CLAIMED:
            raise InvalidTransition(_("Cette fiche n'a pas encore été appelée."))
        if current.state == CallState.DIALLING:
            save(current, state=CallState.NOT_REACHED, cause=Cause.TECHNICAL)
            tell(current, CallEventKind.NOT_REACHED, by=by, at=at, data={"cause": str(Cause.TECHNICAL)})
        elif current.state in ON_LINE:
            save(
                current,
                state=CallState.ENDED,
                ended_at=at,
                hung_up_by=HungUpBy.UNKNOWN,
                evidence=Evidence.DECLARED,
            )
            data = {"by": str(HungUpBy.UNKNOWN), "evidence": str(Evidence.DECLARED), "reason": reason}
            tell(current, CallEventKind.HUNG_UP, by=by, at=at, data=data)
        if current.disposition_id is None and (code or current.state == CallState.ENDED):
            _qualify(current, code or LEFT_OPEN, reason, by=by, at=at)
        return finish(call=current, by=by, at=at)


def _qualify(call: Call, code: str, reason: str, *, by: User, at: datetime) -> None:
    choice = choice_of(call, code)
    if choice is None or choice.disposition.by_mismatch_only or choice.disposition.requires_callback:
        raise Invalid.field("code", _("Cette qualification ne convient pas à un appel clos d'office."))
    disposition = choice.disposition
    told = line(CallEventKind.DISPOSITION, {"code": code, "label": disposition.label, "note": reason})
    follows = run_effects(call, choice, None, note=reason, by=by, at=at)
    row = CallDisposition(call=call, disposition=disposition, note=reason)
    conclude(call, replace(follows, lines=[told, *follows.lines]), by=by, at=at, disposition=row)


def _check(incident: Incident, decision: str, reason: str, code: str, number: str, by: User) -> None:
    if decision not in DECISIONS_OF[incident.kind]:
        raise Invalid.field("decision", _("Cette décision ne convient pas à cet incident."))
    if is_for_managers(incident.kind, decision) and not by.is_managing:
        raise Forbidden
    if decision in NEEDS_REASON and not reason:
        raise Invalid.field("reason", _("Dites pourquoi en quelques mots."))
    if decision == Decision.CORRECT and not code:
        raise Invalid.field("code", _("Choisissez la bonne qualification."))
    if decision == Decision.REOPEN and not number.strip():
        raise Invalid.field("number", _("Donnez l'autre numéro."))


def _gives(incident: Incident, code: str) -> bool:
    """Whether the incident's call has the disposition that was named, if one was: another is another decision."""
    if not code or incident.call_id is None:
        return True
    return Call.objects.filter(pk=incident.call_id, disposition__code=code).exists()


def _earlier(incident: Incident) -> IncidentDecision | None:
    """Return what was decided, taking turns with another supervisor."""
    list(Incident.objects.select_for_update(no_key=True).filter(pk=incident.pk).values_list("pk"))
    return IncidentDecision.objects.filter(incident=incident).first()


def _do(
    incident: Incident,
    decision: str,
    reason: str,
    code: str,
    note: str,
    promised: tuple[datetime | None, bool],
    number: str,
    *,
    by: User,
    at: datetime,
) -> None:
    match decision:
        case Decision.ALLOW_OTHERS if incident.exclusion is not None:
            if incident.exclusion.lifted_at is None:
                lift_exclusion(exclusion=incident.exclusion, reason=reason[:300], by=by, at=at)
        case Decision.CORRECT if incident.call is not None:
            correct_disposition(
                call=incident.call,
                code=code,
                reason=reason,
                note=note,
                callback_at=promised[0],
                exact=promised[1],
                by=by,
                at=at,
            )
        case Decision.CLOSE_CALL if incident.call is not None:
            close_call(call=incident.call, reason=reason, code=code, by=by, at=at)
        case Decision.REOPEN if incident.prospect is not None and incident.call is not None:
            resource(
                prospect=incident.prospect,
                campaign=incident.call.campaign,
                number=number,
                reason=reason,
                by=by,
                at=at,
            )
        case Decision.BAN:
            ban_by_decision(incident=incident, reason=reason, by=by, at=at)


def _tell(incident: Incident, decision: str, reason: str, *, by: User, at: datetime) -> None:
    if incident.prospect_id is not None:
        ProspectEvent.objects.create(
            prospect_id=incident.prospect_id,
            sponsor_id=incident.sponsor_id,
            at=at,
            by=by,
            kind=EventKind.INCIDENT,
            call_ref=incident.call_id,
            data={"incident": incident.pk, "kind": incident.kind, "decision": decision, "reason": reason},
        )


def _put_first(prospect: Prospect, number: str, kind: str, validity: str, raw: str) -> None:
    """Put a number first on the fiche, adding it when it is new."""
    phones = list(ProspectNumber.objects.filter(prospect=prospect).order_by("position", "id"))
    first = next((phone for phone in phones if phone.number == number), None)
    if first is None:
        first = ProspectNumber(prospect=prospect, number=number, raw=raw[:200], kind=kind, validity=validity)
    for position, phone in enumerate([first, *(phone for phone in phones if phone.number != number)]):
        phone.position = position
        phone.save()


def _refuse_barred(number: str, prospect: Prospect, campaign: Campaign) -> None:
    bar = covering_exclusion(number, prospect.pk, campaign.pk)
    if bar is not None:
        raise ProspectExcluded(bar)
