"""How fast: so many requests a minute for each token, and headers that say how many are left.

The headers are those of draft-ietf-httpapi-ratelimit-headers: `RateLimit-Policy: "default";q=3000;w=60` and
`RateLimit: "default";r=2987;t=41` (quota and window; what remains, and the seconds until it is whole again).
"""

import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from crm.api.authentication import reach_of

WINDOW = 60


@dataclass(frozen=True, slots=True)
class Budget:
    """What a token may still ask in this minute: `limit` requests, of which `used`, until `resets_in` seconds."""

    limit: int
    used: int
    resets_in: int

    @property
    def is_spent(self) -> bool:
        """Whether there was nothing left for this request."""
        return self.used > self.limit

    def headers(self) -> dict[str, str]:
        """Return the headers of every answer."""
        left = max(0, self.limit - self.used)
        return {
            "RateLimit-Policy": f'"default";q={self.limit};w={WINDOW}',
            "RateLimit": f'"default";r={left};t={self.resets_in}',
        }


def spend(request: Request) -> Budget | None:
    """Count one request of the token, or of the user who signed in; None without a limit, and while Redis is away.

    One round trip to Redis.
    """
    limit: int = settings.API_REQUESTS_PER_MINUTE
    if not limit or not request.user.is_authenticated:
        return None
    minute, second = divmod(int(time.time()), WINDOW)
    token = reach_of(request)
    whose = f"token:{token.pk}" if token else f"user:{request.user.pk}"
    try:
        used = cache.count(f"api:{whose}:{minute}", 2 * WINDOW)  # type: ignore[attr-defined]
    except RedisError:
        used = None
    return None if used is None else Budget(limit, used, WINDOW - second)


class PerToken(BaseThrottle):
    """At most `API_REQUESTS_PER_MINUTE` requests a minute; without Redis nobody is held up."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Return whether the budget that the endpoint has read holds this request."""
        self.budget: Budget | None = getattr(view, "budget", None)
        return self.budget is None or not self.budget.is_spent

    def wait(self) -> float | None:
        """Return the seconds until the budget is whole again."""
        return None if self.budget is None else float(self.budget.resets_in)
