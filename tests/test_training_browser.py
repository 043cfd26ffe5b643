"""An exercise by keyboard, on the cards of the call screen, without scrolling."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from calls.models import Practice
from crm.enums import Role
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db(transaction=True)

expect.set_options(timeout=15_000)


def ready(page: Page, selector: str) -> None:
    expect(page.locator(selector).first).to_be_visible()
    expect(page.locator("[data-guarded]")).to_have_count(0)


def test_an_agent_practises_by_keyboard_and_reads_the_review(page: Page, live_server: LiveServer) -> None:
    make_user(Role.AGENT, "agathe")
    page.goto(f"{live_server.url}/login/?next=/training/")
    page.locator("[name=username]").fill("agathe")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.locator('[value="sexist-2"]').click()

    ready(page, "#palette-words:focus")
    page.keyboard.type("petit nom")
    page.keyboard.press("Enter")
    ready(page, '.what__count:text("2/4")')
    expect(page.locator(".heard-line")).to_contain_text("Ne soyez pas si froide")
    page.keyboard.press("ArrowRight")
    ready(page, '.what__count:text("3/4")')
    expect(page.locator("#live")).to_contain_text("je m'arrête là")
    page.keyboard.press("ArrowDown")
    ready(page, ".progress-steps")
    page.keyboard.press("Space")
    ready(page, ".progress-steps .is-done")
    page.keyboard.press("Space")
    ready(page, ".waiting-mark")
    page.keyboard.press("p")
    ready(page, ".review")

    assert page.locator(".review__point--good").count() == page.locator(".review__point").count() == 4
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    page.keyboard.press("?")
    expect(page.locator("#keys-help dl").first).to_contain_text("Espace")
    assert [move["do"] for move in Practice.objects.get().moves] == [
        "open",
        "next",
        "back",
        "say",
        "say",
        "wait",
    ]
    page.keyboard.press("Escape")
    page.keyboard.press("Space")
    ready(page, "[data-palette]")
    assert Practice.objects.count() == 2
