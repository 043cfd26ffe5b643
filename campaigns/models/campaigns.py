"""Campaigns, the catalogue of dispositions, and the words that a campaign has said."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from campaigns.enums import (
    BarTarget,
    CampaignStatus,
    ClosingKind,
    ExclusionReason,
    HangUpPolicy,
    Purpose,
    Reach,
    Scope,
    ScriptKind,
    Step,
)
from campaigns.models.programmes import Programme
from crm.models.triggers import fixed


def default_hours() -> list[dict[str, Any]]:
    """Monday to Friday, 10:00-13:00 and 14:00-20:00: the French window (C. conso. D223-9), the safest default."""
    days = [1, 2, 3, 4, 5]
    return [{"days": days, "from": "10:00", "to": "13:00"}, {"days": days, "from": "14:00", "to": "20:00"}]


#: Characters of each part of a mandate: what is read at a glance with somebody on the line.
MANDATE_LENGTH = 400


class Campaign(models.Model):
    """One wave of calls in a programme. Times are seconds; `hours` are in the called party's local time."""

    slug = models.SlugField(_("identifiant"), max_length=80, unique=True)
    name = models.CharField(_("nom"), max_length=200)
    programme = models.ForeignKey(
        Programme, on_delete=models.PROTECT, related_name="campaigns", verbose_name=_("démarche")
    )
    purpose = models.CharField(_("objet"), max_length=12, choices=Purpose.choices, default=Purpose.SURVEY)
    #: Name of a rule set; "default" follows the purpose; "none" = no window and no cap, for training and the demo.
    calling_rule = models.CharField(_("règle d'appel"), max_length=40, default="default")
    hours = models.JSONField(_("horaires"), default=default_hours, blank=True)
    max_attempts = models.PositiveSmallIntegerField(
        _("tentatives au plus"), default=4, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    lease_seconds = models.PositiveIntegerField(
        _("réservation d'une fiche (s)"),
        default=60,
        validators=[MinValueValidator(10), MaxValueValidator(900)],
    )
    #: The lease from `connected` on.
    talk_lease_seconds = models.PositiveIntegerField(default=900, validators=[MinValueValidator(60)])
    dead_line_seconds = models.PositiveIntegerField(
        _("silence avant de pouvoir raccrocher (s)"), default=20, validators=[MinValueValidator(5)]
    )
    patience_seconds = models.PositiveIntegerField(
        _("patience après un second au revoir (s)"), default=45, validators=[MinValueValidator(10)]
    )
    language = models.CharField(_("langue"), max_length=8, default="fr")
    #: The mandate: what an agent may settle alone, in a few words each, "" where nobody wrote any.
    may_decide = models.CharField(
        _("ce que l'agent peut décider"), max_length=MANDATE_LENGTH, default="", db_default="", blank=True
    )
    may_promise = models.CharField(
        _("ce que l'agent peut promettre"), max_length=MANDATE_LENGTH, default="", db_default="", blank=True
    )
    may_offer = models.CharField(
        _("ce que l'agent peut offrir"), max_length=MANDATE_LENGTH, default="", db_default="", blank=True
    )
    status = models.CharField(max_length=8, choices=CampaignStatus.choices, default=CampaignStatus.DRAFT)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("campagne")
        verbose_name_plural = _("campagnes")
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=CampaignStatus.values), name="campaign_status_known"
            ),
        ]
        # The bars of a programme hold in its campaigns: a campaign that moved would leave them behind.
        triggers = [
            fixed("campaign_stays_in_its_programme", "programme_id", "a campaign keeps its programme")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_unrestricted(self) -> bool:
        """Whether neither window nor cap holds: training and demo only, and shown as such."""
        return self.calling_rule == "none"


class Disposition(models.Model):
    """How a call ended, as data: what it does is in its columns, never in its code or label."""

    code = models.SlugField(max_length=40, unique=True)
    label = models.CharField(_("libellé"), max_length=120)
    label_en = models.CharField(_("libellé anglais"), max_length=120, blank=True)
    #: AAPOR Standard Definitions outcome code, such as "1.1" or "4.70".
    aapor = models.CharField(max_length=8, blank=True)
    reach = models.CharField(max_length=8, choices=Reach.choices)
    contacted = models.BooleanField(_("contact"), default=False)
    #: True, False, or null when the call did not tell.
    eligible = models.BooleanField(_("dans les critères"), null=True)
    final = models.BooleanField(_("définitive"), default=True)
    retry_after = models.DurationField(_("réessayer après"), null=True, blank=True)
    counts_as_attempt = models.BooleanField(_("compte comme tentative"), default=True)
    bar_target = models.CharField(
        max_length=8, choices=BarTarget.choices, blank=True, default=BarTarget.NOTHING
    )
    bar_scope = models.CharField(max_length=10, choices=Scope.choices, blank=True)
    bar_reason = models.CharField(max_length=20, choices=ExclusionReason.choices, blank=True)
    requires_note = models.BooleanField(_("note obligatoire"), default=False)
    requires_callback = models.BooleanField(_("heure de rappel obligatoire"), default=False)
    #: Needs every blocking criterion at `match`.
    requires_match = models.BooleanField(_("tous les critères remplis"), default=False)
    #: Set by a stored mismatch alone; nobody picks it from a list.
    by_mismatch_only = models.BooleanField(default=False)
    closing = models.CharField(max_length=8, choices=ClosingKind.choices, default=ClosingKind.ORDINARY)
    hang_up = models.CharField(max_length=14, choices=HangUpPolicy.choices, default=HangUpPolicy.NEVER)
    #: The record goes back to the manager, who may find another number.
    resource = models.BooleanField(_("renvoyer à la recherche de numéro"), default=False)
    position = models.PositiveSmallIntegerField(default=0)
    active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("qualification")
        verbose_name_plural = _("qualifications")
        ordering = ("position", "code")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(bar_target="", bar_scope="", bar_reason="")
                | (~models.Q(bar_target="") & ~models.Q(bar_scope="") & ~models.Q(bar_reason="")),
                name="disposition_bar_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(final=True)
                | models.Q(retry_after__isnull=False)
                | models.Q(requires_callback=True),
                name="disposition_says_when_to_retry",
            ),
            # A stored mismatch looks for the one disposition that it gives.
            models.UniqueConstraint(
                fields=["by_mismatch_only"],
                condition=models.Q(by_mismatch_only=True),
                name="disposition_one_by_mismatch",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def shown_label(self) -> str:
        """The label in the language of the page."""
        return self.label_en if self.label_en and (get_language() or "").startswith("en") else self.label


class DispositionRule(models.Model):
    """What a campaign changes about a disposition: whether it is offered, and when to retry."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="disposition_rules")
    disposition = models.ForeignKey(Disposition, on_delete=models.PROTECT, related_name="rules")
    enabled = models.BooleanField(_("proposée"), default=True)
    retry_after = models.DurationField(_("réessayer après"), null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "disposition"], name="disposition_rule_once")
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.disposition_id}"


class ClosingStep(models.Model):
    """A sentence of the closing, with placeholders. Without campaign: the default of its language."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, null=True, blank=True, related_name="closing_steps"
    )
    language = models.CharField(_("langue"), max_length=8, default="fr")
    kind = models.CharField(max_length=8, choices=ClosingKind.choices)
    step = models.CharField(max_length=10, choices=Step.choices)
    text = models.CharField(_("phrase à dire"), max_length=600)

    class Meta:
        verbose_name = _("phrase de clôture")
        verbose_name_plural = _("phrases de clôture")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "language", "kind", "step"],
                name="closing_step_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}/{self.step} ({self.language})"


class Script(models.Model):
    """A text of a campaign to say or follow, in one language."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="scripts")
    kind = models.CharField(max_length=8, choices=ScriptKind.choices)
    language = models.CharField(_("langue"), max_length=8, default="fr")
    text = models.TextField(_("texte"), max_length=4000)

    class Meta:
        verbose_name = _("script")
        verbose_name_plural = _("scripts")
        constraints = [models.UniqueConstraint(fields=["campaign", "kind", "language"], name="script_once")]

    def __str__(self) -> str:
        return f"{self.kind} ({self.language})"
