"""`make pictures`: photograph every screen of a running demo, in both languages, light and dark, wide and narrow.

The pages are those of Django's own list of addresses: one that no picture shows is named at the end, so that none is
forgotten. The agent's screen is driven by its keys through real calls with the simulated phone, so the demo that it
runs on is used up a little; nothing is left open. `--readme` makes the few pictures of the README instead.
"""

import argparse
import html
import os
import re
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django  # noqa: E402
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve, reverse  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402
from playwright.sync_api import Error as BrowserError  # noqa: E402

LOCALES = {"fr": "fr-FR", "en": "en-GB"}
THEMES = ("light", "dark")
SIZES = {1280: 720, 390: 844}
PASSWORD = "demo"
CAMPAIGN = "/campaigns/banques-automne/"
#: At most so heavy is a picture of the README, in bytes.
README_BYTES = 150_000

#: The API and Django's admin have their own pages; these addresses answer to POST alone, or with a part of a page.
ELSEWHERE = ("api/v1/", "admin/")
NO_PAGES = {
    "healthz", "readyz", "set_language", "javascript-catalogue", "language", "logout", "inbox-news", "call",
    "import-progress", "import-rejects", "import-undo", "incident-decision", "exclusion-lift", "entry-removal",
    "criterion-preview", "criterion-retirement", "campaign-status", "words-preview", "closing-step", "script",
    "disposition-rule", "prospect-campaigns",
}  # fmt: skip
NO_PAGE_PREFIXES = ("call-", "desk-")
#: Where a page worth looking at is found: an address to open and the link to follow there.
EXAMPLES = {
    "campaign": (CAMPAIGN, ""),
    "prospect": (f"{CAMPAIGN}entries/?state=excluded", "main a[href^='/prospects/']"),
    "exclusion": ("/exclusions/", "main a[href^='/exclusions/']:not([href$='/new/'])"),
    "entry-list": (f"{CAMPAIGN}entries/", ""),
    "problem": ("/problems/excluded/", ""),
}
#: More pictures of a page: its name, the variant, an address, and the link to follow there.
VARIANTS = (
    ("prospect", "callable", f"{CAMPAIGN}entries/?state=ready", "main a[href^='/prospects/']"),
    ("prospect", "callback", "/campaigns/boulangers/entries/?state=callback", "main a[href^='/prospects/']"),
    ("prospect-list", "second", "/prospects/?page=2", ""),
    ("prospect-list", "number", "/prospects/?q=01+99+00+00", ""),
    ("campaign", "paused", "/campaigns/banques-hiver/", ""),
    ("campaign", "screened", "/campaigns/boulangers/", ""),
    ("entry-list", "excluded", f"{CAMPAIGN}entries/?state=excluded", ""),
    ("incident", "second", "/inbox/", "main a[href^='/inbox/']:nth-match(2)"),
)
#: Pages whose form, sent empty, comes back with its errors and has written nothing; and where it is sent.
EMPTIED = (
    "sponsor-new", "source-new", "programme-new", "criterion-new", "campaign-new", "exclusion-new", "import-new",
    "prospect-edit", "prospect-erasure", "list-reset", "user-new", "team-new",
    "token-new",
)  # fmt: skip
REFUSALS = dict.fromkeys(EMPTIED, "") | {"exclusion": "lift/", "incident": "decision/"}
#: What other roles see otherwise than the manager.
SEEN_AS = {"supervisor": ("home", "inbox", "incident", "campaign"), "agent": ("account", "tour")}


