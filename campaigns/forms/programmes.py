"""Forms of a programme and its criteria."""

import re
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.enums import Operator
from campaigns.models import Criterion, Programme
from campaigns.rules.criteria import ATTRIBUTE, COLUMNS


def column_choices() -> list[tuple[str, Any]]:
    """Return the fields of the menu with their labels; the last one stands for any other field of a file."""
    return [*COLUMNS.items(), (ATTRIBUTE, _("autre champ du fichier"))]


class ProgrammeForm(forms.ModelForm):  # type: ignore[type-arg]
    """What we call about, and for whom."""

    class Meta:
        model = Programme
        fields: ClassVar[list[str]] = ["sponsor", "name", "subject"]
        help_texts: ClassVar[dict[str, Any]] = {
            "subject": _("Entendu par le prospect : « une enquête sur les banques »."),
        }

    def __init__(self, *args: Any, sponsors: Any, **kwargs: Any) -> None:
        """Offer the `sponsors` (queryset) that the user sees; the sponsor of a programme never changes."""
        super().__init__(*args, **kwargs)
        choice = self.fields["sponsor"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = sponsors
        choice.empty_label = _("À choisir")
        choice.disabled = bool(self.instance.pk)

    def _post_clean(self) -> None:
        """Leave the instance and its unique constraints to the service, which words the refusals."""


class CriterionForm(forms.Form):
    """A condition on one field. `condition()` gives the JSON shape that its operator needs."""

    field = forms.ChoiceField(label=_("Champ de la fiche"), choices=column_choices)
    attribute = forms.CharField(
        label=_("Nom du champ du fichier"),
        required=False,
        max_length=100,
        help_text=_("Si c'est un autre champ du fichier."),
        widget=forms.TextInput(attrs={"list": "attribute-keys", "autocomplete": "off"}),
    )
    operator = forms.ChoiceField(label=_("Comparaison"), choices=Operator.choices)
    value = forms.CharField(
        label=_("Valeur"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_(
            "Une valeur par ligne pour « est parmi » ; les deux bornes, une par ligne, pour « est compris entre »."
        ),
    )
    question = forms.CharField(
        label=_("Question à poser"),
        max_length=300,
        help_text=_("Lue à voix haute : « Êtes-vous une banque ? »."),
    )
    expected = forms.CharField(
        label=_("Ce qu'on attend, en quelques mots"),
        max_length=150,
        required=False,
        help_text=_("Montré à l'agent : « une banque »."),
    )
    blocking = forms.BooleanField(
        label=_("Éliminatoire : une réponse « non » met la fiche hors-critères"), required=False, initial=True
    )
    trust_file = forms.BooleanField(
        label=_("Se fier au fichier : une fiche qui le contredit n'est pas appelée"),
        required=False,
        initial=True,
    )
    position = forms.IntegerField(label=_("Ordre"), min_value=0, max_value=999, initial=0)

    def clean(self) -> dict[str, Any]:
        """Build `path` and `value`; refuses what the operator cannot compare."""
        cleaned = super().clean() or {}
        if cleaned.get("field") == ATTRIBUTE and not cleaned.get("attribute", "").strip():
            self.add_error("attribute", _("Donnez le nom du champ."))
        operator = cleaned.get("operator")
        lines = [line.strip() for line in cleaned.get("value", "").splitlines() if line.strip()]
        if operator == Operator.BETWEEN and len(lines) != 2:
            self.add_error("value", _("Donnez deux bornes, une par ligne."))
        elif operator and operator != Operator.IS_SET and not lines:
            self.add_error("value", _("Donnez une valeur."))
        elif operator not in (Operator.IN, Operator.BETWEEN, Operator.IS_SET) and len(lines) > 1:
            self.add_error(
                "value", _("Une seule valeur pour cette comparaison ; sinon choisissez « est parmi ».")
            )
        return cleaned

    def values(self) -> dict[str, Any]:
        """Return the criterion's columns, as the service takes them."""
        columns = ("operator", "question", "expected", "blocking", "trust_file", "position")
        return {name: self.cleaned_data[name] for name in columns} | self.condition()

    def condition(self) -> dict[str, Any]:
        """Return `field`, `operator` and `value` only: what the live counts need."""
        data = self.cleaned_data
        field = data["field"] if data["field"] != ATTRIBUTE else _path(data["attribute"])
        lines = [line.strip() for line in data["value"].splitlines() if line.strip()]
        value: Any = lines[0] if lines else None
        if data["operator"] in (Operator.IN, Operator.BETWEEN):
            value = lines
        elif data["operator"] == Operator.IS_SET:
            value = None
        return {"field": field, "operator": data["operator"], "value": value}


class ConditionForm(CriterionForm):
    """The part of a criterion that the live counts need: it is counted before its question is worded."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Drop what does not change the counts."""
        super().__init__(*args, **kwargs)
        for name in ("question", "expected", "position"):
            del self.fields[name]

    def flags(self) -> dict[str, Any]:
        """Return the condition, and whether it keeps records out on paper."""
        return self.condition() | {name: self.cleaned_data[name] for name in ("blocking", "trust_file")}


class ProgrammeSearchForm(forms.Form):
    """What somebody types to find a programme."""

    q = forms.CharField(
        label=_("Démarche, sujet ou donneur d'ordre"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )

    def text(self) -> str:
        """Return what is looked for, "" for everything."""
        self.is_valid()
        return str(self.cleaned_data.get("q") or "").strip()


def initial_of(criterion: Criterion) -> dict[str, Any]:
    """Return what the form of an existing criterion starts from."""
    named = criterion.field in COLUMNS
    value = criterion.value if isinstance(criterion.value, list) else [criterion.value]
    return {
        "field": criterion.field if named else ATTRIBUTE,
        "attribute": "" if named else criterion.field.removeprefix(ATTRIBUTE),
        "operator": criterion.operator,
        "value": "\n".join(str(item) for item in value if item is not None),
        "question": criterion.question,
        "expected": criterion.expected,
        "blocking": criterion.blocking,
        "trust_file": criterion.trust_file,
        "position": criterion.position,
    }


def _path(attribute: str) -> str:
    """Return `attributes.<key>` for a key as somebody wrote it."""
    key = re.sub(r"\s+", "_", attribute.strip())
    return ATTRIBUTE + key.removeprefix(ATTRIBUTE)
