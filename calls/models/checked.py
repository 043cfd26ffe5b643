"""What notes are checked for: lists of words, and the decisions to keep some all the same."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from calls.enums import NoteCategory, NotePlace
from calls.models.calls import Call, call_history


class WordList(models.Model):
    """Words of one category in one language, an entry a line, and the wording that is offered instead.

    `exceptions` are phrases in which a word means something else. `edited_at` is null as long as nobody changed what
    was delivered, which the loader may then renew.
    """

    category = models.CharField(_("catégorie"), max_length=12, choices=NoteCategory.choices)
    language = models.CharField(_("langue"), max_length=8)
    words = models.TextField(_("mots"), max_length=20_000, blank=True)
    exceptions = models.TextField(_("tournures permises"), max_length=10_000, blank=True)
    neutral = models.CharField(_("formulation neutre"), max_length=120, blank=True)
    active = models.BooleanField(_("vérifiée"), default=True)
    edited_at = models.DateTimeField(null=True, blank=True, editable=False)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )

    class Meta:
        verbose_name = _("liste de mots")
        verbose_name_plural = _("listes de mots")
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(category__in=NoteCategory.values), name="word_list_category_known"
            ),
            models.UniqueConstraint(fields=["category", "language"], name="word_list_once"),
        ]

    def __str__(self) -> str:
        return f"{self.category} ({self.language})"


class NoteWarning(models.Model):
    """Somebody kept a note that the check warned of: which categories, why. Append-only. Without the words."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="note_warnings")
    place = models.CharField(_("où"), max_length=12, choices=NotePlace.choices)
    category = models.CharField(_("catégorie"), max_length=12, choices=NoteCategory.choices)
    reason = models.CharField(_("motif"), max_length=300)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("avertissement sur une note")
        verbose_name_plural = _("avertissements sur des notes")
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(category__in=NoteCategory.values), name="note_warning_category_known"
            ),
            models.CheckConstraint(
                condition=models.Q(place__in=NotePlace.values), name="note_warning_place_known"
            ),
        ]
        triggers = call_history("note_warning_append_only", reason="''")

    def __str__(self) -> str:
        return f"{self.call_id} {self.category}"
