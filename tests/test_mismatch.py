"""A mismatch is final: the call, the bars, the lists, what people are told, and what can no longer be done."""

from datetime import timedelta

import pytest

from calls.enums import AnsweredBy, CallbackState, CallEventKind, CallState, IncidentKind, Result
from calls.models import Callback, CallDisposition, CallEffect, Incident
from calls.services.dispositions import dispose
from calls.services.errors import ClosingRequired, Invalid, InvalidTransition, MismatchNotConfirmed
from calls.services.fiche import correct_fact
from calls.services.talk import answer_criterion, greet, hand_over
from campaigns.enums import EntryState
from campaigns.models import Exclusion
from crm.enums import EventKind
from crm.models import ProspectEvent
from tests.factories import (
    make_campaign,
    make_criterion,
    make_entry,
    make_programme,
    make_prospect,
    make_user,
    next_number,
)
from tests.talking import Talk

pytestmark = pytest.mark.django_db


def test_a_mismatch_puts_the_call_out_of_criteria_and_bars_person_and_numbers() -> None:
    numbers = [next_number(), next_number()]
    talk = Talk(prospect=make_prospect(numbers=numbers))

    talk.mismatched("une boulangerie").read()

    assert talk.call.state == CallState.CLOSING
    assert talk.call.closing_kind == "mismatch"
    assert talk.call.disposition is not None
    assert talk.call.disposition.code == "out_of_criteria"
    bars = Exclusion.objects.filter(call_ref=talk.call.pk)
    assert {(bar.prospect_id, bar.number) for bar in bars} == {
        (talk.prospect.pk, None), (None, numbers[0]), (None, numbers[1])
    }  # fmt: skip
    assert {bar.scope for bar in bars} == {"programme"}
    assert talk.entry.state == EntryState.EXCLUDED
    assert CallEffect.objects.filter(call=talk.call, kind="exclusion").count() == 3


def test_a_mismatch_is_told_in_the_call_and_in_the_timeline() -> None:
    talk = Talk().mismatched("une boulangerie")

    assert talk.told()[-2:] == [CallEventKind.CRITERION, CallEventKind.CLOSING_STARTED]
    out = ProspectEvent.objects.get(prospect=talk.prospect, kind=EventKind.OUT_OF_CRITERIA)
    assert out.data["heard"] == "une boulangerie"
    assert out.data["expected"] == "une banque"
    assert out.sponsor == talk.programme.sponsor
    assert EventKind.EXCLUDED in talk.timeline()


def test_a_mismatch_needs_what_was_heard() -> None:
    talk = Talk().greeted()

    with pytest.raises(Invalid) as refused:
        answer_criterion(criterion=talk.criterion, result=Result.MISMATCH, heard="  ", **talk.by())

    assert "heard" in refused.value.fields
    assert talk.read().state == CallState.CONNECTED
    assert not Exclusion.objects.exists()


@pytest.mark.parametrize("who", [AnsweredBy.INTENDED, AnsweredBy.COLLEAGUE])
def test_somebody_able_to_answer_for_the_prospect_can_mismatch(who: str) -> None:
    talk = Talk().greeted(who)

    answer_criterion(criterion=talk.criterion, result=Result.MISMATCH, heard="un garage", **talk.by())

    assert talk.read().out_of_criteria_at is not None


def test_somebody_unknown_cannot_mismatch_a_criterion_but_can_leave_it_open() -> None:
    talk = Talk().greeted(AnsweredBy.UNKNOWN)

    with pytest.raises(InvalidTransition):
        answer_criterion(criterion=talk.criterion, result=Result.MISMATCH, heard="un garage", **talk.by())
    answer_criterion(criterion=talk.criterion, result=Result.UNKNOWN, heard="", **talk.by())

    assert talk.read().out_of_criteria_at is None
    assert talk.call.answers.get().result == Result.UNKNOWN


def test_another_organisation_is_a_mismatch_in_itself_told_by_the_greeting() -> None:
    talk = Talk().answered()

    greet(answered_by=AnsweredBy.OTHER, **talk.by())

    assert talk.read().state == CallState.CLOSING
    answer = talk.call.answers.get()
    assert answer.criterion is None
    assert answer.expected == "Banque de l'Ouest"
    assert answer.heard != ""
    assert Incident.objects.get(call=talk.call).kind == IncidentKind.RESOURCING


