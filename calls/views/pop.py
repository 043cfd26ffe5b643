"""The screen of a call that another system put through: its address opens a page, and one key opens the call."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from calls.access import agent_of, own_call_or_404
from calls.enums import Mode
from calls.forms import PopForm
from calls.selectors.call_screen import open_call_of
from calls.selectors.facts import is_settled
from calls.selectors.inbound import answerable_campaigns, fiches_with
from calls.services.external import take_external_call
from calls.services.inbound import look_up
from calls.views.desk import lead_to
from calls.views.refusals import sentence_of
from calls.views.wording import spaced
from campaigns.models import Campaign
from crm.models import Prospect, User
from crm.rules.errors import DomainError
from crm.rules.phones import normalise


@dataclass(frozen=True, slots=True)
class Popped:
    """What the other system says, as it is understood; `problem` is why no call can be opened of it, "" when one can.

    `campaign` is null where it named none that the agent may answer for: the agent chooses.
    """

    number: str
    campaign: Campaign | None
    ref: str
    prospect: int | None
    problem: str = ""
    status: int = 200


@require_http_methods(["GET", "HEAD", "POST"])
def pop(request: HttpRequest) -> HttpResponseBase:
    """Show who is on the line, by number and campaign; POST opens the call. A GET stores nothing.

    A second pop of the same call leads to it. Beside another call of the agent's, the page leads to that one.
    """
    user = agent_of(request)
    popped = _read(request.POST if request.method == "POST" else request.GET, user)
    current = open_call_of(user)
    if current is not None and not popped.problem:
        if current.number == popped.number and current.mode == Mode.EXTERNAL:
            return lead_to(request, user, current)
        if not is_settled(current):
            return _page(request, user, popped, {"current": current}, status=409)
    if popped.problem or request.method != "POST" or popped.campaign is None:
        return _page(request, user, popped, {}, status=popped.status)
    return _open(request, user, popped, popped.campaign)


def _read(sent: Any, user: User) -> Popped:
    form = PopForm(sent)
    if not form.is_valid():
        return Popped("", None, "", None, _("L'autre système n'a pas donné de numéro."), 400)
    told = form.cleaned_data
    found = normalise(told["number"]).numbers
    number = found[0].number if len(found) == 1 else ""
    rows = answerable_campaigns(user)
    key = told["campaign"]
    named = rows.filter(pk=int(key)) if key.isdecimal() and len(key) < 19 else rows.filter(slug=key)
    popped = Popped(number, named.first() if key else None, told["ref"], told["prospect"])
    if not number:
        problem = _("« %(raw)s » ne se lit pas comme un numéro.") % {"raw": told["number"]}
        return Popped("", popped.campaign, popped.ref, None, problem, 400)
    if told["agent"] and told["agent"].lower() not in _names(user):
        problem = _("Cet appel est passé à l'agent « %(agent)s », et vous êtes connecté comme « %(user)s ».")
        shown = {"agent": told["agent"], "user": user.get_username()}
        return Popped(number, popped.campaign, popped.ref, None, problem % shown, 403)
    return popped


def _names(user: User) -> set[str]:
    """Return how another system may call the agent."""
    return {name.lower() for name in (user.get_username(), user.extension) if name}


def _open(request: HttpRequest, user: User, popped: Popped, campaign: Campaign) -> HttpResponseBase:
    at = timezone.now()
    listed = fiches_with(user, popped.number).filter(entries__campaign=campaign)
    fiches = list(listed.filter(pk=popped.prospect) if popped.prospect else listed[:10])
    try:
        if len(fiches) > 1:
            look_up(number=popped.number, by=user, at=at)
            return _page(request, user, popped, {"fiches": fiches})
        taken = take_external_call(
            campaign=campaign, number=popped.number, prospect=_only(fiches), ref=popped.ref, by=user, at=at
        )
    except DomainError as refusal:
        current = open_call_of(user)
        if current is not None and current.number == popped.number:
            return lead_to(request, user, current)
        context = {"refusal": sentence_of(refusal), "current": current}
        return _page(request, user, popped, context, status=refusal.status)
    return lead_to(request, user, own_call_or_404(user, taken.pk))


def _only(fiches: list[Prospect]) -> Prospect | None:
    return fiches[0] if len(fiches) == 1 else None


def _page(
    request: HttpRequest, user: User, popped: Popped, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    shown = {
        "popped": popped,
        "spelled": spaced(popped.number) if popped.number else "",
        "campaigns": [] if popped.campaign or popped.problem else answerable_campaigns(user),
        **context,
    }
    response = render(request, "calls/pop.html", shown, status=status)
    response["Cache-Control"] = "no-store"
    return response
