"""Agreed callbacks that stand, and wishes whose time has come: on the desk, and on the page of them all."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from calls.enums import CallbackState
from calls.models import Callback, Reminder
from crm.enums import CALLING, Role
from crm.models import User
from crm.selectors.composed import ask
from crm.selectors.scopes import own_within_token, sponsors_of

#: How far ahead the desk looks, and how much of it is read.
AHEAD = timedelta(days=7)
READ = 20
#: How long the desk tells of a callback that left its agent.
TOLD_FOR = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Promises:
    """What the desk shows: callbacks promised (the next first), those that the team took over, wishes to see to.

    `token` changes when any of it does, the coming of an hour included.
    """

    promised: Sequence[Callback]
    released: Sequence[Callback]
    reminders: Sequence[Reminder]
    due: Sequence[int]
    token: str


def promises_of(user: User, at: datetime, *, wishes: bool = True) -> Promises:
    """Return what an agent promised and is to be reminded of. Two queries; one where no wish is known to wait."""
    rows: list[Callback] = ask(_promised, agent=user.pk, until=at + AHEAD, since=at - TOLD_FOR)
    promised = [row for row in rows if row.state == CallbackState.OPEN and row.owner_id == user.pk]
    released = [row for row in rows if row not in promised]
    reminders: list[Reminder] = ask(_wishes, owner=user.pk, until=at) if wishes else []
    due = [row.pk for row in promised if row.due_at <= at]
    seen = repr(
        (
            [(row.pk, row.due_at) for row in promised],
            [row.pk for row in released],
            [row.pk for row in reminders],
            due,
        )
    )
    token = hashlib.sha256(seen.encode()).hexdigest()[:16]
    return Promises(promised, released, reminders, due, token)


def _promised(*, agent: int, until: datetime, since: datetime) -> QuerySet[Callback]:
    mine = Q(owner=agent, state=CallbackState.OPEN, due_at__lt=until)
    gone = Q(released_from=agent, released_at__gt=since) & ~Q(owner=agent)
    rows = Callback.objects.filter(mine | gone).select_related("prospect", "campaign")
    return rows.order_by("due_at", "pk")[:READ]


def _wishes(*, owner: int, until: datetime) -> QuerySet[Reminder]:
    rows = Reminder.objects.filter(owner=owner, done_at__isnull=True, due_at__lte=until)
    return rows.select_related("event", "call__prospect").order_by("due_at", "pk")[:5]


@dataclass(frozen=True, slots=True)
class CallbackFilter:
    """What narrows the page of callbacks: an owner's id, those overdue, those that are everybody's."""

    owner: int | None = None
    late: bool = False
    pool: bool = False


def callbacks_of(user: User) -> QuerySet[Callback]:
    """Return the callbacks that the user sees: an agent's own, and to the others those of their sponsors."""
    if user.role == Role.AGENT:
        return Callback.objects.filter(own_within_token(user, "campaign__programme__sponsor"), owner=user)
    return Callback.objects.filter(campaign__programme__sponsor__in=sponsors_of(user))


def open_callbacks(user: User, wanted: CallbackFilter, at: datetime) -> QuerySet[Callback]:
    """Return the open callbacks that the user sees, the next first."""
    rows = callbacks_of(user).filter(state=CallbackState.OPEN)
    if wanted.owner:
        rows = rows.filter(owner=wanted.owner)
    if wanted.pool:
        rows = rows.filter(owner__isnull=True)
    if wanted.late:
        rows = rows.filter(due_at__lte=at)
    return rows.select_related("prospect", "campaign", "owner").order_by("due_at", "pk")


def possible_owners(user: User) -> QuerySet[User]:
    """Return the people to whom the user may give a callback: in service, and of one of the user's sponsors."""
    listed = User.sponsors.through.objects.filter(user=OuterRef("pk"))
    shared = Exists(listed.filter(sponsor__in=sponsors_of(user).values("pk")))
    people = User.objects.filter(shared | ~Exists(listed), is_active=True, role__in=CALLING)
    return people.order_by("first_name", "last_name", "username")


def due_reminders(user: User, at: datetime) -> QuerySet[Reminder]:
    """Return the wishes to see to by now: an agent's own, and to the others those of their sponsors."""
    rows = Reminder.objects.filter(done_at__isnull=True, due_at__lte=at)
    if user.role == Role.AGENT:
        rows = rows.filter(own_within_token(user, "call__campaign__programme__sponsor"), owner=user)
    else:
        rows = rows.filter(call__campaign__programme__sponsor__in=sponsors_of(user))
    return rows.select_related("event", "owner", "call__prospect", "call__campaign").order_by("due_at", "pk")