def test_another_organisation_is_a_mismatch_in_itself_told_by_an_answer_without_criterion() -> None:
    talk = Talk().greeted()

    answer_criterion(criterion=None, result=Result.MISMATCH, heard="boulangerie Martin", **talk.by())

    assert talk.read().answered_by == AnsweredBy.OTHER
    assert talk.call.answers.get().heard == "boulangerie Martin"
    assert EventKind.RESOURCED in talk.timeline()


def test_without_criterion_there_is_nothing_but_a_mismatch_to_store() -> None:
    talk = Talk().greeted()

    with pytest.raises(Invalid):
        answer_criterion(criterion=None, result=Result.MATCH, heard="", **talk.by())


def test_the_greeting_comes_before_the_criteria() -> None:
    talk = Talk().answered()

    with pytest.raises(InvalidTransition, match="Saluez"):
        answer_criterion(criterion=talk.criterion, result=Result.MATCH, heard="", **talk.by())


def test_the_same_mismatch_twice_is_stored_once() -> None:
    talk = Talk().mismatched("une boulangerie")

    answer_criterion(criterion=talk.criterion, result=Result.MISMATCH, heard="une boulangerie", **talk.by())

    assert talk.call.answers.count() == 1
    assert Exclusion.objects.filter(call_ref=talk.call.pk).count() == 2
    assert CallDisposition.objects.filter(call=talk.call).count() == 1


def test_after_a_mismatch_no_other_answer_and_no_other_disposition() -> None:
    talk = Talk()
    other = make_criterion(talk.programme, field="city", value="Rennes", operator="equals")
    talk.mismatched()

    with pytest.raises(ClosingRequired):
        answer_criterion(criterion=other, result=Result.MATCH, heard="", **talk.by())
    with pytest.raises(ClosingRequired):
        dispose(code="not_interested", **talk.by())
    talk.hung_up()
    with pytest.raises(InvalidTransition):
        dispose(code="not_interested", **talk.by())

    assert talk.read().disposition is not None
    assert talk.call.disposition.code == "out_of_criteria"  # type: ignore[union-attr]
    assert talk.call.state == CallState.ENDED


def test_out_of_criteria_is_never_picked_from_the_list() -> None:
    talk = Talk().greeted()

    with pytest.raises(Invalid) as refused:
        dispose(code="out_of_criteria", **talk.by())

    assert "code" in refused.value.fields


def test_confirming_out_of_criteria_after_the_line_ends_finishes_the_call() -> None:
    talk = Talk().mismatched().hung_up()

    talk.disposed("out_of_criteria").disposed("out_of_criteria")

    assert talk.read().state == CallState.DONE
    assert CallDisposition.objects.filter(call=talk.call).count() == 1


def test_a_non_blocking_mismatch_is_reported_and_excludes_nothing() -> None:
    talk = Talk()
    size = make_criterion(talk.programme, field="attributes.effectif", blocking=False)
    talk.greeted()

    answer_criterion(criterion=size, result=Result.MISMATCH, heard="300 personnes", **talk.by())

    assert talk.read().state == CallState.CONNECTED
    assert talk.call.out_of_criteria_at is None
    assert not Exclusion.objects.exists()
    assert EventKind.CRITERION in talk.timeline()


def test_a_mismatch_in_an_ordinary_closing_makes_every_step_due_again() -> None:
    talk = Talk().greeted().said("thank")

    answer_criterion(criterion=talk.criterion, result=Result.MISMATCH, heard="un garage", **talk.by())

    assert talk.read().closing_kind == "mismatch"
    talk.said("apologise", "thank", "goodbye")
    assert talk.read().goodbyes == 1


def test_a_mismatch_closes_the_other_lists_of_the_programme_and_no_other_programme() -> None:
    talk = Talk()
    second = make_entry(make_campaign(talk.programme), talk.prospect)
    elsewhere = make_entry(make_campaign(make_programme(talk.programme.sponsor)), talk.prospect)

    talk.mismatched()

    second.refresh_from_db()
    elsewhere.refresh_from_db()
    assert second.state == EntryState.EXCLUDED
    assert elsewhere.state == EntryState.READY


