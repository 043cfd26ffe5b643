"""The funnel and the health of a campaign: every number is a link, and its list shows exactly that many."""

import random
import re
from datetime import datetime, timedelta
from html import unescape
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calls.models import Call
from calls.selectors import activity
from calls.services.claim import claim_next
from calls.services.dispositions import correct_disposition, finish
from campaigns.enums import EntryState, Progress
from campaigns.models import Campaign, Disposition, ListEntry
from campaigns.selectors.entries import entries_found
from campaigns.selectors.funnel import STAGES, funnel_of
from campaigns.selectors.health import health_of
from campaigns.selectors.queue import queue_counts
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_entry,
    make_programme,
    make_prospect,
    make_sponsor,
    make_user,
)
from tests.paging import signed_in, text_of
from tests.talking import Talk

pytestmark = pytest.mark.django_db

ZONES = ("Europe/Paris", "America/Martinique", "Pacific/Noumea", "")


def random_list(campaign: Campaign, seed: int, count: int = 80, *, around: datetime = NOW) -> None:
    """Fill a list with entries in every state, due at any time around a moment, of every progress and verdict."""
    rng = random.Random(seed)
    outcomes = {
        Progress.TRIED: ["no_answer", "busy"],
        Progress.REACHED: ["refusal", "out_of_criteria", "callback"],
        Progress.IN_CRITERIA: ["partial", "not_interested"],
        Progress.COMPLETED: ["complete", "appointment"],
    }
    known = {row.code: row for row in Disposition.objects.all()}
    verdicts = {
        EntryState.EXCLUDED: [("exclusion", "opposition"), ("exclusion", "refusal")],
        EntryState.SCREENED_OUT: [
            ("criteria", "contradicted:une banque"),
            ("criteria", "contradicted:du pain"),
        ],
        EntryState.EXHAUSTED: [("number", "no_number"), ("", ""), ("attempts", "cap:4")],
        EntryState.READY: [("", ""), ("window", "outside_hours"), ("attempts", "cap:4")],
        EntryState.CALLBACK: [("", ""), ("window", "outside_hours")],
    }
    for _number in range(count):
        state = rng.choice(EntryState.values)
        progress = rng.choice(["", "", *Progress.values])
        gate, reason = rng.choice(verdicts.get(EntryState(state), [("", "")]))
        make_entry(
            campaign,
            state=state,
            progress=progress,
            outcome=known[rng.choice(outcomes[Progress(progress)])] if progress else None,
            verdict_gate=gate,
            verdict_reason=reason,
            due_at=around + timedelta(minutes=rng.choice([-600, -5, 5, 600, 6000])),
            time_zone=rng.choice(ZONES),
            exact=rng.random() < 0.3,
            attempts=rng.randrange(5),
        )


def shown(campaign: Campaign, query: str) -> int:
    """Return how many entries the list of a link shows at `NOW`."""
    return entries_found(campaign, at=NOW, **dict(parse_qsl(query))).count()


@pytest.mark.parametrize("seed", range(4))
def test_each_number_of_the_funnel_is_the_count_of_its_list(seed: int) -> None:
    campaign = make_campaign(calling_rule="default")
    random_list(campaign, seed)
    random_list(make_campaign(campaign.programme), seed + 100, count=10)

    stages = funnel_of(queue_counts(campaign, NOW).groups)

    assert [stage.code for stage in stages] == list(STAGES)
    for stage in stages:
        assert shown(campaign, stage.query) == stage.count
        for loss in stage.losses:
            assert shown(campaign, loss.query) == loss.count, loss
    for stage, following in pairwise(stages):
        assert stage.count - following.count == sum(loss.count for loss in stage.losses)


@pytest.mark.parametrize("status", ["running", "paused", "draft", "closed"])
@pytest.mark.parametrize("rule", ["default", "none"])
@pytest.mark.parametrize("seed", [7, 8])
def test_each_number_of_the_health_is_the_count_of_its_list(status: str, rule: str, seed: int) -> None:
    campaign = make_campaign(calling_rule=rule, status=status)
    random_list(campaign, seed)

    health = health_of(campaign, at=NOW)

    assert sum(health.counts.states.values()) == health.counts.total == 80
    assert sum(segment.count for segment in health.segments) == 80
    told: list[Any] = [*health.parts, *health.reasons, *health.segments]
    for part in told:
        assert shown(campaign, part.query) == part.count, part


def test_the_groups_are_counted_once_whatever_is_due_later() -> None:
    campaign = make_campaign()
    make_entry(campaign)
    make_entry(campaign, due_at=NOW + timedelta(hours=2))
    make_entry(campaign, due_at=NOW + timedelta(hours=3))

    counts = queue_counts(campaign, NOW)

    assert (counts.callable, counts.waiting, counts.total) == (1, 2, 3)
    assert counts.opens_at == NOW + timedelta(hours=2)
    assert not counts.opens_alike


