"""Placing the call: the gate once more, then the number. By hand, through the same gate as the queue."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists
from django.utils.translation import gettext_lazy as _

from calls.enums import CallEventKind, CallState, Mode
from calls.models import Call, Pause
from calls.services.dispositions import finish_or_refuse
from calls.services.errors import (
    DomainError,
    Forbidden,
    Invalid,
    InvalidTransition,
    NotCallable,
    NotFound,
    ProspectExcluded,
    domain_errors,
)
from calls.services.held import (
    fiche_lease,
    held,
    line,
    lock_entry,
    require_verb,
    save,
    tell,
    tell_prospect,
    told,
)
from campaigns.enums import EntryState, Gate
from campaigns.models import Attempt, Campaign, ListEntry
from campaigns.rules.gate import Verdict, describe, local_date
from campaigns.selectors.gate import verdict
from campaigns.services.entries import add_prospects
from campaigns.services.queue import store_refusals
from crm.enums import EventKind
from crm.models import Prospect, ProspectEvent, User
from crm.rules.phones import normalise, time_zone_for


def dial(*, call: Call, by: User, at: datetime) -> Call:
    """Enter `dialling`, if the gate still lets this number through; the attempt is written into the ledger.

    Dialled twice is dialled once. What the gate refuses by now is released and its verdict stored, then raised:
    ProspectExcluded or NotCallable (`verdict`). Raises InvalidTransition in any other state.
    """
    with held(call, by=by, bars="shared") as current:
        if current.state == CallState.DIALLING:
            return current
        require_verb("dial", current, at)
        exact = current.entry.exact if current.entry else False
        found = verdict(
            campaign=current.campaign, prospect=current.prospect, number=current.number, at=at, exact=exact
        )
        if found.allowed:
            return _place(current, by=by, at=at)
        _turn_away(current, found, by=by, at=at)
    raise refusal_of(found)


def dial_manually(
    *,
    campaign: Campaign,
    by: User,
    at: datetime,
    prospect: Prospect | None = None,
    number: str | None = None,
    at_once: bool = False,
) -> Call:
    """Open a call to a prospect and/or a number (any spelling) outside the queue, through the same gate.

    It opens as `claimed`; `at_once` dials it in the same step. A number that one fiche of the campaign carries is that
    fiche's; else the call has neither fiche nor entry, and every criterion is to be asked. A refusal is stored on the
    entry and the timeline, then raised: ProspectExcluded or NotCallable. Raises Invalid for an unreadable number,
    NotFound for a fiche of another sponsor, OpenCallExists, InvalidTransition in a pause.
    """
    _check_free(by, at)
    parsed = _read_number(number) if number else ""
    if prospect is None and not parsed:
        raise Invalid.field("number", _("Donnez un numéro ou une fiche."))
    prospect = prospect or _fiche_of(campaign, parsed)
    _check_sponsor(campaign, prospect)
    with domain_errors(), transaction.atomic():
        chosen = _share_chosen(campaign, prospect, parsed)
        entry = _lock_entry(campaign, prospect)
        exact = entry is not None and _is_agreed(entry, at)
        found = verdict(campaign=campaign, prospect=prospect, number=chosen or None, at=at, exact=exact)
        if found.allowed:
            if entry is None and prospect is not None:
                entry = _add_entry(campaign, prospect, by=by, at=at)
            call = _open(campaign, prospect, entry, chosen, by=by, at=at)
            return _place(call, by=by, at=at) if at_once else call
        _store_refusal(campaign, prospect, found, by=by, at=at)
    raise refusal_of(found)


def refusal_of(found: Verdict) -> DomainError:
    """Return the refusal that a verdict of the gate stands for, with its sentence."""
    message = describe(found)
    if found.gate == Gate.EXCLUSION:
        return ProspectExcluded(found.data.get("exclusion"), message)
    until = found.until.isoformat() if found.until else None
    extra = {"gate": str(found.gate), "reason": found.reason, "until": until}
    return NotCallable(found, message, extra=extra)


def _place(call: Call, *, by: User, at: datetime) -> Call:
    save(call, state=CallState.DIALLING, dialled_at=at, lease_until=fiche_lease(call.campaign, at))
    zone = _zone_of(call)
    Attempt.objects.create(
        campaign=call.campaign,
        sponsor_id=call.campaign.programme.sponsor_id,
        prospect_id=call.prospect_id,
        number=call.number,
        at=at,
        local_date=local_date(at, zone),
        call_ref=call.pk,
    )
    tell(call, CallEventKind.DIALLED, by=by, at=at, data={"number": call.number, "mode": call.mode})
    return call


def _zone_of(call: Call) -> str:
    if call.entry is not None and call.entry.time_zone:
        return call.entry.time_zone
    prospect = call.prospect
    if prospect is None:
        return time_zone_for(call.number)
    return prospect.time_zone or time_zone_for(call.number, prospect.postal_code, prospect.country)


def _turn_away(call: Call, found: Verdict, *, by: User, at: datetime) -> None:
    """Give back a claimed prospect that the gate refuses by now; its entry goes where the verdict says."""
    entry = lock_entry(call)
    if entry is not None and entry.state == EntryState.CLAIMED:
        ListEntry.objects.filter(pk=entry.pk).update(state=call.entry_was or EntryState.READY, updated_at=at)
        store_refusals(refusals={entry.pk: found}, at=at)
    save(call, state=CallState.RELEASED, release_reason=f"{found.gate}: {found.reason}"[:200], done_at=at)
    data = {"gate": str(found.gate), "reason": found.reason}
    tell(call, CallEventKind.RELEASED, by=by, at=at, data=data)
    tell_prospect(call, EventKind.REFUSED, by=by, at=at, data=data)


def _store_refusal(
    campaign: Campaign, prospect: Prospect | None, found: Verdict, *, by: User, at: datetime
) -> None:
    """Keep a refused manual call readable: on the entry, if there is one, and on the timeline."""
    if prospect is None:
        return
    ListEntry.objects.filter(campaign=campaign, prospect=prospect).exclude(state=EntryState.CLAIMED).update(
        verdict_gate=found.gate, verdict_reason=found.reason[:300], verdict_until=found.until, updated_at=at
    )
    ProspectEvent.objects.create(
        prospect=prospect,
        sponsor_id=campaign.programme.sponsor_id,
        at=at,
        by=by,
        kind=EventKind.REFUSED,
        data={
            "campaign": campaign.pk,
            "gate": str(found.gate),
            "reason": found.reason,
            "mode": str(Mode.MANUAL),
        },
    )


def _open(
    campaign: Campaign,
    prospect: Prospect | None,
    entry: ListEntry | None,
    number: str,
    *,
    by: User,
    at: datetime,
) -> Call:
    """Make the call, take its locked entry, and tell both histories. One statement."""
    if entry is not None and entry.state == EntryState.CLAIMED:
        raise InvalidTransition(_("Cette fiche est déjà chez un agent."))
    call = Call(
        campaign=campaign,
        prospect=prospect,
        entry=entry,
        number=number,
        agent=by,
        state=CallState.CLAIMED,
        mode=Mode.MANUAL,
        entry_was=entry.state if entry else "",
        language=(prospect.language if prospect else "") or campaign.language,
        lease_until=fiche_lease(campaign, at),
        started_at=at,
    )
    lines = [line(CallEventKind.CLAIMED, {"mode": str(Mode.MANUAL)})]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT courtois_open_by_hand(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                campaign.pk,
                call.prospect_id,
                call.entry_id,
                number,
                call.language,
                by.pk,
                at,
                call.lease_until,
                told(call, lines),
            ],
        )
        (call.pk,) = cursor.fetchone()
    call._state.adding = False
    call._state.db = "default"
    return call


def _share_chosen(campaign: Campaign, prospect: Prospect | None, number: str) -> str:
    """Take the shared locks of a dial; return the number to dial: the given one, else the prospect's, "" for none."""
    asked = {"prospect": prospect.pk if prospect else None, "number": number or None, "campaign": campaign.pk}
    with connection.cursor() as cursor:
        cursor.execute(SHARE_CHOSEN, asked)
        row: tuple[str | None] = cursor.fetchone()
    return row[0] or ""


