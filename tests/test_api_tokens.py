"""What a token opens: no more than its scopes, its sponsors and its time, whatever its user may."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import RequestFactory
from django.urls import URLPattern
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from calls.api.export import TOLD
from calls.models import Call, Callback
from campaigns.models import Campaign, ListEntry
from crm.api.endpoints import ANY, EVERYBODY, Endpoint
from crm.enums import Resource, Role
from crm.models import ApiToken, Sponsor, User, UserEvent
from crm.rules.errors import Forbidden, Invalid
from crm.rules.token_scopes import is_covered, scopes_of
from crm.services.tokens import (
    create_token,
    give_token,
    give_token_to_new_program,
    revoke_token,
    user_of_token,
)
from tests.api_client import Api, problem_of
from tests.factories import (
    NOW,
    make_campaign,
    make_entry,
    make_exclusion,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
)
from tests.test_api_matrix import COMMON, FORBIDDEN, MATRIX, MISSING, UPLOAD, address_of, make_world, routes

pytestmark = pytest.mark.django_db

#: What a resource needs beside its own scope: the feed tells of what may be read otherwise.
MORE = {"changes": ["prospects:read"]}
LATER = NOW + timedelta(days=400)


def speaking(user: User, *scopes: str, sponsors: list[Sponsor] | None = None) -> Api:
    """Return a client with a token of the user, of these scopes and sponsors; none: all."""
    api = Api(None)
    text = create_token(user=user, name="narrow", at=NOW, scopes=scopes, sponsors=sponsors or [])
    api.headers["Authorization"] = f"Bearer {text}"
    return api


def status_of(api: Api, method: str, address: str) -> int:
    """Ask without leaving a trace for the next one."""
    with transaction.atomic():
        answer = api.call(method, address, None if method in ("GET", "DELETE") else {})
        transaction.set_rollback(True)
    return int(answer.status_code)


def view_of(item: URLPattern) -> Any:
    return getattr(item.callback, "cls", None)


def test_every_address_says_what_it_is_about() -> None:
    unnamed = [
        name
        for name, item in routes()
        if issubclass(view_of(item), Endpoint) and view_of(item).resource not in {*Resource.values, ANY}
    ]

    assert unnamed == []


def test_an_address_that_says_nothing_of_itself_lets_nobody_in() -> None:
    class Nameless(Endpoint):
        roles = {"GET": EVERYBODY}

        def get(self, request: Request) -> Response:
            return Response({"secret": 1})

    text = create_token(user=make_user("admin"), name="", at=NOW)
    request = RequestFactory().get("/api/v1/x/", headers={"Authorization": f"Bearer {text}"})

    answer: Any = Nameless.as_view()(request)

    assert answer.status_code == 403
    assert "secret" not in answer.data


@pytest.mark.parametrize("role", ["manager", "integration"])
def test_a_token_that_reads_one_thing_writes_nothing_and_reads_nothing_else(role: str) -> None:
    world = make_world()
    user = world.users[role]
    assert user is not None
    views = {name: view_of(item) for name, item in routes() if issubclass(view_of(item), Endpoint)}
    scopes = {view.resource for view in views.values()} & set(Resource.values)
    tokens = {resource: speaking(user, f"{resource}:read", *MORE.get(resource, ())) for resource in scopes}
    # All that is kept about a person is of many resources.
    exporting = speaking(user, "prospects:read", *(f"{resource}:read" for resource in TOLD))

    for line in MATRIX:
        if line.name in COMMON or getattr(line, role) == FORBIDDEN:
            continue
        view = views[line.name]
        reads = line.method == "GET" or line.method in view.only_reads
        other = "sources" if view.resource == "sponsors" else "sponsors"
        token = tokens[view.resource] if line.name != "api-prospect-export" else exporting
        own = status_of(token, line.method, address_of(line.name, world))
        assert own == (getattr(line, role) if reads else FORBIDDEN), (line, own)
        strange = status_of(tokens[other], line.method, address_of(line.name, world))
        assert strange == FORBIDDEN, (line, other)


def test_a_refusal_names_the_scope_that_is_missing() -> None:
    api = speaking(make_user("manager"), "sponsors:read", "prospects:write")

    body = problem_of(api.post("sponsors/", {"name": "X"}), "forbidden", 403)

    assert body["scope"] == "sponsors:write"
    assert "sponsors:write" in body["detail"]
    assert problem_of(api.get("sources/"), "forbidden", 403)["scope"] == "sources:read"
    assert api.get("sponsors/").status_code == 200
    # To write is to read, too; and HEAD is a GET.
    assert api.get("prospects/").status_code == 200
    assert api.call("HEAD", "prospects/").status_code == 200


def test_a_scope_gives_nothing_that_the_role_may_not() -> None:
    api = speaking(make_user("agent"), "prospects:write", "sponsors:write")

    assert "scope" not in problem_of(api.get("prospects/"), "forbidden", 403)


def test_the_feed_tells_of_what_the_token_may_read_and_of_nothing_else() -> None:
    manager = make_user("manager")
    make_exclusion(programme=make_programme(), number="+33199009999")
    make_prospect()
    told = {"changes:read": 403, "exclusions:read": 403}

    for scope, status in told.items():
        assert speaking(manager, scope).get("changes/").status_code == status
    some = speaking(manager, "changes:read", "exclusions:read")

    assert {row["kind"] for row in some.get("changes/").json()["results"]} <= {"exclusion"}
    assert problem_of(some.get("changes/?kinds=prospect"), "forbidden", 403)["scope"] == "prospects:read"
    assert some.get("changes/?kinds=exclusion").status_code == 200
    # A feed is no list of records: it is read whole.
    assert "fields" in problem_of(some.get("changes/?fields=results"), "validation", 400)["errors"]


def test_asking_whether_numbers_are_excluded_is_reading() -> None:
    api = speaking(make_user("manager"), "exclusions:read")

    assert api.post("exclusions/check/", {"numbers": ["0199000001"]}).status_code == 200
    problem_of(api.post("exclusions/bulk/", {}), "forbidden", 403)


@pytest.mark.parametrize("role", ["agent", "supervisor", "manager", "admin", "integration"])
def test_behind_the_wall_of_a_tokens_sponsors_nothing_exists(role: str) -> None:
    own = make_sponsor("A")
    world = make_world()
    user = world.users[role]
    assert user is not None
    if role == "integration":
        user.sponsors.add(own)
    api = speaking(user, sponsors=[own])

    for line in MATRIX:
        if line.name in COMMON or line.name not in world.arguments:
            continue
        status = status_of(api, line.method, address_of(line.name, world))
        expected = {MISSING, FORBIDDEN}
        if line.name == "api-imports" and line.method == "POST":
            expected = {UPLOAD, MISSING, FORBIDDEN}
        assert status in expected, (line, status)


@pytest.mark.parametrize("role", ["agent", "supervisor", "manager", "integration"])
def test_every_list_of_a_token_holds_its_sponsors_alone(role: str) -> None:
    own, other = make_sponsor("A"), make_sponsor("B")
    user = make_user(role)
    if role == "integration":
        user.sponsors.set([own, other])
    for sponsor in (own, other):
        campaign = make_campaign(make_programme(sponsor))
        entry = make_entry(campaign, make_prospect(source=make_source(sponsor)))
        make_exclusion(programme=campaign.programme, number="+33199009999")
        call_and_call_back(campaign, entry, user)
    narrow, whole = speaking(user, sponsors=[own]), speaking(user)

    for name in (
        "sponsors",
        "sources",
        "programmes",
        "campaigns",
        "prospects",
        "calls",
        "callbacks",
        "exclusions",
    ):
        if narrow.get(f"{name}/").status_code == 403:
            continue
        seen, all_of_it = (api.get(f"{name}/").json()["results"] for api in (narrow, whole))
        assert (len(seen), len(all_of_it)) == (1, 2), name


def call_and_call_back(campaign: Campaign, entry: ListEntry, user: User) -> None:
    """Make a call of the user that is over, and a callback of theirs, in a campaign."""
    told: dict[str, Any] = {"campaign": campaign, "prospect": entry.prospect, "entry": entry}
    call = Call.objects.create(
        **told, number=entry.number, agent=user, state="claimed", lease_until=NOW, started_at=NOW
    )
    Call.objects.filter(pk=call.pk).update(state="released", done_at=NOW)
    Callback.objects.create(**told, due_at=NOW, created_at=NOW, created_by=user, owner=user)


def test_a_token_is_never_wider_than_its_user_also_when_they_lose_a_sponsor() -> None:
    own, other = make_sponsor("A"), make_sponsor("B")
    program = make_user("integration", sponsors=[own, other])
    api = speaking(program, sponsors=[other])

    assert [row["name"] for row in api.get("sponsors/").json()["results"]] == ["B"]
    program.sponsors.set([own])
    assert api.get("sponsors/").json()["results"] == []
    # A token whose sponsors are gone for good sees nothing: it does not become everybody's.
    program.sponsors.set([])
    other.delete()
    assert api.get("sponsors/").json()["results"] == []
    assert ApiToken.objects.get(user=program).keeps_to_sponsors


def test_a_token_of_somebody_who_sees_every_sponsor_is_narrowed_all_the_same() -> None:
    own = make_sponsor("A")
    make_sponsor("B")
    api = speaking(make_user("admin"), sponsors=[own])

    assert [row["name"] for row in api.get("sponsors/").json()["results"]] == ["A"]
    problem_of(api.post("sponsors/", {"name": "C"}), "forbidden", 403)
    assert (
        "sponsor"
        in problem_of(
            api.post("sources/", {"name": "S", "sponsor": Sponsor.objects.get(name="B").pk}),
            "validation",
            400,
        )["errors"]
    )


def test_an_answer_that_is_kept_is_not_told_to_a_token_that_sees_less() -> None:
    own, other = make_sponsor("A"), make_sponsor("B")
    manager = make_user("manager")
    whole, narrow = speaking(manager), speaking(manager, sponsors=[own])
    body = {"name": "Fichier", "sponsor": other.pk}

    made = whole.post("sources/", body, Idempotency_Key="k")
    told = narrow.post("sources/", body, Idempotency_Key="k")

    assert made.status_code == 201
    problem_of(told, "idempotency-conflict", 422)
    # Another token that sees the same may go on where the first one was lost.
    assert (
        speaking(manager).post("sources/", body, Idempotency_Key="k").headers["Idempotency-Replayed"]
        == "true"
    )


def test_what_narrows_a_token_costs_no_query(django_assert_num_queries: Any) -> None:
    own = make_sponsor("A")
    api = speaking(make_user("manager"), "sources:read", sponsors=[own])
    api.get("sources/")

    with django_assert_num_queries(2):
        api.get("sources/")


def test_the_last_day_of_a_token_is_its_last() -> None:
    user = make_user("manager")
    end = datetime.combine(date(2026, 12, 1), time(), UTC)
    text = create_token(user=user, name="", at=NOW, expires_at=end)

    assert user_of_token(text=text, at=end - timedelta(microseconds=1)) == user
    assert user_of_token(text=text, at=end) is None


def test_a_revoked_token_is_401_and_its_history_says_who_ended_it() -> None:
    admin, manager = make_user("admin"), make_user("manager")
    api = speaking(manager)
    token = ApiToken.objects.get()
    assert api.get("sponsors/").status_code == 200

    revoke_token(token=token, at=NOW, by=admin)
    revoke_token(token=token, at=LATER, by=admin)

    problem_of(api.get("sponsors/"), "unauthenticated", 401)
    token.refresh_from_db()
    assert token.revoked_at == NOW
    rows = UserEvent.objects.filter(user=manager).order_by("id")
    events = list(rows.values_list("kind", "by"))
    assert events == [("token_given", None), ("token_revoked", admin.pk)]


def test_one_ends_ones_own_tokens_and_those_of_accounts_that_one_may_change() -> None:
    own, other = make_sponsor("A"), make_sponsor("B")
    manager = make_user("manager", sponsors=[own])
    mine, program, strange, boss = (
        give_token(user=user, name="", at=NOW).token
        for user in (
            manager,
            make_user("integration", sponsors=[own]),
            make_user("integration", sponsors=[own, other]),
            make_user("admin"),
        )
    )

    revoke_token(token=mine, at=NOW, by=manager)
    revoke_token(token=program, at=NOW, by=manager)
    for token in (strange, boss):
        with pytest.raises(Forbidden):
            revoke_token(token=token, at=NOW, by=manager)

    assert ApiToken.objects.filter(revoked_at=None).count() == 2


def test_a_manager_gives_tokens_to_programs_inside_her_walls_alone() -> None:
    own, other = make_sponsor("A"), make_sponsor("B")
    manager = make_user("manager", sponsors=[own])
    program = make_user("integration", sponsors=[own])
    told: dict[str, Any] = {"name": "CRM", "at": NOW, "scopes": ["prospects:read"]}

    give_token(user=program, sponsors=[own], by=manager, **told)
    for user in (make_user("integration", sponsors=[own, other]), make_user("admin"), manager):
        with pytest.raises(Forbidden):
            give_token(user=user, by=manager, **told)
    with pytest.raises(Forbidden):
        give_token_to_new_program(sponsors=[other], expires_at=None, by=manager, **told)
    with pytest.raises(Invalid):
        give_token(user=program, sponsors=[other], by=make_user("admin"), **told)

    assert ApiToken.objects.count() == 1
    assert not User.objects.filter(username="crm").exists()


def test_a_new_program_sees_the_sponsors_of_its_token_and_is_named_once() -> None:
    own = make_sponsor("A")
    told: dict[str, Any] = {"at": NOW, "scopes": ["prospects:read"], "sponsors": [own], "expires_at": None}

    given = give_token_to_new_program(name="CRM de Léon", by=make_user("manager", sponsors=[own]), **told)

    assert (given.token.user.username, given.token.user.role) == ("crm-de-leon", Role.INTEGRATION)
    assert list(given.token.user.sponsors.all()) == [own]
    for name in ("CRM de Léon", "!!"):
        with pytest.raises(Invalid) as refused:
            give_token_to_new_program(name=name, by=make_user("manager"), **told)
        assert "name" in refused.value.fields


def test_scopes_are_kept_in_their_shortest_form() -> None:
    assert scopes_of([]) == scopes_of(["*", "prospects:read"]) == ["*"]
    assert scopes_of(["exclusions:read", "prospects:write", "prospects:read"]) == [
        "prospects:write",
        "exclusions:read",
    ]
    for wrong in ("prospects", "prospects:erase", "nothing:read", "prospects:read:write"):
        with pytest.raises(Invalid):
            scopes_of([wrong])
    assert is_covered("calls:read", ["calls:write"])
    assert not is_covered("calls:write", ["calls:read"])
    assert not is_covered("call:read", ["calls:read"])


def test_the_database_keeps_no_token_without_a_scope() -> None:
    create_token(user=make_user("manager"), name="", at=NOW)

    with pytest.raises(IntegrityError, match="api_token_has_scopes"), connection.cursor() as cursor:
        cursor.execute("UPDATE crm_apitoken SET scopes = '{}'")


def test_the_command_narrows_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    own = make_sponsor("Banque")
    program = make_user("integration", "crm-sync", sponsors=[own])
    narrowing = ("--scope", "prospects:write", "--scope", "calls:read", "--sponsor", "Banque")

    call_command("create_token", "crm-sync", *narrowing, "--expires", f"{timezone.now().year + 1}-06-30")

    token = ApiToken.objects.get()
    assert user_of_token(text=capsys.readouterr().out.strip(), at=timezone.now()) == program
    assert (token.scopes, token.keeps_to_sponsors) == (["prospects:write", "calls:read"], True)
    assert list(token.sponsors.all()) == [own]
    assert token.last_moment is not None
    assert token.last_moment.isoformat().startswith(f"{timezone.now().year + 1}-06-30T23:59:59")
    for wrong in (("--scope", "x:read"), ("--sponsor", "nobody"), ("--expires", "2001-01-01")):
        with pytest.raises(CommandError):
            call_command("create_token", "crm-sync", *wrong)
    with pytest.raises(CommandError):
        call_command("create_token", "crm-sync", "--sponsor", str(make_sponsor().pk))
    assert ApiToken.objects.count() == 1


def test_every_answer_says_how_many_requests_are_left_to_the_token(settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    manager = make_user("manager")
    one, other = speaking(manager, "sponsors:read"), speaking(manager)

    answers = [one.get("sponsors/"), one.get("sources/"), one.get("sponsors/7/"), other.get("sponsors/")]

    assert [answer.status_code for answer in answers] == [200, 403, 404, 200]
    for answer in answers:
        assert answer.headers["RateLimit-Policy"] == '"default";q=3;w=60'
        left, reset = answer.headers["RateLimit"].removeprefix('"default";r=').split(";t=")
        assert int(left) <= 2
        assert 1 <= int(reset) <= 60
    assert answers[3].headers["RateLimit"].startswith('"default";r=2;')


def test_a_token_that_asked_too_much_does_not_hold_up_its_sibling(settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    manager = make_user("manager")
    one, other = speaking(manager), speaking(manager)

    answers = [one.get("sponsors/") for _ in range(4)]

    # The minute may turn once between two requests.
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0].headers["RateLimit"].startswith('"default";r=0;t=')
    assert refused[0].headers["Retry-After"] == refused[0].headers["RateLimit"].rpartition("=")[2]
    assert other.get("sponsors/").status_code == 200


def test_without_redis_nobody_is_held_up(settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    settings.CACHES = {
        "default": settings.CACHES["default"] | {"LOCATION": "unix:///nowhere/redis.sock?db=1"}
    }
    api = speaking(make_user("manager"))

    answers = [api.get("sponsors/") for _ in range(3)]

    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers
