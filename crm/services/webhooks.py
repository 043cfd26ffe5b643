"""Subscriptions to what happens: made, changed, stopped; their secrets; and what is sent to them again."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from crm.enums import SUBSCRIBED, DeliveryState, WebhookEvent, WebhookPayload, WebhookStop
from crm.models import Sponsor, User, WebhookDelivery, WebhookSubscription
from crm.rules.errors import Invalid, InvalidTransition
from crm.rules.webhook_signature import SECRET_BYTES, secret_of
from crm.rules.webhook_targets import BadTarget, target_of
from crm.selectors.scopes import sponsors_of
from crm.selectors.webhooks import oldest_open_transaction, owners_for
from crm.services.wake import wake

#: How long a secret that was replaced still signs.
OVERLAP = timedelta(hours=24)
#: Secrets that are valid at once at most: each one adds to a header that receivers bound.
MAX_SECRETS = 5
#: Subscriptions of one account: each one makes a message of everything that it sees.
MAX_SUBSCRIPTIONS = 50
#: Days that a message is kept.
KEPT = timedelta(days=30)
#: Rows that one statement forgets.
FORGOTTEN_AT_ONCE = 5_000
BAD_TARGETS: dict[str, Any] = {
    "form": _("Une adresse complète : https://…, sans mot de passe, de 500 caractères au plus."),
    "scheme": _("L'adresse doit commencer par https:// : les messages sont chiffrés."),
    "inside": _(
        "Cette adresse est celle d'un réseau privé : on n'envoie qu'à un serveur de l'Internet public."
    ),
}


def create_subscription(
    *, data: Mapping[str, Any], owner: User, by: User, at: datetime
) -> tuple[WebhookSubscription, str]:
    """Subscribe `owner` from now on; return the subscription and its secret, which cannot be shown again.

    `data`: `name`, `url`, `events` (codes), `payload` and `sponsors` (rows, [] for all that the owner sees).
    """
    if not owners_for(by).filter(pk=owner.pk).exists():
        raise Invalid.field("owner", _("Ce compte ne peut pas être abonné."))
    if owner.webhooks.count() >= MAX_SUBSCRIPTIONS:
        raise InvalidTransition(_("Ce compte a trop d'abonnements : supprimez ceux qui ne servent plus."))
    secret = _new_secret()
    row = WebhookSubscription(
        owner=owner,
        secrets=[{"secret": secret, "until": None}],
        from_xid=oldest_open_transaction(),
        created_at=at,
        enabled_at=at,
    )
    return _written(row, data, by, at), secret


def edit_subscription(
    *, subscription: WebhookSubscription, data: Mapping[str, Any], by: User, at: datetime
) -> WebhookSubscription:
    """Write the fields of `data` (as for a new one); what waits goes to the new address."""
    return _written(subscription, data, by, at)


@transaction.atomic
def _written(
    row: WebhookSubscription, data: Mapping[str, Any], by: User, at: datetime
) -> WebhookSubscription:
    checked = _checked(data)
    chosen = _kept_to(checked.pop("sponsors", None), row, by)
    _check_sponsors(chosen, row.owner)
    for name, value in checked.items():
        setattr(row, name, value)
    row.updated_at = at
    # Not its secrets nor what a worker noted meanwhile.
    row.save(update_fields=[*checked, "updated_at"] if row.pk else None)
    if chosen is not None:
        row.sponsors.set(chosen)
    return row


def _checked(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `data` as they are stored, or refuse them."""
    found = dict(data)
    if "name" in found:
        found["name"] = found["name"].strip()
        if not found["name"]:
            raise Invalid.field("name", _("Donnez un nom."))
    if "url" in found:
        check_url(found["url"])
    if "events" in found:
        known = [code for code, _label in SUBSCRIBED if code in found["events"]]
        if not known or set(found["events"]) - set(known):
            raise Invalid.field("events", _("Choisissez au moins un événement, parmi ceux qui existent."))
        found["events"] = known
    if found.get("payload", WebhookPayload.THIN) not in WebhookPayload.values:
        raise Invalid.field("payload", _("Code inconnu."))
    return found


def check_url(url: str) -> None:
    """Refuse an address that nothing may be sent to; where its name leads is judged at each attempt."""
    try:
        target_of(url, allow_local=settings.WEBHOOK_ALLOW_LOCAL)
    except BadTarget as bad:
        raise Invalid.field("url", BAD_TARGETS[bad.code]) from bad


def _kept_to(chosen: list[Sponsor] | None, row: WebhookSubscription, by: User) -> list[Sponsor] | None:
    """Return the sponsors to keep to: those chosen; with a token that keeps to some, those where none is chosen, for
    what it makes must not see more than it does."""
    if by.token is None or by.token.sponsors is None or chosen or (chosen is None and row.pk):
        return chosen
    own = list(sponsors_of(row.owner).filter(pk__in=by.token.sponsors))
    if not own:
        raise Invalid.field("sponsors", _("Le compte ne travaille pas pour ce donneur d'ordre."))
    return own


def _check_sponsors(chosen: list[Sponsor] | None, owner: User) -> None:
    if not chosen:
        return
    seen = set(
        sponsors_of(owner).filter(pk__in=[sponsor.pk for sponsor in chosen]).values_list("pk", flat=True)
    )
    if any(sponsor.pk not in seen for sponsor in chosen):
        raise Invalid.field("sponsors", _("Le compte ne travaille pas pour ce donneur d'ordre."))


