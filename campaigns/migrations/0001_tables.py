"""The tables of campaigns, with the constraints, indexes and triggers that the models declare."""

import campaigns.models.campaigns
import crm.models.triggers
import crm.models.zones
import django.core.validators
import django.db.models.deletion
import django.db.models.lookups
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

from crm.models.tables import CreateTables


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("campaigns", "0001_initial"),
        ("campaigns", "0002_links_and_triggers"),
        ("campaigns", "0004_keep_what_suppliers_said"),
        ("campaigns", "0005_strict_guards"),
        ("campaigns", "0007_load_reference_rows"),
        ("campaigns", "0008_index_ends_of_exclusions"),
        ("campaigns", "0009_fill_only_what_is_missing"),
        ("campaigns", "0011_plan_each_bar"),
        ("campaigns", "0014_exclusions_name_their_import"),
        ("campaigns", "0015_drop_doubled_indexes"),
        ("campaigns", "0017_changes"),
        ("campaigns", "0018_tell_how_far_calls_came"),
        ("campaigns", "0019_count_standings_without_comparing"),
        ("campaigns", "0020_find_what_was_lifted"),
        ("campaigns", "0021_import_in_chunks"),
        ("campaigns", "0022_consents_and_mapping_templates"),
        ("campaigns", "0023_campaigns_have_a_mandate"),
        ("campaigns", "0024_templates_of_follow_ups"),
        ("campaigns", "0025_closing_for_the_bereaved"),
        ("campaigns", "0026_words_for_the_bereaved"),
        ("campaigns", "0027_record_changes"),
        ("campaigns", "0028_time_zones_known"),
    ]

    dependencies = [
        ("crm", "0001_tables"),
        ("crm", "__first__"),
    ]

    operations = [
        CreateTables(
            [
                migrations.CreateModel(
                    name="Programme",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=200, verbose_name="nom")),
                        (
                            "subject",
                            models.CharField(
                                blank=True, max_length=200, verbose_name="sujet, tel qu'on le dit"
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "sponsor",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="programmes",
                                to="crm.sponsor",
                                verbose_name="donneur d'ordre",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "démarche",
                        "verbose_name_plural": "démarches",
                        "ordering": ("name",),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("sponsor", "name"),
                                name="programme_name_once_per_sponsor",
                                violation_error_message="Ce donneur d'ordre a déjà une démarche de ce nom.",
                            )
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="programme_stays_with_its_sponsor",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    condition="WHEN (NEW.sponsor_id IS DISTINCT FROM OLD.sponsor_id)",
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'programme_stays_with_its_sponsor', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'a programme keeps its sponsor';\n",
                                    hash="c4ef5d8000f5f4d15e5f26c386fcd9f8eeca1175",
                                    operation="UPDATE",
                                    pgid="pgtrigger_programme_stays_with_its_sponsor_80a9b",
                                    table="campaigns_programme",
                                    when="BEFORE",
                                ),
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Campaign",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("slug", models.SlugField(max_length=80, unique=True, verbose_name="identifiant")),
                        ("name", models.CharField(max_length=200, verbose_name="nom")),
                        (
                            "purpose",
                            models.CharField(
                                choices=[
                                    ("survey", "Enquête"),
                                    ("sales", "Vente"),
                                    ("appointment", "Prise de rendez-vous"),
                                    ("information", "Information"),
                                    ("contract", "Contrat en cours"),
                                ],
                                default="survey",
                                max_length=12,
                                verbose_name="objet",
                            ),
                        ),
                        (
                            "calling_rule",
                            models.CharField(default="default", max_length=40, verbose_name="règle d'appel"),
                        ),
                        (
                            "hours",
                            models.JSONField(
                                blank=True,
                                default=campaigns.models.campaigns.default_hours,
                                verbose_name="horaires",
                            ),
                        ),
                        (
                            "max_attempts",
                            models.PositiveSmallIntegerField(
                                default=4,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(50),
                                ],
                                verbose_name="tentatives au plus",
                            ),
                        ),
                        (
                            "lease_seconds",
                            models.PositiveIntegerField(
                                default=60,
                                validators=[
                                    django.core.validators.MinValueValidator(10),
                                    django.core.validators.MaxValueValidator(900),
                                ],
                                verbose_name="réservation d'une fiche (s)",
                            ),
                        ),
                        (
                            "talk_lease_seconds",
                            models.PositiveIntegerField(
                                default=900, validators=[django.core.validators.MinValueValidator(60)]
                            ),
                        ),
                        (
                            "dead_line_seconds",
                            models.PositiveIntegerField(
                                default=20,
                                validators=[django.core.validators.MinValueValidator(5)],
                                verbose_name="silence avant de pouvoir raccrocher (s)",
                            ),
                        ),
                        (
                            "patience_seconds",
                            models.PositiveIntegerField(
                                default=45,
                                validators=[django.core.validators.MinValueValidator(10)],
                                verbose_name="patience après un second au revoir (s)",
                            ),
                        ),
                        ("language", models.CharField(default="fr", max_length=8, verbose_name="langue")),
                        (
                            "may_decide",
                            models.CharField(
                                blank=True,
                                db_default="",
                                default="",
                                max_length=400,
                                verbose_name="ce que l'agent peut décider",
                            ),
                        ),
                        (
                            "may_promise",
                            models.CharField(
                                blank=True,
                                db_default="",
                                default="",
                                max_length=400,
                                verbose_name="ce que l'agent peut promettre",
                            ),
                        ),
                        (
                            "may_offer",
                            models.CharField(
                                blank=True,
                                db_default="",
                                default="",
                                max_length=400,
                                verbose_name="ce que l'agent peut offrir",
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("draft", "En préparation"),
                                    ("running", "En cours"),
                                    ("paused", "En pause"),
                                    ("closed", "Terminée"),
                                ],
                                default="draft",
                                max_length=8,
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("updated_at", models.DateTimeField(auto_now=True)),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="campaigns",
                                to="campaigns.programme",
                                verbose_name="démarche",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "campagne",
                        "verbose_name_plural": "campagnes",
                        "ordering": ("name",),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("status__in", ["draft", "running", "paused", "closed"])),
                                name="campaign_status_known",
                            )
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="campaign_stays_in_its_programme",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    condition="WHEN (NEW.programme_id IS DISTINCT FROM OLD.programme_id)",
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'campaign_stays_in_its_programme', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'a campaign keeps its programme';\n",
                                    hash="82f7436038e59afe28c16332acdf51da476f8b36",
                                    operation="UPDATE",
                                    pgid="pgtrigger_campaign_stays_in_its_programme_1e0b1",
                                    table="campaigns_campaign",
                                    when="BEFORE",
                                ),
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Criterion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("field", models.CharField(max_length=120, verbose_name="champ")),
                        (
                            "operator",
                            models.CharField(
                                choices=[
                                    ("equals", "est égal à"),
                                    ("in", "est parmi"),
                                    ("starts_with", "commence par"),
                                    ("contains", "contient"),
                                    ("between", "est compris entre"),
                                    ("is_set", "est renseigné"),
                                ],
                                max_length=12,
                                verbose_name="opérateur",
                            ),
                        ),
                        ("value", models.JSONField(blank=True, null=True, verbose_name="valeur")),
                        ("question", models.CharField(max_length=300, verbose_name="question à poser")),
                        (
                            "expected",
                            models.CharField(
                                blank=True, max_length=150, verbose_name="ce qu'on attend, en quelques mots"
                            ),
                        ),
                        ("blocking", models.BooleanField(default=True, verbose_name="éliminatoire")),
                        ("trust_file", models.BooleanField(default=True, verbose_name="se fier au fichier")),
                        ("position", models.PositiveSmallIntegerField(default=0, verbose_name="ordre")),
                        ("version", models.PositiveIntegerField(default=1, editable=False)),
                        ("retired_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="criteria",
                                to="campaigns.programme",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "critère",
                        "verbose_name_plural": "critères",
                        "ordering": ("position", "id"),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "operator__in",
                                        ["equals", "in", "starts_with", "contains", "between", "is_set"],
                                    )
                                ),
                                name="criterion_operator_known",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ImportFile",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=255)),
                        ("size", models.BigIntegerField()),
                        ("sha256", models.CharField(max_length=64)),
                    ],
                ),
                migrations.CreateModel(
                    name="SuppliedValues",
                    fields=[
                        (
                            "prospect",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="supplied_values",
                                serialize=False,
                                to="crm.prospect",
                            ),
                        ),
                        ("digests", models.JSONField(default=dict)),
                    ],
                ),
                migrations.CreateModel(
                    name="CallList",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=200, verbose_name="nom")),
                        ("created_at", models.DateTimeField()),
                        (
                            "source",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="crm.source",
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="lists",
                                to="campaigns.campaign",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "liste d'appels",
                        "verbose_name_plural": "listes d'appels",
                    },
                ),
                migrations.CreateModel(
                    name="CriterionVersion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("version", models.PositiveIntegerField()),
                        ("field", models.CharField(max_length=120)),
                        (
                            "operator",
                            models.CharField(
                                choices=[
                                    ("equals", "est égal à"),
                                    ("in", "est parmi"),
                                    ("starts_with", "commence par"),
                                    ("contains", "contient"),
                                    ("between", "est compris entre"),
                                    ("is_set", "est renseigné"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("value", models.JSONField(null=True)),
                        ("question", models.CharField(max_length=300)),
                        ("expected", models.CharField(blank=True, max_length=150)),
                        ("blocking", models.BooleanField()),
                        ("trust_file", models.BooleanField()),
                        ("at", models.DateTimeField()),
                        (
                            "by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "criterion",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="versions",
                                to="campaigns.criterion",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "version de critère",
                        "verbose_name_plural": "versions de critère",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("criterion", "version"), name="criterion_version_once"
                            )
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="criterion_version_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'criterion_version_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="3e4588376d5f3d3f21a31a3bce453aa52f88d3bd",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_criterion_version_append_only_rows_e1985",
                                    table="campaigns_criterionversion",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="criterion_version_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'criterion_version_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="46f77f03b7a2367b01b240a420eed8771fcd0f0c",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_criterion_version_append_only_all_e2b2b",
                                    table="campaigns_criterionversion",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Disposition",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("code", models.SlugField(max_length=40, unique=True)),
                        ("label", models.CharField(max_length=120, verbose_name="libellé")),
                        (
                            "label_en",
                            models.CharField(blank=True, max_length=120, verbose_name="libellé anglais"),
                        ),
                        ("aapor", models.CharField(blank=True, max_length=8)),
                        (
                            "reach",
                            models.CharField(
                                choices=[
                                    ("human", "Une personne a répondu"),
                                    ("machine", "Personne n'a répondu"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("contacted", models.BooleanField(default=False, verbose_name="contact")),
                        ("eligible", models.BooleanField(null=True, verbose_name="dans les critères")),
                        ("final", models.BooleanField(default=True, verbose_name="définitive")),
                        (
                            "retry_after",
                            models.DurationField(blank=True, null=True, verbose_name="réessayer après"),
                        ),
                        (
                            "counts_as_attempt",
                            models.BooleanField(default=True, verbose_name="compte comme tentative"),
                        ),
                        (
                            "bar_target",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "Rien"),
                                    ("prospect", "La fiche et ses numéros"),
                                    ("number", "Le numéro composé"),
                                    ("both", "La fiche, ses numéros et le numéro composé"),
                                ],
                                default="",
                                max_length=8,
                            ),
                        ),
                        (
                            "bar_scope",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("everywhere", "Partout"),
                                    ("sponsor", "Donneur d'ordre"),
                                    ("programme", "Démarche"),
                                    ("campaign", "Campagne"),
                                ],
                                max_length=10,
                            ),
                        ),
                        (
                            "bar_reason",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("out_of_criteria", "Hors-critères"),
                                    ("opposition", "Opposition"),
                                    ("refusal", "Refus"),
                                    ("wrong_number", "Mauvais numéro"),
                                    ("deceased", "Décès"),
                                    ("ban", "Bannissement"),
                                    ("registry", "Liste d'opposition"),
                                    ("minor", "Mineur"),
                                    ("invalid", "Numéro invalide"),
                                    ("other", "Autre"),
                                ],
                                max_length=20,
                            ),
                        ),
                        (
                            "requires_note",
                            models.BooleanField(default=False, verbose_name="note obligatoire"),
                        ),
                        (
                            "requires_callback",
                            models.BooleanField(default=False, verbose_name="heure de rappel obligatoire"),
                        ),
                        (
                            "requires_match",
                            models.BooleanField(default=False, verbose_name="tous les critères remplis"),
                        ),
                        ("by_mismatch_only", models.BooleanField(default=False)),
                        (
                            "closing",
                            models.CharField(
                                choices=[
                                    ("mismatch", "Hors-critères"),
                                    ("mourning", "Deuil"),
                                    ("ordinary", "Ordinaire"),
                                ],
                                default="ordinary",
                                max_length=8,
                            ),
                        ),
                        (
                            "hang_up",
                            models.CharField(
                                choices=[
                                    ("never", "Jamais : le prospect raccroche"),
                                    ("after_goodbye", "Après l'au revoir : la personne s'est opposée"),
                                    ("any", "À tout moment : personne au bout du fil"),
                                ],
                                default="never",
                                max_length=14,
                            ),
                        ),
                        (
                            "resource",
                            models.BooleanField(
                                default=False, verbose_name="renvoyer à la recherche de numéro"
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField(default=0)),
                        ("active", models.BooleanField(default=True)),
                    ],
                    options={
                        "verbose_name": "qualification",
                        "verbose_name_plural": "qualifications",
                        "ordering": ("position", "code"),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("bar_reason", ""), ("bar_scope", ""), ("bar_target", "")),
                                    models.Q(
                                        models.Q(("bar_target", ""), _negated=True),
                                        models.Q(("bar_scope", ""), _negated=True),
                                        models.Q(("bar_reason", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="disposition_bar_whole",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("final", True),
                                    ("retry_after__isnull", False),
                                    ("requires_callback", True),
                                    _connector="OR",
                                ),
                                name="disposition_says_when_to_retry",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("by_mismatch_only", True)),
                                fields=("by_mismatch_only",),
                                name="disposition_one_by_mismatch",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="DispositionRule",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("enabled", models.BooleanField(default=True, verbose_name="proposée")),
                        (
                            "retry_after",
                            models.DurationField(blank=True, null=True, verbose_name="réessayer après"),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="disposition_rules",
                                to="campaigns.campaign",
                            ),
                        ),
                        (
                            "disposition",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="rules",
                                to="campaigns.disposition",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("campaign", "disposition"), name="disposition_rule_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Exclusion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "scope",
                            models.CharField(
                                choices=[
                                    ("everywhere", "Partout"),
                                    ("sponsor", "Donneur d'ordre"),
                                    ("programme", "Démarche"),
                                    ("campaign", "Campagne"),
                                ],
                                max_length=10,
                                verbose_name="portée",
                            ),
                        ),
                        (
                            "number",
                            models.CharField(blank=True, max_length=16, null=True, verbose_name="numéro"),
                        ),
                        (
                            "reason",
                            models.CharField(
                                choices=[
                                    ("out_of_criteria", "Hors-critères"),
                                    ("opposition", "Opposition"),
                                    ("refusal", "Refus"),
                                    ("wrong_number", "Mauvais numéro"),
                                    ("deceased", "Décès"),
                                    ("ban", "Bannissement"),
                                    ("registry", "Liste d'opposition"),
                                    ("minor", "Mineur"),
                                    ("invalid", "Numéro invalide"),
                                    ("other", "Autre"),
                                ],
                                max_length=20,
                                verbose_name="motif",
                            ),
                        ),
                        ("note", models.CharField(blank=True, max_length=300, verbose_name="précision")),
                        ("since", models.DateTimeField(verbose_name="depuis")),
                        ("until", models.DateTimeField(blank=True, null=True, verbose_name="jusqu'à")),
                        ("call_ref", models.BigIntegerField(blank=True, null=True)),
                        ("import_ref", models.BigIntegerField(blank=True, null=True)),
                        ("lifted_at", models.DateTimeField(blank=True, null=True, verbose_name="levée le")),
                        (
                            "lift_reason",
                            models.CharField(blank=True, max_length=300, verbose_name="motif de levée"),
                        ),
                        (
                            "version",
                            models.PositiveSmallIntegerField(db_default=1, default=1, editable=False),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="exclusions",
                                to="campaigns.campaign",
                            ),
                        ),
                        (
                            "created_by",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "lifted_by",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "prospect",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="exclusions",
                                to="crm.prospect",
                            ),
                        ),
                        (
                            "sponsor",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="exclusions",
                                to="crm.sponsor",
                            ),
                        ),
                        (
                            "programme",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="exclusions",
                                to="campaigns.programme",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "exclusion",
                        "verbose_name_plural": "exclusions",
                        "indexes": [
                            models.Index(
                                condition=models.Q(("lifted_at__isnull", True)),
                                fields=["number"],
                                name="exclusion_active_number",
                            ),
                            models.Index(
                                condition=models.Q(("lifted_at__isnull", True)),
                                fields=["prospect"],
                                name="exclusion_active_prospect",
                            ),
                            models.Index(
                                condition=models.Q(("lifted_at__isnull", False), ("prospect__isnull", False)),
                                fields=["prospect"],
                                name="exclusion_lifted_prospect",
                            ),
                            models.Index(fields=["number", "id"], name="exclusion_number"),
                            models.Index(
                                condition=models.Q(("lifted_at__isnull", True), ("until__isnull", False)),
                                fields=["until"],
                                name="exclusion_until",
                            ),
                            models.Index(
                                condition=models.Q(("call_ref__isnull", False)),
                                fields=["call_ref"],
                                name="exclusion_call",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("number__isnull", False), ("prospect__isnull", False), _connector="OR"
                                ),
                                name="exclusion_bars_something",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("number__isnull", True),
                                    ("number__regex", "^\\+[1-9][0-9]{6,14}$"),
                                    _connector="OR",
                                ),
                                name="exclusion_number_e164",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("campaign__isnull", True),
                                        ("programme__isnull", True),
                                        ("scope", "everywhere"),
                                        ("sponsor__isnull", True),
                                    ),
                                    models.Q(
                                        ("campaign__isnull", True),
                                        ("programme__isnull", True),
                                        ("scope", "sponsor"),
                                        ("sponsor__isnull", False),
                                    ),
                                    models.Q(
                                        ("campaign__isnull", True),
                                        ("programme__isnull", False),
                                        ("scope", "programme"),
                                        ("sponsor__isnull", False),
                                    ),
                                    models.Q(
                                        ("campaign__isnull", False),
                                        ("programme__isnull", False),
                                        ("scope", "campaign"),
                                        ("sponsor__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="exclusion_scope_names_its_place",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("lift_reason", ""),
                                        ("lifted_at__isnull", True),
                                        ("lifted_by__isnull", True),
                                    ),
                                    models.Q(
                                        ("lifted_at__isnull", False),
                                        ("lifted_by__isnull", False),
                                        models.Q(("lift_reason", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="exclusion_lift_whole",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="exclusion_fill",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    condition="WHEN (NEW.scope IN ('campaign', 'programme') OR NEW.lifted_at IS NOT NULL)",
                                    func="\n    IF NEW.lifted_at IS NOT NULL THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'exclusion_only_lifted', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'an exclusion begins in force: lifting it is an act of its own';\n    END IF;\n    IF NEW.scope = 'campaign' THEN\n        SELECT c.programme_id INTO NEW.programme_id FROM campaigns_campaign c WHERE c.id = NEW.campaign_id;\n    END IF;\n    IF NEW.scope IN ('campaign', 'programme') THEN\n        SELECT p.sponsor_id INTO NEW.sponsor_id FROM campaigns_programme p WHERE p.id = NEW.programme_id;\n    END IF;\n    RETURN NEW;\n",
                                    hash="98553cabfc87fc396315bb897811b72fc09f0a78",
                                    operation="INSERT",
                                    pgid="pgtrigger_exclusion_fill_80c9a",
                                    table="campaigns_exclusion",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="exclusion_only_lifted",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF NEW.note = '' AND (to_jsonb(NEW) - 'note') = (to_jsonb(OLD) - 'note') AND EXISTS (\n        SELECT FROM crm_prospect p WHERE p.erased_at IS NOT NULL\n           AND p.id IN (OLD.prospect_id, (SELECT c.prospect_id FROM calls_call c WHERE c.id = OLD.call_ref)))\n    THEN\n        NEW.version := OLD.version + 1;\n        RETURN NEW;\n    END IF;\n    IF OLD.lifted_at IS NOT NULL\n       OR (to_jsonb(NEW) - ARRAY['lifted_at', 'lifted_by_id', 'lift_reason'])\n          <> (to_jsonb(OLD) - ARRAY['lifted_at', 'lifted_by_id', 'lift_reason'])\n       OR NEW.lifted_at IS NULL OR btrim(NEW.lift_reason) = ''\n       OR NOT EXISTS (SELECT FROM crm_user u WHERE u.id = NEW.lifted_by_id\n                      AND u.role IN ('supervisor', 'manager', 'admin'))\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'exclusion_only_lifted', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'an exclusion is only ever lifted: once, by a supervisor or manager, with a reason';\n    END IF;\n    NEW.version := OLD.version + 1;\n    RETURN NEW;\n",
                                    hash="4948f0860222814e099e87f0fda0c354c7e65ea4",
                                    operation="UPDATE",
                                    pgid="pgtrigger_exclusion_only_lifted_8a480",
                                    table="campaigns_exclusion",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="exclusion_1_lock",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN\n        -- That snapshot could not see a call that was claimed a moment ago, and would leave it on the screen.\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'exclusion_needs_read_committed', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'exclusions are written under READ COMMITTED';\n    END IF;\n    PERFORM pg_advisory_xact_lock(71, k) FROM (\n        SELECT DISTINCT k FROM (\n            SELECT hashtext(number) & 1023 AS k FROM new_rows WHERE number IS NOT NULL\n            UNION SELECT hashint8(prospect_id) & 1023 FROM new_rows WHERE prospect_id IS NOT NULL\n        ) q ORDER BY k) s;\n    RETURN NULL;\n",
                                    hash="99c01b669918f0f870c02e68c33595f099dd1803",
                                    level="STATEMENT",
                                    operation="INSERT",
                                    pgid="pgtrigger_exclusion_1_lock_18915",
                                    referencing="REFERENCING NEW TABLE AS new_rows ",
                                    table="campaigns_exclusion",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="exclusion_3_close",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    EXECUTE $sql$\n    WITH hit AS (\n        SELECT e.id FROM new_rows x JOIN campaigns_listentry e ON e.prospect_id = x.prospect_id\n         WHERE e.state IN ('ready', 'callback')\n        UNION\n        SELECT e.id FROM new_rows x JOIN crm_prospectnumber n ON n.number = x.number\n          JOIN campaigns_listentry e ON e.prospect_id = n.prospect_id\n         WHERE e.state IN ('ready', 'callback')\n    ), locked AS (\n        SELECT e.id, e.number, e.prospect_id, e.campaign_id FROM campaigns_listentry e\n         WHERE e.id IN (SELECT id FROM hit) AND e.state IN ('ready', 'callback') ORDER BY e.id FOR UPDATE\n    ), judged AS MATERIALIZED (\n        SELECT l.id, courtois_covering_exclusion(l.number, l.prospect_id, l.campaign_id) AS bar,\n               courtois_callable_number(l.prospect_id, l.campaign_id) AS other\n          FROM locked l\n    )\n    UPDATE campaigns_listentry e\n       SET state = CASE WHEN j.other IS NULL THEN 'excluded' ELSE e.state END,\n           number = coalesce(j.other, e.number),\n           excluded_by_id = CASE WHEN j.other IS NULL THEN j.bar END,\n           verdict_gate = CASE WHEN j.other IS NULL THEN 'exclusion' ELSE '' END,\n           verdict_reason = CASE WHEN j.other IS NULL THEN x.reason ELSE '' END,\n           verdict_until = CASE WHEN j.other IS NULL THEN x.until END,\n           updated_at = clock_timestamp()\n      FROM judged j JOIN campaigns_exclusion x ON x.id = j.bar\n     WHERE e.id = j.id\n    $sql$;\n    RETURN NULL;\n",
                                    hash="91622821c3911b30f96f4f65e34527ec48ecd355",
                                    level="STATEMENT",
                                    operation="INSERT",
                                    pgid="pgtrigger_exclusion_3_close_f7b6c",
                                    referencing="REFERENCING NEW TABLE AS new_rows ",
                                    table="campaigns_exclusion",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="exclusion_never_deleted_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'exclusion_never_deleted', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'an exclusion is lifted, never deleted';\n",
                                    hash="70eb4931f8a37f2c3170445b7e1dd24d51704916",
                                    operation="DELETE",
                                    pgid="pgtrigger_exclusion_never_deleted_rows_68eaf",
                                    table="campaigns_exclusion",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="exclusion_never_deleted_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'exclusion_never_deleted', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'an exclusion is lifted, never deleted';\n",
                                    hash="7b469e63ead712fb40d556a46336c1bbb8dbbc4d",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_exclusion_never_deleted_all_73cff",
                                    table="campaigns_exclusion",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="exclusion_5_recorded_new",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'exclusion', r.* FROM (SELECT n.id, true, n.sponsor_id FROM new_rows n) r\n        ON CONFLICT DO NOTHING;\n    RETURN NULL;\n",
                                    hash="44f0f16d7807e0d1119298ddcc20b6f62db5835c",
                                    level="STATEMENT",
                                    operation="INSERT",
                                    pgid="pgtrigger_exclusion_5_recorded_new_0bb4b",
                                    referencing="REFERENCING NEW TABLE AS new_rows ",
                                    table="campaigns_exclusion",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="exclusion_5_recorded_changed",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'exclusion.lifted', r.* FROM (SELECT n.id, false, n.sponsor_id FROM new_rows n JOIN old_rows o USING (id)\n     WHERE n.lifted_at IS NOT NULL AND o.lifted_at IS NULL) r\n        ON CONFLICT DO NOTHING;\n\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'exclusion', r.* FROM (SELECT n.id, false, n.sponsor_id FROM new_rows n) r\n        ON CONFLICT DO NOTHING;\n    RETURN NULL;\n",
                                    hash="1e04a87435a85a662afb8ad66ecf8df596560529",
                                    level="STATEMENT",
                                    operation="UPDATE",
                                    pgid="pgtrigger_exclusion_5_recorded_changed_42ccd",
                                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                                    table="campaigns_exclusion",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="FollowUpTemplate",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=80, verbose_name="nom")),
                        ("language", models.CharField(default="fr", max_length=8, verbose_name="langue")),
                        ("subject", models.CharField(max_length=200, verbose_name="objet")),
                        ("body", models.TextField(max_length=4000, verbose_name="texte")),
                        ("active", models.BooleanField(default=True, verbose_name="proposé")),
                        (
                            "campaign",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="follow_up_templates",
                                to="campaigns.campaign",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "modèle d'e-mail",
                        "verbose_name_plural": "modèles d'e-mails",
                        "ordering": ("name", "id"),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("campaign", "name"), name="follow_up_template_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ImportJob",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("sheet", models.CharField(blank=True, max_length=120)),
                        ("sheets", models.JSONField(blank=True, default=list)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("uploaded", "Déposé"),
                                    ("running", "En cours"),
                                    ("done", "Terminé"),
                                    ("failed", "En échec"),
                                    ("cancelled", "Annulé"),
                                    ("undone", "Défait"),
                                ],
                                default="uploaded",
                                max_length=10,
                            ),
                        ),
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
                                default=0,
                            ),
                        ),
                        ("phase_at", models.DateTimeField(blank=True, null=True)),
                        ("settled", models.BooleanField(default=False)),
                        ("encoding", models.CharField(blank=True, max_length=30)),
                        ("delimiter", models.CharField(blank=True, max_length=4)),
                        ("layout", models.JSONField(default=dict)),
                        ("region", models.CharField(default="FR", max_length=2)),
                        ("mapping", models.JSONField(default=dict)),
                        ("options", models.JSONField(blank=True, default=dict)),
                        ("preview", models.JSONField(blank=True, default=dict)),
                        ("counts", models.JSONField(blank=True, default=dict)),
                        ("total_rows", models.PositiveIntegerField(default=0)),
                        ("failures", models.PositiveSmallIntegerField(default=0)),
                        ("error", models.CharField(blank=True, max_length=500)),
                        ("created_at", models.DateTimeField()),
                        ("started_at", models.DateTimeField(blank=True, null=True)),
                        ("finished_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "call_list",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="imports",
                                to="campaigns.calllist",
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="imports",
                                to="campaigns.campaign",
                            ),
                        ),
                        (
                            "file",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="jobs",
                                to="campaigns.importfile",
                            ),
                        ),
                        (
                            "source",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="imports",
                                to="crm.source",
                            ),
                        ),
                        (
                            "text",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="campaigns.importfile",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "import",
                        "verbose_name_plural": "imports",
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="import_recorded",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'import.finished', r.* FROM (SELECT n.id, false, p.sponsor_id FROM new_rows n JOIN old_rows o USING (id)\n      JOIN campaigns_campaign c ON c.id = n.campaign_id JOIN campaigns_programme p ON p.id = c.programme_id\n     WHERE n.finished_at IS NOT NULL AND o.finished_at IS NULL) r\n        ON CONFLICT DO NOTHING;\n    RETURN NULL;\n",
                                    hash="8078a8e1c37b5c9c1b8fbdc6b89f516dc3f70898",
                                    level="STATEMENT",
                                    operation="UPDATE",
                                    pgid="pgtrigger_import_recorded_4cfe5",
                                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                                    table="campaigns_importjob",
                                    when="AFTER",
                                ),
                            )
                        ],
                    },
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
                        "constraints": [
                            models.UniqueConstraint(fields=("job", "index"), name="import_chunk_once")
                        ],
                    },
                ),
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
                migrations.CreateModel(
                    name="ImportReject",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("line", models.PositiveIntegerField()),
                        ("reason", models.CharField(max_length=40)),
                        ("column", models.CharField(blank=True, max_length=120)),
                        ("value", models.CharField(blank=True, max_length=300)),
                        (
                            "job",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="rejects",
                                to="campaigns.importjob",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("job", "line"), name="import_reject_once_per_line"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ImportRow",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("line", models.PositiveIntegerField()),
                        ("outcome", models.CharField(max_length=10)),
                        ("before", models.JSONField(blank=True, null=True)),
                        (
                            "job",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="rows",
                                to="campaigns.importjob",
                            ),
                        ),
                        (
                            "prospect",
                            models.ForeignKey(
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="crm.prospect",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("job", "line"), name="import_row_once_per_line")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ListEntry",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.CharField(blank=True, max_length=16)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("ready", "Appelable"),
                                    ("claimed", "Chez un agent"),
                                    ("callback", "Rappel prévu"),
                                    ("done", "Terminée"),
                                    ("excluded", "Exclue"),
                                    ("screened_out", "Hors-critères sur papier"),
                                    ("exhausted", "Épuisée"),
                                ],
                                default="ready",
                                max_length=12,
                            ),
                        ),
                        ("priority", models.SmallIntegerField(default=0, verbose_name="priorité")),
                        ("due_at", models.DateTimeField()),
                        ("exact", models.BooleanField(default=False)),
                        ("language", models.CharField(blank=True, max_length=8)),
                        ("time_zone", models.CharField(max_length=60)),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        (
                            "verdict_gate",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("open", "Appel permis"),
                                    ("exclusion", "Exclusion"),
                                    ("number", "Numéro"),
                                    ("criteria", "Critères"),
                                    ("consent", "Consentement"),
                                    ("window", "Horaires"),
                                    ("holiday", "Jour férié"),
                                    ("attempts", "Nombre d'appels"),
                                    ("campaign", "Campagne"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("verdict_reason", models.CharField(blank=True, max_length=300)),
                        ("verdict_until", models.DateTimeField(blank=True, null=True)),
                        (
                            "progress",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("tried", "Appelée, personne de joint"),
                                    ("reached", "Jointe"),
                                    ("in_criteria", "Dans les critères"),
                                    ("completed", "Aboutie"),
                                ],
                                db_default="",
                                default="",
                                max_length=12,
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                        (
                            "call_list",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="entries",
                                to="campaigns.calllist",
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="entries",
                                to="campaigns.campaign",
                            ),
                        ),
                        (
                            "excluded_by",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="closed_entries",
                                to="campaigns.exclusion",
                            ),
                        ),
                        (
                            "outcome",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="campaigns.disposition",
                            ),
                        ),
                        (
                            "owner",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "prospect",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="entries",
                                to="crm.prospect",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "fiche en liste",
                        "verbose_name_plural": "fiches en liste",
                        "indexes": [
                            models.Index(
                                models.F("campaign"),
                                models.F("language"),
                                models.F("time_zone"),
                                models.OrderBy(models.F("priority"), descending=True),
                                models.F("due_at"),
                                models.F("id"),
                                condition=models.Q(("state", "ready")),
                                name="entry_claim_ready",
                            ),
                            models.Index(
                                condition=models.Q(("state", "callback")),
                                fields=["campaign", "due_at", "id"],
                                name="entry_claim_callback",
                            ),
                            models.Index(fields=["campaign", "state", "id"], name="entry_by_state"),
                            models.Index(
                                fields=[
                                    "campaign",
                                    "state",
                                    "progress",
                                    "verdict_gate",
                                    "verdict_reason",
                                    "time_zone",
                                    "exact",
                                    "outcome",
                                ],
                                name="entry_standing",
                            ),
                            models.Index(
                                condition=models.Q(
                                    ("state", "ready"), models.Q(("verdict_gate", ""), _negated=True)
                                ),
                                fields=["campaign", "time_zone", "verdict_gate", "verdict_reason", "due_at"],
                                name="entry_put_off",
                            ),
                            models.Index(
                                condition=models.Q(("state", "callback")),
                                fields=["owner", "due_at"],
                                name="entry_own_callbacks",
                            ),
                            models.Index(
                                condition=models.Q(("excluded_by__isnull", False)),
                                fields=["excluded_by"],
                                name="entry_excluded_by",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("campaign", "prospect"), name="entry_once_per_campaign"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "state__in",
                                        [
                                            "ready",
                                            "claimed",
                                            "callback",
                                            "done",
                                            "excluded",
                                            "screened_out",
                                            "exhausted",
                                        ],
                                    )
                                ),
                                name="entry_state_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("outcome__isnull", True), ("progress", "")),
                                    models.Q(
                                        ("outcome__isnull", False),
                                        ("progress__in", ["tried", "reached", "in_criteria", "completed"]),
                                    ),
                                    _connector="OR",
                                ),
                                name="entry_progress_by_its_outcome",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("time_zone", ""),
                                    django.db.models.lookups.IsNull(
                                        crm.models.zones.ClockOf("time_zone"), False
                                    ),
                                    _connector="OR",
                                ),
                                name="entry_time_zone_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="MappingTemplate",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=120, verbose_name="nom")),
                        ("mapping", models.JSONField(default=dict)),
                        ("options", models.JSONField(blank=True, default=dict)),
                        ("region", models.CharField(default="FR", max_length=2)),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                        (
                            "created_by",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "sponsor",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="mapping_templates",
                                to="crm.sponsor",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "modèle de colonnes",
                        "verbose_name_plural": "modèles de colonnes",
                        "ordering": ("name", "id"),
                        "constraints": [
                            models.UniqueConstraint(fields=("sponsor", "name"), name="mapping_template_name")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Change",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("campaign_started", "Campagne démarrée"),
                                    ("campaign_paused", "Campagne mise en pause"),
                                    ("campaign_closed", "Campagne terminée"),
                                    ("campaign_edited", "Réglages"),
                                    ("hours", "Horaires et plafond"),
                                    ("criterion_added", "Critère ajouté"),
                                    ("criterion_edited", "Critère modifié"),
                                    ("criterion_retired", "Critère retiré"),
                                    ("disposition_changed", "Qualification"),
                                    ("list_reset", "Liste recommencée"),
                                    ("exclusion_lifted", "Exclusion levée"),
                                    ("entries_removed", "Fiches retirées de la liste"),
                                    ("words", "Textes à dire"),
                                ],
                                max_length=20,
                            ),
                        ),
                        ("reason", models.CharField(blank=True, max_length=300, verbose_name="motif")),
                        ("before", models.JSONField(blank=True, default=dict)),
                        ("after", models.JSONField(blank=True, default=dict)),
                        ("touched", models.JSONField(blank=True, default=dict)),
                        (
                            "by",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="changes",
                                to="campaigns.campaign",
                            ),
                        ),
                        (
                            "sponsor",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="crm.sponsor",
                            ),
                        ),
                        (
                            "exclusion",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="campaigns.exclusion",
                            ),
                        ),
                        (
                            "programme",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="changes",
                                to="campaigns.programme",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "changement",
                        "verbose_name_plural": "changements",
                        "indexes": [
                            models.Index(fields=["sponsor", "-id"], name="change_by_sponsor"),
                            models.Index(fields=["programme", "-id"], name="change_by_programme"),
                            models.Index(fields=["campaign", "-id"], name="change_by_campaign"),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "kind__in",
                                        [
                                            "campaign_started",
                                            "campaign_paused",
                                            "campaign_closed",
                                            "campaign_edited",
                                            "hours",
                                            "criterion_added",
                                            "criterion_edited",
                                            "criterion_retired",
                                            "disposition_changed",
                                            "list_reset",
                                            "exclusion_lifted",
                                            "entries_removed",
                                            "words",
                                        ],
                                    )
                                ),
                                name="change_kind_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("kind__in", ["entries_removed", "exclusion_lifted", "list_reset"]),
                                        _negated=True,
                                    ),
                                    ("reason__regex", "\\S"),
                                    _connector="OR",
                                ),
                                name="change_has_its_reason",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="change_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'change_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="03e2e0bda75886d8d98d4cfad4d126c3d2ff2ac4",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_change_append_only_rows_aa59b",
                                    table="campaigns_change",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="change_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'change_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="1822cfd3b387740793aff31b1d548ad4832839eb",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_change_append_only_all_87b7a",
                                    table="campaigns_change",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Script",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[("opening", "Phrase d'accueil"), ("body", "Argumentaire")],
                                max_length=8,
                            ),
                        ),
                        ("language", models.CharField(default="fr", max_length=8, verbose_name="langue")),
                        ("text", models.TextField(max_length=4000, verbose_name="texte")),
                        (
                            "campaign",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="scripts",
                                to="campaigns.campaign",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "script",
                        "verbose_name_plural": "scripts",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("campaign", "kind", "language"), name="script_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Attempt",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.CharField(max_length=16)),
                        ("at", models.DateTimeField()),
                        ("local_date", models.DateField()),
                        ("counted", models.BooleanField(default=True)),
                        ("call_ref", models.BigIntegerField(unique=True)),
                        (
                            "prospect",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="attempts",
                                to="crm.prospect",
                            ),
                        ),
                        (
                            "sponsor",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="crm.sponsor",
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="attempts",
                                to="campaigns.campaign",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "tentative",
                        "verbose_name_plural": "tentatives",
                        "indexes": [
                            models.Index(fields=["prospect", "sponsor", "local_date"], name="attempt_person"),
                            models.Index(fields=["number", "sponsor", "local_date"], name="attempt_number"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ClosingStep",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("language", models.CharField(default="fr", max_length=8, verbose_name="langue")),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("mismatch", "Hors-critères"),
                                    ("mourning", "Deuil"),
                                    ("ordinary", "Ordinaire"),
                                ],
                                max_length=8,
                            ),
                        ),
                        (
                            "step",
                            models.CharField(
                                choices=[
                                    ("apologise", "S'excuser"),
                                    ("thank", "Remercier"),
                                    ("goodbye", "Dire au revoir"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("text", models.CharField(max_length=600, verbose_name="phrase à dire")),
                        (
                            "campaign",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="closing_steps",
                                to="campaigns.campaign",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "phrase de clôture",
                        "verbose_name_plural": "phrases de clôture",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("campaign", "language", "kind", "step"),
                                name="closing_step_once",
                                nulls_distinct=False,
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Consent",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("given_at", models.DateTimeField(blank=True, null=True, verbose_name="donné le")),
                        ("period_end", models.DateTimeField(blank=True, null=True, verbose_name="jusqu'au")),
                        ("channel", models.CharField(blank=True, max_length=100, verbose_name="canal")),
                        ("exact_text", models.TextField(blank=True, verbose_name="texte exact")),
                        ("import_ref", models.BigIntegerField(blank=True, null=True)),
                        (
                            "withdrawn_at",
                            models.DateTimeField(
                                blank=True, null=True, verbose_name="consentement retiré le"
                            ),
                        ),
                        (
                            "withdrawn_how",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("oral", "Dit de vive voix"),
                                    ("written", "Écrit"),
                                    ("online", "Par internet"),
                                    ("import", "Dit par un fichier"),
                                    ("undone", "Import défait"),
                                    ("replaced", "Remplacé par un import plus récent"),
                                ],
                                max_length=10,
                                verbose_name="retiré comment",
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        (
                            "created_by",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "prospect",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="consents",
                                to="crm.prospect",
                            ),
                        ),
                        (
                            "source",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="crm.source",
                            ),
                        ),
                        (
                            "sponsor",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="crm.sponsor",
                            ),
                        ),
                        (
                            "withdrawn_by",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "consentement",
                        "verbose_name_plural": "consentements",
                        "indexes": [
                            models.Index(fields=["prospect", "sponsor"], name="consent_of_prospect"),
                            models.Index(
                                condition=models.Q(("import_ref__isnull", False)),
                                fields=["import_ref"],
                                name="consent_import",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("given_at__isnull", True),
                                    ("given_at__lte", models.F("created_at")),
                                    _connector="OR",
                                ),
                                name="consent_not_from_the_future",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("withdrawn_at__isnull", True),
                                        ("withdrawn_by__isnull", True),
                                        ("withdrawn_how", ""),
                                    ),
                                    models.Q(
                                        ("withdrawn_at__isnull", False),
                                        (
                                            "withdrawn_how__in",
                                            ["oral", "written", "online", "import", "undone", "replaced"],
                                        ),
                                    ),
                                    _connector="OR",
                                ),
                                name="consent_withdrawal_whole",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("withdrawn_how__in", ["replaced", "undone"]), _negated=True),
                                    ("import_ref__isnull", False),
                                    _connector="OR",
                                ),
                                name="consent_undone_is_imported",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("withdrawn_at__isnull", True)),
                                fields=("prospect", "sponsor", "given_at"),
                                name="consent_once",
                                nulls_distinct=False,
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="consent_only_withdrawn",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF NEW.exact_text = '' AND (to_jsonb(NEW) - 'exact_text') = (to_jsonb(OLD) - 'exact_text')\n       AND EXISTS (SELECT FROM crm_prospect p WHERE p.id = OLD.prospect_id AND p.erased_at IS NOT NULL)\n    THEN RETURN NEW; END IF;\n    IF OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NULL\n       OR (to_jsonb(NEW) - ARRAY['withdrawn_at', 'withdrawn_how', 'withdrawn_by_id'])\n          <> (to_jsonb(OLD) - ARRAY['withdrawn_at', 'withdrawn_how', 'withdrawn_by_id'])\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'consent_only_withdrawn', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'a consent is only ever withdrawn, once, and a withdrawal stands';\n    END IF;\n    RETURN NEW;\n",
                                    hash="344f7d995a0c70fa9bfe53b3e36adb1ed4ae2797",
                                    operation="UPDATE",
                                    pgid="pgtrigger_consent_only_withdrawn_ac929",
                                    table="campaigns_consent",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="consent_given",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    \n    PERFORM CASE WHEN alone THEN pg_advisory_xact_lock(72, k) ELSE pg_advisory_xact_lock_shared(72, k) END\n       FROM (SELECT hashint8(prospect_id) & 1023 AS k, bool_or(withdrawn_at IS NOT NULL) AS alone\n               FROM new_rows GROUP BY 1 ORDER BY 1) s;\n\n    IF EXISTS (\n        SELECT FROM new_rows n JOIN campaigns_consent w ON w.prospect_id = n.prospect_id AND w.sponsor_id = n.sponsor_id\n         WHERE n.withdrawn_at IS NULL AND w.withdrawn_at IS NOT NULL AND w.withdrawn_how NOT IN ('undone', 'replaced')\n           AND (n.import_ref IS NOT NULL OR n.given_at IS NULL OR n.given_at <= w.withdrawn_at))\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'consent_stays_withdrawn', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'this person withdrew: only a later consent, entered by hand, counts again';\n    END IF;\n    \n    UPDATE campaigns_consent o\n       SET withdrawn_at = n.withdrawn_at, withdrawn_how = n.withdrawn_how, withdrawn_by_id = n.withdrawn_by_id\n      FROM new_rows n\n     WHERE n.withdrawn_at IS NOT NULL AND n.withdrawn_how NOT IN ('undone', 'replaced') AND o.prospect_id = n.prospect_id AND o.sponsor_id = n.sponsor_id\n       AND o.withdrawn_at IS NULL AND (o.given_at IS NULL OR o.given_at <= n.withdrawn_at);\n\n    RETURN NULL;\n",
                                    hash="602288d42bab751c9498ef4008b9aa84e49cbdd8",
                                    level="STATEMENT",
                                    operation="INSERT",
                                    pgid="pgtrigger_consent_given_3a796",
                                    referencing="REFERENCING NEW TABLE AS new_rows ",
                                    table="campaigns_consent",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="consent_withdrawn",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF NOT EXISTS (SELECT FROM new_rows) THEN RETURN NULL; END IF;\n    \n    PERFORM CASE WHEN alone THEN pg_advisory_xact_lock(72, k) ELSE pg_advisory_xact_lock_shared(72, k) END\n       FROM (SELECT hashint8(prospect_id) & 1023 AS k, bool_or(withdrawn_at IS NOT NULL) AS alone\n               FROM new_rows GROUP BY 1 ORDER BY 1) s;\n\n    \n    UPDATE campaigns_consent o\n       SET withdrawn_at = n.withdrawn_at, withdrawn_how = n.withdrawn_how, withdrawn_by_id = n.withdrawn_by_id\n      FROM new_rows n\n     WHERE n.withdrawn_at IS NOT NULL AND n.withdrawn_how NOT IN ('undone', 'replaced') AND o.prospect_id = n.prospect_id AND o.sponsor_id = n.sponsor_id\n       AND o.withdrawn_at IS NULL AND (o.given_at IS NULL OR o.given_at <= n.withdrawn_at);\n\n    RETURN NULL;\n",
                                    hash="2462293bc823e6c49270b91ede45bafa7c6a9292",
                                    level="STATEMENT",
                                    operation="UPDATE",
                                    pgid="pgtrigger_consent_withdrawn_23796",
                                    referencing="REFERENCING NEW TABLE AS new_rows ",
                                    table="campaigns_consent",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="consent_never_deleted_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'consent_never_deleted', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'a consent is withdrawn, never deleted';\n",
                                    hash="18b8e6673210b348181bc2227ae43771012b2c7d",
                                    operation="DELETE",
                                    pgid="pgtrigger_consent_never_deleted_rows_f57c5",
                                    table="campaigns_consent",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="consent_never_deleted_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'consent_never_deleted', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'a consent is withdrawn, never deleted';\n",
                                    hash="feab7c6336df8ef1a3158a1951d9bbe76e9c0a83",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_consent_never_deleted_all_6cfe8",
                                    table="campaigns_consent",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
            ]
        ),
    ]
