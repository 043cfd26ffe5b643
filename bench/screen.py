"""Agents at their call screens, all at once, through the real web server: how long each request takes.

Each has a signed-in browser's cookies and sends what the pages send: forms with their token, as htmx does, the note
saved while it is typed, the lease renewed while the screen is open; supervisors watch their inbox. They think as long
as people do in a very short call, one every three quarters of a minute: 50 calls in a day of eight hours would be one
in ten minutes. Every screen is compared with the calls that its agent was given.
"""

import argparse
import os
import random
import re
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlencode

import psutil

from bench.claims import cpu_seconds, make_agents
from bench.place import FOLDER, bench_database, connect, percentile, say, told, verdict
from bench.records import grow, make_campaign
from bench.serving import Answer, Browser, served, session_of

#: Seconds that every agent works before its requests are counted: the processes have their code and templates by then.
WARM_UP = 12.0
TARGET_MS = 150.0
#: A kind of request that was sent less often has no p99, only a worst one.
ENOUGH = 100
#: How the kinds of requests begin that supervisors send.
INBOX = "inbox"
#: The thoughts below are those of somebody who hurries; people take so many times as long.
PACE = 1.6
SUPERVISORS = 3
#: What the pages ask by themselves, in seconds: see `lease.js` and the inbox.
INBOX_EVERY = 2.0
DESK_EVERY = 2.0

#: Two questions that the file does not answer: the agent asks them.
QUESTIONS = """
UPDATE campaigns_criterion SET trust_file = false;
INSERT INTO campaigns_criterion (programme_id, field, operator, value, question, expected, blocking, trust_file,
    position, version) SELECT id, 'attributes.effectif', 'between', '["1", "250"]',
    'Votre établissement compte-t-il moins de 250 personnes ?', 'moins de 250 personnes', false, false, 1, 1
  FROM campaigns_programme;
INSERT INTO campaigns_criterionversion (criterion_id, version, field, operator, value, question, expected, blocking,
    trust_file, at) SELECT id, version, field, operator, value, question, expected, blocking, trust_file, now()
  FROM campaigns_criterion;
"""
#: One open call per agent, number and prospect: what nobody may ever see broken.
SHARED = """
SELECT count(*) FROM (
    SELECT agent_id::text FROM calls_call WHERE state NOT IN ('done', 'released') GROUP BY 1 HAVING count(*) > 1
    UNION ALL SELECT number FROM calls_call WHERE state NOT IN ('done', 'released') GROUP BY 1 HAVING count(*) > 1
    UNION ALL SELECT prospect_id::text FROM calls_call WHERE state NOT IN ('done', 'released')
    GROUP BY prospect_id HAVING count(*) > 1) twice
"""


