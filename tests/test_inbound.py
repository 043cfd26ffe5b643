"""Somebody calls back: one exact number, why we called, and a call that no bar forbids, closed as any other."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from calls.enums import CallbackState, CallState, Mode
from calls.models import Call, Callback, Lookup
from calls.selectors.call_screen import screen_of
from calls.selectors.inbound import known_of
from calls.services.closing import say_closing_step
from calls.services.desk import start_pause
from calls.services.dial import dial
from calls.services.dispositions import dispose
from calls.services.errors import Invalid, InvalidTransition, NotFound, OpenCallExists
from calls.services.inbound import look_up, take_inbound_call
from calls.services.line import record_hang_up
from calls.services.notes import write_note
from calls.services.talk import answer_criterion, greet
from campaigns.enums import EntryState
from campaigns.models import Attempt, Exclusion, ListEntry
from campaigns.services.exclusions import lift_exclusion
from crm.enums import EventKind, Role
from crm.models import Prospect, ProspectEvent, ProspectLook
from crm.rules.phones import national
from tests.factories import (
    NOW,
    make_campaign,
    make_entry,
    make_exclusion,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
    next_number,
)
from tests.paging import text_of
from tests.rawsql import Desk, execute, insert, refused
from tests.talking import Talk

pytestmark = pytest.mark.django_db

LATER = timedelta(days=3)


def taken(talk: Talk, **other: Any) -> Call:
    """Open the call of the talk's person, who calls back days later."""
    told: dict[str, Any] = {
        "campaign": talk.campaign,
        "number": talk.call.number,
        "prospect": talk.prospect,
        "by": talk.agent,
        "at": talk.at + LATER,
    }
    return take_inbound_call(**{**told, **other})


def opted_out() -> Talk:
    """A person who asked not to be called again, days ago."""
    return Talk().greeted().disposed("opt_out").said("thank", "goodbye").hung_up().disposed("opt_out")


# --- The look-up ---


@pytest.mark.parametrize("spelling", ["{0}", "{1}", "00{2}"])
def test_one_number_in_any_spelling_is_looked_up_and_the_look_is_kept(spelling: str) -> None:
    number = next_number()
    prospect = make_prospect(number)
    agent = make_user()

    row = look_up(number=spelling.format(number, national(number), number[1:]), by=agent, at=NOW)

    assert (row.number, row.found, row.by, row.at) == (number, [prospect.pk], agent, NOW)


@pytest.mark.parametrize("text", ["01 99", "0199", "Banque", "+33199001234 +33199001235", "*", ""])
def test_there_is_no_partial_search(text: str) -> None:
    with pytest.raises(Invalid):
        look_up(number=text, by=make_user(), at=NOW)

    assert not Lookup.objects.exists()


def test_a_look_at_a_confidential_fiche_is_written_down_as_such() -> None:
    prospect = make_prospect(confidential=True)
    agent = make_user()
    [phone] = prospect.phones.all()

    look_up(number=phone.number, by=agent, at=NOW)

    assert ProspectLook.objects.filter(prospect=prospect, by=agent).count() == 1


def test_sponsors_are_walls_for_who_calls_back_too() -> None:
    talk = opted_out()
    theirs, number = make_sponsor(), talk.call.number
    make_prospect(number, source=make_source(theirs), organisation="Ailleurs")
    agent = make_user(sponsors=[talk.programme.sponsor])
    stranger = make_user(sponsors=[make_sponsor()])

    ours = known_of(agent, number, at=talk.at)
    nothing = known_of(stranger, number, at=talk.at)

    assert [fiche.prospect for fiche in ours.fiches] == [talk.prospect]
    assert [fiche.bars[0].reason for fiche in ours.fiches] == ["opposition"]
    assert not [call for fiche in nothing.fiches for call in fiche.calls]
    assert not [bar for fiche in nothing.fiches for bar in fiche.bars]


def test_the_page_says_in_plain_words_why_we_called_and_what_was_asked(client: Client) -> None:
    talk = opted_out()
    client.force_login(talk.agent)

    page = client.post(reverse("inbound"), {"number": national(talk.call.number)})

    text = re.sub(r"<[^>]+>", " ", page.content.decode())
    assert "a demandé le 25 novembre 2026 à ne plus être appelée" in text
    assert talk.programme.name in text
    assert "Banque de l&#x27;Ouest" in text
    assert page["Cache-Control"] == "no-store"
    assert Lookup.objects.get().by == talk.agent


def test_a_confidential_fiche_opens_with_its_call_alone(client: Client) -> None:
    talk = Talk(prospect=make_prospect(organisation="Célébrité", city="Cannes")).greeted()
    write_note(text="Son agent répond.", **talk.by())
    talk.disposed("opt_out").said("thank", "goodbye").hung_up().disposed("opt_out")
    client.force_login(talk.agent)

    asked = {"number": national(talk.call.number)}
    before = text_of(client.post(reverse("inbound"), asked))
    Prospect.objects.filter(pk=talk.prospect.pk).update(confidential=True)
    found = text_of(client.post(reverse("inbound"), asked))
    sent = {"number": talk.call.number, "campaign": talk.campaign.pk, "prospect": talk.prospect.pk}
    opened = text_of(client.post(reverse("inbound-call"), sent, follow=True))

    assert all(told in before for told in ("Célébrité", "Cannes", "Son agent"))
    assert f"Fiche confidentielle n° {talk.prospect.pk}" in found
    assert not [told for told in ("Célébrité", "Cannes", "Son agent") if told in found]
    assert "Célébrité" in opened


