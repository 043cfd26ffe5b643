"""The demo: what it holds, that it can be loaded again, and that nothing of it spoils by waiting."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from calls.enums import CallState, IncidentKind
from calls.management.commands.demo import load_demo
from calls.models import Call, Callback, Incident
from calls.rules.demo_past import QUIET, ZONE, past_calls, picks_up, slots
from calls.selectors.call_screen import screen_of
from calls.services.claim import claim_next
from calls.services.lease import expire_leases
from campaigns.enums import CampaignStatus, EntryState, ExclusionReason
from campaigns.models import Campaign, Exclusion, ImportJob, ListEntry, Programme
from campaigns.services.entries import add_prospects
from crm.enums import Role
from crm.models import Prospect, ProspectNumber, Sponsor, User
from tests.stories import everything

#: A Thursday at three in the morning in Paris, a Sunday, a Monday at noon.
NIGHT = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
SUNDAY = datetime(2026, 11, 29, 14, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 30, 11, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def night(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The demo as it was loaded at `NIGHT`, once for all tests: each of them undoes what it does with it."""
    with django_db_blocker.unblock(), transaction.atomic():
        load_demo(at=NIGHT)
        connection.check_constraints()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def demo(night: None, db: None) -> None:
    """The loaded demo, for a test."""


def campaign(slug: str) -> Campaign:
    return Campaign.objects.select_related("programme").get(slug=slug)


def test_it_holds_what_the_contract_says(demo: None) -> None:
    assert (Sponsor.objects.count(), Programme.objects.count(), Campaign.objects.count()) == (2, 3, 4)
    assert dict(User.objects.values_list("username", "role")) == {
        "agent": Role.AGENT,
        "agent2": Role.AGENT,
        "supervisor": Role.SUPERVISOR,
        "manager": Role.MANAGER,
    }
    assert all(user.check_password("demo") for user in User.objects.all())
    assert 1_000 <= Prospect.objects.count() < 1_050
    fictitious = ("+3319900", "+3326191", "+3335301", "+3346571", "+3353649")
    numbers = ProspectNumber.objects.values_list("number", flat=True)
    assert [number for number in numbers if not number.startswith(fictitious)] == []


def test_its_past_has_something_of_every_kind(demo: None) -> None:
    stories = Counter(Call.objects.values_list("disposition__code", flat=True))
    assert {"complete", "out_of_criteria", "callback", "refusal", "opt_out", "appointment"} <= stories.keys()
    assert not Call.objects.exclude(state=CallState.DONE).exists()
    assert {call.agent.username for call in Call.objects.select_related("agent")} == {"agent", "agent2"}
    reasons = set(Exclusion.objects.values_list("reason", flat=True))
    assert reasons == set(ExclusionReason.values)
    assert Exclusion.objects.filter(lifted_at__isnull=False).exists()
    waiting = Counter(Incident.objects.waiting().values_list("kind", flat=True))
    assert waiting == dict.fromkeys(
        (
            IncidentKind.SHARED_NUMBER,
            IncidentKind.ENTRY_ERROR,
            IncidentKind.RESOURCING,
            IncidentKind.HANG_UP_REVIEW,
        ),
        1,
    )
    assert Incident.objects.filter(decision_row__isnull=False).count() >= 5
    assert ImportJob.objects.get().counts["rejected"] == 3
    assert Campaign.objects.get(status=CampaignStatus.PAUSED).slug == "banques-hiver"
    states = set(ListEntry.objects.values_list("state", flat=True))
    assert states == set(EntryState.values) - {EntryState.CLAIMED, EntryState.EXHAUSTED}


@pytest.mark.parametrize("at", [NIGHT, SUNDAY, NOON])
def test_its_past_lies_in_office_hours_and_before_it_was_loaded(at: datetime) -> None:
    calls = past_calls(at)

    assert len(calls) > 60
    begun = [moment.astimezone(ZONE) for moment, _call in calls]
    assert begun == sorted(begun)
    assert all(moment.isoweekday() <= 5 and 9 <= moment.hour < 18 for moment in begun)
    assert slots(at)[-1] <= at - QUIET
    for agent in ("agent", "agent2"):
        own = [moment for moment, call in calls if call.agent == agent]
        assert min(after - before for before, after in pairwise(own)) >= timedelta(minutes=6)


def test_loading_it_again_changes_nothing_whatever_was_done_with_it_since(demo: None) -> None:
    agent = User.objects.get(username="agent")
    claim_next(campaign=campaign("banques-automne"), by=agent, at=NIGHT + timedelta(minutes=1))
    Sponsor.objects.filter(name__startswith="Obs").update(name="Rebaptisé")
    User.objects.filter(username="agent2").update(username="sacha")
    before = everything(), User.objects.count(), Prospect.objects.count()
    out = StringIO()

    call_command("demo", stdout=out)

    assert (everything(), User.objects.count(), Prospect.objects.count()) == before
    assert "nothing changed" in out.getvalue()


@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=9), timedelta(days=7), timedelta(days=90)])
def test_nothing_of_it_spoils_by_waiting(demo: None, later: timedelta) -> None:
    now = NIGHT + later
    agent = User.objects.get(username="agent")

    assert expire_leases(at=now) == 0
    first = claim_next(campaign=campaign("banques-automne"), by=agent, at=now)

    # The simulated phone says "Boulangerie Martin" at numbers that end in 4.
    assert first is not None
    assert first.number.endswith("4")
    assert not Callback.objects.filter(created_at__gte=NIGHT).exists()


def test_the_treasury_first_calls_somebody_who_was_disturbed_by_mistake(demo: None) -> None:
    agent = User.objects.get(username="agent")
    later = NIGHT + timedelta(days=7)

    call = claim_next(campaign=campaign("tresorerie"), by=agent, at=later)

    assert call is not None
    shown = screen_of(call, later)
    assert shown.disturbances
    assert shown.apology
    assert picks_up(call.number)


def test_a_callback_is_due_today_and_its_agent_is_told(demo: None) -> None:
    mine = Callback.objects.get(owner__username="agent")

    assert mine.due_at.astimezone(ZONE).date() == NIGHT.astimezone(ZONE).date()
    assert mine.due_at > NIGHT


def test_the_story_of_the_readme_is_refused_its_second_call(demo: None) -> None:
    final = Call.objects.filter(disposition__code="out_of_criteria", campaign__slug="banques-automne").first()
    assert final is not None
    assert final.prospect is not None

    again = add_prospects(
        campaign=campaign("banques-hiver"), prospects=[final.prospect], by=None, at=timezone.now()
    )

    assert (again.added, again.excluded) == (0, 1)
