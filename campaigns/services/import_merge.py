"""One chunk of a file into the tables, merged by sets out of the import's own table, in the caller's transaction.

The statements are those of `merging`. A chunk that fails by a deadlock or a race with another writer is simply run
again.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from campaigns.models import CallList, Campaign, ImportJob
from campaigns.rules.import_options import Options, options_of
from campaigns.services.consents import import_consents
from campaigns.services.import_stage import match_rows, parts_of
from campaigns.services.merging import (
    Stage,
    apply_changes,
    create_records,
    exclude_told,
    find_changes,
    lock_bars,
    lock_changed,
    take_rows,
)
from crm.models import Source, User


@dataclass(frozen=True, slots=True)
class Target:
    """Where the rows of an import go, and how. `call_list` is None in a preview, which leaves no trace anyway."""

    job_id: int
    campaign: Campaign
    source: Source
    by: User
    at: datetime
    file_name: str
    options: Options
    call_list: CallList | None = None

    @property
    def sponsor_id(self) -> int:
        """The principal for whom the campaign calls."""
        return self.campaign.programme.sponsor_id


def target_of(job: ImportJob, at: datetime) -> Target:
    """Return where an import goes."""
    return Target(
        job_id=job.pk,
        campaign=job.campaign,
        source=job.source,
        by=job.by,
        at=at,
        file_name=job.file.name,
        options=options_of(job.options),
        call_list=job.call_list,
    )


@dataclass(slots=True)
class Merged:
    """What became of a chunk's rows: how many had each outcome; the prospects that were created, changed, met; the
    exclusions that its "do not call" column made; what became of the consents that it told."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    created: list[int] = field(default_factory=list)
    updated: list[int] = field(default_factory=list)
    met: list[int] = field(default_factory=list)
    bars: list[int] = field(default_factory=list)
    consents: dict[str, int] = field(default_factory=dict)
    #: Rows that were not taken: line, reason, column, value.
    refused: list[tuple[int, str, str, str]] = field(default_factory=list)


def merge_rows(*, target: Target, line: int, last_line: int) -> Merged:
    """Write prospects, numbers, the supplier's exclusions and consents, and the timeline for the rows from a line to
    another, and what became of each.

    Runs inside the caller's transaction and leaves its temporary tables to the end of it. The list entries are the
    caller's next step. Errors of the database go through."""
    parts, options = parts_of(target.job_id, line, last_line), target.options
    rows = Stage(parts["stage"], parts["match"])
    params = {"source": target.source.pk, "at": target.at}
    with connection.cursor() as cursor:
        tried = target.call_list is None
        take_rows(cursor, rows, mode=options.mode, repeated=options.repeated, tried=tried)
        create_records(cursor, rows, params)
        _tell(cursor, target, "created")
        # What is checked now is not checked while agents wait for the bars.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        lock_bars(cursor, rows, judged=True)
        merged = Merged()
        if lock_changed(cursor, rows):
            find_changes(cursor, rows)
            merged.updated = apply_changes(cursor, rows, params)
        _tell(cursor, target, "updated")
        merged.bars = _exclude(cursor, rows, target)
        merged.consents = _consents(cursor, rows, target)
        _record(cursor, rows, target, merged)
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        return merged


