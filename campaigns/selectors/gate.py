"""The gate, asked of the database: the facts of many prospects in a constant number of queries, then the pure rule."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection

from campaigns.models import Campaign, Criterion
from campaigns.rules.gate import CAP_DAYS, Bar, Facts, Verdict, judge
from campaigns.selectors.criteria import active_criteria, contradiction
from crm.enums import NEVER_DIALLED, Validity
from crm.models import Prospect
from crm.rules.phones import normalise, time_zone_for

#: One row per asked (prospect, number): the bar that covers it, what the line is, and the attempts that count. The
#: person's attempts are those on the record and, where none was at hand, those on the number.
FACTS = """
WITH asked AS ({asked}), chosen AS (
    SELECT a.ord, a.prospect_id, a.exact, a.time_zone, coalesce(a.number, pick.number) AS number
      FROM asked a LEFT JOIN LATERAL (
        SELECT coalesce(courtois_callable_number(a.prospect_id, %(campaign)s),
                        (SELECT n.number FROM crm_prospectnumber n WHERE n.prospect_id = a.prospect_id
                          ORDER BY n.kind IN ('premium', 'fax', 'short') OR n.validity = 'invalid', n.position, n.id
                          LIMIT 1)) AS number
      ) pick ON a.number IS NULL AND a.prospect_id IS NOT NULL
)
SELECT c.ord, c.prospect_id, coalesce(c.number, ''), c.exact, coalesce(nullif(c.time_zone, ''), p.time_zone, ''),
       x.id, x.reason, x.scope, x.until, n.kind, n.validity, coalesce(p.postal_code, ''), coalesce(p.country, ''),
       {contradiction},
       CASE WHEN %(capped)s THEN (
           SELECT coalesce(array_agg(t.local_date), '{{}}') FROM (
               SELECT t.local_date FROM campaigns_attempt t
                WHERE t.prospect_id = c.prospect_id AND t.sponsor_id = %(sponsor)s AND t.counted
                  AND t.local_date > %(since)s
               UNION ALL
               SELECT t.local_date FROM campaigns_attempt t
                WHERE t.number = c.number AND t.sponsor_id = %(sponsor)s AND t.counted AND t.local_date > %(since)s
                  AND (t.prospect_id IS NULL OR c.prospect_id IS NULL)) t) END
  FROM chosen c
  LEFT JOIN crm_prospect p ON p.id = c.prospect_id
  LEFT JOIN crm_prospectnumber n ON n.prospect_id = c.prospect_id AND n.number = c.number
  LEFT JOIN campaigns_exclusion x ON x.id = courtois_covering_exclusion(c.number, c.prospect_id, %(campaign)s)
  {screened}
 ORDER BY c.ord
"""

PAIRS = """
    SELECT ord, prospect_id, number, %(exact)s AS exact, '' AS time_zone
      FROM unnest(%(prospects)s::bigint[], %(numbers)s::text[]) WITH ORDINALITY AS t(prospect_id, number, ord)
"""
ENTRIES = """
    SELECT e.id AS ord, e.prospect_id, nullif(e.number, '') AS number, e.exact, e.time_zone
      FROM campaigns_listentry e WHERE e.id = ANY(%(entries)s)
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A prospect and/or number that the gate is asked about. Without number: the first that may be dialled."""

    prospect: Prospect | None = None
    number: str | None = None


def verdict(
    *,
    campaign: Campaign,
    prospect: Prospect | None = None,
    number: str | None = None,
    at: datetime,
    exact: bool = False,
) -> Verdict:
    """Return whether the prospect may be called now on the number (its first callable one when none is given).

    A number without a prospect: criteria are unknown, the cap is counted by number, the zone comes from the number.
    `exact`: the person gave this very time. `number` is E.164; raises ValueError when neither is given.
    """
    if prospect is None and not number:
        raise ValueError("the gate needs a prospect or a number")
    return verdicts(campaign=campaign, asked=[Asked(prospect, number)], at=at, exact=exact)[0]


def verdicts(
    *, campaign: Campaign, asked: Sequence[Asked], at: datetime, exact: bool = False
) -> list[Verdict]:
    """Return a verdict for each that is asked, in their order, in two queries."""
    params = {
        "prospects": [item.prospect.pk if item.prospect else None for item in asked],
        "numbers": [item.number or None for item in asked],
        "exact": exact,
    }
    return [judge(facts, at) for _ord, facts in _facts(campaign, PAIRS, params, at)]


def entry_verdicts(*, campaign: Campaign, entry_ids: Iterable[int], at: datetime) -> dict[int, Verdict]:
    """Return the verdict of each list entry of the campaign on the number it stands with, in two queries."""
    params = {"entries": list(entry_ids)}
    return {ord_: judge(facts, at) for ord_, facts in _facts(campaign, ENTRIES, params, at)}


def chosen_numbers(*, campaign: Campaign, prospect_ids: Sequence[int]) -> dict[int, str]:
    """Return the number to dial for each prospect as far as bars and the kind of line go; "" when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p, coalesce(courtois_callable_number(p, %s), '') FROM unnest(%s::bigint[]) p",
            [campaign.pk, list(prospect_ids)],
        )
        return dict(cursor.fetchall())


