"""What every address of the API does alike: tokens, problems, lists by cursor, entity tags, POSTs that happen once."""

import gzip
import threading
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from config.bodies import UntoldLength
from crm.api.problems import PROBLEMS, exception_handler
from crm.models import ApiToken, IdempotentRequest, Source, Sponsor
from tests.api_client import Api, problem_of
from tests.factories import make_campaign, make_prospect, make_source, make_sponsor, make_user
from tests.racing import end_connection, meanwhile, second_session, wait_until_blocked

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Api:
    return Api(make_user("manager"))


def test_nobody_comes_in_without_a_token() -> None:
    problem_of(Api(None).get("sponsors/"), "unauthenticated", 401)
    problem_of(Api(None).get("nothing/here/"), "unauthenticated", 401)
    problem_of(Api(None).get("nothing%0Ahere/"), "unauthenticated", 401)
    problem_of(Api(None).get("schema/"), "unauthenticated", 401)


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer", "Bearer a b", "bearer \xe9t\xe9"])
def test_a_wrong_token_is_refused_and_says_how_to_come_in(header: str) -> None:
    api = Api(None)
    api.headers["Authorization"] = header

    response = api.get("sponsors/")

    problem_of(response, "unauthenticated", 401)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_or_revoked_token_and_an_inactive_user_are_refused() -> None:
    expired, revoked, left = (Api(make_user("manager")) for _ in range(3))
    ApiToken.objects.filter(pk=ApiToken.objects.order_by("id")[0].pk).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    ApiToken.objects.filter(pk=ApiToken.objects.order_by("id")[1].pk).update(revoked_at=timezone.now())
    gone = ApiToken.objects.order_by("id")[2].user
    gone.is_active = False
    gone.save()

    for api in (expired, revoked, left):
        problem_of(api.get("sponsors/"), "unauthenticated", 401)


def test_a_body_without_its_length_is_read_to_its_end() -> None:
    environ = RequestFactory().post("/api/v1/sponsors/", b"", "application/json").environ
    environ.pop("CONTENT_LENGTH", None)
    environ |= {"wsgi.input": BytesIO(b'{"name": "In chunks"}'), "wsgi.input_terminated": True}

    read = UntoldLength(lambda environ, start_response: [WSGIRequest(environ).read()])(environ, print)

    assert read == [b'{"name": "In chunks"}']


def test_a_signed_in_browser_reads_but_writes_only_with_its_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("manager"))

    assert client.get("/api/v1/sponsors/").status_code == 200
    answer = client.post("/api/v1/sponsors/", {"name": "X"}, content_type="application/json")

    problem_of(answer, "forbidden", 403)
    assert not Sponsor.objects.filter(name="X").exists()


def test_a_program_gets_data_that_loads_nothing_and_no_cookie(manager: Api) -> None:
    for response in (manager.get("sponsors/"), manager.post("sponsors/", {}), manager.get("nowhere/")):
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert not response.cookies


def test_a_session_never_helps_out_a_wrong_token() -> None:
    client = Client()
    client.force_login(make_user("manager"))

    for path in ("sponsors/", "nowhere/"):
        response = client.get(f"/api/v1/{path}", headers={"Authorization": "Bearer nonsense"})
        problem_of(response, "unauthenticated", 401)


def test_only_a_token_at_an_address_of_data_leaves_the_way_of_the_pages() -> None:
    client = Client(enforce_csrf_checks=True)
    token = Api(make_user("manager")).headers["Authorization"]

    # A proxy that asks for a password sends this header with every request of a browser.
    assert client.post("/api/v1/sponsors/", headers={"Authorization": "Basic eDp5"}).status_code == 401
    for page in ("/", "/prospects/", "/api/v1/docs/"):
        response = client.get(page, headers={"Authorization": token})
        assert response.headers["Location"].startswith("/login/")
    client.force_login(make_user("manager"))
    assert client.get("/api/v1/sponsors/", headers={"Authorization": "Basic eDp5"}).status_code == 200
    assert client.post("/api/v1/sponsors/", headers={"Authorization": "Basic eDp5"}).status_code == 403
    docs = client.get("/api/v1/docs/", headers={"Authorization": token})
    assert (docs.status_code, "script-src 'self'" in docs.headers["Content-Security-Policy"]) == (200, True)


def test_an_unknown_address_is_a_problem_even_without_its_last_slash(manager: Api) -> None:
    problem_of(manager.get("nothing/"), "not-found", 404)
    problem_of(manager.get("sponsors"), "not-found", 404)
    problem_of(manager.get("sponsors/999999/"), "not-found", 404)
    problem_of(manager.get(f"sponsors/{10**30}/"), "not-found", 404)


