"""What the worker does for campaigns. Each task only finds rows that wait and calls one service."""

from celery import shared_task
from django.utils import timezone

from campaigns.services import entries, import_work, imports
from crm.services.wake import wake


@shared_task(name="campaigns.move_due_entries")
def move_due_entries() -> None:
    """Move in bulk the entries that the clock has changed."""
    entries.move_due_entries(at=timezone.now())


#: An import that needs longer gives the worker to what waits meanwhile, such as leases that end.
TURN_SECONDS = 3.0


@shared_task(name="campaigns.run_import")
def run_import(job_id: int) -> None:
    """Work on an import or its preview for a while, beside others; then have it gone on with."""
    step = import_work.work_on(job_id=job_id, at=timezone.now(), seconds=TURN_SECONDS, limited=True)
    if step is import_work.Step.WORKED:
        wake("campaigns.run_import", job_id)


@shared_task(name="campaigns.wake_imports")
def wake_imports() -> None:
    """Wake the imports that nobody is at."""
    import_work.wake_imports(at=timezone.now())


@shared_task(name="campaigns.purge_uploads")
def purge_uploads() -> None:
    """Forget the files that nobody imported."""
    imports.purge_uploads(at=timezone.now())
