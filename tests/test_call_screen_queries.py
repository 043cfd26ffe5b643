"""No request of the call screen costs more than 15 queries, by its pages or by the API, whatever the past."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from calls import urls
from calls.api.urls import VERBS
from calls.models import CallEvent
from calls.selectors import claiming
from calls.services.closing import release_to_hang_up
from calls.services.desk import start_pause
from calls.services.dispositions import dispose
from calls.services.lease import release_call
from calls.services.line import record_hang_up, record_line_dead, record_not_reached
from calls.services.situations import enter_stage
from calls.services.talk import answer_criterion, note_wish
from calls.services.transfers import offer_transfer
from campaigns.models import FollowUpTemplate
from crm.enums import EventKind, Role
from crm.models import ProspectEvent
from tests.api_client import Api
from tests.factories import (
    make_campaign,
    make_criterion,
    make_entry,
    make_number,
    make_programme,
    make_prospect,
    make_user,
    next_number,
)
from tests.test_call_screen import HTMX, Story, inside

pytestmark = pytest.mark.django_db

LIMIT = 15
#: A page is answered with the screen that comes of what it sent.
LIMIT_WITH_SCREEN = 22
#: And when one gesture corrects the fiche, makes a promise and begins the closing: three verbs at once.
LIMIT_OF_THREE_VERBS = 25
#: Done, made, led on, or refused with a reason: none of it for want of a right or an address.
EXPECTED = {200, 201, 302, 400, 409, 422}
#: The language in which a page asks for more: what the history keeps in French is translated.
ENGLISH = {"Accept-Language": "en"}
PAST = 30


class Hard(Story):
    """A call in the dearest circumstances.

    Its prospect has a long history and waits in the lists of two other programmes, its number is another record's too,
    the agent works for one sponsor and noted much.
    """

    def __init__(self, past: int = PAST) -> None:
        super().__init__()
        self.agent.sponsors.set([self.programme.sponsor])
        self.supervisor = make_user(Role.SUPERVISOR, sponsors=[self.programme.sponsor])
        twin = make_prospect()
        make_number(twin, self.call.number, position=9)
        make_entry(self.campaign, twin)
        for _other in range(2):
            programme = make_programme(self.programme.sponsor)
            make_criterion(programme)
            make_entry(make_campaign(programme), self.prospect)
        self.template = FollowUpTemplate.objects.create(
            campaign=self.campaign, name="Suite", subject="Suite", body="Bonjour {person}"
        )
        told = {"at": self.at, "kind": EventKind.NOTE}
        ProspectEvent.objects.bulk_create(
            ProspectEvent(prospect=self.prospect, sponsor=self.programme.sponsor, data={"text": "x"}, **told)
            for _line in range(past)
        )
        CallEvent.objects.bulk_create(
            CallEvent(call=self.call, by=self.agent, data={"text": str(number)}, **told)
            for number in range(past)
        )

    def reach(self, situation: str) -> "Hard":
        """Carry the call into a situation: a state of `go`, or one of those below."""
        if situation not in SITUATIONS:
            self.go(situation)
            return self
        state, moves = SITUATIONS[situation]
        self.go(state)
        for move in moves:
            move(self)
        return self

    def sent(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Return a body with the ids of this story for what stands in capitals."""
        return {name: self.named(value) for name, value in sent.items()}

    def named(self, value: Any) -> Any:
        """Return what a word in capitals stands for; anything else as it is."""
        match value:
            case "CRITERION":
                return self.criterion.pk
            case "CALL":
                return self.call.pk
            case "TEMPLATE":
                return self.template.pk
            case "CAMPAIGN":
                return self.campaign.pk
            case "COLLEAGUE":
                return make_user().pk
            case "AGENT":
                return self.agent.pk
            case "NUMBER":
                return next_number()
            case "LISTED":
                return make_entry(self.campaign).number
            case "FICHE":
                return make_entry(self.campaign).prospect_id
        return value


def _end(by: str) -> Callable[[Hard], object]:
    return lambda story: record_hang_up(hung_up_by=by, evidence="softphone", **story.by())


def _miss(cause: str) -> Callable[[Hard], object]:
    return lambda story: record_not_reached(cause=cause, **story.by())


