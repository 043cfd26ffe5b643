"""The campaigns app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    """Whom we call, why and within which limits."""

    name = "campaigns"
    verbose_name = _("Campagnes")

    def ready(self) -> None:
        """Let the lists follow the records: criteria and numbers are read again in the transaction of each change.

        Tell the app below whom a bar holds, for its list of prospects.
        """
        from campaigns.selectors.exclusions import prospects_barred
        from campaigns.services.entries import follow_prospects
        from crm.selectors.scopes import BARRED
        from crm.services.hooks import PROSPECT_CHANGED

        if follow_prospects not in PROSPECT_CHANGED:
            PROSPECT_CHANGED.append(follow_prospects)
        if prospects_barred not in BARRED:
            BARRED.append(prospects_barred)
