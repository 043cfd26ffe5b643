"""The supervisor's inbox: questions, corrections and incidents, each with what one needs to decide."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Count, Exists, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import JSONObject
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from calls.enums import LIVE, QUESTIONS, TAKING, CallEventKind, Decision, HungUpBy, IncidentKind, StartedBy
from calls.models import CallAnswer, CallEvent, Incident, IncidentAnswer, IncidentDecision, Situation
from calls.rules.decisions import ABOUT_RUDENESS, NEEDS_REASON, decisions_of
from calls.rules.hang_up import SUPERVISOR
from calls.rules.transitions import ON_LINE
from calls.selectors.stages import tell_stages
from campaigns.models import Criterion, Disposition
from crm.models import Prospect, ProspectNumber, Sponsor, User
from crm.rules.phones import national
from crm.selectors.scopes import prospects_of

#: Kinds by the tab of the inbox.
TABS: dict[str, frozenset[IncidentKind]] = {
    "questions": frozenset(
        {
            IncidentKind.HELP,
            IncidentKind.SHARED_NUMBER,
            IncidentKind.EXPIRED_CALL,
            IncidentKind.RESOURCING,
        }
    ),
    "corrections": frozenset({IncidentKind.ENTRY_ERROR}),
    "incidents": frozenset(IncidentKind) - QUESTIONS - {IncidentKind.RESOURCING},
}
#: Situations in which somebody may be in danger.
DANGEROUS = frozenset({"aggressive", "suicidal", "threats"})
#: What an incident may be older or younger than, by its name in the address.
AGES: dict[str, tuple[str, timedelta]] = {
    "hour": ("gte", timedelta(hours=1)),
    "day": ("gte", timedelta(days=1)),
    "older": ("lt", timedelta(days=1)),
    "week": ("lt", timedelta(days=7)),
}
#: Kinds that are looked at before the others, after those in which somebody may be in danger.
_PRESSING = frozenset({IncidentKind.HELP, IncidentKind.VULNERABLE, IncidentKind.COMPLAINT})
#: Incidents whose campaigns, agents and teams the filters offer.
RECENT = 1_000
#: Other fiches of a number that are named; a switchboard has more.
NEIGHBOURS = 5
#: What an item reads of the call's history and answers, and of those other fiches.
EVENT = ("id", "kind", "at", "data", "by__username")
ANSWER = ("id", "result", "at", "expected", "heard", "criterion__question")
GIVEN = ("id", "kind", "at", "words", "due_at", "by_id", "by__username", "by__first_name", "by__last_name")
NAMED = ("id", "organisation", "civility", "first_name", "last_name", "external_id", "confidential")

#: Whether a supervisor took a request on.
_TAKEN = IncidentAnswer.objects.filter(incident=OuterRef("pk"), kind__in=sorted(TAKING))

#: The fields that each decision takes beside its reason.
FIELDS: dict[str, tuple[str, ...]] = {
    Decision.CORRECT: ("code", "callback_at", "note"),
    Decision.CLOSE_CALL: ("code",),
    Decision.REOPEN: ("number",),
}
#: What a decision that reaches beyond this call does, said before it is taken.
FAR_REACHING: dict[str, Any] = {
    Decision.BAN: _(
        "Le bannissement du numéro et de la fiche est demandé ; il vaut partout dès qu'un responsable l'accorde."
    ),
    Decision.ALLOW_OTHERS: _(
        "L'exclusion du numéro est levée : les autres fiches de ce numéro redeviennent appelables."
    ),
    Decision.CORRECT: _(
        "Ce que l'appel avait entraîné est défait, puis refait selon la bonne qualification."
    ),
    Decision.CLOSE_CALL: _("L'appel de cet agent est clos à sa place."),
    Decision.REOPEN: _("La fiche retourne dans la liste avec ce numéro."),
}


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """What narrows the inbox, as its address says; what means nothing narrows nothing."""

    tab: str = ""
    decided: bool = False
    kind: str = ""
    campaign: str = ""
    agent: str = ""
    team: str = ""
    age: str = ""
    sort: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a decision: how much, how much in each tab, the newest id, and how many agents call for
    help that nobody answered yet, or that somebody took on."""

    count: int
    newest: int
    calling: int
    answered: int
    tabs: Mapping[str, int]

    def of(self, tab: str) -> int:
        """Return how much waits in a tab; in all of them for any other word."""
        return self.tabs.get(tab, self.count)

    @property
    def token(self) -> str:
        """A text that changes whenever something came or was decided."""
        return f"{self.count}-{self.newest}-{self.calling}-{self.answered}"


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision that may be taken: its code and label, whether it asks for a reason, its other fields, its reach."""

    code: str
    label: Any
    needs_reason: bool
    fields: Sequence[str] = ()
    reach: Any = ""

    @property
    def asks(self) -> str:
        """The fields to fill in before it is taken, "" when one key decides."""
        return " ".join(["reason", *self.fields]) if self.needs_reason else ""


@dataclass(frozen=True, slots=True)
class Item:
    """An incident with its context: the call's history and answers, the fiche, and what may be decided."""

    incident: Incident
    events: Sequence[CallEvent]
    answers: Sequence[CallAnswer]
    choices: Sequence[Choice]
    situation: str = ""
    numbers: Sequence[str] = ()
    neighbours: Sequence[Prospect] = field(default_factory=list)
    more_neighbours: bool = False
    answers_given: Sequence[IncidentAnswer] = ()

    @property
    def urgency(self) -> str:
        """`danger` when somebody may be harmed, `care` when somebody waits or was insulted, "" else."""
        if self.incident.kind == IncidentKind.DANGER:
            return "danger"
        if self.incident.kind == IncidentKind.ABUSE:
            return "danger" if self.incident.data.get("situation") in DANGEROUS else "care"
        return "care" if self.incident.kind in _PRESSING else ""

    @property
    def asks_who_began(self) -> bool:
        """Whether it is asked who was rude first."""
        return self.incident.kind in ABOUT_RUDENESS

    @property
    def who_began(self) -> list[tuple[str, Any]]:
        """The answers to who was rude first, by their codes."""
        return list(StartedBy.choices)

    @property
    def is_released(self) -> bool:
        """Whether a supervisor let the agent hang up."""
        call = self.incident.call
        return call is not None and call.end_allowed_by == SUPERVISOR

    @property
    def taken(self) -> IncidentAnswer | None:
        """The answer by which a supervisor took it on, or None."""
        return next((row for row in self.answers_given if row.kind in TAKING), None)

    @property
    def answerable(self) -> bool:
        """Whether an agent waits for somebody who takes it on."""
        return self.incident.kind in LIVE and self.incident.waiting and self.taken is None

    @property
    def is_live(self) -> bool:
        """Whether somebody is on the line now."""
        return self.incident.call is not None and self.incident.call.state in ON_LINE

    @property
    def note(self) -> str:
        """The last words that the agent wrote of this call."""
        for event in reversed(self.events):
            words = event.data.get("text") if event.kind == CallEventKind.NOTE else event.data.get("note")
            if event.kind in (CallEventKind.NOTE, CallEventKind.DISPOSITION) and words:
                return str(words)
        return ""

    @property
    def added(self) -> list[str]:
        """What an agent who calls for help said after the first words."""
        asked = [event for event in self.events if event.kind == CallEventKind.SUPERVISOR_ASKED]
        return [event.data["text"] for event in asked if event.data.get("text")]

    @property
    def declared(self) -> Any:
        """Who had hung up by the agent's word, where an exchange says otherwise; "" else."""
        return dict(HungUpBy.choices).get(self.incident.data.get("declared", ""), "")

    @property
    def due_on(self) -> date | None:
        """The day by which the person has the right to an answer, or None."""
        due = self.incident.data.get("due")
        return date.fromisoformat(due) if due else None

    @property
    def fields(self) -> set[str]:
        """The further fields that any of its decisions takes."""
        return {name for choice in self.choices for name in choice.fields}


