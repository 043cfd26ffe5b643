"""The product's settings with the address of the peer of `bench.bulk_api`."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.bulk_peer"
