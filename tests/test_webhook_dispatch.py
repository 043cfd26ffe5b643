"""From what changed to messages: each change once to each subscriber, inside their walls, whatever dies or races."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from calls.api.webhook_records import record_of
from calls.models import Call, Callback, Incident
from calls.services.dispositions import correct_disposition, dispose
from calls.services.webhooks import dispatch, dispatch_some
from campaigns.models import ImportJob
from campaigns.services.exclusions import lift_exclusion
from campaigns.services.imports import run_import, start_import, upload_import
from crm.enums import SUBSCRIBED, DeliveryState, Role
from crm.models import FeedState, Prospect, User, WebhookDelivery, WebhookPlace, WebhookSubscription
from crm.services.record_changes import rebase_changes
from crm.services.webhook_sending import take
from crm.services.webhooks import create_subscription, start_subscription, stop_subscription
from tests.factories import (
    NOW,
    make_campaign,
    make_entry,
    make_exclusion,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
)
from tests.feed import settle
from tests.racing import race, second_session, unexpected
from tests.rawsql import Desk
from tests.talking import Talk

pytestmark = pytest.mark.django_db(transaction=True)
EVENTS = [code for code, _label in SUBSCRIBED]


def subscribe(owner: User | None = None, *, settled: bool = True, **data: Any) -> WebhookSubscription:
    """Subscribe, once no other test's transaction makes what was written before a part of it."""
    if settled:
        settle()
    owner = owner or make_user(Role.ADMIN)
    fields = {"name": "CRM", "url": "https://crm.example.com/", "events": EVENTS, **data}
    row, _secret = create_subscription(data=fields, owner=owner, by=owner, at=NOW)
    return row


def told(subscription: WebhookSubscription) -> list[tuple[str, int]]:
    return list(subscription.deliveries.order_by("pk").values_list("event", "ref"))


def dispatch_settled() -> None:
    """Turn all that was written until now into messages, once no other test's transaction holds it up."""
    settle()
    dispatch(at=NOW, seconds=5)


def touch(prospect: Prospect, city: str = "Lyon") -> None:
    Prospect.objects.filter(pk=prospect.pk).update(city=city)


def make_call(prospect: Prospect, sponsor: Any = None) -> Call:
    """A call of a prospect that ended out of criteria, written as the services write it."""
    entry = make_entry(make_campaign(make_programme(sponsor)), prospect)
    return Call.objects.create(
        campaign=entry.campaign,
        prospect=prospect,
        entry=entry,
        number=entry.number,
        agent=make_user(),
        lease_until=NOW,
        started_at=NOW,
    )


def end(call: Call) -> None:
    for state in ("dialling", "connected", "ended"):
        more = {"ended_at": NOW, "hung_up_by": "prospect"} if state == "ended" else {}
        Call.objects.filter(pk=call.pk).update(state=state, **more)


def test_everything_that_can_be_subscribed_to_is_told_in_ids_and_codes_alone() -> None:
    number, words = "+33199009977", "Tartempion"
    prospect = make_prospect(number, organisation=words, last_name=words, external_id=words)
    call = make_call(prospect)
    subscription = subscribe()
    supervisor = make_user(Role.SUPERVISOR)
    exclusion = make_exclusion(programme=make_programme(), number="+33199009978", note=words)

    touch(prospect, words)
    end(call)
    lift_exclusion(exclusion=exclusion, reason=words, by=supervisor, at=NOW)
    incident = Incident.objects.create(
        kind="other", sponsor=call.campaign.programme.sponsor, call=call, summary=words, at=NOW
    )
    assert call.entry is not None
    callback = Callback.objects.create(
        entry=call.entry,
        campaign=call.campaign,
        prospect=prospect,
        note=words,
        due_at=NOW,
        created_at=NOW,
        created_by=call.agent,
    )
    job = upload_import(
        campaign=call.campaign,
        source=make_source(),
        name=f"{words}.csv",
        content="Organisation;Téléphone\nBanque Une;01 99 00 00 01\n".encode(),
        by=supervisor,
        at=NOW,
    )
    ImportJob.objects.filter(pk=job.pk).update(finished_at=NOW, state="done")
    dispatch_settled()

    assert set(told(subscription)) == {
        ("exclusion.created", exclusion.pk),
        ("prospect.updated", prospect.pk),
        ("call.ended", call.pk),
        ("exclusion.lifted", exclusion.pk),
        ("incident.opened", incident.pk),
        ("callback.scheduled", callback.pk),
        ("import.finished", job.pk),
    }
    bodies = b"\n".join(one.body for one in take(at=NOW, limit=32)).decode()
    assert words not in bodies
    assert "199009" not in bodies
    ended = subscription.deliveries.get(event="call.ended").data
    assert ended == {
        "call": call.pk,
        "campaign": call.campaign_id,
        "programme": call.campaign.programme_id,
        "prospect": prospect.pk,
        "agent": call.agent_id,
        "disposition": None,
        "sponsor": call.campaign.programme.sponsor_id,
    }
    for delivery in subscription.deliveries.all():
        assert all(value is None or len(str(value)) < 30 for value in delivery.data.values()), delivery.data


