"""A file's rows in a table of their own, and which of them mean the same prospect.

Each import has two tables while it is under way. `import_stage_N` holds its rows, read and repaired; it is not logged,
for it can be read anew from the file after a crash. `import_match_N` holds what was found out by looking at all rows
and at the records that were there before; it is logged, for that must not be asked twice: what this import has written
meanwhile would answer otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.backends.utils import CursorWrapper

from campaigns.models import ImportJob
from campaigns.rules.import_options import Options
from campaigns.rules.records import COLUMN_LENGTHS, Record
from crm.models import Source
from crm.rules.phones import ParsedNumber

COLUMNS = tuple(COLUMN_LENGTHS)
#: The parts of a number, in parallel arrays.
NUMBER_PARTS = ("number", "raw", "kind", "validity", "extension", "note")
NUMBER_ARRAYS = ("numbers", "raws", "kinds", "validities", "extensions", "notes")

STAGED = (
    "line",
    "reason",
    "reject_column",
    "reject_value",
    "external_id",
    "opt_out",
    "consent",
    *COLUMNS,
    "attributes",
    "digests",
    *NUMBER_ARRAYS,
)

#: What the two tables of rows have, those of an import as those of a bulk request.
STAGE_COLUMNS = f"""
    line integer PRIMARY KEY, reason text NOT NULL, reject_column text NOT NULL, reject_value text NOT NULL,
    external_id text NOT NULL, opt_out boolean NOT NULL, consent text NOT NULL,
    {", ".join(f"{name} text NOT NULL" for name in COLUMNS)},
    attributes jsonb NOT NULL, digests jsonb NOT NULL,
    {", ".join(f"{name} text[] NOT NULL" for name in NUMBER_ARRAYS)}
"""
MATCH_COLUMNS = """
    line integer PRIMARY KEY, taken boolean NOT NULL DEFAULT true, prospect_id bigint,
    elsewhere boolean NOT NULL DEFAULT false, first_line integer, opt_out boolean NOT NULL DEFAULT false,
    barred text[] NOT NULL DEFAULT '{}'
"""
_CREATE = """
CREATE UNLOGGED TABLE IF NOT EXISTS {stage} ({stage_columns}) WITH (autovacuum_enabled = off);
CREATE TABLE IF NOT EXISTS {match} ({match_columns}) WITH (autovacuum_enabled = off);
"""


class StageLost(Exception):
    """The rows that were read are gone: the server crashed, and they must be read again."""


def names_of(job_id: int) -> dict[str, str]:
    """Return the names of an import's two tables, `stage` and `match`."""
    return {"stage": f"import_stage_{job_id:d}", "match": f"import_match_{job_id:d}"}


def parts_of(job_id: int, line: int, last_line: int) -> dict[str, str]:
    """Return what stands for the two tables where only the rows of a chunk are meant. Joined by line without its ends
    said, each statement would read the table from its beginning."""
    part = f"(SELECT * FROM {{name}} WHERE line BETWEEN {line:d} AND {last_line:d})"
    return {table: part.format(name=name) for table, name in names_of(job_id).items()}


def create_tables(job_id: int) -> None:
    """Make the tables of an import."""
    with connection.cursor() as cursor:
        columns = {"stage_columns": STAGE_COLUMNS, "match_columns": MATCH_COLUMNS}
        cursor.execute(_CREATE.format(**names_of(job_id), **columns))


def drop_tables(job_id: int) -> None:
    """Drop the tables of an import that is over, or was never begun."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS {stage}, {match}".format(**names_of(job_id)))


def forget_rows(job_id: int) -> None:
    """Empty both tables: the file is to be read otherwise."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE {stage}, {match}".format(**names_of(job_id)))


