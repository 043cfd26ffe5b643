"""What becomes of agreed callbacks: given to somebody else, cancelled, and never lost because somebody is not there."""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from calls.enums import CallbackState
from calls.models import Callback, Reminder
from calls.services.errors import Forbidden, Invalid, InvalidTransition, domain_errors
from campaigns.enums import EntryState
from campaigns.models import ListEntry
from crm.enums import CALLING, EventKind
from crm.models import ProspectEvent, User
from crm.selectors.scopes import sees_every_sponsor, sponsors_of

#: Callbacks that fell due at least `after` ago and whose agent did nothing for as long, and those of agents who are no
#: longer in service: entry, callback and history in one statement. Entries come first and in order, as for every writer
#: of callbacks; one that somebody holds at this moment is met by the next run.
RELEASE = """
WITH gone AS MATERIALIZED (
    SELECT b.id, b.entry_id, b.owner_id, b.prospect_id, b.campaign_id, b.due_at, p.sponsor_id
      FROM calls_callback b
      JOIN campaigns_listentry e ON e.id = b.entry_id
      JOIN campaigns_campaign g ON g.id = b.campaign_id
      JOIN campaigns_programme p ON p.id = g.programme_id
      JOIN crm_user u ON u.id = b.owner_id
      LEFT JOIN calls_workplace w ON w.agent_id = u.id
     WHERE b.state = 'open' AND e.state = 'callback'
       AND (NOT u.is_active OR u.role <> ALL (%(calling)s) OR (
            b.due_at <= %(since)s AND (w.seen_at IS NULL OR w.seen_at <= %(since)s)
            AND NOT EXISTS (SELECT FROM calls_call c WHERE c.agent_id = u.id AND (
                    c.started_at > %(since)s OR c.done_at > %(since)s
                    OR (c.state NOT IN ('done', 'released') AND c.lease_until > %(since)s)))
            AND NOT EXISTS (SELECT FROM calls_pause s WHERE s.agent_id = u.id
                             AND (s.started_at > %(since)s OR s.ended_at > %(since)s))))
     ORDER BY e.id FOR UPDATE OF e SKIP LOCKED
), entries AS (
    UPDATE campaigns_listentry e SET owner_id = NULL, updated_at = %(at)s
      FROM gone WHERE e.id = gone.entry_id
), freed AS (
    UPDATE calls_callback b SET owner_id = NULL, released_at = %(at)s, released_from_id = gone.owner_id
      FROM gone WHERE b.id = gone.id AND b.state = 'open'
    RETURNING b.id
)
INSERT INTO crm_prospectevent (prospect_id, sponsor_id, at, kind, data)
SELECT gone.prospect_id, gone.sponsor_id, %(at)s, 'callback',
       jsonb_build_object('event', 'released', 'callback', gone.id, 'campaign', gone.campaign_id, 'due_at', gone.due_at)
  FROM gone JOIN freed ON freed.id = gone.id ORDER BY gone.id
"""


def release_callbacks(*, at: datetime, after: timedelta) -> int:
    """Give to whoever is free the callbacks whose agent is absent or gone; returns how many. Safe at any moment.

    Absent: no call, no pause and no touch of the desk for `after`, and the callback due for as long. The time that the
    person agreed to stays.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(RELEASE, {"at": at, "since": at - after, "calling": sorted(map(str, CALLING))})
        released: int = cursor.rowcount
        return released


def reassign_callback(*, callback: Callback, to: User | None, by: User, at: datetime) -> Callback:
    """Give an open callback to an agent, or (null) to whoever is free.

    Its own agent may do the latter, supervisors both. The same again changes nothing. Raises
    Forbidden, Invalid for somebody who cannot hold it, InvalidTransition when it is no longer open or its call began.
    """
    with domain_errors(), transaction.atomic():
        current = _hold(callback, by)
        if to is not None and not by.is_supervising:
            raise Forbidden
        if current.owner_id == (to.pk if to else None):
            return current
        if to is not None:
            _check_owner(current, to)
        ListEntry.objects.filter(pk=current.entry_id).update(owner=to, updated_at=at)
        current.owner = to
        current.save(update_fields=["owner"])
        _tell(current, "reassigned", {"owner": to.pk if to else None}, by=by, at=at)
        return current


def cancel_callback(*, callback: Callback, reason: str, by: User, at: datetime) -> Callback:
    """Cancel an open callback, with the reason (required, 300 characters); the prospect leaves the queue with it.

    Its own agent may, and supervisors. Again: unchanged. Raises Forbidden, Invalid, InvalidTransition.
    """
    reason = reason.strip()[:300]
    with domain_errors(), transaction.atomic():
        if callback.state == CallbackState.CANCELLED:
            return callback
        current = _hold(callback, by)
        if not reason:
            raise Invalid.field("reason", _("Dites pourquoi en quelques mots."))
        ListEntry.objects.filter(pk=current.entry_id).update(
            state=EntryState.DONE, owner=None, exact=False, updated_at=at
        )
        current.state, current.closed_at, current.cancel_reason = CallbackState.CANCELLED, at, reason
        current.save(update_fields=["state", "closed_at", "cancel_reason"])
        _tell(current, "cancelled", {"reason": reason}, by=by, at=at)
        return current


def finish_reminder(*, reminder: Reminder, by: User, at: datetime) -> None:
    """Note that somebody saw to a wish. Again: who came first stays."""
    if reminder.owner_id != by.pk and not by.is_supervising:
        raise Forbidden
    Reminder.objects.filter(pk=reminder.pk, done_at=None).update(done_at=at, done_by=by)


def _hold(callback: Callback, by: User) -> Callback:
    """Lock the entry, then the callback, and return it read anew; it stands, and nobody is calling it."""
    entry = ListEntry.objects.select_for_update(no_key=True).get(pk=callback.entry_id)
    current = (
        Callback.objects.select_for_update(of=("self",))
        .select_related("campaign__programme")
        .get(pk=callback.pk)
    )
    if current.owner_id != by.pk and not by.is_supervising:
        raise Forbidden
    if current.state != CallbackState.OPEN:
        raise InvalidTransition(_("Ce rappel n'est plus prévu."))
    if entry.state != EntryState.CALLBACK:
        raise InvalidTransition(_("Un agent est sur ce rappel en ce moment."))
    return current


def _check_owner(callback: Callback, to: User) -> None:
    """Refuse an agent who could not be served the callback: out of service, behind a wall, of another language."""
    sponsor = callback.campaign.programme.sponsor_id
    sees = sees_every_sponsor(to) or sponsors_of(to).filter(pk=sponsor).exists()
    spoken = ("", callback.campaign.language, *to.languages)
    if not (to.is_active and to.is_calling and sees):
        raise Invalid.field("owner", _("Cet agent ne peut pas rappeler pour cette campagne."))
    if ListEntry.objects.exclude(language__in=spoken).filter(pk=callback.entry_id).exists():
        raise Invalid.field("owner", _("Cet agent ne parle pas la langue de cette personne."))


def _tell(callback: Callback, event: str, data: dict[str, object], *, by: User, at: datetime) -> None:
    ProspectEvent.objects.create(
        prospect_id=callback.prospect_id,
        sponsor_id=callback.campaign.programme.sponsor_id,
        at=at,
        by=by,
        kind=EventKind.CALLBACK,
        data={
            "event": event,
            "callback": callback.pk,
            "campaign": callback.campaign_id,
            "due_at": callback.due_at.isoformat(),
            **data,
        },
    )
