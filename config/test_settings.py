"""Settings of the test run: the product's, on servers of the tests' own that never meet somebody's data."""

import os
from pathlib import Path

from config import embedded

_FOLDER = Path(__file__).resolve().parent.parent / "var" / "test"
if not os.environ.get("DATABASE_URL"):
    os.environ["DATABASE_URL"] = embedded.postgres_url(_FOLDER, throwaway=True)
if not os.environ.get("REDIS_URL"):
    os.environ["REDIS_URL"] = embedded.redis_url(_FOLDER)

from config.settings import *  # noqa: E402, F403

# Workers share a Redis and have databases of their own: the same id is not the same row.
CACHES["default"]["KEY_PREFIX"] = f"courtois-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"  # noqa: F405

# Argon2 is slow on purpose, and no test is about it.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# What a server has once collected here is older than the sources that are tested.
STATIC_ROOT = _FOLDER / "static"
