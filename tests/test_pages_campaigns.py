"""The manager's pages of campaigns: settings, state, words, dispositions, and why nobody is callable."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from calls.enums import IncidentKind
from calls.models import Incident
from campaigns.enums import CampaignStatus
from campaigns.models import Campaign, ClosingStep, DispositionRule, Script
from campaigns.services.imports import upload_import
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_entry,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
)
from tests.paging import signed_in, text_of

pytestmark = pytest.mark.django_db


def settings_of(programme_id: int, **changes: Any) -> dict[str, Any]:
    """Return what the browser sends for a campaign called on weekday mornings."""
    return {
        "programme": programme_id,
        "name": "Banques de l'Ouest",
        "slug": "",
        "purpose": "survey",
        "calling_rule": "default",
        "language": "fr",
        "max_attempts": 4,
        "lease_seconds": 60,
        "dead_line_seconds": 20,
        "patience_seconds": 45,
        "hours-TOTAL_FORMS": 2,
        "hours-INITIAL_FORMS": 0,
        "hours-0-days": ["1", "2", "3", "4", "5"],
        "hours-0-start": "10:00",
        "hours-0-end": "13:00",
        "hours-1-start": "",
        "hours-1-end": "",
        **changes,
    }


def test_a_campaign_is_created_in_preparation_with_its_hours() -> None:
    client, _user = signed_in()

    response = client.post(reverse("campaign-new"), settings_of(make_programme().pk))

    campaign = Campaign.objects.get()
    assert response["Location"] == reverse("campaign", args=["banques-de-louest"])
    assert campaign.status == CampaignStatus.DRAFT
    assert campaign.hours == [{"days": [1, 2, 3, 4, 5], "from": "10:00", "to": "13:00"}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hours-0-end": "09:00"}, "La fin doit venir après le début."),
        ({"hours-0-days": []}, "Cochez au moins un jour."),
        ({"hours-1-days": ["6"]}, "Donnez le début et la fin."),
        ({"hours-0-start": "midi"}, "Saisissez une heure valide."),
        ({"slug": "new"}, "Cet identifiant est réservé."),
        ({"lease_seconds": 2}, "supérieure ou égale à 10"),
        ({"calling_rule": "always"}, "Sélectionnez un choix valide"),
    ],
)
def test_settings_that_cannot_be_are_refused_beside_their_field(
    changes: dict[str, Any], message: str
) -> None:
    client, _user = signed_in()

    response = client.post(reverse("campaign-new"), settings_of(make_programme().pk, **changes))

    assert response.status_code == 422
    assert message in text_of(response)
    assert not Campaign.objects.exists()


def test_a_campaign_keeps_its_programme_and_slug_when_it_is_edited() -> None:
    client, _user = signed_in()
    campaign = make_campaign()
    other = make_programme()

    response = client.post(
        reverse("campaign-edit", args=[campaign.slug]),
        settings_of(other.pk, name="Autre nom", slug="autre", max_attempts=7, reason="plus patient"),
    )

    assert response.status_code == 302
    before = campaign.slug, campaign.programme_id
    campaign.refresh_from_db()
    assert (campaign.slug, campaign.programme_id) == before
    assert (campaign.name, campaign.max_attempts) == ("Autre nom", 7)


def test_a_campaign_is_started_paused_and_closed_and_twice_is_once() -> None:
    client, _user = signed_in()
    campaign = make_campaign(status="draft")
    url = reverse("campaign-status", args=[campaign.slug])

    for status in ("running", "running", "paused", "closed", "closed"):
        client.post(url, {"status": status, "reason": "fin de vague"})
        campaign.refresh_from_db()
        assert campaign.status == status
    response = client.post(url, {"status": "running", "reason": "encore"}, follow=True)

    campaign.refresh_from_db()
    assert campaign.status == "closed"
    assert "Une campagne terminée ne repart pas" in text_of(response)


def test_the_page_says_how_many_can_be_called_and_each_number_is_a_link() -> None:
    client, _user = signed_in()
    campaign = make_campaign()
    make_entry(campaign)
    make_entry(campaign, state="done")

    page = client.get(reverse("campaign", args=[campaign.slug]))

    assert "1 appelable maintenant" in text_of(page)
    for query in ("when=now", "state=done"):
        assert f"{reverse('entry-list', args=[campaign.slug])}?{query}" in page.content.decode()


def test_the_queue_page_says_why_nobody_is_callable() -> None:
    client, _user = signed_in("supervisor")
    campaign = make_campaign(status="paused")
    make_entry(campaign)

    assert "La campagne est en pause." in text_of(client.get(reverse("campaign-queue", args=[campaign.slug])))


def test_a_sentence_of_the_closing_is_the_campaigns_own_until_it_is_blanked() -> None:
    client, _user = signed_in()
    campaign = make_campaign()
    url = reverse("closing-step", args=[campaign.slug, "fr", "mismatch", "thank"])

    for _attempt in range(2):
        client.post(url, {"text": "Merci, {person}, et bonne journée à {city}."})
    own = ClosingStep.objects.get(campaign=campaign)
    client.post(url, {"text": "  "})

    assert own.text == "Merci, {person}, et bonne journée à {city}."
    assert not ClosingStep.objects.filter(campaign=campaign).exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Merci {prenom}", "Repère inconnu : {prenom}."),
        ("Merci {", "Une accolade est seule"),
        ("Merci {person.__class__}", "Une accolade est seule"),
        ("<script>alert(1)</script>", "ni balise, ni caractère de commande"),
        ("a" * 601, "600 caractères"),
    ],
)
def test_a_sentence_that_cannot_be_said_is_refused_and_stays_in_its_field(text: str, message: str) -> None:
    client, _user = signed_in()
    campaign = make_campaign()

    response = client.post(
        reverse("closing-step", args=[campaign.slug, "fr", "mismatch", "thank"]), {"text": text}
    )

    assert response.status_code == 422
    words = text_of(response)
    assert message in words
    assert text in words
    assert not ClosingStep.objects.filter(campaign=campaign).exists()


def test_the_preview_fills_a_sentence_from_a_real_fiche_and_escapes_it() -> None:
    client, _user = signed_in()
    campaign = make_campaign()
    make_criterion(campaign.programme)
    make_entry(campaign, make_prospect(organisation="Célébrité", confidential=True))
    make_entry(campaign, make_prospect(organisation="Crédit <b>Éphémère</b>", city="Rennes"))

    response = client.post(
        reverse("words-preview", args=[campaign.slug]),
        {"text": "{organisation}, {city} : {reason}.", "language": "fr"},
    )

    html = response.content.decode()
    assert "Crédit &lt;b&gt;Éphémère&lt;/b&gt;, Rennes : notre appel s&#x27;adresse à une banque." in html


def test_the_opening_is_stored_per_language() -> None:
    client, _user = signed_in()
    campaign = make_campaign()

    client.post(reverse("script", args=[campaign.slug, "en", "opening"]), {"text": "Hello {person}."})

    assert Script.objects.get(campaign=campaign, language="en").text == "Hello {person}."
    page = text_of(client.get(reverse("words", args=[campaign.slug]) + "?language=en"))
    assert "Hello Sir or Madam." in page


@pytest.mark.parametrize(
    "where", [("de", "mismatch", "thank"), ("fr", "ordinary", "apologise"), ("fr", "x", "thank")]
)
def test_a_sentence_for_no_step_does_not_exist(where: tuple[str, str, str]) -> None:
    client, _user = signed_in()

    response = client.post(reverse("closing-step", args=[make_campaign().slug, *where]), {"text": "Merci."})

    assert response.status_code == 404


def test_a_campaign_chooses_its_dispositions_and_delays() -> None:
    client, _user = signed_in()
    campaign = make_campaign()
    url = reverse("disposition-rule", args=[campaign.slug, "busy"])

    asked = client.post(url, {"busy-hours": "0.5"})
    assert asked.status_code == 200
    for _attempt in range(2):
        done = client.post(url, {"busy-hours": "0.5", "reason": "trop insistant"}, follow=True)

    assert "C'est déjà fait" in text_of(done)

    rule = DispositionRule.objects.get()
    assert (rule.enabled, rule.retry_after.total_seconds() if rule.retry_after else None) == (False, 1800)


def test_the_list_of_campaigns_costs_the_same_whatever_their_number(django_assert_num_queries: Any) -> None:
    client, _user = signed_in()
    for _count in range(10):
        make_entry(make_campaign())
    url = reverse("campaign-list")
    with django_assert_num_queries(6) as few:
        client.get(url)
    for _count in range(10):
        make_entry(make_campaign())

    with django_assert_num_queries(len(few)):
        client.get(url)


def test_the_list_of_campaigns_is_searched_filtered_and_sorted_by_its_address() -> None:
    client, _user = signed_in()
    first, second = (
        make_campaign(name="Banques de l'Ouest"),
        make_campaign(name="Boulangers", status="paused"),
    )
    url = reverse("campaign-list")

    by_name = text_of(client.get(url, {"q": "ouest"}))
    by_status = text_of(client.get(url, {"status": "paused"}))
    by_sponsor = text_of(client.get(url, {"sponsor": first.programme.sponsor_id}))
    by_programme = text_of(client.get(url, {"programme": second.programme_id}))
    descending = text_of(client.get(url, {"sort": "-name"}))
    nothing = text_of(client.get(url, {"q": "assurances"}))
    nonsense = text_of(client.get(url, {"status": "x", "sponsor": "y", "sort": "z", "page": "-1"}))

    assert second.name not in by_name
    assert f"{first.name} En cours" not in by_status
    assert f"{second.name} En pause" in by_status
    assert f"{second.name} En pause" not in by_sponsor
    assert f"{first.name} En cours" not in by_programme
    assert descending.index(f"{second.name} En pause") < descending.index(f"{first.name} En cours")
    assert "Aucune campagne ne correspond" in nothing
    assert f"{first.name} En cours" in nonsense


# ---- the home page


def test_home_begins_with_the_campaign_that_has_nobody_to_call() -> None:
    client, _user = signed_in()
    make_entry(make_campaign(name="Avec du monde"))
    shut = make_campaign(name="Sans personne", calling_rule="default", hours=[])
    make_entry(shut)
    make_entry(make_campaign(name="En attente", status="paused"))

    page = text_of(client.get(reverse("home")))

    assert page.index("Sans personne") < page.index("Avec du monde")
    assert "Personne n'est appelable maintenant" in page
    assert "1 n'a personne à appeler" in page
    assert "1 campagne en préparation ou en pause" in page


def test_home_tells_what_waits_and_leads_there() -> None:
    client, user = signed_in()
    campaign = make_campaign(name="Banques")
    make_entry(campaign, state="callback", due_at=NOW - timedelta(hours=1))
    Incident.objects.create(
        kind=IncidentKind.HELP, sponsor=campaign.programme.sponsor, prospect=make_prospect(), at=NOW
    )
    content = "Organisation;Téléphone\nBanque Une;01 99 00 00 01\n".encode()
    upload_import(
        campaign=campaign, source=make_source(), name="banques.csv", content=content, by=user, at=NOW
    )

    page = client.get(reverse("home"))

    words = text_of(page)
    assert "1 demande à traiter" in words
    assert "1 agent qui vous appelle" in words
    assert "1 rappel dont l'heure est passée" in words
    assert "L'import de banques.csv attend votre accord" in words
    overdue = reverse("entry-list", args=[campaign.slug]) + "?state=callback&when=due"
    assert "1 fiche" in text_of(client.get(overdue))


def test_home_of_a_new_installation_leads_from_step_to_step() -> None:
    client, _user = signed_in()
    steps = []
    for make in (make_sponsor, make_programme, make_campaign):
        page = client.get(reverse("home"))
        steps.append(re.findall(r'btn btn-primary" href="([^"]+)"', page.content.decode()))
        make()
    last = text_of(client.get(reverse("home")))
    make_entry(Campaign.objects.get())

    assert steps == [
        [reverse("sponsor-new")],
        [reverse("programme-new")],
        [reverse("campaign-new")],
    ]
    assert "Choisir la campagne où importer" in last
    assert "Avant le premier appel" not in text_of(client.get(reverse("home")))


def test_home_costs_the_same_with_ten_or_twenty_campaigns(django_assert_num_queries: Any) -> None:
    client, _user = signed_in()
    for _count in range(10):
        make_entry(make_campaign())
    url = reverse("home")
    with django_assert_num_queries(8) as few:
        client.get(url)
    for _count in range(10):
        make_entry(make_campaign())

    with django_assert_num_queries(len(few)):
        client.get(url)


def test_home_sends_an_agent_to_the_desk() -> None:
    client, _user = signed_in("agent")

    assert client.get(reverse("home"))["Location"] == reverse("desk")
