"""A callback on the form of a disposition: what is offered, and how a time is understood before it is stored."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from calls.models import Call, Callback
from calls.rules.moments import Unreadable
from calls.rules.playbooks.words import language_in_words
from calls.selectors.agreeing import Meeting, Understood, spoken_languages, understand
from calls.services.errors import Invalid
from campaigns.models import Disposition
from campaigns.rules.gate import sentence
from crm.models import User

NO_BREAK = "\N{NO-BREAK SPACE}"


def callback_form(call: Call, chosen: Disposition, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form of a callback needs: what was typed, who may call back, in which languages. One query.

    A disposition that bars the person, and a number without a record in the list, take none.
    """
    if chosen.bar_target or call.entry_id is None:
        return {"takes_callback": False, "typed": typed}
    return {
        "takes_callback": True,
        "typed": typed,
        "preview_url": reverse("call-callback-preview", args=[call.pk]),
        "languages": [(code, language_in_words(code)) for code in spoken_languages(call.campaign)],
    }


def promised_in(call: Call, told: Mapping[str, Any], *, by: User, at: datetime) -> dict[str, Any]:
    """Return the callback that a form holds as `dispose` takes it; nothing where no time was typed."""
    if not told["callback_at"]:
        return {}
    try:
        read = understand(call, told["callback_at"], given=told["callback_exact"], now=at)
    except Unreadable as unreadable:
        raise Invalid.field("callback_at", unreadable.message) from None
    return {
        "callback_at": read.at,
        "exact": read.exact,
        "callback_agent": by if told["callback_agent"] == by.pk else None,
        "callback_language": told["callback_language"],
    }


def day_and_time(at: datetime, time_zone: str) -> str:
    """Return a moment as it is said, by the clock of a zone: `vendredi 27 novembre à 15 h 00`."""
    local = at.astimezone(ZoneInfo(time_zone))
    return _("%(day)s à %(time)s") % {"day": date_format(local, _("l j F")), "time": _time(local)}


def _time(local: datetime) -> str:
    return date_format(local, _("G \\h i")).replace(" ", NO_BREAK)


def understood_sentence(read: Understood) -> str:
    """Return how a time was understood: by the person's clock, and by ours where it shows another one."""
    ours, theirs = timezone.localtime(read.at), read.at.astimezone(ZoneInfo(read.time_zone))
    said = day_and_time(read.at, read.time_zone)
    if (ours.date(), ours.time()) == (theirs.date(), theirs.time()):
        return _("%(when)s, chez la personne comme chez vous") % {"when": said}
    here = _time(ours) if ours.date() == theirs.date() else f"{date_format(ours, _('l j F'))} {_time(ours)}"
    return _("%(when)s chez la personne · %(here)s chez vous") % {"when": said, "here": here}


def remarks(read: Understood, meets: Meeting) -> Iterator[str]:
    """Say what else there is to know of a time: that it was moved, why it is refused, what it meets."""
    if read.moved_from is not None:
        yield _("Déplacé à la prochaine ouverture : %(asked)s est hors des horaires d'appel.") % {
            "asked": day_and_time(read.moved_from, read.time_zone)
        }
    if read.refusal is not None:
        yield sentence(read.refusal.gate, read.refusal.reason)
        yield _("Si la personne a donné cette heure exacte, cochez la case.")
    for row in meets.already:
        yield _("Cette personne a déjà un rappel prévu : %(when)s, « %(campaign)s ».") % {
            "when": day_and_time(row.due_at, read.time_zone),
            "campaign": row.campaign.name,
        }
    for row in meets.near:
        yield _("Vous avez déjà un rappel à %(time)s : %(name)s.") % {
            "time": _time(timezone.localtime(row.due_at)),
            "name": name_of_callback(row),
        }


def name_of_callback(row: Callback) -> str:
    """Return whom a callback is for; a confidential record is shown in its call only."""
    return _("fiche confidentielle") if row.prospect.confidential else row.prospect.display_name
