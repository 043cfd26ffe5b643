"""The life of a call, verb by verb: what each stores, what a second press does, what is refused."""

from datetime import timedelta

import pytest
from django.utils.formats import date_format
from django.utils.timezone import localtime
from pytest_django import DjangoAssertNumQueries

from calls.enums import CallEventKind, CallState, Mode
from calls.models import Call, CallEvent
from calls.rules.playbooks import PLAYBOOKS
from calls.selectors.call_screen import history_of, open_call_of, screen_of
from calls.selectors.history import lines_of
from calls.selectors.playbooks import palette, stage_of
from calls.services.claim import claim_next
from calls.services.closing import say_closing_step
from calls.services.desk import end_pause, leave_desk, start_pause
from calls.services.dial import dial, dial_manually
from calls.services.dispositions import correct_disposition, finish
from calls.services.errors import (
    ClosingRequired,
    Invalid,
    InvalidTransition,
    NotCallable,
    NotFound,
    OpenCallExists,
    ProspectExcluded,
)
from calls.services.line import record_answer, record_hang_up, record_not_reached, record_ringing
from calls.services.notes import write_note
from calls.services.situations import enter_stage, leave_situation
from calls.services.talk import greet, note_wish
from campaigns.enums import EntryState
from campaigns.models import Attempt, ListEntry
from crm.enums import EventKind, NumberKind, Role
from crm.models import ProspectEvent
from tests.factories import (
    NOW,
    make_campaign,
    make_entry,
    make_exclusion,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
    next_number,
)
from tests.talking import Talk

pytestmark = pytest.mark.django_db


def test_a_whole_call_from_the_list_to_its_end() -> None:
    talk = Talk().matched().disposed("complete").said("thank", "goodbye").hung_up()

    finish(**talk.by())

    assert talk.read().state == CallState.DONE
    assert talk.entry.state == EntryState.DONE
    assert talk.told() == [
        "claimed", "dialled", "answered", "greeted", "criterion", "disposition", "closing_started", "closing_step",
        "closing_step", "hung_up",
    ]  # fmt: skip


def test_every_verb_is_told_on_the_timeline_inside_the_sponsor() -> None:
    talk = Talk().matched().disposed("complete").said("thank", "goodbye").hung_up()

    lines = ProspectEvent.objects.filter(prospect=talk.prospect, call_ref=talk.call.pk)
    kinds = [
        EventKind.CLAIMED, EventKind.DIALLED, EventKind.CONNECTED, EventKind.GREETED, EventKind.CRITERION,
        EventKind.DISPOSITION, EventKind.CLOSING, EventKind.HUNG_UP,
    ]  # fmt: skip
    assert {line.kind for line in lines} == set(kinds)
    assert {line.sponsor_id for line in lines} == {talk.programme.sponsor_id}


def test_dialling_writes_the_attempt_into_the_ledger_once() -> None:
    talk = Talk()

    dial(**talk.by())
    dial(**talk.by())

    attempt = Attempt.objects.get(call_ref=talk.call.pk)
    assert (attempt.number, attempt.prospect, attempt.sponsor) == (
        talk.call.number, talk.prospect, talk.programme.sponsor
    )  # fmt: skip
    assert talk.told().count(CallEventKind.DIALLED) == 1


def test_what_the_gate_refuses_at_the_last_moment_is_given_back_with_its_verdict() -> None:
    talk = Talk(calling_rule="default")

    with pytest.raises(NotCallable, match="horaires"):
        dial(call=talk.call, by=talk.agent, at=NOW + timedelta(hours=10))

    assert talk.read().state == CallState.RELEASED
    entry = talk.entry
    assert (entry.state, entry.verdict_gate) == (EntryState.READY, "window")
    assert entry.due_at > NOW + timedelta(hours=10)
    assert EventKind.REFUSED in talk.timeline()


def test_a_new_exclusion_takes_the_claimed_call_off_the_screen() -> None:
    talk = Talk()

    make_exclusion(programme=talk.programme, number=talk.call.number)

    assert talk.read().state == CallState.RELEASED
    with pytest.raises(InvalidTransition):
        dial(**talk.by())