def test_a_method_that_is_not_there_is_405_and_names_those_that_are(manager: Api) -> None:
    response = manager.delete("sponsors/")

    problem_of(response, "method-not-allowed", 405)
    assert "GET" in response.headers["Allow"]


def test_another_format_than_json_is_415(manager: Api) -> None:
    response = manager.client.post("/api/v1/sponsors/", {"name": "X"}, headers=manager.headers)

    problem_of(response, "unsupported-media-type", 415)


def test_a_compressed_body_is_415_and_said_to_be_one(manager: Api) -> None:
    body = gzip.compress(b'{"name": "X"}')
    headers = manager.headers | {"Content-Encoding": "gzip"}

    response = manager.client.post(
        "/api/v1/sponsors/", body, content_type="application/json", headers=headers
    )

    assert "gzip" in problem_of(response, "unsupported-media-type", 415)["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nope",
        b'{"name": NaN}',
        b'{"name": 1e999}',
        b'{"name": "\xff"}',
        b'{"name": "a\\u0000b"}',
        b'{"name": "a\x00b"}',
        b'{"name": "\\ud800"}',
        b"[" * 100_000,
        b'{"name": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"name": ' + b"9" * 5000 + b"}",
        b'{"name": "a", "name": "b"}',
        b'{"\\ud800": 1, "\\ud800": 2}',
    ],
)
def test_a_body_that_cannot_be_read_is_a_validation_problem(manager: Api, body: bytes) -> None:
    response = manager.call("POST", "sponsors/", body)

    assert problem_of(response, "validation", 400)["errors"]
    assert not Sponsor.objects.exists()


def test_a_body_that_is_no_json_says_where(manager: Api) -> None:
    refused = problem_of(manager.call("POST", "sponsors/", b'{"name":\n "a" "b"}'), "validation", 400)

    assert "ligne 2, colonne 6" in refused["detail"]


@pytest.mark.parametrize("body", [[], [1], "text", 3, True, None])
def test_a_body_that_is_no_object_is_refused(manager: Api, body: Any) -> None:
    response = manager.call("POST", "sponsors/", b"null" if body is None else body)

    problem_of(response, "validation", 400)


def test_a_text_of_10_mb_is_refused_and_nothing_is_stored(manager: Api) -> None:
    problem_of(manager.post("sponsors/", {"name": "x" * 10_000_000}), "too-large", 413)
    refused = problem_of(manager.post("sponsors/", {"name": "x" * 1_000_000}), "validation", 400)

    assert "name" in refused["errors"]
    assert not Sponsor.objects.exists()


@pytest.mark.parametrize("name", [None, 3, True, ["a"], {"a": 1}, "", "   ", "x" * 201])
def test_a_value_of_the_wrong_type_names_its_field(manager: Api, name: Any) -> None:
    body = problem_of(manager.post("sponsors/", {"name": name}), "validation", 400)

    assert "name" in body["errors"]
    assert not Sponsor.objects.exists()


def test_a_misspelt_field_is_refused_and_not_ignored(manager: Api) -> None:
    body = problem_of(manager.post("sponsors/", {"name": "A", "nmae": "B"}), "validation", 400)

    assert list(body["errors"]) == ["nmae"]


def test_a_name_that_is_taken_is_a_validation_problem(manager: Api) -> None:
    make_sponsor("Banque")

    assert "name" in problem_of(manager.post("sponsors/", {"name": "Banque"}), "validation", 400)["errors"]


def test_problems_speak_the_language_of_the_client(manager: Api) -> None:
    french = manager.get("sponsors/0/", Accept_Language="fr").json()

    assert french["title"] == "Introuvable"


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_each_problem_has_a_page_that_explains_it_to_anybody(name: str) -> None:
    response = Client().get(f"/problems/{name}/")

    assert response.status_code == 200
    assert name in response.content.decode()


def test_an_unknown_problem_has_no_page() -> None:
    assert Client().get("/problems/nonsense/").status_code == 404


def test_an_unforeseen_error_is_a_problem_too() -> None:
    answer = exception_handler(ZeroDivisionError(), {"request": RequestFactory().get("/api/v1/sponsors/")})

    assert answer is not None
    assert answer.status_code == 500
    assert answer.data["type"].endswith("/problems/internal/")
    assert "ZeroDivisionError" not in str(answer.data)