def _facts(
    campaign: Campaign, asked: str, params: Mapping[str, Any], at: datetime
) -> Iterable[tuple[int, Facts]]:
    contradicting, screened, values = screening(active_criteria(campaign.programme))
    sql = FACTS.format(asked=asked, contradiction=contradicting, screened=screened.format(on="c.prospect_id"))
    everything = {
        **params,
        **values,
        "campaign": campaign.pk,
        "sponsor": campaign.programme.sponsor_id,
        "capped": not campaign.is_unrestricted,
        # A day more than the window: the local calendar decides in `judge`.
        "since": at.date() - timedelta(days=CAP_DAYS + 1),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, everything)
        rows = cursor.fetchall()
    return [(row[0], _read(campaign, row)) for row in rows]


def _read(campaign: Campaign, row: Sequence[Any]) -> Facts:
    (
        _ord,
        prospect,
        number,
        exact,
        zone,
        bar,
        reason,
        scope,
        until,
        kind,
        validity,
        postal,
        country,
        screened,
        days,
    ) = row
    if number and kind is None:
        kind, validity = _line_of(number)
    return Facts(
        number=number,
        time_zone=zone or time_zone_for(number, postal, country),
        status=campaign.status,
        hours=campaign.hours,
        max_attempts=campaign.max_attempts,
        bar=None if bar is None else Bar(bar, reason, scope, until),
        number_problem=_problem_of(number, kind, validity),
        contradiction=screened if prospect is not None else "",
        attempts=tuple(days or ()),
        exact=exact,
        unrestricted=campaign.is_unrestricted,
    )


def _problem_of(number: str, kind: str | None, validity: str | None) -> str:
    if not number:
        return "no_number"
    if kind in NEVER_DIALLED:
        return str(kind)
    return "invalid" if validity in (None, Validity.INVALID) else ""


def _line_of(number: str) -> tuple[str | None, str | None]:
    """Return kind and validity of a number that is on no record, by the numbering plan."""
    parsed = normalise(number)
    found = next((item for item in parsed.numbers if item.number == number), None)
    if found is not None:
        return found.kind, found.validity
    kind = {"premium_number": "premium", "short_number": "short"}.get(parsed.reason)
    return kind, None


def screening(criteria: Sequence[Criterion]) -> tuple[str, str, dict[str, Any]]:
    """Return the SQL of a contradiction, the join that computes it, and their parameters.

    The join has a `{on}` for the column of prospect ids. Compiled once for each version of the criteria.
    """
    asked = [item for item in criteria if item.blocking and item.trust_file]
    if not asked:
        return "''", "", {}
    key = json.dumps(
        [[item.field, item.operator, item.value, item.expected, item.question] for item in asked]
    )
    sql, params = _screening_sql(key)
    return "coalesce(screened.reason, '')", f"LEFT JOIN LATERAL ({sql}) screened ON true", dict(params)


@lru_cache(maxsize=200)
def _screening_sql(key: str) -> tuple[str, tuple[tuple[str, Any], ...]]:
    names = ("field", "operator", "value", "expected", "question")
    criteria = [Criterion(**dict(zip(names, values, strict=True))) for values in json.loads(key)]
    sql, params = (
        Prospect.objects.annotate(reason=contradiction(criteria)).values("reason").query.sql_with_params()
    )
    named = {f"s{index}": value for index, value in enumerate(params)}
    sql = sql.replace("{", "{{").replace("}", "}}") % tuple(f"%({name})s" for name in named)
    return f'{sql} WHERE "crm_prospect"."id" = {{on}}', tuple(named.items())