def test_ringing_and_answer_told_twice_are_told_once() -> None:
    talk = Talk().dialled()

    for _press in range(2):
        record_ringing(**talk.by())
    for _press in range(2):
        record_answer(**talk.by())
    record_ringing(**talk.by())

    assert talk.read().state == CallState.CONNECTED
    assert talk.told() == ["claimed", "dialled", "ringing", "answered"]


def test_nothing_answers_before_it_was_dialled() -> None:
    talk = Talk()

    with pytest.raises(InvalidTransition):
        record_answer(**talk.by())
    with pytest.raises(InvalidTransition):
        record_ringing(**talk.by())


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        ("busy", "busy"), ("no_answer", "no_answer"), ("voicemail", "voicemail"), ("invalid_number", "invalid_number"),
        ("rejected", "no_answer"), ("technical", "technical"), ("fax", "fax"), ("announcement", "unreachable"),
    ],
)  # fmt: skip
def test_a_cause_proposes_its_disposition_and_finishing_takes_it(cause: str, code: str) -> None:
    talk = Talk().not_reached(cause)

    assert screen_of(talk.read(), talk.at).proposed == code
    finish(**talk.by())
    finish(**talk.by())

    assert talk.read().state == CallState.DONE
    assert talk.call.disposition is not None
    assert talk.call.disposition.code == code
    assert talk.call.dispositions.count() == 1


def test_an_unknown_cause_is_refused() -> None:
    talk = Talk().dialled()

    with pytest.raises(Invalid):
        record_not_reached(cause="bored", **talk.by())


@pytest.mark.parametrize("cause", ["voicemail", "fax", "announcement"])
def test_no_closing_is_due_to_a_machine(cause: str) -> None:
    talk = Talk().answered()

    record_not_reached(cause=cause, **talk.by())
    record_not_reached(cause=cause, **talk.by())

    assert talk.read().state == CallState.NOT_REACHED


def test_a_line_that_was_picked_up_is_not_busy() -> None:
    talk = Talk().answered()

    with pytest.raises(InvalidTransition):
        record_not_reached(cause="busy", **talk.by())


def test_a_person_who_was_greeted_is_no_machine() -> None:
    talk = Talk().greeted()

    with pytest.raises(InvalidTransition):
        record_not_reached(cause="voicemail", **talk.by())


@pytest.mark.parametrize(
    ("who", "cause"), [("prospect", "rejected"), ("agent", "cancelled"), ("network", "technical")]
)
def test_a_line_that_ends_before_any_answer_was_not_reached(who: str, cause: str) -> None:
    talk = Talk().dialled()

    record_hang_up(hung_up_by=who, evidence="softphone", sip_status=487, **talk.by())

    assert (talk.read().state, talk.call.cause) == (CallState.NOT_REACHED, cause)
    assert talk.call.events.get(kind=CallEventKind.NOT_REACHED).data["sip_status"] == 487


def test_who_ended_the_line_is_kept_with_its_evidence_and_the_phones_words() -> None:
    talk = Talk().greeted()

    record_hang_up(hung_up_by="network", evidence="pbx", reason="Q.850", sip_status=503, q850=34, **talk.by())

    told = talk.call.events.get(kind=CallEventKind.HUNG_UP).data
    assert told == {"by": "network", "evidence": "pbx", "reason": "Q.850", "sip_status": 503, "q850": 34}


@pytest.mark.parametrize(("who", "evidence"), [("nobody", "pbx"), ("prospect", "hearsay")])
def test_unknown_words_about_the_end_are_refused(who: str, evidence: str) -> None:
    talk = Talk().greeted()

    with pytest.raises(Invalid):
        record_hang_up(hung_up_by=who, evidence=evidence, **talk.by())


def test_the_end_told_twice_keeps_the_first() -> None:
    talk = Talk().greeted().hung_up("prospect").hung_up("network")

    assert talk.read().hung_up_by == "prospect"


def test_the_greeting_said_twice_is_said_once_and_who_speaks_can_be_corrected() -> None:
    talk = Talk().greeted()

    greet(answered_by="intended", **talk.by())
    greet(answered_by="colleague", **talk.by())

    assert talk.read().answered_by == "colleague"
    assert talk.told().count(CallEventKind.GREETED) == 2
    assert talk.call.respondent == 0


