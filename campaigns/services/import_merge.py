"""One chunk of a file into the tables: copied to a staging table, merged by sets, all in the caller's transaction.

Order of locks, as everywhere: bars, then prospects by id, then entries by id, then inserts. A chunk that fails by a
deadlock or a race with another writer is simply run again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from campaigns.models import CallList, Campaign
from campaigns.rules.records import COLUMN_LENGTHS, Record
from crm.models import Source, User

COLUMNS = tuple(COLUMN_LENGTHS)

#: First key of the advisory lock that lets one chunk of a source be merged at a time; the second is the source's id.
SOURCE_LOCK = 73


@dataclass(frozen=True, slots=True)
class Target:
    """Where a file goes. `job_id` and `call_list` are None in a dry run, which leaves no trace anyway."""

    campaign: Campaign
    source: Source
    by: User
    at: datetime
    file_name: str
    job_id: int | None = None
    call_list: CallList | None = None

    @property
    def sponsor_id(self) -> int:
        """The principal for whom the campaign calls."""
        return self.campaign.programme.sponsor_id


@dataclass(slots=True)
class Merged:
    """What became of a chunk's rows: how many had each outcome; the prospects that were created, changed, met; the
    exclusions that its "do not call" column made."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    created: list[int] = field(default_factory=list)
    updated: list[int] = field(default_factory=list)
    met: list[int] = field(default_factory=list)
    bars: list[int] = field(default_factory=list)


def merge_records(*, records: Sequence[Record], target: Target) -> Merged:
    """Write prospects, numbers, the supplier's exclusions and the timeline for a chunk of records.

    Runs inside the caller's transaction and leaves its staging tables to the end of it. The list entries are the
    caller's next step. Errors of the database go through."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [SOURCE_LOCK, target.source.pk])
        _stage(cursor, records)
        _match(cursor, target)
        # New rows are nobody else's yet, so the bars are taken after them: agents wait for what follows only.
        _create(cursor, target)
        cursor.execute(_LOCK_BARS)
        _update(cursor, target)
        _remember(cursor)
        bars = _exclude(cursor, target)
        return _outcomes(cursor, bars)


def record_outcomes(*, target: Target) -> None:
    """Write what became of each row of the chunk, its rejects and the timeline. Same transaction as the merge."""
    with connection.cursor() as cursor:
        params = {"job": target.job_id}
        cursor.execute(_IMPORT_ROWS, params)
        cursor.execute(_REJECTS, params)
        data = {"import": target.job_id, "source": target.source.name, "campaign": target.campaign.pk}
        cursor.execute(
            _EVENTS,
            {"sponsor": target.sponsor_id, "at": target.at, "by": target.by.pk, "data": json.dumps(data)},
        )


def refresh_statistics() -> None:
    """Tell the planner how the tables have grown. A first import fills empty ones faster than autovacuum looks at them,
    and plans made for an empty table read the whole of a full one; so this comes after 1, 2, 4, 8 … chunks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE crm_prospect, crm_prospectnumber, campaigns_listentry, campaigns_exclusion,"
            " campaigns_suppliedvalues, campaigns_importrow"
        )


# ---- staging

_STAGE = f"""
DROP TABLE IF EXISTS import_stage, import_stage_number, import_change;
CREATE TEMPORARY TABLE import_stage (
    line integer PRIMARY KEY, reason text NOT NULL, reject_column text NOT NULL, reject_value text NOT NULL,
    original jsonb, first_line integer, external_id text NOT NULL, opt_out boolean NOT NULL,
    {", ".join(f"{name} text NOT NULL" for name in COLUMNS)},
    attributes jsonb NOT NULL, digests jsonb NOT NULL,
    prospect_id bigint, outcome text NOT NULL DEFAULT '', before jsonb
) ON COMMIT DROP;
CREATE TEMPORARY TABLE import_stage_number (
    line integer NOT NULL, position smallint NOT NULL, number text NOT NULL, raw text NOT NULL, kind text NOT NULL,
    validity text NOT NULL, extension text NOT NULL, note text NOT NULL
) ON COMMIT DROP;
"""

