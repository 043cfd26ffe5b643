"""Every list page on a small house and on a million records, through the real web server.

A prospect has its number, an entry in one campaign of the size of the house, and every fifth of them calls; a third is
barred. Beside each page stand what the same statements take without Django, and what PostgreSQL takes to read the rows
that the page shows by their keys, which is the limit.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from bench.place import bench_database, connect, percentile, say, told, verdict
from bench.records import make_campaign
from bench.serving import Browser, served, session_of

TARGET_SECONDS, TARGET_QUERIES = 1.0, 8
CHUNK = 50_000
#: The one page here that is no list: its queries are shown, not judged.
FICHE = "a fiche with a long past"


#: What stands in a column that nobody named and that may not be null, by its type.
BLANK = {
    "boolean": "false",
    "timestamp with time zone": "now()",
    "jsonb": "'{}'",
    "ARRAY": "'{}'",
    "text": "''",
}

TRADES = (
    "Banque",
    "Boulangerie",
    "Garage",
    "Pharmacie",
    "Mutuelle",
    "Librairie",
    "Caisse",
    "Crèche",
    "Atelier",
    "Hôtel",
)
PLACES = (
    "du Port",
    "de l'Été",
    "des Halles",
    "du Marché",
    "de la Gare",
    "des Œillets",
    "du Pont",
    "de l'Église",
)
TOWNS = (
    "Orléans",
    "Évry",
    "Nîmes",
    "Sète",
    "Rennes",
    "Brest",
    "Saint-Étienne",
    "Lyon",
    "Nantes",
    "Besançon",
    "Metz",
)


def chosen(values: tuple[str, ...], by: str) -> str:
    """Return the SQL that takes one of some words by a number."""
    words = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"(ARRAY[{words}])[1 + ({by})::int % {len(values)}]"


def fill(connection: psycopg.Connection[Any], table: str, source: str, **columns: str) -> int:
    """Insert rows: each named column by its SQL over `source`, the others blank; return how many."""
    known = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s AND is_nullable = 'NO'"
        " AND column_default IS NULL AND is_identity = 'NO' AND is_generated = 'NEVER'",
        [table],
    ).fetchall()
    blank = {str(name): BLANK.get(str(kind), "''" if "char" in str(kind) else "0") for name, kind in known}
    values = blank | columns
    done = connection.execute(
        f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM {source}"
    )
    return done.rowcount


def make_house(connection: psycopg.Connection[Any]) -> None:
    """Write the people, 40 small campaigns, the words and the history that do not grow with the list."""
    role = "CASE WHEN n = 0 THEN 'admin' WHEN n < 20 THEN 'supervisor' WHEN n < 30 THEN 'manager' ELSE 'agent' END"
    fill(
        connection, "crm_user", "generate_series(0, 299) n", username="'bench' || n", role=role, is_active="true",
        first_name="'Camille'", last_name="'Durand ' || n", date_joined="now()", languages="'{fr}'",
        daily_goal="50", password="'!'",
    )  # fmt: skip
    fill(
        connection, "campaigns_campaign", "generate_series(1, 40) n, campaigns_campaign c WHERE c.slug = 'bench'",
        slug="'other-' || n", name="'Vague ' || n", programme_id="c.programme_id", purpose="'survey'",
        calling_rule="'default'", hours="c.hours", max_attempts="4", lease_seconds="60", talk_lease_seconds="900",
        dead_line_seconds="20", patience_seconds="45", language="'fr'", status="'running'",
    )  # fmt: skip
    fill(
        connection, "campaigns_change", "generate_series(1, 5000) n, campaigns_campaign c WHERE c.slug = 'bench'",
        kind="'criterion_edited'", reason="'parce que'", programme_id="c.programme_id",
        sponsor_id="(SELECT min(id) FROM crm_sponsor)",
    )  # fmt: skip


def grow(connection: psycopg.Connection[Any], first: int, last: int) -> None:
    """Add prospects number `first` to `last` - 1 with all that hangs on them."""
    for begin in range(first, last, CHUNK):
        numbers = f"generate_series({begin}, {min(begin + CHUNK, last) - 1}) n"
        fill(
            connection, "crm_prospect", f"{numbers}, crm_source s", source_id="s.id", external_id="'b' || n",
            kind="'organisation'", country="'FR'", time_zone="'Europe/Paris'", version="1", attributes="'{}'",
            organisation=f"{chosen(TRADES, 'n')} || ' ' || {chosen(PLACES, 'n / 10')} || ' ' || n",
            last_name=f"{chosen(PLACES, 'n')} || ' ' || n % 997", sector="(10 + n % 80) || '.' || (10 + n % 7) || 'Z'",
            city=chosen(TOWNS, "n / 7"), postal_code="lpad((n % 95000)::text, 5, '0')",
            updated_at="now() - n * interval '7 seconds'", created_at="now() - n * interval '9 seconds'",
        )  # fmt: skip
        of_these = f"crm_prospect p WHERE substr(external_id, 2)::int BETWEEN {begin} AND {begin + CHUNK - 1}"
        number = "'+3346571' || lpad(substr(p.external_id, 2), 7, '0')"
        fill(
            connection, "crm_prospectnumber", of_these, prospect_id="p.id", number=number, kind="'landline'",
            validity="'valid'", position="0",
        )  # fmt: skip
        called, barred = "p.id % 5 = 0", "p.id % 3 = 0"
        state = (
            f"CASE WHEN {called} THEN 'done' WHEN {barred} THEN 'excluded'"
            " WHEN p.id % 11 = 0 THEN 'callback' ELSE 'ready' END"
        )
        reached, code = (
            chosen(("tried", "reached", "in_criteria", "completed"), "p.id"),
            chosen(("no_answer", "refusal", "callback", "complete"), "p.id"),
        )
        disposition = f"(SELECT d.id FROM campaigns_disposition d WHERE d.code = {code})"
        campaign = "(SELECT id FROM campaigns_campaign WHERE slug = 'bench')"
        fill(
            connection, "campaigns_listentry", of_these, campaign_id=campaign, prospect_id="p.id", number=number,
            state=state, due_at="now() - interval '1 day' + (p.id % 200) * interval '1 hour'",
            time_zone="'Europe/Paris'", attempts=f"CASE WHEN {called} THEN 1 ELSE 0 END",
            progress=f"CASE WHEN {called} THEN {reached} ELSE '' END",
            outcome_id=f"CASE WHEN {called} THEN {disposition} END",
            verdict_gate=f"CASE WHEN NOT {called} AND {barred} THEN 'exclusion' ELSE '' END",
            verdict_reason=f"CASE WHEN NOT {called} AND {barred} THEN 'opposition' ELSE '' END",
        )  # fmt: skip
        agents = "(SELECT array_agg(id) FROM crm_user WHERE role = 'agent')"
        fill(
            connection, "calls_call", f"{of_these} AND {called}", campaign_id=campaign, prospect_id="p.id",
            number=number, agent_id=f"{agents}[1 + p.id % 270]", state="'done'", mode="'queue'",
            disposition_id=disposition,
            started_at="now() - (p.id % 30000) * interval '1 minute'",
            done_at="now() - (p.id % 30000) * interval '1 minute'",
        )  # fmt: skip
        fill(
            connection, "campaigns_exclusion", f"{of_these} AND {barred}", scope="'programme'", number=number,
            programme_id="(SELECT min(id) FROM campaigns_programme)", sponsor_id="(SELECT min(id) FROM crm_sponsor)",
            reason="'opposition'", since="now() - (p.id % 90000) * interval '1 minute'",
        )  # fmt: skip
        fill(
            connection, "crm_prospectevent", f"{of_these} AND {called}", prospect_id="p.id", kind="'note'",
            data="'{\"text\": \"x\"}'", at="now()",
        )  # fmt: skip


def give_a_past(connection: psycopg.Connection[Any]) -> None:
    """Give one fiche 2,000 lines, 60 calls and a barred number, the inbox 20,000 decided and 300 waiting incidents."""
    fiche = "(SELECT min(prospect_id) FROM calls_call)"
    fill(
        connection, "crm_prospectevent", "generate_series(1, 2000) n", prospect_id=fiche, kind="'note'",
        data="'{\"text\": \"x\"}'", at="now() - n * interval '1 hour'",
    )  # fmt: skip
    fill(
        connection, "calls_call", "generate_series(1, 60) n, LATERAL (SELECT * FROM calls_call ORDER BY id LIMIT 1) c",
        campaign_id="c.campaign_id", prospect_id="c.prospect_id", number="c.number", agent_id="c.agent_id",
        state="'done'", mode="'queue'", disposition_id="c.disposition_id", started_at="now() - n * interval '1 day'",
    )  # fmt: skip
    fill(
        connection, "crm_prospectnumber", "(SELECT 1) one", prospect_id=fiche, number="'+33465710123'",
        kind="'landline'", validity="'valid'", position="1",
    )  # fmt: skip
    fill(
        connection, "campaigns_exclusion", "(SELECT 1) one", scope="'everywhere'", number="'+33465710123'",
        reason="'opposition'", since="now()",
    )  # fmt: skip
    fill(
        connection, "calls_incident",
        "(SELECT *, row_number() OVER (ORDER BY id) AS n FROM calls_call ORDER BY id LIMIT 20300) c",
        kind="'hang_up_review'", call_id="c.id", prospect_id="c.prospect_id", waiting="n <= 300", at="c.started_at",
        sponsor_id="(SELECT min(id) FROM crm_sponsor)",
    )  # fmt: skip
    fill(
        connection, "calls_incidentdecision", "calls_incident i WHERE NOT waiting", incident_id="i.id",
        decision="'nothing'", by_id="(SELECT min(id) FROM crm_user WHERE role = 'supervisor')", at="i.at",
    )  # fmt: skip


def settle(connection: psycopg.Connection[Any]) -> None:
    """Make the server know its tables, as autovacuum would in an hour."""
    connection.execute("VACUUM (ANALYZE)")
    connection.execute("CHECKPOINT")


def replica_but_for_words(connection: psycopg.Connection[Any]) -> None:
    """Skip the checks of rows against each other, which are right by construction; keep what fills columns in."""
    connection.execute("SET session_replication_role = replica")
    names = connection.execute(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'crm_prospect'::regclass AND NOT tgisinternal AND tgtype & 7 = 7"
    ).fetchall()
    for (name,) in names:
        connection.execute(f'ALTER TABLE crm_prospect ENABLE ALWAYS TRIGGER "{name}"')


# --- The pages ---


@dataclass
class Figures:
    """What one page took: seconds of each request, its queries, the same statements bare, its rows by their keys."""

    times: list[float]
    queries: int
    bare: float
    rows: int
    by_key: float


def addresses(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Return the pages by what they show."""

    def one(sql: str) -> str:
        row = connection.execute(sql).fetchone()
        return str(row[0]) if row else ""

    deep = one(
        "SELECT id FROM crm_prospect ORDER BY updated_at OFFSET (SELECT count(*) / 2 FROM crm_prospect) LIMIT 1"
    )
    entry = one("SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY id) FROM campaigns_listentry")
    bar = one("SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY id) FROM campaigns_exclusion")
    entries = "/campaigns/bench/entries/"
    return {
        "prospects": "/prospects/",
        "prospects: a frequent word": "/prospects/?q=banque",
        "prospects: a name": "/prospects/?q=eglise+997",
        "prospects: an organisation": "/prospects/?q=librairie+du+port+1205",
        "prospects: a number as spelled": "/prospects/?q=04.65+71-01+23",
        "prospects: a number's beginning": "/prospects/?q=04+65+71",
        "prospects: a town": "/prospects/?q=saint-etienne",
        "prospects: a sector": "/prospects/?sector=47",
        "prospects: barred": "/prospects/?barred=yes",
        "prospects by name": "/prospects/?sort=name",
        "prospects by name, backwards": "/prospects/?sort=-name",
        "prospects by town": "/prospects/?sort=city",
        "prospects by sector": "/prospects/?sort=sector",
        "prospects, oldest change first": "/prospects/?sort=updated",
        "prospects, half-way": f"/prospects/?after={deep}",
        FICHE: f"/prospects/{one('SELECT min(prospect_id) FROM calls_call')}/",
        "entries": entries,
        "entries, half-way": f"{entries}?after={entry}",
        "entries by due time": f"{entries}?sort=due",
        "entries: callable now": f"{entries}?when=now",
        "entries: waiting": f"{entries}?when=later",
        "entries: excluded": f"{entries}?state=excluded",
        "entries: reached": f"{entries}?stage=reached",
        "entries: completed": f"{entries}?stage=completed",
        "entries: refused": f"{entries}?outcome=refusal",
        "entries: a frequent word": f"{entries}?q=banque",
        "exclusions": "/exclusions/",
        "exclusions, half-way": f"/exclusions/?after={bar}",
        "exclusions: a number": "/exclusions/?q=04.65+71-01+23",
        "home": "/",
        "campaigns": "/campaigns/",
        "a campaign": "/campaigns/bench/",
        "its queue": "/campaigns/bench/queue/",
        "inbox": "/inbox/",
        "inbox: decided": "/inbox/?decided=1",
        "users": "/users/",
        "changes": "/changes/",
    }  # fmt: skip


