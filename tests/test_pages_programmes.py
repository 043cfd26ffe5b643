"""The manager's pages of sponsors, sources, programmes and criteria."""

import pytest
from django.urls import reverse

from campaigns.models import Criterion, Programme
from crm.models import Source, Sponsor
from tests.factories import (
    make_campaign,
    make_criterion,
    make_entry,
    make_programme,
    make_prospect,
    make_sponsor,
)
from tests.paging import signed_in, text_of

pytestmark = pytest.mark.django_db

BANK = {
    "field": "sector",
    "operator": "starts_with",
    "value": "64",
    "question": "Êtes-vous une banque ?",
    "expected": "une banque",
    "blocking": "on",
    "trust_file": "on",
    "position": "10",
}


def queued(programme: Programme, *sectors: str) -> None:
    campaign = make_campaign(programme)
    for sector in sectors:
        make_entry(campaign, make_prospect(sector=sector))


def test_a_sponsor_is_created_once_and_a_second_submit_says_why() -> None:
    client, _user = signed_in()

    first = client.post(reverse("sponsor-new"), {"name": "Banque d'études"})
    second = client.post(reverse("sponsor-new"), {"name": "Banque d'études"})

    assert first.status_code == 302
    assert second.status_code == 422
    assert "Un donneur d'ordre porte déjà ce nom." in text_of(second)
    assert Sponsor.objects.filter(name="Banque d'études").count() == 1


def test_a_source_says_where_its_records_come_from() -> None:
    client, _user = signed_in()
    data = {
        "name": "Annuaire des entreprises",
        "slug": "",
        "sponsor": "",
        "spoken_origin": "L'annuaire public.",
    }

    response = client.post(reverse("source-new"), data)

    assert response.status_code == 302
    source = Source.objects.get()
    assert (source.slug, source.spoken_origin) == ("annuaire-des-entreprises", "L'annuaire public.")


def test_a_programme_and_its_criterion_are_created() -> None:
    client, _user = signed_in()
    sponsor = make_sponsor()

    created = client.post(
        reverse("programme-new"), {"sponsor": sponsor.pk, "name": "Banques", "subject": "une enquête"}
    )
    programme = Programme.objects.get()
    url = reverse("criterion-new", args=[programme.pk])
    asked = client.post(url, BANK)
    unsaid = client.post(url, BANK | {"reason": " "})
    assert not Criterion.objects.exists()
    added = client.post(url, BANK | {"reason": "la cible"})
    again = client.post(url, BANK | {"reason": "la cible"})

    assert created["Location"] == reverse("programme", args=[programme.pk])
    assert (asked.status_code, unsaid.status_code, added.status_code) == (200, 422, 302)
    assert "Ce critère est déjà dans la démarche." in text_of(again)
    page = text_of(client.get(reverse("programme", args=[programme.pk])))
    assert "secteur (NAF) commence par 64" in page
    assert Criterion.objects.get().version == 1


def test_the_counts_are_known_before_the_criterion_is_saved() -> None:
    client, _user = signed_in()
    programme = make_programme()
    queued(programme, "64.19Z", "64.20Z", "10.71C", "")

    response = client.post(reverse("criterion-preview", args=[programme.pk]), BANK)

    words = text_of(response)
    assert "2 fiches remplissent ce critère" in words
    assert "1 fiche le contredit" in words
    assert "1 fiche inconnue : à demander" in words
    assert "1 fiche en attente devient hors-critères sur papier" in words
    assert not Criterion.objects.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"field": "attributes.", "attribute": ""}, "Donnez le nom du champ."),
        ({"value": ""}, "Donnez une valeur."),
        ({"operator": "between", "value": "5"}, "Donnez deux bornes, une par ligne."),
        ({"operator": "between", "value": "9\n5"}, "La première borne dépasse la seconde."),
        ({"field": "password"}, "Sélectionnez un choix valide"),
        ({"question": ""}, "Ce champ est obligatoire."),
    ],
)
def test_a_criterion_that_cannot_be_compared_is_refused_with_the_reason(
    change: dict[str, str], message: str
) -> None:
    client, _user = signed_in()
    programme = make_programme()

    response = client.post(reverse("criterion-new", args=[programme.pk]), BANK | change)

    assert response.status_code == 422
    assert message in text_of(response)
    assert not Criterion.objects.exists()


def test_a_value_that_looks_like_a_pattern_is_compared_as_it_is_written() -> None:
    client, _user = signed_in()
    programme = make_programme()
    make_entry(make_campaign(programme), make_prospect(city="(.*"))
    make_entry(make_campaign(programme), make_prospect(city="Lyon"))

    condition = BANK | {"field": "city", "operator": "contains", "value": "(.*"}
    response = client.post(reverse("criterion-preview", args=[programme.pk]), condition)

    assert "1 fiche remplit ce critère" in text_of(response)


def test_editing_a_criterion_reads_the_lists_again_and_a_second_submit_changes_nothing() -> None:
    client, _user = signed_in()
    programme = make_programme()
    criterion = make_criterion(programme)
    queued(programme, "64.19Z", "10.71C")
    url = reverse("criterion", args=[criterion.pk])

    shown = client.post(url, BANK | {"value": "10"})
    for _attempt in range(2):
        response = client.post(url, BANK | {"value": "10", "reason": "la cible change"}, follow=True)

    assert "1 fiche en attente devient hors-critères sur papier" in text_of(shown)
    assert "C'est déjà fait" in text_of(response)
    criterion.refresh_from_db()
    assert criterion.version == 2
    states = dict(programme.campaigns.get().entries.values_list("prospect__sector", "state"))
    assert states == {"64.19Z": "screened_out", "10.71C": "ready"}


def test_a_retired_criterion_is_asked_no_more() -> None:
    client, _user = signed_in()
    criterion = make_criterion(make_programme())
    url = reverse("criterion-retirement", args=[criterion.pk])

    shown = client.get(url)
    first, second = (client.post(url, {"reason": "trop étroit"}, follow=True) for _twice in range(2))

    assert "Retirer le critère" in text_of(shown)
    assert "Le critère est retiré" in text_of(first)
    assert "C'est déjà fait : ce critère est retiré." in text_of(second)
    page = text_of(client.get(reverse("programme", args=[criterion.programme_id])))
    assert "trop étroit" in page
    assert "Sans critère, toute personne qui répond convient" in page


def test_a_programme_of_another_sponsor_does_not_exist_for_those_behind_a_wall() -> None:
    mine, theirs = make_programme(), make_programme()
    client, _user = signed_in(sponsors=[mine.sponsor])

    assert client.get(reverse("programme", args=[mine.pk])).status_code == 200
    assert client.get(reverse("programme", args=[theirs.pk])).status_code == 404
    assert theirs.name not in text_of(client.get(reverse("programme-list")))
    assert client.get(reverse("sponsor", args=[theirs.sponsor_id])).status_code == 404


def test_the_fiches_of_a_criterion_stand_once_and_confidential_ones_are_masked() -> None:
    client, _user = signed_in()
    programme = make_programme()
    twice = make_prospect(sector="64.19Z", organisation="Célébrité", city="Cannes", confidential=True)
    for _wave in range(2):
        make_entry(make_campaign(programme), twice)
    asked = {"field": "sector", "operator": "starts_with", "value": "64", "effect": "matching"}

    page = text_of(client.get(reverse("criterion-records", args=[programme.pk]), asked))

    assert "1 fiche en liste" in page
    assert page.count(f"Fiche confidentielle n° {twice.pk}") == 1
    assert "Célébrité" not in page
    assert "Cannes" not in page
