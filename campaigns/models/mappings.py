"""What the columns of a kind of file mean, saved under a name."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models import Sponsor


class MappingTemplate(models.Model):
    """How files of one layout are imported for a principal: `mapping` is `{header: target}`, `options` those of an
    import, `region` the country whose numbers are written without a prefix. Other principals never see it."""

    sponsor = models.ForeignKey(
        Sponsor, on_delete=models.CASCADE, related_name="mapping_templates", db_index=False
    )
    name = models.CharField(_("nom"), max_length=120)
    mapping = models.JSONField(default=dict)
    options = models.JSONField(default=dict, blank=True)
    region = models.CharField(max_length=2, default="FR")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = _("modèle de colonnes")
        verbose_name_plural = _("modèles de colonnes")
        ordering = ("name", "id")
        constraints = [models.UniqueConstraint(fields=["sponsor", "name"], name="mapping_template_name")]

    def __str__(self) -> str:
        return self.name
