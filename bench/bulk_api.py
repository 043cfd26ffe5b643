"""5,000 prospects a request through the real web server, beside Django's `bulk_create(update_conflicts=True)` of the
same rows through the same server. `python -m bench.bulk_api [--sizes 10000,1000000] [--requests 4] [--clients 1,2]`.

Sizes are the records that are there before. `listed`: a change of records that stand in a list, which follows.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count, pairwise
from typing import Any

from bench.bulk_rows import SIZE, rows
from bench.place import bench_database, connect, say, verdict
from bench.records import grow, make_campaign
from bench.serving import Line, served

TARGET = 3_000.0
#: A request among a million records beside one among few.
GROWTH = 2.0
ANSWER_PARTS = ("created", "updated", "unchanged", "error")
#: The product's own index knows no blank ids, which Django's upsert cannot say; the peer has one of its own.
PEER_INDEX = "CREATE UNIQUE INDEX bench_peer ON crm_prospect (source_id, external_id)"


class Bench:
    """Requests of a manager to the running server, from so many clients at once."""

    def __init__(self, port: int, token: str, source: int, requests: int, name: str) -> None:
        """Keep what every request needs; `name` is in the ids of the records that are made."""
        self.port, self.token, self.source, self.requests = port, token, source, requests
        self._names = (f"{name}{number}-" for number in count(1))

    def prefix(self) -> str:
        """Return a beginning of ids that no record has."""
        return next(self._names)

    def rate(
        self, path: str, prefix: str, city: str, clients: int, status: str = "", known: int = sys.maxsize
    ) -> float:
        """Send the requests, shared by the clients; return prospects a second, each having got this status. `known`:
        that there are no more records with such ids."""
        requests = min(self.requests, known // SIZE)
        bodies = [self._body(path, prefix, number * SIZE, city) for number in range(requests)]
        lines = [Line(self.port) for _ in range(clients)]
        begin = time.perf_counter()
        with ThreadPoolExecutor(clients) as threads:
            shares = [bodies[at::clients] for at in range(clients)]
            answers = [answer for part in threads.map(_sent, lines, shares) for answer in part]
        took = time.perf_counter() - begin
        for answer in answers:
            assert not status or answer[status] == SIZE, {name: answer[name] for name in ANSWER_PARTS}
        return requests * SIZE / took

    def _body(self, path: str, prefix: str, first: int, city: str) -> bytes:
        items = rows(self.source, prefix, first, city)
        if path == "prospects/bulk/":
            items = [{name: value for name, value in item.items() if name != "e164"} for item in items]
        content = json.dumps({"prospects": items}).encode()
        head = (
            f"POST /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        return head.encode() + content


def _sent(line: Line, bodies: list[bytes]) -> list[Any]:
    answers = [line.ask(body) for body in bodies]
    line.close()
    for answer in answers:
        assert answer.status == 200, answer.text[:500]
    return [json.loads(answer.text) for answer in answers]


def measure(bench: Bench, clients: int) -> dict[str, float]:
    """Return prospects a second by what becomes of them, the peer's with them."""
    peer, raw = bench.prefix(), "bench/raw/"
    with connect() as connection:
        connection.execute(PEER_INDEX)
    found = {
        "raw create": bench.rate(raw, peer, "Metz", clients),
        "raw update": bench.rate(raw, peer, "Brest", clients),
    }
    with connect() as connection:
        connection.execute("DROP INDEX bench_peer")
    ours, bulk = bench.prefix(), "prospects/bulk/"
    found["create"] = bench.rate(bulk, ours, "Metz", clients, "created")
    found["update"] = bench.rate(bulk, ours, "Brest", clients, "updated")
    found["unchanged"] = bench.rate(bulk, ours, "Brest", clients, "unchanged")
    return found


def told_rates(size: int, clients: int, found: dict[str, float]) -> list[bool]:
    """Print a line for what became of the prospects, with the peer's; return whether the target is met."""
    say(f"\n{size:,} records, {clients} client(s), {SIZE:,} prospects a request; prospects a second:")
    met = []
    for name, against in (("create", "raw create"), ("update", "raw update"), ("unchanged", "raw update")):
        rate, peer = found[name], found[against]
        say(f"  {name:10} {rate:8,.0f}   bulk_create {peer:8,.0f}   ratio {rate / peer:.2f}")
        met.append(verdict(name, rate, TARGET, unit="/s"))
    return met


def main() -> int:
    """Measure; returns 1 when a target is missed."""
    options = _options()
    met: list[bool] = []
    firsts: dict[int, float] = {}
    with bench_database():
        make_campaign()
        token, source = _manager()
        for before, size in pairwise([0, *options.sizes]):
            grow(before, size)
            os.environ["DJANGO_SETTINGS_MODULE"] = "bench.bulk_settings"
            with served() as port:
                bench = Bench(port, token, source, options.requests, f"{size}-")
                for clients in options.clients:
                    found = measure(bench, clients)
                    met += told_rates(size, clients, found)
                    slower = firsts.setdefault(clients, found["create"]) / found["create"]
                    met.append(verdict("beside the smallest", slower, GROWTH, at_least=False, unit=" times"))
                listed = bench.rate("prospects/bulk/", "b", f"Nantes {size}", 1, "updated", size)
                say(f"  listed     {listed:8,.0f}")
    return 0 if all(met) else 1


def _manager() -> tuple[str, int]:
    from django.utils import timezone

    from crm.models import Source, User
    from crm.services.tokens import create_token

    user = User.objects.create_user(username="bench-manager", password="unused-password", role="manager")
    return create_token(user=user, name="bench", at=timezone.now()), Source.objects.get().pk


def _options() -> argparse.Namespace:
    numbers: Callable[[str], list[int]] = lambda text: [int(part) for part in text.split(",")]  # noqa: E731
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=numbers, default=[10_000, 1_000_000])
    parser.add_argument("--requests", type=int, default=4)
    parser.add_argument("--clients", type=numbers, default=[1, 2])
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
