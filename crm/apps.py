"""The crm app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CrmConfig(AppConfig):
    """People and what we know of them."""

    name = "crm"
    verbose_name = _("Fiches et équipe")

    def ready(self) -> None:
        """Tell the page of an account that leaves which subscriptions stop with it."""
        from crm.selectors.people import HOLDINGS
        from crm.selectors.webhooks import held_webhooks

        if held_webhooks not in HOLDINGS:
            HOLDINGS.append(held_webhooks)
