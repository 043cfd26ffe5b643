"""`manage.py rebase_changes [--nothing-lost]`: after the database was restored or moved to another cluster."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crm.services.record_changes import rebase_changes


class Command(BaseCommand):
    """Let the change feed go on after a restore."""

    help = (
        "Run it after every restore of the database, and after a replica took over (--nothing-lost). Programs that "
        "read `changes/` are told to read the lists again; with --nothing-lost they go on where they were."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whether every committed transaction is still there."""
        parser.add_argument(
            "--nothing-lost",
            action="store_true",
            help="every committed transaction is in this database, under its old number: a replica took over",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebase and say so."""
        state = rebase_changes(nothing_lost=options["nothing_lost"])
        self.stdout.write(f"The change feed is in epoch {state.epoch} of {state.cluster}.")
