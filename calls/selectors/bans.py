"""Reading the bans: the page that finds them, one with its evidence, and how many wait for a manager."""

from django.db.models import Q, QuerySet

from calls.models import Ban, CallEvent
from calls.models.bans import BanQuerySet
from calls.selectors.stages import tell_stages
from crm.access import sponsors_of
from crm.models import User
from crm.rules.phones import normalise


def bans_seen_by(user: User) -> BanQuerySet:
    """Return the bans inside the user's walls, newest first; agents see none."""
    if not user.is_supervising:
        return BanQuerySet(Ban).none()
    return BanQuerySet(Ban).filter(Q(sponsor__isnull=True) | Q(sponsor__in=sponsors_of(user)))


def bans_found(user: User, *, state: str = "", number: str = "") -> QuerySet[Ban]:
    """Return the bans that stand so (`calls.enums.BanState`, any other word: all) and bar exactly this number.

    `number` is in any spelling; one that cannot be read finds none.
    """
    found = bans_seen_by(user).in_state(state)
    if number.strip():
        read = normalise(number).numbers
        found = found.filter(number__in=[one.number for one in read])
    return found.select_related(
        "prospect", "sponsor", "programme", "campaign", "by", "decision__by", "decision__exclusion"
    ).order_by("-id")


def ban_of(user: User, pk: int) -> Ban | None:
    """Return one ban inside the user's walls with its evidence, or None."""
    rows = bans_seen_by(user).select_related(
        "prospect",
        "sponsor",
        "programme",
        "campaign",
        "by",
        "incident",
        "call__agent",
        "call__campaign",
        "call__disposition",
        "decision__by",
        "decision__exclusion__lifted_by",
    )
    return rows.filter(pk=pk).first()


def evidence_of(ban: Ban) -> list[CallEvent]:
    """Return the history of the call that the ban rests on, [] without one."""
    if ban.call_id is None:
        return []
    events = list(CallEvent.objects.filter(call=ban.call_id).select_related("by").order_by("id"))
    tell_stages(events)
    return events


def waiting_for(user: User) -> int:
    """Count the requests that wait for a manager, 0 for whoever is none."""
    return bans_seen_by(user).waiting().count() if user.is_managing else 0