def test_an_unknown_respondent_code_is_refused() -> None:
    talk = Talk().answered()

    with pytest.raises(Invalid):
        greet(answered_by="the cat", **talk.by())


def test_the_steps_of_a_closing_are_said_in_their_order() -> None:
    talk = Talk().mismatched()

    with pytest.raises(ClosingRequired) as refused:
        say_closing_step(step="goodbye", **talk.by())

    assert refused.value.extra["due"] == "apologise"
    talk.said("apologise", "thank", "goodbye")
    assert [step.said_at is not None for step in screen_of(talk.read(), talk.at).steps] == [True] * 3


def test_each_sentence_is_kept_as_it_was_said_filled_in_from_the_fiche() -> None:
    talk = Talk().mismatched().said("apologise", "thank")

    said = [event.data["text"] for event in talk.call.events.filter(kind=CallEventKind.CLOSING_STEP)]

    assert "une banque" in said[0]
    assert "excuses" in said[0]
    assert "une enquête sur les services bancaires" in said[1]


def test_the_closing_is_said_in_the_prospects_language() -> None:
    talk = Talk(prospect=make_prospect(language="en"))
    talk.mismatched()

    steps = screen_of(talk.read(), talk.at).steps
    assert "I do apologise" in steps[0].text
    assert "our call was not meant for you" in steps[0].text
    assert "about this subject" in steps[1].text


def test_a_double_key_is_one_sentence() -> None:
    talk = Talk().mismatched().said("apologise")

    say_closing_step(step="apologise", **talk.by(after=timedelta(milliseconds=300)))

    assert talk.told().count(CallEventKind.CLOSING_STEP) == 1


def test_a_held_key_does_not_run_through_the_closing() -> None:
    talk = Talk().mismatched().said("apologise")

    with pytest.raises(InvalidTransition, match="temps"):
        say_closing_step(step="thank", **talk.by(after=timedelta(milliseconds=600)))
    say_closing_step(step="thank", **talk.by(after=timedelta(milliseconds=100)))

    assert talk.told().count(CallEventKind.CLOSING_STEP) == 2


def test_a_program_has_no_keys_to_hold() -> None:
    talk = Talk().mismatched().said("apologise")

    say_closing_step(step="thank", by_key=False, **talk.by(after=timedelta(0)))

    assert talk.told().count(CallEventKind.CLOSING_STEP) == 2


def test_a_step_said_long_ago_is_not_said_again_but_the_goodbye_is() -> None:
    talk = Talk().mismatched().said("apologise")

    with pytest.raises(ClosingRequired):
        say_closing_step(step="apologise", **talk.by())
    talk.said("thank", "goodbye", "goodbye")
    with pytest.raises(InvalidTransition):
        say_closing_step(step="thank", **talk.by())

    assert talk.read().goodbyes == 2


def test_an_ordinary_closing_has_no_apology() -> None:
    talk = Talk().greeted()

    with pytest.raises(ClosingRequired):
        say_closing_step(step="apologise", **talk.by())
    talk.said("thank", "goodbye")

    assert talk.read().closing_kind == "ordinary"


def test_an_unknown_step_is_refused() -> None:
    talk = Talk().mismatched()

    with pytest.raises(Invalid):
        say_closing_step(step="whistle", **talk.by())


def test_an_ordinary_closing_waits_for_its_disposition_after_the_line() -> None:
    talk = Talk().matched().said("thank", "goodbye").hung_up()

    with pytest.raises(InvalidTransition):
        finish(**talk.by())
    talk.disposed("complete")

    assert talk.read().state == CallState.DONE


@pytest.mark.parametrize("stage", ["answered", "greeted", "mismatched"])
def test_no_way_out_while_somebody_is_on_the_line(stage: str) -> None:
    talk: Talk = getattr(Talk(), stage)()

    with pytest.raises(OpenCallExists):
        claim_next(campaign=talk.campaign, by=talk.agent, at=talk.at)
    with pytest.raises(OpenCallExists):
        start_pause(reason="", by=talk.agent, at=talk.at)
    with pytest.raises(OpenCallExists):
        leave_desk(by=talk.agent, at=talk.at)
    with pytest.raises(OpenCallExists):
        dial_manually(campaign=talk.campaign, number=next_number(), by=talk.agent, at=talk.at)
    with pytest.raises(ClosingRequired):
        finish(**talk.by())

    assert Call.objects.open().get(agent=talk.agent).pk == talk.call.pk


