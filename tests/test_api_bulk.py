"""Many prospects at once through the API: by the rules of an import, and a result for each."""

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
from campaigns.api.prospects_bulk import BulkParser
from campaigns.models import Exclusion, ListEntry, SuppliedValues
from campaigns.rules.bulk_items import FIELDS
from campaigns.services.bulk import upsert_prospects
from campaigns.services.entries import add_prospects
from crm.api.parsers import MAX_BODY
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
        told: dict[str, Any] = {
            name: value for name, value in row.items() if name in FIELDS and name != "opt_out"
        }
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
    said: dict[str, dict[str, Any]] = {
        "1": {"city": "Dit au téléphone"},
        "2": {"city": "Dit aussi"},
        "10": {"attributes": {"couleur": "rouge"}},
    }
    for external_id, change in said.items():
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


# ---- a result for each


def test_each_item_has_its_result_and_what_is_wrong_with_one_keeps_no_other_out(manager: Api) -> None:
    source = make_source()
    sent(manager, item(source, "a", city="Metz"), item(source, "b", city="Metz"))

    body = manager.post(
        BULK,
        [
            item(source, "a", city="Metz"),
            item(source, "b", city="Brest"),
            item(source, "c", organisation="Banque", phones=phones("01.99.00.12.34", "néant")),
            item(source, "d", organisation=12),
        ],
    ).json()

    assert {name: body[name] for name in ("created", "updated", "unchanged", "error")} == {
        "created": 1,
        "updated": 1,
        "unchanged": 1,
        "error": 1,
    }
    a, b, c, d = body["results"]
    assert (a["status"], a["version"], b["status"], b["version"]) == ("unchanged", 1, "updated", 2)
    assert (c["status"], c["version"], list(c["warnings"])) == ("created", 1, ["phones.1.number"])
    assert (d["status"], d["id"], d["external_id"], list(d["errors"])) == (
        "error",
        None,
        "d",
        ["organisation"],
    )
    assert [phone.number for phone in Prospect.objects.get(pk=c["id"]).phones.all()] == ["+33199001234"]
    assert manager.get(f"prospects/{b['id']}/").json()["city"] == "Brest"


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("external_id", {"external_id": None}),
    ("external_id", {"external_id": " "}),
    ("external_id", {"external_id": 12}),
    ("external_id", {"external_id": "x" * 201}),
    ("external_id", {"external_id": "3,62E+13"}),
    ("source", {"source": None}),
    ("source", {"source": True}),
    ("source", {"source": 999_999_999}),
    ("source", {"source": "²"}),
    ("source", {"source": ["a"]}),
    ("surname", {"surname": "Dupont"}),
    ("kind", {"kind": "robot"}),
    ("email", {"email": "nobody"}),
    ("city", {"city": ["Metz"]}),
    ("city", {"city": "x" * 2001}),
    ("time_zone", {"time_zone": "Mars/Olympus"}),
    ("preferred_channel", {"preferred_channel": "pigeon"}),
    ("confidential", {"confidential": "yes"}),
    ("opt_out", {"opt_out": 1}),
    ("version", {"version": "1"}),
    ("version", {"version": 0}),
    ("region", {"region": "fr"}),
    ("attributes", {"attributes": ["a"]}),
    ("attributes.a", {"attributes": {"a": {"b": 1}}}),
    ("attributes.", {"attributes": {"": "x"}}),
    ("phones", {"phones": "0199001234"}),
    ("phones", {"phones": phones(*["0199001234"] * 21)}),
    ("phones.0", {"phones": ["0199001234"]}),
    ("phones.0.number", {"phones": phones("112")}),
    ("phones.0.number", {"phones": [{"number": 199001234}]}),
    ("phones.0.colour", {"phones": [{"number": "0199001234", "colour": "red"}]}),
    ("phones.0.region", {"phones": [{"number": "0199001234", "region": "France"}]}),
]


def test_a_wrong_item_names_its_fields_and_stores_nothing(manager: Api) -> None:
    source = make_source()
    items = [item(source, f"w{index}") | change for index, (_field, change) in enumerate(WRONG)]

    results = sent(manager, *items, item(source, "right"), "no object")

    found = [(list(result["errors"]), result["status"]) for result in results]
    assert found[:-2] == [([field], "error") for field, _change in WRONG]
    assert found[-2:] == [([], "created"), (["__all__"], "error")]
    assert Prospect.objects.get().external_id == "right"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "prospects"),
        ([], "prospects"),
        ({"prospects": {}}, "prospects"),
        ("text", "prospects"),
        ({"prospects": [1], "colour": "red"}, "colour"),
        ({"prospects": [1], "region": "France"}, "region"),
        ({"prospects": [1], "sponsor": 999}, "sponsor"),
        ([{}] * 5001, "prospects"),
    ],
)
def test_a_wrong_request_is_refused_as_a_whole(manager: Api, body: Any, field: str) -> None:
    assert field in problem_of(manager.post(BULK, body), "validation", 400)["errors"]


