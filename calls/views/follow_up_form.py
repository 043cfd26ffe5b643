"""The form of a follow-up by e-mail, over the centre of the call's screen."""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext as _

from calls.models import Call
from calls.selectors.call_screen import CallScreen
from calls.selectors.follow_ups import message_of, opposition_of, templates_of
from calls.services.follow_ups import WRITABLE

#: Templates that have a key of their own.
KEYS = "123456789"


def may_follow_up(call: Call) -> bool:
    """Whether a follow-up can be written from the screen of this call: somebody answered, and there is a fiche."""
    return call.prospect_id is not None and call.answered_at is not None and call.state in WRITABLE


def follow_up_form(facts: CallScreen, asked: str, typed: str) -> dict[str, Any]:
    """Return what the form shows, {} when it is not open; `asked` is the template that the address names.

    Two queries when it is open.
    """
    call = facts.call
    if not asked or not may_follow_up(call):
        return {}
    templates = templates_of(call)
    chosen = next((row for row in templates if str(row.pk) == asked), templates[0] if templates else None)
    why_not = _why_not(call, bool(templates))
    return {
        "template": "calls/_follow_up.html",
        "announcement": why_not or _("E-mail de suivi. Entrée l'envoie, Échap revient à l'appel."),
        "follow_up": {
            "why_not": why_not,
            "choices": [
                {"pk": row.pk, "name": row.name, "key": KEYS[place : place + 1], "is_chosen": row == chosen}
                for place, row in enumerate(templates)
            ],
            "chosen": chosen,
            "message": message_of(call, chosen) if chosen and not why_not else None,
            "email": typed or (call.prospect.email if call.prospect else ""),
            "key": uuid4(),
        },
    }


def _why_not(call: Call, has_templates: bool) -> str:
    if not settings.EMAIL_OFFERED:
        return _("Aucun serveur d'e-mail n'est configuré : le responsable peut le demander.")
    if opposition_of(call) is not None:
        return _("La personne s'est opposée à être recontactée : aucun e-mail ne peut partir.")
    if not has_templates:
        return _("Aucun modèle d'e-mail n'est écrit pour cette campagne : le responsable peut en ajouter.")
    return ""
