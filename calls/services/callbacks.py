"""Agreed callbacks: agreed outside a call, moved, given to somebody else, cancelled; never lost with their agent."""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from calls.enums import CallbackState, NotePlace
from calls.models import Callback, Reminder
from calls.selectors.agreeing import verdict_of_entry
from calls.selectors.bars import covering_exclusion
from calls.services.errors import (
    Forbidden,
    Invalid,
    InvalidTransition,
    NotCallable,
    ProspectExcluded,
    domain_errors,
)
from calls.services.held import share_bars
from calls.services.note_check import NoteNotNeutral, verdict_of
from campaigns.enums import CampaignStatus, EntryState
from campaigns.models import Campaign, ListEntry
from campaigns.rules.gate import sentence
from crm.enums import CALLING, EventKind, Role
from crm.models import Prospect, ProspectEvent, User
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


#: From where an entry may wait for a callback; `callback` itself has one already.
AGREEABLE = frozenset({EntryState.READY, EntryState.DONE, EntryState.CALLBACK})


def agree_callback(
    *,
    prospect: Prospect,
    campaign: Campaign,
    due_at: datetime,
    by: User,
    at: datetime,
    owner: User | None = None,
    exact: bool = False,
    note: str = "",
) -> Callback:
    """Agree a later call to a prospect of a campaign's list outside of any call; the same again is the one that stands.

    `due_at` (aware, later than `at`) outside the calling rules needs `exact`: the person gave that very time. `owner`
    null is whoever is free; `note` (500 characters) is checked as every note is. Supervisors and programs agree.
    Raises Forbidden, Invalid, ProspectExcluded, NotCallable for what the file or the caps refuse, InvalidTransition
    where an agent holds the record, another callback stands or the campaign is closed.
    """
    _require_agreeing(by)
    with domain_errors(), transaction.atomic():
        entry = _entry_to_call(prospect, campaign)
        if (standing := entry.callbacks.filter(state=CallbackState.OPEN).first()) is not None:
            return _same_or_refuse(standing, due_at, owner)
        _check_time(entry, due_at, exact, at)
        _check_owner(entry, owner)
        callback = Callback.objects.create(
            entry=entry,
            campaign=campaign,
            prospect=prospect,
            owner=owner,
            due_at=due_at,
            exact=exact,
            note=_neutral(note),
            created_by=by,
            created_at=at,
        )
        ListEntry.objects.filter(pk=entry.pk).update(
            state=EntryState.CALLBACK, due_at=due_at, owner=owner, exact=exact, updated_at=at
        )
        _tell(callback, "agreed", {"exact": exact}, by=by, at=at)
        return callback


def move_callback(*, callback: Callback, due_at: datetime, exact: bool, by: User, at: datetime) -> Callback:
    """Move an open callback to another time, under the rules of `agree_callback`. The same again changes nothing.

    Its own agent may, supervisors and programs. Raises Forbidden, Invalid, InvalidTransition.
    """
    with domain_errors(), transaction.atomic():
        current = _hold(callback, by)
        if (current.due_at, current.exact) == (due_at, exact):
            return current
        _check_time(current.entry, due_at, exact, at)
        ListEntry.objects.filter(pk=current.entry_id).update(due_at=due_at, exact=exact, updated_at=at)
        current.due_at, current.exact = due_at, exact
        current.save(update_fields=["due_at", "exact"])
        _tell(current, "moved", {"exact": exact}, by=by, at=at)
        return current


def reassign_callback(*, callback: Callback, to: User | None, by: User, at: datetime) -> Callback:
    """Give an open callback to an agent, or (null) to whoever is free.

    Its own agent may do the latter, supervisors and programs both. The same again changes nothing. Raises
    Forbidden, Invalid for somebody who cannot hold it, InvalidTransition when it is no longer open or its call began.
    """
    with domain_errors(), transaction.atomic():
        current = _hold(callback, by)
        if to is not None:
            _require_agreeing(by)
        if current.owner_id == (to.pk if to else None):
            return current
        _check_owner(current.entry, to)
        ListEntry.objects.filter(pk=current.entry_id).update(owner=to, updated_at=at)
        current.owner = to
        current.save(update_fields=["owner"])
        _tell(current, "reassigned", {"owner": to.pk if to else None}, by=by, at=at)
        return current