def forget_matches(job_id: int) -> None:
    """Empty what was found out about the rows: it is to be asked again."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE {match}".format(**names_of(job_id)))


def staged_rows(job_id: int, line: int = 0, last_line: int = 2**31 - 1) -> int:
    """Count the rows that are there, from a line to another."""
    with connection.cursor() as cursor:
        sql = "SELECT count(*) FROM {stage} WHERE line BETWEEN %s AND %s".format(**names_of(job_id))
        cursor.execute(sql, [line, last_line])
        return int(cursor.fetchone()[0])


# ---- rows into the table


def stage_records(job_id: int, line: int, last_line: int, records: Iterable[Record]) -> None:
    """Put the records of a chunk (these lines of the file) into the table, instead of any that are there."""
    names = names_of(job_id)
    text = "".join([copied(record) for record in records])
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM {stage} WHERE line BETWEEN %s AND %s".format(**names), [line, last_line])
        with cursor.cursor.copy(f"COPY {names['stage']} ({', '.join(STAGED)}) FROM STDIN") as copy:
            copy.write(text)


_BLANKS = ("",) * len(COLUMNS)
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copied(record: Record, more: Sequence[str] = ()) -> str:
    """A record as a line of COPY's text format: `STAGED`, and cells for more columns after those."""
    columns, numbers = record.columns, record.numbers
    cells = [
        str(record.line),
        record.reason,
        record.column[:120],
        record.value[:300],
        record.external_id,
        "t" if record.opt_out else "f",
        json.dumps(record.consent) if record.consent else "",
        *map(columns.get, COLUMNS, _BLANKS),
        record.attributes_json(),
        record.digests_json(),
    ]
    if len(numbers) == 1:
        cells += _arrays_of_one(numbers[0])
    else:
        cells += [
            _array([_quoted(part) for part in parts]) for parts in zip(*map(_parts, numbers), strict=True)
        ] or _NONE
    cells += more
    text = "\t".join(cells)
    if "\\" in text or "\n" in text or "\r" in text or text.count("\t") >= len(cells):
        text = "\t".join([cell.translate(_ESCAPED) for cell in cells])
    return text + "\n"


_NONE = ["{}"] * len(NUMBER_ARRAYS)


def _parts(number: ParsedNumber) -> tuple[str, ...]:
    """The parts of a number in their order, as long as their columns allow."""
    return (
        number.number,
        number.raw[:200],
        number.kind,
        number.validity,
        number.extension[:20],
        number.note[:200],
    )


def _arrays_of_one(number: ParsedNumber) -> list[str]:
    """The arrays of the one number that most rows have. Numbers and codes are words that need no quotes."""
    extension = f"{{{number.extension[:20]}}}" if number.extension else '{""}'
    note = _array([_quoted(number.note[:200])]) if number.note else '{""}'
    raw = _array([_quoted(number.raw[:200])])
    return [f"{{{number.number}}}", raw, f"{{{number.kind}}}", f"{{{number.validity}}}", extension, note]


def _quoted(item: str) -> str:
    return '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _array(items: Sequence[str]) -> str:
    return "{" + ",".join(items) + "}"


# ---- whom a row means

#: One by one by the index: a join would read all records of the supplier for each chunk. An id has one record at most.
#: `source`: the supplier of a row, as SQL.
BY_ID = """
INSERT INTO {match} AS m (line, taken, prospect_id)
SELECT s.line, s.reason = '', p.id
  FROM {stage} s, LATERAL (
           SELECT p.id FROM crm_prospect p
            WHERE p.source_id = {source} AND p.external_id = s.external_id AND p.external_id <> ''
              AND p.erased_at IS NULL LIMIT 1) p
 WHERE s.line BETWEEN %(line)s AND %(last)s AND s.external_id <> ''
    ON CONFLICT (line) DO UPDATE SET prospect_id = excluded.prospect_id
 WHERE m.prospect_id IS NULL AND m.first_line IS NULL
"""

#: Without an id, a number tells: a record without one first, then the oldest.
_BY_NUMBER = """
INSERT INTO {match} AS m (line, prospect_id, elsewhere)
SELECT DISTINCT ON (n.line) n.line, p.id, p.source_id <> %(source)s
  FROM (SELECT s.line, u.number, u.position
          FROM {stage} s, unnest(s.numbers) WITH ORDINALITY u(number, position)
         WHERE s.line BETWEEN %(line)s AND %(last)s AND s.reason = '' AND {which}
           AND NOT EXISTS (SELECT FROM {match} m WHERE m.line = s.line
                              AND (m.prospect_id IS NOT NULL OR m.first_line IS NOT NULL))) n
  JOIN crm_prospectnumber x ON x.number = n.number
  JOIN crm_prospect p ON p.id = x.prospect_id AND p.source_id = ANY(%(sources)s) AND p.erased_at IS NULL
 ORDER BY n.line, p.external_id <> '', n.position, p.id
    ON CONFLICT (line) DO UPDATE SET prospect_id = excluded.prospect_id, elsewhere = excluded.elsewhere
 WHERE m.prospect_id IS NULL AND m.first_line IS NULL
"""


