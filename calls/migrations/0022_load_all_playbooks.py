"""Every playbook with its titles, its ways in and its effect."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from calls.services.reference import load_playbooks


def load(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    situation, stage = apps.get_model("calls", "Situation"), apps.get_model("calls", "Stage")
    load_playbooks(situation=situation, stage=stage)
    # Written by hand before effects existed: where its stages end a call, it was meant for abuse.
    situation.objects.filter(effect="", stages__may_end=True).update(effect="abuse")


class Migration(migrations.Migration):
    """Rows only; what somebody has changed since is left as it is."""

    dependencies = [("calls", "0021_count_situations_by_list")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
