"""The tour of the demo: the story in seven steps, each with its login and its way there."""

from dataclasses import dataclass

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from calls.rules.demo_past import AUTUMN
from calls.rules.tour import STEPS, TourStep
from calls.selectors.tour import Tour, tour_of
from calls.views.wording import spaced
from crm.enums import CALLING, SUPERVISING
from crm.models import User
from crm.views.session import demo_logins


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step with its address ("" where there is none), whether it is done, and how this reader gets there.

    `open`: a link will do; `enters`: one click comes in as its login.
    """

    step: TourStep
    url: str
    done: bool
    open: bool
    enters: bool


#: Who may take the steps of a login.
ROLES = {"agent": CALLING, "supervisor": SUPERVISING, "manager": SUPERVISING}


@login_not_required
@require_safe
def tour(request: HttpRequest) -> HttpResponse:
    """Show the tour to whoever is signed in, and on one's own desk, where the demo is open, to everybody."""
    user = request.user if isinstance(request.user, User) else None
    logins = {login.username for login in demo_logins()} if user is None else set()
    if user is None and not logins:
        return redirect_to_login(request.get_full_path())
    found = tour_of()
    steps = [
        ShownStep(
            step,
            _address(step.code, found),
            step.code in found.done,
            open=user is not None and user.role in ROLES[step.login],
            enters=step.login in logins,
        )
        for step in STEPS
    ]
    number = spaced(found.number) if found.number else ""
    context = {"tour": found, "steps": steps, "number": number}
    return render(request, "calls/tour.html", context)


def _address(code: str, found: Tour) -> str:
    """Return where a step is taken; on the desk, with the simulated person that the story needs."""
    desk = reverse("desk")
    if code == "decide":
        return reverse("inbox")
    if code == "sorry":
        return f"{desk}?campaign={found.treasury.pk}&scenario=answers" if found.treasury else ""
    if found.autumn is None:
        return ""
    if code == "seen":
        return reverse("campaign", args=[AUTUMN])
    return f"{desk}?campaign={found.autumn.pk}" + ("" if code == "refused" else "&scenario=wrong_company")
