"""Consents with their withdrawals, blanked with their person; what columns mean, saved under a name."""

import crm.models.triggers
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


FORGET = """
CREATE FUNCTION courtois_forget_consent_texts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE campaigns_consent SET exact_text = '' WHERE prospect_id = NEW.id AND exact_text <> '';
    RETURN NULL;
END $$;
CREATE TRIGGER prospect_erased_forgets_consent_texts AFTER UPDATE OF erased_at ON crm_prospect
    FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL AND OLD.erased_at IS NULL)
    EXECUTE FUNCTION courtois_forget_consent_texts();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0021_import_in_chunks'),
        ('crm', '0006_remember_the_language_of_the_pages'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='MappingTemplate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, verbose_name='nom')),
                ('mapping', models.JSONField(default=dict)),
                ('options', models.JSONField(blank=True, default=dict)),
                ('region', models.CharField(default='FR', max_length=2)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('created_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sponsor', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='mapping_templates', to='crm.sponsor')),
            ],
            options={
                'verbose_name': 'modèle de colonnes',
                'verbose_name_plural': 'modèles de colonnes',
                'ordering': ('name', 'id'),
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('given_at', models.DateTimeField(blank=True, null=True, verbose_name='donné le')),
                ('period_end', models.DateTimeField(blank=True, null=True, verbose_name="jusqu'au")),
                ('channel', models.CharField(blank=True, max_length=100, verbose_name='canal')),
                ('exact_text', models.TextField(blank=True, verbose_name='texte exact')),
                ('import_ref', models.BigIntegerField(blank=True, null=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True, verbose_name='consentement retiré le')),
                ('withdrawn_how', models.CharField(blank=True, choices=[('oral', 'Dit de vive voix'), ('written', 'Écrit'), ('online', 'Par internet'), ('import', 'Dit par un fichier'), ('undone', 'Import défait'), ('replaced', 'Remplacé par un import plus récent')], max_length=10, verbose_name='retiré comment')),
                ('created_at', models.DateTimeField()),
                ('created_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('prospect', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='crm.prospect')),
                ('source', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.source')),
                ('sponsor', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.sponsor')),
                ('withdrawn_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'consentement',
                'verbose_name_plural': 'consentements',
                'indexes': [models.Index(fields=['prospect', 'sponsor'], name='consent_of_prospect'), models.Index(condition=models.Q(('import_ref__isnull', False)), fields=['import_ref'], name='consent_import')],
                'constraints': [models.CheckConstraint(condition=models.Q(('given_at__isnull', True), ('given_at__lte', models.F('created_at')), _connector='OR'), name='consent_not_from_the_future'), models.CheckConstraint(condition=models.Q(models.Q(('withdrawn_at__isnull', True), ('withdrawn_by__isnull', True), ('withdrawn_how', '')), models.Q(('withdrawn_at__isnull', False), ('withdrawn_how__in', ['oral', 'written', 'online', 'import', 'undone', 'replaced'])), _connector='OR'), name='consent_withdrawal_whole'), models.CheckConstraint(condition=models.Q(models.Q(('withdrawn_how__in', ['replaced', 'undone']), _negated=True), ('import_ref__isnull', False), _connector='OR'), name='consent_undone_is_imported'), models.UniqueConstraint(condition=models.Q(('withdrawn_at__isnull', True)), fields=('prospect', 'sponsor', 'given_at'), name='consent_once', nulls_distinct=False)],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='consent_only_withdrawn', sql=crm.models.triggers.StrictTriggerSql(func="\n    IF NEW.exact_text = '' AND (to_jsonb(NEW) - 'exact_text') = (to_jsonb(OLD) - 'exact_text')\n       AND EXISTS (SELECT FROM crm_prospect p WHERE p.id = OLD.prospect_id AND p.erased_at IS NOT NULL)\n    THEN RETURN NEW; END IF;\n    IF OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NULL\n       OR (to_jsonb(NEW) - ARRAY['withdrawn_at', 'withdrawn_how', 'withdrawn_by_id'])\n          <> (to_jsonb(OLD) - ARRAY['withdrawn_at', 'withdrawn_how', 'withdrawn_by_id'])\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'consent_only_withdrawn', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'a consent is only ever withdrawn, once, and a withdrawal stands';\n    END IF;\n    RETURN NEW;\n", hash='344f7d995a0c70fa9bfe53b3e36adb1ed4ae2797', operation='UPDATE', pgid='pgtrigger_consent_only_withdrawn_ac929', table='campaigns_consent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='consent_given', sql=crm.models.triggers.StrictTriggerSql(func="\n    \n    PERFORM CASE WHEN alone THEN pg_advisory_xact_lock(72, k) ELSE pg_advisory_xact_lock_shared(72, k) END\n       FROM (SELECT hashint8(prospect_id) & 1023 AS k, bool_or(withdrawn_at IS NOT NULL) AS alone\n               FROM new_rows GROUP BY 1 ORDER BY 1) s;\n\n    IF EXISTS (\n        SELECT FROM new_rows n JOIN campaigns_consent w ON w.prospect_id = n.prospect_id AND w.sponsor_id = n.sponsor_id\n         WHERE n.withdrawn_at IS NULL AND w.withdrawn_at IS NOT NULL AND w.withdrawn_how NOT IN ('undone', 'replaced')\n           AND (n.import_ref IS NOT NULL OR n.given_at IS NULL OR n.given_at <= w.withdrawn_at))\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'consent_stays_withdrawn', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'this person withdrew: only a later consent, entered by hand, counts again';\n    END IF;\n    \n    UPDATE campaigns_consent o\n       SET withdrawn_at = n.withdrawn_at, withdrawn_how = n.withdrawn_how, withdrawn_by_id = n.withdrawn_by_id\n      FROM new_rows n\n     WHERE n.withdrawn_at IS NOT NULL AND n.withdrawn_how NOT IN ('undone', 'replaced') AND o.prospect_id = n.prospect_id AND o.sponsor_id = n.sponsor_id\n       AND o.withdrawn_at IS NULL AND (o.given_at IS NULL OR o.given_at <= n.withdrawn_at);\n\n    RETURN NULL;\n", hash='602288d42bab751c9498ef4008b9aa84e49cbdd8', level='STATEMENT', operation='INSERT', pgid='pgtrigger_consent_given_3a796', referencing='REFERENCING NEW TABLE AS new_rows ', table='campaigns_consent', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='consent_withdrawn', sql=crm.models.triggers.StrictTriggerSql(func="\n    IF NOT EXISTS (SELECT FROM new_rows) THEN RETURN NULL; END IF;\n    \n    PERFORM CASE WHEN alone THEN pg_advisory_xact_lock(72, k) ELSE pg_advisory_xact_lock_shared(72, k) END\n       FROM (SELECT hashint8(prospect_id) & 1023 AS k, bool_or(withdrawn_at IS NOT NULL) AS alone\n               FROM new_rows GROUP BY 1 ORDER BY 1) s;\n\n    \n    UPDATE campaigns_consent o\n       SET withdrawn_at = n.withdrawn_at, withdrawn_how = n.withdrawn_how, withdrawn_by_id = n.withdrawn_by_id\n      FROM new_rows n\n     WHERE n.withdrawn_at IS NOT NULL AND n.withdrawn_how NOT IN ('undone', 'replaced') AND o.prospect_id = n.prospect_id AND o.sponsor_id = n.sponsor_id\n       AND o.withdrawn_at IS NULL AND (o.given_at IS NULL OR o.given_at <= n.withdrawn_at);\n\n    RETURN NULL;\n", hash='2462293bc823e6c49270b91ede45bafa7c6a9292', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_consent_withdrawn_23796', referencing='REFERENCING NEW TABLE AS new_rows ', table='campaigns_consent', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='consent_never_deleted_rows', sql=crm.models.triggers.StrictTriggerSql(func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'consent_never_deleted', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'a consent is withdrawn, never deleted';\n", hash='18b8e6673210b348181bc2227ae43771012b2c7d', operation='DELETE', pgid='pgtrigger_consent_never_deleted_rows_f57c5', table='campaigns_consent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='consent_never_deleted_all', sql=crm.models.triggers.StrictTriggerSql(func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'consent_never_deleted', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'a consent is withdrawn, never deleted';\n", hash='feab7c6336df8ef1a3158a1951d9bbe76e9c0a83', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_consent_never_deleted_all_6cfe8', table='campaigns_consent', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='mappingtemplate',
            constraint=models.UniqueConstraint(fields=('sponsor', 'name'), name='mapping_template_name'),
        ),
        # An erasure in the crm app reaches these rows without knowing of them.
        migrations.RunSQL(
            FORGET,
            "DROP TRIGGER prospect_erased_forgets_consent_texts ON crm_prospect;"
            "DROP FUNCTION courtois_forget_consent_texts();",
        ),
    ]
