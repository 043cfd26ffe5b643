"""Let erasure blank what was expected, too: of another organisation it was the name."""

import crm.models.triggers
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


# Of those who were erased before.
ERASED = """
UPDATE calls_callanswer a SET heard = '', expected = ''
  FROM calls_call c JOIN crm_prospect p ON p.id = c.prospect_id
 WHERE c.id = a.call_id AND p.erased_at IS NOT NULL AND (a.heard, a.expected) <> ('', '')
"""


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0013_conclude_in_few_statements"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="callanswer",
            name="answer_append_only_rows",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callanswer",
            trigger=pgtrigger.compiler.Trigger(
                name="answer_append_only_rows",
                sql=crm.models.triggers.StrictTriggerSql(
                    func="\n    IF TG_OP = 'UPDATE'\n       AND (to_jsonb(NEW) - ARRAY['heard', 'expected']) = (to_jsonb(OLD) - ARRAY['heard', 'expected'])\n       AND NEW.heard = '' AND NEW.expected = ''\n       AND EXISTS (SELECT FROM calls_call c JOIN crm_prospect p ON p.id = c.prospect_id\n     WHERE c.id = OLD.call_id AND p.erased_at IS NOT NULL)\n    THEN RETURN NEW; END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'answer_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                    hash="d1abc6a4c615791a16378d2c6f32db8db766a77d",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_answer_append_only_rows_e1cea",
                    table="calls_callanswer",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(ERASED, migrations.RunSQL.noop),
    ]
