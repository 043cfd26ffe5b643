"""Calls in a list are said exactly as each one alone, and their number does not change the number of questions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calls.api.representation import READ_WITH, call_out, calls_out
from calls.models import Call
from calls.services.claim import claim_next
from calls.services.dial import dial_manually
from calls.services.talk import answer_criterion
from campaigns.models import Disposition, DispositionRule
from crm.models import User
from tests.factories import make_criterion, make_programme, make_prospect, make_user, next_number
from tests.talking import Talk

pytestmark = pytest.mark.django_db

LATER = timedelta(minutes=2)
AT_LENGTH = ("apologise", "thank", "goodbye")


def unknown_first(talk: Talk) -> Talk:
    """The person did not know the second criterion; called back, it is asked first, and one is answered again."""
    second = make_criterion(talk.programme, question="Et de quelle taille ?", position=5, blocking=False)
    talk.greeted()
    answer_criterion(criterion=second, result="unknown", heard="", **talk.by())
    talk.said("thank", "goodbye").hung_up().disposed("callback", callback_at=talk.at + timedelta(hours=1))
    talk.at += timedelta(hours=2)
    claimed = claim_next(campaign=talk.campaign, by=talk.agent, at=talk.at)
    assert claimed is not None
    talk.call = claimed
    talk.greeted()
    return talk


def by_hand(talk: Talk) -> Talk:
    """A number without a fiche is called, whose disposition cannot ask for a callback."""
    talk.not_reached().disposed("no_answer")
    talk.call = dial_manually(
        campaign=talk.campaign, prospect=None, number=next_number(), by=talk.agent, at=talk.at + LATER
    )
    return talk.answered()


def in_english(talk: Talk) -> Talk:
    """A closing that is not said in the campaign's language."""
    type(talk.prospect).objects.filter(pk=talk.prospect.pk).update(language="en")
    return talk.mismatched().said("apologise")


def offering_less(talk: Talk) -> Talk:
    """A campaign that does not offer every disposition."""
    code = Disposition.objects.get(code="partial")
    DispositionRule.objects.create(campaign=talk.campaign, disposition=code, enabled=False)
    return talk.greeted()


STORIES: list[Callable[[Talk], Any]] = [
    lambda talk: talk,
    Talk.dialled,
    Talk.answered,
    Talk.matched,
    Talk.mismatched,
    lambda talk: talk.mismatched().said("apologise"),
    lambda talk: talk.mismatched().said(*AT_LENGTH).hung_up(),
    lambda talk: talk.mismatched().hung_up("agent"),
    lambda talk: talk.matched().said("thank"),
    lambda talk: talk.matched().hung_up(),
    lambda talk: talk.matched().said("thank", "goodbye").hung_up().disposed("complete"),
    lambda talk: talk.greeted().hung_up().disposed("callback", callback_at=talk.at + timedelta(hours=1)),
    Talk.not_reached,
    lambda talk: talk.not_reached().disposed("no_answer"),
    by_hand,
    unknown_first,
    in_english,
    offering_less,
]


def all_calls() -> list[Call]:
    return list(Call.objects.select_related(*READ_WITH).order_by("id"))


def make_stories(count: int) -> None:
    programme = make_programme()
    for number in range(count):
        STORIES[number % len(STORIES)](
            Talk(
                programme=programme if number % 2 else None,
                prospect=make_prospect(organisation=f"Banque {number}"),
            )
        )


@pytest.mark.parametrize("role", ["agent", "supervisor"])
def test_many_calls_are_said_as_each_one_alone(role: str) -> None:
    reader: User = make_user(role)
    make_stories(len(STORIES))
    calls = all_calls()
    at = max(call.started_at for call in calls) + LATER

    together = calls_out(calls, at, reader)

    assert together == [call_out(call, at, reader) for call in calls]
    assert {row["state"] for row in together} >= {
        "claimed",
        "dialling",
        "connected",
        "closing",
        "ended",
        "done",
    }
    assert all(row["dispositions"] == [] for row in together if row["state"] == "done")


def test_forty_calls_are_said_with_as_many_questions_as_ten() -> None:
    reader: User = make_user("supervisor")
    make_stories(10)
    few = questions(reader)
    make_stories(30)

    many = questions(reader)

    assert few == many <= 7


def questions(reader: User) -> int:
    calls = all_calls()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        calls_out(calls, calls[-1].started_at + LATER, reader)
    return len(asked)
