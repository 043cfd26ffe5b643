"""Beside another dialler: its call opens its screen by one key, once, whoever it reached; a bar on it is told."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from calls.enums import CallState, IncidentKind, Mode
from calls.models import Call, Incident
from calls.selectors.call_screen import screen_of
from calls.services.desk import start_pause
from calls.services.dispositions import dispose
from calls.services.errors import InvalidTransition
from calls.services.external import take_external_call
from calls.services.line import record_not_reached
from campaigns.enums import EntryState
from campaigns.models import Attempt, Exclusion, ListEntry
from crm.models import ProspectEvent, User
from crm.rules.phones import national
from tests.factories import (
    NOW,
    make_campaign,
    make_entry,
    make_exclusion,
    make_number,
    make_programme,
    make_prospect,
    make_sponsor,
    make_user,
    next_number,
)
from tests.paging import text_of
from tests.rawsql import execute, insert, refused

pytestmark = pytest.mark.django_db


class Beside:
    """An agent at another dialler, and the campaign whose list they call."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.agent: User = make_user("agent", username="lea", extension="6001")
        self.campaign = make_campaign(slug="banques")
        self.number = next_number()
        self.prospect = make_prospect(self.number)
        self.entry: ListEntry = make_entry(self.campaign, self.prospect)
        client.force_login(self.agent)

    def asked(self, **more: Any) -> dict[str, Any]:
        return {"number": national(self.number), "campaign": "banques", "agent": "6001"} | more

    def get(self, **more: Any) -> Any:
        return self.client.get(f"{reverse('pop')}?{urlencode(self.asked(**more))}")

    def press(self, **more: Any) -> Any:
        return self.client.post(reverse("pop"), self.asked(**more))


@pytest.fixture
def beside(client: Client) -> Beside:
    return Beside(client)


def test_the_address_stores_nothing_and_one_key_opens_the_call(beside: Beside) -> None:
    page = beside.get()
    assert (page.status_code, Call.objects.count()) == (200, 0)
    assert page["Cache-Control"] == "no-store"
    assert beside.campaign.name in text_of(page)

    opened = beside.press()

    call = Call.objects.get()
    assert opened.url == reverse("call", args=[call.pk])
    assert (call.mode, call.state, call.prospect, call.number) == (
        Mode.EXTERNAL,
        CallState.CONNECTED,
        beside.prospect,
        beside.number,
    )
    beside.entry.refresh_from_db()
    assert beside.entry.state == EntryState.CLAIMED
    assert Attempt.objects.get().call_ref == call.pk
    screen = text_of(beside.client.get(opened.url))
    assert "Saluer" in screen
    assert "Appelée par un autre système" in text_of(_fiche(beside, call))


def _fiche(beside: Beside, call: Call) -> Any:
    client = Client()
    client.force_login(make_user("supervisor"))
    return client.get(reverse("prospect", args=[call.prospect_id]))


def test_a_reload_and_a_second_tab_lead_to_the_same_call(beside: Beside) -> None:
    beside.press(ref="M-17")
    call = Call.objects.get()
    path = reverse("call", args=[call.pk])

    assert [beside.get().url, beside.press(ref="M-17").url, beside.press().url] == [path] * 3
    record_not_reached(call=call, cause="voicemail", by=beside.agent, at=call.started_at)
    dispose(call=call, code="voicemail", by=beside.agent, at=call.started_at)

    assert beside.press(ref="M-17").url == path
    assert Call.objects.count() == Attempt.objects.count() == 1


def test_a_bar_does_not_hide_the_call_and_is_told_loudly(beside: Beside) -> None:
    bar = make_exclusion(programme=beside.campaign.programme, number=beside.number)

    beside.press()

    call = Call.objects.get()
    assert call.entry is None
    incident = Incident.objects.get(kind=IncidentKind.BARRED_CALL)
    assert (incident.exclusion, incident.call) == (bar, call)
    assert "Toutes mes excuses : nous n'aurions pas dû vous appeler" in screen_of(call).opening
    screen = text_of(beside.client.get(reverse("call", args=[call.pk])))
    assert "Numéro exclu : l'autre système n'aurait pas dû l'appeler." in screen
    supervisor = Client()
    supervisor.force_login(make_user("supervisor"))
    assert "numéro exclu" in text_of(supervisor.get(reverse("incident", args=[incident.pk])))
    assert Exclusion.objects.get().lifted_at is None


