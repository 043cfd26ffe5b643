"""Every page of the product in a browser, full, empty and with errors: nothing keeps anybody from using it.

Asked of each page, on a desk (1280 × 720) and on a telephone (390 × 844), light and dark: axe-core finds nothing, no
sideways scroll, no text under 14 px, no target under 24 px, one `h1`, a title, the right language, nothing missing, and
in English no French left. Addresses come from the URL resolver: a new page is looked at without a line here.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import axe_playwright_python
import pytest
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.csrf import csrf_failure
from django.views.defaults import server_error
from playwright.sync_api import Page, Route, ViewportSize
from pytest_django.live_server_helper import LiveServer

from calls.enums import IncidentKind
from calls.models import Incident
from calls.services.claim import claim_next
from calls.services.dispositions import ask_correction
from calls.services.practice import begin_practice, make_move
from campaigns.enums import CampaignStatus, EntryState, Gate
from campaigns.models import Campaign, ListEntry
from campaigns.services.imports import preview_import, run_import, start_import, upload_import
from crm.enums import Role
from crm.models import Prospect, User, WebhookDelivery
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_entry,
    make_exclusion,
    make_number,
    make_prospect,
    make_source,
    make_user,
    next_number,
)
from tests.paging import come_to_rest
from tests.talking import Talk
from tests.test_call_screen_queries import SITUATIONS, Hard
from tests.test_house_translations import french_left
from tests.test_url_matrix import MATRIX, OK, WRONG, World, page_names, world  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)

DESK, TELEPHONE = ViewportSize(width=1280, height=720), ViewportSize(width=390, height=844)
LEAST_TEXT, LEAST_TARGET = 14, 24
#: A test goes over so many parts of the pages, so that several processes share them.
PARTS = 4
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]

#: Returns what axe-core says against the page; `contrast`: only what a theme changes. Its preloading of style sheets
#: writes inline ones, which our policy refuses.
ASK_AXE = """
async ({tags, contrast}) => {
  const runOnly = contrast ? {type: "rule", values: ["color-contrast"]} : {type: "tag", values: tags};
  const found = await axe.run({runOnly, preload: false, resultTypes: ["violations"]});
  return found.violations.flatMap((rule) => rule.nodes.slice(0, 3).map(
    (node) => `${rule.id} ${node.target.join(" ")} ${node.html.slice(0, 110)}`));
}
"""

#: Shows the page in a theme. Nobody waits for its colours: with reduced motion nothing fades.
PAINT = "(theme) => { document.documentElement.dataset.bsTheme = theme; }"

#: Returns what is too wide, too small to read or to hit, not there or not said.
LOOK = Path(__file__).with_name("look.js").read_text(encoding="utf-8")


class Visitor:
    """Somebody with a browser who goes from page to page and writes down what is wrong."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.client = Client()
        self.wrong: list[str] = []
        self.missing: list[str] = []
        self.seen = 0
        page.add_init_script(path=AXE)
        page.on(
            "response",
            lambda answer: (
                self.missing.append(f"{answer.status} {answer.url}")
                if answer.status >= 400 and not answer.request.is_navigation_request()
                else None
            ),
        )

    def sign_in(self, user: User) -> "Visitor":
        """Come in as a user, in the browser and in the client that asks for English."""
        self.client.force_login(user)
        # The page of another person would notice that its call is not this one's, and read itself anew.
        self.page.goto("about:blank")
        self.page.context.clear_cookies()
        self._share_cookies()
        return self

    def _share_cookies(self) -> None:
        self.page.context.add_cookies(
            [
                {"name": name, "value": cookie.value, "url": self.url}
                for name, cookie in self.client.cookies.items()
            ]
        )

    def visit(self, path: str, *, fits: bool = False) -> None:
        """Look at the page of an address; an answer that is no page of its own (a fragment, a file) is passed over.

        `fits`: on a desk it has no scroll at all.
        """
        answer = self.client.get(path, headers={"Accept-Language": "en"})
        html = answer.getvalue().decode(errors="replace")
        if "<html" not in html:
            return
        self._english(path, html)
        self.page.set_viewport_size(DESK)
        self.page.goto(self.url + path)
        self._look(path, fits=fits)

    def send(self, path: str, data: dict[str, Any]) -> None:
        """Look at what a form answers. It is sent without the browser, which would not send what it knows is wrong."""
        self._english(
            f"POST {path}", self.client.post(path, data, headers={"Accept-Language": "en"}).content.decode()
        )
        self.show(path, self.client.post(path, data))

    def show(self, path: str, answer: Any) -> None:
        """Look at a given answer as the page of an address."""

        def fulfil(route: Route) -> None:
            headers = {name: value for name, value in answer.items() if name != "Content-Length"}
            route.fulfill(status=answer.status_code, body=answer.content, headers=headers)

        self._share_cookies()
        self.page.route(self.url + path, fulfil)
        self.page.set_viewport_size(DESK)
        self.page.goto(self.url + path)
        self._look(f"{answer.status_code} {path}", axe=(TELEPHONE,))
        self.page.unroute(self.url + path)

    def _english(self, path: str, html: str) -> None:
        header_of_the_imported_file = "Téléphone"
        html = html.replace(header_of_the_imported_file, "")
        self.wrong += [f"{path}: French left in English: {text}" for text in french_left(html)]
        if '<html lang="en"' not in html:
            self.wrong.append(f"{path}: English without its lang")

    def _look(
        self, path: str, *, fits: bool = False, axe: tuple[ViewportSize, ...] = (DESK, TELEPHONE)
    ) -> None:
        self.seen += 1
        come_to_rest(self.page)
        # On the desk only the colours of the second theme are new; the telephone has the same.
        for size, themes in ((DESK, ("light", "dark")), (TELEPHONE, ("dark",))):
            self.page.set_viewport_size(size)
            limits = {"leastText": LEAST_TEXT, "leastTarget": LEAST_TARGET, "fits": fits and size is DESK}
            found = self.page.evaluate(LOOK, limits)
            for theme in themes if size in axe else ():
                self.page.evaluate(PAINT, theme)
                is_second = theme != themes[0]
                told = self.page.evaluate(ASK_AXE, {"tags": TAGS, "contrast": is_second})
                found += [f"{theme}: {what}" for what in told]
            self.wrong += [f"{path} at {size['width']}: {what}" for what in found]
        self.wrong += [f"{path}: {what}" for what in self.missing]
        self.missing.clear()


