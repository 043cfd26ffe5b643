"""Writing the history of far-reaching changes: in the transaction of the change, by the service that makes it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from campaigns.enums import ChangeKind
from campaigns.models import Campaign, Change, Exclusion, Programme
from crm.models import User
from crm.rules.errors import InvalidTransition

REASON_LENGTH = 300


class AlreadyDone(InvalidTransition):
    """Somebody made this very change since its consequences were read. `change` is that one."""

    def __init__(self, change: Change, message: Any) -> None:
        """Name the change that came before."""
        self.change = change
        super().__init__(message)


def record_change(
    kind: ChangeKind,
    *,
    by: User | None,
    at: datetime,
    reason: str = "",
    programme: Programme | None = None,
    campaign: Campaign | None = None,
    exclusion: Exclusion | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    touched: Mapping[str, int] | None = None,
) -> Change:
    """Write one line of the history. Its place is that of its exclusion, else of its campaign, else of its programme.

    `touched` keeps the counts that are not zero.
    """
    if exclusion is not None:
        place = {name: getattr(exclusion, name) for name in ("sponsor_id", "programme_id", "campaign_id")}
    else:
        programme = campaign.programme if campaign is not None else programme
        place = {
            "sponsor_id": programme.sponsor_id if programme is not None else None,
            "programme_id": programme.pk if programme is not None else None,
            "campaign_id": campaign.pk if campaign is not None else None,
        }
    return Change.objects.create(
        at=at,
        by=by,
        kind=kind,
        **place,
        exclusion=exclusion,
        reason=" ".join(reason.split())[:REASON_LENGTH],
        before=dict(before or {}),
        after=dict(after or {}),
        touched={code: count for code, count in (touched or {}).items() if count},
    )


def changed_between(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what differs, as it was and as it is."""
    names = [name for name, value in after.items() if before.get(name) != value]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}
