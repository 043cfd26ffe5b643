"""What must hold before the web starts to answer."""

import logging
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection

logger = logging.getLogger(__name__)

# What else connects: workers, beat, migrations, a person with psql.
RESERVED_CONNECTIONS = 20


def too_many_connections() -> str:
    """Say why the web processes could exhaust PostgreSQL's connections; empty when they cannot."""
    wanted = settings.WEB_CONCURRENCY * settings.DATABASE_POOL_SIZE
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('max_connections')::int")
        limit: int = cursor.fetchone()[0]
    if wanted + RESERVED_CONNECTIONS <= limit:
        return ""
    return (
        f"WEB_CONCURRENCY ({settings.WEB_CONCURRENCY}) x DATABASE_POOL_SIZE ({settings.DATABASE_POOL_SIZE}) "
        f"and {RESERVED_CONNECTIONS} reserved connections are more than PostgreSQL's max_connections ({limit})."
    )


@register(Tags.database)
def connections_fit(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Report the same as a system check (`check --database default`, `migrate`)."""
    problem = too_many_connections() if databases else ""
    return [Error(problem, id="config.E001")] if problem else []


@register(Tags.database)
def no_login_is_open_to_everybody(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Warn where a server holds logins of the demo with its known password: a database that began on a desk."""
    if settings.DEBUG or not databases or "crm_user" not in connection.introspection.table_names():
        return []
    # Models cannot be imported before the apps are ready, which is when this module is.
    from crm.selectors.demo import open_demo_logins

    names = ", ".join(login.username for login in open_demo_logins())
    hint = "Change their passwords, or put the accounts out."
    return [Warning(f"Anybody can sign in as {names}.", hint=hint, id="config.W001")] if names else []


def refuse_too_many_connections() -> None:
    """Stop a web process that could exhaust the connections; a database that is away is `/readyz`'s matter."""
    try:
        problem = too_many_connections()
    except OperationalError:
        logger.warning("the database cannot be reached yet, its connection limit is unchecked")
        return
    finally:
        connection.close()
    if problem:
        raise ImproperlyConfigured(problem)
