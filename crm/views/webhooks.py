"""Webhooks: who is told, whether it arrived, what their server answered, and sending again."""

import json
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import access
from crm.enums import MANAGING, DeliveryError, WebhookEvent
from crm.forms import show_refusal
from crm.forms.webhooks import DeliveryFilterForm, SinceForm, WebhookForm
from crm.models import User, WebhookDelivery, WebhookSubscription
from crm.rules.errors import DomainError
from crm.rules.moments import stamp
from crm.selectors import webhooks as webhooks_selector
from crm.selectors.keyset import Order, page_at, place_of
from crm.services import webhooks
from crm.views.answers import PAGE_SIZE, form_page, now, page_of, refused, saved, sent, user_of

FORM = "crm/webhook_form.html"
#: The log, newest first.
NEWEST = Order(F("pk"), descending=True)


@access.role_required(*MANAGING)
@require_safe
def webhook_list(request: HttpRequest) -> HttpResponse:
    """List the subscriptions inside the user's walls, with how each does."""
    page = page_of(
        request, access.webhooks_of(user_of(request)).select_related("owner").order_by("name", "pk")
    )
    standings = webhooks_selector.standings(page, at=now())
    return render(
        request,
        "crm/webhook_list.html",
        {"page": page, "rows": [(row, standings[row.pk]) for row in page]},
    )


