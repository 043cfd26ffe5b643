"""Looks at confidential records: each is written down, so that whom it concerns can ask who did."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from crm.enums import LookPlace
from crm.models import Prospect, ProspectLook, User
from crm.rules.errors import Invalid

#: Looking again within this time is the same look.
SAME_LOOK = timedelta(minutes=10)


def note_look(*, prospect: Prospect, by: User, at: datetime, place: str, why: str = "") -> None:
    """Write down that somebody looked at a confidential record (`crm.enums.LookPlace`); nothing for another one.

    Raises Invalid when it is opened on its page without a reason.
    """
    note_looks(prospects=[prospect], by=by, at=at, place=place, why=why)


def note_looks(*, prospects: Sequence[Prospect], by: User, at: datetime, place: str, why: str = "") -> None:
    """Write down a look at each confidential one of these records. Two queries, none when there is none."""
    secret = [prospect.pk for prospect in prospects if prospect.confidential]
    why = why.strip()[:200]
    if not secret:
        return
    if place == LookPlace.RECORD and not why:
        raise Invalid.field("why", _("Dites pourquoi en quelques mots."))
    recent = ProspectLook.objects.filter(
        prospect__in=secret, by=by, place=place, why=why, at__gt=at - SAME_LOOK
    )
    seen = set(recent.values_list("prospect", flat=True))
    ProspectLook.objects.bulk_create(
        ProspectLook(prospect_id=pk, by=by, at=at, place=place, why=why) for pk in secret if pk not in seen
    )
