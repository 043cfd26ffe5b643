"""Breaks name what they are for; one after a hard call is offered and does not count against the day's goal."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from calls.enums import PauseKind
from calls.models import Call, Pause
from calls.rules.goal import DAY, goal_of_day
from calls.selectors.day import day_of
from calls.selectors.hard import was_hard
from calls.services.desk import end_pause, start_pause
from calls.services.errors import Invalid, InvalidTransition
from calls.services.situations import enter_stage
from crm.models import User
from tests.factories import NOW, make_user
from tests.rawsql import execute, refused
from tests.talking import Talk
from tests.test_call_screen import HTMX, Story

pytestmark = pytest.mark.django_db

MIDNIGHT = NOW.replace(hour=0)


def hard_talk() -> Talk:
    """A call that ended after an open insult."""
    talk = Talk().greeted()
    enter_stage(situation="racist", stage=4, **talk.by())
    return talk.hung_up("agent").disposed("abuse_ended", note="insultes")


def break_after(talk: Talk) -> Pause:
    return start_pause(reason="", kind=PauseKind.HARD_CALL, after_call=talk.read(), by=talk.agent, at=talk.at)


@given(goal=st.integers(0, 500), minutes=st.integers(0, 900))
def test_the_goal_goes_down_with_the_break_in_favour_of_the_agent(goal: int, minutes: int) -> None:
    lowered = goal_of_day(goal, timedelta(minutes=minutes))

    assert 0 <= lowered <= goal
    # Whoever works on at the pace of the day reaches it, with something to spare.
    assert lowered <= max(0, goal * (1 - timedelta(minutes=minutes) / DAY)) + 1e-9
    assert lowered >= max(0, goal * (1 - timedelta(minutes=minutes) / DAY)) - 1


def test_a_call_is_hard_by_the_situation_that_it_reached() -> None:
    assert was_hard(hard_talk().read())
    assert not was_hard(Talk().greeted().read())


def test_a_break_after_a_hard_call_lowers_the_goal_once() -> None:
    talk = hard_talk()
    talk.agent.daily_goal = 50

    before = day_of(talk.agent, since=MIDNIGHT, at=talk.at)
    break_after(talk)
    end_pause(by=talk.agent, at=talk.at + timedelta(minutes=15))
    after = day_of(talk.agent, since=MIDNIGHT, at=talk.at + timedelta(minutes=15))

    assert (before.hard_call, before.goal) == (talk.call.pk, 50)
    # A quarter of an hour holds 1.8 of the 50 calls of seven hours: two less.
    assert (after.hard_call, after.goal, after.spared) == (None, 48, 2)
    with pytest.raises(InvalidTransition, match="déjà pris"):
        break_after(talk)


def test_an_ordinary_break_leaves_the_goal_as_it_is() -> None:
    agent = make_user(daily_goal=50)
    start_pause(reason="", kind=PauseKind.LUNCH, by=agent, at=NOW)

    day = day_of(agent, since=MIDNIGHT, at=NOW + timedelta(hours=1))

    assert (day.goal, day.pause) == (50, timedelta(hours=1))


@pytest.mark.parametrize("kind", ["hard_call", "coffee"])
def test_a_break_that_cannot_be_is_refused(kind: str) -> None:
    talk = Talk().greeted().disposed("refusal").said("thank", "goodbye").hung_up()

    with pytest.raises(Invalid):
        start_pause(reason="", kind=kind, after_call=talk.read(), by=talk.agent, at=talk.at)

    assert not Pause.objects.exists()


def test_the_time_of_the_day_is_told_by_state() -> None:
    talk = Talk().greeted().disposed("refusal").said("thank", "goodbye").hung_up()
    call = talk.read()
    end = talk.at + timedelta(minutes=3)
    talk.at += timedelta(minutes=1)
    talk.disposed("refusal")
    start_pause(reason="", by=talk.agent, at=end - timedelta(minutes=1))

    day = day_of(talk.agent, since=MIDNIGHT, at=end)

    call = Call.objects.get(pk=call.pk)
    assert call.answered_at
    assert call.ended_at
    assert call.done_at
    assert day.finished == 1
    assert day.online == call.ended_at - call.answered_at
    assert day.after_call == call.done_at - call.ended_at
    assert day.pause == timedelta(minutes=1)
    assert day.online + day.after_call + day.pause + day.waiting == end - call.started_at


def test_the_desk_offers_the_break_and_tells_the_day(client: Client) -> None:
    story = Story()
    story.go("asked")
    enter_stage(situation="racist", stage=4, **story.by())
    Call.objects.filter(pk=story.call.pk).update(
        state="ended", ended_at=timezone.now(), hung_up_by="agent", evidence="declared"
    )
    client.force_login(story.agent)
    client.post(story.url("disposition"), {"code": "abuse_ended", "note": "insultes"}, headers=HTMX)

    ended = client.get(story.url()).content.decode()
    client.post(reverse("desk-pause"), {"kind": "hard_call", "after_call": story.call.pk}, headers=HTMX)
    paused = client.get(reverse("desk")).content.decode()

    assert "hors objectif" in ended
    assert Pause.objects.get().after_call == story.call
    assert "Après un appel éprouvant" in paused
    assert "En ligne" in paused


@pytest.mark.parametrize("kind", [kind for kind in PauseKind.values if kind != "hard_call"])
def test_a_break_is_one_key_of_the_desk(client: Client, kind: str) -> None:
    agent = make_user()
    client.force_login(agent)

    client.post(reverse("desk-pause"), {"kind": kind, "reason": "x"})

    assert Pause.objects.get().kind == kind


# --- Raw SQL ---


def write(agent: User, kind: str, call: int | None) -> None:
    execute(
        "INSERT INTO calls_pause (agent_id, kind, reason, after_call_id, started_at) VALUES (%s, %s, '', %s, now())",
        agent.pk,
        kind,
        call,
    )


def test_a_hard_break_needs_a_call_that_its_agent_held() -> None:
    talk = hard_talk()

    with refused("pause_hard_after_a_call"):
        write(talk.agent, "hard_call", None)
    with refused("pause_hard_after_a_call"):
        write(talk.agent, "lunch", talk.call.pk)
    with refused("pause_kind_known"):
        write(talk.agent, "coffee", None)
    with refused("pause_after_own_call"):
        write(make_user(), "hard_call", talk.call.pk)
    write(talk.agent, "hard_call", talk.call.pk)
    execute("UPDATE calls_pause SET ended_at = now()")
    with refused("pause_once_after_call"):
        write(talk.agent, "hard_call", talk.call.pk)
    with refused("pause_after_own_call"):
        execute("UPDATE calls_pause SET agent_id = %s", make_user().pk)
