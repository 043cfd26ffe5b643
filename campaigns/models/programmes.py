"""What we call about, and the criteria that a prospect must meet."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.enums import Operator
from crm.models import Sponsor
from crm.models.triggers import append_only, fixed


class Programme(models.Model):
    """A démarche: what we call about. Its scope is the scope of hors-critères."""

    name = models.CharField(_("nom"), max_length=200)
    sponsor = models.ForeignKey(
        Sponsor, on_delete=models.PROTECT, related_name="programmes", verbose_name=_("donneur d'ordre")
    )
    #: What the démarche is about, as said aloud: "une enquête sur les banques".
    subject = models.CharField(_("sujet, tel qu'on le dit"), max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("démarche")
        verbose_name_plural = _("démarches")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                fields=["sponsor", "name"],
                name="programme_name_once_per_sponsor",
                violation_error_message=_("Ce donneur d'ordre a déjà une démarche de ce nom."),
            ),
        ]
        # The bars of a sponsor hold in its programmes: a programme that moved would leave them behind.
        triggers = [fixed("programme_stays_with_its_sponsor", "sponsor_id", "a programme keeps its sponsor")]

    def __str__(self) -> str:
        return self.name


class Criterion(models.Model):
    """A condition that a prospect must meet, as it stands now; its past versions are `CriterionVersion` rows.

    `field` is a prospect column or `attributes.<key>`; `value` is JSON: a text for equals, starts_with and
    contains, a list of texts for in, a pair `[low, high]` for between, null for is_set.
    """

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="criteria")
    field = models.CharField(_("champ"), max_length=120)
    operator = models.CharField(_("opérateur"), max_length=12, choices=Operator.choices)
    value = models.JSONField(_("valeur"), null=True, blank=True)
    question = models.CharField(_("question à poser"), max_length=300)
    #: The expected fact in a few words, as shown and said: "une banque".
    expected = models.CharField(_("ce qu'on attend, en quelques mots"), max_length=150, blank=True)
    blocking = models.BooleanField(_("éliminatoire"), default=True)
    #: Whether a contradiction on paper screens the record out; when not, the agent asks anyway.
    trust_file = models.BooleanField(_("se fier au fichier"), default=True)
    position = models.PositiveSmallIntegerField(_("ordre"), default=0)
    version = models.PositiveIntegerField(default=1, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("critère")
        verbose_name_plural = _("critères")
        ordering = ("position", "id")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(operator__in=Operator.values), name="criterion_operator_known"
            ),
        ]

    def __str__(self) -> str:
        return self.question


class CriterionVersion(models.Model):
    """What a criterion said at one version. Append-only: a mismatch names the version that it failed."""

    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    field = models.CharField(max_length=120)
    operator = models.CharField(max_length=12, choices=Operator.choices)
    value = models.JSONField(null=True)
    question = models.CharField(max_length=300)
    expected = models.CharField(max_length=150, blank=True)
    blocking = models.BooleanField()
    trust_file = models.BooleanField()
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("version de critère")
        verbose_name_plural = _("versions de critère")
        constraints = [
            models.UniqueConstraint(fields=["criterion", "version"], name="criterion_version_once")
        ]
        triggers = append_only("criterion_version_append_only")

    def __str__(self) -> str:
        return f"{self.question} (v{self.version})"
