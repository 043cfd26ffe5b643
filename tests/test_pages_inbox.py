"""The supervisor's inbox: what waits, with its context, and what a decision does."""

import re
from html import unescape
from typing import Any

import pytest
from django.urls import reverse

from calls.enums import IncidentKind
from calls.models import Incident, IncidentDecision
from calls.services.dispositions import ask_correction
from calls.services.notes import write_note
from calls.services.situations import enter_stage
from calls.services.supervisor import ask_supervisor
from calls.services.talk import greet
from campaigns.enums import EntryState
from crm.models import Team
from crm.rules.phones import national
from tests.factories import NOW, make_entry, make_prospect, make_source, make_sponsor, next_number
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


def polled(html: str) -> dict[str, Any]:
    """Return what an open inbox sends with each question: its hidden fields."""
    sent: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]* data-inbox>", html):
        name, value = re.search(r'name="(\w+)" value="([^"]*)"', tag).groups()  # type: ignore[union-attr]
        sent.setdefault(name, []).append(value)
    return sent


def test_an_open_inbox_is_told_what_came_since_and_nothing_else() -> None:
    hung_up_by_agent()
    client, _user = signed_in("supervisor")
    stranger, _other = signed_in("supervisor", sponsors=[make_sponsor()])
    url, page = reverse("inbox-news"), client.get(reverse("inbox")).content.decode()
    first = client.get(url, polled(page))
    seen = polled(first.content.decode())["seen"]
    quiet = client.get(url, polled(page) | {"seen": seen})

    ask_supervisor(**Talk().greeted().by())

    told = text_of(client.get(url, polled(page) | {"seen": seen}))
    assert (quiet.status_code, quiet.content) == (204, b"")
    assert "nouvelle demande" not in text_of(first)
    assert "Un agent vous appelle. 1 nouvelle demande attend." in told
    assert "2 , 2 demandes attendent, dont un agent qui vous appelle" in told
    assert "attend" not in text_of(stranger.get(url, polled(page)))
    odd = {"after": "9" * 30, "on": ["x", "9" * 30], "seen": "?"}
    assert client.get(url, odd).status_code == 200


def test_the_badge_of_other_pages_is_some_hundred_bytes_and_few_queries(
    django_assert_num_queries: Any,
) -> None:
    hung_up_by_agent()
    client, _user = signed_in("supervisor")
    agent, _other = signed_in("agent")
    url = reverse("inbox-news")

    with django_assert_num_queries(3):
        answer = client.get(url, {"seen": ""})
    seen = polled(answer.content.decode())["seen"]
    with django_assert_num_queries(3):
        assert client.get(url, {"seen": seen}).status_code == 204

    assert len(answer.content) < 500
    assert "1 demande attend" in text_of(answer)
    assert agent.get(url).status_code == 403
    assert "inbox-badge" in client.get(reverse("inbox")).content.decode()
    assert "inbox-badge" not in agent.get(reverse("desk")).content.decode()


def test_what_a_colleague_decides_fades_in_an_open_inbox() -> None:
    hung_up_by_agent()
    mine, _one = signed_in("supervisor")
    other, _two = signed_in("supervisor", first_name="Dominique", last_name="Roux")
    page = mine.get(reverse("inbox")).content.decode()
    incident = Incident.objects.get()

    other.post(reverse("incident-decision", args=[incident.pk]), {"decision": "support_agent"})
    told = mine.get(reverse("inbox-news"), polled(page) | {"seen": "x"})

    assert f'id="item-{incident.pk}"' in told.content.decode()
    assert re.search(r"Déjà décidé par Dominique Roux à \d+ h \d\d : Soutenir l'agent", text_of(told))
    assert "inbox-count--calling" not in told.content.decode()
    assert "on" not in polled(mine.get(reverse("inbox")).content.decode())


def test_the_second_to_decide_is_told_in_place_who_was_first() -> None:
    hung_up_by_agent()
    first, _one = signed_in("supervisor", first_name="Dominique", last_name="Roux")
    second, _two = signed_in("supervisor")
    url = reverse("incident-decision", args=[Incident.objects.get().pk])
    fragment = {"HX-Request": "true"}

    done = first.post(url, {"decision": "nothing"}, headers=fragment)
    again = first.post(url, {"decision": "nothing"}, headers=fragment)
    same = second.post(url, {"decision": "nothing"}, headers=fragment)
    late = second.post(url, {"decision": "support_agent"}, headers=fragment)
    whole = second.post(url, {"decision": "support_agent"})

    assert [one.status_code for one in (done, again, same, late, whole)] == [200, 200, 409, 409, 409]
    assert 'data-announce="Décidé : Sans suite."' in done.content.decode().replace("\xa0", " ")
    for answer in (same, late, whole):
        assert "Déjà décidé par Dominique Roux à" in text_of(answer)
    assert "<html" not in late.content.decode()
    assert IncidentDecision.objects.count() == 1


