"""Drop indexes that others begin with."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0014_exclusions_name_their_import")]

    # The index alone goes: Django would also make the foreign key anew, and check every row under its lock.
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'DROP INDEX "campaigns_importreject_job_id_52acc09e";',
                    'CREATE INDEX "campaigns_importreject_job_id_52acc09e" ON "campaigns_importreject" ("job_id");',
                )
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="importreject",
                    name="job",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rejects",
                        to="campaigns.importjob",
                    ),
                )
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'DROP INDEX "campaigns_importrow_job_id_24c3e65e";',
                    'CREATE INDEX "campaigns_importrow_job_id_24c3e65e" ON "campaigns_importrow" ("job_id");',
                )
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="importrow",
                    name="job",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="campaigns.importjob",
                    ),
                )
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'DROP INDEX "campaigns_listentry_campaign_id_6d4bda2d";',
                    'CREATE INDEX "campaigns_listentry_campaign_id_6d4bda2d" ON "campaigns_listentry" ("campaign_id");',
                )
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="listentry",
                    name="campaign",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="campaigns.campaign",
                    ),
                )
            ],
        ),
    ]