# ---- the sentence


def sentence_of(campaign: Campaign) -> str:
    return health_of(campaign, at=NOW).sentence.replace("\N{NO-BREAK SPACE}", " ")


def test_the_sentence_says_who_can_be_called_who_waits_until_when_and_who_is_out() -> None:
    campaign = make_campaign(calling_rule="default")
    for _number in range(3):
        make_entry(campaign)
    for _number in range(2):
        make_entry(campaign, due_at=NOW + timedelta(hours=3))
    make_entry(campaign, state="screened_out")

    assert sentence_of(campaign) == "3 appelables maintenant, 2 attendent 14 h, 1 hors-critères sur papier."


def test_the_sentence_names_the_day_when_it_is_not_today() -> None:
    campaign = make_campaign()
    make_entry(campaign, due_at=NOW + timedelta(days=2, minutes=32))
    make_entry(campaign, due_at=NOW + timedelta(days=3))

    assert sentence_of(campaign) == (
        "Personne n'est appelable maintenant : rappel ou nouvelle tentative à l'heure prévue. "
        "2 attendent, au plus tôt le 27 novembre à 11 h 32."
    )


@pytest.mark.parametrize(
    ("status", "states", "sentence"),
    [
        ("running", [], "La liste est vide."),
        ("draft", [], "En préparation : rien n'est servi. La liste est vide."),
        ("draft", ["ready"], "En préparation : rien n'est servi. 1 attend."),
        ("paused", ["ready", "done"], "En pause : rien n'est servi. 1 attend, 1 terminée."),
        ("closed", ["done", "excluded"], "Terminée : plus personne n'est appelé. 1 terminée, 1 exclue."),
        ("running", ["claimed"], "Les dernières fiches sont chez des agents."),
        ("running", ["exhausted", "excluded"], "Plus personne à appeler. 1 exclue, 1 épuisée."),
    ],
)
def test_the_sentence_fits_every_state(status: str, states: list[str], sentence: str) -> None:
    campaign = make_campaign(status=status)
    for state in states:
        make_entry(campaign, state=state)

    assert sentence_of(campaign) == sentence


# ---- what calls write


def progress_of(talk: Talk) -> tuple[str, str]:
    """Return how far the calls brought an entry, and by which disposition."""
    entry = ListEntry.objects.select_related("outcome").get(pk=talk.entry_id)
    return entry.progress, entry.outcome.code if entry.outcome else ""


def test_a_call_that_reached_nobody_was_tried() -> None:
    talk = Talk().not_reached()
    assert progress_of(talk) == ("", "")

    talk.disposed("no_answer")

    assert progress_of(talk) == ("tried", "no_answer")


@pytest.mark.parametrize(
    ("verbs", "code", "progress"),
    [
        (("matched",), "complete", "completed"),
        (("matched",), "not_interested", "in_criteria"),
        (("matched",), "refusal", "in_criteria"),
        (("greeted",), "not_interested", "reached"),
    ],
)
def test_a_conversation_goes_as_far_as_what_was_said(
    verbs: tuple[str, ...], code: str, progress: str
) -> None:
    talk = Talk()
    for verb in verbs:
        getattr(talk, verb)()

    talk.disposed(code)

    assert progress_of(talk) == (progress, code)


def test_a_mismatch_is_a_conversation_out_of_criteria_at_once() -> None:
    assert progress_of(Talk().mismatched()) == ("reached", "out_of_criteria")


def test_a_correction_moves_the_entry_with_it() -> None:
    talk = Talk().matched().disposed("complete").said("thank", "goodbye").hung_up()
    finish(**talk.by())

    correct_disposition(code="voicemail", reason="c'était la messagerie", **talk.by(talk.supervisor))
    assert progress_of(talk) == ("tried", "voicemail")

    correct_disposition(code="complete", reason="non, une personne", **talk.by(talk.supervisor))
    assert progress_of(talk) == ("completed", "complete")


def test_a_later_try_does_not_undo_a_conversation() -> None:
    talk = Talk().matched().disposed("partial", note="la suite demain").said("thank", "goodbye").hung_up()
    finish(**talk.by())
    ListEntry.objects.filter(pk=talk.entry_id).update(state="ready", due_at=NOW)
    claimed = claim_next(campaign=talk.campaign, by=talk.agent, at=talk.at)
    assert claimed is not None
    talk.call = Call.objects.get(pk=claimed.pk)

    talk.not_reached().disposed("no_answer")

    assert progress_of(talk) == ("in_criteria", "partial")