def measured(browser: Browser, path: str, admin: Any, requests: int) -> Figures:
    """Ask for one page again and again, and once in this process to see what it asks of the database."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"Host": "localhost", "X-Forwarded-Proto": "https"})
    client.force_login(admin)
    with CaptureQueriesContext(connection) as captured:
        looked: Any = client.get(path)
    if looked.status_code != 200:
        raise RuntimeError(f"{path}: {looked.status_code}")
    asked = [
        query["sql"]
        for query in captured.captured_queries
        # Session and user are prepared statements, whose values are not in the text.
        if query["sql"].startswith(("SELECT", "WITH", "(")) and "%s" not in query["sql"]
    ]
    page = looked.context.get("page") if looked.context else None
    rows = getattr(page, "rows", page)
    shown = [row for row in rows if hasattr(row, "_meta")] if isinstance(rows, Iterable) else []
    with connect() as bare:
        by_key = 0.0
        if shown:
            keys = f"SELECT * FROM {shown[0]._meta.db_table} WHERE id = ANY(%s)"
            by_key = fastest(lambda: bare.execute(keys, [[row.pk for row in shown]]).fetchall())
        statements = fastest(lambda: [bare.execute(sql.replace("%", "%%"), []).fetchall() for sql in asked])
    times = []
    for _warm in range(4):
        browser.get(path)
    for _turn in range(requests):
        answer = browser.get(path)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.text[:200]}")
        times.append(answer.seconds)
    return Figures(times, len(captured), statements, len(shown), by_key)


def fastest(act: Callable[[], object]) -> float:
    """Return the median seconds of five runs, after one."""
    act()
    times = []
    for _run in range(5):
        begin = time.perf_counter()
        act()
        times.append(time.perf_counter() - begin)
    return percentile(times, 0.5)


def main(arguments: list[str]) -> int:
    """Run the benchmark; returns 0 when every target is met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", default="10000,1000000", help="prospects, growing")
    parser.add_argument("--requests", type=int, default=100, help="of each page")
    given = parser.parse_args(arguments)
    sizes = [int(size) for size in given.sizes.split(",")]
    say(f"Pages: an administrator, one request at a time; granian as in the Procfile, {os.cpu_count()} cores")
    with bench_database():
        met = _run(sizes, given.requests)
    return 0 if met else 1


