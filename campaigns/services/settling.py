"""Where entries stand, decided in SQL for any number of them: excluded, without number, screened out, ready.

The same judgement serves queueing, screening, lifted bars and corrected fiches.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection
from django.db.models import Func, Min, QuerySet, TextField

from campaigns.models import ListEntry, Programme
from campaigns.selectors.criteria import active_criteria
from campaigns.selectors.gate import contradiction_column, screening

Item = TypeVar("Item")
#: How many entries changed, by the state that they were in and the one that they are in now.
Moves = dict[tuple[str, str], int]

#: Entries handled in one statement: what a bar being written has to wait for is short.
CHUNK = 5_000

# Waits for bars being written on these prospects and their numbers, and makes later ones wait: what is judged next
# cannot be outdated by a bar that it did not see.
SHARE = """
SELECT count(pg_advisory_xact_lock_shared(71, k)) FROM (
    SELECT DISTINCT k FROM (
        SELECT hashint8(p) & 1023 AS k FROM unnest(%(prospects)s::bigint[]) p
        UNION SELECT hashtext(n.number) & 1023 FROM crm_prospectnumber n WHERE n.prospect_id = ANY(%(prospects)s)
    ) q ORDER BY k) s
"""

#: Whether an exclusion `e` that was not lifted covers a row `t`: the rule of `courtois_covering_exclusion`, which is
#: asked of one number at a time and would cost more here than the rest of an import.
COVERS = """(e.until IS NULL OR e.until > clock_timestamp())
         AND (e.scope = 'everywhere' OR e.scope = 'campaign' AND e.campaign_id = t.campaign_id
              OR e.scope = 'programme' AND e.programme_id = t.programme_id
              OR e.scope = 'sponsor' AND e.sponsor_id = t.sponsor_id)"""

#: Joined to a row `t` (prospect_id, campaign_id, programme_id, sponsor_id) and its prospect `p`: the number to dial,
#: else the bar, and the reason of a contradiction.
JUDGED = f"""
  LEFT JOIN LATERAL (
      SELECT n.number FROM crm_prospectnumber n
       WHERE n.prospect_id = t.prospect_id AND n.kind NOT IN ('premium', 'fax', 'short') AND n.validity <> 'invalid'
         AND NOT EXISTS (SELECT FROM campaigns_exclusion e
                          WHERE e.number = n.number AND e.lifted_at IS NULL AND {COVERS})
         AND NOT EXISTS (SELECT FROM campaigns_exclusion e
                          WHERE e.prospect_id = t.prospect_id AND e.lifted_at IS NULL AND {COVERS})
       ORDER BY n.position, n.id LIMIT 1) pick ON true
  LEFT JOIN LATERAL (
      SELECT e.id, e.reason, e.until FROM (
          SELECT e.* FROM campaigns_exclusion e WHERE e.prospect_id = t.prospect_id AND e.lifted_at IS NULL
           UNION ALL
          SELECT e.* FROM crm_prospectnumber n JOIN campaigns_exclusion e ON e.number = n.number
           WHERE n.prospect_id = t.prospect_id AND e.lifted_at IS NULL) e
       WHERE pick.number IS NULL AND {COVERS}
       ORDER BY array_position(ARRAY['programme', 'campaign', 'sponsor', 'everywhere'], e.scope::text), e.id LIMIT 1
      ) x ON true
  {{screened}}
"""
STATE = """
CASE WHEN pick.number IS NULL AND x.id IS NOT NULL THEN 'excluded' WHEN pick.number IS NULL THEN 'exhausted'
     WHEN {reason} <> '' THEN 'screened_out' ELSE {otherwise} END
"""
GATE = """
CASE WHEN pick.number IS NULL AND x.id IS NOT NULL THEN 'exclusion' WHEN pick.number IS NULL THEN 'number'
     WHEN {reason} <> '' THEN 'criteria' ELSE {otherwise} END
"""
REASON = """
CASE WHEN pick.number IS NULL AND x.id IS NOT NULL THEN x.reason WHEN pick.number IS NULL THEN 'no_number'
     WHEN {reason} <> '' THEN {reason} ELSE {otherwise} END
"""
# Mainland numbers have one clock; any other record without a zone waits until somebody knows it.
ZONE = """
CASE WHEN p.time_zone <> '' THEN p.time_zone WHEN coalesce(pick.number, '+33') LIKE '+33%%' THEN 'Europe/Paris'
     ELSE '' END
