"""Courtesy over time: closings said to their end and who hung up, for the agent and for whoever supervises."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from calls.selectors.courtesy import courtesies, own_courtesy, since
from calls.views.courtesy import closing_sentence, own_sentence
from crm.enums import Role
from crm.models import Sponsor
from tests.factories import NOW, make_programme, make_sponsor, make_user
from tests.talking import Talk
from tests.test_carried_over import called_again

pytestmark = pytest.mark.django_db


@pytest.fixture
def recent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The calls of a test are some minutes old, for pages that look at the clock."""
    monkeypatch.setattr("tests.talking.NOW", timezone.now() - timedelta(minutes=5))


def whole(**talk: object) -> Talk:
    """A conversation with its closing, hung up by the person."""
    told = Talk(**talk).greeted()  # type: ignore[arg-type]
    return told.disposed("not_interested").said("thank", "goodbye").hung_up().disposed("not_interested")


def interrupted() -> Talk:
    """A conversation that the person ended before the goodbye."""
    return Talk().greeted().hung_up()


def test_a_whole_closing_and_an_interrupted_one_are_told_apart() -> None:
    told, cut = whole(), interrupted()

    assert closing_sentence(told.read()) == "Clôture entière. C'est l'agent qui le dit."
    assert closing_sentence(cut.read()) == "Clôture interrompue. C'est l'agent qui le dit."
    assert closing_sentence(Talk().not_reached().read()) == ""


def test_an_agent_sees_the_week_in_one_sentence() -> None:
    told = called_again(whole()).greeted().hung_up()

    figure = own_courtesy(told.agent, told.at)

    said = own_sentence(figure).replace("\N{NO-BREAK SPACE}", " ")
    assert said == "Cette semaine : 1 clôture entière sur 2, la personne a raccroché 2 fois."
    assert own_sentence(own_courtesy(make_user(Role.AGENT), NOW)) == ""
    assert own_courtesy(told.agent, told.at + timedelta(days=8)).calls == 0


def test_each_period_counts_its_own_conversations() -> None:
    told = whole()
    sponsors = Sponsor.objects.filter(pk=told.programme.sponsor_id)

    def counted(days: int) -> list[int]:
        rows = courtesies(sponsors, NOW + timedelta(days=days))
        return [figure.calls for row in rows for figure in row.periods.values()]

    assert counted(0) == [1, 1, 1]
    assert counted(1) == [0, 1, 1]
    assert counted(7) == [0, 0, 1]
    assert counted(30) == []
    assert since(1, NOW) <= NOW < since(1, NOW) + timedelta(days=1)


def test_supervisors_see_their_own_sponsors_and_the_calls_behind_each_number(
    client: Client, recent: None
) -> None:
    told, other = whole(), whole()
    client.force_login(make_user(Role.SUPERVISOR, sponsors=[told.programme.sponsor]))

    page = client.get(reverse("courtesy")).content.decode()
    behind = client.get(reverse("courtesy-calls", args=[told.agent.pk]), {"days": "7", "only": "whole"})
    empty = client.get(reverse("courtesy-calls", args=[told.agent.pk]), {"days": "7", "only": "agent"})

    assert told.agent.username in page
    assert other.agent.username not in page
    assert f"/prospects/{told.prospect.pk}/#call-{told.call.pk}" in behind.content.decode()
    assert "Aucune conversation de ce genre" in empty.content.decode()
    assert client.get(reverse("courtesy-calls", args=[other.agent.pk])).status_code == 404


def test_the_page_costs_the_same_with_more_agents(client: Client, recent: None) -> None:
    sponsor = make_sponsor()
    client.force_login(make_user(Role.SUPERVISOR, sponsors=[sponsor]))
    costs = []
    for _agents in range(2):
        for _one in range(3):
            whole(programme=make_programme(sponsor))
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("courtesy"))
        costs.append(len(captured))

    assert costs[0] == costs[1]


def test_the_passage_of_a_call_says_how_it_ended(client: Client) -> None:
    told = whole()
    client.force_login(told.supervisor)

    page = client.get(reverse("prospect", args=[told.prospect.pk])).content.decode()

    assert "Clôture entière." in page