def test_an_unknown_number_is_said_to_be_unknown(client: Client) -> None:
    make_campaign()
    client.force_login(make_user())

    page = client.post(reverse("inbound"), {"number": national(next_number())})

    assert "connu d'aucune fiche" in page.content.decode().replace("&#x27;", "'")


def test_a_look_up_is_history() -> None:
    row = look_up(number=next_number(), by=make_user(), at=NOW)

    with refused("lookup_append_only"):
        execute("UPDATE calls_lookup SET number = '+33199009999' WHERE id = %s", row.pk)
    with refused("lookup_append_only"):
        execute("DELETE FROM calls_lookup WHERE id = %s", row.pk)


# --- The call ---


def test_an_excluded_person_may_call_us_and_the_call_is_closed_as_any_other() -> None:
    talk = opted_out()

    call = taken(talk)
    now: dict[str, Any] = {"by": talk.agent, "at": talk.at + LATER}
    greet(call=call, answered_by="intended", **now)
    dispose(call=call, code="not_interested", **now)
    for step in ("thank", "goodbye"):
        now["at"] += timedelta(seconds=5)
        say_closing_step(call=call, step=step, **now)
    record_hang_up(call=call, hung_up_by="prospect", evidence="declared", **now)
    dispose(call=call, code="not_interested", **now)

    call = Call.objects.get(pk=call.pk)
    assert (call.state, call.mode, call.dialled_at) == (CallState.DONE, Mode.INBOUND, None)
    assert Exclusion.objects.filter(prospect=talk.prospect, lifted_at=None).exists()
    assert talk.entry.state == EntryState.EXCLUDED


def test_the_golden_rule_holds_for_who_calls_us() -> None:
    call = taken(Talk().greeted().disposed("refusal").said("thank", "goodbye").hung_up().disposed("refusal"))

    screen = screen_of(call, call.started_at + timedelta(seconds=5))

    assert not screen.may_hang_up
    assert "dial" not in screen.allowed
    assert "release" not in screen.allowed
    assert "Je vous écoute" in screen.opening


def test_who_calls_us_was_not_called() -> None:
    talk = Talk().not_reached().disposed("no_answer")
    attempts = talk.entry.attempts

    call = taken(talk)
    now: dict[str, Any] = {"by": talk.agent, "at": talk.at + LATER}
    greet(call=call, answered_by="intended", **now)
    answer_criterion(call=call, criterion=talk.criterion, result="mismatch", heard="boulangerie", **now)

    assert Attempt.objects.filter(call_ref=call.pk).count() == 0
    assert talk.entry.attempts == attempts
    assert Call.objects.get(pk=call.pk).out_of_criteria_at is not None


def test_the_open_callback_is_kept_by_the_call() -> None:
    talk = Talk().greeted().disposed("callback", callback_at=NOW + timedelta(days=9))
    talk.said("thank", "goodbye").hung_up().disposed("callback")

    call = taken(talk)

    assert Callback.objects.get().state == CallbackState.DONE
    assert talk.entry.state == EntryState.CLAIMED
    assert call.entry_id == talk.entry_id
    assert ProspectEvent.objects.filter(
        kind=EventKind.CALLBACK, data__event="kept", call_ref=call.pk
    ).exists()


def test_a_finished_entry_does_not_come_back_into_the_queue_because_somebody_called() -> None:
    talk = Talk().matched().disposed("complete").said("thank", "goodbye").hung_up().disposed("complete")
    assert talk.entry.state == EntryState.DONE

    call = taken(talk)
    now: dict[str, Any] = {"by": talk.agent, "at": talk.at + LATER}
    greet(call=call, answered_by="intended", **now)
    dispose(call=call, code="partial", note="à compléter", **now)

    assert ListEntry.objects.get(pk=talk.entry_id).state == EntryState.DONE


def test_an_unknown_number_is_taken_in_the_chosen_campaign() -> None:
    campaign, agent = make_campaign(), make_user()

    call = take_inbound_call(campaign=campaign, number=next_number(), prospect=None, by=agent, at=NOW)

    assert (call.state, call.prospect, call.entry, call.campaign) == (
        CallState.CONNECTED,
        None,
        None,
        campaign,
    )


def test_an_agent_with_an_open_call_opens_no_other() -> None:
    talk = Talk().greeted()

    with pytest.raises(OpenCallExists):
        take_inbound_call(
            campaign=talk.campaign, number=next_number(), prospect=None, by=talk.agent, at=talk.at
        )


