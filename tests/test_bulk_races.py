"""Bulk requests beside each other and beside who calls, over real connections."""

from datetime import timedelta
from typing import Any

import pytest

from calls.services.fiche import correct_fact
from campaigns.models import Exclusion, ListEntry
from campaigns.services.bulk import Result, upsert_prospects
from campaigns.services.exclusions import exclude
from crm.models import Prospect, ProspectNumber, Source, User
from tests.factories import NOW, make_campaign, make_entry, make_prospect, make_source, make_user
from tests.importing import Desk
from tests.racing import race, unexpected
from tests.talking import Talk

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 120


def items(source: Source, city: str, **fields: Any) -> list[dict[str, Any]]:
    return [
        {
            "source": source.pk,
            "external_id": str(n),
            "city": city,
            "phones": [{"number": f"01 99 00 {n // 100:02d} {n % 100:02d}"}],
            **fields,
        }
        for n in range(COUNT)
    ]


def send(found: list[dict[str, Any]], by: User) -> list[Result]:
    return upsert_prospects(items=found, sources=Source.objects.all(), by=by, at=NOW)


def test_the_same_records_in_another_order_at_once_are_neither_doubled_nor_stuck() -> None:
    source, by = make_source(), make_user("manager")
    orders = [items(source, "Metz"), items(source, "Brest")[::-1], items(source, "Lyon")]

    for _known in (False, True):
        results = race(*[lambda found=found: send(found, by) for found in orders])

        assert not unexpected(results), results
        assert Prospect.objects.count() == ProspectNumber.objects.count() == COUNT
        assert not [each.errors for answer in results for each in answer if each.status == "error"]
    assert len(set(Prospect.objects.values_list("city", flat=True))) == 1


def test_a_bar_that_is_written_at_once_holds_whichever_comes_first() -> None:
    source, by = make_source(), make_user("manager")
    campaign = make_campaign()
    known = [make_prospect(source=source, external_id=str(n), numbers=[]) for n in range(COUNT)]
    entries = [
        make_entry(campaign, prospect, state="exhausted", verdict_gate="number", verdict_reason="no_number")
        for prospect in known
    ]
    numbers = [f"+33199000{n:03d}" for n in range(0, COUNT, 8)]

    results = race(
        lambda: send(items(source, "Metz"), by),
        *[
            lambda number=number: exclude(
                scope="everywhere", number=number, reason="opposition", by=by, at=NOW
            )
            for number in numbers[:3]
        ],
    )

    assert not unexpected(results), results
    barred = set(Exclusion.objects.values_list("number", flat=True))
    callable_now = ListEntry.objects.filter(pk__in=[entry.pk for entry in entries], state="ready")
    assert not set(callable_now.values_list("number", flat=True)) & barred
    assert callable_now.count() == COUNT - len(barred)


def test_what_is_said_on_a_call_at_once_stands_or_is_seen() -> None:
    talk = Talk().greeted()
    prospect, by = talk.prospect, talk.manager
    told = {"source": prospect.source_id, "external_id": prospect.external_id, "city": "Metz"}
    send([told], by)

    results = race(
        lambda: send([told | {"job_title": "Directrice"}], by),
        lambda: correct_fact(
            call=talk.call, data={"city": "Brest"}, by=talk.agent, at=NOW + timedelta(seconds=5)
        ),
    )

    assert not unexpected(results), results
    prospect.refresh_from_db()
    assert (prospect.city, prospect.job_title, prospect.version) == ("Brest", "Directrice", 4)


def test_an_import_and_a_bulk_request_of_the_same_records_end_with_one_of_each() -> None:
    desk = Desk()
    lines = [f"{n};Metz;01 99 00 {n // 100:02d} {n % 100:02d}\n" for n in range(COUNT)]

    results = race(
        lambda: desk.bring_in("SIRET;Ville;Téléphone\n" + "".join(lines)),
        lambda: send(items(desk.source, "Metz")[::-1], desk.manager),
    )

    assert not unexpected(results), results
    assert Prospect.objects.filter(source=desk.source).count() == COUNT
    assert ListEntry.objects.filter(campaign=desk.campaign).count() == COUNT
