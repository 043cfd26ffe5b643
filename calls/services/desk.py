"""The agent's day: in pause, gone. Neither while a call is not finished."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from calls.enums import PauseKind
from calls.models import Call, Pause, Workplace
from calls.selectors.hard import was_hard
from calls.services.dispositions import finish_settled
from calls.services.errors import Invalid, InvalidTransition, domain_errors
from crm.models import User


def leave_desk(*, by: User, at: datetime) -> None:
    """Note that the agent leaves; a pause ends with it. Leaving twice is leaving once.

    Raises OpenCallExists while a call is not finished; one that only lacked its confirmation is finished first.
    """
    finish_settled(by=by, at=at)
    with domain_errors(), transaction.atomic():
        _lock(by)
        _close(by, at)


def start_pause(
    *, reason: str, by: User, at: datetime, kind: str = PauseKind.SHORT, after_call: Call | None = None
) -> Pause:
    """Start a pause (`reason` may be empty) of a `kind` (`calls.enums.PauseKind`); the one of now again is the same.

    One after a hard call names it (`after_call`): it lowers the day's goal, once a call. Raises Invalid for an unknown
    kind and where the call was none of the agent's or not hard, OpenCallExists while a call is not finished; one that
    only lacked its confirmation is finished first.
    """
    if kind not in PauseKind.values:
        raise Invalid.field("kind", _("Quelle pause ?"))
    if kind == PauseKind.HARD_CALL and not (after_call is not None and was_hard(after_call)):
        raise Invalid.field("kind", _("Cette pause suit un appel éprouvant."))
    finish_settled(by=by, at=at)
    with domain_errors(), transaction.atomic():
        _lock(by)
        if Call.objects.open().filter(agent=by).exists():
            raise InvalidTransition(_("Un appel vient de s'ouvrir : terminez-le d'abord."))
        pause = Pause.objects.filter(agent=by, ended_at__isnull=True).first()
        hard = after_call if kind == PauseKind.HARD_CALL else None
        return pause or Pause.objects.create(
            agent=by, kind=kind, reason=reason.strip()[:100], after_call=hard, started_at=at
        )


def end_pause(*, by: User, at: datetime) -> None:
    """End the agent's pause, if there is one."""
    with domain_errors(), transaction.atomic():
        _lock(by)
        _close(by, at)


def note_presence(*, by: User, at: datetime) -> None:
    """Keep that the agent did something at their desk at `at`: their callbacks stay theirs meanwhile."""
    Workplace.objects.bulk_create(
        [Workplace(agent=by, seen_at=at)],
        update_conflicts=True,
        update_fields=["seen_at"],
        unique_fields=["agent"],
    )


def set_sound(*, on: bool, by: User) -> None:
    """Keep whether the agent's desk may sound."""
    Workplace.objects.bulk_create(
        [Workplace(agent=by, sound=on)],
        update_conflicts=True,
        update_fields=["sound"],
        unique_fields=["agent"],
    )


def _lock(by: User) -> None:
    """Take turns with the other tabs of the same agent."""
    list(User.objects.select_for_update(no_key=True).filter(pk=by.pk).values_list("pk"))


def _close(by: User, at: datetime) -> None:
    Pause.objects.filter(agent=by, ended_at__isnull=True).update(ended_at=at)
