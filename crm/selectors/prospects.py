"""Finding prospects by what people know of them."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.functions import Collate, Replace
from django.utils.timezone import make_aware

from crm.enums import Validity
from crm.models import Prospect, ProspectNumber
from crm.rules.phones import search_beginning, search_forms
from crm.selectors.keyset import Kept, Order

#: Records that are found by one number, a switchboard at most.
MAX_CARRYING = 1_000

#: Columns that say who a prospect is, in the order of its page.
IDENTITY = (
    "kind",
    "organisation",
    "civility",
    "first_name",
    "last_name",
    "job_title",
    "sector",
    "email",
    "address",
    "postal_code",
    "city",
    "country",
    "language",
    "time_zone",
    "preferred_channel",
    "external_id",
)


def prospects_found(scope: QuerySet[Prospect], text: str) -> QuerySet[Prospect]:
    """Return the prospects of `scope` that `text` means: a number in any spelling or its beginning, or words that each
    begin one of a name, an organisation, an external id, an e-mail, a sector or a town, in any order, whatever their
    accents and capitals. Blank text keeps the whole scope, newest change first.

    Each condition has its index: the page answers at once on a million records."""
    text = text.replace("\x00", " ").strip()
    scope = scope.filter(erased_at__isnull=True)
    if not text:
        return scope.order_by("-updated_at", "-id")
    return scope.filter(_meant(text)).order_by("id")


def _meant(text: str) -> Q:
    """Return the condition for what somebody typed. One query more where it may be a number."""
    named = Q(Said(text))
    numbers = carried(text)
    if not numbers:
        return named
    found = list(
        ProspectNumber.objects.filter(numbers).order_by().values_list("prospect", flat=True)[:MAX_CARRYING]
    )
    return named | Q(pk__in=found)


def carried(text: str) -> Q:
    """Return the condition for the numbers that a text means, an empty one when it means none."""
    meant = Q()
    if forms := search_forms(text):
        meant |= Q(number__in=forms)
    if beginning := search_beginning(text):
        meant |= Q(number__gte=beginning[0], number__lt=beginning[1])
    return meant


class Said(Func):
    """Whether the words of a prospect have what somebody typed: the database reads both in the same way."""

    template = "(%(expressions)s)"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def __init__(self, text: str) -> None:
        """Take what was typed; a text without any word is said of nobody."""
        super().__init__(Kept("words"), Func(Value(text), function="courtois_search"))


@dataclass(frozen=True, slots=True)
class ProspectFilters:
    """What the list of prospects is narrowed by; an empty value narrows nothing.

    `place` is the beginning of a town or of a postal code, `sector` that of a sector; `numbered`, `confidential` and
    `barred` are "yes" or "no"; `created_since` and `updated_since` are days, included, in the current time zone.
    """

    q: str = ""
    source: str = ""
    sector: str = ""
    place: str = ""
    language: str = ""
    kind: str = ""
    numbered: str = ""
    confidential: str = ""
    barred: str = ""
    created_since: date | None = None
    updated_since: date | None = None

    @property
    def any(self) -> bool:
        """Whether something narrows the list."""
        return any(getattr(self, name) for name in self.__slots__)


#: What the list is sorted by, and whether rows without it come last.
SORTS: dict[str, tuple[Any, bool]] = {
    "name": (Kept("sort_name"), True),
    "city": (Kept("sort_city"), True),
    "sector": (Collate("sector", "C"), True),
    "updated": (F("updated_at"), False),
}

NEWEST = Order(F("updated_at"), descending=True)


def prospect_order(sort: str) -> Order:
    """Return the order of an address: the key of `SORTS`, "-" before it when descending; else the newest change."""
    descending, name = sort.startswith("-"), sort.removeprefix("-")
    if name not in SORTS:
        return NEWEST
    key, blanks = SORTS[name]
    return Order(key, descending=descending, blanks=blanks)


def long_order(filters: ProspectFilters, sort: str) -> Order | None:
    """Return the order of a list that is too long to be sorted by what its search has chosen: all "banque" stand
    together by name, and an index would be read up to there. None: the order of the address holds at any length."""
    name = sort.removeprefix("-")
    chosen = filters.q or (filters.place and name == "city") or (filters.sector and name == "sector")
    return NEWEST if chosen and name in SORTS and name != "updated" else None


def prospects_narrowed(
    scope: QuerySet[Prospect], filters: ProspectFilters, barred: Q | None = None
) -> QuerySet[Prospect]:
    """Return the known prospects of `scope` that every filter keeps. `barred` tells whom a bar holds."""
    found = prospects_found(scope, filters.q).order_by()
    if filters.source:
        found = found.filter(source__slug=filters.source)
    found = _located(found, filters)
    for name in ("language", "kind"):
        if value := getattr(filters, name):
            found = found.filter(**{name: value})
    if filters.numbered:
        valid = ProspectNumber.objects.filter(prospect=OuterRef("pk"), validity=Validity.VALID)
        found = found.filter(Exists(valid) if filters.numbered == "yes" else ~Exists(valid))
    if filters.confidential:
        found = found.filter(confidential=filters.confidential == "yes")
    if filters.barred and barred is not None:
        found = found.filter(barred if filters.barred == "yes" else ~barred)
    for name in ("created", "updated"):
        if day := getattr(filters, f"{name}_since"):
            found = found.filter(**{f"{name}_at__gte": make_aware(datetime.combine(day, time()))})
    return found


def _located(found: QuerySet[Prospect], filters: ProspectFilters) -> QuerySet[Prospect]:
    """Narrow by sector and place: the words find them by their index, the columns say where they stand."""
    if filters.sector:
        # Sectors are written with and without their point.
        found = found.alias(plain_sector=Replace("sector", Value("."), Value("")))
        found = found.filter(Said(filters.sector), plain_sector__istartswith=filters.sector.replace(".", ""))
    if filters.place:
        plain = Func(Value(filters.place), function="courtois_plain", output_field=TextField())
        found = found.alias(plain_city=Kept("sort_city")).filter(
            Said(filters.place), Q(plain_city__startswith=plain) | Q(postal_code__startswith=filters.place)
        )
    return found


def prospects_dressed(rows: QuerySet[Prospect], barred: Q | None = None) -> QuerySet[Prospect]:
    """Add what a line of the list shows: the source, the numbers, and whether a bar holds (`is_barred`)."""
    is_barred = ExpressionWrapper(barred, output_field=BooleanField()) if barred is not None else Value(False)
    return rows.select_related("source").prefetch_related("phones").annotate(is_barred=is_barred)


def identity_of(prospect: Prospect) -> list[tuple[Any, Any]]:
    """Return what is known of a prospect's identity, as (label, value as people read it), in the order of its page."""
    found = []
    for name in IDENTITY:
        field = prospect._meta.get_field(name)
        shown = getattr(prospect, f"get_{name}_display", None)
        value = shown() if shown else getattr(prospect, name)
        if value:
            found.append((getattr(field, "verbose_name", name), value))
    return found