@dataclass
class Seen:
    """What the people did and saw together."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    calls: int = 0
    #: Call, agent, number and name on each screen that was shown.
    screens: set[tuple[int, int, str, str]] = field(default_factory=set)
    counts_from: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, answer: Answer, allowed: tuple[int, ...]) -> None:
        """Keep the time of a request; an unexpected status is an error."""
        with self.lock:
            if time.monotonic() >= self.counts_from:
                self.times[what].append(answer.seconds)
            if answer.status not in allowed:
                self.errors.append(f"{what}: {answer.status} {answer.text[:200]!r}")


class Over(Exception):
    """The time is up."""


class Agent:
    """One agent at work until `stop`."""

    def __init__(
        self, user: int, session: str, port: int, campaign: int, stop: threading.Event, seen: Seen
    ) -> None:
        """Sit down."""
        self.user, self.campaign, self.stop, self.seen = user, campaign, stop, seen
        self.browser = Browser(port, session)
        self.chance = random.Random(user)
        self.call = 0
        self.screen = ""
        self.complete = False
        self.due = 0.0

    def work(self) -> None:
        """Take one call after the other."""
        try:
            self.page("desk page", "/desk/")
            self.expect("desk")
            while True:
                self.one_call()
                self.seen.calls += 1
        except Over:
            self.browser.line.close()

    # ---- what a person does

    def one_call(self) -> None:
        """From the next record to what was recorded."""
        self.call = 0
        self.act("next call", "/desk/next-call/", campaign=self.campaign)
        self.expect("claimed")
        if not self.call:
            self.think(5)
            return
        self.think(2.5)
        self.verb("dial")
        self.think(0.4)
        self.verb("events", "ringing", event="ringing")
        self.think(1.5)
        if self.chance.random() < 0.25:
            self.verb("events", "not reached", event="not_reached", cause="no_answer")
            self.expect("ended")
            self.think(2)
            return
        self.verb("events", "answered", event="answered")
        self.expect("connected")
        self.think(2.5)
        self.verb("greet")
        self.think(2)
        matched = self.criteria()
        if matched:
            self.note_and_aside()
            self.conclude()
        for _step in range(3):
            step = re.search(r'name="step" value="(\w+)"', self.screen)
            if self.state() != "closing" or step is None:
                break
            self.think(2)
            self.verb("closing", step=step[1])
        self.expect("waiting")
        self.think(1.5)
        self.verb("events", "hang-up", event="hung_up", by="prospect", evidence="softphone")
        self.expect("ended")
        if self.chance.random() < 0.1:
            self.page("reload", f"/calls/{self.call}/")
        self.think(2)
        if self.chance.random() < 0.2:
            self.verb("completion")
            self.expect("desk")
            self.think(1)

    def criteria(self) -> bool:
        """Answer the questions, by one key each; whether the person is the right one, as far as they know."""
        self.complete = True
        for _question in range(2):
            found = re.search(r'name="criterion" value="(\d+)"', self.screen)
            if found is None:
                break
            fate = self.chance.random()
            if fate < 0.3:
                self.look("heard", f"?heard={found[1]}")
                self.think(2.5)
                self.verb(
                    "criteria", "mismatch", criterion=found[1], result="mismatch", heard="une boulangerie"
                )
                if self.state() == "closing":
                    return False
            else:
                known = fate < 0.9
                self.complete &= known
                self.verb("criteria", criterion=found[1], result="match" if known else "unknown")
            self.think(2)
        return True

    def note_and_aside(self) -> None:
        """Write a note; sometimes correct the fiche, open the situations or note a wish."""
        self.save("note", note="la directrice revient lundi")
        self.think(1)
        fate = self.chance.random()
        if fate < 0.15:
            self.look("situations", "?situation=list")
            self.think(1)
            self.verb("situations", "stage", situation="policy", stage="1")
            self.think(2)
            self.verb("situation-effect", situation="policy", words="le délai est trop court")
            self.think(1)
            self.verb("situations", "calmed down", over="on")
        elif fate < 0.3:
            self.look("edit", "?edit=city")
            self.think(1.5)
            self.verb("fiche", field="city", value="Lyon")
        elif fate < 0.45:
            self.look("wish form", "?wish=1")
            self.think(1.5)
            self.verb("wishes", text="une formation")
        elif fate < 0.5:
            self.look("help form", "?boss=1")
            self.think(1)
            self.verb("help", words="demande le responsable")
        self.save("note", note="la directrice revient lundi, demander la comptable")

    def conclude(self) -> None:
        """Say how the call ended."""
        self.look("conclude", "?conclude=1")
        self.think(1.5)
        if self.chance.random() < 0.2:
            self.look("callback form", "?conclude=1&code=callback")
            self.think(2)
            when = (datetime.now() + timedelta(days=2)).replace(hour=10, minute=0)  # noqa: DTZ005
            self.verb("disposition", "callback", code="callback", callback_at=f"{when:%Y-%m-%dT%H:%M}")
        else:
            self.verb("disposition", code="complete" if self.complete else "refusal")

    def think(self, seconds: float) -> None:
        """Let the time of a person pass, and renew the lease when it is due."""
        end = time.monotonic() + seconds * PACE * self.chance.uniform(0.7, 1.3)
        while (left := end - time.monotonic()) > 0:
            lease = re.search(r'data-lease-every="(\d+)"', self.screen)
            wait = min(left, max(0.0, self.due - time.monotonic())) if lease else left
            if self.state() == "desk":
                wait = min(left, DESK_EVERY)
            if self.stop.wait(wait):
                raise Over
            if self.state() == "desk":
                self.seen.note(
                    "desk: offers", self.browser.get("/desk/offer/?seen=", fragment=True), (200, 204)
                )
                self.seen.note("desk: due", self.browser.get("/desk/news/?seen=", fragment=True), (200, 204))
            if lease and time.monotonic() >= self.due:
                self.due = time.monotonic() + float(lease[1])
                answer = self.browser.post(f"/calls/{self.call}/lease/", fragment=False)
                self.seen.note("lease", answer, (200,))

    # ---- what the pages send

    def verb(self, part: str, name: str = "", **form: str) -> None:
        """Do something to the call."""
        self.act(name or part, f"/calls/{self.call}/{part}/", **form)

    def act(self, name: str, path: str, **form: str | int) -> None:
        """Send a form as htmx does; the screen that comes of it is the answer."""
        if self.stop.is_set():
            raise Over
        answer = self.browser.post(path, urlencode(form))
        self.seen.note(name, answer, (200,))
        self.read(answer)

    def save(self, name: str, **form: str) -> None:
        """Send what answers with a line of its own."""
        self.seen.note(name, self.browser.post(f"/calls/{self.call}/{name}/", urlencode(form)), (200,))

    def look(self, name: str, query: str) -> None:
        """Open or leave an inline form."""
        self.look_at(name, f"/calls/{self.call}/{query}")

    def look_at(self, name: str, path: str) -> None:
        """Read a screen as a fragment."""
        answer = self.browser.get(path, fragment=True)
        self.seen.note(name, answer, (200,))
        self.read(answer)

    def page(self, name: str, path: str) -> None:
        """Load a whole page."""
        answer = self.browser.get(path)
        self.seen.note(name, answer, (200,))
        self.read(answer)

    def read(self, answer: Answer) -> None:
        """Take in a screen: whose call it shows."""
        self.screen = answer.text
        shown = re.search(r'data-call-id="(\d+)" data-number="([^"]*)"', self.screen)
        if shown is None:
            return
        if not self.call:
            self.call = int(shown[1])
            self.due = time.monotonic() + 10
        name = re.search(r'class="who__name"[^>]*>([^<]*)<', self.screen)
        with self.seen.lock:
            self.seen.screens.add((int(shown[1]), self.user, shown[2], name[1].strip() if name else "?"))
            if int(shown[1]) != self.call:
                self.seen.errors.append(f"call {self.call} was to be shown, call {shown[1]} was")

    def state(self) -> str:
        """Return the state on the screen."""
        found = re.search(r'data-state="(\w+)"', self.screen)
        return found[1] if found else ""

    def expect(self, *states: str) -> None:
        """Note when the screen is not where it should be."""
        if self.state() not in states:
            with self.seen.lock:
                self.seen.errors.append(f"{states} expected, shown: {self.state()!r}")


def supervise(session: str, port: int, stop: threading.Event, seen: Seen) -> None:
    """Watch the inbox, which asks for news by itself."""
    browser = Browser(port, session)
    # Supervisors do not sit down in step.
    if stop.wait(random.uniform(0, 6 * INBOX_EVERY)):
        return
    while True:
        answer = browser.get("/inbox/")
        seen.note(f"{INBOX} page", answer, (200,))
        news = re.search(r'hx-get="([^"]*news[^"]*)"', answer.text)
        for _turn in range(6):
            if stop.wait(INBOX_EVERY):
                browser.line.close()
                return
            if news:
                seen.note(f"{INBOX} news", browser.get(news[1], fragment=True), (200, 204))


def main(arguments: list[str]) -> int:
    """Run the benchmark; returns 0 when every target is met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=90.0, help="counted, after the warm-up")
    parser.add_argument("--entries", type=int, default=100_000)
    given = parser.parse_args(arguments)
    say(
        f"Call screen: {given.agents} agents and {SUPERVISORS} supervisors for {given.seconds:.0f} s,"
        f" a list of {given.entries:,}; granian as in the Procfile, PostgreSQL with fsync and the agents share"
        f" {os.cpu_count()} cores"
    )
    with bench_database():
        campaign = make_campaign()
        make_agents()
        with connect() as connection:
            connection.execute(QUESTIONS)
            connection.execute("UPDATE crm_user SET role = 'supervisor' WHERE username LIKE 'bench3__'")
        grow(0, given.entries)
        met = _run(campaign, given.agents, given.seconds)
    return 0 if met else 1


