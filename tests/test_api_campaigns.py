"""Programmes, campaigns, lists, imports and exclusions through the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from campaigns.models import Campaign, Criterion, CriterionVersion, Exclusion, ImportJob, ListEntry, Programme
from campaigns.services.imports import run_import
from crm.models import Prospect
from tests.api_client import Api, problem_of
from tests.factories import (
    make_campaign,
    make_criterion,
    make_entry,
    make_exclusion,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
)
from tests.workbook_files import sheet_xml, table, xlsx

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Api:
    return Api(make_user("manager"))


def test_a_programme_is_created_and_renamed_but_keeps_its_sponsor(manager: Api) -> None:
    sponsor = make_sponsor()

    created = manager.post(
        "programmes/", {"name": "Banques", "sponsor": sponsor.pk, "subject": "une enquête"}
    )
    path = created.headers["Location"]
    changed = manager.patch(path, {"name": "Banques 2027"})
    moved = manager.patch(path, {"sponsor": make_sponsor().pk})

    assert created.status_code == 201
    assert set(created.json()) >= {"id", "name", "sponsor"}
    assert changed.json()["name"] == "Banques 2027"
    assert changed.json()["subject"] == "une enquête"
    assert "sponsor" in problem_of(moved, "validation", 400)["errors"]


def test_a_programme_name_is_once_per_sponsor(manager: Api) -> None:
    programme = make_programme()
    body = {"name": programme.name, "sponsor": programme.sponsor_id}

    problem_of(manager.post("programmes/", body), "validation", 400)

    assert Programme.objects.count() == 1


def test_a_criterion_screens_the_list_and_each_change_is_a_version(manager: Api) -> None:
    campaign = make_campaign()
    entry = make_entry(campaign, make_prospect(sector="10.71C"))
    path = f"programmes/{campaign.programme_id}/criteria/"

    created = manager.post(
        path,
        {"field": "sector", "operator": "starts_with", "value": "64", "question": "Êtes-vous une banque ?"},
    )
    screened = ListEntry.objects.get(pk=entry.pk).state
    changed = manager.patch(created.headers["Location"], {"value": "10"})

    assert created.status_code == 201
    assert set(created.json()) >= {"id", "field", "operator", "value", "question", "blocking", "position"}
    assert screened == "screened_out"
    assert (changed.json()["value"], changed.json()["version"]) == ("10", 2)
    assert changed.json()["question"] == "Êtes-vous une banque ?"
    assert ListEntry.objects.get(pk=entry.pk).state == "ready"
    assert CriterionVersion.objects.count() == 2
    assert manager.delete(created.headers["Location"]).status_code == 204
    assert manager.get(path).json()["results"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"field": "shoe_size"}, "field"),
        ({"field": "password"}, "field"),
        ({"field": "source__sponsor__name"}, "field"),
        ({"field": "attributes."}, "field"),
        ({"field": 3}, "field"),
        ({"operator": "regex"}, "operator"),
        ({"operator": "in", "value": []}, "value"),
        ({"operator": "between", "value": ["1"]}, "value"),
        ({"operator": "between", "value": ["9", "1"]}, "value"),
        ({"value": {"a": 1}}, "value"),
        ({"value": None}, "value"),
        ({"value": "x" * 201}, "value"),
        ({"question": ""}, "question"),
        ({"blocking": "yes"}, "blocking"),
        ({"position": -1}, "position"),
        ({"position": True}, "position"),
        ({"weight": 3}, "weight"),
    ],
)
def test_a_criterion_that_makes_no_sense_is_refused(manager: Api, change: dict[str, Any], field: str) -> None:
    programme = make_programme()
    body = {"field": "sector", "operator": "starts_with", "value": "64", "question": "Une banque ?"} | change

    refused = problem_of(manager.post(f"programmes/{programme.pk}/criteria/", body), "validation", 400)

    assert field in refused["errors"]
    assert not Criterion.objects.exists()


def test_a_value_that_looks_like_a_pattern_is_a_text(manager: Api) -> None:
    campaign = make_campaign()
    literal = make_entry(campaign, make_prospect(sector="6.*%_"))
    other = make_entry(campaign, make_prospect(sector="64.19Z"))

    created = manager.post(
        f"programmes/{campaign.programme_id}/criteria/",
        {"field": "organisation", "operator": "contains", "value": "%.*_(", "question": "Un motif ?"},
    )

    assert created.status_code == 201
    states = ListEntry.objects.filter(pk__in=[literal.pk, other.pk]).values_list("state", flat=True)
    assert set(states) == {"screened_out"}


def test_a_campaign_is_created_started_paused_and_closed(manager: Api) -> None:
    programme = make_programme()

    created = manager.post(
        "campaigns/",
        {
            "name": "Vague 1",
            "programme": programme.pk,
            "purpose": "survey",
            "hours": [{"days": [1, 2], "from": "10:00", "to": "12:00"}],
            "patience_seconds": 60,
        },
    )
    path = created.headers["Location"]

    assert created.status_code == 201, created.content
    assert set(created.json()) >= {
        "id",
        "slug",
        "name",
        "programme",
        "purpose",
        "calling_rule",
        "hours",
        "max_attempts",
        "lease_seconds",
        "dead_line_seconds",
        "patience_seconds",
        "status",
    }
    assert created.json()["status"] == "draft"
    assert manager.post(f"{path}start/").json()["status"] == "running"
    assert manager.post(f"{path}pause/").json()["status"] == "paused"
    assert manager.patch(path, {"max_attempts": 3}).json()["max_attempts"] == 3
    assert manager.post(f"{path}close/").json()["status"] == "closed"
    problem_of(manager.post(f"{path}start/"), "invalid-transition", 409)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"programme": 999_999}, "programme"),
        ({"programme": None}, "programme"),
        ({"name": ""}, "name"),
        ({"slug": "../x"}, "slug"),
        ({"purpose": "spam"}, "purpose"),
        ({"calling_rule": "anything"}, "calling_rule"),
        ({"hours": "always"}, "hours"),
        ({"hours": [{"days": [8], "from": "10:00", "to": "12:00"}]}, "hours"),
        ({"hours": [{"days": [1], "from": "25:00", "to": "26:00"}]}, "hours"),
        ({"hours": [{"days": [1], "from": "12:00", "to": "10:00"}]}, "hours"),
        ({"hours": [{"days": [True], "from": "10:00", "to": "12:00"}]}, "hours"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"max_attempts": 10**9}, "max_attempts"),
        ({"lease_seconds": "long"}, "lease_seconds"),
        ({"patience_seconds": -1}, "patience_seconds"),
        ({"language": "tlh"}, "language"),
        ({"status": "running", "colour": "red"}, "colour"),
    ],
)
def test_a_campaign_that_makes_no_sense_is_refused(manager: Api, change: dict[str, Any], field: str) -> None:
    body = {"name": "Vague", "programme": make_programme().pk} | change

    assert field in problem_of(manager.post("campaigns/", body), "validation", 400)["errors"]
    assert not Campaign.objects.exists()


def test_a_campaign_that_was_read_can_be_sent_back_whole_and_stale_ones_are_refused(manager: Api) -> None:
    campaign = make_campaign()
    read = manager.get(f"campaigns/{campaign.pk}/")

    again = manager.patch(f"campaigns/{campaign.pk}/", read.json(), If_Match=read.headers["ETag"])
    manager.patch(f"campaigns/{campaign.pk}/", {"name": "Autre"})

    assert again.status_code == 200
    problem_of(
        manager.patch(f"campaigns/{campaign.pk}/", {"name": "X"}, If_Match=read.headers["ETag"]), "stale", 412
    )


def test_the_queue_says_why_nobody_is_callable(manager: Api) -> None:
    campaign = make_campaign()
    empty = manager.get(f"campaigns/{campaign.pk}/queue/").json()
    make_entry(campaign)
    full = manager.get(f"campaigns/{campaign.pk}/queue/").json()
    Campaign.objects.update(status="paused")
    paused = manager.get(f"campaigns/{campaign.pk}/queue/").json()

    assert empty["callable"] == 0
    assert empty["why"]
    assert (full["callable"], full["why"], full["states"]) == (1, "", {"ready": 1})
    assert paused["callable"] == 0
    assert paused["reasons"][0]["gate"] == "campaign"
    assert paused["why"]


def test_a_campaign_changes_what_it_offers_and_when_it_retries(manager: Api) -> None:
    campaign = make_campaign()
    path = f"campaigns/{campaign.pk}/dispositions/"
    codes = {item["code"]: item for item in manager.get(path).json()["results"]}

    slower = manager.post(path, {"code": "busy", "retry_after_seconds": 5400}).json()
    hidden = manager.post(path, {"code": "language", "enabled": False}).json()
    kept = manager.post(path, {"code": "busy", "enabled": True}).json()

    assert len(codes) == 22
    assert codes["out_of_criteria"]["by_mismatch_only"] is True
    assert slower["retry_after_seconds"] == kept["retry_after_seconds"] == 5400
    assert hidden["enabled"] is False
    for body in (
        {"code": "nonsense"},
        {"code": "busy", "retry_after_seconds": -1},
        {"code": "busy", "retry_after_seconds": 10**12},
        {"code": "out_of_criteria", "enabled": False},
        {"enabled": True},
    ):
        problem_of(manager.post(path, body), "validation", 400)


def test_a_campaign_has_its_own_closing_sentence_and_no_template_runs_in_it(manager: Api) -> None:
    campaign = make_campaign()
    path = f"campaigns/{campaign.pk}/closing-steps/"
    step = {"language": "fr", "kind": "mismatch", "step": "apologise"}

    default = manager.get(path).json()["results"]
    own = manager.post(path, step | {"text": "Pardon, nous cherchions {subject}."}).json()
    gone = manager.post(path, step | {"text": ""}).json()

    assert [item["step"] for item in default if (item["language"], item["kind"]) == ("fr", "mismatch")] == [
        "apologise",
        "thank",
        "goodbye",
    ]
    assert own == step | {"text": "Pardon, nous cherchions {subject}.", "own": True}
    assert gone["own"] is False
    for wrong in (
        {"text": "{agent.password}"},
        {"text": "{unknown}"},
        {"text": "{subject!r}"},
        {"text": "x" * 601},
        {"text": "ok", "step": "sing"},
        {"text": "ok", "kind": "ordinary", "step": "apologise"},
        {"text": "ok", "language": "tlh"},
    ):
        problem_of(manager.post(path, step | wrong), "validation", 400)


def test_prospects_are_put_into_a_list_and_taken_out(manager: Api) -> None:
    campaign = make_campaign()
    make_criterion(campaign.programme)
    fresh, barred, baker = make_prospect(), make_prospect(), make_prospect(sector="10.71C")
    make_exclusion(prospect=barred)
    path = f"campaigns/{campaign.pk}/entries/"

    added = manager.post(path, {"prospects": [fresh.pk, barred.pk, baker.pk, fresh.pk]})
    again = manager.post(path, {"prospects": [fresh.pk]})
    listed = manager.get(path).json()["results"]
    ready = manager.get(f"{path}?state=ready").json()["results"]
    removed = manager.delete(f"{path}{ready[0]['id']}/")

    assert added.status_code == 201
    counts = added.json()
    assert (counts["added"], counts["already"], counts["excluded"], counts["screened_out"]) == (1, 0, 1, 1)
    assert again.json()["already"] == 1
    assert len(listed) == 3
    assert [item["prospect"] for item in ready] == [fresh.pk]
    excluded = next(item for item in listed if item["prospect"] == barred.pk)
    assert (excluded["state"], excluded["gate"], excluded["reason"]) == (
        "excluded",
        "exclusion",
        "opposition",
    )
    assert removed.status_code == 204
    assert not ListEntry.objects.filter(state="ready").exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prospects": []},
        {"prospects": [999_999]},
        {"prospects": ["a"]},
        {"prospects": [10**30]},
        {"prospects": [True]},
    ],
)
def test_what_is_no_prospect_is_not_put_into_a_list(manager: Api, body: dict[str, Any]) -> None:
    campaign = make_campaign()

    problem_of(manager.post(f"campaigns/{campaign.pk}/entries/", body), "validation", 400)

    assert not ListEntry.objects.exists()


CSV = "Identifiant;Raison sociale;Téléphone\n1;Banque Évrard;01 99 00 12 34\n2;Sans numéro;\n3;Crédit;0261910001\n"


def csv(content: bytes = CSV.encode()) -> SimpleUploadedFile:
    return SimpleUploadedFile("liste.csv", content, "text/csv")


def test_a_list_is_imported_followed_and_undone(manager: Api) -> None:
    campaign, source = make_campaign(), make_source()

    sent = manager.upload(f"campaigns/{campaign.pk}/imports/", {"file": csv(), "source": source.slug})
    assert sent.status_code == 202, sent.content
    job = sent.json()
    run_import(job_id=job["id"], at=timezone.now())
    done = manager.get(sent.headers["Location"]).json()
    rejects = manager.get(f"imports/{job['id']}/rejects/")
    listed = manager.get(f"campaigns/{campaign.pk}/imports/").json()["results"]

    assert job["state"] in {"uploaded", "running"}
    assert (done["state"], done["percent"]) == ("done", 100)
    assert (done["counts"]["rows"], done["counts"]["created"], done["counts"]["rejected"]) == (3, 2, 1)
    assert "Sans numéro" in b"".join(rejects.streaming_content).decode("utf-8-sig")
    assert [item["id"] for item in listed] == [job["id"]]
    assert Prospect.objects.filter(organisation="Banque Évrard").exists()
    assert manager.post(f"imports/{job['id']}/undo/").json()["state"] == "undone"
    assert not ListEntry.objects.exists()


def test_an_import_by_the_api_takes_options_and_tells_its_phase_quality_and_rate(manager: Api) -> None:
    campaign, source = make_campaign(), make_source()
    repeated = "Identifiant;Téléphone\n1;01 99 00 12 34\n1;01 99 00 12 34\n2;06 39 98 12 34\n"
    body = {"file": csv(repeated.encode()), "source": source.slug, "options": '{"repeated": "merge"}'}

    sent = manager.upload(f"campaigns/{campaign.pk}/imports/", body).json()
    run_import(job_id=sent["id"], at=timezone.now())
    done = manager.get(f"imports/{sent['id']}/").json()
    duplicates = b"".join(manager.get(f"imports/{sent['id']}/rejects/?duplicates=1").streaming_content)
    rejects = b"".join(manager.get(f"imports/{sent['id']}/rejects/").streaming_content)

    assert (sent["phase"], sent["rows_per_second"]) == ("plan", None)
    assert sent["options"]["repeated"] == "merge"
    assert sent["options"]["mode"] == "both"
    assert (sent["sheet"], sent["sheets"]) == ("", [])
    assert done["phase"] == "done"
    assert (done["quality"]["valid"], done["quality"]["possible"]) == (2, 1)
    assert done["rows_per_second"] > 0
    assert "1;01 99 00 12 34;3;Doublon" in duplicates.decode("utf-8-sig")
    assert "Doublon" not in rejects.decode("utf-8-sig")


def test_an_import_by_the_api_reads_the_sheet_that_is_named(manager: Api) -> None:
    campaign, source = make_campaign(), make_source()
    path = f"campaigns/{campaign.pk}/imports/"
    sheets = {"Clients": ["A", "0199007701"], "Salon": ["Z", "0199007703"]}
    book = xlsx({name: sheet_xml(table(["Nom", "Tel"], row)) for name, row in sheets.items()})

    job = manager.upload(path, {"file": csv(book), "source": source.slug, "sheet": "Salon"}).json()
    gone = manager.upload(path, {"file": csv(book), "source": source.slug, "sheet": "Foire"})

    assert (job["sheet"], job["sheets"]) == ("Salon", ["Clients", "Salon"])
    assert "Foire" in problem_of(gone, "validation", 400)["errors"]["file"][0]


def test_an_upload_with_its_key_is_one_import(manager: Api) -> None:
    path, source = f"campaigns/{make_campaign().pk}/imports/", make_source()

    first = manager.upload(path, {"file": csv(), "source": source.pk}, Idempotency_Key="a")
    second = manager.upload(path, {"file": csv(), "source": source.pk}, Idempotency_Key="a")
    other = manager.upload(path, {"file": csv(b"x;y\n1;2\n"), "source": source.pk}, Idempotency_Key="a")

    assert first.json()["id"] == second.json()["id"]
    problem_of(other, "idempotency-conflict", 422)
    assert ImportJob.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"file": csv(b"")}, "file"),
        ({"file": csv(b"\x00\x01\x02" * 100)}, "file"),
        ({"file": "not a file"}, "file"),
        ({"file": [csv(), csv()]}, "file"),
        ({"region": ["FR", "FR"]}, "region"),
        ({"source": "nope"}, "source"),
        ({"source": ""}, "source"),
        ({"mapping": "{"}, "mapping"),
        ({"mapping": "[]"}, "mapping"),
        ({"mapping": '{"Téléphone": 3}'}, "mapping"),
        ({"mapping": '{"Inconnue": "phone"}'}, "mapping"),
        ({"mapping": '{"Téléphone": "shoe_size"}'}, "mapping"),
        ({"region": "France"}, "region"),
        ({"region": "XX"}, "region"),
        ({"options": "[]"}, "options"),
        ({"options": '{"mode": "delete"}'}, "options"),
        ({"options": '{"colour": "red"}'}, "options"),
        ({"sheet": "x" * 121}, "sheet"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_import_that_cannot_be_read_is_refused(manager: Api, change: dict[str, Any], field: str) -> None:
    body = {"file": csv(), "source": make_source().slug} | change

    refused = problem_of(manager.upload(f"campaigns/{make_campaign().pk}/imports/", body), "validation", 400)

    assert field in refused["errors"]
    assert not ImportJob.objects.exists()


def test_json_is_no_upload(manager: Api) -> None:
    problem_of(manager.post(f"campaigns/{make_campaign().pk}/imports/", {}), "unsupported-media-type", 415)


def test_a_source_of_another_sponsor_is_not_imported(manager: Api) -> None:
    campaign, source = make_campaign(), make_source(make_sponsor())

    refused = manager.upload(f"campaigns/{campaign.pk}/imports/", {"file": csv(), "source": source.slug})

    assert "source" in problem_of(refused, "validation", 400)["errors"]


def test_an_exclusion_holds_at_once_and_is_lifted_with_a_reason(manager: Api) -> None:
    campaign = make_campaign()
    entry = make_entry(campaign)

    created = manager.post(
        "exclusions/",
        {
            "scope": "programme",
            "programme": campaign.programme_id,
            "number": entry.number.replace("+33", "0"),
            "reason": "opposition",
            "note": "courrier du 3 mars",
        },
    )
    state = ListEntry.objects.get(pk=entry.pk).state
    path = created.headers["Location"]
    problem_of(manager.post(f"{path}lift/"), "validation", 400)
    problem_of(manager.post(f"{path}lift/", {"reason": "   "}), "validation", 400)
    lifted = manager.post(f"{path}lift/", {"reason": "erreur"})

    assert created.status_code == 201, created.content
    assert set(created.json()) >= {
        "id",
        "scope",
        "sponsor",
        "programme",
        "campaign",
        "number",
        "prospect",
        "reason",
        "since",
        "until",
        "lifted_at",
        "lifted_by",
        "lift_reason",
        "call",
    }
    assert created.json()["number"] == entry.number
    assert created.json()["sponsor"] == campaign.programme.sponsor_id
    assert state == "excluded"
    assert lifted.json()["lift_reason"] == "erreur"
    assert ListEntry.objects.get(pk=entry.pk).state == "ready"
    problem_of(manager.post(f"{path}lift/", {"reason": "encore"}), "invalid-transition", 409)
    problem_of(manager.delete(path), "method-not-allowed", 405)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"scope": "galaxy"}, "scope"),
        ({"scope": "programme"}, "programme"),
        ({"scope": "campaign", "campaign": 999_999}, "campaign"),
        ({"scope": "everywhere", "sponsor": 1}, "sponsor"),
        ({"reason": "mood"}, "reason"),
        ({"number": "112"}, "number"),
        ({"number": "abc"}, "number"),
        ({"number": None}, "number"),
        ({"number": 112}, "number"),
        ({"prospect": 999_999}, "prospect"),
        ({"note": "x" * 301}, "note"),
        ({"until": "soon"}, "until"),
        ({"until": "2027-01-01T10:00:00"}, "until"),
        ({"until": "2027-01-01"}, "until"),
        ({"until": "9999-12-31T23:59:59Z"}, "until"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "since"),
        ({"lifted": True}, "lifted"),
    ],
)
def test_an_exclusion_that_makes_no_sense_is_refused(
    manager: Api, change: dict[str, Any], field: str
) -> None:
    body = {"scope": "everywhere", "number": "01 99 00 12 34", "reason": "opposition"} | change

    assert field in problem_of(manager.post("exclusions/", body), "validation", 400)["errors"]
    assert not Exclusion.objects.exists()


def test_an_exclusion_that_stood_elsewhere_keeps_since_when(manager: Api) -> None:
    body = {"scope": "everywhere", "number": "01 99 00 12 34", "reason": "opposition"}

    told = manager.post("exclusions/", {**body, "since": "2024-03-01T11:00:00+01:00"}).json()
    ahead = manager.post("exclusions/", {**body, "number": "0199001235", "since": "2199-12-31T23:59:59Z"})

    assert told["since"] == "2024-03-01T10:00:00Z"
    assert ahead.json()["since"] < "2100"


def test_many_numbers_are_checked_at_once(manager: Api, django_assert_max_num_queries: Any) -> None:
    campaign = make_campaign()
    everywhere = make_exclusion(number="+33199001234")
    elsewhere = make_exclusion(number="+33199005678", programme=make_programme())
    numbers = ["01 99 00 12 34", "+33199005678", "02 61 91 00 01", "112", ""]

    found = manager.post("exclusions/check/", {"numbers": numbers}).json()["results"]
    inside = manager.post("exclusions/check/", {"numbers": numbers, "campaign": campaign.pk}).json()[
        "results"
    ]
    many = [f"+3319900{number:04d}" for number in range(10_000)]
    with django_assert_max_num_queries(10):
        bulk = manager.post("exclusions/check/", {"numbers": many})

    assert [item["exclusion"] for item in found] == [everywhere.pk, elsewhere.pk, None, None, None]
    assert [item["excluded"] for item in inside] == [True, False, False, False, False]
    assert [item["number"] for item in found] == ["+33199001234", "+33199005678", "+33261910001", None, None]
    assert sum(item["excluded"] for item in bulk.json()["results"]) == 2
    problem_of(manager.post("exclusions/check/", {"numbers": [*many, "1"]}), "validation", 400)


def test_a_number_is_excluded_with_whoever_carries_it_and_whatever_stands_before_it(manager: Api) -> None:
    campaign = make_campaign()
    person = make_prospect("+33199001234", source=make_source(campaign.programme.sponsor))
    bar = make_exclusion(prospect=person)
    body = {"numbers": ["01 99 00 12 34", "02 61 91 00 01 / 01 99 00 12 34"]}

    found = manager.post("exclusions/check/", body).json()["results"]
    inside = manager.post("exclusions/check/", {**body, "campaign": campaign.pk}).json()["results"]

    assert [item["exclusion"] for item in found] == [item["exclusion"] for item in inside] == [bar.pk] * 2
    assert {item["number"] for item in found} == {"+33199001234"}


def test_an_old_opposition_list_is_taken_in_at_once(manager: Api) -> None:
    make_exclusion(number="+33199001234")
    body = {
        "scope": "everywhere",
        "numbers": ["01 99 00 12 34", "01 99 00 12 35", "0199001235", "garbage"],
        "reason": "opposition",
    }

    taken = manager.post("exclusions/bulk/", body)

    assert taken.status_code == 201, taken.content
    assert taken.json() == {"created": 1, "already": 1, "unreadable": ["garbage"]}
    assert Exclusion.objects.count() == 2


def test_exclusions_are_found_by_number_and_state(manager: Api) -> None:
    active = make_exclusion(number="+33199001234")
    past = make_exclusion(number="+33199001234", until=timezone.now() - timedelta(days=1))

    def ids(query: str) -> list[int]:
        return [item["id"] for item in manager.get(f"exclusions/?{query}").json()["results"]]

    assert ids("number=01.99.00.12.34") == [active.pk, past.pk]
    assert ids("active=true") == [active.pk]
    assert ids("active=false") == [past.pk]
    assert ids("reason=minor") == []
    assert ids("scope=everywhere") == [active.pk, past.pk]
    for query in ("active=yes", "scope=galaxy", "reason=mood", "prospect=x", "number=1"):
        problem_of(manager.get(f"exclusions/?{query}"), "validation", 400)


def test_an_integration_excludes_only_at_home_and_lifts_nothing() -> None:
    programme = make_programme()
    api = Api(make_user("integration", sponsors=[programme.sponsor]))
    foreign = make_exclusion(programme=make_programme(), number="+33199001234")
    body = {"number": "01 99 00 12 34", "reason": "opposition"}

    own = api.post("exclusions/", body | {"scope": "programme", "programme": programme.pk})

    assert own.status_code == 201
    problem_of(api.post("exclusions/", body | {"scope": "everywhere"}), "forbidden", 403)
    refused = api.post("exclusions/", body | {"scope": "programme", "programme": foreign.programme_id})
    problem_of(refused, "validation", 400)
    problem_of(api.post(f"exclusions/{own.json()['id']}/lift/", {"reason": "x"}), "forbidden", 403)
    problem_of(api.get(f"exclusions/{foreign.pk}/"), "not-found", 404)
    assert [item["id"] for item in api.get("exclusions/").json()["results"]] == [own.json()["id"]]


def test_the_gate_is_asked_without_calling(manager: Api) -> None:
    campaign, prospect = make_campaign(), make_prospect()
    base = f"contactability/?campaign={campaign.pk}"

    verdict = manager.get(f"{base}&prospect={prospect.pk}").json()

    assert set(verdict) >= {"allowed", "gate", "reason", "until"}
    assert (verdict["allowed"], verdict["gate"]) == (True, "open")
    assert manager.get(f"{base}&number=02 61 91 00 77").json()["allowed"] is True
    for query in (
        "",
        "&number=112",
        "&number=abc",
        f"&prospect={prospect.pk}&number=0261910077",
        "&prospect=x",
    ):
        problem_of(manager.get(base + query), "validation", 400)
    problem_of(manager.get("contactability/?number=0261910077"), "validation", 400)
    problem_of(manager.get(f"{base}&prospect=999999"), "not-found", 404)
    problem_of(manager.get(f"contactability/?campaign=999999&prospect={prospect.pk}"), "not-found", 404)


def test_sponsors_are_walls_in_every_list() -> None:
    mine, other = make_sponsor(), make_sponsor()
    own, foreign = make_campaign(make_programme(mine)), make_campaign(make_programme(other))
    api = Api(make_user("manager", sponsors=[mine]))

    for path, pk, stranger in (
        ("sponsors/", mine.pk, other.pk),
        ("programmes/", own.programme_id, foreign.programme_id),
        ("campaigns/", own.pk, foreign.pk),
    ):
        assert [item["id"] for item in api.get(path).json()["results"]] == [pk]
        problem_of(api.get(f"{path}{stranger}/"), "not-found", 404)
        problem_of(api.patch(f"{path}{stranger}/", {"name": "X"}), "not-found", 404)
    for path in ("start/", "pause/", "close/", "dispositions/", "closing-steps/", "entries/"):
        problem_of(api.post(f"campaigns/{foreign.pk}/{path}", {}), "not-found", 404)
    problem_of(api.get(f"campaigns/{foreign.pk}/queue/"), "not-found", 404)
    refused = api.post("campaigns/", {"name": "X", "programme": foreign.programme_id})
    assert "programme" in problem_of(refused, "validation", 400)["errors"]
