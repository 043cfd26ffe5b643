"""The agent's desk: which campaign, the next prospect, a manual call, a pause, the phone, going home."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calls.access import agent_of, own_call_or_404, running_campaign_or_404
from calls.forms import ManualCallForm, PauseForm
from calls.models import Call
from calls.selectors.call_screen import Desk, desk_of, open_call_of, screen_of
from calls.selectors.courtesy import own_courtesy
from calls.services.claim import claim_next
from calls.services.desk import end_pause, leave_desk, start_pause
from calls.services.dial import dial_manually
from calls.views.courtesy import own_sentence
from calls.views.drafts import keeps_draft
from calls.views.refusals import checked, sentence_of
from calls.views.screen import PHONES, answer, phone_of, show
from calls.views.wording import due_in_short, moment_in_prose, name_of, outcome_of
from campaigns.models import Campaign
from crm.models import User
from crm.rules.errors import DomainError, OpenCallExists

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
        "callbacks": [(row, due_in_short(row.due_at, at), row.due_at <= at) for row in found.callbacks[:DUE]],
        "more_callbacks": max(0, len(found.callbacks) - DUE),
        "courtesy": own_sentence(own_courtesy(user, at)),
        "latest": [(row, name_of(row), outcome_of(row)) for row in found.latest],
    }
    context = {"screen": screen, "desk": found}
    return answer(request, context, address=reverse("desk"), status=status)


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
            start_pause(reason=checked(PauseForm(request.POST))["reason"], by=user, at=at)
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
