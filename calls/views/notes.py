"""The agent's note: saved as it is typed, checked before it is stored."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import escape
from django.views.decorators.http import require_POST

from calls.access import agent_of, own_row_or_404
from calls.forms import NoteForm
from calls.services.note_check import NoteNotNeutral
from calls.services.notes import note_of, write_note
from calls.views.refusals import checked, sentence_of
from crm.rules.errors import DomainError


@require_POST
def note(request: HttpRequest, pk: int) -> HttpResponse:
    """Store the agent's note; answers the line below the field, or 422 with what the check warns of.

    The words stay in the field, and in the tab, until they are stored.
    """
    user, at = agent_of(request), timezone.now()
    own = own_row_or_404(user, pk)
    try:
        told = checked(NoteForm(request.POST))
        write_note(call=own, text=told["note"], override_reason=told["override"], by=user, at=at)
    except NoteNotNeutral as doubt:
        return _warned(request, pk, doubt)
    except DomainError as refusal:
        return HttpResponse(escape(sentence_of(refusal)), status=refusal.status)
    kept = note_of(own)
    masked = kept if kept != told["note"].strip() else ""
    return render(request, "calls/_note_saved.html", {"masked": masked})


def _warned(request: HttpRequest, pk: int, doubt: NoteNotNeutral) -> HttpResponse:
    response = render(request, "calls/_note_warning.html", {"doubt": doubt, "call_pk": pk}, status=422)
    response["HX-Retarget"] = "#note-warning"
    return response
