"""A supervisor corrects a disposition: both rows stay, the old effects are undone, the new ones run."""

from datetime import timedelta

import pytest

from calls.enums import CallbackState, CallEventKind, CallState, IncidentKind, Result
from calls.models import Callback, CallDisposition, Incident
from calls.services.claim import claim_next
from calls.services.dispositions import ask_correction, correct_disposition, correct_version
from calls.services.errors import Forbidden, Invalid, InvalidTransition
from campaigns.enums import EntryState
from campaigns.models import Attempt, Disposition, Exclusion
from campaigns.services.exclusions import exclude
from crm.enums import EventKind
from tests.factories import make_campaign, make_entry, make_prospect, make_user, next_number
from tests.talking import Talk

pytestmark = pytest.mark.django_db

WHY = "l'agent a pressé la mauvaise touche"


def test_an_entry_error_is_corrected_and_that_calls_exclusions_are_lifted() -> None:
    talk = Talk().mismatched().hung_up().disposed("out_of_criteria")

    correct_disposition(code="no_answer", reason=WHY, **talk.by(talk.supervisor))

    assert talk.read().disposition == Disposition.objects.get(code="no_answer")
    assert talk.call.out_of_criteria_at is not None
    lifted = Exclusion.objects.filter(call_ref=talk.call.pk)
    assert {bar.lift_reason for bar in lifted} == {WHY}
    assert {bar.lifted_by for bar in lifted} == {talk.supervisor}
    rows = list(CallDisposition.objects.filter(call=talk.call).order_by("id"))
    assert [row.disposition.code for row in rows] == ["out_of_criteria", "no_answer"]
    assert (rows[1].corrects, rows[1].reason, rows[1].by) == (rows[0], WHY, talk.supervisor)


def test_a_correction_to_something_not_final_reopens_the_entry() -> None:
    talk = Talk().mismatched().hung_up().disposed("out_of_criteria")

    correct_disposition(code="no_answer", reason=WHY, **talk.by(talk.supervisor))

    entry = talk.entry
    assert (entry.state, entry.attempts, entry.excluded_by) == (EntryState.READY, 1, None)
    assert claim_next(campaign=talk.campaign, by=make_user(), at=entry.due_at) is not None


def test_a_correction_to_something_final_does_not_reopen_the_entry() -> None:
    talk = Talk().mismatched().hung_up().disposed("out_of_criteria")

    correct_disposition(code="complete", reason=WHY, **talk.by(talk.supervisor))

    assert talk.entry.state == EntryState.DONE
    assert not Exclusion.objects.active().exists()


def test_the_new_dispositions_own_effects_run() -> None:
    talk = Talk().mismatched().hung_up().disposed("out_of_criteria")

    correct_disposition(code="opt_out", reason=WHY, **talk.by(talk.supervisor))

    bars = Exclusion.objects.active().filter(call_ref=talk.call.pk)
    assert {(bar.scope, bar.reason) for bar in bars} == {("sponsor", "opposition")}
    assert talk.entry.state == EntryState.EXCLUDED


def test_a_disposition_may_be_corrected_into_out_of_criteria_with_its_bars() -> None:
    talk = Talk().matched().disposed("complete").said("thank", "goodbye").hung_up().disposed("complete")

    correct_disposition(code="out_of_criteria", reason="c'était un courtier", **talk.by(talk.supervisor))

    assert talk.read().out_of_criteria_at == talk.at
    assert {bar.reason for bar in Exclusion.objects.active().filter(call_ref=talk.call.pk)} == {
        "out_of_criteria"
    }
    assert talk.entry.state == EntryState.EXCLUDED


def test_a_correction_can_be_corrected_in_its_turn() -> None:
    talk = Talk().mismatched().hung_up().disposed("out_of_criteria")
    correct_disposition(code="opt_out", reason=WHY, **talk.by(talk.supervisor))

    correct_disposition(code="no_answer", reason="non plus", **talk.by(talk.supervisor))

    assert not Exclusion.objects.active().exists()
    assert talk.entry.state == EntryState.READY
    assert talk.entry.attempts == 1


