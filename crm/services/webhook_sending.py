"""Sending messages to subscribers: each held by one worker at a time, at least once, as often as the schedule says.

A worker takes due messages in a short transaction (a lease, like that of a call), sends them outside of any, many at a
time, and notes each outcome in another. One that is killed leaves its leases to end, and others send again: under the
same `webhook-id`, by which a receiver knows it has the message already. Only the thread that owns the connection
speaks to the database; the threads that wait for receivers do nothing else.
"""

import json
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from crm.enums import DeliveryError, DeliveryState, WebhookEvent, WebhookPayload, WebhookStop
from crm.models import WebhookDelivery, WebhookSubscription
from crm.rules.moments import stamp
from crm.rules.webhook_retry import GONE, MAX_ATTEMPTS, is_silent, retry_delay, wait_asked
from crm.rules.webhook_signature import headers_of
from crm.selectors.webhooks import Listener, due_subscriptions, listeners
from crm.services import webhook_client
from crm.services.hooks import webhook_record
from crm.services.webhook_client import Outcome
from crm.services.webhooks import stop_subscription, valid_secrets

logger = logging.getLogger(__name__)

#: How long a worker may hold a message: far beyond what one attempt takes, so that two never send it at once.
LEASE = timedelta(seconds=90)
#: Seconds after its taking in which an attempt may still begin; a worker that slept longer leaves it.
BEGIN_WITHIN = 30.0
#: Messages on their way at once in one worker.
AT_ONCE = 32
#: Attempts that a message remembers.
MAX_LOG = 20
#: Seconds between two looks for more while something is on its way.
LOOK_AGAIN = 0.25
#: A lane that its worker forgot is free again after so many seconds.
LANE_SECONDS = 45


@dataclass(frozen=True, slots=True)
class Message:
    """An attempt to make: which delivery, held under which lease, and what is sent where."""

    delivery: int
    lease: datetime
    subscription: int
    url: str
    headers: dict[str, str]
    body: bytes
    begin_by: float


def send_due(*, seconds: float, clock: Callable[[], datetime] = timezone.now) -> int:
    """Send what is due for about `seconds`, in one of the `WEBHOOK_WORKERS` lanes; returns how many attempts were made.

    Nothing is due, or every lane is taken: returns at once."""
    lane = _free_lane()
    if lane is None:
        return 0
    try:
        return _sent(time.monotonic() + seconds, clock)
    finally:
        cache.delete(lane)


def _free_lane() -> str | None:
    """Take a lane. The cache keeps them, for nothing hangs on them but how many workers are busy with this."""
    database = connection.settings_dict["NAME"]
    lanes = (f"webhooks:{database}:{number}" for number in range(settings.WEBHOOK_WORKERS))
    return next((lane for lane in lanes if cache.add(lane, 1, LANE_SECONDS)), None)


def _sent(until: float, clock: Callable[[], datetime]) -> int:
    count = 0
    with ThreadPoolExecutor(AT_ONCE) as threads:
        under_way: dict[Future[Outcome], Message] = {}
        while True:
            if time.monotonic() < until and (room := AT_ONCE - len(under_way)):
                for message in take(at=clock(), limit=room):
                    under_way[threads.submit(attempt, message)] = message
            if not under_way:
                return count
            done, _rest = wait(under_way, timeout=LOOK_AGAIN, return_when=FIRST_COMPLETED)
            for future in done:
                _note_safely(under_way.pop(future), future.result(), clock())
                count += 1


def _note_safely(message: Message, outcome: Outcome, at: datetime) -> None:
    """Store an outcome; what cannot be stored is sent again after its lease, and the others are not lost with it."""
    try:
        note(message, outcome, at=at)
    except Exception:
        logger.exception("outcome of webhook delivery %s", message.delivery)


def take(*, at: datetime, limit: int) -> list[Message]:
    """Hold up to `limit` due messages, in turn from every subscription that has some; return what to send."""
    found: list[Message] = []
    for pk in due_subscriptions(at):
        if len(found) >= limit:
            break
        try:
            found += _taken(pk, at, limit - len(found))
        except Exception:
            # What is wrong with one subscription holds up no other.
            logger.exception("webhook subscription %s", pk)
    return found


@transaction.atomic
def _taken(pk: int, at: datetime, limit: int) -> list[Message]:
    """Hold due messages of one subscription, as many as it may have on their way beside those that it has.

    Its row is locked, so that two workers count one after the other; one that finds it locked passes on."""
    locked = WebhookSubscription.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    for listener in listeners(locked.filter(pk=pk)):
        row = listener.subscription
        most = 1 if row.failing_since else settings.WEBHOOK_AT_ONCE
        free = most - row.deliveries.filter(attempting_until__gte=at).count()
        due = _due(row, at).order_by("next_at", "pk")[: max(0, min(free, limit))]
        return [message for delivery in due if (message := _held(delivery, listener, at))]
    return []


def _due(row: WebhookSubscription, at: datetime) -> QuerySet[WebhookDelivery]:
    due = row.deliveries.select_for_update(skip_locked=True, no_key=True).filter(
        Q(attempting_until__isnull=True) | Q(attempting_until__lt=at),
        state=DeliveryState.WAITING,
        next_at__lte=at,
    )
    is_waiting = row.not_before is not None and row.not_before > at
    # What was stopped may still be tried out.
    return due.filter(event=WebhookEvent.TEST) if row.stopped_at is not None or is_waiting else due


