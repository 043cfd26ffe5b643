"""The invariants when two or more act at the same instant, each on a connection of its own."""

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from calls.enums import CallEventKind, CallState, Cause, IncidentKind
from calls.models import Call, CallAnswer, CallDisposition, CallEvent, Incident
from calls.services.claim import claim_next
from calls.services.closing import release_to_hang_up, say_closing_step
from calls.services.dial import dial, dial_manually
from calls.services.dispositions import ask_correction, correct_disposition, dispose, finish
from calls.services.lease import expire_leases, release_call
from calls.services.line import (
    explain_hang_up,
    record_answer,
    record_hang_up,
    record_line_dead,
    record_not_reached,
    record_ringing,
)
from calls.services.situations import mark_driving
from calls.services.talk import answer_criterion, greet, hand_over, note_wish
from campaigns.enums import EntryState, ExclusionReason, Scope
from campaigns.models import Exclusion, ListEntry
from campaigns.services.campaigns import edit_campaign
from campaigns.services.entries import add_prospects
from campaigns.services.exclusions import exclude, lift_exclusion
from crm.enums import Role
from crm.models import Prospect, User
from crm.rules.errors import DomainError, OpenCallExists
from crm.services.prospects import edit_prospect
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_entry,
    make_exclusion,
    make_prospect,
    make_user,
    next_number,
)
from tests.racing import meanwhile, race, second_session, stuck, unexpected, wait_until_blocked
from tests.rawsql import Desk, disposition, execute, insert

pytestmark = pytest.mark.django_db(transaction=True)

#: How often a race is run: what is lost at all is lost within a few.
ROUNDS = 12

COVERED = """
SELECT count(*) FROM calls_call c WHERE c.state = ANY (%s)
   AND courtois_covering_exclusion(c.number, c.prospect_id, c.campaign_id) IS NOT NULL
"""


def covered(*states: str) -> int:
    """How many calls in these states an active exclusion covers."""
    return int(execute(COVERED, list(states))[0][0])


def constraint_of(error: object) -> str:
    """The constraint that the error names."""
    cause = error.__cause__ if isinstance(error, IntegrityError) else error
    return (cause.diag.constraint_name or "") if isinstance(cause, psycopg.Error) else repr(error)


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- Raw SQL: whoever comes second waits ---


EXCLUDE = (
    "INSERT INTO campaigns_exclusion (scope, {column}, reason, note, since, lift_reason)"
    " VALUES ('everywhere', %s, 'opposition', '', now(), '')"
)


def targets(desk: Desk) -> list[tuple[str, Any]]:
    return [("number", desk.number), ("prospect_id", desk.prospect.pk)]


@pytest.mark.parametrize("which", [0, 1], ids=["number", "prospect"])
def test_a_claim_and_a_dial_wait_for_an_exclusion_under_way_and_are_refused(desk: Desk, which: int) -> None:
    column, value = targets(desk)[which]
    other = Desk()
    claimed = other.claim()

    with second_session() as first:
        first.execute(EXCLUDE.format(column=column), [value])
        with meanwhile(lambda: insert(desk.call())) as claim:
            wait_until_blocked(first)
            first.commit()
        first.execute(EXCLUDE.format(column=column), [targets(other)[which][1]])
        with meanwhile(
            lambda: execute("UPDATE calls_call SET state = 'dialling' WHERE id = %s", claimed)
        ) as dialled:
            wait_until_blocked(first)
            first.commit()

    assert constraint_of(claim.result()) == "call_not_excluded"
    assert constraint_of(dialled.result()) in {"call_not_excluded", "call_moves_legally"}
    assert Call.objects.get(pk=claimed).state == CallState.RELEASED


@pytest.mark.parametrize("which", [0, 1], ids=["number", "prospect"])
def test_an_exclusion_waits_for_a_claim_under_way_and_releases_it(desk: Desk, which: int) -> None:
    column, value = targets(desk)[which]

    with second_session() as first:
        first.execute(
            "INSERT INTO calls_call (campaign_id, prospect_id, number, agent_id, state, mode, entry_was, language,"
            " lease_until, started_at, answered_by, respondent, closing_kind, goodbyes, end_allowed_by, hung_up_by,"
            " evidence, cause, release_reason) VALUES (%s, %s, %s, %s, 'claimed', 'queue', '', '', now(), now(), '',"
            " 0, '', 0, '', '', '', '', '')",
            [desk.campaign.pk, desk.prospect.pk, desk.number, desk.agent.pk],
        )
        with meanwhile(lambda: execute(EXCLUDE.format(column=column), value)) as exclusion:
            wait_until_blocked(first)
            first.commit()

    assert exclusion.result() == []
    assert Call.objects.get().state == CallState.RELEASED


