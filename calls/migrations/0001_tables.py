"""The tables of calls, with the constraints, indexes and triggers that the models declare."""

import crm.models.triggers
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.fields.json
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from crm.models.tables import CreateTables


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("calls", "0001_initial"),
        ("calls", "0002_exclusion_triggers"),
        ("calls", "0003_links_and_triggers"),
        ("calls", "0004_strict_guards"),
        ("calls", "0005_load_playbooks"),
        ("calls", "0007_plan_each_bar"),
        ("calls", "0008_ask_history_when_it_matters"),
        ("calls", "0009_drop_agent_sessions"),
        ("calls", "0011_drop_doubled_indexes"),
        ("calls", "0012_call_the_supervisor"),
        ("calls", "0014_erase_what_was_expected"),
        ("calls", "0016_share_the_bars_of_who_carries_a_number"),
        ("calls", "0017_mark_what_waits"),
        ("calls", "0019_find_calls_by_day"),
        ("calls", "0020_playbooks_are_edited"),
        ("calls", "0021_count_situations_by_list"),
        ("calls", "0022_load_all_playbooks"),
        ("calls", "0023_only_some_playbooks_end_a_call"),
        ("calls", "0024_do_a_gesture_once"),
        ("calls", "0025_ask_for_help_and_hand_over"),
        ("calls", "0026_check_notes_and_follow_up"),
        ("calls", "0027_load_word_lists"),
        ("calls", "0028_name_what_a_call_tells"),
        ("calls", "0029_practise_without_calling"),
        ("calls", "0030_callbacks_breaks_and_inbound_calls"),
        ("calls", "0031_closing_for_the_bereaved"),
        ("calls", "0032_record_changes"),
        ("calls", "0033_keep_what_the_exchange_reports"),
        ("calls", "0034_take_calls_of_another_system"),
    ]

    dependencies = [
        ("campaigns", "0001_tables"),
        ("crm", "0001_tables"),
        ("crm", "__first__"),
    ]

    operations = [
        CreateTables(
            [
                migrations.CreateModel(
                    name="Situation",
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
                        (
                            "keywords",
                            models.CharField(blank=True, max_length=300, verbose_name="mots de recherche"),
                        ),
                        (
                            "effect",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("abuse", "Incident, pause proposée, bannissement possible"),
                                    ("policy", "Objection transmise au responsable"),
                                    ("learner", "Pause proposée après l'appel"),
                                    ("anger", "Pause proposée après un appel éprouvant"),
                                    ("complaint", "Superviseur prévenu, paroles notées"),
                                    ("boss", "Transmission au superviseur"),
                                    ("language", "Langue notée, rappel par qui la parle"),
                                    ("channel", "Canal préféré noté"),
                                    ("lost", "Compté par fichier"),
                                    ("confidential", "Fiche confidentielle"),
                                    ("danger", "Superviseur alerté aussitôt, pause proposée"),
                                    ("vulnerable", "Vente arrêtée, superviseur informé"),
                                    ("minor", "Rappel, aucune donnée"),
                                    ("bereavement", "Plus aucun appel, nulle part"),
                                    ("driving", "Rendez-vous, fin en quelques secondes"),
                                    ("origin", "Origine des données, demande de droits"),
                                    ("opt_out", "Exclusion pour le donneur d'ordre, clôture"),
                                ],
                                db_default="",
                                default="",
                                max_length=12,
                                verbose_name="effet",
                            ),
                        ),
                        (
                            "active",
                            models.BooleanField(db_default=True, default=True, verbose_name="proposée"),
                        ),
                        ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                        ("edited_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("position", models.PositiveSmallIntegerField(default=0)),
                    ],
                    options={
                        "verbose_name": "situation délicate",
                        "verbose_name_plural": "situations délicates",
                        "ordering": ("position", "code"),
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="situation_may_end",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    condition="WHEN (NEW.effect NOT IN ('abuse', 'driving'))",
                                    func="\n    IF EXISTS (SELECT FROM calls_stage t WHERE t.situation_id = NEW.id AND t.may_end) THEN \n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'stage_may_end_a_call', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'only abuse and driving let the agent end a call, never this situation';\n END IF;\n    RETURN NEW;\n",
                                    hash="1458916e0144192f41ad4442486e13e162d6092c",
                                    operation="UPDATE",
                                    pgid="pgtrigger_situation_may_end_f0935",
                                    table="calls_situation",
                                    when="BEFORE",
                                ),
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Call",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.CharField(max_length=16)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("claimed", "Fiche présentée"),
                                    ("dialling", "Numérotation"),
                                    ("connected", "En ligne"),
                                    ("closing", "Clôture"),
                                    ("ended", "Communication terminée"),
                                    ("not_reached", "Pas joint"),
                                    ("done", "Qualifié"),
                                    ("released", "Rendu"),
                                ],
                                default="claimed",
                                max_length=12,
                            ),
                        ),
                        (
                            "mode",
                            models.CharField(
                                choices=[
                                    ("queue", "Liste"),
                                    ("manual", "Manuel"),
                                    ("external", "Autre système"),
                                    ("inbound", "La personne nous appelle"),
                                ],
                                default="queue",
                                max_length=8,
                            ),
                        ),
                        ("entry_was", models.CharField(blank=True, max_length=12)),
                        ("language", models.CharField(blank=True, max_length=8)),
                        ("lease_until", models.DateTimeField()),
                        ("started_at", models.DateTimeField()),
                        ("dialled_at", models.DateTimeField(blank=True, null=True)),
                        ("answered_at", models.DateTimeField(blank=True, null=True)),
                        ("greeted_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "answered_by",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("intended", "La personne voulue"),
                                    ("colleague", "Un collègue"),
                                    ("other", "Une autre organisation ou personne"),
                                    ("unknown", "Inconnu"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("respondent", models.PositiveSmallIntegerField(default=0)),
                        (
                            "closing_kind",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("mismatch", "Hors-critères"),
                                    ("mourning", "Deuil"),
                                    ("ordinary", "Ordinaire"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("closing_at", models.DateTimeField(blank=True, null=True)),
                        ("goodbye_at", models.DateTimeField(blank=True, null=True)),
                        ("goodbyes", models.PositiveSmallIntegerField(default=0)),
                        ("line_dead_at", models.DateTimeField(blank=True, null=True)),
                        ("end_allowed_by", models.CharField(blank=True, max_length=40)),
                        ("out_of_criteria_at", models.DateTimeField(blank=True, null=True)),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "hung_up_by",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("prospect", "Le prospect"),
                                    ("agent", "L'agent"),
                                    ("network", "Le réseau"),
                                    ("supervisor", "Le superviseur"),
                                    ("unknown", "Inconnu"),
                                ],
                                max_length=10,
                            ),
                        ),
                        (
                            "evidence",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("softphone", "Téléphone logiciel"),
                                    ("pbx", "Autocommutateur"),
                                    ("declared", "Déclaré par l'agent"),
                                ],
                                max_length=10,
                            ),
                        ),
                        (
                            "cause",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("busy", "Occupé"),
                                    ("no_answer", "Pas de réponse"),
                                    ("voicemail", "Messagerie"),
                                    ("invalid_number", "Numéro invalide"),
                                    ("number_changed", "Numéro changé"),
                                    ("rejected", "Appel rejeté"),
                                    ("unreachable", "Injoignable"),
                                    ("fax", "Fax"),
                                    ("announcement", "Annonce enregistrée"),
                                    ("technical", "Incident technique"),
                                    ("cancelled", "Appel annulé"),
                                ],
                                max_length=16,
                            ),
                        ),
                        ("release_reason", models.CharField(blank=True, max_length=200)),
                        ("done_at", models.DateTimeField(blank=True, null=True)),
                        ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                        (
                            "agent",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="calls",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="calls",
                                to="campaigns.campaign",
                            ),
                        ),
                        (
                            "disposition",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="calls",
                                to="campaigns.disposition",
                            ),
                        ),
                        (
                            "entry",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="calls",
                                to="campaigns.listentry",
                            ),
                        ),
                        (
                            "prospect",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="calls",
                                to="crm.prospect",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "appel",
                        "verbose_name_plural": "appels",
                        "indexes": [
                            models.Index(fields=["agent", "-started_at"], name="call_by_agent"),
                            models.Index(fields=["campaign", "-id"], name="call_by_campaign"),
                            models.Index(
                                condition=models.Q(("dialled_at__isnull", False)),
                                fields=["campaign", "dialled_at"],
                                name="call_by_day",
                            ),
                            models.Index(
                                condition=models.Q(("state__in", ["done", "released"]), _negated=True),
                                fields=["lease_until"],
                                name="call_open_lease",
                            ),
                            models.Index(fields=["number", "-id"], name="call_by_number"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ["done", "released"]), _negated=True),
                                fields=("agent",),
                                name="call_one_open_per_agent",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ["done", "released"]), _negated=True),
                                fields=("number",),
                                name="call_one_open_per_number",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ["done", "released"]), _negated=True),
                                fields=("prospect",),
                                name="call_one_open_per_prospect",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "state__in",
                                        [
                                            "claimed",
                                            "dialling",
                                            "connected",
                                            "closing",
                                            "ended",
                                            "not_reached",
                                            "done",
                                            "released",
                                        ],
                                    )
                                ),
                                name="call_state_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("number__regex", "^\\+[1-9][0-9]{6,14}$")),
                                name="call_number_e164",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "done"), _negated=True),
                                    ("disposition__isnull", False),
                                    _connector="OR",
                                ),
                                name="call_done_is_qualified",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "ended"), _negated=True),
                                    models.Q(
                                        ("ended_at__isnull", False),
                                        models.Q(("hung_up_by", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="call_ended_by_somebody",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "closing"), _negated=True),
                                    models.Q(("closing_kind", ""), _negated=True),
                                    _connector="OR",
                                ),
                                name="call_closing_has_its_kind",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("out_of_criteria_at__isnull", True),
                                    ("disposition__isnull", False),
                                    _connector="OR",
                                ),
                                name="call_mismatch_is_qualified",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("mode", "inbound"), _negated=True),
                                    models.Q(
                                        ("answered_at__isnull", False),
                                        ("dialled_at__isnull", True),
                                        models.Q(
                                            ("state__in", ["claimed", "dialling", "released"]), _negated=True
                                        ),
                                    ),
                                    _connector="OR",
                                ),
                                name="call_inbound_never_dialled",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("mode", "external"), _negated=True),
                                    models.Q(
                                        ("answered_at__isnull", False),
                                        ("dialled_at__isnull", False),
                                        models.Q(
                                            ("state__in", ["claimed", "dialling", "released"]), _negated=True
                                        ),
                                    ),
                                    _connector="OR",
                                ),
                                name="call_external_never_dialled",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="call_guard_insert",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    declare="DECLARE bar bigint;",
                                    func="\n    IF NEW.mode IN ('inbound', 'external') AND NEW.state = 'connected' AND NEW.answered_at IS NOT NULL\n       AND (NEW.dialled_at IS NULL) = (NEW.mode = 'inbound')\n       AND NEW.out_of_criteria_at IS NULL AND NEW.disposition_id IS NULL\n    THEN RETURN NEW; END IF;\n    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN\n        -- This snapshot could not see a bar that was committed a moment ago.\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_needs_read_committed', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'calls are written under READ COMMITTED';\n    END IF;\n    IF TG_OP = 'INSERT' AND (NEW.state <> 'claimed' OR NEW.out_of_criteria_at IS NOT NULL\n                             OR NEW.disposition_id IS NOT NULL) THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_starts_claimed', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'a call starts as claimed';\n    END IF;\n    PERFORM courtois_share_bars(NEW.number, NEW.prospect_id);\n    bar := courtois_covering_exclusion(NEW.number, NEW.prospect_id, NEW.campaign_id);\n    IF bar IS NOT NULL THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_not_excluded', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'an active exclusion covers this number or prospect',\n            DETAIL = json_build_object('exclusion', bar)::text;\n    END IF;\n    RETURN NEW;\n",
                                    hash="08f1398697f91299ce03a92c1ffbad32c2dfd3ab",
                                    operation="INSERT",
                                    pgid="pgtrigger_call_guard_insert_cade2",
                                    table="calls_call",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="call_guard_dial",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    condition="WHEN (NEW.state = 'dialling' AND OLD.state <> 'dialling')",
                                    declare="DECLARE bar bigint;",
                                    func="\n    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN\n        -- This snapshot could not see a bar that was committed a moment ago.\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_needs_read_committed', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'calls are written under READ COMMITTED';\n    END IF;\n    IF TG_OP = 'INSERT' AND (NEW.state <> 'claimed' OR NEW.out_of_criteria_at IS NOT NULL\n                             OR NEW.disposition_id IS NOT NULL) THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_starts_claimed', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'a call starts as claimed';\n    END IF;\n    PERFORM courtois_share_bars(NEW.number, NEW.prospect_id);\n    bar := courtois_covering_exclusion(NEW.number, NEW.prospect_id, NEW.campaign_id);\n    IF bar IS NOT NULL THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_not_excluded', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'an active exclusion covers this number or prospect',\n            DETAIL = json_build_object('exclusion', bar)::text;\n    END IF;\n    RETURN NEW;\n",
                                    hash="9aa0f54c083bf1e16f8d15527a6ef142721d6998",
                                    operation='UPDATE OF "state"',
                                    pgid="pgtrigger_call_guard_dial_75bae",
                                    table="calls_call",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="call_moves",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF (NEW.id, NEW.campaign_id, NEW.prospect_id, NEW.number, NEW.mode, NEW.started_at)\n       IS DISTINCT FROM\n       (OLD.id, OLD.campaign_id, OLD.prospect_id, OLD.number, OLD.mode, OLD.started_at)\n       OR (NEW.entry_id IS NOT NULL AND NEW.entry_id IS DISTINCT FROM OLD.entry_id)\n       OR (OLD.out_of_criteria_at IS NOT NULL AND NEW.out_of_criteria_at IS DISTINCT FROM OLD.out_of_criteria_at)\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_identity_fixed', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'whom a call was for and a stored mismatch never change';\n    END IF;\n    -- A call changes hands while somebody is on the line, to the colleague who accepted its latest offer. That offer\n    -- must have moved the call by the end of its transaction, so that no older one can ever do so.\n    IF NEW.agent_id IS DISTINCT FROM OLD.agent_id AND (\n        OLD.state NOT IN ('connected', 'closing') OR NEW.state <> OLD.state OR NOT EXISTS (\n            SELECT FROM calls_transfer t JOIN calls_transferanswer a ON a.transfer_id = t.id\n             WHERE t.id = (SELECT max(id) FROM calls_transfer WHERE call_id = NEW.id)\n               AND a.kind = 'accepted' AND t.sender_id = OLD.agent_id AND t.recipient_id = NEW.agent_id))\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_identity_fixed', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'a call changes hands only by an accepted transfer, while somebody is on the line';\n    END IF;\n    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state = ANY (ARRAY[\n        'claimed>dialling', 'claimed>released', 'dialling>connected', 'dialling>not_reached',\n        'connected>closing', 'connected>ended', 'connected>not_reached', 'closing>ended',\n        'ended>done', 'not_reached>done']))\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_moves_legally', TABLE = TG_TABLE_NAME,\n            MESSAGE = format('a call cannot go from %s to %s', OLD.state, NEW.state);\n    END IF;\n    -- Nested, so that the common move asks no question of the tables.\n    IF NEW.out_of_criteria_at IS DISTINCT FROM OLD.out_of_criteria_at THEN\n        IF NOT EXISTS (SELECT FROM calls_callanswer a\n                        WHERE a.call_id = NEW.id AND a.result = 'mismatch' AND a.blocking)\n           AND NOT EXISTS (SELECT FROM calls_calldisposition d JOIN campaigns_disposition k ON k.id = d.disposition_id\n                            WHERE d.call_id = NEW.id AND k.by_mismatch_only)\n        THEN\n            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'out_of_criteria_by_mismatch', TABLE = TG_TABLE_NAME,\n                MESSAGE = 'a call is out of criteria by a stored mismatch or a correction, never by itself';\n        END IF;\n    END IF;\n    IF OLD.out_of_criteria_at IS NOT NULL AND NEW.disposition_id IS DISTINCT FROM OLD.disposition_id THEN\n        IF NOT EXISTS (SELECT FROM campaigns_disposition k WHERE k.id = NEW.disposition_id AND k.by_mismatch_only)\n           AND NOT EXISTS (\n               SELECT FROM calls_calldisposition d JOIN crm_user u ON u.id = d.by_id\n                WHERE d.id = (SELECT max(id) FROM calls_calldisposition WHERE call_id = NEW.id)\n                  AND d.disposition_id = NEW.disposition_id AND d.corrects_id IS NOT NULL\n                  AND btrim(d.reason) <> '' AND u.role IN ('supervisor', 'manager', 'admin'))\n        THEN\n            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'out_of_criteria_is_final', TABLE = TG_TABLE_NAME,\n                MESSAGE = 'out of criteria is final: only a correction with a reason, by a supervisor, replaces it';\n        END IF;\n    END IF;\n    -- What a reader of the call would see differently is another version; that a lease was renewed is not.\n    IF NEW.version <= OLD.version THEN\n        NEW.version := OLD.version;\n        IF (NEW.agent_id, NEW.state, NEW.answered_at, NEW.greeted_at, NEW.answered_by, NEW.respondent, NEW.closing_kind,\n            NEW.closing_at, NEW.goodbye_at, NEW.line_dead_at, NEW.end_allowed_by, NEW.out_of_criteria_at, NEW.ended_at,\n            NEW.hung_up_by, NEW.evidence, NEW.cause, NEW.disposition_id, NEW.release_reason)\n           IS DISTINCT FROM\n           (OLD.agent_id, OLD.state, OLD.answered_at, OLD.greeted_at, OLD.answered_by, OLD.respondent, OLD.closing_kind,\n            OLD.closing_at, OLD.goodbye_at, OLD.line_dead_at, OLD.end_allowed_by, OLD.out_of_criteria_at, OLD.ended_at,\n            OLD.hung_up_by, OLD.evidence, OLD.cause, OLD.disposition_id, OLD.release_reason)\n        THEN NEW.version := OLD.version + 1; END IF;\n    END IF;\n    RETURN NEW;\n",
                                    hash="63b30404a244b2072ca2bf1af165b29a617ba204",
                                    operation="UPDATE",
                                    pgid="pgtrigger_call_moves_edad5",
                                    table="calls_call",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="call_shows_its_disposition",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    condition="WHEN (NEW.disposition_id IS DISTINCT FROM OLD.disposition_id)",
                                    constraint="CONSTRAINT",
                                    func="\n    IF EXISTS (SELECT FROM calls_call WHERE id = NEW.id AND disposition_id IS NOT DISTINCT FROM (\n        SELECT d.disposition_id FROM calls_calldisposition d WHERE d.call_id = NEW.id ORDER BY d.id DESC LIMIT 1))\n    THEN RETURN NULL; END IF;\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_shows_its_disposition', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'the disposition of a call is its latest row of history';\n",
                                    hash="3b2ffebbb78563b7ed15aafbd7508d9918f65e57",
                                    operation="UPDATE",
                                    pgid="pgtrigger_call_shows_its_disposition_6ac70",
                                    table="calls_call",
                                    timing="DEFERRABLE INITIALLY DEFERRED",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="call_never_deleted_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_never_deleted', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'a call is history';\n",
                                    hash="9974f0b2e439c565e77cb199076a49b6174e1cc7",
                                    operation="DELETE",
                                    pgid="pgtrigger_call_never_deleted_rows_53062",
                                    table="calls_call",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="call_never_deleted_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_never_deleted', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'a call is history';\n",
                                    hash="ae8269545458892b4ba408e472498ed281aa1e1c",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_call_never_deleted_all_b3f46",
                                    table="calls_call",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="call_recorded_new",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'call', r.* FROM (SELECT n.id, true, p.sponsor_id FROM new_rows n JOIN campaigns_campaign c ON c.id = n.campaign_id\n      JOIN campaigns_programme p ON p.id = c.programme_id) r\n        ON CONFLICT DO NOTHING;\n    RETURN NULL;\n",
                                    hash="a4d6bdbcc22a0a00f0de86ddf97ec9b794b99c28",
                                    level="STATEMENT",
                                    operation="INSERT",
                                    pgid="pgtrigger_call_recorded_new_6a17d",
                                    referencing="REFERENCING NEW TABLE AS new_rows ",
                                    table="calls_call",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="call_recorded_changed",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'call.ended', r.* FROM (SELECT n.id, false, p.sponsor_id FROM new_rows n JOIN old_rows o USING (id)\n      JOIN campaigns_campaign c ON c.id = n.campaign_id\n      JOIN campaigns_programme p ON p.id = c.programme_id\n     WHERE n.version <> o.version AND n.state IN ('ended', 'not_reached') AND o.state NOT IN ('ended', 'not_reached')) r\n        ON CONFLICT DO NOTHING;\n\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'prospect.out_of_criteria', r.* FROM (SELECT n.id, false, p.sponsor_id FROM new_rows n JOIN old_rows o USING (id)\n      JOIN campaigns_campaign c ON c.id = n.campaign_id\n      JOIN campaigns_programme p ON p.id = c.programme_id\n     WHERE n.version <> o.version AND n.out_of_criteria_at IS NOT NULL AND o.out_of_criteria_at IS NULL) r\n        ON CONFLICT DO NOTHING;\n\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'call', r.* FROM (SELECT n.id, false, p.sponsor_id FROM new_rows n JOIN old_rows o USING (id)\n      JOIN campaigns_campaign c ON c.id = n.campaign_id\n      JOIN campaigns_programme p ON p.id = c.programme_id\n     WHERE n.version <> o.version) r\n        ON CONFLICT DO NOTHING;\n    RETURN NULL;\n",
                                    hash="b8d49356ff3ee46074413bb978fdb569b5e0ba5e",
                                    level="STATEMENT",
                                    operation="UPDATE",
                                    pgid="pgtrigger_call_recorded_changed_fb6a0",
                                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                                    table="calls_call",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SituationMark",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "effect",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("abuse", "Incident, pause proposée, bannissement possible"),
                                    ("policy", "Objection transmise au responsable"),
                                    ("learner", "Pause proposée après l'appel"),
                                    ("anger", "Pause proposée après un appel éprouvant"),
                                    ("complaint", "Superviseur prévenu, paroles notées"),
                                    ("boss", "Transmission au superviseur"),
                                    ("language", "Langue notée, rappel par qui la parle"),
                                    ("channel", "Canal préféré noté"),
                                    ("lost", "Compté par fichier"),
                                    ("confidential", "Fiche confidentielle"),
                                    ("danger", "Superviseur alerté aussitôt, pause proposée"),
                                    ("vulnerable", "Vente arrêtée, superviseur informé"),
                                    ("minor", "Rappel, aucune donnée"),
                                    ("bereavement", "Plus aucun appel, nulle part"),
                                    ("driving", "Rendez-vous, fin en quelques secondes"),
                                    ("origin", "Origine des données, demande de droits"),
                                    ("opt_out", "Exclusion pour le donneur d'ordre, clôture"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        (
                            "call",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="marks",
                                to="calls.call",
                            ),
                        ),
                        (
                            "call_list",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="campaigns.calllist",
                            ),
                        ),
                        (
                            "situation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="marks",
                                to="calls.situation",
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
                    ],
                    options={
                        "verbose_name": "situation rencontrée",
                        "verbose_name_plural": "situations rencontrées",
                        "indexes": [
                            models.Index(fields=["call_list", "effect"], name="situation_mark_by_list"),
                            models.Index(fields=["source", "effect"], name="situation_mark_by_source"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("call", "situation"), name="situation_mark_once_per_call"
                            )
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="situation_mark_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'situation_mark_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="063857f37a016d7cacca96a2715733799d5be7f7",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_situation_mark_append_only_rows_2f009",
                                    table="calls_situationmark",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="situation_mark_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'situation_mark_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="b11a3fb8bc77f2f858ee49c7ec52866c5f8e2e3b",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_situation_mark_append_only_all_22648",
                                    table="calls_situationmark",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SituationVersion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("version", models.PositiveIntegerField()),
                        ("content", models.JSONField()),
                        ("at", models.DateTimeField()),
                        (
                            "by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "situation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="versions",
                                to="calls.situation",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "version d'une situation",
                        "verbose_name_plural": "versions de situations",
                        "ordering": ("situation", "-version"),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("situation", "version"), name="situation_version_once"
                            )
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="situation_version_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'situation_version_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="20bb04920e8c59dcdfff553f444974ec151acee4",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_situation_version_append_only_rows_6a67b",
                                    table="calls_situationversion",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="situation_version_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'situation_version_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="f4e7b91c7bc08cac3288c3a110921f0e91639631",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_situation_version_append_only_all_267bb",
                                    table="calls_situationversion",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Stage",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField()),
                        (
                            "title",
                            models.CharField(
                                blank=True, db_default="", default="", max_length=120, verbose_name="titre"
                            ),
                        ),
                        (
                            "title_en",
                            models.CharField(
                                blank=True,
                                db_default="",
                                default="",
                                max_length=120,
                                verbose_name="titre anglais",
                            ),
                        ),
                        (
                            "opens",
                            models.CharField(
                                blank=True,
                                db_default="",
                                default="",
                                max_length=120,
                                verbose_name="s'ouvre sur",
                            ),
                        ),
                        (
                            "opens_en",
                            models.CharField(
                                blank=True,
                                db_default="",
                                default="",
                                max_length=120,
                                verbose_name="s'ouvre sur, en anglais",
                            ),
                        ),
                        (
                            "say",
                            models.JSONField(
                                default=dict,
                                help_text="par langue : une liste de phrases",
                                verbose_name="phrases à dire",
                            ),
                        ),
                        ("do", models.CharField(blank=True, max_length=300, verbose_name="à faire")),
                        (
                            "do_en",
                            models.CharField(
                                blank=True,
                                db_default="",
                                default="",
                                max_length=300,
                                verbose_name="à faire, en anglais",
                            ),
                        ),
                        (
                            "may_end",
                            models.BooleanField(default=False, verbose_name="permet de mettre fin à l'appel"),
                        ),
                        (
                            "situation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="stages",
                                to="calls.situation",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "étape",
                        "verbose_name_plural": "étapes",
                        "ordering": ("situation", "position"),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("situation", "position"), name="stage_once_per_position"
                            )
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="stage_may_end",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    condition="WHEN (NEW.may_end)",
                                    declare="DECLARE effect text;",
                                    func="\n    SELECT s.effect INTO effect FROM calls_situation s WHERE s.id = NEW.situation_id FOR SHARE;\n    IF effect NOT IN ('abuse', 'driving') THEN \n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'stage_may_end_a_call', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'only abuse and driving let the agent end a call, never this situation';\n END IF;\n    RETURN NEW;\n",
                                    hash="8dbf8424a85d5a9c1f09b241eaf83f2c6a7e3413",
                                    operation="INSERT OR UPDATE",
                                    pgid="pgtrigger_stage_may_end_e459a",
                                    table="calls_stage",
                                    when="BEFORE",
                                ),
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Transfer",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("note", models.CharField(blank=True, max_length=500)),
                        ("at", models.DateTimeField()),
                        ("expires_at", models.DateTimeField()),
                        ("open", models.BooleanField(db_default=True, default=True, editable=False)),
                        (
                            "call",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="transfers",
                                to="calls.call",
                            ),
                        ),
                        (
                            "recipient",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "sender",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "transfert d'appel",
                        "verbose_name_plural": "transferts d'appels",
                        "ordering": ("id",),
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("open", True)),
                                fields=("call",),
                                name="transfer_one_open_per_call",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("open", True)),
                                fields=("recipient",),
                                name="transfer_one_open_per_colleague",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("sender", models.F("recipient")), _negated=True),
                                name="transfer_to_somebody_else",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("expires_at__gt", models.F("at"))),
                                name="transfer_expires_later",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="transfer_by_its_agent",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    NEW.open := true;\n    PERFORM FROM calls_call c\n      WHERE c.id = NEW.call_id AND c.agent_id = NEW.sender_id AND c.state IN ('connected', 'closing');\n    IF NOT FOUND THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'transfer_by_its_agent', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'a call is offered by the agent who holds it, while somebody is on the line';\n    END IF;\n    RETURN NEW;\n",
                                    hash="0d73422ff1c3f6192fc3eeb0f0b4591baca1d072",
                                    operation="INSERT",
                                    pgid="pgtrigger_transfer_by_its_agent_2fec1",
                                    table="calls_transfer",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="transfer_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF TG_OP = 'UPDATE' AND OLD.open AND NOT NEW.open AND (to_jsonb(NEW) - 'open') = (to_jsonb(OLD) - 'open')\n       AND EXISTS (SELECT FROM calls_transferanswer a WHERE a.transfer_id = OLD.id)\n    THEN RETURN NEW; END IF;\n\n    IF TG_OP = 'UPDATE'\n       AND (to_jsonb(NEW) - ARRAY['note']) = (to_jsonb(OLD) - ARRAY['note'])\n       AND NEW.note = ''\n       AND EXISTS (SELECT FROM calls_call c JOIN crm_prospect p ON p.id = c.prospect_id\n     WHERE c.id = OLD.call_id AND p.erased_at IS NOT NULL)\n    THEN RETURN NEW; END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'transfer_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="eb017237b2c52fe706790a43afe84713948d8498",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_transfer_append_only_rows_2006f",
                                    table="calls_transfer",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="transfer_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'transfer_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="d349560664fa003383a96a08235804c0f5967380",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_transfer_append_only_all_2bbb4",
                                    table="calls_transfer",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TransferAnswer",
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
                                choices=[
                                    ("accepted", "Accepté"),
                                    ("declined", "Décliné"),
                                    ("withdrawn", "Repris"),
                                    ("expired", "Sans réponse"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("words", models.CharField(blank=True, max_length=300)),
                        ("at", models.DateTimeField()),
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
                            "transfer",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="answer",
                                to="calls.transfer",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "réponse à un transfert",
                        "verbose_name_plural": "réponses aux transferts",
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("kind__in", ["accepted", "declined", "withdrawn", "expired"])
                                ),
                                name="transfer_answer_kind_known",
                            )
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="transfer_answered_by_its_own",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    declare="DECLARE t calls_transfer%ROWTYPE;",
                                    func="\n    SELECT * INTO STRICT t FROM calls_transfer WHERE id = NEW.transfer_id FOR NO KEY UPDATE;\n    IF NOT (CASE NEW.kind\n            WHEN 'accepted' THEN NEW.by_id IS NOT DISTINCT FROM t.recipient_id AND NEW.at < t.expires_at\n            WHEN 'declined' THEN NEW.by_id IS NOT DISTINCT FROM t.recipient_id\n            WHEN 'withdrawn' THEN NEW.by_id IS NOT DISTINCT FROM t.sender_id\n            ELSE NEW.by_id IS NULL AND NEW.at >= t.expires_at END)\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'transfer_answered_by_its_own', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'the colleague answers in time, the agent takes back, an offer expires by itself';\n    END IF;\n    RETURN NEW;\n",
                                    hash="91edb0086577cfbfdf6f3397577b7da37dfe0a69",
                                    operation="INSERT",
                                    pgid="pgtrigger_transfer_answered_by_its_own_0af2c",
                                    table="calls_transferanswer",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="transfer_closes",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    UPDATE calls_transfer SET open = false WHERE id = NEW.transfer_id;\n    RETURN NULL;\n",
                                    hash="9297013933980a2b039bc74b96f42d28ba96bc2f",
                                    operation="INSERT",
                                    pgid="pgtrigger_transfer_closes_c2ba9",
                                    table="calls_transferanswer",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="transfer_moves_the_call",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    condition="WHEN (NEW.kind = 'accepted')",
                                    constraint="CONSTRAINT",
                                    func="\n    IF EXISTS (SELECT FROM calls_transfer t JOIN calls_call c ON c.id = t.call_id AND c.agent_id = t.recipient_id\n                WHERE t.id = NEW.transfer_id) THEN RETURN NULL; END IF;\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'transfer_moves_the_call', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'an accepted transfer moves the call in the same transaction';\n",
                                    hash="3488cc143baa9b81b9f0d6cd3e3e5148806d48d0",
                                    operation="INSERT",
                                    pgid="pgtrigger_transfer_moves_the_call_54ed1",
                                    table="calls_transferanswer",
                                    timing="DEFERRABLE INITIALLY DEFERRED",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="transfer_answer_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF TG_OP = 'UPDATE'\n       AND (to_jsonb(NEW) - ARRAY['words']) = (to_jsonb(OLD) - ARRAY['words'])\n       AND NEW.words = ''\n       AND EXISTS (SELECT FROM calls_transfer t JOIN calls_call c ON c.id = t.call_id\n      JOIN crm_prospect p ON p.id = c.prospect_id\n     WHERE t.id = OLD.transfer_id AND p.erased_at IS NOT NULL)\n    THEN RETURN NEW; END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'transfer_answer_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="84e1b65614d992297dec2b074ff0dd08aff27561",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_transfer_answer_append_only_rows_e1fa7",
                                    table="calls_transferanswer",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="transfer_answer_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'transfer_answer_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="c6bcf37ccdc17d404247255c89eb05e1ae175b78",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_transfer_answer_append_only_all_dbb59",
                                    table="calls_transferanswer",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="WordList",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "category",
                            models.CharField(
                                choices=[
                                    ("insult", "Insulte"),
                                    ("health", "Santé"),
                                    ("religion", "Religion"),
                                    ("opinion", "Opinion politique ou syndicale"),
                                    ("sexuality", "Vie intime"),
                                    ("origin", "Origine"),
                                ],
                                max_length=12,
                                verbose_name="catégorie",
                            ),
                        ),
                        ("language", models.CharField(max_length=8, verbose_name="langue")),
                        ("words", models.TextField(blank=True, max_length=20000, verbose_name="mots")),
                        (
                            "exceptions",
                            models.TextField(blank=True, max_length=10000, verbose_name="tournures permises"),
                        ),
                        (
                            "neutral",
                            models.CharField(blank=True, max_length=120, verbose_name="formulation neutre"),
                        ),
                        ("active", models.BooleanField(default=True, verbose_name="vérifiée")),
                        ("edited_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "edited_by",
                            models.ForeignKey(
                                blank=True,
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "liste de mots",
                        "verbose_name_plural": "listes de mots",
                        "ordering": ("id",),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "category__in",
                                        ["insult", "health", "religion", "opinion", "sexuality", "origin"],
                                    )
                                ),
                                name="word_list_category_known",
                            ),
                            models.UniqueConstraint(fields=("category", "language"), name="word_list_once"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Workplace",
                    fields=[
                        (
                            "agent",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="workplace",
                                serialize=False,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("seen_at", models.DateTimeField(blank=True, null=True)),
                        ("sound", models.BooleanField(db_default=True, default=True)),
                    ],
                    options={
                        "verbose_name": "poste de travail",
                        "verbose_name_plural": "postes de travail",
                    },
                ),
                migrations.CreateModel(
                    name="GuardedExclusion",
                    fields=[],
                    options={
                        "proxy": True,
                        "indexes": [],
                        "constraints": [],
                    },
                    bases=("campaigns.exclusion",),
                ),
                migrations.CreateModel(
                    name="Incident",
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
                                choices=[
                                    ("help", "Un agent vous appelle"),
                                    ("hang_up_review", "Fin d'appel à revoir"),
                                    ("shared_number", "Numéro partagé : peut-on appeler les autres ?"),
                                    ("entry_error", "Erreur de saisie à corriger"),
                                    ("expired_call", "Appel resté ouvert"),
                                    ("resourcing", "Fiche à pourvoir d'un autre numéro"),
                                    ("abuse", "Propos abusifs"),
                                    ("danger", "Une personne parle de mourir"),
                                    ("complaint", "Plainte ou menace de procédure"),
                                    ("vulnerable", "Personne vulnérable"),
                                    ("policy", "Objection fondée à notre règle"),
                                    ("rights", "Demande sur ses données"),
                                    ("list_language", "Liste où l'on parle une autre langue"),
                                    (
                                        "list_lost",
                                        "Liste de personnes qui ne savent pas pourquoi on les appelle",
                                    ),
                                    ("barred_call", "Un autre système a appelé un numéro exclu"),
                                    ("other", "Autre"),
                                ],
                                max_length=16,
                            ),
                        ),
                        ("summary", models.CharField(blank=True, max_length=500)),
                        ("data", models.JSONField(blank=True, default=dict)),
                        ("at", models.DateTimeField()),
                        ("waiting", models.BooleanField(db_default=True, default=True, editable=False)),
                        (
                            "by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "call",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="incidents",
                                to="calls.call",
                            ),
                        ),
                        (
                            "exclusion",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="incidents",
                                to="campaigns.exclusion",
                            ),
                        ),
                        (
                            "prospect",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="incidents",
                                to="crm.prospect",
                            ),
                        ),
                        (
                            "sponsor",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="crm.sponsor",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "incident",
                        "verbose_name_plural": "incidents",
                        "ordering": ("-id",),
                        "indexes": [
                            models.Index(
                                condition=models.Q(("waiting", True)),
                                fields=["sponsor", "id"],
                                name="incident_waiting",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("call", "kind"), name="incident_once_per_call"),
                            models.UniqueConstraint(
                                django.db.models.fields.json.KeyTextTransform("call_list", "data"),
                                models.F("kind"),
                                condition=models.Q(("kind__in", ["list_language", "list_lost"])),
                                name="incident_once_per_list",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="incident_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF TG_OP = 'UPDATE' AND OLD.waiting AND NOT NEW.waiting\n       AND (to_jsonb(NEW) - 'waiting') = (to_jsonb(OLD) - 'waiting')\n       AND EXISTS (SELECT FROM calls_incidentdecision d WHERE d.incident_id = OLD.id)\n    THEN RETURN NEW; END IF;\n\n    IF TG_OP = 'UPDATE'\n       AND (to_jsonb(NEW) - ARRAY['summary']) = (to_jsonb(OLD) - ARRAY['summary'])\n       AND NEW.summary = ''\n       AND EXISTS (SELECT FROM crm_prospect p WHERE p.erased_at IS NOT NULL\n     AND p.id IN (OLD.prospect_id, (SELECT c.prospect_id FROM calls_call c WHERE c.id = OLD.call_id)))\n    THEN RETURN NEW; END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'incident_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="866b688e44bd0cbb85a40ecfb78bb751f0d5d9d7",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_incident_append_only_rows_53ddc",
                                    table="calls_incident",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="incident_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'incident_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="c8758ecbd2401e37fb1560ffacdf6326913b28e2",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_incident_append_only_all_5db67",
                                    table="calls_incident",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="incident_waits_at_first",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="NEW.waiting := true; RETURN NEW;",
                                    hash="81af3970ed01a843769591c5b3ef922e3c78c075",
                                    operation="INSERT",
                                    pgid="pgtrigger_incident_waits_at_first_39a08",
                                    table="calls_incident",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="incident_recorded",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    UPDATE calls_call SET version = version + 1\n     WHERE id IN (SELECT call_id FROM new_rows WHERE call_id IS NOT NULL\n                  EXCEPT SELECT ref FROM crm_recordchange WHERE xid = pg_current_xact_id() AND kind = 'call');\n\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'incident.opened', r.* FROM (SELECT id, true, sponsor_id FROM new_rows) r\n        ON CONFLICT DO NOTHING;\n    RETURN NULL;\n",
                                    hash="dbae3f8cca75d26648eee4970c480e292c31167e",
                                    level="STATEMENT",
                                    operation="INSERT",
                                    pgid="pgtrigger_incident_recorded_20a86",
                                    referencing="REFERENCING NEW TABLE AS new_rows ",
                                    table="calls_incident",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Ban",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "number",
                            models.CharField(blank=True, max_length=16, null=True, verbose_name="numéro"),
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
                        ("why", models.CharField(blank=True, max_length=500, verbose_name="motif")),
                        ("at", models.DateTimeField()),
                        (
                            "by",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="campaigns.campaign",
                            ),
                        ),
                        (
                            "programme",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="campaigns.programme",
                            ),
                        ),
                        (
                            "prospect",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="bans",
                                to="crm.prospect",
                            ),
                        ),
                        (
                            "sponsor",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="crm.sponsor",
                            ),
                        ),
                        (
                            "call",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="bans",
                                to="calls.call",
                            ),
                        ),
                        (
                            "incident",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="bans",
                                to="calls.incident",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "bannissement",
                        "verbose_name_plural": "bannissements",
                        "ordering": ("-id",),
                        "indexes": [models.Index(fields=["number"], name="ban_number")],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("number__isnull", False), ("prospect__isnull", False), _connector="OR"
                                ),
                                name="ban_names_somebody",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("number__isnull", True),
                                    ("number__regex", "^\\+[1-9][0-9]{6,14}$"),
                                    _connector="OR",
                                ),
                                name="ban_number_e164",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("scope__in", ["everywhere", "sponsor", "programme", "campaign"])
                                ),
                                name="ban_scope_known",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("call__isnull", False)),
                                fields=("call",),
                                name="ban_once_per_call",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="ban_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF TG_OP = 'UPDATE'\n       AND (to_jsonb(NEW) - ARRAY['why']) = (to_jsonb(OLD) - ARRAY['why'])\n       AND NEW.why = ''\n       AND EXISTS (SELECT FROM crm_prospect p WHERE p.erased_at IS NOT NULL\n     AND p.id IN (OLD.prospect_id, (SELECT c.prospect_id FROM calls_call c WHERE c.id = OLD.call_id)))\n    THEN RETURN NEW; END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ban_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="3949aabde4c8ecc363b55362de03a0bcb521f738",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_ban_append_only_rows_38d5f",
                                    table="calls_ban",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="ban_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ban_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="49d7767030982061ada3a9d9758b9b232fb57360",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_ban_append_only_all_39f0d",
                                    table="calls_ban",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="BanAppeal",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("text", models.CharField(blank=True, max_length=2000, verbose_name="note d'appel")),
                        ("at", models.DateTimeField()),
                        (
                            "ban",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="appeals",
                                to="calls.ban",
                            ),
                        ),
                        (
                            "by",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "note d'appel",
                        "verbose_name_plural": "notes d'appel",
                        "ordering": ("-id",),
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="ban_appeal_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF TG_OP = 'UPDATE'\n       AND (to_jsonb(NEW) - ARRAY['text']) = (to_jsonb(OLD) - ARRAY['text'])\n       AND NEW.text = ''\n       AND EXISTS (SELECT FROM calls_ban b LEFT JOIN calls_call c ON c.id = b.call_id\n      JOIN crm_prospect p ON p.id IN (b.prospect_id, c.prospect_id)\n     WHERE b.id = OLD.ban_id AND p.erased_at IS NOT NULL)\n    THEN RETURN NEW; END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ban_appeal_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="150187c023a8702e62820e7e21761e87dfb20d98",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_ban_appeal_append_only_rows_a2a7f",
                                    table="calls_banappeal",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="ban_appeal_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ban_appeal_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="b41920bddf8837fdca9d3ea37d45d1704e152857",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_ban_appeal_append_only_all_d9d25",
                                    table="calls_banappeal",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="BanDecision",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "verdict",
                            models.CharField(
                                choices=[("granted", "Accordé"), ("refused", "Refusé")], max_length=8
                            ),
                        ),
                        ("reason", models.CharField(blank=True, max_length=500, verbose_name="motif")),
                        ("expires_at", models.DateTimeField(blank=True, null=True)),
                        ("at", models.DateTimeField()),
                        (
                            "ban",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="decision",
                                to="calls.ban",
                            ),
                        ),
                        (
                            "by",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "exclusion",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="ban_decision",
                                to="campaigns.exclusion",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "décision sur un bannissement",
                        "verbose_name_plural": "décisions sur des bannissements",
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("exclusion__isnull", False), ("verdict", "granted")),
                                    models.Q(("exclusion__isnull", True), ("verdict", "refused")),
                                    _connector="OR",
                                ),
                                name="ban_granted_bars",
                            )
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="ban_granted_by_another",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    declare="DECLARE b calls_ban%ROWTYPE;",
                                    func="\n    SELECT * INTO STRICT b FROM calls_ban WHERE id = NEW.ban_id FOR NO KEY UPDATE;\n    IF NOT EXISTS (SELECT FROM crm_user u WHERE u.id = NEW.by_id AND u.is_active AND u.role IN ('manager', 'admin'))\n       OR (NEW.verdict = 'granted' AND NEW.by_id = b.by_id AND EXISTS (\n            SELECT FROM crm_user u WHERE u.id <> NEW.by_id AND u.is_active AND u.role IN ('manager', 'admin')))\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ban_granted_by_another', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'a ban is granted by a manager, another one than who asked for it where there are two';\n    END IF;\n    IF NEW.verdict = 'granted' AND NOT EXISTS (\n        SELECT FROM campaigns_exclusion x\n         WHERE x.id = NEW.exclusion_id AND x.reason = 'ban' AND x.lifted_at IS NULL AND x.scope = b.scope\n           AND x.until IS NOT DISTINCT FROM NEW.expires_at\n           AND x.number IS NOT DISTINCT FROM b.number AND x.prospect_id IS NOT DISTINCT FROM b.prospect_id)\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ban_is_an_exclusion', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'a granted ban is an exclusion in force: the same number, fiche, scope and end';\n    END IF;\n    RETURN NEW;\n",
                                    hash="24381fbb65dc9f28e5c118f6f1908d618ba3d908",
                                    operation="INSERT",
                                    pgid="pgtrigger_ban_granted_by_another_65d64",
                                    table="calls_bandecision",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="ban_decision_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF TG_OP = 'UPDATE'\n       AND (to_jsonb(NEW) - ARRAY['reason']) = (to_jsonb(OLD) - ARRAY['reason'])\n       AND NEW.reason = ''\n       AND EXISTS (SELECT FROM calls_ban b LEFT JOIN calls_call c ON c.id = b.call_id\n      JOIN crm_prospect p ON p.id IN (b.prospect_id, c.prospect_id)\n     WHERE b.id = OLD.ban_id AND p.erased_at IS NOT NULL)\n    THEN RETURN NEW; END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ban_decision_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="0fed9b21653cd1864a57706b0ecb1abe30943a66",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_ban_decision_append_only_rows_32b6b",
                                    table="calls_bandecision",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="ban_decision_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ban_decision_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="94a5d7289409a4ccc473e2e46221d8f4183c75e7",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_ban_decision_append_only_all_ecd84",
                                    table="calls_bandecision",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CallAnswer",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("version", models.PositiveIntegerField(default=0)),
                        (
                            "result",
                            models.CharField(
                                choices=[("match", "Oui"), ("mismatch", "Non"), ("unknown", "Ne sait pas")],
                                max_length=8,
                            ),
                        ),
                        ("blocking", models.BooleanField(default=True)),
                        ("expected", models.CharField(blank=True, max_length=200)),
                        ("heard", models.CharField(blank=True, max_length=500)),
                        (
                            "answered_by",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("intended", "La personne voulue"),
                                    ("colleague", "Un collègue"),
                                    ("other", "Une autre organisation ou personne"),
                                    ("unknown", "Inconnu"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("respondent", models.PositiveSmallIntegerField(default=0)),
                        ("at", models.DateTimeField()),
                        (
                            "by",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "call",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="answers",
                                to="calls.call",
                            ),
                        ),
                        (
                            "criterion",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="answers",
                                to="campaigns.criterion",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "réponse",
                        "verbose_name_plural": "réponses",
                        "ordering": ("id",),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("result__in", ["match", "mismatch", "unknown"])),
                                name="answer_result_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("criterion__isnull", False), ("result", "mismatch"), _connector="OR"
                                ),
                                name="answer_names_its_criterion",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="answer_mismatch_is_final",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    condition="WHEN (NEW.result = 'mismatch' AND NEW.blocking)",
                                    declare="DECLARE c calls_call%ROWTYPE; code bigint; prog bigint; numbers text[]; people bigint[];",
                                    func="\n    SELECT * INTO STRICT c FROM calls_call WHERE id = NEW.call_id;\n    numbers := ARRAY(SELECT c.number\n                      UNION SELECT n.number FROM crm_prospectnumber n WHERE n.prospect_id = c.prospect_id);\n    PERFORM courtois_lock_bars(numbers, ARRAY[c.prospect_id]);\n    SELECT * INTO STRICT c FROM calls_call WHERE id = NEW.call_id FOR UPDATE;\n    IF c.state NOT IN ('connected', 'closing') THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'mismatch_needs_a_person', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'a criterion is answered by a person on the line';\n    END IF;\n    SELECT id INTO STRICT code FROM campaigns_disposition WHERE by_mismatch_only;\n    IF c.out_of_criteria_at IS NOT NULL AND c.disposition_id = code THEN\n        RETURN NULL;  -- Final already. After a correction it is not: the bars below are written anew.\n    END IF;\n    SELECT programme_id INTO STRICT prog FROM campaigns_campaign WHERE id = c.campaign_id;\n    INSERT INTO calls_calldisposition (call_id, disposition_id, note, reason, at, by_id)\n         VALUES (c.id, code, NEW.heard, '', NEW.at, NEW.by_id);\n    UPDATE calls_call SET state = 'closing', closing_kind = 'mismatch', closing_at = coalesce(closing_at, NEW.at),\n           out_of_criteria_at = coalesce(out_of_criteria_at, NEW.at), disposition_id = code,\n           goodbye_at = NULL, goodbyes = 0 WHERE id = c.id;\n    people := ARRAY(SELECT c.prospect_id\n                     UNION SELECT n.prospect_id FROM crm_prospectnumber n WHERE n.number = ANY (numbers));\n    PERFORM FROM campaigns_listentry e\n      WHERE e.id = ANY (ARRAY(\n            SELECT c.entry_id\n             UNION SELECT w.id FROM campaigns_listentry w\n                    WHERE w.prospect_id = ANY (people) AND w.state IN ('ready', 'callback')))\n      ORDER BY e.id FOR UPDATE;\n    -- What was heard stays with the answer, where an erasure can blank it.\n    WITH bars AS (\n        INSERT INTO campaigns_exclusion (scope, programme_id, number, prospect_id, reason, note, since, created_by_id,\n                                         call_ref, lift_reason)\n        SELECT 'programme', prog, b.number, b.prospect_id, 'out_of_criteria', '', NEW.at, NEW.by_id, c.id, ''\n          FROM (SELECT NULL::text AS number, c.prospect_id AS prospect_id WHERE c.prospect_id IS NOT NULL\n                UNION ALL SELECT n, NULL FROM unnest(numbers) n) b\n        RETURNING id)\n    INSERT INTO calls_calleffect (call_id, kind, exclusion_id, before, at)\n         SELECT c.id, 'exclusion', id, '{}', NEW.at FROM bars;\n    UPDATE campaigns_listentry SET state = 'excluded', verdict_gate = 'exclusion', verdict_reason = 'out_of_criteria',\n           verdict_until = NULL, updated_at = NEW.at,\n           excluded_by_id = (SELECT max(id) FROM campaigns_exclusion\n                              WHERE call_ref = c.id AND prospect_id = c.prospect_id)\n     WHERE id = c.entry_id AND state <> 'excluded';\n    UPDATE calls_callback SET state = 'excluded', closed_at = NEW.at WHERE entry_id = c.entry_id AND state = 'open';\n    RETURN NULL;\n",
                                    hash="57ca3ddb330cd19b40bf2b689e6ac21eaf8b2ac7",
                                    operation="INSERT",
                                    pgid="pgtrigger_answer_mismatch_is_final_4e431",
                                    table="calls_callanswer",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="answer_judged",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    declare="DECLARE blocks boolean; ours boolean;",
                                    func="\n    IF NEW.criterion_id IS NULL THEN\n        NEW.blocking := true;\n        RETURN NEW;\n    END IF;\n    SELECT k.blocking OR coalesce(v.blocking, false), k.programme_id = m.programme_id INTO blocks, ours\n      FROM calls_call c JOIN campaigns_campaign m ON m.id = c.campaign_id\n     CROSS JOIN campaigns_criterion k\n      LEFT JOIN campaigns_criterionversion v ON v.criterion_id = k.id AND v.version = NEW.version\n     WHERE c.id = NEW.call_id AND k.id = NEW.criterion_id;\n    IF NOT ours THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'answer_of_its_programme', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'a call answers the criteria of its own programme';\n    END IF;\n    NEW.blocking := coalesce(blocks, NEW.blocking);\n    RETURN NEW;\n",
                                    hash="fe9516c8ded815f91710a7f832523e51cdcbcde2",
                                    operation="INSERT",
                                    pgid="pgtrigger_answer_judged_598cc",
                                    table="calls_callanswer",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
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
                            pgtrigger.compiler.Trigger(
                                name="answer_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'answer_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="85c755302efb75cbb2a2fc0ca76b8675d1ce52e1",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_answer_append_only_all_d4988",
                                    table="calls_callanswer",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="answer_touches_new",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    UPDATE calls_call SET version = version + 1\n     WHERE id IN (SELECT call_id FROM new_rows WHERE call_id IS NOT NULL\n                  EXCEPT SELECT ref FROM crm_recordchange WHERE xid = pg_current_xact_id() AND kind = 'call');\n    RETURN NULL;\n",
                                    hash="e437ef0a3977126937cf5f3fb6f4100527f2ee5a",
                                    level="STATEMENT",
                                    operation="INSERT",
                                    pgid="pgtrigger_answer_touches_new_066e2",
                                    referencing="REFERENCING NEW TABLE AS new_rows ",
                                    table="calls_callanswer",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="answer_touches_changed",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    UPDATE calls_call SET version = version + 1\n     WHERE id IN (SELECT call_id FROM new_rows WHERE call_id IS NOT NULL\n                  EXCEPT SELECT ref FROM crm_recordchange WHERE xid = pg_current_xact_id() AND kind = 'call');\n    RETURN NULL;\n",
                                    hash="b69d0fcd67723d400dfd3b09427f74de468f4146",
                                    level="STATEMENT",
                                    operation="UPDATE",
                                    pgid="pgtrigger_answer_touches_changed_c2c1d",
                                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                                    table="calls_callanswer",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Callback",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("due_at", models.DateTimeField(verbose_name="le")),
                        (
                            "exact",
                            models.BooleanField(default=False, verbose_name="heure donnée par la personne"),
                        ),
                        ("note", models.CharField(blank=True, max_length=500)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("open", "Prévu"),
                                    ("done", "Fait"),
                                    ("cancelled", "Annulé"),
                                    ("excluded", "Exclu"),
                                ],
                                default="open",
                                max_length=10,
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        ("closed_at", models.DateTimeField(blank=True, null=True)),
                        ("released_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "cancel_reason",
                            models.CharField(
                                blank=True,
                                db_default="",
                                default="",
                                max_length=300,
                                verbose_name="motif de l'annulation",
                            ),
                        ),
                        (
                            "call",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="callbacks",
                                to="calls.call",
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="callbacks",
                                to="campaigns.campaign",
                            ),
                        ),
                        (
                            "created_by",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "entry",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="callbacks",
                                to="campaigns.listentry",
                            ),
                        ),
                        (
                            "owner",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="callbacks",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "prospect",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="callbacks",
                                to="crm.prospect",
                            ),
                        ),
                        (
                            "released_from",
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
                        "verbose_name": "rappel",
                        "verbose_name_plural": "rappels",
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state", "open")),
                                fields=["owner", "due_at"],
                                name="callback_open",
                            ),
                            models.Index(
                                condition=models.Q(("released_from__isnull", False)),
                                fields=["released_from", "released_at"],
                                name="callback_released",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "open")),
                                fields=("entry",),
                                name="callback_one_open_per_entry",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("released_at__isnull", True), ("released_from__isnull", True)),
                                    models.Q(
                                        ("released_at__isnull", False), ("released_from__isnull", False)
                                    ),
                                    _connector="OR",
                                ),
                                name="callback_released_from_somebody",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="callback_recorded_new",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'callback.scheduled', r.* FROM (SELECT n.id, true, p.sponsor_id FROM new_rows n JOIN campaigns_campaign c ON c.id = n.campaign_id\n      JOIN campaigns_programme p ON p.id = c.programme_id) r\n        ON CONFLICT DO NOTHING;\n    RETURN NULL;\n",
                                    hash="732a052e8e89686b71ca2f5141209b5afa277435",
                                    level="STATEMENT",
                                    operation="INSERT",
                                    pgid="pgtrigger_callback_recorded_new_f3911",
                                    referencing="REFERENCING NEW TABLE AS new_rows ",
                                    table="calls_callback",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="callback_recorded_moved",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'callback.scheduled', r.* FROM (SELECT n.id, false, p.sponsor_id FROM new_rows n JOIN campaigns_campaign c ON c.id = n.campaign_id\n      JOIN campaigns_programme p ON p.id = c.programme_id JOIN old_rows o ON o.id = n.id\n     WHERE n.state = 'open' AND n.due_at <> o.due_at) r\n        ON CONFLICT DO NOTHING;\n    RETURN NULL;\n",
                                    hash="34d73b3fa86ee5d8659555ca6040fd44f5b7a363",
                                    level="STATEMENT",
                                    operation="UPDATE",
                                    pgid="pgtrigger_callback_recorded_moved_97a26",
                                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                                    table="calls_callback",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CallDisposition",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("note", models.CharField(blank=True, max_length=2000)),
                        (
                            "reason",
                            models.CharField(
                                blank=True, max_length=500, verbose_name="motif de la correction"
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        (
                            "by",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "call",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="dispositions",
                                to="calls.call",
                            ),
                        ),
                        (
                            "corrects",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="corrections",
                                to="calls.calldisposition",
                            ),
                        ),
                        (
                            "disposition",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="campaigns.disposition",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "qualification d'un appel",
                        "verbose_name_plural": "qualifications d'appels",
                        "ordering": ("id",),
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="disposition_final",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    declare="DECLARE mismatched boolean; latest bigint; final boolean;",
                                    func="\n    -- Two writers of one call take turns, whatever they came for.\n    SELECT out_of_criteria_at IS NOT NULL INTO mismatched FROM calls_call WHERE id = NEW.call_id FOR NO KEY UPDATE;\n    SELECT max(id) INTO latest FROM calls_calldisposition WHERE call_id = NEW.call_id;\n    SELECT by_mismatch_only INTO final FROM campaigns_disposition WHERE id = NEW.disposition_id;\n    IF NEW.corrects_id IS NULL AND mismatched AND NOT final THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'out_of_criteria_is_final', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'a criterion was mismatched on this call: no other disposition can be stored';\n    END IF;\n    IF NEW.corrects_id IS NULL AND final AND NOT EXISTS (\n        SELECT FROM calls_callanswer a WHERE a.call_id = NEW.call_id AND a.result = 'mismatch' AND a.blocking)\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'out_of_criteria_by_mismatch', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'out of criteria is given by a stored mismatch or a correction, never picked';\n    END IF;\n    IF (NEW.corrects_id IS NULL AND latest IS NOT NULL AND NOT final)\n       OR (NEW.corrects_id IS NOT NULL AND NEW.corrects_id IS DISTINCT FROM latest)\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'disposition_once', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'a call has one disposition: another one corrects the latest of the same call';\n    END IF;\n    IF NEW.corrects_id IS NOT NULL AND (btrim(NEW.reason) = '' OR NOT EXISTS (\n        SELECT FROM crm_user u WHERE u.id = NEW.by_id AND u.role IN ('supervisor', 'manager', 'admin')))\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'correction_by_supervisor', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'a correction is made by a supervisor or manager, with a reason';\n    END IF;\n    RETURN NEW;\n",
                                    hash="25e90866c421c34b8d5816938546a8c1eb472a36",
                                    operation="INSERT",
                                    pgid="pgtrigger_disposition_final_2a634",
                                    table="calls_calldisposition",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="disposition_effects",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    constraint="CONSTRAINT",
                                    declare="DECLARE was record; target text; final boolean;",
                                    func="\n    SELECT c.id, c.number, c.prospect_id, c.campaign_id, c.disposition_id INTO STRICT was\n      FROM calls_call c WHERE c.id = NEW.call_id;\n    IF NEW.id <> (SELECT max(id) FROM calls_calldisposition WHERE call_id = NEW.call_id) THEN RETURN NULL; END IF;\n    IF was.disposition_id IS DISTINCT FROM NEW.disposition_id THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_shows_its_disposition', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'the disposition of a call is its latest row of history';\n    END IF;\n    SELECT d.bar_target, d.by_mismatch_only INTO STRICT target, final\n      FROM campaigns_disposition d WHERE d.id = NEW.disposition_id;\n    IF (target IN ('number', 'both') OR (target = 'prospect' AND was.prospect_id IS NOT NULL))\n       AND courtois_covering_exclusion(was.number, was.prospect_id, was.campaign_id) IS NULL\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'disposition_runs_its_effects', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'this disposition bars: its exclusion belongs to the same transaction';\n    END IF;\n    IF NEW.corrects_id IS NOT NULL AND NOT final AND EXISTS (\n        SELECT FROM campaigns_exclusion x WHERE x.call_ref = NEW.call_id AND x.reason = 'out_of_criteria'\n           AND x.lifted_at IS NULL)\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'disposition_runs_its_effects', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'correcting a mismatch lifts the exclusions of that call in the same transaction';\n    END IF;\n    RETURN NULL;\n",
                                    hash="66f2c110191621c260bfebe033c786c6aa1dd07e",
                                    operation="INSERT",
                                    pgid="pgtrigger_disposition_effects_94086",
                                    table="calls_calldisposition",
                                    timing="DEFERRABLE INITIALLY DEFERRED",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="call_disposition_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF TG_OP = 'UPDATE'\n       AND (to_jsonb(NEW) - ARRAY['note', 'reason']) = (to_jsonb(OLD) - ARRAY['note', 'reason'])\n       AND NEW.note = '' AND NEW.reason = ''\n       AND EXISTS (SELECT FROM calls_call c JOIN crm_prospect p ON p.id = c.prospect_id\n     WHERE c.id = OLD.call_id AND p.erased_at IS NOT NULL)\n    THEN RETURN NEW; END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_disposition_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="7eac29c2ae236dcdc3ca8df35a3ea18ce8efbd68",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_call_disposition_append_only_rows_20c40",
                                    table="calls_calldisposition",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="call_disposition_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_disposition_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="883377e84aea93b757490ea8337510e2145562eb",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_call_disposition_append_only_all_e267d",
                                    table="calls_calldisposition",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="disposition_recorded_new",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'disposition', r.* FROM (SELECT n.id, true, p.sponsor_id FROM new_rows n JOIN calls_call k ON k.id = n.call_id\n      JOIN campaigns_campaign c ON c.id = k.campaign_id\n      JOIN campaigns_programme p ON p.id = c.programme_id) r\n        ON CONFLICT DO NOTHING;\n    RETURN NULL;\n",
                                    hash="dd134671b2f97792b5bb2c1a83d7edfa190fa095",
                                    level="STATEMENT",
                                    operation="INSERT",
                                    pgid="pgtrigger_disposition_recorded_new_1c67e",
                                    referencing="REFERENCING NEW TABLE AS new_rows ",
                                    table="calls_calldisposition",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="disposition_recorded_changed",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)\n    SELECT 'disposition', r.* FROM (SELECT n.id, false, p.sponsor_id FROM new_rows n JOIN calls_call k ON k.id = n.call_id\n      JOIN campaigns_campaign c ON c.id = k.campaign_id\n      JOIN campaigns_programme p ON p.id = c.programme_id) r\n        ON CONFLICT DO NOTHING;\n    RETURN NULL;\n",
                                    hash="32feaf2c22ec26a33458712d1a04b61498a784c9",
                                    level="STATEMENT",
                                    operation="UPDATE",
                                    pgid="pgtrigger_disposition_recorded_changed_c10bc",
                                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                                    table="calls_calldisposition",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CallEffect",
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
                                choices=[
                                    ("exclusion", "Exclusion"),
                                    ("entry", "Fiche en liste"),
                                    ("callback", "Rappel"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("before", models.JSONField(default=dict)),
                        ("at", models.DateTimeField()),
                        (
                            "call",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="effects",
                                to="calls.call",
                            ),
                        ),
                        (
                            "callback",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="calls.callback",
                            ),
                        ),
                        (
                            "entry",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="campaigns.listentry",
                            ),
                        ),
                        (
                            "exclusion",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="effects",
                                to="campaigns.exclusion",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "effet d'un appel",
                        "verbose_name_plural": "effets d'appels",
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="call_effect_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_effect_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="4a4f25fcffa9c379644fb910c693845aa8575594",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_call_effect_append_only_rows_0fb8b",
                                    table="calls_calleffect",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="call_effect_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_effect_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="97051d5d099092d0aee434ca851b846b0feafba4",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_call_effect_append_only_all_73dd7",
                                    table="calls_calleffect",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CallEvent",
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
                                choices=[
                                    ("claimed", "Fiche présentée"),
                                    ("released", "Fiche rendue"),
                                    ("expired", "Réservation échue"),
                                    ("dialled", "Numéro composé"),
                                    ("ringing", "Sonnerie"),
                                    ("answered", "Décroché"),
                                    ("not_reached", "Pas joint"),
                                    ("greeted", "Accueil dit"),
                                    ("handover", "Passé à une autre personne"),
                                    ("criterion", "Critère répondu"),
                                    ("closing_started", "Clôture commencée"),
                                    ("closing_step", "Phrase de clôture dite"),
                                    ("closing_interrupted", "Clôture interrompue"),
                                    ("line_dead", "Ligne silencieuse"),
                                    ("situation", "Étape d'une situation délicate"),
                                    ("situation_effect", "Suite donnée à une situation"),
                                    ("hung_up", "Fin de la communication"),
                                    ("hang_up_explained", "Fin expliquée par l'agent"),
                                    ("disposition", "Qualifié"),
                                    ("corrected", "Qualification corrigée"),
                                    ("correction_asked", "Correction demandée"),
                                    ("supervisor_asked", "Superviseur appelé"),
                                    ("supervisor_answered", "Réponse du superviseur"),
                                    ("supervisor_released", "Libéré par le superviseur"),
                                    ("transfer_offered", "Proposé à un collègue"),
                                    ("transferred", "Passé à un collègue"),
                                    ("ban_asked", "Bannissement demandé"),
                                    ("note", "Note"),
                                    ("wish", "Souhait noté"),
                                    ("follow_up", "E-mail de suivi"),
                                    ("line_report", "L'autocommutateur signale"),
                                ],
                                max_length=20,
                            ),
                        ),
                        ("at", models.DateTimeField()),
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
                            "call",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="events",
                                to="calls.call",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "événement d'appel",
                        "verbose_name_plural": "événements d'appel",
                        "ordering": ("id",),
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="call_event_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF TG_OP = 'UPDATE'\n       AND (to_jsonb(NEW) - ARRAY['data']) = (to_jsonb(OLD) - ARRAY['data'])\n       AND NEW.data = '{}'::jsonb\n       AND EXISTS (SELECT FROM calls_call c JOIN crm_prospect p ON p.id = c.prospect_id\n     WHERE c.id = OLD.call_id AND p.erased_at IS NOT NULL)\n    THEN RETURN NEW; END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_event_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="aad6548b487d791adfc8b7f2226031cbb0decd28",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_call_event_append_only_rows_503dd",
                                    table="calls_callevent",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="call_event_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_event_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="d03636a0c8937d67fc1015f9f45fdf8e81d9f619",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_call_event_append_only_all_87d86",
                                    table="calls_callevent",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="call_event_touches",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    UPDATE calls_call SET version = version + 1\n     WHERE id IN (SELECT call_id FROM new_rows WHERE call_id IS NOT NULL\n                  EXCEPT SELECT ref FROM crm_recordchange WHERE xid = pg_current_xact_id() AND kind = 'call');\n    RETURN NULL;\n",
                                    hash="e11601937e246ff919edbedec66f44c47f46fe72",
                                    level="STATEMENT",
                                    operation="INSERT",
                                    pgid="pgtrigger_call_event_touches_96325",
                                    referencing="REFERENCING NEW TABLE AS new_rows ",
                                    table="calls_callevent",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="FollowUp",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.UUIDField(unique=True)),
                        ("to", models.CharField(blank=True, max_length=254, verbose_name="adresse")),
                        ("subject", models.CharField(blank=True, max_length=250, verbose_name="objet")),
                        ("body", models.TextField(blank=True, verbose_name="texte")),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("queued", "En attente"),
                                    ("sending", "Envoi en cours"),
                                    ("sent", "Envoyé"),
                                    ("failed", "Échec"),
                                    ("cancelled", "Annulé"),
                                ],
                                default="queued",
                                max_length=10,
                            ),
                        ),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        ("next_at", models.DateTimeField()),
                        ("claimed_at", models.DateTimeField(blank=True, null=True)),
                        ("sent_at", models.DateTimeField(blank=True, null=True)),
                        ("error", models.CharField(blank=True, max_length=300)),
                        ("at", models.DateTimeField()),
                        (
                            "by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "call",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="follow_ups",
                                to="calls.call",
                            ),
                        ),
                        (
                            "prospect",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="crm.prospect",
                            ),
                        ),
                        (
                            "template",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="campaigns.followuptemplate",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "e-mail de suivi",
                        "verbose_name_plural": "e-mails de suivi",
                        "ordering": ("-id",),
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state__in", ["queued", "sending"])),
                                fields=["next_at"],
                                name="follow_up_to_send",
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("state__in", ["queued", "sending", "sent", "failed", "cancelled"])
                                ),
                                name="follow_up_state_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("sent_at__isnull", False), ("state", "sent")),
                                    models.Q(
                                        models.Q(("state", "sent"), _negated=True), ("sent_at__isnull", True)
                                    ),
                                    _connector="OR",
                                ),
                                name="follow_up_sent_at_a_time",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="follow_up_moves",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF (NEW.call_id, NEW.prospect_id, NEW.by_id, NEW.at, NEW.key)\n       IS DISTINCT FROM (OLD.call_id, OLD.prospect_id, OLD.by_id, OLD.at, OLD.key)\n       OR ((NEW.\"to\", NEW.subject, NEW.body) IS DISTINCT FROM (OLD.\"to\", OLD.subject, OLD.body)\n           AND NOT (NEW.\"to\" = '' AND NEW.subject = '' AND NEW.body = ''\n                    AND EXISTS (SELECT FROM crm_prospect p WHERE p.id = OLD.prospect_id AND p.erased_at IS NOT NULL)))\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'follow_up_fixed', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'what was written to a person does not change';\n    END IF;\n    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state = ANY (ARRAY[\n        'queued>sending', 'queued>cancelled', 'sending>sent', 'sending>queued', 'sending>failed',\n        'sending>cancelled']))\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'follow_up_moves_legally', TABLE = TG_TABLE_NAME,\n            MESSAGE = format('a follow-up cannot go from %s to %s', OLD.state, NEW.state);\n    END IF;\n    RETURN NEW;\n",
                                    hash="26dc94737ae62b9855a07a85c057432c425cdd35",
                                    operation="UPDATE",
                                    pgid="pgtrigger_follow_up_moves_af392",
                                    table="calls_followup",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="follow_up_never_deleted_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'follow_up_never_deleted', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'an e-mail that was written is history';\n",
                                    hash="a1ab7cc80c7601eede28235a81549bc19c7ea562",
                                    operation="DELETE",
                                    pgid="pgtrigger_follow_up_never_deleted_rows_699c6",
                                    table="calls_followup",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="follow_up_never_deleted_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'follow_up_never_deleted', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'an e-mail that was written is history';\n",
                                    hash="552e3c74aa1bb5e298380aebf81525b8ab42f580",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_follow_up_never_deleted_all_5ad38",
                                    table="calls_followup",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="IncidentAnswer",
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
                                choices=[
                                    ("seen", "Vu"),
                                    ("accepted", "Vient en ligne"),
                                    ("later", "Rappellera la personne"),
                                    ("declined", "Ne peut pas venir"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("words", models.CharField(blank=True, max_length=500)),
                        ("due_at", models.DateTimeField(blank=True, null=True)),
                        ("at", models.DateTimeField()),
                        (
                            "by",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "incident",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="answers",
                                to="calls.incident",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "réponse à un agent",
                        "verbose_name_plural": "réponses aux agents",
                        "ordering": ("id",),
                        "indexes": [
                            models.Index(
                                condition=models.Q(("kind", "later")),
                                fields=["due_at"],
                                name="incident_promise",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("kind__in", ["accepted", "later"])),
                                fields=("incident",),
                                name="incident_taken_once",
                            ),
                            models.UniqueConstraint(
                                fields=("incident", "by", "kind"), name="incident_answer_once_each"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("due_at__isnull", False), ("kind", "later")),
                                    models.Q(
                                        models.Q(("kind", "later"), _negated=True), ("due_at__isnull", True)
                                    ),
                                    _connector="OR",
                                ),
                                name="incident_answer_later_says_when",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="incident_answer_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF TG_OP = 'UPDATE'\n       AND (to_jsonb(NEW) - ARRAY['words']) = (to_jsonb(OLD) - ARRAY['words'])\n       AND NEW.words = ''\n       AND EXISTS (SELECT FROM calls_incident i LEFT JOIN calls_call c ON c.id = i.call_id\n      JOIN crm_prospect p ON p.id IN (i.prospect_id, c.prospect_id)\n     WHERE i.id = OLD.incident_id AND p.erased_at IS NOT NULL)\n    THEN RETURN NEW; END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'incident_answer_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="d0ebcfc0d692404ea8726982d0b6ea8ab94f19f0",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_incident_answer_append_only_rows_d6865",
                                    table="calls_incidentanswer",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="incident_answer_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'incident_answer_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="c50f3d34650c01bdce8c015ad00809b220327ace",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_incident_answer_append_only_all_f868f",
                                    table="calls_incidentanswer",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="incident_answer_by_supervisor",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    PERFORM FROM calls_incident i WHERE i.id = NEW.incident_id AND i.waiting FOR NO KEY UPDATE;\n    IF NOT FOUND OR NOT EXISTS (SELECT FROM crm_user u WHERE u.id = NEW.by_id\n                                 AND u.role IN ('supervisor', 'manager', 'admin')) THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'incident_answer_by_supervisor', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'a supervisor answers an incident, and before it is decided';\n    END IF;\n    RETURN NEW;\n",
                                    hash="4ab8705be478981656acbe020e3cb1c90cce9843",
                                    operation="INSERT",
                                    pgid="pgtrigger_incident_answer_by_supervisor_a7bb9",
                                    table="calls_incidentanswer",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="IncidentDecision",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "decision",
                            models.CharField(
                                choices=[
                                    ("nothing", "Sans suite"),
                                    ("support_agent", "Soutenir l'agent"),
                                    ("calmer_talk", "Reparler plus tard, au calme"),
                                    ("talk_to_agent", "En parler avec l'agent"),
                                    ("ban", "Bannir"),
                                    ("police", "Porter plainte"),
                                    ("allow_others", "Autoriser les autres fiches"),
                                    ("keep_bar", "Garder l'exclusion"),
                                    ("correct", "Corriger"),
                                    ("refuse", "Refuser la correction"),
                                    ("close_call", "Clore l'appel"),
                                    ("reopen", "Rouvrir avec un autre numéro"),
                                    ("emergency", "Secours prévenus"),
                                    ("answered", "Réponse donnée à la personne"),
                                    ("adopted", "Prise en compte"),
                                    ("explained", "Règle maintenue, expliquée"),
                                ],
                                max_length=14,
                            ),
                        ),
                        ("reason", models.CharField(blank=True, max_length=500, verbose_name="motif")),
                        (
                            "started_by",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("prospect", "La personne appelée"),
                                    ("agent", "L'agent"),
                                    ("unclear", "On ne peut pas le dire"),
                                ],
                                db_default="",
                                default="",
                                max_length=8,
                                verbose_name="qui a commencé",
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        (
                            "by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "incident",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="decision_row",
                                to="calls.incident",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "décision",
                        "verbose_name_plural": "décisions",
                        "indexes": [models.Index(fields=["-at"], name="incident_decision_at")],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="incident_decision_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF TG_OP = 'UPDATE'\n       AND (to_jsonb(NEW) - ARRAY['reason']) = (to_jsonb(OLD) - ARRAY['reason'])\n       AND NEW.reason = ''\n       AND EXISTS (SELECT FROM calls_incident i LEFT JOIN calls_call c ON c.id = i.call_id\n      JOIN crm_prospect p ON p.id IN (i.prospect_id, c.prospect_id)\n     WHERE i.id = OLD.incident_id AND p.erased_at IS NOT NULL)\n    THEN RETURN NEW; END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'incident_decision_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="8a14c4345191391541e6f5d1c9d6ee1668369e7f",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_incident_decision_append_only_rows_62fb0",
                                    table="calls_incidentdecision",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="incident_decision_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'incident_decision_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="a007dd617f3738ef59e2db9313b3f255c273d8fb",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_incident_decision_append_only_all_585c8",
                                    table="calls_incidentdecision",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="incident_no_longer_waits",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    UPDATE calls_incident SET waiting = false WHERE id = NEW.incident_id;\n    RETURN NULL;\n",
                                    hash="59f725ae4c920daed7a849b619e6c60b0a9191ce",
                                    operation="INSERT",
                                    pgid="pgtrigger_incident_no_longer_waits_66946",
                                    table="calls_incidentdecision",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="LineReport",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("event", models.CharField(max_length=12)),
                        ("key", models.CharField(max_length=120)),
                        (
                            "standing",
                            models.CharField(
                                choices=[
                                    ("done", "Suivi d'effet"),
                                    ("already", "Déjà connu"),
                                    ("confirms", "Confirme l'agent"),
                                    ("completes", "Complète ce qui manquait"),
                                    ("late", "Arrivé après coup"),
                                    ("contradicts", "Contredit ce qui était dit"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("data", models.JSONField(blank=True, default=dict)),
                        ("said_at", models.DateTimeField(blank=True, null=True)),
                        ("counts_at", models.DateTimeField()),
                        ("at", models.DateTimeField()),
                        (
                            "by",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "call",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="line_reports",
                                to="calls.call",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "signal d'un autocommutateur",
                        "verbose_name_plural": "signaux d'autocommutateurs",
                        "ordering": ("id",),
                        "constraints": [
                            models.UniqueConstraint(fields=("by", "key"), name="line_report_once"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "standing__in",
                                        ["done", "already", "confirms", "completes", "late", "contradicts"],
                                    )
                                ),
                                name="line_report_standing_known",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="line_report_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'line_report_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="beec4056aa86175f7e3029e85397bd9c8bcb0434",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_line_report_append_only_rows_17d89",
                                    table="calls_linereport",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="line_report_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'line_report_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="5da1d9abd0c7d6c1c9c88644c2538e97ed6b0780",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_line_report_append_only_all_e2fcd",
                                    table="calls_linereport",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Lookup",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.CharField(max_length=16)),
                        (
                            "found",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), blank=True, default=list, size=None
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        (
                            "by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "recherche d'un numéro",
                        "verbose_name_plural": "recherches de numéros",
                        "ordering": ("-id",),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("number", ""),
                                    ("number__regex", "^\\+[1-9][0-9]{6,14}$"),
                                    _connector="OR",
                                ),
                                name="lookup_number_e164",
                            )
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="lookup_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF TG_OP = 'UPDATE'\n       AND (to_jsonb(NEW) - ARRAY['number']) = (to_jsonb(OLD) - ARRAY['number'])\n       AND NEW.number = ''\n       AND EXISTS (SELECT FROM crm_prospect p WHERE p.erased_at IS NOT NULL AND p.id = ANY (OLD.found))\n    THEN RETURN NEW; END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'lookup_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="bf0954a33d2dff377ec5c630f85986c2438ddb0a",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_lookup_append_only_rows_548d0",
                                    table="calls_lookup",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="lookup_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'lookup_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="a598a14335841d06da278d762bcf475014ae3e35",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_lookup_append_only_all_e6882",
                                    table="calls_lookup",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="NoteWarning",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "place",
                            models.CharField(
                                choices=[
                                    ("note", "Note"),
                                    ("disposition", "Note de qualification"),
                                    ("heard", "Ce qui a été entendu"),
                                    ("wish", "Souhait"),
                                    ("hand_over", "Transmission"),
                                ],
                                max_length=12,
                                verbose_name="où",
                            ),
                        ),
                        (
                            "category",
                            models.CharField(
                                choices=[
                                    ("insult", "Insulte"),
                                    ("health", "Santé"),
                                    ("religion", "Religion"),
                                    ("opinion", "Opinion politique ou syndicale"),
                                    ("sexuality", "Vie intime"),
                                    ("origin", "Origine"),
                                ],
                                max_length=12,
                                verbose_name="catégorie",
                            ),
                        ),
                        ("reason", models.CharField(max_length=300, verbose_name="motif")),
                        ("at", models.DateTimeField()),
                        (
                            "by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "call",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="note_warnings",
                                to="calls.call",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "avertissement sur une note",
                        "verbose_name_plural": "avertissements sur des notes",
                        "ordering": ("id",),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "category__in",
                                        ["insult", "health", "religion", "opinion", "sexuality", "origin"],
                                    )
                                ),
                                name="note_warning_category_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("place__in", ["note", "disposition", "heard", "wish", "hand_over"])
                                ),
                                name="note_warning_place_known",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="note_warning_append_only_rows",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    IF TG_OP = 'UPDATE'\n       AND (to_jsonb(NEW) - ARRAY['reason']) = (to_jsonb(OLD) - ARRAY['reason'])\n       AND NEW.reason = ''\n       AND EXISTS (SELECT FROM calls_call c JOIN crm_prospect p ON p.id = c.prospect_id\n     WHERE c.id = OLD.call_id AND p.erased_at IS NOT NULL)\n    THEN RETURN NEW; END IF;\n\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'note_warning_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="df1d5cc04de4b10628f127ce818cf40cb0dd894e",
                                    operation="UPDATE OR DELETE",
                                    pgid="pgtrigger_note_warning_append_only_rows_ca78a",
                                    table="calls_notewarning",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="note_warning_append_only_all",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    func="\n    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'note_warning_append_only', TABLE = TG_TABLE_NAME,\n        MESSAGE = 'history is append-only: add a row that corrects it';\n",
                                    hash="abb6f7e1960d015bda3b2e5faae87bc03b37e8f8",
                                    level="STATEMENT",
                                    operation="TRUNCATE",
                                    pgid="pgtrigger_note_warning_append_only_all_68971",
                                    table="calls_notewarning",
                                    when="BEFORE",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Pause",
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
                                choices=[
                                    ("short", "Pause courte"),
                                    ("lunch", "Repas"),
                                    ("training", "Formation"),
                                    ("meeting", "Réunion"),
                                    ("technical", "Souci technique"),
                                    ("hard_call", "Après un appel éprouvant"),
                                ],
                                db_default="short",
                                default="short",
                                max_length=10,
                            ),
                        ),
                        ("reason", models.CharField(blank=True, max_length=100, verbose_name="motif")),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "after_call",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="breaks",
                                to="calls.call",
                            ),
                        ),
                        (
                            "agent",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="pauses",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "pause",
                        "verbose_name_plural": "pauses",
                        "indexes": [models.Index(fields=["agent", "started_at"], name="pause_day")],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("ended_at__isnull", True)),
                                fields=("agent",),
                                name="pause_one_open",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("after_call__isnull", False)),
                                fields=("after_call", "agent"),
                                name="pause_once_after_call",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "kind__in",
                                        ["short", "lunch", "training", "meeting", "technical", "hard_call"],
                                    )
                                ),
                                name="pause_kind_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("after_call__isnull", False), ("kind", "hard_call")),
                                    models.Q(
                                        models.Q(("kind", "hard_call"), _negated=True),
                                        ("after_call__isnull", True),
                                    ),
                                    _connector="OR",
                                ),
                                name="pause_hard_after_a_call",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="pause_after_own_call",
                                sql=crm.models.triggers.StrictTriggerSql(
                                    condition="WHEN (NEW.after_call_id IS NOT NULL)",
                                    func="\n    IF NOT EXISTS (SELECT FROM calls_call c WHERE c.id = NEW.after_call_id AND c.agent_id = NEW.agent_id)\n       AND NOT EXISTS (SELECT FROM calls_callevent e WHERE e.call_id = NEW.after_call_id AND e.by_id = NEW.agent_id)\n    THEN\n        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'pause_after_own_call', TABLE = TG_TABLE_NAME,\n            MESSAGE = 'a break after a hard call is after a call that the agent held';\n    END IF;\n    RETURN NEW;\n",
                                    hash="3dafd5c0217bbbd73be8f8c2f0eb9f004e97ea05",
                                    operation='INSERT OR UPDATE OF "after_call_id", "agent_id"',
                                    pgid="pgtrigger_pause_after_own_call_190d5",
                                    table="calls_pause",
                                    when="BEFORE",
                                ),
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Practice",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("exercise", models.SlugField(max_length=48)),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        ("moves", models.JSONField(blank=True, default=list)),
                        (
                            "agent",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="practices",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "exercice",
                        "verbose_name_plural": "exercices",
                        "ordering": ("-id",),
                        "indexes": [models.Index(fields=["agent", "exercise"], name="practice_by_agent")],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ended_at__isnull", True),
                                    ("ended_at__gte", models.F("started_at")),
                                    _connector="OR",
                                ),
                                name="practice_ends_after_it_starts",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Press",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.CharField(max_length=40)),
                        ("at", models.DateTimeField(db_index=True)),
                        (
                            "agent",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "geste",
                        "verbose_name_plural": "gestes",
                        "constraints": [models.UniqueConstraint(fields=("agent", "key"), name="press_once")],
                    },
                ),
                migrations.CreateModel(
                    name="Reminder",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("due_at", models.DateTimeField()),
                        ("done_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "call",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="reminders",
                                to="calls.call",
                            ),
                        ),
                        (
                            "done_by",
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
                            "event",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="reminder",
                                to="calls.callevent",
                            ),
                        ),
                        (
                            "owner",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="reminders",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "souhait à transmettre",
                        "verbose_name_plural": "souhaits à transmettre",
                        "indexes": [
                            models.Index(
                                condition=models.Q(("done_at__isnull", True)),
                                fields=["owner", "due_at"],
                                name="reminder_open",
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("done_at__isnull", True), ("done_by__isnull", True)),
                                    models.Q(("done_at__isnull", False), ("done_by__isnull", False)),
                                    _connector="OR",
                                ),
                                name="reminder_done_by_somebody",
                            )
                        ],
                    },
                ),
            ]
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="guardedexclusion",
            trigger=pgtrigger.compiler.Trigger(
                name="exclusion_2_release",
                sql=crm.models.triggers.StrictTriggerSql(
                    func="\n    EXECUTE $sql$\n    WITH hit AS (\n        SELECT c.id FROM new_rows x JOIN calls_call c ON c.number = x.number WHERE c.state = 'claimed'\n        UNION\n        SELECT c.id FROM new_rows x JOIN calls_call c ON c.prospect_id = x.prospect_id WHERE c.state = 'claimed'\n        UNION\n        SELECT c.id FROM new_rows x JOIN crm_prospectnumber n ON n.prospect_id = x.prospect_id\n          JOIN calls_call c ON c.number = n.number WHERE c.state = 'claimed' AND c.prospect_id IS NULL\n    ), locked AS (\n        SELECT c.id, c.number, c.prospect_id, c.campaign_id FROM calls_call c\n         WHERE c.id IN (SELECT id FROM hit) AND c.state = 'claimed' ORDER BY c.id FOR UPDATE\n    ), barred AS MATERIALIZED (\n        SELECT l.id FROM locked l\n         WHERE courtois_covering_exclusion(l.number, l.prospect_id, l.campaign_id) IS NOT NULL\n    ), gone AS (\n        UPDATE calls_call c SET state = 'released', release_reason = 'excluded', done_at = clock_timestamp()\n          FROM barred WHERE c.id = barred.id\n        RETURNING c.id, c.entry_id, c.entry_was\n    ), told AS (\n        INSERT INTO calls_callevent (call_id, kind, at, data)\n        SELECT id, 'released', clock_timestamp(), '{\"reason\": \"excluded\"}' FROM gone\n    )\n    UPDATE campaigns_listentry e SET state = coalesce(nullif(g.entry_was, ''), 'ready'), updated_at = clock_timestamp()\n      FROM gone g WHERE e.id = g.entry_id AND e.state = 'claimed'\n    $sql$;\n    RETURN NULL;\n",
                    hash="fc00c3d21ea34137dec0edcf26161f4b2ebfb8af",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_exclusion_2_release_80090",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="campaigns_exclusion",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="guardedexclusion",
            trigger=pgtrigger.compiler.Trigger(
                name="exclusion_4_callbacks",
                sql=crm.models.triggers.StrictTriggerSql(
                    func="\n    EXECUTE $sql$\n    WITH hit AS MATERIALIZED (\n        SELECT b.id, e.number, e.prospect_id, e.campaign_id\n          FROM calls_callback b JOIN campaigns_listentry e ON e.id = b.entry_id\n         WHERE b.state = 'open' AND e.prospect_id IN (\n               SELECT prospect_id FROM new_rows WHERE prospect_id IS NOT NULL\n                UNION ALL\n               SELECT n.prospect_id FROM new_rows x JOIN crm_prospectnumber n ON n.number = x.number)\n    ), barred AS MATERIALIZED (\n        SELECT h.id FROM hit h\n         WHERE courtois_callable_number(h.prospect_id, h.campaign_id) IS NULL\n           AND courtois_covering_exclusion(h.number, h.prospect_id, h.campaign_id) IS NOT NULL\n    )\n    UPDATE calls_callback b SET state = 'excluded', closed_at = clock_timestamp()\n      FROM barred WHERE b.id = barred.id AND b.state = 'open'\n    $sql$;\n    RETURN NULL;\n",
                    hash="c19f609efce3c774aa447e556d42ee0b2894a412",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_exclusion_4_callbacks_c606d",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="campaigns_exclusion",
                    when="AFTER",
                ),
            ),
        ),
    ]
