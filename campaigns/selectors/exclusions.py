"""Reading the exclusions: which bar covers a number, and the page that finds them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import connection
from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Now
from django.utils.timezone import make_aware

from campaigns.enums import Scope
from campaigns.models import Campaign, Exclusion, ListEntry
from crm.access import prospects_of, sponsors_of
from crm.enums import Role
from crm.models import Prospect, ProspectNumber, User
from crm.selectors.keyset import Order
from crm.selectors.prospects import carried, prospects_found

MAX_RECORDS = 1_000
#: From so many bars in force on, whom they hold is looked up one by one.
MANY_BARS = 20_000
#: Holds now: not lifted, not past its end.
IN_FORCE = Q(lifted_at__isnull=True) & (Q(until__isnull=True) | Q(until__gt=Now()))
STATES = {
    "lifted": Q(lifted_at__isnull=False),
    "over": Q(lifted_at__isnull=True, until__lte=Now()),
}
ORIGINS = {
    "call": Q(call_ref__isnull=False),
    "import": Q(import_ref__isnull=False),
    "hand": Q(call_ref__isnull=True, import_ref__isnull=True),
}
#: Fiches and entries that the page of one exclusion names.
SHOWN = 20


def covering(numbers: Iterable[str], campaign: Campaign) -> dict[str, Exclusion]:
    """Return, by number, the exclusion that covers each of these E.164 numbers in the campaign. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT number, bar FROM (
                SELECT number, courtois_covering_exclusion(number, NULL, %s) AS bar FROM unnest(%s::text[]) number) q
             WHERE bar IS NOT NULL
            """,
            [campaign.pk, sorted(set(numbers))],
        )
        bars = dict(cursor.fetchall())
    found = Exclusion.objects.in_bulk(set(bars.values()))
    return {number: found[bar] for number, bar in bars.items()}


def covering_anywhere(numbers: Collection[str], seen: QuerySet[Exclusion]) -> dict[str, Exclusion]:
    """Return, by number, the first exclusion in force among those `seen` that bars it, else whoever carries it, since a
    number reaches them. Three queries."""
    in_force = Exclusion.objects.active()
    barred = in_force.filter(number__in=numbers).values("pk")
    found: dict[str, Exclusion] = {}
    for row in seen.filter(pk__in=barred).order_by("pk"):
        found.setdefault(str(row.number), row)
    owned: dict[int, list[str]] = defaultdict(list)
    rows = ProspectNumber.objects.filter(number__in=set(numbers) - found.keys())
    for owner, number in rows.values_list("prospect_id", "number"):
        owned[owner].append(number)
    people = in_force.filter(prospect__in=list(owned)).values("pk")
    for row in seen.filter(pk__in=people).order_by("pk"):
        found |= {number: row for number in owned[row.prospect_id or 0] if number not in found}
    return found


def exclusions_seen_by(user: User) -> QuerySet[Exclusion]:
    """Return the exclusions inside the user's walls; agents see none."""
    if user.role == Role.AGENT:
        return Exclusion.objects.none()
    return Exclusion.objects.filter(Q(scope=Scope.EVERYWHERE) | Q(sponsor__in=sponsors_of(user)))


class LookedUp(Exists):
    """EXISTS that is looked up for each row: no hash is made of all that exists."""

    template = "EXISTS(%(subquery)s OFFSET 0)"


def prospects_barred(user: User, sought: bool) -> Q:
    """Return the condition for the prospects that are barred, or one of whose numbers is, by what the user sees.

    `sought` among all prospects, few bars are a hash at once; among many somebody is soon found. One query to tell.
    """
    bars = exclusions_seen_by(user).filter(IN_FORCE)
    exists = Exists if sought and bars.order_by()[:MANY_BARS].count() < MANY_BARS else LookedUp
    numbers = ProspectNumber.objects.filter(
        exists(bars.filter(number=OuterRef("number"))), prospect=OuterRef("pk")
    )
    return Q(exists(bars.filter(prospect=OuterRef("pk")))) | Q(exists(numbers))


def search(user: User, text: str) -> QuerySet[Exclusion]:
    """Return the exclusions, inside the user's walls, of a number in any spelling or its beginning, or of a record by
    the words that people say of it, on the record itself or on one of its numbers. One query more, two at most."""
    seen = exclusions_seen_by(user)
    text = text.replace("\x00", " ").strip()
    if not text:
        return seen
    meant = carried(text)
    if any(map(str.isalpha, text)) or not meant:
        named = prospects_found(prospects_of(user), text).order_by()
        found: list[tuple[int, str | None]] = list(named.values_list("pk", "phones__number")[:MAX_RECORDS])
    else:
        carrying = ProspectNumber.objects.filter(meant, prospect__in=prospects_of(user)).order_by()
        found = list(carrying.values_list("prospect", "number")[:MAX_RECORDS])
    about = Q(prospect__in={pk for pk, _number in found})
    about |= Q(number__in={number for _pk, number in found if number})
    return seen.filter(about | meant if meant else about)


