"""Subscriptions to what happens, their messages, and what can be done about one that did not arrive."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from crm.access import deliveries_of, owners_for, sponsors_of, webhooks_of
from crm.api.endpoints import (
    MANAGERS,
    PROGRAMS,
    Endpoint,
    caller,
    etag_of,
    locked,
    now,
    record,
    require_scope,
)
from crm.api.fields import Body, read
from crm.api.paging import page
from crm.api.schema import describe, page_of
from crm.api.webhook_shapes import (
    EVENT_SCOPES,
    DeliveryOut,
    ReplayIn,
    ReplayOut,
    SecretOut,
    WebhookIn,
    WebhookMadeOut,
    WebhookOut,
    delivery_out,
    webhook_out,
)
from crm.enums import DeliveryState, WebhookEvent
from crm.models import Sponsor, User, WebhookDelivery, WebhookSubscription
from crm.rules.errors import Invalid
from crm.services import webhooks

TAG = "webhooks"
SUBSCRIBERS = MANAGERS | PROGRAMS
FILTERS = ("state", "event")


def _etagged(row: WebhookSubscription) -> dict[str, Any]:
    """Return what a change of a subscription competes for: not what workers note of its receiver meanwhile."""
    noted = ("failing_since", "last_success_at", "not_before")
    return {name: value for name, value in webhook_out(row).items() if name not in noted}


def _answer(row: WebhookSubscription, **options: Any) -> Response:
    return record(webhook_out(row), etag=etag_of(_etagged(row)), **options)


def _chosen(user: User, data: dict[str, Any]) -> tuple[dict[str, Any], bool | None]:
    """Return the fields of a body as the service takes them, and whether it shall be active."""
    found = dict(data)
    active = found.pop("active", None)
    if "sponsors" in found:
        rows: list[Sponsor] = list(sponsors_of(user).filter(pk__in=found["sponsors"]))
        if {row.pk for row in rows} != set(found["sponsors"]):
            raise Invalid.field("sponsors", _("Ce donneur d'ordre n'existe pas."))
        found["sponsors"] = rows
    return found, active


def _require_scopes(request: Request, events: Iterable[str]) -> None:
    """Refuse a token that has another told of what it may not read itself."""
    for event in events:
        require_scope(request, EVENT_SCOPES[event])


def _owner(user: User, pk: int) -> User:
    owner = owners_for(user).filter(pk=pk).first()
    if owner is None:
        raise Invalid.field("owner", _("Ce compte ne peut pas être abonné."))
    return owner


class WebhookList(Endpoint):
    """The subscriptions that the user sees."""

    resource = "webhooks"
    roles = {"GET": SUBSCRIBERS, "POST": SUBSCRIBERS}

    @describe(
        "webhooks_list",
        "List webhook subscriptions",
        tag=TAG,
        answers={200: page_of(WebhookOut)},
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        """List."""
        return page(request, webhooks_of(caller(request)).prefetch_related("sponsors"), webhook_out)

    @describe(
        "webhooks_create",
        "Subscribe to events",
        problems=("invalid-transition",),
        tag=TAG,
        request=WebhookIn,
        answers={201: WebhookMadeOut},
        description="From now on. The secret is answered here and never again.",
    )
    def post(self, request: Request) -> Response:
        """Create."""
        user, at = caller(request), now()
        data, active = _chosen(user, read(request, WebhookIn))
        _require_scopes(request, data["events"])
        owner = _owner(user, data.pop("owner", user.pk))
        with transaction.atomic():
            row, secret = webhooks.create_subscription(data=data, owner=owner, by=user, at=at)
            if active is False:
                row = webhooks.stop_subscription(subscription=row, by=user, at=at)
        body = webhook_out(row) | {"secret": secret}
        return record(body, status=201, etag=etag_of(_etagged(row)), location=f"{request.path}{row.pk}/")


class WebhookDetail(Endpoint):
    """One subscription."""

    resource = "webhooks"
    roles = {"GET": SUBSCRIBERS, "PATCH": SUBSCRIBERS, "DELETE": SUBSCRIBERS}

    @describe("webhooks_get", "Read a webhook subscription", tag=TAG, answers={200: WebhookOut})
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        return _answer(_found(request, pk))

    @describe(
        "webhooks_patch",
        "Change, stop or start a webhook subscription",
        problems=("invalid-transition",),
        tag=TAG,
        request=WebhookIn,
        answers={200: WebhookOut},
        has_etag=True,
        description="`active: false` holds what waits; what happens until `active: true` is kept for nobody.",
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change."""
        user, at = caller(request), now()
        get_object_or_404(webhooks_of(user), pk=pk)
        data, active = _chosen(user, read(request, WebhookIn, partial=True))
        with transaction.atomic():
            row = locked(request, webhooks_of(user), pk, _etagged)
            # Also where only the address changes: another one would be told what this token may not read.
            _require_scopes(request, data.get("events", row.events))
            if data.pop("owner", row.owner_id) != row.owner_id:
                raise Invalid.field("owner", _("Le compte d'un abonnement ne change pas."))
            if data:
                row = webhooks.edit_subscription(subscription=row, data=data, by=user, at=at)
            if active is not None:
                verb = webhooks.start_subscription if active else webhooks.stop_subscription
                row = verb(subscription=row, by=user, at=at)
        return _answer(row)

    @describe(
        "webhooks_delete",
        "Unsubscribe",
        tag=TAG,
        answers={204: None},
        description="Its messages are forgotten too.",
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Delete."""
        webhooks.delete_subscription(subscription=_found(request, pk), by=caller(request), at=now())
        return Response(status=204)


class WebhookRotate(Endpoint):
    """A new secret beside the one of before."""

    resource = "webhooks"
    roles = {"POST": SUBSCRIBERS}

    @describe(
        "webhooks_rotate",
        "Give a new secret",
        problems=("invalid-transition",),
        tag=TAG,
        request=Body,
        answers={200: SecretOut},
        description="For 24 hours every message is signed with both.",
    )
    def post(self, request: Request, pk: int) -> Response:
        """Rotate."""
        row = _found(request, pk)
        read(request, Body)
        return Response({"secret": webhooks.rotate_secret(subscription=row, by=caller(request), at=now())})


class WebhookTest(Endpoint):
    """A test on the way of every message."""

    resource = "webhooks"
    roles = {"POST": SUBSCRIBERS}

    @describe(
        "webhooks_test",
        "Send `webhook.test` at once",
        problems=("invalid-transition",),
        tag=TAG,
        request=Body,
        answers={202: DeliveryOut},
        description="Sent once, also to a subscription that is stopped; follow it under `webhooks/deliveries/{id}/`.",
    )
    def post(self, request: Request, pk: int) -> Response:
        """Send."""
        found = _found(request, pk)
        read(request, Body)
        row = webhooks.send_test(subscription=found, by=caller(request), at=now())
        return _accepted(request, row)


class WebhookReplay(Endpoint):
    """Everything that was not taken since a moment, once more."""

    resource = "webhooks"
    roles = {"POST": SUBSCRIBERS}

    @describe(
        "webhooks_replay",
        "Send again what was not taken since a moment",
        problems=("invalid-transition",),
        tag=TAG,
        request=ReplayIn,
        answers={202: ReplayOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Replay."""
        row = _found(request, pk)
        since = read(request, ReplayIn)["since"]
        count = webhooks.replay_failed(subscription=row, since=since, by=caller(request), at=now())
        return Response({"replayed": count}, status=202)


class WebhookDeliveries(Endpoint):
    """The messages of a subscription, kept for 30 days."""

    resource = "webhooks"
    roles = {"GET": SUBSCRIBERS}

    @describe(
        "webhooks_deliveries",
        "List the messages of a subscription",
        tag=TAG,
        answers={200: page_of(DeliveryOut)},
        is_list=True,
        parameters=[
            OpenApiParameter("state", str, enum=DeliveryState.values),
            OpenApiParameter("event", str, enum=WebhookEvent.values),
        ],
    )
    def get(self, request: Request, pk: int) -> Response:
        """List."""
        rows, query = _found(request, pk).deliveries.all(), request.query_params
        for name, known in (("state", DeliveryState.values), ("event", WebhookEvent.values)):
            if name in query:
                if query[name] not in known:
                    raise Invalid.field(name, _("Code inconnu."))
                rows = rows.filter(**{name: query[name]})
        return page(request, rows, delivery_out, filters=FILTERS)


class WebhookDeliveryDetail(Endpoint):
    """One message."""

    resource = "webhooks"
    roles = {"GET": SUBSCRIBERS}

    @describe("webhooks_delivery", "Read a message with its attempts", tag=TAG, answers={200: DeliveryOut})
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        return record(delivery_out(get_object_or_404(deliveries_of(caller(request)), pk=pk)))


class WebhookDeliveryReplay(Endpoint):
    """One message, once more."""

    resource = "webhooks"
    roles = {"POST": SUBSCRIBERS}

    @describe(
        "webhooks_delivery_replay",
        "Send a message again, under its own `webhook-id`",
        problems=("invalid-transition",),
        tag=TAG,
        request=Body,
        answers={202: DeliveryOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Replay."""
        user = caller(request)
        found = get_object_or_404(deliveries_of(user), pk=pk)
        read(request, Body)
        return _accepted(request, webhooks.replay(delivery=found, by=user, at=now()))


def _found(request: Request, pk: int) -> WebhookSubscription:
    return get_object_or_404(webhooks_of(caller(request)), pk=pk)


def _accepted(request: Request, row: WebhookDelivery) -> Response:
    address = request.path.partition("webhooks/")[0] + f"webhooks/deliveries/{row.pk}/"
    return record(delivery_out(row), status=202, location=address)
