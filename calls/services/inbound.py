"""Somebody calls us: the number is looked up and the call taken. Nobody is dialled, so no bar stands in the way."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from calls.enums import CallbackState, CallEventKind, CallState, Mode
from calls.models import Call, Callback, Lookup, Pause
from calls.selectors.inbound import answerable_campaigns, fiches_with
from calls.services.dispositions import finish_settled
from calls.services.errors import Forbidden, Invalid, InvalidTransition, NotFound, domain_errors
from calls.services.held import Line, line, talk_lease, tell_all
from campaigns.enums import EntryState
from campaigns.models import Campaign, ListEntry
from crm.enums import EventKind, LookPlace
from crm.models import Prospect, User
from crm.rules.phones import normalise
from crm.services.looks import note_looks


def look_up(*, number: str, by: User, at: datetime) -> Lookup:
    """Write down that the agent looks up one exact number, in any spelling, and which records it shows.

    A look at a confidential record is written down as such. Raises Forbidden for who holds no calls, Invalid for what
    is not one whole number: there is no partial search.
    """
    if not by.is_calling:
        raise Forbidden
    read = normalise(number)
    if len(read.numbers) != 1:
        raise Invalid.field("number", _("Donnez un numéro entier, tel qu'il s'affiche."))
    exact = read.numbers[0].number
    with transaction.atomic():
        found = list(fiches_with(by, exact)[:10])
        note_looks(prospects=found, by=by, at=at, place=LookPlace.LOOKUP)
        return Lookup.objects.create(number=exact, found=[row.pk for row in found], at=at, by=by)


def take_inbound_call(
    *, campaign: Campaign, number: str, prospect: Prospect | None, by: User, at: datetime
) -> Call:
    """Open the call of somebody who is on the line already; `number` is E.164, `prospect` a record that carries it.

    It begins as `connected` and is closed, qualified and excluded as any other; it is no attempt, whatever its end. The
    prospect's entry of the campaign is taken, unless a bar holds it, and an open callback of that entry is kept by it;
    those of the prospect in other campaigns stand. Raises OpenCallExists, InvalidTransition in a pause or where
    somebody else is on the same number or person, NotFound outside the agent's sponsors.
    """
    if not by.is_calling:
        raise Forbidden
    check_seen(campaign, number, prospect, by)
    finish_settled(by=by, at=at)
    if Pause.objects.filter(agent=by, ended_at__isnull=True).exists():
        raise InvalidTransition(_("Vous êtes en pause : terminez-la d'abord."))
    with domain_errors(), transaction.atomic():
        entry = lock_free_entry(campaign, prospect)
        call = Call(
            campaign=campaign,
            prospect=prospect,
            entry=entry,
            number=number,
            agent=by,
            state=CallState.CONNECTED,
            mode=Mode.INBOUND,
            entry_was=entry.state if entry else "",
            language=(prospect.language if prospect else "") or campaign.language,
            started_at=at,
            answered_at=at,
        )
        call.lease_until = talk_lease(call, at)
        call.save()
        lines = [line(CallEventKind.ANSWERED, {"mode": str(Mode.INBOUND)})]
        if entry is not None:
            ListEntry.objects.filter(pk=entry.pk).update(state=EntryState.CLAIMED, updated_at=at)
            lines += keep_callback(entry, at)
        tell_all(call, lines, by=by, at=at)
        return call


def check_seen(campaign: Campaign, number: str, prospect: Prospect | None, by: User) -> None:
    """Raise NotFound unless the campaign and a record with this number are the agent's, and of one sponsor."""
    if not answerable_campaigns(by).filter(pk=campaign.pk).exists():
        raise NotFound
    if prospect is None:
        return
    if not fiches_with(by, number).filter(pk=prospect.pk).exists():
        raise NotFound
    if prospect.source.sponsor_id not in (None, campaign.programme.sponsor_id):
        raise NotFound


def lock_free_entry(campaign: Campaign, prospect: Prospect | None) -> ListEntry | None:
    """Lock and return the entry that the call takes: none where a bar holds it, for the call does not lift that."""
    if prospect is None:
        return None
    entry = ListEntry.objects.select_for_update().filter(campaign=campaign, prospect=prospect).first()
    if entry is not None and entry.state == EntryState.CLAIMED:
        raise InvalidTransition(_("Cette fiche est déjà chez un agent."))
    return None if entry is None or entry.state == EntryState.EXCLUDED else entry


def keep_callback(entry: ListEntry, at: datetime) -> list[Line]:
    """Close the callback that this call is instead of. What it agrees anew is another one."""
    kept = list(Callback.objects.filter(entry=entry, state=CallbackState.OPEN).values_list("pk", flat=True))
    Callback.objects.filter(pk__in=kept).update(state=CallbackState.DONE, closed_at=at)
    return [Line(EventKind.CALLBACK, {"callback": pk, "event": "kept"}) for pk in kept]
