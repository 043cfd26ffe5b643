"""A call that another system placed and put through to an agent: its screen opens here, whoever it reached."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from calls.enums import CallEventKind, CallState, IncidentKind, Mode
from calls.models import Call, CallEvent, Pause
from calls.selectors.bars import covering_exclusion
from calls.services.conclude import incident_of, report
from calls.services.dispositions import finish_settled
from calls.services.errors import Forbidden, InvalidTransition, domain_errors
from calls.services.held import line, share_bars, talk_lease, tell_all
from calls.services.inbound import check_seen, keep_callback, lock_free_entry
from campaigns.enums import EntryState
from campaigns.models import Attempt, Campaign, ListEntry
from campaigns.rules.gate import local_date
from crm.models import Prospect, User
from crm.rules.phones import time_zone_for


def take_external_call(
    *, campaign: Campaign, number: str, prospect: Prospect | None, by: User, at: datetime, ref: str = ""
) -> Call:
    """Open the call that another system put through; `number` is E.164, `prospect` a record that carries it.

    It begins as `connected`, counts as an attempt, and is never dialled by us. `ref` is the other system's own name of
    the call: the same one, or the same number while its call is open, is the same call. A bar on it does not close the
    screen on a person who is on the line: it becomes an incident, and the screen says so. Raises OpenCallExists,
    InvalidTransition in a pause or where somebody else is on the same number or person, NotFound outside the sponsors.
    """
    if not by.is_calling:
        raise Forbidden
    check_seen(campaign, number, prospect, by)
    if (same := _same(number, ref, by)) is not None:
        return same
    finish_settled(by=by, at=at)
    if Pause.objects.filter(agent=by, ended_at__isnull=True).exists():
        raise InvalidTransition(_("Vous êtes en pause : terminez-la d'abord."))
    with domain_errors(), transaction.atomic():
        share_bars(number, prospect.pk if prospect else None)
        bar = covering_exclusion(number, prospect.pk if prospect else None, campaign.pk)
        entry = lock_free_entry(campaign, prospect)
        call = _open(campaign, number, prospect, entry, by=by, at=at)
        lines = [line(CallEventKind.ANSWERED, {"mode": str(Mode.EXTERNAL), **({"ref": ref} if ref else {})})]
        if entry is not None:
            ListEntry.objects.filter(pk=entry.pk).update(state=EntryState.CLAIMED, updated_at=at)
            lines += keep_callback(entry, at)
        tell_all(call, lines, by=by, at=at)
        if bar is not None:
            kind = IncidentKind.BARRED_CALL
            report(incident_of(call, kind, by=by, at=at, data={"mode": call.mode}, exclusion=bar))
        return call


def _same(number: str, ref: str, by: User) -> Call | None:
    """Return the call that a second pop means, or None."""
    mine = Call.objects.filter(agent=by, number=number, mode=Mode.EXTERNAL)
    if ref:
        named = CallEvent.objects.filter(kind=CallEventKind.ANSWERED, data__ref=ref)
        known = mine.filter(pk__in=named.filter(call__in=mine).values("call")).first()
        if known is not None:
            return known
        mine = mine.exclude(
            pk__in=CallEvent.objects.filter(call__in=mine, data__has_key="ref").values("call")
        )
    return mine.open().first()


def _open(
    campaign: Campaign,
    number: str,
    prospect: Prospect | None,
    entry: ListEntry | None,
    *,
    by: User,
    at: datetime,
) -> Call:
    """Make the call and its attempt: the person was disturbed, whichever system dialled."""
    call = Call(
        campaign=campaign,
        prospect=prospect,
        entry=entry,
        number=number,
        agent=by,
        state=CallState.CONNECTED,
        mode=Mode.EXTERNAL,
        entry_was=entry.state if entry else "",
        language=(prospect.language if prospect else "") or campaign.language,
        started_at=at,
        dialled_at=at,
        answered_at=at,
    )
    call.lease_until = talk_lease(call, at)
    call.save()
    attempt: dict[str, Any] = {"sponsor_id": campaign.programme.sponsor_id, "prospect": prospect}
    zone = _zone(number, prospect)
    Attempt.objects.create(
        campaign=campaign, number=number, at=at, local_date=local_date(at, zone), call_ref=call.pk, **attempt
    )
    return call


def _zone(number: str, prospect: Prospect | None) -> str:
    if prospect is None:
        return time_zone_for(number)
    return prospect.time_zone or time_zone_for(number, prospect.postal_code, prospect.country)
