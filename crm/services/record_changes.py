"""Keeping what changed: for a time, and right after the database was restored."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from crm.models import FeedState, RecordChange
from crm.selectors.record_changes import cluster_now

#: Transactions are forgotten whole, so many rows of them at a time.
BATCH = 20_000

FORGET = """
WITH oldest AS (
    SELECT xid, at FROM crm_recordchange
     WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid LIMIT %(batch)s),
border AS (SELECT xid FROM oldest WHERE at < %(before)s ORDER BY xid DESC LIMIT 1),
moved AS (UPDATE crm_feedstate SET floor = border.xid FROM border WHERE floor < border.xid),
gone AS (DELETE FROM crm_recordchange c USING border WHERE c.xid <= border.xid RETURNING 1)
SELECT count(*) FROM gone
"""


def forget_changes(*, at: datetime, kept: timedelta) -> int:
    """Forget what changed longer ago than `kept`; returns how many rows. A place before that is answered 410.

    In steps of their own, the oldest first: whoever reads meanwhile is told that they come too late, never less.
    """
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(FORGET, {"batch": BATCH, "before": at - kept})
            count: int = cursor.fetchone()[0]
        total += count
        if count < BATCH:
            return total


@transaction.atomic
def rebase_changes(*, nothing_lost: bool) -> FeedState:
    """Number the changes by the cluster that they are in now, after the database was moved or restored.

    A restored database has forgotten what its readers know, and its transactions are numbered anew: every place is
    void (410), and its readers begin again from the lists. `nothing_lost` keeps places: a replica that had everything
    took over. Returns the new state.
    """
    state = FeedState.objects.select_for_update().get(pk=1)
    state.cluster = cluster_now()
    if not nothing_lost:
        RecordChange.objects.all().delete()
        state.epoch += 1
        state.floor = 0
    state.save()
    return state
