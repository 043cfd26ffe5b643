"""Changes that reach far: who made them, when, why, and what they touched. Append-only."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.enums import REASONED, ChangeKind
from campaigns.models.campaigns import Campaign
from campaigns.models.exclusions import Exclusion
from campaigns.models.programmes import Programme
from crm.models import Sponsor
from crm.models.triggers import append_only


class Change(models.Model):
    """One change of a criterion, of hours, of a disposition, of a list or of a bar, and what it touched.

    `sponsor` is the wall that it stands behind, null for a bar that holds everywhere. `before` and `after` hold what
    was changed, `touched` counts by code at the moment of doing. No column says anything of a person: an exclusion is
    named by its id alone.
    """

    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(max_length=20, choices=ChangeKind.choices)
    sponsor = models.ForeignKey(
        Sponsor, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    programme = models.ForeignKey(
        Programme,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="changes",
        db_index=False,
    )
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, null=True, blank=True, related_name="changes", db_index=False
    )
    exclusion = models.ForeignKey(
        Exclusion, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    reason = models.CharField(_("motif"), max_length=300, blank=True)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    touched = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("changement")
        verbose_name_plural = _("changements")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ChangeKind.values), name="change_kind_known"),
            models.CheckConstraint(
                condition=~Q(kind__in=sorted(REASONED)) | Q(reason__regex=r"\S"), name="change_has_its_reason"
            ),
        ]
        indexes = [
            # The history inside a sponsor's walls, newest first; of one programme; of one campaign.
            models.Index(fields=["sponsor", "-id"], name="change_by_sponsor"),
            models.Index(fields=["programme", "-id"], name="change_by_programme"),
            models.Index(fields=["campaign", "-id"], name="change_by_campaign"),
        ]
        triggers = append_only("change_append_only")

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d}"
