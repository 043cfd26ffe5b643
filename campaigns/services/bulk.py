"""Many prospects of a program at once, told apart by supplier and id: the rules and statements of an import, without a
file, a campaign or a list. Entries of known records follow as after any correction."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.rules.bulk_items import Item, ItemReader, Known, lacks_a_place
from campaigns.services.import_merge import refresh_statistics
from campaigns.services.import_stage import (
    BY_ID,
    COLUMNS,
    MATCH_COLUMNS,
    SAME_ID,
    SAME_OPT_OUT,
    STAGE_COLUMNS,
    STAGED,
    copied,
)
from campaigns.services.merging import (
    Stage,
    apply_changes,
    create_records,
    exclude_told,
    find_changes,
    is_to_be_done_again,
    lock_bars,
    lock_changed,
    take_rows,
)
from crm.models import Source, Sponsor, User
from crm.services.hooks import prospects_changed

logger = logging.getLogger(__name__)

MAX_RETRIES = 5
#: From so many new records on, if they double the table, the planner is told how the tables have grown.
MANY = 1_000

MORE = ("source_id", "sponsor_id", "expected", "preferred_channel", "confidential")
ROWS = Stage(
    stage="bulk_stage",
    match="bulk_match",
    source="s.source_id",
    sponsor="s.sponsor_id",
    columns=(*COLUMNS, "preferred_channel", "confidential"),
    # Two requests that bring the same new records wait for each other, and never both ways.
    order="s.source_id, s.external_id",
)

STATUSES = ("created", "updated", "unchanged", "error")
#: The outcomes of an import, as they are told here.
_STATUS = {"rejected": "error"}

UNKNOWN_SOURCE = _("Ce fournisseur n'existe pas.")
REPEATED = _("Répète l'élément %(index)d de la demande.")
STALE = _("La fiche n'est plus à cette version.")
ERASED = _("Cette fiche vient d'être effacée.")


@dataclass(slots=True)
class Result:
    """What became of an item: `status` is one of `STATUSES`; `id` and `version` are those of its record, None for an
    error about a record that is not there; messages by field."""

    index: int
    external_id: str | None
    status: str = "error"
    id: int | None = None
    version: int | None = None
    errors: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    warnings: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def upsert_prospects(
    *,
    items: Sequence[Any],
    sources: QuerySet[Source],
    sponsor: Sponsor | None = None,
    region: str = "FR",
    by: User,
    at: datetime,
) -> list[Result]:
    """Create or change the records that these items (JSON objects) mean by `source` and `external_id`; return what
    became of each, in their order. What is wrong with one keeps no other from being stored.

    `sources` are those that the caller sees: another one is as if it did not exist. A "do not call" holds for the
    sponsor of the source, for `sponsor` where that has none. All is one transaction, in a number of statements that
    does not grow with the items; it is done again when another writer got in between.
    """
    read = _read(items, sources, sponsor, region)
    for attempt in range(1, MAX_RETRIES + 1):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                return _merged(cursor, read, by=by, at=at)
        except (OperationalError, IntegrityError) as error:
            if attempt == MAX_RETRIES or not is_to_be_done_again(error):
                raise
            logger.info("bulk request done again after %s", type(error.__cause__).__name__)
            time.sleep(0.05 * attempt)
    raise AssertionError("unreachable")


# ---- whose the items are


def _read(
    items: Sequence[Any], sources: QuerySet[Source], sponsor: Sponsor | None, region: str
) -> list[Item]:
    reader = ItemReader(region)
    read = [reader.identify(index, raw) for index, raw in enumerate(items)]
    _find_sources(read, sources, sponsor)
    known = _known([item for item in read if item.is_identified and lacks_a_place(items[item.index])])
    for item, raw in zip(read, items, strict=True):
        reader.read(item, raw, known.get(item.index))
    return read


def _find_sources(items: Sequence[Item], sources: QuerySet[Source], sponsor: Sponsor | None) -> None:
    """Put the id of its source in the place of what each item named it by, and the sponsor of its "do not call"."""
    named = {item.source for item in items if item.source is not None}
    numbers = {
        int(text) for name in named if (text := str(name)).isascii() and text.isdigit() and len(text) < 19
    }
    slugs = {name for name in named if isinstance(name, str)}
    found = list(sources.filter(Q(slug__in=slugs) | Q(pk__in=numbers)))
    # A slug of digits goes before the id that it looks like.
    by_name: dict[int | str, Source] = {}
    for row in found:
        by_name |= {row.pk: row, str(row.pk): row}
    by_name |= {row.slug: row for row in found}
    for item in items:
        if item.source is None:
            continue
        source = by_name.get(item.source)
        item.source = source.pk if source else None
        if source is None:
            item.refuse("source", UNKNOWN_SOURCE)
        else:
            item.sponsor = source.sponsor_id or (sponsor.pk if sponsor else None)


#: One by one by the index, as in `BY_ID`: a join would read all records of the supplier.
_KNOWN = """
SELECT k.index, p.postal_code, p.country, coalesce(x.number, '')
  FROM unnest(%(indexes)s::integer[], %(sources)s::bigint[], %(ids)s::text[]) k(index, source, external_id),
       LATERAL (SELECT id, postal_code, country FROM crm_prospect
                 WHERE source_id = k.source AND external_id = k.external_id AND external_id <> '' LIMIT 1) p
  LEFT JOIN LATERAL (SELECT number FROM crm_prospectnumber n
                      WHERE n.prospect_id = p.id ORDER BY n.position, n.id LIMIT 1) x ON true
