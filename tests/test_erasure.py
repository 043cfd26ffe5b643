"""Erasing a person: nothing of them is left, and nothing can call them again where they were barred."""

from datetime import timedelta

import pytest

from calls.api.representation import call_out
from calls.enums import CallbackState, CallState
from calls.models import Call, CallAnswer, Callback, CallDisposition, CallEvent
from calls.selectors.call_screen import screen_of
from calls.services.claim import claim_next
from calls.services.dial import dial_manually
from calls.services.dispositions import ask_correction
from calls.services.erasure import erase_prospect
from calls.services.errors import Forbidden, InvalidTransition, ProspectExcluded
from calls.services.notes import write_note
from calls.services.supervisor import ask_supervisor
from calls.services.talk import answer_criterion, note_wish
from campaigns.enums import EntryState
from campaigns.models import Exclusion
from campaigns.services.entries import add_prospects
from crm.models import Prospect, ProspectEvent
from tests.factories import make_campaign, make_entry, make_prospect, make_user
from tests.talking import Talk

pytestmark = pytest.mark.django_db

SECRET = "boulangerie de la rue Haute"


def barred() -> Talk:
    talk = Talk(prospect=make_prospect("+33199001234", organisation=SECRET))
    talk.mismatched(SECRET)
    write_note(text=SECRET, **talk.by())
    ask_correction(reason=SECRET, **talk.by())
    return talk.hung_up().disposed("out_of_criteria", note=SECRET)


def test_the_organisation_that_was_expected_is_forgotten_with_what_was_heard() -> None:
    talk = Talk(prospect=make_prospect(organisation=SECRET)).greeted()
    answer_criterion(criterion=None, result="mismatch", heard="une boulangerie", **talk.by())
    talk.hung_up().disposed("out_of_criteria")
    asked = CallAnswer.objects.filter(call=talk.call).values_list("expected", "heard")
    before = list(asked)

    erase_prospect(prospect=talk.prospect, by=talk.manager, at=talk.at)

    assert before == [(SECRET, "une boulangerie")]
    assert list(asked.all()) == [("", "")]


def test_nothing_of_the_person_is_left() -> None:
    talk = barred()

    erased = erase_prospect(prospect=talk.prospect, by=talk.manager, at=talk.at)

    assert erased.erased_at == talk.at
    assert (erased.organisation, erased.external_id, erased.attributes) == ("", "", {})
    assert not erased.phones.exists()
    assert {event.data == {} for event in CallEvent.objects.filter(call=talk.call)} == {True}
    assert set(CallAnswer.objects.filter(call=talk.call).values_list("heard", flat=True)) == {""}
    assert set(CallDisposition.objects.filter(call=talk.call).values_list("note", flat=True)) == {""}
    assert not ProspectEvent.objects.filter(prospect=talk.prospect, data__icontains="Haute").exists()
    assert set(talk.call.incidents.values_list("summary", flat=True)) == {""}
    assert talk.entry.number == ""


def test_the_bars_outlive_the_person() -> None:
    talk = barred()
    before = Exclusion.objects.active().count()

    erase_prospect(prospect=talk.prospect, by=talk.manager, at=talk.at)

    assert Exclusion.objects.active().count() == before
    with pytest.raises(ProspectExcluded):
        dial_manually(campaign=talk.campaign, number="01 99 00 12 34", by=make_user(), at=talk.at)


def test_a_fiche_made_again_with_the_same_number_is_not_callable() -> None:
    talk = barred()
    erase_prospect(prospect=talk.prospect, by=talk.manager, at=talk.at)

    again = make_prospect("+33199001234")
    add_prospects(
        campaign=talk.campaign, prospects=Prospect.objects.filter(pk=again.pk), by=talk.manager, at=talk.at
    )

    assert again.entries.get().state == EntryState.EXCLUDED
    assert claim_next(campaign=talk.campaign, by=make_user(), at=talk.at) is None


def test_waiting_entries_are_closed_and_promises_cancelled() -> None:
    talk = Talk().greeted()
    talk.disposed("callback", callback_at=talk.at + timedelta(days=1), note=SECRET)
    talk.said("thank", "goodbye").hung_up().disposed("callback")
    other = make_entry(make_campaign(), talk.prospect)

    erase_prospect(prospect=talk.prospect, by=talk.manager, at=talk.at)

    other.refresh_from_db()
    assert {talk.entry.state, other.state} == {EntryState.DONE}
    callback = Callback.objects.get(call=talk.call)
    assert (callback.state, callback.note) == (CallbackState.CANCELLED, "")
    assert claim_next(campaign=talk.campaign, by=talk.agent, at=talk.at + timedelta(days=2)) is None


def test_a_claimed_call_is_released_first() -> None:
    talk = Talk()

    erase_prospect(prospect=talk.prospect, by=talk.manager, at=talk.at)

    assert talk.read().state == CallState.RELEASED
    assert talk.entry.state == EntryState.DONE


def test_an_erasure_waits_for_the_end_of_the_conversation() -> None:
    talk = Talk().greeted()

    with pytest.raises(InvalidTransition, match="en ligne"):
        erase_prospect(prospect=talk.prospect, by=talk.manager, at=talk.at)

    talk.prospect.refresh_from_db()
    assert talk.prospect.erased_at is None


def test_erased_twice_is_erased_once() -> None:
    talk = barred()

    first = erase_prospect(prospect=talk.prospect, by=talk.manager, at=talk.at)
    second = erase_prospect(prospect=talk.prospect, by=talk.manager, at=talk.at + timedelta(days=1))

    assert second.erased_at == first.erased_at
    assert second.version == first.version


def test_only_managers_erase() -> None:
    talk = Talk()

    for user in (talk.agent, talk.supervisor):
        with pytest.raises(Forbidden):
            erase_prospect(prospect=talk.prospect, by=user, at=talk.at)


def test_the_calls_of_an_erased_person_can_still_be_read() -> None:
    talk = Talk().greeted()
    note_wish(text=SECRET, remind_at=None, **talk.by())
    ask_supervisor(words=SECRET, **talk.by())
    talk.disposed("refusal").said("thank", "goodbye").hung_up().disposed("refusal")

    erase_prospect(prospect=talk.prospect, by=talk.manager, at=talk.at)

    shown = screen_of(Call.objects.get(pk=talk.call.pk), talk.at)
    assert shown.wishes == []
    assert SECRET not in str(call_out(Call.objects.get(pk=talk.call.pk), talk.at, talk.manager))
