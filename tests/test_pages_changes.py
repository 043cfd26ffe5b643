"""Pages of far-reaching changes: what is touched, the reason, then the history. Nothing happens before the reason."""

from typing import Any

import pytest
from django.urls import reverse

from campaigns.enums import ChangeKind, EntryState
from campaigns.models import Change, ClosingStep, ListEntry
from campaigns.services.campaigns import pause_campaign
from crm.enums import Role
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_entry,
    make_exclusion,
    make_programme,
    make_prospect,
    make_user,
)
from tests.paging import signed_in, text_of
from tests.test_pages_campaigns import settings_of

pytestmark = pytest.mark.django_db


def test_a_pause_shows_what_waits_asks_why_and_stands_in_the_history() -> None:
    client, _user = signed_in(first_name="Camille", last_name="Girard")
    campaign = make_campaign(name="Banques")
    make_entry(campaign)
    url = reverse("campaign-status", args=[campaign.slug])

    led = client.post(url, {"status": "paused"})
    shown = client.get(led["Location"])
    unsaid = client.post(url, {"status": "paused", "reason": " "})
    campaign.refresh_from_db()
    assert campaign.status == "running"
    done, again = (
        client.post(url, {"status": "paused", "reason": "le client ferme"}, follow=True)
        for _twice in range(2)
    )

    assert "1 fiche en attente n'est plus servie" in text_of(shown)
    assert f"{reverse('entry-list', args=[campaign.slug])}?state=ready" in shown.content.decode()
    assert unsaid.status_code == 422
    assert "La campagne est en pause : 1 fiche en attente n'est plus servie." in text_of(done)
    assert "C'est déjà fait : la campagne est « En pause »." in text_of(again)
    history = text_of(client.get(reverse("change-list")))
    assert "Camille Girard a mis en pause la campagne Banques" in history
    assert "« le client ferme »" in history
    assert Change.objects.count() == 1


def test_a_start_needs_no_reason() -> None:
    client, _user = signed_in()
    campaign = make_campaign(status="draft")

    client.post(reverse("campaign-status", args=[campaign.slug]), {"status": "running", "reason": ""})

    campaign.refresh_from_db()
    assert campaign.status == "running"


def test_other_hours_are_saved_once_what_they_touch_was_seen() -> None:
    client, _user = signed_in()
    campaign = make_campaign(calling_rule="default")
    make_entry(campaign)
    url = reverse("campaign-edit", args=[campaign.slug])
    data = settings_of(campaign.programme_id, name=campaign.name)
    before = campaign.hours

    shown = client.post(url, data)
    back = client.post(url, data | {"back": "1"})
    campaign.refresh_from_db()
    assert campaign.hours == before
    saved = client.post(url, data | {"reason": "le matin seulement"}, follow=True)
    again = client.post(url, data | {"reason": "le matin seulement"}, follow=True)

    assert "lun. à ven. : 10:00 à 13:00" in text_of(shown)
    assert 'name="hours-0-end" value="13:00"' in shown.content.decode()
    assert 'value="13:00"' in back.content.decode()
    assert "Enregistré" in text_of(saved)
    assert "c'est déjà enregistré" in text_of(again)
    assert Change.objects.get(kind=ChangeKind.HOURS).reason == "le matin seulement"


def test_a_name_alone_is_saved_at_once() -> None:
    client, _user = signed_in()
    campaign = make_campaign(
        calling_rule="none", hours=[{"days": [1, 2, 3, 4, 5], "from": "10:00", "to": "13:00"}]
    )

    response = client.post(
        reverse("campaign-edit", args=[campaign.slug]),
        settings_of(campaign.programme_id, name="Autre nom", calling_rule="none"),
    )

    assert response.status_code == 302
    assert Change.objects.get().kind == ChangeKind.CAMPAIGN_EDITED


def test_two_tabs_reset_a_list_once() -> None:
    client, _user = signed_in()
    campaign = make_campaign()
    make_entry(campaign, state="done")
    url = reverse("list-reset", args=[campaign.slug])

    shown = client.get(f"{url}?include_done=1")
    data = {"include_done": "on", "seen": "0", "reason": "vague 2"}
    first = client.post(url, data)
    ListEntry.objects.update(state="done")
    second = client.post(url, data)

    assert "1 fiche terminée redevient appelable" in text_of(shown)
    assert (first.status_code, second.status_code) == (302, 200)
    assert "C'est déjà fait" in text_of(second)
    assert ListEntry.objects.get().state == EntryState.DONE


