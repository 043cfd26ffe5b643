"""The list of a campaign as its page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.utils.translation import get_language

from campaigns.enums import IN_PLAY, WAITING, EntryState, Gate
from campaigns.models import Campaign, Disposition, ListEntry
from campaigns.rules.gate import sentence
from campaigns.selectors.funnel import stage_q
from campaigns.selectors.queue import Standing, counted, held_q, served_q, standings_of
from crm.models import Prospect, ProspectNumber, User
from crm.rules.phones import national
from crm.selectors.keyset import Order
from crm.selectors.prospects import prospects_found

#: In an address: the value is empty. A blank one narrows nothing.
EMPTY = "-"

#: What the list can be sorted by; the id is the order in which the fiches came.
SORTS = {"id": "pk", "due": "due_at", "attempts": "attempts"}


@dataclass(frozen=True, slots=True)
class EntryFilters:
    """What the list is narrowed by; "" narrows nothing, `EMPTY` keeps those without a value.

    `stage` is one of the funnel; `progress` and `outcome` (a disposition's code) tell what the calls came to; `play` is
    "yes" for those in the queue or on a screen, "no" for the others. `when` is "now" for those callable at this moment,
    "due" for those whose time has come, "later" for those that wait: `gate` and `reason` are then what holds them.
    `owner` is a username.
    """

    q: str = ""
    state: str = ""
    gate: str = ""
    reason: str = ""
    stage: str = ""
    progress: str = ""
    outcome: str = ""
    play: str = ""
    when: str = ""
    owner: str = ""


def entries_found(campaign: Campaign, *, at: datetime, **values: str) -> QuerySet[ListEntry]:
    """Return the entries of a campaign that these `EntryFilters` keep at a moment, in the order in which they came.

    One query more where they ask for the hours.
    """
    return _found(campaign, EntryFilters(**values), at)


def _found(
    campaign: Campaign, filters: EntryFilters, at: datetime, standing: Standing | None = None
) -> QuerySet[ListEntry]:
    rows = campaign.entries.filter(stage_q(filters.stage)).order_by("id")
    if filters.when == "due":
        rows = rows.filter(_gate_q(filters), state__in=sorted(WAITING), due_at__lte=at)
    elif filters.when:
        zones = (standing or standings_of([campaign], at)[campaign.pk]).zones
        now = filters.when == "now"
        held = held_q(campaign, zones, at, filters.gate, filters.reason)
        rows = rows.filter(served_q(campaign, zones, at) if now else held)
    else:
        rows = rows.filter(_gate_q(filters))
    if filters.state:
        rows = rows.filter(state=filters.state)
    if filters.progress:
        rows = rows.filter(progress=_value(filters.progress))
    if filters.outcome:
        rows = rows.filter(outcome__code=filters.outcome)
    if filters.play:
        in_play = Q(state__in=sorted(IN_PLAY))
        rows = rows.filter(in_play if filters.play == "yes" else ~in_play)
    if filters.owner:
        rows = rows.filter(owner__username=filters.owner)
    if filters.q.strip():
        # The search finds its few prospects by their own indexes first; the list is then read by (campaign, prospect).
        found = prospects_found(Prospect.objects.all(), filters.q).order_by().values("pk")
        rows = rows.filter(prospect__in=found)
    return rows


def found_and_counted(
    campaign: Campaign, *, at: datetime, **values: str
) -> tuple[QuerySet[ListEntry], int | None]:
    """Return `entries_found`, and how many they are where that takes one query at most for both, else null.

    Filters are counted in an index, those callable now or later where the list stands; what a search of words finds, or
    filters beside the hours, is counted by who reads it.
    """
    if values.get("q", "").strip():
        return entries_found(campaign, at=at, **values), None
    if values.get("when") not in ("now", "later"):
        rows = entries_found(campaign, at=at, **values)
        return rows, rows.count()
    standing = standings_of([campaign], at)[campaign.pk]
    rows = _found(campaign, EntryFilters(**values), at, standing)
    if any(value for name, value in values.items() if name != "when"):
        return rows, None
    counts = counted(campaign, standing, at)
    return rows, counts.callable if values["when"] == "now" else counts.waiting


def _gate_q(filters: EntryFilters) -> Q:
    if filters.state == EntryState.EXHAUSTED and filters.gate == Gate.ATTEMPTS:
        # The last attempt of a call exhausts an entry without asking the gate.
        return Q(verdict_gate__in=["", Gate.ATTEMPTS])
    found = Q(verdict_gate=_value(filters.gate)) if filters.gate else Q()
    return found & Q(verdict_reason=_value(filters.reason)) if filters.reason else found


def _value(text: str) -> str:
    return "" if text == EMPTY else text


def order_of(sort: str) -> Order:
    """Return the order that an address asks for ("due", "-due"); what is none is the order of arrival."""
    key = SORTS.get(sort.removeprefix("-"))
    return Order(F(key), descending=sort.startswith("-")) if key else Order(F("pk"))


def with_rows(rows: QuerySet[ListEntry]) -> QuerySet[ListEntry]:
    """Add what the page reads of each entry that it shows."""
    first = ProspectNumber.objects.filter(prospect=OuterRef("prospect")).order_by("position", "id")
    return rows.select_related("prospect", "owner", "outcome").annotate(
        first_number=Subquery(first.values("number")[:1])
    )


def choices_of(campaign: Campaign) -> dict[str, Sequence[tuple[str, str]]]:
    """Return what the list can be narrowed by: `outcome` by code, `owner` of callbacks by username. One query."""
    owned = campaign.entries.filter(state=EntryState.CALLBACK, owner__isnull=False).order_by()
    rows = (
        Disposition.objects.order_by()
        .annotate(kind=Value("outcome"))
        .values_list("kind", "position", "code", "label", "label_en")
        .union(
            User.objects.filter(pk__in=owned.values("owner"))
            .annotate(kind=Value("owner"), position=Value(0))
            .values_list("kind", "position", "username", "first_name", "last_name"),
            all=True,
        )
        .order_by("position", "code")
    )
    english = (get_language() or "").startswith("en")
    found: dict[str, list[tuple[str, str]]] = {"outcome": [], "owner": []}
    for kind, _position, code, one, other in rows:
        named = " ".join(filter(None, (one, other))) or code
        label = (other if english and other else one) if kind == "outcome" else named
        found[kind].append((code, label))
    return dict(found)


def shown_number(entry: ListEntry) -> str:
    """Return the number that the list shows, as people read it, "" for none.

    It is the one to dial, or where none may be dialled the first on the record.
    """
    number = entry.number or getattr(entry, "first_number", "")
    return national(number) if number else ""


def why(entry: ListEntry) -> str:
    """Return in one sentence what holds an entry back, "" when nothing does."""
    if not entry.verdict_gate or entry.verdict_gate == Gate.OPEN:
        return ""
    return sentence(entry.verdict_gate, entry.verdict_reason, entry.verdict_until, entry.time_zone)
