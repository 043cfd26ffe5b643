"""Reading what changed: once every transaction before it is over, from a place that the reader keeps.

A transaction gets its id when it begins to write, and is seen when it commits: a reader who asked for "everything
after the highest id that I know" would miss those that began before it and end after. What is read here began before
the oldest transaction that is still under way, so nothing can come in between any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from crm.models import FeedState, RecordChange
from crm.models.record_changes import MOMENTS, RECORDS
from crm.rules.errors import DomainError

__all__ = ["MOMENTS", "RECORDS"]

#: Rows that are looked at for one page, however few of them its reader may see.
LOOKED_AT = 20_000
MAX_ID = 2**63 - 1
#: Sorts behind every kind.
LAST_KIND = "~"


@dataclass(frozen=True, slots=True, order=True)
class ChangePlace:
    """Behind which row a reader stands: the primary key of that row."""

    xid: int = 0
    kind: str = ""
    ref: int = 0


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Rows in their order; the place behind the last that was looked at; whether there are more already."""

    rows: Sequence[RecordChange]
    place: ChangePlace
    has_more: bool


# `xid8` is compared as it is: as a text it would be in another order, and out of the index's reach. The last row that
# was looked at is answered even where the reader may not see it: the place moves there.
WINDOW = """
WITH looked AS MATERIALIZED (
    SELECT xid, kind, ref, created, sponsor_id, at FROM crm_recordchange
     WHERE (xid, kind, ref) > (%(xid)s::text::xid8, %(kind)s COLLATE "C", %(ref)s)
       AND xid < pg_snapshot_xmin(pg_current_snapshot())
     ORDER BY xid, kind, ref LIMIT %(size)s)
SELECT xid::text, kind, ref, created, sponsor_id, at, seen, n FROM (
    SELECT l.*, count(*) OVER () AS n, row_number() OVER (ORDER BY xid, kind, ref) AS place,
           kind = ANY (%(kinds)s)
           AND (%(sponsors)s::bigint[] IS NULL OR sponsor_id IS NULL OR sponsor_id = ANY (%(sponsors)s)) AS seen
      FROM looked l) q
 WHERE seen OR place = n
 ORDER BY xid, kind, ref
"""


def changes_after(
    place: ChangePlace, *, limit: int, kinds: Sequence[str], sponsors: Sequence[int] | None = None
) -> ChangePage:
    """Return at most `limit` changes of these kinds behind a place; of these sponsors and of nobody's, None: of all.

    Along the primary key: one query, up to five where most rows are other people's. `has_more` may be true of a page
    without rows: there are too many of those in between.
    """
    rows: list[RecordChange] = []
    looked, size = 0, 2 * limit
    while True:
        found = _window(place, size, kinds, sponsors)
        count = found[0][7] if found else 0
        for xid, kind, ref, *more in found:
            if len(rows) == limit:
                return ChangePage(rows, place, has_more=True)
            place = ChangePlace(int(xid), kind, ref)
            created, sponsor, at, is_seen = more[:4]
            if is_seen:
                row = RecordChange(xid=place.xid, kind=kind, ref=ref, created=created, at=at)
                row.sponsor_id = sponsor
                rows.append(row)
        looked += count
        if count < size or looked >= LOOKED_AT:
            return ChangePage(rows, place, has_more=count == size)
        size *= 4


def _window(
    place: ChangePlace, size: int, kinds: Sequence[str], sponsors: Sequence[int] | None
) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            WINDOW,
            {
                "xid": str(place.xid),
                "kind": place.kind,
                "ref": place.ref,
                "size": size,
                "kinds": list(kinds),
                "sponsors": None if sponsors is None else list(sponsors),
            },
        )
        return list(cursor.fetchall())


def end_of_changes() -> ChangePlace:
    """Return the place behind everything that can be read now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint - 1")
        (xid,) = cursor.fetchone()
    return ChangePlace(xid, LAST_KIND, MAX_ID)


def seconds_behind() -> float:
    """Return for how long the oldest committed change has been waiting for a transaction that is still under way."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM clock_timestamp() - at)::float FROM crm_recordchange"
            " WHERE xid >= pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid LIMIT 1"
        )
        row = cursor.fetchone()
    return max(0.0, round(row[0], 1)) if row else 0.0


def cluster_now() -> str:
    """Return PostgreSQL's names of its cluster, of the branch of its history, of the database and of the table.

    Another one after every restore: one into the same cluster makes the database or the table anew.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT concat_ws('/', system_identifier, timeline_id, d.oid, 'crm_recordchange'::regclass::oid)"
            "  FROM pg_control_system(), pg_control_checkpoint(), pg_database d WHERE datname = current_database()"
        )
        (name,) = cursor.fetchone()
    return str(name)


class FeedMoved(DomainError):
    """The database was restored or moved: until somebody rebases the feed, nobody can say what follows a place."""

    problem = "feed-moved"
    status = 503
    default_message = _("Le flux attend que l'administrateur dise si la base a été restaurée.")


def feed_state() -> FeedState:
    """Return which epoch the changes are numbered in. Raises FeedMoved in another cluster than theirs."""
    state = FeedState.objects.get(pk=1)
    if state.cluster != cluster_now():
        raise FeedMoved
    return state
