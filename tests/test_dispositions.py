"""How a call ended: what may be chosen when, and what each choice does to bars, lists and attempts."""

from datetime import timedelta

import pytest

from calls.enums import CallState, IncidentKind, Result
from calls.models import CallDisposition, CallEffect, Incident
from calls.rules.retry import Outcome, plan_entry
from calls.selectors.call_screen import dispositions_of
from calls.services.dispositions import dispose
from calls.services.errors import Invalid, InvalidTransition
from calls.services.talk import answer_criterion
from campaigns.enums import EntryState
from campaigns.models import Attempt, Disposition, DispositionRule, Exclusion
from tests.factories import NOW, make_criterion, make_prospect, next_number
from tests.talking import Talk

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("outcome", "facts", "state", "due", "attempts"),
    [
        (Outcome(final=True), {}, EntryState.DONE, None, 2),
        (Outcome(final=True), {"barred": True}, EntryState.EXCLUDED, None, 2),
        (Outcome(final=False, retry_after=HOUR), {}, EntryState.READY, NOW + HOUR, 2),
        (Outcome(final=False, retry_after=HOUR), {"attempts": 3}, EntryState.EXHAUSTED, None, 4),
        (Outcome(final=False, retry_after=HOUR), {"attempts": 2}, EntryState.READY, NOW + HOUR, 3),
        (
            Outcome(final=False, retry_after=HOUR, counts_as_attempt=False),
            {"attempts": 3}, EntryState.READY, NOW + HOUR, 3,
        ),
        (Outcome(final=False, retry_after=HOUR), {"callable_number": False}, EntryState.EXHAUSTED, None, 2),
        (
            Outcome(final=False, retry_after=HOUR),
            {"callback_at": NOW + HOUR, "attempts": 9}, EntryState.CALLBACK, NOW + HOUR, 10,
        ),
        (
            Outcome(final=False, retry_after=HOUR),
            {"callback_at": NOW + HOUR, "barred": True}, EntryState.EXCLUDED, None, 2,
        ),
        (Outcome(final=True, about_the_number=True), {}, EntryState.READY, NOW, 2),
        (Outcome(final=True, about_the_number=True), {"callable_number": False}, EntryState.DONE, None, 2),
        (Outcome(final=True), {"callback_at": NOW + HOUR}, EntryState.CALLBACK, NOW + HOUR, 2),
    ],
)  # fmt: skip
def test_what_becomes_of_an_entry(
    outcome: Outcome, facts: dict[str, object], state: str, due: object, attempts: int
) -> None:
    given = {
        "attempts": 1, "max_attempts": 4, "barred": False, "callable_number": True, "callback_at": None, "at": NOW
    } | facts  # fmt: skip

    plan = plan_entry(outcome, **given)  # type: ignore[arg-type]

    assert (plan.state, plan.due_at, plan.attempts) == (state, due, attempts)


@pytest.mark.django_db
def test_a_disposition_on_the_line_starts_the_closing_and_is_stored_once() -> None:
    talk = Talk().matched()

    talk.disposed("complete").disposed("complete")

    assert talk.read().state == CallState.CLOSING
    assert talk.call.closing_kind == "ordinary"
    assert CallDisposition.objects.filter(call=talk.call).count() == 1
    assert CallEffect.objects.filter(call=talk.call).count() == 1


@pytest.mark.django_db
def test_a_second_disposition_is_a_supervisors_correction() -> None:
    talk = Talk().matched().disposed("complete")

    with pytest.raises(InvalidTransition, match="superviseur"):
        dispose(code="not_interested", **talk.by())
    talk.said("thank", "goodbye").hung_up()
    with pytest.raises(InvalidTransition):
        dispose(code="not_interested", **talk.by())


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["complete", "appointment"])
def test_success_needs_every_blocking_criterion_at_match(code: str) -> None:
    talk = Talk()
    city = make_criterion(
        talk.programme, field="city", operator="equals", value="Rennes", question="À Rennes ?"
    )
    make_criterion(talk.programme, field="attributes.size", blocking=False)
    talk.matched()

    with pytest.raises(InvalidTransition, match="À Rennes") as refused:
        dispose(code=code, note="vu", **talk.by())
    answer_criterion(criterion=city, result=Result.UNKNOWN, heard="", **talk.by())
    with pytest.raises(InvalidTransition):
        dispose(code=code, note="vu", **talk.by())
    answer_criterion(criterion=city, result=Result.MATCH, heard="", **talk.by())
    dispose(code=code, note="vu", **talk.by())

    assert refused.value.extra["criteria"] == [city.pk]
    assert talk.read().state == CallState.CLOSING


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["partial", "refusal", "opt_out", "not_interested"])
def test_an_unknown_criterion_leaves_what_needs_no_match(code: str) -> None:
    talk = Talk().greeted()
    answer_criterion(criterion=talk.criterion, result=Result.UNKNOWN, heard="", **talk.by())

    dispose(code=code, note="pressé", **talk.by())

    assert talk.read().state == CallState.CLOSING


