"""How every verb begins: the call is locked, in the one order of locks, and its history is written."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from calls.enums import CallEventKind, CallState
from calls.models import Call
from calls.rules.transitions import refusal
from calls.selectors.call_screen import READ_WITH
from calls.selectors.facts import facts_of
from calls.services.errors import ClosingRequired, Forbidden, InvalidTransition, NotFound, domain_errors
from campaigns.models import Campaign, ListEntry
from crm.enums import EventKind, Role
from crm.models import ProspectNumber, User
from crm.selectors.composed import ask

#: What a line of the call's history is in the prospect's timeline.
TIMELINE: dict[str, EventKind] = {
    CallEventKind.CLAIMED: EventKind.CLAIMED,
    CallEventKind.RELEASED: EventKind.RELEASED,
    CallEventKind.EXPIRED: EventKind.RELEASED,
    CallEventKind.DIALLED: EventKind.DIALLED,
    CallEventKind.RINGING: EventKind.DIALLED,
    CallEventKind.ANSWERED: EventKind.CONNECTED,
    CallEventKind.NOT_REACHED: EventKind.NOT_REACHED,
    CallEventKind.GREETED: EventKind.GREETED,
    CallEventKind.HANDOVER: EventKind.HANDED_OVER,
    CallEventKind.CRITERION: EventKind.CRITERION,
    CallEventKind.CLOSING_STARTED: EventKind.CLOSING,
    CallEventKind.CLOSING_STEP: EventKind.CLOSING,
    CallEventKind.CLOSING_INTERRUPTED: EventKind.CLOSING,
    CallEventKind.LINE_DEAD: EventKind.CLOSING,
    CallEventKind.SITUATION: EventKind.SITUATION,
    CallEventKind.SITUATION_EFFECT: EventKind.SITUATION,
    CallEventKind.HUNG_UP: EventKind.HUNG_UP,
    CallEventKind.HANG_UP_EXPLAINED: EventKind.HUNG_UP,
    CallEventKind.DISPOSITION: EventKind.DISPOSITION,
    CallEventKind.CORRECTED: EventKind.CORRECTED,
    CallEventKind.CORRECTION_ASKED: EventKind.INCIDENT,
    CallEventKind.SUPERVISOR_ASKED: EventKind.INCIDENT,
    CallEventKind.SUPERVISOR_ANSWERED: EventKind.INCIDENT,
    CallEventKind.SUPERVISOR_RELEASED: EventKind.INCIDENT,
    CallEventKind.TRANSFER_OFFERED: EventKind.HANDED_OVER,
    CallEventKind.TRANSFERRED: EventKind.HANDED_OVER,
    CallEventKind.BAN_ASKED: EventKind.INCIDENT,
    CallEventKind.NOTE: EventKind.NOTE,
    CallEventKind.WISH: EventKind.NOTE,
    CallEventKind.FOLLOW_UP: EventKind.FOLLOW_UP,
    CallEventKind.LINE_REPORT: EventKind.HUNG_UP,
}


@contextmanager
def held(call: Call, *, by: User, bars: str = "") -> Iterator[Call]:
    """Open a transaction and yield the call, locked and read anew.

    `bars` is "shared" for a dial, "exclusive" where exclusions may be written: those locks come before the row's.
    Raises NotFound for a call of another agent, and turns what the database refuses into DomainError.
    """
    with domain_errors(), transaction.atomic():
        if bars:
            lock_bars(call, exclusive=bars == "exclusive")
        locked = _lock_call(call.pk)
        if locked.agent_id != by.pk and not by.is_supervising and by.role != Role.INTEGRATION:
            raise NotFound
        yield locked


#: How often a call is looked for that somebody hands over at this very instant.
TRIES = 3


def _lock_call(pk: int) -> Call:
    """Lock and return a call with what its verbs read. Raises NotFound for none.

    Whoever waits for a call that changes hands meanwhile finds nothing: PostgreSQL reads the row anew and joins it with
    the agent of before. The next statement sees both as they are.
    """
    for _try in range(TRIES):
        found: list[Call] = ask(_locked, pk=pk)
        if found:
            return found[0]
    raise NotFound


def _locked(*, pk: int) -> QuerySet[Call]:
    return Call.objects.select_for_update(of=("self",)).select_related(*READ_WITH).filter(pk=pk)


#: The numbers of the prospect are read by the statement that locks them; those that the call barred may be lifted.
LOCK_BARS = """
    SELECT courtois_lock_bars(
        ARRAY(SELECT %(number)s
              UNION SELECT number FROM crm_prospectnumber WHERE prospect_id = %(prospect)s::bigint
              UNION SELECT number FROM campaigns_exclusion
                     WHERE call_ref = %(call)s AND number IS NOT NULL AND lifted_at IS NULL),
        ARRAY[%(prospect)s]::bigint[])
