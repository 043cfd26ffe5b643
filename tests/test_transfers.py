"""A call that is handed to a named colleague: offered, accepted or not, and held by the database."""

from datetime import timedelta
from typing import Any

import pytest

from calls.enums import CallEventKind, CallState, TransferAnswerKind
from calls.models import Call, Transfer, TransferAnswer
from calls.selectors.transfers import colleagues_for, left_to, offer_to
from calls.services.claim import claim_next
from calls.services.desk import start_pause
from calls.services.errors import Invalid, InvalidTransition, NotFound, OpenCallExists
from calls.services.notes import write_note
from calls.services.transfers import accept_transfer, decline_transfer, offer_transfer, withdraw_transfer
from crm.enums import Role
from crm.models import Team, User
from tests.factories import NOW, make_entry, make_sponsor, make_user
from tests.racing import race, unexpected
from tests.rawsql import Desk, execute, insert, move, refused, settle
from tests.talking import Talk

db = pytest.mark.django_db
racing = pytest.mark.django_db(transaction=True)


def offered(talk: Talk, to: User, note: str = "Elle parle anglais.") -> Transfer:
    """Offer the call of a talk to a colleague."""
    return offer_transfer(to=to, note=note, **talk.by())


@db
def test_a_colleague_who_accepts_has_the_call_with_its_state_lease_and_notes() -> None:
    talk, colleague = Talk().mismatched(), make_user()
    write_note(text="préfère l'anglais", **talk.by())
    offer = offered(talk, colleague)

    taken = accept_transfer(transfer=offer, by=colleague, at=talk.at)
    again = accept_transfer(transfer=offer, by=colleague, at=talk.at)

    call = talk.read()
    assert (taken.pk, again.pk) == (call.pk, call.pk)
    assert (call.agent, call.state) == (colleague, CallState.CLOSING)
    assert call.lease_until == talk.at + timedelta(seconds=call.campaign.talk_lease_seconds)
    assert call.events.filter(kind=CallEventKind.NOTE).get().data["text"] == "préfère l'anglais"
    assert talk.told()[-2:] == [CallEventKind.TRANSFER_OFFERED, CallEventKind.TRANSFERRED]
    assert left_to(talk.agent, call.pk) == offer
    assert claim_next(campaign=talk.campaign, by=talk.agent, at=talk.at) is None


@db
def test_the_former_agent_acts_on_the_call_no_more() -> None:
    talk, colleague = Talk().greeted(), make_user()
    accept_transfer(transfer=offered(talk, colleague), by=colleague, at=talk.at)

    with pytest.raises(NotFound):
        write_note(text="encore", **talk.by())
    with pytest.raises(NotFound):
        offered(talk, make_user())


@db
def test_only_free_colleagues_of_the_sponsor_are_proposed_and_found_by_typing() -> None:
    talk = Talk().greeted()
    team = Team.objects.create(name="Matin", created_at=NOW)
    free = make_user(first_name="Claire", team=team, languages=["it"])
    make_user(sponsors=[make_sponsor()])
    make_user(is_active=False)
    make_user(Role.INTEGRATION)
    start_pause(reason="", by=make_user(), at=talk.at)
    make_entry(talk.campaign)
    claim_next(campaign=talk.campaign, by=make_user(), at=talk.at)

    found = colleagues_for(talk.call, at=talk.at)

    assert set(found) == {free, talk.supervisor, talk.manager}
    for text in ("clai", "mat", "it", "Claire matin"):
        assert colleagues_for(talk.call, text, at=talk.at) == [free]
    assert colleagues_for(talk.call, "Claire zz", at=talk.at) == []


@db
def test_nobody_is_offered_a_call_before_somebody_answered_nor_twice_at_once() -> None:
    early, talk, colleague = Talk().dialled(), Talk().greeted(), make_user()

    with pytest.raises(InvalidTransition):
        offered(early, colleague)
    first = offered(talk, colleague)
    assert offered(talk, colleague) == first
    with pytest.raises(InvalidTransition, match="déjà proposé"):
        offered(talk, make_user())
    with pytest.raises(Invalid):
        offered(Talk().greeted(), colleague)


