"""What a page answers where nothing is, where one may not go, and where only a form leads."""

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from config.refusals import server_error
from tests.api_client import problem_of
from tests.paging import signed_in, text_of
from tests.racing import end_connection

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("path", ["/calls/999999/", "/nowhere/", "/calls/999999/nothing/"])
def test_what_is_not_there_is_said_in_a_page_of_ours(path: str, debug: bool, settings: Settings) -> None:
    settings.DEBUG = debug
    client, _user = signed_in("agent")

    response = client.get(path)

    assert response.status_code == 404
    assert "Il n'y a rien à cette adresse" in text_of(response)


def test_a_fragment_that_acts_on_what_is_gone_reads_its_page_again() -> None:
    client, _user = signed_in("agent")

    response = client.post(reverse("call-dial", args=[999999]), headers={"HX-Request": "true"})

    assert response.status_code == 404
    assert response["HX-Refresh"] == "true"


def test_a_refused_role_reads_so_in_its_language() -> None:
    client, _user = signed_in("agent")

    french = client.get(reverse("inbox"))
    english = client.get(reverse("inbox"), headers={"Accept-Language": "en"})

    assert french.status_code == english.status_code == 403
    assert "Votre rôle ne permet pas cette action." in text_of(french)
    assert "Your role does not allow this action." in text_of(english)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_said_to_be_and_the_page_can_be_read_again() -> None:
    client, _user = signed_in("agent")
    client.raise_request_exception = False
    end_connection(connection.connection.info.backend_pid)

    away = client.get(reverse("desk"))
    connection.close()
    back = client.get(reverse("desk"))

    assert away.status_code == 503
    assert away.headers["Retry-After"] == "5"
    assert "La base ne répond pas" in text_of(away)
    assert back.status_code == 200


def test_any_other_error_is_no_matter_of_the_database(rf: RequestFactory) -> None:
    try:
        raise ValueError
    except ValueError:
        answer = server_error(rf.get("/"))

    assert answer.status_code == 500
    assert "Erreur interne" in text_of(answer)


def test_an_unknown_host_is_refused_in_the_manner_of_who_asks() -> None:
    program = Client().get("/api/v1/sponsors/", headers={"Host": "elsewhere.example"})
    person = Client().get("/", headers={"Host": "elsewhere.example"})

    assert "`Host`" in problem_of(program, "validation", 400)["detail"]
    assert (person.status_code, person.headers["Content-Type"][:9]) == (400, "text/html")


def test_a_form_without_its_token_is_refused_in_a_page_of_ours() -> None:
    client = Client(enforce_csrf_checks=True)

    response = client.post(reverse("login"), {"username": "a", "password": "b"})

    assert response.status_code == 403
    assert "Rien n'a été fait" in text_of(response)


@pytest.mark.parametrize(
    ("path", "above"),
    [
        ("/inbox/7/decision/", "/inbox/7/"),
        ("/desk/next-call/", "/desk/"),
        ("/calls/7/dial/", "/calls/7/"),
        ("/campaigns/x/closing-steps/fr/ordinary/thank/", "/campaigns/x/"),
        ("/logout/", "/"),
    ],
)
def test_an_address_that_only_takes_forms_leads_to_its_page(path: str, above: str) -> None:
    client, _user = signed_in("supervisor" if "inbox" in path else "manager")

    response = client.get(path)

    assert response.status_code == 302
    assert response["Location"] == above


def test_the_api_keeps_its_own_refusals(client: Client) -> None:
    response = client.get("/api/v1/nothing/")

    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
