"""`manage.py create_token USERNAME [--name N] [--scope S]… [--sponsor S]… [--expires DATE]`: a new API token, shown
once, alone on stdout."""

from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm.models import Sponsor, User
from crm.rules.errors import Invalid
from crm.services.tokens import create_token


class Command(BaseCommand):
    """Make an API token for a user."""

    help = "Print a new API token of a user. It is shown once: only its digest is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the user's name, a name for the token, and what narrows it."""
        parser.add_argument("username")
        parser.add_argument(
            "--name", default="", help="what the token is for, as shown in the list of tokens"
        )
        parser.add_argument(
            "--scope",
            action="append",
            default=[],
            help="what it opens, such as prospects:read or exclusions:write; again for more; none: all the role may",
        )
        parser.add_argument(
            "--sponsor",
            action="append",
            default=[],
            help="the id or name of a sponsor that it keeps to; again for more; none: all of the user's",
        )
        parser.add_argument(
            "--expires", type=_day, help="the last day (UTC) on which it opens anything, YYYY-MM-DD"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the token; an unknown or inactive user, scope or sponsor is an error."""
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user named {options['username']}.")
        try:
            token = create_token(
                user=user,
                name=options["name"][:100] or "manage.py",
                scopes=options["scope"],
                sponsors=list({found.pk: found for found in map(_sponsor, options["sponsor"])}.values()),
                expires_at=options["expires"],
                at=timezone.now(),
            )
        except Invalid as error:
            raise CommandError(
                " ".join(str(text) for texts in error.fields.values() for text in texts)
            ) from error
        self.stdout.write(token)


def _day(text: str) -> datetime:
    """Return the last moment of a day."""
    return datetime.combine(date.fromisoformat(text), time.max, UTC)


def _sponsor(text: str) -> Sponsor:
    found = Sponsor.objects.filter(name=text).first()
    if found is None and text.isascii() and text.isdigit() and len(text) < 19:
        found = Sponsor.objects.filter(pk=int(text)).first()
    if found is None:
        raise CommandError(f"There is no sponsor {text}.")
    return found
