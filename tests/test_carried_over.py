"""What an agent knows and may settle: the mandate, the origin of the data, what earlier contacts left."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from calls.rules.origin import Origin, origin_sentence
from calls.selectors.call_screen import screen_of
from calls.services.claim import claim_next
from calls.services.notes import write_note
from calls.services.talk import note_wish
from campaigns.models import Campaign, Change
from crm.enums import Role
from crm.models import Prospect, Source
from tests.api_client import Api
from tests.factories import make_campaign, make_entry, make_programme, make_user
from tests.talking import Talk
from tests.test_call_screen import Story
from tests.test_pages_campaigns import settings_of

pytestmark = pytest.mark.django_db


# ---- the mandate


def test_a_mandate_is_written_on_the_settings_and_its_change_is_history(client: Client) -> None:
    manager, campaign = make_user(Role.MANAGER), make_campaign(calling_rule="default")
    client.force_login(manager)
    form = settings_of(campaign.programme_id, slug=campaign.slug, may_promise="Un rappel sous deux jours.")

    answer = client.post(reverse("campaign-edit", args=[campaign.slug]), {**form, "reason": "x"})

    assert answer.status_code == 302
    assert Campaign.objects.get(pk=campaign.pk).may_promise == "Un rappel sous deux jours."
    assert any("may_promise" in change.after for change in Change.objects.all())


def test_the_api_reads_and_writes_it() -> None:
    campaign, api = make_campaign(), Api(make_user(Role.MANAGER))
    path = f"campaigns/{campaign.pk}/"

    changed = api.patch(path, {"mandate": {"may_offer": "Dix minutes d'essai."}})
    too_long = api.patch(path, {"mandate": {"may_offer": "x" * 401}})

    assert changed.status_code == 200
    assert api.get(path).json()["mandate"] == {
        "may_decide": "",
        "may_promise": "",
        "may_offer": "Dix minutes d'essai.",
    }
    assert too_long.status_code == 400


def test_the_call_shows_it_and_says_what_to_do_without(client: Client) -> None:
    story = Story()
    client.force_login(story.agent)
    without = client.get(story.url()).content.decode()

    Campaign.objects.filter(pk=story.campaign.pk).update(may_decide="Reporter l'entretien.")

    assert "passez la main au superviseur" in without
    assert "Reporter l&#x27;entretien." in client.get(story.url()).content.decode()


# ---- the origin of the data


@pytest.mark.parametrize(
    ("origin", "language", "sentence"),
    [
        (
            Origin("l'annuaire public", "3 mars 2026", "droits@x.example"),
            "fr",
            "Nous avons eu vos coordonnées par l'annuaire public, le 3 mars 2026. Pour consulter, corriger ou faire "
            "supprimer vos données, adressez-vous à droits@x.example.",
        ),
        (
            Origin("Vous étiez au salon.", "3 mars 2026"),
            "fr",
            "Vous étiez au salon. Nous avons eu vos coordonnées le 3 mars 2026. Si vous voulez consulter, corriger ou "
            "faire supprimer vos données, dites-le-moi : je le transmets.",
        ),
        (
            Origin(),
            "en",
            "I cannot see here where your details come from. I will pass your question on, and you will have an answer "
            "within a month.",
        ),
    ],
)
def test_the_origin_is_one_thing_to_say(origin: Origin, language: str, sentence: str) -> None:
    assert origin_sentence(origin, language) == sentence


def test_the_call_says_the_origin_in_the_language_of_the_person(client: Client) -> None:
    story = Story()
    client.force_login(story.agent)
    Source.objects.filter(pk=story.prospect.source_id).update(
        spoken_origin="l'annuaire public", obtained_at="2026-03-03", rights_contact="droits@x.example"
    )
    french = client.get(story.url()).content.decode()
    Prospect.objects.filter(pk=story.prospect.pk).update(language="en")
    english = client.get(story.url()).content.decode()

    assert "par l&#x27;annuaire public, le 3 mars 2026" in french
    assert "We got your details from a professional list, on March 3, 2026." in english or (
        "We got your details from a professional list, on 3 March 2026." in english
    )


# ---- what is known


def called_again(talk: Talk, campaign: Campaign | None = None) -> Talk:
    """Let the same person be called once more, by a later campaign of the programme or by a given one."""
    later = campaign or make_campaign(talk.programme)
    make_entry(later, talk.prospect, due_at=talk.at)
    talk.at += timedelta(days=1)
    claimed = claim_next(campaign=later, by=talk.agent, at=talk.at)
    assert claimed is not None
    talk.call = claimed
    return talk


def first_contact() -> Talk:
    talk = Talk().matched()
    write_note(text="préfère le matin", **talk.by())
    note_wish(text="une brochure", remind_at=None, **talk.by())
    talk.disposed("not_interested").said("thank", "goodbye").hung_up()
    return talk.disposed("not_interested")


def test_the_next_call_starts_with_what_was_noted_and_answered() -> None:
    talk = called_again(first_contact())

    screen = screen_of(talk.call, talk.at)

    assert [told.text for told in screen.carried.notes] == ["préfère le matin"]
    assert [told.text for told in screen.carried.wishes] == ["une brochure"]
    assert screen.questions[0].known_at is not None


def test_another_sponsor_knows_nothing_of_it() -> None:
    talk = called_again(first_contact(), make_campaign(make_programme()))

    assert screen_of(talk.call, talk.at).carried.is_empty


def test_a_criterion_that_was_met_is_shown_as_said_and_not_asked_again(client: Client) -> None:
    talk = called_again(first_contact()).greeted()
    client.force_login(talk.agent)

    page = client.get(reverse("call", args=[talk.call.pk])).content.decode()

    assert "déjà dit le 25 novembre" in page
    assert "Critères vérifiés." in page
    assert "Ce qui est déjà connu" in page
