"""A gesture that a browser sends again, under the same key, is done once; what failed under it may be tried again."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from calls.enums import CallState
from calls.models import Call, Press
from calls.services.closing import say_closing_step
from calls.services.presses import forget_presses, once
from tests.factories import NOW, make_user
from tests.racing import race, unexpected
from tests.talking import Talk


@pytest.mark.django_db
def test_the_same_goodbye_sent_again_is_said_once_and_another_one_twice() -> None:
    talk = Talk().mismatched().said("apologise", "thank", "goodbye")
    talk.at += timedelta(seconds=20)
    client, key = Client(), str(uuid4())
    client.force_login(talk.agent)
    address = reverse("call-closing", args=[talk.call.pk])

    for _time in range(3):
        answer = client.post(address, {"step": "goodbye"}, headers={"X-Press": key, "HX-Request": "true"})
        assert answer.status_code == 200
        assert 'data-state="waiting"' in answer.content.decode()
    assert talk.read().goodbyes == 2

    # What somebody else calls a key is none: it is done as if there were no key.
    assert Press.objects.count() == 1
    client.post(address, {"step": "goodbye"}, headers={"X-Press": "'; DROP TABLE calls_press"})
    assert Press.objects.count() == 1


@pytest.mark.django_db
def test_what_was_refused_under_a_key_may_be_tried_again_under_it() -> None:
    talk = Talk().mismatched()
    client, key = Client(), str(uuid4())
    client.force_login(talk.agent)
    address = reverse("call-closing", args=[talk.call.pk])

    assert client.post(address, {"step": "thank"}, headers={"X-Press": key}).status_code == 409
    assert not Press.objects.exists()


@pytest.mark.django_db
def test_two_agents_may_have_the_same_key() -> None:
    key = str(uuid4())
    for _agent in range(2):
        with once(key=key, by=make_user("agent"), at=NOW) as is_new:
            assert is_new


@pytest.mark.django_db
def test_a_crash_under_a_key_forgets_the_key() -> None:
    agent, key = make_user("agent"), str(uuid4())

    with pytest.raises(RuntimeError), once(key=key, by=agent, at=NOW):
        raise RuntimeError

    with once(key=key, by=agent, at=NOW) as is_new:
        assert is_new


@pytest.mark.django_db(transaction=True)
def test_two_senders_of_one_gesture_do_it_once() -> None:
    talk = Talk().mismatched().said("apologise", "thank", "goodbye")
    key, later = str(uuid4()), talk.at + timedelta(seconds=20)

    def send() -> bool:
        call, agent = Call.objects.get(pk=talk.call.pk), talk.agent
        with once(key=key, by=agent, at=later) as is_new:
            if is_new:
                say_closing_step(call=call, step="goodbye", by=agent, at=later)
            return is_new

    for _round in range(5):
        results = race(send, send, send)
        assert not unexpected(results)
        assert sum(results) <= 1

    assert talk.read().goodbyes == 2
    assert talk.call.state == CallState.CLOSING


@pytest.mark.django_db
def test_keys_are_forgotten_after_a_day() -> None:
    agent = make_user("agent")
    for hours in (1, 25):
        with once(key=str(uuid4()), by=agent, at=NOW - timedelta(hours=hours)):
            pass

    assert forget_presses(at=NOW) == 1
    assert Press.objects.count() == 1