@db
def test_an_offer_is_declined_taken_back_or_runs_out_and_another_one_may_follow() -> None:
    talk, colleague, other = Talk().greeted(), make_user(), make_user()

    declined = offered(talk, colleague)
    decline_transfer(transfer=declined, words="en formation", by=colleague, at=talk.at)
    withdrawn = offered(talk, colleague)
    withdraw_transfer(**talk.by())
    late = offered(talk, colleague)
    talk.at += timedelta(seconds=61)
    for gone in (declined, withdrawn, late):
        with pytest.raises(InvalidTransition):
            accept_transfer(transfer=gone, by=colleague, at=talk.at)
    assert offer_to(colleague, talk.at) is None
    last = offered(talk, other)

    answers = dict(TransferAnswer.objects.values_list("transfer", "kind"))
    assert answers == {declined.pk: "declined", withdrawn.pk: "withdrawn", late.pk: "expired"}
    assert offer_to(other, talk.at) == last
    assert talk.read().agent == talk.agent


@db
def test_a_call_that_ended_a_busy_colleague_and_somebody_elses_offer_are_refused() -> None:
    talk, colleague = Talk().greeted(), make_user()
    offer = offered(talk, colleague)

    with pytest.raises(NotFound):
        accept_transfer(transfer=offer, by=talk.supervisor, at=talk.at)
    make_entry(talk.campaign)
    own = claim_next(campaign=talk.campaign, by=colleague, at=talk.at)
    with pytest.raises(OpenCallExists):
        accept_transfer(transfer=offer, by=colleague, at=talk.at)
    assert own is not None
    Call.objects.filter(pk=own.pk).update(state=CallState.RELEASED)
    talk.hung_up()
    with pytest.raises(InvalidTransition, match="raccroché"):
        accept_transfer(transfer=offer, by=colleague, at=talk.at)
    assert offer_to(colleague, talk.at) is None


@pytest.fixture
def desk(db: None) -> Desk:
    return Desk()


def offer_row(desk: Desk, call: int, to: User, **fields: Any) -> int:
    """Write an offer by raw SQL; returns its id."""
    columns = {"sender": desk.agent, "recipient": to, "at": NOW, "expires_at": NOW + timedelta(seconds=60)}
    return insert(Transfer(call_id=call, **{**columns, **fields}))


def answer_row(offer: int, kind: str, by: User | None, **fields: Any) -> int:
    """Write an answer by raw SQL; returns its id."""
    return insert(TransferAnswer(transfer_id=offer, kind=kind, by=by, **{"at": NOW, **fields}))


def give(call: int, to: User) -> None:
    """Change the agent of a call by raw SQL."""
    execute("UPDATE calls_call SET agent_id = %s WHERE id = %s", to.pk, call)


def test_raw_sql_moves_a_call_by_an_accepted_offer_alone(desk: Desk) -> None:
    colleague, stranger = make_user(), make_user()
    call = desk.connect()

    with refused("call_identity_fixed"):
        give(call, colleague)
    offer = offer_row(desk, call, colleague)
    with refused("call_identity_fixed"):
        give(call, colleague)
    with refused("transfer_moves_the_call"):
        answer_row(offer, "accepted", colleague)
    with refused("call_identity_fixed"):
        answer_row(offer, "accepted", colleague)
        give(call, stranger)
    answer_row(offer, "accepted", colleague)
    give(call, colleague)
    settle()

    # The same offer moves nothing a second time, and nobody takes the call back by it.
    with refused("call_identity_fixed"):
        give(call, desk.agent)


def test_raw_sql_moves_no_call_that_nobody_is_on(desk: Desk) -> None:
    colleague = make_user()
    call = desk.connect()
    offer = offer_row(desk, call, colleague)
    execute(
        "UPDATE calls_call SET state = 'ended', ended_at = now(), hung_up_by = 'prospect' WHERE id = %s", call
    )

    with refused("call_identity_fixed"):
        answer_row(offer, "accepted", colleague)
        give(call, colleague)
    with refused("transfer_by_its_agent"):
        offer_row(desk, call, make_user())


