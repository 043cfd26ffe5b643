"""The main job by tokens alone: set up, imported, called, closed, and refused for ever."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from calls.models import Call, CallDisposition
from campaigns.enums import EntryState
from campaigns.models import Exclusion, ListEntry
from crm.enums import Role
from crm.models import Prospect, Sponsor
from tests.api_client import Api, problem_of
from tests.factories import make_user
from tests.stories import BANKS, NUMBER, SAME_NUMBER, SPELLINGS, everything, work

pytestmark = pytest.mark.django_db


class Tokens:
    """A manager's and an agent's program, and what they have set up."""

    def __init__(self) -> None:
        self.manager = Api(make_user(Role.MANAGER))
        self.agent = Api(make_user(Role.AGENT))
        self.supervisor = Api(make_user(Role.SUPERVISOR))
        self.sponsor = self.made("sponsors/", name="Institut des Études")
        self.programme = self.made("programmes/", name="Banques", sponsor=self.sponsor)
        self.criterion = self.made(
            f"programmes/{self.programme}/criteria/",
            field="sector",
            operator="starts_with",
            value="64",
            question="Êtes-vous bien une banque ?",
        )
        self.source = self.made("sources/", name="Annuaire", slug="annuaire")
        self.campaign = self.campaign_of(self.programme, "banques")
        self.pk = 0

    def made(self, path: str, **data: Any) -> int:
        """Create something and return its id."""
        answer = self.manager.post(path, data)
        assert answer.status_code == 201, (path, answer.content)
        return int(answer.json()["id"])

    def campaign_of(self, programme: int, slug: str) -> int:
        """Create and start a campaign without window nor cap."""
        campaign = self.made(
            "campaigns/", name=slug, slug=slug, programme=programme, purpose="survey", calling_rule="none"
        )
        assert self.manager.post(f"campaigns/{campaign}/start/").json()["status"] == "running"
        return campaign

    def imported(self, campaign: int, content: bytes = BANKS, source: str = "annuaire") -> dict[str, Any]:
        """Send a list, let the worker read it, and return its counts."""
        file = SimpleUploadedFile("banques.csv", content, content_type="text/csv")
        answer = self.manager.upload(f"campaigns/{campaign}/imports/", {"file": file, "source": source})
        assert answer.status_code == 202, answer.content
        work()
        job = self.manager.get(f"imports/{answer.json()['id']}/").json()
        assert (job["state"], job["percent"]) == ("done", 100)
        counts: dict[str, Any] = job["counts"]
        return counts

    def verb(self, verb: str, **body: Any) -> dict[str, Any]:
        """Carry out a verb of the agent's call."""
        answer = self.agent.post(f"calls/{self.pk}/{verb}/", body)
        assert answer.status_code == 200, (verb, body, answer.content)
        call: dict[str, Any] = answer.json()
        return call

    def refused(self, problem: str, path: str, **body: Any) -> dict[str, Any]:
        """Expect a request of the agent to be refused, with nothing changed."""
        before = everything()
        answer = problem_of(self.agent.post(path, body), problem, 409)
        assert everything() == before
        return answer

    def mismatched(self) -> "Tokens":
        """Carry the first call to its mismatch."""
        self.pk = self.agent.post(f"campaigns/{self.campaign}/next-call/").json()["id"]
        self.verb("dial")
        self.verb("events", event="answered")
        self.verb("greet")
        self.verb("criteria", criterion=self.criterion, result="mismatch", heard="boulangerie")
        return self

    def closed(self) -> "Tokens":
        """Carry the first call to its end."""
        self.mismatched()
        for step in ("apologise", "thank", "goodbye"):
            self.verb("closing", step=step)
        self.verb("events", event="hung_up", by="prospect", evidence="softphone")
        self.verb("finish")
        return self


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