def _new_secret() -> str:
    return secret_of(secrets.token_bytes(SECRET_BYTES))


def valid_secrets(subscription: WebhookSubscription, *, at: datetime) -> list[str]:
    """Return the secrets that sign at `at`, the newest first."""
    return [kept["secret"] for kept in _valid(subscription, at)]


def _valid(subscription: WebhookSubscription, at: datetime) -> list[dict[str, Any]]:
    def holds(until: str | None) -> bool:
        moment = parse_datetime(until) if until else None
        return moment is None or moment > at

    return [kept for kept in subscription.secrets if holds(kept["until"])]


@transaction.atomic
def rotate_secret(*, subscription: WebhookSubscription, by: User, at: datetime) -> str:
    """Give a new secret and return it, this once. Those of before sign for another 24 hours, so that a receiver (or a
    hasty second click) loses nothing; refuses a sixth that is valid at once."""
    row = _locked(subscription)
    kept = _valid(row, at)
    if len(kept) >= MAX_SECRETS:
        raise InvalidTransition(
            _("Trop de secrets sont encore valables : attendez que les anciens expirent.")
        )
    until = (at + OVERLAP).isoformat()
    secret = _new_secret()
    former = [one | {"until": one["until"] or until} for one in kept]
    row.secrets = [{"secret": secret, "until": None}, *former]
    row.updated_at = at
    row.save(update_fields=["secrets", "updated_at"])
    subscription.secrets, subscription.updated_at = row.secrets, at
    return secret


def _locked(subscription: WebhookSubscription) -> WebhookSubscription:
    return WebhookSubscription.objects.select_for_update(no_key=True).get(pk=subscription.pk)


@transaction.atomic
def stop_subscription(
    *, subscription: WebhookSubscription, by: User | None, at: datetime, why: str = WebhookStop.BY_HAND
) -> WebhookSubscription:
    """Send nothing more; what waits is held. One that is stopped already keeps its first reason."""
    row = _locked(subscription)
    if row.stopped_at is None:
        row.stopped, row.stopped_at, row.updated_at = why, at, at
        row.save(update_fields=["stopped", "stopped_at", "updated_at"])
    return row


@transaction.atomic
def start_subscription(*, subscription: WebhookSubscription, by: User, at: datetime) -> WebhookSubscription:
    """Send again: what was held, and what happens from now on. What happened meanwhile was kept for nobody."""
    row = _locked(subscription)
    if row.stopped_at is not None:
        row.stopped, row.stopped_at, row.enabled_at, row.updated_at = "", None, at, at
        row.failing_since = row.not_before = None
        row.from_xid = oldest_open_transaction()
        row.save()
        wake("crm.send_webhooks")
    return row


def delete_subscription(*, subscription: WebhookSubscription, by: User, at: datetime) -> None:
    """Forget a subscription and its messages."""
    # First its row, then its messages: the order of whoever sends.
    with transaction.atomic():
        WebhookSubscription.objects.select_for_update().filter(pk=subscription.pk).first()
        subscription.delete()


@transaction.atomic
def send_test(*, subscription: WebhookSubscription, by: User, at: datetime) -> WebhookDelivery:
    """Send a test at once, on the way of every message, also to a subscription that is stopped."""
    delivery = WebhookDelivery.objects.create(
        subscription=subscription,
        message=uuid4(),
        event=WebhookEvent.TEST,
        ref=subscription.pk,
        data={"webhook": subscription.pk},
        at=at,
        created_at=at,
        next_at=at,
    )
    wake("crm.send_webhooks")
    return delivery


@transaction.atomic
def replay(*, delivery: WebhookDelivery, by: User, at: datetime) -> WebhookDelivery:
    """Send a message again at once, under its own id; one that is being sent right now is left to it."""
    row = WebhookDelivery.objects.select_for_update(no_key=True).get(pk=delivery.pk)
    under_way = row.attempting_until is not None and row.attempting_until >= at
    if not under_way and not (row.state == DeliveryState.WAITING and row.attempts == 0):
        row.state, row.next_at, row.attempts, row.attempting_until = DeliveryState.WAITING, at, 0, None
        row.delivered_at = None
        row.save(update_fields=["state", "next_at", "attempts", "attempting_until", "delivered_at"])
    wake("crm.send_webhooks")
    return row


@transaction.atomic
def replay_failed(*, subscription: WebhookSubscription, since: datetime, by: User, at: datetime) -> int:
    """Send again at once every message since a moment that was not taken, given up or waiting for its next attempt;
    returns how many."""
    missed = subscription.deliveries.filter(created_at__gte=since).exclude(state=DeliveryState.DELIVERED)
    not_under_way = missed.exclude(attempting_until__gte=at).exclude(state=DeliveryState.WAITING, attempts=0)
    count = not_under_way.update(state=DeliveryState.WAITING, next_at=at, attempts=0, attempting_until=None)
    wake("crm.send_webhooks")
    return count


def forget_deliveries(*, at: datetime) -> int:
    """Delete the messages that are older than 30 days, in steps; returns how many."""
    total = 0
    while True:
        old = WebhookDelivery.objects.filter(created_at__lt=at - KEPT).order_by("created_at")
        step = WebhookDelivery.objects.filter(pk__in=old.values("pk")[:FORGOTTEN_AT_ONCE])
        count = step._raw_delete(step.db)
        total += count
        if count < FORGOTTEN_AT_ONCE:
            return total
