"""Agreed callbacks: how one is understood while it is typed, all that are open, and what becomes of them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from calls.access import agent_of, own_call_or_404
from calls.enums import CallbackState
from calls.forms import CallbackFilterForm, CallbackOwnerForm, CallbackWordsForm, ReasonForm
from calls.rules.moments import Unreadable
from calls.selectors.agreeing import meeting, understand
from calls.selectors.callbacks import callbacks_of, due_reminders, open_callbacks, possible_owners
from calls.services.callbacks import cancel_callback, finish_reminder, reassign_callback
from calls.views.agreeing import remarks, understood_sentence
from calls.views.refusals import checked
from crm.models import User
from crm.rules.errors import DomainError
from crm.views.answers import page_of, refused, saved

ON_A_PAGE = 30


@require_safe
def callbacks(request: HttpRequest) -> HttpResponse:
    """List the callbacks that stand: an agent's own, to supervisors those of their sponsors; and wishes to see to."""
    user, at = agent_of(request), timezone.now()
    owners = possible_owners(user) if user.is_supervising else User.objects.none()
    filters = CallbackFilterForm(request.GET, owners=owners)
    page = page_of(request, open_callbacks(user, filters.wanted(), at), ON_A_PAGE)
    context = {
        "page": page,
        "filters": filters,
        "filtered": filters.is_narrowing,
        "owners": owners,
        "reminders": due_reminders(user, at)[:ON_A_PAGE],
        "now": at,
    }
    return render(request, "calls/callbacks.html", context)


@require_POST
def callback_owner(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a callback to somebody, or to whoever is free."""
    user = agent_of(request)
    found = get_object_or_404(callbacks_of(user), pk=pk)
    try:
        chosen = checked(CallbackOwnerForm(request.POST))["owner"]
        owner = get_object_or_404(possible_owners(user), pk=chosen) if chosen else None
        reassign_callback(callback=found, to=owner, by=user, at=timezone.now())
    except DomainError as error:
        return refused(request, error, "callbacks")
    if owner is None:
        return saved(request, _("Ce rappel est à toute l'équipe."), "callbacks")
    name = owner.get_full_name() or owner.get_username()
    return saved(request, _("Ce rappel est à %(name)s.") % {"name": name}, "callbacks")


@require_POST
def callback_cancellation(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel a callback, with the reason."""
    user = agent_of(request)
    mine = callbacks_of(user).filter(state__in=(CallbackState.OPEN, CallbackState.CANCELLED))
    found = get_object_or_404(mine, pk=pk)
    try:
        reason = checked(ReasonForm(request.POST))["reason"]
        cancel_callback(callback=found, reason=reason, by=user, at=timezone.now())
    except DomainError as error:
        return refused(request, error, "callbacks")
    return saved(request, _("Le rappel est annulé."), "callbacks")


@require_POST
def reminder_completion(request: HttpRequest, pk: int) -> HttpResponse:
    """Note that a wish was seen to."""
    user, at = agent_of(request), timezone.now()
    finish_reminder(reminder=get_object_or_404(due_reminders(user, at), pk=pk), by=user, at=at)
    return saved(request, _("C'est noté."), "callbacks")


@require_POST
def callback_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Say how a callback's time is understood, what refuses it and what it meets. Stores nothing."""
    user, at = agent_of(request), timezone.now()
    call = own_call_or_404(user, pk)
    form = CallbackWordsForm(request.POST)
    context: dict[str, object] = {}
    typed = (
        (form.cleaned_data["callback_at"] or form.cleaned_data["callback_pick"]) if form.is_valid() else ""
    )
    if typed:
        try:
            read = understand(call, typed, given=form.cleaned_data["callback_exact"], now=at)
        except Unreadable as unreadable:
            context["unreadable"] = unreadable.message
        else:
            owner = user if form.cleaned_data["callback_agent"] == user.pk else None
            context |= {
                "understood": understood_sentence(read),
                "refused": read.refusal is not None,
                "exact": read.exact,
                "remarks": list(remarks(read, meeting(call, read.at, owner))),
            }
    return render(request, "calls/_callback_understood.html", context)
