"""Files in pieces, imports in chunks that several workers share."""

import django.db.models.deletion
from django.db import migrations, models


# A piece is a mebibyte, as `campaigns.selectors.import_files` writes and reads them.
MOVE = """
INSERT INTO campaigns_importpiece (file_id, position, content)
SELECT f.id, n, substring(f.content FROM n * 1048576 + 1 FOR 1048576)
  FROM campaigns_importfile f, generate_series(0, greatest((octet_length(f.content) - 1) / 1048576, 0)) n
"""
# An import that is under way begins again, and finds what it has written: those rows are unchanged then.
ENDED = "UPDATE campaigns_importjob SET phase = 4 WHERE state IN ('done', 'failed', 'cancelled', 'undone')"


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0020_find_what_was_lifted"),
        ("crm", "0006_remember_the_language_of_the_pages"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportPiece",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                (
                    "file",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pieces",
                        to="campaigns.importfile",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("file", "position"), name="import_piece_once")
                ],
            },
        ),
        migrations.RunSQL("ALTER TABLE campaigns_importpiece ALTER COLUMN content SET STORAGE EXTERNAL", ""),
        migrations.RunSQL(MOVE, ""),
        migrations.RemoveField(
            model_name="importfile",
            name="content",
        ),
        migrations.RemoveField(
            model_name="importjob",
            name="heartbeat_at",
        ),
        migrations.RemoveField(
            model_name="importjob",
            name="watermark",
        ),
        migrations.RemoveField(
            model_name="importreject",
            name="row",
        ),
        migrations.AddField(
            model_name="importjob",
            name="failures",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="importjob",
            name="layout",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="importjob",
            name="options",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="importjob",
            name="phase",
            field=models.PositiveSmallIntegerField(
                choices=[(0, "Repérage"), (1, "Lecture"), (2, "Rapprochement"), (3, "Écriture"), (4, "Fini")],
                default=0,
            ),
        ),
        migrations.AddField(
            model_name="importjob",
            name="phase_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="importjob",
            name="settled",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="importjob",
            name="sheet",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="importjob",
            name="sheets",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="importjob",
            name="text",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="campaigns.importfile",
            ),
        ),
        migrations.RunSQL(ENDED, ""),
        migrations.RemoveIndex(
            model_name="importrow",
            name="import_row_prospect",
        ),
        migrations.AlterField(
            model_name="importrow",
            name="job",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="rows",
                to="campaigns.importjob",
            ),
        ),
        migrations.AlterField(
            model_name="importrow",
            name="prospect",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="crm.prospect",
            ),
        ),
        migrations.CreateModel(
            name="ImportChunk",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("index", models.PositiveIntegerField()),
                ("line", models.PositiveIntegerField()),
                ("last_line", models.PositiveIntegerField()),
                ("offset", models.BigIntegerField()),
                ("rows", models.PositiveIntegerField()),
                (
                    "phase",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "Repérage"),
                            (1, "Lecture"),
                            (2, "Rapprochement"),
                            (3, "Écriture"),
                            (4, "Fini"),
                        ],
                        default=1,
                    ),
                ),
                ("reading", models.JSONField(blank=True, null=True)),
                ("preview", models.JSONField(blank=True, null=True)),
                ("counts", models.JSONField(blank=True, null=True)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="campaigns.importjob",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["job", "phase", "index"], name="import_chunk_next")],
                "constraints": [models.UniqueConstraint(fields=("job", "index"), name="import_chunk_once")],
            },
        ),
    ]