"""


def lock_bars(call: Call, *, exclusive: bool) -> None:
    """Take the locks of the bars on the call's number and prospect; exclusive ones on all its numbers."""
    if not exclusive:
        share_bars(call.number, call.prospect_id)
        return
    facts: dict[str, int | str | None] = {
        "call": call.pk,
        "number": call.number,
        "prospect": call.prospect_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(LOCK_BARS, facts)


def share_bars(number: str, prospect_id: int | None) -> None:
    """Take the shared locks that a dial needs: no bar on this number or prospect is written meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT courtois_share_bars(%s, %s)", [number, prospect_id])


def lock_numbers(numbers: Sequence[str], prospects: Sequence[int]) -> None:
    """Take the exclusive locks that bars on these E.164 numbers and prospects need."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT courtois_lock_bars(%s::text[], %s::bigint[])",
            [sorted(set(numbers)), sorted(set(prospects))],
        )


def numbers_of(prospect_id: int) -> list[str]:
    """Return the E.164 numbers of a prospect, in its order."""
    return list(ProspectNumber.objects.filter(prospect_id=prospect_id).values_list("number", flat=True))


def lock_entry(call: Call) -> ListEntry | None:
    """Lock and return the call's entry, or None when it has none."""
    if call.entry_id is None:
        return None
    return ListEntry.objects.select_for_update().filter(pk=call.entry_id).first()


def require_verb(verb: str, call: Call, at: datetime) -> None:
    """Raise ClosingRequired or InvalidTransition unless `verb` is possible now."""
    problem = refusal(verb, facts_of(call, at))
    if problem is None:
        return
    facts = {"state": call.state, "verb": verb}
    if problem == "closing-required":
        raise ClosingRequired(extra=facts)
    if (
        call.state == CallState.CONNECTED
        and call.greeted_at is None
        and verb in ("criteria", "closing", "disposition")
    ):
        raise InvalidTransition(_("Saluez d'abord la personne."), extra=facts)
    if verb == "disposition" and call.disposition_id is not None:
        raise InvalidTransition(
            _("Cet appel est déjà qualifié : un superviseur peut le corriger."), extra=facts
        )
    raise InvalidTransition(extra=facts)


def require_supervisor(by: User) -> None:
    """Raise Forbidden unless `by` may correct, release and decide."""
    if not by.is_supervising:
        raise Forbidden


def require_manager(by: User) -> None:
    """Raise Forbidden unless `by` sets up campaigns and lists."""
    if not by.is_managing:
        raise Forbidden


@dataclass(frozen=True, slots=True)
class Line:
    """A line to tell: of the call's history (`kind`, None for none) and of its prospect's timeline (`timeline`)."""

    timeline: EventKind
    data: dict[str, Any]
    kind: CallEventKind | None = None


def line(kind: CallEventKind, data: dict[str, Any] | None = None) -> Line:
    """Return a line of the call's history, told in its prospect's timeline as well."""
    return Line(kind=kind, timeline=TIMELINE[kind], data=data or {})


def tell_all(call: Call, lines: Sequence[Line], *, by: User | None, at: datetime) -> None:
    """Write these lines, in their order, inside the call's sponsor. One statement, however many they are."""
    if not lines:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT courtois_tell(%s, %s, %s, %s)", [call.pk, by.pk if by else None, at, told(call, lines)]
        )


def told(call: Call, lines: Sequence[Line]) -> str:
    """Return these lines of a call as the JSON that `courtois_tell` takes."""
    return json.dumps(
        [
            {
                "kind": line.kind,
                "timeline": line.timeline,
                "own": line.data,
                "data": {"event": line.kind, "campaign": call.campaign_id, **line.data}
                if line.kind
                else line.data,
            }
            for line in lines
        ]
    )


def tell(
    call: Call, kind: CallEventKind, *, by: User | None, at: datetime, data: dict[str, Any] | None = None
) -> None:
    """Write a line of the call's history and the same line of its prospect's timeline, inside its sponsor."""
    tell_all(call, [line(kind, data)], by=by, at=at)


def tell_prospect(
    call: Call, kind: EventKind, *, by: User | None, at: datetime, data: dict[str, Any] | None = None
) -> None:
    """Write a line of the prospect's timeline alone, inside the call's sponsor."""
    tell_all(call, [Line(timeline=kind, data=data or {})], by=by, at=at)


def save(call: Call, **changes: Any) -> Call:
    """Store these columns of the call and return it."""
    for name, value in changes.items():
        setattr(call, name, value)
    call.save(update_fields=sorted(changes))
    return call


def talk_lease(call: Call, at: datetime) -> datetime:
    """Return the end of the lease of a call that is on the line, renewed at `at`."""
    return at + timedelta(seconds=call.campaign.talk_lease_seconds)


def fiche_lease(campaign: Campaign, at: datetime) -> datetime:
    """Return the end of the lease of a call that nobody answered yet, made or renewed at `at`."""
    return at + timedelta(seconds=campaign.lease_seconds)