@pytest.mark.parametrize("which", [0, 1], ids=["number", "prospect"])
def test_an_exclusion_waits_for_a_dial_under_way_and_lets_it_be(desk: Desk, which: int) -> None:
    column, value = targets(desk)[which]
    call = desk.claim()

    with second_session() as first:
        first.execute("SELECT courtois_share_bars(%s, %s)", [desk.number, desk.prospect.pk])
        first.execute("UPDATE calls_call SET state = 'dialling' WHERE id = %s", [call])
        with meanwhile(lambda: execute(EXCLUDE.format(column=column), value)) as exclusion:
            wait_until_blocked(first)
            first.commit()

    assert exclusion.result() == []
    assert Call.objects.get(pk=call).state == CallState.DIALLING


def bucket(of: str | int) -> int:
    """Return the lock that stands for a number or a prospect."""
    function = "hashtext" if isinstance(of, str) else "hashint8"
    return int(execute(f"SELECT {function}(%s) & 1023", of)[0][0])


def test_a_call_to_a_bare_number_stands_against_nobody_who_bars_who_carries_it(desk: Desk) -> None:
    # Whoever takes both locks in order begins with the person's here.
    pairs = ((make_prospect(number), number) for number in iter(next_number, ""))
    carrier, number = next(pair for pair in pairs if bucket(pair[0].pk) < bucket(pair[1]))

    with second_session() as first:
        first.execute("SELECT courtois_share_bars(%s, NULL)", [number])
        with meanwhile(lambda: execute("SELECT courtois_lock_bars(%s, %s)", [number], [carrier.pk])) as bar:
            wait_until_blocked(first)
            first.execute(
                "INSERT INTO calls_call (campaign_id, number, agent_id, state, mode, entry_was, language,"
                " lease_until, started_at, answered_by, respondent, closing_kind, goodbyes, end_allowed_by,"
                " hung_up_by, evidence, cause, release_reason) VALUES (%s, %s, %s, 'claimed', 'manual', '', '',"
                " now(), now(), '', 0, '', 0, '', '', '', '', '')",
                [desk.campaign.pk, number, desk.agent.pk],
            )
            first.commit()

    assert bar.result() == [("",)]
    assert Call.objects.filter(number=number).count() == 1


