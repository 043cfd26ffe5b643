"""A desk that brings lists into campaigns, and what became of their rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from campaigns.enums import ImportState
from campaigns.models import Campaign, ImportJob, ImportReject, ImportRow, Programme
from campaigns.rules.import_options import Options, options_of
from campaigns.services.import_work import OUTCOMES
from campaigns.services.imports import run_import, start_import, upload_import
from crm.enums import Role
from crm.models import Source, User
from tests.factories import NOW, make_campaign, make_programme, make_source, make_user

#: Names under which a preview and an import count rows.
COUNTED = ("rows", *OUTCOMES)


class Desk:
    """A campaign, a supplier whose records everybody may use, and a manager who imports."""

    def __init__(self, programme: Programme | None = None) -> None:
        self.programme: Programme = programme or make_programme()
        self.campaign: Campaign = make_campaign(self.programme)
        self.source: Source = make_source()
        self.manager: User = make_user(Role.MANAGER)

    def upload(
        self,
        text: str | bytes,
        *,
        into: Campaign | None = None,
        source: Source | None = None,
        at: datetime = NOW,
        mapping: dict[str, str] | None = None,
        **options: Any,
    ) -> ImportJob:
        """Upload a list; `options` are those of `Options`."""
        return upload_import(
            campaign=into or self.campaign,
            source=source or self.source,
            name="liste.csv",
            content=text.encode() if isinstance(text, str) else text,
            mapping=mapping,
            options=options_of(options) if options else Options(),
            by=self.manager,
            at=at,
        )

    def start(self, text: str | bytes, *, at: datetime = NOW, **given: Any) -> ImportJob:
        """Upload a list and start its import, at which nobody is."""
        return start_import(job=self.upload(text, at=at, **given), by=self.manager, at=at, wake_worker=False)

    def bring_in(self, text: str | bytes, *, at: datetime = NOW, **given: Any) -> ImportJob:
        """Import a list from its upload to its end; check what holds of every import."""
        job = self.start(text, at=at, **given)
        run_import(job_id=job.pk, at=at)
        job.refresh_from_db()
        check(job)
        return job


def check(job: ImportJob) -> None:
    """What holds of every import that is done: each row has one outcome and is found again by its line."""
    assert job.state == ImportState.DONE
    counts = job.counts
    assert counts["rows"] == job.total_rows == sum(counts[outcome] for outcome in OUTCOMES)
    assert sum(counts["rejected_by_reason"].values()) == counts["rejected"]
    rows = dict(ImportRow.objects.filter(job=job).values_list("line", "outcome"))
    rejects = dict(ImportReject.objects.filter(job=job).values_list("line", "reason"))
    found = {
        name: list(rows.values()).count(name) for name in ("created", "updated", "unchanged", "duplicate")
    }
    assert found == {
        "created": counts["created"],
        "updated": counts["updated"],
        "unchanged": counts["unchanged"],
        "duplicate": counts["duplicates"],
    }
    repeated = {line for line, outcome in rows.items() if outcome == "duplicate"}
    assert {line for line, reason in rejects.items() if reason == "duplicate"} == repeated
    assert len(rejects) == counts["rejected"] + counts["duplicates"]
    assert len(rows.keys() | rejects.keys()) == counts["rows"]


def outcomes(job: ImportJob) -> dict[int, str]:
    """What became of each line: its outcome, for a rejected one its reason."""
    rejects = ImportReject.objects.filter(job=job).exclude(reason="duplicate").values_list("line", "reason")
    return dict(ImportRow.objects.filter(job=job).values_list("line", "outcome")) | dict(rejects)
