"""What stands beside a call to be known: the mandate, what earlier contacts left."""

from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from calls.models import Call
from calls.selectors.call_screen import CallScreen, Question
from calls.selectors.carried import Carried


@dataclass(frozen=True, slots=True)
class MandatePart:
    """A part of a mandate: what it is about, and what the campaign wrote."""

    label: str
    text: str


def mandate_of(call: Call) -> list[MandatePart]:
    """Return what an agent may settle alone on this call, [] where nobody wrote anything."""
    campaign = call.campaign
    parts = (
        (_("Vous pouvez décider"), campaign.may_decide),
        (_("Vous pouvez promettre"), campaign.may_promise),
        (_("Vous pouvez offrir"), campaign.may_offer),
    )
    return [MandatePart(label, text) for label, text in parts if text]


def known_before(question: Question) -> str:
    """Return when a criterion was met on an earlier call ("déjà dit le 3 mars"), "" when it is to be asked."""
    if question.result or question.known_at is None:
        return ""
    return _("déjà dit le %(date)s") % {"date": date_format(localtime(question.known_at), "j F")}


def known_of(facts: CallScreen) -> list[dict[str, Any]]:
    """Return what earlier contacts left, a line each: when and in which words."""
    carried: Carried = facts.carried
    lines = [
        (_("Dernière note"), carried.notes),
        (_("Rappel promis"), carried.callbacks),
        (_("Souhait"), carried.wishes),
        (_("E-mail envoyé"), carried.follow_ups),
    ]
    return [{"label": label, "at": told.at, "text": told.text} for label, rows in lines for told in rows]
