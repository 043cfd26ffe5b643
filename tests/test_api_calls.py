"""Calls through the API: claimed, dialled, talked, closed and qualified, by the same rules as on the screen."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from calls.models import Call, CallAnswer, CallDisposition, Incident
from campaigns.models import Campaign, Exclusion
from crm.models import User
from tests.api_client import Api, problem_of
from tests.factories import (
    make_campaign,
    make_criterion,
    make_entry,
    make_exclusion,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
)

pytestmark = pytest.mark.django_db

FIELDS = {
    "id",
    "campaign",
    "prospect",
    "number",
    "agent",
    "state",
    "mode",
    "started_at",
    "answered_at",
    "answered_by",
    "ended_at",
    "hung_up_by",
    "evidence",
    "mismatches",
    "closing",
    "may_hang_up",
    "disposition",
    "callback",
    "incidents",
    "allowed",
}


class Desk:
    """An agent with a campaign of banks and some prospects to call."""

    def __init__(self, prospects: int = 1) -> None:
        self.agent: User = make_user("agent")
        self.api = Api(self.agent)
        self.programme = make_programme()
        self.criterion = make_criterion(self.programme)
        self.campaign: Campaign = make_campaign(self.programme)
        self.entries = [
            make_entry(self.campaign, make_prospect(organisation="Banque de l'Ouest"))
            for _ in range(prospects)
        ]
        self.pk = 0

    def claim(self) -> dict[str, Any]:
        response = self.api.post(f"campaigns/{self.campaign.pk}/next-call/")
        assert response.status_code == 201, response.content
        call: dict[str, Any] = response.json()
        self.pk = call["id"]
        return call

    def verb(self, verb: str, body: dict[str, Any] | None = None, api: Api | None = None) -> Any:
        return (api or self.api).post(f"calls/{self.pk}/{verb}/", body or {})

    def done(self, verb: str, **body: Any) -> dict[str, Any]:
        response = self.verb(verb, body)
        assert response.status_code == 200, (verb, body, response.content)
        call: dict[str, Any] = response.json()
        return call

    def talking(self) -> "Desk":
        self.claim()
        self.done("dial")
        self.done("events", event="ringing")
        self.done("events", event="answered")
        self.done("greet")
        return self

    def mismatched(self) -> "Desk":
        self.talking()
        self.done("criteria", criterion=self.criterion.pk, result="mismatch", heard="une boulangerie")
        return self

    def said(self, *steps: str) -> "Desk":
        for step in steps:
            self.done("closing", step=step)
        return self


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_letting_the_agent_hang_up_is_listed_to_who_may_do_it(desk: Desk) -> None:
    desk.talking()
    path = f"calls/{desk.pk}/"

    assert "supervisor_release" not in desk.api.get(path).json()["allowed"]
    assert "supervisor_release" in Api(make_user("supervisor")).get(path).json()["allowed"]


def test_the_next_call_is_claimed_with_what_the_contract_says(desk: Desk) -> None:
    call = desk.claim()

    assert set(call) >= FIELDS
    assert call["campaign"] == desk.campaign.pk
    assert call["prospect"] == desk.entries[0].prospect_id
    assert call["number"] == desk.entries[0].number
    assert (call["state"], call["mode"], call["agent"]) == ("claimed", "queue", desk.agent.pk)
    assert (call["mismatches"], call["closing"], call["may_hang_up"]) == ([], [], False)
    assert "dial" in call["allowed"]
    assert "release" in call["allowed"]
    assert desk.api.get(f"calls/{desk.pk}/").json() == call
    assert desk.api.get(f"prospects/{call['prospect']}/").status_code == 200


def test_nobody_to_call_is_204(desk: Desk) -> None:
    empty = make_campaign(desk.programme)

    assert desk.api.post(f"campaigns/{empty.pk}/next-call/").status_code == 204


def test_a_paused_campaign_serves_nobody() -> None:
    desk = Desk()
    Campaign.objects.update(status="paused")

    assert desk.api.post(f"campaigns/{desk.campaign.pk}/next-call/").status_code == 204


def test_an_agent_with_an_open_call_is_told_which_one() -> None:
    desk = Desk(prospects=2)
    open_call = desk.claim()

    body = problem_of(desk.api.post(f"campaigns/{desk.campaign.pk}/next-call/"), "open-call", 409)

    assert body["call"] == open_call["id"]
    assert Call.objects.count() == 1


def test_the_same_claim_with_its_key_is_one_call() -> None:
    desk = Desk(prospects=2)

    first = desk.api.post(f"campaigns/{desk.campaign.pk}/next-call/", Idempotency_Key="a")
    second = desk.api.post(f"campaigns/{desk.campaign.pk}/next-call/", Idempotency_Key="a")

    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert Call.objects.count() == 1


def test_a_released_prospect_goes_back_with_its_reason(desk: Desk) -> None:
    desk.claim()

    problem_of(desk.verb("release"), "validation", 400)
    released = desk.done("release", reason="en ligne avec un collègue")

    assert released["state"] == "released"
    assert desk.claim()["id"] != released["id"]


def test_a_mismatch_is_final_and_every_way_out_is_refused() -> None:
    desk = Desk(prospects=2).mismatched()
    call = desk.api.get(f"calls/{desk.pk}/").json()

    assert (call["state"], call["disposition"]) == ("closing", "out_of_criteria")
    assert call["mismatches"] == [
        {"criterion": desk.criterion.pk, "expected": "une banque", "heard": "une boulangerie"}
    ]
    assert [step["step"] for step in call["closing"]] == ["apologise", "thank", "goodbye"]
    assert all(step["text"] and step["said_at"] is None for step in call["closing"])
    assert call["may_hang_up"] is False
    assert not {"release", "finish", "hang_up"} & set(call["allowed"])

    for verb, body in (
        ("release", {"reason": "x"}),
        ("finish", {}),
        ("disposition", {"code": "complete"}),
        ("disposition", {"code": "not_interested"}),
        ("closing", {"step": "goodbye"}),
        ("events", {"event": "hung_up", "by": "agent"}),
    ):
        problem_of(desk.verb(verb, body), "closing-required", 409)
    problem_of(desk.api.post(f"campaigns/{desk.campaign.pk}/next-call/"), "open-call", 409)
    assert CallDisposition.objects.count() == 1


def test_the_closing_is_said_then_the_prospect_hangs_up_and_the_next_may_be_called() -> None:
    desk = Desk(prospects=2).mismatched().said("apologise", "thank", "goodbye")
    waiting = desk.api.get(f"calls/{desk.pk}/").json()
    problem_of(desk.verb("events", {"event": "hung_up", "by": "agent"}), "closing-required", 409)

    ended = desk.done("events", event="hung_up", by="prospect", evidence="softphone", sip_status=200, q850=16)
    done = desk.done("disposition", code="out_of_criteria")

    assert all(step["said_at"] for step in waiting["closing"])
    assert (ended["state"], ended["hung_up_by"], ended["evidence"]) == ("ended", "prospect", "softphone")
    assert done["state"] == "done"
    assert done["incidents"] == []
    assert desk.claim()["prospect"] == desk.entries[1].prospect_id


def test_nothing_dials_that_prospect_again_for_the_programme() -> None:
    desk = Desk().mismatched().said("apologise", "thank", "goodbye")
    desk.done("events", event="hung_up", by="prospect")
    desk.done("disposition", code="out_of_criteria")
    entry, other = desk.entries[0], make_campaign(desk.programme)
    manager = Api(make_user("manager"))

    for campaign in (desk.campaign, other):
        for target in ({"prospect": entry.prospect_id}, {"number": entry.number}):
            body = {"campaign": campaign.pk} | target
            problem_of(manager.post("calls/dial/", body), "excluded", 409)
            query = "&".join(f"{name}={value}" for name, value in body.items()).replace("+", "%2B")
            verdict = manager.get(f"contactability/?{query}").json()
            assert (verdict["allowed"], verdict["gate"]) == (False, "exclusion")
            assert verdict["reason"] == "out_of_criteria"
    added = manager.post(f"campaigns/{other.pk}/entries/", {"prospects": [entry.prospect_id]}).json()
    assert (added["added"], added["excluded"]) == (0, 1)
    allowed = make_campaign(make_programme(desk.programme.sponsor))
    verdict = manager.get(f"contactability/?campaign={allowed.pk}&prospect={entry.prospect_id}").json()
    assert verdict["allowed"] is True


@pytest.mark.parametrize("evidence", ["softphone", "declared"])
def test_an_agents_early_hang_up_is_stored_as_it_happened_and_reviewed(evidence: str) -> None:
    desk = Desk().mismatched()

    ended = desk.done("events", event="hung_up", by="agent", evidence=evidence)
    desk.done("events", event="hang_up_explained", reason="il me menaçait")

    assert ended["state"] == "ended"
    assert ended["hung_up_by"] == "agent"
    incident = Incident.objects.get(kind="hang_up_review")
    assert ended["incidents"] == [incident.pk]
    supervisor = Api(make_user("supervisor"))
    waiting = supervisor.get("incidents/?decided=false").json()["results"]
    assert [item["id"] for item in waiting] == [incident.pk]
    decided = supervisor.post(f"incidents/{incident.pk}/decide/", {"decision": "support_agent"})
    assert decided.json()["decision"] == "support_agent"
    problem_of(
        supervisor.post(f"incidents/{incident.pk}/decide/", {"decision": "nothing"}),
        "invalid-transition",
        409,
    )


def test_a_supervisor_lets_the_agent_end_a_call() -> None:
    desk = Desk().talking()
    supervisor = Api(make_user("supervisor"))

    problem_of(desk.verb("supervisor-release", {"reason": "x"}), "forbidden", 403)
    problem_of(desk.verb("supervisor-release", {}, supervisor), "validation", 400)
    assert desk.verb("supervisor-release", {"reason": "ligne tenue"}, supervisor).status_code == 200

    assert desk.api.get(f"calls/{desk.pk}/").json()["may_hang_up"] is True
    assert desk.done("events", event="hung_up", by="agent")["incidents"] == []


def test_a_supervisor_corrects_an_entry_error_and_the_agent_may_not() -> None:
    desk = Desk().mismatched().said("apologise", "thank", "goodbye")
    desk.done("events", event="hung_up", by="prospect")
    desk.done("disposition", code="out_of_criteria")
    asked = desk.done("correction-request", reason="j'ai mal entendu")
    supervisor = Api(make_user("supervisor"))

    problem_of(desk.verb("correction", {"code": "partial", "reason": "x"}), "forbidden", 403)
    problem_of(desk.verb("correction", {"code": "partial"}, supervisor), "validation", 400)
    problem_of(desk.verb("correction", {"code": "nonsense", "reason": "x"}, supervisor), "validation", 400)
    corrected = desk.verb("correction", {"code": "not_interested", "reason": "erreur de saisie"}, supervisor)

    assert len(asked["incidents"]) == 1
    assert corrected.json()["disposition"] == "not_interested"
    assert CallDisposition.objects.count() == 2
    assert not Exclusion.objects.filter(lifted_at=None).exists()


def test_another_organisation_is_a_mismatch_in_itself(desk: Desk) -> None:
    desk.claim()
    desk.done("dial")
    desk.done("events", event="answered")

    call = desk.done("greet", answered_by="other", heard="le garage Martin")

    assert (call["state"], call["disposition"]) == ("closing", "out_of_criteria")
    assert call["mismatches"][0]["criterion"] is None
    assert call["mismatches"][0]["heard"] == "le garage Martin"


def test_the_line_passed_to_somebody_else_starts_again(desk: Desk) -> None:
    desk.talking()
    desk.done("criteria", criterion=desk.criterion.pk, result="match")

    call = desk.done("handover", answered_by="colleague")

    assert call["answered_by"] == "colleague"
    assert "greet" in call["allowed"]
    problem_of(
        desk.verb("criteria", {"criterion": desk.criterion.pk, "result": "match"}), "invalid-transition", 409
    )


def test_a_fact_corrected_on_the_line_is_judged_and_confirmed_first(desk: Desk) -> None:
    desk.talking()
    path = f"prospects/{desk.entries[0].prospect_id}/"

    refused = problem_of(desk.api.patch(path, {"sector": "10.71C"}), "validation", 400)
    unchanged = desk.api.get(path).json()
    assert "sector" in unchanged, unchanged
    confirmed = desk.api.patch(path, {"sector": "10.71C", "confirmed": True})

    assert refused["criterion"] == desk.criterion.pk
    assert unchanged["sector"] == ""
    assert confirmed.status_code == 200, confirmed.content
    assert confirmed.json()["sector"] == "10.71C"
    assert desk.api.get(f"calls/{desk.pk}/").json()["state"] == "closing"


def test_a_callback_is_agreed_with_its_time_and_its_agent(desk: Desk) -> None:
    desk.talking()
    moment = (timezone.now() + timedelta(days=2)).replace(microsecond=0)

    problem_of(desk.verb("disposition", {"code": "callback"}), "validation", 400)
    problem_of(desk.verb("disposition", {"code": "callback", "callback_at": "tomorrow"}), "validation", 400)
    problem_of(
        desk.verb(
            "disposition", {"code": "callback", "callback_at": moment.isoformat(), "callback_agent": 999_999}
        ),
        "validation",
        400,
    )
    call = desk.done(
        "disposition",
        code="callback",
        callback_at=moment.isoformat(),
        callback_agent=desk.agent.pk,
        exact=True,
    )

    callback = desk.api.get(f"callbacks/{call['callback']}/").json()
    assert callback["due_at"] == moment.isoformat().replace("+00:00", "Z")
    assert (callback["owner"], callback["exact"]) == (desk.agent.pk, True)
    assert [item["id"] for item in desk.api.get("callbacks/?state=open").json()["results"]] == [
        callback["id"]
    ]
    assert Api(make_user("agent")).get("callbacks/").json()["results"] == []


@pytest.mark.parametrize(
    ("cause", "code"), [("busy", "busy"), ("no_answer", "no_answer"), ("invalid_number", "invalid_number")]
)
def test_somebody_who_is_not_reached_is_qualified_at_once(cause: str, code: str) -> None:
    desk = Desk()
    desk.claim()
    desk.done("dial")

    call = desk.done("events", event="not_reached", cause=cause, sip_status=486)
    done = desk.done("disposition", code=code)

    assert (call["state"], done["state"], done["disposition"]) == ("not_reached", "done", code)


def test_an_exchange_reports_on_the_calls_of_its_sponsors(desk: Desk) -> None:
    desk.claim()
    desk.done("dial")
    exchange = Api(make_user("integration", sponsors=[desk.programme.sponsor]))
    stranger = Api(make_user("integration", sponsors=[make_sponsor()]))

    problem_of(desk.verb("events", {"event": "answered"}, stranger), "not-found", 404)
    answered = desk.verb("events", {"event": "answered"}, exchange)
    problem_of(desk.verb("greet", {}, exchange), "forbidden", 403)
    desk.done("greet")
    ended = desk.verb("events", {"event": "hung_up", "by": "prospect"}, exchange)

    assert answered.json()["state"] == "connected"
    assert (ended.json()["state"], ended.json()["evidence"]) == ("ended", "pbx")


def test_only_an_exchange_speaks_for_the_exchange(desk: Desk) -> None:
    desk.talking()

    refused = desk.verb("events", {"event": "hung_up", "by": "prospect", "evidence": "pbx"})

    assert "evidence" in problem_of(refused, "validation", 400)["errors"]


@pytest.mark.parametrize(
    ("verb", "body", "field"),
    [
        ("greet", {"answered_by": "martian"}, "answered_by"),
        ("greet", {"answered_by": 3}, "answered_by"),
        ("events", {}, "event"),
        ("events", {"event": "exploded"}, "event"),
        ("events", {"event": "not_reached"}, "cause"),
        ("events", {"event": "not_reached", "cause": "bored"}, "cause"),
        ("events", {"event": "hung_up"}, "by"),
        ("events", {"event": "hung_up", "by": "nobody"}, "by"),
        ("events", {"event": "hung_up", "by": "prospect", "evidence": "gossip"}, "evidence"),
        ("events", {"event": "hung_up", "by": "prospect", "sip_status": 9999}, "sip_status"),
        ("events", {"event": "hung_up", "by": "prospect", "q850": "x"}, "q850"),
        ("criteria", {}, "result"),
        ("criteria", {"criterion": 1, "result": "maybe"}, "result"),
        ("criteria", {"criterion": 999_999, "result": "match"}, "criterion"),
        ("criteria", {"criterion": "abc", "result": "match"}, "criterion"),
        ("criteria", {"criterion": 10**30, "result": "match"}, "criterion"),
        ("criteria", {"result": "match"}, "criterion"),
        ("criteria", {"result": "mismatch"}, "heard"),
        ("criteria", {"result": "mismatch", "heard": "x" * 501}, "heard"),
        ("closing", {}, "step"),
        ("closing", {"step": "sing"}, "step"),
        ("situations", {"situation": "nope", "stage": 1}, "stage"),
        ("situations", {"situation": "nope"}, "stage"),
        ("disposition", {}, "code"),
        ("disposition", {"code": "nonsense"}, "code"),
        ("disposition", {"code": ["refusal"]}, "code"),
        ("disposition", {"code": "refusal", "note": "x" * 2001}, "note"),
        ("disposition", {"code": "refusal", "kode": "x"}, "kode"),
        ("note", {"note": 12}, "note"),
        ("dial", {"number": "112"}, "number"),
    ],
)
def test_a_wrong_body_is_refused_and_nothing_changes(verb: str, body: dict[str, Any], field: str) -> None:
    desk = Desk().talking()
    before = desk.api.get(f"calls/{desk.pk}/").json()

    refused = problem_of(desk.verb(verb, body), "validation", 400)

    assert field in refused["errors"]
    assert desk.api.get(f"calls/{desk.pk}/").json() == before
    assert not CallAnswer.objects.exists()


@pytest.mark.parametrize("pk", [0, 999_999, 2**63, 10**40])
def test_a_forged_call_does_not_exist(desk: Desk, pk: int) -> None:
    desk.claim()

    for verb in ("dial", "greet", "closing", "disposition", "release"):
        problem_of(desk.api.post(f"calls/{pk}/{verb}/", {}), "not-found", 404)
    problem_of(desk.api.get(f"calls/{pk}/"), "not-found", 404)
    problem_of(desk.api.post(f"calls/{pk}/nonsense/", {}), "not-found", 404)


def test_the_call_of_another_agent_does_not_exist(desk: Desk) -> None:
    desk.claim()
    other = Api(make_user("agent"))

    problem_of(other.get(f"calls/{desk.pk}/"), "not-found", 404)
    problem_of(desk.verb("dial", {}, other), "not-found", 404)
    problem_of(desk.verb("dial", {}, Api(make_user("supervisor"))), "forbidden", 403)
    assert other.get("calls/").json()["results"] == []
    assert Call.objects.get().state == "claimed"


def test_a_verb_out_of_its_turn_is_refused(desk: Desk) -> None:
    desk.claim()

    for verb, body in (
        ("greet", {}),
        ("events", {"event": "answered"}),
        ("closing", {"step": "thank"}),
        ("disposition", {"code": "refusal"}),
        ("finish", {}),
        ("criteria", {"criterion": desk.criterion.pk, "result": "match"}),
    ):
        problem_of(desk.verb(verb, body), "invalid-transition", 409)


def test_a_bar_that_comes_between_claim_and_dial_stops_it(desk: Desk) -> None:
    call = desk.claim()
    manager = Api(make_user("manager"))
    created = manager.post(
        "exclusions/", {"scope": "everywhere", "number": call["number"], "reason": "opposition"}
    )
    assert created.status_code == 201

    refused = desk.verb("dial")

    assert refused.status_code == 409
    assert desk.api.get(f"calls/{desk.pk}/").json()["state"] == "released"


@pytest.mark.parametrize(
    "target",
    [
        {},
        {"number": "112"},
        {"number": "15"},
        {"number": "0899123456"},
        {"number": "abc"},
        {"prospect": 999_999},
    ],
)
def test_a_manual_call_needs_somebody_who_can_be_called(target: dict[str, Any]) -> None:
    desk = Desk()

    response = desk.api.post("calls/dial/", {"campaign": desk.campaign.pk} | target)

    assert response.status_code in {400, 409}, response.content
    problem_of(
        response, "validation" if response.status_code == 400 else "not-callable", response.status_code
    )
    assert not Call.objects.exists()


def test_a_number_without_a_record_is_called_by_hand(desk: Desk) -> None:
    response = desk.api.post("calls/dial/", {"campaign": desk.campaign.pk, "number": "02 61 91 00 77"})

    assert response.status_code == 201, response.content
    call = response.json()
    assert (call["number"], call["prospect"], call["mode"]) == ("+33261910077", None, "manual")


def test_a_refused_manual_call_keeps_its_reason_also_under_a_key() -> None:
    desk = Desk()
    make_exclusion(programme=desk.programme, prospect=desk.entries[0].prospect)
    body = {"campaign": desk.campaign.pk, "prospect": desk.entries[0].prospect_id}

    problem_of(desk.api.post("calls/dial/", body, Idempotency_Key="a"), "excluded", 409)

    events = desk.entries[0].prospect.events.filter(kind="refused")
    assert events.count() == 1


def test_a_campaign_outside_its_hours_says_until_when() -> None:
    desk = Desk()
    day = timezone.now().isoweekday() % 7 + 1
    campaign = make_campaign(
        desk.programme, calling_rule="default", hours=[{"days": [day], "from": "10:00", "to": "11:00"}]
    )

    body = problem_of(
        desk.api.post("calls/dial/", {"campaign": campaign.pk, "number": "02 61 91 00 77"}),
        "not-callable",
        409,
    )

    assert body["gate"] == "window"
    assert body["until"]


def test_sponsors_are_walls_for_agents_too() -> None:
    desk = Desk()
    walled = Api(make_user("agent", sponsors=[make_sponsor()]))

    problem_of(walled.post(f"campaigns/{desk.campaign.pk}/next-call/"), "not-found", 404)
    refused = walled.post("calls/dial/", {"campaign": desk.campaign.pk, "number": "02 61 91 00 77"})
    assert "campaign" in problem_of(refused, "validation", 400)["errors"]
    foreign = make_prospect(source=make_source(make_sponsor()))
    refused = desk.api.post("calls/dial/", {"campaign": desk.campaign.pk, "prospect": foreign.pk})
    assert refused.status_code in {400, 404}
    assert not Call.objects.exists()


def queries_of(django_assert_max_num_queries: Any, act: Any) -> int:
    with django_assert_max_num_queries(60) as captured:
        response = act()
    assert response.status_code in {200, 201}, response.content
    return len(captured.captured_queries)


def test_a_claim_costs_a_small_and_constant_number_of_queries(django_assert_max_num_queries: Any) -> None:
    counts = []
    for prospects in (10, 20):
        desk = Desk(prospects=prospects)
        desk.claim()
        desk.done("release", reason="échauffement")
        claim = partial(desk.api.post, f"campaigns/{desk.campaign.pk}/next-call/")
        counts.append(queries_of(django_assert_max_num_queries, claim))

    assert counts[0] == counts[1]
    assert counts[0] <= 14


def test_a_verb_costs_no_more_with_a_long_history(django_assert_max_num_queries: Any) -> None:
    counts = []
    for notes in (10, 20):
        desk = Desk().talking()
        for number in range(notes):
            desk.done("note", note=f"note {number}")
        answer = partial(desk.verb, "criteria", {"criterion": desk.criterion.pk, "result": "match"})
        counts.append(queries_of(django_assert_max_num_queries, answer))

    assert counts[0] == counts[1]
    assert counts[0] <= 25
