"""What an exchange reported of a line, each report once, as it said it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from calls.enums import ReportStanding
from calls.models.calls import Call
from crm.models.triggers import append_only


class LineReport(models.Model):
    """One report of an exchange (`by` is its token's account), and what became of it. Append-only.

    `key` is the exchange's own id of the report, else a digest of what it said: the same one is done once. `said_at` is
    the exchange's moment, null when it gave none; `at` when it reached us; `counts_at` the one that counts. In `data`
    are codes, no words.
    """

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="line_reports")
    event = models.CharField(max_length=12)
    key = models.CharField(max_length=120)
    standing = models.CharField(max_length=12, choices=ReportStanding.choices)
    data = models.JSONField(default=dict, blank=True)
    said_at = models.DateTimeField(null=True, blank=True)
    counts_at = models.DateTimeField()
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("signal d'un autocommutateur")
        verbose_name_plural = _("signaux d'autocommutateurs")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["by", "key"], name="line_report_once"),
            models.CheckConstraint(
                condition=models.Q(standing__in=ReportStanding.values), name="line_report_standing_known"
            ),
        ]
        triggers = append_only("line_report_append_only")

    def __str__(self) -> str:
        return f"{self.call_id} {self.event} {self.standing}"
