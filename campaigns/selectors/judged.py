"""What criteria and resets would do to lists, by the same predicates that will do it, without doing it.

A list is read once: entries are gathered by what the criteria look at, and each combination of values is judged once,
however many records share it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Case, CharField, Count, Exists, OuterRef, QuerySet, Value, When
from django.utils.translation import gettext as _
from psycopg.errors import QueryCanceled

from campaigns.enums import WAITING, EntryState
from campaigns.models import Campaign, Criterion, ListEntry, Programme
from campaigns.rules.consequences import Line, Touched, kept
from campaigns.rules.criteria import ATTRIBUTE
from campaigns.selectors.criteria import Counts, active_criteria, compile_criterion, contradiction
from campaigns.selectors.touched import bars_from_calls, entries_url, states_of
from crm.models import Prospect

MATCHES, CONTRADICTS, UNKNOWN = "matches", "contradicts", "unknown"

#: Records on which a bar that holds in the place is in force, by themselves or by one of their numbers.
BARRED = """
WITH place AS (
    SELECT g.id AS campaign_id, p.id AS programme_id, p.sponsor_id
      FROM campaigns_campaign g JOIN campaigns_programme p ON p.id = g.programme_id WHERE g.id = ANY(%s)
), bars AS MATERIALIZED (
    SELECT DISTINCT x.number, x.prospect_id FROM campaigns_exclusion x JOIN place
        ON x.scope = 'everywhere' OR (x.scope = 'campaign' AND x.campaign_id = place.campaign_id)
        OR (x.scope = 'programme' AND x.programme_id = place.programme_id)
        OR (x.scope = 'sponsor' AND x.sponsor_id = place.sponsor_id)
     WHERE x.lifted_at IS NULL AND (x.until IS NULL OR x.until > clock_timestamp())
), barred AS MATERIALIZED (
    SELECT prospect_id FROM bars WHERE prospect_id IS NOT NULL
    UNION SELECT n.prospect_id FROM bars JOIN crm_prospectnumber n ON n.number = bars.number
)
"""
#: "yes" where a number may be dialled, "barred" where a bar covers them all, "none" where there is no number.
CALLABLE = """
CASE WHEN b.prospect_id IS NOT NULL
     THEN CASE WHEN courtois_callable_number(e.prospect_id, e.campaign_id) IS NULL THEN 'barred' ELSE 'yes' END
     WHEN EXISTS (SELECT FROM crm_prospectnumber n WHERE n.prospect_id = e.prospect_id
                     AND n.kind NOT IN ('premium', 'fax', 'short') AND n.validity <> 'invalid') THEN 'yes'
     ELSE 'none' END
"""
#: The records of a programme, each once, with how many of its entries are in the states that a criterion moves; one of
#: so many of them.
STANDING = """
SELECT e.prospect_id, count(*) FILTER (WHERE e.state = 'ready') AS ready,
       count(*) FILTER (WHERE e.state = 'callback') AS callback,
       count(*) FILTER (WHERE e.state = 'screened_out') AS out,
       count(*) FILTER (WHERE e.state = 'claimed') AS claimed
  FROM campaigns_listentry e WHERE e.campaign_id = ANY(%s) AND e.prospect_id %% %s = 0 GROUP BY e.prospect_id
"""
#: The same where one campaign has each record once by itself.
STANDING_ONCE = """
SELECT e.prospect_id, (e.state = 'ready')::int AS ready, (e.state = 'callback')::int AS callback,
       (e.state = 'screened_out')::int AS out, (e.state = 'claimed')::int AS claimed
  FROM campaigns_listentry e WHERE e.campaign_id = ANY(%s) AND e.prospect_id %% %s = 0
"""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The criteria of a programme before and after one is added (`old` null), edited or retired (`new` null)."""

    programme: Programme
    old: Criterion | None
    new: Criterion | None

    @property
    def lists(self) -> tuple[list[Criterion], list[Criterion]]:
        """Return the criteria asked before and after, in their order."""
        before = active_criteria(self.programme)
        after = [item for item in before if self.old is None or item.pk != self.old.pk]
        if self.new is not None:
            after = sorted([*after, self.new], key=lambda item: (item.position, item.pk or 1 << 62))
        return before, after


