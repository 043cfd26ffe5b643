"""How calls ended: whether the closing was whole and who hung up, by agent and over time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.timezone import localtime, make_aware

from calls.enums import HungUpBy
from calls.models import Call
from crm.models import Sponsor, User
from crm.selectors.composed import ask

#: Periods of the page, in days; today is the first.
PERIODS = (1, 7, 30)

#: A closing is due to a person who was greeted; it is whole once the goodbye, its last sentence, was said.
DUE = Q(greeted_at__isnull=False, ended_at__isnull=False)
WHOLE = Q(goodbyes__gte=1)

#: Calls behind a number, by its name in the address.
BEHIND: dict[str, Q] = {
    "all": Q(),
    "whole": WHOLE,
    "interrupted": ~WHOLE,
    "person": Q(hung_up_by=HungUpBy.PROSPECT),
    "agent": Q(hung_up_by=HungUpBy.AGENT),
}


@dataclass(frozen=True, slots=True)
class Courtesy:
    """Conversations that ended: how many, with a whole closing, hung up by the person, by the agent."""

    calls: int = 0
    whole: int = 0
    by_person: int = 0
    by_agent: int = 0

    @property
    def interrupted(self) -> int:
        """Conversations whose closing was not said to its end, whoever ended it."""
        return self.calls - self.whole


def since(days: int, at: datetime) -> datetime:
    """Return the midnight at which a period of so many local days begins, the present day included."""
    first = localtime(at).date() - timedelta(days=days - 1)
    return make_aware(datetime.combine(first, time()))


def own_courtesy(agent: User, at: datetime) -> Courtesy:
    """Return an agent's own figure of the last seven days. One query, by the index of their calls."""
    found = ask(_own, agent=agent.pk, start=since(7, at))
    return Courtesy(*found[0][1:]) if found else Courtesy()


def _own(*, agent: int, start: datetime) -> QuerySet[Any, Any]:
    mine = Call.objects.filter(DUE, agent=agent, started_at__gte=start).order_by()
    return mine.values("agent").annotate(**_figures(Q())).values_list("agent", *_figures(Q()))


def _figures(period: Q, name: str = "") -> dict[str, Any]:
    return {
        f"calls{name}": Count("pk", filter=period) if period else Count("pk"),
        f"whole{name}": Count("pk", filter=period & WHOLE),
        f"by_person{name}": Count("pk", filter=period & BEHIND["person"]),
        f"by_agent{name}": Count("pk", filter=period & BEHIND["agent"]),
    }


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent with the courtesy of each period of `PERIODS`."""

    agent: User
    periods: Mapping[int, Courtesy]


def courtesies(
    sponsors: QuerySet[Sponsor], at: datetime, *, team: int | None = None, campaign: int | None = None
) -> list[AgentRow]:
    """Return the agents who had conversations for these sponsors in the last 30 days, by name. Two queries."""
    calls = calls_of_period(sponsors, PERIODS[-1], at, team=team, campaign=campaign)
    figures: dict[str, Any] = {}
    for days in PERIODS:
        figures |= _figures(Q(started_at__gte=since(days, at)), f"_{days}")
    rows = {row["agent"]: row for row in calls.order_by().values("agent").annotate(**figures)}
    agents = User.objects.filter(pk__in=rows).order_by("last_name", "first_name", "username")
    return [AgentRow(agent, {days: _of(rows[agent.pk], days) for days in PERIODS}) for agent in agents]


def courtesies_between(
    sponsors: QuerySet[Sponsor],
    first: date,
    last: date,
    *,
    team: int | None = None,
    campaign: int | None = None,
) -> list[tuple[User, Courtesy]]:
    """Return the courtesy of each agent from one local day to another, both included, by name. Two queries."""
    start, end = (make_aware(datetime.combine(day, time())) for day in (first, last + timedelta(days=1)))
    calls = _conversations(sponsors, start, team=team, campaign=campaign).filter(started_at__lt=end)
    counted = calls.order_by().values("agent").annotate(**_figures(Q()))
    figures = {pk: Courtesy(*row) for pk, *row in counted.values_list("agent", *_figures(Q()))}
    agents = User.objects.filter(pk__in=figures).order_by("last_name", "first_name", "username")
    return [(agent, figures[agent.pk]) for agent in agents]


def _of(row: Mapping[str, Any], days: int) -> Courtesy:
    return Courtesy(*(row[f"{name}_{days}"] for name in ("calls", "whole", "by_person", "by_agent")))


def total_of(rows: Iterable[AgentRow]) -> dict[int, Courtesy]:
    """Return the figures of all agents together, by period."""
    listed: Sequence[AgentRow] = list(rows)
    return {days: added(row.periods[days] for row in listed) for days in PERIODS}


def added(figures: Iterable[Courtesy]) -> Courtesy:
    """Return several figures as one."""
    each = list(figures)
    return Courtesy(
        sum(one.calls for one in each),
        sum(one.whole for one in each),
        sum(one.by_person for one in each),
        sum(one.by_agent for one in each),
    )


def calls_of_period(
    sponsors: QuerySet[Sponsor],
    days: int,
    at: datetime,
    *,
    team: int | None = None,
    campaign: int | None = None,
    agent: int | None = None,
) -> QuerySet[Call]:
    """Return the conversations of these sponsors that began in a period and ended, narrowed as asked."""
    return _conversations(sponsors, since(days, at), team=team, campaign=campaign, agent=agent)


def _conversations(
    sponsors: QuerySet[Sponsor],
    start: datetime,
    *,
    team: int | None = None,
    campaign: int | None = None,
    agent: int | None = None,
) -> QuerySet[Call]:
    agents = User.objects.all()
    if team is not None:
        agents = agents.filter(team=team)
    if agent is not None:
        agents = agents.filter(pk=agent)
    # By the people, since the index of calls begins with them.
    calls = Call.objects.filter(
        DUE,
        agent__in=agents.values("pk"),
        started_at__gte=start,
        campaign__programme__sponsor__in=sponsors,
    )
    return calls if campaign is None else calls.filter(campaign=campaign)
