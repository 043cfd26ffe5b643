"""Forms of the crm pages: what people type, read into the values that the services take."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.models import Prospect, ProspectNumber, Source
from crm.rules.errors import DomainError
from crm.selectors.prospects import IDENTITY

#: Columns of a fiche that its page edits, in the order of the page.
PROSPECT_FIELDS = (*(name for name in IDENTITY if name != "external_id"), "confidential")


def show_refusal(form: forms.BaseForm, error: DomainError) -> None:
    """Put a refusal of the domain beside the fields that it names, or above the form."""
    for name, messages in error.fields.items():
        form.add_error(name if name in form.fields else None, [str(message) for message in messages])
    if not error.fields:
        form.add_error(None, str(error.message))


class ReasonForm(forms.Form):
    """The reason of a change that reaches far, obligatory."""

    reason = forms.CharField(
        label=_("Motif"),
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Il est gardé dans l'historique."),
    )


class SponsorForm(forms.Form):
    """A sponsor's name."""

    name = forms.CharField(label=_("Nom"), max_length=200)


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]
    """Who delivered records, and what an agent answers to "who gave you my number?"."""

    class Meta:
        model = Source
        fields: ClassVar[list[str]] = [
            "name",
            "slug",
            "sponsor",
            "spoken_origin",
            "obtained_at",
            "rights_contact",
        ]
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "spoken_origin": forms.Textarea(attrs={"rows": 2}),
            "obtained_at": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }
        help_texts: ClassVar[dict[str, Any]] = {
            "slug": _("Sert aux imports et à l'API. Laissé vide, il est tiré du nom."),
            "sponsor": _(
                "Les fiches d'un fournisseur rattaché à un donneur d'ordre ne sont montrées qu'à celui-ci."
            ),
            "spoken_origin": _("Ce que l'agent répond à « qui vous a donné mon numéro ? »."),
        }

    def __init__(self, *args: Any, sponsors: Any, **kwargs: Any) -> None:
        """Offer the `sponsors` (queryset) that the user sees."""
        super().__init__(*args, **kwargs)
        self.fields["slug"].required = False
        choice = self.fields["sponsor"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = sponsors
        choice.empty_label = _("Aucun : commun à tous")

    def values(self) -> dict[str, Any]:
        """Return the cleaned fields, as the service takes them."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    def _post_clean(self) -> None:
        """Leave the instance and its unique constraints to the service, which words the refusals."""


class ProspectSearchForm(forms.Form):
    """What somebody types to find a fiche."""

    q = forms.CharField(
        label=_("Nom, numéro ou identifiant externe"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


class ProspectForm(forms.ModelForm):  # type: ignore[type-arg]
    """A fiche with its numbers in any spelling, one a line, and its other fields as `clé = valeur` lines."""

    phones = forms.CharField(
        label=_("Numéros, un par ligne"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Dans n'importe quelle écriture ; le premier est composé d'abord."),
    )
    attributes_text = forms.CharField(
        label=_("Autres champs"),
        required=False,
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Un par ligne : clé = valeur."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = Prospect
        fields: ClassVar[tuple[str, ...]] = PROSPECT_FIELDS

    def __init__(self, data: Any = None, *, instance: Prospect) -> None:
        """Start from the fiche as it stands, with its version: a later save of somebody else is noticed."""
        self.known = {_line_of(phone): phone for phone in instance.phones.all()}
        initial = {
            "phones": "\n".join(self.known),
            "attributes_text": "\n".join(f"{key} = {value}" for key, value in instance.attributes.items()),
            "version": instance.version,
        }
        super().__init__(data, instance=instance, initial=initial)

    def clean_attributes_text(self) -> dict[str, str]:
        """Read the `clé = valeur` lines; refuses a line without `=` and a key given twice."""
        found: dict[str, str] = {}
        for line in self.cleaned_data["attributes_text"].splitlines():
            if not line.strip():
                continue
            key, equals, value = line.partition("=")
            key = key.strip()
            if not equals or not key:
                raise forms.ValidationError(
                    _("Ligne à écrire « clé = valeur » : %(line)s"), params={"line": line[:80]}
                )
            if key in found:
                raise forms.ValidationError(_("Le champ %(key)s est donné deux fois."), params={"key": key})
            found[key] = value.strip()
        return found

    def values(self) -> dict[str, Any]:
        """Return the columns and attributes, as the service takes them."""
        columns = {name: self.cleaned_data[name] for name in PROSPECT_FIELDS}
        return columns | {"attributes": self._attributes()}

    def numbers(self) -> list[tuple[str, str]]:
        """Return the lines of the numbers, as written, each with the note that its number has."""
        lines = (line.strip() for line in self.cleaned_data["phones"].splitlines())
        return [(line, self.known[line].note if line in self.known else "") for line in lines if line]

    def _attributes(self) -> dict[str, Any]:
        """Keep the JSON value of an attribute that was not touched: a number stays a number."""
        kept = self.instance.attributes
        read: dict[str, str] = self.cleaned_data["attributes_text"]
        return {
            key: kept[key] if key in kept and str(kept[key]) == value else value
            for key, value in read.items()
        }

    def _post_clean(self) -> None:
        """Leave the instance as it is in the database: the service compares and writes."""


def _line_of(phone: ProspectNumber) -> str:
    """Return a number as its line: E.164, which reads the same in every country, with its extension."""
    return f"{phone.number} poste {phone.extension}" if phone.extension else phone.number