def criterion_touched(rewritten: Rewritten) -> Touched:
    """Tell what a criterion that is added, edited or retired would do to the lists of its programme."""
    programme = rewritten.programme
    campaigns = list(programme.campaigns.values_list("pk", flat=True))
    _before, after = rewritten.lists
    rows, estimated = _standing(campaigns, rewritten, after)
    was, now = (_parts(rows, index) for index in (0, 1))
    moved = {
        "screened_out": sum(row.ready + row.callback for row in rows if row.out_after),
        "callbacks_closed": sum(row.callback for row in rows if row.out_after),
        "back": sum(row.out for row in rows if not row.out_after),
        "claimed": sum(row.claimed for row in rows),
    }
    barred = _barred_back(campaigns, after) if moved["back"] else 0
    has_old, has_new = rewritten.old is not None, rewritten.new is not None
    lines = [
        Line(code, now.get(part, 0) if has_new else 0, was.get(part, 0) if has_old else None)
        for code, part in (("matching", MATCHES), ("contradicting", CONTRADICTS), ("unknown", UNKNOWN))
        if has_new
    ]
    lines += kept(
        [
            Line("screened_out", moved["screened_out"], tone="care"),
            Line("callbacks_closed", moved["callbacks_closed"], tone="danger"),
            Line("reopened", moved["back"] - barred, tone="done"),
            Line("barred", barred),
            Line("asked_now", moved["claimed"]),
            Line("bars", bars_from_calls(programme.pk)),
        ]
    )
    note = _("Ce qu'un appel a appris ne se perd jamais : un hors-critères entendu reste hors-critères.")
    if estimated:
        estimate = _(
            "Ces nombres sont estimés sur une partie des fiches : ce champ a trop de valeurs différentes pour tout"
            " compter d'avance. Les nombres exacts sont dits après l'enregistrement."
        )
        note = f"{estimate} {note}"
    return Touched(tuple(lines), note)


@dataclass(frozen=True, slots=True)
class _Group:
    """Records that the criteria cannot tell apart: how many, and how many of their entries in each state.

    `parts` are those of the criterion before and after; `out_after` tells whether the criteria keep them out.
    """

    part_before: str
    part_after: str
    out_after: bool
    records: int
    ready: int
    callback: int
    out: int
    claimed: int


#: Milliseconds that an exact count may take; what takes longer is estimated from `SAMPLE` records.
PATIENCE = 1_500
SAMPLE = 30_000


def _standing(
    campaigns: Sequence[int], rewritten: Rewritten, after: Sequence[Criterion]
) -> tuple[list[_Group], bool]:
    """Return the records of the lists in groups, and whether their counts are estimates."""
    if not campaigns:
        return [], False
    criteria = list(after) + [item for item in (rewritten.old,) if item is not None]
    names = [f"part_{place}" for place in range(len(criteria))]
    judged, params = _judging(
        nothing=Value(""), **{name: _part(item) for name, item in zip(names, criteria, strict=True)}
    )
    sql = f"""
        SELECT {", ".join(["''", *names])}, sum(records), sum(ready), sum(callback), sum(out), sum(claimed)
          FROM (SELECT {judged}, records, ready, callback, out, claimed FROM (
            SELECT {_columns(criteria, "p")}, count(*) AS records, sum(s.ready) AS ready, sum(s.callback) AS callback,
                   sum(s.out) AS out, sum(s.claimed) AS claimed
              FROM ({STANDING_ONCE if len(campaigns) == 1 else STANDING}) s
              JOIN crm_prospect p ON p.id = s.prospect_id WHERE p.erased_at IS NULL
             GROUP BY {_keys(criteria)}) crm_prospect) q
         GROUP BY {", ".join(str(place) for place in range(1, len(names) + 2))}
    """
    given = [*params, *_keys_params(criteria)]
    rows, step = _counted(sql, [*given, list(campaigns)], campaigns)
    trusted = [item.blocking and item.trust_file for item in after]
    return [_group(rewritten, list(after), trusted, row, step) for row in rows], step > 1