def _match(story: Hard) -> None:
    answer_criterion(criterion=story.criterion, result="match", heard="", **story.by())


def _free(story: Hard) -> None:
    release_call(reason="x", **story.by())


def _pause(story: Hard) -> None:
    start_pause(reason="", by=story.agent, at=story.at)


SITUATIONS: dict[str, tuple[str, list[Callable[[Hard], object]]]] = {
    "free": ("claimed", [_free]),
    "in pause": ("claimed", [_free, _pause]),
    "busy": ("dialling", [_miss("busy")]),
    "no such number": ("dialling", [_miss("invalid_number")]),
    "all match": ("asked", [_match]),
    "racist": ("asked", [lambda story: enter_stage(situation="racist", stage=6, **story.by())]),
    "offered": (
        "asked",
        [lambda story: offer_transfer(to=make_user(), note="x", **{**story.by(), "at": timezone.now()})],
    ),
    "boss": ("asked", [lambda story: enter_stage(situation="boss", stage=1, **story.by())]),
    "language": ("asked", [lambda story: enter_stage(situation="language", stage=1, **story.by())]),
    "silent": ("asked", [lambda story: record_line_dead(**story.by())]),
    "a wish": ("asked", [lambda story: note_wish(text="x", remind_at=None, **story.by())]),
    "let go": (
        "asked",
        [lambda story: release_to_hang_up(reason="x", **{**story.by(), "by": story.supervisor})],
    ),
    "cut by the agent": ("asked", [_end("agent")]),
    "unqualified": ("asked", [_end("prospect")]),
    "refused": ("asked", [_end("prospect"), lambda story: dispose(code="refusal", **story.by())]),
}