def test_only_this_address_takes_more_than_others_and_has_its_own_limit(
    manager: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    padded = json.dumps([item(make_source(), "a")]).encode() + b" " * MAX_BODY

    assert manager.post("prospects/", padded).status_code == 413
    assert manager.post(BULK, padded).status_code == 200
    monkeypatch.setattr(BulkParser, "max_body", len(padded) - 1)
    problem_of(manager.post(BULK, padded), "too-large", 413)


def test_the_second_item_about_a_record_names_the_first(manager: Api) -> None:
    one, other = make_source(), make_source()

    results = sent(
        manager,
        item(one, "a", phones=phones("112")),
        item(one, "a", city="Metz"),
        item(other, "a", city="Lyon"),
        item(one, " a ", city="Brest"),
    )

    assert [result["status"] for result in results] == ["error", "created", "created", "error"]
    assert "1" in results[3]["errors"]["external_id"][0]
    assert Prospect.objects.get(source=one).city == "Metz"


def test_absent_says_nothing_and_null_takes_back_what_the_supplier_gave(manager: Api) -> None:
    source = make_source()
    prospect = make_prospect(source=source, external_id="a", city="Dite au téléphone")
    sent(
        manager,
        item(source, "a", organisation="Banque", email="a@b.fr", attributes={"taille": 12, "code": "x"}),
    )

    absent = sent(manager, item(source, "a", organisation="Banque"))
    blank = sent(
        manager, item(source, "a", city=None, email=None, attributes={"code": ""}, time_zone="", phones=[])
    )

    prospect.refresh_from_db()
    assert (absent[0]["status"], blank[0]["status"]) == ("unchanged", "updated")
    assert (prospect.organisation, prospect.email, prospect.city) == ("Banque", "", "Dite au téléphone")
    assert (prospect.attributes, prospect.time_zone) == ({"taille": 12}, "Europe/Paris")
    assert prospect.phones.count() == 1


def test_a_record_that_was_read_is_sent_back_whole_and_a_stale_one_is_refused(manager: Api) -> None:
    source = make_source()
    (created,) = sent(manager, item(source, "a", city="Metz", phones=phones("0199001234")))
    read = manager.get(f"prospects/{created['id']}/").json()

    again = sent(manager, read)
    changed = sent(manager, read | {"city": "Brest", "confidential": True, "preferred_channel": "email"})
    stale, missing = sent(manager, read | {"city": "Lyon"}, item(source, "b", version=1))

    assert (again[0]["status"], changed[0]["status"]) == ("unchanged", "updated")
    assert (stale["status"], stale["id"], stale["version"]) == ("error", created["id"], 2)
    assert list(stale["errors"]) == list(missing["errors"]) == ["version"]
    found = Prospect.objects.get()
    assert (found.city, found.confidential, found.preferred_channel) == ("Brest", True, "email")


def test_the_timeline_tells_old_and_new_values(manager: Api) -> None:
    source = make_source()
    sent(manager, item(source, "a", city="Metz", phones=phones("0199001234")))

    sent(manager, item(source, "a", city="Brest", phones=phones("0199001235", "0199001234")))

    created, edited = ProspectEvent.objects.order_by("pk")
    assert (created.kind, created.data) == ("created", {"source": source.pk})
    assert edited.kind == "edited"
    assert edited.data["changes"] == {
        "city": ["Metz", "Brest"],
        "phones": [["+33199001234"], ["+33199001235", "+33199001234"]],
    }


def test_what_an_item_does_not_tell_of_the_place_is_that_of_its_record(manager: Api) -> None:
    source = make_source()
    make_prospect("+33639981234", source=source, external_id="moves")
    for external_id in ("calls", "renamed"):
        make_prospect(
            source=source,
            external_id=external_id,
            postal_code="97400",
            numbers=[],
            time_zone="Indian/Reunion",
        )

    sent(
        manager,
        item(source, "moves", postal_code="97400"),
        item(source, "calls", phones=phones("0262 30 10 10")),
        item(source, "renamed", organisation="Banque"),
        item(source, "new", organisation="Sans numéro"),
    )

    found = dict(Prospect.objects.values_list("external_id", "time_zone"))
    assert found.pop("new") == "Europe/Paris"
    assert set(found.values()) == {"Indian/Reunion"}
    assert Prospect.objects.get(external_id="calls").phones.get().number == "+262262301010"
    assert Prospect.objects.get(external_id="renamed").postal_code == "97400"


# ---- do not call


def test_a_do_not_call_bars_at_once_also_from_an_item_that_is_refused() -> None:
    sponsor = make_sponsor()
    api = Api(make_user("integration", sponsors=[sponsor]))
    source = make_source()
    campaign = Desk(make_programme(sponsor)).campaign
    numbers = [f"+3319900100{n}" for n in range(3)]
    entries = [
        make_entry(campaign, make_prospect(number, source=source, external_id=number[-1]))
        for number in numbers
    ]

    results = sent(
        api,
        item(source, "0", opt_out=True),
        item(source, "1", opt_out=True, city=12),
        item(source, "2", city="Metz"),
        item(source, "2", opt_out=True),
        item(source, "3", phones=phones("0199001009"), opt_out=True),
    )

    assert [result["status"] for result in results] == ["unchanged", "error", "updated", "error", "created"]
    assert {ListEntry.objects.get(pk=entry.pk).state for entry in entries} == {"excluded"}
    assert set(Exclusion.objects.values_list("scope", "sponsor", "reason")) == {
        ("sponsor", sponsor.pk, "opposition")
    }
    assert Exclusion.objects.filter(number="+33199001009").exists()


def test_a_do_not_call_needs_to_know_for_whom(manager: Api) -> None:
    source, sponsor, other = make_source(), make_sponsor(), make_sponsor()

    untold = sent(manager, item(source, "a", opt_out=True), item(make_source(other), "b", opt_out=True))
    told = manager.post(BULK, {"prospects": [item(source, "a", opt_out=True)], "sponsor": sponsor.pk}).json()

    assert [list(result["errors"]) for result in untold] == [["opt_out"], []]
    assert told["created"] == 1
    bars = set(Exclusion.objects.values_list("prospect__external_id", "sponsor"))
    assert bars == {("a", sponsor.pk), ("b", other.pk)}


# ---- walls, repeated requests, cost


def test_behind_another_sponsors_wall_a_source_does_not_exist() -> None:
    api = Api(make_user("integration", sponsors=[make_sponsor()]))
    foreign = make_prospect(source=make_source(make_sponsor()), external_id="a", city="Metz")

    (result,) = sent(api, item(foreign.source, "a", city="Brest"))
    named = api.post(BULK, {"prospects": [item(foreign.source, "a")], "sponsor": foreign.source.sponsor_id})

    assert (result["status"], result["id"], list(result["errors"])) == ("error", None, ["source"])
    assert "sponsor" in problem_of(named, "validation", 400)["errors"]
    foreign.refresh_from_db()
    assert foreign.city == "Metz"


def test_a_repeated_request_is_answered_alike_and_an_erasure_reaches_the_answer(manager: Api) -> None:
    items = [item(make_source(), "secret-7", organisation="Madame", phones=phones("0199001234"))]

    first, second = (manager.post(BULK, items, Idempotency_Key="abc") for _ in range(2))
    manager.delete(f"prospects/{first.json()['results'][0]['id']}/")
    third = manager.post(BULK, items, Idempotency_Key="abc")

    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (third.json()["created"], third.json()["results"][0]["external_id"]) == (1, "")
    assert "secret-7" not in str(list(IdempotentRequest.objects.values()))
    assert Prospect.objects.count() == 1


def test_the_number_of_statements_does_not_grow_with_the_items() -> None:
    source, desk = make_source(), Desk()
    by, sources = desk.manager, Source.objects.all()

    def cost(count: int) -> int:
        known = [
            item(source, f"{count}-{n}", city="Metz", phones=phones(f"01990{n:05d}")) for n in range(count)
        ]
        upsert_prospects(items=known, sources=sources, by=by, at=NOW)
        add_prospects(campaign=desk.campaign, prospects=Prospect.objects.all(), by=by, at=NOW)
        new = [item(source, f"{count}-new-{n}", sector="6419Z") for n in range(count)]
        moved = [each | {"city": "Brest", "phones": phones(f"01991{n:05d}")} for n, each in enumerate(known)]
        wrong: list[Any] = [12] * count
        with CaptureQueriesContext(connection) as captured:
            upsert_prospects(items=new + moved + wrong, sources=sources, by=by, at=NOW)
        return len(captured)

    assert cost(10) == cost(200)


# ---- whatever comes

TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", " ", "a", "a\u0301", "0199001234", "+33 (0)6", "1E+10", "\\N", "\t", "\r\n", '{"', "\x1f", "FR"]
    ),
)
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
PHONES = st.lists(
    st.one_of(VALUES, st.fixed_dictionaries({"number": TEXTS}, optional={"note": TEXTS, "region": TEXTS})),
    max_size=3,
)
ITEMS = st.lists(
    st.one_of(
        VALUES,
        st.dictionaries(st.one_of(st.sampled_from(sorted(FIELDS)), TEXTS), VALUES, max_size=8),
        st.fixed_dictionaries(
            {"source": st.just("nasty"), "external_id": TEXTS},
            optional=dict.fromkeys(("city", "postal_code", "country", "language", "organisation"), TEXTS)
            | {"phones": PHONES, "attributes": st.dictionaries(TEXTS, VALUES, max_size=3), "version": VALUES},
        ),
    ),
    min_size=1,
    max_size=5,
)


class WhateverComes(TestCase):
    """Any JSON that can be parsed has a result for each item."""

    @given(items=ITEMS)
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_any_items_have_a_result_each(self, items: list[Any]) -> None:
        source = make_source(slug="nasty")
        by = make_user("manager")
        storable = json.loads(json.dumps(items).replace("\\u0000", "?"))

        for _again in range(2):
            results = upsert_prospects(items=storable, sources=Source.objects.all(), by=by, at=NOW)

        stored = Prospect.objects.filter(source=source).count()
        assert len({result.id for result in results if result.status == "unchanged"}) == stored
        assert not {result.status for result in results} & {"created", "updated"}
