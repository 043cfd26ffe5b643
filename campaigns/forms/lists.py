"""Forms of a campaign's list: its filters, and whom to add."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.enums import EntryState, Gate
from crm.forms import ReasonForm


class EntryFilterForm(forms.Form):
    """What the list of a campaign is narrowed by; everything is in the address."""

    q = forms.CharField(
        label=_("Nom, numéro ou identifiant externe"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    state = forms.ChoiceField(label=_("État"), required=False, choices=[("", _("Tous")), *EntryState.choices])
    gate = forms.ChoiceField(
        label=_("Retenue par"),
        required=False,
        choices=[("", _("Tout")), *(choice for choice in Gate.choices if choice[0] != Gate.OPEN)],
    )
    reason = forms.CharField(required=False, max_length=300, widget=forms.HiddenInput)

    def values(self) -> dict[str, str]:
        """Return the filters that hold; a value that is none of the choices filters nothing."""
        self.is_valid()
        return {name: str(self.cleaned_data.get(name) or "") for name in self.fields}


class AddProspectsForm(forms.Form):
    """Fiches to put into the list, by their ids."""

    prospects = forms.CharField(
        label=_("Numéros de fiche"),
        max_length=20000,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Un ou plusieurs, séparés par des virgules : le numéro est dans l'adresse de la fiche."),
    )

    def clean_prospects(self) -> list[int]:
        """Read the ids; refuses anything else."""
        words = re.split(r"[\s,;#]+", self.cleaned_data["prospects"].strip(" ,;#"))
        if not all(word.isdecimal() and len(word) < 18 for word in words):
            raise forms.ValidationError(_("Écrivez des numéros de fiche, séparés par des virgules."))
        return [int(word) for word in dict.fromkeys(words)]


class ResetForm(ReasonForm):
    """What a reset of a list opens again."""

    include_done = forms.BooleanField(label=_("Rouvrir aussi les fiches terminées"), required=False)


class ProspectCampaignForm(forms.Form):
    """A campaign to put one fiche into."""

    campaign: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        queryset=None, label=_("Campagne"), to_field_name="slug"
    )

    def __init__(self, *args: Any, campaigns: Any, **kwargs: Any) -> None:
        """Offer the `campaigns` (queryset) that the user sees."""
        super().__init__(*args, **kwargs)
        choice = self.fields["campaign"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = campaigns