def test_the_same_correction_twice_is_made_once() -> None:
    talk = Talk().mismatched().hung_up().disposed("out_of_criteria")

    correct_disposition(code="no_answer", reason=WHY, **talk.by(talk.supervisor))
    due = talk.entry.due_at
    correct_disposition(code="no_answer", reason=WHY, **talk.by(talk.supervisor))

    assert talk.entry.due_at == due
    assert CallDisposition.objects.filter(call=talk.call).count() == 2


def test_bars_that_another_cause_holds_stay() -> None:
    talk = Talk().mismatched().hung_up().disposed("out_of_criteria")
    own_words = exclude(
        scope="programme", programme=talk.programme, prospect=talk.prospect, reason="opposition", by=talk.manager,
        at=talk.at,
    )  # fmt: skip

    correct_disposition(code="no_answer", reason=WHY, **talk.by(talk.supervisor))

    assert list(Exclusion.objects.active()) == [own_words]
    assert talk.entry.state == EntryState.EXCLUDED


def test_the_other_lists_that_the_mismatch_closed_are_open_again() -> None:
    number = next_number()
    talk = Talk(prospect=make_prospect(number))
    second = make_entry(make_campaign(talk.programme), talk.prospect)
    neighbour = make_entry(talk.campaign, make_prospect(number))
    talk.mismatched().hung_up().disposed("out_of_criteria")

    correct_disposition(code="no_answer", reason=WHY, **talk.by(talk.supervisor))

    for entry in (second, neighbour):
        entry.refresh_from_db()
        assert entry.state == EntryState.READY


def test_a_promised_callback_is_cancelled_with_the_disposition_that_promised_it() -> None:
    talk = Talk().greeted()
    talk.disposed("callback", callback_at=talk.at + timedelta(days=1)).said("thank", "goodbye").hung_up()
    talk.disposed("callback")

    correct_disposition(code="not_interested", reason=WHY, **talk.by(talk.supervisor))

    assert Callback.objects.get(call=talk.call).state == CallbackState.CANCELLED
    assert talk.entry.state == EntryState.DONE


def test_a_correction_may_promise_a_callback() -> None:
    talk = Talk().mismatched().hung_up().disposed("out_of_criteria")

    with pytest.raises(Invalid):
        correct_disposition(code="callback", reason=WHY, **talk.by(talk.supervisor))
    correct_disposition(
        code="callback", reason=WHY, callback_at=talk.at + timedelta(days=1), **talk.by(talk.supervisor)
    )

    assert talk.entry.state == EntryState.CALLBACK


def test_the_ledger_follows_the_correction() -> None:
    talk = Talk().not_reached("technical").disposed("technical")
    assert not Attempt.objects.get(call_ref=talk.call.pk).counted

    correct_disposition(code="no_answer", reason=WHY, **talk.by(talk.supervisor))

    assert Attempt.objects.get(call_ref=talk.call.pk).counted
    assert talk.entry.attempts == 1


def test_an_agent_corrects_nothing_and_nobody_does_without_a_reason() -> None:
    talk = Talk().mismatched().hung_up()

    with pytest.raises(Forbidden):
        correct_disposition(code="no_answer", reason=WHY, **talk.by())
    with pytest.raises(Invalid) as refused:
        correct_disposition(code="no_answer", reason="  ", **talk.by(talk.supervisor))

    assert "reason" in refused.value.fields
    assert Exclusion.objects.active().exists()


def test_there_is_nothing_to_correct_before_a_disposition() -> None:
    talk = Talk().greeted()

    with pytest.raises(InvalidTransition):
        correct_disposition(code="no_answer", reason=WHY, **talk.by(talk.supervisor))
    with pytest.raises(InvalidTransition):
        ask_correction(reason=WHY, **talk.by())


