"""Which prospects an agent has in hand: the one of an open call, and those of the callbacks that stand."""

from django.db.models import Q

from calls.enums import CallbackState
from calls.models import Call, Callback
from crm.models import User


def prospects_in_hand(user: User) -> Q:
    """Return the condition on `Prospect` for what this agent may look at now."""
    called = Call.objects.open().filter(agent=user, prospect__isnull=False)
    promised = Callback.objects.filter(owner=user, state=CallbackState.OPEN)
    return Q(pk__in=called.values("prospect")) | Q(pk__in=promised.values("prospect"))
