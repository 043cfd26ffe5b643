"""What the database says of bars: the one rule, asked for one call."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection


def covering_exclusion(number: str, prospect_id: int | None, campaign_id: int) -> int | None:
    """Return the id of the active exclusion that bars this number or prospect in the campaign, or None."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT courtois_covering_exclusion(%s, %s, %s)", [number, prospect_id, campaign_id])
        row = cursor.fetchone()
    return row[0] if row else None


def callable_number(prospect_id: int, campaign_id: int) -> str:
    """Return the first number of a prospect that may be dialled as far as bars and the kind of line go, or ""."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT courtois_callable_number(%s, %s)", [prospect_id, campaign_id])
        row = cursor.fetchone()
    return (row[0] if row else None) or ""


@dataclass(frozen=True, slots=True)
class After:
    """How an entry stands once the bars of its call are written.

    `number`: the one to dial next ("" when none); `bar`: the exclusion that covers the call's, with its `reason` and
    `until`; `callbacks`: ids of the entry's open callbacks that the call did not agree itself.
    """

    number: str
    bar: int | None
    reason: str
    until: datetime | None
    callbacks: list[int]


AFTER = """
    SELECT coalesce(asked.number, ''), asked.bar, coalesce(x.reason, ''), x.until,
           ARRAY(SELECT id FROM calls_callback
                  WHERE entry_id = %(entry)s AND state = 'open' AND call_id IS DISTINCT FROM %(call)s ORDER BY id)
      FROM (SELECT courtois_callable_number(%(prospect)s, %(campaign)s) AS number,
                   courtois_covering_exclusion(%(number)s, %(prospect)s, %(campaign)s) AS bar OFFSET 0) asked
      LEFT JOIN campaigns_exclusion x ON x.id = asked.bar
"""


def entry_after(*, call_id: int, number: str, entry_id: int, prospect_id: int, campaign_id: int) -> After:
    """Return how this entry stands after a call to `number`. One query."""
    facts: dict[str, int | str] = {
        "call": call_id,
        "number": number,
        "entry": entry_id,
        "prospect": prospect_id,
        "campaign": campaign_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(AFTER, facts)
        return After(*cursor.fetchone())
