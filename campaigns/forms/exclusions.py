"""Forms of the exclusions: search, a new one."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.enums import ExclusionReason, Scope
from campaigns.models import Campaign, Programme
from campaigns.rules.dnc import DncFormat
from crm.forms import DAY, MAX_SEARCH, RECENT, TypedField
from crm.models import Sponsor
from crm.rules.phones import normalise

#: Reasons that a person may give by hand; the others come from calls. A ban is asked for, and granted by a manager.
BY_HAND = (
    ExclusionReason.OPPOSITION,
    ExclusionReason.REFUSAL,
    ExclusionReason.REGISTRY,
    ExclusionReason.WRONG_NUMBER,
    ExclusionReason.DECEASED,
    ExclusionReason.MINOR,
    ExclusionReason.OTHER,
)
STATES = (("", _("En vigueur")), ("lifted", _("Levées")), ("over", _("Échues")), ("all", _("Toutes")))
ORIGINS = (("", _("Toutes")), ("call", _("Un appel")), ("import", _("Un import")), ("hand", _("À la main")))


class DncForm(forms.Form):
    """Of which campaign or sponsor another dialler gets the numbers that it must not call, and how they are written."""

    place = forms.ChoiceField(label=_("Campagne ou donneur d'ordre"))
    format = forms.ChoiceField(
        label=_("Écriture"),
        choices=[
            (str(DncFormat.VICIDIAL), _("VICIdial : 199000001")),
            (str(DncFormat.NATIONAL), _("Nationale : 0199000001")),
            (str(DncFormat.E164), _("E.164 sans plus : 33199000001")),
        ],
    )

    def __init__(
        self, *args: Any, campaigns: QuerySet[Campaign], sponsors: QuerySet[Sponsor], **kwargs: Any
    ) -> None:
        """Offer the campaigns and the sponsors that the user sees."""
        super().__init__(*args, **kwargs)
        self._places: dict[str, Campaign | Sponsor] = {
            **{f"campaign-{row.pk}": row for row in campaigns.select_related("programme").order_by("name")},
            **{f"sponsor-{row.pk}": row for row in sponsors.order_by("name")},
        }
        named = [(key, row.name) for key, row in self._places.items()]
        choice = self.fields["place"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [
            (_("Campagnes"), [pair for pair in named if pair[0].startswith("campaign")]),
            (_("Donneurs d'ordre"), [pair for pair in named if pair[0].startswith("sponsor")]),
        ]

    def place_chosen(self) -> tuple[Campaign | None, Sponsor | None]:
        """Return the campaign or the sponsor that was chosen, null the other."""
        chosen = self._places[self.cleaned_data["place"]]
        return (chosen, None) if isinstance(chosen, Campaign) else (None, chosen)


class ExclusionFilterForm(forms.Form):
    """What the list of exclusions is narrowed by; everything is in the address."""

    q = TypedField(
        label=_("Chercher"),
        required=False,
        max_length=MAX_SEARCH,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
        help_text=_("Un numéro ou son début, dans n'importe quelle écriture, ou le nom d'une fiche."),
        error_messages={"max_length": _("C'est trop long pour une recherche : quelques mots suffisent.")},
    )
    state = forms.ChoiceField(label=_("État"), required=False, choices=STATES)
    reason = forms.ChoiceField(
        label=_("Motif"), required=False, choices=[("", _("Tous")), *ExclusionReason.choices]
    )
    scope = forms.ChoiceField(label=_("Portée"), required=False, choices=[("", _("Toutes")), *Scope.choices])
    programme = forms.ChoiceField(label=_("Démarche"), required=False)
    origin = forms.ChoiceField(label=_("Origine"), required=False, choices=ORIGINS)
    who = TypedField(label=_("Écrite par"), required=False, max_length=60)
    since = forms.DateField(label=_("Du"), required=False, widget=DAY, validators=[RECENT])
    until = forms.DateField(label=_("Au"), required=False, widget=DAY, validators=[RECENT])

    def __init__(self, *args: Any, programmes: Iterable[Programme], **kwargs: Any) -> None:
        """Offer the `programmes` that the user sees."""
        super().__init__(*args, **kwargs)
        choice = self.fields["programme"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [("", _("Toutes")), *((str(one.pk), one.name) for one in programmes)]

    @property
    def more(self) -> list[forms.BoundField]:
        """Return the fields below the search box and the state."""
        return [self[name] for name in self.fields if name not in ("q", "state")]

    @property
    def narrows_more(self) -> bool:
        """Whether one of those narrows the list, or is wrong."""
        return any(field.value() for field in self.more)

    def values(self) -> dict[str, Any]:
        """Return the filters that hold; a value that is none of the choices filters nothing."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class BarForm(forms.Form):
    """Whom a bar is on, a number, a fiche or both, and how far it reaches: what every form that bars asks."""

    number = forms.CharField(
        label=_("Numéro"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
        help_text=_("Dans n'importe quelle écriture."),
    )
    prospect: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        queryset=None,
        label=_("Numéro de fiche"),
        required=False,
        widget=forms.NumberInput,
        error_messages={"invalid_choice": _("Aucune fiche ne porte ce numéro.")},
    )
    scope = forms.ChoiceField(label=_("Portée"), choices=Scope.choices)
    sponsor: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        queryset=None, label=_("Donneur d'ordre"), required=False
    )
    programme: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        queryset=None, label=_("Démarche"), required=False
    )
    campaign: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        queryset=None, label=_("Campagne"), required=False
    )

    def __init__(self, *args: Any, places: dict[str, Any], prospects: Any, **kwargs: Any) -> None:
        """Offer the `places` (querysets by name: sponsor, programme, campaign) and `prospects` that the user sees."""
        super().__init__(*args, **kwargs)
        for name, rows in {**places, "prospect": prospects}.items():
            choice = self.fields[name]
            assert isinstance(choice, forms.ModelChoiceField)
            choice.queryset = rows
            choice.empty_label = _("À choisir")

    def clean_number(self) -> str | None:
        """Read the number in any spelling; refuses what holds none, or more than one."""
        raw = self.cleaned_data["number"].strip()
        if not raw:
            return None
        found = normalise(raw).numbers
        if len(found) != 1:
            raise forms.ValidationError(_("« %(raw)s » ne se lit pas comme un numéro."), params={"raw": raw})
        return found[0].number

    def clean(self) -> dict[str, Any]:
        """Refuse a bar on nothing, and a scope without its place; forget the places that the scope does not name."""
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("number") and not cleaned.get("prospect"):
            self.add_error("number", _("Donnez un numéro ou une fiche."))
        scope = cleaned.get("scope")
        for name in ("sponsor", "programme", "campaign"):
            if name != scope:
                cleaned[name] = None
            elif not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("Cette portée demande de le choisir."))
        return cleaned


class ExclusionForm(BarForm):
    """A bar that somebody writes by hand: why, and until when."""

    reason = forms.ChoiceField(label=_("Motif"), choices=[(reason.value, reason.label) for reason in BY_HAND])
    note = forms.CharField(label=_("Précision"), required=False, max_length=300)
    until = forms.DateTimeField(
        label=_("Jusqu'au"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Vide : sans fin."),
    )
