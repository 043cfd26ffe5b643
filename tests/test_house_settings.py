"""The product refuses to start half configured, and says in one sentence what it wants."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django import Settings

from config import checks, env

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": "a-long-enough-secret-of-this-test-only-0123456789-abcdefghij",
    "ALLOWED_HOSTS": "courtois.example",
    "DATABASE_URL": "postgresql://user:secret@db.example/courtois",
    "REDIS_URL": "redis://redis.example:6379/0",
}


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the code in a process that knows only the given variables."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_without_a_secret_key_refuses_to_start() -> None:
    without_key = {name: value for name, value in PRODUCTION.items() if name != "SECRET_KEY"}

    done = python("import django; django.setup()", **without_key)

    assert done.returncode != 0
    assert "SECRET_KEY must be set when DEBUG=0" in done.stderr.splitlines()[-1]


def test_production_never_loads_the_embedded_servers() -> None:
    code = "import sys, django; django.setup(); print([m for m in sys.modules if 'embedded' in m or 'pgserver' in m])"

    done = python(code, **PRODUCTION)

    assert done.stdout.strip() == "[]", done.stderr


def test_a_machine_that_has_a_secret_is_not_in_debug_mode_unless_it_asks() -> None:
    without_debug = {name: value for name, value in PRODUCTION.items() if name != "DEBUG"}

    done = python("from django.conf import settings; print(settings.DEBUG)", **without_debug)

    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("DEBUG", "maybe", "DEBUG must be 1 or 0"),
        ("WEB_CONCURRENCY", "two", "WEB_CONCURRENCY must be a whole number"),
        ("WEB_CONCURRENCY", "0", "of at least 1"),
        ("DATABASE_URL", "mysql://localhost/x", "PostgreSQL is the only database"),
        ("REDIS_URL", "http://localhost", "REDIS_URL must start with redis://"),
    ],
)
def test_a_value_that_cannot_be_understood_stops_the_start(variable: str, value: str, complaint: str) -> None:
    done = python("import django; django.setup()", **{**PRODUCTION, variable: value})

    assert done.returncode != 0
    assert complaint in done.stderr.splitlines()[-1]


def test_a_broken_database_url_is_refused_without_repeating_its_password() -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        env.database("postgresql://user:secret@[::1/courtois")

    assert "secret" not in str(refusal.value)


def test_a_database_url_is_read_as_libpq_reads_it() -> None:
    read = env.database("postgresql://u%40x:p%2Fw@db:6543/name?sslmode=require")

    assert (read["USER"], read["PASSWORD"], read["HOST"], read["PORT"], read["NAME"]) == (
        "u@x",
        "p/w",
        "db",
        "6543",
        "name",
    )
    assert read["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize(
    ("url", "broker", "cache"),
    [
        ("redis://r:6379/0", "redis://r:6379/0", "redis://r:6379/1"),
        ("rediss://:pw@r:6379", "rediss://:pw@r:6379", "rediss://:pw@r:6379/1"),
        ("unix:///var/r.sock", "redis+socket:///var/r.sock?virtual_host=0", "unix:///var/r.sock?db=1"),
    ],
)
def test_broker_and_cache_have_a_database_each(url: str, broker: str, cache: str) -> None:
    assert env.broker(url) == broker
    assert env.cache(url) == cache


@pytest.mark.django_db
def test_web_processes_that_could_exhaust_the_connections_are_refused(settings: Settings) -> None:
    settings.WEB_CONCURRENCY = 4
    settings.DATABASE_POOL_SIZE = 1000

    problem = checks.too_many_connections()
    reported = checks.connections_fit(databases=["default"])

    assert "WEB_CONCURRENCY (4) x DATABASE_POOL_SIZE (1000)" in problem
    assert [message.msg for message in reported] == [problem]


@pytest.mark.django_db
def test_web_processes_that_fit_are_accepted(settings: Settings) -> None:
    settings.WEB_CONCURRENCY = 2
    settings.DATABASE_POOL_SIZE = 4

    assert checks.too_many_connections() == ""


def test_the_cache_forgets_instead_of_failing_while_redis_is_away(settings: Settings) -> None:
    settings.CACHES = {
        "default": settings.CACHES["default"] | {"LOCATION": "unix:///nowhere/redis.sock?db=1"}
    }
    cache = caches["default"]

    cache.set("key", "value")

    assert cache.get("key", "absent") == "absent"
    assert cache.get_many(["key"]) == {}
    assert cache.add("key", "value") is True
    assert cache.delete("key") is False


def test_the_cache_remembers_while_redis_is_there() -> None:
    cache = caches["default"]

    cache.set("test-house-key", "value", 5)

    assert cache.get("test-house-key") == "value"
    assert cache.delete("test-house-key") is True


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [("/healthz", "localhost", 200), ("/login", "localhost", 301), ("/", "else", 400)],
)
def test_every_answer_carries_a_policy_that_allows_no_inline_code_and_no_other_host(
    client: Client, path: str, host: str, status: int
) -> None:
    response = client.get(path, headers={"Host": host})
    policy = response.headers["Content-Security-Policy"]

    assert response.status_code == status
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http:" not in policy
    assert "https:" not in policy


def test_a_page_asks_for_login_first(client: Client) -> None:
    response = client.get("/api/v1/docs/")

    assert response.status_code == 302
    assert response.headers["Location"].startswith("/login/")


def test_production_collects_every_static_file_with_a_fingerprint(tmp_path: Path) -> None:
    code = f"""
import django; django.setup()
from django.conf import settings
from django.core.management import call_command
settings.STATIC_ROOT = {str(tmp_path)!r}
call_command("collectstatic", interactive=False, verbosity=0)
from django.contrib.staticfiles.storage import staticfiles_storage
print(staticfiles_storage.url("vendor/tabler/css/tabler.min.css"))
"""

    done = python(code, **PRODUCTION)

    assert done.returncode == 0, done.stderr
    url = done.stdout.strip()
    assert url.startswith("/static/vendor/tabler/css/tabler.min.")
    assert (tmp_path / url.removeprefix("/static/")).exists()
