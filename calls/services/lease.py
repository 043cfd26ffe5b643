"""The reservation of a prospect: renewed by the open screen, given back, or expired."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from calls.enums import CallEventKind, CallState, IncidentKind
from calls.models import Call, Incident
from calls.selectors.call_screen import READ_WITH
from calls.selectors.facts import is_settled
from calls.services.dispositions import finish
from calls.services.errors import Invalid, InvalidTransition
from calls.services.held import fiche_lease, held, lock_entry, require_verb, save, talk_lease, tell
from campaigns.enums import EntryState
from campaigns.models import ListEntry
from crm.models import User

#: A callback that was given back waits a little, or it would come back to the same agent at once.
CALLBACK_RETURNS_AFTER = timedelta(minutes=5)


def renew_lease(*, call: Call, by: User, at: datetime) -> Call:
    """Renew the reservation: `lease_seconds` before somebody answers, `talk_lease_seconds` from then on.

    Raises InvalidTransition when the call is no longer open.
    """
    with held(call, by=by) as current:
        if not current.is_open:
            raise InvalidTransition(_("Cette fiche n'est plus à vous."), extra={"state": current.state})
        waiting = current.state in (CallState.CLAIMED, CallState.DIALLING)
        lease = fiche_lease(current.campaign, at) if waiting else talk_lease(current, at)
        return save(current, lease_until=max(lease, current.lease_until))


def release_call(*, call: Call, reason: str, by: User, at: datetime) -> Call:
    """Give a claimed prospect back to its list, with the reason (required, 200 characters).

    The entry returns to the state it was taken in, behind those that are due. Again: the same call, unchanged.
    Raises ClosingRequired while somebody is on the line, InvalidTransition otherwise.
    """
    reason = reason.strip()
    with held(call, by=by) as current:
        if current.state == CallState.RELEASED:
            return current
        require_verb("release", current, at)
        if not reason:
            raise Invalid.field("reason", _("Dites pourquoi en quelques mots."))
        return _give_back(current, CallEventKind.RELEASED, reason[:200], by=by, at=at, due_at=at)


def expire_leases(*, at: datetime) -> int:
    """Deal with every open call whose lease ended before `at`; returns how many. Safe to run at any moment.

    A claimed prospect goes back to its list. A call that only lacked its confirmation is finished. Any other one stays
    its agent's and is put on the supervisor's list, once: somebody may still be on the line.
    """
    late = list(
        Call.objects.open()
        .filter(lease_until__lt=at)
        .exclude(state__in=_LATE_BUT_TOLD, incidents__kind=IncidentKind.EXPIRED_CALL)
        .order_by("id")
        .values_list("pk", flat=True)
    )
    return sum(_expire(pk, at) for pk in late)


#: States whose expiry is told once; after that the supervisor decides.
_LATE_BUT_TOLD = (
    CallState.DIALLING,
    CallState.CONNECTED,
    CallState.CLOSING,
    CallState.ENDED,
    CallState.NOT_REACHED,
)


def _expire(pk: int, at: datetime) -> bool:
    with transaction.atomic():
        call = (
            Call.objects.open()
            .select_for_update(of=("self",), skip_locked=True)
            .select_related(*READ_WITH)
            .filter(pk=pk, lease_until__lt=at)
            .first()
        )
        if call is None:
            return False
        if call.state == CallState.CLAIMED:
            _give_back(call, CallEventKind.EXPIRED, "lease", by=None, at=at, due_at=None)
            return True
        if not is_settled(call):
            return _report_expiry(call, at)
    finish(call=call, by=call.agent, at=at)
    return True


def _report_expiry(call: Call, at: datetime) -> bool:
    _incident, created = Incident.objects.get_or_create(
        call=call,
        kind=IncidentKind.EXPIRED_CALL,
        defaults={
            "sponsor_id": call.campaign.programme.sponsor_id,
            "prospect_id": call.prospect_id,
            "data": {"state": call.state},
            "at": at,
        },
    )
    if created:
        tell(call, CallEventKind.EXPIRED, by=None, at=at, data={"state": call.state})
    return created


def _give_back(
    call: Call, kind: CallEventKind, reason: str, *, by: User | None, at: datetime, due_at: datetime | None
) -> Call:
    entry = lock_entry(call)
    if entry is not None and entry.state == EntryState.CLAIMED:
        state = call.entry_was or EntryState.READY
        changes = {"state": state, "updated_at": at}
        if due_at is not None:
            later = CALLBACK_RETURNS_AFTER if state == EntryState.CALLBACK else timedelta()
            changes["due_at"] = due_at + later
        ListEntry.objects.filter(pk=entry.pk).update(**changes)
    save(call, state=CallState.RELEASED, release_reason=reason, done_at=at)
    tell(call, kind, by=by, at=at, data={"reason": reason})
    return call
