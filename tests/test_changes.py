"""The change feed: every committed change is read, once, however writers interleave."""

import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from calls.services.dial import dial
from calls.services.erasure import erase_prospect
from calls.services.line import record_answer
from calls.services.talk import answer_criterion, greet
from campaigns.services.exclusions import lift_exclusion
from crm.models import FeedState, Prospect, RecordChange, Source
from crm.selectors.record_changes import ChangePlace, changes_after, end_of_changes
from crm.services.prospects import PhoneInput, create_prospect, edit_prospect
from crm.services.record_changes import forget_changes, rebase_changes
from tests.api_client import Api, problem_of
from tests.factories import (
    NOW,
    make_exclusion,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
)
from tests.feed import Follower, settle
from tests.talking import Talk

KINDS = ("prospect", "call", "disposition", "exclusion")


def make_at_once(**fields: Any) -> Prospect:
    """Make a prospect with its number in one transaction."""
    with transaction.atomic():
        return make_prospect(**fields)


def told(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(item["kind"], item["op"]) for item in items]


@pytest.mark.django_db(transaction=True)
def test_every_kind_of_change_is_read_with_the_record_as_it_is() -> None:
    manager = make_user("manager")
    follower = Follower(Api(manager))

    prospect = make_at_once()
    edit_prospect(prospect=prospect, data={"city": "Lyon"}, phones=None, by=manager, at=NOW)
    exclusion = make_exclusion(prospect=prospect)
    first = follower.read()
    lift_exclusion(exclusion=exclusion, reason="erreur", by=manager, at=NOW)
    lifted = follower.read()
    erase_prospect(prospect=Prospect.objects.get(pk=prospect.pk), by=manager, at=NOW)
    erased = follower.read()

    assert {item["kind"] for item in first} >= {"prospect", "exclusion"}
    latest = [item for item in first if item["kind"] == "prospect"][-1]
    assert latest["record"]["city"] == "Lyon"
    assert latest["version"] == latest["record"]["version"] == 2
    assert [(item["version"], item["record"]["lift_reason"]) for item in lifted] == [(2, "erreur")]
    gone = next(item for item in erased if item["kind"] == "prospect")
    assert (gone["op"], gone["record"]["organisation"], gone["record"]["phones"]) == ("erased", "", [])
    assert follower.read() == []


@pytest.mark.django_db(transaction=True)
def test_a_call_is_told_with_each_gesture_and_its_version_only_grows() -> None:
    supervisor = make_user("supervisor")
    talk = Talk()
    follower = Follower(Api(supervisor), kinds="call,disposition")
    versions = [talk.call.version]

    gestures: list[Callable[[], Any]] = [
        lambda: dial(**talk.by()),
        lambda: record_answer(**talk.by()),
        lambda: greet(answered_by="intended", **talk.by()),
        lambda: answer_criterion(criterion=talk.criterion, result="unknown", heard="", **talk.by()),
        lambda: answer_criterion(
            criterion=talk.criterion, result="mismatch", heard="un fleuriste", **talk.by()
        ),
        *(partial(talk.said, step) for step in ("apologise", "thank", "goodbye")),
        talk.hung_up,
    ]
    for gesture in gestures:
        gesture()
        items = [item for item in follower.read() if item["kind"] == "call"]
        assert len(items) == 1
        assert {item["id"] for item in items} == {talk.call.pk}
        versions.append(items[-1]["version"])

    assert versions == sorted(set(versions))
    assert ("disposition", "created") in told(follower.seen)
    record = [item for item in follower.seen if item["kind"] == "call"][-1]["record"]
    assert record["disposition"] == "out_of_criteria"
    assert record["mismatches"]


@pytest.mark.django_db(transaction=True)
def test_sql_is_told_too_and_counts_its_versions() -> None:
    prospect = make_at_once()
    follower = Follower(Api(make_user("manager")))

    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_prospect SET city = 'Brest' WHERE id = %s", [prospect.pk])
    by_hand = follower.read()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_prospectnumber SET note = 'le soir' WHERE prospect_id = %s", [prospect.pk])
    renumbered = follower.read()

    assert [(item["version"], item["record"]["city"]) for item in by_hand] == [(2, "Brest")]
    assert [item["record"]["phones"][0]["note"] for item in renumbered] == ["le soir"]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_never_told() -> None:
    follower = Follower(Api(make_user("manager")))

    with transaction.atomic():
        kept = make_at_once()
        try:
            with transaction.atomic():
                make_at_once()
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    assert [item["id"] for item in follower.read()] == [kept.pk]


