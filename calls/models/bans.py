"""Bans: asked for, granted or refused by a manager, appealed. All append-only; the bar itself is an exclusion."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from calls.enums import BanState, BanVerdict
from calls.models.calls import Call
from calls.models.incidents import Incident
from campaigns.enums import Scope
from campaigns.models import Campaign, Exclusion, Programme
from crm.models import Prospect, Sponsor
from crm.models.triggers import Trigger, append_only
from crm.rules.phones import national

ERASED_BANNED = """SELECT FROM crm_prospect p WHERE p.erased_at IS NOT NULL
     AND p.id IN (OLD.prospect_id, (SELECT c.prospect_id FROM calls_call c WHERE c.id = OLD.call_id))"""
ERASED_OF_BAN = """SELECT FROM calls_ban b LEFT JOIN calls_call c ON c.id = b.call_id
      JOIN crm_prospect p ON p.id IN (b.prospect_id, c.prospect_id)
     WHERE b.id = OLD.ban_id AND p.erased_at IS NOT NULL"""

#: A manager decides, and another one than who asked where there are two; what is granted is barred, as it was asked.
DECIDED_BY_ANOTHER = """
    SELECT * INTO STRICT b FROM calls_ban WHERE id = NEW.ban_id FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT FROM crm_user u WHERE u.id = NEW.by_id AND u.is_active AND u.role IN ('manager', 'admin'))
       OR (NEW.verdict = 'granted' AND NEW.by_id = b.by_id AND EXISTS (
            SELECT FROM crm_user u WHERE u.id <> NEW.by_id AND u.is_active AND u.role IN ('manager', 'admin')))
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ban_granted_by_another', TABLE = TG_TABLE_NAME,
            MESSAGE = 'a ban is granted by a manager, another one than who asked for it where there are two';
    END IF;
    IF NEW.verdict = 'granted' AND NOT EXISTS (
        SELECT FROM campaigns_exclusion x
         WHERE x.id = NEW.exclusion_id AND x.reason = 'ban' AND x.lifted_at IS NULL AND x.scope = b.scope
           AND x.until IS NOT DISTINCT FROM NEW.expires_at
           AND x.number IS NOT DISTINCT FROM b.number AND x.prospect_id IS NOT DISTINCT FROM b.prospect_id)
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ban_is_an_exclusion', TABLE = TG_TABLE_NAME,
            MESSAGE = 'a granted ban is an exclusion in force: the same number, fiche, scope and end';
    END IF;
    RETURN NEW;