def test_a_refused_decision_comes_back_in_place_with_what_was_typed() -> None:
    talk = Talk().mismatched().said("apologise", "thank", "goodbye").hung_up()
    ask_correction(reason="touche trop vite", **talk.by())
    client, _user = signed_in("supervisor")
    url = reverse("incident-decision", args=[Incident.objects.get().pk])

    answer = client.post(url, {"decision": "correct", "reason": "réécouté"}, headers={"HX-Request": "true"})

    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Choisissez la bonne qualification." in html
    assert 'data-asking="correct"' in html
    assert 'value="réécouté"' in html


def test_the_context_has_the_fiche_its_numbers_the_others_of_the_number_and_the_note() -> None:
    number = next_number()
    talk = Talk(prospect=make_prospect(number, organisation="Banque du Port", city="Nantes"))
    make_prospect(number, organisation="Voisine Une")
    sponsor = make_sponsor()
    make_prospect(number, organisation="Fiche Secrète", source=make_source(sponsor))
    gone = make_prospect(number, organisation="Effacée")
    talk.greeted()
    write_note(text="très agacé", **talk.by())
    ask_supervisor(**talk.by())
    client, _user = signed_in("supervisor", sponsors=[talk.programme.sponsor])
    type(gone).objects.filter(pk=gone.pk).update(erased_at=NOW, organisation="", external_id="")

    page = text_of(client.get(reverse("inbox")))

    assert f"Numéros {national(number)}" in page
    assert "Ville Nantes" in page
    assert "Même numéro Voisine Une Dernière note très agacé" in page
    assert "Fiche Secrète" not in page


def test_dangers_and_calls_for_help_stand_first_and_say_so() -> None:
    hung_up_by_agent()
    insulted = Talk().greeted()
    enter_stage(situation="sexist", stage=4, **insulted.by())
    threatened = Talk().greeted()
    enter_stage(situation="aggressive", stage=3, **threatened.by())
    ask_supervisor(**Talk().greeted().by())
    client, _user = signed_in("supervisor")

    html = unescape(client.get(reverse("inbox")).content.decode())

    flags = re.findall(r'<strong class="item__flag[^>]*>([^<]+)<', html)
    assert flags == ["En ligne maintenant", "Danger pour une personne", "À voir d'abord"]
    assert html.index("Agressivité, insultes, menaces") < html.index("Propos sexistes")
    assert html.rindex("Fin d'appel à revoir</a>") > html.rindex("Propos sexistes")


def test_the_list_is_narrowed_by_kind_campaign_agent_team_and_age_and_sorted() -> None:
    old, new = hung_up_by_agent(), hung_up_by_agent()
    team = Team.objects.create(name="Matin", created_at=NOW)
    type(new.agent).objects.filter(pk=new.agent.pk).update(team=team)
    client, _user = signed_in("supervisor")

    def calls(**query: Any) -> list[int]:
        page = text_of(client.get(reverse("inbox"), query))
        return [int(ref) for ref in re.findall(r"appel n° (\d+)", page)]

    assert calls() == [old.call.pk, new.call.pk]
    assert calls(sort="new") == [new.call.pk, old.call.pk]
    assert calls(campaign=old.campaign.pk) == [old.call.pk]
    assert calls(agent=new.agent.pk) == calls(team=team.pk) == [new.call.pk]
    assert calls(kind="help") == []
    assert len(calls(kind="hang_up_review")) == 2
    # The calls of the tests take place long before or after today.
    assert sorted([*calls(age="older"), *calls(age="day")]) == [old.call.pk, new.call.pk]
    assert calls(kind="nonsense", age="nonsense", agent="9" * 30, sort="?") == calls()
    assert "Rien ne correspond" in text_of(client.get(reverse("inbox"), {"team": "999999"}))


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
    with django_assert_max_num_queries(7) as few:
        client.get(reverse("inbox"))
    cost = len(few)
    for _count in range(4):
        talk = hung_up_by_agent()
    ask_supervisor(**Talk().greeted().by())
    agent = {"agent": talk.agent.pk}
    # The first look at an agent who calls writes that it was seen.
    client.get(reverse("inbox"))

    with django_assert_max_num_queries(cost):
        client.get(reverse("inbox"))
    with django_assert_max_num_queries(8):
        assert "Fin d'appel à revoir" in text_of(client.get(reverse("inbox"), agent))
    with django_assert_max_num_queries(8):
        client.get(reverse("inbox"), {"decided": "1"})


def test_a_confidential_fiche_is_masked_in_the_inbox() -> None:
    number = next_number()
    talk = Talk(prospect=make_prospect(number, organisation="Célébrité", city="Cannes", confidential=True))
    other = make_prospect(number, organisation="Son Agence", confidential=True)
    talk.greeted()
    ask_supervisor(**talk.by())
    client, user = signed_in("supervisor", sponsors=[talk.programme.sponsor])
    incident = Incident.objects.get()

    page = text_of(client.get(reverse("inbox")))
    IncidentDecision.objects.create(incident=incident, decision="nothing", by=user, at=NOW)
    news = text_of(client.get(reverse("inbox-news"), {"after": "0", "on": str(incident.pk)}))

    assert f"Fiche confidentielle n° {talk.call.prospect_id}" in page
    assert f"Fiche confidentielle n° {talk.call.prospect_id}" in news
    assert f"#{other.pk}" in page
    for word in ("Célébrité", "Cannes", "Son Agence", number, national(number)):
        assert word not in page + news, word
