"""Forms of the pages of webhooks: a subscription, and what narrows its log."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.enums import SUBSCRIBED, DeliveryState, Role, WebhookEvent, WebhookPayload
from crm.models import Sponsor, User, WebhookSubscription


class AccountChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Whose eyes a subscription has: a program's, by its name, or one's own."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the account's name, and what it is."""
        name = obj.get_full_name() or obj.get_username()
        return f"{name} ({obj.get_role_display()})"


class WebhookForm(forms.Form):
    """A subscription: where to, what about, how much is told. Its account is chosen once."""

    name = forms.CharField(
        label=_("Nom"), max_length=100, help_text=_("Le logiciel qui reçoit : « CRM de la banque ».")
    )
    url = forms.CharField(
        label=_("Adresse"),
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
        help_text=_("Un serveur de l'Internet public, en https. Il répond 2xx en moins de 15 secondes."),
    )
    events = forms.MultipleChoiceField(
        label=_("Événements"), choices=SUBSCRIBED, widget=forms.CheckboxSelectMultiple
    )
    payload = forms.ChoiceField(
        label=_("Contenu"),
        choices=WebhookPayload.choices,
        widget=forms.RadioSelect,
        help_text=_(
            "« En entier » envoie des données personnelles à ce destinataire : il doit y avoir droit. Les fiches"
            " confidentielles ou effacées ne partent jamais en entier."
        ),
    )
    owner = AccountChoice(
        label=_("Compte"),
        queryset=User.objects.none(),
        empty_label=None,
        help_text=_(
            "L'abonnement voit ce que ce compte voit, et s'arrête avec lui : de préférence celui d'un programme."
        ),
    )
    sponsors = forms.ModelMultipleChoiceField(
        label=_("Donneurs d'ordre"),
        queryset=Sponsor.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Aucun coché : tous ceux du compte."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        owners: QuerySet[User],
        sponsors: QuerySet[Sponsor],
        instance: WebhookSubscription | None = None,
    ) -> None:
        """Offer the accounts and sponsors that the user sees; start from a subscription, whose account stays."""
        initial: dict[str, Any] = {"payload": WebhookPayload.THIN, "owner": _first_program(owners)}
        if instance is not None:
            kept = ("name", "url", "events", "payload")
            initial = {name: getattr(instance, name) for name in kept}
            initial["sponsors"] = [sponsor.pk for sponsor in instance.sponsors.all()]
        super().__init__(data, initial=initial)
        for name, rows in (("owner", owners), ("sponsors", sponsors)):
            choice = self.fields[name]
            assert isinstance(choice, forms.ModelChoiceField)
            choice.queryset = rows
        if instance is not None:
            del self.fields["owner"]
        if not sponsors.exists():
            del self.fields["sponsors"]

    def values(self) -> dict[str, Any]:
        """Return the fields, as the service takes them, without the account."""
        found = {name: self.cleaned_data[name] for name in ("name", "url", "events", "payload")}
        return found | {"sponsors": list(self.cleaned_data.get("sponsors", []))}


def _first_program(owners: QuerySet[User]) -> int | None:
    return owners.filter(role=Role.INTEGRATION).order_by("username").values_list("pk", flat=True).first()


class DeliveryFilterForm(forms.Form):
    """What narrows the log of a subscription; a value that means nothing filters nothing."""

    state = forms.ChoiceField(
        label=_("État"),
        required=False,
        choices=[("", _("Tous")), ("missed", _("Non reçus")), *DeliveryState.choices],
    )
    event = forms.ChoiceField(
        label=_("Événement"), required=False, choices=[("", _("Tous")), *WebhookEvent.choices]
    )
    since = forms.DateTimeField(
        label=_("Depuis"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    ref = forms.IntegerField(
        label=_("Identifiant de l'appel, de la fiche…"), required=False, min_value=1, max_value=2**63 - 1
    )

    def values(self) -> dict[str, Any]:
        """Return the filters that hold."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class SinceForm(forms.Form):
    """From when on messages that were not taken are sent again."""

    since = forms.DateTimeField(
        label=_("Depuis"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