def incidents_found(sponsors: QuerySet[Sponsor], wanted: InboxFilter, *, at: datetime) -> QuerySet[Incident]:
    """Return the bare incidents that `wanted` asks for; `items_of` reads what the items of one page show.

    Those that wait: people in danger first, then calls for help, then abuse and complaints, then the oldest (`sort`
    "new": the newest). Those decided: the latest decision first (`sort` "old": the first).
    """
    rows = Incident.objects.filter(_where(wanted, at), sponsor__in=sponsors, waiting=not wanted.decided)
    if wanted.decided:
        # Decided by its mark; said again so that the order is read from the index of decisions.
        rows = rows.filter(decision_row__isnull=False)
        return rows.order_by("decision_row__at" if wanted.sort == "old" else "-decision_row__at")
    rows = rows.annotate(situation=KeyTextTransform("situation", "data"))
    urgency = Case(
        When(kind=IncidentKind.DANGER, then=0),
        When(kind=IncidentKind.HELP, then=1),
        When(kind=IncidentKind.ABUSE, situation__in=sorted(DANGEROUS), then=2),
        When(kind__in=[IncidentKind.ABUSE, *sorted(_PRESSING)], then=3),
        default=4,
        output_field=IntegerField(),
    )
    return rows.order_by(urgency, "-id" if wanted.sort == "new" else "id")


