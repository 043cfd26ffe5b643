"""What an exchange reports: found by number and agent, done once, kept when late, and beside the agent's word."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calls.enums import CallEventKind, IncidentKind
from calls.models import Call, CallEvent, Incident, LineReport
from calls.services.closing import release_to_hang_up
from crm.models import Sponsor, User
from crm.services.tokens import create_token
from tests.api_client import Api, problem_of
from tests.factories import NOW, make_sponsor, make_user
from tests.paging import text_of
from tests.rawsql import execute, refused
from tests.test_api_calls import Desk

pytestmark = pytest.mark.django_db


class Exchange(Desk):
    """A desk with an exchange beside it, which knows the agent's extension and the number."""

    def __init__(self) -> None:
        super().__init__()
        User.objects.filter(pk=self.agent.pk).update(extension="201")
        self.sponsor: Sponsor = self.programme.sponsor
        self.pbx = Api(make_user("integration", sponsors=[self.sponsor]))

    @property
    def call(self) -> Call:
        return Call.objects.get(pk=self.pk)

    def send(self, event: str, **more: Any) -> Any:
        number = self.call.number.replace("+33", "0")
        return self.pbx.post("calls/events/", {"event": event, "number": number, "agent": "201"} | more)

    def reports(self, event: str, **more: Any) -> str:
        response = self.send(event, **more)
        assert response.status_code == 200, response.content
        assert response.json()["call"] == self.pk
        return str(response.json()["result"])

    def kept(self) -> list[Any]:
        rows = CallEvent.objects.filter(call=self.pk, kind=CallEventKind.LINE_REPORT).order_by("id")
        return list(rows.values_list("data__reported", "data__standing", "data__known"))


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


def test_a_call_is_followed_by_its_number_and_extension(exchange: Exchange) -> None:
    exchange.claim()
    problem_of(exchange.send("ringing"), "not-found", 404)
    exchange.done("dial")

    assert [exchange.reports(event) for event in ("ringing", "ringing", "answered")] == ["done"] * 3
    assert exchange.reports("ringing", event_id="told anew") == "late"
    exchange.done("greet")
    assert exchange.reports("hung_up", by="prospect", sip_status=200, q850=16) == "done"

    call = exchange.call
    assert (call.state, call.hung_up_by, call.evidence) == ("ended", "prospect", "pbx")
    assert LineReport.objects.count() == 4


def test_the_same_event_is_done_once_and_answered_alike(exchange: Exchange) -> None:
    exchange.claim()
    exchange.done("dial")
    at = timezone.now().isoformat()

    first = exchange.send("answered", event_id="9f2-1", at=at)
    again = exchange.send("answered", event_id="9f2-1", at=at)
    exchange.done("greet")
    exchange.done("events", event="hung_up", by="prospect")
    Call.objects.filter(pk=exchange.pk).update(ended_at=timezone.now() - timedelta(hours=2))
    much_later = exchange.send("answered", event_id="9f2-1", at=at)

    assert first.json()["result"] == again.json()["result"] == much_later.json()["result"] == "done"
    assert first.json()["at"] == again.json()["at"]
    assert exchange.call.answered_at == LineReport.objects.get().said_at
    assert LineReport.objects.count() == 1


def test_an_exchange_that_names_the_call_and_not_the_event_loses_none(exchange: Exchange) -> None:
    exchange.claim()
    exchange.done("dial")

    results = [
        exchange.reports(event, event_id="1795736.42") for event in ("ringing", "answered", "answered")
    ]

    assert results == ["done"] * 3
    assert exchange.call.state == "connected"
    assert LineReport.objects.count() == 2


def test_an_event_that_comes_late_is_kept_and_not_refused(exchange: Exchange) -> None:
    exchange.claim()
    exchange.done("dial")
    exchange.reports("answered")
    exchange.done("greet")

    assert exchange.reports("ringing") == "late"
    assert exchange.reports("hung_up", by="prospect") == "done"
    assert exchange.reports("answered", at=timezone.now().isoformat()) == "late"
    assert exchange.pbx.post(f"calls/{exchange.pk}/events/", {"event": "line_dead"}).status_code == 200
    assert exchange.reports("hung_up", by="prospect", event_id="other") == "already"

    assert [row[:2] for row in exchange.kept()] == [
        ("ringing", "late"),
        ("answered", "late"),
        ("line_dead", "late"),
    ]
    assert exchange.call.state == "ended"


def test_who_hung_up_is_the_exchanges_to_say_and_the_agents_word_stays(
    exchange: Exchange, client: Client
) -> None:
    exchange.talking()
    exchange.done("events", event="hung_up", by="prospect")

    assert exchange.reports("hung_up", by="agent", sip_status=200) == "contradicts"

    call = Api(exchange.agent).get(f"calls/{exchange.pk}/").json()
    assert (call["hung_up_by"], call["evidence"]) == ("agent", "pbx")
    [row] = call["contradictions"]
    assert (row["about"], row["reported"], row["noted"]) == ("hung_up", "agent", "prospect")
    declared = CallEvent.objects.get(call=exchange.pk, kind=CallEventKind.HUNG_UP)
    assert (declared.data["by"], declared.data["evidence"]) == ("prospect", "declared")
    incident = Incident.objects.get(kind=IncidentKind.HANG_UP_REVIEW)
    assert incident.data["declared"] == "prospect"
    client.force_login(make_user("supervisor"))
    inbox = text_of(client.get(reverse("incident", args=[incident.pk])))
    fiche = text_of(client.get(reverse("prospect", args=[call["prospect"]])))
    assert "L'agent avait noté : Le prospect." in inbox
    assert "on avait noté : Le prospect" in inbox
    assert "on avait noté : Le prospect" in fiche


