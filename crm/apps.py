"""The crm app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CrmConfig(AppConfig):
    """People and what we know of them."""

    name = "crm"
    verbose_name = _("Fiches et équipe")
