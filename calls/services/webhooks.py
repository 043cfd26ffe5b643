"""From what changed to messages for subscribers: read from the place that was kept, in one transaction with it.

Either the messages exist and the place stands behind their changes, or neither: a worker that dies between the two
statements leaves what it found, and the next one finds it again. Two at once: the second sees that the place is taken.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from calls.selectors.webhooks import KINDS, event_of, thin_data
from crm.models import RecordChange, WebhookDelivery, WebhookPlace, WebhookSubscription
from crm.selectors.record_changes import ChangePlace, FeedMoved, changes_after, end_of_changes, feed_state
from crm.selectors.webhooks import Listener, listeners
from crm.services.wake import wake

logger = logging.getLogger(__name__)

#: Changes that one transaction turns into messages.
AT_ONCE = 500
#: What is told, to whom: the event, its change, the listener.
Told = tuple[str, RecordChange, Listener]


def dispatch(*, at: datetime, seconds: float) -> int:
    """Turn what changed into messages for about `seconds`, or until nothing is left; returns how many were written."""
    until, total = time.monotonic() + seconds, 0
    while True:
        written, has_more = dispatch_some(at=at)
        total += written
        if not has_more or time.monotonic() >= until:
            return total


@transaction.atomic
def dispatch_some(*, at: datetime, limit: int = AT_ONCE) -> tuple[int, bool]:
    """Turn the next changes into messages; returns how many messages, and whether there are more changes.

    Nothing while another worker is at it, and while the database is another one than its feed was numbered in."""
    place = _held_place()
    if place is None or not _is_of_this_epoch(place):
        return 0, False
    # The end first: who subscribes after it is told of nothing before it.
    end = end_of_changes()
    running = WebhookSubscription.objects.filter(stopped_at__isnull=True)
    if not running.exists():
        _move(place, end)
        return 0, False
    page = changes_after(ChangePlace(place.xid, place.kind, place.ref), limit=limit, kinds=KINDS)
    rows = _messages(page.rows, listeners(running), at) if page.rows else []
    # Told already: only where somebody set the place back by hand.
    WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    _move(place, page.place)
    if rows:
        wake("crm.send_webhooks")
    return len(rows), page.has_more


def _held_place() -> WebhookPlace | None:
    """Return the place, locked until the end of the transaction; None when another worker has it."""
    WebhookPlace.objects.get_or_create(pk=1)
    return WebhookPlace.objects.select_for_update(skip_locked=True).filter(pk=1).first()


def _is_of_this_epoch(place: WebhookPlace) -> bool:
    """Whether the feed can be read; after a restore from its beginning, which holds only what happened since."""
    try:
        epoch = feed_state().epoch
    except FeedMoved:
        logger.warning("webhooks wait: the feed was numbered in another cluster, and waits to be rebased")
        return False
    if place.epoch != epoch:
        if place.epoch:
            WebhookSubscription.objects.update(from_xid=0)
            WebhookDelivery.objects.filter(xid__isnull=False).update(xid=None)
        place.epoch = epoch
        _move(place, ChangePlace())
    return True


def _move(place: WebhookPlace, to: ChangePlace) -> None:
    place.xid, place.kind, place.ref = to.xid, to.kind, to.ref
    place.save()


def _messages(
    changes: Sequence[RecordChange], hearing: Sequence[Listener], at: datetime
) -> list[WebhookDelivery]:
    """Return a message for each change and each subscription that is told of it."""
    told: list[Told] = [
        (event, change, listener)
        for change in changes
        if (event := event_of(change)) is not None
        for listener in hearing
        if _is_told(listener, event, change)
    ]
    refs: dict[str, set[int]] = defaultdict(set)
    for event, change, _listener in told:
        refs[event].add(change.ref)
    data = {event: thin_data(event, found) for event, found in refs.items()}
    return [
        WebhookDelivery(
            subscription=listener.subscription,
            message=uuid4(),
            event=event,
            ref=change.ref,
            xid=change.xid,
            sponsor_id=change.sponsor_id,
            data={**data[event].get(change.ref, {}), "sponsor": change.sponsor_id},
            at=change.at,
            created_at=at,
            next_at=at,
        )
        for event, change, listener in told
    ]


def _is_told(listener: Listener, event: str, change: RecordChange) -> bool:
    row = listener.subscription
    return event in row.events and change.xid >= row.from_xid and listener.hears(event, change.sponsor_id)
