"""Who may take a call over, and the offer that waits on a colleague's desk."""

from datetime import datetime

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from calls.models import Call, Pause, Transfer
from calls.rules.transitions import ON_LINE
from crm.enums import CALLING
from crm.models import User
from crm.selectors.composed import ask

#: Colleagues shown at once; more are found by typing.
SHOWN = 8


def colleagues_for(call: Call, text: str = "", *, at: datetime) -> list[User]:
    """Return the first colleagues who may take this call now, those at work lately first, with their team.

    `text` narrows them to a name, a team or a language. One query.
    """
    found = _able(call, at)
    for word in text.split()[:5]:
        found = found.filter(
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(username__icontains=word)
            | Q(team__name__icontains=word)
            | Q(languages__contains=[word.lower()])
        )
    rows = found.select_related("team").annotate(worked_at=Max("calls__started_at"))
    return list(rows.order_by("-worked_at", "last_name", "username")[:SHOWN])


def may_take(user: User, call: Call, *, at: datetime) -> bool:
    """Whether this colleague may take the call now: at work, free, and inside the call's sponsor."""
    return _able(call, at).filter(pk=user.pk).exists()


def _able(call: Call, at: datetime) -> QuerySet[User]:
    sponsor = call.campaign.programme.sponsor_id
    listed = User.sponsors.through.objects.filter(user=OuterRef("pk"))
    busy = Call.objects.open().filter(agent=OuterRef("pk"))
    return User.objects.filter(
        Exists(listed.filter(sponsor=sponsor)) | ~Exists(listed),
        ~Exists(busy),
        ~Exists(Pause.objects.filter(agent=OuterRef("pk"), ended_at__isnull=True)),
        ~Exists(Transfer.objects.filter(recipient=OuterRef("pk"), open=True, expires_at__gt=at)),
        is_active=True,
        role__in=sorted(CALLING),
    ).exclude(pk=call.agent_id)


def offer_to(user: User, at: datetime) -> Transfer | None:
    """Return the offer that waits for this user's answer, with its call and sender, or None. One indexed query."""
    return next(iter(ask(_offered, recipient=user.pk, at=at)), None)


def _offered(*, recipient: int, at: datetime) -> QuerySet[Transfer]:
    # Of a call that its sender still holds: one that ended meanwhile is nobody's to take.
    waiting = Transfer.objects.filter(recipient=recipient, open=True, expires_at__gt=at)
    waiting = waiting.filter(call__state__in=sorted(ON_LINE))
    return waiting.select_related("sender__team", "call__campaign", "call__prospect")


def left_to(user: User, call: int) -> Transfer | None:
    """Return the transfer by which this user's call went to a colleague, with that colleague, or None."""
    gone = Transfer.objects.filter(call=call, sender=user, answer__kind="accepted")
    return gone.select_related("recipient").order_by("-id").first()
