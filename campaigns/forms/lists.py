"""Forms of a campaign's list: its filters, and whom to add."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.enums import CampaignStatus, EntryState, Gate, Progress
from campaigns.models import Programme
from campaigns.rules.gate import sentence
from campaigns.selectors.entries import EMPTY
from campaigns.selectors.funnel import STAGES


class EntryFilterForm(forms.Form):
    """What the list of a campaign is narrowed by; everything is in the address."""

    #: Shown at once; the others stand behind "more", or are set by links alone.
    FIRST = ("state", "stage", "outcome")
    MORE = ("when", "gate", "owner")

    q = forms.CharField(
        label=_("Nom, numéro ou identifiant externe"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    state = forms.ChoiceField(label=_("État"), required=False, choices=[("", _("Tous")), *EntryState.choices])
    stage = forms.ChoiceField(
        label=_("Étape atteinte"),
        required=False,
        choices=[("", _("Toutes")), *((code, label) for code, (label, _meaning) in STAGES.items())],
    )
    outcome = forms.CharField(label=_("Dernier résultat"), required=False, max_length=40, widget=forms.Select)
    when = forms.ChoiceField(
        label=_("Appelable"),
        required=False,
        choices=[
            ("", _("Peu importe")),
            ("now", _("Maintenant")),
            ("later", _("Plus tard")),
            ("due", _("Heure passée")),
        ],
    )
    gate = forms.ChoiceField(
        label=_("Retenue par"),
        required=False,
        choices=[
            ("", _("Tout")),
            (EMPTY, _("Rien")),
            *(choice for choice in Gate.choices if choice[0] != Gate.OPEN),
        ],
    )
    owner = forms.CharField(label=_("Rappel promis par"), required=False, max_length=150, widget=forms.Select)
    reason = forms.CharField(required=False, max_length=300, widget=forms.HiddenInput)
    progress = forms.ChoiceField(
        required=False,
        choices=[("", ""), (EMPTY, _("Jamais appelée")), *Progress.choices],
        widget=forms.HiddenInput,
    )
    play = forms.ChoiceField(
        required=False,
        choices=[("", ""), ("yes", _("Encore en jeu")), ("no", _("Plus en jeu"))],
        widget=forms.HiddenInput,
    )

    def __init__(
        self, *args: Any, choices: Mapping[str, Sequence[tuple[str, str]]] | None = None, **kwargs: Any
    ) -> None:
        """Offer the `choices` of a campaign for `outcome` and `owner`; without them nothing is offered, all is read."""
        super().__init__(*args, **kwargs)
        for name, listed in (choices or {}).items():
            widget = self.fields[name].widget
            assert isinstance(widget, forms.Select)
            widget.choices = [("", _("Tous")), *listed]

    def values(self) -> dict[str, str]:
        """Return the filters that hold; a value that is none of the choices filters nothing."""
        self.is_valid()
        return {name: str(self.cleaned_data.get(name) or "") for name in self.fields}

    @property
    def first(self) -> list[forms.BoundField]:
        """The fields that are shown at once, beside the search."""
        return [self[name] for name in self.FIRST]

    @property
    def more(self) -> list[forms.BoundField]:
        """The fields behind "more"."""
        return [self[name] for name in self.MORE]

    @property
    def narrows_more(self) -> bool:
        """Whether one of those behind "more" is set."""
        values = self.values()
        return any(values[name] for name in self.MORE)

    def by_link(self) -> list[str]:
        """Return in words what only a link sets: how far the calls came, and why an entry is held."""
        values = self.values()
        words = [
            str(label)
            for name in ("progress", "play")
            for code, label in cast(Any, self.fields[name]).choices
            if code and code == values[name]
        ]
        if values["reason"] and values["reason"] != EMPTY:
            known = values["gate"] and values["gate"] != EMPTY
            later = _("Rappel ou nouvelle tentative à l'heure prévue.")
            words.append(sentence(values["gate"], values["reason"]) if known else str(later))
        return [word.rstrip(".") for word in words]


class CampaignFilterForm(forms.Form):
    """What the list of campaigns is narrowed by; everything is in the address."""

    q = forms.CharField(
        label=_("Nom de la campagne"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    status = forms.ChoiceField(
        label=_("État"), required=False, choices=[("", _("Tous")), *CampaignStatus.choices]
    )
    programme = forms.IntegerField(label=_("Démarche"), required=False, min_value=1, widget=forms.Select)
    sponsor = forms.IntegerField(label=_("Donneur d'ordre"), required=False, min_value=1, widget=forms.Select)

    def __init__(self, *args: Any, programmes: Iterable[Programme], **kwargs: Any) -> None:
        """Offer the `programmes` (with their sponsors) that the user sees."""
        super().__init__(*args, **kwargs)
        listed = list(programmes)
        sponsors = sorted({(row.sponsor.name, row.sponsor_id) for row in listed})
        offered = {
            "programme": [(str(row.pk), row.name) for row in listed],
            "sponsor": [(str(pk), name) for name, pk in sponsors],
        }
        for name, choices in offered.items():
            widget = self.fields[name].widget
            assert isinstance(widget, forms.Select)
            widget.choices = [("", _("Tous") if name == "sponsor" else _("Toutes")), *choices]

    def values(self) -> dict[str, Any]:
        """Return the filters that hold, by name; what cannot be read filters nothing."""
        self.is_valid()
        return {name: value for name in self.fields if (value := self.cleaned_data.get(name))}


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
        choice.empty_label = _("À choisir")
