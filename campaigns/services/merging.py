"""Rows that were read into a table, merged by sets into prospects, numbers and bars: the rules of an import and of a
bulk request, whose statements these are.

Order of locks, as everywhere: bars, then prospects by id, then entries by id, then inserts. New records are nobody
else's yet, so they are written first, and the bars are taken as late as can be: agents and other workers wait for what
follows only. All run in the caller's transaction and leave their temporary tables to the end of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import Error
from django.db.backends.utils import CursorWrapper

from campaigns.services.import_stage import COLUMNS, NUMBER_ARRAYS, NUMBER_PARTS


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the rows stand, as SQL that the statements are made of.

    `stage` holds what was read and `match` whom it means: tables, or parts of them. `source` is the supplier of a row
    `s` and `sponsor` the principal for whom its "do not call" holds; `columns` are what a row may fill, in both tables;
    `order` is that in which new records are written, the same for all who may write the same ones at once."""

    stage: str
    match: str
    source: str = "%(source)s"
    sponsor: str = "%(sponsor)s::bigint"
    columns: tuple[str, ...] = COLUMNS
    order: str = "n.line"


#: A deadlock, a serialization failure, the same new id, a lock not to be had.
_AGAIN = ("40P01", "40001", "23505", "55P03")


def is_to_be_done_again(error: Error) -> bool:
    """Whether another writer got in between, so that the same rows are simply merged again."""
    return getattr(error.__cause__, "sqlstate", "") in _AGAIN


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


def take_rows(cursor: CursorWrapper, rows: Stage, *, mode: str, repeated: str, tried: bool = False) -> None:
    """Say in `import_now` what becomes of each row (`outcome`: rejected, duplicate, unchanged, created; "" for a known
    record, which is still to be compared). `tried`: a preview, told also of bars that other rows ask for."""
    params: dict[str, Any] = {"mode": mode, "repeated": repeated, "tried": tried}
    cursor.execute(_TAKE.format(stage=rows.stage, match=rows.match), params)


#: The bars of everybody in the chunk, in one ordered sweep: exclusive where the supplier says not to call (a rejected
#: or repeated row speaks for its person too), shared where a bar being written must be waited for.
_LOCK_BARS = """
SELECT count(CASE WHEN barred THEN pg_advisory_xact_lock(71, k) ELSE pg_advisory_xact_lock_shared(71, k) END)
  FROM (SELECT k, bool_or(barred) AS barred
          FROM (SELECT hashtext(u.number) & 1023 AS k, s.opt_out AS barred
                  FROM import_now n JOIN {stage} s USING (line), unnest(s.numbers) u(number) WHERE {locked}
                 UNION ALL
                SELECT hashint8(n.prospect_id) & 1023, n.opt_out FROM import_now n
                 WHERE n.prospect_id IS NOT NULL AND {locked}
                 UNION ALL
                SELECT hashtext(x.number) & 1023, false FROM import_now n
                  JOIN crm_prospectnumber x ON x.prospect_id = n.prospect_id WHERE n.outcome = '' OR n.elsewhere) keys
         GROUP BY k ORDER BY k) s
"""


def lock_bars(cursor: CursorWrapper, rows: Stage, *, judged: bool) -> None:
    """Take the locks on the bars of these people and numbers. `judged`: every row is put into a list, where it stands
    against the bars; else only records that may change are."""
    locked = "true" if judged else "(n.outcome = '' OR n.opt_out)"
    cursor.execute(_LOCK_BARS.format(stage=rows.stage, locked=locked))


# ---- new prospects

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

#: Columns that only some rows may fill, and what is in them else.
_OTHERWISE = {"preferred_channel": "''", "confidential": "false"}


def _insert(rows: Stage) -> str:
    others = {name: value for name, value in _OTHERWISE.items() if name not in rows.columns}
    return f"""
INSERT INTO crm_prospect (id, source_id, external_id, {", ".join(rows.columns)}, attributes, erased_external_id,
                          {", ".join(others)}{"," if others else ""} version, created_at, updated_at)
SELECT n.prospect_id, {rows.source}, s.external_id, {", ".join(f"s.{name}" for name in rows.columns)}, s.attributes, '',
       {", ".join(others.values())}{"," if others else ""} 1, %(at)s, %(at)s
  FROM import_now n JOIN {rows.stage} s USING (line) WHERE n.outcome = 'created' ORDER BY {rows.order}
"""


