"""The call screen: one page for every state of a call, and one verb per sub-resource.

Each POST calls one service and leads to the screen of the state that follows: htmx is answered with it, a browser
without script is sent there. What the domain refuses is answered with its sentence, its status and the screen as it is:
a stale page or a forged request ends there, not in an error.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from calls.access import agent_of, own_call_or_404, own_row_or_404
from calls.enums import AnsweredBy, Evidence, HungUpBy, Result
from calls.forms import (
    ClosingStepForm,
    CriterionForm,
    DispositionForm,
    EventForm,
    FactForm,
    GreetForm,
    HelpForm,
    ReasonForm,
    SituationForm,
    WishForm,
)
from calls.models import Call
from calls.rules.moments import Unreadable, read_moment
from calls.selectors.agreeing import READ_IN
from calls.selectors.call_screen import screen_of, time_zone_of
from calls.selectors.transfers import left_to
from calls.services import closing, dial, dispositions, lease, line, supervisor, talk
from calls.services import situations as situations_service
from calls.services.errors import MismatchNotConfirmed
from calls.services.fiche import correct_fact
from calls.services.presses import once
from calls.services.transfers import name_of as transfer_name
from calls.views.agreeing import promised_in
from calls.views.beside import beside_html
from calls.views.desk import current_call, lead_to, refused, show_desk
from calls.views.drafts import doubted, keeps_draft
from calls.views.refusals import checked, sentence_of
from calls.views.screen import NOTHING, Ask, due_time, fingerprint_of, show, state_of
from calls.views.situation import do_effect
from campaigns.models import Criterion
from crm.models import User
from crm.rules.errors import DomainError, Invalid, InvalidTransition

#: A verb of the call, given the request, its agent, the call and the time: calls one service, returns what it returned.
Verb = Callable[[HttpRequest, User, Call, datetime], Call]


#: What a browser makes as a key: a random UUID.
KEY = re.compile(r"[0-9a-f-]{36}")


@require_safe
def call(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Show the call. An agent with another open call is sent to that one; an old call is sent to the desk."""
    user = agent_of(request)
    try:
        own = own_call_or_404(user, pk)
    except Http404:
        return handed_away(request, user, pk)
    current = current_call(user, own) or own
    if current.pk != pk:
        return redirect("call", current.pk)
    return show(request, screen_of(current, timezone.now()), ask=Ask.of(request.GET))


def handed_away(request: HttpRequest, user: User, pk: int) -> HttpResponseBase:
    """Turn the screen of a call that a colleague took over to the desk, and say so; any other call: 404."""
    gone = left_to(user, pk)
    if gone is None:
        raise Http404
    words = {"name": transfer_name(gone.recipient), "number": gone.recipient.extension}
    if words["number"]:
        said = _("%(name)s a pris l'appel. Passez-lui la ligne : poste %(number)s.") % words
    else:
        said = _("%(name)s a pris l'appel.") % words
    messages.success(request, said)
    return redirect("desk")


def call_verb(verb: Verb) -> Callable[..., HttpResponseBase]:
    """Make a POST view of a verb."""

    @require_POST
    @wraps(verb)
    def view(request: HttpRequest, pk: int) -> HttpResponseBase:
        user, at = agent_of(request), timezone.now()
        own = own_row_or_404(user, pk)
        try:
            with once(key=key_of(request), by=user, at=at) as is_new:
                done = verb(request, user, own, at) if is_new else own_call_or_404(user, pk)
        except DomainError as refusal:
            return refuse(request, user, pk, refusal)
        return follow(request, user, done)

    return view


def key_of(request: HttpRequest) -> str:
    """Return the key under which the browser sends this gesture, "" for none: see `outbox.js`."""
    key = request.headers.get("X-Press", "")
    return key if KEY.fullmatch(key) else ""


def follow(request: HttpRequest, user: User, done: Call) -> HttpResponseBase:
    """Lead to what a verb led to: the call, or the desk once it was given back."""
    return lead_to(request, user, done if done.is_open or done.disposition_id else None)


def refuse(request: HttpRequest, user: User, pk: int, refusal: DomainError) -> HttpResponse:
    """Answer with the sentence and the status of a refusal, above the screen as it is now, its form open again."""
    own = own_call_or_404(user, pk)
    if own.is_open or own.disposition_id is not None:
        return ask_again(request, own, refusal)
    messages.error(request, sentence_of(refusal))
    return show_desk(request, user, status=refusal.status)


