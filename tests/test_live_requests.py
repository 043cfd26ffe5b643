"""The supervisor's pages while agents are on the line: the banner, its cheap question, answers and releases, bans."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from calls.enums import BanState, IncidentKind
from calls.models import Ban, Incident, IncidentAnswer
from calls.services.bans import request_ban
from calls.services.conclude import incident_of
from calls.services.situations import enter_stage
from calls.services.supervisor import ask_supervisor
from calls.services.transfers import offer_transfer
from campaigns.models import Exclusion
from crm.enums import Role
from crm.models import User
from tests.factories import make_sponsor, make_user, next_number
from tests.talking import Talk

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def signed_in(role: str, **fields: Any) -> tuple[Client, User]:
    user = make_user(role, **fields)
    client = Client()
    client.force_login(user)
    return client, user


def calling(words: str = "elle veut un responsable") -> tuple[Talk, Incident]:
    """An agent on the line who calls the supervisor."""
    talk = Talk().greeted()
    ask_supervisor(**talk.by(), words=words)
    return talk, Incident.objects.get(call=talk.call, kind=IncidentKind.HELP)


def test_the_question_without_news_is_one_query_beside_the_session_and_an_empty_answer() -> None:
    calling()
    client, _user = signed_in("supervisor")
    url = reverse("inbox-news")
    token = client.get(url).context["waiting"].token

    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url, {"seen": token})

    assert (answer.status_code, answer.content) == (204, b"")
    about_work = [row["sql"] for row in captured.captured_queries if "calls_incident" in row["sql"]]
    assert len(about_work) == 1
    assert len(captured) <= 4


def test_what_waits_is_counted_by_the_index_of_what_waits() -> None:
    calling()
    client, _user = signed_in("supervisor")
    with CaptureQueriesContext(connection) as captured:
        client.get(reverse("inbox-news"))
    (asked, *_others) = [row["sql"] for row in captured.captured_queries if "calls_incident" in row["sql"]]

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {asked}")
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "incident_waiting" in plan
    assert "incident_taken_once" in plan


def test_the_banner_names_who_calls_and_leaves_out_what_the_page_shows() -> None:
    talk, help = calling()
    danger = incident_of(talk.call, IncidentKind.DANGER, by=talk.agent, at=talk.at, data={})
    danger.save()
    client, _user = signed_in("supervisor")
    url = reverse("inbox-news")

    everywhere, there = (
        client.get(url, sent).content.decode().partition('id="calling"')[2]
        for sent in ({}, {"on": [help.pk]})
    )

    assert "vous appelle" in everywhere
    assert "elle veut un responsable" in everywhere
    assert everywhere.index("Danger") < everywhere.index("vous appelle")
    assert "vous appelle" not in there
    assert "Danger" in there


def test_an_answer_folds_into_the_item_and_the_second_supervisor_reads_who_was_first() -> None:
    _talk, help = calling()
    first, camille = signed_in("supervisor", first_name="Camille", last_name="Durand")
    second, _user = signed_in("supervisor")
    url = reverse("incident-answer", args=[help.pk])

    one = first.post(url, {"kind": "accepted"}, headers=HTMX)
    two = second.post(url, {"kind": "accepted"}, headers=HTMX)

    assert one.status_code == 200
    assert "Vient en ligne" in one.content.decode()
    assert two.status_code == 409
    assert "Camille Durand s&#x27;en occupe déjà." in two.content.decode()
    assert IncidentAnswer.objects.get(kind="accepted").by == camille


def test_a_release_needs_its_reason_and_the_agent_reads_it() -> None:
    talk, help = calling()
    client, user = signed_in("supervisor", first_name="Camille", last_name="Durand")
    url = reverse("incident-release", args=[help.pk])

    assert client.post(url, {"reason": " "}, headers=HTMX).status_code == 400
    done = client.post(url, {"reason": "elle insulte sans fin"}, headers=HTMX)

    agent = Client()
    agent.force_login(talk.agent)
    screen = agent.get(reverse("call", args=[talk.call.pk])).content.decode()
    assert done.status_code == 200
    assert "un superviseur l'a libéré" in done.content.decode()
    assert "Camille Durand vous libère" in screen.replace("\xa0", " ")
    assert "elle insulte sans fin" in screen
    assert 'data-key="x"' in screen
    assert user.is_supervising


def test_the_item_and_the_news_of_another_sponsor_do_not_exist() -> None:
    _talk, help = calling()
    client, _user = signed_in("supervisor", sponsors=[make_sponsor()])

    for name in ("incident-answer", "incident-release"):
        answer = client.post(reverse(name, args=[help.pk]), {"kind": "accepted", "reason": "x"})
        assert answer.status_code == 404
    assert "vous appelle" not in client.get(reverse("inbox-news")).content.decode()


def test_the_context_tells_the_stages_in_words_and_the_decision_who_began() -> None:
    talk = Talk().greeted()
    enter_stage(situation="aggressive", stage=3, **talk.by())
    abuse = Incident.objects.get(kind=IncidentKind.ABUSE)
    client, _user = signed_in("supervisor")

    page = client.get(reverse("incident", args=[abuse.pk])).content.decode()
    client.post(
        reverse("incident-decision", args=[abuse.pk]),
        {"decision": "support_agent", "started_by": "prospect"},
    )
    decided = client.get(reverse("inbox"), {"decided": "1"}).content.decode()

    assert "étape 3" in page
    assert "Qui a commencé" in page
    assert "A commencé" in decided
    assert abuse.decision_row.started_by == "prospect"


def test_a_desk_is_told_of_an_offer_once_and_for_few_queries() -> None:
    talk, colleague = Talk().greeted(), make_user()
    offer = offer_transfer(call=talk.call, to=colleague, note="", by=talk.agent, at=timezone.now())
    client = Client()
    client.force_login(colleague)
    url = reverse("offer")

    told = client.get(url)
    with CaptureQueriesContext(connection) as captured:
        again = client.get(url, {"seen": str(offer.pk)})

    assert "vous propose son appel" in told.content.decode()
    assert again.status_code == 204
    assert len(captured) <= 4


def test_a_call_that_went_to_a_colleague_leads_its_former_agent_to_the_desk() -> None:
    talk, colleague = Talk().greeted(), make_user(first_name="Claire")
    offer = offer_transfer(call=talk.call, to=colleague, note="", by=talk.agent, at=timezone.now())
    taker, agent = Client(), Client()
    taker.force_login(colleague)
    agent.force_login(talk.agent)

    taken = taker.post(reverse("offer-answer", args=[offer.pk]), {"answer": "accepted"}, headers=HTMX)
    lease = agent.post(reverse("call-lease", args=[talk.call.pk]))
    left = agent.get(reverse("call", args=[talk.call.pk]), follow=True)

    assert 'data-state="connected"' in taken.content.decode()
    assert lease.status_code == 404
    assert left.redirect_chain == [(reverse("desk"), 302)]
    assert "Claire a pris l&#x27;appel." in left.content.decode()


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMIN])
def test_a_ban_is_found_by_its_exact_number_granted_and_lifted_on_its_page(role: str) -> None:
    talk = Talk().greeted()
    ban = request_ban(why="menaces", **talk.by())
    client, _user = signed_in(role)
    listed = reverse("ban-list")

    assert "menaces" in client.get(listed, {"number": talk.call.number}).content.decode()
    assert "menaces" not in client.get(listed, {"number": talk.call.number[:-1]}).content.decode()
    assert "menaces" not in client.get(listed, {"number": next_number()}).content.decode()
    refused = client.post(reverse("ban-decision", args=[ban.pk]), {"verdict": "refused"})
    granted = client.post(reverse("ban-decision", args=[ban.pk]), {"verdict": "granted"}, follow=True)
    exclusion = Exclusion.objects.get(reason="ban")
    assert (
        reverse("ban", args=[ban.pk])
        in client.get(reverse("exclusion", args=[exclusion.pk])).content.decode()
    )
    lifted = client.post(reverse("ban-lift", args=[ban.pk]), {"reason": "excuses reçues"}, follow=True)

    assert refused.status_code == 422
    assert "en vigueur" in granted.content.decode()
    assert "excuses reçues" in lifted.content.decode()
    assert Ban.objects.get().state == BanState.LIFTED


def test_a_ban_of_another_sponsor_does_not_exist() -> None:
    ban = request_ban(why="menaces", **Talk().greeted().by())
    client, _user = signed_in("manager", sponsors=[make_sponsor()])

    assert client.get(reverse("ban", args=[ban.pk])).status_code == 404
    assert client.post(reverse("ban-decision", args=[ban.pk]), {"verdict": "granted"}).status_code == 404
    assert "menaces" not in client.get(reverse("ban-list")).content.decode()


def test_a_supervisor_asks_for_a_ban_on_a_page_and_decides_none() -> None:
    client, _user = signed_in("supervisor")
    number = next_number()

    empty = client.post(reverse("ban-new"), {"scope": "sponsor", "why": ""})
    asked = client.post(reverse("ban-new"), {"number": number, "scope": "everywhere", "why": "menaces"})
    ban = Ban.objects.get()
    page = client.get(reverse("ban", args=[ban.pk])).content.decode()

    assert empty.status_code == 422
    assert asked.status_code == 302
    assert ban.number == number
    assert "Accorder" not in page
    assert client.post(reverse("ban-decision", args=[ban.pk]), {"verdict": "granted"}).status_code == 403


def test_nobody_bans_by_the_form_of_exclusions() -> None:
    client, _user = signed_in("manager")

    answer = client.post(
        reverse("exclusion-new"), {"number": next_number(), "scope": "everywhere", "reason": "ban"}
    )

    assert answer.status_code == 422
    assert not Exclusion.objects.exists()