def test_an_unknown_number_is_a_call_without_fiche(beside: Beside) -> None:
    stranger = next_number()

    beside.press(number=stranger)

    call = Call.objects.get()
    assert (call.prospect, call.entry, call.number) == (None, None, stranger)


def test_of_several_fiches_the_agent_says_who_is_on_the_line(beside: Beside) -> None:
    twin = make_prospect()
    make_number(twin, beside.number, position=5)
    make_entry(beside.campaign, twin)

    choice = beside.press()
    assert (choice.status_code, Call.objects.count()) == (200, 0)
    assert twin.display_name in text_of(choice)
    beside.press(prospect=twin.pk)

    assert Call.objects.get().prospect == twin


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"agent": "6002"}, 403, "vous êtes connecté comme « lea »"),
        ({"number": "bonjour"}, 400, "ne se lit pas comme un numéro"),
        ({"number": ""}, 400, "n'a pas donné de numéro"),
        ({"campaign": "autre"}, 200, "Pour quelle campagne ?"),
    ],
)
def test_what_cannot_be_meant_is_said_plainly(
    beside: Beside, asked: dict[str, Any], status: int, words: str
) -> None:
    for page in (beside.get(**asked), beside.press(**asked)):
        assert page.status_code == status
        assert words in text_of(page)
    assert not Call.objects.exists()


def test_an_agent_who_is_on_another_call_is_led_to_it(beside: Beside) -> None:
    beside.press(number=next_number())
    current = Call.objects.get()

    for page in (beside.get(), beside.press()):
        assert page.status_code == 409
        assert reverse("call", args=[current.pk]) in page.content.decode()
    assert Call.objects.count() == 1


def test_no_other_sponsors_campaign_is_opened(beside: Beside) -> None:
    beside.agent.sponsors.add(make_sponsor())

    assert "Pour quelle campagne ?" in text_of(beside.press())
    assert not Call.objects.exists()


def test_a_record_that_was_done_with_does_not_go_back_into_the_queue(beside: Beside) -> None:
    ListEntry.objects.filter(pk=beside.entry.pk).update(state=EntryState.DONE)
    beside.press()
    call = Call.objects.get()

    record_not_reached(call=call, cause="voicemail", by=beside.agent, at=call.started_at)
    dispose(call=call, code="voicemail", by=beside.agent, at=call.started_at)

    beside.entry.refresh_from_db()
    assert (beside.entry.state, beside.entry.attempts) == (EntryState.DONE, 1)


def test_the_database_never_lets_such_a_call_be_dialled() -> None:
    campaign, number = make_campaign(make_programme()), next_number()
    make_exclusion(programme=campaign.programme, number=number)
    columns: dict[str, Any] = {
        "campaign": campaign,
        "number": number,
        "agent": make_user(),
        "mode": Mode.EXTERNAL,
        "lease_until": NOW,
        "started_at": NOW,
        "dialled_at": NOW,
        "answered_at": NOW,
    }

    with refused("call_not_excluded", "call_external_never_dialled"):
        insert(Call(**columns, state=CallState.CLAIMED))
    with refused("call_starts_claimed"):
        insert(Call(**{**columns, "answered_at": None}, state=CallState.CONNECTED))
    with refused("call_starts_claimed"):
        insert(Call(**{**columns, "mode": Mode.MANUAL}, state=CallState.CONNECTED))
    pk = insert(Call(**columns, state=CallState.CONNECTED))
    with refused("call_moves_legally", "call_external_never_dialled", "call_not_excluded"):
        execute("UPDATE calls_call SET state = 'dialling' WHERE id = %s", pk)


def test_a_pause_is_ended_first(beside: Beside) -> None:
    start_pause(reason="", by=beside.agent, at=NOW)

    with pytest.raises(InvalidTransition):
        take_external_call(
            campaign=beside.campaign, number=beside.number, prospect=None, by=beside.agent, at=NOW
        )
    assert not ProspectEvent.objects.filter(kind="connected").exists()
