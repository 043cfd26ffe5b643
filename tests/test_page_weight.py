"""What the call screen weighs over the wire, from the product as it is delivered: compressed, kept by the browser."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.running import copied, free_port, running
from tests.stories import expect_state, mismatch, say_the_closing

FIRST_LOAD = 250_000
NEXT_STATE = 15_000


@pytest.fixture(scope="module")
def product() -> Iterator[str]:
    """The address of the product and its demo."""
    port = free_port()
    with copied() as checkout, running(checkout, port):
        yield f"http://127.0.0.1:{port}"


class Scales:
    """Adds up what arrives in a page, headers included, as the browser's own network panel counts it."""

    def __init__(self, page: Page) -> None:
        self.bytes = 0
        wire = page.context.new_cdp_session(page)
        wire.on("Network.loadingFinished", self._add)
        wire.send("Network.enable")

    def _add(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])

    def weigh(self, page: Page) -> int:
        """Return what came since the last time, once the line is quiet."""
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(300)
        came, self.bytes = self.bytes, 0
        return came


def agent_of(browser: Browser, product: str) -> StorageState:
    """Sign an agent in and return the session alone: the browser that uses it has never seen a file of ours."""
    context = browser.new_context(locale="fr-FR")
    page = context.new_page()
    page.goto(f"{product}/login/")
    page.locator("[name=username]").fill("agent")
    page.locator("[name=password]").fill("demo")
    page.locator("[name=password]").press("Enter")
    page.wait_for_url("**/desk/**")
    state = context.storage_state()
    context.close()
    return state


def test_a_whole_call_is_light_from_its_first_load_to_its_last_state(browser: Browser, product: str) -> None:
    context = browser.new_context(
        locale="fr-FR", viewport={"width": 1280, "height": 720}, storage_state=agent_of(browser, product)
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    scales = Scales(page)
    weights: dict[str, int] = {}

    page.goto(f"{product}/desk/?scenario=answers")
    expect_state(page, "desk")
    weights["desk, first load"] = scales.weigh(page)
    page.keyboard.press("Space")
    expect_state(page, "claimed")
    weights["claimed"] = scales.weigh(page)
    page.keyboard.press("Enter")
    expect(page.locator('.screen[data-state="dialling"]')).to_be_visible()
    weights["dialling"] = scales.weigh(page)
    expect_state(page, "connected")
    weights["connected"] = scales.weigh(page)
    page.keyboard.press("Space")
    expect(page.locator(".question--now")).to_be_focused()
    weights["criteria"] = scales.weigh(page)
    mismatch(page)
    weights["closing, both steps"] = scales.weigh(page)
    say_the_closing(page)
    weights["waiting, with three sentences"] = scales.weigh(page)
    expect_state(page, "ended")
    weights["ended"] = scales.weigh(page)
    context.close()

    print("\n" + "\n".join(f"{state}: {weight / 1000:.1f} kB" for state, weight in weights.items()))
    assert weights.pop("desk, first load") <= FIRST_LOAD
    assert {state: weight for state, weight in weights.items() if weight > NEXT_STATE} == {}
    assert min(weights.values()) > 500