def create_records(cursor: CursorWrapper, rows: Stage, params: dict[str, Any]) -> None:
    """Write the new records (`params`: `at`, and `source` where the stage does not tell it)."""
    cursor.execute(_insert(rows), params)
    cursor.execute(_INSERT_NUMBERS.format(stage=rows.stage))
    cursor.execute(_REMEMBER_NEW.format(stage=rows.stage))


# ---- known prospects

#: Of which records the supplier says something new: the others are neither locked nor changed.
_SAID_ANEW = "(v.digests IS NULL OR v.digests IS DISTINCT FROM v.digests || s.digests)"

#: What the supplier said last is read once the records are locked: of two who bring the same record at once, or of one
#: and a correction, each sees what the other did.
_LOCK_CHANGED = f"""
SELECT count(*) FROM (
    SELECT FROM crm_prospect p
     WHERE p.id IN (SELECT n.prospect_id FROM import_now n JOIN {{stage}} s USING (line)
                      LEFT JOIN campaigns_suppliedvalues v ON v.prospect_id = n.prospect_id
                     WHERE (n.fill OR n.outcome = '') AND {_SAID_ANEW})
     ORDER BY p.id FOR NO KEY UPDATE) q
"""


def lock_changed(cursor: CursorWrapper, rows: Stage) -> bool:
    """Lock, by id, the records of which the supplier says something new; returns whether any is to be compared."""
    cursor.execute("SELECT EXISTS (SELECT FROM import_now WHERE outcome = '' OR fill)")
    if not cursor.fetchone()[0]:
        return False
    cursor.execute(_LOCK_CHANGED.format(stage=rows.stage))
    return True


def _supplied(name: str) -> str:
    """The new value of a column: the row's when the supplier's own value changed (to a blank too, where blanks count
    and it was none before), else what is there; for a record of another supplier only what was blank."""
    was, now = f"v.digests ->> '{name}'", f"s.digests ->> '{name}'"
    changed = f"s.digests ? '{name}' AND {was} IS DISTINCT FROM {now} AND ({now} <> '0' OR {was} IS NOT NULL)"
    filled = f"p.{name}" if name == "confidential" else f"coalesce(nullif(p.{name}, ''), s.{name})"
    return f"CASE WHEN n.fill THEN {filled} WHEN {changed} THEN s.{name} ELSE p.{name} END AS {name}"


_CHANGED_ATTRIBUTES = """
(SELECT jsonb_object_agg(a.key, a.value) FROM jsonb_each(s.attributes) a
  WHERE v.digests ->> ('attributes.' || a.key) IS DISTINCT FROM s.digests ->> ('attributes.' || a.key))
"""
#: Attributes that the supplier blanked, where blanks count.
_BLANKED_ATTRIBUTES = """
(SELECT array_agg(substr(d.key, 12)) FROM jsonb_each_text(s.digests) d
  WHERE d.value = '0' AND d.key LIKE 'attributes.%' AND v.digests ->> d.key <> '0')
"""


def _changes(rows: Stage) -> str:
    return f"""
CREATE TEMPORARY TABLE import_change ON COMMIT DROP AS
SELECT p.id, n.line, n.fill, {", ".join(map(_supplied, rows.columns))},
       CASE WHEN n.fill THEN s.attributes || p.attributes
            ELSE (p.attributes || coalesce({_CHANGED_ATTRIBUTES}, '{{}}'))
                 - coalesce({_BLANKED_ATTRIBUTES}, '{{}}') END AS attributes,
       n.fill OR v.digests ->> 'phones' IS DISTINCT FROM s.digests ->> 'phones' AS phones_changed,
       false AS phones_added, {_object("p", rows)} AS old
  FROM import_now n JOIN {rows.stage} s ON s.line = n.line
  JOIN crm_prospect p ON p.id = n.prospect_id AND p.erased_at IS NULL
  LEFT JOIN campaigns_suppliedvalues v ON v.prospect_id = p.id
 WHERE (n.fill OR n.outcome = '') AND {_SAID_ANEW}
"""


def _object(table: str, rows: Stage) -> str:
    """What may change of a record, as a JSON object."""
    pairs = [f"'{name}', {table}.{name}" for name in (*rows.columns, "attributes")]
    return f"jsonb_build_object({', '.join(pairs)})"


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


