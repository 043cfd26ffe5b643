"""Django's own apps where the product wants something else of them."""

from django.contrib.staticfiles.apps import StaticFilesConfig


class StaticFiles(StaticFilesConfig):
    """Collects what the pages load: no maps, of Tabler its one style sheet, one of the two pages of the API."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "*.map",
        "redoc",
        "tabler-*",
        "tabler.css*",
        "tabler.rtl*",
    ]