@pytest.mark.parametrize("way", ["next", "pause", "logout"])
def test_a_call_that_only_lacks_its_confirmation_is_finished_on_the_way(way: str) -> None:
    talk = Talk().mismatched().hung_up()

    if way == "next":
        assert claim_next(campaign=talk.campaign, by=talk.agent, at=talk.at) is None
    elif way == "pause":
        start_pause(reason="café", by=talk.agent, at=talk.at)
    else:
        leave_desk(by=talk.agent, at=talk.at)

    assert talk.read().state == CallState.DONE


def test_a_pause_begins_once_and_ends_once() -> None:
    agent = make_user()

    first = start_pause(reason="café", by=agent, at=NOW)
    again = start_pause(reason="thé", by=agent, at=NOW)
    with pytest.raises(InvalidTransition, match="pause"):
        claim_next(campaign=make_campaign(), by=agent, at=NOW)
    end_pause(by=agent, at=NOW)

    assert first.pk == again.pk
    assert agent.pauses.get().ended_at == NOW


def test_a_pause_ends_with_the_day() -> None:
    agent = make_user()
    start_pause(reason="café", by=agent, at=NOW)

    leave_desk(by=agent, at=NOW)
    leave_desk(by=agent, at=NOW)

    assert agent.pauses.get().ended_at == NOW


def test_a_wish_is_kept_with_its_words_and_time_and_lifts_nothing() -> None:
    talk = Talk().mismatched()
    remind = talk.at + timedelta(days=30)

    note_wish(text="être rappelé pour la formation", remind_at=remind, **talk.by())
    note_wish(text="être rappelé pour la formation", remind_at=remind, **talk.by())

    wish = talk.call.events.get(kind=CallEventKind.WISH)
    assert wish.data == {"text": "être rappelé pour la formation", "remind_at": remind.isoformat()}
    told = lines_of(ProspectEvent.objects.filter(prospect=talk.prospect, kind=EventKind.NOTE))
    assert [line.text.replace("\xa0", " ") for line in told] == [
        f"Souhait noté : être rappelé pour la formation, {date_format(localtime(remind), 'j F à H:i')}"
    ]
    assert talk.entry.state == EntryState.EXCLUDED


def test_the_timeline_says_what_was_heard_and_what_was_expected() -> None:
    talk = Talk().mismatched("une boulangerie")

    told = lines_of(ProspectEvent.objects.filter(prospect=talk.prospect, kind=EventKind.OUT_OF_CRITERIA))

    assert [line.text.replace("\xa0", " ") for line in told] == [
        "Hors-critères : Non, une boulangerie, attendu : une banque"
    ]


def test_the_timeline_does_not_take_a_beginning_or_a_silence_for_a_sentence_said() -> None:
    talk = Talk().mismatched().said("apologise")

    told = lines_of(
        ProspectEvent.objects.filter(prospect=talk.prospect, kind=EventKind.CLOSING).order_by("pk")
    )

    assert [line.text.replace("\xa0", " ") for line in told] == [
        "Clôture commencée",
        "Clôture dite : S'excuser",
    ]


def test_a_note_is_saved_as_it_is_typed_and_told_once() -> None:
    talk = Talk().greeted()

    write_note(text="parle vite", **talk.by())
    write_note(text="parle vite", **talk.by())
    write_note(text="parle vite, en réunion", **talk.by())
    talk.disposed("not_interested").said("thank", "goodbye").hung_up()
    finish(**talk.by())

    assert CallEvent.objects.filter(call=talk.call, kind=CallEventKind.NOTE).count() == 2
    told = ProspectEvent.objects.get(prospect=talk.prospect, kind=EventKind.NOTE)
    assert told.data["text"] == "parle vite, en réunion"