LATER_ON = "2099-01-05T10:00"
#: What an agent sends, in which situation, to which part of the call; the API speaks the same.
ALIKE: list[tuple[str, str, dict[str, Any]]] = [
    ("claimed", "dial", {}),
    ("claimed", "release", {"reason": "x"}),
    ("claimed", "lease", {}),
    ("claimed", "note", {"note": "x"}),
    ("dialling", "events", {"event": "ringing"}),
    ("dialling", "events", {"event": "answered"}),
    ("dialling", "events", {"event": "not_reached", "cause": "busy"}),
    ("dialling", "events", {"event": "hung_up", "by": "network"}),
    ("connected", "greet", {}),
    ("connected", "events", {"event": "not_reached", "cause": "voicemail"}),
    ("asked", "greet", {"answered_by": "colleague"}),
    ("asked", "handover", {"answered_by": "colleague"}),
    ("asked", "criteria", {"criterion": "CRITERION", "result": "match"}),
    ("asked", "criteria", {"criterion": "CRITERION", "result": "unknown"}),
    ("asked", "criteria", {"criterion": "CRITERION", "result": "mismatch", "heard": "boulangerie"}),
    ("asked", "criteria", {"result": "mismatch", "heard": "boulangerie"}),
    ("asked", "closing", {"step": "thank"}),
    ("asked", "situations", {"situation": "racist", "stage": 1}),
    ("asked", "situations", {"situation": "racist", "stage": 6}),
    ("asked", "wishes", {"text": "x"}),
    ("asked", "help", {}),
    ("asked", "events", {"event": "line_dead"}),
    ("asked", "events", {"event": "hung_up", "by": "prospect"}),
    ("asked", "events", {"event": "hung_up", "by": "agent", "evidence": "softphone"}),
    ("asked", "disposition", {"code": "refusal"}),
    ("asked", "disposition", {"code": "opt_out"}),
    ("asked", "disposition", {"code": "wrong_number"}),
    ("asked", "disposition", {"code": "deceased"}),
    ("asked", "disposition", {"code": "complete"}),
    ("all match", "disposition", {"code": "complete"}),
    ("all match", "disposition", {"code": "appointment", "callback_at": LATER_ON}),
    ("asked", "disposition", {"code": "callback", "callback_at": LATER_ON}),
    ("asked", "disposition", {"code": "callback", "callback_at": LATER_ON, "callback_agent": "AGENT"}),
    ("racist", "lease", {}),
    ("closing", "closing", {"step": "apologise"}),
    ("closing", "disposition", {"code": "refusal"}),
    ("waiting", "closing", {"step": "goodbye"}),
    ("waiting", "events", {"event": "hung_up", "by": "prospect"}),
    ("cut by the agent", "events", {"event": "hang_up_explained", "reason": "x"}),
    ("unqualified", "disposition", {"code": "refusal"}),
    ("unqualified", "disposition", {"code": "wrong_number"}),
    ("unqualified", "disposition", {"code": "callback", "callback_at": LATER_ON}),
    ("ended", "disposition", {"code": "out_of_criteria"}),
    ("ended", "disposition", {"code": "refusal"}),
    ("ended", "correction-request", {"reason": "x"}),
    ("ended", "lease", {}),
    ("busy", "disposition", {"code": "voicemail"}),
    ("no such number", "disposition", {"code": "invalid_number"}),
]
#: What only pages are sent.
OF_PAGES: list[tuple[str, str, dict[str, Any]]] = [
    ("asked", "follow-ups", {"template": "TEMPLATE", "email": "contact@banque.example", "key": str(uuid4())}),
    ("ended", "follow-ups", {"template": "TEMPLATE", "email": "contact@banque.example", "key": str(uuid4())}),
    ("asked", "note", {"note": "un connard"}),
    ("asked", "note", {"note": "un connard", "override": "ses mots"}),
    ("ended", "completion", {"draft_note": "à suivre", "draft_call": "CALL"}),
    ("asked", "situations", {"driving": "on"}),
    ("racist", "situations", {"over": "on"}),
    ("asked", "help", {"words": "x"}),
    ("asked", "transfer", {"to": "COLLEAGUE", "note": "x"}),
    ("asked", "transfer", {"to": "AGENT"}),
    ("offered", "transfer", {"_method": "delete"}),
    ("racist", "ban", {"reason": "x"}),
    ("boss", "situation-effect", {"situation": "boss", "words": "x"}),
    ("language", "situation-effect", {"situation": "language", "language": "ar", "when": "hour"}),
    ("waiting", "events", {"event": "hung_up", "by": "agent"}),
    ("claimed", "fiche", {"field": "city", "value": "Brest"}),
    ("asked", "fiche", {"field": "postal_code", "value": "29200"}),
    ("asked", "fiche", {"field": "sector", "value": "64.19Z"}),
    ("asked", "fiche", {"field": "sector", "value": "10.71C"}),
    ("asked", "fiche", {"field": "sector", "value": "10.71C", "confirmed": "on"}),
    ("asked", "callback-preview", {"callback_at": "mardi 15h", "callback_agent": "AGENT"}),
    ("ended", "completion", {}),
    ("busy", "completion", {}),
    ("no such number", "completion", {}),
]
#: What the desk is sent; the call is finished first where only that is missing.
OF_THE_DESK: list[tuple[str, str, dict[str, Any]]] = [
    ("free", "phone", {"phone": "tel"}),
    ("free", "sound", {"sound": "off"}),
    ("in pause", "pause", {"_method": "delete"}),
    ("in pause", "next-call", {"campaign": "CAMPAIGN"}),
    ("in pause", "manual-call", {"campaign": "CAMPAIGN", "number": "NUMBER"}),
    *(
        (situation, part, {"campaign": "CAMPAIGN", **sent})
        for situation in ("free", "asked", "ended", "busy", "no such number")
        for part, sent in (
            ("next-call", {}),
            ("manual-call", {"number": "NUMBER"}),
            ("manual-call", {"number": "LISTED"}),
            ("pause", {"reason": "x"}),
            ("logout", {}),
        )
    ),
]
#: What only programs are sent, by whom.
OF_PROGRAMS: list[tuple[str, str, dict[str, Any]]] = [
    ("connected", "greet", {"answered_by": "other", "heard": "x"}),
    ("asked", "handover", {"answered_by": "other", "heard": "x"}),
    ("asked", "driving", {}),
    ("racist", "situations", {"situation": "racist", "stage": None}),
    ("silent", "events", {"event": "line_alive"}),
    ("waiting", "events", {"event": "hung_up", "by": "agent"}),
    ("ended", "finish", {}),
    ("busy", "finish", {}),
    ("no such number", "finish", {}),
]


