"""The one evaluator of criteria: each compiles to a predicate on prospects in three parts.

Compared without case, accents and surplus blanks ("Crédit  Agricole" equals "credit agricole"); sector and postal codes
also without punctuation ("64.19Z" is "6419z"). A blank field, or one that cannot be read as what the bounds are, is
unknown: the agent asks.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Protocol

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from campaigns.enums import Operator
from campaigns.models import Criterion, ListEntry, Programme
from campaigns.rules.criteria import (
    ATTRIBUTE,
    CODES,
    bounds_kind,
    check_field,
    check_value,
    date_of,
    number_of,
)
from crm.models import Prospect


class Condition(Protocol):
    """What can be compiled: a stored criterion or one that is only being written."""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Compiled:
    """The three parts of a criterion, as conditions on `Prospect`. Each prospect is in exactly one."""

    matches: Q
    contradicts: Q
    unknown: Q


@dataclass(frozen=True, slots=True)
class Counts:
    """How many prospects a criterion, or all the criteria of a programme, take in, keep out, or leave to be asked."""

    total: int
    matching: int
    contradicting: int
    unknown: int


class _Sql(Func):
    """A piece of SQL whose `{}` are its expressions in order; everything that a user wrote is a parameter."""

    def __init__(self, sql: str, *expressions: Any, output_field: Any = None) -> None:
        super().__init__(*expressions, output_field=output_field or CharField())
        self.sql = sql

    def as_sql(self, compiler: Any, connection: Any, **kwargs: Any) -> tuple[str, Sequence[Any]]:  # type: ignore[override]
        """Put the compiled expressions into their places."""
        parts, params = [], []
        for expression in self.source_expressions:
            part, values = compiler.compile(expression)
            parts.append(part)
            params.extend(values)
        return self.sql.format(*parts), params


class _Test(_Sql):
    """A piece of SQL that is true or false."""

    conditional = True

    def __init__(self, sql: str, *expressions: Any) -> None:
        super().__init__(f"({sql})", *expressions, output_field=BooleanField())


# Immutable throughout, so that PostgreSQL folds it once for a constant.
_BARE = r"regexp_replace(normalize({}, NFKD), '[\u0300-\u036f]', '', 'g')"
_PLAIN = rf"lower(btrim(regexp_replace({_BARE}, '\s+', ' ', 'g')))"
_CODE = r"regexp_replace(lower({}), '[^a-z0-9]', '', 'g')"
_NUMBER = r"CASE WHEN {} ~ '^[+-]?[0-9]{{1,30}}([.,][0-9]{{1,30}})?$' THEN replace({}, ',', '.')::numeric END"
_TIGHT = r"regexp_replace({}, '\s', '', 'g')"
_DATE = (
    r"CASE WHEN {} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}' THEN left({}, 10)"
    r" WHEN {} ~ '^[0-9]{{2}}/[0-9]{{2}}/[0-9]{{4}}'"
    r" THEN substr({}, 7, 4) || '-' || substr({}, 4, 2) || '-' || substr({}, 1, 2) END"
)


def compile_criterion(criterion: Condition) -> Compiled:
    """Return the predicate of a criterion. Raises Invalid for an unknown field, operator or an impossible value."""
    field = check_field(criterion.field)
    value = check_value(criterion.operator, criterion.value, field=field)
    return _compiled(field, criterion.operator, tuple(value) if isinstance(value, list) else value)


@lru_cache(maxsize=500)
def _compiled(field: str, operator: str, value: Any) -> Compiled:
    text = _field_text(field)
    if operator == Operator.IS_SET:
        known = _Test("{} <> ''", text)
        return Compiled(Q(known), Q(pk__in=[]), ~Q(known))
    known, test = (
        _between(field, text, value)
        if operator == Operator.BETWEEN
        else _compare(field, text, operator, value)
    )
    return Compiled(Q(known) & Q(test), Q(known) & ~Q(test), ~Q(known))


def _field_text(field: str) -> Any:
    """Return the field as text that is never null."""
    if field.startswith(ATTRIBUTE):
        key = Value(field.removeprefix(ATTRIBUTE))
        text: Any = _Sql("jsonb_extract_path_text({}, {}::text)", F("attributes"), key)
    else:
        text = F(field)
    return _form(field, Coalesce(text, Value("")))


def _form(field: str, text: Any) -> Any:
    """Return the form in which texts of this field are compared."""
    plain = _Sql(_PLAIN, text)
    return _Sql(_CODE, plain) if field in CODES else plain


def _given(field: str, value: str) -> Any:
    return _form(field, _Sql("{}::text", Value(value)))


def _compare(field: str, text: Any, operator: str, value: Any) -> tuple[Any, Any]:
    known = _Test("{} <> ''", text)
    if operator == Operator.IN:
        items = _form(field, _Sql("v"))
        listed = _Test(
            "{} = ANY(ARRAY(SELECT {} FROM unnest({}::text[]) v))", text, items, Value(list(value))
        )
        return known, listed
    sql = {
        Operator.EQUALS: "{} = {}",
        Operator.STARTS_WITH: "starts_with({}, {})",
        Operator.CONTAINS: "strpos({}, {}) > 0",
    }[Operator(operator)]
    return known, _Test(sql, text, _given(field, value))


def _between(field: str, text: Any, bounds: tuple[str | None, str | None]) -> tuple[Any, Any]:
    low, high = bounds
    kind = "text" if field in CODES else bounds_kind(low, high)
    if kind == "number":
        tight = _Sql(_TIGHT, text)
        read: Any = _Sql(_NUMBER, tight, tight)
        wrap: Callable[[str], Any] = _number_bound
    elif kind == "date":
        read = _Sql(_DATE, *[text] * 6)
        wrap = _date_bound
    else:
        read = text
        wrap = partial(_given, field)
    # By bytes where text is compared: the order must not depend on the server's locale.
    order = "" if kind == "number" else ' COLLATE "C"'
    tests = []
    if low is not None:
        tests.append(Q(_Test(f"coalesce({{}} >= {{}}{order}, false)", read, wrap(low))))
    if high is not None:
        reach = "left({}, length({}))" if kind == "text" else "{}"
        parts = [read, wrap(high), wrap(high)] if kind == "text" else [read, wrap(high)]
        tests.append(Q(_Test(f"coalesce({reach} <= {{}}{order}, false)", *parts)))
    known = _Test("({}) IS NOT NULL AND {} <> ''", read, text)
    return known, Q(*tests)


def _number_bound(bound: str) -> Any:
    return _Sql("{}::numeric", Value(str(number_of(bound))))


def _date_bound(bound: str) -> Any:
    return _Sql("{}::text", Value(date_of(bound)))


def active_criteria(programme: Programme) -> list[Criterion]:
    """Return the criteria of a programme that are asked, in their order."""
    return list(
        Criterion.objects.filter(programme=programme, retired_at__isnull=True).order_by("position", "id")
    )


def contradiction(criteria: Iterable[Criterion]) -> Any:
    """Return the expression on `Prospect` for the gate's reason: "" or "contradicted:<expected>" of the first
    blocking criterion, among those that trust the file, that the record contradicts."""
    cases = [
        When(compile_criterion(criterion).contradicts, then=Value(contradiction_reason(criterion)))
        for criterion in criteria
        if criterion.blocking and criterion.trust_file and criterion.retired_at is None
    ]
    if not cases:
        return Value("", output_field=CharField())
    return Case(*cases, default=Value(""), output_field=CharField())


def contradiction_reason(criterion: Criterion) -> str:
    """Return the stored reason of a record that contradicts this criterion on paper."""
    return f"contradicted:{criterion.expected or criterion.question}"[:300]


def queued_prospects(programme: Programme) -> QuerySet[Prospect]:
    """Return the prospects that stand in a list of the programme."""
    queued = ListEntry.objects.filter(prospect=OuterRef("pk"), campaign__programme=programme)
    return Prospect.objects.filter(Exists(queued), erased_at__isnull=True)


def counts(scope: Programme | QuerySet[Prospect], criterion: Condition | None = None) -> Counts:
    """Count the prospects of a queryset, or those in the lists of a programme, by what `criterion` says of them.

    Without criterion: by all the criteria of the programme together; matching means every one of them matches.
    """
    if isinstance(scope, Programme):
        prospects, parts = (
            queued_prospects(scope),
            [compile_criterion(item) for item in active_criteria(scope)],
        )
    else:
        prospects, parts = scope, []
    if criterion is not None:
        parts = [compile_criterion(criterion)]
    matches, contradicts = Q(), Q(pk__in=[])
    for part in parts:
        matches &= part.matches
        contradicts |= part.contradicts
    found = prospects.aggregate(
        total=Count("pk"), matching=Count("pk", filter=matches), contradicting=Count("pk", filter=contradicts)
    )
    return _counts(found["total"], found["matching"], found["contradicting"])


def _counts(total: int, matching: int, contradicting: int) -> Counts:
    return Counts(total, matching, contradicting, total - matching - contradicting)


def attribute_keys(programme: Programme, limit: int = 200) -> list[str]:
    """Return the keys of `attributes` that the first prospects in the lists of the programme have, in order."""
    sample = queued_prospects(programme).order_by("pk")[:limit].values_list("attributes", flat=True)
    return sorted({key for attributes in sample if isinstance(attributes, dict) for key in attributes})
