"""Agreed callbacks: the time, the owner, the exactness, and their end."""

from datetime import timedelta

import pytest

from calls.enums import CallbackState, EffectKind
from calls.models import Call, Callback, CallEffect
from calls.selectors.call_screen import desk_of, screen_of
from calls.services.claim import claim_next
from calls.services.dial import dial, dial_manually
from calls.services.dispositions import dispose
from calls.services.errors import Invalid
from calls.services.lease import release_call
from calls.services.line import record_answer
from calls.services.talk import greet
from campaigns.enums import EntryState
from crm.enums import EventKind
from tests.factories import NOW, make_campaign, make_exclusion, make_user
from tests.talking import Talk

pytestmark = pytest.mark.django_db


def test_a_callback_is_kept_with_its_time_owner_and_words() -> None:
    talk = Talk().greeted()
    due = talk.at + timedelta(days=1)

    talk.disposed("callback", callback_at=due, callback_agent=talk.agent, exact=True, note="après le conseil")

    callback = Callback.objects.get(call=talk.call)
    assert (callback.due_at, callback.owner, callback.exact, callback.note) == (
        due, talk.agent, True, "après le conseil"
    )  # fmt: skip
    entry = talk.entry
    assert (entry.state, entry.due_at, entry.owner, entry.exact) == (
        EntryState.CALLBACK,
        due,
        talk.agent,
        True,
    )
    assert EventKind.CALLBACK in talk.timeline()
    assert screen_of(talk.read(), talk.at).callback_at == due


@pytest.mark.parametrize("when", [None, timedelta(0), timedelta(hours=-1)])
def test_a_callback_needs_a_time_to_come(when: timedelta | None) -> None:
    talk = Talk().greeted()

    with pytest.raises(Invalid) as refused:
        dispose(
            code="callback",
            callback_at=None if when is None else talk.at + when,
            **talk.by(after=timedelta(0)),
        )

    assert "callback_at" in refused.value.fields
    assert not Callback.objects.exists()


def test_the_same_callback_twice_is_promised_once() -> None:
    talk = Talk().greeted()
    due = talk.at + timedelta(days=1)

    talk.disposed("callback", callback_at=due).disposed("callback", callback_at=due)

    assert Callback.objects.filter(call=talk.call).count() == 1


@pytest.mark.parametrize("colleague", [False, True])
def test_an_appointment_with_a_time_is_a_callback_of_who_made_it(colleague: bool) -> None:
    talk = Talk().matched()
    when = talk.at + timedelta(days=2)
    other = make_user() if colleague else None

    talk.disposed("appointment", note="devis", callback_at=when, callback_agent=other, exact=True)

    callback = Callback.objects.get()
    assert (callback.state, callback.due_at, callback.exact) == (CallbackState.OPEN, when, True)
    assert callback.owner == (other or talk.agent)
    assert (talk.entry.state, talk.entry.due_at) == (EntryState.CALLBACK, when)


def test_an_appointment_without_a_time_is_kept_outside_and_ends_the_list_entry() -> None:
    talk = Talk().matched().disposed("appointment", note="chez le conseiller, mardi")

    assert not Callback.objects.exists()
    assert talk.entry.state == EntryState.DONE


@pytest.mark.parametrize("code", ["refusal", "opt_out"])
def test_nobody_is_promised_a_callback_that_a_bar_forbids(code: str) -> None:
    talk = Talk().greeted()

    with pytest.raises(Invalid, match="aucun rappel"):
        talk.disposed(code, callback_at=talk.at + timedelta(days=2))

    assert talk.read().disposition is None
    assert not Callback.objects.exists()


def test_a_number_without_a_fiche_gets_no_promise() -> None:
    agent = make_user()
    call = dial_manually(campaign=make_campaign(), number="01 99 00 55 55", by=agent, at=NOW, at_once=True)
    record_answer(call=call, by=agent, at=NOW)
    greet(call=call, answered_by="intended", by=agent, at=NOW)

    with pytest.raises(Invalid, match="fiche"):
        dispose(call=call, code="callback", callback_at=NOW + timedelta(days=1), by=agent, at=NOW)


def test_a_callback_is_served_when_due_to_its_owner_and_done_by_the_call() -> None:
    talk = Talk().greeted()
    due = talk.at + timedelta(days=1)
    talk.disposed("callback", callback_at=due, callback_agent=talk.agent).said("thank", "goodbye").hung_up()
    talk.disposed("callback")

    early = claim_next(campaign=talk.campaign, by=talk.agent, at=due - timedelta(minutes=1))
    stranger = claim_next(campaign=talk.campaign, by=make_user(), at=due)
    served = claim_next(campaign=talk.campaign, by=talk.agent, at=due)
    assert early is None
    assert stranger is None
    assert served is not None
    dial(call=served, by=talk.agent, at=due)
    record_answer(call=served, by=talk.agent, at=due)
    greet(call=served, answered_by="intended", by=talk.agent, at=due)
    dispose(call=served, code="not_interested", by=talk.agent, at=due)

    assert Callback.objects.get(call=talk.call).state == CallbackState.DONE
    assert talk.entry.state == EntryState.DONE
    assert CallEffect.objects.filter(call=served, kind=EffectKind.CALLBACK).count() == 1


def test_a_callback_given_back_keeps_its_promise_and_waits_a_little() -> None:
    talk = Talk().greeted()
    due = talk.at + timedelta(days=1)
    talk.disposed("callback", callback_at=due, callback_agent=talk.agent, exact=True)
    talk.said("thank", "goodbye").hung_up().disposed("callback")
    served = claim_next(campaign=talk.campaign, by=talk.agent, at=due)
    assert served is not None

    release_call(call=served, reason="en réunion", by=talk.agent, at=due)

    entry = talk.entry
    assert (entry.state, entry.owner, entry.exact) == (EntryState.CALLBACK, talk.agent, True)
    assert due < entry.due_at <= due + timedelta(minutes=5)
    assert Callback.objects.get(call=talk.call).state == CallbackState.OPEN


def test_an_exclusion_ends_the_promise() -> None:
    talk = Talk().greeted()
    talk.disposed("callback", callback_at=talk.at + timedelta(days=1))

    make_exclusion(programme=talk.programme, prospect=talk.prospect)

    assert Callback.objects.get(call=talk.call).state == CallbackState.EXCLUDED
    assert talk.entry.state == EntryState.EXCLUDED


def test_the_desk_shows_the_agents_own_callbacks() -> None:
    talk = Talk().greeted()
    talk.disposed("callback", callback_at=talk.at + timedelta(days=1), callback_agent=talk.agent)
    talk.said("thank", "goodbye").hung_up().disposed("callback")

    desk = desk_of(talk.agent, talk.campaign, talk.at)

    assert [callback.prospect for callback in desk.promises.promised] == [talk.prospect]
    assert desk.day.finished == 1
    assert not desk_of(make_user(), talk.campaign, talk.at).promises.promised
    assert Call.objects.filter(agent=talk.agent).count() == 1
