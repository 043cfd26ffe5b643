"""Agreed callbacks: how one is understood while it is typed, all that are open, and what becomes of them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from calls.access import agent_of, own_call_or_404
from calls.forms import CallbackWordsForm
from calls.rules.moments import Unreadable
from calls.selectors.agreeing import meeting, understand
from calls.views.agreeing import remarks, understood_sentence


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
