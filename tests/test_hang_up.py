"""The golden rule: the prospect hangs up. When the agent may, to the second, and what happens when one does anyway."""

from datetime import timedelta

import pytest

from calls.enums import CallEventKind, CallState, IncidentKind
from calls.models import Incident
from calls.rules.hang_up import LineFacts, Why, may_hang_up, may_hang_up_from, why_may_hang_up
from calls.services.closing import release_to_hang_up
from calls.services.errors import ClosingRequired, Forbidden, Invalid, InvalidTransition
from calls.services.line import ask_hang_up, explain_hang_up, record_hang_up, record_line_dead
from calls.services.situations import enter_stage, leave_situation, mark_driving
from calls.services.talk import hand_over
from tests.factories import NOW
from tests.talking import Talk


def later(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def on_line(**facts: object) -> LineFacts:
    return LineFacts(**{"state": CallState.CLOSING, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize("state", [CallState.DIALLING, CallState.NOT_REACHED])
def test_a_line_that_no_human_answered_may_be_hung_up(state: str) -> None:
    assert why_may_hang_up(LineFacts(state=state), NOW) == Why.NOBODY


@pytest.mark.parametrize("state", [CallState.CLAIMED, CallState.ENDED, CallState.DONE, CallState.RELEASED])
def test_without_a_line_there_is_nothing_to_hang_up(state: str) -> None:
    facts = LineFacts(state=state, end_allowed_by="supervisor", goodbyes=2, goodbye_at=NOW, line_dead_at=NOW)

    assert not may_hang_up(facts, NOW + later(1000))


@pytest.mark.parametrize(
    ("permit", "why"),
    [("stage:racist/6", Why.STAGE), ("supervisor", Why.SUPERVISOR), ("driving", Why.DRIVING)],
)
@pytest.mark.parametrize("state", [CallState.CONNECTED, CallState.CLOSING])
def test_a_permission_ends_the_call_at_once(permit: str, why: Why, state: str) -> None:
    assert why_may_hang_up(LineFacts(state=state, end_allowed_by=permit), NOW) == why


def test_a_permission_that_nobody_knows_allows_nothing() -> None:
    assert not may_hang_up(on_line(end_allowed_by="because"), NOW)


def test_somebody_who_objected_is_let_go_after_the_goodbye_and_not_before() -> None:
    assert not may_hang_up(on_line(objected=True), NOW)
    assert why_may_hang_up(on_line(objected=True, goodbyes=1, goodbye_at=NOW), NOW) == Why.OBJECTED


def test_one_goodbye_alone_allows_nothing_however_long_one_waits() -> None:
    assert not may_hang_up(on_line(goodbyes=1, goodbye_at=NOW), NOW + later(3600))


@pytest.mark.parametrize(("seconds", "may"), [(0, False), (19.999, False), (20, True), (21, True)])
def test_a_dead_line_may_be_hung_up_after_its_seconds(seconds: float, may: bool) -> None:
    facts = on_line(goodbyes=1, goodbye_at=NOW, line_dead_at=NOW, dead_line_seconds=20)

    assert may_hang_up(facts, NOW + later(seconds)) is may


def test_a_dead_line_without_goodbye_allows_nothing() -> None:
    assert not may_hang_up(on_line(line_dead_at=NOW), NOW + later(3600))


@pytest.mark.parametrize(("seconds", "may"), [(0, False), (44.999, False), (45, True), (46, True)])
def test_patience_after_the_second_goodbye_is_enough_whatever_the_noise(seconds: float, may: bool) -> None:
    facts = on_line(goodbyes=2, goodbye_at=NOW, patience_seconds=45)

    assert may_hang_up(facts, NOW + later(seconds)) is may


def test_the_campaign_sets_both_delays() -> None:
    dead = on_line(goodbyes=1, goodbye_at=NOW, line_dead_at=NOW, dead_line_seconds=5)
    patient = on_line(goodbyes=2, goodbye_at=NOW, patience_seconds=10)

    assert may_hang_up(dead, NOW + later(5))
    assert may_hang_up(patient, NOW + later(10))


@pytest.mark.parametrize(
    ("facts", "seconds"),
    [
        (on_line(goodbyes=1, goodbye_at=NOW), None),
        (on_line(goodbyes=1, goodbye_at=NOW, line_dead_at=NOW), 20),
        (on_line(goodbyes=2, goodbye_at=NOW), 45),
        (on_line(goodbyes=2, goodbye_at=NOW, line_dead_at=NOW + later(10)), 30),
        (on_line(goodbyes=2, goodbye_at=NOW, line_dead_at=NOW + later(40)), 45),
        (on_line(end_allowed_by="driving"), 0),
    ],
)
def test_the_screen_knows_when_the_right_will_come(facts: LineFacts, seconds: float | None) -> None:
    expected = None if seconds is None else NOW + later(seconds)

    assert may_hang_up_from(facts, NOW) == expected


@pytest.mark.django_db
def test_the_hang_up_button_is_refused_before_the_rule_allows_it() -> None:
    talk = Talk().mismatched()

    with pytest.raises(ClosingRequired):
        ask_hang_up(**talk.by())
    talk.said("apologise", "thank", "goodbye")
    with pytest.raises(ClosingRequired):
        ask_hang_up(**talk.by())

    assert talk.read().state == CallState.CLOSING
    assert CallEventKind.HUNG_UP not in talk.told()


@pytest.mark.django_db
def test_a_silent_line_frees_the_agent_twenty_seconds_after_the_goodbye() -> None:
    talk = Talk().mismatched().said("apologise", "thank", "goodbye")
    record_line_dead(**talk.by())

    with pytest.raises(ClosingRequired):
        ask_hang_up(**talk.by(after=later(19)))
    ask_hang_up(**talk.by(after=later(1)))
    talk.hung_up("agent")

    assert talk.read().state == CallState.ENDED
    assert not Incident.objects.filter(kind=IncidentKind.HANG_UP_REVIEW).exists()


@pytest.mark.django_db
def test_silence_while_the_agent_speaks_does_not_count() -> None:
    talk = Talk().mismatched()
    record_line_dead(**talk.by())
    talk.at += later(60)
    talk.said("apologise", "thank", "goodbye")

    with pytest.raises(ClosingRequired):
        ask_hang_up(**talk.by(after=later(19)))
    ask_hang_up(**talk.by(after=later(1)))


@pytest.mark.django_db
def test_a_voice_heard_again_starts_the_silence_anew() -> None:
    talk = Talk().mismatched().said("apologise", "thank", "goodbye")
    record_line_dead(**talk.by())
    record_line_dead(dead=False, **talk.by())

    with pytest.raises(ClosingRequired):
        ask_hang_up(**talk.by(after=later(60)))


@pytest.mark.django_db
def test_silence_told_twice_counts_from_the_first_time() -> None:
    talk = Talk().mismatched().said("apologise", "thank", "goodbye")
    record_line_dead(**talk.by())
    record_line_dead(**talk.by(after=later(19)))

    ask_hang_up(**talk.by(after=later(1)))

    assert talk.told().count(CallEventKind.LINE_DEAD) == 1


@pytest.mark.django_db
def test_patience_runs_from_the_first_repetition_of_the_goodbye() -> None:
    talk = Talk().mismatched().said("apologise", "thank", "goodbye", "goodbye")
    talk.at += later(30)
    talk.said("goodbye")

    with pytest.raises(ClosingRequired):
        ask_hang_up(**talk.by(after=later(9)))
    ask_hang_up(**talk.by(after=later(1)))

    assert talk.read().goodbyes == 3


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["refusal", "opt_out"])
def test_an_objection_lets_the_agent_end_the_call_after_the_goodbye(code: str) -> None:
    talk = Talk().greeted().disposed(code)

    with pytest.raises(ClosingRequired):
        ask_hang_up(**talk.by())
    talk.said("thank", "goodbye")
    ask_hang_up(**talk.by())
    talk.hung_up("agent")

    assert not Incident.objects.filter(kind=IncidentKind.HANG_UP_REVIEW).exists()


@pytest.mark.django_db
def test_lack_of_interest_is_no_objection() -> None:
    talk = Talk().greeted().disposed("not_interested").said("thank", "goodbye")

    with pytest.raises(ClosingRequired):
        ask_hang_up(**talk.by())


@pytest.mark.django_db
def test_only_a_stage_that_says_so_lets_the_agent_end_the_call_and_it_is_reported() -> None:
    talk = Talk().greeted()

    enter_stage(situation="aggressive", stage=2, **talk.by())
    with pytest.raises(ClosingRequired):
        ask_hang_up(**talk.by())
    enter_stage(situation="aggressive", stage=3, **talk.by())
    ask_hang_up(**talk.by())

    incident = Incident.objects.get(call=talk.call)
    assert incident.kind == IncidentKind.ABUSE
    assert incident.data == {"situation": "aggressive", "stage": 3}


@pytest.mark.django_db
def test_the_same_stage_twice_is_told_once() -> None:
    talk = Talk().greeted()

    enter_stage(situation="aggressive", stage=3, **talk.by())
    enter_stage(situation="aggressive", stage=3, **talk.by())

    assert talk.told().count(CallEventKind.SITUATION) == 1
    assert Incident.objects.filter(call=talk.call).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("situation", ["boss", "language", "lost"])
def test_some_situations_never_end_a_call(situation: str) -> None:
    talk = Talk().greeted()

    for stage in (1, 2):
        enter_stage(situation=situation, stage=stage, **talk.by())

    with pytest.raises(ClosingRequired):
        ask_hang_up(**talk.by())


@pytest.mark.django_db
def test_a_stage_that_does_not_exist_is_refused() -> None:
    talk = Talk().greeted()

    with pytest.raises(Invalid):
        enter_stage(situation="aggressive", stage=9, **talk.by())


@pytest.mark.django_db
def test_once_the_person_calmed_down_the_call_goes_on_as_any_other() -> None:
    talk = Talk().greeted()
    enter_stage(situation="troll", stage=3, **talk.by())

    leave_situation(**talk.by())

    with pytest.raises(ClosingRequired):
        ask_hang_up(**talk.by())


@pytest.mark.django_db
def test_what_one_person_allowed_is_not_allowed_with_the_next() -> None:
    talk = Talk().greeted()
    mark_driving(**talk.by())

    hand_over(answered_by="intended", **talk.by())

    with pytest.raises(ClosingRequired):
        ask_hang_up(**talk.by())


@pytest.mark.django_db
def test_somebody_who_drives_is_let_go_at_once() -> None:
    talk = Talk().greeted()

    mark_driving(**talk.by())
    mark_driving(**talk.by())
    ask_hang_up(**talk.by())
    talk.hung_up("agent")

    assert not Incident.objects.filter(call=talk.call).exists()
    assert talk.told().count(CallEventKind.SITUATION) == 1


@pytest.mark.django_db
def test_a_supervisor_releases_a_call_with_a_reason_and_nobody_else_does() -> None:
    talk = Talk().greeted()

    with pytest.raises(Forbidden):
        release_to_hang_up(reason="la personne dort", **talk.by())
    with pytest.raises(Invalid):
        release_to_hang_up(reason=" ", **talk.by(talk.supervisor))
    release_to_hang_up(reason="la personne dort", **talk.by(talk.supervisor))

    ask_hang_up(**talk.by())
    assert CallEventKind.SUPERVISOR_RELEASED in talk.told()


@pytest.mark.django_db
def test_an_agent_who_hangs_up_anyway_is_stored_as_it_happened_and_reviewed() -> None:
    talk = Talk().mismatched().said("apologise")

    record_hang_up(hung_up_by="agent", evidence="softphone", **talk.by())
    record_hang_up(hung_up_by="agent", evidence="softphone", **talk.by())

    assert talk.read().state == CallState.ENDED
    assert (talk.call.hung_up_by, talk.call.evidence) == ("agent", "softphone")
    review = Incident.objects.get(call=talk.call, kind=IncidentKind.HANG_UP_REVIEW)
    assert review.data["steps_left"] == ["thank", "goodbye"]
    assert CallEventKind.CLOSING_INTERRUPTED in talk.told()


@pytest.mark.django_db
def test_the_agent_may_say_at_once_why() -> None:
    talk = Talk().mismatched().hung_up("agent")

    explain_hang_up(why="une menace", **talk.by())
    explain_hang_up(why="une menace", **talk.by())

    told = talk.call.events.filter(kind=CallEventKind.HANG_UP_EXPLAINED)
    assert [event.data for event in told] == [{"why": "une menace"}]


@pytest.mark.django_db
def test_there_is_nothing_to_explain_when_the_prospect_hung_up() -> None:
    talk = Talk().mismatched().hung_up("prospect")

    with pytest.raises(InvalidTransition):
        explain_hang_up(why="une menace", **talk.by())


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["prospect", "network", "unknown", "supervisor"])
def test_the_prospect_may_hang_up_at_any_moment_and_nobody_is_blamed(who: str) -> None:
    talk = Talk().greeted().hung_up(who)

    assert talk.read().hung_up_by == who
    assert not Incident.objects.exists()
    interrupted = talk.call.events.get(kind=CallEventKind.CLOSING_INTERRUPTED)
    assert interrupted.data == {"steps": ["thank", "goodbye"]}


@pytest.mark.django_db
def test_a_closing_said_to_its_end_is_not_interrupted() -> None:
    talk = Talk().mismatched().said("apologise", "thank", "goodbye").hung_up()

    assert CallEventKind.CLOSING_INTERRUPTED not in talk.told()