def match_rows(job: ImportJob, options: Options, line: int, last_line: int) -> None:
    """Find out which rows, from a line to another, mean a record that is there: by the supplier's id, else by number
    among its own records and, as the options say, among others'."""
    params = {"source": job.source_id, "line": line, "last": last_line}
    names = names_of(job.pk)
    with connection.cursor() as cursor:
        cursor.execute(BY_ID.format(**names, source="%(source)s"), params)
        if options.among != "file":
            by_number = _BY_NUMBER.format(**names, which="s.external_id = ''")
            cursor.execute(by_number, {**params, "sources": [job.source_id]})
        if options.among in ("sponsor", "everywhere"):
            others = _BY_NUMBER.format(**names, which="true")
            cursor.execute(others, {**params, "sources": _sources_among(job, options)})


def _sources_among(job: ImportJob, options: Options) -> list[int]:
    """The other suppliers whose records count as known: the sponsor's own, with "everywhere" the shared ones too."""
    sponsor = job.campaign.programme.sponsor_id
    found = Source.objects.filter(sponsor=sponsor)
    if options.among == "everywhere":
        found |= Source.objects.filter(sponsor=None)
    return sorted(set(found.values_list("pk", flat=True)) - {job.source_id})


# ---- which rows mean the same

#: `same`: what two rows of one person have alike.
SAME_ID = """
INSERT INTO {match} AS m (line, first_line)
SELECT line, first_line
  FROM (SELECT line, min(line) OVER (PARTITION BY {same}) AS first_line
          FROM {stage} WHERE reason = '' AND external_id <> '') q
 WHERE first_line < line
    ON CONFLICT (line) DO UPDATE SET first_line = excluded.first_line
"""

#: A row without an id repeats the first one that has any of its numbers.
_SAME_NUMBER = """
INSERT INTO {match} AS m (line, first_line)
SELECT line, min(first_line)
  FROM (SELECT line, anonymous, min(line) OVER (PARTITION BY number) AS first_line
          FROM (SELECT line, external_id = '' AS anonymous, unnest(numbers) AS number
                  FROM {stage} WHERE reason = '') n) q
 WHERE anonymous AND first_line < line
 GROUP BY line
    ON CONFLICT (line) DO UPDATE SET first_line = excluded.first_line
"""

#: Rows that look different and turn out to mean the same record.
_SAME_RECORD = """
UPDATE {match} m SET first_line = q.first_line
  FROM (SELECT line, min(line) OVER (PARTITION BY prospect_id) AS first_line
          FROM {match} WHERE taken AND prospect_id IS NOT NULL AND first_line IS NULL) q
 WHERE m.line = q.line AND q.first_line < q.line
"""

#: What is repeated by a row that is repeated itself: on to the very first.
_TO_THE_FIRST = """
UPDATE {match} m SET first_line = f.first_line FROM {match} f WHERE f.line = m.first_line AND f.first_line IS NOT NULL
"""

#: A repeated row speaks for its person too.
SAME_OPT_OUT = """
INSERT INTO {match} AS m (line, opt_out)
SELECT DISTINCT d.first_line, true FROM {match} d JOIN {stage} s ON s.line = d.line
 WHERE d.first_line IS NOT NULL AND s.opt_out
    ON CONFLICT (line) DO UPDATE SET opt_out = true
"""

#: Numbers of a row that another row says not to call. The import closes its entry whichever row comes first; a preview,
#: which tries each chunk alone, has to be told.
_BARRED_ELSEWHERE = """
INSERT INTO {match} AS m (line, barred)
SELECT s.line, array_agg(u.number)
  FROM {stage} s, unnest(s.numbers) u(number)
 WHERE s.reason = '' AND NOT s.opt_out
   AND u.number IN (SELECT unnest(o.numbers) FROM {stage} o WHERE o.opt_out)
 GROUP BY s.line
    ON CONFLICT (line) DO UPDATE SET barred = excluded.barred
"""

_FOLDING = f"""
DROP TABLE IF EXISTS import_fold;
CREATE TEMPORARY TABLE import_fold ON COMMIT DROP AS
SELECT coalesce(m.first_line, s.line) AS first_line, s.line, {", ".join(f"s.{name}" for name in COLUMNS)},
       s.attributes, s.digests, {", ".join(f"s.{name}" for name in NUMBER_ARRAYS)}
  FROM {{stage}} s LEFT JOIN {{match}} m ON m.line = s.line AND m.first_line IS NOT NULL
 WHERE m.first_line IS NOT NULL OR s.line IN (SELECT first_line FROM {{match}} WHERE first_line IS NOT NULL);
CREATE INDEX ON import_fold (first_line, line);
ANALYZE import_fold
"""


