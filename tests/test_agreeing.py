"""Agreeing on a callback: understood before it is stored, within the calling rules, by whom and in which language."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calls.enums import CallbackState
from calls.models import Call, Callback
from calls.selectors.agreeing import understand
from calls.services.claim import claim_next
from calls.services.dispositions import dispose
from calls.services.errors import Invalid
from campaigns.models import ListEntry
from crm.models import User
from tests.factories import make_campaign, make_entry, make_prospect, make_user
from tests.talking import Talk
from tests.test_call_screen import HTMX, Story

pytestmark = pytest.mark.django_db

OFFICE = "default"


def office_story(client: Client, zone: str = "Europe/Paris") -> Story:
    """A call in a campaign with office hours, greeted; its prospect lives in `zone`."""
    story = Story()
    story.go("asked")
    story.campaign.calling_rule = OFFICE
    story.campaign.save()
    story.prospect.time_zone = zone
    story.prospect.save()
    client.force_login(story.agent)
    return story


def preview(client: Client, story: Story, **typed: Any) -> str:
    """Return what the form says of what was typed."""
    answer = client.post(story.url("callback-preview"), {"code": "callback", **typed}, headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_form_says_how_a_time_is_understood_by_both_clocks(client: Client) -> None:
    story = office_story(client, zone="Indian/Reunion")

    said = preview(client, story, callback_at="mardi 15h")

    assert "mardi" in said
    assert "15\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}00 chez la personne" in said
    assert "chez vous" in said
    assert "heure exacte" in said
    assert not Callback.objects.exists()


def test_what_is_not_understood_asks_again_in_words(client: Client) -> None:
    said = preview(client, office_story(client), callback_at="bientôt")

    assert "pas compris" in said


def test_a_vague_time_is_moved_to_the_next_opening_and_says_so(client: Client) -> None:
    story = office_story(client)

    said = preview(client, story, callback_at="dimanche matin")

    assert "lundi" in said
    assert "prochaine ouverture" in said


@pytest.mark.parametrize("given", [False, True])
def test_a_clear_time_outside_the_hours_needs_the_word_of_the_person(client: Client, given: bool) -> None:
    story = office_story(client)
    sent = {"callback_at": "dimanche 22h", **({"callback_exact": "on"} if given else {})}

    said = preview(client, story, **sent)
    answer = client.post(story.url("disposition"), {"code": "callback", **sent}, headers=HTMX)

    assert ("cochez la case" in said) is not given
    assert answer.status_code == (200 if given else 400)
    assert [row.exact for row in Callback.objects.all()] == ([True] if given else [])
    if not given:
        # What was typed is not to be typed again.
        assert 'value="dimanche 22h"' in answer.content.decode()


def test_the_service_refuses_a_time_outside_the_hours_whoever_asks() -> None:
    talk = Talk(calling_rule=OFFICE).greeted()
    night = talk.at.replace(hour=22)

    with pytest.raises(Invalid) as refused:
        dispose(code="callback", callback_at=night, **talk.by())

    assert "callback_at" in refused.value.fields
    talk.disposed("callback", callback_at=night, exact=True)
    assert Callback.objects.get().due_at == night


def test_a_moved_time_is_stored_as_it_was_shown(client: Client) -> None:
    story = office_story(client)
    shown = understand(Call.objects.get(pk=story.call.pk), "dimanche matin", given=False, now=timezone.now())

    client.post(story.url("disposition"), {"code": "callback", "callback_at": "dimanche matin"}, headers=HTMX)

    callback = Callback.objects.get()
    assert (callback.due_at, callback.exact) == (shown.at, False)


def test_a_picker_is_as_good_as_words(client: Client) -> None:
    story = office_story(client)
    day = timezone.localtime() + timedelta(days=7)
    monday = day - timedelta(days=day.weekday())

    client.post(
        story.url("disposition"),
        {"code": "callback", "callback_at": "", "callback_pick": f"{monday:%Y-%m-%dT15:00}"},
    )

    assert (
        timezone.localtime(Callback.objects.get().due_at).strftime("%Y-%m-%d %H:%M")
        == f"{monday:%Y-%m-%d} 15:00"
    )


def _promised(owner: User | None, due: Any, prospect: Any = None, campaign: Any = None) -> Callback:
    entry = make_entry(campaign, prospect or make_prospect(), state="callback", due_at=due)
    return Callback.objects.create(
        entry=entry,
        campaign=entry.campaign,
        prospect=entry.prospect,
        owner=owner,
        due_at=due,
        created_by=make_user(),
        created_at=due,
    )


@pytest.mark.parametrize(("apart", "told"), [(9, True), (11, False)])
def test_another_callback_of_the_agent_nearby_is_shown(client: Client, apart: int, told: bool) -> None:
    story = office_story(client)
    due = understand(Call.objects.get(pk=story.call.pk), "mardi 15h", given=False, now=timezone.now()).at
    other = _promised(story.agent, due + timedelta(minutes=apart))

    said = preview(client, story, callback_at="mardi 15h", callback_agent=story.agent.pk)
    pooled = preview(client, story, callback_at="mardi 15h")

    assert (other.prospect.display_name in said) is told
    assert other.prospect.display_name not in pooled


def test_a_person_who_has_a_callback_already_is_told_of_inside_the_sponsor_only(client: Client) -> None:
    story = office_story(client)
    due = timezone.now() + timedelta(days=3)
    _promised(None, due, story.prospect)

    behind_the_wall = preview(client, story, callback_at="mardi 15h")
    _promised(None, due, story.prospect, make_campaign(story.programme))
    inside = preview(client, story, callback_at="mardi 15h")

    assert "déjà un rappel" not in behind_the_wall
    assert "déjà un rappel" in inside


def test_a_callback_in_another_language_goes_to_who_speaks_it(client: Client) -> None:
    story = office_story(client)
    speaker = make_user(languages=["de"])
    form = client.get(story.url(), {"conclude": "1", "code": "callback"}).content.decode()

    client.post(
        story.url("disposition"),
        {"code": "callback", "callback_at": "mardi 15h", "callback_language": "de"},
        headers=HTMX,
    )

    assert "Allemand" in form
    callback = Callback.objects.get()
    entry = ListEntry.objects.get(pk=callback.entry_id)
    assert (callback.owner, entry.language) == (None, "de")
    Call.objects.filter(pk=story.call.pk).update(
        state="ended", ended_at=timezone.now(), hung_up_by="prospect"
    )
    dispose(call=Call.objects.get(pk=story.call.pk), code="callback", by=story.agent, at=timezone.now())
    assert claim_next(campaign=story.campaign, by=story.agent, at=callback.due_at) is None
    served = claim_next(campaign=story.campaign, by=speaker, at=callback.due_at)
    assert served is not None
    assert served.entry_id == callback.entry_id


def test_an_agent_does_not_keep_a_callback_in_a_language_that_they_do_not_speak() -> None:
    talk = Talk().greeted()

    with pytest.raises(Invalid) as refused:
        talk.disposed(
            "callback",
            callback_at=talk.at + timedelta(days=1),
            callback_agent=talk.agent,
            callback_language="de",
        )

    assert "callback_language" in refused.value.fields
    assert not Callback.objects.filter(state=CallbackState.OPEN).exists()


def test_the_preview_of_another_agents_call_does_not_exist(client: Client) -> None:
    story = office_story(client)
    client.force_login(make_user())

    assert client.post(reverse("call-callback-preview", args=[story.call.pk])).status_code == 404
