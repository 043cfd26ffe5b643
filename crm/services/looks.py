"""Looks at confidential records: each is written down, so that whom it concerns can ask who did."""

from datetime import datetime, timedelta

from crm.models import Prospect, ProspectLook, User

#: Looking again within this time is the same look.
SAME_LOOK = timedelta(minutes=10)


def note_look(*, prospect: Prospect, by: User, at: datetime, place: str) -> None:
    """Write down that somebody looked at a confidential record (`crm.enums.LookPlace`); nothing for another one."""
    if not prospect.confidential:
        return
    since = at - SAME_LOOK
    if not ProspectLook.objects.filter(prospect=prospect, by=by, place=place, at__gt=since).exists():
        ProspectLook.objects.create(prospect=prospect, by=by, at=at, place=place)
