"""What a program reads, beside the plain page of the framework and beside SQL that makes the JSON itself.

A page of 100 prospects and a page of 500 changes, through the real web server:
`python -m bench.reading [--records 20000] [--changes 20000,10000000] [--requests 60]`.
"""

import argparse
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from bench.place import bench_database, connect, percentile, say, told, verdict
from bench.records import grow, make_campaign
from bench.serving import Line, served

#: Enough that every process of the server has some.
CLIENTS = 8
#: Requests a second beside a plain ModelSerializer, as asked.
TWICE = 2.0
#: The feed beside the statement that answers the same page as JSON, and a long feed beside a short one.
FEED_SHARE, GROWTH = 0.2, 1.5
#: Connections before the measured ones, so that every process of the server has answered once.
WARM = 40

CHANGES = """
INSERT INTO crm_recordchange (xid, kind, ref, created, sponsor_id, at)
SELECT (1 + n / 20000)::text::xid8, 'prospect', CASE WHEN n > {tail} THEN ids.ids[1 + n % {records}] ELSE -n END, false,
       NULL, now()
  FROM generate_series({first}, {last}) n, (SELECT array_agg(id) AS ids FROM crm_prospect) ids
    ON CONFLICT DO NOTHING
"""


class Reader:
    """A program that asks with its token over kept connections."""

    def __init__(self, port: int, token: str, requests: int) -> None:
        """Keep what every request needs."""
        self.port, self.token, self.requests = port, token, requests

    def request(self, path: str) -> bytes:
        """Return a request for an address below /api/v1/."""
        return (
            f"GET /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n"
            f"Authorization: Bearer {self.token}\r\n\r\n"
        ).encode()

    def text(self, path: str) -> str:
        """Return one answer."""
        line = Line(self.port)
        answer = line.ask(self.request(path))
        line.close()
        assert answer.status == 200, answer.text[:500]
        return answer.text

    def rate(self, path: str) -> tuple[float, list[float]]:
        """Ask again and again from `CLIENTS` connections; return answers a second and the seconds of each."""
        asked = self.request(path)

        def ask(line: Line) -> list[float]:
            took = []
            for _turn in range(self.requests):
                answer = line.ask(asked)
                assert answer.status == 200, answer.text[:500]
                took.append(answer.seconds)
            line.close()
            return took

        for _turn in range(WARM):
            line = Line(self.port)
            line.ask(asked)
            line.close()
        lines = [Line(self.port) for _ in range(CLIENTS)]
        begin = perf_counter()
        with ThreadPoolExecutor(CLIENTS) as threads:
            seconds = [one for part in threads.map(ask, lines) for one in part]
        return CLIENTS * self.requests / (perf_counter() - begin), seconds


def beside(
    name: str, ours: tuple[float, list[float]], peer: tuple[float, list[float]], peer_name: str
) -> float:
    """Print both; return the ratio of their rates."""
    for label, (rate, seconds) in ((name, ours), (peer_name, peer)):
        p50, p99 = (percentile(seconds, share) * 1000 for share in (0.5, 0.99))
        say(f"  {label:34} {rate:7.0f} /s   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms")
    return ours[0] / peer[0]


def fill_changes(first: int, last: int, records: int) -> None:
    """Make the feed `last` rows long; its tail tells of records that are there."""
    with told(f"{last:,} changes"), connect() as connection:
        connection.execute(CHANGES.format(first=first, last=last, tail=last - records, records=records))
        connection.execute("VACUUM (ANALYZE) crm_recordchange")
        connection.execute("CHECKPOINT")


def cursor_near_end(last: int, records: int) -> str:
    """Return a cursor whose page is made of records that are there."""
    from calls.api.changes import encode_cursor
    from crm.models import FeedState
    from crm.selectors.record_changes import ChangePlace

    border = 1 + (last - records // 2) // 20_000
    return encode_cursor(FeedState.objects.get(pk=1), ChangePlace(border, "prospect", 0))


def main() -> int:
    """Measure; returns 1 when a target is missed."""
    options = _options()
    met: list[bool] = []
    with bench_database():
        make_campaign()
        grow(0, options.records)
        token = _token()
        os.environ["DJANGO_SETTINGS_MODULE"] = "bench.reading_peer"
        with served() as port:
            reader = Reader(port, token, options.requests)
            say(f"\nA page of 100 prospects of {options.records:,}, {CLIENTS} clients:")
            ours, peer = reader.rate("prospects/?limit=100"), reader.rate("bench/prospects/?limit=100")
            ratio = beside("prospects/?limit=100", ours, peer, "ModelSerializer")
            met.append(verdict("requests a second beside ModelSerializer", ratio, TWICE, unit=" times"))
            met += _feed(reader, options)
    return 0 if all(met) else 1


def _feed(reader: Reader, options: argparse.Namespace) -> list[bool]:
    met, before, first = [], 0, 0.0
    for size in options.changes:
        fill_changes(before + 1, size, options.records)
        before = size
        cursor = cursor_near_end(size, options.records)
        say(f"\nA page of 500 changes of {size:,}:")
        path = f"?cursor={cursor}&limit=500"
        assert reader.text(f"changes/{path}").count('"kind"') >= 500
        ours, peer = reader.rate(f"changes/{path}"), reader.rate(f"bench/changes/{path}")
        ratio = beside("changes/?limit=500", ours, peer, "SQL that makes the JSON")
        met.append(verdict("requests a second beside SQL and JSON", ratio, FEED_SHARE, unit=" times"))
        first = first or ours[0]
        met.append(
            verdict(
                "a page beside that of the shortest feed",
                first / ours[0],
                GROWTH,
                at_least=False,
                unit=" times",
            )
        )
    return met


def _token() -> str:
    from django.utils import timezone

    from crm.models import User
    from crm.services.tokens import create_token

    user = User.objects.create_user(username="bench-manager", password="unused-password", role="manager")
    return create_token(user=user, name="bench", at=timezone.now())


def _options() -> argparse.Namespace:
    numbers: Callable[[str], list[int]] = lambda text: [int(part) for part in text.split(",")]  # noqa: E731
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--changes", type=numbers, default=[20_000, 10_000_000])
    parser.add_argument("--requests", type=int, default=60)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
