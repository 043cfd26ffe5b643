"""Confidential records stay masked until somebody says why they look; then they are shown to them for a while."""

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm import access
from crm.enums import SUPERVISING, LookPlace
from crm.models import Prospect
from crm.rules.errors import DomainError
from crm.services.looks import note_look
from crm.views.answers import now, user_of

#: How long a record stays open to who said why.
OPEN_FOR = timedelta(minutes=10)
KEPT = "looks"


def is_masked(request: HttpRequest, prospect: Prospect, at: datetime) -> bool:
    """Whether this record is confidential and the user has not said, a moment ago, why they look at it."""
    if not prospect.confidential:
        return False
    until: float = request.session.get(KEPT, {}).get(str(prospect.pk), 0.0)
    return at.timestamp() >= until


def masked(request: HttpRequest, prospect: Prospect, *, typed: str = "", error: str = "") -> HttpResponse:
    """Answer with the page that asks why; 422 when it was asked already."""
    context = {"prospect": prospect, "typed": typed, "error": error}
    return render(request, "crm/prospect_masked.html", context, status=422 if error else 200)


@access.role_required(*SUPERVISING)
@require_POST
def prospect_look(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a confidential record, with the reason, which is written down."""
    user, at = user_of(request), now()
    found = access.get_prospect_or_404(user, pk)
    why = request.POST.get("why", "")
    try:
        note_look(prospect=found, by=user, at=at, place=LookPlace.RECORD, why=why)
    except DomainError:
        return masked(request, found, typed=why, error=_("Dites pourquoi en quelques mots."))
    kept = {key: until for key, until in request.session.get(KEPT, {}).items() if until > at.timestamp()}
    request.session[KEPT] = {**kept, str(found.pk): (at + OPEN_FOR).timestamp()}
    return redirect("prospect", found.pk)
