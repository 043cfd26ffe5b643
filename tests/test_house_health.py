"""The house answers for itself: alive, ready, and if not, which part is missing."""

import pytest
from django.test import Client
from pytest_django import Settings


def test_healthz_answers_without_login_and_without_database(client: Client) -> None:
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


@pytest.mark.django_db
def test_readyz_names_every_part_when_all_are_ready(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"ready": True, "parts": {"database": "ok", "redis": "ok", "migrations": "ok"}}


@pytest.mark.django_db
def test_readyz_names_redis_when_redis_is_down(client: Client, settings: Settings) -> None:
    settings.REDIS_CACHE_URL = "unix:///nowhere/redis.sock?db=1"

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["ready"] is False
    assert response.json()["parts"]["redis"] == "unavailable: ConnectionError"
    assert response.json()["parts"]["database"] == "ok"


@pytest.mark.django_db
def test_readyz_names_migrations_that_are_not_applied(client: Client) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="sessions").delete()

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["parts"]["migrations"] == "1 not applied"