def test_a_manual_call_to_a_fiche_goes_through_the_gate_and_the_list() -> None:
    agent, campaign, prospect = make_user(), make_campaign(), make_prospect()

    call = dial_manually(campaign=campaign, prospect=prospect, by=agent, at=NOW, at_once=True)

    assert (call.state, call.mode, call.number) == (
        CallState.DIALLING, Mode.MANUAL, prospect.phones.get().number
    )  # fmt: skip
    assert ListEntry.objects.get(campaign=campaign, prospect=prospect).state == EntryState.CLAIMED


def test_a_manual_call_to_a_number_finds_its_fiche_in_any_spelling() -> None:
    agent, campaign = make_user(), make_campaign()
    prospect = make_prospect("+33199004321")
    make_entry(campaign, prospect)

    call = dial_manually(campaign=campaign, number="01 99 00 43 21", by=agent, at=NOW)

    assert call.prospect == prospect
    assert call.state == CallState.CLAIMED


def test_a_manual_call_to_a_number_without_a_fiche_has_every_criterion_to_ask() -> None:
    talk = Talk()
    agent = make_user()

    call = dial_manually(campaign=talk.campaign, number="01 99 00 98 76", by=agent, at=NOW, at_once=True)
    record_answer(call=call, by=agent, at=NOW)
    greet(call=call, answered_by="intended", by=agent, at=NOW)

    assert (call.prospect, call.entry) == (None, None)
    screen = screen_of(Call.objects.get(pk=call.pk), NOW)
    assert [question.result for question in screen.questions] == [""]
    assert all(not row.requires_callback for row in screen.dispositions)


@pytest.mark.parametrize("number", ["112", "15", "3615", "bonjour", "", "0899 00 00 00"])
def test_what_is_no_number_to_call_is_refused(number: str) -> None:
    with pytest.raises((Invalid, NotCallable)):
        dial_manually(campaign=make_campaign(), number=number, by=make_user(), at=NOW)

    assert not Call.objects.exists()


def test_a_manual_call_to_an_excluded_number_is_refused_and_told() -> None:
    campaign, prospect = make_campaign(), make_prospect()
    entry = make_entry(campaign, prospect)
    bar = make_exclusion(programme=campaign.programme, prospect=prospect)

    with pytest.raises(ProspectExcluded) as refused:
        dial_manually(campaign=campaign, prospect=prospect, by=make_user(), at=NOW)

    assert refused.value.exclusion_id == bar.pk
    entry.refresh_from_db()
    assert (entry.state, entry.verdict_gate) == (EntryState.EXCLUDED, "exclusion")
    assert ProspectEvent.objects.filter(prospect=prospect, kind=EventKind.REFUSED).count() == 1
    assert not Call.objects.exists()


def test_a_fiche_without_a_number_that_may_be_dialled_is_refused() -> None:
    prospect = make_prospect()
    prospect.phones.update(kind=NumberKind.PREMIUM)

    with pytest.raises(NotCallable):
        dial_manually(campaign=make_campaign(), prospect=prospect, by=make_user(), at=NOW)


def test_a_paused_campaign_dials_nobody_by_hand() -> None:
    with pytest.raises(NotCallable, match="pause"):
        dial_manually(
            campaign=make_campaign(status="paused"), prospect=make_prospect(), by=make_user(), at=NOW
        )


def test_a_fiche_of_another_sponsor_does_not_exist_for_a_manual_call() -> None:
    prospect = make_prospect(source=make_source(make_sponsor()))

    with pytest.raises(NotFound):
        dial_manually(campaign=make_campaign(make_programme()), prospect=prospect, by=make_user(), at=NOW)


def test_a_prospect_who_is_with_an_agent_is_not_called_by_another() -> None:
    talk = Talk()

    with pytest.raises(InvalidTransition, match="déjà"):
        dial_manually(campaign=talk.campaign, prospect=talk.prospect, by=make_user(), at=talk.at)


def test_one_agent_does_not_move_anothers_call() -> None:
    talk = Talk().dialled()

    with pytest.raises(NotFound):
        record_answer(call=talk.call, by=make_user(), at=talk.at)
    record_answer(call=talk.call, by=make_user(Role.INTEGRATION), at=talk.at)

    assert talk.read().state == CallState.CONNECTED


