"""What a supervisor answers an agent who calls, before deciding anything, and the promise to call back."""

from datetime import timedelta

import pytest

from calls.enums import AnswerKind, CallEventKind, CallState, IncidentKind
from calls.models import Callback, Incident, IncidentAnswer
from calls.selectors.inbox import InboxFilter, calling_now, incidents_found, waiting
from calls.services.conclude import incident_of
from calls.services.errors import Forbidden, Invalid, InvalidTransition
from calls.services.help import answer_incident, keep_promises, see_incidents
from calls.services.situations import enter_stage
from calls.services.supervisor import ask_supervisor
from campaigns.enums import EntryState
from crm.enums import Role
from crm.models import Sponsor
from tests.factories import NOW, make_user
from tests.racing import race, unexpected
from tests.rawsql import execute, insert, refused
from tests.talking import Talk

db = pytest.mark.django_db
EVERY = Sponsor.objects


def called(talk: Talk) -> Incident:
    """Call the supervisor."""
    ask_supervisor(**talk.by(), words="Elle veut un responsable.")
    return Incident.objects.get(call=talk.call, kind=IncidentKind.HELP)


@db
def test_seen_and_accepted_are_kept_once_and_decide_nothing() -> None:
    talk = Talk().greeted()
    help = called(talk)

    for _look in range(2):
        see_incidents(incidents=[help], by=talk.supervisor, at=talk.at)
        answer_incident(incident=help, kind=AnswerKind.ACCEPTED, by=talk.supervisor, at=talk.at)

    help.refresh_from_db()
    assert help.waiting
    assert list(help.answers.values_list("kind", flat=True)) == ["seen", "accepted"]
    assert talk.told().count(CallEventKind.SUPERVISOR_ANSWERED) == 1


@db
def test_the_second_supervisor_is_told_who_was_first() -> None:
    talk = Talk().greeted()
    help = called(talk)
    second = make_user(Role.SUPERVISOR)
    first = make_user(Role.SUPERVISOR, first_name="Camille", last_name="Durand")
    answer_incident(incident=help, kind=AnswerKind.ACCEPTED, by=first, at=talk.at)

    with pytest.raises(InvalidTransition, match="Camille Durand"):
        answer_incident(incident=help, kind=AnswerKind.ACCEPTED, by=second, at=talk.at)
    with pytest.raises(Forbidden):
        answer_incident(incident=help, kind=AnswerKind.ACCEPTED, by=talk.agent, at=talk.at)


@db
def test_who_declines_leaves_the_request_to_the_others() -> None:
    talk = Talk().greeted()
    help = called(talk)

    answer_incident(incident=help, kind=AnswerKind.DECLINED, words="en ligne", by=talk.supervisor, at=talk.at)
    assert calling_now(EVERY.all()) == [help]
    answer_incident(incident=help, kind=AnswerKind.ACCEPTED, by=talk.manager, at=talk.at)

    assert calling_now(EVERY.all()) == []


@db
def test_a_promise_to_call_back_ends_the_request_and_becomes_a_callback_after_the_call() -> None:
    talk = Talk().matched()
    help = called(talk)
    due_at = talk.at + timedelta(hours=3)
    with pytest.raises(Invalid):
        answer_incident(incident=help, kind=AnswerKind.LATER, by=talk.supervisor, at=talk.at)
    with pytest.raises(Invalid):
        answer_incident(incident=help, kind=AnswerKind.LATER, due_at=NOW, by=talk.supervisor, at=talk.at)

    answer_incident(
        incident=help,
        kind=AnswerKind.LATER,
        due_at=due_at,
        words="sur le tarif",
        by=talk.supervisor,
        at=talk.at,
    )
    assert help.decision_row.decision == "calmer_talk"
    assert keep_promises(at=talk.at) == 0
    talk.disposed("partial", note="la suite").said("thank", "goodbye").hung_up()
    talk.disposed("partial", note="la suite")
    assert talk.read().state == CallState.DONE
    made = [keep_promises(at=talk.at) for _tick in range(2)]

    callback = Callback.objects.get()
    assert made == [1, 0]
    assert (callback.owner, callback.due_at, callback.note) == (talk.supervisor, due_at, "sur le tarif")
    assert (talk.entry.state, talk.entry.owner, talk.entry.due_at) == (
        EntryState.CALLBACK,
        talk.supervisor,
        due_at,
    )


