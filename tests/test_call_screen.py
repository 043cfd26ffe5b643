"""The call screen: the server maps the agent's call to one partial, and every way in leads back to it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calls.enums import CallState
from calls.forms import FactForm
from calls.models import Call, CallEvent, Incident
from calls.selectors.call_screen import dispositions_of, open_call_of
from calls.services.claim import claim_next
from calls.services.closing import say_closing_step
from calls.services.dial import dial
from calls.services.line import record_answer, record_hang_up
from calls.services.talk import answer_criterion, greet
from campaigns.models import Campaign, Criterion
from crm.enums import EventKind, Role
from crm.models import Prospect, ProspectEvent, User
from tests.factories import (
    make_campaign,
    make_criterion,
    make_entry,
    make_programme,
    make_prospect,
    make_user,
)
from tests.paging import text_of

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
LATER = timedelta(seconds=5)


class Story:
    """An agent with a claimed call, which `go` carries to a state by the services."""

    def __init__(self) -> None:
        self.programme = make_programme()
        self.criterion: Criterion = make_criterion(self.programme)
        self.campaign: Campaign = make_campaign(self.programme)
        self.prospect = make_prospect(organisation="Banque de l'Ouest", city="Rennes")
        make_entry(self.campaign, self.prospect, due_at=timezone.now() - timedelta(minutes=5))
        self.agent: User = make_user(Role.AGENT)
        self.at = timezone.now() - timedelta(minutes=2)
        claimed = claim_next(campaign=self.campaign, by=self.agent, at=self.at)
        assert claimed is not None
        self.call: Call = claimed

    def by(self) -> dict[str, Any]:
        self.at += LATER
        self.call = Call.objects.get(pk=self.call.pk)
        return {"call": self.call, "by": self.agent, "at": self.at}

    def go(self, state: str) -> "Story":
        order = ["claimed", "dialling", "connected", "asked", "closing", "waiting", "ended"]
        wanted = order.index(state)
        moves: list[Callable[[], object]] = [
            lambda: dial(**self.by()),
            lambda: record_answer(**self.by()),
            lambda: greet(answered_by="intended", **self.by()),
            lambda: answer_criterion(
                criterion=self.criterion, result="mismatch", heard="boulangerie", **self.by()
            ),
            lambda: [say_closing_step(step=step, **self.by()) for step in ("apologise", "thank", "goodbye")],
            lambda: record_hang_up(hung_up_by="prospect", evidence="softphone", **self.by()),
        ]
        for move in moves[:wanted]:
            move()
        return self

    def url(self, part: str = "") -> str:
        return reverse(f"call-{part}" if part else "call", args=[self.call.pk])


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def browser_of(client: Client, story: Story) -> Client:
    client.force_login(story.agent)
    return client


def shown_state(html: str) -> str:
    states: list[str] = re.findall(r'<div class="screen" data-state="(\w+)"', html)
    assert len(states) == 1
    return states[0]


def inside(html: str) -> str:
    """Return the screen without what differs from one rendering to the next: the tokens of its forms."""
    body, whole_page, _rest = html[html.index('<div class="screen"') :].partition("</main>")
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", body)
    body = re.sub(r"\s+", "", body)
    return body.removesuffix("</div>") if whole_page else body


STATES = [
    ("claimed", "claimed"),
    ("dialling", "dialling"),
    ("connected", "connected"),
    ("asked", "connected"),
    ("closing", "closing"),
    ("waiting", "waiting"),
    ("ended", "ended"),
]


@pytest.mark.parametrize(("reached", "partial"), STATES)
def test_a_call_is_shown_by_the_one_partial_of_its_state(
    browser_of: Client, story: Story, reached: str, partial: str
) -> None:
    story.go(reached)

    page = browser_of.get(story.url())

    assert page.status_code == 200
    assert shown_state(page.content.decode()) == partial
    assert page.content.decode().count("data-primary") <= 1
    assert page["Cache-Control"] == "no-store"


@pytest.mark.parametrize("reached", [reached for reached, _ in STATES])
def test_a_fragment_leaves_the_page_equal_to_a_reload(browser_of: Client, story: Story, reached: str) -> None:
    story.go(reached)

    page = browser_of.get(story.url()).content.decode()
    fragment = browser_of.get(story.url(), headers=HTMX).content.decode()

    assert "<html" not in fragment
    assert inside(fragment) == inside(page)


def test_the_desk_leads_back_to_the_open_call(browser_of: Client, story: Story) -> None:
    response = browser_of.get(reverse("desk"))

    assert response.status_code == 302
    assert response["Location"] == story.url()


def test_an_old_call_leads_to_the_open_one(browser_of: Client, story: Story) -> None:
    browser_of.post(story.url("release"), {"reason": "mauvaise langue"})
    first = story.url()
    make_entry(story.campaign, due_at=timezone.now() - timedelta(minutes=5))
    browser_of.post(reverse("desk-next-call"), {"campaign": story.campaign.pk})
    current = open_call_of(story.agent)

    response = browser_of.get(first)

    assert current is not None
    assert response["Location"] == reverse("call", args=[current.pk])


def test_the_call_of_another_agent_does_not_exist(client: Client, story: Story) -> None:
    client.force_login(make_user(Role.AGENT))

    read = client.get(story.url())
    forged = client.post(story.url("dial"))

    assert (read.status_code, forged.status_code) == (404, 404)
    assert Call.objects.get(pk=story.call.pk).state == CallState.CLAIMED


def test_a_stale_post_answers_the_present_state_with_a_sentence(browser_of: Client, story: Story) -> None:
    story.go("closing")

    response = browser_of.post(story.url("dial"), headers=HTMX)

    assert response.status_code == 409
    assert shown_state(response.content.decode()) == "closing"
    assert "notice--error" in response.content.decode()


POSTS: list[tuple[str, dict[str, Any]]] = [
    ("dial", {}),
    ("greet", {}),
    ("handover", {"answered_by": "colleague"}),
    ("events", {"event": "answered"}),
    ("events", {"event": "no such event"}),
    ("criteria", {"criterion": 1, "result": "match"}),
    ("criteria", {"criterion": "'; --", "result": "maybe"}),
    ("closing", {"step": "thank"}),
    ("closing", {"step": "no such step"}),
    ("situations", {"situation": "x", "stage": 1}),
    ("disposition", {"code": "refusal"}),
    ("disposition", {"code": "callback", "callback_at": "tomorrow"}),
    ("fiche", {"field": "city", "value": "Brest"}),
    ("fiche", {"field": "password", "value": "x"}),
    ("release", {"reason": "x"}),
    ("completion", {}),
    ("correction-request", {"reason": "x"}),
    ("note", {"note": "x"}),
    ("wishes", {"text": "une formation", "remind_at": "tomorrow"}),
    ("wishes", {"text": "une formation"}),
    ("help", {}),
    ("lease", {}),
]


@pytest.mark.parametrize("reached", [reached for reached, _ in STATES])
def test_no_post_at_the_wrong_moment_and_no_double_submit_is_a_server_error(
    browser_of: Client, story: Story, reached: str
) -> None:
    story.go(reached)
    answers = []

    for part, sent in POSTS:
        with transaction.atomic():
            answers += [browser_of.post(story.url(part), sent, headers=HTMX).status_code for _ in range(2)]
            transaction.set_rollback(True)

    assert max(answers) < 500


def test_a_call_that_ended_before_the_greeting_offers_every_disposition(
    browser_of: Client, story: Story
) -> None:
    story.go("connected")
    record_hang_up(hung_up_by="prospect", evidence="softphone", **story.by())

    html = browser_of.get(story.url()).content.decode()

    offered = dispositions_of(Call.objects.get(pk=story.call.pk))
    assert {"appointment", "technical"} < {row.code for row in offered}
    assert [
        row.code for row in offered if f'value="{row.code}"' not in html and f"code={row.code}" not in html
    ] == []


def test_a_wish_whose_moment_cannot_be_read_is_asked_again_with_its_words(
    browser_of: Client, story: Story
) -> None:
    story.go("asked")
    sent = {"text": "une « formation »", "remind_at": "bientôt"}

    answer = browser_of.post(story.url("wishes"), sent, headers=HTMX)

    assert answer.status_code == 400
    assert 'value="une « formation »"' in answer.content.decode()
    assert not CallEvent.objects.filter(call=story.call, kind="wish").exists()


def test_a_call_offered_to_nobody_keeps_the_words_that_were_written(browser_of: Client, story: Story) -> None:
    story.go("asked")

    answer = browser_of.post(story.url("transfer"), {"hand": "1", "note": "parle du contrat"}, headers=HTMX)

    assert answer.status_code == 400
    assert 'value="parle du contrat"' in answer.content.decode()


def test_two_swapped_fields_are_exchanged_and_who_said_so_is_kept(browser_of: Client, story: Story) -> None:
    Prospect.objects.filter(pk=story.prospect.pk).update(first_name="Durand", last_name="Zoé")
    story.go("asked")

    browser_of.post(
        story.url("fiche"), {"field": "first_name", "value": "", "swap": "last_name"}, follow=True
    )

    fiche = Prospect.objects.get(pk=story.prospect.pk)
    assert (fiche.first_name, fiche.last_name) == ("Zoé", "Durand")
    told = ProspectEvent.objects.get(prospect=fiche, kind=EventKind.EDITED)
    assert told.data == {
        "changes": {"first_name": ["Durand", "Zoé"], "last_name": ["Zoé", "Durand"]},
        "answered_by": "intended",
    }
    assert (told.by, told.call_ref) == (story.agent, story.call.pk)


def test_a_field_of_the_supplier_is_corrected_and_a_number_stays_a_number(
    browser_of: Client, story: Story
) -> None:
    Prospect.objects.filter(pk=story.prospect.pk).update(attributes={"effectif": 33, "enseigne": "Au Pain"})
    story.go("asked")
    form = text_of(browser_of.get(story.url() + "?edit=attributes.effectif"))
    assert "effectif" in form
    assert "enseigne" in form

    browser_of.post(story.url("fiche"), {"field": "attributes.effectif", "value": "1 250"}, follow=True)
    refused = browser_of.post(story.url("fiche"), {"field": "attributes.effectif", "value": "beaucoup"})

    assert "Ici s'écrit un nombre." in text_of(refused)
    assert Prospect.objects.get(pk=story.prospect.pk).attributes == {"effectif": 1250, "enseigne": "Au Pain"}


def test_no_asks_what_was_heard_and_escape_takes_it_back(browser_of: Client, story: Story) -> None:
    story.go("asked")

    asked = browser_of.get(story.url(), {"heard": story.criterion.pk}).content.decode()
    taken_back = browser_of.get(story.url()).content.decode()

    assert 'name="heard"' in asked
    assert 'data-key="Escape"' in asked
    assert 'name="heard"' not in taken_back
    assert Call.objects.get(pk=story.call.pk).state == CallState.CONNECTED


def test_a_mismatch_without_what_was_heard_is_not_stored(browser_of: Client, story: Story) -> None:
    story.go("asked")

    response = browser_of.post(
        story.url("criteria"), {"criterion": story.criterion.pk, "result": "mismatch"}, headers=HTMX
    )

    assert response.status_code == 400
    assert Call.objects.get(pk=story.call.pk).out_of_criteria_at is None


def test_a_mismatch_turns_the_screen_to_closing_with_its_reason(browser_of: Client, story: Story) -> None:
    story.go("asked")

    response = browser_of.post(
        story.url("criteria"),
        {"criterion": story.criterion.pk, "result": "mismatch", "heard": "boulangerie"},
        headers=HTMX,
        follow=True,
    )

    html = response.content.decode()
    assert response.status_code == 200
    assert shown_state(html) == "closing"
    assert "boulangerie, attendu\N{NO-BREAK SPACE}: une banque" in html


def test_the_hang_up_button_does_not_exist_and_asking_for_it_is_refused(
    browser_of: Client, story: Story
) -> None:
    story.go("closing")

    page = browser_of.get(story.url()).content.decode()
    forged = browser_of.post(story.url("events"), {"event": "hung_up", "by": "agent"}, headers=HTMX)

    assert "Raccrocher" not in page
    assert forged.status_code == 409
    assert Call.objects.get(pk=story.call.pk).state == CallState.CLOSING


def test_an_agent_who_says_that_they_hung_up_is_believed_and_reviewed(
    browser_of: Client, story: Story
) -> None:
    story.go("closing")

    browser_of.post(story.url("events"), {"event": "hung_up", "by": "agent", "happened": "on"})

    assert Call.objects.get(pk=story.call.pk).hung_up_by == "agent"
    assert Incident.objects.filter(call=story.call, kind="hang_up_review").count() == 1


@pytest.mark.parametrize("reached", ["connected", "closing", "waiting"])
def test_a_person_who_drives_is_let_go_at_any_moment_of_the_talk(
    browser_of: Client, story: Story, reached: str
) -> None:
    story.go(reached)
    before = browser_of.get(story.url()).content.decode()

    response = browser_of.post(story.url("situations"), {"driving": "on"}, follow=True)

    assert ('name="driving"' in before, 'data-key="x"' in before) == (True, False)
    assert Call.objects.get(pk=story.call.pk).end_allowed_by == "driving"
    assert 'data-key="x"' in response.content.decode()


@pytest.mark.parametrize("reached", ["connected", "closing", "waiting"])
def test_every_way_out_of_an_unfinished_call_is_refused(
    browser_of: Client, story: Story, reached: str
) -> None:
    story.go(reached)
    make_entry(story.campaign, due_at=timezone.now() - timedelta(minutes=5))

    answers = [
        browser_of.post(story.url("release"), {"reason": "x"}),
        browser_of.post(reverse("desk-next-call"), {"campaign": story.campaign.pk}),
        browser_of.post(reverse("desk-pause"), {"reason": "x"}),
        browser_of.post(
            reverse("desk-manual-call"), {"campaign": story.campaign.pk, "number": "01 99 00 77 77"}
        ),
        browser_of.post(reverse("logout")),
    ]

    assert [answer.status_code for answer in answers] == [409] * 5
    assert Call.objects.filter(agent=story.agent).count() == 1
    assert browser_of.get(reverse("desk")).status_code == 302


def test_logging_out_ends_the_day_once_the_call_is_settled(browser_of: Client, story: Story) -> None:
    story.go("ended")

    response = browser_of.post(reverse("logout"))

    assert response["Location"] == reverse("login")
    assert Call.objects.get(pk=story.call.pk).state == CallState.DONE


def test_a_closing_sentence_with_braces_and_scripts_is_shown_as_text(
    browser_of: Client, story: Story
) -> None:
    story.prospect.organisation = "<script>alert(1)</script>{{ 7|add:7 }}"
    story.prospect.save()
    story.go("closing")

    html = browser_of.get(story.url()).content.decode()

    assert "<script>alert" not in html
    assert "{{ 7|add:7 }}" in html


def test_the_lease_answers_what_the_server_knows(browser_of: Client, story: Story) -> None:
    before = browser_of.post(story.url("lease")).json()
    story.go("connected")
    after = browser_of.post(story.url("lease")).json()

    assert before["state"] == "claimed"
    assert after["state"] == "connected"
    assert before["fingerprint"] != after["fingerprint"]


def test_an_expired_lease_is_told_and_nothing_changes(browser_of: Client, story: Story) -> None:
    Call.objects.filter(pk=story.call.pk).update(lease_until=timezone.now() - timedelta(minutes=5))

    response = browser_of.get(story.url())

    assert response.status_code == 200
    assert shown_state(response.content.decode()) == "claimed"


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        ("language", "espagnol", "es"),
        ("language", "EN", "en"),
        ("language", "", ""),
        ("language", "volapük courant", None),
        ("email", "contact@banque.example", "contact@banque.example"),
        ("email", "contact chez banque", None),
        ("city", "Sète", "Sète"),
    ],
)
def test_a_language_is_corrected_by_its_name_and_an_address_must_be_one(
    field: str, typed: str, kept: str | None
) -> None:
    form = FactForm({"field": field, "value": typed}, attributes={})

    assert form.is_valid() is (kept is not None)
    assert form.cleaned_data.get("value") == kept


def test_a_refused_correction_shows_what_was_typed(browser_of: Client, story: Story) -> None:
    story.go("connected")

    answer = browser_of.post(story.url("fiche"), {"field": "email", "value": "contact chez banque"})

    form = answer.content.decode()
    assert answer.status_code == 400
    assert 'value="contact chez banque" autofocus' in form
    assert 'name="confirmed"' not in form
