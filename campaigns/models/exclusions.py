"""Bars on dialling. The database alone decides: it locks, closes the queue behind a new bar, refuses deletion."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campaigns.enums import ExclusionReason, Scope
from campaigns.models.programmes import Programme
from crm.models import Prospect, Sponsor
from crm.models.record_changes import RECORD, recording
from crm.models.triggers import Trigger, no_delete
from crm.rules.phones import national

#: A bar in a campaign is in its programme, a bar in a programme is in its sponsor: filled in, never trusted.
FILL = """
    IF NEW.lifted_at IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'exclusion_only_lifted', TABLE = TG_TABLE_NAME,
            MESSAGE = 'an exclusion begins in force: lifting it is an act of its own';
    END IF;
    IF NEW.scope = 'campaign' THEN
        SELECT c.programme_id INTO NEW.programme_id FROM campaigns_campaign c WHERE c.id = NEW.campaign_id;
    END IF;
    IF NEW.scope IN ('campaign', 'programme') THEN
        SELECT p.sponsor_id INTO NEW.sponsor_id FROM campaigns_programme p WHERE p.id = NEW.programme_id;
    END IF;
    RETURN NEW;
"""

#: Lifting is the only change, once, by somebody who may, with a reason. The note goes when its person is erased.
ONLY_LIFTED = """
    IF NEW.note = '' AND (to_jsonb(NEW) - 'note') = (to_jsonb(OLD) - 'note') AND EXISTS (
        SELECT FROM crm_prospect p WHERE p.erased_at IS NOT NULL
           AND p.id IN (OLD.prospect_id, (SELECT c.prospect_id FROM calls_call c WHERE c.id = OLD.call_ref)))
    THEN
        NEW.version := OLD.version + 1;
        RETURN NEW;
    END IF;
    IF OLD.lifted_at IS NOT NULL
       OR (to_jsonb(NEW) - ARRAY['lifted_at', 'lifted_by_id', 'lift_reason'])
          <> (to_jsonb(OLD) - ARRAY['lifted_at', 'lifted_by_id', 'lift_reason'])
       OR NEW.lifted_at IS NULL OR btrim(NEW.lift_reason) = ''
       OR NOT EXISTS (SELECT FROM crm_user u WHERE u.id = NEW.lifted_by_id
                      AND u.role IN ('supervisor', 'manager', 'admin'))
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'exclusion_only_lifted', TABLE = TG_TABLE_NAME,
            MESSAGE = 'an exclusion is only ever lifted: once, by a supervisor or manager, with a reason';
    END IF;
    NEW.version := OLD.version + 1;
    RETURN NEW;
"""

#: Waits for the claims and dials under way on these numbers and prospects; later ones see the bar.
LOCK = """
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        -- That snapshot could not see a call that was claimed a moment ago, and would leave it on the screen.
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'exclusion_needs_read_committed', TABLE = TG_TABLE_NAME,
            MESSAGE = 'exclusions are written under READ COMMITTED';
    END IF;
    PERFORM pg_advisory_xact_lock(71, k) FROM (
        SELECT DISTINCT k FROM (
            SELECT hashtext(number) & 1023 AS k FROM new_rows WHERE number IS NOT NULL
            UNION SELECT hashint8(prospect_id) & 1023 FROM new_rows WHERE prospect_id IS NOT NULL
        ) q ORDER BY k) s;
    RETURN NULL;
"""

#: Closes the waiting entries that the new bars cover, or moves them to a number that is still allowed.
#: Planned at each run (EXECUTE): one row and a list of 200,000 want different plans, and sessions do both.
CLOSE = """
    EXECUTE $sql$
    WITH hit AS (
        SELECT e.id FROM new_rows x JOIN campaigns_listentry e ON e.prospect_id = x.prospect_id
         WHERE e.state IN ('ready', 'callback')
        UNION
        SELECT e.id FROM new_rows x JOIN crm_prospectnumber n ON n.number = x.number
          JOIN campaigns_listentry e ON e.prospect_id = n.prospect_id
         WHERE e.state IN ('ready', 'callback')
    ), locked AS (
        SELECT e.id, e.number, e.prospect_id, e.campaign_id FROM campaigns_listentry e
         WHERE e.id IN (SELECT id FROM hit) AND e.state IN ('ready', 'callback') ORDER BY e.id FOR UPDATE
    ), judged AS MATERIALIZED (
        SELECT l.id, courtois_covering_exclusion(l.number, l.prospect_id, l.campaign_id) AS bar,
               courtois_callable_number(l.prospect_id, l.campaign_id) AS other
          FROM locked l
    )
    UPDATE campaigns_listentry e
       SET state = CASE WHEN j.other IS NULL THEN 'excluded' ELSE e.state END,
           number = coalesce(j.other, e.number),
           excluded_by_id = CASE WHEN j.other IS NULL THEN j.bar END,
           verdict_gate = CASE WHEN j.other IS NULL THEN 'exclusion' ELSE '' END,
           verdict_reason = CASE WHEN j.other IS NULL THEN x.reason ELSE '' END,
           verdict_until = CASE WHEN j.other IS NULL THEN x.until END,
           updated_at = clock_timestamp()
      FROM judged j JOIN campaigns_exclusion x ON x.id = j.bar
     WHERE e.id = j.id
    $sql$;
    RETURN NULL;
