"""Forms of an import: the file, then what its columns mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import QuerySet
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from campaigns.models import MappingTemplate
from campaigns.rules.criteria import COLUMNS
from campaigns.rules.headers import TARGETS
from campaigns.rules.import_options import CHOICES
from campaigns.rules.mapping import ATTRIBUTE_PREFIX, IGNORE
from campaigns.selectors.import_files import import_limits

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


#: What the browser's dialog offers; what a file is, its first bytes tell.
ACCEPTED = ".csv,.txt,.tsv,.xlsx,.xls,.ods,text/csv,text/plain"


class UploadForm(forms.Form):
    """The file, who delivered it, and the country whose numbers are written without a prefix."""

    file = forms.FileField(
        label=_("Fichier de la liste"),
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        error_messages={"empty": _("Ce fichier est vide.")},
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
        limits = import_limits()
        self.fields["file"].help_text = _(
            "CSV, TXT, Excel (XLSX, XLS) ou LibreOffice (ODS), jusqu'à %(size)s, %(rows)s lignes et %(columns)s "
            "colonnes. L'encodage, le séparateur et les colonnes sont reconnus tout seuls."
        ) % {"size": filesizeformat(limits.bytes), "rows": intcomma(limits.rows), "columns": limits.columns}
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


#: The options of an import: question, what each choice means, one line of help.
OPTIONS: dict[str, tuple[Any, dict[str, Any], Any]] = {
    "mode": (
        _("Fiches à écrire"),
        {
            "both": _("créer et mettre à jour"),
            "create": _("créer seulement"),
            "update": _("mettre à jour seulement"),
        },
        _("Les lignes laissées de côté sont comptées, avec leur motif."),
    ),
    "blank": (
        _("Cellule vide"),
        {
            "keep": _("garder la valeur connue"),
            "clear": _("effacer ce que ce fournisseur avait donné"),
        },
        _("Ce qu'un agent a corrigé n'est jamais effacé."),
    ),
    "repeated": (
        _("Lignes qui désignent la même fiche"),
        {
            "first": _("la première l'emporte"),
            "merge": _("les suivantes complètent la première"),
            "reject": _("les suivantes sont rejetées"),
        },
        _("Dans tous les cas, chaque ligne en double est comptée et peut être téléchargée."),
    ),
    "among": (
        _("Fiche déjà connue par son numéro"),
        {
            "file": _("ne chercher que dans le fichier"),
            "source": _("chercher chez ce fournisseur"),
            "sponsor": _("chercher chez tous les fournisseurs du donneur d'ordre"),
            "everywhere": _("chercher partout où la campagne a le droit d'appeler"),
        },
        _("Une ligne qui a son identifiant est d'abord reconnue par lui."),
    ),
    "opt_out_scope": (
        _("Portée des « ne pas appeler » du fichier"),
        {
            "sponsor": _("tout le donneur d'ordre"),
            "programme": _("toute la démarche"),
            "campaign": _("cette campagne seulement"),
        },
        _("Une opposition déjà plus large reste plus large."),
    ),
}


def _choices(name: str) -> list[tuple[str, Any]]:
    words = OPTIONS[name][1]
    return [(choice, words[choice]) for choice in CHOICES[name]]


class MappingForm(forms.Form):
    """What each column of the file fills: one menu a column, in the file's order; and how the rows are imported."""

    region = forms.ChoiceField(
        label=_("Pays des numéros écrits sans indicatif"),
        choices=REGIONS,
        help_text=_("Un numéro écrit avec son indicatif garde son pays."),
    )
    save_as = forms.CharField(
        label=_("Nom du modèle"),
        max_length=120,
        required=False,
        help_text=_("Les colonnes et les options serviront aux prochains fichiers du même genre."),
    )

    def __init__(
        self,
        *args: Any,
        columns: Sequence[Mapping[str, Any]],
        region: str,
        options: Mapping[str, str],
        **kwargs: Any,
    ) -> None:
        """Take the `columns` of an import's preview (header, target, confidence, origin, samples), its region and its
        options."""
        super().__init__(*args, **kwargs)
        self.columns = columns
        self.fields["region"].initial = region
        if region not in dict(REGIONS):
            choice = self.fields["region"]
            assert isinstance(choice, forms.ChoiceField)
            choice.choices = [*REGIONS, (region, region)]
        for name, (label, _words, help_text) in OPTIONS.items():
            self.fields[name] = forms.ChoiceField(
                label=label,
                choices=_choices(name),
                initial=options.get(name, CHOICES[name][0]),
                help_text=help_text,
                required=False,
            )
        for index, column in enumerate(columns):
            self.fields[f"column-{index}"] = forms.ChoiceField(
                label=column["header"], choices=_target_choices, initial=_menu_value(column["target"])
            )

    def rows(self) -> list[tuple[Mapping[str, Any], forms.BoundField, "Guess"]]:
        """Return each column with its menu and how its target was found."""
        return [
            (column, self[f"column-{index}"], guess_in_words(column))
            for index, column in enumerate(self.columns)
        ]

    def option_fields(self) -> list[forms.BoundField]:
        """Return the fields of the options, the country first."""
        return [self["region"], *(self[name] for name in OPTIONS)]

    def mapping(self) -> dict[str, str]:
        """Return `{header: target}`; a column that stays an attribute keeps the name that it has."""
        chosen = {}
        for index, column in enumerate(self.columns):
            target = self.cleaned_data[f"column-{index}"]
            kept = target == ATTRIBUTE and column["target"].startswith(ATTRIBUTE_PREFIX)
            chosen[column["header"]] = column["target"] if kept else target
        return chosen

    def options(self) -> dict[str, str]:
        """Return the options that were sent: `{name: choice}`."""
        return {name: self.cleaned_data[name] for name in OPTIONS if self.cleaned_data[name]}

    def changes_the_import(self) -> bool:
        """Tell whether columns, country or options are no longer what they were."""
        return any(name != "save_as" for name in self.changed_data)


