"""What a campaign may write to somebody after a call."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaigns import Campaign

SUBJECT_LENGTH, BODY_LENGTH = 200, 4000


class FollowUpTemplate(models.Model):
    """An e-mail of a campaign in one language, with the placeholders of its other texts.

    The signature (for whom, where the address comes from, how to object) is added when it is sent.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="follow_up_templates")
    name = models.CharField(_("nom"), max_length=80)
    language = models.CharField(_("langue"), max_length=8, default="fr")
    subject = models.CharField(_("objet"), max_length=SUBJECT_LENGTH)
    body = models.TextField(_("texte"), max_length=BODY_LENGTH)
    active = models.BooleanField(_("proposé"), default=True)

    class Meta:
        verbose_name = _("modèle d'e-mail")
        verbose_name_plural = _("modèles d'e-mails")
        ordering = ("name", "id")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "name"], name="follow_up_template_once"),
        ]

    def __str__(self) -> str:
        return self.name