@access.role_required(*MANAGING)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_new(request: HttpRequest) -> HttpResponse:
    """Show the form of a new subscription; subscribe, and show the secret this once."""
    user = user_of(request)
    form = WebhookForm(sent(request), **_offered(user))
    if request.method == "POST" and form.is_valid():
        try:
            row, secret = webhooks.create_subscription(
                data=form.values(), owner=form.cleaned_data["owner"], by=user, at=now()
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            return _secret(request, row, secret, _("Abonnement créé"))
    return form_page(request, FORM, form, {"title": _("Nouvel abonnement")})


@access.role_required(*MANAGING)
@require_safe
def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a subscription with the log of its messages, as the address narrows it."""
    row, at = _found(request, pk), now()
    filters = DeliveryFilterForm(request.GET)
    wanted = filters.values()
    rows = webhooks_selector.deliveries_found(row.deliveries.all(), **wanted)
    place = place_of(request.GET.get("after"), request.GET.get("before"))
    page = page_at(rows, NEWEST, place, size=PAGE_SIZE)
    context = {
        "webhook": row,
        "standing": webhooks_selector.standings([row], at=at)[row.pk],
        "filters": filters,
        "filtered": bool(wanted or filters.errors),
        "page": page,
        "rows": page.rows,
        "again": SinceForm(initial={"since": wanted.get("since", at - timedelta(hours=24))}),
        "now": at,
    }
    return render(request, "crm/webhook.html", context)


@access.role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a subscription's form; change it."""
    user, row = user_of(request), _found(request, pk)
    title = row.name
    form = WebhookForm(sent(request), instance=row, **_offered(user))
    if request.method == "POST" and form.is_valid():
        try:
            webhooks.edit_subscription(subscription=row, data=form.values(), by=user, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            return saved(request, _("Enregistré."), "webhook", pk)
    return form_page(request, FORM, form, {"title": title, "webhook": row})


@access.role_required(*MANAGING)
@require_POST
def webhook_state(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a subscription or switch it on again, as `do` says (`stop`, `start`)."""
    user, row = user_of(request), _found(request, pk)
    if request.POST.get("do") == "start":
        webhooks.start_subscription(subscription=row, by=user, at=now())
        return saved(request, _("%(name)s reçoit de nouveau.") % {"name": row.name}, "webhook", pk)
    if request.POST.get("do") == "stop":
        webhooks.stop_subscription(subscription=row, by=user, at=now())
        return saved(request, _("%(name)s ne reçoit plus rien.") % {"name": row.name}, "webhook", pk)
    return redirect("webhook", pk)


@access.role_required(*MANAGING)
@never_cache
@require_POST
def webhook_rotation(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a new secret and show it this once."""
    row = _found(request, pk)
    try:
        secret = webhooks.rotate_secret(subscription=row, by=user_of(request), at=now())
    except DomainError as error:
        return refused(request, error, "webhook", pk)
    return _secret(request, row, secret, _("Nouveau secret"), rotated=True)


@access.role_required(*MANAGING)
@require_POST
def webhook_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test and go to its page, which shows the answer when it has come."""
    row = webhooks.send_test(subscription=_found(request, pk), by=user_of(request), at=now())
    return redirect("webhook-delivery", row.pk)


@access.role_required(*MANAGING)
@require_POST
def webhook_replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Send again what was not taken since a moment."""
    row, form = _found(request, pk), SinceForm(request.POST)
    if not form.is_valid():
        return form_page(request, "crm/webhook_replay.html", form, {"webhook": row})
    since = form.cleaned_data["since"]
    count = webhooks.replay_failed(subscription=row, since=since, by=user_of(request), at=now())
    if not count:
        return saved(request, _("Rien à renvoyer depuis ce moment."), "webhook", pk)
    said = ngettext("%(count)d message est renvoyé.", "%(count)d messages sont renvoyés.", count)
    return saved(request, said % {"count": count}, "webhook", pk)


@access.role_required(*MANAGING)
@require_POST
def webhook_deletion(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a subscription and its messages."""
    row = _found(request, pk)
    webhooks.delete_subscription(subscription=row, by=user_of(request), at=now())
    return saved(request, _("%(name)s est supprimé.") % {"name": row.name}, "webhook-list")


@access.role_required(*MANAGING)
@require_safe
def webhook_delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a message: what was sent, each attempt with its answer, and when the next one is."""
    row, at = _message(request, pk), now()
    under_way = row.attempting_until is not None and row.attempting_until >= at
    is_due = row.next_at is not None and row.next_at <= at
    can_go = row.subscription.owner.is_active and (
        row.subscription.stopped_at is None or row.event == WebhookEvent.TEST
    )
    context = {
        "delivery": row,
        "webhook": row.subscription,
        "payload": _payload(row),
        "under_way": under_way,
        "is_due": is_due,
        # The page looks again while something is about to happen.
        "live": row.next_at is not None
        and can_go
        and (under_way or row.next_at <= at + timedelta(seconds=10)),
        "attempts": [_attempt(line) for line in reversed(row.log)],
        "now": at,
    }
    part = "#state" if "HX-Request" in request.headers else ""
    return render(request, f"crm/webhook_delivery.html{part}", context)


@access.role_required(*MANAGING)
@require_POST
def webhook_delivery_replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a message again."""
    row = _message(request, pk)
    webhooks.replay(delivery=row, by=user_of(request), at=now())
    return redirect("webhook-delivery", pk)


def _found(request: HttpRequest, pk: int) -> WebhookSubscription:
    return get_object_or_404(access.webhooks_of(user_of(request)).select_related("owner"), pk=pk)


def _message(request: HttpRequest, pk: int) -> WebhookDelivery:
    rows = access.deliveries_of(user_of(request)).select_related("subscription__owner")
    return get_object_or_404(rows, pk=pk)


def _attempt(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line of the log, with its moment and its error in words."""
    words = DeliveryError(line["error"]).label if line["error"] else ""
    return line | {"moment": parse_datetime(line["at"]), "words": words}


def _payload(row: WebhookDelivery) -> str:
    """Return what is sent, readable, without the record of a full message: it is kept nowhere."""
    content = {"type": row.event, "timestamp": stamp(row.at), "data": row.data}
    return json.dumps(content, ensure_ascii=False, indent=2)


def _offered(user: User) -> dict[str, Any]:
    return {
        "owners": access.owners_for(user).order_by("username"),
        "sponsors": access.sponsors_of(user).order_by("name"),
    }


def _secret(
    request: HttpRequest, row: WebhookSubscription, secret: str, title: str, *, rotated: bool = False
) -> HttpResponse:
    context = {"webhook": row, "secret": secret, "title": title, "rotated": rotated}
    return render(request, "crm/webhook_secret.html", context)
