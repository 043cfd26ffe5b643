"""`manage.py import_list`: a file into a campaign, in the foreground."""

import json
import sys
import time
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from campaigns.enums import ImportState
from campaigns.models import Campaign
from campaigns.rules.tabular import UnreadableFile
from campaigns.selectors.imports import rejects_csv, rejects_lines
from campaigns.services.campaigns import require_unclosed
from campaigns.services.import_merge import Target
from campaigns.services.imports import (
    Reading,
    check_source,
    dry_run,
    estimated_rows,
    read_layout,
    run_import,
    start_import,
    summary_of,
    unfinished_import,
    upload_import,
)
from crm.enums import Role
from crm.models import Source, User
from crm.rules.errors import DomainError
from crm.rules.phones import is_region
from crm.services.sponsors import create_source

UNREADABLE = 2
CONSOLE_USER = "console"


class Command(BaseCommand):
    """Imports a list and prints its summary; exit 0 when the file was read to its end, 2 when it is unreadable."""

    help = "Import a list of prospects (CSV) into a campaign. The last line on stdout is the summary, one JSON object."
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the contract's arguments, and `--by`."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--campaign", required=True, help="slug of the campaign")
        parser.add_argument(
            "--source",
            required=True,
            help="name or slug of the supplier; a new one belongs to the campaign's sponsor",
        )
        parser.add_argument(
            "--map", action="append", default=[], metavar="FIELD=HEADER", help="column of a field"
        )
        parser.add_argument("--region", default="FR", help="where national numbers belong (ISO 3166 alpha-2)")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, write nothing")
        parser.add_argument("--rejects", type=Path, help="write the rejected rows to this CSV")
        parser.add_argument("--by", default="", help="username that the import is noted under")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, import or try, print the summary."""
        campaign = self._campaign(options["campaign"])
        content = self._content(options["file"])
        region = self._region(options["region"])
        self._check_rejects(options["rejects"])
        try:
            reading = read_layout(content, self._mapping(options["map"]), region)
            require_unclosed(campaign)
            summary = self._import(campaign, content, reading, options)
        except UnreadableFile as error:
            raise CommandError(str(error), returncode=UNREADABLE) from error
        except DomainError as error:
            details = " ".join(str(message) for messages in error.fields.values() for message in messages)
            raise CommandError(details or str(error)) from error
        self.stdout.write(json.dumps(summary, ensure_ascii=False))

    def _import(
        self, campaign: Campaign, content: bytes, reading: Reading, options: dict[str, Any]
    ) -> dict[str, Any]:
        by = self._user(options["by"])
        with ProgressBar(self.stderr, estimated_rows(content, reading.layout)) as bar:
            if options["dry_run"]:
                return self._try(campaign, content, reading, options, by, bar)
            return self._run(campaign, content, reading, options, by, bar)

    def _try(
        self,
        campaign: Campaign,
        content: bytes,
        reading: Reading,
        options: dict[str, Any],
        by: User | None,
        bar: "ProgressBar",
    ) -> dict[str, Any]:
        at = timezone.now()
        with transaction.atomic():
            by = by or self._console_user()
            source = self._source(options["source"], campaign, by, at)
            check_source(campaign, source)
            target = Target(campaign, source, by, at, options["file"].name)
            counts = dry_run(content=content, reading=reading, target=target, progress=bar.show)
            transaction.set_rollback(True)
        if options["rejects"]:
            _write(options["rejects"], rejects_lines(reading.layout.headers, reading.rejects(content)))
        return summary_of(counts)

    def _run(
        self,
        campaign: Campaign,
        content: bytes,
        reading: Reading,
        options: dict[str, Any],
        by: User | None,
        bar: "ProgressBar",
    ) -> dict[str, Any]:
        by = by or self._console_user()
        at = timezone.now()
        source = self._source(options["source"], campaign, by, at)
        job = unfinished_import(campaign=campaign, source=source, content=content, reading=reading)
        if job is None:
            job = upload_import(
                campaign=campaign,
                source=source,
                name=options["file"].name,
                content=content,
                mapping=dict(zip(reading.layout.headers, reading.targets, strict=True)),
                region=reading.region,
                by=by,
                at=at,
            )
            job = start_import(job=job, by=by, at=at, wake_worker=False)
        counts = run_import(job_id=job.pk, at=at, take_over=True, progress=bar.show)
        job.refresh_from_db()
        if counts is None and job.state != ImportState.DONE:
            raise CommandError(f"import {job.pk} goes on in another process")
        if options["rejects"]:
            _write(options["rejects"], rejects_csv(job))
        return summary_of(job.counts)

    def _campaign(self, slug: str) -> Campaign:
        try:
            return Campaign.objects.select_related("programme__sponsor").get(slug=slug)
        except Campaign.DoesNotExist as error:
            raise CommandError(f"no campaign has the slug {slug!r}") from error

    def _content(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=UNREADABLE) from error

    def _region(self, text: str) -> str:
        region = text.upper()
        if not is_region(region):
            raise CommandError(f"--region takes the two letters of a country (ISO 3166), not {text!r}")
        return region

    def _check_rejects(self, path: Path | None) -> None:
        """Find out that the rejects cannot be written before anything else is."""
        try:
            if path is not None:
                path.touch()
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error

    def _mapping(self, pairs: list[str]) -> dict[str, str]:
        mapping = {}
        for pair in pairs:
            field, equals, header = pair.partition("=")
            if not equals or not field.strip() or not header.strip():
                raise CommandError(f"--map takes FIELD=HEADER, not {pair!r}")
            mapping[header.strip()] = field.strip()
        return mapping

    def _source(self, name: str, campaign: Campaign, by: User, at: datetime) -> Source:
        """Return the supplier of this slug, or of this name among those that the campaign may use: its sponsor's own,
        then the shared ones. One that is new is its sponsor's."""
        sponsor = campaign.programme.sponsor
        named = Source.objects.filter(Q(sponsor=sponsor) | Q(sponsor=None), name=name)
        known = Source.objects.filter(slug=name).first()
        known = known or named.order_by(F("sponsor").asc(nulls_last=True), "pk").first()
        return known or create_source(data={"name": name, "sponsor": sponsor}, by=by, at=at)

    def _user(self, username: str) -> User | None:
        if not username:
            return None
        try:
            return User.objects.get(username=username)
        except User.DoesNotExist as error:
            raise CommandError(f"no user is called {username!r}") from error

    def _console_user(self) -> User:
        """Whoever sits at the console is nobody that the application knows: a user that cannot log in stands for it."""
        user, made = User.objects.get_or_create(
            username=CONSOLE_USER, defaults={"role": Role.INTEGRATION, "is_active": False}
        )
        if made:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        return user


class ProgressBar:
    """Rows done on stderr, redrawn on a terminal, a line every ten seconds elsewhere."""

    width = 30

    def __init__(self, stream: OutputWrapper, total: int) -> None:
        """`total` rows are expected; it may be a little off."""
        self._stream, self._total = stream, total
        self._live = getattr(sys.stderr, "isatty", lambda: False)()
        self._shown_at = 0.0

    def __enter__(self) -> "ProgressBar":
        """Begin at nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the line that is being redrawn."""
        if self._live and self._shown_at:
            self._stream.write("", ending="\n")

    def show(self, done: int) -> None:
        """Draw `done` rows."""
        now = time.monotonic()
        if now - self._shown_at < (0.2 if self._live else 10) and done < self._total:
            return
        self._shown_at = now
        share = min(done / self._total, 1)
        bar = "█" * round(share * self.width) + "░" * (self.width - round(share * self.width))
        text = f"{bar} {share:4.0%}  {done:,}".replace(",", "\u202f")
        self._stream.write(("\r" if self._live else "") + text, ending="" if self._live else "\n")


def _write(path: Path, lines: Any) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)