def test_a_criterion_can_be_taken_back_to_its_form_with_what_was_typed() -> None:
    client, _user = signed_in()
    programme = make_programme()
    data = {
        "field": "sector",
        "operator": "starts_with",
        "value": "64",
        "question": "Une banque ?",
        "position": "10",
        "blocking": "on",
    }
    url = reverse("criterion-new", args=[programme.pk])

    shown = client.post(url, data)
    back = client.post(url, data | {"back": "1"})

    assert 'name="question" value="Une banque ?"' in shown.content.decode()
    assert 'value="Une banque ?"' in back.content.decode()
    assert "Voir ce que cela touche" in text_of(back)
    assert not programme.criteria.exists()


def test_each_number_of_a_criterion_leads_to_its_records() -> None:
    client, _user = signed_in()
    programme = make_programme()
    criterion = make_criterion(programme)
    campaign = make_campaign(programme)
    make_entry(campaign, make_prospect(organisation="Boulangerie Ledoux", sector="10.71C"))
    make_entry(campaign, make_prospect(organisation="Banque Une", sector="64.19Z"))
    preview: dict[str, Any] = {
        "criterion": criterion.pk,
        "field": "sector",
        "operator": "equals",
        "value": "10.71C",
        "blocking": "on",
        "trust_file": "on",
    }
    url = reverse("criterion-records", args=[programme.pk])

    fragment = client.post(reverse("criterion-preview", args=[programme.pk]), preview).content.decode()
    out = text_of(client.get(url, preview | {"effect": "screened_out"}))
    retire: dict[str, Any] = {"criterion": criterion.pk, "retire": "1", "effect": "contradicting"}
    retired = text_of(client.get(url, retire))
    wrong = client.get(url, {"effect": "screened_out"})
    foreign = client.get(url, preview | {"criterion": make_criterion(make_programme()).pk})

    assert f"{url}?field=sector" in fragment
    assert "Banque Une" in out
    assert "Boulangerie Ledoux" not in out
    assert "Boulangerie Ledoux" in retired
    assert (wrong.status_code, foreign.status_code) == (200, 404)
    assert "Ce critère ne peut pas être compté" in text_of(wrong)


def test_a_lift_shows_who_comes_back_and_what_still_holds() -> None:
    client, _user = signed_in("supervisor")
    entry = make_entry()
    bar = make_exclusion(programme=entry.campaign.programme, number=entry.number, call_ref=None)
    make_exclusion(number=entry.number)

    page = text_of(client.get(reverse("exclusion-lift", args=[bar.pk])))

    assert "1 fiche reste fermée par une autre exclusion" in page
    assert "1 autre exclusion en vigueur" in page


def test_fiches_are_taken_out_of_a_list_by_its_filters_with_a_reason() -> None:
    client, _user = signed_in()
    campaign = make_campaign()
    gone, kept = make_entry(campaign), make_entry(campaign, state="done")
    url = reverse("entries-removal", args=[campaign.slug])

    shown = client.get(f"{url}?state=ready")
    done, again = (
        client.post(url, {"state": "ready", "reason": "mauvais fichier"}, follow=True) for _twice in range(2)
    )

    assert "1 fiche sort de la liste" in text_of(shown)
    assert "1 fiche sort de la liste" in text_of(done)
    assert "C'est déjà fait" in text_of(again)
    assert list(ListEntry.objects.values_list("pk", flat=True)) == [kept.pk]
    assert gone.pk != kept.pk


def test_the_history_is_filtered_in_its_address_and_stays_inside_the_walls() -> None:
    mine, theirs = make_campaign(name="À moi"), make_campaign(name="À eux")
    author = make_user(Role.MANAGER)
    for campaign in (mine, theirs):
        pause_campaign(campaign=campaign, by=author, at=NOW, reason="pause")
    client, _user = signed_in(sponsors=[mine.programme.sponsor])
    url = reverse("change-list")
    hidden = Change.objects.get(campaign=theirs)

    everything = text_of(client.get(url))
    none = text_of(client.get(url, {"kind": "hours"}))
    asked: dict[str, Any] = {
        "programme": mine.programme_id,
        "campaign": mine.slug,
        "kind": "campaign_paused",
        "who": author.pk,
        "since": "2026-11-25",
        "until": "2026-11-25",
    }
    found = text_of(client.get(url, asked))

    assert "À moi" in everything
    assert "À eux" not in everything
    assert "Aucun changement ne correspond" in none
    assert "a mis en pause la campagne À moi" in found
    assert client.get(reverse("change", args=[hidden.pk])).status_code == 404