def write(source: Source, seed: int) -> list[int]:
    """Make prospects, some in a transaction that lingers, some for nothing; return those that were committed."""
    chance, written = random.Random(seed), []
    try:
        for _turn in range(12):
            with transaction.atomic():
                made = []
                for _one in range(chance.randint(1, 4)):
                    made.append(create_prospect(source=source, data={}, phones=[], by=None, at=NOW).pk)
                    time.sleep(chance.random() * 0.02)
                if chance.random() < 0.2:
                    transaction.set_rollback(True)
                    made = []
            written += made
    finally:
        connections.close_all()
    return written


def follow(follower: Follower, writers: list[Future[list[int]]]) -> None:
    """Poll until every writer is done."""
    try:
        while not all(writer.done() for writer in writers):
            follower.poll()
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_many_writers_and_one_reader_agree_each_change_once() -> None:
    follower = Follower(Api(make_user("manager")), kinds="prospect", limit=40)
    source = make_source()

    with ThreadPoolExecutor(9) as threads:
        writers = [threads.submit(write, source, seed) for seed in range(8)]
        threads.submit(follow, follower, writers).result()
    follower.read()

    written = Counter(pk for writer in writers for pk in writer.result())
    assert Counter(item["id"] for item in follower.seen) == written
    assert len(written) > 100


@pytest.mark.django_db(transaction=True)
def test_a_transaction_under_way_stalls_the_feed_which_says_so() -> None:
    follower = Follower(Api(make_user("manager")))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT pg_current_xact_id()")
        prospect = make_at_once()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE crm_recordchange SET at = at - interval '42 seconds'")

        stalled = follower.page()
        with other.cursor() as cursor:
            cursor.execute("ROLLBACK")
        settle()
        freed = follower.page()
    finally:
        other.close()

    assert (stalled["results"], stalled["has_more"]) == ([], False)
    assert stalled["behind_seconds"] >= 42
    assert [item["id"] for item in freed["results"]] == [prospect.pk]
    assert freed["behind_seconds"] == 0


@pytest.mark.django_db(transaction=True)
def test_a_program_reads_the_records_of_its_sponsors_and_the_shared_ones() -> None:
    mine, other = make_programme(), make_programme()
    program = make_user("integration", sponsors=[mine.sponsor])
    follower = Follower(Api(program))

    seen = [make_at_once(source=make_source(mine.sponsor)), make_at_once(source=make_source(None))]
    make_at_once(source=make_source(make_sponsor()))
    bar = make_exclusion(programme=mine, number="+33199001122")
    make_exclusion(programme=other, number="+33199001122")
    items = follower.read()

    assert {(item["kind"], item["id"]) for item in items} == {
        *(("prospect", prospect.pk) for prospect in seen),
        ("exclusion", bar.pk),
    }


@pytest.mark.django_db(transaction=True)
def test_a_wall_of_other_peoples_changes_is_walked_through_in_bounded_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine = make_sponsor()
    settle()
    start = end_of_changes()
    for _one in range(9):
        make_at_once(source=make_source(make_sponsor()))
    own = make_at_once(source=make_source(mine))
    monkeypatch.setattr("crm.selectors.record_changes.LOOKED_AT", 4)
    settle()

    pages, place, more = [], start, True
    while more:
        page = changes_after(place, limit=1, kinds=KINDS, sponsors=[mine.pk])
        pages.append([row.ref for row in page.rows])
        place, more = page.place, page.has_more

    assert [] in pages
    assert [ref for page in pages for ref in page] == [own.pk]