def test_how_a_call_ended_is_told_once_it_is_known_and_again_when_corrected() -> None:
    subscription = subscribe(events=["call.ended", "disposition.created"])
    talk = Talk().not_reached("busy")
    dispatch_settled()
    assert [event for event, _ref in told(subscription)] == ["call.ended"]

    dispose(**talk.by(), code="busy", note="Tartempion")
    correct_disposition(**talk.by(talk.supervisor), code="no_answer", reason="Tartempion")
    dispatch_settled()

    first, second = talk.call.dispositions.order_by("pk")
    given, corrected = (delivery.data for delivery in subscription.deliveries.order_by("pk")[1:])
    assert given == {
        "id": first.pk,
        "call": talk.call.pk,
        "campaign": talk.campaign.pk,
        "programme": talk.programme.pk,
        "prospect": talk.prospect.pk,
        "agent": talk.agent.pk,
        "disposition": "busy",
        "corrects": None,
        "sponsor": talk.programme.sponsor_id,
    }
    assert corrected == {**given, "id": second.pk, "disposition": "no_answer", "corrects": first.pk}
    record = record_of("disposition.created", first.pk, subscription.owner, talk.at)
    assert record is not None
    assert (record["id"], record["disposition"]) == (talk.call.pk, "no_answer")


def test_a_subscription_begins_now_and_ends_with_its_stop() -> None:
    prospect = make_prospect()
    touch(prospect, "Lille")
    subscription = subscribe(events=["prospect.updated"])
    dispatch_settled()
    assert told(subscription) == []

    touch(prospect, "Lyon")
    dispatch_settled()
    stop_subscription(subscription=subscription, by=None, at=NOW)
    touch(prospect, "Nice")
    dispatch_settled()
    touch(prospect, "Brest")
    settle()
    start_subscription(subscription=subscription, by=subscription.owner, at=NOW)
    touch(prospect, "Metz")
    dispatch_settled()

    assert len(told(subscription)) == 2


def test_what_is_written_while_somebody_subscribes_is_told_once_it_is_committed() -> None:
    prospect = make_prospect()
    settle()
    with second_session() as other:
        other.execute("UPDATE crm_prospect SET city = 'Lyon' WHERE id = %s", [prospect.pk])
        subscription = subscribe(events=["prospect.updated"], settled=False)
        dispatch(at=NOW, seconds=5)
        assert told(subscription) == []
        other.commit()

    dispatch_settled()

    assert told(subscription) == [("prospect.updated", prospect.pk)]


def test_a_worker_that_dies_between_messages_and_place_loses_and_doubles_nothing() -> None:
    prospects = [make_prospect() for _number in range(5)]
    subscription = subscribe(events=["prospect.updated"])
    dispatch_settled()
    for prospect in prospects:
        touch(prospect)
    settle()

    with transaction.atomic():
        assert dispatch_some(at=NOW, limit=2)[0] == 2
        transaction.set_rollback(True)
    assert told(subscription) == []
    dispatch_some(at=NOW, limit=2)
    dispatch_settled()

    assert [ref for _event, ref in told(subscription)] == [prospect.pk for prospect in prospects]


def test_a_place_that_somebody_sets_back_tells_nobody_twice() -> None:
    prospect, subscription = make_prospect(), subscribe(events=["prospect.updated"])
    touch(prospect)
    dispatch_settled()

    WebhookPlace.objects.update(xid=0, kind="", ref=0)
    dispatch_settled()

    assert len(told(subscription)) == 1


def test_two_dispatchers_and_a_writer_at_once_tell_each_change_once() -> None:
    prospects = [make_prospect() for _number in range(30)]
    subscription = subscribe(events=["prospect.updated"])

    def write() -> None:
        for prospect in prospects:
            touch(prospect)

    def read() -> None:
        for _turn in range(20):
            dispatch_some(at=NOW, limit=3)

    results = race(write, read, read)
    dispatch_settled()

    assert unexpected(results) == []
    assert sorted(ref for _event, ref in told(subscription)) == [prospect.pk for prospect in prospects]


