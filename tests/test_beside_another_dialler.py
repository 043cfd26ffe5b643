"""Exclusions go back to another dialler as its file, and its codes come in without barring more than they say."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Exclusion
from campaigns.rules.dnc import WRITTEN
from tests.api_client import Api, problem_of
from tests.factories import (
    make_campaign,
    make_exclusion,
    make_number,
    make_programme,
    make_prospect,
    make_sponsor,
    make_user,
)

pytestmark = pytest.mark.django_db

NUMBERS = [f"+3319900100{digit}" for digit in range(9)]


def lines_of(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    assert response["Content-Type"].startswith("text/plain")
    return b"".join(response.streaming_content).decode().splitlines()


@pytest.mark.parametrize(
    ("written", "french", "german"),
    [
        ("vicidial", "199001000", "301234567"),
        ("national", "0199001000", "49301234567"),
        ("e164", "33199001000", "49301234567"),
    ],
)
def test_a_number_is_written_as_the_other_dialler_holds_it(written: str, french: str, german: str) -> None:
    assert WRITTEN[written]("+33199001000") == french
    assert WRITTEN[written]("+49301234567") == german


def test_the_file_holds_what_bars_in_its_scope_each_number_once() -> None:
    programme, elsewhere = make_programme(), make_programme()
    campaign, sibling = make_campaign(programme), make_campaign(programme)
    sponsor = programme.sponsor
    make_exclusion(number=NUMBERS[0])
    make_exclusion(sponsor=sponsor, number=NUMBERS[1])
    make_exclusion(programme=programme, number=NUMBERS[2])
    make_exclusion(campaign=campaign, number=NUMBERS[3])
    make_exclusion(campaign=sibling, number=NUMBERS[4])
    make_exclusion(programme=elsewhere, number=NUMBERS[5])
    make_exclusion(number=NUMBERS[6], until=timezone.now() - timedelta(days=1))
    lifted = make_exclusion(number=NUMBERS[7])
    Exclusion.objects.filter(pk=lifted.pk).update(
        lifted_at=timezone.now(), lifted_by=make_user("supervisor"), lift_reason="erreur"
    )
    make_exclusion(programme=programme, number=NUMBERS[0], reason="refusal")
    barred = make_prospect(NUMBERS[0])
    make_number(barred, NUMBERS[8], position=1)
    make_exclusion(programme=programme, prospect=barred)
    crm = Api(make_user("integration", sponsors=[sponsor]))

    of_campaign = lines_of(crm.get(f"exclusions/dnc/?campaign={campaign.pk}&format=e164"))
    of_sponsor = lines_of(crm.get(f"exclusions/dnc/?sponsor={sponsor.pk}"))

    assert sorted(of_campaign) == [NUMBERS[place].removeprefix("+") for place in (0, 1, 2, 3, 8)]
    assert of_sponsor == ["199001000", "199001001"]
    for query in (
        "",
        f"campaign={campaign.pk}&sponsor={sponsor.pk}",
        f"sponsor={elsewhere.sponsor_id}",
        "format=x",
    ):
        problem_of(crm.get(f"exclusions/dnc/?{query}"), "validation", 400)


def test_a_manager_takes_the_file_from_the_page_of_exclusions(client: Client) -> None:
    campaign = make_campaign()
    make_exclusion(programme=campaign.programme, number=NUMBERS[0])
    client.force_login(make_user("manager"))

    page = client.get(reverse("exclusion-list")).content.decode()
    sent = client.get(reverse("exclusion-dnc"), {"place": f"campaign-{campaign.pk}", "format": "national"})

    assert reverse("exclusion-dnc") in page
    assert lines_of(sent) == ["0199001000"]
    client.force_login(make_user("manager", sponsors=[make_sponsor()]))
    walled = client.get(reverse("exclusion-dnc"), {"place": f"campaign-{campaign.pk}", "format": "national"})
    assert walled.status_code == 302


def test_only_a_code_that_says_so_bars() -> None:
    sponsor = make_sponsor()
    crm = Api(make_user("integration", sponsors=[sponsor]))
    said = timezone.now().replace(microsecond=0) - timedelta(days=400)
    items: list[dict[str, Any]] = [
        {"number": "01 99 00 10 00", "code": "dnc", "at": said.isoformat()},
        {"number": NUMBERS[0], "code": "DNC"},
        {"number": NUMBERS[1], "code": "DNCL"},
        {"number": NUMBERS[2], "code": "NI"},
        {"number": NUMBERS[3], "code": "DEC"},
        {"number": NUMBERS[4], "code": "STOP"},
        {"number": NUMBERS[5], "code": "NPR"},
        {"number": NUMBERS[6], "code": "NPR"},
        {"number": "rien", "code": "DNC"},
        {"number": NUMBERS[7], "code": ""},
    ]
    body = {
        "scope": "sponsor",
        "sponsor": sponsor.pk,
        "items": items,
        "mapping": {"stop": "opposition", "DEC": None},
    }

    taken = crm.post("exclusions/bulk/", body)
    again = crm.post("exclusions/bulk/", body)

    assert taken.status_code == 201, taken.content
    assert taken.json() == {
        "created": 3,
        "already": 0,
        "unreadable": ["rien"],
        "silent": {"NI": 1, "DEC": 1},
        "unknown": {"NPR": 2, "": 1},
    }
    assert (again.json()["created"], again.json()["already"]) == (0, 3)
    rows = Exclusion.objects.order_by("number").values_list("number", "reason", "sponsor")
    assert list(rows) == [
        (NUMBERS[0], "opposition", sponsor.pk),
        (NUMBERS[1], "registry", sponsor.pk),
        (NUMBERS[4], "opposition", sponsor.pk),
    ]
    assert Exclusion.objects.get(number=NUMBERS[0]).since == said


@pytest.mark.parametrize(
    "wrong",
    [
        {"items": [{"number": "0199001000", "code": "DNC"}], "reason": "opposition"},
        {"items": [{"number": "0199001000", "code": "DNC"}], "mapping": {"DNC": "ban"}},
        {"items": [{"number": "0199001000", "code": "DNC", "when": "hier"}]},
        {"items": []},
        {"numbers": ["0199001000"]},
        {"numbers": ["0199001000"], "reason": "opposition", "mapping": {}},
        {},
    ],
)
def test_a_list_that_cannot_be_meant_bars_nobody(wrong: dict[str, Any]) -> None:
    problem_of(
        Api(make_user("supervisor")).post("exclusions/bulk/", {"scope": "everywhere"} | wrong),
        "validation",
        400,
    )

    assert not Exclusion.objects.exists()
