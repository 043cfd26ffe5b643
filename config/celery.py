"""The Celery application. It only wakes work that waits as rows in PostgreSQL: Redis lost is nothing lost."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("courtois")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
