"""The tables of crm, with the constraints, indexes and triggers that the models declare."""

import crm.models.access
import crm.models.record_changes
import crm.models.triggers
import crm.models.zones
import django.contrib.auth.models
import django.contrib.auth.validators
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
import django.utils.timezone
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

from crm.models.tables import CreateTables


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("crm", "0001_initial"),
        ("crm", "0002_strict_guards"),
        ("crm", "0003_drop_doubled_indexes"),
        ("crm", "0004_teams_and_accounts"),
        ("crm", "0006_remember_the_language_of_the_pages"),
        ("crm", "0008_note_looks_at_confidential_records"),
        ("crm", "0009_tell_follow_ups"),
        ("crm", "0010_record_changes"),
        ("crm", "0011_narrow_api_tokens"),
        ("crm", "0012_webhooks"),
        ("crm", "0013_tell_of_dispositions"),
        ("crm", "0014_time_zones_known"),
    ]

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        CreateTables(
            [
                migrations.CreateModel(
                    name="Sponsor",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=200, unique=True, verbose_name="nom")),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "verbose_name": "donneur d'ordre",
                        "verbose_name_plural": "donneurs d'ordre",
                        "ordering": ("name",),
                    },
                ),
                migrations.CreateModel(
                    name="Source",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=200, verbose_name="nom")),
                        ("slug", models.SlugField(max_length=80, unique=True, verbose_name="identifiant")),
                        (
                            "spoken_origin",
                            models.CharField(
                                blank=True, max_length=500, verbose_name="origine, en une phrase à dire"
                            ),
                        ),
                        ("obtained_at", models.DateField(blank=True, null=True, verbose_name="obtenu le")),
                        (
                            "rights_contact",
                            models.CharField(
                                blank=True, max_length=300, verbose_name="contact pour les droits"
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "sponsor",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="sources",
                                to="crm.sponsor",
                                verbose_name="donneur d'ordre",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "fournisseur de fichier",
                        "verbose_name_plural": "fournisseurs de fichier",
                        "ordering": ("name",),
                    },
                ),
                migrations.CreateModel(
                    name="Prospect",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "external_id",
                            models.CharField(blank=True, max_length=200, verbose_name="identifiant externe"),
                        ),
                        ("erased_external_id", models.CharField(blank=True, editable=False, max_length=64)),
                        (
                            "kind",
                            models.CharField(
                                choices=[("person", "Personne"), ("organisation", "Organisation")],
                                default="organisation",
                                max_length=12,
                                verbose_name="genre",
                            ),
                        ),
                        ("civility", models.CharField(blank=True, max_length=20, verbose_name="civilité")),
                        ("first_name", models.CharField(blank=True, max_length=120, verbose_name="prénom")),
                        ("last_name", models.CharField(blank=True, max_length=120, verbose_name="nom")),
                        (
                            "organisation",
                            models.CharField(blank=True, max_length=250, verbose_name="organisation"),
                        ),
                        ("job_title", models.CharField(blank=True, max_length=150, verbose_name="fonction")),
                        ("sector", models.CharField(blank=True, max_length=20, verbose_name="secteur (NAF)")),
                        ("email", models.CharField(blank=True, max_length=254, verbose_name="e-mail")),
                        ("address", models.CharField(blank=True, max_length=400, verbose_name="adresse")),
                        (
                            "postal_code",
                            models.CharField(blank=True, max_length=20, verbose_name="code postal"),
                        ),
                        ("city", models.CharField(blank=True, max_length=120, verbose_name="ville")),
                        (
                            "country",
                            models.CharField(blank=True, default="FR", max_length=2, verbose_name="pays"),
                        ),
                        ("language", models.CharField(blank=True, max_length=8, verbose_name="langue")),
                        (
                            "time_zone",
                            models.CharField(blank=True, max_length=60, verbose_name="fuseau horaire"),
                        ),
                        (
                            "attributes",
                            models.JSONField(blank=True, default=dict, verbose_name="autres champs"),
                        ),
                        ("confidential", models.BooleanField(default=False, verbose_name="confidentielle")),
                        (
                            "preferred_channel",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("phone", "Téléphone"),
                                    ("email", "E-mail"),
                                    ("post", "Courrier"),
                                    ("sms", "SMS"),
                                    ("relay", "Service relais"),
                                ],
                                max_length=10,
                                verbose_name="canal préféré",
                            ),
                        ),
                        ("version", models.PositiveIntegerField(default=1, editable=False)),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                        ("erased_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "source",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="prospects",
                                to="crm.source",
                                verbose_name="fournisseur",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "fiche",
                        "verbose_name_plural": "fiches",
                        "indexes": [
                            models.Index(fields=["updated_at", "id"], name="prospect_updated"),
                            models.Index(
                                condition=models.Q(("erased_external_id", ""), _negated=True),
                                fields=["source", "erased_external_id"],
                                name="prospect_erased",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("external_id", ""), _negated=True),
                                fields=("source", "external_id"),
                                name="prospect_external_id_once_per_source",
                                violation_error_message="Ce fournisseur a déjà une fiche avec cet identifiant.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("kind__in", ["person", "organisation"])),
                                name="prospect_kind_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("time_zone", ""),
                                    django.db.models.lookups.IsNull(
                                        crm.models.zones.ClockOf("time_zone"), False
                                    ),
                                    _connector="OR",
                                ),
                                name="prospect_time_zone_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("erased_at__isnull", True),
                                    models.Q(
                                        ("address", ""),
                                        ("attributes", {}),
                                        ("civility", ""),
                                        ("email", ""),
                                        ("external_id", ""),
                                        ("first_name", ""),
                                        ("last_name", ""),
                                        ("organisation", ""),
                                    ),
                                    _connector="OR",
                                ),
                                name="prospect_erased_is_blank",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="prospect_erasure_is_final",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    condition="WHEN (OLD.erased_at IS NOT NULL AND (NEW.erased_at, NEW.erased_external_id, NEW.source_id) IS DISTINCT FROM (OLD.erased_at, OLD.erased_external_id, OLD.source_id))",
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'prospect_erasure_is_final', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'an erasure is final: the bars hang on what it kept';\n",
                                    hash="d08566684289ed0b7c4223bd7e2f33afd88a8778",
                                    operation="UPDATE",
                                    pgid="pgtrigger_prospect_erasure_is_final_7cf18",
                                    table="crm_prospect",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="prospect_never_deleted_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'prospect_never_deleted', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'a prospect is erased, never deleted: its bars must survive';\n",
                                    hash="93ecdee27c5782128fd28e2689fc7e8c6b84145e",
                                    operation="DELETE",
                                    pgid="pgtrigger_prospect_never_deleted_rows_36aae",
                                    table="crm_prospect",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="prospect_never_deleted_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'prospect_never_deleted', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'a prospect is erased, never deleted: its bars must survive';\n",
                                    hash="532b77bc758b38336f98fd2ffec19142e6285dec",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_prospect_never_deleted_all_7d1cf",
                                    table="crm_prospect",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="prospect_counts_its_versions",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    condition="WHEN (NEW.version = OLD.version AND (NEW.external_id, NEW.kind, NEW.civility, NEW.first_name, NEW.last_name, NEW.organisation, NEW.job_title, NEW.sector, NEW.email, NEW.address, NEW.postal_code, NEW.city, NEW.country, NEW.language, NEW.time_zone, NEW.attributes, NEW.confidential, NEW.preferred_channel, NEW.source_id, NEW.erased_at) IS DISTINCT FROM (OLD.external_id, OLD.kind, OLD.civility, OLD.first_name, OLD.last_name, OLD.organisation, OLD.job_title, OLD.sector, OLD.email, OLD.address, OLD.postal_code, OLD.city, OLD.country, OLD.language, OLD.time_zone, OLD.attributes, OLD.confidential, OLD.preferred_channel, OLD.source_id, OLD.erased_at))",
                                    func="    NEW.version := OLD.version + 1;\n    RETURN NEW;\n",
                                    hash="427becef1a23e362080ffd3975a6fe0f814dab13",
                                    operation="UPDATE",
                                    pgid="pgtrigger_prospect_counts_its_versions_36c97",
                                    table="crm_prospect",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="prospect_recorded_new",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'prospect', r.* FROM (SELECT n.id, true, s.sponsor_id FROM new_rows n JOIN crm_source s ON s.id = n.source_id) r\n        ON CONFLICT DO NOTHING;\n    RETURN NULL;\n",
                                    hash="b08d416a8b1f1d265aef186aa565e797ac1d2c04",
                                    level="STATEMENT",
                                    operation="INSERT",
                                    pgid="pgtrigger_prospect_recorded_new_88e0a",
                                    referencing="REFERENCING NEW TABLE AS new_rows ",
                                    table="crm_prospect",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="prospect_recorded_changed",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'prospect', r.* FROM (SELECT n.id, false, s.sponsor_id FROM new_rows n JOIN old_rows o USING (id) JOIN crm_source s ON s.id = n.source_id\n     WHERE n.version <> o.version) r\n        ON CONFLICT DO NOTHING;\n    RETURN NULL;\n",
                                    hash="9a155c99427268024084506c9cc2cd3c414c354c",
                                    level="STATEMENT",
                                    operation="UPDATE",
                                    pgid="pgtrigger_prospect_recorded_changed_a94f1",
                                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                                    table="crm_prospect",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RecordChange",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "xid",
                                "kind",
                                "ref",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "xid",
                            crm.models.record_changes.TransactionId(
                                db_default=crm.models.record_changes.CurrentTransaction()
                            ),
                        ),
                        ("kind", models.CharField(db_collation="C", max_length=24)),
                        ("ref", models.BigIntegerField()),
                        ("created", models.BooleanField()),
                        ("sponsor_id", models.BigIntegerField(null=True)),
                        ("at", models.DateTimeField(db_default=crm.models.record_changes.ThisMoment())),
                    ],
                    options={
                        "verbose_name": "changement d'un enregistrement",
                        "verbose_name_plural": "changements d'enregistrements",
                    },
                ),
                migrations.CreateModel(
                    name="User",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("password", models.CharField(max_length=128, verbose_name="password")),
                        (
                            "last_login",
                            models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                        ),
                        (
                            "is_superuser",
                            models.BooleanField(
                                default=False,
                                help_text="Designates that this user has all permissions without explicitly assigning them.",
                                verbose_name="superuser status",
                            ),
                        ),
                        (
                            "username",
                            models.CharField(
                                error_messages={"unique": "A user with that username already exists."},
                                help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                                max_length=150,
                                unique=True,
                                validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                                verbose_name="username",
                            ),
                        ),
                        (
                            "first_name",
                            models.CharField(blank=True, max_length=150, verbose_name="first name"),
                        ),
                        ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                        (
                            "email",
                            models.EmailField(blank=True, max_length=254, verbose_name="email address"),
                        ),
                        (
                            "is_staff",
                            models.BooleanField(
                                default=False,
                                help_text="Designates whether the user can log into this admin site.",
                                verbose_name="staff status",
                            ),
                        ),
                        (
                            "is_active",
                            models.BooleanField(
                                default=True,
                                help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                                verbose_name="active",
                            ),
                        ),
                        (
                            "date_joined",
                            models.DateTimeField(
                                default=django.utils.timezone.now, verbose_name="date joined"
                            ),
                        ),
                        (
                            "role",
                            models.CharField(
                                choices=[
                                    ("agent", "Agent"),
                                    ("supervisor", "Superviseur"),
                                    ("manager", "Responsable de campagne"),
                                    ("admin", "Administrateur"),
                                    ("integration", "Intégration"),
                                ],
                                default="agent",
                                max_length=12,
                                verbose_name="rôle",
                            ),
                        ),
                        (
                            "languages",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=8),
                                blank=True,
                                default=list,
                                size=None,
                                verbose_name="langues",
                            ),
                        ),
                        (
                            "page_language",
                            models.CharField(
                                blank=True, db_default="", default="", editable=False, max_length=8
                            ),
                        ),
                        (
                            "daily_goal",
                            models.PositiveSmallIntegerField(default=50, verbose_name="objectif du jour"),
                        ),
                        ("extension", models.CharField(blank=True, max_length=20, verbose_name="poste")),
                        (
                            "must_change_password",
                            models.BooleanField(db_default=False, default=False, editable=False),
                        ),
                        (
                            "groups",
                            models.ManyToManyField(
                                blank=True,
                                help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                                related_name="user_set",
                                related_query_name="user",
                                to="auth.group",
                                verbose_name="groups",
                            ),
                        ),
                        (
                            "user_permissions",
                            models.ManyToManyField(
                                blank=True,
                                help_text="Specific permissions for this user.",
                                related_name="user_set",
                                related_query_name="user",
                                to="auth.permission",
                                verbose_name="user permissions",
                            ),
                        ),
                        (
                            "sponsors",
                            models.ManyToManyField(
                                blank=True,
                                related_name="users",
                                to="crm.sponsor",
                                verbose_name="donneurs d'ordre",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "utilisateur",
                        "verbose_name_plural": "utilisateurs",
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("role__in", ["agent", "supervisor", "manager", "admin", "integration"])
                                ),
                                name="user_role_known",
                            ),
                            models.UniqueConstraint(
                                django.db.models.functions.text.Lower("username"),
                                name="user_username_once",
                                violation_error_message="Cet identifiant est déjà pris.",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="user_admin_remains",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    condition="WHEN (OLD.role = 'admin' AND OLD.is_active)",
                                    func="\n    IF TG_OP = 'UPDATE' AND NEW.role = 'admin' AND NEW.is_active THEN RETURN NEW; END IF;\n    PERFORM pg_advisory_xact_lock(74, 0);\n    IF EXISTS (SELECT FROM crm_user u WHERE u.role = 'admin' AND u.is_active AND u.id <> OLD.id) THEN\n        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;\n        RETURN NEW;\n    END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'user_admin_remains', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'the last active administrator stays';\n",
                                    hash="fba0d83ebec9e1d5ba635add5abbe5bdf659ff29",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_user_admin_remains_35457",
                                    table="crm_user",
                                    when="BEFORE",
                                ),
                            )
                        ],
                    },
                    managers=[
                        ("objects", django.contrib.auth.models.UserManager()),
                    ],
                ),
                migrations.CreateModel(
                    name="FeedState",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("cluster", models.CharField(max_length=80)),
                        ("epoch", models.PositiveIntegerField(default=1)),
                        ("floor", crm.models.record_changes.TransactionId(default=0)),
                    ],
                    options={
                        "verbose_name": "état du flux",
                        "verbose_name_plural": "état du flux",
                        "constraints": [
                            models.CheckConstraint(condition=models.Q(("pk", 1)), name="feed_state_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ProspectLook",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        (
                            "place",
                            models.CharField(
                                choices=[
                                    ("call", "En appel"),
                                    ("record", "Fiche"),
                                    ("lookup", "Recherche d'un numéro"),
                                    ("api", "API"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("why", models.CharField(blank=True, max_length=200, verbose_name="motif")),
                        (
                            "by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "prospect",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="looks",
                                to="crm.prospect",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "consultation d'une fiche confidentielle",
                        "verbose_name_plural": "consultations de fiches confidentielles",
                        "ordering": ("-id",),
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="prospect_look_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF TG_OP = 'UPDATE'\n       AND (to_jsonb(NEW) - ARRAY['why']) = (to_jsonb(OLD) - ARRAY['why'])\n       AND NEW.why = ''\n       AND EXISTS (SELECT FROM crm_prospect p WHERE p.id = OLD.prospect_id AND p.erased_at IS NOT NULL)\n    THEN RETURN NEW; END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'prospect_look_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="cfd765d22bce3d963b2fbe43df6e687b595febc7",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_prospect_look_append_only_rows_551cf",
                                    table="crm_prospectlook",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="prospect_look_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'prospect_look_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="3f5185be6b173d4b1fe1676a85401fb3af63c2cb",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_prospect_look_append_only_all_7a56d",
                                    table="crm_prospectlook",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ProspectNumber",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.CharField(max_length=16, verbose_name="numéro")),
                        (
                            "raw",
                            models.CharField(blank=True, max_length=200, verbose_name="saisie d'origine"),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("landline", "Fixe"),
                                    ("mobile", "Mobile"),
                                    ("voip", "VoIP"),
                                    ("toll_free", "Numéro vert"),
                                    ("premium", "Surtaxé"),
                                    ("fax", "Fax"),
                                    ("short", "Numéro court"),
                                    ("unknown", "Inconnu"),
                                ],
                                default="unknown",
                                max_length=10,
                            ),
                        ),
                        (
                            "validity",
                            models.CharField(
                                choices=[
                                    ("valid", "Valide"),
                                    ("possible", "Possible"),
                                    ("invalid", "Invalide"),
                                ],
                                default="valid",
                                max_length=8,
                            ),
                        ),
                        ("extension", models.CharField(blank=True, max_length=20, verbose_name="poste")),
                        ("note", models.CharField(blank=True, max_length=200)),
                        ("position", models.PositiveSmallIntegerField(default=0)),
                        (
                            "prospect",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="phones",
                                to="crm.prospect",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "numéro",
                        "verbose_name_plural": "numéros",
                        "ordering": ("position", "id"),
                        "indexes": [models.Index(fields=["number"], name="prospect_number_number")],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("number__regex", "^\\+[1-9][0-9]{6,14}$")),
                                name="prospect_number_e164",
                            ),
                            models.UniqueConstraint(
                                fields=("prospect", "number"), name="prospect_number_once"
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="prospect_number_recorded_new",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'prospect', r.* FROM (SELECT DISTINCT p.id, false, s.sponsor_id FROM new_rows n JOIN crm_prospect p ON p.id = n.prospect_id\n      JOIN crm_source s ON s.id = p.source_id) r\n        ON CONFLICT DO NOTHING;\n    RETURN NULL;\n",
                                    hash="4c7a002245cccb40a94664d777a6d15c9ef78e58",
                                    level="STATEMENT",
                                    operation="INSERT",
                                    pgid="pgtrigger_prospect_number_recorded_new_37fe9",
                                    referencing="REFERENCING NEW TABLE AS new_rows ",
                                    table="crm_prospectnumber",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="prospect_number_recorded_changed",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'prospect', r.* FROM (SELECT DISTINCT p.id, false, s.sponsor_id FROM new_rows n JOIN crm_prospect p ON p.id = n.prospect_id\n      JOIN crm_source s ON s.id = p.source_id) r\n        ON CONFLICT DO NOTHING;\n    RETURN NULL;\n",
                                    hash="922efc0ea00958a01129dccddc3a542a8b281285",
                                    level="STATEMENT",
                                    operation="UPDATE",
                                    pgid="pgtrigger_prospect_number_recorded_changed_a9e58",
                                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                                    table="crm_prospectnumber",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="prospect_number_recorded_gone",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'prospect', r.* FROM (SELECT DISTINCT p.id, false, s.sponsor_id FROM old_rows n JOIN crm_prospect p ON p.id = n.prospect_id\n      JOIN crm_source s ON s.id = p.source_id) r\n        ON CONFLICT DO NOTHING;\n    RETURN NULL;\n",
                                    hash="c88e1c3efa30bc1c616384ef73b5633ed437d644",
                                    level="STATEMENT",
                                    operation="DELETE",
                                    pgid="pgtrigger_prospect_number_recorded_gone_e22b3",
                                    referencing="REFERENCING OLD TABLE AS old_rows ",
                                    table="crm_prospectnumber",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ProspectEvent",
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
                                    ("created", "Fiche créée"),
                                    ("imported", "Importée"),
                                    ("edited", "Fiche corrigée"),
                                    ("erased", "Fiche effacée"),
                                    ("queued", "Mise en liste"),
                                    ("unqueued", "Retirée de la liste"),
                                    ("claimed", "Présentée à un agent"),
                                    ("released", "Rendue à la liste"),
                                    ("dialled", "Numéro composé"),
                                    ("refused", "Appel refusé par les règles"),
                                    ("connected", "Décroché"),
                                    ("not_reached", "Pas joint"),
                                    ("greeted", "Accueil dit"),
                                    ("handed_over", "Passé à une autre personne"),
                                    ("criterion", "Critère répondu"),
                                    ("out_of_criteria", "Hors-critères"),
                                    ("closing", "Clôture dite"),
                                    ("situation", "Situation délicate"),
                                    ("hung_up", "Fin de la communication"),
                                    ("disposition", "Qualifiée"),
                                    ("corrected", "Qualification corrigée"),
                                    ("callback", "Rappel convenu"),
                                    ("excluded", "Exclue des appels"),
                                    ("lifted", "Exclusion levée"),
                                    ("incident", "Incident"),
                                    ("resourced", "Renvoyée à la recherche de numéro"),
                                    ("note", "Note"),
                                    ("follow_up", "E-mail de suivi"),
                                ],
                                max_length=20,
                            ),
                        ),
                        ("call_ref", models.BigIntegerField(blank=True, null=True)),
                        ("data", models.JSONField(blank=True, default=dict)),
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
                            "prospect",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="events",
                                to="crm.prospect",
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
                    ],
                    options={
                        "verbose_name": "événement",
                        "verbose_name_plural": "événements",
                        "indexes": [models.Index(fields=["prospect", "-id"], name="prospect_event_timeline")],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="prospect_event_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF TG_OP = 'UPDATE'\n       AND (to_jsonb(NEW) - ARRAY['data']) = (to_jsonb(OLD) - ARRAY['data'])\n       AND NEW.data = '{}'::jsonb\n       AND EXISTS (SELECT FROM crm_prospect p WHERE p.id = OLD.prospect_id AND p.erased_at IS NOT NULL)\n    THEN RETURN NEW; END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'prospect_event_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="e07ac3259a51b1890cbca36d2eb264323e5a67e8",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_prospect_event_append_only_rows_7ca35",
                                    table="crm_prospectevent",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="prospect_event_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'prospect_event_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="5b7d38f4d9905f4f7b606f90e52f02a1da5f0bc0",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_prospect_event_append_only_all_de819",
                                    table="crm_prospectevent",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ApiToken",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(blank=True, max_length=100, verbose_name="nom")),
                        ("prefix", models.CharField(max_length=12)),
                        ("digest", models.CharField(max_length=64, unique=True)),
                        (
                            "scopes",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=40),
                                default=crm.models.access.everything,
                                size=None,
                                verbose_name="droits",
                            ),
                        ),
                        ("keeps_to_sponsors", models.BooleanField(db_default=False, default=False)),
                        ("created_at", models.DateTimeField()),
                        ("expires_at", models.DateTimeField(blank=True, null=True)),
                        ("last_used_at", models.DateTimeField(blank=True, null=True)),
                        ("revoked_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="api_tokens",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "sponsors",
                            models.ManyToManyField(
                                blank=True,
                                related_name="+",
                                to="crm.sponsor",
                                verbose_name="donneurs d'ordre",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "jeton d'API",
                        "verbose_name_plural": "jetons d'API",
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("scopes__len__gt", 0)), name="api_token_has_scopes"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Team",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=120, verbose_name="nom")),
                        ("created_at", models.DateTimeField()),
                        (
                            "supervisors",
                            models.ManyToManyField(
                                blank=True,
                                related_name="supervised_teams",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="superviseurs",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "équipe",
                        "verbose_name_plural": "équipes",
                        "ordering": ("name",),
                        "constraints": [
                            models.UniqueConstraint(
                                django.db.models.functions.text.Lower("name"),
                                name="team_name_once",
                                violation_error_message="Une équipe porte déjà ce nom.",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="UserEvent",
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
                                    ("created", "Compte créé"),
                                    ("edited", "Compte modifié"),
                                    ("password_given", "Mot de passe provisoire donné"),
                                    ("password_changed", "Mot de passe changé"),
                                    ("deactivated", "Compte désactivé"),
                                    ("reactivated", "Compte réactivé"),
                                    ("token_given", "Jeton d'API créé"),
                                    ("token_revoked", "Jeton d'API révoqué"),
                                ],
                                max_length=16,
                            ),
                        ),
                        ("data", models.JSONField(blank=True, default=dict)),
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
                            "user",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="events",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "événement d'un compte",
                        "verbose_name_plural": "événements des comptes",
                        "indexes": [models.Index(fields=["user", "-id"], name="user_event_history")],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="user_event_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'user_event_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="faa6427baf121f160ed791470bb137568db4c533",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_user_event_append_only_rows_ea08e",
                                    table="crm_userevent",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="user_event_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'user_event_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="84411df5f709f78a6d29b070813534c7e3755143",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_user_event_append_only_all_e9969",
                                    table="crm_userevent",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="WebhookPlace",
                    fields=[
                        (
                            "id",
                            models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                        ),
                        ("epoch", models.PositiveIntegerField(default=0)),
                        ("xid", models.BigIntegerField(default=0)),
                        ("kind", models.CharField(blank=True, max_length=40)),
                        ("ref", models.BigIntegerField(default=0)),
                    ],
                    options={
                        "verbose_name": "lecture des changements",
                        "verbose_name_plural": "lecture des changements",
                        "constraints": [
                            models.CheckConstraint(condition=models.Q(("id", 1)), name="webhook_place_is_one")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="WebhookSubscription",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=100, verbose_name="nom")),
                        ("url", models.CharField(max_length=500, verbose_name="adresse")),
                        (
                            "events",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=40),
                                size=None,
                                verbose_name="événements",
                            ),
                        ),
                        (
                            "payload",
                            models.CharField(
                                choices=[
                                    ("thin", "Des identifiants et des codes seulement"),
                                    ("full", "La fiche, l'appel ou l'exclusion en entier"),
                                ],
                                default="thin",
                                max_length=4,
                                verbose_name="contenu",
                            ),
                        ),
                        ("secrets", models.JSONField(default=list)),
                        ("from_xid", models.BigIntegerField(default=0)),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                        ("enabled_at", models.DateTimeField()),
                        ("stopped_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "stopped",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("by_hand", "Arrêté à la main"),
                                    ("gone", "Le destinataire a répondu 410 : il n'en veut plus"),
                                    ("silent", "Rien n'a abouti pendant cinq jours"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("not_before", models.DateTimeField(blank=True, null=True)),
                        ("failing_since", models.DateTimeField(blank=True, null=True)),
                        ("last_success_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "owner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="webhooks",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="compte",
                            ),
                        ),
                        (
                            "sponsors",
                            models.ManyToManyField(
                                blank=True,
                                related_name="+",
                                to="crm.sponsor",
                                verbose_name="donneurs d'ordre",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "abonnement webhook",
                        "verbose_name_plural": "abonnements webhook",
                        "ordering": ("id",),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("payload__in", ["thin", "full"])),
                                name="webhook_payload_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("events__len__gt", 0)), name="webhook_has_events"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "events__contained_by",
                                        [
                                            "call.ended",
                                            "callback.scheduled",
                                            "disposition.created",
                                            "exclusion.created",
                                            "exclusion.lifted",
                                            "import.finished",
                                            "incident.opened",
                                            "prospect.out_of_criteria",
                                            "prospect.updated",
                                        ],
                                    )
                                ),
                                name="webhook_events_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("stopped", ""), ("stopped_at__isnull", True)),
                                    models.Q(
                                        ("stopped__in", ["by_hand", "gone", "silent"]),
                                        ("stopped_at__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="webhook_stopped_for_a_reason",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="WebhookDelivery",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("message", models.UUIDField(unique=True)),
                        (
                            "event",
                            models.CharField(
                                choices=[
                                    ("call.ended", "Un appel est terminé"),
                                    ("disposition.created", "Un appel est qualifié"),
                                    ("prospect.out_of_criteria", "Une fiche est hors-critères"),
                                    ("prospect.updated", "Une fiche a changé"),
                                    ("exclusion.created", "Une exclusion est posée"),
                                    ("exclusion.lifted", "Une exclusion est levée"),
                                    ("callback.scheduled", "Un rappel est convenu"),
                                    ("import.finished", "Un import est terminé"),
                                    ("incident.opened", "Un incident est signalé"),
                                    ("webhook.test", "Essai"),
                                ],
                                max_length=40,
                            ),
                        ),
                        ("ref", models.BigIntegerField()),
                        ("xid", models.BigIntegerField(blank=True, null=True)),
                        ("data", models.JSONField(default=dict)),
                        ("at", models.DateTimeField()),
                        ("created_at", models.DateTimeField()),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("waiting", "En attente"),
                                    ("delivered", "Reçu"),
                                    ("failed", "Échec"),
                                ],
                                default="waiting",
                                max_length=9,
                            ),
                        ),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        ("next_at", models.DateTimeField(blank=True, null=True)),
                        ("attempting_until", models.DateTimeField(blank=True, null=True)),
                        ("delivered_at", models.DateTimeField(blank=True, null=True)),
                        ("status", models.PositiveSmallIntegerField(blank=True, null=True)),
                        (
                            "error",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("address", "Adresse interdite : elle n'est pas sur l'Internet public"),
                                    ("dns", "Le nom du serveur est introuvable"),
                                    ("connection", "Le serveur n'a pas accepté la connexion, ou l'a coupée"),
                                    (
                                        "tls",
                                        "Le certificat du serveur n'est pas valable, ou le chiffrement a échoué",
                                    ),
                                    ("timeout", "Pas de réponse à temps"),
                                    ("answer", "La réponse n'est pas du HTTP"),
                                    (
                                        "redirect",
                                        "Le serveur renvoie ailleurs : les redirections ne sont pas suivies",
                                    ),
                                    ("status", "Le serveur a refusé"),
                                    ("hidden", "Le compte ne voit plus ce donneur d'ordre"),
                                    ("lost", "L'envoi s'est interrompu"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("log", models.JSONField(default=list)),
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
                            "subscription",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="deliveries",
                                to="crm.webhooksubscription",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "envoi webhook",
                        "verbose_name_plural": "envois webhook",
                        "ordering": ("-id",),
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state", "waiting")),
                                fields=["subscription", "next_at"],
                                name="webhook_delivery_due",
                            ),
                            models.Index(
                                condition=models.Q(("attempting_until__isnull", False)),
                                fields=["subscription"],
                                name="webhook_delivery_under_way",
                            ),
                            models.Index(fields=["subscription", "-id"], name="webhook_delivery_log"),
                            models.Index(
                                condition=models.Q(("state", "delivered"), _negated=True),
                                fields=["subscription", "created_at"],
                                name="webhook_delivery_missed",
                            ),
                            models.Index(fields=["created_at"], name="webhook_delivery_age"),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("state__in", ["waiting", "delivered", "failed"])),
                                name="webhook_delivery_state_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("next_at__isnull", False), ("state", "waiting")),
                                    models.Q(
                                        models.Q(("state", "waiting"), _negated=True),
                                        ("attempting_until__isnull", True),
                                        ("next_at__isnull", True),
                                    ),
                                    _connector="OR",
                                ),
                                name="webhook_delivery_waits_for_a_moment",
                            ),
                            models.UniqueConstraint(
                                fields=("subscription", "xid", "event", "ref"), name="webhook_delivery_once"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="IdempotentRequest",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.CharField(max_length=200)),
                        ("path", models.CharField(max_length=300)),
                        ("fingerprint", models.CharField(max_length=64)),
                        ("status", models.PositiveSmallIntegerField(null=True)),
                        ("body", models.JSONField(null=True)),
                        ("created_at", models.DateTimeField(db_index=True)),
                        (
                            "user",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("user", "key"), name="idempotent_request_once")
                        ],
                    },
                ),
            ]
        ),
        migrations.AddField(
            model_name="user",
            name="team",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="members",
                to="crm.team",
                verbose_name="équipe",
            ),
        ),
    ]