def _run(campaign: int, agents: int, seconds: float) -> bool:
    from crm.models import User

    people = list(User.objects.filter(role="agent").order_by("pk").values_list("pk", flat=True)[:agents])
    watchers = User.objects.filter(role="supervisor").values_list("pk", flat=True)[:SUPERVISORS]
    seen, stop = Seen(counts_from=time.monotonic() + 1e9), threading.Event()
    with served() as port:
        workers = [Agent(pk, session_of(pk), port, campaign, stop, seen).work for pk in people]
        threads = [threading.Thread(target=_watched, args=(work, seen)) for work in workers]
        for pk in watchers:
            work = partial(supervise, session_of(pk), port, stop, seen)
            threads.append(threading.Thread(target=_watched, args=(work, seen)))
        with told("everybody comes in, one after the other"):
            for thread in threads:
                thread.start()
                time.sleep(WARM_UP / len(threads))
        seen.counts_from = begin = time.monotonic()
        calls, used = seen.calls, _processor_seconds()
        shared = _watch(seconds)
        took, calls = time.monotonic() - begin, seen.calls - calls
        spent = [after - before for before, after in zip(used, _processor_seconds(), strict=True)]
        stop.set()
        for thread in threads:
            thread.join()
    return _tell(seen, agents, took, calls, shared, spent)


