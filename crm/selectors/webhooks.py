"""Subscriptions and their messages: who sees which, who is told of what, and what the pages count."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import ngettext

from crm.enums import MANAGING, DeliveryState, Role, WebhookEvent
from crm.models import User, WebhookDelivery, WebhookSubscription
from crm.selectors.people import Holding, users_of
from crm.selectors.scopes import sees_every_sponsor

#: Whose subscriptions are told anything.
HEARING = MANAGING | {Role.INTEGRATION}
#: Events of records that may belong to no sponsor: common to all, as the API shows them.
COMMON = frozenset(
    {WebhookEvent.PROSPECT_UPDATED, WebhookEvent.EXCLUSION_CREATED, WebhookEvent.EXCLUSION_LIFTED}
)
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Listener:
    """A subscription and what it may be told: `sponsors` are the ids inside its walls, None without walls."""

    subscription: WebhookSubscription
    sponsors: frozenset[int] | None

    def hears(self, event: str, sponsor: int | None) -> bool:
        """Whether it may be told of an event of this sponsor; None: of a record that belongs to nobody."""
        if event == WebhookEvent.TEST:
            return True
        if sponsor is None:
            return self.sponsors is None or event in COMMON
        return self.sponsors is None or sponsor in self.sponsors


def webhooks_of(user: User) -> QuerySet[WebhookSubscription]:
    """Return the subscriptions that the user sees: a program its own, a manager those of the accounts they see.

    A token that keeps to some sponsors sees those that keep to them too."""
    if not user.is_active or user.role not in HEARING:
        return WebhookSubscription.objects.none()
    rows = WebhookSubscription.objects.all()
    if user.role == Role.INTEGRATION:
        rows = rows.filter(owner=user)
    else:
        rows = rows.filter(owner__in=users_of(user))
    if user.token is None or user.token.sponsors is None:
        return rows
    chosen = WebhookSubscription.sponsors.through.objects.filter(webhooksubscription_id=OuterRef("pk"))
    return rows.filter(Exists(chosen), ~Exists(chosen.exclude(sponsor_id__in=user.token.sponsors)))


def deliveries_of(user: User) -> QuerySet[WebhookDelivery]:
    """Return the messages of the subscriptions that the user sees."""
    return WebhookDelivery.objects.filter(subscription__in=webhooks_of(user))


def owners_for(user: User) -> QuerySet[User]:
    """Return the accounts in whose name the user may subscribe: their own, and the programs that a manager sees."""
    own = User.objects.filter(pk=user.pk, is_active=True, role__in=HEARING)
    if user.role not in MANAGING:
        return own
    return own | users_of(user).filter(is_active=True, role=Role.INTEGRATION)


def listeners(rows: QuerySet[WebhookSubscription]) -> list[Listener]:
    """Return those of `rows` whose account may still be told something, each with its walls."""
    hearing = rows.filter(owner__is_active=True, owner__role__in=HEARING)
    return [
        Listener(row, _walls(row))
        for row in hearing.select_related("owner").prefetch_related("owner__sponsors", "sponsors")
    ]


def _walls(row: WebhookSubscription) -> frozenset[int] | None:
    chosen = frozenset(sponsor.pk for sponsor in row.sponsors.all())
    if sees_every_sponsor(row.owner):
        return chosen or None
    seen = frozenset(sponsor.pk for sponsor in row.owner.sponsors.all())
    return seen & chosen if chosen else seen


def due_subscriptions(at: datetime) -> list[int]:
    """Return the ids of the subscriptions that have a message to send at `at`, the longest waiting first."""
    mine = WebhookDelivery.objects.filter(subscription=OuterRef("pk"), state=DeliveryState.WAITING).filter(
        Q(attempting_until__isnull=True) | Q(attempting_until__lt=at), next_at__lte=at
    )
    may = Q(not_before__isnull=True) | Q(not_before__lte=at)
    running = Q(Exists(mine), may, stopped_at__isnull=True)
    # What was stopped may still be tried out.
    tried = Q(Exists(mine.filter(event=WebhookEvent.TEST)))
    hearing = WebhookSubscription.objects.filter(owner__is_active=True, owner__role__in=HEARING)
    rows = hearing.filter(running | tried)
    return list(rows.order_by("last_success_at", "pk").values_list("pk", flat=True))


def oldest_open_transaction() -> int:
    """Return the id of the oldest transaction that may still be writing: all below it is settled."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        [(xid,)] = cursor.fetchall()
    return int(xid)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a subscription does: messages of a day that were not taken, and those that wait."""

    missed: int = 0
    waiting: int = 0


def standings(rows: Iterable[WebhookSubscription], *, at: datetime) -> dict[int, Standing]:
    """Return how each of the subscriptions does, by id."""
    found = {row.pk: Standing() for row in rows}
    open_ones = WebhookDelivery.objects.filter(subscription__in=found).exclude(state=DeliveryState.DELIVERED)
    counted = (
        open_ones.order_by()
        .values("subscription")
        .annotate(
            missed=Count(
                "pk", filter=Q(created_at__gte=at - DAY) & (Q(state=DeliveryState.FAILED) | Q(attempts__gt=0))
            ),
            waiting=Count("pk", filter=Q(state=DeliveryState.WAITING)),
        )
    )
    return found | {row["subscription"]: Standing(row["missed"], row["waiting"]) for row in counted}


def stopped_webhooks(user: User) -> list[WebhookSubscription]:
    """Return the subscriptions that stopped by themselves, for whoever can switch them on again."""
    if user.role not in MANAGING:
        return []
    from_failure = webhooks_of(user).filter(stopped__in=("gone", "silent"))
    return list(from_failure.order_by("-stopped_at"))


def held_webhooks(user: User) -> list[Holding]:
    """Return what stops with an account that is put out of service: its running subscriptions."""
    count = WebhookSubscription.objects.filter(owner=user, stopped_at__isnull=True).count()
    if not count:
        return []
    text = ngettext(
        "abonnement webhook : son destinataire n'est plus prévenu de rien",
        "abonnements webhook : leurs destinataires ne sont plus prévenus de rien",
        count,
    )
    return [Holding(count, text, "care")]


def deliveries_found(
    rows: QuerySet[WebhookDelivery],
    *,
    state: str = "",
    event: str = "",
    since: datetime | None = None,
    ref: int | None = None,
) -> QuerySet[WebhookDelivery]:
    """Return the messages by state (`missed`: not taken, whether given up or not), event, moment and record."""
    if state == "missed":
        rows = rows.exclude(state=DeliveryState.DELIVERED)
    elif state:
        rows = rows.filter(state=state)
    if event:
        rows = rows.filter(event=event)
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    if ref is not None:
        rows = rows.filter(ref=ref)
    return rows