@pytest.mark.parametrize("case", ["bare number", "number of a new record", "new record"])
def test_a_call_by_hand_takes_its_locks_once_and_in_order(desk: Desk, case: str) -> None:
    number = next_number()
    other = make_prospect(numbers=[next_number(), number])
    cases: dict[str, dict[str, Any]] = {
        "bare number": {"number": number},
        "number of a new record": {"prospect": other, "number": number},
        "new record": {"prospect": other},
    }
    seen: list[set[int]] = []

    def look(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        found = run(sql, params, many, context)
        with connection.cursor() as cursor:
            cursor.cursor.execute(
                "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND classid = 71 AND pid = pg_backend_pid()"
            )
            seen.append({row[0] for row in cursor.cursor.fetchall()})
        return found

    with transaction.atomic(), connection.execute_wrapper(look):
        call = dial_manually(campaign=desk.campaign, by=desk.agent, at=NOW, at_once=True, **cases[case])

    assert call.state == CallState.DIALLING
    held = [locks for locks in seen if locks]
    assert len(held[0]) >= 2
    assert all(locks == held[0] for locks in held)


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
def test_a_snapshot_that_cannot_see_what_others_commit_neither_calls_nor_excludes(
    desk: Desk, isolation: str
) -> None:
    call = desk.connect()
    claimed = Desk()
    waiting = claimed.claim()
    criterion = make_criterion(desk.programme)
    attacks: dict[str, tuple[str, list[Any]]] = {
        "call_needs_read_committed": ("UPDATE calls_call SET state = 'dialling' WHERE id = %s", [waiting]),
        "exclusion_needs_read_committed": (EXCLUDE.format(column="number"), [next_number()]),
    }

    with second_session(isolation) as session:
        for name, (sql, values) in attacks.items():
            with pytest.raises(psycopg.IntegrityError) as refused:
                session.execute(sql, values)
            assert refused.value.diag.constraint_name == name
            session.rollback()
        with pytest.raises(psycopg.IntegrityError) as refused:
            session.execute(
                "INSERT INTO calls_callanswer (call_id, criterion_id, version, result, blocking, expected, heard,"
                " answered_by, respondent, at, by_id)"
                " VALUES (%s, %s, 1, 'mismatch', true, '', 'non', '', 0, now(), %s)",
                [call, criterion.pk, desk.agent.pk],
            )
        assert refused.value.diag.constraint_name == "exclusion_needs_read_committed"

    assert Call.objects.get(pk=call).out_of_criteria_at is None


@pytest.mark.parametrize("same", ["agent", "number", "prospect"])
def test_of_many_calls_at_once_one_opens(same: str) -> None:
    for _ in range(ROUNDS // 3):
        first = Desk()
        calls = [Desk().call(**{same: getattr(first, same)}) for _ in range(6)]

        results = race(*[lambda call=call: insert(call) for call in calls])

        assert sum(isinstance(result, int) for result in results) == 1
        assert {constraint_of(found) for found in results if not isinstance(found, int)} == {
            f"call_one_open_per_{same}"
        }


def test_a_disposition_waits_for_a_mismatch_under_way_and_is_refused(desk: Desk) -> None:
    call = desk.connect()
    criterion = make_criterion(desk.programme)
    row = CallDisposition(call_id=call, disposition_id=disposition("complete"), at=NOW, by=desk.agent)

    with second_session() as first:
        first.execute(
            "INSERT INTO calls_callanswer (call_id, criterion_id, version, result, blocking, expected, heard,"
            " answered_by, respondent, at, by_id) VALUES (%s, %s, 1, 'mismatch', true, '', 'non', '', 0, now(), %s)",
            [call, criterion.pk, desk.agent.pk],
        )
        with meanwhile(lambda: insert(row)) as late:
            wait_until_blocked(first)
            first.commit()

    assert constraint_of(late.result()) == "out_of_criteria_is_final"


@pytest.mark.parametrize("committed", [True, False])
def test_a_crash_leaves_a_mismatch_whole_or_not_at_all(desk: Desk, committed: bool) -> None:
    call = desk.connect()
    criterion = make_criterion(desk.programme)

    with second_session() as agent:
        agent.execute(
            "INSERT INTO calls_callanswer (call_id, criterion_id, version, result, blocking, expected, heard,"
            " answered_by, respondent, at, by_id) VALUES (%s, %s, 1, 'mismatch', true, '', 'non', '', 0, now(), %s)",
            [call, criterion.pk, desk.agent.pk],
        )
        if committed:
            agent.commit()
        execute("SELECT pg_terminate_backend(%s, 5000)", agent.info.backend_pid)

    stored = Call.objects.get(pk=call)
    desk.entry.refresh_from_db()
    assert (stored.out_of_criteria_at is not None) == committed
    assert stored.state == (CallState.CLOSING if committed else CallState.CONNECTED)
    assert Exclusion.objects.count() == (3 if committed else 0)
    assert desk.entry.state == (EntryState.EXCLUDED if committed else EntryState.CLAIMED)


# --- Services: claims ---


def drain(agent: User, campaign: Any, at: datetime) -> list[int | None]:
    """Claim until nobody is callable, giving each call back as done; return the entries that were served."""
    served: list[int | None] = []
    while True:
        call = claim_next(campaign=campaign, by=agent, at=at)
        if call is None:
            return served
        served.append(call.entry_id)
        with transaction.atomic():
            execute("UPDATE calls_call SET state = 'released', done_at = now() WHERE id = %s", call.pk)
            execute("UPDATE campaigns_listentry SET state = 'done' WHERE id = %s", call.entry_id)


def test_parallel_claims_serve_every_entry_once_and_none_twice() -> None:
    campaign = make_campaign()
    numbers = [next_number() for _ in range(40)]
    entries = {make_entry(campaign, make_prospect(number)).pk for number in [*numbers, *numbers[:10]]}
    agents = [make_user() for _ in range(6)]

    served: Counter[int] = Counter()
    for minutes in (0, 2, 4):
        at = NOW + timedelta(minutes=minutes)
        results = race(*[lambda agent=agent, at=at: drain(agent, campaign, at) for agent in agents])
        assert unexpected(results) == []
        served.update(entry for found in results for entry in found)

    assert served == Counter(dict.fromkeys(entries, 1))


def test_one_number_in_two_campaigns_is_claimed_by_one_of_two_agents() -> None:
    for _ in range(ROUNDS):
        number = next_number()
        agents = [make_user(), make_user()]
        campaigns = [make_entry(make_campaign(), make_prospect(number)).campaign for _ in agents]

        results = race(
            *[
                lambda agent=agent, campaign=campaign: claim_next(campaign=campaign, by=agent, at=NOW)
                for agent, campaign in zip(agents, campaigns, strict=True)
            ]
        )

        assert unexpected(results) == []
        assert sorted(result is None for result in results) == [False, True]


def test_an_agent_who_asks_twice_at_once_gets_one_fiche() -> None:
    for _ in range(ROUNDS):
        campaign, agent = make_campaign(), make_user()
        for _entry in range(3):
            make_entry(campaign)

        results = race(*[partial(claim_next, campaign=campaign, by=agent, at=NOW)] * 3)

        assert unexpected(results, OpenCallExists) == []
        assert sum(isinstance(result, Call) for result in results) == 1
        assert ListEntry.objects.filter(campaign=campaign, state=EntryState.CLAIMED).count() == 1


# --- Services: exclusions ---


def test_claim_and_exclusion_at_once_leave_no_excluded_fiche_on_a_screen() -> None:
    for turn in range(ROUNDS):
        desk = Desk()
        target: dict[str, Any] = {"number": desk.number} if turn % 3 else {"prospect": desk.prospect}

        results = race(
            partial(claim_next, campaign=desk.campaign, by=desk.agent, at=NOW),
            partial(make_exclusion, **target),
        )

        assert unexpected(results, DomainError) == []
        assert covered("claimed") == 0
        desk.entry.refresh_from_db()
        if "prospect" in target:
            assert desk.entry.state == EntryState.EXCLUDED
        else:
            assert desk.entry.number == desk.second or desk.entry.state == EntryState.CLAIMED


def after(seconds: float, act: Callable[[], Any]) -> Any:
    """Do it after a moment."""
    time.sleep(seconds)
    return act()


def test_dial_and_exclusion_at_once_never_dial_what_was_excluded_before() -> None:
    outcomes = Counter[str]()
    for turn in range(ROUNDS):
        desk = Desk()
        call = claim_next(campaign=desk.campaign, by=desk.agent, at=NOW)
        assert call is not None

        # A little head start, to either side by turns: both orders are played.
        late, early = (0.004, 0.0) if turn % 2 else (0.0, 0.004)
        results = race(
            partial(after, late, partial(dial, call=call, by=desk.agent, at=NOW)),
            partial(after, early, partial(make_exclusion, number=desk.number, prospect=desk.prospect)),
        )

        assert unexpected(results, DomainError) == []
        state = Call.objects.get(pk=call.pk).state
        dialled = isinstance(results[0], Call)
        assert state == (CallState.DIALLING if dialled else CallState.RELEASED)
        outcomes[state] += 1
    assert covered("claimed") == 0
    assert sum(outcomes.values()) == ROUNDS


def test_mismatch_against_an_exclusion_and_an_import_of_the_same_number() -> None:
    for _ in range(ROUNDS):
        desk = Desk()
        criterion = make_criterion(desk.programme)
        call = spoken_to(desk)
        newcomer = make_prospect(desk.number)
        by = make_user(Role.MANAGER)

        answer: dict[str, Any] = {
            "criterion": criterion,
            "result": "mismatch",
            "heard": "non",
            "by": desk.agent,
            "at": NOW,
        }
        bar: dict[str, Any] = {"programme": desk.programme, "number": desk.number, "prospect": desk.prospect}
        results = race(
            partial(answer_criterion, call=call, **answer),
            partial(make_exclusion, **bar),
            partial(add_prospects, campaign=desk.campaign, prospects=[newcomer.pk], by=by, at=NOW),
        )

        assert unexpected(results) == []
        assert Call.objects.get(pk=call.pk).out_of_criteria_at == NOW
        # Whatever the import saw, the newcomer on the barred number reaches no agent.
        assert claim_next(campaign=desk.campaign, by=make_user(), at=NOW) is None
        assert not ListEntry.objects.filter(campaign=desk.campaign, state__in=["ready", "callback"]).exists()


BULK = """
INSERT INTO campaigns_exclusion (scope, number, reason, note, since, lift_reason)
SELECT 'everywhere', '+3319900' || lpad(n::text, 4, '0'), 'registry', '', now(), '' FROM generate_series(0, 4999) n
UNION ALL
SELECT 'everywhere', '+33465710' || lpad(n::text, 6, '0'), 'registry', '', now(), '' FROM generate_series(1, %s) n
"""


def test_50000_numbers_are_excluded_beside_working_agents() -> None:
    campaign = make_campaign()
    agents = [make_user() for _ in range(3)]
    barred = [make_entry(campaign, make_prospect(f"+3319900{n:04d}")).pk for n in range(0, 300, 10)]
    free = [make_entry(campaign, make_prospect(f"+3319900{n:04d}")).pk for n in range(5000, 5300, 10)]
    done = False

    def exclude() -> str:
        nonlocal done
        try:
            execute("SET statement_timeout = '240s'")
            execute(BULK, 45_000)
        finally:
            done = True
        return "excluded"

    def work(agent: User) -> int:
        claims = 0
        until = time.monotonic() + 240
        while time.monotonic() < until:
            call = claim_next(campaign=campaign, by=agent, at=NOW)
            if call is not None:
                claims += 1
                release_call(call=call, reason="suivante", by=agent, at=NOW)
            if done:
                return claims
        raise AssertionError("the bulk exclusion never ended")

    results = race(exclude, *[lambda agent=agent: work(agent) for agent in agents], lock_timeout="240s")

    # A claimed fiche that the bulk covers is taken away under the agent's hands: that is a refusal, not a failure.
    assert unexpected(results, DomainError) == []
    assert covered("claimed", "dialling") == 0
    states = dict(ListEntry.objects.values_list("pk", "state"))
    assert {states[entry] for entry in barred} == {EntryState.EXCLUDED}
    assert {states[entry] for entry in free} <= {EntryState.READY, EntryState.CLAIMED}


# --- Services: a verb submitted twice ---


def spoken_to(desk: Desk) -> Call:
    """A call on which the intended person was greeted."""
    call = answered(desk)
    return greet(call=call, answered_by="intended", by=desk.agent, at=NOW)


def taken(desk: Desk) -> Call:
    call = claim_next(campaign=desk.campaign, by=desk.agent, at=NOW)
    assert call is not None
    return call


def dialled(desk: Desk) -> Call:
    return dial(call=taken(desk), by=desk.agent, at=NOW)


def answered(desk: Desk) -> Call:
    return record_answer(call=dialled(desk), by=desk.agent, at=NOW)


def mismatched(desk: Desk) -> Call:
    return answer_criterion(
        call=spoken_to(desk), criterion=None, result="mismatch", heard="non", by=desk.agent, at=NOW
    )


def ended(desk: Desk) -> Call:
    return record_hang_up(
        call=mismatched(desk), hung_up_by="prospect", evidence="declared", by=desk.agent, at=NOW
    )


def cut(desk: Desk) -> Call:
    return record_hang_up(
        call=spoken_to(desk), hung_up_by="agent", evidence="declared", by=desk.agent, at=NOW
    )


def unreached(desk: Desk) -> Call:
    return record_not_reached(call=dialled(desk), cause=Cause.BUSY, by=desk.agent, at=NOW)


def done(desk: Desk) -> Call:
    return finish(call=ended(desk), by=desk.agent, at=NOW)


def events(kind: CallEventKind) -> Callable[[Call], int]:
    return lambda call: CallEvent.objects.filter(call=call, kind=kind).count()


def incidents(kind: IncidentKind) -> Callable[[Call], int]:
    return lambda call: Incident.objects.filter(call=call, kind=kind).count()


def dispositions(call: Call) -> int:
    return CallDisposition.objects.filter(call=call).count()


Verb = tuple[Callable[[Desk], Call], Callable[[Call, Desk], Any], Callable[[Call], int], int]
#: How the call came there, what is submitted twice at once, what is counted, and how many there must be.
VERBS: dict[str, Verb] = {
    "dial": (taken, lambda c, d: dial(call=c, by=d.agent, at=NOW), events(CallEventKind.DIALLED), 1),
    "release": (
        taken,
        lambda c, d: release_call(call=c, reason="absent", by=d.agent, at=NOW),
        events(CallEventKind.RELEASED),
        1,
    ),
    "ringing": (
        dialled,
        lambda c, d: record_ringing(call=c, by=d.agent, at=NOW),
        events(CallEventKind.RINGING),
        1,
    ),
    "answered": (
        dialled,
        lambda c, d: record_answer(call=c, by=d.agent, at=NOW),
        events(CallEventKind.ANSWERED),
        1,
    ),
    "not_reached": (
        dialled,
        lambda c, d: record_not_reached(call=c, cause="busy", by=d.agent, at=NOW),
        events(CallEventKind.NOT_REACHED),
        1,
    ),
    "greet": (
        answered,
        lambda c, d: greet(call=c, answered_by="intended", by=d.agent, at=NOW),
        events(CallEventKind.GREETED),
        1,
    ),
    "greet other": (
        answered,
        lambda c, d: greet(call=c, answered_by="other", by=d.agent, at=NOW),
        lambda call: CallAnswer.objects.filter(call=call).count(),
        1,
    ),
    "handover": (
        spoken_to,
        lambda c, d: hand_over(call=c, answered_by="colleague", by=d.agent, at=NOW),
        events(CallEventKind.HANDOVER),
        1,
    ),
    "mismatch": (
        spoken_to,
        lambda c, d: answer_criterion(
            call=c, criterion=None, result="mismatch", heard="x", by=d.agent, at=NOW
        ),
        lambda call: Exclusion.objects.filter(call_ref=call.pk).count(),
        3,
    ),
    "closing": (
        mismatched,
        lambda c, d: say_closing_step(call=c, step="apologise", by=d.agent, at=NOW),
        events(CallEventKind.CLOSING_STEP),
        1,
    ),
    "hung_up": (
        mismatched,
        lambda c, d: record_hang_up(call=c, hung_up_by="prospect", evidence="declared", by=d.agent, at=NOW),
        events(CallEventKind.HUNG_UP),
        1,
    ),
    "hung_up by the agent": (
        spoken_to,
        lambda c, d: record_hang_up(call=c, hung_up_by="agent", evidence="declared", by=d.agent, at=NOW),
        incidents(IncidentKind.HANG_UP_REVIEW),
        1,
    ),
    "explain": (
        cut,
        lambda c, d: explain_hang_up(call=c, why="menace", by=d.agent, at=NOW),
        events(CallEventKind.HANG_UP_EXPLAINED),
        1,
    ),
    "line_dead": (
        mismatched,
        lambda c, d: record_line_dead(call=c, by=d.agent, at=NOW),
        events(CallEventKind.LINE_DEAD),
        1,
    ),
    "wish": (
        spoken_to,
        lambda c, d: note_wish(call=c, text="un devis", remind_at=None, by=d.agent, at=NOW),
        events(CallEventKind.WISH),
        1,
    ),
    "driving": (
        spoken_to,
        lambda c, d: mark_driving(call=c, by=d.agent, at=NOW),
        lambda call: int(Call.objects.get(pk=call.pk).end_allowed_by != ""),
        1,
    ),
    "supervisor release": (
        spoken_to,
        lambda c, d: release_to_hang_up(call=c, reason="long", by=d.supervisor, at=NOW),
        events(CallEventKind.SUPERVISOR_RELEASED),
        1,
    ),
    "disposition": (
        spoken_to,
        lambda c, d: dispose(call=c, code="refusal", by=d.agent, at=NOW),
        dispositions,
        1,
    ),
    "finish": (ended, lambda c, d: finish(call=c, by=d.agent, at=NOW), dispositions, 1),
    "finish unreached": (unreached, lambda c, d: finish(call=c, by=d.agent, at=NOW), dispositions, 1),
    "ask correction": (
        ended,
        lambda c, d: ask_correction(call=c, reason="mauvaise touche", by=d.agent, at=NOW),
        incidents(IncidentKind.ENTRY_ERROR),
        1,
    ),
    "correct": (
        done,
        lambda c, d: correct_disposition(
            call=c, code="not_interested", reason="erreur", by=d.supervisor, at=NOW
        ),
        dispositions,
        2,
    ),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_submitted_twice_at_once_is_done_once(verb: str) -> None:
    before, act, counted, expected = VERBS[verb]
    for _ in range(2):
        desk = Desk()
        call = before(desk)

        results = race(*[lambda act=act, call=call, desk=desk: act(Call.objects.get(pk=call.pk), desk)] * 2)

        assert unexpected(results, DomainError) == []
        assert any(not isinstance(result, BaseException) for result in results)
        assert counted(call) == expected


def test_two_different_dispositions_at_once_store_one() -> None:
    for _ in range(ROUNDS // 2):
        desk = Desk()
        call = spoken_to(desk)

        results = race(
            partial(dispose, call=call, code="refusal", by=desk.agent, at=NOW),
            partial(dispose, call=call, code="opt_out", by=desk.agent, at=NOW),
        )

        assert unexpected(results, DomainError) == []
        assert dispositions(call) == 1


# --- Services: a lease that expires against a late verb ---


LATE = NOW + timedelta(hours=1)


def test_a_lease_that_expires_while_the_agent_dials_is_either_given_back_or_dialled() -> None:
    for _ in range(ROUNDS):
        desk = Desk()
        call = taken(desk)

        results = race(
            lambda: expire_leases(at=LATE),
            partial(dial, call=call, by=desk.agent, at=LATE),
        )

        assert unexpected(results, DomainError) == []
        state = Call.objects.get(pk=call.pk).state
        desk.entry.refresh_from_db()
        assert (state, desk.entry.state) in {("released", "ready"), ("dialling", "claimed")}
        execute("UPDATE calls_call SET state = 'released' WHERE state = 'claimed'")


def test_an_answer_that_comes_after_the_lease_expired_is_kept_and_told_once() -> None:
    for _ in range(ROUNDS):
        desk = Desk()
        call = dialled(desk)

        results = race(
            lambda: expire_leases(at=LATE),
            lambda: expire_leases(at=LATE),
            partial(record_answer, call=call, by=desk.agent, at=LATE),
        )

        assert unexpected(results) == []
        assert Call.objects.get(pk=call.pk).state == CallState.CONNECTED
        assert Incident.objects.filter(call=call).count() <= 1


# --- Everything at once ---


class Crowd:
    """Agents who claim, dial, talk, mismatch, refuse and release at random, beside exclusions, imports and beat."""

    def __init__(self, rounds: int, seconds: float) -> None:
        programme = make_campaign().programme
        self.campaigns = [make_campaign(programme), make_campaign(programme), make_campaign()]
        self.criterion = make_criterion(programme)
        self.numbers = [next_number() for _ in range(60)]
        for number in self.numbers:
            prospect = make_prospect(number)
            for campaign in random.sample(self.campaigns, 2):
                make_entry(campaign, prospect)
        self.prospects = list(ListEntry.objects.values_list("prospect", flat=True).distinct())
        self.manager = make_user(Role.MANAGER)
        self.rounds: Counter[str] = Counter()
        self.wanted = rounds
        self.until = time.monotonic() + seconds

    def running(self) -> bool:
        return sum(list(self.rounds.values())) < self.wanted and time.monotonic() < self.until

    def note(self, kind: str, act: Callable[..., Any], **given: Any) -> Any:
        """Run one act; count it, or what stopped it. A refusal of the domain is an outcome like another."""
        try:
            found = act(**given)
        except DomainError as error:
            self.rounds[f"{stuck(error) or 'refused'} {kind}"] += 1
            return None
        self.rounds[kind] += 1
        return found

    def agent(self) -> None:
        agent = make_user()
        chance = random.Random(agent.pk)
        while self.running():
            at = NOW + timedelta(seconds=chance.randrange(3600))
            campaign = chance.choice(self.campaigns)
            if chance.random() < 0.25:
                number = chance.choice(self.numbers)
                call = self.note("manual", dial_manually, campaign=campaign, number=number, by=agent, at=at)
            else:
                call = self.note("claim", claim_next, campaign=campaign, by=agent, at=at)
            if call is not None:
                self.talk(call, agent, at, chance)
            self.tidy(agent)

    def talk(self, call: Call, agent: User, at: datetime, chance: random.Random) -> None:
        def say(kind: str, act: Callable[..., Any], **more: Any) -> Any:
            return self.note(kind, act, call=call, by=agent, at=at, **more)

        if chance.random() < 0.3:
            say("release", release_call, reason="suivante")
            return
        say("dial", dial)
        if chance.random() < 0.3:
            say("not reached", record_not_reached, cause="busy")
            say("finish", finish)
            return
        say("answer", record_answer)
        say("greet", greet, answered_by="intended")
        if chance.random() < 0.4:
            say("mismatch", answer_criterion, criterion=None, result="mismatch", heard="non")
        else:
            say("dispose", dispose, code=chance.choice(["refusal", "not_interested", "opt_out"]))
        say("hang up", record_hang_up, hung_up_by="prospect", evidence="declared")
        say("finish", finish)

    def tidy(self, agent: User) -> None:
        """What a supervisor would do with a call that stands open: here it is simply carried to its end."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM calls_call WHERE agent_id = %s AND state = 'claimed'", [agent.pk])
            for (pk,) in cursor.fetchall():
                self.note("release", release_call, call=Call(pk=pk), reason="reste", by=agent, at=NOW)

    def exclude(self) -> None:
        chance = random.Random(1)
        supervisor = make_user(Role.SUPERVISOR)
        while self.running():
            target: dict[str, Any] = (
                {"number": chance.choice(self.numbers)}
                if chance.random() < 0.6
                else {"prospect_id": chance.choice(self.prospects)}
            )
            bar = self.note("exclude", make_exclusion, **target)
            time.sleep(0.01)
            if bar is not None:
                # Lifted, so that the crowd keeps something to call.
                self.note("lift", lift, bar=bar, by=supervisor)

    def reopen(self) -> None:
        while self.running():
            self.note("reopen", reopen)
            self.note("beat", expire_leases, at=NOW)
            time.sleep(0.02)

    def manage(self) -> None:
        """A manager who corrects fiches, changes campaigns and adds the same prospects again."""
        chance = random.Random(2)
        while self.running():
            prospect = Prospect(pk=chance.choice(self.prospects))
            campaign = chance.choice(self.campaigns)
            by = {"by": self.manager, "at": NOW}
            self.note(
                "edit",
                edit_prospect,
                prospect=prospect,
                data={"city": chance.choice("ABC")},
                phones=None,
                **by,
            )
            self.note(
                "settings",
                edit_campaign,
                campaign=campaign,
                data={"max_attempts": chance.randint(3, 9)},
                **by,
            )
            self.note("import", add_prospects, campaign=campaign, prospects=self.prospects[:20], **by)
            time.sleep(0.02)


def lift(bar: Exclusion, by: User) -> None:
    execute(
        "UPDATE campaigns_exclusion SET lifted_at = now(), lifted_by_id = %s, lift_reason = 'essai' WHERE id = %s",
        by.pk,
        bar.pk,
    )


def reopen() -> None:
    """Put every entry that no call holds and that has a number to dial back into the queue, and lift what calls barred,
    in the order of locks."""
    with transaction.atomic():
        execute(
            "UPDATE campaigns_exclusion SET lifted_at = now(), lift_reason = 'essai',"
            " lifted_by_id = (SELECT id FROM crm_user WHERE role = 'manager' LIMIT 1)"
            " WHERE lifted_at IS NULL AND call_ref IS NOT NULL"
        )
        execute(
            "UPDATE campaigns_listentry SET state = 'ready', due_at = %s, excluded_by_id = NULL WHERE id IN ("
            " SELECT id FROM campaigns_listentry WHERE state NOT IN ('ready', 'claimed') AND number <> ''"
            " ORDER BY id"
            " FOR UPDATE SKIP LOCKED)",
            NOW,
        )


def test_hundreds_of_mixed_rounds_end_without_a_deadlock() -> None:
    # The count ends it; the clock only keeps a slow machine from going on for ever.
    crowd = Crowd(rounds=1500, seconds=60)

    results = race(*[crowd.agent] * 5, crowd.exclude, crowd.reopen, crowd.manage)

    assert unexpected(results) == []
    assert [kind for kind in crowd.rounds if "deadlock" in kind or "timeout" in kind] == []
    assert covered("claimed") == 0
    assert sum(crowd.rounds.values()) > 50


def test_a_bar_that_is_lifted_while_a_claim_looks_does_not_close_its_entry_again() -> None:
    campaign, manager = make_campaign(), make_user(Role.MANAGER)
    make_entry(campaign, priority=1)
    barred = make_entry(campaign)
    bar = exclude(
        scope=Scope.CAMPAIGN,
        campaign=campaign,
        number=barred.number,
        reason=ExclusionReason.OTHER,
        by=manager,
        at=NOW,
    )
    # This process knows the hours of the zone by now: its next claim looks once.
    claim_next(campaign=campaign, by=make_user(), at=NOW)

    with second_session() as other:
        other.execute("LOCK TABLE calls_pause IN ACCESS EXCLUSIVE MODE")
        with meanwhile(lambda: claim_next(campaign=campaign, by=make_user(), at=NOW)):
            wait_until_blocked(other)
            lift_exclusion(exclusion=bar, reason="erreur", by=manager, at=NOW)
            other.rollback()

    assert claim_next(campaign=campaign, by=make_user(), at=NOW) is not None
    barred.refresh_from_db()
    assert (barred.state, barred.excluded_by_id) == (EntryState.CLAIMED, None)
