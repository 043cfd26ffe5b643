"""The gate, asked of the database: the facts of many prospects in a constant number of queries, then the pure rule."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection
from psycopg.sql import Literal

from campaigns.enums import EntryState
from campaigns.models import Campaign, Criterion
from campaigns.rules.gate import CAP_DAYS, Bar, Facts, Verdict, judge
from campaigns.selectors.criteria import contradiction
from crm.enums import NEVER_DIALLED, Validity
from crm.models import Prospect
from crm.rules.phones import normalise, time_zone_for

#: The columns of `courtois_gate_facts`, as `f`, that `verdicts_of_rows` reads.
COLUMNS = """f.ord, f.prospect_id, f.number, f.exact, f.time_zone, f.bar, f.reason, f.scope, f.until, f.kind,
       f.validity, f.postal_code, f.country, f.days, f.criteria"""
PAIRS = f"""
SELECT {COLUMNS}
  FROM (SELECT array_agg(ord) AS ords, array_agg(prospect_id) AS prospects, array_agg(number) AS numbers
          FROM unnest(%(prospects)s::bigint[], %(numbers)s::text[]) WITH ORDINALITY AS t(prospect_id, number, ord)) a,
       LATERAL courtois_gate_facts(%(campaign)s, %(capped)s, %(since)s, a.ords, a.prospects, a.numbers,
                                   array_fill(%(exact)s, ARRAY[cardinality(a.ords)]),
                                   array_fill(''::text, ARRAY[cardinality(a.ords)])) f
"""
CONTRADICTIONS = "SELECT p, ({reason}) FROM unnest(%(asked)s::bigint[]) p"


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
    exact: bool | None = None,
) -> Verdict:
    """Return whether the prospect may be called now on the number (its first callable one when none is given).

    A number without a prospect: criteria are unknown, the cap is counted by number, the zone comes from the number.
    `exact`: the person gave this very time; None asks the campaign's list, where such a time has then come. `number`
    is E.164; raises ValueError when neither is given.
    """
    if prospect is None and not number:
        raise ValueError("the gate needs a prospect or a number")
    if exact is None:
        exact = prospect is not None and is_agreed(campaign=campaign, prospect=prospect, at=at)
    return verdicts(campaign=campaign, asked=[Asked(prospect, number)], at=at, exact=exact)[0]


def is_agreed(*, campaign: Campaign, prospect: Prospect, at: datetime) -> bool:
    """Whether the person gave an exact time for this campaign that has come, and was not called since."""
    waiting = campaign.entries.filter(prospect=prospect, state=EntryState.CALLBACK, exact=True)
    return waiting.filter(due_at__lte=at).exists()


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


def _facts(
    campaign: Campaign, asked: str, params: Mapping[str, Any], at: datetime
) -> Iterable[tuple[int, Facts]]:
    with connection.cursor() as cursor:
        cursor.execute(asked, {**params, **fact_params(campaign, at)})
        rows = cursor.fetchall()
    against = _contradictions(rows)
    return [(row[0], _read(campaign, row, against.get(row[1], ""))) for row in rows]


def fact_params(campaign: Campaign, at: datetime) -> dict[str, Any]:
    """Return the parameters `campaign`, `capped` and `since` of `courtois_gate_facts`."""
    return {
        "campaign": campaign.pk,
        "capped": not campaign.is_unrestricted,
        # A day more than the window: the local calendar decides in `judge`.
        "since": at.date() - timedelta(days=CAP_DAYS + 1),
    }


def contradiction_column(criteria: str | None) -> str:
    """Return the SQL of a column that says which of these criteria the prospect `f.prospect_id` contradicts on paper.

    `criteria` is the JSON of `courtois_trusted_criteria`.
    """
    return f"coalesce(({_screening_sql(criteria).format(on='f.prospect_id')}), '')" if criteria else "''"


def verdicts_of_rows(
    campaign: Campaign, rows: Sequence[Sequence[Any]], criteria: str | None, at: datetime
) -> dict[int, Verdict]:
    """Return the verdicts, by `ord`, of rows that a statement of the caller's brought along.

    A row is `COLUMNS` and the `contradiction_column` of `criteria`. Where the criteria changed in between, they are
    asked anew.
    """
    facts = [row[:-1] for row in rows]
    if all(row[-1] == criteria for row in facts):
        against = {row[1]: row[-1] for row in rows}
    else:
        against = _contradictions(facts)
    return {row[0]: judge(_read(campaign, row, against.get(row[1], "")), at) for row in facts}


def _contradictions(rows: Sequence[Sequence[Any]]) -> dict[int, str]:
    """Return, by prospect, the reason of the trusted criterion that its record contradicts; "" when none does."""
    key = rows[0][-1] if rows else None
    if not key:
        return {}
    prospects = [row[1] for row in rows if row[1] is not None]
    with connection.cursor() as cursor:
        cursor.execute(CONTRADICTIONS.format(reason=_screening_sql(key).format(on="p")), {"asked": prospects})
        return dict(cursor.fetchall())


def _read(campaign: Campaign, row: Sequence[Any], contradiction: str) -> Facts:
    (
        _ord,
        _prospect,
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
        days,
        _criteria,
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
        contradiction=contradiction,
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


def screening(criteria: Sequence[Criterion]) -> tuple[str, str]:
    """Return the SQL of a contradiction and the join that computes it, with a `{on}` for the column of prospect ids."""
    asked = [item for item in criteria if item.blocking and item.trust_file]
    if not asked:
        return "''", ""
    key = json.dumps(
        [[item.field, item.operator, item.value, item.expected, item.question] for item in asked]
    )
    return "coalesce(screened.reason, '')", f"LEFT JOIN LATERAL ({_screening_sql(key)}) screened ON true"


@lru_cache(maxsize=200)
def _screening_sql(key: str) -> str:
    """Compile criteria, once for each version of them. Their values stand in the text, so that its plan can be kept."""
    names = ("field", "operator", "value", "expected", "question")
    criteria = [Criterion(**dict(zip(names, values, strict=True))) for values in json.loads(key)]
    sql, params = (
        Prospect.objects.annotate(reason=contradiction(criteria)).values("reason").query.sql_with_params()
    )
    sql %= tuple(Literal(value).as_string() for value in params)
    # It becomes part of a statement with parameters of its own, by `str.format`.
    sql = sql.replace("%", "%%").replace("{", "{{").replace("}", "}}")
    return f'{sql} WHERE "crm_prospect"."id" = {{on}}'
