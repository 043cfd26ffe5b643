"""Whom a claim serves first, and what the process remembers from one claim to the next."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calls.models import Call
from calls.selectors import claiming
from calls.services import claim
from calls.services.claim import claim_next
from campaigns.enums import CampaignStatus, EntryState, Gate, Operator
from campaigns.models import Attempt, Campaign, Criterion, ListEntry
from crm.enums import NumberKind
from crm.models import ProspectEvent, ProspectNumber, User
from crm.rules.errors import ProspectExcluded
from tests.factories import NOW, make_campaign, make_criterion, make_entry, make_prospect, make_user
from tests.talking import Talk

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """Each test begins as a new process does."""
    claiming._HINTS.clear()


def served(campaign: Campaign, by: User | None = None) -> int | None:
    """Claim for an agent who is free; return the entry, or None."""
    call = claim_next(campaign=campaign, by=by or make_user(), at=NOW)
    return None if call is None else call.entry_id


def all_served(campaign: Campaign, **agent: Any) -> list[int]:
    """Claim until nobody is left; return the entries in the order of service."""
    return list(iter(lambda: served(campaign, make_user(**agent)), None))


def test_the_more_pressing_comes_first_whatever_its_language_and_time_zone() -> None:
    campaign = make_campaign()
    late = make_entry(campaign, due_at=NOW - HOUR)
    early = make_entry(campaign, due_at=NOW - 2 * HOUR, language="en", time_zone="Indian/Reunion")
    urgent = make_entry(campaign, priority=5, language="fr", time_zone="America/Martinique")
    make_entry(campaign, due_at=NOW + HOUR, priority=9)

    assert all_served(campaign, languages=["en"]) == [urgent.pk, early.pk, late.pk]


def test_a_callback_that_is_due_comes_before_fresh_records_and_to_its_owner_alone() -> None:
    campaign, owner = make_campaign(), make_user()
    fresh = make_entry(campaign, priority=9)
    make_entry(campaign, state=EntryState.CALLBACK, due_at=NOW + HOUR)
    own = make_entry(campaign, state=EntryState.CALLBACK, owner=owner)
    pool = make_entry(campaign, state=EntryState.CALLBACK)

    assert served(campaign) == pool.pk
    assert served(campaign) == fresh.pk
    assert served(campaign) is None
    assert served(campaign, owner) == own.pk


def test_only_languages_that_the_agent_speaks_are_served() -> None:
    campaign = make_campaign(language="fr")
    german = make_entry(campaign, language="de")
    french = make_entry(campaign, language="fr")
    unsaid = make_entry(campaign, language="")

    assert all_served(campaign, languages=["en"]) == [french.pk, unsaid.pk]
    assert all_served(campaign, languages=["de"]) == [german.pk]


def test_zones_where_the_hours_are_shut_wait_in_the_list_unrefused() -> None:
    # 11:00 in Paris is 14:00 in Réunion and 06:00 in Martinique.
    campaign = make_campaign(calling_rule="default")
    shut = make_entry(campaign, priority=9, time_zone="America/Martinique")
    nowhere = make_entry(campaign, priority=8, time_zone="")
    here = make_entry(campaign)
    there = make_entry(campaign, time_zone="Indian/Reunion", due_at=NOW - HOUR)

    assert all_served(campaign) == [there.pk, here.pk]
    waiting = ListEntry.objects.filter(pk__in=[shut.pk, nowhere.pk])
    assert set(waiting.values_list("state", "verdict_gate")) == {("ready", "")}


def test_a_zone_that_no_claim_has_seen_yet_is_judged_before_it_is_served() -> None:
    campaign = make_campaign(calling_rule="default")
    first = make_entry(campaign)
    assert served(campaign) == first.pk

    make_entry(campaign, priority=9, time_zone="America/Martinique")
    there = make_entry(campaign, time_zone="Indian/Reunion")

    assert all_served(campaign) == [there.pk]


def test_a_criterion_that_came_since_the_last_claim_counts_at_once() -> None:
    campaign = make_campaign()
    first = make_entry(campaign)
    assert served(campaign) == first.pk

    bakery = make_entry(campaign, make_prospect(sector="10.71C"))
    bank = make_entry(campaign, make_prospect(sector="64.19Z"))
    make_criterion(campaign.programme)
    assert served(campaign) == bank.pk
    bakery.refresh_from_db()
    assert (bakery.state, bakery.verdict_gate) == (EntryState.SCREENED_OUT, Gate.CRITERIA)

    other = make_entry(campaign, make_prospect(sector="10.71C"))
    Criterion.objects.update(value="10")
    assert served(campaign) == other.pk


@pytest.mark.parametrize("value", ["100 % \\ 'x' {0} {on} %s %(at)s <against>", '"; DROP', "é\\'"])
def test_the_text_of_a_criterion_is_a_value_whatever_it_holds(value: str) -> None:
    campaign = make_campaign()
    make_criterion(
        campaign.programme, field="job_title", operator=Operator.EQUALS, value=value, expected=value
    )
    same = make_entry(campaign, make_prospect(job_title=value))
    make_entry(campaign, make_prospect(job_title="autre"))

    assert all_served(campaign) == [same.pk]
    assert ListEntry.objects.get(state=EntryState.SCREENED_OUT).verdict_reason.endswith(value)


def test_an_entry_that_lost_its_number_is_refused_and_holds_nobody_up() -> None:
    campaign = make_campaign()
    lost = make_entry(campaign, number="", priority=9)
    other = make_entry(campaign)

    assert served(campaign) == other.pk
    lost.refresh_from_db()
    assert (lost.state, lost.verdict_gate, lost.verdict_reason) == ("exhausted", "number", "no_number")


def test_a_campaign_that_stopped_a_moment_ago_serves_nobody() -> None:
    campaign = make_campaign()
    make_entry(campaign)
    Campaign.objects.update(status=CampaignStatus.PAUSED)

    assert served(campaign) is None


@pytest.fixture
def unprepared() -> Iterator[None]:
    """A connection as `DATABASE_PREPARE=0` makes it."""
    connection.ensure_connection()
    usual, connection.connection.prepare_threshold = connection.connection.prepare_threshold, None
    yield
    connection.connection.prepare_threshold = usual


def kept_plans() -> tuple[int, int]:
    """Return how often what a claim asks was planned on this connection, and how often a kept plan served."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(custom_plans), 0)::int, coalesce(sum(generic_plans), 0)::int"
            " FROM pg_prepared_statements WHERE statement LIKE '%%courtois_claim_look%%'"
        )
        planned, served = cursor.fetchone()
        return planned, served


