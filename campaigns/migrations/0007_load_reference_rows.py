"""The dispositions and the default sentences of a closing."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from campaigns.services.reference import load_reference_data


def load(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Add the rows that are missing."""
    load_reference_data(
        disposition=apps.get_model("campaigns", "Disposition"),
        closing_step=apps.get_model("campaigns", "ClosingStep"),
    )


class Migration(migrations.Migration):
    """Reference rows: going back leaves them, for calls may name them."""

    dependencies = [("campaigns", "0006_bars_outlive_erasure")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
