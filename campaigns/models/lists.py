"""Call lists, their entries, and the ledger of attempts."""

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from campaigns.enums import WAITING, EntryState, Gate, Progress
from campaigns.models.campaigns import Campaign, Disposition
from campaigns.models.exclusions import Exclusion
from crm.models import Prospect, Source, Sponsor
from crm.models.zones import zone_known


class CallList(models.Model):
    """A batch of prospects put into a campaign together, such as one import."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="lists")
    name = models.CharField(_("nom"), max_length=200)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("liste d'appels")
        verbose_name_plural = _("listes d'appels")

    def __str__(self) -> str:
        return self.name


class ListEntry(models.Model):
    """A prospect queued in a campaign.

    `number` is the E.164 number to dial next, empty when none may be; `time_zone` is the called party's.
    `due_at` is the earliest moment to serve it; an entry in `callback` is due at the agreed time exactly and,
    when it has an `owner`, goes to that agent first. The gate's last refusal is kept in `verdict_*`. `progress` says
    how far its calls brought it and `outcome` by which disposition; the database writes both as a call is concluded
    (`courtois_progress_of`).
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="entries", db_index=False)
    call_list = models.ForeignKey(
        CallList, on_delete=models.PROTECT, null=True, blank=True, related_name="entries"
    )
    prospect = models.ForeignKey(Prospect, on_delete=models.PROTECT, related_name="entries")
    number = models.CharField(max_length=16, blank=True)
    state = models.CharField(max_length=12, choices=EntryState.choices, default=EntryState.READY)
    priority = models.SmallIntegerField(_("priorité"), default=0)
    due_at = models.DateTimeField()
    #: The person gave that exact time: it lifts the window and the holiday, nothing else.
    exact = models.BooleanField(default=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    language = models.CharField(max_length=8, blank=True)
    time_zone = models.CharField(max_length=60)
    attempts = models.PositiveSmallIntegerField(default=0)
    verdict_gate = models.CharField(max_length=10, choices=Gate.choices, blank=True)
    verdict_reason = models.CharField(max_length=300, blank=True)
    verdict_until = models.DateTimeField(null=True, blank=True)
    #: The exclusion that closed it: lifting that one may reopen the entry.
    excluded_by = models.ForeignKey(
        Exclusion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="closed_entries",
        db_index=False,
    )
    progress = models.CharField(
        max_length=12, choices=Progress.choices, blank=True, default="", db_default=""
    )
    outcome = models.ForeignKey(
        Disposition, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = _("fiche en liste")
        verbose_name_plural = _("fiches en liste")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "prospect"], name="entry_once_per_campaign"),
            models.CheckConstraint(condition=models.Q(state__in=EntryState.values), name="entry_state_known"),
            models.CheckConstraint(
                condition=models.Q(progress="", outcome__isnull=True)
                | models.Q(progress__in=Progress.values, outcome__isnull=False),
                name="entry_progress_by_its_outcome",
            ),
            zone_known("entry_time_zone_known"),
        ]
        indexes = [
            # The claim of a fresh or retried record: campaign, language and zone are fixed, then the order of service.
            models.Index(
                F("campaign"),
                F("language"),
                F("time_zone"),
                F("priority").desc(),
                F("due_at"),
                F("id"),
                condition=models.Q(state=EntryState.READY),
                name="entry_claim_ready",
            ),
            # The claim of a callback that is due, before everything else.
            models.Index(
                fields=["campaign", "due_at", "id"],
                condition=models.Q(state=EntryState.CALLBACK),
                name="entry_claim_callback",
            ),
            # The list page of a campaign by state.
            models.Index(fields=["campaign", "state", "id"], name="entry_by_state"),
            # Health, funnel and counts of the list page, read from the index alone. Its values repeat, and
            # PostgreSQL keeps equal keys once: a million entries take some 7 MB.
            models.Index(
                fields=[
                    "campaign",
                    "state",
                    "progress",
                    "verdict_gate",
                    "verdict_reason",
                    "time_zone",
                    "exact",
                    "outcome",
                ],
                name="entry_standing",
            ),
            # Why some of those that are not due yet were put off.
            models.Index(
                fields=["campaign", "time_zone", "verdict_gate", "verdict_reason", "due_at"],
                condition=models.Q(state=EntryState.READY) & ~models.Q(verdict_gate=""),
                name="entry_put_off",
            ),
            # An agent's own callbacks, on the desk.
            models.Index(
                fields=["owner", "due_at"],
                condition=models.Q(state=EntryState.CALLBACK),
                name="entry_own_callbacks",
            ),
            # What a lifted exclusion may reopen.
            models.Index(
                fields=["excluded_by"],
                condition=models.Q(excluded_by__isnull=False),
                name="entry_excluded_by",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.prospect_id} {self.state}"

    @property
    def is_waiting(self) -> bool:
        """Whether the queue can still serve this entry."""
        return self.state in WAITING


class Attempt(models.Model):
    """The ledger behind the caps: one row per dialling. `local_date` is the date at the called party's."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="attempts")
    sponsor = models.ForeignKey(Sponsor, on_delete=models.PROTECT, related_name="+", db_index=False)
    prospect = models.ForeignKey(
        Prospect, on_delete=models.PROTECT, null=True, blank=True, related_name="attempts", db_index=False
    )
    number = models.CharField(max_length=16)
    at = models.DateTimeField()
    local_date = models.DateField()
    #: Cleared when the disposition says that no ring was sent.
    counted = models.BooleanField(default=True)
    call_ref = models.BigIntegerField(unique=True)

    class Meta:
        verbose_name = _("tentative")
        verbose_name_plural = _("tentatives")
        indexes = [
            # Caps per sponsor and person, and per number where there is no record.
            models.Index(fields=["prospect", "sponsor", "local_date"], name="attempt_person"),
            models.Index(fields=["number", "sponsor", "local_date"], name="attempt_number"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.local_date}"
