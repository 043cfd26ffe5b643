"""Drop an index that others begin with."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("calls", "0010_claim_in_one_look"), ("campaigns", "0015_drop_doubled_indexes")]

    # The index alone goes: Django would also make the foreign key anew, and check every row under its lock.
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'DROP INDEX "calls_call_campaign_id_238afaff";',
                    'CREATE INDEX "calls_call_campaign_id_238afaff" ON "calls_call" ("campaign_id");',
                )
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="call",
                    name="campaign",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="calls",
                        to="campaigns.campaign",
                    ),
                )
            ],
        ),
    ]