@pytest.mark.django_db(transaction=True)
def test_what_is_forgotten_is_gone_for_a_cursor_before_it_and_nobody_else() -> None:
    api = Api(make_user("manager"))
    early, late = Follower(api), Follower(api)
    make_at_once()
    late.read()
    RecordChange.objects.update(at=timezone.now() - timedelta(days=31))
    recent = make_at_once()
    settle()

    forgotten = forget_changes(at=timezone.now(), kept=timedelta(days=30))

    assert forgotten > 0
    assert [item["id"] for item in late.read()] == [recent.pk]
    gone = problem_of(api.get(f"changes/?cursor={early.cursor}"), "cursor-gone", 410)
    assert Follower(api, gone["cursor"]).read() == []
    assert forget_changes(at=timezone.now(), kept=timedelta(days=30)) == 0


@pytest.mark.django_db(transaction=True)
def test_a_restored_database_waits_for_its_rebase_and_then_voids_every_cursor() -> None:
    api = Api(make_user("manager"))
    follower = Follower(api)
    FeedState.objects.update(cluster="the one before")

    problem_of(api.get(f"changes/?cursor={follower.cursor}"), "feed-moved", 503)
    out = StringIO()
    call_command("rebase_changes", stdout=out)

    assert "epoch 2" in out.getvalue()
    gone = problem_of(api.get(f"changes/?cursor={follower.cursor}"), "cursor-gone", 410)
    again = Follower(api, gone["cursor"])
    prospect = make_at_once()
    assert [item["id"] for item in again.read()] == [prospect.pk]


@pytest.mark.django_db(transaction=True)
def test_a_replica_that_took_over_keeps_every_cursor() -> None:
    follower = Follower(Api(make_user("manager")))
    prospect = make_at_once()
    FeedState.objects.update(cluster="the one before")

    rebase_changes(nothing_lost=True)

    assert [item["id"] for item in follower.read()] == [prospect.pk]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "cursor",
    ["x", "!!!!", "W10", "WzEsMiwzXQ", "WzEsLTEsInByb3NwZWN0IiwxXQ", "WzEsMSwifn5-IiwxXQ", "é", "1" * 201],
)
def test_a_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    body = problem_of(Api(make_user("manager")).get(f"changes/?cursor={cursor}"), "validation", 400)

    assert "cursor" in body["errors"]


@pytest.mark.django_db
def test_unknown_kinds_and_limits_are_refused_by_name() -> None:
    api = Api(make_user("manager"))

    assert "kinds" in problem_of(api.get("changes/?kinds=prospect,call.ended"), "validation", 400)["errors"]
    assert "limit" in problem_of(api.get("changes/?limit=501"), "validation", 400)["errors"]
    assert "since" in problem_of(api.get("changes/?since=1"), "validation", 400)["errors"]


@pytest.mark.django_db(transaction=True)
def test_a_page_costs_the_same_queries_however_much_it_holds(django_assert_max_num_queries: Any) -> None:
    api = Api(make_user("manager"))
    few, many = Follower(api, limit=6), Follower(api, limit=40)
    for number in range(20):
        prospect = make_at_once()
        make_exclusion(programme=make_programme(), number=f"+3319900{number:04}")
        edit_prospect(prospect=prospect, data={}, phones=[PhoneInput("01 99 00 77 77")], by=None, at=NOW)

    settle()
    with django_assert_max_num_queries(12) as small:
        few.page()
    with django_assert_max_num_queries(12) as large:
        many.page()

    assert len(small) == len(large)


@pytest.mark.django_db(transaction=True)
def test_the_feed_is_read_along_its_key_however_long_it_is() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO crm_recordchange (xid, kind, ref, created)"
            " SELECT (g / 7000 + 1)::text::xid8, 'prospect', g, true FROM generate_series(1, 60000) g"
        )
        cursor.execute("ANALYZE crm_recordchange")
        cursor.execute(
            "EXPLAIN SELECT xid FROM crm_recordchange WHERE (xid, kind, ref) > ('9'::xid8, 'prospect', 56500)"
            " AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, kind, ref LIMIT 500"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "Index" in plan
    assert "Sort" not in plan
    assert len(changes_after(ChangePlace(9, "prospect", 56500), limit=500, kinds=KINDS).rows) == 500