@pytest.fixture
def visitor(page: Page, live_server: LiveServer) -> Iterator[Visitor]:
    """A visitor who has found nothing wrong when the test is over, and has seen something."""
    visitor = Visitor(page, live_server.url)
    yield visitor
    assert visitor.seen
    if visitor.wrong:
        pytest.fail("\n".join(dict.fromkeys(visitor.wrong)), pytrace=False)


def pages(part: int) -> list[str]:
    """Return the names of the addresses that people read, every `PARTS`-th of them; `call` has states, below."""
    read = {line.name for line in MATRIX if line.method == "get" and OK in (line.admin, line.agent)}
    return sorted(name for name in page_names() if name in read and name != "call")[part::PARTS]


class Retold(Talk):
    """A call of a given campaign, which its agent gets next."""

    def __init__(self, campaign: Campaign, agent: User, prospect: Prospect) -> None:
        self.at, self.campaign, self.agent, self.prospect = NOW, campaign, agent, prospect
        self.programme = campaign.programme
        self.supervisor = self.manager = User.objects.filter(role=Role.MANAGER).earliest("pk")
        self.criterion = self.programme.criteria.earliest("pk")
        entry, _new = ListEntry.objects.get_or_create(
            campaign=campaign,
            prospect=prospect,
            defaults={"time_zone": "Europe/Paris", "due_at": NOW, "created_at": NOW, "updated_at": NOW},
        )
        self.entry_id = entry.pk
        phone = prospect.phones.first()
        entry.number, entry.state = phone.number if phone else "", EntryState.READY
        entry.due_at, entry.priority, entry.updated_at = NOW - timedelta(days=9), 900, NOW
        entry.save()
        claimed = claim_next(campaign=campaign, by=agent, at=self.at)
        assert claimed is not None
        self.call = claimed


