"""What the worker does for this app, woken by beat: old changes forgotten, messages sent to subscribers."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from crm.services.record_changes import forget_changes
from crm.services.webhook_sending import send_due
from crm.services.webhooks import forget_deliveries

#: Seconds in which a task takes messages; then it waits for those on their way and gives the worker back.
TURN_SECONDS = 20.0


@shared_task(name="crm.forget_changes", ignore_result=True)
def forget_changes_task() -> int:
    """Forget what changed so long ago that no program comes back for it."""
    return forget_changes(at=timezone.now(), kept=timedelta(days=settings.CHANGES_KEPT_DAYS))


@shared_task(name="crm.send_webhooks", ignore_result=True)
def send_webhooks_task() -> int:
    """Send the messages that are due: woken when there are some, and by beat for those to be tried again."""
    return send_due(seconds=TURN_SECONDS)


@shared_task(name="crm.forget_deliveries", ignore_result=True)
def forget_deliveries_task() -> int:
    """Forget old messages."""
    return forget_deliveries(at=timezone.now())
