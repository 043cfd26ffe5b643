"""In the browser: callbacks agreed in words and falling due, a break after a hard call, somebody who calls us."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from calls.enums import CallState, Mode, PauseKind
from calls.models import Call, Callback, Pause
from calls.services.lease import release_call
from calls.services.situations import enter_stage
from crm.rules.phones import national
from tests.factories import make_exclusion
from tests.stories import House, expect_state, say_the_closing
from tests.test_call_screen import Story
from tests.test_due_callbacks import promise

pytestmark = pytest.mark.django_db(transaction=True)

#: Counts the sounds that a page makes, through the browser's own interface.
COUNT_SOUNDS = """
window.sounds = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { window.sounds += 1; return start.apply(this, when); };
"""


@pytest.fixture
def house(browser: Browser, live_server: LiveServer) -> Iterator[House]:
    house = House(browser, live_server.url)
    yield house
    house.leave()


def office(story: Story) -> Story:
    """Give the campaign of a story office hours, once its call is under way."""
    story.campaign.calling_rule = "default"
    story.campaign.save()
    return story


def type_when(page: Page, words: str) -> Any:
    """Type when to call back, and return the line that says how it is understood."""
    field = page.locator('input[name="callback_at"]')
    field.fill("")
    field.type(words)
    return page.locator("#callback-understood")


def test_a_callback_is_agreed_in_words_and_refused_outside_the_hours(house: House) -> None:
    story = office(Story().go("asked"))
    page = house.sign_in(story.agent)
    page.goto(f"{house.url}{story.url()}?conclude=1&code=callback")

    expect(page.locator('input[name="callback_at"]')).to_be_focused()
    said = type_when(page, "mardi 15h")
    expect(said).to_contain_text("mardi")
    expect(said).to_contain_text("heure exacte")
    said = type_when(page, "dimanche 22h")
    expect(said).to_contain_text("cochez la case")
    page.keyboard.press("Enter")
    expect(page.locator('[role="alert"]').first).to_contain_text("Seule une heure exacte")
    assert not Callback.objects.exists()
    expect(page.locator('input[name="callback_at"]')).to_have_value("dimanche 22h")
    type_when(page, "lundi matin")
    page.keyboard.press("Enter")
    expect_state(page, "closing")

    local = timezone.localtime(Callback.objects.get().due_at)
    assert (local.isoweekday(), local.hour) == (1, 10)


def test_a_callback_that_falls_due_surfaces_at_the_desk_with_a_sound_that_can_be_turned_off(
    house: House,
) -> None:
    story = Story()
    Call.objects.filter(pk=story.call.pk).update(state=CallState.RELEASED)
    page = house.sign_in(story.agent)
    page.add_init_script(COUNT_SOUNDS)
    page.goto(f"{house.url}/desk/")
    expect_state(page, "desk")
    page.mouse.click(640, 200)

    first = promise(story.agent, timezone.now() - timedelta(seconds=1))
    expect(page.locator("#my-callbacks")).to_contain_text(first.prospect.display_name)
    expect(page.locator("#my-callbacks")).to_contain_text("c'est l'heure")
    page.wait_for_function("window.sounds > 0")
    page.keyboard.press("s")
    expect(page.locator('.screen[data-sound="off"]')).to_be_visible()
    sounds = page.evaluate("window.sounds")
    second = promise(story.agent, timezone.now() - timedelta(seconds=1))
    expect(page.locator("#my-callbacks")).to_contain_text(second.prospect.display_name)

    assert page.evaluate("window.sounds") == sounds


def test_after_a_hard_call_a_break_is_offered_and_lowers_the_goal(house: House) -> None:
    story = Story().go("asked")
    enter_stage(situation="racist", stage=4, **story.by())
    Call.objects.filter(pk=story.call.pk).update(
        state=CallState.ENDED, ended_at=timezone.now(), hung_up_by="agent", evidence="declared"
    )
    page = house.sign_in(story.agent)
    page.goto(f"{house.url}{story.url()}?code=abuse_ended")
    page.locator('#disposition textarea[name="note"]').fill("insultes")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="hors objectif")).to_be_visible()
    page.keyboard.press("b")
    expect(page.get_by_role("heading", name="En pause")).to_be_visible()
    pause = Pause.objects.get()
    assert (pause.kind, pause.after_call_id) == (PauseKind.HARD_CALL, story.call.pk)
    Pause.objects.update(started_at=timezone.now() - timedelta(minutes=10))
    expect_state(page, "desk")
    page.keyboard.press("Space")

    expect(page.locator(".day")).to_contain_text("appels de moins à faire")
    expect(page.locator("#goal")).to_contain_text("/ 48")


def test_an_excluded_person_calls_us_and_is_answered_and_closed_politely(house: House) -> None:
    story = Story()
    release_call(reason="x", **story.by())
    make_exclusion(sponsor=story.programme.sponsor, prospect=story.prospect, reason="opposition")
    page = house.sign_in(story.agent)
    expect_state(page, "desk")
    page.keyboard.press("i")
    expect(page.locator("#inbound-number")).to_be_focused()
    page.keyboard.type(national(story.call.number))
    page.keyboard.press("Enter")
    expect(page.get_by_text("à ne plus être appelée")).to_be_visible()
    expect(page.get_by_role("button", name="Ouvrir l'appel entrant")).to_be_focused()
    page.keyboard.press("Enter")
    expect_state(page, "connected")
    page.keyboard.press("Space")
    expect(page.locator(".question--now")).to_be_focused()
    page.keyboard.press("2")
    page.locator('input[name="heard"]').type("boulangerie")
    page.keyboard.press("Enter")
    expect_state(page, "closing")
    say_the_closing(page)

    call = Call.objects.get(mode=Mode.INBOUND)
    assert (call.state, call.dialled_at, call.goodbyes) == (CallState.CLOSING, None, 1)
