"""Delicate situations: a playbook each, stage by stage."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Situation(models.Model):
    """A delicate situation that an agent can open on the line."""

    code = models.SlugField(max_length=40, unique=True)
    label = models.CharField(_("libellé"), max_length=120)
    label_en = models.CharField(_("libellé anglais"), max_length=120, blank=True)
    keywords = models.CharField(_("mots de recherche"), max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("situation délicate")
        verbose_name_plural = _("situations délicates")
        ordering = ("position", "code")

    def __str__(self) -> str:
        return self.label

    @property
    def shown_label(self) -> str:
        """The label in the language of the page."""
        return self.label_en if self.label_en and (get_language() or "").startswith("en") else self.label


class Stage(models.Model):
    """One stage of a playbook: what to say, what to do, and whether the agent may end the call there."""

    situation = models.ForeignKey(Situation, on_delete=models.CASCADE, related_name="stages")
    position = models.PositiveSmallIntegerField()
    say = models.JSONField(
        _("phrases à dire"), default=dict, help_text=_("par langue : une liste de phrases")
    )
    do = models.CharField(_("à faire"), max_length=300, blank=True)
    may_end = models.BooleanField(_("permet de mettre fin à l'appel"), default=False)

    class Meta:
        verbose_name = _("étape")
        verbose_name_plural = _("étapes")
        ordering = ("situation", "position")
        constraints = [
            models.UniqueConstraint(fields=["situation", "position"], name="stage_once_per_position")
        ]

    def __str__(self) -> str:
        return f"{self.situation_id}/{self.position}"