@dataclass
class Camera:
    """Takes and counts the pictures of one run."""

    out: Path
    only: str
    themes: tuple[str, ...] = THEMES
    widths: tuple[int, ...] = tuple(SIZES)
    taken: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def wants(self, name: str) -> bool:
        """Whether pictures of this page were asked for."""
        return not self.only or name.startswith(self.only)

    def shoot(self, page: Page, name: str, variant: str, lang: str) -> None:
        """Take the page as it stands, in every theme and width, without loading it anew."""
        if not self.wants(name):
            return
        for width in self.widths:
            page.set_viewport_size({"width": width, "height": SIZES[width]})
            for theme in self.themes:
                page.emulate_media(
                    color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce"
                )
                at_rest(page)
                file = f"{name}-{variant}-{lang}-{theme}-{width}.png"
                with self.noting(file):
                    page.screenshot(path=self.out / file, full_page=True, animations="disabled")
                    self.taken.append(file)
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                self.complaints.append(f"{name}-{variant}-{lang} scrolls sideways at {width}")
        page.set_viewport_size({"width": self.widths[0], "height": SIZES[self.widths[0]]})

    def noting(self, what: str) -> "suppress":
        """Go on after a failure of the browser, and name it at the end."""
        return _Noting(self.complaints, what)

    def sheet(self) -> None:
        """Write `index.html`: every picture in the folder, by page, small."""
        groups: dict[str, list[str]] = {}
        for file in sorted(path.name for path in self.out.glob("*.png")):
            groups.setdefault(file.rsplit("-", 3)[0], []).append(file)
        rows = "".join(
            f"<h2>{html.escape(group)}</h2><p>"
            + " ".join(
                f'<a href="{file}"><img src="{file}" alt="{file}" width="300" loading="lazy"></a>'
                for file in files
            )
            for group, files in groups.items()
        )
        head = '<!doctype html><meta charset="utf-8"><title>Courtois: pictures</title>'
        (self.out / "index.html").write_text(head + rows, encoding="utf-8")


class _Noting(suppress):
    def __init__(self, complaints: list[str], what: str) -> None:
        super().__init__(BrowserError, AssertionError)
        self._complaints, self._what = complaints, what

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        handled = bool(super().__exit__(kind, error, trace))
        if error is not None and handled:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            lines = [frame.lineno for frame in traceback.extract_tb(trace) if frame.filename == __file__]
            self._complaints.append(f"{self._what}: {first} (line {lines[-1]})")
        return handled


@dataclass
class House:
    """The running demo."""

    browser: Browser
    base: str

    def enter(self, user: str, lang: str) -> Page:
        """Return a page of a fresh profile, signed in unless `user` is ""."""
        context = self.browser.new_context(
            locale=LOCALES[lang], timezone_id="Europe/Paris", viewport={"width": 1280, "height": 720},
            reduced_motion="reduce", base_url=self.base,
        )  # fmt: skip
        context.set_default_timeout(8_000)
        context.set_default_navigation_timeout(20_000)
        page = context.new_page()
        if user:
            page.goto("/login/")
            page.locator("input#id_username").fill(user)
            page.locator("input[name=password]").fill(PASSWORD)
            page.locator("input[name=password]").press("Enter")
            page.wait_for_url(lambda url: "/login/" not in url)
        return page


def at_rest(page: Page) -> None:
    """Wait until fonts are there and no colour is on its way to another."""
    page.evaluate(
        "() => Promise.race([Promise.all([document.fonts.ready, ...document.getAnimations()"
        ".filter((one) => one instanceof CSSTransition).map((one) => one.finished.catch(() => null))]),"
        " new Promise((done) => setTimeout(done, 1000))])"
    )


# ---- the pages