def test_a_list_is_imported_with_every_row_counted(tokens: Tokens) -> None:
    counts = tokens.imported(tokens.campaign)
    again = tokens.imported(tokens.campaign)

    names = ("rows", "created", "updated", "unchanged", "duplicates", "rejected", "excluded", "screened_out")
    assert [counts[name] for name in names] == [7, 4, 0, 0, 1, 2, 1, 1]
    assert [again[name] for name in names] == [7, 0, 0, 4, 1, 2, 1, 1]
    bank = Prospect.objects.get(external_id="B2")
    assert (bank.organisation, bank.city) == ("Banque de l'Été", "Évry")


def test_no_verb_leads_out_of_the_closing(tokens: Tokens) -> None:
    tokens.imported(tokens.campaign)
    tokens.mismatched()
    call = f"calls/{tokens.pk}/"

    shown = tokens.agent.get(call).json()

    assert (shown["state"], shown["disposition"], shown["may_hang_up"]) == (
        "closing",
        "out_of_criteria",
        False,
    )
    assert not {"release", "finish", "disposition", "hang_up", "dial", "criteria"} & set(shown["allowed"])
    tokens.refused("closing-required", f"{call}release/", reason="pressé")
    tokens.refused("closing-required", f"{call}finish/")
    tokens.refused("closing-required", f"{call}events/", event="hung_up", by="agent")
    tokens.refused("closing-required", f"{call}disposition/", code="complete")
    tokens.refused(
        "closing-required", f"{call}disposition/", code="callback", callback_at="2030-01-01T10:00:00Z"
    )
    tokens.refused("closing-required", f"{call}criteria/", criterion=tokens.criterion, result="match")
    tokens.refused("closing-required", f"{call}closing/", step="goodbye")
    tokens.refused("invalid-transition", f"{call}events/", event="not_reached", cause="busy")
    tokens.refused("invalid-transition", f"{call}dial/")
    tokens.refused("invalid-transition", f"{call}handover/")
    assert tokens.refused("open-call", f"campaigns/{tokens.campaign}/next-call/")["call"] == tokens.pk
    tokens.refused("open-call", "calls/dial/", campaign=tokens.campaign, number="0261914402")


def test_a_closed_call_is_out_of_criteria_for_good(tokens: Tokens) -> None:
    tokens.imported(tokens.campaign)
    tokens.closed()

    call = tokens.agent.get(f"calls/{tokens.pk}/").json()

    assert (call["state"], call["hung_up_by"], call["evidence"]) == ("done", "prospect", "softphone")
    assert call["disposition"] == "out_of_criteria"
    assert [step["step"] for step in call["closing"]] == ["apologise", "thank", "goodbye"]
    assert all(step["said_at"] and step["text"] for step in call["closing"])
    tokens.refused("invalid-transition", f"calls/{tokens.pk}/disposition/", code="complete")
    assert CallDisposition.objects.count() == 1


def test_nothing_dials_the_prospect_again_for_the_programme(tokens: Tokens) -> None:
    tokens.imported(tokens.campaign)
    tokens.closed()
    tokens.made("sources/", name="Autre fichier", slug="autre")
    later = tokens.campaign_of(tokens.programme, "banques-suite")

    counts = [
        tokens.imported(campaign, content, source)
        for campaign in (tokens.campaign, later)
        for content, source in ((BANKS, "annuaire"), (SAME_NUMBER, "autre"))
    ]

    assert [count["excluded"] for count in counts] == [2, 1, 2, 1]
    assert all(count["excluded_by_reason"]["out_of_criteria"] == 1 for count in counts)
    barred = list(Prospect.objects.with_number(NUMBER))
    assert len(barred) == 2
    for campaign in (tokens.campaign, later):
        for spelling in SPELLINGS:
            tokens.refused("excluded", "calls/dial/", campaign=campaign, number=spelling)
        for prospect in barred:
            path = f"contactability/?campaign={campaign}&prospect={prospect.pk}"
            verdict = tokens.manager.get(path).json()
            assert (verdict["allowed"], verdict["gate"]) == (False, "exclusion")
            answer = tokens.agent.post("calls/dial/", {"campaign": campaign, "prospect": prospect.pk})
            assert "hors-critères" in problem_of(answer, "excluded", 409)["detail"].lower()
        claimed = tokens.agent.post(f"campaigns/{campaign}/next-call/").json()
        assert claimed["number"] != NUMBER
        tokens.agent.post(f"calls/{claimed['id']}/release/", {"reason": "pour plus tard"})
    checked = tokens.manager.post("exclusions/check/", {"numbers": list(SPELLINGS), "campaign": later}).json()
    assert [row["reason"] for row in checked["results"]] == ["out_of_criteria"] * 3
    states = ListEntry.objects.filter(prospect__in=barred).values_list("state", flat=True)
    assert set(states) == {EntryState.EXCLUDED}