"""

_CREATED = "SELECT n.id, true, n.sponsor_id FROM new_rows n"
_CHANGED = "SELECT n.id, false, n.sponsor_id FROM new_rows n"
_LIFTED = f"""{_CHANGED} JOIN old_rows o USING (id)
     WHERE n.lifted_at IS NOT NULL AND o.lifted_at IS NULL"""


class ExclusionQuerySet(models.QuerySet["Exclusion"]):
    """The vocabulary for finding bars."""

    def active(self) -> "ExclusionQuerySet":
        """Keep the bars that hold now: not lifted, not past their end."""
        return self.filter(Q(until__isnull=True) | Q(until__gt=Now()), lifted_at__isnull=True)


class Exclusion(models.Model):
    """A bar on dialling a number, a prospect or both, within a scope. Never deleted, only lifted.

    Keyed by the E.164 number, so that it outlives every record that carried it. `call_ref` is the id of the
    call that caused it, `import_ref` that of the import whose file said so. With both `number` and `prospect`
    set, either one is barred.
    """

    scope = models.CharField(_("portée"), max_length=10, choices=Scope.choices)
    sponsor = models.ForeignKey(
        Sponsor, on_delete=models.PROTECT, null=True, blank=True, related_name="exclusions"
    )
    programme = models.ForeignKey(
        Programme, on_delete=models.PROTECT, null=True, blank=True, related_name="exclusions"
    )
    campaign = models.ForeignKey(
        "campaigns.Campaign", on_delete=models.PROTECT, null=True, blank=True, related_name="exclusions"
    )
    number = models.CharField(_("numéro"), max_length=16, null=True, blank=True)
    prospect = models.ForeignKey(
        Prospect, on_delete=models.PROTECT, null=True, blank=True, related_name="exclusions", db_index=False
    )
    reason = models.CharField(_("motif"), max_length=20, choices=ExclusionReason.choices)
    note = models.CharField(_("précision"), max_length=300, blank=True)
    since = models.DateTimeField(_("depuis"))
    until = models.DateTimeField(_("jusqu'à"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    call_ref = models.BigIntegerField(null=True, blank=True)
    import_ref = models.BigIntegerField(null=True, blank=True)
    lifted_at = models.DateTimeField(_("levée le"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    lift_reason = models.CharField(_("motif de levée"), max_length=300, blank=True)
    #: 1, and one more with each change that the database lets pass: it counts by itself.
    version = models.PositiveSmallIntegerField(default=1, db_default=1, editable=False)

    objects = ExclusionQuerySet.as_manager()

    class Meta:
        verbose_name = _("exclusion")
        verbose_name_plural = _("exclusions")
        constraints = [
            models.CheckConstraint(
                condition=Q(number__isnull=False) | Q(prospect__isnull=False), name="exclusion_bars_something"
            ),
            models.CheckConstraint(
                condition=Q(number__isnull=True) | Q(number__regex=r"^\+[1-9][0-9]{6,14}$"),
                name="exclusion_number_e164",
            ),
            models.CheckConstraint(
                condition=Q(
                    scope="everywhere", sponsor__isnull=True, programme__isnull=True, campaign__isnull=True
                )
                | Q(scope="sponsor", sponsor__isnull=False, programme__isnull=True, campaign__isnull=True)
                | Q(scope="programme", sponsor__isnull=False, programme__isnull=False, campaign__isnull=True)
                | Q(scope="campaign", sponsor__isnull=False, programme__isnull=False, campaign__isnull=False),
                name="exclusion_scope_names_its_place",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lift_reason="")
                | (Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lift_reason="")),
                name="exclusion_lift_whole",
            ),
        ]
        indexes = [
            # The guard of every dial, by number and by prospect.
            models.Index(
                fields=["number"], condition=Q(lifted_at__isnull=True), name="exclusion_active_number"
            ),
            models.Index(
                fields=["prospect"], condition=Q(lifted_at__isnull=True), name="exclusion_active_prospect"
            ),
            # The page of a fiche: what was lifted of it; with the index before, its whole history.
            models.Index(
                fields=["prospect"],
                condition=Q(lifted_at__isnull=False, prospect__isnull=False),
                name="exclusion_lifted_prospect",
            ),
            # The page of exclusions: a number's whole history.
            models.Index(fields=["number", "id"], name="exclusion_number"),
            # Bars that end by themselves, looked for by beat.
            models.Index(
                fields=["until"],
                condition=Q(until__isnull=False, lifted_at__isnull=True),
                name="exclusion_until",
            ),
            models.Index(fields=["call_ref"], condition=Q(call_ref__isnull=False), name="exclusion_call"),
        ]
        triggers = [
            Trigger(
                name="exclusion_fill",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                # An old opt-out list has nothing to fill in, and hundreds of thousands of rows.
                condition=pgtrigger.Condition(
                    "NEW.scope IN ('campaign', 'programme') OR NEW.lifted_at IS NOT NULL"
                ),
                func=FILL,
            ),
            Trigger(
                name="exclusion_only_lifted",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=ONLY_LIFTED,
            ),
            # Statement triggers fire in the order of their names: lock, then release calls (calls app), then close.
            Trigger(
                name="exclusion_1_lock",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_rows"),
                func=LOCK,
            ),
            Trigger(
                name="exclusion_3_close",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_rows"),
                func=CLOSE,
            ),
            *no_delete("exclusion_never_deleted", "an exclusion is lifted, never deleted"),
            recording("exclusion_5_recorded_new", "exclusion", _CREATED, pgtrigger.Insert),
            recording(
                "exclusion_5_recorded_changed",
                "exclusion",
                _CHANGED,
                pgtrigger.Update,
                before=RECORD.format(kind="exclusion.lifted", rows=_LIFTED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.number or self.prospect_id} {self.reason}"

    @property
    def spelling(self) -> str:
        """The barred number as people read it, "" when only a prospect is barred."""
        return national(self.number) if self.number else ""
