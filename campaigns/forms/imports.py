"""Forms of an import: the file, then what its columns mean."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.rules.criteria import COLUMNS
from campaigns.rules.headers import TARGETS
from campaigns.rules.mapping import ATTRIBUTE_PREFIX, IGNORE

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
    source: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
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


#: What a column can fill, as the menus say it.
TARGET_LABELS: dict[str, Any] = {
    "phone": _("numéro de téléphone"),
    "external_id": _("identifiant externe"),
    **{name: label for name, label in COLUMNS.items() if name in TARGETS},
    "opt_out": _("ne pas appeler (opposition)"),
    "may_call": _("peut être appelé (un « non » est une opposition)"),
    "consent": _("consentement à être appelé"),
    "consent_at": _("date et heure du consentement"),
    "consent_until": _("fin du consentement"),
    "consent_channel": _("canal du consentement"),
    "consent_text": _("texte du consentement"),
    "note": _("note"),
}
ATTRIBUTE = "attribute"


class MappingForm(forms.Form):
    """What each column of the file fills: one menu a column, in the file's order."""

    region = forms.ChoiceField(label=_("Pays des numéros écrits sans indicatif"), choices=REGIONS)

    def __init__(self, *args: Any, columns: Sequence[Mapping[str, Any]], region: str, **kwargs: Any) -> None:
        """Take the `columns` of an import's preview (header, target, confidence, samples) and its region."""
        super().__init__(*args, **kwargs)
        self.columns = columns
        self.fields["region"].initial = region
        if region not in dict(REGIONS):
            choice = self.fields["region"]
            assert isinstance(choice, forms.ChoiceField)
            choice.choices = [*REGIONS, (region, region)]
        for index, column in enumerate(columns):
            self.fields[f"column-{index}"] = forms.ChoiceField(
                label=column["header"], choices=_target_choices, initial=_menu_value(column["target"])
            )

    def rows(self) -> list[tuple[Mapping[str, Any], forms.BoundField, int]]:
        """Return each column with its menu and the confidence of its guess in percent."""
        return [
            (column, self[f"column-{index}"], round(float(column["confidence"]) * 100))
            for index, column in enumerate(self.columns)
        ]

    def mapping(self) -> dict[str, str]:
        """Return `{header: target}`; a column that stays an attribute keeps the name that it has."""
        chosen = {}
        for index, column in enumerate(self.columns):
            target = self.cleaned_data[f"column-{index}"]
            kept = target == ATTRIBUTE and column["target"].startswith(ATTRIBUTE_PREFIX)
            chosen[column["header"]] = column["target"] if kept else target
        return chosen


def _target_choices() -> list[tuple[str, Any]]:
    return [
        (IGNORE, _("ne pas importer")),
        (ATTRIBUTE, _("autre champ, gardé tel quel")),
        *TARGET_LABELS.items(),
    ]


def _menu_value(target: str) -> str:
    return ATTRIBUTE if target.startswith(ATTRIBUTE_PREFIX) else target
