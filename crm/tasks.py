"""What the worker does for records, woken by beat."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from crm.services.record_changes import forget_changes


@shared_task(name="crm.forget_changes", ignore_result=True)
def forget_changes_task() -> int:
    """Forget what changed so long ago that no program comes back for it."""
    return forget_changes(at=timezone.now(), kept=timedelta(days=settings.CHANGES_KEPT_DAYS))
