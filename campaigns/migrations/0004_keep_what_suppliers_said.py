"""What a supplier last said of each prospect, and what an update replaced."""

import django.db.models.deletion
from django.db import migrations, models

FORGET = """
CREATE FUNCTION courtois_forget_supplied_values() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM campaigns_suppliedvalues WHERE prospect_id = NEW.id;
    UPDATE campaigns_importrow SET before = NULL WHERE prospect_id = NEW.id AND before IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER prospect_erased_forgets_supplied_values AFTER UPDATE OF erased_at ON crm_prospect
    FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL AND OLD.erased_at IS NULL)
    EXECUTE FUNCTION courtois_forget_supplied_values();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0003_bars'),
        ('crm', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='SuppliedValues',
            fields=[
                ('prospect', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='supplied_values', serialize=False, to='crm.prospect')),
                ('digests', models.JSONField(default=dict)),
            ],
        ),
        migrations.AddField(
            model_name='importrow',
            name='before',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='importrow',
            index=models.Index(fields=['job', 'prospect'], name='import_row_prospect'),
        ),
        # An erasure in the crm app reaches these rows without knowing of them.
        migrations.RunSQL(
            FORGET,
            "DROP TRIGGER prospect_erased_forgets_supplied_values ON crm_prospect;"
            "DROP FUNCTION courtois_forget_supplied_values();",
        ),
    ]
