"""The API's pages for people work under the strict policy, from our own origin."""

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import BrowserContext, Page
from pytest_django.live_server_helper import LiveServer


@pytest.mark.django_db
def test_the_schema_is_openapi_3_1(client: Client) -> None:
    client.force_login(get_user_model().objects.create_user(username="reader"))

    response = client.get("/api/v1/schema/", {"format": "json"})

    assert response.status_code == 200
    assert response.json()["openapi"].startswith("3.1")


@pytest.mark.django_db
def test_the_schema_is_not_for_strangers(client: Client) -> None:
    response = client.get("/api/v1/schema/")

    assert response.status_code == 401


@pytest.mark.django_db(transaction=True)
def test_the_documentation_shows_in_a_browser(
    live_server: LiveServer, client: Client, browser_context: BrowserContext, page: Page
) -> None:
    client.force_login(get_user_model().objects.create_user(username="reader"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    browser_context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
    )
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))

    page.goto(f"{live_server.url}/api/v1/docs/")
    page.get_by_role("heading", name="Courtois").wait_for()

    assert hosts == {live_server.url.split("/")[2]}