def test_what_the_exchange_confirms_or_completes_is_no_contradiction(exchange: Exchange) -> None:
    exchange.talking()
    exchange.done("events", event="hung_up", by="unknown")

    assert exchange.reports("hung_up", by="prospect") == "completes"

    call = Api(exchange.agent).get(f"calls/{exchange.pk}/").json()
    assert (call["hung_up_by"], call["evidence"], call["contradictions"]) == ("prospect", "pbx", [])
    assert exchange.reports("hung_up", by="network", event_id="second") == "contradicts"
    assert exchange.call.hung_up_by == "prospect"


def test_an_end_that_was_allowed_is_not_reviewed_because_the_exchange_tells_of_it(exchange: Exchange) -> None:
    exchange.talking()
    release_to_hang_up(call=exchange.call, reason="menaces", by=make_user("supervisor"), at=timezone.now())
    exchange.done("events", event="hung_up", by="prospect")

    assert exchange.reports("hung_up", by="agent") == "contradicts"

    assert not Incident.objects.filter(kind=IncidentKind.HANG_UP_REVIEW).exists()


def test_whether_somebody_answered_is_the_agents_word(exchange: Exchange) -> None:
    exchange.claim()
    exchange.done("dial")
    exchange.done("events", event="not_reached", cause="busy")

    assert exchange.reports("answered") == "contradicts"
    assert exchange.reports("not_reached", cause="no_answer") == "contradicts"
    assert exchange.reports("not_reached", cause="busy") == "already"

    assert exchange.kept() == [("answered", "contradicts", "busy"), ("not_reached", "contradicts", "busy")]
    assert (exchange.call.state, exchange.call.cause) == ("not_reached", "busy")


def test_to_the_exchange_a_voicemail_answers_too(exchange: Exchange) -> None:
    exchange.claim()
    exchange.done("dial")
    exchange.done("events", event="not_reached", cause="voicemail")

    assert exchange.reports("answered") == "late"


def test_the_moment_of_the_exchange_counts_where_it_can_be_true(exchange: Exchange) -> None:
    exchange.claim()
    exchange.done("dial")
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat()

    answer = exchange.send("answered", at=tomorrow)

    assert answer.json()["result"] == "done"
    assert exchange.call.answered_at is not None
    assert exchange.call.answered_at <= timezone.now()
    assert LineReport.objects.get().said_at is not None


def test_of_two_calls_the_moment_or_the_agent_says_which_is_meant(exchange: Exchange) -> None:
    exchange.claim()
    exchange.done("dial")
    exchange.done("events", event="not_reached", cause="no_answer")
    exchange.done("disposition", code="no_answer")
    first = exchange.pk
    again = exchange.api.post(
        "calls/dial/", {"campaign": exchange.campaign.pk, "number": exchange.call.number}
    )
    exchange.pk = again.json()["id"]
    exchange.done("dial")
    exchange.done("events", event="not_reached", cause="no_answer")
    exchange.done("disposition", code="no_answer")

    refused_one = problem_of(exchange.send("ringing"), "invalid-transition", 409)
    begun = Call.objects.get(pk=first).dialled_at
    assert begun is not None
    Call.objects.filter(pk=first).update(dialled_at=begun - timedelta(minutes=3))
    meant = exchange.send("ringing", at=(begun - timedelta(minutes=2)).isoformat())

    assert sorted(refused_one["calls"]) == [first, exchange.pk]
    assert meant.json()["call"] == first


def test_an_exchange_hears_nothing_behind_a_wall_and_says_what_it_means(exchange: Exchange) -> None:
    exchange.claim()
    exchange.done("dial")
    other = Api(make_user("integration", sponsors=[make_sponsor()]))
    body = {"event": "ringing", "number": exchange.call.number}

    problem_of(other.post("calls/events/", body), "not-found", 404)
    problem_of(exchange.send("ringing", agent="299"), "not-found", 404)
    problem_of(exchange.send("hung_up"), "validation", 400)
    problem_of(exchange.send("ringing", agent=True), "validation", 400)
    problem_of(exchange.send("ringing", number="bonjour"), "validation", 400)
    problem_of(
        exchange.api.post(f"calls/{exchange.pk}/events/", {"event": "ringing", "event_id": "x"}),
        "validation",
        400,
    )

    assert exchange.pbx.post("calls/events/", body | {"agent": exchange.agent.pk}).json()["result"] == "done"


def test_what_was_reported_is_not_told_to_a_token_that_reaches_less_far(exchange: Exchange) -> None:
    exchange.claim()
    exchange.done("dial")
    elsewhere = make_sponsor()
    user = make_user("integration", sponsors=[exchange.sponsor, elsewhere])
    exchange.pbx, narrow = Api(user), Api(None)
    token = create_token(user=user, name="narrow", at=NOW, sponsors=[elsewhere])
    narrow.headers["Authorization"] = f"Bearer {token}"
    assert exchange.reports("ringing", event_id="a1") == "done"

    body = {"event": "ringing", "number": exchange.call.number, "event_id": "a1"}
    problem_of(narrow.post("calls/events/", body), "not-found", 404)
    assert exchange.reports("ringing", event_id="a1") == "done"


def test_a_report_is_never_changed(exchange: Exchange) -> None:
    exchange.claim()
    exchange.done("dial")
    exchange.reports("ringing")

    with refused("line_report_append_only"):
        execute("UPDATE calls_linereport SET standing = 'late'")
    with refused("line_report_append_only"):
        execute("DELETE FROM calls_linereport")
