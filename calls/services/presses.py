"""A gesture of the screen happens once, however often a bad network makes the browser send it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import transaction

from calls.models import Press
from calls.services.errors import domain_errors
from crm.models import User

#: How long a browser may come back with what it kept.
KEPT = timedelta(days=1)


@contextmanager
def once(*, key: str, by: User, at: datetime) -> Iterator[bool]:
    """Open a transaction and yield whether a gesture (`key`, given by the browser) is still to be done.

    The key stands or falls with what is done under it: a crash forgets both, a refusal too. A second sender waits for
    the first. Without key it is always to be done.
    """
    if not key:
        yield True
        return
    with domain_errors(), transaction.atomic():
        yield Press.objects.claim(agent=by, key=key, at=at)


def forget_presses(*, at: datetime) -> int:
    """Delete the keys that no browser comes back with any more; returns how many."""
    return Press.objects.filter(at__lt=at - KEPT).delete()[0]
