"""An opt-out list of 200,000 numbers is excluded by the service while agents work.

Compared with the same rows copied into a bare table of the same indexes, and with the agents' pace without it.
"""

import argparse
import sys
import threading
import time
from datetime import UTC, datetime

from bench.agents import Work, by_service, work
from bench.claims import make_agents
from bench.place import bench_database, connect, percentile, say, verdict
from bench.records import grow, make_campaign

ROWS = """
SELECT 'everywhere' AS scope, '+3346571' || lpad(n::text, 7, '0') AS number, 'registry' AS reason, '' AS note,
       now() AS since, '' AS lift_reason FROM generate_series({first}, {last}) n
"""
COLUMNS = "(scope, number, reason, note, since, lift_reason)"


def main(arguments: list[str]) -> int:
    """Run the benchmark; returns 0 when every target is met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--numbers", type=int, default=200_000)
    parser.add_argument(
        "--entries", type=int, default=20_000, help="ready entries; half of them are excluded"
    )
    parser.add_argument("--agents", type=int, default=16)
    given = parser.parse_args(arguments)
    say(f"Exclusions: {given.numbers:,} numbers (exclude_many) beside {given.agents} working agents")
    with bench_database():
        make_campaign()
        make_agents()
        grow(0, given.entries)
        met = _run(given.numbers, given.entries, given.agents)
    return 0 if met else 1


def _run(numbers: int, entries: int, agents: int) -> bool:
    alone = work(by_service, agents, 4)
    with connect() as connection:
        connection.execute(
            "CREATE TABLE bare (LIKE campaigns_exclusion INCLUDING DEFAULTS INCLUDING INDEXES INCLUDING IDENTITY)"
        )
        begin = time.perf_counter()
        connection.execute(
            f"INSERT INTO bare {COLUMNS} {ROWS.format(first=5_000_000, last=5_000_000 + numbers - 1)}"
        )
        bare = time.perf_counter() - begin
        connection.execute("DROP TABLE bare")
    took: list[float] = []
    thread = threading.Thread(target=_exclude, args=(entries // 2, entries // 2 + numbers - 1, took))
    # The agents' processes take a moment to start; the list comes in when they are at work.
    starter = threading.Timer(4, thread.start)
    starter.start()
    # Long enough that the agents see it to its end, locks and all.
    beside = work(by_service, agents, 6 + 5 * bare)
    starter.join()
    thread.join()
    with connect() as connection:
        left = connection.execute(
            "SELECT count(*) FILTER (WHERE state = 'excluded'), count(*) FILTER (WHERE state <> 'excluded'"
            " AND number >= %s), (SELECT count(*) FROM calls_call c WHERE state = 'claimed'"
            " AND courtois_covering_exclusion(c.number, c.prospect_id, c.campaign_id) IS NOT NULL)"
            " FROM campaigns_listentry",
            ["+3346571" + str(entries // 2).rjust(7, "0")],
        ).fetchone()
    assert left is not None
    say(f"  bare insert of the same rows, same indexes   {bare:7.2f} s")
    say(f"  with locks, released calls, closed entries   {took[0]:7.2f} s   ratio {took[0] / bare:.2f}")
    _tell("agents alone", alone)
    _tell("agents beside", beside)
    say(f"  entries excluded {left[0]}, overlooked {left[1]}, excluded fiches left on a screen {left[2]}")
    say("\nTargets")
    return all(
        [
            verdict(
                "longest claim beside the list, as a share of its time",
                max(beside.claims) / took[0],
                1.5,
                at_least=False,
            ),
            verdict("entries overlooked", float(str(left[1])), 0, at_least=False),
            verdict("excluded fiches left on a screen", float(str(left[2])), 0, at_least=False),
            verdict("errors of the agents", len(alone.failures) + len(beside.failures), 0, at_least=False),
        ]
    )


def _exclude(first: int, last: int, took: list[float]) -> None:
    from django.db import connection

    from campaigns.services.exclusions import exclude_many

    numbers = [f"+3346571{n:07d}" for n in range(first, last + 1)]
    begin = time.perf_counter()
    try:
        exclude_many(scope="everywhere", numbers=numbers, reason="registry", by=None, at=datetime.now(UTC))
        took.append(time.perf_counter() - begin)
    finally:
        connection.close()


def _tell(name: str, done: Work) -> None:
    say(
        f"  {name:<14} {done.rate:7.0f} claims/s   p50 {percentile(done.claims, 0.5) * 1000:7.2f} ms"
        f"   p99 {percentile(done.claims, 0.99) * 1000:7.2f} ms   longest {max(done.claims) * 1000:7.0f} ms"
        + (f"   {done.empty} times nothing callable" if done.empty else "")
        + (f"   failures {done.failures[:2]}" if done.failures else "")
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
