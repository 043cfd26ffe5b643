"""The call that an exchange means, which knows numbers and extensions and none of our ids."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from calls.enums import CLOSED_STATES, CallState
from calls.models import Call
from crm.models import User

#: How long after its end a call is still meant.
RECENT = timedelta(minutes=15)
#: How far two clocks may differ.
SKEW = timedelta(seconds=5)


def agents_named(agent: int | str) -> QuerySet[User]:
    """Return the people that an exchange means: by id (a number), else by username or extension (a text)."""
    if isinstance(agent, int):
        return User.objects.filter(pk=agent)
    return User.objects.filter(Q(username=agent) | Q(extension=agent))


def calls_meant(
    calls: QuerySet[Call],
    *,
    number: str,
    at: datetime,
    agents: QuerySet[User] | None = None,
    campaign: int | None = None,
    said_at: datetime | None = None,
) -> list[Call]:
    """Return which of `calls` an event on this E.164 number can mean, at the time `at`: one, none or several.

    Calls that were dialled or answered and are open, or ended at most 15 minutes ago. `said_at` (the exchange's moment)
    chooses the last one that had begun by then; without it the open one is meant.
    """
    lately = Q(ended_at__gte=at - RECENT) | Q(done_at__gte=at - RECENT)
    begun = Q(dialled_at__isnull=False) | Q(answered_at__isnull=False)
    found = calls.filter(begun, ~Q(state__in=sorted(CLOSED_STATES)) | lately, number=number)
    found = found.exclude(state=CallState.RELEASED)
    if agents is not None:
        found = found.filter(agent__in=agents)
    if campaign is not None:
        found = found.filter(campaign=campaign)
    rows = list(found.order_by("-id")[:20])
    return _by_moment(rows, said_at) if len(rows) > 1 else rows


def _by_moment(rows: list[Call], said_at: datetime | None) -> list[Call]:
    """Choose among calls, newest first."""
    if said_at is not None:
        before = [row for row in rows if (row.dialled_at or row.started_at) <= said_at + SKEW]
        if before:
            return before[:1]
    return [row for row in rows if row.is_open] or rows
