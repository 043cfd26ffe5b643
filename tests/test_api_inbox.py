"""Callbacks, bans and incidents through the API: asked, changed and decided by the rules of the pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from calls.models import Ban, Callback, Incident
from campaigns.models import Campaign, Exclusion, ListEntry
from crm.models import Prospect, ProspectEvent, Sponsor, User
from tests.api_client import Api, problem_of
from tests.factories import (
    make_campaign,
    make_entry,
    make_exclusion,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
    next_number,
)
from tests.test_api_calls import Desk

pytestmark = pytest.mark.django_db


class Office:
    """A program of a sponsor, its list, and the people around it."""

    def __init__(self) -> None:
        self.sponsor: Sponsor = make_sponsor()
        self.campaign: Campaign = make_campaign(make_programme(self.sponsor))
        self.prospect: Prospect = make_prospect(source=make_source(self.sponsor))
        self.entry: ListEntry = make_entry(self.campaign, self.prospect)
        self.agent: User = make_user("agent", sponsors=[self.sponsor])
        self.crm = Api(make_user("integration", sponsors=[self.sponsor]))
        self.supervisor = Api(make_user("supervisor"))
        self.due = timezone.now().replace(microsecond=0) + timedelta(days=2)

    def body(self, **more: Any) -> dict[str, Any]:
        wanted = {"campaign": self.campaign.pk, "prospect": self.prospect.pk, "due_at": self.due.isoformat()}
        return wanted | more

    def agreed(self, **more: Any) -> dict[str, Any]:
        response = self.crm.post("callbacks/", self.body(**more))
        assert response.status_code == 201, response.content
        callback: dict[str, Any] = response.json()
        return callback


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_program_agrees_a_callback_which_the_queue_keeps(office: Office) -> None:
    callback = office.agreed(owner=office.agent.pk, exact=True, note="Demander Mme Petit")
    again = office.agreed(owner=office.agent.pk, exact=True)

    office.entry.refresh_from_db()
    assert (office.entry.state, office.entry.due_at, office.entry.owner) == (
        "callback",
        office.due,
        office.agent,
    )
    assert callback["note"] == "Demander Mme Petit"
    assert again["id"] == callback["id"] == Callback.objects.get().pk
    assert ProspectEvent.objects.filter(kind="callback", data__event="agreed").count() == 1
    assert Api(office.agent).get(f"callbacks/{callback['id']}/").json() == callback


def test_a_callback_is_moved_given_away_and_cancelled_with_a_reason(office: Office) -> None:
    path = f"callbacks/{office.agreed(exact=True)['id']}/"
    read = office.crm.get(path)
    later = office.due + timedelta(hours=1)

    moved = office.crm.patch(
        path, {"due_at": later.isoformat(), "owner": office.agent.pk}, If_Match=read["ETag"]
    )
    problem_of(office.crm.patch(path, {"owner": None}, If_Match=read["ETag"]), "stale", 412)
    same = office.crm.patch(path, office.crm.get(path).json())
    problem_of(office.crm.patch(path, {"state": "cancelled"}), "validation", 400)
    cancelled = office.crm.patch(path, {"state": "cancelled", "reason": "La personne ne veut plus"})

    assert moved.status_code == 200, moved.content
    assert (moved.json()["owner"], moved.json()["due_at"]) == (office.agent.pk, same.json()["due_at"])
    assert cancelled.json()["state"] == "cancelled"
    office.entry.refresh_from_db()
    assert (office.entry.state, office.entry.owner) == ("done", None)
    told = ProspectEvent.objects.filter(kind="callback").order_by("id")
    assert list(told.values_list("data__event", flat=True)) == ["agreed", "moved", "reassigned", "cancelled"]


def test_an_agent_gives_back_their_own_callback_and_nobody_elses(office: Office) -> None:
    mine = office.agreed(owner=office.agent.pk)
    other = make_user("agent", sponsors=[office.sponsor])

    problem_of(Api(other).patch(f"callbacks/{mine['id']}/", {"owner": None}), "not-found", 404)
    problem_of(Api(office.agent).patch(f"callbacks/{mine['id']}/", {"owner": other.pk}), "forbidden", 403)
    given = Api(office.agent).patch(f"callbacks/{mine['id']}/", {"owner": None})

    assert given.json()["owner"] is None


def test_no_callback_is_agreed_where_no_call_may_follow(office: Office) -> None:
    past = (timezone.now() - timedelta(minutes=1)).isoformat()
    stranger = make_prospect(source=make_source(office.sponsor))
    abroad = make_user("agent", sponsors=[make_sponsor()])

    for wrong in ({"due_at": past}, {"prospect": stranger.pk}, {"owner": abroad.pk}, {"campaign": 10**9}):
        problem_of(office.crm.post("callbacks/", office.body(**wrong)), "validation", 400)
    problem_of(office.crm.post("callbacks/", office.body(note="encore un connard")), "validation", 400)
    office.agreed()
    problem_of(
        office.crm.post("callbacks/", office.body(exact=True, owner=office.agent.pk)),
        "invalid-transition",
        409,
    )
    make_exclusion(programme=office.campaign.programme, prospect=office.prospect)
    problem_of(office.crm.post("callbacks/", office.body()), "excluded", 409)
    assert Callback.objects.get().state == "excluded"


def test_a_time_outside_the_hours_needs_the_persons_word(office: Office) -> None:
    type(office.campaign).objects.filter(pk=office.campaign.pk).update(calling_rule="b2b_courtesy")
    night = office.due.replace(hour=1).isoformat()

    refused = problem_of(office.crm.post("callbacks/", office.body(due_at=night)), "validation", 400)
    agreed = office.agreed(due_at=night, exact=True)

    assert "due_at" in refused["errors"]
    assert agreed["exact"] is True


def test_a_ban_is_asked_granted_by_another_and_appealed(office: Office) -> None:
    make_user("manager")
    manager, number = Api(make_user("manager")), next_number()
    asked = office.supervisor.post("bans/", {"reason": "menaces", "number": number})
    path = f"bans/{asked.json()['id']}/"

    problem_of(office.supervisor.post(f"{path}approve/"), "forbidden", 403)
    problem_of(manager.patch(path, {"state": "granted"}, If_Match='"old"'), "stale", 412)
    granted = manager.post(f"{path}approve/")
    again = manager.patch(path, {"state": "granted"}, If_Match=granted["ETag"])
    appealed = manager.post(f"{path}appeal/", {"text": "Lettre reçue"})
    lifted = manager.patch(path, {"state": "lifted", "reason": "Excuses acceptées"})

    assert asked.status_code == 201, asked.content
    assert (asked.json()["state"], granted.json()["state"], again.json()["state"]) == (
        "requested",
        "granted",
        "granted",
    )
    assert Exclusion.objects.get(reason="ban").pk == granted.json()["exclusion"]
    assert appealed.json()["appeals"][0]["text"] == "Lettre reçue"
    assert lifted.json()["state"] == "lifted"
    assert office.supervisor.get(f"bans/?state=lifted&number={number.replace('+33', '0')}").json()[
        "results"
    ] == [lifted.json()]


def test_an_agent_asks_for_the_ban_of_who_is_on_their_call_and_of_nobody_else() -> None:
    desk = Desk()
    desk.talking()

    asked = desk.api.post("bans/", {"reason": "insultes", "call": desk.pk, "scope": "sponsor"})
    again = desk.api.post("bans/", {"reason": "insultes", "call": desk.pk, "scope": "sponsor"})

    assert asked.status_code == again.status_code == 201, asked.content
    assert asked.json()["sponsor"] == desk.programme.sponsor_id
    assert Ban.objects.count() == 1
    problem_of(Api(make_user("agent")).post("bans/", {"reason": "x", "call": desk.pk}), "not-found", 404)
    problem_of(desk.api.post("bans/", {"reason": "x", "number": next_number()}), "forbidden", 403)


def test_a_program_reports_a_complaint_once_and_a_supervisor_decides_with_what_they_read(
    office: Office,
) -> None:
    body = {
        "kind": "complaint",
        "prospect": office.prospect.pk,
        "summary": "Lettre du 3 : appelée trop souvent",
    }

    made = office.crm.post("incidents/", body)
    problem_of(office.crm.post("incidents/", body | {"kind": "help"}), "validation", 400)
    path = f"incidents/{made.json()['id']}/"
    decision = {"decision": "answered", "reason": "Réponse envoyée"}
    problem_of(office.supervisor.patch(path, decision, If_Match='"old"'), "stale", 412)
    decided = office.supervisor.patch(path, decision, If_Match=office.supervisor.get(path)["ETag"])

    assert made.status_code == 201, made.content
    assert made.json()["sponsor"] == office.sponsor.pk
    assert decided.json()["decision"] == "answered"


def test_an_agent_who_calls_is_answered() -> None:
    desk, supervisor = Desk(), Api(make_user("supervisor"))
    desk.talking()

    called = desk.api.post("incidents/", {"kind": "help", "call": desk.pk, "summary": "Le patron crie"})
    answers = f"incidents/{called.json()['id']}/answers/"
    coming = supervisor.post(answers, {"kind": "accepted", "words": "J'arrive"})
    other = Api(make_user("supervisor")).post(answers, {"kind": "accepted"})

    assert called.status_code == 201, called.content
    assert [row["kind"] for row in coming.json()["answers"]] == ["accepted"]
    problem_of(other, "invalid-transition", 409)
    assert Incident.objects.get().waiting
