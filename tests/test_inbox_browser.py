"""The supervisor's inbox in a browser: decided by keys alone, by two people at once, and never twice."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from calls.models import IncidentDecision
from calls.services.dispositions import ask_correction
from calls.services.supervisor import ask_supervisor
from crm.models import User
from tests.factories import make_user
from tests.talking import Talk

pytestmark = pytest.mark.django_db(transaction=True)

Open = Callable[[BrowserContext, User], Page]


@pytest.fixture
def sit_down(live_server: LiveServer) -> Open:
    """Return what opens the inbox for a supervisor in a browser of their own."""

    def open_inbox(context: BrowserContext, user: User) -> Page:
        client = Client()
        client.force_login(user)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])
        page = context.new_page()
        page.goto(live_server.url + reverse("inbox"))
        expect(page.locator("#inbox-count")).to_be_attached()
        return page

    return open_inbox


def current(page: Page) -> str:
    """Return what the selected item is about."""
    return page.locator(".item[aria-current] h2").inner_text()


def ready(page: Page) -> None:
    """Wait until the selected item has its keys: they are held back a moment after a move."""
    page.locator('.item[aria-current] [data-choice="1"][data-key="1"]').wait_for()


def test_three_requests_are_decided_by_keys_alone(browser_context: BrowserContext, sit_down: Open) -> None:
    Talk().mismatched("une boulangerie").hung_up("agent")
    talk = Talk().mismatched().said("apologise", "thank", "goodbye").hung_up()
    ask_correction(reason="touche trop vite", **talk.by())
    ask_supervisor(**Talk().greeted().by())
    page = sit_down(browser_context, make_user("supervisor"))
    expect(page.locator("#inbox-badge")).to_contain_text("3 demandes attendent")

    # The call for help stands first: one key decides.
    assert current(page) == "Un agent vous appelle"
    ready(page)
    page.keyboard.press("1")
    expect(page.locator(".item--decided")).to_contain_text("Soutenir l'agent")
    expect(page.locator("#live")).to_contain_text("Décidé")
    expect(page.locator(".item[aria-current]")).to_be_focused()
    assert current(page) == "Fin d'appel à revoir"

    # Down to the correction, whose decision asks for words: Escape takes it back, Enter confirms.
    page.keyboard.press("j")
    assert current(page) == "Erreur de saisie à corriger"
    ready(page)
    page.keyboard.press("c")
    expect(page.locator(".item[aria-current] .item__context")).to_be_visible()
    page.keyboard.press("2")
    reason = page.locator(".item[aria-current] [name=reason]")
    expect(reason).to_be_focused()
    page.keyboard.press("Escape")
    expect(reason).to_be_hidden()
    page.keyboard.press("2")
    page.keyboard.type("12 est bien ce qui a été dit")
    page.keyboard.press("Enter")
    expect(page.locator(".item--decided")).to_have_count(2)

    # Nothing follows: the one before is next.
    assert current(page) == "Fin d'appel à revoir"
    ready(page)
    page.keyboard.press("1")
    done = page.locator("[data-inbox-done]")
    expect(done).to_be_focused()
    expect(page.locator("#inbox-badge")).not_to_contain_text("attend")
    expect(page.locator("#inbox-all")).to_have_text("0")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Rien n'attend de décision")).to_be_visible()
    rows = IncidentDecision.objects.order_by("id").values_list("decision", "reason")
    assert list(rows) == [
        ("support_agent", ""),
        ("refuse", "12 est bien ce qui a été dit"),
        ("nothing", ""),
    ]


def test_a_second_press_of_a_key_does_not_decide_the_next_request(
    browser_context: BrowserContext, sit_down: Open
) -> None:
    for _time in range(2):
        Talk().mismatched().hung_up("agent")
    page = sit_down(browser_context, make_user("supervisor"))
    ready(page)

    page.keyboard.press("1")
    page.keyboard.press("1")
    expect(page.locator(".item--decided")).to_have_count(1)
    page.keyboard.press("1")
    ready(page)

    assert IncidentDecision.objects.count() == 1
    expect(page.locator("[data-waiting]")).to_have_count(1)


def test_a_correction_without_its_right_disposition_is_told_in_place(
    browser_context: BrowserContext, sit_down: Open
) -> None:
    talk = Talk().mismatched().said("apologise", "thank", "goodbye").hung_up()
    ask_correction(reason="touche trop vite", **talk.by())
    page = sit_down(browser_context, make_user("supervisor"))
    ready(page)

    page.keyboard.press("1")
    expect(page.locator("[name=code]")).to_be_focused()
    page.locator("[name=reason]").fill("réécouté")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Choisissez")).to_be_visible()
    expect(page.locator("[name=code]")).to_be_focused()
    expect(page.locator("[name=reason]")).to_have_value("réécouté")
    page.locator("[name=code]").select_option("not_interested")
    page.keyboard.press("Enter")

    expect(page.locator(".item--decided")).to_contain_text("Corriger")


def test_two_supervisors_at_once_and_the_second_is_told(
    browser: Browser, browser_context: BrowserContext, sit_down: Open
) -> None:
    for _time in range(2):
        Talk().mismatched().hung_up("agent")
    other_context = browser.new_context(locale="fr-FR", reduced_motion="reduce")
    other_context.set_default_timeout(10_000)
    mine = sit_down(browser_context, make_user("supervisor"))
    other = sit_down(other_context, make_user("supervisor", first_name="Dominique", last_name="Roux"))
    # What others decide arrives by polling; held back here, so that both see the request open.
    mine.route("**/inbox/news/**", lambda route: route.abort())
    ready(mine)
    ready(other)

    other.keyboard.press("1")
    expect(other.locator(".item--decided")).to_have_count(1)
    mine.keyboard.press("2")

    told = mine.locator(".item--elsewhere")
    expect(told).to_contain_text("Déjà décidé par Dominique Roux à")
    expect(told).to_contain_text("Sans suite")
    expect(mine.locator(".item[aria-current]")).to_be_focused()
    assert list(IncidentDecision.objects.values_list("decision", flat=True)) == ["nothing"]

    mine.unroute("**/inbox/news/**")
    ready(other)
    other.keyboard.press("1")
    expect(mine.locator(".item--elsewhere")).to_have_count(2)
    expect(mine.locator("[data-inbox-done]")).to_be_visible()
    other_context.close()


def test_without_scripts_the_inbox_is_plain_forms(
    browser: Browser, live_server: LiveServer, sit_down: Open
) -> None:
    Talk().mismatched().hung_up("agent")
    client = Client()
    client.force_login(make_user("supervisor"))
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    with browser.new_context(locale="fr-FR", java_script_enabled=False) as context:
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])
        page = context.new_page()
        page.goto(live_server.url + reverse("inbox"))

        page.get_by_label("Motif").fill("réflexe")
        page.get_by_label("Motif").press("Enter")
        assert not IncidentDecision.objects.exists()
        page.get_by_role("button", name="Soutenir l'agent").click()

        expect(page.get_by_role("status").filter(has_text="Décidé")).to_be_visible()
    assert list(IncidentDecision.objects.values_list("decision", "reason")) == [("support_agent", "réflexe")]