#: All locks at once, in order: those that listing the prospect takes (on each of its numbers) and those of the guard of
#: the call. A bar that came while they were waited for is found by the gate.
SHARE_CHOSEN = """
    WITH shared AS MATERIALIZED (
        SELECT count(pg_advisory_xact_lock_shared(71, k)) FROM (
            SELECT DISTINCT k FROM (
                SELECT hashtext(%(number)s::text) & 1023 AS k
                UNION SELECT hashint8(%(prospect)s::bigint) & 1023
                UNION SELECT hashtext(n.number) & 1023 FROM crm_prospectnumber n WHERE n.prospect_id = %(prospect)s
                UNION SELECT hashint8(n.prospect_id) & 1023 FROM crm_prospectnumber n
                       WHERE %(prospect)s::bigint IS NULL AND n.number = %(number)s) q
             WHERE k IS NOT NULL ORDER BY k) s)
    SELECT coalesce(%(number)s::text, courtois_callable_number(%(prospect)s, %(campaign)s)) FROM shared
"""


def _lock_entry(campaign: Campaign, prospect: Prospect | None) -> ListEntry | None:
    if prospect is None:
        return None
    return ListEntry.objects.select_for_update().filter(campaign=campaign, prospect=prospect).first()


def _is_agreed(entry: ListEntry, at: datetime) -> bool:
    """Whether the person gave an exact time that has come, as `campaigns.selectors.gate.is_agreed` asks the list."""
    return entry.exact and entry.state == EntryState.CALLBACK and entry.due_at <= at


def _add_entry(campaign: Campaign, prospect: Prospect, *, by: User, at: datetime) -> ListEntry:
    """Queue a prospect that the campaign does not have: its calls are then told in one place."""
    add_prospects(campaign=campaign, prospects=[prospect], by=by, at=at)
    return ListEntry.objects.select_for_update().get(campaign=campaign, prospect=prospect)


def _check_free(by: User, at: datetime) -> None:
    if not by.is_calling:
        raise Forbidden
    pause = Pause.objects.filter(agent=by, ended_at__isnull=True)
    call: Any = Call.objects.open().filter(agent=by).annotate(paused=Exists(pause)).first()
    if call is not None:
        finish_or_refuse(call, by=by, at=at)
    if pause.exists() if call is None else call.paused:
        raise InvalidTransition(_("Vous êtes en pause : terminez-la d'abord."))


def _read_number(number: str) -> str:
    read = normalise(number)
    if not read.numbers:
        raise Invalid.field("number", _("Ce n'est pas un numéro que l'on peut appeler."))
    return read.numbers[0].number


def _fiche_of(campaign: Campaign, number: str) -> Prospect | None:
    """Return the one fiche of the campaign that carries the number; None when there is none, or several."""
    fiches = (
        Prospect.objects.with_number(number).select_related("source").filter(entries__campaign=campaign)[:2]
    )
    return fiches[0] if len(fiches) == 1 else None


def _check_sponsor(campaign: Campaign, prospect: Prospect | None) -> None:
    if prospect is not None and prospect.source.sponsor_id not in (None, campaign.programme.sponsor_id):
        raise NotFound
