"""Strict readers of the environment: a value that cannot be understood stops the start, it is never guessed."""

import os
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    """Return the variable without surrounding blanks; `default` when it is unset or empty."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    """Return the variable as a boolean (1/0, true/false, yes/no, on/off in any case)."""
    raw = text(name).lower()
    if not raw:
        return default
    if raw not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {raw!r}.")
    return raw in TRUE


def integer(name: str, *, default: int, minimum: int = 0) -> int:
    """Return the variable as a whole number of at least `minimum`."""
    raw = text(name)
    if not raw:
        return default
    if not raw.isdecimal() or int(raw) < minimum:
        raise ImproperlyConfigured(f"{name} must be a whole number of at least {minimum}, not {raw!r}.")
    return int(raw)


def items(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Return the comma-separated variable as a list, blanks removed."""
    raw = text(name)
    return [part.strip() for part in raw.split(",") if part.strip()] if raw else list(default)


def database(url: str) -> dict[str, Any]:
    """Return Django's connection settings for a `postgresql://` URL, read exactly as libpq reads it."""
    if not url.startswith(("postgresql://", "postgres://")):
        raise ImproperlyConfigured(
            "DATABASE_URL must be a postgresql:// URL: PostgreSQL is the only database."
        )
    try:
        parts = dict(conninfo_to_dict(url))
    except ProgrammingError as error:
        # The URL holds a password, so it is not repeated.
        raise ImproperlyConfigured("DATABASE_URL cannot be read as a PostgreSQL URL.") from error
    return {
        "ENGINE": "config.database",
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": parts,
    }


def broker(url: str) -> str:
    """Return the Redis URL in Celery's spelling, which names unix sockets `redis+socket://`."""
    parts = _redis_parts(url)
    if parts.scheme != "unix":
        return url
    return f"redis+socket://{quote(unquote(parts.path))}?virtual_host=0"


def cache(url: str) -> str:
    """Return the Redis URL in redis-py's spelling, on database 1: the broker has database 0 for itself."""
    parts = _redis_parts(url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db=1"
    return parts._replace(path="/1").geturl()


def _redis_parts(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise ImproperlyConfigured("REDIS_URL must start with redis://, rediss:// or unix://.")
    return parts