def asked_of_the_database(act: Callable[[], Any]) -> tuple[Any, int]:
    """Return what `act` answers and its queries; what opens and ends a transaction asks nothing."""
    with CaptureQueriesContext(connection) as captured:
        answer = act()
    return answer, sum("SAVEPOINT" not in query["sql"] for query in captured.captured_queries)


def start_again(story: Hard) -> None:
    """Let somebody else wait in the queue, and the process forget what it saw there."""
    make_entry(story.campaign, due_at=timezone.now() - timedelta(minutes=5))
    claiming._HINTS.clear()


def address(story: Hard, part: str) -> str:
    """Return the address of a part of the desk or of the call."""
    if part == "logout":
        return reverse("logout")
    desk = {wanted for _situation, wanted, _sent in OF_THE_DESK}
    return reverse(f"desk-{part}") if part in desk else story.url(part)


@pytest.mark.parametrize(("situation", "part", "sent"), [*ALIKE, *OF_PAGES, *OF_THE_DESK])
def test_what_a_page_sends_costs_at_most_22_queries_with_the_screen_that_follows(
    client: Client, situation: str, part: str, sent: dict[str, Any]
) -> None:
    story = Hard().reach(situation)
    client.force_login(story.agent)
    body = story.sent(sent)
    start_again(story)

    answer, queries = asked_of_the_database(
        lambda: client.post(address(story, part), body, headers={**HTMX, **ENGLISH})
    )

    assert answer.status_code in EXPECTED
    assert queries <= (LIMIT_OF_THREE_VERBS if "language" in sent else LIMIT_WITH_SCREEN)


@pytest.mark.parametrize(("situation", "part", "sent"), [*ALIKE, *OF_PAGES, *OF_THE_DESK])
def test_what_a_page_sends_is_answered_with_the_screen_that_a_reload_shows(
    client: Client, situation: str, part: str, sent: dict[str, Any]
) -> None:
    story = Hard().reach(situation)
    client.force_login(story.agent)

    answer = client.post(address(story, part), story.sent(sent), headers=HTMX)

    if answer.status_code == 200 and "HX-Replace-Url" in answer:
        again = client.get(answer["HX-Replace-Url"], headers=HTMX)
        assert without_messages(answer) == without_messages(again)


@pytest.mark.parametrize("pk", [2**63 - 1, 2**63, 10**30])
def test_a_call_beyond_all_numbers_does_not_exist(client: Client, pk: int) -> None:
    client.force_login(Hard().agent)

    assert client.get(reverse("call", args=[pk])).status_code == 404
    for part in ("dial", "lease", "note", "completion", "fiche"):
        assert client.post(reverse(f"call-{part}", args=[pk]), headers=HTMX).status_code == 404


def without_messages(answer: Any) -> str:
    """Return the screen without what is said once."""
    return inside(re.sub(r'<div role="alert">.*?</div>', "", answer.content.decode()))


@pytest.mark.parametrize(("situation", "part", "sent"), [*ALIKE, *OF_PROGRAMS])
def test_a_verb_of_the_api_costs_at_most_15_queries(situation: str, part: str, sent: dict[str, Any]) -> None:
    story = Hard().reach(situation)
    api = Api(story.agent)
    body = {name: f"{value}Z" if value == LATER_ON else value for name, value in story.sent(sent).items()}

    answer, queries = asked_of_the_database(lambda: api.post(f"calls/{story.call.pk}/{part}/", body))

    assert answer.status_code in EXPECTED
    assert queries <= LIMIT


@pytest.mark.parametrize("situation", ["free", "ended", "busy", "no such number"])
@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("campaigns/{campaign}/next-call/", {}),
        ("calls/dial/", {"campaign": "CAMPAIGN", "number": "NUMBER"}),
        ("calls/dial/", {"campaign": "CAMPAIGN", "number": "LISTED"}),
        ("calls/dial/", {"campaign": "CAMPAIGN", "prospect": "FICHE"}),
    ],
)
def test_a_call_opened_by_the_api_costs_at_most_15_queries(
    path: str, sent: dict[str, Any], situation: str
) -> None:
    story = Hard().reach(situation)
    api = Api(story.agent)
    body = story.sent(sent)
    start_again(story)

    answer, queries = asked_of_the_database(lambda: api.post(path.format(campaign=story.campaign.pk), body))

    assert answer.status_code in EXPECTED
    assert queries <= LIMIT


