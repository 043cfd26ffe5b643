"""Prospects through the API: found in any spelling, created, corrected with an entity tag, erased."""

from typing import Any

import pytest

from crm.models import IdempotentRequest, Prospect, ProspectEvent
from tests.api_client import Api, problem_of
from tests.factories import make_entry, make_prospect, make_source, make_sponsor, make_user

pytestmark = pytest.mark.django_db

FIELDS = {
    "id",
    "source",
    "external_id",
    "kind",
    "civility",
    "first_name",
    "last_name",
    "organisation",
    "job_title",
    "sector",
    "email",
    "address",
    "postal_code",
    "city",
    "country",
    "language",
    "time_zone",
    "phones",
    "attributes",
    "confidential",
    "preferred_channel",
    "version",
    "created_at",
    "updated_at",
}


@pytest.fixture
def manager() -> Api:
    return Api(make_user("manager"))


def test_a_prospect_is_created_with_its_number_in_any_spelling(manager: Api) -> None:
    source = make_source()

    created = manager.post(
        "prospects/",
        {
            "source": source.slug,
            "external_id": "42",
            "organisation": "Crédit Local",
            "sector": "64.19Z",
            "postal_code": "35000",
            "attributes": {"taille": "PME", "effectif": 12},
            "phones": [{"number": "01.99.00.12 34"}, {"number": "+33 (0)2 61 91 00 01", "note": "accueil"}],
        },
    )

    assert created.status_code == 201, created.content
    body = created.json()
    assert set(body) >= FIELDS
    assert body["source"] == source.pk
    assert [phone["number"] for phone in body["phones"]] == ["+33199001234", "+33261910001"]
    assert set(body["phones"][0]) >= {"number", "raw", "kind", "validity", "extension", "note"}
    assert body["phones"][1]["note"] == "accueil"
    assert body["time_zone"] == "Europe/Paris"
    assert body["version"] == 1
    assert manager.get(created.headers["Location"]).json() == body


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": 999_999}, "source"),
        ({"source": "nope"}, "source"),
        ({"source": None}, "source"),
        ({"source": True}, "source"),
        ({"kind": "robot"}, "kind"),
        ({"preferred_channel": "pigeon"}, "preferred_channel"),
        ({"email": "not an address"}, "email"),
        ({"country": "France"}, "country"),
        ({"organisation": 12}, "organisation"),
        ({"organisation": "x" * 251}, "organisation"),
        ({"confidential": "yes"}, "confidential"),
        ({"attributes": ["a"]}, "attributes"),
        ({"attributes": {"a": {"b": "c"}}}, "attributes"),
        ({"phones": "0199001234"}, "phones"),
        ({"phones": [{"number": "112"}]}, "phones"),
        ({"phones": [{"number": "not a number"}]}, "phones"),
        ({"phones": [{"number": "08 99 12 34 56"}]}, "phones"),
        ({"phones": [{"number": "0199001234", "color": "red"}]}, "phones.0.color"),
        ({"phones": [{"number": "0199001234"}, {}]}, "phones.1.number"),
        ({"phones": [{"number": "0199001234"}] * 21}, "phones"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": "localtime"}, "time_zone"),
        ({"surname": "Dupont"}, "surname"),
    ],
)
def test_a_wrong_value_names_its_field_and_stores_nothing(
    manager: Api, change: dict[str, Any], field: str
) -> None:
    body = {"source": make_source().pk, "organisation": "A", "phones": [{"number": "0199001234"}]} | change

    errors = problem_of(manager.post("prospects/", body), "validation", 400)["errors"]

    assert field in errors
    assert not Prospect.objects.exists()


def test_an_external_id_is_once_per_source(manager: Api) -> None:
    source = make_source()
    body = {"source": source.pk, "external_id": "42", "organisation": "A"}

    first, second = manager.post("prospects/", body), manager.post("prospects/", body)

    assert first.status_code == 201
    assert "external_id" in problem_of(second, "validation", 400)["errors"]


