"""What a disposition did in a campaign so far: for whoever thinks of changing it."""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection
from django.db.models import Count

from calls.models import Call
from campaigns.models import Campaign, Disposition

# Where the last call of an entry has this disposition, the entry stands where the disposition put it.
USES = """
WITH given AS (
    SELECT c.id, c.entry_id FROM calls_call c WHERE c.campaign_id = %(campaign)s AND c.disposition_id = %(disposition)s
), standing AS (
    SELECT e.state, e.due_at FROM given g JOIN campaigns_listentry e ON e.id = g.entry_id
     WHERE NOT EXISTS (SELECT FROM calls_call later WHERE later.entry_id = g.entry_id AND later.id > g.id
                          AND later.state <> 'released')
)
SELECT (SELECT count(*) FROM given),
       (SELECT count(*) FROM standing WHERE state = 'ready' AND due_at > %(at)s),
       (SELECT count(*) FROM standing WHERE state = 'callback'),
       (SELECT count(*) FROM standing WHERE state = 'done'),
       (SELECT count(*) FROM campaigns_exclusion x JOIN given g ON g.id = x.call_ref WHERE x.lifted_at IS NULL)
"""
CODES = ("calls", "retries", "callbacks", "done_by_it", "bars_by_it")


def disposition_uses(campaign: Campaign, disposition: Disposition, at: datetime) -> Mapping[str, int]:
    """Return what a disposition did in a campaign: the calls that got it, and where their records and bars stand."""
    with connection.cursor() as cursor:
        cursor.execute(USES, {"campaign": campaign.pk, "disposition": disposition.pk, "at": at})
        return dict(zip(CODES, cursor.fetchone() or (), strict=True))


def disposition_counts(campaign: Campaign) -> Mapping[int, int]:
    """Return how many calls of a campaign got each disposition, by its id."""
    rows = Call.objects.filter(campaign=campaign, disposition__isnull=False).order_by()
    return dict(rows.values_list("disposition").annotate(Count("pk")))