def test_a_person_with_somebody_of_ours_is_not_taken_twice() -> None:
    talk = Talk().greeted()

    with pytest.raises(InvalidTransition):
        taken(talk, by=make_user())


def test_a_pause_is_ended_first() -> None:
    agent = make_user()
    start_pause(reason="", by=agent, at=NOW)

    with pytest.raises(InvalidTransition):
        take_inbound_call(campaign=make_campaign(), number=next_number(), prospect=None, by=agent, at=NOW)


@pytest.mark.parametrize("what", ["campaign", "draft", "prospect", "number"])
def test_nothing_behind_a_wall_is_taken(what: str) -> None:
    talk = opted_out()
    agent = make_user(sponsors=[talk.programme.sponsor])
    others: dict[str, dict[str, Any]] = {
        "campaign": {"campaign": make_campaign()},
        "draft": {"campaign": make_campaign(talk.programme, status="draft")},
        "prospect": {"prospect": make_prospect(talk.call.number, source=make_source(make_sponsor()))},
        "number": {"number": next_number()},
    }

    with pytest.raises(NotFound):
        taken(talk, by=agent, **others[what])


def test_the_page_takes_the_call_and_shows_it(client: Client) -> None:
    talk = opted_out()
    client.force_login(talk.agent)
    sent = {"number": talk.call.number, "prospect": talk.prospect.pk, "campaign": talk.campaign.pk}

    answer = client.post(reverse("inbound-call"), sent)

    call = Call.objects.get(mode=Mode.INBOUND)
    assert answer["Location"] == reverse("call", args=[call.pk])
    assert 'data-state="connected"' in client.get(answer["Location"]).content.decode()
    again = client.post(reverse("inbound-call"), sent)
    assert Call.objects.filter(mode=Mode.INBOUND).count() == 1
    assert again["Location"] == reverse("call", args=[call.pk])


# --- Raw SQL: exactly that call, and no other, begins on the line ---


@pytest.fixture
def desk() -> Desk:
    return Desk()


def inbound_row(desk: Desk, **columns: Any) -> int:
    """Write an inbound call by raw SQL, past an exclusion of its number."""
    make_exclusion(number=desk.number)
    told = {"mode": "inbound", "state": "connected", "answered_at": NOW, "entry_id": None}
    return insert(desk.call(), **{**told, **columns})


def test_an_inbound_call_begins_on_the_line_past_every_bar(desk: Desk) -> None:
    assert inbound_row(desk)


@pytest.mark.parametrize(
    "columns",
    [
        {"state": "claimed", "answered_at": None},
        {"state": "dialling"},
        {"state": "closing", "closing_kind": "ordinary"},
        {"state": "ended", "ended_at": NOW, "hung_up_by": "prospect"},
        {"answered_at": None},
        {"dialled_at": NOW},
        {"mode": "queue"},
        {"mode": "manual"},
        {"mode": "external"},
        {"out_of_criteria_at": NOW},
    ],
)
def test_nothing_but_an_answered_inbound_call_begins_on_the_line(desk: Desk, columns: dict[str, Any]) -> None:
    with refused("call_starts_claimed", "call_inbound_never_dialled", "call_not_excluded"):
        inbound_row(desk, **columns)


@pytest.mark.parametrize("state", ["dialling", "claimed", "released"])
def test_an_inbound_call_is_never_dialled(desk: Desk, state: str) -> None:
    call = inbound_row(desk)

    with refused("call_moves_legally", "call_not_excluded", "call_inbound_never_dialled"):
        execute("UPDATE calls_call SET state = %s WHERE id = %s", state, call)
    with refused("call_inbound_never_dialled"):
        execute("UPDATE calls_call SET dialled_at = now() WHERE id = %s", call)


def test_no_call_becomes_inbound_or_ceases_to_be(desk: Desk) -> None:
    call = inbound_row(desk)

    with refused("call_identity_fixed"):
        execute("UPDATE calls_call SET mode = 'queue' WHERE id = %s", call)
    other = Talk().greeted()
    with refused("call_identity_fixed", "call_inbound_never_dialled"):
        execute("UPDATE calls_call SET mode = 'inbound' WHERE id = %s", other.call.pk)


def test_a_bar_that_is_lifted_lets_a_later_call_be_dialled_but_not_the_inbound_one(desk: Desk) -> None:
    call = Call.objects.get(pk=inbound_row(desk))
    for bar in Exclusion.objects.all():
        lift_exclusion(exclusion=bar, reason="x", by=make_user(Role.SUPERVISOR), at=NOW)

    with pytest.raises(InvalidTransition):
        dial(call=call, by=call.agent, at=NOW)


def test_an_entry_that_an_agent_holds_is_not_taken_from_them() -> None:
    talk = Talk()
    entry = make_entry(talk.campaign, state=EntryState.CLAIMED)

    with pytest.raises(InvalidTransition):
        take_inbound_call(
            campaign=talk.campaign, number=entry.number, prospect=entry.prospect, by=make_user(), at=talk.at
        )
