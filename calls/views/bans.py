"""Bans: found by state and number, one page each with its evidence, asked, granted or refused, lifted, appealed."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calls.enums import BanState, BanVerdict
from calls.forms import AppealForm, BanDecisionForm, BanFilterForm, BanForm
from calls.models import Ban
from calls.selectors import bans as bans_selector
from calls.services import bans
from campaigns import access
from crm.access import prospects_of, role_required, sponsors_of
from crm.enums import MANAGING, SUPERVISING
from crm.forms import ReasonForm, show_refusal
from crm.rules.errors import DomainError
from crm.views.answers import PAGE_SIZE, form_page, now, page_of, saved, sent, user_of


@role_required(*SUPERVISING)
@require_safe
def ban_list(request: HttpRequest) -> HttpResponse:
    """List the bans inside the user's walls, by the state and the number of the address."""
    user = user_of(request)
    filters = BanFilterForm(request.GET)
    found = filters.values()
    page = page_of(request, bans_selector.bans_found(user, **found), PAGE_SIZE)
    context = {"page": page, "filters": filters, "filtered": any(found.values()), "user": user}
    return render(request, "calls/ban_list.html", context)


@role_required(*SUPERVISING)
@require_http_methods(["GET", "HEAD", "POST"])
def ban_new(request: HttpRequest) -> HttpResponse:
    """Show the form of a request; ask for the ban. A manager decides."""
    user = user_of(request)
    places = {
        "sponsor": sponsors_of(user),
        "programme": access.programmes_of(user),
        "campaign": access.campaigns_of(user),
    }
    form = BanForm(sent(request), places=places, prospects=prospects_of(user))
    if request.method == "POST" and form.is_valid():
        try:
            made = bans.request_ban(**form.cleaned_data, by=user, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            return saved(request, _("Le bannissement est demandé. Un responsable décide."), "ban", made.pk)
    return form_page(request, "calls/ban_form.html", form, {})


@role_required(*SUPERVISING)
@require_safe
def ban(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one ban: whom it bars, who asked and why, the evidence, what was decided, the appeal."""
    return _page(request, pk)


@role_required(*MANAGING)
@require_POST
def ban_decision(request: HttpRequest, pk: int) -> HttpResponse:
    """Grant or refuse a request."""
    form = BanDecisionForm(request.POST)

    def decide(found: Ban) -> str:
        told, by, at = form.cleaned_data, user_of(request), now()
        if told["verdict"] == BanVerdict.REFUSED:
            bans.refuse_ban(ban=found, reason=told["reason"], by=by, at=at)
            return _("Le bannissement est refusé.")
        bans.grant_ban(ban=found, reason=told["reason"], expires_at=told["expires_at"], by=by, at=at)
        return _("Le bannissement est en vigueur.")

    return _act(request, pk, form, decide)


@role_required(*MANAGING)
@require_POST
def ban_lift(request: HttpRequest, pk: int) -> HttpResponse:
    """Lift a ban that holds, with the reason."""
    form = ReasonForm(request.POST)

    def lift(found: Ban) -> str:
        bans.lift_ban(ban=found, reason=form.cleaned_data["reason"], by=user_of(request), at=now())
        return _("Le bannissement est levé.")

    return _act(request, pk, form, lift)


@role_required(*MANAGING)
@require_POST
def ban_appeal(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what came of the person's appeal."""
    form = AppealForm(request.POST)

    def note(found: Ban) -> str:
        bans.note_appeal(ban=found, text=form.cleaned_data["text"], by=user_of(request), at=now())
        return _("La note est gardée.")

    return _act(request, pk, form, note)


def _act(request: HttpRequest, pk: int, form: Any, act: Callable[[Ban], str]) -> HttpResponse:
    """Do something to a ban and show it; its page with the form's errors (422) when it is refused."""
    found = _found(request, pk)
    if form.is_valid():
        try:
            return saved(request, act(found), "ban", pk)
        except DomainError as error:
            show_refusal(form, error)
    return _page(request, pk, form)


def _found(request: HttpRequest, pk: int) -> Ban:
    found = bans_selector.ban_of(user_of(request), pk)
    if found is None:
        raise Http404
    return found


def _page(request: HttpRequest, pk: int, sent_form: Any = None) -> HttpResponse:
    user, found = user_of(request), _found(request, pk)
    appeals = list(found.appeals.select_related("by"))
    forms = {
        "decision": BanDecisionForm(initial={"expires_at": now() + bans.default_term()}),
        "lift": ReasonForm(),
        "appeal": AppealForm(initial={"text": appeals[0].text if appeals else ""}),
    }
    names = {BanDecisionForm: "decision", ReasonForm: "lift", AppealForm: "appeal"}
    if sent_form is not None:
        forms[names[type(sent_form)]] = sent_form
    context = {
        "ban": found,
        "decision": getattr(found, "decision", None),
        "events": bans_selector.evidence_of(found),
        "appeals": appeals,
        "may_grant": found.state == BanState.REQUESTED and bans.may_grant(found, user),
        "may_refuse": found.state == BanState.REQUESTED and user.is_managing,
        "may_lift": found.state == BanState.GRANTED and user.is_managing,
        **{f"{name}_form": form for name, form in forms.items()},
    }
    return render(request, "calls/ban.html", context, status=422 if sent_form is not None else 200)
