"""Imports: the file, its progress, what became of each row."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.enums import ImportState
from campaigns.models.campaigns import Campaign
from campaigns.models.lists import CallList
from crm.models import Prospect, Source


class ImportFile(models.Model):
    """An uploaded file, kept in PostgreSQL so that every worker can read it and a killed import can resume."""

    name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()

    def __str__(self) -> str:
        return self.name


class ImportJob(models.Model):
    """One import of a file into a campaign. `watermark` is the last file line whose chunk is committed."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="imports")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="imports")
    call_list = models.ForeignKey(
        CallList, on_delete=models.PROTECT, null=True, blank=True, related_name="imports"
    )
    file = models.ForeignKey(ImportFile, on_delete=models.PROTECT, related_name="jobs")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.UPLOADED)
    encoding = models.CharField(max_length=30, blank=True)
    delimiter = models.CharField(max_length=4, blank=True)
    region = models.CharField(max_length=2, default="FR")
    #: Target field by column header: `{"Téléphone": "phone"}`.
    mapping = models.JSONField(default=dict)
    preview = models.JSONField(default=dict, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    total_rows = models.PositiveIntegerField(default=0)
    watermark = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")

    def __str__(self) -> str:
        return f"#{self.pk} {self.state}"


class ImportReject(models.Model):
    """A row that was not taken: where it stands in the file, why, and the row itself."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="rejects", db_index=False)
    line = models.PositiveIntegerField()
    reason = models.CharField(max_length=40)
    column = models.CharField(max_length=120, blank=True)
    value = models.CharField(max_length=300, blank=True)
    row = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "line"], name="import_reject_once_per_line")]

    def __str__(self) -> str:
        return f"{self.line}: {self.reason}"


class ImportRow(models.Model):
    """What a taken row became: created, updated, unchanged or duplicate. Undo and the report read it."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10)
    prospect = models.ForeignKey(Prospect, on_delete=models.PROTECT, null=True, related_name="+")
    #: What an update replaced, by column, so that an undo can put it back.
    before = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "line"], name="import_row_once_per_line")]
        indexes = [
            # Whether a later row of the same file means the same prospect.
            models.Index(fields=["job", "prospect"], name="import_row_prospect"),
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.outcome}"


class SuppliedValues(models.Model):
    """What the supplier last said of a prospect, as a checksum per field: `{"organisation": 2712847316}`.

    What was corrected on a call outranks the file until the supplier's own value changes. Checksums tell a change and
    nothing of the person; a trigger drops them with the person's erasure.
    """

    prospect = models.OneToOneField(
        Prospect, on_delete=models.CASCADE, primary_key=True, related_name="supplied_values"
    )
    digests = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"#{self.prospect_id}"