def cancel_callback(*, callback: Callback, reason: str, by: User, at: datetime) -> Callback:
    """Cancel an open callback, with the reason (required, 300 characters); the prospect leaves the queue with it.

    Its own agent may, supervisors and programs. Again: unchanged. Raises Forbidden, Invalid, InvalidTransition.
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


def _require_agreeing(by: User) -> None:
    """Raise Forbidden unless `by` may decide about everybody's callbacks."""
    if not by.is_supervising and by.role != Role.INTEGRATION:
        raise Forbidden


def _entry_to_call(prospect: Prospect, campaign: Campaign) -> ListEntry:
    """Lock the bars of a prospect, then its entry; return it, where it may wait for a callback."""
    if campaign.status == CampaignStatus.CLOSED:
        raise InvalidTransition(_("La campagne est terminée."))
    known = ListEntry.objects.filter(campaign=campaign, prospect=prospect)
    share_bars(known.values_list("number", flat=True).first() or "", prospect.pk)
    rows = known.select_for_update(of=("self",)).select_related("campaign__programme", "prospect")
    entry = rows.first()
    if entry is None:
        raise Invalid.field("prospect", _("Cette fiche n'est pas dans cette campagne."))
    bar = covering_exclusion(entry.number, prospect.pk, campaign.pk)
    if bar is not None or entry.state == EntryState.EXCLUDED:
        raise ProspectExcluded(bar or entry.excluded_by_id)
    if entry.state == EntryState.CLAIMED:
        raise InvalidTransition(_("Cette fiche est chez un agent."))
    if entry.state not in AGREEABLE or not entry.number:
        gate, reason = entry.verdict_gate, entry.verdict_reason
        raise NotCallable(message=sentence(gate, reason) if gate else None, extra={"state": entry.state})
    return entry


def _same_or_refuse(standing: Callback, due_at: datetime, owner: User | None) -> Callback:
    if standing.due_at == due_at and standing.owner_id == (owner.pk if owner else None):
        return standing
    raise InvalidTransition(_("Un rappel est déjà prévu pour cette fiche."), extra={"callback": standing.pk})


def _check_time(entry: ListEntry, due_at: datetime, exact: bool, at: datetime) -> None:
    """Refuse a time that is past, or outside the calling rules where the person did not give it."""
    if due_at <= at:
        raise Invalid.field("due_at", _("L'heure du rappel est passée."))
    verdict = verdict_of_entry(entry, due_at)
    if not exact and not verdict.allowed:
        raise Invalid.field(
            "due_at",
            _("%(why)s Seule une heure exacte, donnée par la personne, est acceptée.")
            % {"why": sentence(verdict.gate, verdict.reason)},
        )


def _neutral(note: str) -> str:
    """Return the note as it may be kept. Nobody can insist here: that is written down with a call."""
    verdict = verdict_of(None, note.strip()[:500])
    if verdict.findings:
        raise NoteNotNeutral(NotePlace.NOTE, "note", note, verdict)
    return verdict.masked


def lock_callback(callback: Callback) -> Callback:
    """Lock the entry, then the callback, in the caller's transaction; return it read anew."""
    list(ListEntry.objects.select_for_update(no_key=True).filter(pk=callback.entry_id).values_list("pk"))
    rows = Callback.objects.select_for_update(of=("self",))
    related = ("campaign__programme", "entry__campaign__programme", "entry__prospect")
    return rows.select_related(*related).get(pk=callback.pk)


def _hold(callback: Callback, by: User) -> Callback:
    """Lock a callback and return it: it stands, and nobody is calling it."""
    current = lock_callback(callback)
    if current.owner_id != by.pk:
        _require_agreeing(by)
    if current.state != CallbackState.OPEN:
        raise InvalidTransition(_("Ce rappel n'est plus prévu."))
    if current.entry.state != EntryState.CALLBACK:
        raise InvalidTransition(_("Un agent est sur ce rappel en ce moment."))
    return current


def _check_owner(entry: ListEntry, to: User | None) -> None:
    """Refuse an agent who could not be served the callback: out of service, behind a wall, of another language."""
    if to is None:
        return
    sponsor = entry.campaign.programme.sponsor_id
    sees = sees_every_sponsor(to) or sponsors_of(to).filter(pk=sponsor).exists()
    if not (to.is_active and to.is_calling and sees):
        raise Invalid.field("owner", _("Cet agent ne peut pas rappeler pour cette campagne."))
    if entry.language not in ("", entry.campaign.language, *to.languages):
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
