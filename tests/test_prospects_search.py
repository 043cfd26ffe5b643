"""Finding a fiche by whatever somebody says of it, and leafing through what is found."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.selectors import exclusions
from crm.models import Prospect
from crm.rules.phones import national, search_beginning
from crm.selectors import keyset
from crm.selectors.keyset import page_at, place_of
from crm.selectors.prospects import ProspectFilters, prospect_order, prospects_found, prospects_narrowed
from tests.factories import make_exclusion, make_number, make_prospect, make_source, make_sponsor
from tests.paging import signed_in, text_of

pytestmark = pytest.mark.django_db


def names_of(text: str) -> set[str]:
    """Return the organisations that a search finds."""
    return set(prospects_found(Prospect.objects.all(), text).values_list("organisation", flat=True))


# ---- what is typed


@pytest.mark.parametrize(
    "typed",
    [
        "etoile",
        "ÉTOILE",
        "l'etoile",
        "l’Étoile",
        "banque etoile",
        "etoi ban",
        "Léa Perrin",
        "perrin lea",
        "Perrin Lé",
        "64.19Z",
        "6419",
        "64",
        "Évry",
        "evry banque",
        "r-7",
        "123 456 789 00012",
        "lea.perrin@exemple.fr",
        "oeuvre",
        "s.a. etoile",
        "SA",
    ],
)
def test_a_fiche_is_found_by_any_words_that_people_say_of_it(typed: str) -> None:
    make_prospect(
        organisation="Banque de l'Étoile, S.A. d'Œuvre",
        first_name="Léa",
        last_name="Perrin",
        sector="6419Z",
        city="Évry",
        external_id="12345678900012" if typed.startswith("123") else "R-7",
        email="lea.perrin@exemple.fr",
    )
    make_prospect(organisation="Garage du Mans", sector="4520A", external_id="Q-1")

    assert names_of(typed) == {"Banque de l'Étoile, S.A. d'Œuvre"}


@pytest.mark.parametrize(
    "typed",
    ["01.99.00 12 34", "+33 (0)1 99 00 12 34", "0033199001234", "01 99 00 12", "0199 00", "+33 1 99 00 1"],
)
def test_a_fiche_is_found_by_a_number_in_any_spelling_and_by_its_beginning(typed: str) -> None:
    make_prospect("+33199001234", organisation="La bonne")
    make_prospect("+33261911234", organisation="Une autre")

    assert names_of(typed) == {"La bonne"}


@pytest.mark.parametrize(
    "typed",
    [
        "' OR 1=1 --",
        "\\",
        "\x00",
        "a & | ! <-> :* ( )",
        "':*",
        "😀",
        "\u200f\u202eabc",
        "!!!",
        "%_%",
        "é" * 10_000,
        "mot " * 2_500,
        "x'); DROP TABLE crm_prospect; --",
        "\ud83d",
    ],
)
def test_nothing_that_is_typed_breaks_the_search(typed: str) -> None:
    make_prospect(organisation="Banque")
    client, _user = signed_in("supervisor")

    page = client.get(reverse("prospect-list"), {"q": typed.encode("utf-8", "replace").decode()})

    assert page.status_code == 200
    if typed.strip("\x00 "):
        assert "Aucune fiche ne correspond" in text_of(page)


def test_a_text_too_long_to_be_a_search_says_so() -> None:
    client, _user = signed_in("supervisor")

    page = text_of(client.get(reverse("prospect-list"), {"q": "a" * 10_000}))

    assert "C'est trop long pour une recherche" in page


def test_names_in_another_script_are_found() -> None:
    make_prospect(organisation="Банк Звезда")

    assert names_of("банк") == {"Банк Звезда"}


def test_what_is_corrected_is_found_at_once_and_what_is_erased_no_more() -> None:
    prospect = make_prospect(organisation="Banqe")
    Prospect.objects.filter(pk=prospect.pk).update(organisation="Banque Neuve")

    assert names_of("neuve") == {"Banque Neuve"}
    assert names_of("banqe") == set()


def test_the_words_cannot_be_made_to_lie_by_raw_sql() -> None:
    prospect = make_prospect(organisation="Banque")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE crm_prospect SET words = 'menteur', sort_name = 'zzz' WHERE id = %s", [prospect.pk]
        )

    assert names_of("menteur") == set()
    assert names_of("banque") == {"Banque"}


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("aZ9 éÈçÎüŸœÆßłʼ’«»\u00a0\u0301.-_@|°ºﬀ/İ"), max_size=12))
def test_the_quick_way_to_plain_words_says_what_the_thorough_one_says(text: str) -> None:
    with connection.cursor() as cursor:
        # A letter that only the thorough way knows makes it take the whole text.
        cursor.execute("SELECT courtois_plain(%s), courtois_plain(%s || ' ł')", [text, text])
        quick, thorough = cursor.fetchone()
    assert f"{quick} l".strip() == thorough


def test_a_record_is_found_by_each_of_its_texts_whatever_else_it_has() -> None:
    texts = {"organisation": "Œuvre", "first_name": "Zoé", "last_name": "Noël", "sector": "64.19Z"}
    texts |= {"email": "z@exemple.fr", "postal_code": "57000", "city": "Évry", "external_id": "R 7"}
    cases: list[dict[str, Any]] = [
        {},
        texts,
        {**texts, "organisation": ""},
        *({name: value} for name, value in texts.items()),
    ]
    blank: dict[str, Any] = {"organisation": "", "external_id": ""}
    records = [make_prospect(**{**blank, **case}) for case in cases]

    with connection.cursor() as cursor:
        cursor.execute("SELECT id, tsvector_to_array(words), sort_name, sort_city FROM crm_prospect")
        found = {pk: (set(words), name, city) for pk, words, name, city in cursor.fetchall()}

    words = {
        "organisation": {"oeuvre"},
        "first_name": {"zoe"},
        "last_name": {"noel"},
        "sector": {"6419z"},
        "email": {"z", "exemplefr"},
        "postal_code": {"57000"},
        "city": {"evry"},
        "external_id": {"r", "7", "r7"},
    }
    for record, case in zip(records, cases, strict=True):
        expected = set().union(*(words[name] for name in case if case[name]))
        person = " ".join(
            plain for name, plain in (("last_name", "noel"), ("first_name", "zoe")) if name in case
        )
        assert found[record.pk] == (
            expected,
            "oeuvre" if case.get("organisation") else person,
            "evry" if "city" in case else "",
        )


def test_beginnings_of_numbers_are_ranges_and_other_texts_are_none() -> None:
    assert search_beginning("06 39 98 …") == ("+3363998", "+3363999")
    assert search_beginning("+33 (0)1 99") == ("+33199", "+33200")
    for text in ("64", "069", "69001", "01 99 00 12 34", "rue 0199"):
        assert search_beginning(text) is None, text


def test_numbers_are_spelled_as_people_read_them() -> None:
    assert national("+33199001234") == "01 99 00 12 34"
    assert national("+442079460000") == "+44 20 7946 0000"
    assert national("nonsense") == "nonsense"


# ---- filters


def found_by(**filters: Any) -> set[str]:
    """Return the organisations that filters keep."""
    rows = prospects_narrowed(Prospect.objects.all(), ProspectFilters(**filters))
    return set(rows.values_list("organisation", flat=True))


def test_each_filter_keeps_what_it_says() -> None:
    source = make_source()
    make_prospect(
        organisation="Une",
        source=source,
        sector="64.19Z",
        city="Saint-Étienne",
        postal_code="42000",
        language="en",
        confidential=True,
    )
    make_prospect(
        organisation="Deux", sector="10.71C", city="Lyon", postal_code="69001", numbers=[], kind="person"
    )

    for filters in (
        {"source": source.slug},
        {"sector": "64"},
        {"sector": "6419Z"},
        {"sector": "64.1"},
        {"place": "saint etienne"},
        {"place": "SAINT-É"},
        {"place": "42"},
        {"language": "en"},
        {"kind": "organisation"},
        {"numbered": "yes"},
        {"confidential": "yes"},
    ):
        assert found_by(**filters) == {"Une"}, filters
    assert found_by(numbered="no") == {"Deux"}
    assert found_by(created_since=date(2026, 11, 25)) == {"Une", "Deux"}
    assert found_by(updated_since=date(2026, 11, 26)) == set()


@pytest.mark.parametrize("many", [exclusions.MANY_BARS, 1])
def test_who_is_barred_is_told_inside_the_walls_only(monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    monkeypatch.setattr(exclusions, "MANY_BARS", many)
    mine = make_sponsor()
    barred, by_number, theirs = (make_prospect(organisation=name) for name in ("Une", "Deux", "Trois"))
    make_exclusion(sponsor=mine, prospect=barred)
    make_exclusion(number=by_number.phones.get().number)
    make_exclusion(sponsor=make_sponsor(), prospect=theirs)
    client, _user = signed_in("supervisor", sponsors=[mine])

    page = client.get(reverse("prospect-list"))
    kept = text_of(client.get(reverse("prospect-list"), {"barred": "yes"}))
    others = text_of(client.get(reverse("prospect-list"), {"barred": "no"}))

    assert {row.organisation: row.is_barred for row in page.context["page"].rows} == {
        "Une": True,
        "Deux": True,
        "Trois": False,
    }
    assert ("Une" in kept, "Deux" in kept, "Trois" in kept) == (True, True, False)
    assert "Trois" in others
    assert "2 fiches" in kept


@pytest.mark.parametrize(
    "address", ["source=nope", "kind=robot&sort=evil'", "created_since=0001-01-01", "after=x&before=9"]
)
def test_an_address_that_means_nothing_filters_nothing(address: str) -> None:
    make_prospect(organisation="Banque Une")
    client, _user = signed_in("supervisor")

    page = client.get(f"{reverse('prospect-list')}?{address}")

    assert page.status_code == 200
    assert "Banque Une" in text_of(page)


def test_a_confidential_fiche_is_masked_in_the_list() -> None:
    make_prospect("+33199007788", organisation="Une Célébrité", city="Cannes", confidential=True)
    client, _user = signed_in("supervisor")

    page = text_of(client.get(reverse("prospect-list"), {"q": "celebrite"}))

    assert "Fiche confidentielle" in page
    for word in ("Une Célébrité", "Cannes", "01 99 00 77 88"):
        assert word not in page.replace("celebrite", "")


def test_a_fiche_of_another_sponsor_is_not_found() -> None:
    make_prospect("+33199004444", organisation="Cachée", source=make_source(make_sponsor()))
    client, _user = signed_in("supervisor", sponsors=[make_sponsor()])

    for typed in ("cachee", "01 99 00 44 44", ""):
        assert "Cachée" not in text_of(client.get(reverse("prospect-list"), {"q": typed})), typed


# ---- order and pages


def leafed(order: str, size: int, **address: Any) -> list[str]:
    """Leaf forward through every page, then back to the first; return what was seen on the way there."""
    rows = prospects_narrowed(Prospect.objects.all(), ProspectFilters(**address))
    seen, pages = [], []
    page = page_at(rows, prospect_order(order), place_of(None, None), size=size)
    while True:
        pages.append([row.pk for row in page.rows])
        seen += [row.organisation or row.city for row in page.rows]
        if page.after is None:
            break
        page = page_at(rows, prospect_order(order), place_of(str(page.after), None), size=size)
    for expected in reversed(pages[:-1]):
        page = page_at(rows, prospect_order(order), place_of(None, str(page.before)), size=size)
        assert [row.pk for row in page.rows] == expected
    assert page.before is None
    return seen


@pytest.mark.parametrize("cap", [keyset.CAP, 2], ids=["sorted here", "along the index"])
@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_leafing_neither_skips_nor_repeats_and_blanks_come_last(
    cap: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "CAP", cap)
    for name in ("Éclat", "abri", "Zoo", "abri"):
        make_prospect(organisation=name, city=name)
    for city in ("Lille", "Metz"):
        make_prospect(organisation="", city=city)

    assert leafed("name", size) == ["abri", "abri", "Éclat", "Zoo", "Lille", "Metz"]
    assert leafed("-name", size) == ["Zoo", "Éclat", "abri", "abri", "Metz", "Lille"]
    assert leafed("city", size) == ["abri", "abri", "Éclat", "Lille", "Metz", "Zoo"]
    assert len(leafed("sector", size)) == 6
    assert leafed("-updated", size) == ["Metz", "Lille", "abri", "Zoo", "abri", "Éclat"]


def test_a_list_too_long_to_count_says_so_and_in_which_order_it_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keyset, "CAP", 2)
    for name in ("Banque A", "Banque B", "Banque C"):
        make_prospect(organisation=name)
    client, _user = signed_in("supervisor")

    page = text_of(client.get(reverse("prospect-list"), {"q": "banque", "sort": "name"}))

    assert "Plus de 2 fiches" in page
    assert "précisez la recherche pour les trier" in page


@pytest.mark.parametrize("cap", [keyset.CAP, 2], ids=["sorted here", "along the index"])
def test_the_list_costs_eight_queries_at_most_and_the_same_with_ten_or_twenty_fiches(
    cap: int,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
    django_assert_max_num_queries: Any,
) -> None:
    monkeypatch.setattr(keyset, "CAP", cap)
    client, _user = signed_in("supervisor", sponsors=[make_sponsor()])
    url = reverse("prospect-list")
    for _count in range(10):
        make_number(make_prospect(organisation="Banque"), "+33261910001")
    client.get(url)
    with django_assert_max_num_queries(8) as few:
        client.get(url, {"q": "02 61 91 00 01"})
    first = Prospect.objects.order_by("pk")[5].pk
    with django_assert_max_num_queries(8):
        client.get(url, {"sort": "sector", "after": str(first)})
    for _count in range(10):
        make_number(make_prospect(organisation="Banque"), "+33261910001")

    with django_assert_num_queries(len(few)):
        client.get(url, {"q": "02 61 91 00 01"})