@db
def test_a_promise_about_somebody_who_is_barred_stays_a_note() -> None:
    talk = Talk().mismatched()
    help = called(talk)
    due_at = talk.at + timedelta(hours=3)
    answer_incident(incident=help, kind=AnswerKind.LATER, due_at=due_at, by=talk.supervisor, at=talk.at)
    talk.said("apologise", "thank", "goodbye").hung_up().disposed("out_of_criteria")

    assert keep_promises(at=talk.at) == 0

    assert not Callback.objects.exists()
    assert talk.entry.state == EntryState.EXCLUDED


@db
def test_nobody_answers_a_report_nor_what_is_decided() -> None:
    talk = Talk().greeted()
    enter_stage(situation="racist", stage=6, **talk.by())
    abuse = Incident.objects.get(kind=IncidentKind.ABUSE)

    with pytest.raises(Invalid):
        answer_incident(incident=abuse, kind=AnswerKind.ACCEPTED, by=talk.supervisor, at=talk.at)
    see_incidents(incidents=[abuse], by=talk.supervisor, at=talk.at)

    assert not IncidentAnswer.objects.exists()


@db
def test_danger_is_above_calls_for_help_and_both_above_the_rest() -> None:
    talk, other, third = Talk().greeted(), Talk().greeted(), Talk().greeted()
    enter_stage(situation="racist", stage=6, **third.by())
    help = called(talk)
    danger = incident_of(other.call, IncidentKind.DANGER, by=other.agent, at=other.at, data={})
    danger.save()

    rows = list(incidents_found(EVERY.all(), InboxFilter(), at=NOW))

    assert rows[:2] == [danger, help]
    assert calling_now(EVERY.all()) == [danger, help]
    assert waiting(EVERY.all()).calling == 2


@db
def test_the_token_changes_with_each_answer_and_decision() -> None:
    talk = Talk().greeted()
    tokens = [waiting(EVERY.all()).token]
    help = called(talk)
    tokens.append(waiting(EVERY.all()).token)
    answer_incident(incident=help, kind=AnswerKind.ACCEPTED, by=talk.supervisor, at=talk.at)
    tokens.append(waiting(EVERY.all()).token)

    assert len(set(tokens)) == 3


@db
def test_raw_sql_answers_for_no_agent_nor_twice_nor_after_the_decision() -> None:
    talk = Talk().greeted()
    help = called(talk)

    def answer(**columns: object) -> int:
        row = {"kind": "accepted", "by": talk.supervisor, "at": NOW, **columns}
        return insert(IncidentAnswer(incident=help, **row))

    with refused("incident_answer_by_supervisor"):
        answer(by=talk.agent)
    with refused("incident_answer_later_says_when"):
        answer(kind="later")
    answer()
    with refused("incident_taken_once"):
        answer(by=talk.manager)
    for statement in ("UPDATE calls_incidentanswer SET words = 'x'", "DELETE FROM calls_incidentanswer"):
        with refused("incident_answer_append_only"):
            execute(statement)


@pytest.mark.django_db(transaction=True)
def test_of_two_supervisors_at_once_the_first_takes_it() -> None:
    talk = Talk().greeted()
    help = called(talk)

    results = race(
        *(
            lambda by=by: answer_incident(incident=help, kind=AnswerKind.ACCEPTED, by=by, at=talk.at)
            for by in (talk.supervisor, talk.manager)
        )
    )

    assert unexpected(results, InvalidTransition) == []
    assert IncidentAnswer.objects.count() == 1
