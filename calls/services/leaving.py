"""What becomes of an agent's work when their account is put out of service."""

from datetime import datetime

from django.db import transaction

from calls.enums import CallbackState
from calls.models import Callback
from calls.services.desk import end_pause
from campaigns.models import ListEntry
from crm.models import User


def give_to_everybody(user: User, by: User, at: datetime) -> dict[str, int]:
    """Give the callbacks that the agent promised to whoever is free then, and end their pause.

    The time that the person agreed to stays. An open call is not touched: its lease governs it. Returns how many
    callbacks changed hands.
    """
    with transaction.atomic():
        promised = Callback.objects.filter(owner=user)
        # Entries first and in order, as every writer of callbacks takes them. Closed callbacks too: an exclusion that
        # is lifted later brings their entry back.
        entries = ListEntry.objects.filter(owner=user, pk__in=promised.values("entry"))
        locked = list(entries.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
        ListEntry.objects.filter(pk__in=locked).update(owner=None, updated_at=at)
        given = promised.filter(state=CallbackState.OPEN).update(owner=None)
        end_pause(by=user, at=at)
        return {"callbacks": given}