def _run(sizes: list[int], requests: int) -> bool:
    from django.test.utils import setup_test_environment

    from crm.models import User

    # So that an answer of this process brings the rows that its template was given.
    setup_test_environment()
    make_campaign()
    found: dict[int, dict[str, Figures]] = {}
    have = 0
    with connect() as connection:
        replica_but_for_words(connection)
        make_house(connection)
        for size in sizes:
            with told(f"{size:,} prospects"):
                grow(connection, have, size)
                if not have:
                    give_a_past(connection)
            have = size
            with told("VACUUM"):
                settle(connection)
            admin = User.objects.get(username="bench0")
            with served() as port:
                browser = Browser(port, session_of(admin.pk))
                found[size] = {
                    name: measured(browser, path, admin, requests)
                    for name, path in addresses(connection).items()
                }
            tell(size, found[size], found[sizes[0]])
    return judged(sizes[-1], found[sizes[-1]])


def tell(size: int, figures: dict[str, Figures], small: dict[str, Figures]) -> None:
    """Print the table of a size."""
    say(f"\n{size:,} prospects and entries")
    say(
        f"  {'page':<34}{'p50 ms':>9}{'p99 ms':>9}{'queries':>9}{'its SQL':>9}{'rows':>6}{'by key':>9}"
        f"{'page/SQL':>10}{'growth':>8}"
    )
    for name, one in figures.items():
        p50, p99 = (percentile(one.times, share) * 1000 for share in (0.5, 0.99))
        growth = p50 / (percentile(small[name].times, 0.5) * 1000)
        say(
            f"  {name:<34}{p50:>9.1f}{p99:>9.1f}{one.queries:>9}{one.bare * 1000:>9.1f}{one.rows:>6}"
            f"{one.by_key * 1000:>9.2f}{p50 / (one.bare * 1000):>10.1f}{growth:>8.2f}"
        )


def judged(size: int, figures: dict[str, Figures]) -> bool:
    """Print whether the largest house met its targets."""
    slowest = max(figures, key=lambda name: percentile(figures[name].times, 0.99))
    most = max(figures, key=lambda name: figures[name].queries if name != FICHE else 0)
    say("\nTargets")
    return all(
        [
            verdict(
                f"p99 of the slowest page at {size:,} ({slowest})",
                percentile(figures[slowest].times, 0.99),
                TARGET_SECONDS,
                at_least=False,
                unit=" s",
            ),
            verdict(f"queries of a list ({most})", figures[most].queries, TARGET_QUERIES, at_least=False),
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