def ask_again(
    request: HttpRequest, own: Call, refusal: DomainError, *, typed: str = "", swap: str = ""
) -> HttpResponse:
    """Answer with a refusal above the screen of the call; `typed` or `swap` is what only needs to be confirmed."""
    messages.error(request, sentence_of(refusal))
    ask = replace(doubted(asked_again(request, typed), refusal), swap=swap)
    return show(request, screen_of(own, timezone.now()), ask=ask, status=refusal.status)


def asked_again(request: HttpRequest, typed: str) -> Ask:
    """Return the inline form that a refused request came from; `typed` is a fact that only needs to be confirmed."""
    sent = request.POST
    if "code" in sent:
        return Ask(conclude="1", code=sent["code"][:40], typed=sent.dict())
    if sent.get("result") == Result.MISMATCH:
        return Ask(heard=sent.get("criterion", "")[:40] or "other")
    if "words" in sent:
        if "situation" in sent:
            return Ask(effect="1", value=sent["words"])
        return Ask(boss="1", value=sent["words"])
    if "to" in sent or "hand" in sent:
        return Ask(hand="1", value=sent.get("note", ""))
    if "text" in sent:
        return Ask(wish="1", value=sent["text"])
    if "template" in sent:
        return Ask(follow=sent["template"][:40], value=sent.get("email", ""))
    if "field" in sent:
        return Ask(edit=sent["field"][:40], value=typed, typed=sent.dict())
    return NOTHING