"""


def _known(items: Sequence[Item]) -> dict[int, Known]:
    """Where the records are that these items mean, by index, those that are there."""
    if not items:
        return {}
    keys: dict[str, Any] = {
        "indexes": [item.index for item in items],
        "sources": [item.source for item in items],
        "ids": [item.record.external_id for item in items],
    }
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, keys)
        return {index: Known(*place) for index, *place in cursor.fetchall()}


# ---- one transaction

_CREATE = f"""
DROP TABLE IF EXISTS {ROWS.stage}, {ROWS.match};
CREATE TEMPORARY TABLE {ROWS.stage} ({STAGE_COLUMNS}, source_id bigint NOT NULL, sponsor_id bigint, expected integer,
    preferred_channel text NOT NULL, confidential boolean NOT NULL) ON COMMIT DROP;
CREATE TEMPORARY TABLE {ROWS.match} ({MATCH_COLUMNS}) ON COMMIT DROP
"""

#: A version that is expected of a record that is not there, or of one that is erased, is that of no record.
_NOT_THERE = f"""
UPDATE import_now n SET outcome = 'rejected', reason = 'stale', prospect_id = NULL
  FROM {ROWS.stage} s WHERE s.line = n.line AND n.outcome = 'created' AND s.expected > 0
"""

#: Of which the supplier says nothing new: neither locked nor changed.
_NOTHING_NEW = f"""
UPDATE import_now n SET outcome = 'unchanged'
  FROM {ROWS.stage} s, campaigns_suppliedvalues v
 WHERE s.line = n.line AND v.prospect_id = n.prospect_id AND n.outcome = ''
   AND v.digests IS NOT DISTINCT FROM v.digests || s.digests
"""

#: The records being locked, those that may change.
_STALE = f"""
UPDATE import_now n
   SET outcome = 'rejected', reason = CASE WHEN p.erased_at IS NULL THEN 'stale' ELSE 'erased' END
  FROM {ROWS.stage} s, crm_prospect p
 WHERE s.line = n.line AND p.id = n.prospect_id AND n.outcome IN ('', 'unchanged')
   AND (s.expected > 0 AND s.expected <> p.version OR p.erased_at IS NOT NULL)
"""

_CREATED = """
INSERT INTO crm_prospectevent (prospect_id, at, by_id, kind, data)
SELECT n.prospect_id, %(at)s, %(by)s, 'created', jsonb_build_object('source', s.source_id)
  FROM import_now n JOIN bulk_stage s USING (line) WHERE n.outcome = 'created' ORDER BY n.prospect_id
"""

_NUMBERS_BEFORE = """
DROP TABLE IF EXISTS bulk_numbers;
CREATE TEMPORARY TABLE bulk_numbers ON COMMIT DROP AS
SELECT c.id, coalesce(array_agg(x.number ORDER BY x.position, x.id) FILTER (WHERE x.id IS NOT NULL), '{}') AS numbers
  FROM import_change c LEFT JOIN crm_prospectnumber x ON x.prospect_id = c.id WHERE c.phones_changed GROUP BY c.id
"""


def _moved(name: str) -> str:
    """The old and the new value of a column, NULL where they are one."""
    changed = f"(c.old ->> '{name}') IS DISTINCT FROM c.{name}::text"
    return f"'{name}', CASE WHEN {changed} THEN jsonb_build_array(c.old -> '{name}', c.{name}) END"


#: A line like that of any correction: old and new value by field, the numbers as lists.
_EDITED = f"""
INSERT INTO crm_prospectevent (prospect_id, at, by_id, kind, data)
SELECT c.id, %(at)s, %(by)s, 'edited', jsonb_build_object('changes',
       jsonb_strip_nulls(jsonb_build_object({", ".join(map(_moved, ROWS.columns))}))
       || CASE WHEN c.old -> 'attributes' = c.attributes THEN '{{}}'
               ELSE jsonb_build_object('attributes', jsonb_build_array(c.old -> 'attributes', c.attributes)) END
       || CASE WHEN NOT c.phones_added THEN '{{}}'
               ELSE jsonb_build_object('phones', jsonb_build_array(b.numbers, (
                   SELECT array_agg(x.number ORDER BY x.position, x.id) FROM crm_prospectnumber x
                    WHERE x.prospect_id = c.id))) END)
  FROM import_change c JOIN import_now n USING (line) LEFT JOIN bulk_numbers b ON b.id = c.id
 WHERE n.outcome = 'updated' ORDER BY c.id
