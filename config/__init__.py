"""How the parts are put together: settings, URLs, web and worker entry points. Nothing imports it."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
