"""The supervisor's inbox: what waits, with its context, and what a decision does."""

import re
from typing import Any

import pytest
from django.urls import reverse

from calls.enums import IncidentKind
from calls.models import Incident, IncidentDecision
from calls.services.dispositions import ask_correction
from calls.services.supervisor import ask_supervisor
from calls.services.talk import greet
from campaigns.enums import EntryState
from tests.factories import make_entry, make_prospect, make_sponsor, next_number
from tests.paging import signed_in, text_of
from tests.talking import Talk

pytestmark = pytest.mark.django_db


def hung_up_by_agent() -> Talk:
    """A mismatch after which the agent hung up without the closing."""
    return Talk().mismatched("une boulangerie").hung_up("agent")


def test_a_hang_up_to_review_shows_who_ended_what_was_heard_and_how_the_call_went() -> None:
    talk = hung_up_by_agent()
    client, _user = signed_in("supervisor")

    page = text_of(client.get(reverse("inbox")))

    assert "Fin d'appel à revoir" in page
    assert "Fin de la communication : L'agent" in page
    assert "Êtes-vous bien une banque ? attendu : une banque entendu : « une boulangerie »" in page
    assert talk.prospect.display_name in page
    assert "Le déroulé de l'appel" in page


def test_a_call_for_help_shows_the_call_and_is_answered_once() -> None:
    talk = Talk().greeted()
    ask_supervisor(**talk.by())
    client, _user = signed_in("supervisor")

    page = text_of(client.get(reverse("inbox")))
    answer = {"decision": "support_agent", "reason": ""}
    client.post(reverse("incident-decision", args=[Incident.objects.get().pk]), answer)

    assert "Un agent vous appelle" in page
    assert f"appel n° {talk.call.pk} · En ligne" in page
    assert talk.agent.username in page
    assert IncidentDecision.objects.get().decision == "support_agent"


def test_an_open_inbox_is_told_what_came_since_and_nothing_else() -> None:
    hung_up_by_agent()
    client, _user = signed_in("supervisor")
    stranger, _other = signed_in("supervisor", sponsors=[make_sponsor()])
    page = client.get(reverse("inbox")).content.decode()
    news = re.search(r'hx-get="([^"]+)"', page)
    assert news is not None
    quiet = client.get(news[1])

    ask_supervisor(**Talk().greeted().by())

    told = text_of(client.get(news[1]))
    assert quiet.status_code == 204
    assert "Un agent vous appelle. 1 nouvelle demande attend." in told
    assert stranger.get(news[1]).status_code == 204
    assert client.get(reverse("inbox-news"), {"after": "9" * 30}).status_code == 200


def test_a_shared_number_is_decided_once_and_the_others_may_be_called() -> None:
    number = next_number()
    talk = Talk(prospect=make_prospect(number))
    neighbour = make_entry(talk.campaign, make_prospect(number))
    talk.mismatched()
    client, _user = signed_in("supervisor")
    question = Incident.objects.get(kind=IncidentKind.SHARED_NUMBER)
    url = reverse("incident-decision", args=[question.pk])

    without = client.post(url, {"decision": "allow_others", "reason": ""})
    for _attempt in range(2):
        response = client.post(url, {"decision": "allow_others", "reason": "c'est un standard"})
    other = client.post(url, {"decision": "keep_bar", "reason": "non"})

    assert (without.status_code, response.status_code, other.status_code) == (422, 302, 422)
    neighbour.refresh_from_db()
    assert neighbour.state == EntryState.READY
    assert IncidentDecision.objects.count() == 1
    history = text_of(client.get(reverse("inbox"), {"decided": "1"}))
    assert "Autoriser les autres fiches : c'est un standard" in history


def test_an_entry_error_is_corrected_with_a_reason() -> None:
    talk = Talk().mismatched().said("apologise", "thank", "goodbye").hung_up()
    ask_correction(reason="touche trop vite", **talk.by())
    client, _user = signed_in("supervisor")
    question = Incident.objects.get(kind=IncidentKind.ENTRY_ERROR)
    url = reverse("incident-decision", args=[question.pk])

    without_code = client.post(url, {"decision": "correct", "reason": "réécouté"})
    client.post(url, {"decision": "correct", "reason": "réécouté", "code": "not_interested"})

    assert "Choisissez la bonne qualification." in text_of(without_code)
    corrected = talk.read().disposition
    assert corrected is not None
    assert corrected.code == "not_interested"
    assert talk.entry.state == EntryState.DONE
    assert "touche trop vite" in text_of(client.get(reverse("inbox"), {"decided": "1"}))


def test_a_new_number_for_a_fiche_is_the_managers_to_give() -> None:
    talk = Talk().answered()
    greet(answered_by="other", heard="boulangerie Martin", **talk.by())
    talk.said("apologise", "thank", "goodbye").hung_up().disposed("out_of_criteria")
    incident = Incident.objects.get(kind=IncidentKind.RESOURCING)
    url = reverse("incident-decision", args=[incident.pk])
    data = {"decision": "reopen", "reason": "annuaire", "number": "01 99 00 98 76"}
    supervisor, _one = signed_in("supervisor")
    manager, _two = signed_in("manager")

    refused = supervisor.post(url, data)
    done = manager.post(url, data)

    assert refused.status_code == 422
    assert done.status_code == 302
    assert (talk.entry.state, talk.entry.number) == (EntryState.READY, "+33199009876")


def test_a_decision_that_does_not_fit_is_refused() -> None:
    hung_up_by_agent()
    client, _user = signed_in("supervisor")
    url = reverse("incident-decision", args=[Incident.objects.get().pk])

    for decision in ("allow_others", "nonsense", ""):
        assert client.post(url, {"decision": decision, "reason": "x"}).status_code == 422
    assert not IncidentDecision.objects.exists()


def test_the_tabs_keep_apart_questions_corrections_and_incidents() -> None:
    hung_up_by_agent()
    client, _user = signed_in("supervisor")

    assert "Fin d'appel à revoir" in text_of(client.get(reverse("inbox"), {"tab": "incidents"}))
    assert "Rien n'attend de décision" in text_of(client.get(reverse("inbox"), {"tab": "questions"}))


def test_an_incident_of_another_sponsor_does_not_exist() -> None:
    hung_up_by_agent()
    client, _user = signed_in("supervisor", sponsors=[make_sponsor()])
    incident = Incident.objects.get()

    assert "Rien n'attend de décision" in text_of(client.get(reverse("inbox")))
    assert client.get(reverse("incident", args=[incident.pk])).status_code == 404
    response = client.post(reverse("incident-decision", args=[incident.pk]), {"decision": "nothing"})
    assert response.status_code == 404


def test_the_inbox_costs_the_same_with_one_or_five_incidents(django_assert_max_num_queries: Any) -> None:
    hung_up_by_agent()
    client, _user = signed_in("supervisor")
    with django_assert_max_num_queries(15) as few:
        client.get(reverse("inbox"))
    for _count in range(4):
        hung_up_by_agent()

    with django_assert_max_num_queries(len(few)):
        client.get(reverse("inbox"))