def refresh_statistics() -> None:
    """Tell the planner how the tables have grown. A first import fills empty ones faster than autovacuum looks at them,
    and plans made for an empty table read the whole of a full one; so this comes after 1, 4, 16 … chunks. Only what
    rows are looked up by is looked at."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE crm_prospect (id, source_id, external_id), crm_prospectnumber (prospect_id, number),"
            " campaigns_listentry (campaign_id, prospect_id, state), campaigns_exclusion (number, prospect_id),"
            " campaigns_suppliedvalues (prospect_id), campaigns_importrow (job_id, prospect_id)"
        )


def match_late(job: ImportJob, line: int, last_line: int) -> None:
    """Look again whom the rows mean: somebody else has written one of them meanwhile."""
    match_rows(job, options_of(job.options), line, last_line)


def _exclude(cursor: CursorWrapper, rows: Stage, target: Target) -> list[int]:
    """The person's own "do not call" bars in the scope that was chosen; returns the ids of the new bars."""
    scope, campaign = target.options.opt_out_scope, target.campaign
    params: dict[str, Any] = {
        "scope": scope,
        "sponsor": target.sponsor_id,
        "programme": None if scope == "sponsor" else campaign.programme_id,
        "campaign": campaign.pk if scope == "campaign" else None,
        "in_programme": campaign.programme_id,
        "in_campaign": campaign.pk,
        "at": target.at,
        "by": target.by.pk,
        "job": target.job_id,
        "note": f"« Ne pas appeler » dans {target.file_name}"[:300],
    }
    data = {"reason": "opposition", "scope": scope, "source": target.source.name}
    return exclude_told(cursor, rows, params, json.dumps(data))


_CONSENTS = """
SELECT n.prospect_id, s.consent::jsonb AS consent FROM import_now n JOIN {stage} s USING (line)
 WHERE n.has_consent AND n.prospect_id IS NOT NULL
"""


def _consents(cursor: CursorWrapper, rows: Stage, target: Target) -> dict[str, int]:
    cursor.execute("SELECT EXISTS (SELECT FROM import_now WHERE has_consent AND prospect_id IS NOT NULL)")
    if not cursor.fetchone()[0]:
        return {}
    found = import_consents(
        cursor,
        told=_CONSENTS.format(stage=rows.stage),
        params={},
        sponsor_id=target.sponsor_id,
        source_id=target.source.pk,
        import_ref=target.job_id,
        by_id=target.by.pk,
        at=target.at,
    )
    return found.as_json()


# ---- what became of it

_EVENTS = """
INSERT INTO crm_prospectevent (prospect_id, sponsor_id, at, by_id, kind, data)
SELECT prospect_id, %(sponsor)s, %(at)s, %(by)s, 'imported',
       %(data)s::jsonb || jsonb_build_object('outcome', outcome, 'line', line)
  FROM import_now WHERE outcome = %(outcome)s ORDER BY line
"""


def _tell(cursor: CursorWrapper, target: Target, outcome: str) -> None:
    """Write into the timelines what the import made of these prospects."""
    data: dict[str, Any] = {
        "import": target.job_id,
        "source": target.source.name,
        "campaign": target.campaign.pk,
    }
    params: dict[str, Any] = {"sponsor": target.sponsor_id, "at": target.at, "by": target.by.pk}
    cursor.execute(_EVENTS, params | {"outcome": outcome, "data": json.dumps(data)})


_IMPORT_ROWS = """
INSERT INTO campaigns_importrow (job_id, line, outcome, prospect_id, before)
SELECT %(job)s, line, outcome, prospect_id, before FROM import_now WHERE outcome <> 'rejected' ORDER BY line
"""

_REFUSED = """
SELECT n.line, n.reason, s.reject_column, coalesce(n.first_line::text, s.reject_value)
  FROM import_now n JOIN {stage} s USING (line) WHERE n.reason <> '' ORDER BY n.line
"""
_OUTCOMES = (
    "SELECT outcome, reason, prospect_id, elsewhere AND first_line IS NULL FROM import_now ORDER BY line"
)


def _record(cursor: CursorWrapper, rows: Stage, target: Target, merged: Merged) -> None:
    cursor.execute(_IMPORT_ROWS, {"job": target.job_id})
    cursor.execute(_REFUSED.format(stage=rows.stage))
    merged.refused = cursor.fetchall()
    cursor.execute(_OUTCOMES)
    for outcome, reason, prospect_id, elsewhere in cursor.fetchall():
        merged.outcomes[outcome] += 1
        if outcome == "rejected":
            merged.reasons[reason] += 1
        elif outcome != "duplicate" or elsewhere:
            merged.met.append(prospect_id)
            if outcome == "created":
                merged.created.append(prospect_id)