class TemplateForm(forms.Form):
    """One of the principal's templates."""

    template: "forms.ModelChoiceField[MappingTemplate]" = forms.ModelChoiceField(
        queryset=None, label=_("Modèle enregistré"), empty_label=None
    )

    def __init__(
        self,
        *args: Any,
        templates: QuerySet[MappingTemplate],
        fitting: MappingTemplate | None = None,
        **kwargs: Any,
    ) -> None:
        """Offer `templates`, the `fitting` one first."""
        super().__init__(*args, **kwargs)
        choice = self.fields["template"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = templates
        choice.initial = self.fitting = fitting
        choice.error_messages["invalid_choice"] = _("Ce modèle n'existe plus.")


@dataclass(frozen=True, slots=True)
class Guess:
    """How sure the target of a column is: `level` is "sure", "likely" or "doubtful", `words` say so, `percent` too
    (null where nothing was guessed), `origin` what it rests on; `name` is that of a field kept as it is."""

    level: str
    words: Any
    percent: int | None
    origin: Any
    name: str


ORIGINS: dict[str, Any] = {
    "remembered": _("comme dans sa dernière liste"),
    "template": _("d'après le modèle"),
    "header": _("d'après l'en-tête"),
    "values": _("d'après les valeurs"),
    "chosen": _("choisi ici"),
    "none": _("en-tête inconnu, gardé sous son nom"),
}
SURE, LIKELY = 0.85, 0.6


def guess_in_words(column: Mapping[str, Any]) -> Guess:
    """Return how the target of a column of a preview was found."""
    origin, confidence = str(column.get("origin", "none")), float(column["confidence"])
    target = str(column["target"])
    name = target.removeprefix(ATTRIBUTE_PREFIX) if target.startswith(ATTRIBUTE_PREFIX) else ""
    told = ORIGINS.get(origin, "")
    if origin == "chosen":
        return Guess("sure", _("choisi"), None, told, name)
    if origin == "none":
        return Guess("doubtful", _("non reconnue"), None, told if name else "", name)
    percent = round(confidence * 100)
    if confidence >= SURE:
        return Guess("sure", _("sûr"), percent, told, name)
    if confidence >= LIKELY:
        return Guess("likely", _("probable"), percent, told, name)
    return Guess("doubtful", _("à vérifier"), percent, told, name)


def _target_choices() -> list[tuple[str, Any]]:
    return [
        (IGNORE, _("ne pas importer")),
        (ATTRIBUTE, _("autre champ, gardé tel quel")),
        *TARGET_LABELS.items(),
    ]


def _menu_value(target: str) -> str:
    return ATTRIBUTE if target.startswith(ATTRIBUTE_PREFIX) else target
