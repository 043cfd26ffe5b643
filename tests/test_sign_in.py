"""Coming in: what the page says when it goes wrong, and the demo's logins, on one's own desk alone."""

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.test import Client, override_settings
from django.urls import reverse
from django.utils.html import escape
from playwright.sync_api import Page, expect
from pytest_django import DjangoAssertNumQueries
from pytest_django.live_server_helper import LiveServer

from config.checks import no_login_is_open_to_everybody
from crm.enums import Role
from crm.models import User
from crm.rules.demo import DEMO_LOGINS, DEMO_PASSWORD
from tests.factories import PASSWORD, make_user
from tests.paging import text_of

pytestmark = pytest.mark.django_db
AT_ONES_DESK = override_settings(DEBUG=True)


@pytest.fixture
def demo_users() -> dict[str, User]:
    """The demo's people, as `manage.py demo` makes them in development."""
    hashed = make_password(DEMO_PASSWORD)
    return {
        login.username: User.objects.create(username=login.username, role=login.role, password=hashed)
        for login in DEMO_LOGINS
    }


def sign_in_page(client: Client | None = None, **query: str) -> str:
    response = (client or Client()).get(reverse("login"), query)
    assert response.status_code == 200
    return response.content.decode()


@AT_ONES_DESK
def test_each_login_of_the_demo_says_what_it_does(demo_users: dict[str, User]) -> None:
    page = sign_in_page()

    for login in DEMO_LOGINS:
        assert f'name="demo" value="{login.username}"' in page
        assert escape(str(login.sentence)) in page
    assert reverse("tour") in page


@AT_ONES_DESK
def test_a_login_is_one_request(demo_users: dict[str, User]) -> None:
    client = Client()

    response = client.post(reverse("login"), {"demo": "agent", "next": ""})

    assert response.status_code == 302
    assert client.get(reverse("desk")).status_code == 200


def test_a_server_lets_nobody_in_by_a_login_of_the_demo(demo_users: dict[str, User]) -> None:
    client = Client()

    response = client.post(reverse("login"), {"demo": "agent", "next": ""})

    assert response.status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_server_never_shows_the_demo_even_when_it_holds_it(demo_users: dict[str, User]) -> None:
    assert not settings.DEBUG

    page = sign_in_page()

    assert [login.username for login in DEMO_LOGINS if f'value="{login.username}"' in page] == []
    assert reverse("tour") not in page


def test_a_server_is_warned_of_logins_that_anybody_can_use(demo_users: dict[str, User]) -> None:
    User.objects.filter(username="agent").update(is_active=False)

    found = no_login_is_open_to_everybody(databases=["default"])
    with AT_ONES_DESK:
        at_a_desk = no_login_is_open_to_everybody(databases=["default"])

    assert [warning.msg for warning in found] == ["Anybody can sign in as agent2, supervisor, manager."]
    assert at_a_desk == []


@AT_ONES_DESK
def test_who_made_a_login_their_own_is_no_longer_offered_to_everybody(demo_users: dict[str, User]) -> None:
    demo_users["agent"].set_password(PASSWORD)
    demo_users["agent"].save()
    User.objects.filter(username="agent2").update(role=Role.MANAGER)
    User.objects.filter(username="supervisor").update(is_active=False)

    page = sign_in_page()

    assert [login.username for login in DEMO_LOGINS if f'value="{login.username}"' in page] == ["manager"]


@AT_ONES_DESK
def test_without_the_demo_nothing_of_it_is_said() -> None:
    make_user(Role.MANAGER, "manager")

    assert "welcome__demo" not in sign_in_page()


@AT_ONES_DESK
def test_the_page_asks_one_question_of_the_database(
    demo_users: dict[str, User], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        sign_in_page()


def test_a_wrong_password_and_an_unknown_name_get_the_same_sentence() -> None:
    make_user(Role.AGENT, "agathe")

    answers = [
        text_of(Client().post(reverse("login"), {"username": name, "password": "pas le bon"}))
        for name in ("agathe", "personne")
    ]

    assert "ne vont pas ensemble" in answers[0]
    assert answers[0] == answers[1]


def test_who_fails_too_often_is_told_how_long_to_wait() -> None:
    make_user(Role.AGENT, "agathe")
    client = Client()
    for _attempt in range(settings.AXES_FAILURE_LIMIT):
        response = client.post(reverse("login"), {"username": "agathe", "password": "pas le bon"})

    assert response.status_code == 429
    assert "attendez 15 minutes" in text_of(response)
    assert response["Retry-After"] == "900"
    right = client.post(reverse("login"), {"username": "agathe", "password": PASSWORD})
    assert right.status_code == 429


def test_a_session_that_ended_and_a_page_asked_for_are_said_apart() -> None:
    client, wished = Client(), reverse("prospect-list")

    first = sign_in_page(client, next=wished)
    client.cookies[settings.SESSION_COOKIE_NAME] = "no-longer-known"
    later = sign_in_page(client, next=wished)

    assert "la page demandée s'ouvrira ensuite" in first.replace("&#x27;", "'")
    assert "Votre session a pris fin" in later
    assert "Votre session a pris fin" not in sign_in_page()


@pytest.mark.django_db(transaction=True)
def test_one_click_comes_in(page: Page, live_server: LiveServer, demo_users: dict[str, User]) -> None:
    with AT_ONES_DESK:
        page.goto(live_server.url + reverse("login"))
        page.get_by_role("button", name="agent", exact=True).click()
        expect(page.locator('.screen[data-state="desk"]')).to_be_visible()