LONG = "Caisse régionale de crédit agricole mutuel de Provence et des Alpes du Sud, agence de Saint-Rémy"
LIST = """Raison sociale;Téléphone;Ville;Code NAF
Crédit Éphémère;01 99 00 77 01;Rennes;64.19Z
Boulangerie d'Or;02 61 91 77 02;Brest;10.71C
Banque du Port;112;Nantes;64.19Z
"""


def furnish(world: World) -> User:  # noqa: F811
    """Fill the rooms of the matrix's world as months of work do; return the user who sees most of them."""
    campaign = Campaign.objects.get(slug=world.arguments["campaign"]["slug"])
    prospect = Prospect.objects.get(pk=world.arguments["prospect"]["pk"])
    campaign.name, campaign.programme.name = f"{LONG}, deuxième vague", f"{LONG}, 2026"
    campaign.save()
    campaign.programme.save()
    prospect.organisation, prospect.city, prospect.sector = LONG, "Saint-Rémy-de-Provence", "64.19Z"
    prospect.attributes = {
        "effectif": "120",
        "adresse_du_site": "https://caisse-regionale-provence.example/agences/saint-remy",
    }
    prospect.save()
    for position in range(1, 4):
        make_number(prospect, next_number(), position=position)
    make_criterion(
        campaign.programme, field="city", operator="is_set", value="", blocking=False,
        question="Dans quelle ville se trouve votre établissement principal ?", expected="une ville",
    )  # fmt: skip
    queue(campaign, world)
    past(campaign, prospect, world)
    for kind in IncidentKind:
        Incident.objects.create(
            kind=kind,
            sponsor=campaign.programme.sponsor,
            prospect=prospect,
            at=NOW,
            summary=f"{LONG} : {kind.value}",
        )
    bars(campaign, prospect)
    imports(campaign, world)
    messages(world)
    admin: User = world.users["admin"]
    admin.is_staff = True
    admin.save()
    return admin


def queue(campaign: Campaign, world: World) -> None:  # noqa: F811
    """Put 60 prospects into the list, in every state, with every verdict."""
    states, gates = list(EntryState), list(Gate)
    for turn in range(60):
        prospect = make_prospect(
            organisation=f"Banque {turn} {LONG if turn % 7 == 0 else ''}".strip(),
            city="Orléans",
            sector="64.19Z",
        )
        gate = gates[turn % len(gates)]
        make_entry(
            campaign,
            prospect,
            state=states[turn % len(states)],
            attempts=turn % 4,
            priority=-turn,
            verdict_gate="" if gate == Gate.OPEN else gate,
            verdict_reason="" if gate == Gate.OPEN else f"gate {turn}",
            verdict_until=NOW + timedelta(hours=turn) if turn % 2 else None,
        )


def past(campaign: Campaign, prospect: Prospect, world: World) -> None:  # noqa: F811
    """Give the fiche a long history, and the campaign some calls of every end."""
    agents = [make_user(Role.AGENT, first_name="Agathe", last_name=f"Durand {turn}") for turn in range(6)]
    for _turn in range(3):
        Retold(campaign, agents[0], prospect).not_reached().disposed("no_answer")
    for agent in agents[1:3]:
        Retold(campaign, agent, make_prospect(sector="64.19Z")).matched().disposed("refusal").said(
            "thank", "goodbye"
        ).hung_up()
    Retold(campaign, agents[3], make_prospect()).mismatched("une boulangerie").hung_up("agent")
    talk = Retold(campaign, agents[4], prospect).mismatched(
        "une boulangerie artisanale du centre de Saint-Rémy"
    )
    talk.said("apologise", "thank", "goodbye").hung_up()
    ask_correction(reason="je me suis trompée de touche", **talk.by())


