"""What a supervisor is told or asked, and what was decided. Both append-only."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models.fields.json import KT
from django.utils.translation import gettext_lazy as _

from calls.enums import OF_LISTS, AnswerKind, Decision, IncidentKind, StartedBy
from calls.models.calls import TOUCH, Call
from campaigns.models import Exclusion
from crm.models import Prospect, Sponsor
from crm.models.record_changes import recording
from crm.models.triggers import Trigger, append_only

#: Finds the erased person that an incident or its decision is about.
ERASED_PERSON = """SELECT FROM crm_prospect p WHERE p.erased_at IS NOT NULL
     AND p.id IN (OLD.prospect_id, (SELECT c.prospect_id FROM calls_call c WHERE c.id = OLD.call_id))"""
ERASED_SUBJECT = """SELECT FROM calls_incident i LEFT JOIN calls_call c ON c.id = i.call_id
      JOIN crm_prospect p ON p.id IN (i.prospect_id, c.prospect_id)
     WHERE i.id = OLD.incident_id AND p.erased_at IS NOT NULL"""

#: The mark that an incident waits goes with its decision and with nothing else.
DECIDED = """
    IF TG_OP = 'UPDATE' AND OLD.waiting AND NOT NEW.waiting
       AND (to_jsonb(NEW) - 'waiting') = (to_jsonb(OLD) - 'waiting')
       AND EXISTS (SELECT FROM calls_incidentdecision d WHERE d.incident_id = OLD.id)
    THEN RETURN NEW; END IF;
"""
NO_LONGER_WAITS = """
    UPDATE calls_incident SET waiting = false WHERE id = NEW.incident_id;
    RETURN NULL;
"""
WAITS_AT_FIRST = "NEW.waiting := true; RETURN NEW;"


class IncidentQuerySet(models.QuerySet["Incident"]):
    """The vocabulary for the inbox."""

    def waiting(self) -> "IncidentQuerySet":
        """Keep those on which nothing was decided yet."""
        return self.filter(waiting=True)


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
    #: Whether no decision stands beside it: kept by the database, so that what waits is found without what was.
    waiting = models.BooleanField(default=True, db_default=True, editable=False)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ("-id",)
        constraints = [
            # A second submit, or a second tick of beat, must not ask twice.
            models.UniqueConstraint(fields=["call", "kind"], name="incident_once_per_call"),
            # A list is suspected once of the same thing, however many of its calls say so.
            models.UniqueConstraint(
                KT("data__call_list"),
                "kind",
                condition=models.Q(kind__in=sorted(OF_LISTS.values())),
                name="incident_once_per_list",
            ),
        ]
        indexes = [
            # The inbox and the count beside its link, asked every few seconds by every supervisor.
            models.Index(fields=["sponsor", "id"], condition=models.Q(waiting=True), name="incident_waiting"),
        ]
        triggers = [
            *append_only(
                "incident_append_only", erased=ERASED_PERSON, blank={"summary": "''"}, allow=DECIDED
            ),
            Trigger(
                name="incident_waits_at_first",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=WAITS_AT_FIRST,
            ),
            recording(
                "incident_recorded",
                "incident.opened",
                "SELECT id, true, sponsor_id FROM new_rows",
                pgtrigger.Insert,
                before=TOUCH,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class IncidentDecision(models.Model):
    """What a supervisor decided on an incident, once."""

    incident = models.OneToOneField(Incident, on_delete=models.PROTECT, related_name="decision_row")
    decision = models.CharField(max_length=14, choices=Decision.choices)
    reason = models.CharField(_("motif"), max_length=500, blank=True)
    #: Who was rude first, "" where nobody asked.
    started_by = models.CharField(
        _("qui a commencé"), max_length=8, choices=StartedBy.choices, default="", db_default="", blank=True
    )
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("décision")
        verbose_name_plural = _("décisions")
        indexes = [
            # The inbox's page of what was decided, the latest first.
            models.Index(fields=["-at"], name="incident_decision_at"),
        ]
        triggers = [
            *append_only("incident_decision_append_only", erased=ERASED_SUBJECT, blank={"reason": "''"}),
            Trigger(
                name="incident_no_longer_waits",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func=NO_LONGER_WAITS,
            ),
        ]

    def __str__(self) -> str:
        return self.decision


#: Only somebody who decides answers, and only while no decision stands.
ANSWERED_WHILE_WAITING = """
    PERFORM FROM calls_incident i WHERE i.id = NEW.incident_id AND i.waiting FOR NO KEY UPDATE;
    IF NOT FOUND OR NOT EXISTS (SELECT FROM crm_user u WHERE u.id = NEW.by_id
                                 AND u.role IN ('supervisor', 'manager', 'admin')) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'incident_answer_by_supervisor', TABLE = TG_TABLE_NAME,
            MESSAGE = 'a supervisor answers an incident, and before it is decided';
    END IF;
    RETURN NEW;
"""


class IncidentAnswer(models.Model):
    """What a supervisor answers an agent who waits: seen, coming, calling back later (`due_at`), or not able to.

    Append-only, and no decision: that one ends the incident. Two supervisors cannot both take a request on.
    """

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="answers")
    kind = models.CharField(max_length=8, choices=AnswerKind.choices)
    words = models.CharField(max_length=500, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("réponse à un agent")
        verbose_name_plural = _("réponses aux agents")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["incident"],
                condition=models.Q(kind__in=["accepted", "later"]),
                name="incident_taken_once",
            ),
            models.UniqueConstraint(fields=["incident", "by", "kind"], name="incident_answer_once_each"),
            models.CheckConstraint(
                condition=models.Q(kind=AnswerKind.LATER, due_at__isnull=False)
                | (~models.Q(kind=AnswerKind.LATER) & models.Q(due_at__isnull=True)),
                name="incident_answer_later_says_when",
            ),
        ]
        indexes = [
            # Promises that become callbacks once their call is over, looked for by beat.
            models.Index(fields=["due_at"], condition=models.Q(kind="later"), name="incident_promise"),
        ]
        triggers = [
            *append_only("incident_answer_append_only", erased=ERASED_SUBJECT, blank={"words": "''"}),
            Trigger(
                name="incident_answer_by_supervisor",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=ANSWERED_WHILE_WAITING,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.kind}"
