"""A Redis cache that is allowed to be away: a miss costs a query, an error would stop the agents' calls."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

logger = logging.getLogger(__name__)
T = TypeVar("T")


def _or(default: T, call: Callable[[], T]) -> T:
    try:
        return call()
    except (RedisConnectionError, RedisTimeoutError) as error:
        logger.warning("cache unreachable, going on without it: %s", type(error).__name__)
        return default


class ForgivingRedisCache(RedisCache):
    """Answers as an empty cache that forgets at once while Redis cannot be reached."""

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Return the cached value; `default` when there is none or Redis is away."""
        return _or(default, lambda: RedisCache.get(self, key, default, version))

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        """Return what is cached of `keys`; nothing when Redis is away."""
        return _or({}, lambda: RedisCache.get_many(self, keys, version))

    def has_key(self, key: Any, version: int | None = None) -> bool:
        """Say whether the key is cached; no when Redis is away."""
        return _or(False, lambda: RedisCache.has_key(self, key, version))

    def add(self, key: Any, value: Any, *args: Any, **options: Any) -> bool:
        """Cache what is not cached yet; True when it was stored, or would have been were Redis there."""
        return _or(True, lambda: RedisCache.add(self, key, value, *args, **options))

    def set(self, key: Any, value: Any, *args: Any, **options: Any) -> None:
        """Cache the value, or forget it when Redis is away."""
        _or(None, lambda: RedisCache.set(self, key, value, *args, **options))

    def set_many(self, data: Any, *args: Any, **options: Any) -> list[Any]:
        """Cache the values; returns the keys that were not stored."""
        return _or(list(data), lambda: RedisCache.set_many(self, data, *args, **options))

    def touch(self, key: Any, *args: Any, **options: Any) -> bool:
        """Prolong the key; False when it is not cached or Redis is away."""
        return _or(False, lambda: RedisCache.touch(self, key, *args, **options))

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Drop the key; False when it was not cached or Redis is away."""
        return _or(False, lambda: RedisCache.delete(self, key, version))

    def count(self, key: Any, seconds: int, version: int | None = None) -> int | None:
        """Count one more under the key, which is forgotten after so many seconds; None when Redis is away.

        Returns how many there are now. One round trip.
        """

        def counted() -> int:
            name = self.make_and_validate_key(key, version=version)
            pipeline = self._cache.get_client(name, write=True).pipeline(transaction=False)
            pipeline.incr(name)
            pipeline.expire(name, seconds)
            return int(pipeline.execute()[0])

        return _or(None, counted)
