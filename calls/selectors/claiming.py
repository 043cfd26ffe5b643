"""What a claim looks at: the agent, the lanes of the campaign's queue, and the next candidates, locked for it.

The statements are functions of the database (migration `claim_functions`), so that their plans are kept.
"""

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
class AtClaim:
    """What a claim looks at first. `status` is the campaign's, read now, "" when it is gone.

    `lanes` are those of its ready entries, a handful however long the list is, the most pressing first.
    """

    open_call: int | None
    paused: bool
    status: str
    lanes: list[Lane]


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
    free: bool
    busy: bool


def agent_at_claim(*, agent_id: int, campaign_id: int, at: datetime) -> AtClaim:
    """Return the agent's open call and pause, and the campaign's status and lanes, in one query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM courtois_agent_at_claim(%s, %s, %s)", [agent_id, campaign_id, at])
        open_call, paused, status, languages, zones = cursor.fetchone() or (None, False, "", [], [])
    lanes = [Lane(*pair) for pair in zip(languages or [], zones or [], strict=True)]
    return AtClaim(open_call, paused, status or "", lanes)


def lock_candidates(
    *,
    campaign_id: int,
    agent_id: int,
    lanes: Sequence[Lane],
    spoken: Sequence[str],
    at: datetime,
    passed: Sequence[int],
    many: bool,
) -> list[Candidate]:
    """Lock and return the entry to serve next, or some fifty when `many`, in order of service.

    `lanes` are those that are open now and spoken by the agent; `spoken` holds the agent's languages and "" for
    entries without one; `passed` are ids already looked at. Must run inside a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM courtois_claim_candidates(%s, %s, %s::text[], %s::text[], %s::text[], %s, %s::bigint[], %s)",
            [
                campaign_id,
                agent_id,
                [lane.language for lane in lanes],
                [lane.time_zone for lane in lanes],
                list(spoken),
                at,
                list(passed),
                many,
            ],
        )
        return [Candidate(*row) for row in cursor.fetchall()]


def take(*, entry_id: int, agent_id: int, at: datetime, lease_until: datetime) -> int | None:
    """Make the claimed call of a locked entry and return its id; None when agent, number or person got an open call."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT courtois_take_entry(%s, %s, %s, %s)", [entry_id, agent_id, at, lease_until])
        row = cursor.fetchone()
    return row[0] if row else None
