"""Who may do what through the API: every address and method, by every role. An address without a line fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from calls.enums import IncidentKind
from calls.models import Call, Callback, Incident
from calls.services.bans import request_ban
from campaigns.services.imports import upload_import
from crm.enums import Role
from crm.models import User
from crm.services.webhooks import create_subscription, send_test
from tests.api_client import Api
from tests.factories import (
    NOW,
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

ROLES = ("anonymous", *Role.values)
#: The documentation is a page, tested with the pages' own login; everything else is asked here.
PAGES = {"api-docs"}

OK, CREATED, GONE, BAD, ANONYMOUS, FORBIDDEN, MISSING, NOT_NOW = 200, 201, 204, 400, 401, 403, 404, 409
UPLOAD, ACCEPTED = 415, 202


@dataclass(frozen=True)
class Line:
    """An address, a method, and the status that each role gets; an empty body is sent, so that nothing is written."""

    name: str
    method: str
    agent: int
    supervisor: int
    manager: int
    admin: int
    integration: int
    anonymous: int = ANONYMOUS

    def expected(self) -> dict[str, int]:
        return {role: getattr(self, role) for role in ROLES}


def everybody(name: str, method: str, status: int) -> Line:
    return Line(name, method, status, status, status, status, status)


def supervising(name: str, method: str, status: int, program: int = FORBIDDEN) -> Line:
    return Line(name, method, FORBIDDEN, status, status, status, program)


def managing(name: str, method: str, status: int, program: int = FORBIDDEN) -> Line:
    return Line(name, method, FORBIDDEN, FORBIDDEN, status, status, program)


def verb(name: str, status: int, program: int = FORBIDDEN) -> Line:
    """A verb of the agent's call: the others may look at the call, not act on it."""
    return Line(f"api-call-{name}", "POST", status, FORBIDDEN, FORBIDDEN, FORBIDDEN, program)


