"""Drop indexes that others begin with."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0002_strict_guards")]

    # The index alone goes: Django would also make the foreign key anew, and check every row under its lock.
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'DROP INDEX "crm_prospectevent_prospect_id_5b841f8c";',
                    'CREATE INDEX "crm_prospectevent_prospect_id_5b841f8c" ON "crm_prospectevent" ("prospect_id");',
                )
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="prospectevent",
                    name="prospect",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="crm.prospect",
                    ),
                )
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'DROP INDEX "crm_prospectnumber_prospect_id_45e35e58";',
                    'CREATE INDEX "crm_prospectnumber_prospect_id_45e35e58" ON "crm_prospectnumber" ("prospect_id");',
                )
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="prospectnumber",
                    name="prospect",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="phones",
                        to="crm.prospect",
                    ),
                )
            ],
        ),
    ]