def page_names(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[str]:
    """Yield the names of the addresses that are pages, through every include."""
    for item in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(item.pattern)
        if route.startswith(ELSEWHERE):
            continue
        if isinstance(item, URLResolver):
            yield from page_names(item.url_patterns, route)
        elif isinstance(item, URLPattern):
            name = item.name or route
            if name not in NO_PAGES and not name.startswith(NO_PAGE_PREFIXES):
                yield name


def name_of(path: str) -> str:
    """Return the name of an address, "" when it has none."""
    try:
        return resolve(path).url_name or ""
    except Resolver404:
        return ""


def links_of(page: Page) -> list[str]:
    """Return the paths that the page links to."""
    hrefs: list[str] = page.evaluate("[...document.querySelectorAll('a[href]')].map((a) => a.href)")
    host = urlsplit(page.url).netloc
    return [urlsplit(href).path for href in hrefs if urlsplit(href).netloc == host]


def visit(page: Page, address: str, link: str = "") -> str:
    """Open an address, follow the first such link there if one is named, and return what is wrong ("" for nothing)."""
    answer = page.goto(address)
    if link:
        link, _, position = link.partition(":nth-match(")
        found = page.locator(link)
        index = int(position.rstrip(")")) - 1 if position else 0
        if found.count() <= index:
            return f"{address} has no link {link}"
        answer = page.goto(found.nth(index).get_attribute("href") or address)
    return (
        "" if answer is not None and answer.status < 400 else f"{page.url} answers {answer and answer.status}"
    )


def take_pages(house: House, camera: Camera, lang: str) -> set[str]:
    """Photograph the pages as the manager sees them, from link to link; returns the names that were seen."""
    page = house.enter("manager", lang)
    names = set(page_names())
    addresses = {name: (path, "") for name, path in plain_addresses(names)} | EXAMPLES
    waiting, seen = list(addresses), set[str]()
    while waiting:
        name = waiting.pop(0)
        with camera.noting(name):
            problem = visit(page, *addresses[name])
            if problem:
                camera.complaints.append(f"{name}: {problem}")
                # Another page may link to one all the same.
                addresses.pop(name)
                continue
            seen.add(name)
            for path in links_of(page):
                found = name_of(path)
                if found in names and found not in addresses:
                    addresses[found] = (path, "")
                    waiting.append(found)
            take_page(page, camera, name, lang)
    for name, variant, address, link in VARIANTS:
        if name in names and camera.wants(name):
            with camera.noting(f"{name}-{variant}"):
                problem = visit(page, address, link)
                camera.complaints += [f"{name}-{variant}: {problem}"] if problem else []
                camera.shoot(page, name, variant, lang)
    page.context.close()
    return seen


def take_page(page: Page, camera: Camera, name: str, lang: str) -> None:
    """Photograph the page that is open, a list that finds nothing, a form that was sent empty."""
    if not camera.wants(name):
        return
    path = urlsplit(page.url).path
    camera.shoot(page, name, "full", lang)
    if name.endswith("-list"):
        visit(page, path + "?q=introuvable-zz")
        camera.shoot(page, name, "empty", lang)
    if name in REFUSALS:
        visit(page, path)
        send_empty(page, REFUSALS[name])
        camera.shoot(page, name, "error", lang)


def plain_addresses(names: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the addresses that need no argument, but those of the other roles."""
    for name in sorted(names - {"login", "desk"}):
        with suppress(Exception):
            yield name, reverse(name)


def send_empty(page: Page, suffix: str) -> None:
    """Send an empty form to the page's own address, as somebody who pressed the button too early."""
    with page.expect_navigation():
        page.evaluate(
            """(suffix) => {
              const token = document.querySelector("[name=csrfmiddlewaretoken]").cloneNode();
              const form = Object.assign(document.createElement("form"),
                {method: "post", action: location.pathname + suffix});
              form.append(token);
              document.body.append(form);
              HTMLFormElement.prototype.submit.call(form);
            }""",
            suffix,
        )


def take_other_roles(house: House, camera: Camera, lang: str) -> None:
    """What the others see otherwise, and what nobody may see."""
    for user, names in SEEN_AS.items():
        page = house.enter(user, lang)
        for name in names:
            if not camera.wants(name) or name not in set(page_names()):
                continue
            with camera.noting(f"{name} as {user}"):
                if name == "incident":
                    problem = visit(page, "/inbox/", "main a[href^='/inbox/']")
                else:
                    problem = visit(page, CAMPAIGN if name == "campaign" else reverse(name))
                if problem:
                    camera.complaints.append(f"{name} as {user}: {problem}")
                camera.shoot(page, name, user, lang)
        if user == "agent" and camera.wants("403"):
            page.goto("/sponsors/")
            camera.shoot(page, "403", "full", lang)
        page.context.close()


def take_sign_in(house: House, camera: Camera, lang: str) -> None:
    """The page of who has not come in: as it is, after a wrong password, locked out, after a session's end."""
    if not camera.wants("login"):
        return
    page = house.enter("", lang)
    with camera.noting("login"):
        page.goto("/login/")
        camera.shoot(page, "login", "full", lang)
        page.goto("/prospects/")
        camera.shoot(page, "login", "expired", lang)
        for attempt in range(9):
            page.goto("/login/")
            page.locator("input[name=username]").fill("personne")
            page.locator("input[name=password]").fill("pas le bon")
            page.locator("input[name=password]").press("Enter")
            page.wait_for_load_state()
            if attempt in (0, 8):
                camera.shoot(page, "login", "locked" if attempt else "error", lang)
    page.context.close()


# ---- the agent's screen


class Agent:
    """An agent at the keys, with the simulated phone."""

    def __init__(self, house: House, camera: Camera, lang: str, user: str = "agent") -> None:
        self.camera, self.lang = camera, lang
        self.page = house.enter(user, lang)

    def shoot(self, name: str, variant: str = "full") -> None:
        """Photograph a state."""
        self.camera.shoot(self.page, f"call-{name}" if name != "desk" else name, variant, self.lang)

    def state(self) -> str:
        """The state that the screen shows, "" while there is none."""
        screen = self.page.locator(".screen[data-state]")
        return (screen.first.get_attribute("data-state") or "") if screen.count() else ""

    def comes(self, state: str, timeout: float = 12_000) -> None:
        """Wait for a state, and for its primary action to listen."""
        self.page.locator(f'.screen[data-state="{state}"]').wait_for(timeout=timeout)
        self.page.locator("[data-guarded]").first.wait_for(state="detached")

    def press(self, key: str, shows: str = "") -> None:
        """Press a key, and wait for what it shows."""
        self.page.locator("[data-guarded]").first.wait_for(state="detached")
        self.page.keyboard.press(key)
        if shows:
            self.page.locator(shows).first.wait_for()
        self.page.wait_for_timeout(150)

    def aside(self, key: str, shows: str, name: str) -> None:
        """Photograph what a key unfolds, and fold it again."""
        with self.camera.noting(f"call-{name}"):
            self.press(key, shows)
            self.shoot(name)
        self.page.keyboard.press("Escape")
        self.page.wait_for_timeout(500)

    def opens(self, scenario: str, campaign: str = "") -> None:
        """Take the next record, with this prospect at the other end."""
        self.settle()
        self.page.goto(f"/desk/?scenario={scenario}")
        if campaign:
            self.page.locator(".campaign-choice label", has_text=campaign).first.click()
            self.page.wait_for_timeout(600)
        self.comes("desk")
        self.press("Space")
        self.comes("claimed")

    def reaches(self) -> None:
        """Dial, and greet who answers."""
        self.press("Enter")
        self.comes("connected")
        self.press("Space", ".question--now")

    def mismatches(self) -> None:
        """Say no to the question, with what was heard."""
        self.press("2", "input[name=heard]")
        self.page.locator("input[name=heard]").fill("une boulangerie" if self.lang == "fr" else "a bakery")
        self.page.keyboard.press("Enter")
        self.comes("closing")

    def says(self) -> None:
        """Say the sentence of the closing, as slowly as the server asks."""
        self.page.wait_for_timeout(900)
        self.press("Space")
        self.page.wait_for_timeout(300)

    def settle(self) -> None:
        """Bring whatever call is open to its end, and come back to the desk."""
        self.page.goto("/desk/")
        for _turn in range(40):
            state = self.state()
            if state == "desk":
                return
            with suppress(BrowserError):
                SETTLING.get(state, Agent._wait)(self)
            self.page.wait_for_timeout(300)
        self.camera.complaints.append(f"a call was left open in {self.state()}")

    def _wait(self) -> None:
        self.page.wait_for_timeout(1_000)
        self.page.goto("/desk/")

    def _give_back(self) -> None:
        self.press("r")
        self.page.locator("form[action$='/release/'] input[name=reason]").fill("pour plus tard")
        self.page.keyboard.press("Enter")

    def _nobody(self) -> None:
        self.page.locator("form:has(input[name=cause][value=no_answer]) button").first.click()

    def _conclude(self) -> None:
        outcome = self.page.locator("form:has(input[name=code][value=not_interested]) button")
        primary = self.page.locator("[data-primary]")
        (outcome if outcome.count() else primary).first.click()

    def _leave(self) -> None:
        self.page.wait_for_timeout(3_000)
        if self.state() != "waiting":
            return
        hang_up = self.page.locator("[data-phone-hangup] button")
        if not hang_up.count():
            self.press("m")
            hang_up.first.wait_for(timeout=30_000)
        hang_up.first.click()

    def _finish(self) -> None:
        # What can always be said comes first: a complete interview would ask for its criteria.
        codes = [
            f"form:has(input[name=code][value={code}]) button" for code in ("not_interested", "no_answer")
        ]
        for button in ("form[action$='/completion/'] button", *codes, ".outcomes form button"):
            if self.page.locator(button).count():
                self.page.locator(button).first.click()
                return


SETTLING: dict[str, Callable[[Agent], None]] = {
    "claimed": Agent._give_back,
    "dialling": Agent._nobody,
    "connected": Agent._conclude,
    "closing": Agent.says,
    "waiting": Agent._leave,
    "ended": Agent._finish,
    "not_reached": Agent._finish,
}


def take_calls(house: House, camera: Camera, lang: str) -> None:
    """Every state of the call screen, by real calls to simulated prospects."""
    if not (camera.wants("desk") or camera.only.startswith("call") or not camera.only):
        return
    agent = Agent(house, camera, lang)
    try:
        for story in (at_the_desk, nobody_answers, a_long_talk, a_wrong_company, somebody_leaves):
            with camera.noting(story.__name__):
                story(agent)
    finally:
        with camera.noting("the end of the calls"):
            agent.settle()
        agent.page.context.close()


def at_the_desk(agent: Agent) -> None:
    """The desk, the list of keys, a pause."""
    agent.settle()
    agent.shoot("desk")
    agent.aside("?", "dialog[open]", "keys")
    agent.press("b", "form:has(input[name=_method]) button")
    agent.comes("desk")
    agent.shoot("desk", "pause")
    # Left too soon, the desk would still be in pause.
    agent.press("Space", "form[action$='/next-call/']")
    if agent.camera.wants("desk"):
        agent.page.locator("input[name=number]").fill("12")
        agent.page.keyboard.press("Enter")
        agent.page.locator(".notice").first.wait_for()
        agent.shoot("desk", "error")


def nobody_answers(agent: Agent) -> None:
    """A record, its return, dialling, nobody."""
    agent.opens("no_answer")
    agent.shoot("claimed")
    agent.aside("r", "form[action$='/release/'] input[name=reason]", "release")
    agent.page.goto("/desk/")
    agent.comes("claimed")
    agent.press("Enter")
    agent.comes("dialling")
    agent.shoot("dialling")
    agent.comes("ended", 20_000)
    agent.shoot("ended", "not-reached")


def a_long_talk(agent: Agent) -> None:
    """A person who answers everything: what unfolds beside the questions, the dispositions, the wait."""
    agent.opens("never_hangs_up")
    agent.press("Enter")
    agent.comes("connected")
    agent.shoot("greet")
    agent.press("Space", ".question--now")
    agent.shoot("criteria")
    agent.aside("2", "input[name=heard]", "heard")
    agent.aside("a", "input[name=heard]", "other")
    agent.aside("w", "form[action$='/wishes/']", "wish")
    agent.aside("e", "form[action$='/fiche/']", "correction")
    with agent.camera.noting("call-situation"):
        agent.press("s", ".palette__row")
        agent.shoot("situation", "choice")
        agent.page.locator(".palette__row").first.click()
        agent.page.locator("form:has(input[name=over]) button").first.wait_for()
        agent.shoot("situation", "stage")
        agent.press("ArrowDown", ".question")
    while agent.page.locator(".question--now").count():
        agent.press("1")
        agent.page.wait_for_timeout(600)
    agent.shoot("interview")
    agent.press("Enter", ".outcomes")
    agent.shoot("conclude")
    with agent.camera.noting("call-disposition"):
        agent.page.locator("a[href*='callback']").first.click()
        agent.page.locator("input[name=callback_at]").first.wait_for()
        agent.shoot("disposition", "callback")
        agent.page.keyboard.press("Escape")
        agent.page.wait_for_timeout(500)
    agent.page.locator("form:has(input[name=code][value=not_interested]) button").first.click()
    agent.comes("closing")
    agent.shoot("closing", "ordinary")
    agent.says()
    agent.says()
    agent.comes("waiting")
    agent.shoot("waiting")
    agent.press("m")
    agent.page.locator("[data-phone-hangup] button").first.wait_for(timeout=30_000)
    agent.shoot("waiting", "may-hang-up")
    agent.page.locator("[data-phone-hangup] button").first.click()
    agent.comes("ended")
    agent.shoot("ended", "recorded")


def a_wrong_company(agent: Agent) -> None:
    """The mismatch, its closing step by step, what was recorded, and the request to correct it."""
    agent.opens("wrong_company")
    agent.reaches()
    agent.mismatches()
    for step in ("apologise", "thank", "goodbye"):
        agent.shoot("closing", step)
        agent.says()
    agent.comes("ended")
    agent.shoot("ended", "mismatch")
    agent.press("e", "form[action$='/correction-request/'] input[name=reason]")
    agent.shoot("ended", "correction")


def somebody_leaves(agent: Agent) -> None:
    """The person hangs up early: the call is to be qualified. Then a person whom another programme disturbed."""
    agent.opens("hangs_up_early")
    agent.press("Enter")
    agent.comes("connected")
    agent.press("Space")
    agent.comes("ended", 20_000)
    agent.shoot("ended", "early")
    agent.opens("answers", "Trésorerie")
    agent.shoot("claimed", "disturbed")
    agent.press("Enter")
    agent.comes("connected")
    agent.shoot("greet", "disturbed")


# ---- the pictures of the README


def take_readme(house: House, out: Path) -> list[str]:
    """Take the few pictures that the README shows, in French, 1280 x 720; returns what went wrong."""
    camera = Camera(out, "")
    agent = Agent(house, camera, "fr")
    manager = house.enter("manager", "fr")

    def keep(page: Page, name: str) -> None:
        page.set_viewport_size({"width": 1280, "height": 720})
        at_rest(page)
        file = out / f"{name}.png"
        page.screenshot(path=file, animations="disabled")
        if file.stat().st_size > README_BYTES:
            camera.complaints.append(f"{file.name} weighs {file.stat().st_size} bytes")

    try:
        agent.opens("wrong_company")
        agent.reaches()
        keep(agent.page, "criteria")
        agent.mismatches()
        keep(agent.page, "closing")
        for _step in range(3):
            agent.says()
        agent.comes("ended")
    finally:
        agent.settle()
    for name in ("campaign", "prospect"):
        problem = visit(manager, *EXAMPLES[name])
        camera.complaints += [problem] if problem else []
        keep(manager, name)
    return camera.complaints


def main() -> int:
    """Take the pictures; returns 1 when something is missing or wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--base", default=f"http://localhost:{os.environ.get('PORT') or 8000}", help="the running demo"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "pictures", help="folder of the pictures")
    parser.add_argument(
        "--only", default="", help="only pages whose name begins so, such as prospect or call-closing"
    )
    parser.add_argument("--lang", choices=LOCALES, help="one language")
    parser.add_argument("--theme", choices=THEMES, help="light or dark")
    parser.add_argument("--width", type=int, choices=SIZES, help="wide or narrow")
    parser.add_argument("--readme", action="store_true", help="the pictures of the README, into docs/images")
    options = parser.parse_args()
    django.setup()
    names = (
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome-stable",
        "google-chrome",
    )
    executable = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        house = House(browser, options.base.rstrip("/"))
        if options.readme:
            folder = ROOT / "docs" / "images"
            folder.mkdir(parents=True, exist_ok=True)
            complaints = take_readme(house, folder)
        else:
            complaints = take_all(house, options)
        browser.close()
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


def take_all(house: House, options: argparse.Namespace) -> list[str]:
    """Take every picture that the options ask for; returns what is wrong or missing."""
    options.out.mkdir(parents=True, exist_ok=True)
    camera = Camera(options.out, options.only)
    camera.themes = (options.theme,) if options.theme else camera.themes
    camera.widths = (options.width,) if options.width else camera.widths
    seen = {"login", "desk"}
    for lang in (options.lang,) if options.lang else LOCALES:
        if not re.match(r"call|desk", options.only):
            take_sign_in(house, camera, lang)
            seen |= take_pages(house, camera, lang)
            take_other_roles(house, camera, lang)
        take_calls(house, camera, lang)
    camera.sheet()
    print(f"{len(camera.taken)} pictures: {options.out / 'index.html'}")
    missing = sorted(set(page_names()) - seen) if not options.only else []
    return camera.complaints + [f"no picture shows the page {name}" for name in missing]


if __name__ == "__main__":
    sys.exit(main())
