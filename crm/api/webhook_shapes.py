"""Subscriptions and their messages as the API takes and answers them."""

from typing import Any

from rest_framework import serializers

from crm.api.fields import Body, Id, Moment, Text, Truth, stamp
from crm.enums import SUBSCRIBED, DeliveryState, WebhookEvent, WebhookPayload, WebhookStop
from crm.models import WebhookDelivery, WebhookSubscription

#: What a token needs to subscribe to an event, beside `webhooks:write`.
EVENT_SCOPES: dict[str, str] = {
    WebhookEvent.CALL_ENDED: "calls:read",
    WebhookEvent.DISPOSITION_CREATED: "calls:read",
    WebhookEvent.OUT_OF_CRITERIA: "calls:read",
    WebhookEvent.PROSPECT_UPDATED: "prospects:read",
    WebhookEvent.EXCLUSION_CREATED: "exclusions:read",
    WebhookEvent.EXCLUSION_LIFTED: "exclusions:read",
    WebhookEvent.CALLBACK_SCHEDULED: "callbacks:read",
    WebhookEvent.IMPORT_FINISHED: "imports:read",
    WebhookEvent.INCIDENT_OPENED: "incidents:read",
}


class WebhookIn(Body):
    """What a subscription is made of. `owner` is the account that it sees with: yours unless you say another's."""

    ignored = (
        "id",
        "stopped",
        "stopped_at",
        "failing_since",
        "last_success_at",
        "not_before",
        "created_at",
        "updated_at",
    )
    name = Text(max_length=100)
    url = Text(max_length=500)
    events = serializers.ListField(child=serializers.ChoiceField(SUBSCRIBED), min_length=1, max_length=20)
    payload = serializers.ChoiceField(
        WebhookPayload.choices,
        required=False,
        help_text="`full` adds `data.record`, as the API answers it: it holds personal data.",
    )
    sponsors = serializers.ListField(
        child=Id(), required=False, max_length=1000, help_text="Empty: all that the owner sees."
    )
    owner = Id(required=False)
    active = Truth(required=False)


class WebhookOut(serializers.Serializer[Any]):
    """A subscription as it is answered; `stopped` says why it is not `active`, `not_before` until when it waits."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    payload = serializers.CharField()
    sponsors = serializers.ListField(child=serializers.IntegerField())
    owner = serializers.IntegerField()
    active = serializers.BooleanField()
    stopped = serializers.ChoiceField([("", ""), *WebhookStop.choices])
    stopped_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(allow_null=True)
    last_success_at = serializers.DateTimeField(allow_null=True)
    not_before = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class WebhookMadeOut(WebhookOut):
    """A subscription that was just made, with its secret: keep it, it is not shown again."""

    secret = serializers.CharField()


class SecretOut(serializers.Serializer[Any]):
    """A new secret: keep it, it is not shown again. Those of before sign for another 24 hours."""

    secret = serializers.CharField()


class AttemptOut(serializers.Serializer[Any]):
    """One attempt: `status` is the answer's, `error` a code, `ms` how long it took, `answer` how its body begins."""

    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_blank=True)
    detail = serializers.CharField(allow_blank=True)
    answer = serializers.CharField(allow_blank=True)
    ms = serializers.IntegerField()


class DeliveryOut(serializers.Serializer[Any]):
    """A message: `message` is its `webhook-id`, `data` what it tells, without the record of a full one."""

    id = serializers.IntegerField()
    webhook = serializers.IntegerField()
    message = serializers.CharField()
    event = serializers.CharField()
    at = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]
    state = serializers.ChoiceField(DeliveryState.choices)
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    next_at = serializers.DateTimeField(allow_null=True)
    attempts = AttemptOut(many=True)


class ReplayIn(Body):
    """From when on the messages that were not taken are sent again."""

    since = Moment()


class ReplayOut(serializers.Serializer[Any]):
    """How many messages are sent again."""

    replayed = serializers.IntegerField()


def webhook_out(row: WebhookSubscription) -> dict[str, Any]:
    """Return a subscription, without its secrets; its `sponsors` should be prefetched."""
    return {
        "id": row.pk,
        "name": row.name,
        "url": row.url,
        "events": row.events,
        "payload": row.payload,
        "sponsors": sorted(sponsor.pk for sponsor in row.sponsors.all()),
        "owner": row.owner_id,
        "active": row.stopped_at is None,
        "stopped": row.stopped,
        "stopped_at": stamp(row.stopped_at),
        "failing_since": stamp(row.failing_since),
        "last_success_at": stamp(row.last_success_at),
        "not_before": stamp(row.not_before),
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.updated_at),
    }


def delivery_out(row: WebhookDelivery) -> dict[str, Any]:
    """Return a message with its attempts."""
    return {
        "id": row.pk,
        "webhook": row.subscription_id,
        "message": row.message_id,
        "event": row.event,
        "at": stamp(row.at),
        "data": row.data,
        "state": row.state,
        "status": row.status,
        "error": row.error,
        "created_at": stamp(row.created_at),
        "delivered_at": stamp(row.delivered_at),
        "next_at": stamp(row.next_at),
        "attempts": row.log,
    }