@pytest.mark.django_db
def test_a_trusted_file_that_matches_counts_and_one_that_is_not_trusted_does_not() -> None:
    trusted = Talk(prospect=make_prospect(sector="6419Z")).greeted()
    doubted = Talk(prospect=make_prospect(sector="6419Z"))
    doubted.programme.criteria.update(trust_file=False)
    doubted.greeted()

    dispose(code="complete", **trusted.by())
    with pytest.raises(InvalidTransition):
        dispose(code="complete", **doubted.by())

    assert trusted.read().state == CallState.CLOSING


@pytest.mark.django_db
def test_what_the_person_does_not_know_outranks_the_file() -> None:
    talk = Talk(prospect=make_prospect(sector="6419Z")).greeted()
    answer_criterion(criterion=talk.criterion, result=Result.UNKNOWN, heard="", **talk.by())

    with pytest.raises(InvalidTransition):
        dispose(code="complete", **talk.by())


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["no_answer", "busy", "voicemail", "technical"])
def test_nobody_qualifies_a_person_as_a_machine(code: str) -> None:
    talk = Talk().greeted()

    with pytest.raises(InvalidTransition):
        dispose(code=code, **talk.by())


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["complete", "refusal", "not_interested"])
def test_nobody_qualifies_a_machine_as_a_person(code: str) -> None:
    talk = Talk().not_reached("voicemail")

    with pytest.raises(InvalidTransition):
        dispose(code=code, **talk.by())


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["refusal", "no_answer"])
def test_a_line_that_ended_before_the_greeting_may_have_been_either(code: str) -> None:
    talk = Talk().answered().hung_up("unknown").disposed(code)

    assert talk.read().state == CallState.DONE


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["greeted", "not_reached"])
def test_what_is_offered_is_what_may_be_chosen(state: str) -> None:
    talk: Talk = getattr(Talk(), state)()

    offered = dispositions_of(talk.read())

    reach = {"greeted": "human", "not_reached": "machine"}[state]
    assert {row.reach for row in offered} == {reach}
    assert "out_of_criteria" not in {row.code for row in offered}


@pytest.mark.django_db
def test_a_campaign_may_leave_a_disposition_out() -> None:
    talk = Talk().greeted()
    DispositionRule.objects.create(
        campaign=talk.campaign, disposition=Disposition.objects.get(code="not_interested"), enabled=False
    )

    with pytest.raises(Invalid) as refused:
        dispose(code="not_interested", **talk.by())

    assert "code" in refused.value.fields
    assert "not_interested" not in {row.code for row in dispositions_of(talk.read())}


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["", "nonsense"])
def test_an_unknown_code_is_refused(code: str) -> None:
    talk = Talk().greeted()

    with pytest.raises(Invalid):
        dispose(code=code, **talk.by())


@pytest.mark.django_db
def test_a_note_is_asked_for_where_the_disposition_says_so() -> None:
    talk = Talk().greeted()

    with pytest.raises(Invalid) as refused:
        dispose(code="partial", note=" ", **talk.by())
    dispose(code="partial", note="reprendre à la question 4", **talk.by())

    assert "note" in refused.value.fields
    assert CallDisposition.objects.get(call=talk.call).note == "reprendre à la question 4"


@pytest.mark.django_db
def test_an_attempt_that_failed_comes_back_after_the_catalogues_delay() -> None:
    talk = Talk().not_reached("busy").disposed("busy")

    entry = talk.entry

    delay = Disposition.objects.get(code="busy").retry_after
    assert delay is not None
    assert (entry.state, entry.due_at, entry.attempts) == (EntryState.READY, talk.at + delay, 1)


