"""The playbooks of delicate situations."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from calls.services.reference import load_playbooks


def load(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    load_playbooks(situation=apps.get_model("calls", "Situation"), stage=apps.get_model("calls", "Stage"))


class Migration(migrations.Migration):
    """Rows only; what somebody has changed since is left as it is."""

    dependencies = [("calls", "0004_strict_guards")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
