"""The closing that the bereaved hear: its sentences, and the disposition that leads to it."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from campaigns.services.reference import load_reference_data


def load(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Add the sentences; the disposition follows unless somebody gave it another closing."""
    disposition = apps.get_model("campaigns", "Disposition")
    load_reference_data(disposition=disposition, closing_step=apps.get_model("campaigns", "ClosingStep"))
    disposition.objects.filter(code="deceased", closing="mismatch").update(closing="mourning")


class Migration(migrations.Migration):
    """Rows only: going back leaves them, for calls may name them."""

    dependencies = [("campaigns", "0025_closing_for_the_bereaved")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