def test_a_prospect_is_found_by_what_is_known_of_it(manager: Api) -> None:
    source = make_source()
    wanted = make_prospect("+33199001234", source=source, external_id="A1", organisation="Banque du Port")
    make_prospect("+33199005678", source=make_source(), external_id="B2", organisation="Garage")

    for query in (
        "external_id=A1",
        f"source={source.pk}",
        f"source={source.slug}",
        "number=0033199001234",
        "number=01 99 00 12 34",
        "q=banque",
        "q=01.99.00.12.34",
        "q=A1",
        f"external_id=A1&source={source.slug}&number=%2B33199001234",
    ):
        found = manager.get(f"prospects/?{query}").json()["results"]
        assert [item["id"] for item in found] == [wanted.pk], query
    assert manager.get("prospects/?external_id=C3").json()["results"] == []


@pytest.mark.parametrize("query", ["number=112", "number=", "source=nope", "source=", "external=A1"])
def test_a_wrong_filter_is_refused(manager: Api, query: str) -> None:
    problem_of(manager.get(f"prospects/?{query}"), "validation", 400)


def test_a_list_of_what_changed_is_in_the_order_of_change(manager: Api) -> None:
    first, second, third = (make_prospect() for _ in range(3))
    manager.patch(f"prospects/{first.pk}/", {"city": "Rennes"})
    manager.patch(f"prospects/{third.pk}/", {"city": "Brest"})
    since = Prospect.objects.get(pk=first.pk).updated_at.isoformat().replace("+00:00", "Z")

    page = manager.get(f"prospects/?updated_since={since}&limit=1").json()
    after = manager.get(page["next"]).json()

    assert [item["id"] for item in page["results"] + after["results"]] == [first.pk, third.pk]
    assert after["next"] is None
    problem_of(manager.get("prospects/?updated_since=yesterday"), "validation", 400)
    problem_of(manager.get("prospects/?updated_since=2026-01-01T00:00:00"), "validation", 400)
    assert second.pk not in {item["id"] for item in page["results"]}


def test_the_number_of_queries_does_not_grow_with_the_list(
    manager: Api, django_assert_num_queries: Any
) -> None:
    for _ in range(10):
        make_prospect()
    manager.get("prospects/")
    with django_assert_num_queries(3):
        manager.get("prospects/")
    for _ in range(10):
        make_prospect()

    with django_assert_num_queries(3):
        assert len(manager.get("prospects/").json()["results"]) == 20


def test_a_correction_needs_the_version_that_was_read(manager: Api) -> None:
    pk = make_prospect(organisation="Avant").pk
    etag = manager.get(f"prospects/{pk}/").headers["ETag"]

    first = manager.patch(f"prospects/{pk}/", {"organisation": "Après"}, If_Match=etag)
    second = manager.patch(f"prospects/{pk}/", {"organisation": "Trop tard"}, If_Match=etag)
    third = manager.patch(f"prospects/{pk}/", {"organisation": "Sans"}, If_Match='"nonsense"')
    fresh = manager.patch(f"prospects/{pk}/", {"organisation": "Enfin"}, If_Match=first.headers["ETag"])

    assert first.json()["version"] == 2
    problem_of(second, "stale", 412)
    problem_of(third, "stale", 412)
    assert fresh.json()["organisation"] == "Enfin"


def test_a_prospect_that_was_read_can_be_sent_back_whole(manager: Api) -> None:
    pk = make_prospect().pk
    read = manager.get(f"prospects/{pk}/").json()

    assert manager.patch(f"prospects/{pk}/", read).json() == read


def test_numbers_are_replaced_as_a_list_and_the_rest_stays(manager: Api) -> None:
    prospect = make_prospect("+33199001234", organisation="Banque")

    changed = manager.patch(f"prospects/{prospect.pk}/", {"phones": [{"number": "02 61 91 00 05"}]}).json()

    assert [phone["number"] for phone in changed["phones"]] == ["+33261910005"]
    assert changed["organisation"] == "Banque"


