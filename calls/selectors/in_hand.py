"""Which prospects an agent has in hand: the one of an open call, and those of the callbacks that stand."""

from django.db.models import Q
from django.utils.translation import ngettext

from calls.enums import CallbackState
from calls.models import Call, Callback
from crm.models import User
from crm.selectors.people import Holding
from crm.selectors.scopes import own_within_token


def prospects_in_hand(user: User) -> Q:
    """Return the condition on `Prospect` for what this agent may look at now."""
    inside = own_within_token(user, "campaign__programme__sponsor")
    called = Call.objects.open().filter(inside, agent=user, prospect__isnull=False)
    promised = Callback.objects.filter(inside, owner=user, state=CallbackState.OPEN)
    return Q(pk__in=called.values("prospect")) | Q(pk__in=promised.values("prospect"))


def holdings(user: User) -> list[Holding]:
    """Return what an account that is put out of service would leave: callbacks for everybody, a call to its lease."""
    promised = Callback.objects.filter(owner=user, state=CallbackState.OPEN).count()
    called = Call.objects.open().filter(agent=user).count()
    found = []
    if promised:
        text = ngettext(
            "rappel personnel, rendu à toute l'équipe à la même heure",
            "rappels personnels, rendus à toute l'équipe aux mêmes heures",
            promised,
        )
        found.append(Holding(promised, text))
    if called:
        text = ngettext(
            "appel ouvert : il reste réservé, puis se libère de lui-même ou arrive dans « À traiter »",
            "appels ouverts : ils restent réservés, puis se libèrent d'eux-mêmes ou arrivent dans « À traiter »",
            called,
        )
        found.append(Holding(called, text, "care"))
    return found
