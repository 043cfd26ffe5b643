"""The pages of a campaign's list, of fiches and of exclusions."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from calls.enums import CallState
from calls.models import Call
from campaigns.enums import EntryState, Withdrawal
from campaigns.models import Consent, Exclusion, ListEntry
from campaigns.services.consents import record_consent, withdraw_consent
from campaigns.services.entries import add_prospects
from crm.models import Prospect, ProspectEvent, Sponsor
from crm.selectors import keyset
from crm.services.prospects import edit_prospect
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_entry,
    make_exclusion,
    make_number,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
)
from tests.paging import signed_in, text_of

pytestmark = pytest.mark.django_db


# ---- the list of a campaign


def test_the_list_says_of_each_fiche_its_state_and_why() -> None:
    client, _user = signed_in("supervisor")
    campaign = make_campaign()
    make_entry(campaign, make_prospect(organisation="Banque Une"))
    barred = make_entry(campaign, make_prospect(organisation="Banque Deux"))
    make_exclusion(programme=campaign.programme, prospect=barred.prospect)
    # What was barred before it came has no number to dial; it still is found under the one on its record.
    late = make_prospect("+33199009911", organisation="Banque Trois")
    make_exclusion(programme=campaign.programme, prospect=late)
    add_prospects(campaign=campaign, prospects=[late], by=make_user("manager"), at=NOW)

    page = text_of(client.get(reverse("entry-list", args=[campaign.slug])))

    assert ListEntry.objects.get(prospect=late).number == ""
    assert "3 fiches" in page
    assert page.count("Exclue Exclusion : Opposition.") == 2
    assert "01 99 00 99 11" in page


def test_the_list_is_filtered_and_searched_by_its_address() -> None:
    client, _user = signed_in()
    campaign = make_campaign()
    make_entry(campaign, make_prospect("+33199000101", organisation="Banque Une"))
    make_entry(campaign, make_prospect(organisation="Banque Deux"), state="done")
    url = reverse("entry-list", args=[campaign.slug])

    done = text_of(client.get(url, {"state": "done"}))
    by_number = text_of(client.get(url, {"q": "01.99.00.01.01"}))
    nothing = text_of(client.get(url, {"q": "Boulangerie"}))

    assert "Banque Deux" in done
    assert "Banque Une" not in done
    assert "Banque Une" in by_number
    assert "Banque Deux" not in by_number
    assert "Aucune fiche ne correspond" in nothing


def test_a_filter_that_means_nothing_filters_nothing() -> None:
    client, _user = signed_in()
    entry = make_entry()

    page = client.get(
        reverse("entry-list", args=[entry.campaign.slug]), {"state": "x'--", "gate": "y", "page": "no"}
    )

    assert entry.prospect.display_name in text_of(page)


def test_adding_fiches_tells_what_became_of_each_and_twice_is_once() -> None:
    client, _user = signed_in()
    programme = make_programme()
    make_criterion(programme)
    campaign = make_campaign(programme)
    good, barred = make_prospect(sector="64.19Z"), make_prospect(sector="64.19Z")
    baker = make_prospect(sector="10.71C")
    make_exclusion(programme=programme, prospect=barred)
    data = {"prospects": f"{good.pk}, {barred.pk} #{baker.pk}"}
    url = reverse("entry-list", args=[campaign.slug])

    first = client.post(url, data, follow=True)
    second = client.post(url, data, follow=True)

    assert "1 appelable(s), 1 exclue(s), 1 hors-critères sur papier." in text_of(first)
    assert "3 déjà dans la liste." in text_of(second)
    assert ListEntry.objects.count() == 3


@pytest.mark.parametrize("typed", ["", "abc", "999999", "1; DROP TABLE"])
def test_fiches_that_do_not_exist_are_refused(typed: str) -> None:
    client, _user = signed_in()

    response = client.post(reverse("entry-list", args=[make_campaign().slug]), {"prospects": typed})

    assert response.status_code == 422
    assert not ListEntry.objects.exists()


def test_a_fiche_is_taken_out_of_the_list_once() -> None:
    client, _user = signed_in()
    entry = make_entry()
    url = reverse("entry-removal", args=[entry.campaign.slug, entry.pk])

    first, second = client.post(url), client.post(url)

    assert (first.status_code, second.status_code) == (302, 404)
    assert not ListEntry.objects.exists()


def test_a_reset_needs_a_reason_and_never_reopens_what_is_out_of_criteria() -> None:
    client, _user = signed_in()
    campaign = make_campaign()
    worn = make_entry(campaign, state="exhausted")
    barred = make_entry(campaign)
    make_exclusion(programme=campaign.programme, prospect=barred.prospect, reason="out_of_criteria")
    url = reverse("list-reset", args=[campaign.slug])

    refused = client.post(url, {"reason": ""})
    client.post(url, {"reason": "nouvelle vague"})

    assert refused.status_code == 422
    worn.refresh_from_db()
    barred.refresh_from_db()
    assert (worn.state, barred.state) == (EntryState.READY, EntryState.EXCLUDED)


def test_the_list_costs_the_same_with_ten_or_twenty_fiches(django_assert_num_queries: Any) -> None:
    client, _user = signed_in()
    campaign = make_campaign()
    url = reverse("entry-list", args=[campaign.slug])
    for _count in range(10):
        make_entry(campaign)
    with django_assert_num_queries(7) as few:
        client.get(url)
    for _count in range(10):
        make_entry(campaign)

    with django_assert_num_queries(len(few)):
        client.get(url)


# ---- fiches


def test_a_fiche_is_found_by_name_number_in_any_spelling_and_external_id() -> None:
    client, _user = signed_in("supervisor")
    make_prospect(
        "+33199001234",
        organisation="Crédit Éphémère",
        last_name="Perrin",
        first_name="Léa",
        external_id="R-7",
    )
    make_prospect(organisation="Autre")

    for text in (
        "Crédit É",
        "crédit é",
        "01 99 00 12 34",
        "0033199001234",
        "+33 (0)1.99.00.12.34",
        "R-7",
        "Léa Perrin",
    ):
        page = text_of(client.get(reverse("prospect-list"), {"q": text}))
        assert "Crédit Éphémère" in page, text
        assert "Autre" not in page, text


def test_a_fiche_says_whether_each_campaign_may_call_it_and_why() -> None:
    client, _user = signed_in("supervisor")
    campaign, closed_hours = make_campaign(), make_campaign(calling_rule="default", hours=[])
    prospect = make_prospect()
    make_entry(campaign, prospect)
    make_entry(closed_hours, prospect)
    make_exclusion(programme=campaign.programme, prospect=prospect, note="elle l'a demandé")

    page = text_of(client.get(reverse("prospect", args=[prospect.pk])))

    assert f"Non , pour {campaign.name} (enquête) . Exclusion : Opposition. Décidé le 25/11/2026." in page
    assert f"Non , pour {closed_hours.name} (enquête) . Aucune plage horaire n'est ouverte." in page
    assert "elle l'a demandé" in page


def test_a_fiche_shows_its_numbers_as_people_read_them_what_bars_them_and_who_shares_them() -> None:
    client, _user = signed_in("supervisor")
    prospect = make_prospect("+33199000051", organisation="Banque Une")
    make_number(prospect, "+33261910052", raw="02.61.91.00.52 accueil", validity="possible")
    make_prospect("+33199000051", organisation="Banque Deux")
    make_prospect("+33199000051", organisation="Cachée", source=make_source(make_sponsor()))
    make_exclusion(number="+33261910052")
    narrowed, _user = signed_in("supervisor", sponsors=[make_sponsor()])
    url = reverse("prospect", args=[prospect.pk])

    page, inside = text_of(client.get(url)), text_of(narrowed.get(url))

    assert "01 99 00 00 51" in page
    assert "02 61 91 00 52 Fixe Possible Exclu reçu : 02.61.91.00.52 accueil" in page
    assert "2 autres fiches le portent : Banque Deux , Cachée" in page
    assert "1 autre fiche le porte : Banque Deux" in inside
    assert "Cachée" not in inside


def test_a_fiche_says_what_its_person_consented_to_and_what_that_is_worth() -> None:
    client, _user = signed_in("supervisor")
    prospect, ours, theirs = (
        make_prospect(),
        make_sponsor(name="Banque Rhin"),
        make_sponsor(name="Assureur Ill"),
    )
    narrowed, _user = signed_in("supervisor", sponsors=[ours])
    manager, at = make_user("manager", first_name="Ada", last_name="Muller"), timezone.now()

    def record(sponsor: Sponsor, days: int, text: str) -> None:
        record_consent(
            prospect=prospect,
            sponsor=sponsor,
            given_at=at - timedelta(days=days),
            exact_text=text,
            channel="site",
            by=manager,
            at=at,
        )

    url = reverse("prospect", args=[prospect.pk])
    assert "Consentement" not in text_of(client.get(url))
    record(theirs, 500, "D'accord hier.")
    record(ours, 10, "Oui, <b>appelez</b>-moi.")
    record(theirs, 20, "D'accord.")
    withdraw_consent(prospect=prospect, sponsor=theirs, how=Withdrawal.ORAL, by=manager, at=at)

    page, inside = text_of(client.get(url)), text_of(narrowed.get(url))

    assert "En vigueur Banque Rhin Donné le" in page
    assert ", site : Oui, <b>appelez</b>-moi." in page
    assert page.count("Retiré Assureur Ill") == 2
    assert "dit de vive voix (Ada Muller)" in page
    assert "Banque Rhin" in inside
    assert "Assureur Ill" not in inside


def test_a_consent_ends_by_itself_and_one_without_a_date_never_counts() -> None:
    client, _user = signed_in("supervisor")
    at, manager, sponsor = timezone.now(), make_user("manager"), make_sponsor(name="Banque Rhin")
    old, unproved = make_prospect(), make_prospect()
    record_consent(
        prospect=old,
        sponsor=sponsor,
        given_at=at - timedelta(days=366),
        exact_text="Oui.",
        channel="",
        by=manager,
        at=at,
    )
    Consent.objects.create(
        prospect=unproved, sponsor=sponsor, import_ref=1, created_at=at, created_by=manager
    )

    pages = [text_of(client.get(reverse("prospect", args=[it.pk]))) for it in (old, unproved)]

    assert "Échu Banque Rhin Donné le" in pages[0]
    assert "Sans preuve Banque Rhin Donné à une date que personne ne connaît" in pages[1]


def test_the_history_of_a_fiche_is_narrowed_and_leafed_by_its_address() -> None:
    client, user = signed_in("supervisor")
    prospect = make_prospect(organisation="Banqe")
    for n in range(60):
        ProspectEvent.objects.create(
            prospect=prospect, at=NOW, by=user, kind="note", data={"text": f"mot {n}."}
        )
    edit_prospect(
        prospect=prospect, data={"organisation": "Banque", "city": "Lyon"}, phones=None, by=user, at=NOW
    )
    url = reverse("prospect", args=[prospect.pk])

    first = client.get(url)
    second = text_of(client.get(url, {"after": first.context["history"].after}))
    changes = text_of(client.get(url, {"topic": "changes"}))
    nothing = text_of(client.get(url, {"topic": "callbacks"}))
    nonsense = text_of(client.get(url, {"topic": "x'", "after": "-1"}))

    assert "mot 59." in text_of(first)
    assert "mot 5." not in text_of(first)
    assert "mot 5." in second
    assert "mot 59." not in second
    assert "ville : … → Lyon organisation : Banqe → Banque" in changes
    assert "mot 59." not in changes
    assert "Rien de tel dans son histoire." in nothing
    assert "mot 59." in nonsense


def test_the_lines_of_a_call_stand_together_with_its_bars_beside() -> None:
    client, _user = signed_in("supervisor")
    entry = make_entry(prospect=make_prospect("+33199000061"))
    agent = make_user("agent", first_name="Zoé", last_name="Blin")
    call = Call.objects.create(
        campaign=entry.campaign,
        prospect=entry.prospect,
        entry=entry,
        number=entry.number,
        agent=agent,
        state=CallState.CLAIMED,
        lease_until=NOW,
        started_at=NOW,
    )
    for kind in ("claimed", "dialled", "connected"):
        ProspectEvent.objects.create(
            prospect=entry.prospect,
            sponsor=entry.campaign.programme.sponsor,
            at=NOW,
            by=agent,
            kind=kind,
            call_ref=call.pk,
        )
    make_exclusion(number="+33199000061", call_ref=call.pk, created_by=agent, reason="refusal")

    page = client.get(reverse("prospect", args=[entry.prospect_id]))

    assert len(page.context["passages"]) == 1
    assert f'id="call-{call.pk}"' in page.content.decode()
    text = text_of(page)
    assert f"Appel · {entry.campaign.name} Zoé Blin" in text
    assert text.index("Présentée à un agent") < text.index("Numéro composé") < text.index("Décroché")
    assert "Exclusion : Refus. Décidé par Zoé Blin le 25/11/2026." in text


def test_a_confidential_fiche_opens_for_a_reason_that_is_kept() -> None:
    client, user = signed_in("manager")
    prospect = make_prospect(organisation="Une Célébrité", city="Cannes", confidential=True)
    page, look = reverse("prospect", args=[prospect.pk]), reverse("prospect-look", args=[prospect.pk])

    for address in (page, reverse("prospect-edit", args=[prospect.pk])):
        hidden = client.get(address)
        assert f"Fiche confidentielle n° {prospect.pk}" in text_of(hidden)
        assert "Célébrité" not in hidden.content.decode()
        assert "Cannes" not in hidden.content.decode()
    assert client.post(look, {"why": " "}).status_code == 422
    assert not prospect.looks.exists()

    shown = client.post(look, {"why": "Il rappelle, mécontent"}, follow=True)

    assert "Une Célébrité" in text_of(shown)
    assert "Il rappelle, mécontent" in text_of(shown)
    kept = prospect.looks.get()
    assert (kept.by, kept.place) == (user, "record")
    other, _supervisor = signed_in("supervisor")
    assert "Célébrité" not in other.get(page).content.decode()


def test_a_confidential_fiche_closes_again_after_ten_minutes() -> None:
    client, _user = signed_in("manager")
    prospect = make_prospect(organisation="Une Célébrité", confidential=True)
    client.post(reverse("prospect-look", args=[prospect.pk]), {"why": "x"})
    session = client.session
    session["looks"] = {key: until - 601 for key, until in session["looks"].items()}
    session.save()

    assert "Célébrité" not in client.get(reverse("prospect", args=[prospect.pk])).content.decode()


def test_a_fiche_in_no_list_and_without_number_says_so_kindly() -> None:
    client, _user = signed_in("supervisor")
    prospect = make_prospect(numbers=[])

    page = text_of(client.get(reverse("prospect", args=[prospect.pk])))

    assert "elle n'est dans la liste d'aucune campagne ouverte" in page
    assert "Aucun numéro : personne ne peut l'appeler." in page
    assert "Rien n'interdit de l'appeler, dans ce que vous voyez." in page
    assert "Rien encore." in page


def test_nothing_of_another_sponsor_is_on_the_fiche() -> None:
    prospect = make_prospect()
    mine, theirs = make_campaign(name="La mienne"), make_campaign(name="La leur")
    make_entry(mine, prospect)
    make_entry(theirs, prospect)
    make_exclusion(programme=theirs.programme, prospect=prospect, note="secret de l'autre")
    ProspectEvent.objects.create(
        prospect=prospect,
        sponsor=theirs.programme.sponsor,
        at=NOW,
        kind="note",
        data={"text": "mot de l'autre"},
    )
    client, _user = signed_in(sponsors=[mine.programme.sponsor])

    page = text_of(client.get(reverse("prospect", args=[prospect.pk])))

    assert "La mienne" in page
    for word in ("La leur", "secret de l'autre", "mot de l'autre"):
        assert word not in page


def test_a_fiche_of_a_source_behind_a_wall_does_not_exist() -> None:
    hidden = make_prospect(source=make_source(make_sponsor()))
    client, _user = signed_in(sponsors=[make_sponsor()])

    assert client.get(reverse("prospect", args=[hidden.pk])).status_code == 404
    assert client.get(reverse("prospect-edit", args=[hidden.pk])).status_code == 404
    assert client.post(reverse("prospect-erasure", args=[hidden.pk]), {"reason": "x"}).status_code == 404


def edited(prospect: Prospect, **changes: Any) -> dict[str, Any]:
    """Return what the form of a fiche sends when only `changes` were typed."""
    return {
        "kind": "organisation",
        "organisation": prospect.organisation,
        "country": "FR",
        "time_zone": "Europe/Paris",
        "phones": "\n".join(prospect.phones.values_list("number", flat=True)),
        "attributes_text": "",
        "version": prospect.version,
        **changes,
    }


def test_a_correction_is_stored_once_with_its_numbers_in_any_spelling() -> None:
    client, _user = signed_in("supervisor")
    prospect = make_prospect("+33199000001", organisation="Banqe")
    data = edited(
        prospect,
        organisation="Banque",
        phones="02.61.91.00.02 poste 12\n01 99 00 00 01",
        attributes_text="effectif = 12",
    )
    url = reverse("prospect-edit", args=[prospect.pk])

    first, second = client.post(url, data), client.post(url, data)

    assert (first.status_code, second.status_code) == (302, 422)
    prospect.refresh_from_db()
    assert (prospect.organisation, prospect.version, prospect.attributes) == ("Banque", 2, {"effectif": "12"})
    numbers = list(prospect.phones.values_list("number", "extension"))
    assert numbers == [("+33261910002", "12"), ("+33199000001", "")]
    assert "Quelqu'un a modifié cette fiche entre-temps." in text_of(second)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"phones": "112"}, "« 112 »"),
        ({"phones": "bonjour"}, "« bonjour »"),
        ({"attributes_text": "effectif 12"}, "Ligne à écrire « clé = valeur »"),
        ({"attributes_text": "a = 1\na = 2"}, "Le champ a est donné deux fois."),
        ({"kind": "robot"}, "Sélectionnez un choix valide"),
    ],
)
def test_a_correction_that_cannot_be_is_refused_and_changes_nothing(
    changes: dict[str, str], message: str
) -> None:
    client, _user = signed_in()
    prospect = make_prospect()

    response = client.post(reverse("prospect-edit", args=[prospect.pk]), edited(prospect, **changes))

    assert response.status_code == 422
    assert message in text_of(response)
    prospect.refresh_from_db()
    assert prospect.version == 1


def test_an_erasure_shows_its_consequences_asks_twice_and_keeps_the_bars() -> None:
    client, _user = signed_in()
    entry = make_entry()
    prospect = entry.prospect
    number = entry.number
    make_exclusion(programme=entry.campaign.programme, number=number)
    url = reverse("prospect-erasure", args=[prospect.pk])

    page = text_of(client.get(url))
    unconfirmed = client.post(url, {"reason": "demande"})
    for _attempt in range(2):
        client.post(url, {"reason": "demande", "confirmed": "on"})

    assert "Exclusions qui restent 1" in page
    assert unconfirmed.status_code == 422
    prospect.refresh_from_db()
    assert prospect.erased_at is not None
    assert prospect.organisation == ""
    assert Exclusion.objects.active().filter(number=number).exists()
    assert "demande" in text_of(client.get(reverse("prospect", args=[prospect.pk])))


def test_a_fiche_is_put_into_a_campaign_from_its_page() -> None:
    client, _user = signed_in()
    prospect, campaign = make_prospect(), make_campaign()

    client.post(reverse("prospect-campaigns", args=[prospect.pk]), {"campaign": campaign.slug})

    assert ListEntry.objects.get().prospect == prospect


# ---- exclusions


def test_an_exclusion_is_found_by_any_spelling_of_its_number() -> None:
    client, _user = signed_in("supervisor")
    make_exclusion(number="+33199004321")
    make_exclusion(number="+33199009999")

    for text in ("0199004321", "01 99 00 43 21", "+33 1 99 00 43 21", "0033199004321", "01.99.00.43.21"):
        page = text_of(client.get(reverse("exclusion-list"), {"q": text}))
        assert "01 99 00 43 21" in page, text
        assert "01 99 00 99 99" not in page, text


def test_an_exclusion_is_added_in_any_spelling_and_closes_the_waiting_fiche_and_twice_is_once() -> None:
    client, _user = signed_in("supervisor")
    entry = make_entry(prospect=make_prospect("+33199005555"))
    data = {
        "number": "01 99 00 55 55",
        "scope": "programme",
        "programme": entry.campaign.programme_id,
        "reason": "opposition",
        "note": "par courrier",
    }

    for _attempt in range(2):
        response = client.post(reverse("exclusion-new"), data)

    assert response.status_code == 302
    assert Exclusion.objects.get().number == "+33199005555"
    entry.refresh_from_db()
    assert entry.state == EntryState.EXCLUDED


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"number": ""}, "Donnez un numéro ou une fiche."),
        ({"number": "douze"}, "« douze » ne se lit pas comme un numéro."),
        ({"scope": "programme"}, "Cette portée demande de le choisir."),
        ({"reason": "out_of_criteria"}, "Sélectionnez un choix valide"),
        ({"prospect": "424242"}, "Aucune fiche ne porte ce numéro."),
        ({"until": "2001-01-01T10:00"}, ""),
    ],
)
def test_an_exclusion_of_nothing_nowhere_or_of_the_past_is_refused(
    changes: dict[str, str], message: str
) -> None:
    client, _user = signed_in()
    data = {"number": "01 99 00 55 55", "scope": "everywhere", "reason": "opposition"}

    response = client.post(reverse("exclusion-new"), data | changes)

    assert response.status_code == 422
    assert message in text_of(response)
    assert not Exclusion.objects.exists()


def test_a_lift_needs_a_reason_reopens_the_fiche_and_is_made_once() -> None:
    client, _user = signed_in("supervisor")
    entry = make_entry()
    bar = make_exclusion(programme=entry.campaign.programme, prospect=entry.prospect)
    url = reverse("exclusion-lift", args=[bar.pk])

    without = client.post(url, {"reason": " "})
    lifted = client.post(url, {"reason": "erreur de fiche"})
    again = client.post(url, {"reason": "erreur de fiche"})

    assert (without.status_code, lifted.status_code, again.status_code) == (422, 302, 302)
    assert "C'est déjà fait : cette exclusion est levée." in text_of(client.get(again["Location"]))
    entry.refresh_from_db()
    assert entry.state == EntryState.READY
    page = text_of(client.get(reverse("exclusion", args=[bar.pk])))
    assert "erreur de fiche" in page
    assert "+" not in text_of(client.get(reverse("exclusion-list")))


def listed(client: Any, **address: Any) -> set[str]:
    """Return the numbers that the list of exclusions shows at an address."""
    page = client.get(reverse("exclusion-list"), address).context["page"]
    return {row.spelling or row.prospect.organisation for row in page.rows}


def test_exclusions_are_filtered_by_everything_that_people_ask_of_them() -> None:
    client, _user = signed_in("supervisor")
    programme, by = make_programme(), make_user("supervisor", first_name="Odile")
    make_exclusion(programme=programme, number="+33199000001", reason="refusal", created_by=by)
    make_exclusion(number="+33199000002", import_ref=7, since=NOW - timedelta(days=10))
    make_exclusion(number="+33199000003", until=NOW - timedelta(days=1), since=NOW - timedelta(days=2))
    make_exclusion(prospect=make_prospect("+33199000004", organisation="Étoile"), call_ref=12)
    one, two, three, four = "01 99 00 00 01", "01 99 00 00 02", "01 99 00 00 03", "Étoile"

    assert listed(client) == {one, two, four}
    assert listed(client, state="over") == {three}
    assert listed(client, state="all") == {one, two, three, four}
    assert listed(client, reason="refusal") == {one}
    assert listed(client, scope="programme") == {one}
    assert listed(client, programme=programme.pk) == {one}
    assert listed(client, origin="import") == {two}
    assert listed(client, origin="call") == {four}
    assert listed(client, origin="hand") == {one}
    assert listed(client, who="odi") == {one}
    assert listed(client, since="2026-11-20") == {one, four}
    assert listed(client, until="2026-11-20") == {two}
    assert listed(client, q="etoile") == {four}
    assert listed(client, q="01 99 00 00 04") == {four}
    assert listed(client, q="01 99 00") == {one, two, four}
    assert listed(client, q="'\\ & | 😀") == set()
    assert listed(client, state="x'--", reason="y", since="hier", programme="9" * 40) == {one, two, four}


def test_a_bar_on_a_number_is_found_by_the_name_of_who_carries_it() -> None:
    client, _user = signed_in("supervisor")
    make_prospect("+33199000007", organisation="Boulangerie Martin")
    make_exclusion(number="+33199000007")

    assert listed(client, q="martin boulangerie") == {"01 99 00 00 07"}


@pytest.mark.parametrize("cap", [keyset.CAP, 2], ids=["sorted here", "along the index"])
@pytest.mark.parametrize("sort", ["since", "-since", "number", "-number", ""])
def test_leafing_through_exclusions_neither_skips_nor_repeats(
    cap: int, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "CAP", cap)
    monkeypatch.setattr("campaigns.views.exclusions.PAGE_SIZE", 2)
    client, _user = signed_in("supervisor")
    bars = [make_exclusion(number=f"+3319900000{n}") for n in (3, 1, 2)]
    bars += [make_exclusion(prospect=make_prospect()) for _n in range(2)]
    seen, address = [], {"sort": sort}
    while True:
        page = client.get(reverse("exclusion-list"), address).context["page"]
        seen += [row.pk for row in page.rows]
        if page.after is None:
            break
        address = {"sort": sort, "after": page.after}
    three, one, two, four, five = (bar.pk for bar in bars)

    assert (
        seen
        == {
            "since": [three, one, two, four, five],
            "-since": [five, four, two, one, three],
            "": [five, four, two, one, three],
            "number": [one, two, three, four, five],
            "-number": [three, two, one, five, four],
        }[sort]
    )


@pytest.mark.parametrize("cap", [keyset.CAP, 2], ids=["sorted here", "along the index"])
def test_the_list_of_exclusions_costs_eight_queries_at_most_however_long(
    cap: int,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
    django_assert_max_num_queries: Any,
) -> None:
    monkeypatch.setattr(keyset, "CAP", cap)
    client, _user = signed_in("supervisor", sponsors=[make_sponsor()])
    url = reverse("exclusion-list")
    bars = [make_exclusion(prospect=make_prospect(organisation="Banque"), call_ref=5) for _n in range(10)]
    client.get(url)
    with django_assert_max_num_queries(8) as few:
        client.get(url, {"q": "banque"})
    with django_assert_max_num_queries(8):
        client.get(url, {"sort": "number", "after": str(bars[4].pk)})
    for _count in range(10):
        make_exclusion(prospect=make_prospect(organisation="Banque"), call_ref=5)

    with django_assert_num_queries(len(few)):
        client.get(url, {"q": "banque"})


def test_the_page_of_an_exclusion_says_whom_it_holds_back_and_where_it_came_from() -> None:
    client, _user = signed_in("supervisor")
    entry = make_entry(prospect=make_prospect("+33199000031", organisation="Banque Une"))
    make_prospect("+33199000031", organisation="Banque Deux")
    author = make_user("supervisor", first_name="Odile", last_name="Roy")
    bar = make_exclusion(
        programme=entry.campaign.programme, number="+33199000031", created_by=author, note="par courrier"
    )

    page = text_of(client.get(reverse("exclusion", args=[bar.pk])))

    assert "Elle retient 2 fiches. Elle ferme 1 place en liste." in page
    for word in ("Banque Une", "Banque Deux", "Odile Roy", "à la main", "par courrier", entry.campaign.name):
        assert word in page, word


def test_managers_take_the_exclusions_they_filtered_as_a_file_that_no_spreadsheet_executes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client, user = signed_in("manager")
    make_exclusion(number="+33199000041", note="=cmd|' /C calc'!A0")
    make_exclusion(prospect=make_prospect(organisation="Célébrité", confidential=True), note="son nom")
    make_exclusion(number="+33199000042", reason="ban")

    with caplog.at_level("INFO"):
        answer = client.get(reverse("exclusion-export"), {"reason": "opposition"})
        lines = answer.getvalue().decode().splitlines()

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert lines[0].startswith("\ufeffNuméro;Fiche;Motif;")
    assert len(lines) == 3
    assert "01 99 00 00 41" in lines[1]
    assert "'=cmd|" in lines[1]
    assert "Célébrité" not in lines[2]
    assert "son nom" not in lines[2]
    assert f"export exclusions: 2 rows sent to user {user.pk}" in caplog.text


def test_an_exclusion_of_another_sponsor_is_not_shown_but_one_everywhere_is() -> None:
    theirs = make_exclusion(sponsor=make_sponsor(), number="+33199007777")
    make_exclusion(number="+33199008888")
    client, _user = signed_in(sponsors=[make_sponsor()])

    page = text_of(client.get(reverse("exclusion-list")))

    assert "01 99 00 88 88" in page
    assert "01 99 00 77 77" not in page
    assert client.get(reverse("exclusion", args=[theirs.pk])).status_code == 404


def test_a_bar_that_holds_everywhere_does_not_name_a_fiche_behind_a_wall() -> None:
    hidden = make_prospect(organisation="Fiche Secrète", source=make_source(make_sponsor()))
    bar, mine = (
        make_exclusion(prospect=hidden),
        make_exclusion(prospect=make_prospect(organisation="La mienne")),
    )
    client, _user = signed_in("manager", sponsors=[make_sponsor()])
    names = ("exclusion-list", "exclusion-export")
    addresses = [reverse(name) for name in names]
    addresses += [
        reverse(name, args=[row.pk]) for name in ("exclusion", "exclusion-lift") for row in (bar, mine)
    ]

    pages = [client.get(address).getvalue().decode() for address in addresses]

    for page in pages:
        assert "Fiche Secrète" not in page
    assert ["La mienne" in page for page in pages] == [True, True, False, True, False, True]
    assert "La fiche et ses numéros" in pages[2]


def test_a_confidential_fiche_is_masked_where_exclusions_are_listed() -> None:
    client, _user = signed_in("supervisor")
    fiche = make_prospect("+33199000061", organisation="Célébrité", confidential=True)
    make_exclusion(prospect=fiche, number="+33199000061")

    page = text_of(client.get(reverse("exclusion-list"), {"q": "01 99 00 00 61"}))

    assert f"Masquée dans les listes Fiche confidentielle n° {fiche.pk}" in page
    assert "Célébrité" not in page
    assert page.count("01 99 00 00 61") == 0


@pytest.mark.parametrize("name", ["exclusion-export", "prospect-export"])
def test_a_search_that_cannot_be_read_takes_nothing_out(name: str) -> None:
    client, _user = signed_in("manager")
    make_exclusion(prospect=make_prospect())

    lines = client.get(reverse(name), {"q": "a" * 201}).getvalue().decode().splitlines()

    assert len(lines) == 1
