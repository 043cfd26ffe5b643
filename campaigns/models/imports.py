"""Imports: the file, its progress, what became of each row."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.enums import ImportPhase, ImportState
from campaigns.models.campaigns import Campaign
from campaigns.models.lists import CallList
from crm.models import Prospect, Source
from crm.models.record_changes import recording

#: However it ended: its own state says how.
_FINISHED = """SELECT n.id, false, p.sponsor_id FROM new_rows n JOIN old_rows o USING (id)
      JOIN campaigns_campaign c ON c.id = n.campaign_id JOIN campaigns_programme p ON p.id = c.programme_id
     WHERE n.finished_at IS NOT NULL AND o.finished_at IS NULL"""


class ImportFile(models.Model):
    """A file, kept in PostgreSQL so that every worker can read it and a killed import can go on."""

    name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.name


class ImportPiece(models.Model):
    """A piece of a file, so that a gigabyte is read by whoever has a megabyte of memory for it."""

    file = models.ForeignKey(ImportFile, on_delete=models.CASCADE, related_name="pieces", db_index=False)
    position = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "position"], name="import_piece_once")]

    def __str__(self) -> str:
        return f"{self.file_id}/{self.position}"


class ImportJob(models.Model):
    """One import of a file into a campaign.

    It is worked on in chunks of rows, phase by phase, by as many workers as like to: see
    `campaigns.services.import_work`. `phase` is what is being done with its chunks since `phase_at`.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="imports")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="imports")
    call_list = models.ForeignKey(
        CallList, on_delete=models.PROTECT, null=True, blank=True, related_name="imports"
    )
    file = models.ForeignKey(ImportFile, on_delete=models.PROTECT, related_name="jobs")
    #: What the rows are read from where `file` is no plain text: a sheet of a workbook, UTF-16 made UTF-8.
    text = models.ForeignKey(
        ImportFile, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    sheet = models.CharField(max_length=120, blank=True)
    sheets = models.JSONField(default=list, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.UPLOADED)
    phase = models.PositiveSmallIntegerField(choices=ImportPhase.choices, default=ImportPhase.PLAN)
    phase_at = models.DateTimeField(null=True, blank=True)
    #: Which rows mean the same prospect is settled, and is not asked again when the reading must be done anew.
    settled = models.BooleanField(default=False)
    encoding = models.CharField(max_length=30, blank=True)
    delimiter = models.CharField(max_length=4, blank=True)
    #: How the text is read, as `campaigns.rules.tabular.Layout` has it.
    layout = models.JSONField(default=dict)
    region = models.CharField(max_length=2, default="FR")
    #: Target field by column header: `{"Téléphone": "phone"}`.
    mapping = models.JSONField(default=dict)
    #: What becomes of known, repeated and blank: `campaigns.rules.import_options.Options`.
    options = models.JSONField(default=dict, blank=True)
    preview = models.JSONField(default=dict, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    total_rows = models.PositiveIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        triggers = [recording("import_recorded", "import.finished", _FINISHED, pgtrigger.Update)]

    def __str__(self) -> str:
        return f"#{self.pk} {self.state}"


class ImportChunk(models.Model):
    """A run of rows of an import: the unit of work. A worker holds its row lock for one phase, in one transaction.

    `line` and `offset` say where it begins in the text. `phase` is what is to be done next with it; `reading`,
    `preview` and `counts` are what its phases found, each null before.
    """

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    index = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    last_line = models.PositiveIntegerField()
    offset = models.BigIntegerField()
    rows = models.PositiveIntegerField()
    phase = models.PositiveSmallIntegerField(choices=ImportPhase.choices, default=ImportPhase.STAGE)
    reading = models.JSONField(null=True, blank=True)
    preview = models.JSONField(null=True, blank=True)
    counts = models.JSONField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "index"], name="import_chunk_once")]
        indexes = [
            # The next chunk to work on.
            models.Index(fields=["job", "phase", "index"], name="import_chunk_next"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}/{self.index}"


class ImportReject(models.Model):
    """A row that was not taken: where it stands in the file, which holds its cells, and why.

    A repeated row is one as well (`duplicate`, with the line that it repeats as its value), so that none is dropped
    without a word.
    """

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="rejects", db_index=False)
    line = models.PositiveIntegerField()
    reason = models.CharField(max_length=40)
    column = models.CharField(max_length=120, blank=True)
    value = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "line"], name="import_reject_once_per_line")]

    def __str__(self) -> str:
        return f"{self.line}: {self.reason}"


class ImportRow(models.Model):
    """What a taken row became: created, updated, unchanged or duplicate. Undo and the report read it.

    Written by the import alone, a row per line of the file; jobs and prospects are never deleted, so its references are
    not checked one by one.
    """

    job = models.ForeignKey(
        ImportJob, on_delete=models.CASCADE, related_name="rows", db_index=False, db_constraint=False
    )
    line = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10)
    prospect = models.ForeignKey(
        Prospect, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    #: What an update replaced, by column, so that an undo can put it back.
    before = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "line"], name="import_row_once_per_line")]

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
