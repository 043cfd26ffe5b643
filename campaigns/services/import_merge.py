"""One chunk of a file into the tables, merged by sets out of the import's own table, in the caller's transaction.

Order of locks, as everywhere: bars, then prospects by id, then entries by id, then inserts. New records are nobody
else's yet, so they are written first, and the bars are taken as late as can be: agents and other workers wait for what
follows only. A chunk that fails by a deadlock or a race with another writer is simply run again.
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
from campaigns.services.import_stage import COLUMNS, NUMBER_ARRAYS, NUMBER_PARTS, match_rows, parts_of
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
    names = parts_of(target.job_id, line, last_line)
    with connection.cursor() as cursor:
        _take(cursor, names, target)
        _create(cursor, names, target)
        _tell(cursor, target, "created")
        # What is checked now is not checked while agents wait for the bars.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(_LOCK_BARS.format(**names))
        merged = Merged(updated=_update(cursor, names, target))
        _tell(cursor, target, "updated")
        merged.bars = _exclude(cursor, names, target)
        merged.consents = _consents(cursor, names, target)
        _record(cursor, names, target, merged)
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


# ---- what is to be done with each row

_OUTCOME = """
CASE WHEN s.reason <> '' OR m.first_line IS NOT NULL AND %(repeated)s = 'reject'
          OR m.elsewhere AND %(repeated)s = 'reject' THEN 'rejected'
     WHEN m.first_line IS NOT NULL OR m.elsewhere THEN 'duplicate'
     WHEN m.prospect_id IS NOT NULL THEN CASE WHEN %(mode)s = 'create' THEN 'unchanged' ELSE '' END
     WHEN %(mode)s = 'update' THEN 'rejected'
     ELSE 'created' END
"""
_REASON = """
CASE WHEN reason <> '' OR outcome NOT IN ('rejected', 'duplicate') THEN reason
     WHEN outcome = 'duplicate' THEN 'duplicate'
     WHEN first_line IS NOT NULL THEN 'duplicate_in_file'
     WHEN elsewhere THEN 'duplicate_known' ELSE 'unknown_record' END
"""
#: `fill`: a record of another supplier whose blanks the row fills.
_TAKE = f"""
DROP TABLE IF EXISTS import_now, import_change;
CREATE TEMPORARY TABLE import_now ON COMMIT DROP AS
SELECT line, outcome, {_REASON} AS reason, first_line, elsewhere, opt_out, barred, has_consent,
       outcome = 'duplicate' AND elsewhere AND first_line IS NULL AND %(repeated)s = 'merge' AS fill,
       CASE WHEN outcome = 'created' THEN nextval(pg_get_serial_sequence('crm_prospect', 'id'))
            WHEN first_line IS NULL THEN prospect_id END AS prospect_id, NULL::jsonb AS before
  FROM (SELECT s.line, s.reason, m.first_line, coalesce(m.elsewhere, false) AS elsewhere, m.prospect_id,
               s.opt_out OR coalesce(m.opt_out, false) AS opt_out, CASE WHEN %(tried)s THEN m.barred END AS barred,
               s.consent <> '' AS has_consent, {_OUTCOME} AS outcome
          FROM {{stage}} s LEFT JOIN {{match}} m ON m.line = s.line ORDER BY s.line) q;
CREATE UNIQUE INDEX ON import_now (line);
ANALYZE import_now
"""


def _take(cursor: CursorWrapper, names: dict[str, str], target: Target) -> None:
    options = target.options
    params = {"repeated": options.repeated, "mode": options.mode, "tried": target.call_list is None}
    cursor.execute(_TAKE.format(**names), params)


#: The bars of everybody in the chunk, in one ordered sweep: exclusive where the supplier says not to call (a rejected
#: or repeated row speaks for its person too), shared where a bar being written must be waited for.
_LOCK_BARS = """
SELECT count(CASE WHEN barred THEN pg_advisory_xact_lock(71, k) ELSE pg_advisory_xact_lock_shared(71, k) END)
  FROM (SELECT k, bool_or(barred) AS barred
          FROM (SELECT hashtext(u.number) & 1023 AS k, s.opt_out AS barred
                  FROM import_now n JOIN {stage} s USING (line), unnest(s.numbers) u(number)
                 UNION ALL
                SELECT hashint8(n.prospect_id) & 1023, n.opt_out FROM import_now n WHERE n.prospect_id IS NOT NULL
                 UNION ALL
                SELECT hashtext(x.number) & 1023, false FROM import_now n
                  JOIN crm_prospectnumber x ON x.prospect_id = n.prospect_id WHERE n.outcome = '' OR n.elsewhere) keys
         GROUP BY k ORDER BY k) s
