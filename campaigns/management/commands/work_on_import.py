"""`manage.py work_on_import`: one process more for an import that is under way."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from campaigns.services.import_work import Step, work_on


class Command(BaseCommand):
    """Works on an import beside others until it is over."""

    #: Whoever started it has looked.
    requires_system_checks = ()
    help = "Help with an import that is under way, as a worker does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the import's id."""
        parser.add_argument("job", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Work, and wait while others are at what is left."""
        while work_on(job_id=options["job"], at=timezone.now()) is not Step.OVER:
            time.sleep(0.1)
