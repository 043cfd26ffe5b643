"""The rows that the product is delivered with: dispositions, sentences of a closing, playbooks, lists of words."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from calls.services.reference import load_playbooks
from calls.services.word_lists import load_word_lists
from campaigns.services.reference import load_reference_data


def load(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Add what is missing; what somebody has changed is left as it is."""
    load_reference_data(
        disposition=apps.get_model("campaigns", "Disposition"),
        closing_step=apps.get_model("campaigns", "ClosingStep"),
    )
    load_playbooks(situation=apps.get_model("calls", "Situation"), stage=apps.get_model("calls", "Stage"))
    load_word_lists(model=apps.get_model("calls", "WordList"))


class Migration(migrations.Migration):
    """Rows only: going back leaves them, for calls may name them."""

    dependencies = [("calls", "0003_conclude_functions")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