def _apply(rows: Stage) -> str:
    return f"""
WITH changed AS (
    SELECT c.* FROM import_change c WHERE c.phones_added OR c.old <> {_object("c", rows)} ORDER BY c.id),
applied AS (
    UPDATE crm_prospect p SET {", ".join(f"{name} = c.{name}" for name in (*rows.columns, "attributes"))},
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


def find_changes(cursor: CursorWrapper, rows: Stage) -> None:
    """Say in `import_change` what each locked record becomes (its columns) and was (`old`)."""
    cursor.execute(_changes(rows))


def apply_changes(cursor: CursorWrapper, rows: Stage, params: dict[str, Any]) -> list[int]:
    """Change the records of `import_change` (`params`: `at`), remember what the supplier said; returns the ids of those
    that are different now, and says `updated` or `unchanged` of each row."""
    cursor.execute(_ADD_NUMBERS.format(stage=rows.stage))
    cursor.execute(_ORDER_NUMBERS.format(stage=rows.stage))
    cursor.execute(_apply(rows), params)
    updated = [row[0] for row in cursor.fetchall()]
    cursor.execute(_REMEMBER.format(stage=rows.stage))
    cursor.execute("UPDATE import_now SET outcome = 'unchanged' WHERE outcome = ''")
    return updated


# ---- what the supplier says not to call

#: A bar that reaches at least as far as the one that is asked for.
_BARRED = """
NOT EXISTS (SELECT FROM campaigns_exclusion x
             WHERE {what} AND x.lifted_at IS NULL AND (x.until IS NULL OR x.until > clock_timestamp())
               AND (x.scope = 'everywhere' OR (x.scope = 'sponsor' AND x.sponsor_id = {sponsor})
                    OR (x.scope = 'programme' AND %(scope)s IN ('programme', 'campaign')
                        AND x.programme_id = %(in_programme)s)
                    OR (x.scope = 'campaign' AND %(scope)s = 'campaign' AND x.campaign_id = %(in_campaign)s)))
"""


def _exclude(rows: Stage) -> str:
    number, prospect = (
        _BARRED.format(what=what, sponsor=rows.sponsor)
        for what in ("x.number = u.number", "x.prospect_id = n.prospect_id")
    )
    return f"""
INSERT INTO campaigns_exclusion (scope, sponsor_id, programme_id, campaign_id, number, prospect_id, reason, note, since,
                                 created_by_id, import_ref, lift_reason)
SELECT %(scope)s, wanted.sponsor_id, %(programme)s, %(campaign)s, wanted.number, wanted.prospect_id, 'opposition',
       %(note)s, %(at)s, %(by)s, %(job)s, ''
  FROM (SELECT DISTINCT u.number, NULL::bigint AS prospect_id, {rows.sponsor} AS sponsor_id
          FROM import_now n JOIN {rows.stage} s USING (line),
               unnest(CASE WHEN s.opt_out THEN s.numbers ELSE n.barred END) u(number)
         WHERE (s.opt_out OR n.barred IS NOT NULL) AND {number}
         UNION ALL
        SELECT DISTINCT NULL, n.prospect_id, {rows.sponsor} FROM import_now n JOIN {rows.stage} s USING (line)
         WHERE n.opt_out AND n.prospect_id IS NOT NULL
           AND {prospect}) wanted
 ORDER BY wanted.prospect_id, wanted.number
RETURNING id, prospect_id, sponsor_id
"""


_EXCLUSION_EVENTS = """
INSERT INTO crm_prospectevent (prospect_id, sponsor_id, at, by_id, kind, data)
SELECT id, sponsor, %(at)s, %(by)s, 'excluded', %(data)s::jsonb
  FROM unnest(%(prospects)s::bigint[], %(sponsors)s::bigint[]) told(id, sponsor)
"""


def exclude_told(cursor: CursorWrapper, rows: Stage, params: dict[str, Any], data: str) -> list[int]:
    """The person's own "do not call", told by the supplier, bars at once; bars that stand stay as they are. Returns the
    ids of the new ones.

    `params`: `scope`, the `programme` and `campaign` that it names, those that are called for (`in_programme`,
    `in_campaign`), `note`, `job`, `at`, `by`; `data` is what the timeline says, JSON."""
    cursor.execute(_exclude(rows), params)
    bars = cursor.fetchall()
    told = [(prospect, sponsor) for _bar, prospect, sponsor in bars if prospect is not None]
    if told:
        prospects, sponsors = map(list, zip(*told, strict=True))
        cursor.execute(
            _EXCLUSION_EVENTS, {**params, "prospects": prospects, "sponsors": sponsors, "data": data}
        )
    return [bar for bar, _prospect, _sponsor in bars]