_STAGED_COLUMNS = (
    "line",
    "reason",
    "reject_column",
    "reject_value",
    "original",
    "first_line",
    "external_id",
    "opt_out",
    *COLUMNS,
    "attributes",
    "digests",
)


def _stage(cursor: CursorWrapper, records: Sequence[Record]) -> None:
    cursor.execute(_STAGE)
    with cursor.cursor.copy(f"COPY import_stage ({', '.join(_STAGED_COLUMNS)}) FROM STDIN") as copy:
        for record in records:
            copy.write_row(_staged(record))
    with cursor.cursor.copy("COPY import_stage_number FROM STDIN") as copy:
        for record in records:
            for position, number in enumerate(record.numbers):
                copy.write_row(
                    (
                        record.line,
                        position,
                        number.number,
                        number.raw[:200],
                        number.kind,
                        number.validity,
                        number.extension[:20],
                        number.note[:200],
                    )
                )
    cursor.execute("CREATE INDEX ON import_stage_number (line); ANALYZE import_stage, import_stage_number")


def _staged(record: Record) -> tuple[Any, ...]:
    columns = record.columns
    return (
        record.line,
        record.reason,
        record.column[:120],
        record.value[:300],
        record.original() if record.reason else None,
        record.first_line,
        record.external_id,
        record.opt_out,
        *(columns.get(name, "") for name in COLUMNS),
        json.dumps(record.attributes, ensure_ascii=False),
        json.dumps(record.digests()),
    )


# ---- whom a row means

_MATCH_ID = """
UPDATE import_stage s SET prospect_id = p.id
  FROM crm_prospect p
 WHERE p.source_id = %(source)s AND p.external_id = s.external_id AND p.external_id <> '' AND p.erased_at IS NULL
"""

#: Without an id, a number of the same supplier's records tells; one without an id first, then the oldest.
_MATCH_NUMBER = """
UPDATE import_stage s SET prospect_id = found.id
  FROM (SELECT DISTINCT ON (n.line) n.line, p.id
          FROM import_stage_number n
          JOIN import_stage r ON r.line = n.line AND r.external_id = '' AND r.reason = ''
          JOIN crm_prospectnumber x ON x.number = n.number
          JOIN crm_prospect p ON p.id = x.prospect_id AND p.source_id = %(source)s AND p.erased_at IS NULL
         ORDER BY n.line, p.external_id <> '', n.position, p.id) found
 WHERE s.line = found.line AND s.first_line IS NULL
"""

#: A later row of the file that turns out to mean the same prospect.
_MATCH_AGAIN = """
UPDATE import_stage s SET first_line = again.first_line
  FROM (SELECT line, min(line) OVER (PARTITION BY prospect_id) AS first_line
          FROM import_stage WHERE prospect_id IS NOT NULL AND reason = '' AND first_line IS NULL) again
 WHERE s.line = again.line AND again.first_line < again.line
"""

_MATCH_EARLIER_CHUNK = """
UPDATE import_stage s SET first_line = r.line
  FROM campaigns_importrow r
 WHERE r.job_id = %(job)s AND r.prospect_id = s.prospect_id AND r.outcome <> 'duplicate'
   AND s.reason = '' AND s.first_line IS NULL
"""

_NEW_IDS = """
UPDATE import_stage s SET outcome = 'created', prospect_id = fresh.id
  FROM (SELECT line, nextval(pg_get_serial_sequence('crm_prospect', 'id')) AS id
          FROM (SELECT line FROM import_stage
                 WHERE reason = '' AND first_line IS NULL AND prospect_id IS NULL ORDER BY line) new) fresh
 WHERE s.line = fresh.line
"""

