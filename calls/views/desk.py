"""The agent's desk: which campaign, the next prospect, a manual call, a pause, the phone, going home."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calls.access import agent_of, own_call_or_404, running_campaign_or_404
from calls.enums import PauseKind
from calls.forms import ManualCallForm, PauseForm
from calls.models import Call
from calls.selectors.call_screen import Desk, desk_of, open_call_of, screen_of
from calls.selectors.callbacks import Promises, promises_of
from calls.selectors.courtesy import own_courtesy
from calls.selectors.day import Day
from calls.services.claim import claim_next
from calls.services.desk import end_pause, leave_desk, note_presence, set_sound, start_pause
from calls.services.dial import dial_manually
from calls.views.courtesy import own_sentence
from calls.views.drafts import keeps_draft
from calls.views.refusals import checked, sentence_of
from calls.views.screen import PHONES, answer, phone_of, show
from calls.views.wording import NO_BREAK, due_in_short, moment_in_prose, name_of, outcome_of
from campaigns.models import Campaign
from crm.models import User
from crm.rules.errors import DomainError, OpenCallExists

#: Breaks that the desk offers, with their keys; the one after a hard call has its own place.
PAUSES = (
    ("b", PauseKind.SHORT),
    ("1", PauseKind.LUNCH),
    ("2", PauseKind.TRAINING),
    ("3", PauseKind.MEETING),
    ("4", PauseKind.TECHNICAL),
)
#: Promised callbacks listed at the desk; the others are counted.
DUE = 5


@require_safe
def desk(request: HttpRequest) -> HttpResponseBase:
    """Show the desk, or the call that is not finished."""
    user = agent_of(request)
    current = open_call_of(user)
    if current is not None:
        return redirect("call", current.pk)
    if request.GET.get("campaign"):
        request.session["campaign"] = running_campaign_or_404(user, request.GET["campaign"]).pk
    return show_desk(request, user)


def show_desk(request: HttpRequest, user: User, *, status: int = 200) -> HttpResponse:
    """Answer with the desk, as a page or as the fragment of the screen."""
    chosen, at = Campaign.objects.filter(pk=request.session.get("campaign") or 0).first(), timezone.now()
    found = desk_of(user, chosen, at)
    screen = {
        "state": "desk",
        "template": "calls/_desk.html",
        "title": _("Poste"),
        "phone": phone_of(request),
        "announcement": desk_announcement(found),
        "next": moment_in_prose(found.next_at, at) if found.next_at else "",
        "pauses": PAUSES,
        "day": day_in_words(found.day),
        "sound": found.day.sound,
        "courtesy": own_sentence(own_courtesy(user, at)),
        **promises_in_words(found.promises, at),
        "latest": [(row, name_of(row), outcome_of(row)) for row in found.latest],
    }
    context = {"screen": screen, "desk": found}
    return answer(request, context, address=reverse("desk"), status=status)


def day_in_words(day: Day) -> list[tuple[Any, str]]:
    """Return the time of today in each state: label and duration."""
    times = (
        (_("En ligne"), day.online),
        (_("Après-appel"), day.after_call),
        (_("Attente"), day.waiting),
        (_("Pause"), day.pause),
    )
    return [(label, duration(time)) for label, time in times]


def duration(time: timedelta) -> str:
    """Return a duration as it is read: `1 h 05`, `12 min`."""
    hours, minutes = divmod(int(time.total_seconds()) // 60, 60)
    return f"{hours}{NO_BREAK}h{NO_BREAK}{minutes:02}" if hours else f"{minutes}{NO_BREAK}min"


def promises_in_words(promises: Promises, at: datetime) -> dict[str, Any]:
    """Return what the desk shows of callbacks and wishes."""
    return {
        "callbacks": [
            (row, due_in_short(row.due_at, at), row.due_at <= at) for row in promises.promised[:DUE]
        ],
        "more_callbacks": max(0, len(promises.promised) - DUE),
        "released": promises.released[:2],
        "reminders": promises.reminders[:2],
        "token": promises.token,
        "due": " ".join(map(str, promises.due)),
    }


@require_safe
def desk_news(request: HttpRequest) -> HttpResponse:
    """Tell an open desk what is due now; 204 when that is what it has `seen`.

    `active`: a key or the mouse was touched there since it last asked.
    """
    user, at = agent_of(request), timezone.now()
    if request.GET.get("active"):
        note_presence(by=user, at=at)
    promises = promises_of(user, at)
    if request.GET.get("seen") == promises.token:
        return HttpResponse(status=204)
    context = {"screen": promises_in_words(promises, at)}
    response = render(request, "calls/_desk_callbacks.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def sound(request: HttpRequest) -> HttpResponseBase:
    """Turn the sound of the desk on or off."""
    user = agent_of(request)
    set_sound(on=request.POST.get("sound") == "on", by=user)
    return lead_to(request, user)


def desk_announcement(desk: Desk) -> str:
    """What a screen reader hears at the desk: what Space does now, or why it does nothing."""
    if desk.pause:
        return _("En pause. Espace pour reprendre.")
    if desk.campaign and desk.nobody:
        return _("Poste. %(why)s") % {"why": desk.nobody}
    return _("Poste. Espace pour la fiche suivante.")


def current_call(user: User, own: Call | None) -> Call | None:
    """Return the call to show after this one of the agent's: another that is open comes before one that is over."""
    return own if own and own.is_open else open_call_of(user) or own