def exclusions_found(
    user: User,
    *,
    q: str = "",
    state: str = "",
    reason: str = "",
    scope: str = "",
    programme: str = "",
    origin: str = "",
    who: str = "",
    since: date | None = None,
    until: date | None = None,
) -> QuerySet[Exclusion]:
    """Return the exclusions that every filter keeps, in no order.

    `state` is "" for those in force, "lifted", "over" (ended by themselves) or "all"; `origin` is "call", "import" or
    "hand"; `since` and `until` are the first and the last day, in the current time zone, on which they were written;
    `who` is a part of the name of who wrote them.
    """
    found = search(user, q)
    if state != "all":
        found = found.filter(STATES.get(state, IN_FORCE))
    for name, value in {"reason": reason, "scope": scope}.items():
        if value:
            found = found.filter(**{name: value})
    if programme.isdecimal() and len(programme) < 19:
        found = found.filter(programme=int(programme))
    if origin in ORIGINS:
        found = found.filter(ORIGINS[origin])
    if since:
        found = found.filter(since__gte=make_aware(datetime.combine(since, time())))
    if until:
        found = found.filter(since__lt=make_aware(datetime.combine(until, time())) + timedelta(days=1))
    if who:
        people = Q(username__icontains=who) | Q(first_name__icontains=who) | Q(last_name__icontains=who)
        found = found.filter(
            created_by__in=list(User.objects.filter(people).values_list("pk", flat=True)[:500])
        )
    return found


def exclusions_dressed(rows: QuerySet[Exclusion], *, user: User) -> QuerySet[Exclusion]:
    """Add what a line of the list shows. `names_prospect` is false where a wall hides the fiche: a bar may hold
    everywhere."""
    rows = rows.select_related("sponsor", "programme", "campaign", "prospect", "created_by", "lifted_by")
    return rows.annotate(names_prospect=Exists(prospects_of(user).filter(pk=OuterRef("prospect"))))


def with_prospect_seen(rows: QuerySet[Exclusion], *, user: User) -> QuerySet[Exclusion]:
    """Read with each exclusion its fiche, null where a wall hides it from the user. One query more."""
    return rows.prefetch_related(Prefetch("prospect", queryset=prospects_of(user)))


def exclusion_order(sort: str) -> Order:
    """Return the order of an address: "since" (of their ids, for they are written as they begin) or "number", "-"
    before it when descending; else the newest first."""
    descending = sort.startswith("-")
    if sort.removeprefix("-") == "number":
        return Order(F("number"), descending=descending, nulls=True)
    return Order(F("pk"), descending=descending or not sort)


@dataclass(frozen=True, slots=True)
class CallOrigin:
    """The call that an exclusion came from: its fiche (null: none), when, by whom, and what was heard ("": nothing)."""

    call: int
    prospect: int | None
    at: datetime
    agent: str
    heard: str


#: Which calls exclusions came from, by their ids, inside the walls: given by the app that knows of calls.
CALL_ORIGINS: list[Callable[[User, Sequence[int]], Mapping[int, CallOrigin]]] = []


def call_origins(user: User, rows: Iterable[Exclusion]) -> dict[int, CallOrigin]:
    """Return the calls that these exclusions came from and that the user may see, by their ids. One query."""
    refs = sorted({row.call_ref for row in rows if row.call_ref is not None})
    found: dict[int, CallOrigin] = {}
    for origins in CALL_ORIGINS if refs else ():
        found.update(origins(user, refs))
    return found


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Whom an exclusion holds back, as far as the user sees: the fiches, and the list entries that it closed."""

    prospects: Sequence[Prospect]
    prospect_count: int
    entries: Sequence[ListEntry]
    entry_count: int


def held_back(user: User, exclusion: Exclusion) -> HeldBack:
    """Return whom an exclusion holds back: the first of them, and how many they are. Four queries."""
    carrying = Q(pk=exclusion.prospect_id)
    if exclusion.number:
        carrying |= Q(pk__in=ProspectNumber.objects.filter(number=exclusion.number).values("prospect"))
    prospects = prospects_of(user).filter(carrying, erased_at__isnull=True).order_by("pk")
    entries = exclusion.closed_entries.filter(campaign__programme__sponsor__in=sponsors_of(user)).order_by(
        "pk"
    )
    return HeldBack(
        prospects=list(prospects[:SHOWN]),
        prospect_count=prospects.count(),
        entries=list(entries.select_related("campaign", "prospect")[:SHOWN]),
        entry_count=entries.count(),
    )


def others_on_number(user: User, exclusion: Exclusion) -> int:
    """Count the other records that the user sees and that carry the barred number."""
    if exclusion.number is None:
        return 0
    carrying = prospects_of(user).filter(erased_at__isnull=True, phones__number=exclusion.number)
    own = [exclusion.prospect_id] if exclusion.prospect_id else []
    return carrying.exclude(pk__in=own).distinct().count()