_DUPLICATES = """
UPDATE import_stage s
   SET outcome = 'duplicate',
       prospect_id = coalesce(s.prospect_id, (SELECT f.prospect_id FROM import_stage f WHERE f.line = s.first_line),
                              (SELECT r.prospect_id FROM campaigns_importrow r
                                WHERE r.job_id = %(job)s AND r.line = s.first_line))
 WHERE s.first_line IS NOT NULL AND s.reason = ''
"""


def _match(cursor: CursorWrapper, target: Target) -> None:
    params = {"source": target.source.pk, "job": target.job_id}
    for statement in (_MATCH_ID, _MATCH_NUMBER, _MATCH_AGAIN):
        cursor.execute(statement, params)
    if target.job_id is not None:
        cursor.execute(_MATCH_EARLIER_CHUNK, params)
    cursor.execute(_NEW_IDS)
    cursor.execute(_DUPLICATES, params)
    cursor.execute("UPDATE import_stage SET outcome = 'rejected' WHERE reason <> ''")


#: The bars of everybody in the chunk, in one ordered sweep: exclusive where the supplier says not to call (a rejected
#: or repeated row speaks for its person too), shared where a bar being written must be waited for.
_LOCK_BARS = """
SELECT count(CASE WHEN barred THEN pg_advisory_xact_lock(71, k) ELSE pg_advisory_xact_lock_shared(71, k) END)
  FROM (SELECT k, bool_or(barred) AS barred
          FROM (SELECT hashtext(n.number) & 1023 AS k, s.opt_out AS barred
                  FROM import_stage s JOIN import_stage_number n USING (line)
                 UNION ALL
                SELECT hashint8(s.prospect_id) & 1023, s.opt_out FROM import_stage s WHERE s.prospect_id IS NOT NULL
                 UNION ALL
                SELECT hashtext(x.number) & 1023, false FROM import_stage s
                  JOIN crm_prospectnumber x ON x.prospect_id = s.prospect_id WHERE s.outcome = '') keys
         GROUP BY k ORDER BY k) s
"""


# ---- prospects

_INSERT = f"""
INSERT INTO crm_prospect (id, source_id, external_id, {", ".join(COLUMNS)}, attributes, erased_external_id,
                          confidential, preferred_channel, version, created_at, updated_at)
SELECT prospect_id, %(source)s, external_id, {", ".join(COLUMNS)}, attributes, '', false, '', 1, %(at)s, %(at)s
  FROM import_stage WHERE outcome = 'created' ORDER BY line
"""

_INSERT_NUMBERS = """
INSERT INTO crm_prospectnumber (prospect_id, number, raw, kind, validity, extension, note, position)
SELECT s.prospect_id, n.number, n.raw, n.kind, n.validity, n.extension, n.note, n.position
  FROM import_stage s JOIN import_stage_number n USING (line) WHERE s.outcome = 'created'
"""


def _create(cursor: CursorWrapper, target: Target) -> None:
    cursor.execute(_INSERT, {"source": target.source.pk, "at": target.at})
    cursor.execute(_INSERT_NUMBERS)


def _supplied(name: str) -> str:
    """The new value of a column: the file's when it has one and it is not what the supplier said last time."""
    changed = f"s.digests ? '{name}' AND v.digests ->> '{name}' IS DISTINCT FROM s.digests ->> '{name}'"
    return f"CASE WHEN {changed} THEN s.{name} ELSE p.{name} END AS {name}"


