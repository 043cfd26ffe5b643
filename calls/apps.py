"""The calls app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CallsConfig(AppConfig):
    """The act of calling."""

    name = "calls"
    verbose_name = _("Appels")

    def ready(self) -> None:
        """Tell the app below which prospects an agent has in hand."""
        from calls.selectors.in_hand import prospects_in_hand
        from crm.selectors.scopes import IN_HAND

        if prospects_in_hand not in IN_HAND:
            IN_HAND.append(prospects_in_hand)