def _where(wanted: InboxFilter, at: datetime) -> Q:
    where = Q()
    if wanted.tab in TABS:
        where &= Q(kind__in=sorted(TABS[wanted.tab]))
    if wanted.kind in IncidentKind.values:
        where &= Q(kind=wanted.kind)
    for path, value in (
        ("call__campaign", wanted.campaign),
        ("call__agent", wanted.agent),
        ("call__agent__team", wanted.team),
    ):
        if value.isdecimal() and len(value) < 19:
            where &= Q((path, int(value)))
    if wanted.age in AGES:
        lookup, ago = AGES[wanted.age]
        where &= Q((f"at__{lookup}", at - ago))
    return where


def choices_of_filters(sponsors: QuerySet[Sponsor], *, decided: bool) -> dict[str, list[tuple[str, str]]]:
    """Return the campaigns, agents and teams of the latest incidents, as choices by name. One query."""
    latest = Incident.objects.filter(sponsor__in=sponsors, waiting=not decided).order_by("-id")
    rows = (
        Incident.objects.filter(pk__in=latest.values("pk")[:RECENT], call__isnull=False)
        .order_by()
        .values_list(
            "call__campaign",
            "call__campaign__name",
            "call__agent",
            "call__agent__first_name",
            "call__agent__last_name",
            "call__agent__username",
            "call__agent__team",
            "call__agent__team__name",
        )
        .distinct()
    )
    campaigns, agents, teams = {}, {}, {}
    for campaign, name, agent, first, last, username, team, team_name in rows:
        campaigns[str(campaign)] = name
        agents[str(agent)] = f"{first} {last}".strip() or username
        if team is not None:
            teams[str(team)] = team_name
    found = {"campaign": campaigns, "agent": agents, "team": teams}
    return {name: sorted(values.items(), key=lambda pair: pair[1]) for name, values in found.items()}


def waiting(sponsors: QuerySet[Sponsor]) -> Waiting:
    """Count what waits inside these sponsors: one query by the index of what waits."""
    tabs = {f"tab_{tab}": Count("pk", filter=Q(kind__in=sorted(members))) for tab, members in TABS.items()}
    found = _waiting(sponsors).aggregate(
        count=Count("pk"),
        newest=Max("pk"),
        calling=Count("pk", filter=Q(kind__in=sorted(LIVE)) & ~Q(Exists(_TAKEN))),
        answered=Count("pk", filter=Q(kind__in=sorted(LIVE)) & Q(Exists(_TAKEN))),
        **tabs,
    )
    return Waiting(
        count=found["count"],
        newest=found["newest"] or 0,
        calling=found["calling"],
        answered=found["answered"],
        tabs={tab: found[f"tab_{tab}"] for tab in TABS},
    )


def kinds_since(sponsors: QuerySet[Sponsor], after: int) -> list[str]:
    """Return the kinds of the waiting incidents that came after the one with this id."""
    return list(_waiting(sponsors).filter(id__gt=after).order_by("id").values_list("kind", flat=True))


def decisions_on(sponsors: QuerySet[Sponsor], incidents: Sequence[int]) -> QuerySet[IncidentDecision]:
    """Return what was decided on these incidents (ids), with who did it."""
    rows = IncidentDecision.objects.filter(incident__in=incidents, incident__sponsor__in=sponsors)
    return rows.select_related("by", "incident__prospect").order_by("incident")


def _waiting(sponsors: QuerySet[Sponsor]) -> QuerySet[Incident]:
    return Incident.objects.waiting().filter(sponsor__in=sponsors)


def items_of(sponsors: QuerySet[Sponsor], keys: Iterable[int], *, reader: User) -> list[Item]:
    """Return the incidents of these ids inside these sponsors, in this order, with the context that `reader` may see.

    One query, two when a delicate situation is told: what an item shows of others is gathered beside it.
    """
    order = list(keys)
    rows: dict[int, Any] = _with_context(sponsors, reader).in_bulk(order)
    items = [_item(rows[pk], reader) for pk in order if pk in rows]
    tell_stages([event for item in items for event in item.events])
    return items


def item_of(sponsors: QuerySet[Sponsor], pk: int, *, reader: User) -> Item | None:
    """Return one incident inside these sponsors with its context, or None."""
    return next(iter(items_of(sponsors, [pk], reader=reader)), None)


