"""Agents at work: processes of threads, each thread with a connection of its own, that claim as fast as they can."""

import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bench.place import use_django
from bench.serving import Line

PROCESSES = 2
#: Each client of the web server claims once for each of so many agents, then gives all their entries back.
TEAM = 20
#: Gives entries back to the end of the queue and ends their calls: what a release leaves behind, without its history.
RELEASE = """
WITH call AS (UPDATE calls_call SET state = 'released', done_at = now() WHERE id = ANY(%s) RETURNING entry_id)
UPDATE campaigns_listentry e SET state = 'ready', due_at = now() FROM call WHERE e.id = call.entry_id
"""


@dataclass
class Work:
    """What some agents did: the seconds of each claim, how often nothing was callable, and how long they worked."""

    claims: list[float] = field(default_factory=list)
    empty: int = 0
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    agents: int = 0

    def add(self, other: "Work") -> None:
        """Take in what other agents did in the same time."""
        self.claims += other.claims
        self.empty += other.empty
        self.failures += other.failures
        self.seconds = max(self.seconds, other.seconds)
        self.agents += other.agents

    @property
    def rate(self) -> float:
        """Claims per second while they claim: the giving back in between, which no agent does, is taken out."""
        return self.agents * len(self.claims) / sum(self.claims) if self.claims else 0.0

    @property
    def pace(self) -> float:
        """Claims per second by the clock, the giving back counted in."""
        return len(self.claims) / self.seconds if self.seconds else 0.0


Agent = Callable[[int, "threading.Event", Work], None]


def work(agent: Agent, agents: int, seconds: float) -> Work:
    """Let `agents` copies of `agent` work for `seconds` in `PROCESSES` processes; return what they did together."""
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    shares = [agents // PROCESSES + (part < agents % PROCESSES) for part in range(PROCESSES)]
    shares = [share for share in shares if share]
    ready = context.Barrier(len(shares))
    first = 0
    processes = []
    for share in shares:
        numbers = list(range(first, first + share))
        first += share
        process = context.Process(target=_process, args=(agent, numbers, seconds, ready, results))
        process.start()
        processes.append(process)
    together = Work()
    for _ in processes:
        together.add(results.get(timeout=seconds + 120))
    for process in processes:
        process.join()
    return together


def _process(agent: Agent, numbers: list[int], seconds: float, ready: Any, results: Any) -> None:
    use_django()
    done = [Work(agents=1) for _ in numbers]
    stop, start = threading.Event(), threading.Barrier(len(numbers) + 1)

    def run(number: int, mine: Work) -> None:
        from django.db import connection

        try:
            connection.ensure_connection()
            start.wait(60)
            agent(number, stop, mine)
        except Exception as error:
            mine.failures.append(repr(error))
            start.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in zip(numbers, done, strict=True)]
    for thread in threads:
        thread.start()
    ready.wait(60)
    start.wait(60)
    begin = time.perf_counter()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    together = Work()
    for mine in done:
        together.add(mine)
    together.seconds = time.perf_counter() - begin
    results.put(together)


def by_service(number: int, stop: threading.Event, mine: Work) -> None:
    """An agent of the service itself: claim, measured; give back, not measured."""
    from calls.services.claim import claim_next
    from campaigns.models import Campaign
    from crm.models import User
    from crm.selectors.prepared import prepared_cursor

    campaign = Campaign.objects.select_related("programme__sponsor").get()
    agent = User.objects.get(username=f"bench{number}")
    while not stop.is_set():
        begin = time.perf_counter()
        call = claim_next(campaign=campaign, by=agent, at=datetime.now(UTC))
        took = time.perf_counter() - begin
        if call is None:
            mine.empty += 1
            continue
        mine.claims.append(took)
        with prepared_cursor() as cursor:
            cursor.execute(RELEASE, [[call.pk]])


def by_http(number: int, stop: threading.Event, mine: Work) -> None:
    """A client of the API: one kept connection, one claim after the other, each for another agent of its team.

    What they claimed is given back together, by SQL and not measured: no agent does that, and it would take its part of
    the processors. Bare sockets, so that the client takes little of them, too.
    """
    from crm.selectors.prepared import prepared_cursor

    lines = (
        f"POST /api/v1/campaigns/{os.environ['BENCH_CAMPAIGN']}/next-call/ HTTP/1.1",
        "Authorization: Bearer {token}",
        "Host: localhost",
        "X-Forwarded-Proto: https",
        "Content-Type: application/json",
        "Content-Length: 2",
    )
    request = "\r\n".join((*lines, "", "")) + "{{}}"
    tokens = os.environ["BENCH_TOKENS"].split()[number * TEAM : (number + 1) * TEAM]
    requests = [request.format(token=token).encode() for token in tokens]
    line = Line(int(os.environ["BENCH_PORT"]))
    while not stop.is_set():
        claimed = []
        for each in requests:
            answer = line.ask(each)
            if answer.status == 204:
                mine.empty += 1
                continue
            if answer.status != 201:
                raise RuntimeError(f"{answer.status} {answer.text[:300]}")
            mine.claims.append(answer.seconds)
            claimed.append(json.loads(answer.body)["id"])
        with prepared_cursor() as cursor:
            cursor.execute(RELEASE, [claimed])
    line.close()
