"""Somebody calls us: one exact number is looked up, then the call is taken."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from calls.access import agent_of, own_call_or_404
from calls.forms import InboundCallForm, LookupForm
from calls.models import Call
from calls.selectors.call_screen import open_call_of
from calls.selectors.inbound import Fiche, answerable_campaigns, fiches_with, known_of
from calls.services.inbound import look_up, take_inbound_call
from calls.views.agreeing import day_and_time
from calls.views.desk import lead_to
from calls.views.refusals import checked, sentence_of
from calls.views.wording import outcome_of, spaced
from campaigns.enums import ExclusionReason
from campaigns.models import Exclusion
from crm.rules.errors import DomainError, NotFound


@require_http_methods(["GET", "HEAD", "POST"])
def inbound(request: HttpRequest) -> HttpResponseBase:
    """Ask for a number; POST shows what is known of it. The number never stands in an address."""
    user = agent_of(request)
    current = open_call_of(user)
    if current is not None:
        messages.info(request, _("Vous avez déjà un appel ouvert : terminez-le d'abord."))
        return redirect("call", current.pk)
    if request.method != "POST":
        return render(request, "calls/inbound.html", {})
    at = timezone.now()
    try:
        lookup = look_up(number=checked(LookupForm(request.POST))["number"], by=user, at=at)
    except DomainError as refusal:
        context = {"refusal": sentence_of(refusal), "typed": request.POST.get("number", "")[:60]}
        return render(request, "calls/inbound.html", context, status=refusal.status)
    known = known_of(user, lookup.number, at=at)
    found: dict[str, Any] = {
        "number": lookup.number,
        "spelled": spaced(lookup.number),
        "fiches": [shown(fiche) for fiche in known.fiches],
        "campaigns": known.campaigns,
        "chosen": next((fiche.campaign.pk for fiche in known.fiches if fiche.campaign), None),
    }
    response = render(request, "calls/inbound.html", found)
    response["Cache-Control"] = "no-store"
    return response


def shown(fiche: Fiche) -> dict[str, Any]:
    """Return a fiche as the page tells of it: why we called, in plain words; what may name somebody is masked."""
    masked = fiche.prospect is not None and fiche.prospect.confidential
    return {
        "prospect": fiche.prospect,
        "campaign": fiche.campaign,
        "calls": [(call, told_of(call)) for call in fiche.calls],
        "bars": list(dict.fromkeys(map(bar_sentence, fiche.bars))),
        "callbacks": list(callback_sentences(fiche)),
        "notes": () if masked else fiche.notes,
    }


def told_of(call: Call) -> str:
    """Return in one sentence what a call was about and came to."""
    words = {
        "day": date_format(localtime(call.started_at), _("j F Y")),
        "programme": call.campaign.programme.name,
        "sponsor": call.campaign.programme.sponsor.name,
        "outcome": outcome_of(call) or _("sans suite notée"),
    }
    return _("%(day)s, pour %(sponsor)s, « %(programme)s » : %(outcome)s") % words


def bar_sentence(bar: Exclusion) -> str:
    """Return an exclusion in plain words: since when, why, and for what."""
    day = date_format(localtime(bar.since), _("j F Y"))
    about = bar.campaign or bar.programme or bar.sponsor
    where = _(" (« %(name)s »)") % {"name": about.name} if about else ""
    if bar.reason == ExclusionReason.OPPOSITION:
        told = _("Cette personne a demandé le %(day)s à ne plus être appelée%(where)s.")
    elif bar.reason == ExclusionReason.REFUSAL:
        told = _("Cette personne a refusé le %(day)s de poursuivre%(where)s.")
    else:
        told = _("Exclue depuis le %(day)s%(where)s : %(reason)s.")
    return told % {"day": day, "where": where, "reason": bar.get_reason_display().lower()}


def callback_sentences(fiche: Fiche) -> Iterator[str]:
    """Say which callbacks were promised."""
    for row in fiche.callbacks:
        when = day_and_time(row.due_at, timezone.get_current_timezone_name())
        yield _("Rappel promis %(when)s, « %(campaign)s »") % {"when": when, "campaign": row.campaign.name}


@require_POST
def inbound_call(request: HttpRequest) -> HttpResponseBase:
    """Take the call of somebody who is on the line, in the campaign that the agent chooses."""
    user, at = agent_of(request), timezone.now()
    try:
        told = checked(InboundCallForm(request.POST))
        campaign = answerable_campaigns(user).filter(pk=told["campaign"]).first()
        prospect = fiches_with(user, told["number"]).filter(pk=told["prospect"] or 0).first()
        if campaign is None or (told["prospect"] and prospect is None):
            raise NotFound
        taken = take_inbound_call(campaign=campaign, number=told["number"], prospect=prospect, by=user, at=at)
    except DomainError as refusal:
        current = open_call_of(user)
        messages.error(request, sentence_of(refusal))
        if current is not None:
            return redirect("call", current.pk)
        return render(request, "calls/inbound.html", {}, status=refusal.status)
    return lead_to(request, user, own_call_or_404(user, taken.pk))