def test_the_source_of_a_prospect_does_not_change(manager: Api) -> None:
    prospect = make_prospect()

    refused = manager.patch(f"prospects/{prospect.pk}/", {"source": make_source().pk})

    assert "source" in problem_of(refused, "validation", 400)["errors"]


def test_a_prospect_that_changed_since_it_was_read_is_not_erased(manager: Api) -> None:
    prospect = make_prospect(organisation="Banque")
    etag = manager.get(f"prospects/{prospect.pk}/").headers["ETag"]
    manager.patch(f"prospects/{prospect.pk}/", {"organisation": "Caisse"})

    stale = manager.delete(f"prospects/{prospect.pk}/", If_Match=etag)
    read = manager.get(f"prospects/{prospect.pk}/")

    problem_of(stale, "stale", 412)
    assert read.json()["organisation"] == "Caisse"
    for _again in range(2):
        assert manager.delete(f"prospects/{prospect.pk}/", If_Match=read.headers["ETag"]).status_code == 204


def test_an_erased_prospect_is_blank_and_cannot_be_corrected(manager: Api) -> None:
    prospect = make_prospect(organisation="Banque", email="a@example.org")

    assert manager.delete(f"prospects/{prospect.pk}/").status_code == 204
    assert manager.delete(f"prospects/{prospect.pk}/").status_code == 204

    read = manager.get(f"prospects/{prospect.pk}/").json()
    assert (read["organisation"], read["email"], read["phones"], read["external_id"]) == ("", "", [], "")
    assert read["erased_at"]
    problem_of(manager.patch(f"prospects/{prospect.pk}/", {"city": "Rennes"}), "invalid-transition", 409)


def test_an_integration_stays_inside_its_sponsors() -> None:
    mine, other = make_sponsor(), make_sponsor()
    api = Api(make_user("integration", sponsors=[mine]))
    own = make_prospect(source=make_source(mine))
    shared = make_prospect(source=make_source())
    foreign = make_prospect(source=make_source(other))

    seen = {item["id"] for item in api.get("prospects/").json()["results"]}

    assert seen == {own.pk, shared.pk}
    problem_of(api.get(f"prospects/{foreign.pk}/"), "not-found", 404)
    problem_of(api.patch(f"prospects/{foreign.pk}/", {"city": "X"}), "not-found", 404)
    refused = api.post("prospects/", {"source": foreign.source_id, "organisation": "A"})
    assert "source" in problem_of(refused, "validation", 400)["errors"]


def test_an_agent_lists_nobody_and_sees_only_the_prospect_in_hand() -> None:
    agent = Api(make_user("agent"))
    entry = make_entry()

    problem_of(agent.get("prospects/"), "forbidden", 403)
    problem_of(agent.post("prospects/", {"source": entry.prospect.source_id}), "forbidden", 403)
    problem_of(agent.get(f"prospects/{entry.prospect_id}/"), "not-found", 404)
    problem_of(agent.delete(f"prospects/{entry.prospect_id}/"), "forbidden", 403)


def test_a_double_creation_with_its_key_writes_one_line_of_history(manager: Api) -> None:
    body = {"source": make_source().pk, "organisation": "A", "phones": [{"number": "0199001234"}]}

    first = manager.post("prospects/", body, Idempotency_Key="abc")
    second = manager.post("prospects/", body, Idempotency_Key="abc")

    assert first.json() == second.json()
    assert Prospect.objects.count() == ProspectEvent.objects.count() == 1


def test_an_erasure_reaches_the_answers_that_were_kept_for_a_repeated_request(manager: Api) -> None:
    body = {"source": make_source().pk, "organisation": "Madame Secrète"}
    created = manager.post("prospects/", body, Idempotency_Key="abc").json()

    manager.delete(f"prospects/{created['id']}/")
    again = manager.post("prospects/", body, Idempotency_Key="abc")

    assert again.json() == {"id": created["id"]}
    assert "Secrète" not in str(list(IdempotentRequest.objects.values()))
