"""Many prospects at once through the API: by the rules of an import, a result for each, nothing of one lost by another."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from calls.services.erasure import erase_prospect
from campaigns.models import Exclusion, ListEntry, SuppliedValues
from campaigns.rules.bulk_items import FIELDS
from campaigns.services.bulk import Result, upsert_prospects
from campaigns.services.entries import add_prospects
from crm.models import IdempotentRequest, Prospect, ProspectEvent, ProspectNumber, Source
from crm.services.prospects import PhoneInput, edit_prospect
from tests.api_client import Api, problem_of
from tests.factories import (
    NOW,
    make_criterion,
    make_entry,
    make_exclusion,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
)
from tests.importing import Desk

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=2)
BULK = "prospects/bulk/"


@pytest.fixture
def manager() -> Api:
    return Api(make_user("manager"))


def item(source: Source, external_id: str, **fields: Any) -> dict[str, Any]:
    return {"source": source.pk, "external_id": external_id, **fields}


def phones(*numbers: str) -> list[dict[str, str]]:
    return [{"number": number} for number in numbers]


def sent(api: Api, *items: Any, **headers: str) -> list[dict[str, Any]]:
    """Send items; return their results."""
    answer = api.post(BULK, {"prospects": list(items)}, **headers)
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    assert [result["index"] for result in results] == list(range(len(items)))
    return results


# ---- the same as an import

COLUMNS = {
    "external_id": "SIRET",
    "organisation": "Raison sociale",
    "last_name": "Nom",
    "sector": "NAF",
    "address": "Adresse",
    "postal_code": "CP",
    "city": "Ville",
    "country": "Pays",
    "language": "Langue",
    "email": "E-mail",
    "attributes.couleur": "Couleur",
    "opt_out": "Ne pas appeler",
    "phone": "Téléphone",
    "mobile": "Portable",
}

FIRST = [
    {
        "external_id": "1",
        "organisation": "Crédit\u00a0de l’Est ",
        "sector": "64.19z",
        "phone": "01.99.00.10 01",
    },
    {
        "external_id": "2",
        "last_name": "Noël\u200b",
        "postal_code": "1000",
        "city": "Bourg",
        "phone": "199001002",
    },
    {
        "external_id": "3",
        "organisation": "Zoé  et\nfils",
        "country": "France",
        "phone": "+33 (0)1 99 00 10 03",
    },
    {
        "external_id": "4",
        "organisation": "Île",
        "postal_code": "97400",
        "phone": "01 99 00 10 04 / 01 99 00 10 05",
    },
    {
        "external_id": "5",
        "organisation": "N" * 300,
        "language": "anglais",
        "phone": "01 99 00 10 06 poste 12",
    },
    {"external_id": "6", "organisation": "Sans appel", "phone": "01 99 00 10 07", "opt_out": "oui"},
    {"external_id": "7", "organisation": "Muet", "phone": "voir site"},
    {"external_id": "8", "organisation": "Surtaxé", "phone": "08 99 12 34 56", "opt_out": "oui"},
    {"external_id": "1", "organisation": "Répété", "phone": "01 99 00 10 99", "opt_out": "oui"},
    {"external_id": "9", "organisation": "Pays perdu", "country": "Syldavie", "phone": "01 99 00 10 08"},
    {
        "external_id": "10",
        "organisation": "Couleurs",
        "attributes.couleur": "bleu",
        "phone": "O1 99 00 10 09",
    },
    {
        "external_id": "11",
        "organisation": "Erreur sur l'e-mail ?",
        "email": "a@b.fr",
        "phone": "0033199001010",
    },
    {"external_id": "12", "organisation": "Deux", "phone": "0199001011", "mobile": "06 39 98 10 11"},
    {
        "external_id": "13",
        "organisation": "Nantes",
        "sector": "6419Z",
        "city": "Nantes",
        "phone": "0199001013",
    },
]

SECOND = [
    {"external_id": "1", "organisation": "Crédit de l’Est", "sector": "6419Z", "phone": "01 99 00 10 01"},
    {"external_id": "2", "last_name": "Noël", "postal_code": "01000", "city": "Brest", "phone": "0199001002"},
    {"external_id": "4", "organisation": "Île", "postal_code": "75001", "phone": "01 99 00 10 05"},
    {"external_id": "6", "organisation": "Sans appel", "phone": "01 99 00 10 07", "opt_out": "non"},
    {"external_id": "7", "organisation": "Muet", "phone": "01 99 00 10 12"},
    {"external_id": "10", "organisation": "Couleurs", "attributes.couleur": "vert", "phone": "0199001009"},
    {"external_id": "12", "organisation": "Deux", "phone": "0199001011", "mobile": "06 39 98 10 12"},
    {
        "external_id": "13",
        "organisation": "Nantes",
        "sector": "9609Z",
        "city": "Nantes",
        "phone": "0199001013",
    },
    {
        "external_id": "5",
        "organisation": "N" * 300,
        "language": "anglais",
        "phone": "01 99 00 10 06 poste 12",
    },
]


def as_file(rows: list[dict[str, str]]) -> str:
    quoted = [[f'"{row.get(name, "")}"' for name in COLUMNS] for row in rows]
    return "\n".join([";".join(COLUMNS.values()), *(";".join(cells) for cells in quoted)]) + "\n"


def as_items(rows: list[dict[str, str]], source: Source) -> list[dict[str, Any]]:
    """The rows as a program sends them; a blank cell is a field that is absent."""
    items = []
    for row in rows:
        told = {name: value for name, value in row.items() if name in FIELDS and name != "opt_out"}
        numbers = [row[name] for name in ("phone", "mobile") if name in row]
        told |= {"phones": phones(*numbers)} | ({"opt_out": True} if row.get("opt_out") == "oui" else {})
        if colour := row.get("attributes.couleur"):
            told |= {"attributes": {"couleur": colour}}
        items.append(item(source, told.pop("external_id"), **told))
    return items


PROSPECT = (
    "external_id", "kind", "civility", "first_name", "last_name", "organisation", "sector", "email", "address",
    "postal_code", "city", "country", "language", "time_zone", "attributes", "confidential", "version",
)  # fmt: skip


def contents(desk: Desk) -> dict[str, list[str]]:
    """All that was stored, without ids and moments."""
    ours = Prospect.objects.filter(source=desk.source)
    entries = ListEntry.objects.filter(prospect__source=desk.source)
    found: dict[str, Any] = {
        "prospects": ours.values_list(*PROSPECT),
        "numbers": ProspectNumber.objects.filter(prospect__in=ours).values_list(
            "prospect__external_id", "number", "raw", "kind", "validity", "extension", "note", "position"
        ),
        "supplied": SuppliedValues.objects.filter(prospect__in=ours).values_list(
            "prospect__external_id", "digests"
        ),
        "bars": Exclusion.objects.values_list(
            "scope",
            "sponsor__name",
            "number",
            "prospect__external_id",
            "reason",
            "since",
            "until",
            "lifted_at",
        ),
        "entries": entries.values_list(
            "prospect__external_id", "state", "number", "verdict_reason", "time_zone"
        ),
    }
    return {name: sorted(json.dumps(row, default=str) for row in rows) for name, rows in found.items()}


def meanwhile(desk: Desk) -> None:
    """What people and calls do between two deliveries."""
    by_id = {row.external_id: row for row in Prospect.objects.filter(source=desk.source)}
    for external_id, change in {
        "1": {"city": "Dit au téléphone"},
        "2": {"city": "Dit aussi"},
        "10": {"attributes": {"couleur": "rouge"}},
    }.items():
        edit_prospect(prospect=by_id[external_id], data=change, phones=None, by=desk.manager, at=NOW)
    found = [PhoneInput("0199001055"), PhoneInput("0199001011")]
    edit_prospect(prospect=by_id["12"], data={}, phones=found, by=desk.manager, at=NOW)
    make_exclusion(programme=desk.programme, prospect=by_id["4"])
    erase_prospect(prospect=by_id["3"], by=desk.manager, at=NOW)


def in_world(deliver: Any) -> list[dict[str, list[str]]]:
    """What two deliveries leave, each; nothing of them stays."""
    seen = []
    with transaction.atomic():
        desk = Desk(make_programme(make_sponsor("Le donneur")))
        make_criterion(desk.programme)
        for rows, at in ((FIRST, NOW), ([*SECOND, FIRST[2]], LATER)):
            deliver(desk, rows, at)
            known = Prospect.objects.filter(source=desk.source, erased_at=None)
            add_prospects(campaign=desk.campaign, prospects=known, by=desk.manager, at=at)
            seen.append(contents(desk))
            if rows is FIRST:
                meanwhile(desk)
        transaction.set_rollback(True)
    return seen


def test_a_bulk_request_and_an_import_of_the_same_rows_leave_the_same(
    django_capture_on_commit_callbacks: Any,
) -> None:
    def by_file(desk: Desk, rows: list[dict[str, str]], at: Any) -> None:
        desk.bring_in(as_file(rows), at=at, repeated="reject")

    def by_program(desk: Desk, rows: list[dict[str, str]], at: Any) -> None:
        items = as_items(rows, desk.source)
        sponsor, sources = desk.programme.sponsor, Source.objects.all()
        upsert_prospects(items=items, sources=sources, sponsor=sponsor, by=desk.manager, at=at)

    imported, sent_in = in_world(by_file), in_world(by_program)

    for name in imported[0]:
        assert sent_in[0][name] == imported[0][name], name
        assert sent_in[1][name] == imported[1][name], name
    assert any("Dit au" in row for row in imported[1]["prospects"])
    assert any("excluded" in row for row in imported[1]["entries"])
    assert any("screened_out" in row for row in imported[1]["entries"])
