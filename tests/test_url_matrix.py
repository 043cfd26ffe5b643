"""Who may enter which page: every address of the product's pages, by every role. An address without a line fails."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from calls.enums import CallState, IncidentKind
from calls.models import Ban, Call, Callback, CallEvent, Incident, Reminder, Situation, WordList
from calls.selectors.playbook_pages import content_of
from calls.services.playbooks import save_playbook
from calls.services.practice import begin_practice
from campaigns.models import Change, FollowUpTemplate
from campaigns.services.imports import upload_import
from crm.enums import Role
from crm.models import Team
from crm.services.tokens import give_token
from crm.services.webhooks import create_subscription, send_test
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_entry,
    make_exclusion,
    make_programme,
    make_source,
    make_user,
)

#: The API has a matrix of its own; Django's admin is asked below by its front page.
ELSEWHERE = ("api/v1/", "admin/")
ROLES = ("anonymous", *Role.values)

LOGIN = "login"
OK, NOTHING, THERE, BAD, FORBIDDEN, MISSING, NOT_NOW, WRONG = 200, 204, 302, 400, 403, 404, 409, 422


@dataclass(frozen=True)
class Line:
    """An address, a method, and the status that each role gets; anonymous people are sent to the login."""

    name: str
    method: str
    agent: Any
    supervisor: Any
    manager: Any
    admin: Any
    integration: Any
    anonymous: Any = LOGIN

    def expected(self, role: str) -> Any:
        return getattr(self, role)


def supervising(name: str, status: int = OK, method: str = "get") -> Line:
    return Line(name, method, FORBIDDEN, status, status, status, FORBIDDEN)


def managing(name: str, status: int = OK, method: str = "get") -> Line:
    return Line(name, method, FORBIDDEN, FORBIDDEN, status, status, FORBIDDEN)


def own_call(name: str, status: int, method: str = "post") -> Line:
    """A call's pages are its agent's: to anybody else it does not exist."""
    return Line(name, method, status, MISSING, MISSING, MISSING, FORBIDDEN)


def everybody(name: str, status: int, method: str = "get") -> Line:
    return Line(name, method, status, status, status, status, status, status)


MATRIX = [
    everybody("healthz", OK),
    everybody("readyz", OK),
    Line("login", "get", THERE, THERE, THERE, THERE, THERE, OK),
    everybody("language", THERE, "post"),
    Line("set_language", "post", THERE, THERE, THERE, THERE, THERE),
    Line("javascript-catalogue", "get", OK, OK, OK, OK, OK),
    Line("home", "get", THERE, OK, OK, OK, THERE),
    Line("tour", "get", OK, OK, OK, OK, OK),
    Line("logout", "post", NOT_NOW, THERE, THERE, THERE, THERE),
    Line("problem", "get", OK, OK, OK, OK, OK, OK),
    Line("desk", "get", THERE, OK, OK, OK, FORBIDDEN),
    Line("desk-next-call", "post", MISSING, MISSING, MISSING, MISSING, FORBIDDEN),
    Line("desk-manual-call", "post", BAD, BAD, BAD, BAD, FORBIDDEN),
    Line("desk-pause", "post", NOT_NOW, THERE, THERE, THERE, FORBIDDEN),
    Line("desk-news", "get", OK, OK, OK, OK, FORBIDDEN),
    Line("desk-sound", "post", THERE, THERE, THERE, THERE, FORBIDDEN),
    Line("callbacks", "get", OK, OK, OK, OK, FORBIDDEN),
    Line("callback-owner", "post", MISSING, THERE, THERE, THERE, FORBIDDEN),
    Line("callback-cancellation", "post", MISSING, THERE, THERE, THERE, FORBIDDEN),
    Line("reminder-completion", "post", MISSING, THERE, THERE, THERE, FORBIDDEN),
    Line("inbound", "get", THERE, OK, OK, OK, FORBIDDEN),
    Line("inbound", "post", THERE, BAD, BAD, BAD, FORBIDDEN),
    Line("inbound-call", "post", THERE, BAD, BAD, BAD, FORBIDDEN),
    Line("desk-phone", "post", THERE, THERE, THERE, THERE, FORBIDDEN),
    Line("pop", "get", BAD, BAD, BAD, BAD, FORBIDDEN),
    Line("pop", "post", BAD, BAD, BAD, BAD, FORBIDDEN),
    own_call("call", OK, "get"),
    own_call("call-dial", THERE),
    own_call("call-greet", NOT_NOW),
    own_call("call-handover", NOT_NOW),
    own_call("call-events", BAD),
    own_call("call-criteria", BAD),
    own_call("call-closing", BAD),
    own_call("call-situations", BAD),
    own_call("call-fiche", BAD),
    own_call("call-disposition", BAD),
    own_call("call-callback-preview", OK),
    own_call("call-release", BAD),
    own_call("call-lease", OK),
    own_call("call-note", OK),
    own_call("call-wishes", BAD),
    own_call("call-follow-ups", BAD),
    own_call("call-situation-effect", BAD),
    own_call("call-help", NOT_NOW),
    own_call("call-transfer", BAD),
    own_call("call-ban", BAD),
    own_call("call-completion", NOT_NOW),
    own_call("call-correction-request", BAD),
    Line("offer", "get", NOTHING, NOTHING, NOTHING, NOTHING, FORBIDDEN),
    Line("offer-answer", "post", MISSING, MISSING, MISSING, MISSING, FORBIDDEN),
    supervising("courtesy"),
    supervising("courtesy-calls"),
    managing("word-lists"),
    managing("word-trial", OK, "post"),
    managing("word-list"),
    managing("word-list", THERE, "post"),
    supervising("inbox"),
    supervising("inbox-news"),
    supervising("incident"),
    supervising("incident-decision", WRONG, "post"),
    # Whoever is on a call is sent back to it.
    Line("training", "get", THERE, OK, OK, OK, FORBIDDEN),
    Line("training", "post", THERE, THERE, THERE, THERE, FORBIDDEN),
    Line("practice", "get", MISSING, MISSING, MISSING, OK, FORBIDDEN),
    Line("practice", "post", MISSING, MISSING, MISSING, THERE, FORBIDDEN),
    supervising("situation-list"),
    managing("situation-new"),
    managing("situation-new", WRONG, "post"),
    supervising("situation"),
    managing("situation", WRONG, "post"),
    supervising("situation-version"),
    managing("situation-version", THERE, "post"),
    supervising("incident-answer", BAD, "post"),
    supervising("incident-release", BAD, "post"),
    supervising("ban-list"),
    supervising("ban-new"),
    supervising("ban-new", WRONG, "post"),
    supervising("ban"),
    managing("ban-decision", WRONG, "post"),
    managing("ban-lift", WRONG, "post"),
    managing("ban-appeal", WRONG, "post"),
    managing("prospect-data"),
    managing("prospect-erasure"),
    managing("prospect-erasure", WRONG, "post"),
    Line("account", "get", OK, OK, OK, OK, FORBIDDEN),
    Line("account", "post", WRONG, WRONG, WRONG, WRONG, FORBIDDEN),
    Line("account-password", "post", WRONG, WRONG, WRONG, WRONG, FORBIDDEN),
    managing("token-list"),
    managing("token-new"),
    managing("token-new", WRONG, "post"),
    Line("token-revocation", "get", FORBIDDEN, FORBIDDEN, OK, OK, FORBIDDEN),
    Line("token-revocation", "post", FORBIDDEN, FORBIDDEN, THERE, THERE, FORBIDDEN),
    managing("user-list"),
    managing("user-new"),
    managing("user-new", WRONG, "post"),
    managing("user-batch"),
    managing("user-batch", WRONG, "post"),
    managing("user"),
    managing("user", WRONG, "post"),
    managing("user-password", OK, "post"),
    managing("user-deactivation"),
    managing("user-deactivation", WRONG, "post"),
    managing("user-reactivation", THERE, "post"),
    supervising("team-list"),
    managing("team-new"),
    managing("team-new", WRONG, "post"),
    supervising("team"),
    Line("team", "post", FORBIDDEN, THERE, WRONG, WRONG, FORBIDDEN),
    managing("team-deletion", THERE, "post"),
    managing("sponsor-list"),
    managing("sponsor-new"),
    managing("sponsor-new", WRONG, "post"),
    managing("sponsor"),
    managing("sponsor", WRONG, "post"),
    managing("source-list"),
    managing("source-new"),
    managing("source-new", WRONG, "post"),
    managing("source"),
    managing("source", WRONG, "post"),
    managing("webhook-list"),
    managing("webhook-new"),
    managing("webhook-new", WRONG, "post"),
    managing("webhook"),
    managing("webhook-edit"),
    managing("webhook-edit", WRONG, "post"),
    managing("webhook-state", THERE, "post"),
    managing("webhook-rotation", OK, "post"),
    managing("webhook-test", THERE, "post"),
    managing("webhook-replay", WRONG, "post"),
    managing("webhook-deletion", THERE, "post"),
    managing("webhook-delivery"),
    managing("webhook-delivery-replay", THERE, "post"),
    supervising("prospect-list"),
    managing("prospect-export"),
    supervising("prospect-edit"),
    supervising("prospect-edit", WRONG, "post"),
    supervising("prospect"),
    supervising("prospect-look", THERE, "post"),
    managing("prospect-campaigns", THERE, "post"),
    supervising("programme-list"),
    supervising("programme"),
    managing("programme-new"),
    managing("programme-new", WRONG, "post"),
    managing("programme-edit"),
    managing("programme-edit", WRONG, "post"),
    managing("criterion-new"),
    managing("criterion-new", WRONG, "post"),
    managing("criterion"),
    managing("criterion", WRONG, "post"),
    managing("criterion-preview", OK, "post"),
    managing("criterion-records"),
    managing("criterion-retirement"),
    managing("criterion-retirement", OK, "post"),
    supervising("change-list"),
    supervising("change"),
    supervising("campaign-list"),
    supervising("campaign"),
    supervising("campaign-queue"),
    managing("campaign-new"),
    managing("campaign-new", WRONG, "post"),
    managing("campaign-edit"),
    managing("campaign-edit", WRONG, "post"),
    managing("campaign-status", THERE),
    managing("campaign-status", THERE, "post"),
    managing("words"),
    managing("words-preview", OK, "post"),
    managing("closing-step", THERE, "post"),
    managing("script", THERE, "post"),
    managing("follow-up-list"),
    managing("follow-up-new"),
    managing("follow-up-new", WRONG, "post"),
    managing("follow-up-preview", OK, "post"),
    managing("follow-up"),
    managing("follow-up", WRONG, "post"),
    managing("dispositions"),
    managing("disposition-rule"),
    managing("disposition-rule", OK, "post"),
    supervising("entry-list"),
    Line("entry-list", "post", FORBIDDEN, THERE, WRONG, WRONG, FORBIDDEN),
    managing("entry-removal", THERE, "post"),
    managing("list-reset"),
    managing("list-reset", OK, "post"),
    managing("entries-removal"),
    managing("entries-removal", OK, "post"),
    managing("import-new"),
    managing("import-new", WRONG, "post"),
    managing("import"),
    managing("import", WRONG, "post"),
    managing("import-progress"),
    managing("import-rejects"),
    managing("import-undo", THERE, "post"),
    managing("source-quality"),
    managing("source-imports"),
    supervising("exclusion-list"),
    managing("exclusion-export"),
    managing("exclusion-dnc", THERE),
    supervising("exclusion-new"),
    supervising("exclusion-new", WRONG, "post"),
    supervising("exclusion"),
    supervising("exclusion-lift"),
    supervising("exclusion-lift", OK, "post"),
]


@dataclass
class World:
    """One row of everything, and a user of every role; the agent holds the call."""

    users: dict[str, Any]
    arguments: dict[str, dict[str, Any]]


@pytest.fixture
def world(db: None) -> World:
    users = {role: make_user(role) for role in Role.values}
    programme = make_programme()
    criterion = make_criterion(programme)
    campaign = make_campaign(programme)
    users["integration"].sponsors.add(programme.sponsor)
    entry = make_entry(campaign)
    called = make_entry(campaign)
    prospect = entry.prospect
    call = Call.objects.create(
        campaign=campaign,
        prospect=called.prospect,
        entry=called,
        number=called.number,
        agent=users["agent"],
        state=CallState.CLAIMED,
        lease_until=NOW,
        started_at=NOW,
    )
    incident = Incident.objects.create(
        kind=IncidentKind.OTHER, sponsor=programme.sponsor, call=call, prospect=prospect, at=NOW
    )
    ban = Ban.objects.create(
        number="+33199009998", scope="everywhere", why="menaces", call=call, at=NOW, by=users["agent"]
    )
    exclusion = make_exclusion(programme=programme, number="+33199009999")
    content = "Organisation;Téléphone\nBanque Une;01 99 00 00 01\n".encode()
    job = upload_import(
        campaign=campaign,
        source=make_source(),
        name="liste.csv",
        content=content,
        by=users["manager"],
        at=NOW,
    )
    token = give_token(
        user=users["integration"],
        name="CRM",
        scopes=["prospects:write", "calls:read"],
        sponsors=[programme.sponsor],
        at=NOW,
    ).token
    team = Team.objects.create(name="Matin", created_at=NOW)
    colleague = make_user(Role.AGENT, team=team)
    of_user = ("user", "user-password", "user-deactivation", "user-reactivation")
    change = Change.objects.create(
        at=NOW, by=users["manager"], kind="hours", sponsor=programme.sponsor, programme=programme
    )
    boss = Situation.objects.get(code="boss")
    written = replace(content_of(boss), keywords="responsable chef")
    save_playbook(situation=boss, content=written, by=users["manager"], at=NOW, expected_version=boss.version)
    practice = begin_practice(exercise="racist-2", by=users["admin"], at=NOW)
    slug = {"slug": campaign.slug}
    of_call = {line.name: {"pk": call.pk} for line in MATRIX if line.name.split("-")[0] == "call"}
    promised = {"entry": entry, "campaign": campaign, "prospect": prospect, "due_at": NOW, "created_at": NOW}
    callback = Callback.objects.create(created_by=colleague, **promised)
    told = CallEvent.objects.create(call=call, kind="wish", at=NOW, by=colleague, data={"text": "un devis"})
    reminder = Reminder.objects.create(call=call, event=told, owner=colleague, due_at=NOW)
    of_prospect = (
        "prospect",
        "prospect-look",
        "prospect-edit",
        "prospect-data",
        "prospect-erasure",
        "prospect-campaigns",
    )
    of_campaign = ("campaign", "campaign-edit", "campaign-status", "campaign-queue", "words", "words-preview")
    template = FollowUpTemplate.objects.create(
        campaign=campaign, name="Suite", subject="Suite", body="Bonjour"
    )
    subscription, _secret = create_subscription(
        data={"name": "CRM", "url": "https://crm.example.com/", "events": ["call.ended"]},
        owner=users["integration"],
        by=users["manager"],
        at=NOW,
    )
    delivery = send_test(subscription=subscription, by=users["manager"], at=NOW)
    verbs = ("edit", "state", "rotation", "test", "replay", "deletion")
    of_webhook = ("webhook", *(f"webhook-{verb}" for verb in verbs))
    of_follow_ups = ("follow-up-list", "follow-up-new", "follow-up-preview")
    also = (*of_follow_ups, "dispositions", "entry-list", "entries-removal", "list-reset", "import-new")
    of_import = ("import", "import-progress", "import-rejects", "import-undo")
    arguments: dict[str, dict[str, Any]] = {
        "problem": {"name": "stale"},
        "courtesy-calls": {"pk": users["agent"].pk},
        **{key: {"pk": subscription.pk} for key in of_webhook},
        **{key: {"pk": delivery.pk} for key in ("webhook-delivery", "webhook-delivery-replay")},
        "word-list": {"pk": WordList.objects.earliest("pk").pk},
        "follow-up": slug | {"pk": template.pk},
        "incident": {"pk": incident.pk},
        **{key: {"pk": incident.pk} for key in ("incident-decision", "incident-answer", "incident-release")},
        **{key: {"pk": ban.pk} for key in ("ban", "ban-decision", "ban-lift", "ban-appeal")},
        "offer-answer": {"pk": 1},
        "practice": {"pk": practice.pk},
        **{key: {"pk": callback.pk} for key in ("callback-owner", "callback-cancellation")},
        "reminder-completion": {"pk": reminder.pk},
        "situation": {"code": "boss"},
        "situation-version": {"code": "boss", "version": 1},
        "sponsor": {"pk": programme.sponsor_id},
        **{key: {"pk": colleague.pk} for key in of_user},
        **{key: {"pk": team.pk} for key in ("team", "team-deletion")},
        "source": {"pk": prospect.source_id},
        "source-imports": {"pk": job.source_id},
        "token-revocation": {"pk": token.pk},
        "programme": {"pk": programme.pk},
        "programme-edit": {"pk": programme.pk},
        "criterion-new": {"pk": programme.pk},
        "criterion-preview": {"pk": programme.pk},
        "criterion-records": {"pk": programme.pk},
        "change": {"pk": change.pk},
        "criterion": {"pk": criterion.pk},
        "criterion-retirement": {"pk": criterion.pk},
        "closing-step": slug | {"language": "fr", "kind": "mismatch", "step": "thank"},
        "script": slug | {"language": "fr", "kind": "opening"},
        "disposition-rule": slug | {"code": "busy"},
        "entry-removal": slug | {"pk": entry.pk},
        "exclusion": {"pk": exclusion.pk},
        "exclusion-lift": {"pk": exclusion.pk},
        **{key: {"pk": prospect.pk} for key in of_prospect},
        **dict.fromkeys((*of_campaign, *also), slug),
        **{key: {"pk": job.pk} for key in of_import},
        **of_call,
    }
    return World(users, arguments)


def page_names(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[str]:
    """Yield the name of every address that is a page, through every include."""
    for item in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(item.pattern)
        if route.startswith(ELSEWHERE):
            continue
        if isinstance(item, URLResolver):
            yield from page_names(item.url_patterns, route)
        elif isinstance(item, URLPattern):
            yield item.name or route


def test_every_address_has_a_line_in_the_matrix() -> None:
    listed = {line.name for line in MATRIX}

    assert set(page_names()) == listed


@pytest.mark.parametrize("line", MATRIX, ids=lambda line: f"{line.method} {line.name}")
def test_each_role_gets_what_the_matrix_says(line: Line, world: World) -> None:
    url = reverse(line.name, kwargs=world.arguments.get(line.name))

    found = {role: status_for(role, line.method, url, world) for role in ROLES}

    assert found == {role: line.expected(role) for role in ROLES}


@pytest.mark.parametrize("role", [*ROLES])
def test_the_admin_of_reference_tables_is_for_its_staff(role: str, world: World) -> None:
    if role == "admin":
        world.users[role].is_staff = True
        world.users[role].save()

    status = status_for(role, "get", reverse("admin:index"), world)

    assert status == (OK if role == "admin" else LOGIN)


def status_for(role: str, method: str, url: str, world: World) -> Any:
    """Ask as a role, without leaving a trace for the next one; a way to a login reads "login"."""
    client = Client(raise_request_exception=True)
    if role != "anonymous":
        client.force_login(world.users[role])
    with transaction.atomic():
        response = getattr(client, method)(url)
        transaction.set_rollback(True)
    if response.status_code == THERE and "/login/" in response["Location"] and role != "anonymous":
        return LOGIN if url != reverse("logout") else THERE
    if response.status_code == THERE and "/login/" in response["Location"]:
        return LOGIN
    return response.status_code
