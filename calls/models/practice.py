"""Exercises of the training: on their own, so that nothing of them enters a figure."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Practice(models.Model):
    """One exercise of one agent: a call that was never made. `moves` is what the agent did, in order, as JSON.

    `ended_at` is null while it goes on. It points to no call, prospect or campaign, and nothing points to it.
    """

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="practices")
    exercise = models.SlugField(max_length=48)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    moves = models.JSONField(default=list, blank=True)

    class Meta:
        verbose_name = _("exercice")
        verbose_name_plural = _("exercices")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=models.F("started_at")),
                name="practice_ends_after_it_starts",
            )
        ]
        indexes = [
            # How often somebody practised what.
            models.Index(fields=["agent", "exercise"], name="practice_by_agent"),
        ]

    def __str__(self) -> str:
        return f"{self.exercise} #{self.pk}"
