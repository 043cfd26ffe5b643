"""A double submit of every POST over parallel connections: it happens once, and whoever comes second is told so."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.utils import timezone

from calls.models import Call, CallAnswer, Callback, CallDisposition, CallEvent, Incident
from campaigns.models import (
    Campaign,
    Criterion,
    DispositionRule,
    Exclusion,
    ImportJob,
    ListEntry,
    Programme,
)
from crm.models import Prospect, ProspectEvent, Source, Sponsor
from tests.api_client import Api
from tests.factories import make_entry, make_prospect, make_source, make_user
from tests.racing import race
from tests.test_api_calls import Desk
from tests.test_api_campaigns import csv

pytestmark = pytest.mark.django_db(transaction=True)

SUBMITS = 3
COUNTED: tuple[type[Model], ...] = (
    Call,
    CallAnswer,
    Callback,
    CallDisposition,
    CallEvent,
    Campaign,
    Criterion,
    DispositionRule,
    Exclusion,
    ImportJob,
    Incident,
    ListEntry,
    Programme,
    Prospect,
    ProspectEvent,
    Source,
    Sponsor,
)


@dataclass
class World:
    """A desk with three prospects, a manager, and what a body refers to."""

    desk: Desk
    manager: Api
    prospect: Prospect
    source: Source

    @property
    def campaign(self) -> str:
        return f"campaigns/{self.desk.campaign.pk}/"


def make_world() -> World:
    desk = Desk(prospects=3)
    return World(desk, Api(make_user("manager")), make_prospect(), make_source())


def counts() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in COUNTED}


def submit_at_once(api: Api, path: str, body: Any, **headers: str) -> list[Any]:
    """Send the same POST over parallel connections; return the answers."""
    answers = race(*[lambda: api.post(path, body, **headers)] * SUBMITS)
    broken = [answer for answer in answers if isinstance(answer, Exception) or answer.status_code >= 500]
    assert not broken, [getattr(answer, "content", answer) for answer in broken]
    return answers


def own_bar(world: World, **target: Any) -> dict[str, Any]:
    return {"scope": "programme", "programme": world.desk.programme.pk, "reason": "opposition", **target}


Creation = tuple[str, Callable[[World], tuple[Api, str, Any]]]

CREATIONS: list[Creation] = [
    ("sponsor", lambda w: (w.manager, "sponsors/", {"name": "Nouveau"})),
    ("source", lambda w: (w.manager, "sources/", {"name": "Nouvelle"})),
    (
        "programme",
        lambda w: (w.manager, "programmes/", {"name": "N", "sponsor": w.desk.programme.sponsor_id}),
    ),
    (
        "criterion",
        lambda w: (
            w.manager,
            f"programmes/{w.desk.programme.pk}/criteria/",
            {"field": "city", "operator": "is_set", "question": "Quelle ville ?"},
        ),
    ),
    ("campaign", lambda w: (w.manager, "campaigns/", {"name": "N", "programme": w.desk.programme.pk})),
    ("rule", lambda w: (w.manager, w.campaign + "dispositions/", {"code": "language", "enabled": False})),
    ("entries", lambda w: (w.manager, w.campaign + "entries/", {"prospects": [w.prospect.pk]})),
    (
        "prospect",
        lambda w: (w.manager, "prospects/", {"source": w.source.pk, "phones": [{"number": "0199000001"}]}),
    ),
    (
        "exclusion",
        lambda w: (
            w.manager,
            "exclusions/",
            own_bar(w, number="0199000001"),
        ),
    ),
    (
        "exclusions",
        lambda w: (
            w.manager,
            "exclusions/bulk/",
            own_bar(w, numbers=["0199000001", "0199000002"]),
        ),
    ),
    ("next call", lambda w: (w.desk.api, w.campaign + "next-call/", {})),
    (
        "manual call",
        lambda w: (w.desk.api, "calls/dial/", {"campaign": w.desk.campaign.pk, "number": "02 61 91 00 77"}),
    ),
]


@pytest.mark.parametrize("creation", CREATIONS, ids=lambda creation: str(creation[0]))
def test_a_creation_with_its_key_happens_once(creation: Creation) -> None:
    alone = make_world()
    before = counts()
    api, path, body = creation[1](alone)
    assert api.post(path, body, Idempotency_Key="alone").status_code in {200, 201}
    once = {name: count - before[name] for name, count in counts().items()}

    # Everything is there once already: start the race from the same place.
    world = make_world()
    _forget_names()
    before = counts()
    api, path, body = creation[1](world)
    answers = submit_at_once(api, path, body, Idempotency_Key="raced")

    assert {name: count - before[name] for name, count in counts().items()} == once
    statuses = {answer.status_code for answer in answers}
    assert statuses & {200, 201}
    assert statuses <= {200, 201, 409}


def _forget_names() -> None:
    Sponsor.objects.filter(name="Nouveau").update(name="Ancien")
    Call.objects.filter(state="claimed").update(
        state="released", release_reason="test", done_at=timezone.now()
    )


VERBS: list[tuple[str, Callable[[Desk], Any], str, dict[str, Any]]] = [
    ("release", lambda desk: desk.claim(), "release", {"reason": "x"}),
    ("dial", lambda desk: desk.claim(), "dial", {}),
    (
        "greet",
        lambda desk: (desk.claim(), desk.done("dial"), desk.done("events", event="answered")),
        "greet",
        {},
    ),
    ("note", lambda desk: desk.talking(), "note", {"note": "une note"}),
    ("help", lambda desk: desk.talking(), "help", {"words": "un juriste ?"}),
    ("wish", lambda desk: desk.talking(), "wishes", {"text": "autre sujet"}),
    ("driving", lambda desk: desk.talking(), "driving", {}),
    ("closing", lambda desk: desk.mismatched(), "closing", {"step": "apologise"}),
    ("end", lambda desk: desk.mismatched(), "events", {"event": "hung_up", "by": "prospect"}),
    ("match", lambda desk: desk.talking(), "criteria", {"result": "match"}),
    ("mismatch", lambda desk: desk.talking(), "criteria", {"result": "mismatch", "heard": "non"}),
    ("refusal", lambda desk: desk.talking(), "disposition", {"code": "refusal"}),
    ("opt out", lambda desk: desk.talking(), "disposition", {"code": "opt_out"}),
    ("callback", lambda desk: desk.talking(), "disposition", {"code": "callback"}),
    ("correction", lambda desk: desk.mismatched(), "correction-request", {"reason": "erreur"}),
]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: str(verb[0]))
def test_a_verb_that_is_sent_twice_at_once_has_its_effects_once(verb: Any) -> None:
    _name, prepare, path, body = verb
    once = _effects(prepare, path, body, submits=1)

    raced = _effects(prepare, path, body, submits=SUBMITS)

    assert raced == once


def _effects(
    prepare: Callable[[Desk], Any], path: str, body: dict[str, Any], *, submits: int
) -> dict[str, int]:
    desk = Desk()
    prepare(desk)
    if path == "criteria":
        body = body | {"criterion": desk.criterion.pk}
    if body.get("code") == "callback":
        body = body | {"callback_at": (timezone.now() + timedelta(days=1)).isoformat()}
    before = counts()
    answers = race(*[lambda: desk.verb(path, body)] * submits)
    broken = [answer for answer in answers if isinstance(answer, Exception) or answer.status_code >= 500]
    assert not broken, [getattr(answer, "content", answer) for answer in broken]
    assert 200 in {answer.status_code for answer in answers}
    assert {answer.status_code for answer in answers} <= {200, 409}
    return {name: count - before[name] for name, count in counts().items()}


def test_two_claims_of_one_agent_at_once_are_one_call() -> None:
    desk = Desk(prospects=3)

    answers = submit_at_once(desk.api, f"campaigns/{desk.campaign.pk}/next-call/", {})

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert Call.objects.count() == 1


def test_an_upload_that_is_sent_twice_at_once_is_one_import() -> None:
    world = make_world()
    make_entry(world.desk.campaign)

    def upload() -> Any:
        fields = {"file": csv(), "source": world.source.slug}
        return world.manager.upload(world.campaign + "imports/", fields, Idempotency_Key="a")

    answers = race(*[upload] * SUBMITS)

    assert {answer.status_code for answer in answers} <= {202, 409}
    assert ImportJob.objects.count() == 1


def test_a_criterion_that_is_sent_twice_at_once_without_a_key_is_one_criterion() -> None:
    world = make_world()
    path = f"programmes/{world.desk.programme.pk}/criteria/"
    body = {"field": "city", "operator": "is_set", "question": "Quelle ville ?"}
    before = Criterion.objects.count()

    answers = race(*[lambda: world.manager.post(path, body)] * SUBMITS)

    assert sorted(answer.status_code for answer in answers) == [201, 400, 400]
    assert Criterion.objects.count() == before + 1