@call_verb
def dial_number(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """Enter `dialling`: the phone of the page rings next."""
    return dial.dial(call=call, by=user, at=at)


@call_verb
def greet(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """The greeting was said, to whoever answered."""
    answered_by = checked(GreetForm(request.POST))["answered_by"]
    return talk.greet(call=call, answered_by=answered_by, by=user, at=at)


@call_verb
def hand_over(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """« Je vous la passe »: greeting and criteria start again with the new person."""
    answered_by = checked(GreetForm(request.POST))["answered_by"] or AnsweredBy.INTENDED
    return talk.hand_over(call=call, answered_by=answered_by, by=user, at=at)


@call_verb
def events(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """What the phone reports, or the agent in its place."""
    told = checked(EventForm(request.POST))
    match told["event"]:
        case EventForm.RINGING:
            return line.record_ringing(call=call, by=user, at=at)
        case EventForm.ANSWERED:
            return line.record_answer(call=call, by=user, at=at)
        case EventForm.NOT_REACHED:
            return line.record_not_reached(call=call, cause=told["cause"], by=user, at=at)
        case EventForm.LINE_DEAD:
            return line.record_line_dead(call=call, by=user, at=at)
        case EventForm.EXPLAINED:
            return line.explain_hang_up(call=call, why=told["reason"], by=user, at=at)
    return hang_up(user, call, told, at)


def hang_up(user: User, call: Call, told: dict[str, Any], at: datetime) -> Call:
    """Record the end. The page's button asks first; what already happened on a device is stored as it happened."""
    asks = told["by"] == HungUpBy.AGENT and told["evidence"] == Evidence.DECLARED and not told["happened"]
    if asks:
        line.ask_hang_up(call=call, by=user, at=at)
    return line.record_hang_up(
        call=call,
        hung_up_by=told["by"],
        evidence=told["evidence"],
        sip_status=told["sip_status"],
        q850=told["q850"],
        by=user,
        at=at,
    )


@call_verb
def criteria(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """An answer to a criterion. A mismatch is final the moment it is stored."""
    told = checked(CriterionForm(request.POST))
    criterion = None
    if told["criterion"] is not None:
        asked = Criterion.objects.filter(programme__campaigns=call.campaign_id)
        criterion = asked.filter(pk=told["criterion"]).first()
        if criterion is None:
            raise Invalid.field("criterion", _("Ce critère n'est pas de cette démarche."))
    elif told["result"] != Result.MISMATCH:
        raise Invalid.field("criterion", _("De quel critère s'agit-il ?"))
    return talk.answer_criterion(
        call=call,
        criterion=criterion,
        result=told["result"],
        heard=told["heard"],
        override_reason=told["override"],
        by=user,
        at=at,
    )


@call_verb
def closing_step(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """A sentence of the closing was said."""
    return closing.say_closing_step(
        call=call, step=checked(ClosingStepForm(request.POST))["step"], by=user, at=at
    )


@call_verb
def situations(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """A stage of a playbook was reached, the person calmed down, or they are driving."""
    told = checked(SituationForm(request.POST))
    if told["driving"]:
        return situations_service.mark_driving(call=call, by=user, at=at)
    if told["over"]:
        return situations_service.leave_situation(call=call, by=user, at=at)
    return situations_service.enter_stage(
        call=call, situation=told["situation"], stage=told["stage"], by=user, at=at
    )


@call_verb
def situation_effect(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """What the open situation is for: an incident, a fact of the fiche, a callback, an exclusion."""
    return do_effect(request, user, call, at)


@require_POST
def fiche(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A field of the fiche is corrected. What contradicts a blocking criterion is asked again before it is final."""
    user, at = agent_of(request), timezone.now()
    own = own_call_or_404(user, pk)
    told: dict[str, Any] = {}
    try:
        if own.prospect is None:
            raise InvalidTransition(_("Cet appel n'a pas de fiche."))
        form = FactForm(request.POST, attributes=own.prospect.attributes)
        told = checked(form)
        correct_fact(
            call=own, data=form.corrections(own.prospect), confirmed=told["confirmed"], by=user, at=at
        )
    except MismatchNotConfirmed as doubt:
        # Nothing was stored: the call is as it was read.
        return ask_again(request, own, doubt, typed=told["value"], swap=told["swap"])
    except DomainError as refusal:
        return refuse(request, user, pk, refusal)
    return follow(request, user, own_call_or_404(user, pk))


@keeps_draft
@call_verb
def disposition(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """How the call ended. The callback's time is the clock of the called party."""
    told = checked(DispositionForm(request.POST))
    promised = promised_in(call, told, by=user, at=at)
    return dispositions.dispose(
        call=call,
        code=told["code"],
        note=told["note"],
        override_reason=told["override"],
        by=user,
        at=at,
        **promised,
    )


def told_moment(call: Call, told: dict[str, Any], name: str) -> datetime | None:
    """Return the time of a field, which is the clock of the called party."""
    if not told[name]:
        return None
    try:
        return read_moment(told[name], timezone.now(), time_zone_of(call) or READ_IN).at
    except Unreadable as unreadable:
        raise Invalid.field(name, unreadable.message) from None


@call_verb
def wishes(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """The person wishes to be called about something else."""
    told = checked(WishForm(request.POST))
    remind_at = told_moment(call, told, "remind_at")
    return talk.note_wish(
        call=call,
        text=told["text"],
        remind_at=remind_at,
        override_reason=told["override"],
        by=user,
        at=at,
    )


@call_verb
def supervisor_help(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """Call the supervisor."""
    words = checked(HelpForm(request.POST))["words"]
    return supervisor.ask_supervisor(call=call, words=words, by=user, at=at)


@call_verb
def release(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """Give a claimed prospect back to the list, with a reason."""
    return lease.release_call(call=call, reason=checked(ReasonForm(request.POST))["reason"], by=user, at=at)


@keeps_draft
@require_POST
def completion(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Finish a settled call and go back to the desk."""
    user = agent_of(request)
    try:
        dispositions.finish(call=own_row_or_404(user, pk), by=user, at=timezone.now())
    except DomainError as refusal:
        return refused(request, user, refusal)
    return lead_to(request, user)


@call_verb
def correction_request(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """Ask the supervisor to correct an entry error."""
    dispositions.ask_correction(call=call, reason=checked(ReasonForm(request.POST))["reason"], by=user, at=at)
    messages.success(request, _("Le superviseur est prévenu."))
    return call


@require_POST
def renew_lease(request: HttpRequest, pk: int) -> JsonResponse:
    """Renew the lease of an open screen; answers what the server knows (`state`, `fingerprint`, `due`)."""
    user, at = agent_of(request), timezone.now()
    own = own_row_or_404(user, pk)
    try:
        own = lease.renew_lease(call=own, by=user, at=at)
    except DomainError:
        own = own_call_or_404(user, pk)
    facts = screen_of(own, at)
    said = {"state": state_of(facts), "fingerprint": fingerprint_of(facts), "due": due_time(facts)}
    # For a screen in which somebody types: it is not read anew, but these lines are.
    return JsonResponse({**said, "beside": beside_html(request, facts)})
