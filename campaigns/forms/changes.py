"""Forms of the history of changes and of what is confirmed."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.enums import ChangeKind


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of a person, by the name that people know."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the full name, else the login."""
        return str(obj.get_full_name() or obj.get_username())


class ChangeFilterForm(forms.Form):
    """What the history is narrowed by; everything is in the address."""

    programme: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        queryset=None, label=_("Démarche"), required=False, empty_label=_("Toutes")
    )
    campaign: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        queryset=None, label=_("Campagne"), required=False, to_field_name="slug", empty_label=_("Toutes")
    )
    kind = forms.ChoiceField(
        label=_("Changement"), required=False, choices=[("", _("Tous")), *ChangeKind.choices]
    )
    who: "forms.ModelChoiceField[Any]" = PersonField(
        queryset=None, label=_("Par"), required=False, empty_label=_("Tous")
    )
    since = forms.DateField(
        label=_("Depuis le"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        label=_("Jusqu'au"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, data: Any, *, programmes: Any, campaigns: Any, people: Any) -> None:
        """Offer the programmes, campaigns and people (querysets) that the user sees."""
        super().__init__(data)
        for name, rows in (("programme", programmes), ("campaign", campaigns), ("who", people)):
            choice = self.fields[name]
            assert isinstance(choice, forms.ModelChoiceField)
            choice.queryset = rows

    def values(self) -> dict[str, Any]:
        """Return the filters that hold; a value that is none of the choices filters nothing."""
        self.is_valid()
        found = self.cleaned_data
        programme, campaign, who = (found.get(name) for name in ("programme", "campaign", "who"))
        return {
            "programme": programme.pk if programme else None,
            "campaign": campaign.slug if campaign else "",
            "kind": found.get("kind") or "",
            "who": who.pk if who else None,
            "since": found.get("since"),
            "until": found.get("until"),
        }
