"""Everything at once for longer than the tests take: agents, exclusions, lifts, beat and list resets at random.

Counts rounds and deadlocks, and looks whether an excluded fiche was left on a screen or dialled twice at once.
"""

import argparse
import sys

from bench.place import bench_database, say, verdict


def main(arguments: list[str]) -> int:
    """Run the crowd; returns 0 when nothing was lost, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--agents", type=int, default=8)
    given = parser.parse_args(arguments)
    say(f"Races: {given.agents} agents, two excluders, beat and resets for {given.seconds:.0f} s")
    with bench_database():
        met = _run(given.seconds, given.agents)
    return 0 if met else 1


def _run(seconds: float, agents: int) -> bool:
    from tests.racing import race, stuck, unexpected
    from tests.test_races import Crowd, covered

    crowd = Crowd(rounds=10**9, seconds=seconds)
    results = race(*[crowd.agent] * agents, crowd.exclude, crowd.exclude, crowd.reopen, crowd.manage)
    wrong = unexpected(results)
    for kind, count in sorted(crowd.rounds.items(), key=lambda item: -item[1]):
        say(f"  {count:7}  {kind}")
    for error in wrong[:3]:
        say(f"  failed: {error!r}")
    rounds = sum(crowd.rounds.values())
    deadlocks = sum(
        count for kind, count in crowd.rounds.items() if kind.startswith(("deadlock", "lock timeout"))
    )
    deadlocks += sum(bool(stuck(error)) for error in wrong)
    say(f"  {rounds:,} rounds, {rounds / seconds:.0f} a second\n\nTargets")
    return all(
        [
            verdict("deadlocks", deadlocks, 0, at_least=False),
            verdict("failures that no service turned into a refusal", len(wrong), 0, at_least=False),
            verdict("excluded fiches left on a screen", covered("claimed"), 0, at_least=False),
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
