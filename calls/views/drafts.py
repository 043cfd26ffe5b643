"""Words that the agent typed and the server does not have yet: they are asked for before the call is finished."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from calls.access import own_call_or_404
from calls.enums import CallState
from calls.models import Call
from calls.selectors.call_screen import screen_of
from calls.services.note_check import NoteNotNeutral
from calls.services.notes import write_note
from calls.views.refusals import sentence_of
from calls.views.screen import Ask, show
from crm.models import User
from crm.rules.errors import DomainError

View = Callable[..., HttpResponseBase]
#: States in which a call can be finished.
FINISHING = frozenset({CallState.ENDED, CallState.NOT_REACHED})


def keeps_draft(view: View) -> View:
    """Make a view that finishes a call take along the note that the tab still keeps (`draft_note` of `draft_call`).

    A draft that the check of notes warns of is answered with 409 and the screen as it is: the decision comes first.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return refused_draft(request) or view(request, *args, **kwargs)

    return wrapped


def refused_draft(request: HttpRequest) -> HttpResponse | None:
    """Store the draft that was sent along; return the refusal when it has to be decided on first."""
    draft, of_call = request.POST.get("draft_note"), request.POST.get("draft_call", "")
    if draft is None or not of_call.isdecimal() or not isinstance(request.user, User):
        return None
    own = own_call_or_404(request.user, int(of_call))
    if own.state not in FINISHING:
        return None
    try:
        write_note(call=own, text=draft, by=request.user, at=timezone.now())
    except NoteNotNeutral as doubt:
        return _asked_first(request, own, doubt)
    except DomainError:
        # The call went on elsewhere: what was asked for says how it stands.
        return None
    return None


def _asked_first(request: HttpRequest, own: Call, doubt: NoteNotNeutral) -> HttpResponse:
    messages.error(request, sentence_of(doubt))
    asked = Ask(code=request.POST.get("code", "")[:40])
    return show(request, screen_of(own, timezone.now()), ask=asked, status=409)


def doubted(ask: Ask, refusal: DomainError) -> Ask:
    """Return the form that a refused request came from, with what the check of notes says of its words."""
    if not isinstance(refusal, NoteNotNeutral):
        return ask
    return replace(ask, doubt=refusal, value=refusal.typed)