"""


# ---- prospects

_INSERT = f"""
INSERT INTO crm_prospect (id, source_id, external_id, {", ".join(COLUMNS)}, attributes, erased_external_id,
                          confidential, preferred_channel, version, created_at, updated_at)
SELECT n.prospect_id, %(source)s, s.external_id, {", ".join(f"s.{name}" for name in COLUMNS)}, s.attributes, '',
       false, '', 1, %(at)s, %(at)s
  FROM import_now n JOIN {{stage}} s USING (line) WHERE n.outcome = 'created' ORDER BY line
"""

_NUMBERS = f"""unnest({", ".join(f"s.{name}" for name in NUMBER_ARRAYS)})
       WITH ORDINALITY u({", ".join(NUMBER_PARTS)}, position)"""

_INSERT_NUMBERS = f"""
INSERT INTO crm_prospectnumber (prospect_id, {", ".join(NUMBER_PARTS)}, position)
SELECT n.prospect_id, {", ".join(f"u.{name}" for name in NUMBER_PARTS)}, u.position - 1
  FROM import_now n JOIN {{stage}} s USING (line), {_NUMBERS} WHERE n.outcome = 'created'
"""

_REMEMBER_NEW = """
INSERT INTO campaigns_suppliedvalues (prospect_id, digests)
SELECT n.prospect_id, s.digests FROM import_now n JOIN {stage} s USING (line) WHERE n.outcome = 'created'
"""


def _create(cursor: CursorWrapper, names: dict[str, str], target: Target) -> None:
    cursor.execute(_INSERT.format(**names), {"source": target.source.pk, "at": target.at})
    cursor.execute(_INSERT_NUMBERS.format(**names))
    cursor.execute(_REMEMBER_NEW.format(**names))


def _supplied(name: str) -> str:
    """The new value of a column: the file's when the supplier's own value changed (to a blank too, where blanks count
    and it was none before), else what is there; for a record of another supplier only what was blank."""
    was, now = f"v.digests ->> '{name}'", f"s.digests ->> '{name}'"
    changed = f"s.digests ? '{name}' AND {was} IS DISTINCT FROM {now} AND ({now} <> '0' OR {was} IS NOT NULL)"
    return (
        f"CASE WHEN n.fill THEN coalesce(nullif(p.{name}, ''), s.{name}) WHEN {changed} THEN s.{name}"
        f" ELSE p.{name} END AS {name}"
    )


_CHANGED_ATTRIBUTES = """
(SELECT jsonb_object_agg(a.key, a.value) FROM jsonb_each(s.attributes) a
  WHERE v.digests ->> ('attributes.' || a.key) IS DISTINCT FROM s.digests ->> ('attributes.' || a.key))
"""
#: Attributes that the supplier blanked, where blanks count.
_BLANKED_ATTRIBUTES = """
(SELECT array_agg(substr(d.key, 12)) FROM jsonb_each_text(s.digests) d
  WHERE d.value = '0' AND d.key LIKE 'attributes.%' AND v.digests ->> d.key <> '0')