@pytest.mark.parametrize("value", ["", "64"])
def test_what_a_claim_asks_is_planned_once_and_for_all(value: str) -> None:
    campaign = make_campaign()
    if value:
        make_criterion(campaign.programme, value=value)
    for _ in range(12):
        make_entry(campaign, make_prospect(sector="64.19Z"))
    before = kept_plans()

    assert len(all_served(campaign)) == 12
    planned, kept = (after - former for after, former in zip(kept_plans(), before, strict=True))
    # PostgreSQL plans a statement five times before it compares; the first claim knows neither zones nor criteria.
    assert planned <= 7
    assert kept >= 6


def test_a_claim_is_one_statement() -> None:
    campaign, agents = make_campaign(), [make_user(), make_user()]
    make_entry(campaign)
    make_entry(campaign)
    # The first one learns the zones of the campaign.
    assert served(campaign, agents[0]) is not None

    with CaptureQueriesContext(connection) as asked:
        assert served(campaign, agents[1]) is not None
    assert len([query for query in asked if "SAVEPOINT" not in query["sql"]]) == 1


def tire(campaign: Campaign, entry: ListEntry) -> tuple[str, str]:
    """Use up the attempts of an entry; return the gate's words."""
    Attempt.objects.create(
        prospect=entry.prospect,
        number=entry.number,
        sponsor=campaign.programme.sponsor,
        campaign=campaign,
        at=NOW,
        local_date=NOW.date(),
        call_ref=1,
    )
    return Gate.ATTEMPTS, "cap:1"


def make_fax(campaign: Campaign, entry: ListEntry) -> tuple[str, str]:
    """Find out that the line of an entry is a fax, which the look does not ask; return the gate's words."""
    ProspectNumber.objects.filter(number=entry.number).update(kind=NumberKind.FAX)
    return Gate.NUMBER, "fax"


@pytest.mark.parametrize(("obstacle", "undone"), [(tire, 0), (make_fax, 1)])
def test_what_the_gate_refuses_leaves_no_call_behind(
    obstacle: Callable[[Campaign, ListEntry], tuple[str, str]], undone: int
) -> None:
    campaign = make_campaign(calling_rule="default", max_attempts=1)
    # The zones of the campaign are known from an earlier claim.
    assert served(campaign) is None
    make_entry(campaign)
    assert served(campaign) is not None
    before = Call.objects.count(), ProspectEvent.objects.filter(kind="claimed").count()
    refused = make_entry(campaign, priority=9)
    words = obstacle(campaign, refused)
    other = make_entry(campaign)

    with CaptureQueriesContext(connection) as asked:
        assert served(campaign) == other.pk
    refused.refresh_from_db()
    assert (refused.verdict_gate, refused.verdict_reason) == words
    after = Call.objects.count(), ProspectEvent.objects.filter(kind="claimed").count()
    assert after == (before[0] + 1, before[1] + 1)
    assert len([query for query in asked if query["sql"].startswith("ROLLBACK")]) == undone


def test_the_claim_that_finishes_a_call_first_takes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk().not_reached()
    following = make_entry(talk.campaign)
    looks = []

    def look(**given: Any) -> claiming.Look:
        looks.append(given["lease_until"] is not None)
        return claiming.look(**given)

    monkeypatch.setattr(claim, "look", look)
    call = claim_next(campaign=talk.campaign, by=talk.agent, at=talk.at)
    assert call is not None
    assert (call.entry_id, looks) == (following.pk, [True, True])


def test_a_bar_that_came_while_a_claim_looked_lets_it_look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = make_campaign()
    entry = make_entry(campaign)
    refusals = [ProspectExcluded()]

    def look(**given: Any) -> claiming.Look:
        if refusals:
            raise refusals.pop()
        return claiming.look(**given)

    monkeypatch.setattr(claim, "look", look)
    assert served(campaign) == entry.pk


@pytest.mark.usefixtures("unprepared")
def test_a_claim_does_without_prepared_statements_where_a_pooler_forbids_them() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    connection.connection._prepared.clear()
    campaign = make_campaign()
    entry = make_entry(campaign)

    assert served(campaign) == entry.pk
    assert Call.objects.get().entry_id == entry.pk
    assert kept_plans() == (0, 0)
