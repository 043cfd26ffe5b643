"""The calls app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CallsConfig(AppConfig):
    """The act of calling."""

    name = "calls"
    verbose_name = _("Appels")
