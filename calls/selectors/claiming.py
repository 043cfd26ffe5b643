"""What a claim looks at: the agent, the lanes of the campaign's queue, and the next candidates, locked for it.

The statements are functions of the database (migration `claim_functions`), so that their plans are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from campaigns.models import Campaign
from campaigns.selectors.gate import COLUMNS, contradiction_column, fact_params


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
    #: The trusted criteria of its programme, as `campaigns.selectors.gate.contradiction_column` takes them.
    criteria: str | None


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
    #: What the gate needs to know of it, for `campaigns.selectors.gate.verdicts_of_rows`.
    facts: Sequence[Any]


# The candidates and what the gate asks of each, in one round trip.
CANDIDATES = f"""
SELECT k.entry, k.prospect, k.number, k.state, k.language, k.free, k.busy, {COLUMNS}, <against>
  FROM courtois_claim_candidates(%(campaign)s, %(agent)s, %(languages)s::text[], %(zones)s::text[], %(spoken)s::text[],
                                 %(at)s, %(passed)s::bigint[], %(many)s) k,
       LATERAL courtois_gate_facts(%(campaign)s, %(capped)s, %(since)s, ARRAY[k.entry], ARRAY[k.prospect],
                                   ARRAY[nullif(k.number, '')], ARRAY[k.exact], ARRAY[k.time_zone]) f
"""


def agent_at_claim(*, agent_id: int, campaign_id: int, at: datetime) -> AtClaim:
    """Return the agent's open call and pause, and the campaign's status and lanes, in one query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM courtois_agent_at_claim(%s, %s, %s)", [agent_id, campaign_id, at])
        row: Sequence[Any] = cursor.fetchone() or (None, False, "", [], [], None)
    open_call, paused, status, languages, zones, criteria = row
    lanes = [Lane(*pair) for pair in zip(languages or [], zones or [], strict=True)]
    return AtClaim(open_call, paused, status or "", lanes, criteria)


def lock_candidates(
    *,
    campaign: Campaign,
    agent_id: int,
    lanes: Sequence[Lane],
    spoken: Sequence[str],
    at: datetime,
    criteria: str | None,
    passed: Sequence[int],
    many: bool,
) -> list[Candidate]:
    """Lock and return the entry to serve next, or some fifty when `many`, in order of service.

    `lanes` are those that are open now and spoken by the agent; `spoken` holds the agent's languages and "" for
    entries without one; `criteria` are the trusted ones; `passed` are ids already looked at. Must run inside a
    transaction.
    """
    against, values = contradiction_column(criteria)
    with connection.cursor() as cursor:
        cursor.execute(
            CANDIDATES.replace("<against>", against),
            {
                "agent": agent_id,
                "languages": [lane.language for lane in lanes],
                "zones": [lane.time_zone for lane in lanes],
                "spoken": list(spoken),
                "at": at,
                "passed": list(passed),
                "many": many,
                **fact_params(campaign, at),
                **values,
            },
        )
        return [_candidate(row) for row in cursor.fetchall()]


def _candidate(row: Sequence[Any]) -> Candidate:
    entry, prospect, number, state, language, free, busy, *facts = row
    return Candidate(entry, prospect, number, state, language, free, busy, facts)


def take(*, entry_id: int, agent_id: int, at: datetime, lease_until: datetime) -> int | None:
    """Make the claimed call of a locked entry and return its id; None when agent, number or person got an open call."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT courtois_take_entry(%s, %s, %s, %s)", [entry_id, agent_id, at, lease_until])
        row = cursor.fetchone()
    return row[0] if row else None
