"""Waking a worker by the name of its task. The work itself waits as rows: a lost message costs a delay, no more."""

import logging
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def wake(name: str, *args: Any) -> None:
    """Ask, once the transaction is committed, that the task `name` runs with `args` (JSON values).

    A broker that cannot be reached is only logged: beat finds the same rows a few seconds later."""

    def send() -> None:
        try:
            current_app.send_task(name, args=args)
        except (OperationalError, OSError) as error:
            logger.warning("%s not woken, beat will: %s", name, type(error).__name__)

    transaction.on_commit(send)
