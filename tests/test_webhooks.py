"""Messages to subscribers: sent signed, again when they were not taken, and never to whom they must not go."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings
from standardwebhooks import Webhook

from calls.models import Call, Incident
from calls.services.erasure import erase_prospect
from crm.enums import DeliveryState, Role, WebhookEvent
from crm.models import User, WebhookDelivery, WebhookSubscription
from crm.rules.errors import Invalid, InvalidTransition
from crm.services.webhook_client import Outcome
from crm.services.webhook_sending import LEASE, attempt, note, send_due, take
from crm.services.webhooks import (
    MAX_SECRETS,
    create_subscription,
    edit_subscription,
    forget_deliveries,
    replay,
    replay_failed,
    rotate_secret,
    send_test,
    start_subscription,
    stop_subscription,
    valid_secrets,
)
from tests.factories import (
    NOW,
    make_campaign,
    make_entry,
    make_exclusion,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
)
from tests.receiving import Receiver, receiver

pytestmark = pytest.mark.django_db
TAKEN = Outcome(status=204, milliseconds=12)
REFUSED = Outcome(status=500, error="status", detail="Oops", answer="no", milliseconds=12)


@pytest.fixture(autouse=True)
def _local(settings: Settings) -> None:
    """Let messages go to this machine, as in development."""
    settings.WEBHOOK_ALLOW_LOCAL = True


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as mine:
        yield mine


def subscribe(
    url: str = "https://crm.example.com/hooks", owner: User | None = None, **data: Any
) -> tuple[WebhookSubscription, str]:
    owner = owner or make_user(Role.MANAGER)
    fields = {"name": "CRM", "url": url, "events": ["call.ended"], **data}
    return create_subscription(data=fields, owner=owner, by=owner, at=NOW)


def message(subscription: WebhookSubscription, **fields: Any) -> WebhookDelivery:
    """A message that waits to be sent now."""
    return WebhookDelivery.objects.create(
        **{
            "subscription": subscription,
            "message": uuid4(),
            "event": WebhookEvent.CALL_ENDED,
            "ref": 31,
            "data": {"call": 31},
            "at": NOW,
            "created_at": NOW,
            "next_at": NOW,
            **fields,
        }
    )


def again(delivery: WebhookDelivery) -> WebhookDelivery:
    delivery.refresh_from_db()
    return delivery


def tried(delivery: WebhookDelivery, outcome: Outcome, at: datetime = NOW) -> WebhookDelivery:
    """Make the one attempt that is due, with a given outcome."""
    [taken] = take(at=at, limit=10)
    note(taken, outcome, at=at)
    return again(delivery)


# ---- sent


def test_a_message_arrives_signed_and_is_verified_by_the_reference_library(there: Receiver) -> None:
    subscription, secret = subscribe(there.url)
    delivery = message(subscription, next_at=timezone.now())

    count = send_due(seconds=5)

    assert count == 1
    [got] = there.got
    told = Webhook(secret).verify(got.body, got.headers)
    assert told == {"type": "call.ended", "timestamp": "2026-11-25T10:00:00Z", "data": {"call": 31}}
    assert got.headers["webhook-id"] == delivery.message_id
    assert got.headers["content-type"] == "application/json"
    assert again(delivery).state == DeliveryState.DELIVERED
    assert delivery.log[0]["status"] == 204
    subscription.refresh_from_db()
    assert subscription.last_success_at is not None


def test_during_a_rotation_both_secrets_sign_and_after_a_day_the_new_one_alone(there: Receiver) -> None:
    subscription, old = subscribe(there.url)
    at = timezone.now()
    new = rotate_secret(subscription=subscription, by=subscription.owner, at=at)
    message(subscription, next_at=at)

    send_due(seconds=5)
    [got] = there.got

    for secret in (old, new):
        Webhook(secret).verify(got.body, got.headers)
    assert valid_secrets(subscription, at=at + timedelta(hours=23)) == [new, old]
    assert valid_secrets(subscription, at=at + timedelta(hours=25)) == [new]


def test_a_hasty_second_rotation_keeps_the_secret_that_the_receiver_has() -> None:
    subscription, first = subscribe()

    for _click in range(MAX_SECRETS - 1):
        rotate_secret(subscription=subscription, by=subscription.owner, at=NOW)

    assert valid_secrets(subscription, at=NOW)[-1] == first
    with pytest.raises(InvalidTransition):
        rotate_secret(subscription=subscription, by=subscription.owner, at=NOW)


def test_a_test_goes_out_at_once_even_to_a_subscription_that_is_stopped(there: Receiver) -> None:
    subscription, secret = subscribe(there.url)
    stop_subscription(subscription=subscription, by=None, at=NOW)
    held = message(subscription)

    test = send_test(subscription=subscription, by=subscription.owner, at=timezone.now())
    send_due(seconds=5)

    [got] = there.got
    assert Webhook(secret).verify(got.body, got.headers)["type"] == "webhook.test"
    assert again(test).state == DeliveryState.DELIVERED
    assert again(held).state == DeliveryState.WAITING


def test_a_receiver_that_does_not_answer_holds_up_nobody_else(there: Receiver) -> None:
    at, seen = timezone.now(), []
    quick, _secret = subscribe(there.url)
    for _number in range(20):
        message(quick, next_at=at)

    with receiver() as slow:

        def wait_for_the_others(_handler: Any) -> None:
            for _look in range(200):
                if len(there.got) == 20 or slow.over.wait(0.05):
                    break
            seen.append(len(there.got))

        slow.act = wait_for_the_others
        for _number in range(3):
            message(subscribe(slow.url)[0], next_at=at - timedelta(hours=1))
        send_due(seconds=20)

    assert seen == [20, 20, 20]


def test_what_is_wrong_with_one_subscription_holds_up_no_other(there: Receiver) -> None:
    at = timezone.now()
    broken, _secret = subscribe(there.url)
    WebhookSubscription.objects.filter(pk=broken.pk).update(secrets=[{"secret": "none", "until": None}])
    stuck, fine = message(broken, next_at=at), message(subscribe(there.url)[0], next_at=at)

    send_due(seconds=5)

    assert [got.headers["webhook-id"] for got in there.got] == [fine.message_id]
    assert (again(stuck).state, stuck.attempts) == (DeliveryState.WAITING, 0)


def test_the_words_of_a_receiver_are_kept_where_something_failed(there: Receiver) -> None:
    subscription, _secret = subscribe(there.url)
    kept = tried(message(subscription), REFUSED)
    taken = tried(message(subscription), Outcome(status=200, answer="hello M. Dupont"))

    assert kept.log[0]["answer"] == "no"
    assert taken.log[0]["answer"] == ""


# ---- again


def test_what_is_not_taken_is_tried_again_as_the_schedule_says_and_then_given_up() -> None:
    subscription, _secret = subscribe()
    delivery, at = message(subscription), NOW
    waits = []

    for _attempt in range(9):
        tried(delivery, REFUSED, at)
        assert delivery.next_at is not None
        waits.append(delivery.next_at - at)
        at = delivery.next_at
    tried(delivery, REFUSED, at)

    assert timedelta(seconds=5) <= waits[0] <= timedelta(seconds=6)
    assert timedelta(hours=24) <= waits[8] <= timedelta(hours=29)
    assert (delivery.state, delivery.next_at, len(delivery.log)) == (DeliveryState.FAILED, None, 10)
    assert delivery.log[0] == {
        "at": "2026-11-25T10:00:00Z",
        "status": 500,
        "error": "status",
        "detail": "Oops",
        "answer": "no",
        "ms": 12,
    }


def test_a_receiver_that_asks_us_to_wait_gets_nothing_at_all_meanwhile() -> None:
    subscription, _secret = subscribe()
    first = message(subscription)
    tried(first, Outcome(status=429, error="status", retry_after="600"))
    message(subscription, next_at=NOW + timedelta(seconds=1))

    assert first.next_at == NOW + timedelta(seconds=600)
    assert take(at=NOW + timedelta(seconds=599), limit=10) == []
    assert take(at=NOW + timedelta(seconds=601), limit=10) != []


def test_410_stops_the_subscription_and_what_waits_is_held_until_it_is_switched_on() -> None:
    subscription, _secret = subscribe()
    first = message(subscription)
    second = message(subscription, next_at=NOW + timedelta(minutes=1))

    tried(first, Outcome(status=410, error="status"))

    subscription.refresh_from_db()
    assert subscription.stopped == "gone"
    later = NOW + timedelta(hours=1)
    assert take(at=later, limit=10) == []
    start_subscription(subscription=subscription, by=subscription.owner, at=later)
    taken = {one.delivery for one in take(at=later, limit=10)}
    assert taken == {first.pk, second.pk}


def test_after_five_days_without_a_success_the_subscription_is_stopped() -> None:
    subscription, _secret = subscribe()
    early = message(subscription, attempts=9)
    late = message(subscription, attempts=9, next_at=NOW + timedelta(days=5))

    tried(early, REFUSED, NOW + timedelta(days=3))
    subscription.refresh_from_db()
    assert subscription.stopped == ""
    tried(late, REFUSED, NOW + timedelta(days=5))

    subscription.refresh_from_db()
    assert subscription.stopped == "silent"


def test_a_receiver_that_fails_is_asked_one_at_a_time_until_it_answers() -> None:
    subscription, _secret = subscribe()
    deliveries = [message(subscription) for _number in range(12)]
    taken = take(at=NOW, limit=32)
    assert len(taken) == 8

    for one in taken:
        note(one, REFUSED, at=NOW)
    [alone] = take(at=NOW, limit=32)
    note(alone, TAKEN, at=NOW)

    assert len(take(at=NOW, limit=32)) == 3
    assert sum(again(one).state == DeliveryState.DELIVERED for one in deliveries) == 1


# ---- once at a time


def test_what_a_worker_holds_is_nobody_elses_until_its_lease_is_over() -> None:
    subscription, _secret = subscribe()
    delivery = message(subscription)
    [held] = take(at=NOW, limit=10)

    assert take(at=NOW + LEASE / 2, limit=10) == []
    # The worker was killed: another one takes it, under the same id.
    after = NOW + LEASE + timedelta(seconds=1)
    [second] = take(at=after, limit=10)
    assert second.headers["webhook-id"] == held.headers["webhook-id"]
    # The first was only asleep, and comes too late to say anything.
    note(held, REFUSED, at=after)
    assert again(delivery).log == []
    note(second, TAKEN, at=after)
    assert again(delivery).state == DeliveryState.DELIVERED


def test_a_worker_that_slept_over_its_time_does_not_begin(there: Receiver) -> None:
    subscription, _secret = subscribe(there.url)
    message(subscription)
    [held] = take(at=NOW, limit=10)
    object.__setattr__(held, "begin_by", 0.0)

    assert attempt(held).error == "lost"
    assert there.got == []


def test_a_message_that_kills_its_workers_is_given_up_in_the_end() -> None:
    subscription, _secret = subscribe()
    delivery, at = message(subscription), NOW

    for _life in range(11):
        take(at=at, limit=10)
        at += LEASE + timedelta(seconds=1)

    assert (again(delivery).state, delivery.error) == (DeliveryState.FAILED, "lost")


# ---- by hand


def test_a_message_is_sent_again_under_its_own_id_however_it_ended() -> None:
    subscription, _secret = subscribe()
    delivery = message(subscription)
    tried(delivery, TAKEN)

    later = NOW + timedelta(days=1)
    for _click in range(2):
        replay(delivery=delivery, by=subscription.owner, at=later)
    [taken] = take(at=later, limit=10)
    replay(delivery=delivery, by=subscription.owner, at=later)

    assert taken.headers["webhook-id"] == delivery.message_id
    assert take(at=later, limit=10) == []
    note(taken, TAKEN, at=later)
    assert [line["status"] for line in again(delivery).log] == [204, 204]


def test_what_was_missed_since_a_moment_is_sent_again() -> None:
    subscription, _secret = subscribe()
    hour = timedelta(hours=1)
    before = message(subscription, state="failed", next_at=None, created_at=NOW - hour)
    failed = message(subscription, state="failed", next_at=None)
    retried = message(subscription, attempts=3, next_at=NOW + hour)
    message(subscription, state="delivered", next_at=None)

    count = replay_failed(subscription=subscription, since=NOW, by=subscription.owner, at=NOW)

    assert count == 2
    assert {one.delivery for one in take(at=NOW, limit=10)} == {failed.pk, retried.pk}
    assert again(before).state == DeliveryState.FAILED


def test_messages_are_forgotten_after_thirty_days() -> None:
    subscription, _secret = subscribe()
    message(subscription, created_at=NOW - timedelta(days=31))
    kept = message(subscription, created_at=NOW - timedelta(days=29))

    assert forget_deliveries(at=NOW) == 1
    assert list(subscription.deliveries.all()) == [kept]


# ---- to whom


def test_an_account_that_lost_its_sponsor_is_told_no_more_of_it() -> None:
    sponsor, other = make_sponsor(), make_sponsor()
    owner = make_user(Role.INTEGRATION, sponsors=[sponsor, other])
    subscription, _secret = subscribe(owner=owner)
    theirs = message(subscription, sponsor=sponsor)
    owner.sponsors.set([other])

    assert take(at=NOW, limit=10) == []
    assert (again(theirs).state, theirs.error) == (DeliveryState.FAILED, "hidden")


def test_an_account_out_of_service_is_told_nothing_until_it_comes_back() -> None:
    owner = make_user(Role.MANAGER)
    subscription, _secret = subscribe(owner=owner)
    message(subscription)
    User.objects.filter(pk=owner.pk).update(is_active=False)

    assert take(at=NOW, limit=10) == []
    User.objects.filter(pk=owner.pk).update(is_active=True)
    assert len(take(at=NOW, limit=10)) == 1


def full_record(event: str, ref: int, owner: User, **fields: Any) -> dict[str, Any] | None:
    subscription, _secret = subscribe(owner=owner, payload="full", events=[event])
    message(subscription, event=event, ref=ref, **fields)
    [taken] = take(at=NOW, limit=10)
    note(taken, TAKEN, at=NOW)
    record: dict[str, Any] | None = json.loads(taken.body)["data"].get("record")
    return record


def test_a_full_message_carries_the_record_as_the_api_shows_it() -> None:
    owner = make_user(Role.MANAGER)
    prospect = make_prospect("+33199009942", last_name="Dupont")

    record = full_record("prospect.updated", prospect.pk, owner)

    assert record is not None
    assert record["last_name"] == "Dupont"
    assert record["phones"][0]["number"] == "+33199009942"
    assert "Dupont" not in json.dumps(list(WebhookDelivery.objects.values_list("data", "log")))


@pytest.mark.parametrize("why", ["confidential", "erased"])
def test_a_confidential_or_erased_person_is_never_sent_in_full(why: str) -> None:
    owner = make_user(Role.MANAGER)
    prospect = make_prospect("+33199009943", last_name="Dupont", confidential=why == "confidential")
    entry = make_entry(make_campaign(), prospect)
    call = Call.objects.create(
        campaign=entry.campaign,
        prospect=prospect,
        number="+33199000099",
        agent=make_user(),
        lease_until=NOW,
        started_at=NOW,
    )
    exclusion = make_exclusion(prospect=prospect)
    if why == "erased":
        erase_prospect(prospect=prospect, by=owner, at=NOW)

    assert full_record("prospect.updated", prospect.pk, owner) is None
    assert full_record("exclusion.created", exclusion.pk, owner) is None
    assert full_record("call.ended", call.pk, owner) is None


def test_the_bare_number_of_a_confidential_person_is_not_sent_either() -> None:
    owner = make_user(Role.MANAGER)
    make_prospect("+33199009944", confidential=True)
    exclusion = make_exclusion(number="+33199009944")

    assert full_record("exclusion.created", exclusion.pk, owner) is None


def test_a_full_message_shows_nothing_behind_a_wall() -> None:
    mine, theirs = make_sponsor(), make_sponsor()
    owner = make_user(Role.INTEGRATION, sponsors=[mine])
    prospect = make_prospect(source=make_source(theirs))

    assert full_record("prospect.updated", prospect.pk, owner, sponsor=mine) is None


def test_an_incident_is_whole_for_a_supervisor_and_thin_for_a_program() -> None:
    sponsor = make_sponsor()
    incident = Incident.objects.create(kind="other", sponsor=sponsor, summary="menaces", at=NOW)
    program = make_user(Role.INTEGRATION, sponsors=[sponsor])

    whole = full_record("incident.opened", incident.pk, make_user(Role.MANAGER))
    thin = full_record("incident.opened", incident.pk, program, sponsor=sponsor)

    assert whole is not None
    assert whole["summary"] == "menaces"
    assert thin is None


# ---- subscribed


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "http://crm.example.com/"),
        ("url", "https://10.0.0.1/"),
        ("events", []),
        ("events", ["call.ended", "webhook.test"]),
        ("payload", "everything"),
        ("name", "  "),
    ],
)
def test_a_subscription_that_cannot_work_is_refused_at_its_field(field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        subscribe(**{field: value})

    assert list(refusal.value.fields) == [field]


def test_nobody_subscribes_an_account_that_they_do_not_see() -> None:
    manager = make_user(Role.MANAGER, sponsors=[make_sponsor()])
    wide = make_user(Role.INTEGRATION, sponsors=[make_sponsor()])
    data = {"name": "CRM", "url": "https://crm.example.com/", "events": ["call.ended"]}

    with pytest.raises(Invalid):
        create_subscription(data=data, owner=wide, by=manager, at=NOW)
    with pytest.raises(Invalid):
        subscribe(owner=make_user(Role.INTEGRATION), sponsors=[make_sponsor()])


def test_a_change_of_address_takes_what_waits_with_it() -> None:
    subscription, _secret = subscribe()
    message(subscription)

    data = {"url": "https://other.example.com/"}
    edit_subscription(subscription=subscription, data=data, by=subscription.owner, at=NOW)

    assert [one.url for one in take(at=NOW, limit=10)] == ["https://other.example.com/"]


def test_the_database_refuses_a_subscription_to_what_does_not_exist() -> None:
    subscription, _secret = subscribe()

    for events in ([], ["call.began"], ["webhook.test"]):
        with pytest.raises(IntegrityError), transaction.atomic():
            WebhookSubscription.objects.filter(pk=subscription.pk).update(events=events)
