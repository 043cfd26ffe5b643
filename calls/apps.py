"""The calls app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CallsConfig(AppConfig):
    """The act of calling."""

    name = "calls"
    verbose_name = _("Appels")

    def ready(self) -> None:
        """Tell the apps below which prospects an agent has in hand, and what dispositions did."""
        from calls.selectors.in_hand import prospects_in_hand
        from calls.selectors.uses import disposition_counts, disposition_uses
        from campaigns.selectors.touched import DISPOSITION_COUNTS, DISPOSITION_USES
        from crm.selectors.scopes import IN_HAND

        if prospects_in_hand not in IN_HAND:
            IN_HAND.append(prospects_in_hand)
        if disposition_uses not in DISPOSITION_USES:
            DISPOSITION_USES.append(disposition_uses)
            DISPOSITION_COUNTS.append(disposition_counts)