_CHANGES = f"""
CREATE TEMPORARY TABLE import_change ON COMMIT DROP AS
WITH known AS (
    SELECT p.* FROM crm_prospect p
     WHERE p.id IN (SELECT s.prospect_id FROM import_stage s WHERE s.outcome = '' AND s.reason = '')
     ORDER BY p.id FOR NO KEY UPDATE)
SELECT p.id, s.line, {", ".join(_supplied(name) for name in COLUMNS)},
       p.attributes || coalesce((SELECT jsonb_object_agg(a.key, a.value) FROM jsonb_each(s.attributes) a
                                  WHERE v.digests ->> ('attributes.' || a.key)
                                        IS DISTINCT FROM s.digests ->> ('attributes.' || a.key)), '{{}}') AS attributes,
       v.digests ->> 'phones' IS DISTINCT FROM s.digests ->> 'phones' AS phones_changed,
       false AS phones_added,
       jsonb_build_object({", ".join(f"'{name}', p.{name}" for name in (*COLUMNS, "attributes"))}) AS old
  FROM known p JOIN import_stage s ON s.prospect_id = p.id AND s.outcome = '' AND s.reason = ''
  LEFT JOIN campaigns_suppliedvalues v ON v.prospect_id = p.id
"""

_ADD_NUMBERS = """
WITH added AS (
    INSERT INTO crm_prospectnumber (prospect_id, number, raw, kind, validity, extension, note, position)
    SELECT c.id, n.number, n.raw, n.kind, n.validity, n.extension, n.note, n.position
      FROM import_change c JOIN import_stage_number n USING (line) WHERE c.phones_changed
    ON CONFLICT (prospect_id, number) DO NOTHING RETURNING prospect_id)
UPDATE import_change c SET phones_added = true FROM added a WHERE a.prospect_id = c.id
"""

#: The supplier's numbers first, in its order; those found out on calls stay behind them.
_ORDER_NUMBERS = """
UPDATE crm_prospectnumber x SET position = o.position
  FROM (SELECT y.id, row_number() OVER (PARTITION BY y.prospect_id ORDER BY n.position NULLS LAST, y.position, y.id) - 1
               AS position
          FROM import_change c JOIN crm_prospectnumber y ON y.prospect_id = c.id
          LEFT JOIN import_stage_number n ON n.line = c.line AND n.number = y.number
         WHERE c.phones_added) o
 WHERE x.id = o.id AND x.position <> o.position
"""

_NEW_VALUES = "jsonb_build_object({})".format(
    ", ".join(f"'{name}', c.{name}" for name in (*COLUMNS, "attributes"))
)

_APPLY = f"""
WITH changed AS (
    SELECT c.* FROM import_change c WHERE c.phones_added OR c.old <> {_NEW_VALUES} ORDER BY c.id),
applied AS (
    UPDATE crm_prospect p SET {", ".join(f"{name} = c.{name}" for name in (*COLUMNS, "attributes"))},
           version = p.version + 1, updated_at = %(at)s
      FROM changed c WHERE p.id = c.id RETURNING p.id, p.version)
UPDATE import_stage s SET outcome = 'updated', before = c.old || jsonb_build_object('version', a.version)
  FROM changed c JOIN applied a USING (id) WHERE s.line = c.line
"""


def _update(cursor: CursorWrapper, target: Target) -> None:
    cursor.execute(_CHANGES)
    cursor.execute(_ADD_NUMBERS)
    cursor.execute(_ORDER_NUMBERS)
    cursor.execute(_APPLY, {"at": target.at})
    cursor.execute("UPDATE import_stage SET outcome = 'unchanged' WHERE outcome = ''")


_REMEMBER = """
INSERT INTO campaigns_suppliedvalues AS v (prospect_id, digests)
SELECT prospect_id, digests FROM import_stage WHERE outcome IN ('created', 'updated', 'unchanged')
ON CONFLICT (prospect_id) DO UPDATE SET digests = v.digests || excluded.digests
 WHERE v.digests IS DISTINCT FROM v.digests || excluded.digests
"""


def _remember(cursor: CursorWrapper) -> None:
    cursor.execute(_REMEMBER)


# ---- what the supplier says not to call

_BARRED = """
NOT EXISTS (SELECT FROM campaigns_exclusion x
             WHERE {what} AND x.lifted_at IS NULL AND (x.until IS NULL OR x.until > clock_timestamp())
               AND (x.scope = 'everywhere' OR (x.scope = 'sponsor' AND x.sponsor_id = %(sponsor)s)))
"""

