"""What the worker does for calls, woken by beat."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from calls.services.callbacks import release_callbacks
from calls.services.lease import expire_leases


@shared_task(name="calls.expire_leases", ignore_result=True)
def expire_leases_task() -> int:
    """Give back the prospects whose reservation ended, and put calls left open on the supervisor's list."""
    return expire_leases(at=timezone.now())


@shared_task(name="calls.release_callbacks", ignore_result=True)
def release_callbacks_task() -> int:
    """Give the due callbacks of agents who are absent or gone to whoever is free."""
    after = timedelta(minutes=settings.CALLBACK_RELEASE_MINUTES)
    return release_callbacks(at=timezone.now(), after=after)
