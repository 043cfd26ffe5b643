"""Courtesy: on one call in a line, and over time, by agent, for whoever supervises."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from calls.enums import Evidence
from calls.models import Call
from calls.selectors.courtesy import (
    BEHIND,
    PERIODS,
    Courtesy,
    calls_of_period,
    courtesies,
    total_of,
)
from campaigns import access as campaigns_access
from crm.access import role_required, sponsors_of
from crm.enums import SUPERVISING
from crm.models import User
from crm.selectors import people
from crm.views.answers import now, page_of, user_of

LABELS = {
    "all": gettext_lazy("Conversations"),
    "whole": gettext_lazy("Clôtures entières"),
    "interrupted": gettext_lazy("Clôtures interrompues"),
    "person": gettext_lazy("La personne a raccroché"),
    "agent": gettext_lazy("L'agent a raccroché"),
}
EVIDENCES = {
    Evidence.SOFTPHONE: gettext_lazy("Le téléphone l'a constaté."),
    Evidence.PBX: gettext_lazy("L'autocommutateur l'a constaté."),
    Evidence.DECLARED: gettext_lazy("C'est l'agent qui le dit."),
}


def closing_sentence(call: Call) -> str:
    """Return whether the closing of a call was whole, and how we know who hung up; "" when none was due."""
    if call.greeted_at is None or call.ended_at is None:
        return ""
    whole = _("Clôture entière.") if call.goodbyes else _("Clôture interrompue.")
    return f"{whole} {EVIDENCES[Evidence(call.evidence)]}" if call.evidence else whole


def own_sentence(figure: Courtesy) -> str:
    """Return an agent's own week in one sentence, "" before the first conversation."""
    if not figure.calls:
        return ""
    closings = ngettext(
        "Cette semaine : %(whole)d clôture entière sur %(calls)d",
        "Cette semaine : %(whole)d clôtures entières sur %(calls)d",
        figure.whole,
    ) % {"whole": figure.whole, "calls": figure.calls}
    ended = ngettext(
        "la personne a raccroché %(n)d fois.", "la personne a raccroché %(n)d fois.", figure.by_person
    ) % {"n": figure.by_person}
    return _("%(closings)s, %(ended)s") % {"closings": closings, "ended": ended}


@role_required(*SUPERVISING)
@require_safe
def courtesy(request: HttpRequest) -> HttpResponse:
    """Show the courtesy of each agent today, over 7 and 30 days; `team` and `campaign` of the address narrow it."""
    user, at = user_of(request), now()
    teams, campaigns = people.teams_of(user), campaigns_access.campaigns_of(user)
    team, campaign = _chosen(request, "team", teams), _chosen(request, "campaign", campaigns)
    rows = courtesies(sponsors_of(user), at, team=team, campaign=campaign)
    context = {
        "rows": [(row, _cells(row.periods)) for row in rows],
        "total": _cells(total_of(rows)),
        "periods": [(days, _period(days)) for days in PERIODS],
        "teams": teams.order_by("name"),
        "campaigns": campaigns.order_by("name"),
        "team": team,
        "campaign": campaign,
    }
    return render(request, "calls/courtesy.html", context)


@role_required(*SUPERVISING)
@require_safe
def courtesy_calls(request: HttpRequest, pk: int) -> HttpResponse:
    """List the conversations behind a number of the page: `days`, `only` (`BEHIND`) and `campaign` of the address."""
    user, at = user_of(request), now()
    inside = Call.objects.filter(agent=pk, campaign__programme__sponsor__in=sponsors_of(user))
    agent = get_object_or_404(User, pk__in=inside.values("agent"))
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, PERIODS) else PERIODS[-1]
    only = request.GET.get("only", "")
    only = only if only in BEHIND else "all"
    campaign = _chosen(request, "campaign", campaigns_access.campaigns_of(user))
    found = calls_of_period(sponsors_of(user), days, at, agent=agent.pk, campaign=campaign)
    rows = found.filter(BEHIND[only]).select_related("campaign", "prospect", "disposition")
    page = page_of(request, rows.order_by("-started_at", "-pk"))
    context = {
        "agent": agent,
        "page": page,
        "rows": [(call, closing_sentence(call)) for call in page],
        "days": days,
        "period": _period(days),
        "only": only,
        "choices": LABELS.items(),
        "label": LABELS[only],
    }
    return render(request, "calls/courtesy_calls.html", context)


def _chosen(request: HttpRequest, name: str, rows: Any) -> int | None:
    """Return the id of the address when it is one of `rows`, else None: what nobody may choose narrows nothing."""
    asked = request.GET.get(name, "")
    if not asked.isdecimal() or len(asked) > 18:
        return None
    return int(asked) if rows.filter(pk=int(asked)).exists() else None


def _cells(periods: Any) -> list[tuple[int, Courtesy]]:
    return [(days, periods[days]) for days in PERIODS]


def _period(days: int) -> str:
    return _("Aujourd'hui") if days == 1 else _("%(n)d jours") % {"n": days}