"""
#: Only records of which the supplier says something new are locked. What it said last is written by imports alone, of
#: which one at a time is at a supplier's records.
_CHANGES = f"""
CREATE TEMPORARY TABLE import_change ON COMMIT DROP AS
WITH known AS (
    SELECT p.* FROM crm_prospect p
     WHERE p.id IN (SELECT n.prospect_id FROM import_now n JOIN {{stage}} s USING (line)
                      LEFT JOIN campaigns_suppliedvalues v ON v.prospect_id = n.prospect_id
                     WHERE n.fill OR n.outcome = ''
                       AND (v.digests IS NULL OR v.digests IS DISTINCT FROM v.digests || s.digests))
       AND p.erased_at IS NULL
     ORDER BY p.id FOR NO KEY UPDATE)
SELECT p.id, n.line, n.fill, {", ".join(_supplied(name) for name in COLUMNS)},
       CASE WHEN n.fill THEN s.attributes || p.attributes
            ELSE (p.attributes || coalesce({_CHANGED_ATTRIBUTES}, '{{{{}}}}'))
                 - coalesce({_BLANKED_ATTRIBUTES}, '{{{{}}}}') END AS attributes,
       n.fill OR v.digests ->> 'phones' IS DISTINCT FROM s.digests ->> 'phones' AS phones_changed,
       false AS phones_added,
       jsonb_build_object({", ".join(f"'{name}', p.{name}" for name in (*COLUMNS, "attributes"))}) AS old
  FROM known p JOIN import_now n ON n.prospect_id = p.id AND (n.outcome = '' OR n.fill)
  JOIN {{stage}} s ON s.line = n.line
  LEFT JOIN campaigns_suppliedvalues v ON v.prospect_id = p.id
"""

_ADD_NUMBERS = f"""
WITH added AS (
    INSERT INTO crm_prospectnumber (prospect_id, {", ".join(NUMBER_PARTS)}, position)
    SELECT c.id, {", ".join(f"u.{name}" for name in NUMBER_PARTS)},
           u.position - 1 + CASE WHEN c.fill THEN 100 ELSE 0 END
      FROM import_change c JOIN {{stage}} s USING (line), {_NUMBERS} WHERE c.phones_changed
    ON CONFLICT (prospect_id, number) DO NOTHING RETURNING prospect_id)
UPDATE import_change c SET phones_added = true FROM added a WHERE a.prospect_id = c.id
"""

#: The supplier's numbers first, in its order; those found out on calls stay behind them. Another supplier's come last.
_ORDER_NUMBERS = """
UPDATE crm_prospectnumber x SET position = o.position
  FROM (SELECT y.id, row_number() OVER (PARTITION BY y.prospect_id
                     ORDER BY CASE WHEN c.fill THEN NULL ELSE array_position(s.numbers, y.number::text) END NULLS LAST,
                              y.position, y.id) - 1 AS position
          FROM import_change c JOIN crm_prospectnumber y ON y.prospect_id = c.id JOIN {stage} s USING (line)
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
      FROM changed c WHERE p.id = c.id RETURNING p.id, p.version),
noted AS (
    UPDATE import_now n SET outcome = CASE WHEN n.fill THEN n.outcome ELSE 'updated' END,
           before = c.old || jsonb_build_object('version', a.version)
      FROM changed c JOIN applied a USING (id) WHERE n.line = c.line)
SELECT id FROM applied ORDER BY id
"""

_REMEMBER = """
INSERT INTO campaigns_suppliedvalues AS v (prospect_id, digests)
SELECT c.id, s.digests FROM import_change c JOIN {stage} s USING (line) WHERE NOT c.fill
ON CONFLICT (prospect_id) DO UPDATE SET digests = v.digests || excluded.digests
 WHERE v.digests IS DISTINCT FROM v.digests || excluded.digests