def bars(campaign: Campaign, prospect: Prospect) -> None:
    """Bar some numbers and fiches in every scope."""
    programme = campaign.programme
    scopes: list[dict[str, Any]] = [
        {}, {"programme": programme}, {"sponsor": programme.sponsor}, {"campaign": campaign},
    ]  # fmt: skip
    for turn in range(60):
        make_exclusion(number=next_number(), note=LONG if turn % 9 == 0 else "", **scopes[turn % len(scopes)])
    make_exclusion(prospect=make_prospect(organisation=LONG), programme=programme)


def imports(campaign: Campaign, world: World) -> None:  # noqa: F811
    """Carry one list through to its report and leave one at its preview; the page of an import shows the report."""
    by = world.users["manager"]
    for turn in range(2):
        job = upload_import(
            campaign=campaign,
            source=make_source(),
            name=f"liste-{turn}.csv",
            content=LIST.encode(),
            by=by,
            at=NOW,
        )
        preview_import(job=job, by=by, at=NOW)
    start_import(job=job, by=by, at=NOW)
    run_import(job_id=job.pk, at=NOW)
    world.arguments |= {
        name: {"pk": job.pk} for name in world.arguments if name.startswith("import") and name != "import-new"
    }


def messages(world: World) -> None:  # noqa: F811
    """Have messages in every state, with long answers, and a receiver that refuses."""
    [test] = WebhookDelivery.objects.all()
    subscription = test.subscription
    subscription.url = "https://crm.example.com/" + "une-adresse-qui-ne-finit-pas/" * 8
    subscription.payload, subscription.failing_since = "full", NOW
    subscription.save()
    line = {
        "at": NOW.isoformat(),
        "status": 500,
        "error": "status",
        "detail": "Oops",
        "answer": LONG * 8,
        "ms": 31,
    }
    for turn, state in enumerate(["waiting", "delivered", "failed"] * 20):
        WebhookDelivery.objects.create(
            subscription=subscription,
            message=uuid4(),
            event="prospect.out_of_criteria",
            ref=turn,
            data={
                "call": turn,
                "campaign": 7,
                "prospect": 12,
                "disposition": "out_of_criteria",
                "sponsor": 2,
            },
            at=NOW,
            created_at=NOW,
            state=state,
            attempts=turn % 3,
            next_at=NOW if state == "waiting" else None,
            status=204 if state == "delivered" else 500,
            error="" if state == "delivered" else "status",
            log=[line] * (turn % 3),
        )
    last = WebhookDelivery.objects.filter(state="failed", attempts=2).latest("pk")
    world.arguments["webhook-delivery"] = {"pk": last.pk}


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_with_months_of_work_behind_it(part: int, visitor: Visitor, world: World) -> None:  # noqa: F811
    visitor.sign_in(furnish(world))

    for name in pages(part):
        visitor.visit(reverse(name, kwargs=world.arguments.get(name)))


def test_every_page_before_there_is_anything(visitor: Visitor) -> None:
    """An empty house, then a campaign that nobody prepared yet, and searches that find nothing."""
    visitor.sign_in(make_user(Role.ADMIN, is_staff=True))
    read = sorted({line.name for line in MATRIX if line.method == "get" and line.manager == OK})
    lists = [name for name in read if reversed_with(name) and name.endswith(("-list", "home", "inbox"))]
    for name in lists:
        visitor.visit(reverse(name))
    campaign = make_campaign(status=CampaignStatus.DRAFT)
    of_campaign = [name for name in read if reversed_with(name, slug=campaign.slug)]
    assert lists
    assert of_campaign

    for name in of_campaign:
        visitor.visit(reverse(name, args=[campaign.slug]))
    visitor.visit(reverse("programme", args=[campaign.programme_id]))
    for name in lists:
        visitor.visit(reverse(name) + "?q=zzzz")
    visitor.visit(reverse("entry-list", args=[campaign.slug]) + "?q=zzzz")


