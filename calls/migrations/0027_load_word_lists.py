"""The words that notes are checked for."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from calls.services.word_lists import load_word_lists


def load(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    load_word_lists(model=apps.get_model("calls", "WordList"))


class Migration(migrations.Migration):
    """Rows only; what somebody has changed since is left as it is."""

    dependencies = [("calls", "0026_check_notes_and_follow_up")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