def test_a_mismatch_cancels_the_callback_that_was_agreed() -> None:
    talk = Talk().greeted()
    talk.disposed("callback", callback_at=talk.at + timedelta(days=1))

    answer_criterion(criterion=talk.criterion, result=Result.MISMATCH, heard="un garage", **talk.by())

    assert Callback.objects.get(call=talk.call).state == CallbackState.EXCLUDED
    assert talk.entry.state == EntryState.EXCLUDED


def test_a_switchboard_is_barred_and_the_supervisor_is_asked_about_the_others() -> None:
    number = next_number()
    talk = Talk(prospect=make_prospect(number))
    neighbour = make_entry(talk.campaign, make_prospect(number))

    talk.mismatched()

    question = Incident.objects.get(call=talk.call, kind=IncidentKind.SHARED_NUMBER)
    assert question.data == {"others": 1}
    assert question.exclusion is not None
    assert question.exclusion.number == number
    assert question.exclusion.prospect is None
    neighbour.refresh_from_db()
    assert neighbour.state == EntryState.EXCLUDED


def test_nobody_is_asked_about_a_number_that_serves_one_record() -> None:
    talk = Talk().mismatched()

    assert not Incident.objects.filter(call=talk.call).exists()


def test_after_a_handover_greeting_and_criteria_start_again() -> None:
    talk = Talk().matched()

    hand_over(answered_by=AnsweredBy.COLLEAGUE, **talk.by())

    assert talk.read().greeted_at is None
    with pytest.raises(InvalidTransition, match="Saluez"):
        dispose(code="complete", **talk.by())
    greet(answered_by=AnsweredBy.COLLEAGUE, **talk.by())
    with pytest.raises(InvalidTransition, match="critère"):
        dispose(code="complete", **talk.by())
    answer_criterion(criterion=talk.criterion, result=Result.MATCH, heard="", **talk.by())
    talk.disposed("complete")
    assert talk.read().state == CallState.CLOSING


def test_a_handover_twice_is_one_handover() -> None:
    talk = Talk().greeted()
    hand_over(answered_by=AnsweredBy.INTENDED, **talk.by())

    with pytest.raises(InvalidTransition):
        hand_over(answered_by=AnsweredBy.INTENDED, **talk.by())

    assert talk.read().respondent == 1


def test_a_criterion_of_another_programme_is_refused() -> None:
    talk = Talk().greeted()
    foreign = make_criterion(make_programme())

    with pytest.raises(Invalid):
        answer_criterion(criterion=foreign, result=Result.MISMATCH, heard="un garage", **talk.by())


def test_a_corrected_fact_that_contradicts_waits_for_confirmation_and_changes_nothing_until_then() -> None:
    talk = Talk(prospect=make_prospect(sector="6419Z")).matched()

    with pytest.raises(MismatchNotConfirmed) as asked:
        correct_fact(data={"sector": "1071C"}, **talk.by())

    assert asked.value.extra == {"criterion": talk.criterion.pk, "expected": "une banque", "heard": "1071C"}
    talk.prospect.refresh_from_db()
    assert talk.prospect.sector == "6419Z"
    assert talk.read().out_of_criteria_at is None


def test_a_corrected_fact_is_judged_in_its_corrected_form_whatever_was_answered_before() -> None:
    talk = Talk(prospect=make_prospect(sector="6419Z")).matched()

    correct_fact(data={"sector": "1071C"}, confirmed=True, **talk.by())

    assert talk.read().closing_kind == "mismatch"
    assert talk.call.answers.order_by("-id")[0].heard == "1071C"
    talk.prospect.refresh_from_db()
    assert talk.prospect.sector == "1071C"


def test_a_fact_corrected_into_a_match_is_answered_by_it() -> None:
    talk = Talk(prospect=make_prospect(sector="")).greeted()

    correct_fact(data={"sector": "6419Z"}, **talk.by())

    assert talk.read().answers.get().result == Result.MATCH
    talk.disposed("complete")


def test_a_mismatch_leaves_other_prospects_of_the_same_list_callable() -> None:
    talk = Talk()
    other = make_entry(talk.campaign, make_prospect())

    talk.mismatched()

    other.refresh_from_db()
    assert other.state == EntryState.READY


def test_another_agent_does_not_see_the_call() -> None:
    talk = Talk().greeted()

    with pytest.raises(Exception, match="Introuvable"):
        answer_criterion(
            criterion=talk.criterion,
            result=Result.MATCH,
            heard="",
            call=talk.call,
            by=make_user(),
            at=talk.at,
        )
