"""`manage.py create_token USERNAME [--name N]`: a new API token, shown once, alone on stdout."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm.models import User
from crm.services.tokens import create_token


class Command(BaseCommand):
    """Make an API token for a user."""

    help = "Print a new API token of a user. It is shown once: only its digest is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the user's name, and a name for the token."""
        parser.add_argument("username")
        parser.add_argument(
            "--name", default="", help="what the token is for, as shown in the list of tokens"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the token; an unknown or inactive user is an error."""
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user named {options['username']}.")
        token = create_token(user=user, name=options["name"][:100] or "manage.py", at=timezone.now())
        self.stdout.write(token)
