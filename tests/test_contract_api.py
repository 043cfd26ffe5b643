"""Corners of the contract that a stranger with a client of their own meets: what the API says, and its walls."""

import json
from typing import Any

import pytest
from django.utils import timezone

from campaigns.rules.mapping import explicit_mapping, guess_mapping
from crm.enums import Role
from tests.api_client import Api, problem_of
from tests.factories import make_campaign, make_entry, make_prospect, make_source, make_sponsor, make_user
from tests.test_api_calls import Desk

pytestmark = pytest.mark.django_db


def test_if_match_may_name_several_versions_of_a_prospect() -> None:
    api, prospect = Api(make_user(Role.MANAGER)), make_prospect()
    tag = api.get(f"prospects/{prospect.pk}/").headers["ETag"]

    found = api.patch(f"prospects/{prospect.pk}/", {"city": "Rennes"}, If_Match=f'"elsewhere", {tag}')

    assert found.status_code == 200
    stale = api.patch(f"prospects/{prospect.pk}/", {"city": "Brest"}, If_Match=f'"elsewhere", {tag}')
    problem_of(stale, "stale", 412)


@pytest.mark.parametrize("accept", ["*/*", "application/yaml", "text/html"])
def test_the_schema_and_its_refusal_are_json_whatever_is_asked_for(accept: str) -> None:
    problem_of(Api(None).get("schema/", Accept=accept), "unauthenticated", 401)

    response = Api(make_user()).get("schema/", Accept=accept)

    assert json.loads(response.content)["openapi"].startswith("3.1")


def test_what_the_line_may_tell_is_among_the_allowed_verbs() -> None:
    desk = Desk()

    assert "events" not in desk.claim()["allowed"]
    assert "events" in desk.done("dial")["allowed"]
    desk.done("events", event="answered")
    desk.done("greet")
    told = desk.done("events", event="hung_up", by="prospect")

    assert not {"events", "explain"} & set(told["allowed"])


def test_a_refusal_says_until_when_as_every_other_moment() -> None:
    api, prospect = Api(make_user(Role.SUPERVISOR)), make_prospect()
    never = [{"days": [(timezone.localtime().isoweekday() + 3) % 7 + 1], "from": "10:00", "to": "11:00"}]
    campaign = make_campaign(calling_rule="default", hours=never)
    make_entry(campaign, prospect)

    refused = api.post("calls/dial/", {"campaign": campaign.pk, "prospect": prospect.pk})

    assert problem_of(refused, "not-callable", 409)["until"].endswith("Z")


def test_who_was_put_through_is_not_forgotten_by_the_next_greeting() -> None:
    desk = Desk().talking()
    desk.done("handover", answered_by="colleague")

    assert desk.done("greet")["answered_by"] == "colleague"
    assert desk.done("greet", answered_by="intended")["answered_by"] == "intended"


@pytest.mark.parametrize("role", [Role.INTEGRATION, Role.MANAGER])
def test_a_source_that_all_sponsors_share_is_not_one_sponsors_to_change(role: str) -> None:
    sponsor, shared = make_sponsor(), make_source(spoken_origin="L'annuaire public.")
    own = make_source(sponsor=sponsor)
    api = Api(make_user(role, sponsors=[sponsor]))

    problem_of(api.patch(f"sources/{shared.pk}/", {"spoken_origin": "Personne."}), "forbidden", 403)
    problem_of(api.patch(f"sources/{own.pk}/", {"sponsor": None}), "forbidden", 403)

    assert api.patch(f"sources/{own.pk}/", {"spoken_origin": "Nos clients."}).status_code == 200
    assert api.get(f"sources/{shared.pk}/").json()["spoken_origin"] == "L'annuaire public."


def test_a_program_without_sponsor_creates_no_source_for_all() -> None:
    problem_of(Api(make_user(Role.INTEGRATION)).post("sources/", {"name": "Annuaire"}), "forbidden", 403)


@pytest.mark.parametrize(
    "chosen",
    [
        {"Col A": "external_id", "Col B": "organisation"},
        {"external_id": "Col A", "organisation": "Col B"},
        {"external_id": "col a", "organisation": "COL B"},
    ],
)
def test_a_mapping_is_read_either_way_round(chosen: dict[str, str]) -> None:
    headers = ["Col A", "Col B", "Tél"]
    guesses = guess_mapping(headers, [["1", "Banque", "01 99 00 12 34"]])

    assert explicit_mapping(headers, chosen, guesses) == ("external_id", "organisation", "phone")


@pytest.mark.parametrize("q", ["Résidence 0199001234", "résidence 01", "01 99 00 55 66"])
def test_a_name_with_figures_is_found_as_a_name(q: str) -> None:
    prospect = make_prospect(organisation="Résidence 0199001234", numbers=["+33199005566"])
    make_prospect(organisation="Autre")

    found: Any = Api(make_user(Role.MANAGER)).get(f"prospects/?q={q}").json()

    assert [row["id"] for row in found["results"]] == [prospect.pk]