def test_a_list_is_walked_by_its_cursor_forth_and_back(manager: Api) -> None:
    names = [make_sponsor(f"S{number}").name for number in range(7)]

    first = manager.get("sponsors/?limit=3").json()
    second = manager.get(first["next"]).json()
    third = manager.get(second["next"]).json()
    back = manager.get(third["previous"]).json()
    start = manager.get(back["previous"]).json()

    walked = [item["name"] for page in (first, second, third) for item in page["results"]]
    assert walked == names
    assert first["previous"] is None
    assert third["next"] is None
    assert back["results"] == second["results"]
    assert start["results"] == first["results"]
    assert start["previous"] is None


def test_a_row_that_is_added_while_a_list_is_walked_is_met_once(manager: Api) -> None:
    for number in range(3):
        make_sponsor(f"S{number}")

    first = manager.get("sponsors/?limit=2").json()
    make_sponsor("late")
    second = manager.get(first["next"]).json()

    assert [item["name"] for item in second["results"]] == ["S2", "late"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=%C2%B2",
        "cursor=nonsense",
        "cursor=",
        "cursor=WzAsIngiXQ",
        "cursor=WzUsMV0",
        "cursor=%00",
        "sponser=1",
        "updated_since=2026-01-01T00:00:00Z",
    ],
)
def test_a_wrong_parameter_of_a_list_is_refused(manager: Api, query: str) -> None:
    problem_of(manager.get(f"sponsors/?{query}"), "validation", 400)


def test_the_number_of_queries_of_a_list_does_not_grow_with_it(
    manager: Api, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        make_source(make_sponsor())
    manager.get("sources/")
    with django_assert_num_queries(2) as few:
        manager.get("sources/")
    for _ in range(20):
        make_source(make_sponsor())

    with django_assert_num_queries(len(few.captured_queries)):
        assert len(manager.get("sources/").json()["results"]) == 23


def test_a_record_is_created_read_and_changed(manager: Api) -> None:
    sponsor = make_sponsor()

    created = manager.post(
        "sources/",
        {
            "name": "Annuaire",
            "sponsor": sponsor.pk,
            "spoken_origin": "L'annuaire",
            "obtained_at": "2026-01-31",
        },
    )
    location = created.headers["Location"]
    changed = manager.patch(location, {"rights_contact": "dpo@example.org"})

    assert created.status_code == 201
    assert created.json() == {
        "id": Source.objects.get().pk,
        "name": "Annuaire",
        "slug": "annuaire",
        "sponsor": sponsor.pk,
        "spoken_origin": "L'annuaire",
        "obtained_at": "2026-01-31",
        "rights_contact": "",
    }
    assert changed.status_code == 200
    assert manager.get(location).json() == created.json() | {"rights_contact": "dpo@example.org"}


def test_a_record_that_was_read_can_be_sent_back_whole(manager: Api) -> None:
    source = manager.post("sources/", {"name": "Annuaire"}).json()

    assert manager.patch(f"sources/{source['id']}/", source).json() == source


def test_a_stale_record_is_not_overwritten(manager: Api) -> None:
    pk = make_sponsor("Avant").pk
    etag = manager.get(f"sponsors/{pk}/").headers["ETag"]

    first = manager.patch(f"sponsors/{pk}/", {"name": "Après"}, If_Match=etag)
    second = manager.patch(f"sponsors/{pk}/", {"name": "Trop tard"}, If_Match=etag)

    assert first.status_code == 200
    assert first.headers["ETag"] != etag
    problem_of(second, "stale", 412)
    assert Sponsor.objects.get().name == "Après"


def test_the_same_post_with_its_key_happens_once(manager: Api) -> None:
    first = manager.post("sources/", {"name": "Annuaire"}, Idempotency_Key="k1")
    second = manager.post("sources/", {"name": "Annuaire"}, Idempotency_Key="k1")

    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.headers["Location"] == first.headers["Location"]
    assert Source.objects.count() == 1


def test_a_key_is_of_one_request(manager: Api) -> None:
    manager.post("sources/", {"name": "Annuaire"}, Idempotency_Key="k1")

    problem_of(manager.post("sources/", {"name": "Autre"}, Idempotency_Key="k1"), "idempotency-conflict", 422)
    problem_of(
        manager.post("sponsors/", {"name": "Annuaire"}, Idempotency_Key="k1"), "idempotency-conflict", 422
    )
    assert Source.objects.count() == 1
    assert not Sponsor.objects.exists()


def test_a_key_is_of_one_user(manager: Api) -> None:
    manager.post("sources/", {"name": "Annuaire"}, Idempotency_Key="k1")

    other = Api(make_user("manager")).post("sources/", {"name": "Annuaire"}, Idempotency_Key="k1")

    assert other.status_code == 201
    assert "Idempotency-Replayed" not in other.headers
    assert Source.objects.count() == 2


def test_a_refused_post_may_be_corrected_under_the_same_key(manager: Api) -> None:
    problem_of(manager.post("sources/", {"name": ""}, Idempotency_Key="k1"), "validation", 400)

    assert manager.post("sources/", {"name": "Annuaire"}, Idempotency_Key="k1").status_code == 201


def test_a_key_is_forgotten_after_a_day(manager: Api) -> None:
    manager.post("sources/", {"name": "Annuaire"}, Idempotency_Key="k1")
    manager.post("sources/", {"name": "Autre"}, Idempotency_Key="k2")
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(hours=25))

    again = manager.post("sources/", {"name": "Annuaire"}, Idempotency_Key="k1")

    assert "Idempotency-Replayed" not in again.headers
    assert list(IdempotentRequest.objects.values_list("key", flat=True)) == ["k1"]


