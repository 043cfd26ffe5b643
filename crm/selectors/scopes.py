"""Who sees what: the querysets that every page and program starts from. Sponsors are walls."""

from collections.abc import Callable

from django.db.models import Q, QuerySet

from crm.enums import Role
from crm.models import Prospect, Source, Sponsor, User

#: What an agent has in hand: conditions on `Prospect`, given by the app that knows of calls. None given: nothing seen.
IN_HAND: list[Callable[[User], Q]] = []
#: Whom a bar holds, as far as the user sees bars, told of each row or sought among all (true): a condition on
#: `Prospect`, given by the app that knows of bars.
BARRED: list[Callable[[User, bool], Q]] = []


def sees_every_sponsor(user: User) -> bool:
    """Tell whether no wall stands before the user: staff for whom no sponsor is listed."""
    return user.is_active and user.role != Role.INTEGRATION and not user.is_narrowed


def sponsors_of(user: User) -> QuerySet[Sponsor]:
    """Return the sponsors that the user works for: those listed, or all when none is; a program only those listed.

    A token that keeps to some of them narrows this, and with it everything that stands behind a sponsor's wall.
    """
    if not user.is_active:
        return Sponsor.objects.none()
    if user.token is not None and user.token.sponsors is not None:
        return Sponsor.objects.filter(pk__in=user.token.sponsors)
    return Sponsor.objects.all() if sees_every_sponsor(user) else user.sponsors.all()


def own_within_token(user: User, sponsor: str) -> Q:
    """Return the condition for what is the user's own whoever it is for: only the sponsors of a token narrow that.

    `sponsor` is the lookup that leads from the row to its sponsor.
    """
    if user.token is None or user.token.sponsors is None:
        return Q()
    return Q(**{f"{sponsor}__in": user.token.sponsors})


def sources_of(user: User) -> QuerySet[Source]:
    """Return the sources of the user's sponsors, and those that belong to nobody."""
    return Source.objects.filter(Q(sponsor__isnull=True) | Q(sponsor__in=sponsors_of(user)))


def barred_for(user: User, *, sought: bool = False) -> Q:
    """Return the condition for the prospects that a bar holds which the user sees; nobody when no app knows of bars.

    `sought`: it narrows a list, however long, instead of being told of the few rows that are shown.
    """
    barred = Q(pk__in=[])
    for condition in BARRED:
        barred |= condition(user, sought)
    return barred


def prospects_of(user: User) -> QuerySet[Prospect]:
    """Return the prospects that the user sees: those of their sponsors, and for an agent only those in hand."""
    prospects = Prospect.objects.all()
    if not sees_every_sponsor(user):
        prospects = prospects.filter(source__in=sources_of(user))
    if user.role != Role.AGENT:
        return prospects
    in_hand = Q(pk__in=[])
    for condition in IN_HAND:
        in_hand |= condition(user)
    return prospects.filter(pk__in=Prospect.objects.filter(in_hand).values("pk"))