def test_the_same_disposition_is_no_correction() -> None:
    talk = Talk().mismatched()

    with pytest.raises(Invalid):
        correct_disposition(code="out_of_criteria", reason=WHY, **talk.by(talk.supervisor))


def test_a_correction_during_the_closing_leaves_the_closing_due() -> None:
    talk = Talk().mismatched().said("apologise")

    correct_disposition(code="not_interested", reason=WHY, **talk.by(talk.supervisor))

    assert talk.read().state == CallState.CLOSING
    talk.said("thank", "goodbye").hung_up()
    talk.disposed("not_interested")
    assert talk.read().state == CallState.DONE


def test_an_agent_asks_for_a_correction_once_and_it_reaches_the_supervisor() -> None:
    talk = Talk().mismatched()

    ask_correction(reason="mauvaise touche", **talk.by())
    ask_correction(reason="mauvaise touche", **talk.by())

    asked = Incident.objects.get(call=talk.call, kind=IncidentKind.ENTRY_ERROR)
    assert asked.summary == "mauvaise touche"
    assert talk.told().count(CallEventKind.CORRECTION_ASKED) == 1


def test_a_correction_is_told_in_the_call_and_on_the_timeline() -> None:
    talk = Talk().mismatched().hung_up().disposed("out_of_criteria")

    correct_disposition(code="no_answer", reason=WHY, **talk.by(talk.supervisor))

    told = talk.call.events.get(kind=CallEventKind.CORRECTED).data
    assert (told["from"], told["to"], told["reason"]) == ("out_of_criteria", "no_answer", WHY)
    assert EventKind.CORRECTED in talk.timeline()
    assert EventKind.LIFTED in talk.timeline()


def test_a_manager_corrects_in_bulk_what_one_wrong_version_of_a_criterion_caused() -> None:
    first = Talk().mismatched().hung_up().disposed("out_of_criteria")
    second = Talk(programme=first.programme).mismatched().hung_up().disposed("out_of_criteria")

    with pytest.raises(Forbidden):
        correct_version(
            criterion=first.criterion,
            version=1,
            code="no_answer",
            reason=WHY,
            by=first.supervisor,
            at=first.at,
        )
    done = correct_version(
        criterion=first.criterion, version=1, code="no_answer", reason=WHY, by=first.manager, at=second.at
    )
    again = correct_version(
        criterion=first.criterion, version=1, code="no_answer", reason=WHY, by=first.manager, at=second.at
    )

    assert (done, again) == (2, 0)
    assert {talk.entry.state for talk in (first, second)} == {EntryState.READY}
    assert not Exclusion.objects.active().exists()


def test_another_version_of_the_criterion_is_left_alone() -> None:
    talk = Talk().mismatched().hung_up().disposed("out_of_criteria")

    done = correct_version(
        criterion=talk.criterion, version=2, code="no_answer", reason=WHY, by=talk.manager, at=talk.at
    )

    assert done == 0
    assert talk.call.answers.get().result == Result.MISMATCH
    assert talk.entry.state == EntryState.EXCLUDED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "code", ["refusal", "opt_out", "wrong_number", "not_interested", "deceased", "abuse_ended"]
)
def test_each_step_of_a_correction_is_committed_whole(code: str) -> None:
    talk = Talk().greeted().disposed(code, note="entendu").said(*_steps_of(code)).hung_up().disposed(code)

    correct_disposition(code="out_of_criteria", reason="en fait un garage", **talk.by(talk.supervisor))
    correct_disposition(
        code=code, reason="non, la première était juste", note="vu", **talk.by(talk.supervisor)
    )
    correct_disposition(code="no_answer", reason="ni l'une ni l'autre", **talk.by(talk.supervisor))

    assert talk.read().state == CallState.DONE
    assert not Exclusion.objects.active().exists()
    assert talk.entry.state == EntryState.READY
    assert talk.call.dispositions.count() == 4


def _steps_of(code: str) -> tuple[str, ...]:
    apology = ("apologise",) if code in ("wrong_number", "deceased") else ()
    return (*apology, "thank", "goodbye")
