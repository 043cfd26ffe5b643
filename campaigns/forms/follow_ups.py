"""The form of a follow-up's template."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.models import FollowUpTemplate


class FollowUpTemplateForm(forms.ModelForm):  # type: ignore[type-arg]
    """A template: its name, its language, what it says, whether agents may use it."""

    language = forms.ChoiceField(label=_("Langue"), choices=(("fr", _("français")), ("en", _("anglais"))))

    class Meta:
        model = FollowUpTemplate
        fields: ClassVar[list[str]] = ["name", "language", "subject", "body", "active"]
        widgets: ClassVar[dict[str, Any]] = {"body": forms.Textarea(attrs={"rows": 10})}
        help_texts: ClassVar[dict[str, Any]] = {
            "name": _("Ce que l'agent lit pour le choisir."),
            "body": _(
                "La signature (pour qui, d'où vient l'adresse, comment s'opposer) s'ajoute toute seule."
            ),
            "active": _("Les agents peuvent l'envoyer."),
        }

    def _post_clean(self) -> None:
        """Leave the instance and its constraints to the service, which words the refusals."""
