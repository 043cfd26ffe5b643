"""Work is woken by its name; every name that the schedule uses belongs to a task."""

import pytest
from django.conf import settings

from config.celery import app


@pytest.mark.parametrize("name", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_every_scheduled_name_is_a_task(name: str) -> None:
    app.loader.import_default_modules()

    assert settings.CELERY_BEAT_SCHEDULE[name]["task"] in app.tasks


def test_a_tick_that_nobody_took_is_dropped_before_the_next() -> None:
    waits = {name: entry["schedule"].total_seconds() for name, entry in settings.CELERY_BEAT_SCHEDULE.items()}

    lifetimes = {name: entry["options"]["expires"] for name, entry in settings.CELERY_BEAT_SCHEDULE.items()}

    assert lifetimes == waits
