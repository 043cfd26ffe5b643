"""The figures of the manager's pages as JSON: what the pages say, to whom they say it."""

import pytest
from django.utils import timezone

from calls.selectors.activity import days_of
from calls.selectors.courtesy import courtesies
from campaigns.selectors.funnel import funnel_of
from campaigns.selectors.health import health_of
from crm.models import Sponsor
from tests import importing
from tests.api_client import Api, problem_of
from tests.factories import make_sponsor, make_user
from tests.test_api_calls import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    """A desk with a conversation that ended out of criteria, politely, and one prospect left."""
    desk = Desk(prospects=2)
    desk.mismatched().said("apologise", "thank", "goodbye")
    desk.done("events", event="hung_up", by="prospect", evidence="softphone")
    desk.done("disposition", code="out_of_criteria")
    return desk


def test_the_report_of_a_campaign_says_what_its_page_says(desk: Desk) -> None:
    report = Api(make_user("supervisor")).get(f"reports/campaigns/{desk.campaign.pk}/?days=7").json()

    standing = health_of(desk.campaign, at=timezone.now())
    stages = funnel_of(standing.counts.groups)
    assert (report["sentence"], report["callable"], report["total"]) == (standing.sentence, 1, 2)
    assert {row["stage"]: row["count"] for row in report["funnel"]} == {row.code: row.count for row in stages}
    today = days_of(desk.campaign, at=timezone.now())[-1]
    assert len(report["days"]) == 7
    assert report["days"][-1] == {
        "day": today.day.isoformat(),
        "made": 1,
        "reached": 1,
        "out_of_criteria": 1,
        "completed": 0,
    }


def test_the_day_tells_of_the_campaigns_that_run_inside_the_walls(desk: Desk) -> None:
    narrow: Sponsor = make_sponsor()

    seen = Api(make_user("manager")).get("reports/day/").json()
    walled = Api(make_user("manager", sponsors=[narrow])).get("reports/day/").json()

    assert [(row["campaign"], row["today"]["made"]) for row in seen["running"]] == [(desk.campaign.pk, 1)]
    assert walled["running"] == walled["resting"] == []


def test_courtesy_is_told_by_period_or_from_a_day_to_another(desk: Desk) -> None:
    supervisor, today = Api(make_user("supervisor")), timezone.localdate().isoformat()

    periods = supervisor.get(f"reports/courtesy/?campaign={desk.campaign.pk}").json()["periods"]
    [between] = supervisor.get(f"reports/courtesy/?from={today}&to={today}").json()["periods"]

    (row,) = courtesies(type(desk.programme.sponsor).objects.all(), timezone.now())
    assert [period["days"] for period in periods] == [1, 7, 30]
    assert periods[0]["total"] == between["total"]
    assert between["total"] == {
        "calls": row.periods[1].calls,
        "whole": 1,
        "interrupted": 0,
        "by_person": 1,
        "by_agent": 0,
    }
    assert between["agents"][0]["agent"] == desk.agent.pk


@pytest.mark.parametrize(
    "query",
    ["from=2026-01-02", "from=2026-01-02&to=2026-01-01", "from=hier&to=demain", "campaign=1", "day=1"],
)
def test_a_question_that_cannot_be_meant_is_refused(query: str) -> None:
    problem_of(Api(make_user("supervisor")).get(f"reports/courtesy/?{query}"), "validation", 400)


def test_the_quality_of_each_supplier_and_import_is_told_to_managers() -> None:
    office = importing.Desk()
    job = office.bring_in(
        "Organisation;Téléphone\nUne;01 99 00 00 01\nDeux;pas un numéro\nUne;01 99 00 00 01\n"
    )
    manager = Api(make_user("manager"))

    [supplier] = manager.get("reports/sources/").json()["results"]
    one = manager.get(f"reports/sources/{office.source.pk}/").json()
    [row] = manager.get(f"reports/imports/?source={office.source.pk}&campaign={office.campaign.pk}").json()[
        "results"
    ]

    assert (supplier["source"], supplier["rows"], supplier["imports"]) == (office.source.pk, 3, 1)
    assert (supplier["duplicates"], supplier["rejected"], supplier["poor"]) == (
        job.counts["duplicates"],
        job.counts["rejected"],
        True,
    )
    assert one == {**supplier, "last_imports": [row]}
    assert (row["id"], row["rows"]) == (job.pk, 3)
