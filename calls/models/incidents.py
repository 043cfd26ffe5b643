"""What a supervisor is told or asked, and what was decided. Both append-only."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from calls.enums import Decision, IncidentKind
from calls.models.calls import Call
from campaigns.models import Exclusion
from crm.models import Prospect, Sponsor
from crm.models.triggers import append_only

#: Finds the erased person that an incident or its decision is about.
ERASED_PERSON = """SELECT FROM crm_prospect p WHERE p.erased_at IS NOT NULL
     AND p.id IN (OLD.prospect_id, (SELECT c.prospect_id FROM calls_call c WHERE c.id = OLD.call_id))"""
ERASED_SUBJECT = """SELECT FROM calls_incident i LEFT JOIN calls_call c ON c.id = i.call_id
      JOIN crm_prospect p ON p.id IN (i.prospect_id, c.prospect_id)
     WHERE i.id = OLD.incident_id AND p.erased_at IS NOT NULL"""


class IncidentQuerySet(models.QuerySet["Incident"]):
    """The vocabulary for the inbox."""

    def waiting(self) -> "IncidentQuerySet":
        """Keep those on which nothing was decided yet."""
        return self.filter(decision_row__isnull=True)


class Incident(models.Model):
    """A report or a question. It is open until a decision row stands beside it. `data` is JSON facts, no words."""

    kind = models.CharField(max_length=16, choices=IncidentKind.choices)
    sponsor = models.ForeignKey(Sponsor, on_delete=models.PROTECT, related_name="+")
    call = models.ForeignKey(Call, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents")
    prospect = models.ForeignKey(
        Prospect, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents"
    )
    exclusion = models.ForeignKey(
        Exclusion, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents"
    )
    summary = models.CharField(max_length=500, blank=True)
    data = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ("-id",)
        constraints = [
            # A second submit, or a second tick of beat, must not ask twice.
            models.UniqueConstraint(fields=["call", "kind"], name="incident_once_per_call"),
        ]
        triggers = append_only("incident_append_only", erased=ERASED_PERSON, blank={"summary": "''"})

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class IncidentDecision(models.Model):
    """What a supervisor decided on an incident, once."""

    incident = models.OneToOneField(Incident, on_delete=models.PROTECT, related_name="decision_row")
    decision = models.CharField(max_length=14, choices=Decision.choices)
    reason = models.CharField(_("motif"), max_length=500, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("décision")
        verbose_name_plural = _("décisions")
        triggers = append_only("incident_decision_append_only", erased=ERASED_SUBJECT, blank={"reason": "''"})

    def __str__(self) -> str:
        return self.decision
