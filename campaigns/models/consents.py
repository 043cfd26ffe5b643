"""Consents to be called, given to a principal, and their withdrawals. The database keeps a withdrawal for good."""

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.enums import NOT_THE_PERSONS, Withdrawal
from campaigns.rules.consent import LONGEST
from crm.models import Prospect, Source, Sponsor
from crm.models.triggers import Trigger, no_delete

_PERSONS = "withdrawn_at IS NOT NULL AND {row}.withdrawn_how NOT IN ('undone', 'replaced')"

#: A row changes once: it is withdrawn. Its text goes when the person is erased.
ONLY_WITHDRAWN = """
    IF NEW.exact_text = '' AND (to_jsonb(NEW) - 'exact_text') = (to_jsonb(OLD) - 'exact_text')
       AND EXISTS (SELECT FROM crm_prospect p WHERE p.id = OLD.prospect_id AND p.erased_at IS NOT NULL)
    THEN RETURN NEW; END IF;
    IF OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NULL
       OR (to_jsonb(NEW) - ARRAY['withdrawn_at', 'withdrawn_how', 'withdrawn_by_id'])
          <> (to_jsonb(OLD) - ARRAY['withdrawn_at', 'withdrawn_how', 'withdrawn_by_id'])
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'consent_only_withdrawn', TABLE = TG_TABLE_NAME,
            MESSAGE = 'a consent is only ever withdrawn, once, and a withdrawal stands';
    END IF;
    RETURN NEW;
"""

#: Whoever gives shares the person's bucket, whoever withdraws has it alone: neither can miss the other.
_LOCK = """
    PERFORM CASE WHEN alone THEN pg_advisory_xact_lock(72, k) ELSE pg_advisory_xact_lock_shared(72, k) END
       FROM (SELECT hashint8(prospect_id) & 1023 AS k, bool_or(withdrawn_at IS NOT NULL) AS alone
               FROM new_rows GROUP BY 1 ORDER BY 1) s;
"""
#: Who withdraws, withdraws whatever was given before.
_SPREAD = f"""
    UPDATE campaigns_consent o
       SET withdrawn_at = n.withdrawn_at, withdrawn_how = n.withdrawn_how, withdrawn_by_id = n.withdrawn_by_id
      FROM new_rows n
     WHERE n.{_PERSONS.format(row="n")} AND o.prospect_id = n.prospect_id AND o.sponsor_id = n.sponsor_id
       AND o.withdrawn_at IS NULL AND (o.given_at IS NULL OR o.given_at <= n.withdrawn_at);
"""
#: Behind a withdrawal only a later consent counts, and no supplier's file may bring it.
GIVEN = f"""
    {_LOCK}
    IF EXISTS (
        SELECT FROM new_rows n JOIN campaigns_consent w ON w.prospect_id = n.prospect_id AND w.sponsor_id = n.sponsor_id
         WHERE n.withdrawn_at IS NULL AND w.{_PERSONS.format(row="w")}
           AND (n.import_ref IS NOT NULL OR n.given_at IS NULL OR n.given_at <= w.withdrawn_at))
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'consent_stays_withdrawn', TABLE = TG_TABLE_NAME,
            MESSAGE = 'this person withdrew: only a later consent, entered by hand, counts again';
    END IF;
    {_SPREAD}
    RETURN NULL;
"""
#: Spreading is an update too: it ends where it finds no more rows.
WITHDRAWN = f"""
    IF NOT EXISTS (SELECT FROM new_rows) THEN RETURN NULL; END IF;
    {_LOCK}
    {_SPREAD}
    RETURN NULL;
"""


class ConsentQuerySet(models.QuerySet["Consent"]):
    """The vocabulary for finding consents."""

    def valid(self, at: datetime) -> "ConsentQuerySet":
        """Keep those that hold at `at`, as `rules.consent.is_consent_valid` tells."""
        return self.filter(
            Q(period_end__isnull=True) | Q(period_end__gt=at),
            withdrawn_at__isnull=True,
            given_at__lte=at,
            given_at__gt=at - LONGEST,
        )

    def withdrawn_by_the_person(self) -> "ConsentQuerySet":
        """Keep the withdrawals; a row that an undone or later import closed is none."""
        return self.filter(withdrawn_at__isnull=False).exclude(withdrawn_how__in=NOT_THE_PERSONS)


class Consent(models.Model):
    """A person's consent to be called by a principal, or its withdrawal. Never deleted, only withdrawn.

    `given_at` is null when unknown: then nothing is proved and the consent never holds. `import_ref` is the id of the
    import whose file said so, null when somebody entered it. A withdrawal of what was never told is a row of its own,
    without `given_at`."""

    prospect = models.ForeignKey(Prospect, on_delete=models.PROTECT, related_name="consents", db_index=False)
    sponsor = models.ForeignKey(Sponsor, on_delete=models.PROTECT, related_name="+", db_index=False)
    given_at = models.DateTimeField(_("donné le"), null=True, blank=True)
    period_end = models.DateTimeField(_("jusqu'au"), null=True, blank=True)
    channel = models.CharField(_("canal"), max_length=100, blank=True)
    exact_text = models.TextField(_("texte exact"), blank=True)
    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    import_ref = models.BigIntegerField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("consentement retiré le"), null=True, blank=True)
    withdrawn_how = models.CharField(
        _("retiré comment"), max_length=10, choices=Withdrawal.choices, blank=True
    )
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consentement")
        verbose_name_plural = _("consentements")
        constraints = [
            # A date to come is an error, not a consent that begins by itself one day.
            models.CheckConstraint(
                condition=Q(given_at__isnull=True) | Q(given_at__lte=models.F("created_at")),
                name="consent_not_from_the_future",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_how="", withdrawn_by__isnull=True)
                | (Q(withdrawn_at__isnull=False) & Q(withdrawn_how__in=Withdrawal.values)),
                name="consent_withdrawal_whole",
            ),
            # What somebody entered by hand is withdrawn by its person only.
            models.CheckConstraint(
                condition=~Q(withdrawn_how__in=sorted(NOT_THE_PERSONS)) | Q(import_ref__isnull=False),
                name="consent_undone_is_imported",
            ),
            # Told twice is one consent; also the way to the consents of a person.
            models.UniqueConstraint(
                fields=["prospect", "sponsor", "given_at"],
                condition=Q(withdrawn_at__isnull=True),
                nulls_distinct=False,
                name="consent_once",
            ),
        ]
        indexes = [
            # Whether a person withdrew, asked for each row of an import.
            models.Index(fields=["prospect", "sponsor"], name="consent_of_prospect"),
            # Undo of an import.
            models.Index(fields=["import_ref"], condition=Q(import_ref__isnull=False), name="consent_import"),
        ]
        triggers = [
            Trigger(
                name="consent_only_withdrawn",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=ONLY_WITHDRAWN,
            ),
            Trigger(
                name="consent_given",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_rows"),
                func=GIVEN,
            ),
            Trigger(
                name="consent_withdrawn",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(new="new_rows"),
                func=WITHDRAWN,
            ),
            *no_delete("consent_never_deleted", "a consent is withdrawn, never deleted"),
        ]

    def __str__(self) -> str:
        return f"#{self.prospect_id} {self.given_at or '?'}"
