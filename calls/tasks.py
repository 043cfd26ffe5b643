"""What the worker does for calls, woken by beat."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from calls.services import follow_ups
from calls.services.callbacks import release_callbacks
from calls.services.help import keep_promises
from calls.services.lease import expire_leases
from calls.services.presses import forget_presses
from calls.services.webhooks import dispatch


@shared_task(name="calls.expire_leases", ignore_result=True)
def expire_leases_task() -> int:
    """Give back the prospects whose reservation ended, and put calls left open on the supervisor's list."""
    return expire_leases(at=timezone.now())


@shared_task(name="calls.release_callbacks", ignore_result=True)
def release_callbacks_task() -> int:
    """Give the due callbacks of agents who are absent or gone to whoever is free."""
    after = timedelta(minutes=settings.CALLBACK_RELEASE_MINUTES)
    return release_callbacks(at=timezone.now(), after=after)


@shared_task(name="calls.keep_promises", ignore_result=True)
def keep_promises_task() -> int:
    """Make the callbacks that supervisors promised during calls which are over by now."""
    return keep_promises(at=timezone.now())


@shared_task(name="calls.send_follow_ups", ignore_result=True)
def send_follow_ups_task() -> int:
    """Send the follow-ups that wait: woken when one is written, and by beat for those that failed or were left."""
    return follow_ups.send_due(at=timezone.now())


@shared_task(name="calls.forget_presses", ignore_result=True)
def forget_presses_task() -> int:
    """Delete the keys of gestures that no browser comes back with any more."""
    return forget_presses(at=timezone.now())


@shared_task(name="calls.dispatch_webhooks", ignore_result=True)
def dispatch_webhooks_task() -> int:
    """Turn what changed into messages for those who subscribed to it."""
    return dispatch(at=timezone.now(), seconds=10)