def _group(
    rewritten: Rewritten, after: list[Criterion], trusted: Sequence[bool], row: Sequence[Any], step: int
) -> _Group:
    parts = row[1:-5]
    place = after.index(rewritten.new) if rewritten.new is not None else None
    out = any(parts[index] == CONTRADICTS for index, trusts in enumerate(trusted) if trusts)
    return _Group(
        parts[-1] if rewritten.old is not None else "",
        parts[place] if place is not None else "",
        out,
        *(int(count) * step for count in row[-5:]),
    )


def _counted(
    sql: str, params: Sequence[Any], campaigns: Sequence[int], patience: int = PATIENCE
) -> tuple[list[Any], int]:
    """Return the rows of a statement whose last parameter says of which share of the records, and that share's inverse.

    Every record is read where that is quick; else one in so many.
    """
    rows = _in_time(sql, [*params, 1], patience)
    if rows is not None:
        return rows, 1
    step = max(1, ListEntry.objects.filter(campaign__in=campaigns).count() // SAMPLE)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, step])
        return cursor.fetchall(), step


def _in_time(sql: str, params: Sequence[Any], patience: int = PATIENCE) -> list[Any] | None:
    """Return the rows of a statement, null when it takes longer than `patience` milliseconds."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {patience:d}")
            cursor.execute(sql, params)
            rows: list[Any] = cursor.fetchall()
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
            return rows
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return None
        raise


def criteria_counted(
    programme: Programme, criteria: Sequence[Criterion], sizes: Mapping[int, int] | None = None
) -> tuple[dict[int, Counts], bool]:
    """Count, for each of these criteria, the records in the lists of the programme that it takes in or keeps out.

    Tells whether the counts are estimates: they are beyond twice `SAMPLE` entries, so that a page costs the same on the
    longest lists. `sizes` is how many entries each campaign of the programme has, where that is known already.
    """
    if sizes is None:
        sizes = dict(programme.campaigns.values_list("pk").annotate(size=Count("entries")))
    if not criteria or not sizes:
        return {item.pk: Counts(0, 0, 0, 0) for item in criteria}, False
    step = max(1, sum(sizes.values()) // SAMPLE)
    names = [f"part_{item.pk}" for item in criteria]
    judged, params = _judging(**{name: _part(item) for name, item in zip(names, criteria, strict=True)})
    records = (
        "SELECT DISTINCT e.prospect_id FROM campaigns_listentry e"
        " WHERE e.campaign_id = ANY(%s) AND e.prospect_id %% %s = 0"
    )
    sql = f"""
        SELECT {", ".join(names)}, sum(records) FROM (SELECT {judged}, records FROM (
            SELECT {_columns(criteria, "p")}, count(*) AS records FROM ({records}) s
              JOIN crm_prospect p ON p.id = s.prospect_id WHERE p.erased_at IS NULL
             GROUP BY {_keys(criteria)}) crm_prospect) q GROUP BY {", ".join(names)}
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, *_keys_params(criteria), list(sizes), step])
        rows = cursor.fetchall()
    total = _sum(rows) * step
    found = {}
    for place, item in enumerate(criteria):
        matching = _sum(row for row in rows if row[place] == MATCHES) * step
        against = _sum(row for row in rows if row[place] == CONTRADICTS) * step
        found[item.pk] = Counts(total, matching, against, total - matching - against)
    return found, step > 1


