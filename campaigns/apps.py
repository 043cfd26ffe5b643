"""The campaigns app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    """Whom we call, why and within which limits."""

    name = "campaigns"
    verbose_name = _("Campagnes")