def lead_to(request: HttpRequest, user: User, own: Call | None = None) -> HttpResponseBase:
    """Lead on after a POST: to a call, given with what its screen reads, or to the desk without one.

    htmx is answered with the screen itself, which saves the agent a second request; without script a browser is sent
    there, so that a reload repeats nothing.
    """
    if not getattr(request, "htmx", False):
        return redirect("call", own.pk) if own else redirect("desk")
    current = current_call(user, own)
    if current is None:
        return show_desk(request, user)
    return show(request, screen_of(current, timezone.now()))


def refused(request: HttpRequest, user: User, refusal: DomainError) -> HttpResponseBase:
    """Say what the domain refused, with its status, above the agent's present state."""
    messages.error(request, sentence_of(refusal))
    current = open_call_of(user)
    if current is None:
        return show_desk(request, user, status=refusal.status)
    return show(request, screen_of(current, timezone.now()), status=refusal.status)


@keeps_draft
@require_POST
def next_call(request: HttpRequest) -> HttpResponseBase:
    """Claim the next prospect of the campaign and show it; nobody callable: the desk, which says why."""
    user = agent_of(request)
    campaign = running_campaign_or_404(user, request.POST.get("campaign") or request.session.get("campaign"))
    if request.session.get("campaign") != campaign.pk:
        request.session["campaign"] = campaign.pk
    try:
        claimed = claim_next(campaign=campaign, by=user, at=timezone.now())
    except DomainError as refusal:
        return refused(request, user, refusal)
    if claimed is None:
        messages.info(request, _("Aucune fiche n'est appelable maintenant."))
    return lead_to(request, user, own_call_or_404(user, claimed.pk) if claimed else None)


@keeps_draft
@require_POST
def manual_call(request: HttpRequest) -> HttpResponseBase:
    """Prepare a call to a number that the agent typed, through the same gate as every call."""
    user = agent_of(request)
    try:
        asked = checked(ManualCallForm(request.POST))
        campaign = running_campaign_or_404(user, asked["campaign"])
        prepared = dial_manually(campaign=campaign, number=asked["number"], by=user, at=timezone.now())
    except DomainError as refusal:
        return refused(request, user, refusal)
    return lead_to(request, user, own_call_or_404(user, prepared.pk))


@keeps_draft
@require_http_methods(["POST", "DELETE"])
def pause(request: HttpRequest) -> HttpResponseBase:
    """POST starts a pause, DELETE (or POST with `_method=delete`, from a form) ends it."""
    user, at = agent_of(request), timezone.now()
    try:
        if request.method == "DELETE" or request.POST.get("_method") == "delete":
            end_pause(by=user, at=at)
        else:
            told = checked(PauseForm(request.POST))
            hard = own_call_or_404(user, told["after_call"]) if told["after_call"] else None
            kind = told["kind"] or PauseKind.SHORT
            start_pause(kind=kind, reason=told["reason"], after_call=hard, by=user, at=at)
    except DomainError as refusal:
        return refused(request, user, refusal)
    return lead_to(request, user)


@require_POST
def phone(request: HttpRequest) -> HttpResponseBase:
    """Remember the agent's phone (`demo` or `tel`) and go back to `next`."""
    agent_of(request)
    chosen, back = request.POST.get("phone", ""), request.POST.get("next", "")
    if chosen in PHONES:
        request.session["phone"] = chosen
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return redirect(back if safe else "desk")


@keeps_draft
@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """Leave. Nobody leaves in the middle of a call: the call is shown instead."""
    if isinstance(request.user, User):
        try:
            leave_desk(by=request.user, at=timezone.now())
        except OpenCallExists as refusal:
            return refused(request, request.user, refusal)
    logout(request)
    return redirect("login")