def _parts(rows: Sequence[_Group], index: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        part = (row.part_before, row.part_after)[index]
        found[part] = found.get(part, 0) + row.records
    return found


def _part(criterion: Criterion | None) -> Any:
    """Return the expression on `Prospect` for the part of a criterion that a record is in."""
    if criterion is None:
        return Value("", output_field=CharField())
    compiled = compile_criterion(criterion)
    # In the order that asks the fewest times for what a record says.
    return Case(
        When(compiled.unknown, then=Value(UNKNOWN)),
        When(compiled.matches, then=Value(MATCHES)),
        default=Value(CONTRADICTS),
        output_field=CharField(),
    )


def _judging(**expressions: Any) -> tuple[str, list[Any]]:
    """Return expressions on `Prospect` as columns of a statement that reads something called "crm_prospect"."""
    rows = Prospect.objects.order_by().annotate(**expressions).values(*expressions)
    sql, params = rows.query.sql_with_params()
    return sql.removeprefix("SELECT ").removesuffix(' FROM "crm_prospect"'), list(params)


def _named(criteria: Sequence[Criterion]) -> tuple[list[str], list[str]]:
    """Return the columns, and the keys of attributes, that these criteria look at."""
    fields = {item.field for item in criteria}
    keys = sorted(field.removeprefix(ATTRIBUTE) for field in fields if field.startswith(ATTRIBUTE))
    return sorted(field for field in fields if not field.startswith(ATTRIBUTE)), keys


def _columns(criteria: Sequence[Criterion], table: str) -> str:
    """Return what criteria look at as columns named as those of a prospect; the attributes hold only what is asked."""
    columns, keys = _named(criteria)
    picked = [f'{table}."{name}"' for name in columns]
    if keys:
        pairs = ", ".join(f"%s::text, {table}.attributes -> %s" for _key in keys)
        picked.append(f"jsonb_build_object({pairs}) AS attributes")
    return ", ".join(picked) or "1 AS nothing"


def _keys(criteria: Sequence[Criterion]) -> str:
    """Return the places of those columns, to group by."""
    columns, keys = _named(criteria)
    return ", ".join(str(place) for place in range(1, max(1, len(columns) + bool(keys)) + 1))


def _keys_params(criteria: Sequence[Criterion]) -> list[str]:
    _columns_named, keys = _named(criteria)
    return [key for key in keys for _twice in range(2)]


def _barred_back(campaigns: Sequence[int], after: Sequence[Criterion]) -> int:
    """Count the hors-critères on paper that the criteria would let back and a bar keeps out."""
    judged, params = _judging(reason=contradiction(after))
    sql = f"""{BARRED}
        SELECT count(*) FROM (
            SELECT {judged} FROM campaigns_listentry e JOIN crm_prospect ON crm_prospect.id = e.prospect_id
             WHERE e.campaign_id = ANY(%s) AND e.state = 'screened_out'
               AND e.prospect_id IN (SELECT prospect_id FROM barred)
               AND courtois_callable_number(e.prospect_id, e.campaign_id) IS NULL) q WHERE reason = ''
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(campaigns), *params, list(campaigns)])
        return int((cursor.fetchone() or (0,))[0])


#: What the numbers of a criterion's consequences link to, by code: the states and the parts that they count.
EFFECTS = (
    "matching",
    "contradicting",
    "unknown",
    "screened_out",
    "callbacks_closed",
    "reopened",
    "asked_now",
)


def records_touched(rewritten: Rewritten, effect: str) -> QuerySet[ListEntry]:
    """Return the entries that one of the `EFFECTS` of a criterion counts, by id."""
    _before, after = rewritten.lists
    rows = ListEntry.objects.filter(campaign__programme=rewritten.programme, prospect__erased_at__isnull=True)
    judged = Prospect.objects.order_by().annotate(
        part=_part(rewritten.new or rewritten.old), reason=contradiction(after)
    )
    parts = {"matching": MATCHES, "contradicting": CONTRADICTS, "unknown": UNKNOWN}
    if effect in parts:
        # Records are counted, not entries: each stands once, in the first of its lists.
        earlier = rows.filter(prospect=OuterRef("prospect"), pk__lt=OuterRef("pk"))
        rows = rows.filter(~Exists(earlier))
        return rows.filter(prospect__in=judged.filter(part=parts[effect]).values("pk"))
    if effect == "asked_now":
        return rows.filter(state=EntryState.CLAIMED)
    if effect == "reopened":
        rows = rows.filter(state=EntryState.SCREENED_OUT)
        return rows.filter(prospect__in=judged.filter(reason="").values("pk"))
    states = [EntryState.CALLBACK] if effect == "callbacks_closed" else sorted(WAITING)
    return rows.filter(state__in=states, prospect__in=judged.exclude(reason="").values("pk"))


def contradicted(pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return those (prospect, programme) whose record contradicts a trusted criterion of the programme."""
    found: set[tuple[int, int]] = set()
    for programme in Programme.objects.filter(pk__in={programme for _prospect, programme in pairs}):
        prospects = Prospect.objects.filter(pk__in=[pk for pk, of in pairs if of == programme.pk])
        reasons = prospects.annotate(reason=contradiction(active_criteria(programme)))
        found |= {(pk, programme.pk) for pk in reasons.exclude(reason="").values_list("pk", flat=True)}
    return found


# A person whose attempts of the last 30 days are used up comes back, and waits.
CAPPED_PEOPLE = """
SELECT a.prospect_id FROM campaigns_attempt a
 WHERE a.sponsor_id = %s AND a.counted AND a.prospect_id IS NOT NULL AND a.local_date > current_date - 30
 GROUP BY a.prospect_id HAVING count(*) >= %s
"""


def reset_touched(campaign: Campaign, *, include_done: bool) -> Touched:
    """Tell what a reset of a list would do: who comes back, and who never does."""
    states = [EntryState.EXHAUSTED, *([EntryState.DONE] if include_done else [])]
    criteria = active_criteria(campaign.programme)
    judged, params = _judging(reason=contradiction(criteria))
    columns = _columns(criteria, "p")
    sql = f"""{BARRED}
        SELECT was, callable, reason, capped, sum(records) FROM (
            SELECT {judged}, was, callable, capped, records FROM (
                SELECT {columns}, e.state AS was, {CALLABLE} AS callable,
                       e.prospect_id IN ({CAPPED_PEOPLE}) AS capped, count(*) AS records
                  FROM campaigns_listentry e JOIN crm_prospect p ON p.id = e.prospect_id
                  LEFT JOIN barred b ON b.prospect_id = e.prospect_id
                 WHERE e.campaign_id = %s AND e.state = ANY(%s) AND e.prospect_id %% %s = 0
                 GROUP BY {_keys(criteria)}, was, callable, capped) crm_prospect) q GROUP BY 1, 2, 3, 4
    """
    maximum = campaign.max_attempts if not campaign.is_unrestricted else 1 << 30
    given = [
        [campaign.pk],
        *params,
        *_keys_params(criteria),
        campaign.programme.sponsor_id,
        maximum,
        campaign.pk,
        states,
    ]
    found_rows, step = _counted(sql, given, [campaign.pk])
    rows = [(*row[:-1], row[-1] * step) for row in found_rows]
    back = [row for row in rows if row[1] == "yes" and not row[2]]
    counts = {
        "reopened": _sum(row for row in back if row[0] == EntryState.EXHAUSTED),
        "reopened_done": _sum(row for row in back if row[0] == EntryState.DONE),
        "capped": _sum(row for row in back if row[3]),
        "barred": _sum(row for row in rows if row[1] == "barred"),
        "to_screen": _sum(row for row in rows if row[1] == "yes" and row[2]),
        "without_number": _sum(row for row in rows if row[1] == "none"),
    }
    found = states_of(campaign)
    alone = (
        ("out_of_criteria", EntryState.SCREENED_OUT),
        ("excluded", EntryState.EXCLUDED),
        ("callbacks", EntryState.CALLBACK),
    )
    urls = {"reopened": EntryState.EXHAUSTED, "reopened_done": EntryState.DONE}
    tones = {"reopened": "done", "reopened_done": "care", "capped": "care"}
    lines = [
        Line(
            code,
            count,
            url=entries_url(campaign, state=urls[code]) if code in urls else "",
            tone=tones.get(code, ""),
        )
        for code, count in counts.items()
    ]
    lines += [
        Line(code, found.get(state, 0), url=entries_url(campaign, state=state)) for code, state in alone
    ]
    note = _("Une fiche hors-critères, entendue ou lue sur papier, n'est jamais rouverte par ce bouton.")
    if step > 1:
        note = f"{_('Estimés sur une partie des fiches.')} {note}"
    return Touched(kept(lines, always="reopened"), note, estimated=step > 1)


def _sum(rows: Any) -> int:
    return sum(int(row[-1]) for row in rows)