MATRIX = [
    everybody("api-schema", "GET", OK),
    supervising("api-changes", "GET", OK, OK),
    managing("api-sponsors", "GET", OK, OK),
    managing("api-sponsors", "POST", BAD),
    managing("api-sponsor", "GET", OK, OK),
    managing("api-sponsor", "PATCH", OK),
    managing("api-sources", "GET", OK, OK),
    managing("api-sources", "POST", BAD, BAD),
    managing("api-source", "GET", OK, OK),
    managing("api-source", "PATCH", OK, OK),
    supervising("api-prospects", "GET", OK, OK),
    managing("api-prospects", "POST", BAD, BAD),
    managing("api-prospects-bulk", "POST", BAD, BAD),
    Line("api-prospect", "GET", MISSING, OK, OK, OK, OK),
    Line("api-prospect", "PATCH", MISSING, OK, OK, OK, OK),
    managing("api-prospect", "DELETE", GONE),
    managing("api-prospect-export", "GET", OK),
    supervising("api-programmes", "GET", OK, OK),
    managing("api-programmes", "POST", BAD),
    supervising("api-programme", "GET", OK, OK),
    managing("api-programme", "PATCH", OK),
    supervising("api-criteria", "GET", OK, OK),
    managing("api-criteria", "POST", BAD),
    supervising("api-criterion", "GET", OK, OK),
    managing("api-criterion", "PATCH", OK),
    managing("api-criterion", "DELETE", GONE),
    everybody("api-campaigns", "GET", OK),
    managing("api-campaigns", "POST", BAD),
    everybody("api-campaign", "GET", OK),
    managing("api-campaign", "PATCH", OK),
    managing("api-campaign-start", "POST", OK),
    managing("api-campaign-pause", "POST", OK),
    managing("api-campaign-close", "POST", OK),
    supervising("api-campaign-queue", "GET", OK, OK),
    everybody("api-campaign-dispositions", "GET", OK),
    managing("api-campaign-dispositions", "POST", BAD),
    managing("api-campaign-closing-steps", "GET", OK, OK),
    managing("api-campaign-closing-steps", "POST", BAD),
    supervising("api-entries", "GET", OK, OK),
    managing("api-entries", "POST", BAD, BAD),
    supervising("api-entry", "GET", OK, OK),
    managing("api-entry", "DELETE", GONE, GONE),
    managing("api-imports", "GET", OK, OK),
    managing("api-imports", "POST", UPLOAD, UPLOAD),
    managing("api-import", "GET", OK, OK),
    managing("api-import-rejects", "GET", OK, OK),
    managing("api-import-undo", "POST", NOT_NOW, NOT_NOW),
    supervising("api-exclusions", "GET", OK, OK),
    supervising("api-exclusions", "POST", BAD, BAD),
    supervising("api-exclusions-check", "POST", BAD, BAD),
    supervising("api-exclusions-bulk", "POST", BAD, BAD),
    managing("api-exclusions-dnc", "GET", BAD, BAD),
    supervising("api-exclusion", "GET", OK, OK),
    supervising("api-exclusion-lift", "POST", BAD),
    everybody("api-contactability", "GET", BAD),
    # The agent has an open call; the others claim the entry that is left.
    Line("api-next-call", "POST", NOT_NOW, CREATED, CREATED, CREATED, FORBIDDEN),
    everybody("api-calls", "GET", OK),
    Line("api-manual-dial", "POST", BAD, BAD, BAD, BAD, FORBIDDEN),
    Line("api-line-events", "POST", FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, BAD),
    everybody("api-call", "GET", OK),
    verb("dial", OK),
    verb("greet", NOT_NOW),
    verb("handover", NOT_NOW),
    verb("events", BAD, BAD),
    verb("criteria", BAD),
    verb("closing", BAD),
    verb("situations", BAD),
    verb("driving", NOT_NOW),
    verb("disposition", BAD),
    verb("finish", NOT_NOW),
    verb("release", BAD),
    verb("lease", OK),
    verb("note", BAD),
    verb("wishes", BAD),
    verb("help", NOT_NOW),
    verb("correction-request", BAD),
    supervising("api-call-correction", "POST", BAD),
    supervising("api-call-supervisor-release", "POST", BAD),
    Line("api-callbacks", "GET", OK, OK, OK, OK, OK),
    supervising("api-callbacks", "POST", BAD, BAD),
    Line("api-callback", "GET", MISSING, OK, OK, OK, OK),
    Line("api-callback", "PATCH", MISSING, OK, OK, OK, OK),
    supervising("api-bans", "GET", OK),
    Line("api-bans", "POST", BAD, BAD, BAD, BAD, FORBIDDEN),
    supervising("api-ban", "GET", OK),
    managing("api-ban", "PATCH", BAD),
    managing("api-ban-approve", "POST", OK),
    managing("api-ban-decide", "POST", BAD),
    managing("api-ban-lift", "POST", BAD),
    managing("api-ban-appeal", "POST", BAD),
    supervising("api-incidents", "GET", OK),
    everybody("api-incidents", "POST", BAD),
    supervising("api-incident", "GET", OK),
    supervising("api-incident", "PATCH", BAD),
    supervising("api-incident-answers", "POST", BAD),
    supervising("api-incident-decide", "POST", BAD),
    supervising("api-report-day", "GET", OK),
    supervising("api-report-campaign", "GET", OK),
    supervising("api-report-courtesy", "GET", OK),
    managing("api-report-sources", "GET", OK),
    managing("api-report-source", "GET", OK),
    managing("api-report-imports", "GET", OK),
    managing("api-webhooks", "GET", OK, OK),
    managing("api-webhooks", "POST", BAD, BAD),
    managing("api-webhook", "GET", OK, OK),
    managing("api-webhook", "PATCH", OK, OK),
    managing("api-webhook", "DELETE", GONE, GONE),
    managing("api-webhook-rotate", "POST", OK, OK),
    managing("api-webhook-test", "POST", ACCEPTED, ACCEPTED),
    managing("api-webhook-replay", "POST", BAD, BAD),
    managing("api-webhook-deliveries", "GET", OK, OK),
    managing("api-webhook-delivery", "GET", OK, OK),
    managing("api-webhook-delivery-replay", "POST", ACCEPTED, ACCEPTED),
    *(everybody("api-nowhere", method, MISSING) for method in ("GET", "POST", "PATCH", "PUT", "DELETE")),
]


@dataclass
class World:
    """One row of everything inside one sponsor, and a user of every role; the agent holds the call."""

    users: dict[str, User | None]
    arguments: dict[str, dict[str, Any]]