def test_two_workers_at_once_never_hold_the_same_message() -> None:
    prospects = [make_prospect() for _number in range(12)]
    subscription = subscribe(events=["prospect.updated"])
    for prospect in prospects:
        touch(prospect)
    dispatch_settled()

    def hold() -> list[int]:
        return [one.delivery for _turn in range(6) for one in take(at=NOW, limit=2)]

    first, second = race(hold, hold)

    assert unexpected([first, second]) == []
    assert len(first + second) == len(set(first + second)) == 8
    assert subscription.deliveries.filter(state=DeliveryState.WAITING, attempts=0).count() == 4


def test_nobody_is_told_of_what_is_behind_a_wall_and_everybody_of_what_is_common() -> None:
    mine, theirs = make_sponsor(), make_sponsor()
    program = make_user(Role.INTEGRATION, sponsors=[mine])
    narrow = subscribe(program)
    chosen = subscribe(sponsors=[theirs])
    wide = subscribe()
    nobody = subscribe(make_user(Role.INTEGRATION))
    records = {
        name: make_prospect(source=make_source(sponsor))
        for name, sponsor in (("mine", mine), ("theirs", theirs), ("common", None))
    }
    for prospect in records.values():
        touch(prospect)
    call = make_call(records["common"], theirs)
    end(call)
    everywhere = make_exclusion(number="+33199009979")
    dispatch_settled()

    def seen(subscription: WebhookSubscription) -> set[tuple[str, int]]:
        return {row for row in told(subscription) if row[0] != "callback.scheduled"}

    updated = {name: ("prospect.updated", prospect.pk) for name, prospect in records.items()}
    common = {updated["common"], ("exclusion.created", everywhere.pk)}
    assert seen(narrow) == {updated["mine"], *common}
    assert seen(chosen) == {updated["theirs"], ("call.ended", call.pk), *common}
    assert seen(wide) == {*updated.values(), ("call.ended", call.pk), *common}
    assert seen(nobody) == common


def test_a_mismatch_is_told_with_its_bars() -> None:
    desk = Desk()
    subscription = subscribe(events=["prospect.out_of_criteria", "exclusion.created"])
    call = desk.mismatch()
    dispatch_settled()

    found = told(subscription)
    assert ("prospect.out_of_criteria", call) in found
    assert sum(event == "exclusion.created" for event, _ref in found) >= 2
    thin = subscription.deliveries.get(event="prospect.out_of_criteria").data
    assert thin["disposition"] == "out_of_criteria"


def test_an_import_ends_with_a_message() -> None:
    campaign = make_campaign()
    subscription = subscribe(events=["import.finished"])
    by = make_user(Role.MANAGER)
    job = upload_import(
        campaign=campaign,
        source=make_source(),
        name="liste.csv",
        content="Organisation;Téléphone\nBanque Une;01 99 00 00 01\n".encode(),
        by=by,
        at=NOW,
    )
    start_import(job=job, by=by, at=NOW)
    run_import(job_id=job.pk, at=NOW)
    dispatch_settled()

    assert told(subscription) == [("import.finished", job.pk)]
    assert subscription.deliveries.get().data["state"] == "done"


def test_after_a_restore_the_feed_is_waited_for_and_then_read_from_its_new_beginning() -> None:
    prospect, subscription = make_prospect(), subscribe(events=["prospect.updated"])
    touch(prospect)
    dispatch_settled()
    # The numbers of the cluster that was.
    WebhookSubscription.objects.update(from_xid=2**62)
    WebhookPlace.objects.update(xid=2**62)
    FeedState.objects.update(cluster="elsewhere")

    assert dispatch(at=NOW, seconds=5) == 0
    state = rebase_changes(nothing_lost=False)
    touch(prospect, "Nice")
    dispatch_settled()

    assert len(told(subscription)) == 2
    FeedState.objects.update(epoch=state.epoch - 1)


def test_without_subscribers_the_place_goes_to_the_end_in_few_statements(
    django_assert_max_num_queries: Any,
) -> None:
    dispatch_settled()
    for _number in range(20):
        make_prospect()
    settle()

    with django_assert_max_num_queries(10):
        dispatch(at=NOW + timedelta(seconds=2), seconds=5)

    assert WebhookDelivery.objects.count() == 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(c.xid::text::bigint) <= (SELECT xid FROM crm_webhookplace) FROM crm_recordchange c"
        )
        assert cursor.fetchone() == (True,)