"""

_TOLD = f"""
SELECT n.line, n.outcome, n.reason, n.first_line, p.id, p.version
  FROM import_now n LEFT JOIN {ROWS.match} m USING (line)
  LEFT JOIN crm_prospect p ON p.id = coalesce(n.prospect_id, m.prospect_id) ORDER BY n.line
"""


def _merged(cursor: CursorWrapper, items: Sequence[Item], *, by: User, at: datetime) -> list[Result]:
    told: dict[str, Any] = {"at": at, "by": by.pk}
    _stage(cursor, items)
    take_rows(cursor, ROWS, mode="both", repeated="reject")
    cursor.execute(_NOT_THERE)
    create_records(cursor, ROWS, told)
    cursor.execute(_CREATED, told)
    # What is checked now is not checked while agents wait for the bars.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute(_NOTHING_NEW)
    lock_bars(cursor, ROWS, judged=False)
    is_any = lock_changed(cursor, ROWS)
    cursor.execute(_STALE)
    updated = _update(cursor, told) if is_any else []
    _exclude(cursor, told)
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    if updated:
        prospects_changed(updated, at)
    cursor.execute(_TOLD)
    results = _results(items, cursor.fetchall())
    if sum(result.status == "created" for result in results) >= max(MANY, _known_of_table(cursor)):
        transaction.on_commit(refresh_statistics)
    return results


def _known_of_table(cursor: CursorWrapper) -> int:
    """How many prospects the planner believes there are."""
    cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = 'crm_prospect'::regclass")
    return int(cursor.fetchone()[0])


def _stage(cursor: CursorWrapper, items: Sequence[Item]) -> None:
    """Put the items that say whom they are about into the table, and find out whom they mean."""
    staged = [item for item in items if item.is_identified]
    cursor.execute(_CREATE)
    with cursor.cursor.copy(f"COPY {ROWS.stage} ({', '.join((*STAGED, *MORE))}) FROM STDIN") as copy:
        copy.write("".join([copied(item.record, _more(item)) for item in staged]))
    cursor.execute(f"ANALYZE {ROWS.stage} (line, reason, external_id, source_id)")
    everything: dict[str, Any] = {"line": 0, "last": len(items)}
    names = {"stage": ROWS.stage, "match": ROWS.match}
    cursor.execute(BY_ID.format(**names, source=ROWS.source), everything)
    cursor.execute(SAME_ID.format(**names, same="source_id, external_id"))
    cursor.execute(SAME_OPT_OUT.format(**names))


def _more(item: Item) -> list[str]:
    columns = item.record.columns
    # COPY's mark for NULL would be escaped with the rest: 0 stands for none.
    return [
        str(item.source),
        str(item.sponsor or 0),
        str(item.version or 0),
        columns.get("preferred_channel", ""),
        columns.get("confidential", "f"),
    ]


def _update(cursor: CursorWrapper, told: dict[str, Any]) -> list[int]:
    """Change the locked records; returns the ids of those that are different now."""
    find_changes(cursor, ROWS)
    cursor.execute(_NUMBERS_BEFORE)
    updated = apply_changes(cursor, ROWS, told)
    cursor.execute(_EDITED, told)
    return updated


def _exclude(cursor: CursorWrapper, told: dict[str, Any]) -> None:
    cursor.execute("SELECT EXISTS (SELECT FROM import_now WHERE opt_out)")
    if not cursor.fetchone()[0]:
        return
    place = dict.fromkeys(("programme", "campaign", "in_programme", "in_campaign", "job"))
    note = "« Ne pas appeler » dit par le fournisseur"
    data = {"reason": "opposition", "scope": "sponsor"}
    exclude_told(cursor, ROWS, {**told, **place, "scope": "sponsor", "note": note}, json.dumps(data))


# ---- what became of them

_Row = tuple[int, str, str, int | None, int | None, int | None]


def _results(items: Sequence[Item], rows: Sequence[_Row]) -> list[Result]:
    results = [
        Result(
            item.index, item.external_id, errors=item.errors, warnings={} if item.errors else item.warnings
        )
        for item in items
    ]
    for index, outcome, reason, first, prospect, version in rows:
        result = results[index]
        result.status = _STATUS.get(outcome, outcome)
        result.id, result.version = prospect, version
        if reason == "duplicate_in_file":
            result.errors = {"external_id": [REPEATED % {"index": first}]}
        elif reason in ("stale", "erased"):
            result.errors = {"version": [STALE]} if reason == "stale" else {"__all__": [ERASED]}
    return results
