"""Lists for programs that synchronise: the fields, order and filters they ask for, and no row twice or never."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from calls.models import Call, Callback, Incident
from campaigns.enums import CampaignStatus
from crm.models import Prospect
from tests.api_client import Api, problem_of
from tests.factories import (
    NOW,
    make_campaign,
    make_entry,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
)
from tests.talking import Talk

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Api:
    return Api(make_user("manager"))


def ids(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_an_answer_keeps_to_the_fields_that_were_asked_for(manager: Api) -> None:
    prospect = make_prospect()

    listed = manager.get("prospects/?fields=id,version, phones").json()
    read = manager.get(f"prospects/{prospect.pk}/?fields=organisation")

    assert set(listed) == {"next", "previous", "results"}
    assert [set(row) for row in listed["results"]] == [{"id", "version", "phones"}]
    assert read.json() == {"organisation": prospect.organisation}
    assert read.headers["ETag"] == manager.get(f"prospects/{prospect.pk}/").headers["ETag"]


@pytest.mark.parametrize("path", ["prospects/", "calls/", "campaigns/", "sponsors/1/", "contactability/"])
def test_a_field_that_is_not_there_is_refused_by_name_also_of_an_empty_list(manager: Api, path: str) -> None:
    body = problem_of(manager.get(f"{path}?fields=id,nmae"), "validation", 400)

    assert "nmae" in body["errors"]["fields"][0]
    problem_of(manager.get(f"{path}?fields="), "validation", 400)


@pytest.mark.parametrize(
    "query",
    ["prospects/?source=1&source=2", "prospects/?fields=id&fields=version", "changes/?cursor=&cursor=latest"],
)
def test_a_parameter_that_is_told_twice_is_refused(manager: Api, query: str) -> None:
    name = query.partition("?")[2].partition("=")[0]

    assert name in problem_of(manager.get(query), "validation", 400)["errors"]


def test_a_refusal_is_told_whole_whatever_fields_were_asked_for(manager: Api) -> None:
    problem_of(manager.get("sponsors/999/?fields=id"), "not-found", 404)


def test_the_queue_and_the_verdict_of_the_gate_have_fields_too(manager: Api) -> None:
    campaign, prospect = make_campaign(), make_prospect()

    queue = manager.get(f"campaigns/{campaign.pk}/queue/?fields=callable,why").json()
    verdict = manager.get(f"contactability/?campaign={campaign.pk}&prospect={prospect.pk}&fields=allowed")

    assert set(queue) == {"callable", "why"}
    assert set(verdict.json()) == {"allowed"}


def walked(api: Api, address: str, between: Any = None) -> list[int]:
    """Follow `next` to the end, doing something between two pages; return the ids in the order in which they came."""
    found: list[int] = []
    while address:
        body = api.get(address).json()
        found += [row["id"] for row in body["results"]]
        address = body["next"]
        if between is not None:
            between()
    return found


@pytest.mark.parametrize("ordering", ["id", "-id", "updated_at", "-updated_at"])
def test_no_row_is_met_twice_or_never_while_others_are_written(manager: Api, ordering: str) -> None:
    source = make_source()
    # Three at a time changed at the same moment: the id decides among them.
    rows = [make_prospect(source=source, updated_at=NOW + timedelta(minutes=n // 3)) for n in range(11)]
    others = [make_prospect(source=source, updated_at=NOW - timedelta(days=n)) for n in range(4)]
    kept = [row.pk for row in rows]
    moments = iter(range(100))

    def write() -> None:
        """Somebody adds and changes records behind and ahead of the page."""
        moment = next(moments)
        make_prospect(source=source, updated_at=NOW + timedelta(days=moment - 2))
        if others:
            other = others.pop()
            Prospect.objects.filter(pk=other.pk).update(updated_at=NOW + timedelta(days=90 + moment))

    met = walked(manager, f"prospects/?limit=2&ordering={ordering}", write)

    of_ours = [pk for pk in met if pk in kept]
    assert of_ours == (kept[::-1] if ordering.startswith("-") else kept)


@pytest.mark.parametrize("ordering", ["-id", "-updated_at", "updated_at"])
def test_a_list_is_walked_back_in_each_order(manager: Api, ordering: str) -> None:
    for number in range(5):
        make_prospect(updated_at=NOW + timedelta(minutes=number // 2))
    first = manager.get(f"prospects/?limit=2&ordering={ordering}").json()
    second = manager.get(first["next"]).json()

    back = manager.get(second["previous"]).json()

    assert back["results"] == first["results"]
    assert back["previous"] is None
    assert manager.get(back["next"]).json()["results"] == second["results"]


def test_a_cursor_is_of_one_list_in_one_order(manager: Api) -> None:
    campaigns = [make_campaign() for _ in range(2)]
    for campaign in campaigns:
        for _ in range(3):
            make_entry(campaign)
    following = manager.get(f"campaigns/{campaigns[0].pk}/entries/?limit=1&state=ready").json()["next"]
    cursor = parse_qs(urlsplit(following).query)["cursor"][0]
    here, elsewhere = (f"campaigns/{campaign.pk}/entries/?cursor={cursor}" for campaign in campaigns)

    for address in (
        here,
        f"{here}&state=ready&ordering=-id",
        f"{here}&state=done",
        f"{elsewhere}&state=ready",
    ):
        body = problem_of(manager.get(address), "validation", 400)
        assert "`next`" in body["errors"]["cursor"][0]
    # How many, and which fields, may change on the way.
    assert manager.get(f"{here}&state=ready&limit=2&fields=id").status_code == 200


@pytest.mark.parametrize("query", ["ordering=name", "ordering=", "ordering=--id", "ordering=updated_at"])
def test_an_order_that_no_index_serves_is_refused(manager: Api, query: str) -> None:
    assert "ordering" in problem_of(manager.get(f"sponsors/?{query}"), "validation", 400)["errors"]


def test_what_changed_since_comes_in_the_order_of_change_unless_told_otherwise(manager: Api) -> None:
    late, early = (make_prospect(updated_at=NOW + timedelta(hours=hours)) for hours in (2, 1))
    make_prospect(updated_at=NOW - timedelta(hours=1))
    since = "prospects/?updated_since=2026-11-25T10:00:00Z"

    assert ids(manager.get(since)) == [early.pk, late.pk]
    assert ids(manager.get(f"{since}&ordering=id")) == [late.pk, early.pk]


def test_campaigns_programmes_sources_and_sponsors_are_found(manager: Api) -> None:
    sponsor, other = make_sponsor("Banque du Port"), make_sponsor("Mairie")
    programme = make_programme(sponsor, name="Enquête sur les banques")
    make_programme(other, name="Autre")
    draft = make_campaign(programme, status=CampaignStatus.DRAFT, name="Vague du printemps")
    running = make_campaign(programme, name="Vague de l'été")
    make_campaign(name="Autre")
    source = make_source(sponsor, name="Annuaire")
    make_source()

    assert ids(manager.get("sponsors/?q=port")) == [sponsor.pk]
    assert (
        ids(manager.get(f"sources/?sponsor={sponsor.pk}"))
        == ids(manager.get("sources/?q=annu"))
        == [source.pk]
    )
    assert ids(manager.get(f"programmes/?sponsor={sponsor.pk}")) == [programme.pk]
    assert ids(manager.get("programmes/?q=banques")) == [programme.pk]
    assert ids(manager.get(f"campaigns/?programme={programme.pk}")) == [draft.pk, running.pk]
    assert ids(manager.get("campaigns/?status=draft")) == [draft.pk]
    assert ids(manager.get("campaigns/?q=vague+printemps")) == [draft.pk]
    assert ids(manager.get(f"campaigns/?sponsor={sponsor.pk}&ordering=-id")) == [running.pk, draft.pk]


def test_calls_callbacks_and_incidents_are_found(manager: Api) -> None:
    busy = Talk().not_reached("busy").disposed("busy").read()
    entry, agent = make_entry(), make_user("agent")
    told: dict[str, Any] = {"campaign": entry.campaign, "prospect": entry.prospect, "entry": entry}
    early = NOW - timedelta(days=1)
    claimed = Call.objects.create(
        **told, number=entry.number, agent=agent, state="claimed", lease_until=early, started_at=early
    )
    callback = Callback.objects.create(**told, owner=agent, due_at=NOW, created_at=NOW, created_by=agent)
    sponsor = entry.campaign.programme.sponsor
    incident = Incident.objects.create(kind="other", sponsor=sponsor, call=claimed, at=NOW)

    assert ids(manager.get(f"calls/?agent={busy.agent_id}")) == [busy.pk]
    assert ids(manager.get("calls/?disposition=busy")) == [busy.pk]
    assert ids(manager.get("calls/?started_after=2026-11-25T10:00:00Z")) == [busy.pk]
    assert ids(manager.get("calls/?started_before=2026-11-25T11:00:00%2B01:00")) == [claimed.pk]
    assert ids(manager.get(f"calls/?campaign={entry.campaign_id}&state=claimed")) == [claimed.pk]
    assert ids(manager.get(f"callbacks/?owner={agent.pk}&campaign={entry.campaign_id}")) == [callback.pk]
    assert ids(manager.get("callbacks/?state=done")) == ids(manager.get("callbacks/?campaign=999")) == []
    assert ids(manager.get("incidents/?kind=other&decided=false")) == [incident.pk]
    assert ids(manager.get("incidents/?decided=true")) == []


@pytest.mark.parametrize(
    "address",
    [
        "campaigns/?status=open",
        "campaigns/?programme=x",
        "campaigns/?programme=-1",
        f"campaigns/?programme={10**25}",
        "sources/?sponsor=%C2%B2",
        "programmes/?sponsor=",
        "calls/?agent=x",
        "calls/?disposition=nonsense",
        "calls/?started_after=yesterday",
        "calls/?started_after=2026-11-25T10:00:00",
        "callbacks/?state=",
        "callbacks/?owner=me",
        "incidents/?decided=1",
        "exclusions/?active=yes",
        "exclusions/?prospect=0x1",
        "sponsors/?status=draft",
    ],
)
def test_a_filter_that_cannot_be_right_is_refused_by_name(manager: Api, address: str) -> None:
    name = address.partition("?")[2].partition("=")[0]

    assert name in problem_of(manager.get(address), "validation", 400)["errors"]
