"""What a supervisor does for an agent who is on the line: answer the call for help, let them hang up."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from calls.forms import DecisionForm, HelpAnswerForm, ReasonForm
from calls.models import Incident
from calls.services.closing import release_to_hang_up
from calls.services.help import answer_incident
from calls.views.inbox import answer_with_item
from calls.views.refusals import checked
from crm.access import role_required, sponsors_of
from crm.enums import SUPERVISING
from crm.models import User
from crm.rules.errors import DomainError, InvalidTransition
from crm.views.answers import now, user_of


@role_required(*SUPERVISING)
@require_POST
def incident_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Tell the agent who waits that one comes, calls the person back later, or cannot."""
    user = user_of(request)
    found = _incident(user, pk)
    try:
        told = checked(HelpAnswerForm(request.POST))
        answer_incident(incident=found, **told, by=user, at=now())
    except DomainError as refusal:
        return answer_with_item(request, pk, DecisionForm(), refusal)
    return answer_with_item(request, pk, DecisionForm())


@role_required(*SUPERVISING)
@require_POST
def incident_release(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the agent of this incident's call hang up, with the reason; the agent sees both."""
    user = user_of(request)
    found = _incident(user, pk)
    try:
        if found.call is None:
            raise InvalidTransition(_("Cet incident n'a pas d'appel."))
        reason = checked(ReasonForm(request.POST))["reason"]
        release_to_hang_up(call=found.call, reason=reason, by=user, at=now())
    except DomainError as refusal:
        return answer_with_item(request, pk, DecisionForm(), refusal)
    return answer_with_item(request, pk, DecisionForm())


def _incident(user: User, pk: int) -> Incident:
    rows = Incident.objects.filter(sponsor__in=sponsors_of(user)).select_related("call")
    return get_object_or_404(rows, pk=pk)
