"""Webhooks by page and by API: subscribe, read what became of a message, send it again; inside one's walls."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.enums import Role
from crm.models import Sponsor, User, WebhookDelivery, WebhookSubscription
from crm.services.tokens import create_token
from crm.services.webhook_client import Outcome
from crm.services.webhook_sending import note, take
from crm.services.webhooks import create_subscription, valid_secrets
from tests.api_client import Api, problem_of
from tests.factories import NOW, make_sponsor, make_user
from tests.paging import text_of

pytestmark = pytest.mark.django_db
FIELDS: dict[str, Any] = {
    "name": "CRM",
    "url": "https://crm.example.com/hooks",
    "events": ["call.ended", "prospect.updated"],
}


@pytest.fixture
def manager() -> User:
    return make_user(Role.MANAGER)


@pytest.fixture
def client(manager: User) -> Client:
    browser = Client()
    browser.force_login(manager)
    return browser


def subscribed(owner: User) -> WebhookSubscription:
    return create_subscription(data=FIELDS, owner=owner, by=owner, at=NOW)[0]


def message(subscription: WebhookSubscription, **fields: Any) -> WebhookDelivery:
    return WebhookDelivery.objects.create(
        **{
            "subscription": subscription,
            "message": uuid4(),
            "event": "call.ended",
            "ref": 31,
            "data": {"call": 31},
            "at": NOW,
            "created_at": NOW,
            "next_at": NOW,
            **fields,
        }
    )


def refused(delivery: WebhookDelivery) -> None:
    """Have its receiver answer 500."""
    [taken] = take(at=NOW, limit=1)
    note(taken, Outcome(500, "status", "Oops", "database is down", "", 31), at=NOW)


# ---- pages


def test_a_manager_subscribes_a_program_and_sees_the_secret_once(client: Client) -> None:
    sponsor = make_sponsor()
    program = make_user(Role.INTEGRATION, sponsors=[sponsor])
    sent = {**FIELDS, "payload": "thin", "owner": program.pk}

    answer = client.post(reverse("webhook-new"), sent)

    row = WebhookSubscription.objects.get()
    [secret] = valid_secrets(row, at=NOW)
    assert secret in answer.content.decode()
    assert answer["Cache-Control"].count("no-store")
    assert (row.owner, row.payload) == (program, "thin")
    page = client.get(reverse("webhook", args=[row.pk])).content.decode()
    assert "whsec_" not in page


def test_what_their_server_answered_is_read_and_the_message_is_sent_again(
    client: Client, manager: User
) -> None:
    subscription = subscribed(manager)
    delivery = message(subscription)
    refused(delivery)

    log = text_of(client.get(reverse("webhook", args=[subscription.pk]) + "?state=missed"))
    page = text_of(client.get(reverse("webhook-delivery", args=[delivery.pk])))
    answer = client.post(reverse("webhook-delivery-replay", args=[delivery.pk]))

    assert "À réessayer" in log
    for words in ("500", "Le serveur a refusé", "31 ms", "database is down", delivery.message_id):
        assert words in page
    assert answer.status_code == 302
    assert len(take(at=timezone.now(), limit=1)) == 1


def test_the_log_is_narrowed_by_state_event_moment_and_record(client: Client, manager: User) -> None:
    subscription = subscribed(manager)
    wanted = message(subscription, state="failed", next_at=None)
    message(subscription, state="delivered", next_at=None)
    message(subscription, state="failed", next_at=None, event="prospect.updated")
    message(subscription, state="failed", next_at=None, created_at=NOW - timedelta(days=1))
    message(subscription, state="failed", next_at=None, ref=7)
    address = reverse("webhook", args=[subscription.pk])

    query = "?state=failed&event=call.ended&since=2026-11-25T10:30&ref=31"
    page = client.get(address + query).content.decode()

    assert re.findall(r"/webhooks/deliveries/(\d+)/", page) == [str(wanted.pk)]
    assert client.get(address + "?state=x&since=yesterday&ref=abc").status_code == 200


def test_what_was_missed_is_sent_again_from_the_page(client: Client, manager: User) -> None:
    subscription = subscribed(manager)
    delivery = message(subscription, state="failed", next_at=None)

    sent = {"since": "2026-11-25T10:00"}
    answer = client.post(reverse("webhook-replay", args=[subscription.pk]), sent, follow=True)

    assert "1 message est renvoyé." in text_of(answer)
    delivery.refresh_from_db()
    assert delivery.state == "waiting"


def test_a_subscription_is_stopped_started_and_deleted(client: Client, manager: User) -> None:
    subscription = subscribed(manager)
    address = reverse("webhook-state", args=[subscription.pk])

    client.post(address, {"do": "stop"})
    page = text_of(client.get(reverse("webhook", args=[subscription.pk])))
    client.post(address, {"do": "start"})
    subscription.refresh_from_db()
    running = subscription.stopped_at is None
    client.post(reverse("webhook-deletion", args=[subscription.pk]))

    assert "Arrêté à la main" in page
    assert running
    assert not WebhookSubscription.objects.exists()


def test_a_receiver_that_is_gone_is_told_to_the_manager_on_their_first_page(
    client: Client, manager: User
) -> None:
    delivery = message(subscribed(manager))
    [taken] = take(at=NOW, limit=1)
    note(taken, Outcome(410, "status"), at=NOW)

    page = text_of(client.get(reverse("home")))

    assert "CRM ne reçoit plus rien" in page
    assert delivery.subscription.name == "CRM"


def test_managers_see_the_subscriptions_of_accounts_inside_their_walls(client: Client) -> None:
    mine, theirs = make_sponsor(), make_sponsor()
    narrow = make_user(Role.MANAGER, sponsors=[mine])
    seen = subscribed(make_user(Role.INTEGRATION, sponsors=[mine]))
    hidden = message(subscribed(make_user(Role.INTEGRATION, sponsors=[mine, theirs])))
    client.force_login(narrow)

    page = client.get(reverse("webhook-list")).content.decode()

    assert set(re.findall(r"/webhooks/(\d+)/", page)) == {str(seen.pk)}
    for name, pk in (("webhook", hidden.subscription_id), ("webhook-delivery", hidden.pk)):
        assert client.get(reverse(name, args=[pk])).status_code == 404


# ---- API


def test_a_program_subscribes_itself_and_is_told_its_secret_once(manager: User) -> None:
    program = Api(make_user(Role.INTEGRATION, sponsors=[make_sponsor()]))

    made = program.post("webhooks/", FIELDS)
    body = made.json()
    read = program.get(f"webhooks/{body['id']}/")

    assert made.status_code == 201
    assert body["secret"].startswith("whsec_")
    assert "secret" not in read.json()
    assert read.json() == {name: value for name, value in body.items() if name != "secret"}
    assert made.headers["ETag"] == read.headers["ETag"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://crm.example.com/"}, "url"),
        ({"url": "https://169.254.169.254/latest/"}, "url"),
        ({"events": ["webhook.test"]}, "events.0"),
        ({"payload": "everything"}, "payload"),
        ({"sponsors": [999_999]}, "sponsors"),
        ({"owner": 999_999}, "owner"),
        ({"secret": "whsec_mine"}, "secret"),
    ],
)
def test_what_cannot_be_subscribed_is_refused_at_its_field(
    manager: User, change: dict[str, Any], field: str
) -> None:
    problem = problem_of(Api(manager).post("webhooks/", {**FIELDS, **change}), "validation", 400)

    assert field in problem["errors"]


def test_a_subscription_is_changed_stopped_and_started_by_patch(manager: User) -> None:
    api, subscription = Api(manager), subscribed(manager)
    address = f"webhooks/{subscription.pk}/"
    etag = api.get(address).headers["ETag"]

    changed = api.patch(address, {"active": False, "events": ["import.finished"]}, If_Match=etag)
    stale = api.patch(address, {"name": "x"}, If_Match=etag)
    started = api.patch(address, {"active": True})

    assert (changed.json()["active"], changed.json()["stopped"]) == (False, "by_hand")
    assert changed.json()["events"] == ["import.finished"]
    problem_of(stale, "stale", 412)
    assert started.json()["active"] is True


def test_a_message_is_followed_and_replayed_through_the_api(manager: User) -> None:
    api, subscription = Api(manager), subscribed(manager)
    delivery = message(subscription)
    refused(delivery)

    test = api.post(f"webhooks/{subscription.pk}/test/")
    listed = api.get(f"webhooks/{subscription.pk}/deliveries/?state=waiting&event=call.ended").json()
    again = api.post(f"webhooks/deliveries/{delivery.pk}/replay/")
    all_again = api.post(f"webhooks/{subscription.pk}/replay/", {"since": "2026-11-25T00:00:00Z"})
    rotated = api.post(f"webhooks/{subscription.pk}/rotate/")

    assert test.status_code == 202
    assert api.get(test.headers["Location"]).json()["event"] == "webhook.test"
    [seen] = listed["results"]
    assert seen["attempts"][0] == {
        "at": "2026-11-25T10:00:00Z",
        "status": 500,
        "error": "status",
        "detail": "Oops",
        "answer": "database is down",
        "ms": 31,
    }
    assert again.json()["message"] == seen["message"] == delivery.message_id
    assert all_again.json() == {"replayed": 0}
    assert rotated.json()["secret"].startswith("whsec_")


def narrowed(user: User, scopes: list[str], sponsors: list[Sponsor] | None = None) -> Api:
    """A client whose token is narrower than its user."""
    api = Api(None)
    text = create_token(user=user, name="narrow", at=NOW, scopes=scopes, sponsors=sponsors or [])
    api.headers["Authorization"] = f"Bearer {text}"
    return api


def test_a_token_has_nobody_told_of_what_it_may_not_read(manager: User) -> None:
    api = narrowed(manager, ["webhooks:write", "calls:read"])
    wide = subscribed(manager)

    made = api.post("webhooks/", {**FIELDS, "events": ["call.ended"]})
    refusals = [
        api.post("webhooks/", FIELDS),
        api.patch(f"webhooks/{made.json()['id']}/", {"events": ["exclusion.created"]}),
        api.patch(f"webhooks/{wide.pk}/", {"url": "https://elsewhere.example.com/"}),
    ]

    assert made.status_code == 201
    for refusal in refusals:
        problem_of(refusal, "forbidden", 403)


def test_what_a_token_of_one_sponsor_makes_keeps_to_that_sponsor(manager: User) -> None:
    mine, theirs = make_sponsor(), make_sponsor()
    program = make_user(Role.INTEGRATION, sponsors=[mine, theirs])
    wide = subscribed(program)
    api = narrowed(program, ["*"], [mine])

    made = api.post("webhooks/", FIELDS).json()
    widened = api.patch(f"webhooks/{made['id']}/", {"sponsors": []}).json()

    assert made["sponsors"] == widened["sponsors"] == [mine.pk]
    assert (
        "sponsors"
        in problem_of(api.patch(f"webhooks/{made['id']}/", {"sponsors": [theirs.pk]}), "validation", 400)[
            "errors"
        ]
    )
    assert [row["id"] for row in api.get("webhooks/").json()["results"]] == [made["id"]]
    problem_of(api.get(f"webhooks/{wide.pk}/"), "not-found", 404)