def _watched(work: Callable[[], None], seen: Seen) -> None:
    """Let somebody work; what stops them is an error."""
    try:
        work()
    except Exception as error:
        seen.errors.append(repr(error))


def _watch(seconds: float) -> int:
    """Look every second whether two people share a call, a number or a prospect; return how often they did."""
    end, shared = time.monotonic() + seconds, 0
    with connect() as connection:
        while time.monotonic() < end:
            row = connection.execute(SHARED).fetchone()
            shared += int(str(row[0])) if row else 0
            time.sleep(1)
    return shared


def _processor_seconds() -> tuple[float, float]:
    """Return what the web server, which this process started, and PostgreSQL have used of the processors."""
    served_by = psutil.Process().children(recursive=True)
    folder = str(FOLDER)
    database = [
        process
        for process in psutil.process_iter()
        if process.name() == "postgres" and folder in " ".join(process.cmdline())
    ]
    backends = [child for process in database for child in process.children(recursive=True)]
    web, store = (
        sum(cpu_seconds(process.pid) for process in group) for group in (served_by, database + backends)
    )
    return web, store


def _foreign(seen: Seen) -> int:
    """Return how many screens showed a call that was not its agent's, or another's number or name."""
    with connect() as connection:
        rows = connection.execute(
            "SELECT c.id, c.agent_id, c.number, p.organisation FROM calls_call c"
            " JOIN crm_prospect p ON p.id = c.prospect_id"
        ).fetchall()
    return len(seen.screens - {(int(str(a)), int(str(b)), str(c), str(d)) for a, b, c, d in rows})


def _tell(seen: Seen, agents: int, took: float, calls: int, shared: int, spent: list[float]) -> bool:
    requests = sum(map(len, seen.times.values()))
    say(f"  {'request':<28}{'n':>6}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    slowest, worst = 0.0, "none"
    for name, times in sorted(seen.times.items(), key=lambda item: -percentile(item[1], 0.99)):
        p50, p99 = (percentile(times, share) * 1000 for share in (0.5, 0.99))
        if p99 > slowest and len(times) >= ENOUGH and not name.startswith(INBOX):
            slowest, worst = p99, name
        say(f"  {name:<28}{len(times):>6}{p50:>9.1f}{p99:>9.1f}{max(times) * 1000:>9.1f}")
    screens = [one for name, times in seen.times.items() if not name.startswith(INBOX) for one in times]
    p50, p99 = (percentile(screens, share) * 1000 for share in (0.5, 0.99))
    say(f"  {'all of the call screen':<28}{len(screens):>6}{p50:>9.1f}{p99:>9.1f}")
    each = took * agents / max(calls, 1)
    say(
        f"  {requests / took:.1f} requests a second; {calls} calls, one every {each:.0f} s for each of {agents} agents"
    )
    web, store = (share / max(requests, 1) * 1000 for share in spent)
    say(
        f"  processor time of a request: {web:.1f} ms web server, {store:.1f} ms PostgreSQL;"
        f" {sum(spent) / took / (os.cpu_count() or 1):.0%} of the machine"
    )
    for error in list(dict.fromkeys(seen.errors))[:5]:
        say(f"  error: {error}")
    say("\nTargets")
    return all(
        [
            verdict("p99 of the call screen's requests", p99, TARGET_MS, at_least=False, unit=" ms"),
            verdict(
                f"p99 of the slowest of its requests ({worst})",
                slowest,
                TARGET_MS,
                at_least=False,
                unit=" ms",
            ),
            verdict("errors", len(seen.errors), 0, at_least=False),
            verdict("screens that showed somebody else's call", _foreign(seen), 0, at_least=False),
            verdict("calls, numbers or prospects that two people had at once", shared, 0, at_least=False),
            verdict("calls in that time", calls, agents, unit=""),
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
