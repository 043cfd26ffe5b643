"""Who is told of what happens, and every message that was sent to them. Rows first: a lost Redis loses none."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.enums import DeliveryError, DeliveryState, WebhookEvent, WebhookPayload, WebhookStop
from crm.models.sponsors import Sponsor

WAITING = Q(state=DeliveryState.WAITING)


class WebhookSubscription(models.Model):
    """A program's address, and the events that it is told of.

    It sees what its `owner` sees, through the same walls; `sponsors` narrows that further (empty: all of the owner's).
    `secrets` is a JSON list, newest first, of `{"secret": "whsec_…", "until": moment or null}`: every one that is valid
    signs. They stand there in the clear, for we sign with them and have no other place that a reader of this table
    could not read too; no page, log or API answer repeats one. `from_xid`: changes of older transactions are not its.
    `not_before`: the receiver asked us to wait. `enabled_at`: when it was last switched on.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="webhooks",
        verbose_name=_("compte"),
    )
    name = models.CharField(_("nom"), max_length=100)
    url = models.CharField(_("adresse"), max_length=500)
    events = ArrayField(models.CharField(max_length=40), verbose_name=_("événements"))
    payload = models.CharField(
        _("contenu"), max_length=4, choices=WebhookPayload.choices, default=WebhookPayload.THIN
    )
    sponsors = models.ManyToManyField(
        Sponsor, blank=True, related_name="+", verbose_name=_("donneurs d'ordre")
    )
    secrets = models.JSONField(default=list)
    from_xid = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    enabled_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped = models.CharField(max_length=8, choices=WebhookStop.choices, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("abonnement webhook")
        verbose_name_plural = _("abonnements webhook")
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(payload__in=WebhookPayload.values), name="webhook_payload_known"
            ),
            models.CheckConstraint(condition=Q(events__len__gt=0), name="webhook_has_events"),
            models.CheckConstraint(
                condition=Q(events__contained_by=sorted(set(WebhookEvent.values) - {WebhookEvent.TEST})),
                name="webhook_events_known",
            ),
            models.CheckConstraint(
                condition=Q(stopped_at__isnull=True, stopped="")
                | Q(stopped_at__isnull=False, stopped__in=WebhookStop.values),
                name="webhook_stopped_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(models.Model):
    """A message to a subscription, and how far it is.

    `message` is its `webhook-id`, the same at every attempt, by which the receiver knows a repeated one. `data` is the
    thin payload: ids and codes. A full record is read when it is sent, so that nothing personal is kept here and an
    erased person is gone from what is sent later. A worker that sends it holds it until `attempting_until`; `attempts`
    counts those of this round (a replay begins another), `next_at` is when the next one is due.

    `log` is the JSON list of the last attempts, newest last: `{"at", "status", "error", "detail", "answer", "ms"}`. It
    stands in the row, not in a table of its own: an attempt and what follows from it are one write, the list is short
    and bounded, and nobody asks for attempts but beside their message.
    """

    subscription = models.ForeignKey(
        WebhookSubscription, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    message = models.UUIDField(unique=True)
    event = models.CharField(max_length=40, choices=WebhookEvent.choices)
    #: The record that it tells of, and the transaction that changed it; null once that is of another database.
    ref = models.BigIntegerField()
    xid = models.BigIntegerField(null=True, blank=True)
    sponsor = models.ForeignKey(
        Sponsor, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    data = models.JSONField(default=dict)
    at = models.DateTimeField()
    created_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    attempting_until = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    #: Of the last attempt, for the lists.
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=12, choices=DeliveryError.choices, blank=True)
    log = models.JSONField(default=list)

    class Meta:
        verbose_name = _("envoi webhook")
        verbose_name_plural = _("envois webhook")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values), name="webhook_delivery_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.WAITING, next_at__isnull=False)
                | (~WAITING & Q(next_at__isnull=True, attempting_until__isnull=True)),
                name="webhook_delivery_waits_for_a_moment",
            ),
            # However often the changes are read, a subscription is told of each once.
            models.UniqueConstraint(
                fields=["subscription", "xid", "event", "ref"], name="webhook_delivery_once"
            ),
        ]
        indexes = [
            # What a worker has to send, and what is on its way, by subscription.
            models.Index(fields=["subscription", "next_at"], condition=WAITING, name="webhook_delivery_due"),
            models.Index(
                fields=["subscription"],
                condition=Q(attempting_until__isnull=False),
                name="webhook_delivery_under_way",
            ),
            # The log of a subscription, newest first; and what of it was not taken.
            models.Index(fields=["subscription", "-id"], name="webhook_delivery_log"),
            models.Index(
                fields=["subscription", "created_at"],
                condition=~Q(state=DeliveryState.DELIVERED),
                name="webhook_delivery_missed",
            ),
            # What is old enough to be forgotten.
            models.Index(fields=["created_at"], name="webhook_delivery_age"),
        ]

    def __str__(self) -> str:
        return self.message_id

    @property
    def message_id(self) -> str:
        """Return the `webhook-id`."""
        return f"msg_{self.message.hex}"


class WebhookPlace(models.Model):
    """The one row that says up to where the changes were read: everything up to (`xid`, `kind`, `ref`), in the numbers
    of the feed's `epoch`."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    epoch = models.PositiveIntegerField(default=0)
    xid = models.BigIntegerField(default=0)
    kind = models.CharField(max_length=40, blank=True)
    ref = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("lecture des changements")
        verbose_name_plural = _("lecture des changements")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="webhook_place_is_one")]

    def __str__(self) -> str:
        return f"{self.xid} {self.kind} {self.ref}"
