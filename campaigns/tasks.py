"""What the worker does for campaigns. Each task only finds rows that wait and calls one service."""

from celery import shared_task
from django.utils import timezone

from campaigns.enums import ImportState
from campaigns.models import ImportJob
from campaigns.services import entries, imports


@shared_task(name="campaigns.move_due_entries")
def move_due_entries() -> None:
    """Move in bulk the entries that the clock has changed."""
    entries.move_due_entries(at=timezone.now())


@shared_task(name="campaigns.run_import")
def run_import(job_id: int) -> None:
    """Go on with an import that was started; nothing when another worker is at it."""
    imports.run_import(job_id=job_id, at=timezone.now())


@shared_task(name="campaigns.preview_import")
def preview_import(job_id: int) -> None:
    """Find out what an uploaded file would do."""
    job = ImportJob.objects.filter(pk=job_id, state=ImportState.UPLOADED).first()
    if job is not None:
        imports.preview_import(job=job, by=job.by, at=timezone.now())


@shared_task(name="campaigns.wake_imports")
def wake_imports() -> None:
    """Wake the imports whose worker died."""
    imports.wake_imports(at=timezone.now())
