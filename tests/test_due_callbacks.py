"""Callbacks that fall due: told at the desk, never lost with their agent, given to others, cancelled with a reason."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calls.enums import CallbackState
from calls.models import Callback, Reminder, Workplace
from calls.selectors.call_screen import screen_of
from calls.selectors.callbacks import promises_of
from calls.services.callbacks import cancel_callback, reassign_callback, release_callbacks
from calls.services.claim import claim_next
from calls.services.desk import note_presence, set_sound, start_pause
from calls.services.erasure import erase_prospect
from calls.services.errors import Forbidden, Invalid, InvalidTransition
from calls.services.talk import note_wish
from calls.tasks import release_callbacks_task
from campaigns.enums import EntryState
from campaigns.models import Campaign, ListEntry
from crm.enums import EventKind, Role
from crm.models import ProspectEvent, User
from tests.factories import NOW, make_campaign, make_entry, make_programme, make_sponsor, make_user
from tests.talking import Talk
from tests.test_call_screen import HTMX, Story

pytestmark = pytest.mark.django_db

AFTER = timedelta(minutes=30)


def promise(owner: User | None, due: datetime, campaign: Campaign | None = None, **entry: Any) -> Callback:
    """Return a callback that stands, with its entry."""
    row = make_entry(campaign, state=EntryState.CALLBACK, due_at=due, owner=owner, **entry)
    return Callback.objects.create(
        entry=row,
        campaign=row.campaign,
        prospect=row.prospect,
        owner=owner,
        due_at=due,
        created_by=owner or make_user(),
        created_at=due,
    )


def owner_of(callback: Callback) -> tuple[User | None, User | None]:
    """Return the owner of a callback and of its entry."""
    callback.refresh_from_db()
    return callback.owner, ListEntry.objects.get(pk=callback.entry_id).owner


# --- Never lost ---


def test_a_callback_of_an_absent_agent_goes_to_the_team_and_everybody_is_told() -> None:
    agent = make_user()
    callback = promise(agent, NOW)

    early = release_callbacks(at=NOW + AFTER - timedelta(seconds=1), after=AFTER)
    released = release_callbacks(at=NOW + AFTER, after=AFTER)
    again = release_callbacks(at=NOW + AFTER, after=AFTER)

    assert (early, released, again) == (0, 1, 0)
    assert owner_of(callback) == (None, None)
    assert callback.due_at == NOW
    [told] = ProspectEvent.objects.filter(prospect=callback.prospect, kind=EventKind.CALLBACK)
    assert told.data["event"] == "released"
    assert promises_of(agent, NOW + AFTER).released == [callback]
    served = claim_next(campaign=callback.campaign, by=make_user(), at=NOW + AFTER)
    assert served is not None
    assert served.entry_id == callback.entry_id


@pytest.mark.parametrize("trace", ["desk", "pause", "call"])
def test_a_callback_stays_with_an_agent_who_is_there(trace: str) -> None:
    at = NOW + AFTER
    talk = Talk()
    agent = talk.agent if trace == "call" else make_user()
    callback = promise(agent, NOW)
    lately = at - timedelta(minutes=10)
    if trace == "desk":
        note_presence(by=agent, at=lately)
    elif trace == "pause":
        start_pause(reason="", by=agent, at=lately)
    else:
        talk.call.lease_until = at
        talk.call.save()

    assert release_callbacks(at=at, after=AFTER) == 0
    assert owner_of(callback) == (agent, agent)
    # Whoever leaves then is not waited for.
    assert release_callbacks(at=at + AFTER, after=AFTER) == 1


@pytest.mark.parametrize("gone", [{"is_active": False}, {"role": Role.INTEGRATION}])
def test_a_callback_of_somebody_gone_is_everybodys_at_once(gone: dict[str, Any]) -> None:
    agent = make_user()
    callback = promise(agent, NOW + timedelta(days=1))
    User.objects.filter(pk=agent.pk).update(**gone)

    release_callbacks(at=NOW, after=AFTER)

    assert owner_of(callback) == (None, None)


def test_a_callback_that_is_being_called_is_left_alone() -> None:
    callback = promise(make_user(), NOW)
    ListEntry.objects.filter(pk=callback.entry_id).update(state=EntryState.CLAIMED)

    assert release_callbacks(at=NOW + AFTER, after=AFTER) == 0


def test_the_worker_does_it() -> None:
    callback = promise(make_user(), timezone.now() - timedelta(hours=2))

    assert release_callbacks_task() == 1
    assert owner_of(callback) == (None, None)


# --- Told at the desk ---


def test_the_desk_is_told_of_what_changed_and_of_nothing_else(client: Client) -> None:
    agent = make_user()
    client.force_login(agent)
    callback = promise(agent, timezone.now() - timedelta(minutes=1))

    first = client.get(reverse("desk-news"), headers=HTMX)
    token = promises_of(agent, timezone.now()).token
    again = client.get(reverse("desk-news"), {"seen": token}, headers=HTMX)

    assert callback.prospect.display_name in first.content.decode()
    assert f'data-due="{callback.pk}"' in first.content.decode()
    assert again.status_code == 204


def test_the_coming_of_the_hour_is_a_change() -> None:
    agent = make_user()
    promise(agent, NOW)

    before = promises_of(agent, NOW - timedelta(seconds=1))
    after = promises_of(agent, NOW)

    assert before.token != after.token
    assert (len(before.due), len(after.due)) == (0, 1)


def test_only_a_touch_of_the_desk_says_that_somebody_is_there(client: Client) -> None:
    agent = make_user()
    client.force_login(agent)

    client.get(reverse("desk-news"))
    alone = Workplace.objects.filter(agent=agent).exists()
    client.get(reverse("desk-news"), {"active": "1"})

    assert not alone
    assert Workplace.objects.get(agent=agent).seen_at


def test_the_sound_is_the_agents_choice_and_stays(client: Client) -> None:
    agent = make_user()
    client.force_login(agent)

    client.post(reverse("desk-sound"), {"sound": "off"})

    assert 'data-sound="off"' in client.get(reverse("desk")).content.decode()
    note_presence(by=agent, at=NOW)
    assert not Workplace.objects.get(agent=agent).sound
    set_sound(on=True, by=agent)
    assert Workplace.objects.get(agent=agent).seen_at == NOW


def test_on_a_call_the_phone_bar_tells_of_the_other_callback_that_is_due(client: Client) -> None:
    story = Story()
    story.go("asked")
    client.force_login(story.agent)
    due = timezone.now() - timedelta(minutes=2)
    promise(story.agent, due)
    promise(make_user(), due - timedelta(hours=1))

    page = client.get(story.url()).content.decode()
    lease = client.post(story.url("lease")).json()

    assert f"rappel dû {timezone.localtime(due):%H:%M}" in page
    assert lease["due"] == f"{timezone.localtime(due):%H:%M}"


def test_the_callback_that_the_call_itself_keeps_is_not_told_of() -> None:
    agent = make_user()
    callback = promise(agent, NOW)
    call = claim_next(campaign=callback.campaign, by=agent, at=NOW)

    assert call is not None
    assert screen_of(call, NOW).due_callback is None


# --- Given to others, cancelled ---


def test_a_supervisor_gives_a_callback_to_somebody_or_to_the_team() -> None:
    supervisor, agent, colleague = make_user(Role.SUPERVISOR), make_user(), make_user()
    callback = promise(agent, NOW)

    reassign_callback(callback=callback, to=colleague, by=supervisor, at=NOW)
    assert owner_of(callback) == (colleague, colleague)
    reassign_callback(callback=callback, to=None, by=supervisor, at=NOW)
    reassign_callback(callback=callback, to=None, by=supervisor, at=NOW)

    assert owner_of(callback) == (None, None)
    told = ProspectEvent.objects.filter(prospect=callback.prospect, kind=EventKind.CALLBACK)
    assert [row.data["event"] for row in told] == ["reassigned", "reassigned"]


def test_an_agent_gives_their_own_to_the_team_and_to_nobody_else() -> None:
    agent, colleague = make_user(), make_user()
    callback = promise(agent, NOW)

    with pytest.raises(Forbidden):
        reassign_callback(callback=callback, to=colleague, by=agent, at=NOW)
    with pytest.raises(Forbidden):
        reassign_callback(callback=callback, to=None, by=colleague, at=NOW)
    reassign_callback(callback=callback, to=None, by=agent, at=NOW)

    assert owner_of(callback) == (None, None)


@pytest.mark.parametrize("why", ["gone", "wall", "language"])
def test_a_callback_is_given_to_nobody_who_could_not_be_served_it(why: str) -> None:
    to = make_user(
        is_active=why != "gone", sponsors=[make_sponsor()] if why == "wall" else [], languages=["fr"]
    )
    callback = promise(make_user(), NOW, language="de" if why == "language" else "")

    with pytest.raises(Invalid):
        reassign_callback(callback=callback, to=to, by=make_user(Role.SUPERVISOR), at=NOW)


def test_a_cancelled_callback_leaves_the_queue_with_its_reason() -> None:
    agent = make_user()
    callback = promise(agent, NOW)

    with pytest.raises(Invalid):
        cancel_callback(callback=callback, reason=" ", by=agent, at=NOW)
    cancelled = cancel_callback(callback=callback, reason="réglé par e-mail", by=agent, at=NOW)
    cancel_callback(callback=cancelled, reason="encore", by=agent, at=NOW)

    callback.refresh_from_db()
    assert (callback.state, callback.cancel_reason) == (CallbackState.CANCELLED, "réglé par e-mail")
    assert ListEntry.objects.get(pk=callback.entry_id).state == EntryState.DONE
    with pytest.raises(InvalidTransition):
        reassign_callback(callback=callback, to=None, by=make_user(Role.SUPERVISOR), at=NOW)


def test_a_callback_in_its_call_is_neither_given_away_nor_cancelled() -> None:
    agent = make_user()
    callback = promise(agent, NOW)
    claim_next(campaign=callback.campaign, by=agent, at=NOW)

    with pytest.raises(InvalidTransition):
        cancel_callback(callback=callback, reason="x", by=agent, at=NOW)
    with pytest.raises(InvalidTransition):
        reassign_callback(callback=callback, to=None, by=agent, at=NOW)


# --- The page ---


def test_the_page_lists_an_agents_own_and_to_a_supervisor_those_of_their_sponsors(client: Client) -> None:
    programme = make_programme()
    agent = make_user()
    supervisor = make_user(Role.SUPERVISOR, sponsors=[programme.sponsor])
    mine = promise(agent, NOW, make_campaign(programme))
    pooled = promise(None, NOW, make_campaign(programme))
    behind = promise(make_user(), NOW)

    client.force_login(agent)
    own = client.get(reverse("callbacks")).content.decode()
    client.force_login(supervisor)
    seen = client.get(reverse("callbacks")).content.decode()
    pool = client.get(reverse("callbacks"), {"only": "pool"}).content.decode()
    owned = client.get(reverse("callbacks"), {"owner": agent.pk}).content.decode()

    names = [row.prospect.display_name for row in (mine, pooled, behind)]
    assert [name in own for name in names] == [True, False, False]
    assert [name in seen for name in names] == [True, True, False]
    assert [name in pool for name in names] == [False, True, False]
    assert [name in owned for name in names] == [True, False, False]


def test_the_page_gives_and_cancels(client: Client) -> None:
    supervisor, agent = make_user(Role.SUPERVISOR), make_user()
    callback = promise(None, NOW)
    client.force_login(supervisor)

    client.post(reverse("callback-owner", args=[callback.pk]), {"owner": agent.pk})
    given = owner_of(callback)
    client.post(reverse("callback-cancellation", args=[callback.pk]), {"reason": "x"})

    assert given == (agent, agent)
    assert owner_of(callback)[0] == agent
    assert callback.state == CallbackState.CANCELLED


def test_a_cancellation_without_its_reason_is_refused_in_one_sentence(client: Client) -> None:
    callback = promise(None, NOW)
    client.force_login(make_user(Role.SUPERVISOR))

    refused = client.post(reverse("callback-cancellation", args=[callback.pk]), {"reason": "  "}, follow=True)

    assert [str(told) for told in refused.context["messages"]] == ["Dites pourquoi en quelques mots."]
    assert Callback.objects.get(pk=callback.pk).state == CallbackState.OPEN


def test_the_page_costs_the_same_for_ten_and_twenty(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    client.force_login(make_user(Role.SUPERVISOR))
    for _ten in range(20):
        promise(make_user(), NOW)

    with django_assert_max_num_queries(12):
        client.get(reverse("callbacks"))


# --- Wishes ---


def test_a_wish_is_brought_back_to_who_noted_it_and_to_supervisors_when_its_time_has_come(
    client: Client,
) -> None:
    talk = Talk().greeted()
    when = talk.at + timedelta(days=2)
    note_wish(text="une assurance", remind_at=when, **talk.by())
    note_wish(text="une assurance", remind_at=when, **talk.by())

    assert Reminder.objects.count() == 1
    assert not promises_of(talk.agent, when - timedelta(seconds=1)).reminders
    assert promises_of(talk.agent, when).reminders
    Reminder.objects.update(due_at=timezone.now())
    client.force_login(talk.supervisor)
    page = client.get(reverse("callbacks")).content.decode()
    assert "une assurance" in page
    client.post(reverse("reminder-completion", args=[Reminder.objects.get().pk]))
    assert Reminder.objects.get().done_by == talk.supervisor
    assert not Callback.objects.exists()


def test_an_erased_persons_wish_is_over() -> None:
    talk = Talk().greeted()
    note_wish(text="une assurance", remind_at=talk.at + timedelta(days=2), **talk.by())
    talk.disposed("refusal").said("thank", "goodbye").hung_up().disposed("refusal")

    erase_prospect(prospect=talk.prospect, by=talk.manager, at=talk.at)

    assert Reminder.objects.get().done_at == talk.at