"""


class BanQuerySet(models.QuerySet["Ban"]):
    """The vocabulary for finding bans."""

    def waiting(self) -> "BanQuerySet":
        """Keep those on which no manager decided yet."""
        return self.filter(~Exists(BanDecision.objects.filter(ban=OuterRef("pk"))))

    def in_state(self, state: str) -> "BanQuerySet":
        """Keep those that stand so now (`calls.enums.BanState`); any other word keeps all."""
        ended = Q(decision__exclusion__until__lte=Now())
        lifted = Q(decision__exclusion__lifted_at__isnull=False)
        match state:
            case BanState.REQUESTED:
                return self.waiting()
            case BanState.REFUSED:
                return self.filter(decision__verdict=BanVerdict.REFUSED)
            case BanState.LIFTED:
                return self.filter(lifted)
            case BanState.EXPIRED:
                return self.filter(ended).exclude(lifted)
            case BanState.GRANTED:
                return self.filter(decision__verdict=BanVerdict.GRANTED).exclude(ended).exclude(lifted)
        return self


class Ban(models.Model):
    """The request to bar an abusive person: whom, how far, who asked, why, and on which evidence.

    `sponsor` is the one inside which it is shown. How it stands comes from its decision and from that one's exclusion.
    """

    number = models.CharField(_("numéro"), max_length=16, null=True, blank=True)
    prospect = models.ForeignKey(
        Prospect, on_delete=models.PROTECT, null=True, blank=True, related_name="bans"
    )
    scope = models.CharField(_("portée"), max_length=10, choices=Scope.choices)
    sponsor = models.ForeignKey(Sponsor, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    programme = models.ForeignKey(
        Programme, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    call = models.ForeignKey(Call, on_delete=models.PROTECT, null=True, blank=True, related_name="bans")
    incident = models.ForeignKey(
        Incident, on_delete=models.PROTECT, null=True, blank=True, related_name="bans"
    )
    why = models.CharField(_("motif"), max_length=500, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    objects = BanQuerySet.as_manager()

    class Meta:
        verbose_name = _("bannissement")
        verbose_name_plural = _("bannissements")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(number__isnull=False) | Q(prospect__isnull=False), name="ban_names_somebody"
            ),
            models.CheckConstraint(
                condition=Q(number__isnull=True) | Q(number__regex=r"^\+[1-9][0-9]{6,14}$"),
                name="ban_number_e164",
            ),
            models.CheckConstraint(condition=Q(scope__in=Scope.values), name="ban_scope_known"),
            # A second press, or the agent and the supervisor both, ask once.
            models.UniqueConstraint(
                fields=["call"], condition=Q(call__isnull=False), name="ban_once_per_call"
            ),
        ]
        indexes = [models.Index(fields=["number"], name="ban_number")]
        triggers = append_only("ban_append_only", erased=ERASED_BANNED, blank={"why": "''"})

    def __str__(self) -> str:
        return f"{self.scope} {self.number or self.prospect_id}"

    @property
    def spelling(self) -> str:
        """The number as people read it, "" when only a fiche is named."""
        return national(self.number) if self.number else ""

    @property
    def state(self) -> BanState:
        """How it stands now; `decision__exclusion` should be joined."""
        decision = getattr(self, "decision", None)
        if decision is None:
            return BanState.REQUESTED
        if decision.exclusion is None:
            return BanState.REFUSED
        if decision.exclusion.lifted_at is not None:
            return BanState.LIFTED
        until = decision.exclusion.until
        return BanState.EXPIRED if until is not None and until <= now() else BanState.GRANTED


class BanDecision(models.Model):
    """What a manager decided on a request, once. A granted one names the exclusion that it made."""

    ban = models.OneToOneField(Ban, on_delete=models.PROTECT, related_name="decision")
    verdict = models.CharField(max_length=8, choices=BanVerdict.choices)
    reason = models.CharField(_("motif"), max_length=500, blank=True)
    exclusion = models.OneToOneField(
        Exclusion, on_delete=models.PROTECT, null=True, blank=True, related_name="ban_decision"
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("décision sur un bannissement")
        verbose_name_plural = _("décisions sur des bannissements")
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict=BanVerdict.GRANTED, exclusion__isnull=False)
                | Q(verdict=BanVerdict.REFUSED, exclusion__isnull=True),
                name="ban_granted_bars",
            ),
        ]
        triggers = [
            Trigger(
                name="ban_granted_by_another",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("b", "calls_ban%ROWTYPE")],
                func=DECIDED_BY_ANOTHER,
            ),
            *append_only("ban_decision_append_only", erased=ERASED_OF_BAN, blank={"reason": "''"}),
        ]

    def __str__(self) -> str:
        return f"{self.ban_id} {self.verdict}"


class BanAppeal(models.Model):
    """A note on the person's appeal against a ban. Append-only: the last one counts, the others stay readable."""

    ban = models.ForeignKey(Ban, on_delete=models.PROTECT, related_name="appeals")
    text = models.CharField(_("note d'appel"), max_length=2000, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("note d'appel")
        verbose_name_plural = _("notes d'appel")
        ordering = ("-id",)
        triggers = append_only("ban_appeal_append_only", erased=ERASED_OF_BAN, blank={"text": "''"})

    def __str__(self) -> str:
        return f"{self.ban_id} {self.at:%Y-%m-%d %H:%M}"
