"""Erasing a person, here and below: the record, its place in lists, what was said on calls. The bars outlive it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from calls.enums import CallbackState, CallEventKind, CallState, FollowUpState
from calls.models import (
    Ban,
    BanAppeal,
    BanDecision,
    Call,
    CallAnswer,
    Callback,
    CallDisposition,
    CallEvent,
    FollowUp,
    Incident,
    IncidentAnswer,
    IncidentDecision,
    Lookup,
    NoteWarning,
    Reminder,
    Transfer,
    TransferAnswer,
)
from calls.services.errors import InvalidTransition, domain_errors
from calls.services.held import lock_numbers, numbers_of, require_manager
from campaigns.enums import EntryState
from campaigns.models import Exclusion, ListEntry
from crm.models import Prospect, User
from crm.rules.errors import StaleRecord
from crm.services.prospects import erase_prospect_record


def erase_prospect(
    *, prospect: Prospect, by: User, at: datetime, reason: str = "", expected_version: int | None = None
) -> Prospect:
    """Blank a person everywhere and return the record that is left; its exclusions stay, by number and by record.

    Its entries are closed and lose their number, its callbacks are cancelled, words on its calls are blanked. A claimed
    call is released first. Erased twice is erased once. Raises Forbidden unless a manager asks, InvalidTransition
    while the person is on the line, StaleRecord when `expected_version` is not the stored one.
    """
    require_manager(by)
    with domain_errors(), transaction.atomic():
        lock_numbers(numbers_of(prospect.pk), [prospect.pk])
        _release_open_call(prospect, by=by, at=at)
        list(ListEntry.objects.select_for_update().filter(prospect=prospect).order_by("id").values_list("pk"))
        current = Prospect.objects.select_for_update(no_key=True).get(pk=prospect.pk)
        if current.erased_at is not None:
            return current
        if expected_version is not None and expected_version != current.version:
            raise StaleRecord
        erase_prospect_record(prospect=current, by=by, at=at, reason=reason)
        _close_entries(current, at)
        _blank_words(current)
        Reminder.objects.filter(call__prospect=current, done_at=None).update(done_at=at, done_by=by)
        current.refresh_from_db()
        return current


def _release_open_call(prospect: Prospect, *, by: User, at: datetime) -> None:
    call = Call.objects.open().select_for_update(of=("self",)).filter(prospect=prospect).first()
    if call is None:
        return
    if call.state != CallState.CLAIMED:
        raise InvalidTransition(_("Cette personne est en ligne : l'effacement attend la fin de l'appel."))
    Call.objects.filter(pk=call.pk).update(state=CallState.RELEASED, release_reason="erased", done_at=at)
    CallEvent.objects.create(call=call, kind=CallEventKind.RELEASED, at=at, by=by, data={"reason": "erased"})


def _close_entries(prospect: Prospect, at: datetime) -> None:
    entries = ListEntry.objects.filter(prospect=prospect)
    entries.exclude(state=EntryState.EXCLUDED).update(state=EntryState.DONE)
    entries.update(number="", owner=None, exact=False, updated_at=at)
    callbacks = Callback.objects.filter(prospect=prospect)
    callbacks.filter(state=CallbackState.OPEN).update(state=CallbackState.CANCELLED, closed_at=at)
    callbacks.update(note="", cancel_reason="")
    Lookup.objects.filter(found__contains=[prospect.pk]).exclude(number="").update(number="")


def _forget_follow_ups(prospect: Prospect) -> None:
    """Blank the e-mails to a person; those that have not left do not leave."""
    written = FollowUp.objects.filter(prospect=prospect)
    words = {"to": "", "subject": "", "body": "", "error": ""}
    written.filter(state=FollowUpState.QUEUED).update(state=FollowUpState.CANCELLED, **words)
    written.exclude(to="").update(**words)


def _blank_words(prospect: Prospect) -> None:
    calls = Call.objects.filter(prospect=prospect)
    mine = {"call__prospect": prospect}
    CallEvent.objects.filter(**mine).exclude(data={}).update(data={})
    CallAnswer.objects.filter(**mine).exclude(heard="", expected="").update(heard="", expected="")
    CallDisposition.objects.filter(**mine).update(note="", reason="")
    NoteWarning.objects.filter(**mine).exclude(reason="").update(reason="")
    _forget_follow_ups(prospect)
    about = Incident.objects.filter(prospect=prospect) | Incident.objects.filter(**mine)
    IncidentAnswer.objects.filter(incident__in=about.values("pk")).exclude(words="").update(words="")
    _blank_escalations(prospect)
    IncidentDecision.objects.filter(incident__in=about.values("pk")).update(reason="")
    Incident.objects.filter(pk__in=list(about.values_list("pk", flat=True))).update(summary="")
    barred = Exclusion.objects.filter(prospect=prospect) | Exclusion.objects.filter(
        call_ref__in=calls.values("pk")
    )
    Exclusion.objects.filter(pk__in=list(barred.values_list("pk", flat=True))).exclude(note="").update(
        note=""
    )
    calls.exclude(release_reason="").update(release_reason="")


def _blank_escalations(prospect: Prospect) -> None:
    """Blank what was said when a call was handed over, and when a ban was asked for: the ban itself stays."""
    Transfer.objects.filter(call__prospect=prospect).exclude(note="").update(note="")
    TransferAnswer.objects.filter(transfer__call__prospect=prospect).exclude(words="").update(words="")
    bans = Ban.objects.filter(prospect=prospect) | Ban.objects.filter(call__prospect=prospect)
    keys = list(bans.values_list("pk", flat=True))
    Ban.objects.filter(pk__in=keys).exclude(why="").update(why="")
    BanDecision.objects.filter(ban__in=keys).exclude(reason="").update(reason="")
    BanAppeal.objects.filter(ban__in=keys).exclude(text="").update(text="")
