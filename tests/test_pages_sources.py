"""The pages of suppliers and sponsors, and fiches taken as a file."""

from typing import Any

import pytest
from django.urls import reverse

from tests.factories import (
    make_campaign,
    make_exclusion,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
)
from tests.paging import signed_in, text_of

pytestmark = pytest.mark.django_db


def test_suppliers_are_found_counted_and_sorted() -> None:
    client, _user = signed_in("manager")
    first = make_source(name="Annuaire", slug="annuaire")
    make_source(name="salon", slug="salon-2026", spoken_origin="Vous étiez au salon.")
    for _n in range(3):
        make_prospect(source=first)

    everything = text_of(client.get(reverse("source-list")))
    found = text_of(client.get(reverse("source-list"), {"q": "2026"}))
    nothing = text_of(client.get(reverse("source-list"), {"q": "\x00zz%"}))
    down = text_of(client.get(reverse("source-list"), {"sort": "-name"}))

    assert "2 fournisseurs" in everything
    assert "annuaire commun à tous 3 dont exclues — à écrire" in everything
    assert everything.index("Annuaire") < everything.index("salon-2026")
    assert down.index("salon-2026") < down.index("Annuaire")
    assert "Vous étiez au salon." in found
    assert "Annuaire" not in found
    assert "Aucun fournisseur ne correspond" in nothing


def test_sponsors_are_found_by_their_programmes_and_say_what_hangs_on_them() -> None:
    client, _user = signed_in("manager")
    sponsor = make_sponsor("Observatoire")
    make_campaign(make_programme(sponsor, name="Banques"))
    make_campaign(make_programme(sponsor, name="Écoles"))
    make_source(sponsor)
    make_sponsor("Autre")

    found = text_of(client.get(reverse("sponsor-list"), {"q": "banq"}))
    nothing = text_of(client.get(reverse("sponsor-list"), {"q": "zzz"}))

    assert "1 donneur d'ordre" in found
    assert "Observatoire Banques , Écoles 2 1" in found
    assert "Autre" not in found
    assert "Aucun donneur d'ordre ne correspond" in nothing


@pytest.mark.parametrize("name", ["source-list", "sponsor-list"])
def test_these_lists_cost_the_same_however_long(
    name: str, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    client, _user = signed_in("manager")
    for _n in range(5):
        make_source(make_programme().sponsor)
    client.get(reverse(name))
    with django_assert_max_num_queries(8) as few:
        client.get(reverse(name))
    for _n in range(10):
        make_source(make_programme().sponsor)

    with django_assert_num_queries(len(few)):
        client.get(reverse(name))


def test_nothing_of_another_sponsor_is_in_these_lists() -> None:
    mine = make_sponsor("Le mien")
    make_source(make_sponsor("Le leur"), name="Leur fichier")
    client, _user = signed_in("manager", sponsors=[mine])

    pages = text_of(client.get(reverse("source-list"))) + text_of(client.get(reverse("sponsor-list")))

    assert "Le mien" in pages
    for word in ("Le leur", "Leur fichier"):
        assert word not in pages


def test_managers_take_the_fiches_they_filtered_as_a_file(caplog: pytest.LogCaptureFixture) -> None:
    sponsor = make_sponsor()
    client, user = signed_in("manager", sponsors=[sponsor])
    barred = make_prospect("+33199000071", organisation="=Banque", city="Évry")
    make_exclusion(number="+33199000071")
    make_prospect("+33199000072", organisation="Célébrité Banque", confidential=True)
    make_prospect(organisation="Garage")
    make_prospect(organisation="Banque cachée", source=make_source(make_sponsor()))

    with caplog.at_level("INFO"):
        answer = client.get(reverse("prospect-export"), {"q": "banque"})
        lines = answer.getvalue().decode().splitlines()

    assert lines[0].startswith("\ufeffFiche;Organisation;")
    assert len(lines) == 3
    assert lines[1].startswith(f"{barred.pk};'=Banque;")
    assert lines[1].endswith(";01 99 00 00 71;" + barred.source.name + ";oui")
    assert "Célébrité" not in lines[2]
    assert "01 99 00 00 72" not in lines[2]
    assert f"export fiches: 2 rows sent to user {user.pk}" in caplog.text
