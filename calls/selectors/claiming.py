"""What a claim looks at: the lanes of a campaign's queue, and the next candidates, locked for the claimer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection


@dataclass(frozen=True, slots=True)
class Lane:
    """Ready entries of one language in one time zone: what the index of the claim leads with."""

    language: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that this transaction has locked.

    `free` is false while a bar on its number or prospect is being written; `busy` when either is in an open call.
    """

    entry: int
    prospect: int
    number: str
    state: str
    language: str
    time_zone: str
    exact: bool
    attempts: int
    free: bool
    busy: bool


# One index probe a lane, however many entries it holds.
LANES = """
WITH RECURSIVE lane AS (
    (SELECT language, time_zone FROM campaigns_listentry WHERE campaign_id = %(campaign)s AND state = 'ready'
      ORDER BY language, time_zone LIMIT 1)
    UNION ALL
    SELECT n.language, n.time_zone FROM lane l CROSS JOIN LATERAL (
        SELECT e.language, e.time_zone FROM campaigns_listentry e
         WHERE e.campaign_id = %(campaign)s AND e.state = 'ready'
           AND (e.language, e.time_zone) > (l.language, l.time_zone)
         ORDER BY e.language, e.time_zone LIMIT 1) n
)
SELECT language, time_zone FROM lane
"""

# Callbacks that are due come before fresh records; what another claim holds is passed over, never waited for.
CANDIDATES = """
WITH agreed AS MATERIALIZED (
    SELECT id, prospect_id, number, state, language, time_zone, exact, attempts, priority, due_at
      FROM campaigns_listentry
     WHERE campaign_id = %(campaign)s AND state = 'callback' AND due_at <= %(at)s
       AND (owner_id IS NULL OR owner_id = %(agent)s) AND language = ANY(%(spoken)s)
       AND id <> ALL(%(passed)s)
     ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), fresh AS MATERIALIZED (
    SELECT e.* FROM unnest(%(languages)s::text[], %(zones)s::text[]) AS lane(language, time_zone)
     CROSS JOIN LATERAL (
        SELECT id, prospect_id, number, state, language, time_zone, exact, attempts, priority, due_at
          FROM campaigns_listentry e
         WHERE e.campaign_id = %(campaign)s AND e.state = 'ready' AND e.language = lane.language
           AND e.time_zone = lane.time_zone AND e.due_at <= %(at)s AND e.id <> ALL(%(passed)s)
         ORDER BY e.priority DESC, e.due_at, e.id
         LIMIT CASE WHEN EXISTS (SELECT FROM agreed) THEN 0 ELSE %(limit)s END
           FOR UPDATE SKIP LOCKED) e
), candidate AS (
    SELECT 0 AS turn, * FROM agreed UNION ALL SELECT 1, * FROM fresh
     ORDER BY turn, priority DESC, due_at, id LIMIT %(limit)s
)
SELECT k.id, k.prospect_id, k.number, k.state, k.language, k.time_zone, k.exact, k.attempts,
       courtois_try_bars(k.number, k.prospect_id),
       EXISTS (SELECT FROM calls_call c WHERE c.number = k.number AND c.state NOT IN ('done', 'released'))
       OR EXISTS (SELECT FROM calls_call c WHERE c.prospect_id = k.prospect_id AND c.state NOT IN ('done', 'released'))
  FROM candidate k
"""


def lanes(campaign_id: int) -> list[Lane]:
    """Return the lanes of a campaign's ready entries, a handful however long the list is."""
    with connection.cursor() as cursor:
        cursor.execute(LANES, {"campaign": campaign_id})
        return [Lane(*row) for row in cursor.fetchall()]


def lock_candidates(
    *,
    campaign_id: int,
    agent_id: int,
    lanes: Sequence[Lane],
    spoken: Sequence[str],
    at: datetime,
    passed: Sequence[int],
    limit: int,
) -> list[Candidate]:
    """Lock and return at most `limit` entries to serve next, in order of service.

    `lanes` are those that are open now and spoken by the agent; `spoken` holds the agent's languages and "" for
    entries without one; `passed` are ids already looked at. Must run inside a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            CANDIDATES,
            {
                "campaign": campaign_id,
                "agent": agent_id,
                "languages": [lane.language for lane in lanes],
                "zones": [lane.time_zone for lane in lanes],
                "spoken": list(spoken),
                "at": at,
                "passed": list(passed),
                "limit": limit,
            },
        )
        return [Candidate(*row) for row in cursor.fetchall()]