def _held(delivery: WebhookDelivery, listener: Listener, at: datetime) -> Message | None:
    """Hold a message and return the attempt; None when it may not be told any more, or its attempts are used up."""
    if not listener.hears(delivery.event, delivery.sponsor_id):
        _close(delivery, DeliveryState.FAILED, DeliveryError.HIDDEN)
        return None
    if delivery.attempts >= MAX_ATTEMPTS:
        # Its last worker died with it.
        _close(delivery, DeliveryState.FAILED, DeliveryError.LOST)
        return None
    delivery.attempts += 1
    delivery.attempting_until = at + LEASE
    delivery.save(update_fields=["attempts", "attempting_until"])
    row = listener.subscription
    body = body_of(delivery, row, at=at)
    headers = {"Content-Type": "application/json", "User-Agent": "Courtois-Webhooks/1"}
    headers |= headers_of(valid_secrets(row, at=at), message=delivery.message_id, at=at, body=body)
    begin_by = time.monotonic() + BEGIN_WITHIN
    return Message(delivery.pk, at + LEASE, row.pk, row.url, headers, body, begin_by)


def _close(delivery: WebhookDelivery, state: str, error: str) -> None:
    delivery.state, delivery.error = state, error
    delivery.next_at = delivery.attempting_until = None
    delivery.save(update_fields=["state", "error", "next_at", "attempting_until"])


def body_of(delivery: WebhookDelivery, subscription: WebhookSubscription, *, at: datetime) -> bytes:
    """Return the JSON that is sent: thin, or with `data.record` as the API shows it to the owner now."""
    data: dict[str, Any] = dict(delivery.data)
    if subscription.payload == WebhookPayload.FULL:
        record = _record(delivery, subscription, at)
        data |= {"record": record} if record else {}
    content = {"type": delivery.event, "timestamp": stamp(delivery.at), "data": data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _record(
    delivery: WebhookDelivery, subscription: WebhookSubscription, at: datetime
) -> dict[str, Any] | None:
    """Return the record of a message; one that cannot be read costs the message its record, not its sending."""
    try:
        with transaction.atomic():
            return webhook_record(delivery.event, delivery.ref, subscription.owner, at)
    except Exception:
        logger.exception("record of webhook delivery %s", delivery.pk)
        return None


def attempt(message: Message) -> Outcome:
    """Make an attempt: no database, no exception."""
    if time.monotonic() > message.begin_by:
        return Outcome(error=DeliveryError.LOST)
    try:
        return webhook_client.post(
            message.url,
            headers=message.headers,
            body=message.body,
            allow_local=settings.WEBHOOK_ALLOW_LOCAL,
        )
    except Exception as failure:
        logger.exception("webhook delivery %s", message.delivery)
        return Outcome(error=DeliveryError.LOST, detail=type(failure).__name__)


@transaction.atomic
def note(message: Message, outcome: Outcome, *, at: datetime) -> None:
    """Store what became of an attempt and what follows from it. One whose message another worker has by now, or that
    was replayed meanwhile, changes nothing."""
    locked = WebhookSubscription.objects.select_for_update(no_key=True)
    row = locked.filter(pk=message.subscription).first()
    held = WebhookDelivery.objects.select_for_update(no_key=True)
    delivery = held.filter(pk=message.delivery, attempting_until=message.lease).first()
    if row is None or delivery is None:
        return
    waiting = _noted(delivery, outcome, at)
    _follow(row, delivery, outcome, waiting, at)


def _noted(delivery: WebhookDelivery, outcome: Outcome, at: datetime) -> timedelta | None:
    """Write the outcome on a message; return how long its receiver asks us to wait."""
    asked = None
    if outcome.status is not None:
        asked = wait_asked(outcome.status, outcome.retry_after, at=at)
    delivery.status, delivery.error, delivery.attempting_until = outcome.status, outcome.error, None
    # What a receiver says to a message that it took may repeat what was in it.
    keeps_words = bool(outcome.error) or delivery.event == WebhookEvent.TEST
    delivery.log = [*delivery.log, _line(outcome, at) | ({} if keeps_words else {"answer": ""})][-MAX_LOG:]
    delay = retry_delay(delivery.attempts, roll=random.random())
    if not outcome.error:
        delivery.state, delivery.delivered_at, delivery.next_at = DeliveryState.DELIVERED, at, None
    elif delay is None or delivery.event == WebhookEvent.TEST:
        # Whoever tests looks at the answer, and tests again.
        delivery.state, delivery.next_at = DeliveryState.FAILED, None
    else:
        delivery.next_at = at + max(delay, asked or timedelta())
    delivery.save()
    return asked


def _line(outcome: Outcome, at: datetime) -> dict[str, Any]:
    return {
        "at": stamp(at),
        "status": outcome.status,
        "error": outcome.error,
        "detail": outcome.detail,
        "answer": outcome.answer,
        "ms": outcome.milliseconds,
    }


def _follow(
    row: WebhookSubscription,
    delivery: WebhookDelivery,
    outcome: Outcome,
    asked: timedelta | None,
    at: datetime,
) -> None:
    """Write on a subscription what an outcome says of its receiver, and stop it where that says so."""
    if not outcome.error:
        row.last_success_at, row.failing_since, row.not_before = at, None, None
    else:
        row.failing_since = row.failing_since or at
        if asked:
            row.not_before = at + asked
    row.save(update_fields=["last_success_at", "failing_since", "not_before"])
    last = max(filter(None, (row.last_success_at, row.enabled_at)))
    if outcome.status == GONE:
        stop_subscription(subscription=row, by=None, at=at, why=WebhookStop.GONE)
    elif delivery.state == DeliveryState.FAILED and is_silent(since=last, at=at):
        stop_subscription(subscription=row, by=None, at=at, why=WebhookStop.SILENT)