def _first_value(name: str) -> str:
    return f"(array_agg(s.{name} ORDER BY s.line) FILTER (WHERE s.{name} <> ''))[1] AS {name}"


def _merged_object(name: str) -> str:
    """Of a key that several rows have, the first row's value stands, unless it is the digest 0 of a blank cell: what is
    aggregated last stands."""
    return f"""coalesce((SELECT jsonb_object_agg(e.key, e.value ORDER BY e.value <> '0', i.line DESC)
                   FROM import_fold i, jsonb_each(i.{name}) e
                  WHERE i.first_line = q.first_line), '{{{{}}}}') AS {name}"""


_GATHERED_NUMBERS = ", ".join(
    f"coalesce(array_agg({part} ORDER BY line, position), '{{{{}}}}') AS {name}"
    for part, name in zip(NUMBER_PARTS, NUMBER_ARRAYS, strict=True)
)
_FOLD = f"""
UPDATE {{stage}} f
   SET {", ".join(f"{name} = coalesce(d.{name}, '')" for name in COLUMNS)},
       {", ".join(f"{name} = d.{name}" for name in ("attributes", "digests", *NUMBER_ARRAYS))}
  FROM (SELECT q.*, {_merged_object("attributes")}, {_merged_object("digests")}, n.*
          FROM (SELECT s.first_line, {", ".join(map(_first_value, COLUMNS))}
                  FROM import_fold s GROUP BY s.first_line) q,
               LATERAL (SELECT {_GATHERED_NUMBERS}
                          FROM (SELECT DISTINCT ON (u.number) u.*, i.line FROM import_fold i,
                                       unnest({", ".join(f"i.{name}" for name in NUMBER_ARRAYS)})
                                       WITH ORDINALITY u({", ".join(NUMBER_PARTS)}, position)
                                 WHERE i.first_line = q.first_line ORDER BY u.number, i.line, u.position) u) n) d
 WHERE f.line = d.first_line
"""


def settle_rows(job: ImportJob) -> None:
    """Find out which rows repeat an earlier one, by the supplier's id, without one by number or through the record that
    they mean. What they say of not calling goes to the first."""
    names = names_of(job.pk)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '32MB'")
        for statement in (SAME_ID, _SAME_NUMBER, _SAME_RECORD):
            cursor.execute(statement.format(**names, same="external_id"))
        _go_to_the_first(cursor, names)
        for statement in (SAME_OPT_OUT, _BARRED_ELSEWHERE):
            cursor.execute(statement.format(**names))
        cursor.execute("ANALYZE {match}".format(**names))


def _go_to_the_first(cursor: CursorWrapper, names: dict[str, str]) -> None:
    while True:
        cursor.execute(_TO_THE_FIRST.format(**names))
        if not cursor.rowcount:
            return


#: A number on so many rows of a file is nobody's own: a switchboard, or a stop-gap.
FREQUENT = 20

_FREQUENT = """
SELECT number, count(*) FROM {stage}, unnest(numbers) number WHERE reason = ''
 GROUP BY number HAVING count(*) >= %s ORDER BY count(*) DESC, number LIMIT 10
"""


def frequent_numbers(job_id: int) -> list[tuple[str, int]]:
    """The numbers that stand on most rows, with how many, where those are `FREQUENT` or more; ten at most."""
    with connection.cursor() as cursor:
        cursor.execute(_FREQUENT.format(**names_of(job_id)), [FREQUENT])
        return [(number, count) for number, count in cursor.fetchall()]


def fold_rows(job: ImportJob) -> None:
    """Fill the blanks of each first row with what the rows say that repeat it, and add their numbers."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLDING.format(**names_of(job.pk)))
        cursor.execute(_FOLD.format(**names_of(job.pk)))


def gather_statistics(job_id: int) -> None:
    """Tell the planner what was read, by the columns that rows are looked up and joined by."""
    with connection.cursor() as cursor:
        sql = "ANALYZE {stage} (line, reason, external_id, opt_out, numbers)"
        cursor.execute(sql.format(**names_of(job_id)))
