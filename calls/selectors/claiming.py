"""What a claim looks at: the agent, the campaign, and the next candidates of its queue, locked for it.

The statements are functions of the database (migration `claim_functions`) and prepared, so that
their plans are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from campaigns.models import Campaign
from campaigns.rules.hours import window_open
from campaigns.selectors.gate import COLUMNS, contradiction_column, fact_params
from crm.selectors.prepared import prepared_cursor


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
    #: The call that the look itself made of it.
    call: int | None
    #: What the gate needs to know of it, for `campaigns.selectors.gate.verdicts_of_rows`.
    facts: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Look:
    """What a claim finds. `status` is the campaign's, read now, "" when it is gone.

    There are no candidates while the agent has a call or a pause, nor in a campaign that does not run.
    """

    open_call: int | None
    paused: bool
    status: str
    candidates: list[Candidate]
    #: The trusted criteria that the candidates' facts were asked about, for `verdicts_of_rows`.
    criteria: str | None


@dataclass(slots=True)
class Hint:
    """What the last claim of this process saw of a campaign: what the next one asks about without asking first.

    Only a hint: the database says when a zone was not judged, and which criteria hold.
    """

    zones: set[str] = field(default_factory=set)
    criteria: str | None = None


_HINTS: dict[int, Hint] = {}

# The candidates and what the gate asks of each, in one round trip.
LOOK = f"""
SELECT k.open_call, k.paused, k.status, k.zones, k.entry, k.prospect, k.number, k.state, k.language, k.free, k.busy,
       <call>, {COLUMNS}, against.reason
  FROM courtois_claim_look(%(campaign)s, %(agent)s, %(spoken)s, %(open)s, %(shut)s, %(at)s, %(passed)s, %(many)s) k
  LEFT JOIN LATERAL courtois_gate_facts(%(campaign)s, %(capped)s, %(since)s, ARRAY[k.entry], ARRAY[k.prospect],
                                        ARRAY[k.number], ARRAY[k.exact], ARRAY[k.time_zone]) f
         ON k.entry IS NOT NULL
 CROSS JOIN LATERAL (SELECT <against> AS reason OFFSET 0) against
"""
# Taken before it is judged, where the gate will very likely let it through. Only a guess: its word is the last. A wrong
# one costs more than the undoing, since the driver forgets at a rollback which statements it has prepared.
AT_ONCE = """CASE WHEN k.free AND NOT k.busy AND k.number <> '' AND f.bar IS NULL AND against.reason = ''
                        AND (k.exact OR k.state <> 'callback' OR k.time_zone = ANY(%(open)s))
                        AND coalesce(cardinality(f.days), 0) < %(cap)s
                  THEN courtois_take_entry(k.entry, %(agent)s, %(at)s, %(lease_until)s) END"""

FACTS = f"""
SELECT {COLUMNS}, <against>
  FROM courtois_gate_facts(%(campaign)s, %(capped)s, %(since)s, %(entries)s::bigint[], %(prospects)s::bigint[],
                           %(numbers)s::text[], %(exacts)s::boolean[], %(zones)s::text[]) f
"""


def look(
    *,
    campaign: Campaign,
    agent_id: int,
    spoken: Sequence[str],
    at: datetime,
    passed: Sequence[int],
    many: bool,
    lease_until: datetime | None,
) -> Look:
    """Lock and return the entry to serve next, or some fifty when `many`, in order of service.

    Entries come whose time has come, in the languages of `spoken` ("" for those without one), where the hours of the
    campaign are open; `passed` are ids already looked at. With `lease_until` (and not `many`) the entry is taken at
    once, as by `take`, where nothing seems to stand in the way: a caller whom the gate then refuses it undoes the
    transaction. Must run inside one.
    """
    statement = LOOK.replace("<call>", "NULL::bigint" if lease_until is None else AT_ONCE)
    hint = _HINTS.setdefault(campaign.pk, Hint())
    while True:
        criteria = hint.criteria
        judged: dict[bool, list[str]] = {True: [], False: []}
        for zone in hint.zones:
            judged[campaign.is_unrestricted or window_open(campaign.hours, zone, at)].append(zone)
        with prepared_cursor() as cursor:
            cursor.execute(
                statement.replace("<against>", contradiction_column(criteria)),
                {
                    "agent": agent_id,
                    "spoken": list(spoken),
                    "open": judged[True],
                    "shut": judged[False],
                    "at": at,
                    "passed": list(passed),
                    "many": many,
                    "lease_until": lease_until,
                    "cap": campaign.max_attempts,
                    **fact_params(campaign, at),
                },
            )
            rows = cursor.fetchall()
        open_call, paused, status, unjudged, entry = rows[0][:5]
        if not unjudged:
            break
        hint.zones = hint.zones | set(unjudged)
    if entry is None:
        return Look(open_call, paused, status, [], criteria)
    hint.criteria = rows[0][-2]
    return Look(open_call, paused, status, [_candidate(row[4:]) for row in rows], criteria)


def _candidate(row: Sequence[Any]) -> Candidate:
    entry, prospect, number, state, language, free, busy, call, *facts = row
    return Candidate(entry, prospect, number, state, language, free, busy, call, facts)


def facts_again(
    *, campaign: Campaign, candidates: Sequence[Candidate], criteria: str | None, at: datetime
) -> list[Sequence[Any]]:
    """Read the facts of locked candidates anew, for `verdicts_of_rows`.

    Those of their look are as old as its beginning, which came before the locks: a bar may have been lifted since, a
    record corrected. A verdict that moves an entry must not rest on them.
    """
    entries, prospects, numbers, exacts, zones = zip(*(item.facts[:5] for item in candidates), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            FACTS.replace("<against>", contradiction_column(criteria)),
            {
                "entries": list(entries),
                "prospects": list(prospects),
                "numbers": list(numbers),
                "exacts": list(exacts),
                "zones": list(zones),
                **fact_params(campaign, at),
            },
        )
        rows: list[Sequence[Any]] = cursor.fetchall()
    return rows


def take(*, entry_id: int, agent_id: int, at: datetime, lease_until: datetime) -> int | None:
    """Make the claimed call of a locked entry and return its id; None when agent, number or person got an open call."""
    with prepared_cursor() as cursor:
        cursor.execute("SELECT courtois_take_entry(%s, %s, %s, %s)", [entry_id, agent_id, at, lease_until])
        row: tuple[int | None] = cursor.fetchone()
    return row[0]
