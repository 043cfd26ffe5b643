"""What a supervisor reads and decides of a list that is probably wrong, and of a request about one's own data."""

import pytest
from django.test import Client
from django.urls import reverse

from calls.enums import Decision, IncidentKind, SituationEffect
from calls.models import Incident, IncidentDecision
from calls.services.errors import Forbidden
from calls.services.incidents import decide
from calls.services.situation_effects import Asked, apply_effect
from calls.services.situations import enter_stage
from tests.talking import Talk
from tests.test_situation_effects import situation

pytestmark = pytest.mark.django_db


def told_of(kind: IncidentKind, met: int = 5) -> tuple[Talk, Incident]:
    """Return a conversation and the incident that tells of its list."""
    talk = Talk().greeted()
    data = {"call_list": 7, "name": "Novembre", "met": met, "talks": 31}
    sponsor = talk.read().campaign.programme.sponsor
    return talk, Incident.objects.create(
        call=talk.call, prospect=talk.prospect, sponsor=sponsor, kind=kind, data=data, at=talk.at
    )


@pytest.mark.parametrize(
    ("kind", "met", "said"),
    [
        (IncidentKind.LIST_LANGUAGE, 5, "5 entretiens sur 31 de « Novembre » dans une autre langue"),
        (IncidentKind.LIST_LOST, 1, "1 personne perdue sur 31 entretiens de « Novembre »"),
    ],
)
def test_a_suspected_list_is_told_in_words_with_its_campaign(
    client: Client, kind: IncidentKind, met: int, said: str
) -> None:
    talk, incident = told_of(kind, met)
    client.force_login(talk.manager)

    page = client.get(reverse("incident", args=[incident.pk])).content.decode().replace("\xa0", " ")

    assert said in page
    assert reverse("campaign", args=[talk.campaign.slug]) in page
    assert f'value="{Decision.ADOPTED}"' in page


def test_a_supervisor_reads_of_a_suspected_list_and_leaves_it_to_a_manager(client: Client) -> None:
    talk, incident = told_of(IncidentKind.LIST_LANGUAGE)
    client.force_login(talk.supervisor)

    page = client.get(reverse("incident", args=[incident.pk])).content.decode()

    assert 'name="decision"' not in page
    with pytest.raises(Forbidden):
        decide(incident=incident, decision=Decision.NOTHING, reason="", by=talk.supervisor, at=talk.at)
    decide(incident=incident, decision=Decision.ADOPTED, reason="liste rendue", by=talk.manager, at=talk.at)
    assert IncidentDecision.objects.get(incident=incident).reason == "liste rendue"


def test_a_request_for_ones_data_shows_the_day_of_its_answer(client: Client) -> None:
    talk, code = Talk().greeted(), situation(SituationEffect.ORIGIN)
    enter_stage(situation=code, stage=1, **talk.by())
    apply_effect(call=talk.call, situation=code, asked=Asked(), by=talk.agent, at=talk.at)
    incident = Incident.objects.get(call=talk.call)
    client.force_login(talk.supervisor)

    page = client.get(reverse("incident", args=[incident.pk])).content.decode()

    year, month, day = incident.data["due"].split("-")
    assert f"au plus tard le {day}/{month}/{year}." in page


def test_a_call_for_help_that_nobody_in_person_made_is_told_on_every_page(client: Client) -> None:
    """A request can come from a program; the page that it is told on has no name to say."""
    talk = Talk().greeted()
    sponsor = talk.read().campaign.programme.sponsor
    Incident.objects.create(call=talk.call, sponsor=sponsor, kind=IncidentKind.HELP, at=talk.at)
    client.force_login(talk.supervisor)

    news = client.get(reverse("inbox-news"))

    assert news.status_code == 200
    assert str(IncidentKind.HELP.label) in news.content.decode()
