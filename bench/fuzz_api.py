"""Every operation of the API, asked whatever its schema allows and whatever it does not, through the web server.

Schemathesis with all its checks (tests/fuzz/schemathesis.toml tells the exceptions and why), by a token of a manager,
of an agent and of a program. A finding is an answer that the schema does not tell, a wrong value taken, or a 5xx.
"""

import argparse
import sys
import time

from bench.place import bench_database, say, told
from bench.serving import served

ROLES = ("manager", "agent", "integration")


def main() -> int:
    """Run for the given time; returns 1 on a finding."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=330, help="how long in all (default: 330)")
    parser.add_argument("--seed", type=int, default=1, help="what is sent (default: 1)")
    parser.add_argument("--only", default="", help="operations whose id matches this expression")
    parser.add_argument("--roles", default=",".join(ROLES))
    given = parser.parse_args()
    roles = given.roles.split(",")
    findings = 0
    with bench_database(), served() as port:
        for role in roles:
            findings += _run(port, role, given.seconds // len(roles), given.seed, given.only)
    say(f"{findings} of {len(roles)} roles with findings")
    return 1 if findings else 0


def _run(port: int, role: str, seconds: int, seed: int, only: str) -> bool:
    """Ask as one role; returns whether something was found, which is printed."""
    from tests.fuzz.running import fuzz
    from tests.fuzz.world import make_rows

    with told(f"rows for {role}"):
        token, rows = make_rows(role)
    begin = time.monotonic()
    chosen = ["--include-operation-id-regex", only] if only else []
    done = fuzz(
        f"http://localhost:{port}",
        token,
        rows=rows,
        seed=seed,
        arguments=["--max-time", str(seconds), *chosen],
    )
    say(f"--- {role}: {time.monotonic() - begin:.0f} s")
    say(done.stdout[-60_000:] if done.returncode else done.stdout[-1500:])
    if done.returncode:
        say(done.stderr[-3000:])
    return done.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