def _with_context(sponsors: QuerySet[Sponsor], reader: User) -> QuerySet[Any]:
    """Return the incidents with the rows that their items show, as JSON; of many rows only what is read of them."""
    situation = Situation.objects.filter(code=KeyTextTransform("situation", OuterRef("data")))
    phones = ProspectNumber.objects.filter(prospect=OuterRef("prospect"))
    events = CallEvent.objects.filter(call=OuterRef("call")).order_by("id")
    answers = CallAnswer.objects.filter(call=OuterRef("call")).order_by("id")
    given = IncidentAnswer.objects.filter(incident=OuterRef("pk")).order_by("id")
    same = prospects_of(reader).filter(erased_at__isnull=True, phones__number=OuterRef("call__number"))
    return (
        Incident.objects.filter(sponsor__in=sponsors)
        .select_related(
            "sponsor",
            "prospect",
            "by",
            "exclusion__programme",
            "decision_row__by",
            "call__campaign__programme",
            "call__agent__team",
            "call__disposition",
        )
        .annotate(
            shown_situation=Subquery(
                situation.values(json=JSONObject(label="label", label_en="label_en"))[:1]
            ),
            shown_phones=ArraySubquery(phones.order_by("position", "id").values("number")),
            shown_events=ArraySubquery(
                events.values(json=JSONObject(**dict(zip(EVENT, EVENT, strict=True))))
            ),
            shown_answers=ArraySubquery(
                answers.values(json=JSONObject(**dict(zip(ANSWER, ANSWER, strict=True))))
            ),
            shown_given=ArraySubquery(given.values(json=JSONObject(**dict(zip(GIVEN, GIVEN, strict=True))))),
            shown_same=ArraySubquery(
                same.order_by("id").values(json=JSONObject(**dict(zip(NAMED, NAMED, strict=True))))[
                    : NEIGHBOURS + 2
                ]
            ),
        )
    )


def _item(incident: Any, reader: User) -> Item:
    codes = decisions_of(incident.kind, managing=reader.is_managing) if incident.waiting else ()
    same = [Prospect(**row) for row in incident.shown_same]
    others = [row for row in same if row.pk != incident.prospect_id]
    return Item(
        incident=incident,
        events=[_event(row) for row in incident.shown_events],
        answers=[_answer(row) for row in incident.shown_answers],
        choices=[
            Choice(
                code=code.value,
                label=code.label,
                needs_reason=code in NEEDS_REASON,
                fields=FIELDS.get(code, ()),
                reach=FAR_REACHING.get(code, ""),
            )
            for code in codes
        ],
        situation=_label(incident.shown_situation),
        numbers=[national(number) for number in incident.shown_phones],
        neighbours=others[:NEIGHBOURS],
        more_neighbours=len(others) > NEIGHBOURS,
        answers_given=[_given(row) for row in incident.shown_given],
    )


def _event(row: dict[str, Any]) -> CallEvent:
    name = row.pop("by__username")
    by = User(username=name) if name is not None else None
    return CallEvent(**row | {"at": datetime.fromisoformat(row["at"])}, by=by)


def _answer(row: dict[str, Any]) -> CallAnswer:
    question = row.pop("criterion__question")
    criterion = Criterion(question=question) if question is not None else None
    return CallAnswer(**row | {"at": datetime.fromisoformat(row["at"])}, criterion=criterion)


def _given(row: dict[str, Any]) -> IncidentAnswer:
    by = User(
        pk=row["by_id"], **{name: row.pop(f"by__{name}") for name in ("username", "first_name", "last_name")}
    )
    due_at = row["due_at"] and datetime.fromisoformat(row["due_at"])
    return IncidentAnswer(**row | {"at": datetime.fromisoformat(row["at"]), "due_at": due_at}, by=by)


def calling_now(sponsors: QuerySet[Sponsor], besides: Sequence[int] = ()) -> list[Incident]:
    """Return the agents who call and whom nobody answered yet, dangers first, at most three. One query.

    `besides` are the incidents (ids) that the page shows already.
    """
    rows = _waiting(sponsors).filter(~Exists(_TAKEN), kind__in=sorted(LIVE)).exclude(pk__in=besides)
    return list(rows.select_related("call__campaign", "by").order_by("kind", "-id")[:3])


def _label(situation: dict[str, str] | None) -> str:
    if situation is None:
        return ""
    english = (get_language() or "").startswith("en")
    return (situation["label_en"] if english else "") or situation["label"]


def dispositions_to_correct() -> QuerySet[Disposition]:
    """Return the dispositions that a correction may give: a mismatch is stored by an answer alone."""
    return Disposition.objects.filter(active=True, by_mismatch_only=False).order_by("position", "code")
