"""What a supervisor answers an agent who calls: seen, coming, calling back later, not able to. No decision yet."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from calls.enums import LIVE, TAKING, AnswerKind, CallEventKind, CallState, Decision, EffectKind
from calls.models import Call, Callback, CallEffect, Incident, IncidentAnswer
from calls.services.errors import Invalid, InvalidTransition, domain_errors
from calls.services.held import held, require_supervisor, tell
from calls.services.incidents import decide
from campaigns.enums import EntryState
from campaigns.models import ListEntry
from crm.enums import EventKind
from crm.models import ProspectEvent, User

#: A promise that nobody could keep within so long after its time is left to the people.
KEPT_FOR = timedelta(days=1)


def see_incidents(*, incidents: Sequence[Incident], by: User, at: datetime) -> None:
    """Keep that a supervisor has these requests before their eyes: the agent is told. Again: nothing changes."""
    live = [row for row in incidents if row.waiting and row.kind in LIVE]
    if live:
        seen = [IncidentAnswer(incident=row, kind=AnswerKind.SEEN, at=at, by=by) for row in live]
        with transaction.atomic():
            IncidentAnswer.objects.bulk_create(seen, ignore_conflicts=True)


def answer_incident(
    *,
    incident: Incident,
    kind: str,
    by: User,
    at: datetime,
    words: str = "",
    due_at: datetime | None = None,
) -> IncidentAnswer:
    """Answer an agent who waits (`calls.enums.AnswerKind`); the same answer twice is one.

    `later` needs its time and ends the request: a calmer talk is promised, which becomes the supervisor's callback as
    soon as the call and its entry allow it. Raises Forbidden, Invalid, and InvalidTransition, which names
    the colleague, when somebody else took it on.
    """
    require_supervisor(by)
    words = words.strip()[:500]
    due_at = due_at if kind == AnswerKind.LATER else None
    _check(incident, kind, due_at, at)
    with domain_errors(), transaction.atomic():
        list(Incident.objects.select_for_update(no_key=True).filter(pk=incident.pk).values_list("pk"))
        if kind in TAKING and (taken := _taken(incident)) is not None:
            if taken.by_id == by.pk and taken.kind == kind:
                return taken
            raise InvalidTransition(taken_by(taken))
        row, created = IncidentAnswer.objects.get_or_create(
            incident=incident,
            kind=kind,
            by=by,
            defaults={"words": words, "due_at": due_at, "at": at},
        )
        if created and incident.call is not None:
            data = {"answer": str(kind), "incident": incident.pk, "text": words}
            if due_at is not None:
                data["due_at"] = due_at.isoformat()
            tell(incident.call, CallEventKind.SUPERVISOR_ANSWERED, by=by, at=at, data=data)
        if created and kind == AnswerKind.LATER:
            decide(incident=incident, decision=Decision.CALMER_TALK, reason=_promise(row), by=by, at=at)
        return row


def keep_promises(*, at: datetime) -> int:
    """Turn what supervisors promised ("I call back later") into their callbacks, where call and entry allow it by now.

    Returns how many were made. Safe to run at any moment.
    """
    open_ones = IncidentAnswer.objects.filter(
        kind=AnswerKind.LATER, due_at__gt=at - KEPT_FOR, incident__call__state=CallState.DONE
    )
    left = open_ones.exclude(incident__call__in=Callback.objects.values("call"))
    return sum(_keep(promise, at) for promise in left.select_related("incident__call__campaign", "by"))


def taken_by(answer: IncidentAnswer) -> str:
    """Return who took a request on, in a sentence."""
    name = answer.by.get_full_name() or answer.by.get_username()
    return _("%(name)s s'en occupe déjà.") % {"name": name}


def _check(incident: Incident, kind: str, due_at: datetime | None, at: datetime) -> None:
    if kind not in AnswerKind.values:
        raise Invalid.field("kind", _("Réponse inconnue."))
    if incident.kind not in LIVE:
        raise Invalid.field("kind", _("Personne n'attend de réponse ici : décidez."))
    if kind != AnswerKind.LATER:
        return
    if due_at is None:
        raise Invalid.field("due_at", _("Quand rappellerez-vous ?"))
    if due_at <= at:
        raise Invalid.field("due_at", _("Cette heure est passée."))


def _taken(incident: Incident) -> IncidentAnswer | None:
    rows = IncidentAnswer.objects.filter(incident=incident, kind__in=sorted(TAKING))
    return rows.select_related("by").first()


def _promise(answer: IncidentAnswer) -> str:
    assert answer.due_at is not None
    when = date_format(localtime(answer.due_at), "d/m/Y H:i")
    return f"{when} {answer.words}".strip()


def _keep(promise: IncidentAnswer, at: datetime) -> bool:
    call, owner = promise.incident.call, promise.by
    entry_id = call.entry_id if call is not None else None
    if call is None or entry_id is None or promise.due_at is None or not owner.is_active:
        return False
    with held(call, by=owner) as current:
        entry = ListEntry.objects.select_for_update().filter(pk=entry_id).first()
        if entry is None or not _may_be_called(entry):
            return False
        return _plan(current, entry, promise, promise.due_at, at)


def _may_be_called(entry: ListEntry) -> bool:
    """Whether nothing bars the entry and no other callback stands on it."""
    if entry.state not in (EntryState.READY, EntryState.CALLBACK, EntryState.DONE):
        return False
    return not Callback.objects.filter(entry=entry, state="open").exists()


def _plan(call: Call, entry: ListEntry, promise: IncidentAnswer, due_at: datetime, at: datetime) -> bool:
    before = {"state": entry.state, "due_at": entry.due_at.isoformat(), "attempts": entry.attempts}
    callback = Callback.objects.create(
        entry=entry,
        campaign_id=entry.campaign_id,
        prospect_id=entry.prospect_id,
        call=call,
        owner=promise.by,
        due_at=due_at,
        exact=True,
        note=promise.words,
        created_by=promise.by,
        created_at=at,
    )
    ListEntry.objects.filter(pk=entry.pk).update(
        state=EntryState.CALLBACK, due_at=due_at, owner=promise.by, exact=True, updated_at=at
    )
    CallEffect.objects.create(call=call, kind=EffectKind.ENTRY, entry=entry, before=before, at=at)
    CallEffect.objects.create(
        call=call, kind=EffectKind.CALLBACK, callback=callback, before={"state": None}, at=at
    )
    ProspectEvent.objects.create(
        prospect_id=entry.prospect_id,
        sponsor_id=call.campaign.programme.sponsor_id,
        at=at,
        by=promise.by,
        kind=EventKind.CALLBACK,
        call_ref=call.pk,
        data={"callback": callback.pk, "due_at": due_at.isoformat(), "exact": True},
    )
    return True