@pytest.mark.django_db
def test_a_campaigns_own_delay_outranks_the_catalogues() -> None:
    talk = Talk()
    DispositionRule.objects.create(
        campaign=talk.campaign,
        disposition=Disposition.objects.get(code="busy"),
        retry_after=timedelta(minutes=7),
    )

    talk.not_reached("busy").disposed("busy")

    assert talk.entry.due_at == talk.at + timedelta(minutes=7)


@pytest.mark.django_db
def test_the_last_attempt_exhausts_the_entry() -> None:
    talk = Talk(max_attempts=1, calling_rule="default").not_reached("no_answer").disposed("no_answer")

    assert talk.entry.state == EntryState.EXHAUSTED


@pytest.mark.django_db
def test_a_campaign_without_caps_exhausts_nobody() -> None:
    talk = Talk(max_attempts=1, calling_rule="none").not_reached("no_answer").disposed("no_answer")

    assert (talk.entry.state, talk.entry.attempts) == (EntryState.READY, 1)


@pytest.mark.django_db
def test_a_technical_failure_costs_the_person_no_attempt() -> None:
    talk = Talk(max_attempts=1).not_reached("technical").disposed("technical")

    assert (talk.entry.state, talk.entry.attempts) == (EntryState.READY, 0)
    assert not Attempt.objects.get(call_ref=talk.call.pk).counted


@pytest.mark.django_db
def test_a_refusal_bars_the_person_in_the_programme() -> None:
    talk = Talk().greeted().disposed("refusal")

    bars = Exclusion.objects.filter(call_ref=talk.call.pk)

    assert {(bar.scope, bar.reason, bar.programme) for bar in bars} == {
        ("programme", "refusal", talk.programme)
    }
    assert {bar.prospect for bar in bars} == {talk.prospect, None}
    entry = talk.entry
    assert (entry.state, entry.verdict_gate) == (EntryState.EXCLUDED, "exclusion")
    assert entry.excluded_by in bars


@pytest.mark.django_db
def test_do_not_call_again_holds_for_everything_of_the_sponsor() -> None:
    talk = Talk().greeted().disposed("opt_out")

    bars = Exclusion.objects.filter(call_ref=talk.call.pk)

    assert {(bar.scope, bar.sponsor, bar.programme) for bar in bars} == {
        ("sponsor", talk.programme.sponsor, None)
    }
    assert set(bars.values_list("number", flat=True)) == {None, talk.call.number}


@pytest.mark.django_db
def test_an_invalid_number_is_barred_and_the_next_number_tried() -> None:
    numbers = [next_number(), next_number()]
    talk = Talk(prospect=make_prospect(numbers=numbers))

    talk.not_reached("invalid_number").disposed("invalid_number")

    bar = Exclusion.objects.get(call_ref=talk.call.pk)
    assert (bar.number, bar.prospect) == (numbers[0], None)
    assert (talk.entry.state, talk.entry.number) == (EntryState.READY, numbers[1])
    assert not Incident.objects.exists()


@pytest.mark.django_db
def test_a_fiche_whose_only_number_is_invalid_goes_to_resourcing() -> None:
    talk = Talk().not_reached("invalid_number").disposed("invalid_number")

    assert talk.entry.state == EntryState.EXCLUDED
    assert Incident.objects.get(call=talk.call).kind == IncidentKind.RESOURCING


@pytest.mark.django_db
def test_a_wrong_number_is_apologised_for_in_three_steps() -> None:
    talk = Talk().greeted().disposed("wrong_number")

    assert talk.read().closing_kind == "mismatch"
    talk.said("apologise", "thank", "goodbye")
    assert talk.read().goodbyes == 1


@pytest.mark.django_db
def test_the_answer_to_a_criterion_is_asked_first_next_time_when_nobody_knew() -> None:
    from calls.selectors.answers import standings

    talk = Talk()
    city = make_criterion(talk.programme, field="city", operator="equals", value="Rennes", position=5)
    talk.matched()
    answer_criterion(criterion=city, result=Result.UNKNOWN, heard="", **talk.by())
    talk.disposed("partial", note="à suivre").said("thank", "goodbye").hung_up().disposed("partial")

    again = Talk(programme=talk.programme, prospect=talk.prospect)
    rows = standings(again.call)

    assert [row.criterion for row in rows] == [city, talk.criterion]
    assert rows[0].is_asked_first
    assert rows[1].is_met
