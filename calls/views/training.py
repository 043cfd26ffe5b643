"""The training: exercises with a simulated prospect, on the cards of the call screen. No call is made nor counted."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from calls.access import agent_of
from calls.forms import SituationForm
from calls.models import Practice
from calls.rules.practice import Phase, review_of
from calls.rules.practice.simulation import Do
from calls.selectors.call_screen import open_call_of
from calls.selectors.playbooks import palette
from calls.selectors.practice import Scene, card_of, exercise_of, next_for, offered_to, scene_of
from calls.services.practice import begin_practice, make_move
from calls.views.playbook import keyed_groups
from calls.views.refusals import checked, sentence_of
from crm.models import User
from crm.rules.errors import DomainError


@require_http_methods(["GET", "HEAD", "POST"])
def training(request: HttpRequest) -> HttpResponse:
    """List the exercises, with how often one did each; begin one. Whoever is on a call is sent back to it."""
    user = agent_of(request)
    if call := open_call_of(user):
        return redirect("call", call.pk)
    if request.method == "POST":
        try:
            begun = begin_practice(exercise=request.POST.get("exercise", "")[:48], by=user, at=timezone.now())
        except DomainError as refusal:
            messages.error(request, sentence_of(refusal))
            return redirect("training")
        return redirect("practice", begun.pk)
    return render(request, "calls/training.html", {"groups": offered_to(user, _("Prendre congé"))})


@require_http_methods(["GET", "HEAD", "POST"])
def practice(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Show an exercise as it stands; do the next thing in it."""
    user = agent_of(request)
    own = get_object_or_404(Practice, pk=pk, agent=user)
    if call := open_call_of(user):
        return redirect("call", call.pk)
    exercise = exercise_of(own.exercise)
    if exercise is None:
        return redirect("training")
    if request.method == "POST":
        try:
            own = _moved(request, user, own)
        except DomainError as refusal:
            messages.error(request, sentence_of(refusal))
        if not getattr(request, "htmx", False):
            return redirect("practice", pk)
    scene = scene_of(own, exercise)
    return _answer(request, own, scene)


def _moved(request: HttpRequest, user: User, own: Practice) -> Practice:
    """Do what a button of the cards sends: they send what they do on a call."""
    sent, at = request.POST, timezone.now()
    if "do" in sent:
        return make_move(practice=own, do=sent["do"][:8], by=user, at=at)
    if "step" in sent:
        return make_move(practice=own, do=Do.SAY, by=user, at=at)
    told = checked(SituationForm(sent))
    if told["over"]:
        return make_move(practice=own, do=Do.BACK, by=user, at=at)
    do = Do.OPEN if told["entry"] else Do.NEXT
    return make_move(practice=own, do=do, situation=told["situation"], stage=told["stage"], by=user, at=at)


def _answer(request: HttpRequest, own: Practice, scene: Scene) -> HttpResponse:
    fragment = bool(getattr(request, "htmx", False))
    template = "calls/practice.html#screen" if fragment else "calls/practice.html"
    response = render(request, template, {"screen": _screen(request, own, scene), "practice": own})
    response["Cache-Control"] = "no-store"
    if fragment:
        response["HX-Replace-Url"] = reverse("practice", args=[own.pk])
    return response


def _screen(request: HttpRequest, own: Practice, scene: Scene) -> dict[str, Any]:
    """Return what the cards of the call screen read, for an exercise."""
    url, standing = reverse("practice", args=[own.pk]), scene.standing
    asks = request.GET.get("situation") == "list" or standing.phase == Phase.CHOOSE
    screen: dict[str, Any] = {
        "url": url,
        "situations_post_url": url,
        "closing_url": url,
        "situations_url": f"{url}?situation=list" if standing.phase == Phase.STAGE else "",
        "says": scene.says,
        "announcement": scene.says or _("L'exercice est terminé."),
        "may_end": standing.phase != Phase.DONE,
        "phase": str(standing.phase),
        "moves": len(scene.moves),
    }
    match standing.phase:
        case Phase.CHOOSE | Phase.STAGE:
            card = None if asks else card_of(standing)
            screen["stage"] = card or _palette(request, begun=standing.phase == Phase.STAGE)
        case Phase.CLOSING:
            screen |= _closing(scene)
        case Phase.DONE:
            points = review_of(scene.exercise, scene.moves, len(scene.steps))
            well = all(point.good for point in points)
            screen |= {"points": points, "well": well, "next": next_for(own.agent, scene.exercise)}
    return screen


def _palette(request: HttpRequest, *, begun: bool) -> dict[str, Any]:
    typed = request.GET.get("q", "")[:60]
    groups = palette(typed)
    return {
        "groups": keyed_groups(groups),
        "is_empty": not groups and not typed,
        "typed": typed,
        "is_gone": False,
        "stays": not begun,
    }


def _closing(scene: Scene) -> dict[str, Any]:
    said = scene.standing.said
    steps = [
        {"code": code, "label": label, "text": text, "said_at": number <= said, "number": number}
        for number, (code, label, text) in enumerate(scene.steps, start=1)
    ]
    for step in steps:
        step["is_current"] = step["number"] == said + 1
    return {
        "steps": steps,
        "step": steps[said],
        "next_step": steps[said + 1] if said + 1 < len(steps) else None,
    }
