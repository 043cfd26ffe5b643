"""Is this process alive, and is what it needs ready? For load balancers and people who look."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process answers at all; asks neither the database nor Redis."""
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 with `ok` for each part, or 503 with `ready: false` and the kind of failure beside its part."""
    parts = {name: _state(probe) for name, probe in PROBES.items()}
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)


def _state(probe: Callable[[], str]) -> str:
    try:
        return probe()
    except Exception as error:
        # Whatever it is, that part is not ready. Only its kind is told: messages may hold hosts and users.
        return f"unavailable: {type(error).__name__}"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _redis() -> str:
    with redis.Redis.from_url(
        settings.REDIS_CACHE_URL, socket_connect_timeout=1, socket_timeout=1, retry=settings.REDIS_NO_RETRY
    ) as client:
        client.ping()
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return f"{missing} not applied" if missing else "ok"


PROBES = {"database": _database, "redis": _redis, "migrations": _migrations}