@pytest.mark.parametrize("key", ["x" * 201, "a\tb"])
def test_a_key_is_a_short_text(manager: Api, key: str) -> None:
    problem_of(manager.post("sources/", {"name": "A"}, Idempotency_Key=key), "validation", 400)

    assert not Source.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(3))
def test_a_double_submit_over_parallel_connections_creates_once(round_: int) -> None:
    manager = Api(make_user("manager"))
    barrier = threading.Barrier(4)
    answers: list[Any] = []

    def submit() -> None:
        try:
            own = Api(None)
            own.headers = manager.headers
            barrier.wait(10)
            answers.append(own.post("sources/", {"name": "Annuaire"}, Idempotency_Key="k1"))
        finally:
            connection.close()

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    created = [answer for answer in answers if answer.status_code == 201]
    running = [answer for answer in answers if answer.status_code == 409]
    assert len(answers) == len(created) + len(running) == 4
    assert created
    for answer in running:
        problem_of(answer, "idempotency-conflict", 409)
    assert Source.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_database_that_goes_away_is_told_as_such_and_the_request_can_be_repeated(
    manager: Api, when: str
) -> None:
    def create() -> Any:
        return manager.post("sources/", {"name": "Annuaire"}, Idempotency_Key="k1")

    def create_in_time() -> Any:
        if when == "before":
            connection.ensure_connection()
            end_connection(connection.connection.info.backend_pid)
        return create()

    with second_session() as holder:
        holder.execute("LOCK TABLE crm_source")
        with meanwhile(create_in_time) as answer:
            if when == "meanwhile":
                end_connection(wait_until_blocked(holder))
            refused = answer.result(timeout=30)
        holder.rollback()
    again = create()

    problem_of(refused, "unavailable", 503)
    assert int(refused.headers["Retry-After"]) > 0
    assert again.status_code == 201
    assert Source.objects.count() == 1


def test_too_many_requests_are_told_when_to_come_back(manager: Api, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2

    answers = [manager.get("sponsors/") for _ in range(6)]

    assert answers[0].status_code == 200
    # The minute may turn once between two requests.
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    problem_of(refused[0], "throttled", 429)
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("sources/", {"name": "A", "sponsor": "theirs"}, "sponsor"),
        (
            "exclusions/",
            {"scope": "sponsor", "sponsor": "theirs", "number": "0199000", "reason": "other"},
            "sponsor",
        ),
        ("exclusions/check/", {"numbers": [], "campaign": "campaign"}, "campaign"),
        ("campaigns/{own}/entries/", {"prospects": ["prospect"]}, "prospects"),
    ],
)
def test_an_id_of_another_sponsor_in_a_body_is_refused_as_if_there_were_none(
    path: str, body: dict[str, Any], field: str
) -> None:
    theirs, own = make_campaign(), make_campaign()
    sponsor = theirs.programme.sponsor
    ids = {
        "theirs": sponsor.pk,
        "campaign": theirs.pk,
        "prospect": make_prospect(source=make_source(sponsor)).pk,
    }
    api = Api(make_user("manager", sponsors=[own.programme.sponsor]))

    def filled(names: dict[str, int]) -> dict[str, Any]:
        return {
            key: [names.get(item, item) for item in value]
            if isinstance(value, list)
            else names.get(value, value)
            for key, value in body.items()
        }

    refused = api.post(path.format(own=own.pk), filled(ids))
    nothing = api.post(path.format(own=own.pk), filled(dict.fromkeys(ids, 10**9)))

    told = problem_of(refused, "validation", 400)["errors"]
    assert set(told) == set(problem_of(nothing, "validation", 400)["errors"]) == {field}
