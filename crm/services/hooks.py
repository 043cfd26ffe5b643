"""What the apps above do when a prospect changes or somebody leaves: explicit lists, filled in `AppConfig.ready`."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from crm.models import User

#: Called in the transaction of the change with the ids of the prospects and the moment.
PROSPECT_CHANGED: list[Callable[[Sequence[int], datetime], object]] = []


def prospects_changed(prospect_ids: Sequence[int], at: datetime) -> None:
    """Run the hooks for prospects that were corrected, renumbered or erased."""
    for hook in PROSPECT_CHANGED:
        hook(prospect_ids, at)


#: Called in the transaction in which an account is put out of service, with the account, who does it and the moment:
#: gives to others what it holds and returns how many of what (JSON), for the account's history.
USER_LEAVES: list[Callable[[User, User, datetime], dict[str, int]]] = []


def user_leaves(user: User, by: User, at: datetime) -> dict[str, int]:
    """Run the hooks for an account that is put out of service; return what they gave to others."""
    given: dict[str, int] = {}
    for hook in USER_LEAVES:
        given |= hook(user, by, at)
    return given


#: Reads the record that an event tells of, as the API shows it to the account, or None where it must not be told: the
#: event's code, the record's id, the account and the moment.
WEBHOOK_RECORDS: list[Callable[[str, int, User, datetime], dict[str, Any] | None]] = []


def webhook_record(event: str, ref: int, owner: User, at: datetime) -> dict[str, Any] | None:
    """Return the record of an event, from the app that knows of it."""
    for hook in WEBHOOK_RECORDS:
        if (found := hook(event, ref, owner, at)) is not None:
            return found
    return None
