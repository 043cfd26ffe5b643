"""The reservation of a prospect: renewed, given back, expired; and calls that were left open."""

from datetime import timedelta

import pytest

from calls.enums import CallEventKind, CallState, IncidentKind
from calls.models import Incident
from calls.services.claim import claim_next
from calls.services.errors import ClosingRequired, Invalid, InvalidTransition
from calls.services.lease import expire_leases, release_call, renew_lease
from calls.services.line import record_answer
from calls.tasks import expire_leases_task
from campaigns.enums import EntryState
from crm.enums import EventKind
from tests.factories import make_entry, make_user
from tests.talking import Talk

pytestmark = pytest.mark.django_db

LATE = timedelta(hours=1)


def test_the_open_screen_renews_the_lease_shorter_before_an_answer_than_after() -> None:
    talk = Talk(lease_seconds=60, talk_lease_seconds=900)

    renew_lease(**talk.by())
    assert talk.read().lease_until == talk.at + timedelta(seconds=60)
    talk.answered()
    renew_lease(**talk.by())

    assert talk.read().lease_until == talk.at + timedelta(seconds=900)


def test_a_lease_is_never_shortened() -> None:
    talk = Talk()
    renew_lease(**talk.by())
    later = talk.read().lease_until

    renew_lease(call=talk.call, by=talk.agent, at=talk.at - timedelta(seconds=30))

    assert talk.read().lease_until == later


def test_a_prospect_given_back_returns_to_the_list_with_the_reason() -> None:
    talk = Talk()

    release_call(reason="déjà vu ce matin", **talk.by())
    release_call(reason="encore", **talk.by())

    assert (talk.read().state, talk.call.release_reason) == (CallState.RELEASED, "déjà vu ce matin")
    assert talk.entry.state == EntryState.READY
    assert talk.told() == ["claimed", "released"]
    assert EventKind.RELEASED in talk.timeline()


def test_giving_back_needs_a_reason() -> None:
    talk = Talk()

    with pytest.raises(Invalid) as refused:
        release_call(reason=" ", **talk.by())

    assert "reason" in refused.value.fields
    assert talk.read().state == CallState.CLAIMED


def test_a_prospect_given_back_goes_behind_those_that_wait() -> None:
    talk = Talk()
    other = make_entry(talk.campaign)

    release_call(reason="déjà vu", **talk.by())
    following = claim_next(campaign=talk.campaign, by=talk.agent, at=talk.at)

    assert following is not None
    assert following.prospect_id == other.prospect_id


@pytest.mark.parametrize("stage", ["answered", "greeted", "mismatched"])
def test_nobody_gives_back_a_person_on_the_line(stage: str) -> None:
    talk: Talk = getattr(Talk(), stage)()

    with pytest.raises(ClosingRequired):
        release_call(reason="assez", **talk.by())


@pytest.mark.parametrize("stage", ["dialled", "not_reached"])
def test_a_call_that_was_dialled_is_qualified_not_given_back(stage: str) -> None:
    talk: Talk = getattr(Talk(), stage)()

    with pytest.raises(InvalidTransition):
        release_call(reason="assez", **talk.by())


def test_an_expired_lease_gives_the_prospect_back_once() -> None:
    talk = Talk()

    assert expire_leases(at=talk.at) == 0
    assert expire_leases(at=talk.at + LATE) == 1
    assert expire_leases(at=talk.at + LATE) == 0

    assert talk.read().state == CallState.RELEASED
    assert talk.entry.state == EntryState.READY
    assert talk.told() == ["claimed", "expired"]
    assert claim_next(campaign=talk.campaign, by=make_user(), at=talk.at + LATE) is not None


def test_a_lease_that_was_lost_is_not_renewed() -> None:
    talk = Talk()
    expire_leases(at=talk.at + LATE)

    with pytest.raises(InvalidTransition):
        renew_lease(**talk.by())


@pytest.mark.parametrize("stage", ["dialled", "answered", "greeted"])
def test_a_call_left_on_the_line_stays_and_is_told_to_the_supervisor_once(stage: str) -> None:
    talk: Talk = getattr(Talk(), stage)()
    state = talk.read().state

    expire_leases(at=talk.at + LATE)
    expire_leases(at=talk.at + LATE)

    assert talk.read().state == state
    incident = Incident.objects.get(call=talk.call)
    assert incident.kind == IncidentKind.EXPIRED_CALL
    assert talk.told().count(CallEventKind.EXPIRED) == 1


def test_an_answer_that_comes_after_the_expiry_still_counts() -> None:
    talk = Talk().dialled()
    expire_leases(at=talk.at + LATE)

    record_answer(**talk.by(after=LATE))

    assert talk.read().state == CallState.CONNECTED


def test_a_mismatch_stays_final_when_the_lease_expires() -> None:
    talk = Talk().mismatched()

    expire_leases(at=talk.at + LATE)

    assert talk.read().out_of_criteria_at is not None
    assert talk.entry.state == EntryState.EXCLUDED
    assert Incident.objects.filter(call=talk.call, kind=IncidentKind.EXPIRED_CALL).exists()


@pytest.mark.parametrize("stage", ["mismatched", "not_reached"])
def test_a_call_that_only_lacked_its_confirmation_is_finished(stage: str) -> None:
    talk: Talk = getattr(Talk(), stage)()
    if stage == "mismatched":
        talk.hung_up()

    expire_leases(at=talk.at + LATE)

    assert talk.read().state == CallState.DONE
    assert not Incident.objects.filter(kind=IncidentKind.EXPIRED_CALL).exists()


def test_the_workers_task_does_it_by_the_clock() -> None:
    talk = Talk()
    talk.call.lease_until = talk.at - timedelta(days=400)
    talk.call.save(update_fields=["lease_until"])

    assert expire_leases_task() == 1

    assert talk.read().state == CallState.RELEASED
