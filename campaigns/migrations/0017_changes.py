"""The history of the changes that reach far: who, when, why, and what they touched."""

import crm.models.triggers
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0016_share_with_who_carries_a_number'),
        ('crm', '0003_drop_doubled_indexes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Change',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('campaign_started', 'Campagne démarrée'), ('campaign_paused', 'Campagne mise en pause'), ('campaign_closed', 'Campagne terminée'), ('campaign_edited', 'Réglages'), ('hours', 'Horaires et plafond'), ('criterion_added', 'Critère ajouté'), ('criterion_edited', 'Critère modifié'), ('criterion_retired', 'Critère retiré'), ('disposition_changed', 'Qualification'), ('list_reset', 'Liste recommencée'), ('exclusion_lifted', 'Exclusion levée'), ('entries_removed', 'Fiches retirées de la liste'), ('words', 'Textes à dire')], max_length=20)),
                ('reason', models.CharField(blank=True, max_length=300, verbose_name='motif')),
                ('before', models.JSONField(blank=True, default=dict)),
                ('after', models.JSONField(blank=True, default=dict)),
                ('touched', models.JSONField(blank=True, default=dict)),
                ('by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('campaign', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='campaigns.campaign')),
                ('exclusion', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.exclusion')),
                ('programme', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='campaigns.programme')),
                ('sponsor', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.sponsor')),
            ],
            options={
                'verbose_name': 'changement',
                'verbose_name_plural': 'changements',
                'indexes': [models.Index(fields=['sponsor', '-id'], name='change_by_sponsor'), models.Index(fields=['programme', '-id'], name='change_by_programme'), models.Index(fields=['campaign', '-id'], name='change_by_campaign')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['campaign_started', 'campaign_paused', 'campaign_closed', 'campaign_edited', 'hours', 'criterion_added', 'criterion_edited', 'criterion_retired', 'disposition_changed', 'list_reset', 'exclusion_lifted', 'entries_removed', 'words'])), name='change_kind_known'), models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['entries_removed', 'exclusion_lifted', 'list_reset']), _negated=True), ('reason__regex', '\\S'), _connector='OR'), name='change_has_its_reason')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='change',
            trigger=pgtrigger.compiler.Trigger(name='change_append_only_rows', sql=crm.models.triggers.StrictTriggerSql(func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'change_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n", hash='03e2e0bda75886d8d98d4cfad4d126c3d2ff2ac4', operation='UPDATE OR DELETE', pgid='pgtrigger_change_append_only_rows_aa59b', table='campaigns_change', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='change',
            trigger=pgtrigger.compiler.Trigger(name='change_append_only_all', sql=crm.models.triggers.StrictTriggerSql(func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'change_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n", hash='1822cfd3b387740793aff31b1d548ad4832839eb', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_change_append_only_all_87b7a', table='campaigns_change', when='BEFORE')),
        ),
    ]
