"""Forms of an import: the file, then what its columns mean."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

REGIONS = (
    ("FR", _("France")),
    ("BE", _("Belgique")),
    ("CH", _("Suisse")),
    ("LU", _("Luxembourg")),
    ("DE", _("Allemagne")),
    ("ES", _("Espagne")),
    ("IT", _("Italie")),
    ("GB", _("Royaume-Uni")),
    ("CA", _("Canada")),
    ("US", _("États-Unis")),
    ("MA", _("Maroc")),
    ("GP", _("Guadeloupe")),
    ("MQ", _("Martinique")),
    ("GF", _("Guyane")),
    ("RE", _("La Réunion")),
    ("YT", _("Mayotte")),
)


class UploadForm(forms.Form):
    """The file, who delivered it, and the country whose numbers are written without a prefix."""

    file = forms.FileField(
        label=_("Fichier CSV"),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
        error_messages={"empty": _("Ce fichier est vide.")},
        help_text=_("L'encodage et le séparateur sont reconnus tout seuls."),
    )
    source = forms.ModelChoiceField(
        queryset=None, label=_("Fournisseur du fichier"), required=False, empty_label=_("Nouveau fournisseur")
    )
    source_name = forms.CharField(
        label=_("Nom du nouveau fournisseur"),
        required=False,
        max_length=200,
        help_text=_("S'il n'est pas dans la liste."),
    )
    region = forms.ChoiceField(
        label=_("Pays des numéros écrits sans indicatif"), choices=REGIONS, initial="FR"
    )

    def __init__(self, *args: Any, sources: Any, **kwargs: Any) -> None:
        """Offer the `sources` (queryset) that fit the campaign."""
        super().__init__(*args, **kwargs)
        choice = self.fields["source"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = sources

    def clean(self) -> dict[str, Any]:
        """Refuse a file from nobody, and from two at once."""
        cleaned = super().clean() or {}
        named = cleaned.get("source_name", "").strip()
        if not cleaned.get("source") and not named and "source" not in self.errors:
            self.add_error("source_name", _("Choisissez le fournisseur, ou nommez-en un nouveau."))
        if cleaned.get("source") and named:
            self.add_error(
                "source_name", _("Choisissez un fournisseur ou nommez-en un nouveau, pas les deux.")
            )
        return cleaned