@pytest.mark.parametrize(
    "sent",
    [{"city": "Brest"}, {"sector": "64.19Z"}, {"sector": "10.71C"}, {"sector": "10.71C", "confirmed": True}],
)
def test_a_fact_corrected_by_the_api_costs_at_most_15_queries(sent: dict[str, Any]) -> None:
    story = Hard().reach("asked")
    api = Api(story.agent)
    api.get(f"calls/{story.call.pk}/")

    answer, queries = asked_of_the_database(lambda: api.patch(f"prospects/{story.prospect.pk}/", sent))

    assert answer.status_code in EXPECTED
    assert queries <= LIMIT


@pytest.mark.parametrize(
    ("situation", "view"),
    [
        *((state, "") for state in ("claimed", "dialling", "connected", "closing", "waiting", "ended")),
        *(
            ("asked", view)
            for view in (
                "",
                "heard=1",
                "conclude=1",
                "situation=list",
                "edit=city",
                "wish=1",
                "boss=1",
                "hand=1",
            )
        ),
        *((situation, "") for situation in ("racist", "a wish", "let go", "offered", "unqualified", "busy")),
    ],
)
def test_a_screen_costs_at_most_15_queries(client: Client, situation: str, view: str) -> None:
    story = Hard().reach(situation)
    client.force_login(story.agent)

    answer, queries = asked_of_the_database(lambda: client.get(f"{story.url()}?{view}", headers=ENGLISH))

    assert answer.status_code == 200
    assert queries <= LIMIT


@pytest.mark.parametrize("situation", ["free", "in pause"])
def test_the_desk_costs_at_most_15_queries(client: Client, situation: str) -> None:
    story = Hard().reach(situation)
    client.force_login(story.agent)

    answer, queries = asked_of_the_database(lambda: client.get(reverse("desk")))

    assert answer.status_code == 200
    assert queries <= LIMIT


@pytest.mark.parametrize(
    ("situation", "part", "sent"), [("asked", "disposition", {"code": "refusal"}), ("asked", "dial", {})]
)
def test_a_long_history_costs_nothing(
    client: Client, situation: str, part: str, sent: dict[str, Any]
) -> None:
    costs = []
    for past in (1, PAST):
        story = Hard(past).reach(situation)
        client.force_login(story.agent)
        costs.append(asked_of_the_database(lambda: client.post(story.url(part), sent, headers=HTMX))[1])  # noqa: B023

    assert costs[0] == costs[1]


def test_the_correction_of_a_mismatch_costs_the_same_whatever_the_numbers_of_the_prospect() -> None:
    costs = []
    for numbers in (1, 5):
        story = Hard()
        for position in range(1, numbers):
            make_number(story.prospect, next_number(), position=position)
        story.reach("ended")
        api = Api(story.supervisor)
        path, sent = f"calls/{story.call.pk}/correction/", {"code": "refusal", "reason": "x"}
        costs.append(asked_of_the_database(lambda: api.post(path, sent))[1])  # noqa: B023

    assert costs[0] == costs[1]


def test_every_address_that_the_call_screen_sends_to_is_counted() -> None:
    names = {str(pattern.name) for pattern in urls.urlpatterns}
    sent_to = {name for name in names if name.startswith(("call-", "desk-")) or name == "logout"}
    # The desk asks for these by itself; they are counted where they are read.
    sent_to -= {"desk-news"}
    counted = {part for _situation, part, _sent in [*ALIKE, *OF_PAGES, *OF_THE_DESK]}
    verbs = {part for _situation, part, _sent in [*ALIKE, *OF_PROGRAMS]}

    assert {name.removeprefix("call-").removeprefix("desk-") for name in sent_to} == counted
    # A supervisor's verbs are not the call screen's.
    assert set(VERBS) - {"supervisor-release", "correction"} == verbs
