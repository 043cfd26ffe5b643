"""What an agent asks of others: a colleague who takes the call over, a ban; and what a colleague's desk is offered."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from calls.access import agent_of, own_call_or_404
from calls.enums import TransferAnswerKind
from calls.forms import OfferForm, ReasonForm, TransferForm
from calls.models import Call, Transfer
from calls.selectors.transfers import offer_to
from calls.services import transfers
from calls.services.bans import request_ban
from calls.views.call import call_verb
from calls.views.desk import lead_to, refused
from calls.views.refusals import checked
from crm.models import User
from crm.rules.errors import DomainError, Invalid


@call_verb
def transfer(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """Offer the call to a colleague; with `_method=delete` take the offer back."""
    if request.POST.get("_method") == "delete":
        return transfers.withdraw_transfer(call=call, by=user, at=at)
    told = checked(TransferForm(request.POST))
    colleague = User.objects.filter(pk=told["to"]).first()
    if colleague is None:
        raise Invalid.field("to", _("Choisissez un collègue."))
    transfers.offer_transfer(call=call, to=colleague, note=told["note"], by=user, at=at)
    return call


@call_verb
def ban_request(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """Ask that this person is called no more by anybody; a manager decides."""
    request_ban(call=call, why=checked(ReasonForm(request.POST))["reason"], by=user, at=at)
    messages.success(request, _("Le bannissement est demandé. Un responsable décide."))
    return call


@require_safe
def offer(request: HttpRequest) -> HttpResponse:
    """Tell an open desk which call a colleague offers; 204 when that is what it has `seen`."""
    user = agent_of(request)
    found = offer_to(user, timezone.now())
    seen = request.GET.get("seen", "")
    if seen == (str(found.pk) if found else ""):
        return HttpResponse(status=204)
    return render(request, "calls/_offer.html", {"offer": found})


@require_POST
def offer_answer(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Take the call that is offered, and show it, or decline it."""
    user, at = agent_of(request), timezone.now()
    offered = get_object_or_404(Transfer.objects.select_related("sender"), pk=pk, recipient=user)
    try:
        told = checked(OfferForm(request.POST))
        if told["answer"] == TransferAnswerKind.DECLINED:
            transfers.decline_transfer(transfer=offered, words=told["words"], by=user, at=at)
            return lead_to(request, user)
        taken = transfers.accept_transfer(transfer=offered, by=user, at=at)
    except DomainError as refusal:
        return refused(request, user, refusal)
    return lead_to(request, user, own_call_or_404(user, taken.pk))
