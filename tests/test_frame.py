"""The frame of every page: where one is, the language, what a list's headings lead to, how a page travels."""

import gzip

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.defaults import server_error
from pytest_django import DjangoAssertNumQueries

from config.frame import here
from tests.factories import PASSWORD, make_user
from tests.paging import signed_in, text_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "rooms", "marked"),
    [
        ("/", ("/",), True),
        ("/campaigns/", ("/",), False),
        ("/campaigns/autumn/entries/", ("/campaigns/", "/imports/"), True),
        ("/imports/7/", ("/campaigns/", "/imports/"), True),
        ("/prospects/7/campaigns/", ("/campaigns/", "/imports/"), False),
        ("/prospects/7/campaigns/", ("/prospects/",), True),
        ("/campaigns/", ("",), False),
    ],
)
def test_a_link_is_marked_in_its_room_and_nowhere_else(
    path: str, rooms: tuple[str, ...], marked: bool
) -> None:
    request = RequestFactory().get(path)

    assert here({"request": request}, *rooms) == (' aria-current="page"' if marked else "")


def test_exactly_one_room_is_marked_on_a_page() -> None:
    client, _user = signed_in("manager")

    page = client.get(reverse("campaign-list")).content.decode()
    nav = page[page.index("<nav") : page.index("</nav>")]

    assert nav.count('aria-current="page"') == 1
    assert f'href="{reverse("campaign-list")}" aria-current="page"' in nav


def test_the_change_of_language_stays_on_the_page_with_its_filters() -> None:
    client, _user = signed_in("manager")
    shown = "http://testserver/prospects/?q=banque&sort=-name"

    response = client.post(
        reverse("language"), {"language": "en", "next": "/prospects/"}, headers={"Referer": shown}
    )

    assert response.status_code == 302
    assert response["Location"] == shown
    assert client.cookies["django_language"]["max-age"] == 365 * 24 * 3600


def test_who_chose_a_language_finds_it_on_another_machine_and_others_do_not() -> None:
    client, user = signed_in("manager")
    client.post(reverse("language"), {"language": "en"})
    other = make_user("manager")

    on_another_machine, next_person = Client(), Client()
    on_another_machine.post(reverse("login"), {"username": user.username, "password": PASSWORD})
    next_person.post(reverse("login"), {"username": other.username, "password": PASSWORD})

    assert on_another_machine.get(reverse("campaign-list"))["Content-Language"] == "en"
    assert next_person.get(reverse("campaign-list"))["Content-Language"] == "fr"


@pytest.mark.parametrize(
    ("referer", "wished", "reached"),
    [
        ("", "/inbox/?kind=help", "/inbox/?kind=help"),
        ("https://elsewhere.example/prospects/", "/inbox/", "/inbox/"),
        ("", "https://elsewhere.example/", "/"),
        ("", "//elsewhere.example/", "/"),
        ("", "", "/"),
    ],
)
def test_the_change_of_language_never_leads_elsewhere(referer: str, wished: str, reached: str) -> None:
    client, _user = signed_in("manager")

    response = client.post(
        reverse("language"),
        {"language": "en", "next": wished},
        headers={"Referer": referer} if referer else {},
    )

    assert response["Location"] == reached


def test_a_language_that_we_do_not_speak_changes_nothing() -> None:
    client, _user = signed_in("manager")

    client.post(reverse("language"), {"language": "tlh"})

    assert "django_language" not in client.cookies


def test_the_page_of_our_errors_needs_no_database_and_leads_home(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        response = server_error(RequestFactory().get("/prospects/"))

    assert response.status_code == 500
    assert "ce qui était enregistré l'est toujours" in text_of(response)
    assert response.content.decode().count('href="/"') == 2


@pytest.mark.parametrize(
    ("sort", "leads_to", "order"),
    [
        ("", "?q=banque&amp;sort=name", ""),
        ("name", "?q=banque&amp;sort=-name", "ascending"),
        ("-name", "?q=banque&amp;sort=name", "descending"),
    ],
)
def test_a_heading_sorts_keeps_the_filters_and_says_the_order(sort: str, leads_to: str, order: str) -> None:
    request = RequestFactory().get(
        "/prospects/", {"q": "banque", "page": "3", **({"sort": sort} if sort else {})}
    )

    heading = render_to_string(
        "components/sort_header.html", {"key": "name", "label": "Nom", "sort": sort}, request
    )

    assert f'href="{leads_to}"' in heading
    assert (f'aria-sort="{order}"' in heading) if order else ("aria-sort" not in heading)


def test_a_page_travels_compressed() -> None:
    client, _user = signed_in("manager")

    plain = client.get(reverse("campaign-list"))
    packed = client.get(reverse("campaign-list"), headers={"Accept-Encoding": "gzip"})

    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert "Campagnes" in gzip.decompress(packed.content).decode()
    assert len(packed.content) < len(plain.content) / 2