"""


def _update(cursor: CursorWrapper, names: dict[str, str], target: Target) -> list[int]:
    """Change the records that were known; returns the ids of those that are different now."""
    cursor.execute("SELECT EXISTS (SELECT FROM import_now WHERE outcome = '' OR fill)")
    if not cursor.fetchone()[0]:
        return []
    cursor.execute(_CHANGES.format(**names))
    cursor.execute(_ADD_NUMBERS.format(**names))
    cursor.execute(_ORDER_NUMBERS.format(**names))
    cursor.execute(_APPLY, {"at": target.at})
    updated = [row[0] for row in cursor.fetchall()]
    cursor.execute(_REMEMBER.format(**names))
    cursor.execute("UPDATE import_now SET outcome = 'unchanged' WHERE outcome = ''")
    return updated


# ---- what the supplier says not to call

#: A bar that reaches at least as far as the one that the file asks for.
_BARRED = """
NOT EXISTS (SELECT FROM campaigns_exclusion x
             WHERE {what} AND x.lifted_at IS NULL AND (x.until IS NULL OR x.until > clock_timestamp())
               AND (x.scope = 'everywhere' OR (x.scope = 'sponsor' AND x.sponsor_id = %(sponsor)s)
                    OR (x.scope = 'programme' AND %(scope)s IN ('programme', 'campaign')
                        AND x.programme_id = %(in_programme)s)
                    OR (x.scope = 'campaign' AND %(scope)s = 'campaign' AND x.campaign_id = %(in_campaign)s)))
"""

_EXCLUDE = f"""
INSERT INTO campaigns_exclusion (scope, sponsor_id, programme_id, campaign_id, number, prospect_id, reason, note, since,
                                 created_by_id, import_ref, lift_reason)
SELECT %(scope)s, %(sponsor)s, %(programme)s, %(campaign)s, wanted.number, wanted.prospect_id, 'opposition', %(note)s,
       %(at)s, %(by)s, %(job)s, ''
  FROM (SELECT DISTINCT u.number, NULL::bigint AS prospect_id
          FROM import_now n JOIN {{stage}} s USING (line),
               unnest(CASE WHEN s.opt_out THEN s.numbers ELSE n.barred END) u(number)
         WHERE (s.opt_out OR n.barred IS NOT NULL) AND {_BARRED.format(what="x.number = u.number")}
         UNION ALL
        SELECT DISTINCT NULL, n.prospect_id FROM import_now n
         WHERE n.opt_out AND n.prospect_id IS NOT NULL
           AND {_BARRED.format(what="x.prospect_id = n.prospect_id")}) wanted
 ORDER BY wanted.prospect_id, wanted.number
RETURNING id, prospect_id
"""

_EXCLUSION_EVENTS = """
INSERT INTO crm_prospectevent (prospect_id, sponsor_id, at, by_id, kind, data)
SELECT id, %(sponsor)s, %(at)s, %(by)s, 'excluded', %(data)s::jsonb FROM unnest(%(prospects)s::bigint[]) id
"""


def _exclude(cursor: CursorWrapper, names: dict[str, str], target: Target) -> list[int]:
    """The person's own "do not call", told by the supplier, bars in the scope that was chosen; bars that stand stay as
    they are. Returns the ids of the new ones."""
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
    cursor.execute(_EXCLUDE.format(**names), params)
    bars = cursor.fetchall()
    prospects = [prospect for _bar, prospect in bars if prospect is not None]
    if prospects:
        data = {"reason": "opposition", "scope": scope, "source": target.source.name}
        cursor.execute(_EXCLUSION_EVENTS, {**params, "prospects": prospects, "data": json.dumps(data)})
    return [bar for bar, _prospect in bars]


_CONSENTS = """
SELECT n.prospect_id, s.consent::jsonb AS consent FROM import_now n JOIN {stage} s USING (line)
 WHERE n.has_consent AND n.prospect_id IS NOT NULL
"""


def _consents(cursor: CursorWrapper, names: dict[str, str], target: Target) -> dict[str, int]:
    cursor.execute("SELECT EXISTS (SELECT FROM import_now WHERE has_consent AND prospect_id IS NOT NULL)")
    if not cursor.fetchone()[0]:
        return {}
    found = import_consents(
        cursor,
        told=_CONSENTS.format(**names),
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


def _record(cursor: CursorWrapper, names: dict[str, str], target: Target, merged: Merged) -> None:
    cursor.execute(_IMPORT_ROWS, {"job": target.job_id})
    cursor.execute(_REFUSED.format(**names))
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