def test_erasure_and_re_creation_loosen_nothing(tokens: Tokens) -> None:
    tokens.imported(tokens.campaign)
    tokens.closed()
    first = Call.objects.get().prospect_id

    assert tokens.manager.delete(f"prospects/{first}/").status_code == 204
    tokens.imported(tokens.campaign)
    made = tokens.made(
        "prospects/",
        source=tokens.source,
        external_id="neuf",
        phones=[{"number": SPELLINGS[1]}],
        sector="64.19Z",
    )
    added = tokens.manager.post(f"campaigns/{tokens.campaign}/entries/", {"prospects": [made]}).json()

    assert (added["added"], added["excluded"]) == (0, 1)
    assert Prospect.objects.with_number(NUMBER).count() == 2
    for prospect in Prospect.objects.with_number(NUMBER):
        answer = tokens.agent.post("calls/dial/", {"campaign": tokens.campaign, "prospect": prospect.pk})
        problem_of(answer, "excluded", 409)
    tokens.refused("excluded", "calls/dial/", campaign=tokens.campaign, number=SPELLINGS[0])


def test_another_programme_may_call_and_another_sponsor_sees_nothing(tokens: Tokens) -> None:
    tokens.imported(tokens.campaign)
    tokens.closed()
    prospect = Call.objects.get().prospect_id
    stranger = tokens.made("sponsors/", name="Moulins réunis")
    outsider = Api(make_user(Role.INTEGRATION, sponsors=[Sponsor.objects.get(pk=stranger)]))

    for sponsor in (tokens.sponsor, stranger):
        programme = tokens.made("programmes/", name="Pain", sponsor=sponsor)
        campaign = tokens.campaign_of(programme, f"pain-{sponsor}")
        added = tokens.manager.post(f"campaigns/{campaign}/entries/", {"prospects": [prospect]}).json()
        assert added["added"] == 1
        call = tokens.agent.post("calls/dial/", {"campaign": campaign, "prospect": prospect})
        assert call.status_code == 201, call.content
        tokens.agent.post(f"calls/{call.json()['id']}/release/", {"reason": "pour plus tard"})

    assert outsider.get("exclusions/").json()["results"] == []
    assert [call["campaign"] for call in outsider.get("calls/").json()["results"]] == [campaign]
    assert outsider.get(f"calls/{tokens.pk}/").status_code == 404


def test_an_entry_error_is_asked_by_one_token_and_corrected_by_another(tokens: Tokens) -> None:
    tokens.imported(tokens.campaign)
    tokens.closed()
    tokens.verb("correction-request", reason="touche 2 au lieu de 1")
    waiting = tokens.supervisor.get("incidents/?decided=false").json()["results"]

    decision = {"decision": "correct", "code": "not_interested", "reason": "erreur de touche"}
    problem_of(tokens.agent.post(f"incidents/{waiting[0]['id']}/decide/", decision), "forbidden", 403)
    decided = tokens.supervisor.post(f"incidents/{waiting[0]['id']}/decide/", decision)

    assert (decided.status_code, decided.json()["decision"]) == (200, "correct")
    assert CallDisposition.objects.filter(call=tokens.pk).count() == 2
    assert not Exclusion.objects.active().filter(call_ref=tokens.pk).exists()
    again = tokens.agent.post("calls/dial/", {"campaign": tokens.campaign, "number": SPELLINGS[0]})
    assert again.status_code == 201, again.content