def test_raw_sql_answers_for_nobody_else_and_never_late(desk: Desk) -> None:
    colleague = make_user()
    call = desk.claim()
    with refused("transfer_by_its_agent"):
        offer_row(desk, call, colleague)
    move(call, "dialling", "connected")
    with refused("transfer_by_its_agent"):
        offer_row(desk, call, colleague, sender=desk.supervisor)
    offer = offer_row(desk, call, colleague)

    late = NOW + timedelta(seconds=60)
    for kind, by, at in (
        ("accepted", desk.agent, NOW),
        ("accepted", colleague, late),
        ("declined", desk.supervisor, NOW),
        ("withdrawn", colleague, NOW),
        ("expired", None, NOW),
    ):
        with refused("transfer_answered_by_its_own"):
            answer_row(offer, kind, by, at=at)
    for constraint, to in (
        ("transfer_one_open_per_call", make_user()),
        ("transfer_to_somebody_else", desk.agent),
    ):
        with refused(constraint):
            offer_row(desk, call, to)
    answer_row(offer, "declined", colleague)
    with refused("calls_transferanswer_transfer_id_key"):
        answer_row(offer, "withdrawn", desk.agent)


def test_offers_and_answers_are_history(desk: Desk) -> None:
    colleague = make_user()
    offer = offer_row(desk, desk.connect(), colleague)
    with refused("transfer_append_only"):
        execute("UPDATE calls_transfer SET open = false WHERE id = %s", offer)
    answer_row(offer, "declined", colleague)
    settle()

    for table, guard in {
        "calls_transfer": "transfer_append_only",
        "calls_transferanswer": "transfer_answer_append_only",
    }.items():
        for statement in (
            f"UPDATE {table} SET at = now()",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            with refused(guard, "transfer_answer_append_only"):
                execute(statement)
    assert execute("SELECT open FROM calls_transfer") == [(False,)]


def test_an_agent_with_an_open_call_is_given_no_second_one(desk: Desk) -> None:
    colleague = make_user()
    call = desk.connect()
    other = Desk(campaign=desk.campaign, agent=colleague)
    offer = offer_row(desk, call, colleague)
    other.claim()

    with refused("call_one_open_per_agent"):
        answer_row(offer, "accepted", colleague)
        give(call, colleague)


@racing
def test_of_two_presses_and_a_withdrawal_at_once_one_answer_stands() -> None:
    talk, colleague = Talk().greeted(), make_user()
    offer = offered(talk, colleague)

    results = race(
        lambda: accept_transfer(transfer=offer, by=colleague, at=talk.at),
        lambda: accept_transfer(transfer=offer, by=colleague, at=talk.at),
        lambda: withdraw_transfer(call=talk.call, by=talk.agent, at=talk.at),
    )

    assert unexpected(results, InvalidTransition, NotFound) == []
    answer = TransferAnswer.objects.get()
    holder = colleague if answer.kind == TransferAnswerKind.ACCEPTED else talk.agent
    assert talk.read().agent == holder
    assert talk.told().count(CallEventKind.TRANSFERRED) == (holder == colleague)


@racing
def test_accepting_while_taking_a_fiche_leaves_one_open_call() -> None:
    talk, colleague = Talk().greeted(), make_user()
    make_entry(talk.campaign)
    offer = offered(talk, colleague)

    results = race(
        lambda: accept_transfer(transfer=offer, by=colleague, at=talk.at),
        lambda: claim_next(campaign=talk.campaign, by=colleague, at=talk.at),
    )

    assert unexpected(results, OpenCallExists, InvalidTransition, NotFound) == []
    assert Call.objects.open().filter(agent=colleague).count() == 1
    assert Call.objects.open().count() == (1 if talk.read().agent == colleague else 2)
