"""Teams: who sees and changes them, and what keeps one from being deleted."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from crm.models import Team, User
from crm.rules.errors import Forbidden, Invalid
from crm.selectors.people import teams_of
from crm.services import teams, users
from tests.factories import NOW, make_sponsor, make_user
from tests.paging import signed_in, text_of

pytestmark = pytest.mark.django_db


def make_team(name: str = "Matin", by: User | None = None) -> Team:
    """Make a team by its service."""
    return teams.create_team(name=name, supervisors=[], by=by or make_user("manager"), at=NOW)


def test_a_manager_makes_a_team_and_says_who_looks_after_it() -> None:
    client, _manager = signed_in("manager")
    supervisor = make_user("supervisor", first_name="Dominique", last_name="Roux")

    done = client.post(reverse("team-new"), {"name": "  Matin  ", "supervisors": [supervisor.pk]})

    team = Team.objects.get()
    assert done["Location"] == reverse("team", args=[team.pk])
    assert (team.name, list(team.supervisors.all())) == ("Matin", [supervisor])
    assert "Dominique Roux" in text_of(client.get(reverse("team-list")))


def test_two_teams_do_not_share_a_name() -> None:
    client, _manager = signed_in("manager")
    make_team("Matin")

    page = client.post(reverse("team-new"), {"name": "MATIN"})

    assert page.status_code == 422
    assert "Une équipe porte déjà ce nom." in text_of(page)
    with pytest.raises(IntegrityError, match="team_name_once"), transaction.atomic():
        Team.objects.create(name="matin", created_at=NOW)


def test_an_agent_does_not_look_after_a_team() -> None:
    agent = make_user("agent")

    with pytest.raises(Invalid):
        teams.create_team(name="Matin", supervisors=[agent], by=make_user("manager"), at=NOW)


def test_only_an_empty_team_is_deleted() -> None:
    client, _manager = signed_in("manager")
    team = make_team()
    member = make_user("agent", team=team, is_active=False)
    url = reverse("team-deletion", args=[team.pk])

    refused = text_of(client.post(url, follow=True))
    User.objects.filter(pk=member.pk).update(team=None)
    client.post(url)

    assert "Cette équipe a encore des membres" in refused
    assert not Team.objects.exists()


@pytest.mark.parametrize("role", ["agent", "supervisor", "integration"])
def test_only_managers_write_teams(role: str) -> None:
    by, team = make_user(role), make_team()

    with pytest.raises(Forbidden):
        teams.create_team(name="Soir", supervisors=[], by=by, at=NOW)
    with pytest.raises(Forbidden):
        teams.edit_team(team=team, name="Soir", supervisors=[], by=by, at=NOW)
    with pytest.raises(Forbidden):
        teams.delete_team(team=team, by=by, at=NOW)
    assert Team.objects.get().name == "Matin"


def test_a_team_of_other_sponsors_does_not_exist() -> None:
    own, foreign = make_sponsor(), make_sponsor()
    client, manager = signed_in("manager", sponsors=[own])
    shared, theirs = make_team("Partagée"), make_team("Étrangère")
    make_user("agent", team=shared, sponsors=[own])
    hidden = make_user("agent", "cachee", team=shared, sponsors=[foreign])
    make_user("agent", team=theirs, sponsors=[foreign])
    mine = make_team("Mienne", by=manager)

    assert set(teams_of(manager)) == {shared, mine}
    assert client.get(reverse("team", args=[theirs.pk])).status_code == 404
    page = text_of(client.get(reverse("team", args=[shared.pk])))
    assert hidden.username not in page
    assert "1 membre" in page
    shared.supervisors.add(make_user("supervisor", "invisible", sponsors=[foreign]))
    listed = text_of(client.get(reverse("team-list")))
    assert "Partagée personne 1" in listed
    assert "invisible" not in listed
    with pytest.raises(Forbidden):
        teams.edit_team(team=shared, name="Autre", supervisors=[], by=manager, at=NOW)
    with pytest.raises(Invalid):
        users.create_user(
            username="neuve",
            data={"last_name": "Neuve", "role": "agent", "languages": [], "daily_goal": 50, "team": theirs},
            sponsors=[own],
            by=manager,
            at=NOW,
        )


def test_a_supervisor_reads_a_team_and_changes_nothing() -> None:
    client, _supervisor = signed_in("supervisor")
    team = make_team()
    make_user("agent", team=team, last_name="Moreau")

    page = client.get(reverse("team", args=[team.pk]))
    sent = client.post(reverse("team", args=[team.pk]), {"name": "Soir"}, follow=True)

    assert "Moreau" in text_of(page)
    assert "Supprimer" not in text_of(page)
    assert "Cette équipe n'est pas à vous de changer." in text_of(sent)
    assert Team.objects.get().name == "Matin"


def test_a_team_is_renamed_on_its_page() -> None:
    client, _manager = signed_in("manager")
    team = make_team()

    wrong = client.post(reverse("team", args=[team.pk]), {"name": " "})
    done = client.post(reverse("team", args=[team.pk]), {"name": "Soir"})

    assert (wrong.status_code, done.status_code) == (422, 302)
    assert Team.objects.get().name == "Soir"


def test_without_a_team_the_list_says_what_one_is_for() -> None:
    client, _manager = signed_in("manager")

    assert "Aucune équipe" in text_of(client.get(reverse("team-list")))


def test_the_list_and_a_page_cost_the_same_with_more_teams_and_people(
    django_assert_max_num_queries: Any,
) -> None:
    client, _manager = signed_in("manager")
    team = make_team()
    make_user("agent", team=team)

    def ask(limit: int) -> int:
        with django_assert_max_num_queries(limit) as asked:
            client.get(reverse("team-list"))
            client.get(reverse("team", args=[team.pk]))
        return len(asked)

    few = ask(16)
    for number in range(10):
        make_user("agent", team=make_team(f"Équipe {number}"))
        make_user("agent", team=team)
    assert ask(few) == few