def reversed_with(name: str, **arguments: str) -> str:
    """Return the address of a name with these arguments, "" when it takes others."""
    try:
        return reverse(name, kwargs=arguments)
    except NoReverseMatch:
        return ""


def test_every_form_that_was_sent_empty(visitor: Visitor, world: World) -> None:  # noqa: F811
    visitor.sign_in(world.users["manager"])
    wrong = [line.name for line in MATRIX if line.method == "post" and line.manager == WRONG]
    assert wrong

    for name in wrong:
        visitor.send(reverse(name, kwargs=world.arguments.get(name)), {})


def test_the_doors(visitor: Visitor, world: World) -> None:  # noqa: F811
    """The sign-in page, and what is answered where one may not go."""
    visitor.visit(reverse("login"))
    visitor.send(reverse("login"), {"username": "nobody", "password": "wrong"})
    visitor.sign_in(world.users["agent"])
    refusals = [
        visitor.client.get(reverse("inbox")),
        visitor.client.get("/nowhere/"),
        csrf_failure(RequestFactory().get("/"), reason=""),
        server_error(RequestFactory().get("/")),
        server_error(RequestFactory().get("/"), "503.html"),
    ]

    assert [answer.status_code for answer in refusals] == [403, 404, 403, 500, 500]
    for answer in refusals:
        visitor.show("/somewhere/", answer)


#: How far a call has come, and what is open on its screen.
SCREENS = [
    *((state, "") for state in ("claimed", "dialling", "connected", "asked", "closing", "waiting", "ended")),
    *(("claimed", view) for view in ("edit=organisation",)),
    *(
        ("asked", view)
        for view in ("heard=CRITERION", "heard=other", "conclude=1", "situation=list", "wish=1")
    ),
    *(("asked", f"conclude=1&code={code}") for code in ("callback", "refusal", "appointment")),
    *((situation, "") for situation in sorted(SITUATIONS) if situation not in ("free", "in pause")),
    ("closing", "situation=list"),
    ("unqualified", "code=callback"),
]


@pytest.mark.parametrize("part", range(PARTS))
def test_every_state_of_the_call_screen(part: int, visitor: Visitor) -> None:
    for state, view in SCREENS[part::PARTS]:
        story = Hard().reach(state)
        visitor.sign_in(story.agent)
        view = view.replace("CRITERION", str(story.criterion.pk))

        visitor.visit(f"{story.url()}?{view}", fits=True)


def test_the_desk(visitor: Visitor) -> None:
    """Where nothing runs, during a pause, where nobody is callable, with much to do in many campaigns."""
    desk = reverse("desk")
    visitor.sign_in(make_user(Role.AGENT))
    visitor.visit(desk, fits=True)
    visitor.sign_in(Hard().reach("in pause").agent)
    visitor.visit(desk, fits=True)
    claimed = Hard()
    visitor.sign_in(claimed.agent)
    visitor.client.post(reverse("desk-phone"), {"phone": "demo"})
    visitor.visit(claimed.url(), fits=True)
    story = Hard().reach("free")
    visitor.sign_in(story.agent)
    visitor.visit(desk, fits=True)
    for turn in range(8):
        make_entry(story.campaign, make_prospect(organisation=f"{LONG} {turn}"), due_at=timezone.now())
        make_campaign(story.programme, name=f"{LONG}, vague {turn}")
    visitor.visit(desk, fits=True)


def test_every_phase_of_an_exercise(visitor: Visitor) -> None:
    agent = make_user(Role.AGENT)
    practice = begin_practice(exercise="racist-2", by=agent, at=NOW)
    visitor.sign_in(agent)
    moves: list[dict[str, Any]] = [{"do": "open", "situation": "racist", "stage": 2}]
    moves += [{"do": do} for do in ("back", "say", "say", "wait")]

    for move in moves:
        make_move(practice=practice, by=agent, at=NOW, **move)
        visitor.visit(reverse("practice", args=[practice.pk]), fits=True)
