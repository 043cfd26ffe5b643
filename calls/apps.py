"""The calls app's configuration."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from crm.models import User


def webhook_record(event: str, ref: int, owner: User, at: datetime) -> dict[str, Any] | None:
    """Return the record that a full message carries; the API's own modules are read when the first one is sent."""
    from calls.api.webhook_records import record_of

    return record_of(event, ref, owner, at)


class CallsConfig(AppConfig):
    """The act of calling."""

    name = "calls"
    verbose_name = _("Appels")

    def ready(self) -> None:
        """Tell the apps below what an agent has in hand and what becomes of it, what dispositions did, which calls
        exclusions came from, and what the API shows of a record."""
        from calls.selectors.bars import origins_of_bars
        from calls.selectors.in_hand import holdings, prospects_in_hand
        from calls.selectors.uses import disposition_counts, disposition_uses
        from calls.services.leaving import give_to_everybody
        from campaigns.selectors.exclusions import CALL_ORIGINS
        from campaigns.selectors.touched import DISPOSITION_COUNTS, DISPOSITION_USES
        from crm.selectors.people import HOLDINGS
        from crm.selectors.scopes import IN_HAND
        from crm.services.hooks import USER_LEAVES, WEBHOOK_RECORDS

        if prospects_in_hand not in IN_HAND:
            IN_HAND.append(prospects_in_hand)
        if holdings not in HOLDINGS:
            HOLDINGS.append(holdings)
        if give_to_everybody not in USER_LEAVES:
            USER_LEAVES.append(give_to_everybody)
        if disposition_uses not in DISPOSITION_USES:
            DISPOSITION_USES.append(disposition_uses)
            DISPOSITION_COUNTS.append(disposition_counts)
        if origins_of_bars not in CALL_ORIGINS:
            CALL_ORIGINS.append(origins_of_bars)
        if webhook_record not in WEBHOOK_RECORDS:
            WEBHOOK_RECORDS.append(webhook_record)
