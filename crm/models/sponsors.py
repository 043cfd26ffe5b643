"""For whom we call, and who delivered the records."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Sponsor(models.Model):
    """The principal for whom calls are made. Sponsors are walls: nothing of one is shown to another."""

    name = models.CharField(_("nom"), max_length=200, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("donneur d'ordre")
        verbose_name_plural = _("donneurs d'ordre")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Source(models.Model):
    """Who delivered a record. A source that belongs to a sponsor keeps its prospects inside that sponsor."""

    name = models.CharField(_("nom"), max_length=200)
    slug = models.SlugField(_("identifiant"), max_length=80, unique=True)
    sponsor = models.ForeignKey(
        Sponsor,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="sources",
        verbose_name=_("donneur d'ordre"),
    )
    #: One sentence that answers "who gave you my number?".
    spoken_origin = models.CharField(_("origine, en une phrase à dire"), max_length=500, blank=True)
    obtained_at = models.DateField(_("obtenu le"), null=True, blank=True)
    rights_contact = models.CharField(_("contact pour les droits"), max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("fournisseur de fichier")
        verbose_name_plural = _("fournisseurs de fichier")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