_EXCLUDE = f"""
INSERT INTO campaigns_exclusion (scope, sponsor_id, number, prospect_id, reason, note, since, created_by_id,
                                 import_ref, lift_reason)
SELECT 'sponsor', %(sponsor)s, wanted.number, wanted.prospect_id, 'opposition', %(note)s, %(at)s, %(by)s, %(job)s, ''
  FROM (SELECT DISTINCT n.number, NULL::bigint AS prospect_id
          FROM import_stage_number n JOIN import_stage s USING (line)
         WHERE s.opt_out AND {_BARRED.format(what="x.number = n.number")}
         UNION ALL
        SELECT DISTINCT NULL, s.prospect_id FROM import_stage s
         WHERE s.opt_out AND s.prospect_id IS NOT NULL
           AND {_BARRED.format(what="x.prospect_id = s.prospect_id")}) wanted
 ORDER BY wanted.prospect_id, wanted.number
RETURNING id, prospect_id
"""

_EXCLUSION_EVENTS = """
INSERT INTO crm_prospectevent (prospect_id, sponsor_id, at, by_id, kind, data)
SELECT id, %(sponsor)s, %(at)s, %(by)s, 'excluded', %(data)s::jsonb FROM unnest(%(prospects)s::bigint[]) id
"""


def _exclude(cursor: CursorWrapper, target: Target) -> list[int]:
    """The person's own "do not call", told by the supplier, bars for the sponsor; bars that stand stay as they are.

    Returns the ids of the new ones."""
    params: dict[str, Any] = {
        "sponsor": target.sponsor_id,
        "at": target.at,
        "by": target.by.pk,
        "job": target.job_id,
        "note": f"« Ne pas appeler » dans {target.file_name}"[:300],
    }
    cursor.execute(_EXCLUDE, params)
    bars = cursor.fetchall()
    prospects = [prospect for _bar, prospect in bars if prospect is not None]
    if prospects:
        data = {"reason": "opposition", "scope": "sponsor", "source": target.source.name}
        cursor.execute(_EXCLUSION_EVENTS, {**params, "prospects": prospects, "data": json.dumps(data)})
    return [bar for bar, _prospect in bars]


# ---- what became of it

_OUTCOMES = """
SELECT outcome, reason, prospect_id FROM import_stage ORDER BY line
"""


def _outcomes(cursor: CursorWrapper, bars: list[int]) -> Merged:
    merged = Merged(bars=bars)
    cursor.execute(_OUTCOMES)
    for outcome, reason, prospect_id in cursor.fetchall():
        merged.outcomes[outcome] += 1
        if reason:
            merged.reasons[reason] += 1
            continue
        if outcome == "created":
            merged.created.append(prospect_id)
        elif outcome == "updated":
            merged.updated.append(prospect_id)
        if outcome != "duplicate":
            merged.met.append(prospect_id)
    return merged


_IMPORT_ROWS = """
INSERT INTO campaigns_importrow (job_id, line, outcome, prospect_id, before)
SELECT %(job)s, line, outcome, prospect_id, before FROM import_stage WHERE reason = '' ORDER BY line
"""

_REJECTS = """
INSERT INTO campaigns_importreject (job_id, line, reason, "column", value, row)
SELECT %(job)s, line, reason, reject_column, reject_value, original FROM import_stage WHERE reason <> '' ORDER BY line
"""

_EVENTS = """
INSERT INTO crm_prospectevent (prospect_id, sponsor_id, at, by_id, kind, data)
SELECT prospect_id, %(sponsor)s, %(at)s, %(by)s, 'imported',
       %(data)s::jsonb || jsonb_build_object('outcome', outcome, 'line', line)
  FROM import_stage WHERE outcome IN ('created', 'updated') ORDER BY line
"""