"""

SETTLE = """
WITH target AS (
    SELECT e.id, e.prospect_id, e.campaign_id, c.programme_id, g.sponsor_id, e.state, e.exact, e.owner_id,
           e.verdict_gate, e.verdict_reason
      FROM campaigns_listentry e JOIN campaigns_campaign c ON c.id = e.campaign_id
      JOIN campaigns_programme g ON g.id = c.programme_id
     WHERE e.id = ANY(%(entries)s)
       AND (e.state = ANY(%(states)s) OR (%(numberless)s AND e.state = 'exhausted' AND e.verdict_gate = 'number'))
     ORDER BY e.id FOR UPDATE OF e
), judged AS (
    SELECT t.id, t.state AS was, {state} AS state, coalesce(pick.number, '') AS number, x.id AS bar, {gate} AS gate,
           {verdict} AS reason, x.until, {zone} AS time_zone, p.language
      FROM target t JOIN crm_prospect p ON p.id = t.prospect_id
      {judged}
), moved AS (
    UPDATE campaigns_listentry e
       SET state = j.state, number = j.number, excluded_by_id = j.bar, verdict_gate = j.gate, verdict_reason = j.reason,
           verdict_until = CASE WHEN j.gate = e.verdict_gate AND j.bar IS NULL THEN e.verdict_until ELSE j.until END,
           time_zone = j.time_zone, language = j.language, updated_at = %(at)s
      FROM judged j
     WHERE e.id = j.id
       AND (e.state, e.number, e.excluded_by_id, e.verdict_gate, e.verdict_reason, e.time_zone, e.language)
           IS DISTINCT FROM (j.state, j.number, j.bar, j.gate, j.reason, j.time_zone, j.language)
    RETURNING j.was, e.state
)
SELECT was, state, count(*) FROM moved GROUP BY was, state
"""
# An entry that was waiting goes on as it was; one that comes back is ready, or due at the time that was agreed.
STAYS = """
CASE WHEN t.state IN ('ready', 'callback') THEN t.state
     WHEN t.state = 'screened_out' AND (t.exact OR t.owner_id IS NOT NULL) THEN 'callback' ELSE 'ready' END
"""
KEPT = "CASE WHEN t.state IN ('ready', 'callback') THEN {} ELSE '' END"


def share_bars(prospect_ids: Sequence[int]) -> None:
    """Take the shared locks on these prospects and their numbers. Comes before any row lock; kept to the commit."""
    with connection.cursor() as cursor:
        cursor.execute(SHARE, {"prospects": list(prospect_ids)})


def moved_into(moves: Moves, *states: str) -> int:
    """Return how many entries are in one of these states now."""
    return sum(count for (_was, state), count in moves.items() if state in states)


def settle(
    *, entries: QuerySet[ListEntry], states: Sequence[str], at: datetime, numberless: bool = False
) -> Moves:
    """Judge again those of these entries that are in one of `states`; return how many changed, from which to which.

    `numberless`: those without a number to dial too. Each is judged by the criteria of its own programme, and locked in
    the order of the ids. The caller is in a transaction, and holds `share_bars` where a bar being written must not be
    missed.
    """
    grouped = entries.order_by().values("campaign__programme").annotate(criteria=TRUSTED, ids=ArrayAgg("pk"))
    programmes = list(grouped.values_list("campaign__programme", "criteria", "ids"))
    sql = SETTLE.format(
        state=STATE.format(reason="screened.reason", otherwise=STAYS),
        gate=GATE.format(reason="screened.reason", otherwise=KEPT.format("t.verdict_gate")),
        verdict=REASON.format(reason="screened.reason", otherwise=KEPT.format("t.verdict_reason")),
        zone=ZONE,
        judged=JUDGED.format(screened=_screened({programme: key for programme, key, _ids in programmes})),
    )
    asked: dict[str, Any] = {"states": list(states), "numberless": numberless, "at": at}
    found: Moves = {}
    for chunk in chunks(sorted(pk for _programme, _key, ids in programmes for pk in ids)):
        with connection.cursor() as cursor:
            cursor.execute(sql, {**asked, "entries": chunk})
            for was, state, count in cursor.fetchall():
                found[was, state] = found.get((was, state), 0) + count
    return found


#: The criteria of a programme that keep records out of its lists, as `campaigns.selectors.gate` takes them.
TRUSTED = Func(Min("campaign"), function="courtois_trusted_criteria", output_field=TextField())


def _screened(criteria: Mapping[int, str | None]) -> str:
    """Return the join that tells the reason of a contradiction, by the criteria of each programme."""
    cases = [f"WHEN {pk:d} THEN {contradiction_column(key)}" for pk, key in sorted(criteria.items()) if key]
    reason = f"CASE t.programme_id {' '.join(cases)} ELSE '' END" if cases else "''"
    return f"LEFT JOIN LATERAL (SELECT {reason} AS reason FROM (SELECT t.prospect_id) f) screened ON true"


def chunks(ids: Sequence[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """Yield the items in lists of at most `size`."""
    for start in range(0, len(ids), size):
        yield list(ids[start : start + size])


def judgement(programme: Programme) -> dict[str, str]:
    """Return the pieces of SQL (`state`, `gate`, `reason`, `zone`, `joins`) that judge new entries."""
    reason, join = screening(active_criteria(programme))
    return {
        "state": STATE.format(reason=reason, otherwise="'ready'"),
        "gate": GATE.format(reason=reason, otherwise="''"),
        "reason": REASON.format(reason=reason, otherwise="''"),
        "zone": ZONE,
        "joins": JUDGED.format(screened=join.format(on="t.prospect_id")),
    }