@pytest.mark.parametrize(
    "stage", ["claimed", "dialled", "answered", "greeted", "matched", "mismatched", "not_reached"]
)
def test_the_screen_costs_few_queries_however_long_the_history_is(
    stage: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    talk = Talk()
    for _earlier in range(30):
        make_note(talk)
    if stage != "claimed":
        getattr(talk, stage)()
    call = open_call_of(talk.agent)
    assert call is not None

    with django_assert_max_num_queries(5):
        screen_of(call, talk.at)
    with django_assert_max_num_queries(1):
        history = history_of(call)

    assert len(history) == 20


def test_an_agent_reads_what_earlier_calls_came_to_and_none_of_their_steps() -> None:
    first = Talk().mismatched("une boulangerie").hung_up().disposed("out_of_criteria")

    second = Talk(programme=make_programme(first.programme.sponsor), prospect=first.prospect)

    told = history_of(second.call)
    assert [line.kind for line in told] == [EventKind.OUT_OF_CRITERIA]
    assert "une boulangerie" in told[0].text


def make_note(talk: Talk) -> None:
    ProspectEvent.objects.create(
        prospect=talk.prospect,
        sponsor=talk.programme.sponsor,
        at=NOW,
        kind=EventKind.NOTE,
        data={"text": "vu"},
    )


def test_another_programme_of_the_sponsor_calls_with_an_apology_first() -> None:
    first = Talk().mismatched("une boulangerie").hung_up().disposed("out_of_criteria")

    second = Talk(programme=make_programme(first.programme.sponsor), prospect=first.prospect)

    screen = screen_of(second.call, second.at)
    assert "excuses" in screen.apology
    assert [item.words for item in screen.disturbances] == [
        f"{first.programme.name}\N{NO-BREAK SPACE}: une boulangerie"
    ]


def test_another_sponsor_is_told_nothing_of_the_first() -> None:
    first = Talk().mismatched("une boulangerie").hung_up().disposed("out_of_criteria", note="secret")

    second = Talk(prospect=first.prospect)

    screen = screen_of(second.call, second.at)
    assert (screen.apology, list(screen.disturbances)) == ("", [])
    assert not [
        line for line in history_of(second.call) if "boulangerie" in line.text or "secret" in line.text
    ]


def test_a_corrected_entry_error_is_no_disturbance() -> None:
    first = Talk().mismatched().hung_up().disposed("out_of_criteria")
    correct_disposition(code="no_answer", reason="mauvaise touche", **first.by(first.supervisor))

    second = Talk(programme=make_programme(first.programme.sponsor), prospect=first.prospect)

    assert screen_of(second.call, second.at).apology == ""


@pytest.mark.parametrize("stage", ["claimed", "connected", "closing"])
def test_the_screen_says_when_the_agent_may_hang_up_and_why(stage: str) -> None:
    talk = Talk()
    if stage == "connected":
        talk.greeted()
    if stage == "closing":
        talk.mismatched().said("apologise", "thank", "goodbye", "goodbye")

    screen = screen_of(talk.read(), talk.at)

    assert not screen.may_hang_up
    expected = talk.at + timedelta(seconds=45) if stage == "closing" else None
    assert screen.may_hang_up_from == expected
    assert screen_of(talk.call, talk.at + timedelta(seconds=45)).may_hang_up is (stage == "closing")


def test_the_open_stage_of_a_situation_is_on_the_screen_with_its_sentences() -> None:
    talk = Talk().greeted()
    enter_stage(situation="boss", stage=1, **talk.by())

    stage = stage_of(screen_of(talk.read(), talk.at))

    assert stage is not None
    assert (stage.situation, stage.number, stage.count, stage.next, stage.may_end) == ("boss", 1, 2, 2, False)
    assert stage.say
    leave_situation(**talk.by())
    assert stage_of(screen_of(talk.read(), talk.at)) is None


def test_every_playbook_can_be_opened() -> None:
    opened = {entry.code for group in palette() for entry in group.entries}

    assert opened == {playbook.code for playbook in PLAYBOOKS}