def make_world(**agent: Any) -> World:
    """Make the rows; `agent` narrows the users."""
    programme = make_programme()
    users: dict[str, User | None] = {role: make_user(role, **agent) for role in Role.values}
    users["anonymous"] = None
    caller, integration = users["agent"], users["integration"]
    assert caller is not None
    assert integration is not None
    if not agent:
        integration.sponsors.add(programme.sponsor)
    criterion = make_criterion(programme)
    campaign = make_campaign(programme)
    prospect = make_prospect(source=make_source(programme.sponsor))
    entry, called = make_entry(campaign, prospect), make_entry(campaign)
    waiting = make_entry(campaign, state="callback")
    call = Call.objects.create(
        campaign=campaign,
        prospect=called.prospect,
        entry=called,
        number=called.number,
        agent=caller,
        state="claimed",
        lease_until=timezone.now(),
        started_at=NOW,
    )
    callback = Callback.objects.create(
        entry=waiting,
        campaign=campaign,
        prospect=waiting.prospect,
        due_at=NOW,
        created_at=NOW,
        created_by=caller,
    )
    incident = Incident.objects.create(kind=IncidentKind.OTHER, sponsor=programme.sponsor, call=call, at=NOW)
    exclusion = make_exclusion(programme=programme, number="+33199009999")
    ban = request_ban(
        why="menaces",
        scope="sponsor",
        sponsor=programme.sponsor,
        number="+33199009998",
        by=make_user("supervisor"),
        at=NOW,
    )
    job = upload_import(
        campaign=campaign,
        source=make_source(),
        name="liste.csv",
        content="Organisation;Téléphone\nBanque Une;01 99 00 00 01\n".encode(),
        by=make_user("manager"),
        at=NOW,
    )
    subscriber = make_user("integration", sponsors=[programme.sponsor]) if agent else integration
    subscription, _secret = create_subscription(
        data={"name": "CRM", "url": "https://crm.example.com/", "events": ["call.ended"]},
        owner=subscriber,
        by=subscriber,
        at=NOW,
    )
    delivery = send_test(subscription=subscription, by=subscriber, at=NOW)
    own: dict[str, dict[str, Any]] = {
        "api-sponsor": {"pk": programme.sponsor_id},
        "api-source": {"pk": prospect.source_id},
        "api-prospect": {"pk": prospect.pk},
        "api-prospect-export": {"pk": prospect.pk},
        "api-criterion": {"pk": programme.pk, "criterion_pk": criterion.pk},
        "api-entry": {"pk": campaign.pk, "entry_pk": entry.pk},
        "api-callback": {"pk": callback.pk},
        "api-report-campaign": {"pk": campaign.pk},
        "api-report-source": {"pk": prospect.source_id},
        "api-webhook-delivery": {"pk": delivery.pk},
        "api-webhook-delivery-replay": {"pk": delivery.pk},
    }
    by_prefix = {
        "api-programme": programme.pk,
        "api-criteria": programme.pk,
        "api-campaign": campaign.pk,
        "api-entries": campaign.pk,
        "api-imports": campaign.pk,
        "api-next-call": campaign.pk,
        "api-import": job.pk,
        "api-exclusion": exclusion.pk,
        "api-call": call.pk,
        "api-incident": incident.pk,
        "api-ban": ban.pk,
        "api-webhook": subscription.pk,
    }
    plain = (
        "api-programmes",
        "api-campaigns",
        "api-exclusions",
        "api-calls",
        "api-incidents",
        "api-callbacks",
        "api-bans",
        "api-webhooks",
    )
    for line in MATRIX:
        prefixes = [prefix for prefix in by_prefix if line.name.startswith(prefix)]
        if line.name not in own and prefixes and not line.name.startswith(plain):
            own[line.name] = {"pk": by_prefix[max(prefixes, key=len)]}
    return World(users, own)


def routes(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield the name and pattern of every address below /api/v1/."""
    for item in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(item.pattern)
        if isinstance(item, URLResolver):
            yield from routes(item.url_patterns, route)
        elif isinstance(item, URLPattern) and route.startswith("api/v1/"):
            yield item.name or route, item


def address_of(name: str, world: World) -> str:
    if name == "api-nowhere":
        return "/api/v1/nowhere/at/all/"
    return reverse(name, kwargs=world.arguments.get(name))


def status_for(user: User | None, method: str, address: str) -> int:
    """Ask as a user, without leaving a trace for the next one."""
    with transaction.atomic():
        response = Api(user).call(method, address, None if method in ("GET", "DELETE") else {})
        transaction.set_rollback(True)
    if response.status_code >= 400:
        assert response.headers["Content-Type"] == "application/problem+json", response.content
    return int(response.status_code)


def test_every_address_and_method_has_a_line() -> None:
    listed = {(line.name, line.method) for line in MATRIX}
    found = set()
    for name, item in routes():
        if name in PAGES:
            continue
        view: Any = item.callback
        methods = view.cls().allowed_methods if name != "api-schema" else ["GET"]
        found |= {(name, method) for method in methods if method != "HEAD"}

    assert found == listed


@pytest.mark.django_db
@pytest.mark.parametrize("line", MATRIX, ids=lambda line: f"{line.method} {line.name}")
def test_each_role_gets_what_the_matrix_says(line: Line) -> None:
    world = make_world()
    address = address_of(line.name, world)

    found = {role: status_for(world.users[role], line.method, address) for role in ROLES}

    assert found == line.expected()


#: Addresses that hold nothing of one sponsor alone.
COMMON = {"api-schema", "api-nowhere"}


@pytest.mark.django_db
def test_behind_another_sponsors_wall_nothing_exists() -> None:
    world = make_world(sponsors=[make_sponsor()])
    for line in MATRIX:
        if line.name in COMMON or line.name not in world.arguments:
            continue
        address = address_of(line.name, world)
        for role in ("supervisor", "manager", "admin", "integration"):
            allowed = getattr(line, role) != FORBIDDEN or line.name.startswith("api-call-")
            status = status_for(world.users[role], line.method, address)
            expected = {MISSING, FORBIDDEN} if allowed else {FORBIDDEN}
            if line.name == "api-imports" and line.method == "POST":
                expected = {UPLOAD, MISSING, FORBIDDEN}
            assert status in expected, (role, line, status)


@pytest.mark.django_db
def test_lists_behind_another_sponsors_wall_are_empty() -> None:
    world = make_world(sponsors=[make_sponsor()])

    lists = ("programmes", "campaigns", "calls", "callbacks", "incidents", "exclusions", "bans", "webhooks")
    for name in lists:
        listed = Api(world.users["manager"]).get(f"{name}/").json()["results"]
        assert listed == [], name