@pytest.mark.parametrize(("progress", "outcome"), [("tried", False), ("", True), ("unknown", True)])
def test_no_progress_without_an_outcome_nor_the_other_way_round(progress: str, outcome: bool) -> None:
    entry = make_entry()
    code = Disposition.objects.get(code="busy").pk if outcome else None

    with (
        pytest.raises(IntegrityError, match="entry_progress_by_its_outcome"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE campaigns_listentry SET progress = %s, outcome_id = %s WHERE id = %s",
            [progress, code, entry.pk],
        )


# ---- the pages


def links_of(page: Any, path: str) -> dict[str, str]:
    """Return the words of the links to a list, by their address."""
    html = page.content.decode()
    found = re.findall(rf'<a[^>]*href="{re.escape(path)}\?([^"]+)"[^>]*>(.*?)</a>', html, re.S)
    return {unescape(query): " ".join(re.sub(r"<[^>]+>", " ", words).split()) for query, words in found}


def test_every_number_on_the_page_leads_to_a_list_of_as_many() -> None:
    client, _user = signed_in()
    campaign = make_campaign()
    random_list(campaign, seed=3, count=40)
    path = reverse("entry-list", args=[campaign.slug])

    links = links_of(client.get(reverse("campaign", args=[campaign.slug])), path)

    assert len(links) > 12
    for query, words in links.items():
        if "sort=" in query:
            continue
        count = int(next(filter(None, re.findall(r"\d+", words))))
        page = text_of(client.get(f"{path}?{query}"))
        assert re.search(rf"\b{count} fiches?\b", page), (query, words)


def test_a_supervisor_sees_the_funnel_of_their_sponsor_only() -> None:
    mine, theirs = make_sponsor(), make_sponsor()
    client = Client()
    client.force_login(make_user("supervisor", sponsors=[mine]))
    own, foreign = (make_campaign(make_programme(sponsor)) for sponsor in (mine, theirs))
    for campaign in (own, foreign):
        make_entry(campaign, make_prospect(organisation=f"Banque {campaign.slug}"))

    home = text_of(client.get(reverse("home")))
    listed = text_of(client.get(reverse("campaign-list"), {"sponsor": theirs.pk}))

    assert own.name in home
    assert foreign.name not in home
    assert foreign.name not in listed
    for name in ("campaign", "campaign-queue", "entry-list"):
        assert client.get(reverse(name, args=[own.slug])).status_code == 200
        assert client.get(reverse(name, args=[foreign.slug])).status_code == 404


@pytest.mark.parametrize("name", ["entry-list", "campaign"])
def test_a_confidential_fiche_is_masked_in_every_list(name: str) -> None:
    client, _user = signed_in()
    secret = make_prospect("+33199007788", organisation="Cabinet secret", confidential=True)
    entry = make_entry(make_campaign(), secret, state="callback")

    page = client.get(reverse(name, args=[entry.campaign.slug])).content.decode()

    assert "Cabinet secret" not in page
    assert "01 99 00 77 88" not in page
    assert reverse("prospect", args=[secret.pk]) in page


@pytest.mark.parametrize(("name", "queries"), [("campaign", 8), ("entry-list", 7), ("campaign-queue", 4)])
def test_a_page_costs_the_same_with_ten_or_twenty_fiches(
    name: str, queries: int, django_assert_num_queries: Any
) -> None:
    client, _user = signed_in()
    campaign = make_campaign()
    make_criterion(campaign.programme)
    url = reverse(name, args=[campaign.slug])
    random_list(campaign, seed=1, count=10)
    with django_assert_num_queries(queries):
        client.get(url)
    random_list(campaign, seed=2, count=10)

    with django_assert_num_queries(queries):
        client.get(url)


@pytest.mark.parametrize("when", ["now", "later"])
@pytest.mark.parametrize("narrowed", ["", "&state=ready"])
def test_a_list_by_the_hours_costs_no_more_and_is_counted_as_the_queue_counts_it(
    when: str, narrowed: str, django_assert_max_num_queries: Any
) -> None:
    client, _user = signed_in()
    campaign = make_campaign()
    random_list(campaign, seed=3, count=30, around=timezone.now())
    counts = queue_counts(campaign, timezone.now())

    with django_assert_max_num_queries(8):
        page = client.get(f"{reverse('entry-list', args=[campaign.slug])}?when={when}{narrowed}").context[
            "page"
        ]

    assert page.count == len(page.rows)
    if not narrowed:
        assert page.count == (counts.callable if when == "now" else counts.waiting) > 0


# ---- the days


def test_a_day_counts_what_its_calls_came_to() -> None:
    talk = Talk().matched().disposed("complete")
    wrong = Talk(programme=talk.programme).mismatched()
    Talk(programme=talk.programme).not_reached().disposed("busy")
    today = activity.today_of([talk.campaign, wrong.campaign], at=talk.at)

    days = activity.days_of(talk.campaign, at=talk.at)

    assert len(days) == activity.DAYS
    assert days[-1] == today[talk.campaign.pk]
    assert (days[-1].made, days[-1].reached, days[-1].out, days[-1].completed) == (1, 1, 0, 1)
    assert sum(day.made for day in days[:-1]) == 0
    assert (today[wrong.campaign.pk].out, today[wrong.campaign.pk].completed) == (1, 0)
