"""The agent's day: in pause, gone. Neither while a call is not finished."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from calls.models import Call, Pause
from calls.services.dispositions import finish_settled
from calls.services.errors import InvalidTransition, domain_errors
from crm.models import User


def leave_desk(*, by: User, at: datetime) -> None:
    """Note that the agent leaves; a pause ends with it. Leaving twice is leaving once.

    Raises OpenCallExists while a call is not finished; one that only lacked its confirmation is finished first.
    """
    finish_settled(by=by, at=at)
    with domain_errors(), transaction.atomic():
        _lock(by)
        _close(by, at)


def start_pause(*, reason: str, by: User, at: datetime) -> Pause:
    """Start a pause (`reason` may be empty); the pause of now again is the same one.

    Raises OpenCallExists while a call is not finished; one that only lacked its confirmation is finished first.
    """
    finish_settled(by=by, at=at)
    with domain_errors(), transaction.atomic():
        _lock(by)
        if Call.objects.open().filter(agent=by).exists():
            raise InvalidTransition(_("Un appel vient de s'ouvrir : terminez-le d'abord."))
        pause = Pause.objects.filter(agent=by, ended_at__isnull=True).first()
        return pause or Pause.objects.create(agent=by, reason=reason.strip()[:100], started_at=at)


def end_pause(*, by: User, at: datetime) -> None:
    """End the agent's pause, if there is one."""
    with domain_errors(), transaction.atomic():
        _lock(by)
        _close(by, at)


def _lock(by: User) -> None:
    """Take turns with the other tabs of the same agent."""
    list(User.objects.select_for_update(no_key=True).filter(pk=by.pk).values_list("pk"))


def _close(by: User, at: datetime) -> None:
    Pause.objects.filter(agent=by, ended_at__isnull=True).update(ended_at=at)
