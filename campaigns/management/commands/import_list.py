"""`manage.py import_list`: a file into a campaign, in the foreground."""

import json
import multiprocessing
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from campaigns.enums import ImportState
from campaigns.models import Campaign, ImportJob
from campaigns.rules.formats import UnreadableFile
from campaigns.rules.import_options import CHOICES, options_of
from campaigns.selectors.imports import imports_ahead, rejects_csv
from campaigns.services.import_work import Step, work_on
from campaigns.services.imports import (
    discard_upload,
    preview_import,
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
#: A smaller file is done in a moment.
WORTH_HELP_BYTES = 512 * 1024
HELP = {
    "mode": "create and update records, or only one of them",
    "blank": "what a blank cell does to a value that the supplier gave before",
    "repeated": "of rows that mean the same prospect the first wins, the others fill its blanks, or are rejected",
    "among": "where a row without an id is recognised by its number",
    "opt_out_scope": "how far the file's 'do not call' reaches",
}
CONSOLE_USER = "console"


class Command(BaseCommand):
    """Imports a list and prints its summary; exit 0 when the file was read to its end, 2 when it is unreadable."""

    help = "Import a list (text or workbook) into a campaign. The last line on stdout is the summary, one JSON object."
    requires_migrations_checks = True
    #: URLs and the like are of no concern here, and loading them takes longer than reading a short list.
    requires_system_checks = ()

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
        parser.add_argument("--sheet", default="", help="sheet of a workbook; the first that holds something")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, write nothing")
        parser.add_argument("--rejects", type=Path, help="write the rejected rows to this CSV")
        parser.add_argument("--duplicates", type=Path, help="write the rows that repeat another to this CSV")
        for name, choices in CHOICES.items():
            parser.add_argument(f"--{name.replace('_', '-')}", choices=choices, help=HELP[name])
        parser.add_argument(
            "--jobs", type=int, default=min(4, os.cpu_count() or 1), help="processes that share a long file"
        )
        parser.add_argument("--by", default="", help="username that the import is noted under")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, import or try, print the summary."""
        campaign = self._campaign(options["campaign"])
        self._check_writable(options["rejects"], options["duplicates"])
        with self._opened(options["file"]) as content:
            try:
                summary = self._import(campaign, content, options)
            except UnreadableFile as error:
                raise CommandError(str(error), returncode=UNREADABLE) from error
            except DomainError as error:
                details = " ".join(str(message) for messages in error.fields.values() for message in messages)
                raise CommandError(details or str(error)) from error
        self.stdout.write(json.dumps(summary, ensure_ascii=False))

    def _import(self, campaign: Campaign, content: BinaryIO, options: dict[str, Any]) -> dict[str, Any]:
        if options["dry_run"]:
            with transaction.atomic():
                summary = self._try(self._job(campaign, content, options), options)
                transaction.set_rollback(True)
            return summary
        job = self._job(campaign, content, options)
        if unfinished := unfinished_import(job):
            discard_upload(job=job)
        return self._run(unfinished or job, options)

    @transaction.atomic
    def _job(self, campaign: Campaign, content: BinaryIO, options: dict[str, Any]) -> ImportJob:
        by, at = self._user(options["by"]), timezone.now()
        return upload_import(
            campaign=campaign,
            source=self._source(options["source"], campaign, by, at),
            name=options["file"].name,
            content=content,
            mapping=self._mapping(options["map"]),
            region=self._region(options["region"]),
            options=options_of({name: options[name] for name in CHOICES if options[name]}),
            sheet=options["sheet"],
            by=by,
            at=at,
        )

    def _try(self, job: ImportJob, options: dict[str, Any]) -> dict[str, Any]:
        with ProgressBar(self.stderr, job) as bar:
            counts = preview_import(job=job, by=job.by, at=timezone.now(), progress=bar.show)
        self._write_refused(job, options)
        return summary_of(counts)

    def _run(self, job: ImportJob, options: dict[str, Any]) -> dict[str, Any]:
        start_import(job=job, by=job.by, at=timezone.now(), wake_worker=False)
        with ProgressBar(self.stderr, job) as bar, helpers(job, options["jobs"]):
            while (counts := run_import(job_id=job.pk, at=timezone.now(), progress=bar.show)) is None:
                job.refresh_from_db()
                if job.state == ImportState.DONE:
                    # Somebody else ended it between the two looks.
                    continue
                if job.state != ImportState.RUNNING:
                    raise CommandError(job.error or f"import {job.pk} is {job.state}")
                if earlier := imports_ahead(job).order_by("call_list").first():
                    # It may have no worker: who waits for it helps it.
                    run_import(job_id=earlier.pk, at=timezone.now())
                time.sleep(0.1)
        job.refresh_from_db()
        self._write_refused(job, options)
        return summary_of(counts)

    def _write_refused(self, job: ImportJob, options: dict[str, Any]) -> None:
        if options["rejects"]:
            _write(options["rejects"], rejects_csv(job))
        if options["duplicates"]:
            _write(options["duplicates"], rejects_csv(job, duplicates=True))

    def _campaign(self, slug: str) -> Campaign:
        try:
            return Campaign.objects.select_related("programme__sponsor").get(slug=slug)
        except Campaign.DoesNotExist as error:
            raise CommandError(f"no campaign has the slug {slug!r}") from error

    @contextmanager
    def _opened(self, path: Path) -> Iterator[BinaryIO]:
        try:
            with path.open("rb") as content:
                yield content
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=UNREADABLE) from error

    def _region(self, text: str) -> str:
        region = text.upper()
        if not is_region(region):
            raise CommandError(f"--region takes the two letters of a country (ISO 3166), not {text!r}")
        return region

    def _check_writable(self, *paths: Path | None) -> None:
        """Find out that a result cannot be written before anything else is."""
        for path in filter(None, paths):
            try:
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

    def _user(self, username: str) -> User:
        if not username:
            return self._console_user()
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
    """Rows done on stderr with their rate and the time that is left, redrawn on a terminal, a line every ten seconds
    elsewhere."""

    width = 30

    def __init__(self, stream: OutputWrapper, job: ImportJob) -> None:
        """Show how far `job` is."""
        self._stream, self._job, self._total = stream, job, 0
        self._live = getattr(sys.stderr, "isatty", lambda: False)()
        self._began, self._shown_at = time.monotonic(), 0.0

    def __enter__(self) -> "ProgressBar":
        """Begin at nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the line that is being redrawn."""
        if self._live and self._shown_at:
            self._stream.write("", ending="\n")

    def show(self, done: int) -> None:
        """Draw `done` rows."""
        if not self._total:
            self._job.refresh_from_db(fields=["total_rows"])
            self._total = max(self._job.total_rows, 1)
        now = time.monotonic()
        if now - self._shown_at < (0.2 if self._live else 10) and done < self._total:
            return
        self._shown_at = now
        share, rate = min(done / self._total, 1), done / max(now - self._began, 0.001)
        bar = "█" * round(share * self.width) + "░" * (self.width - round(share * self.width))
        text = f"{bar} {share:4.0%}  {done:,} / {self._total:,}".replace(",", "\u202f")
        if done:
            left = timedelta(seconds=round((self._total - done) / rate))
            text += f"  {rate:,.0f}/s  {left}".replace(",", "\u202f")
        self._stream.write(("\r" if self._live else "") + text, ending="" if self._live else "\n")


@contextmanager
def helpers(job: ImportJob, processes: int) -> Iterator[None]:
    """Have further processes work on a long import beside this one, until it ends."""
    count = processes - 1 if job.file.size > WORTH_HELP_BYTES else 0
    if count:
        # Forked, they begin at once; each opens connections of its own.
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL has one.
    fork = multiprocessing.get_context("fork")
    found = [fork.Process(target=_help, args=(job.pk,), daemon=True) for _ in range(count)]
    for process in found:
        process.start()
    try:
        yield
    finally:
        for process in found:
            process.terminate()
            process.join()


def _help(job_id: int) -> None:
    """Work on an import, and wait while others are at what is left."""
    while work_on(job_id=job_id, at=timezone.now()) is not Step.OVER:
        time.sleep(0.1)


def _write(path: Path, lines: Any) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)