def test_the_history_costs_the_same_whatever_its_length(django_assert_max_num_queries: Any) -> None:
    client, user = signed_in()
    for _count in range(20):
        pause_campaign(campaign=make_campaign(), by=user, at=NOW, reason="pause")

    with django_assert_max_num_queries(8):
        client.get(reverse("change-list"))


def test_the_pages_of_a_programme_cost_the_same_whatever_they_hold(
    django_assert_max_num_queries: Any,
) -> None:
    client, user = signed_in()
    programme = make_programme()
    for count in range(12):
        make_criterion(programme, value=str(count))
        make_entry(make_campaign(programme))
        pause_campaign(campaign=programme.campaigns.latest("id"), by=user, at=NOW, reason="pause")

    with django_assert_max_num_queries(8):
        client.get(reverse("programme", args=[programme.pk]))
    with django_assert_max_num_queries(8):
        client.get(reverse("programme-list"))


def test_programmes_are_found_by_name_subject_or_sponsor() -> None:
    client, _user = signed_in()
    programme = make_programme(name="Banques de l'Ouest", subject="les services bancaires")
    make_programme(name="Boulangeries")

    for text in ("ouest", "bancaires", programme.sponsor.name):
        page = text_of(client.get(reverse("programme-list"), {"q": text}))
        assert "Banques de l'Ouest" in page, text
    assert "Aucune démarche ne correspond" in text_of(client.get(reverse("programme-list"), {"q": "zzz"}))


def test_words_are_heard_with_any_fiche_of_the_list_and_tell_what_it_lacks() -> None:
    client, _user = signed_in()
    campaign = make_campaign()
    make_entry(campaign, make_prospect(organisation="Banque Une"))
    second = make_entry(campaign, make_prospect(organisation="", last_name="Perrin", kind="person"))
    url = reverse("words-preview", args=[campaign.slug])
    text = "{organisation}, au revoir."

    first = text_of(client.post(url, {"text": text, "language": "fr"}))
    other = text_of(client.post(url, {"text": text, "language": "fr", "fiche": second.pk}))
    long = text_of(client.post(url, {"text": "mot " * 60, "language": "fr", "where": "mismatch-goodbye"}))
    page = client.get(reverse("words", args=[campaign.slug]))

    assert "Banque Une, au revoir." in first
    assert "votre organisation, au revoir." in other
    assert "Cette fiche ne dit pas organisation" in other
    assert "Longue : 24 secondes" in long
    assert f"fiche={second.pk}" in page.content.decode()
    assert "Quand ni la personne ni l'organisation ne sont connues" in text_of(page)


def test_a_text_goes_back_to_the_default_by_its_button_and_keeps_its_place() -> None:
    client, _user = signed_in()
    campaign = make_campaign()
    url = reverse("closing-step", args=[campaign.slug, "fr", "mismatch", "thank"])

    client.post(url, {"text": "Merci."})
    response = client.post(url, {"text": "Merci.", "reset": "1", "side": "1"})

    assert not ClosingStep.objects.filter(campaign=campaign).exists()
    assert "side=1" in response["Location"]
    kinds = list(Change.objects.values_list("kind", flat=True))
    assert kinds == [ChangeKind.WORDS, ChangeKind.WORDS]
    assert "En anglais :" in text_of(client.get(response["Location"]))


@pytest.mark.parametrize("filters", [{"q": "a" * 201}, {"state": "gone"}])
def test_a_filter_that_cannot_be_read_removes_nobody(filters: dict[str, str]) -> None:
    client, _user = signed_in("manager")
    entry = make_entry()
    url = reverse("entries-removal", args=[entry.campaign.slug])

    shown = client.get(url, filters)
    sent = client.post(url, {**filters, "reason": "doublons"}, follow=True)

    assert shown.status_code == 302
    assert "rien n'est retiré" in text_of(sent)
    assert entry.campaign.entries.count() == 1
