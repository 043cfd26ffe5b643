"""Forms of a campaign: its settings, its hours, its words, its dispositions."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campaigns.models import Campaign
from campaigns.services.campaigns import MANDATE

DAYS = (
    ("1", pgettext_lazy("jour de la semaine", "lun.")),
    ("2", pgettext_lazy("jour de la semaine", "mar.")),
    ("3", pgettext_lazy("jour de la semaine", "mer.")),
    ("4", pgettext_lazy("jour de la semaine", "jeu.")),
    ("5", pgettext_lazy("jour de la semaine", "ven.")),
    ("6", pgettext_lazy("jour de la semaine", "sam.")),
    ("7", pgettext_lazy("jour de la semaine", "dim.")),
)
RULES = (
    ("default", _("Selon l'objet de la campagne")),
    ("none", _("Aucune : ni horaires ni plafond (formation et démonstration)")),
)
#: Words that an address of a campaign's page already uses.
RESERVED = frozenset({"new"})


class CampaignForm(forms.ModelForm):  # type: ignore[type-arg]
    """The settings of a campaign, without its hours."""

    calling_rule = forms.ChoiceField(label=_("Règle d'appel"), choices=RULES)
    language = forms.ChoiceField(label=_("Langue"), choices=(("fr", _("français")), ("en", _("anglais"))))

    class Meta:
        model = Campaign
        fields: ClassVar[list[str]] = [
            "programme",
            "name",
            "slug",
            "purpose",
            "calling_rule",
            "language",
            "max_attempts",
            "lease_seconds",
            "dead_line_seconds",
            "patience_seconds",
            *MANDATE,
        ]
        widgets: ClassVar[dict[str, Any]] = {name: forms.Textarea(attrs={"rows": 3}) for name in MANDATE}
        help_texts: ClassVar[dict[str, Any]] = {
            "slug": _("Dans les adresses et les commandes. Laissé vide, il est tiré du nom."),
            "max_attempts": _("Par fiche, tous agents confondus."),
            "may_decide": _("Le mandat : une phrase ou deux, lues d'un coup d'œil pendant l'appel."),
            "lease_seconds": _("Sans signe de l'écran de l'agent, la fiche retourne à la liste."),
        }

    def __init__(self, *args: Any, programmes: Any, **kwargs: Any) -> None:
        """Offer the `programmes` (queryset) that the user sees; a campaign never changes programme."""
        super().__init__(*args, **kwargs)
        choice = self.fields["programme"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = programmes
        choice.empty_label = _("À choisir")
        choice.disabled = bool(self.instance.pk)
        self.fields["slug"].required = False
        self.fields["slug"].disabled = bool(self.instance.pk)

    def clean_slug(self) -> str:
        """Refuse a slug that would hide a page."""
        slug = str(self.cleaned_data["slug"] or "")
        if slug in RESERVED:
            raise forms.ValidationError(_("Cet identifiant est réservé."))
        return slug

    def values(self) -> dict[str, Any]:
        """Return the cleaned fields, as the service takes them."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    def _post_clean(self) -> None:
        """Leave the instance and its unique constraints to the service, which words the refusals."""


class HoursForm(forms.Form):
    """One range of hours on some days; a row left blank is no range."""

    days = forms.MultipleChoiceField(
        label=_("Jours"), choices=DAYS, required=False, widget=forms.CheckboxSelectMultiple
    )
    start = forms.TimeField(
        label=_("de"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    end = forms.TimeField(
        label=_("à"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a range without days, without an end, or that ends before it starts."""
        cleaned = super().clean() or {}
        days, start, end = cleaned.get("days"), cleaned.get("start"), cleaned.get("end")
        if self.errors or not (days or start or end):
            return cleaned
        if not days:
            self.add_error("days", _("Cochez au moins un jour."))
        if start is None or end is None:
            self.add_error("start", _("Donnez le début et la fin."))
        elif start >= end:
            self.add_error("end", _("La fin doit venir après le début."))
        return cleaned

    def range(self) -> dict[str, Any] | None:
        """Return `{"days", "from", "to"}` of the contract, or None for a blank row."""
        if not self.cleaned_data.get("days"):
            return None
        return {
            "days": [int(day) for day in self.cleaned_data["days"]],
            "from": self.cleaned_data["start"].strftime("%H:%M"),
            "to": self.cleaned_data["end"].strftime("%H:%M"),
        }


HoursFormSet = forms.formset_factory(HoursForm, extra=2, max_num=14, absolute_max=14)


def hours_initial(hours: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the rows start from."""
    return [
        {"days": [str(day) for day in item["days"]], "start": item["from"], "end": item["to"]}
        for item in hours
    ]


def hours_of(rows: Any) -> list[dict[str, Any]]:
    """Return the ranges of a valid formset, in their order."""
    return [found for row in rows if (found := row.range()) is not None]


class TextForm(forms.Form):
    """A sentence to say, with placeholders; blank goes back to the default one."""

    text = forms.CharField(
        label=_("Phrase à dire"), required=False, max_length=600, widget=forms.Textarea(attrs={"rows": 3})
    )


class ScriptForm(forms.Form):
    """A longer text to say or follow."""

    text = forms.CharField(
        label=_("Texte"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 5})
    )


class DispositionRuleForm(forms.Form):
    """Whether a campaign offers a disposition, and after how many hours it retries."""

    enabled = forms.BooleanField(label=_("Proposée"), required=False)
    hours = forms.DecimalField(
        label=_("Réessayer après (heures)"), required=False, min_value=0, max_value=24 * 365, decimal_places=2
    )

    def delay(self) -> timedelta | None:
        """Return the campaign's own delay, or None to keep the catalogue's."""
        hours = self.cleaned_data["hours"]
        return None if hours is None else timedelta(hours=float(hours))


class StatusForm(forms.Form):
    """The next state of a campaign."""

    status = forms.ChoiceField(choices=[(name, name) for name in ("running", "paused", "closed")])
