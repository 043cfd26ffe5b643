"""How fast agents get their next fiche, beside what PostgreSQL does on the same table with one bare statement.

The bare statement (pgbench, prepared, same table, same index) takes the first ready row with SKIP LOCKED and marks it:
the limit of any queue in this database. A claim also asks the gate, opens the call under the guards of the bars and
writes two histories.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psutil

from bench.agents import RELEASE, TEAM, Work, by_http, by_service, work
from bench.place import (
    BINARIES,
    bench_database,
    connect,
    libpq_environment,
    percentile,
    say,
    verdict,
)
from bench.records import grow, make_campaign, ready_again
from bench.serving import served

RAW = """
UPDATE campaigns_listentry SET state = 'claimed' WHERE id = (
    SELECT id FROM campaigns_listentry
     WHERE campaign_id = {campaign} AND state = 'ready' AND language = '' AND time_zone = 'Europe/Paris'
     ORDER BY priority DESC, due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id;
"""
CLIENTS = 16
#: Enough for the clients of the web server, each with its team, and for the largest crowd at the service.
AGENTS = CLIENTS * TEAM


def raw_rate(campaign: int, clients: int, entries: int, seconds: float) -> float:
    """Return the bare statement's transactions per second with `clients` connections (pgbench -M prepared -j 2)."""
    # Never more than the list holds: past its end there would be nothing to find.
    each = max(20, min(int(entries * 0.8 / clients), 100_000))
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(RAW.format(campaign=campaign).replace("\n", " "))
        script.flush()
        limit = ["-t", str(each)] if each * clients < seconds * 4000 else ["-T", str(int(seconds))]
        command = [str(BINARIES / "pgbench"), "-n", "-M", "prepared", "-j", "2", "-c", str(clients), *limit]
        done = subprocess.run(
            [*command, "-f", script.name],
            env=libpq_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None:
        raise RuntimeError(done.stdout + done.stderr)
    ready_again()
    return float(found[1])


def claim_cost(agents: int, seconds: float) -> Work:
    """Return what `agents` did through the service in `seconds`."""
    done = work(by_service, agents, seconds)
    if done.failures:
        raise RuntimeError("; ".join(done.failures[:3]))
    ready_again()
    return done


def pace_of(done: Work) -> str:
    """Return the figures of what some agents did, for one line of the table."""
    return (
        f"  {done.agents:>3} agents  {done.rate:6.0f} claims/s ({done.pace:.0f} with the giving back)"
        f"   p50 {percentile(done.claims, 0.5) * 1000:7.2f} ms   p99 {percentile(done.claims, 0.99) * 1000:7.2f} ms"
    )


def line(done: Work, raw: float) -> str:
    """Return one line of the table, with the limit and the ratio."""
    empty = f"   ({done.empty} times nothing callable)" if done.empty else ""
    return f"{pace_of(done)}   raw {raw:6.0f}/s   ratio {done.rate / raw:6.1%}{empty}"


# --- Where the time goes ---


def breakdown(claims: int) -> None:
    """Print where one agent's claim spends its time: each statement as the client sees it, the commit, and Python."""
    from django.db import connection

    from calls.services.claim import claim_next
    from campaigns.models import Campaign
    from crm.models import User
    from crm.selectors.prepared import prepared_cursor

    campaign = Campaign.objects.select_related("programme__sponsor").get()
    agent = User.objects.get(username="bench0")
    spent: dict[str, list[float]] = defaultdict(list)

    def timed(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        begin = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spent[label(sql)].append(time.perf_counter() - begin)

    total = 0.0
    connection.ensure_connection()
    driver = connection.connection
    backend = driver.info.backend_pid
    commit = driver.commit

    def timed_commit() -> None:
        begin = time.perf_counter()
        commit()
        spent["COMMIT (waits for the disk)"].append(time.perf_counter() - begin)

    driver.commit = timed_commit
    cpu = (0.0, 0.0)
    for turn in range(claims + 50):
        if turn == 50:
            spent.clear()
            total = 0.0
            cpu = cpu_seconds(os.getpid()), cpu_seconds(backend)
        with connection.execute_wrapper(timed):
            begin = time.perf_counter()
            call = claim_next(campaign=campaign, by=agent, at=datetime.now(UTC))
            total += time.perf_counter() - begin
        assert call is not None
        with prepared_cursor() as cursor:
            cursor.execute(RELEASE, [[call.pk]])
    used = [cpu_seconds(pid) - before for pid, before in zip((os.getpid(), backend), cpu, strict=True)]
    del driver.commit
    connection.close()
    say(f"\nWhere one claim spends its {total / claims * 1000:.2f} ms (one agent, {claims} claims)")
    known = 0.0
    for name, times in sorted(spent.items(), key=lambda item: -sum(item[1])):
        share = sum(times) / claims
        known += share
        say(f"  {share * 1000:7.3f} ms  {share * claims / total:5.1%}  {len(times) / claims:4.1f} x  {name}")
    rest = total / claims - known
    say(f"  {rest * 1000:7.3f} ms  {rest * claims / total:5.1%}         Python (Django, the gate's rule)")
    say(
        f"  processor time a claim and its release: {used[0] / claims * 1000:.2f} ms Python,"
        f" {used[1] / claims * 1000:.2f} ms PostgreSQL"
    )
    ready_again()


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process of this machine has used; it does not count what it waited for."""
    spent = psutil.Process(pid).cpu_times()
    return float(spent.user + spent.system)


def label(sql: str) -> str:
    """Return the functions that a statement asks, or its beginning, on one line."""
    functions = dict.fromkeys(re.findall(r"courtois_\w+", sql))
    return ", ".join(functions) or " ".join(sql.split())[:60]


# --- Through HTTP ---


@contextmanager
def web(campaign: int) -> Iterator[None]:
    """Run the web server, with a token for each agent; stop it at the end."""
    from crm.models import User
    from crm.services.tokens import create_token

    agents = User.objects.filter(username__startswith="bench").order_by("id")
    tokens = {user.username: create_token(user=user, name="bench", at=datetime.now(UTC)) for user in agents}
    os.environ.update(
        BENCH_TOKENS=" ".join(tokens[f"bench{number}"] for number in range(AGENTS)),
        BENCH_CAMPAIGN=str(campaign),
    )
    with served():
        yield


def make_agents() -> None:
    """Write the agents bench0, bench1 …"""
    with connect() as connection:
        connection.execute(
            "INSERT INTO crm_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active,"
            " date_joined, role, languages, daily_goal, extension)"
            " SELECT '', false, 'bench' || n, '', '', '', false, true, now(), 'agent', '{}', 50, ''"
            f" FROM generate_series(0, {AGENTS - 1}) n"
        )


def main(arguments: list[str]) -> int:
    """Run the benchmark; returns 0 when every target is met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", default="10000,100000,1000000", help="ready entries, growing")
    parser.add_argument("--agents", default="1,16,64")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--no-http", action="store_true")
    given = parser.parse_args(arguments)
    sizes = [int(size) for size in given.sizes.split(",")]
    crowds = [int(agents) for agents in given.agents.split(",")]
    say(
        "Claims: calls.services.claim.claim_next against one bare UPDATE … SKIP LOCKED (pgbench -M prepared -j 2)"
    )
    say(
        "same server, fsync on, same table and index; agents are threads in 2 processes;"
        f" {os.cpu_count()} cores for all"
    )
    with bench_database():
        campaign = make_campaign()
        make_agents()
        met = _all(campaign, sizes, crowds, given.seconds, http=not given.no_http)
    return 0 if met else 1


def _all(campaign: int, sizes: list[int], crowds: list[int], seconds: float, *, http: bool) -> bool:
    ratios: dict[tuple[int, int], float] = {}
    cost: dict[int, float] = {}
    have = 0
    for size in sizes:
        grow(have, size)
        have = size
        say(f"\n{size:,} ready entries")
        for agents in crowds:
            raw = raw_rate(campaign, agents, size, seconds)
            done = claim_cost(agents, seconds)
            ratios[size, agents] = done.rate / raw
            if agents == crowds[0]:
                cost[size] = percentile(done.claims, 0.5)
            say(line(done, raw))
    breakdown(300)
    served = _http(campaign, seconds) if http else None
    say("\nTargets")
    results = [
        verdict(f"share of the raw rate, 16 agents, {size:,} entries", ratios[size, 16] * 100, 10, unit=" %")
        for size in sizes
        if 16 in crowds
    ]
    if len(sizes) > 1:
        ratio = cost[sizes[-1]] / cost[sizes[0]]
        results.append(
            verdict(f"cost of a claim at {sizes[-1]:,} entries / at {sizes[0]:,}", ratio, 1.3, at_least=False)
        )
    if served is not None:
        results.append(verdict("claims through HTTP", served, 200, unit="/s"))
    return all(results)


def _http(campaign: int, seconds: float) -> float:
    with web(campaign):
        work(by_http, CLIENTS, 2)
        done = work(by_http, CLIENTS, seconds)
    if done.failures:
        raise RuntimeError("; ".join(done.failures[:3]))
    say(
        "\nThrough HTTP: POST /api/v1/campaigns/{id}/next-call/, granian as in the Procfile,"
        f" {CLIENTS} agents with tokens at a time"
    )
    say(pace_of(done))
    return done.rate


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
