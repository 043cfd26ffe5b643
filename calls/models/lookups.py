"""Who looked up which number when somebody called back. Append-only."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models.triggers import append_only

#: Finds an erased person among those that a look-up found.
ERASED_FOUND = "SELECT FROM crm_prospect p WHERE p.erased_at IS NOT NULL AND p.id = ANY (OLD.found)"


class Lookup(models.Model):
    """A look at what is known of one exact number: by whom, when, and which records it showed."""

    number = models.CharField(max_length=16)
    found = ArrayField(models.BigIntegerField(), default=list, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("recherche d'un numéro")
        verbose_name_plural = _("recherches de numéros")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(number="") | Q(number__regex=r"^\+[1-9][0-9]{6,14}$"), name="lookup_number_e164"
            ),
        ]
        triggers = append_only("lookup_append_only", erased=ERASED_FOUND, blank={"number": "''"})

    def __str__(self) -> str:
        return f"{self.by_id} {self.at:%Y-%m-%d %H:%M}"
