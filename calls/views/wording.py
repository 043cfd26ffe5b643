"""Sentences and labels of the call screen: what a call's facts are in words. Pure: reads what was loaded."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from calls.enums import CallState, HungUpBy, Result
from calls.models import Call
from calls.selectors.call_screen import CallScreen
from campaigns.models import Disposition

NO_BREAK = "\N{NO-BREAK SPACE}"


def spaced(number: str) -> str:
    """Return an E.164 number as it is read, never broken: `+33 1 99 00 12 34`; other countries in groups of three."""
    if number.startswith("+33") and len(number) == 12:
        groups = [number[:3], number[3], *(number[start : start + 2] for start in range(4, 12, 2))]
    else:
        groups = [number[:3], *(number[start : start + 3] for start in range(3, len(number), 3))]
    return NO_BREAK.join(groups)


def clock_in(time_zone: str) -> str:
    """Return the time of day in a zone as a clock shows it (`14:32`), "" for no zone."""
    return f"{timezone.now().astimezone(ZoneInfo(time_zone)):%H:%M}" if time_zone else ""


def time_in_prose(at: datetime) -> str:
    """Return a time of day inside a sentence: `14 h 32` in French, `14:32` in English."""
    return date_format(localtime(at), _("G \\h i")).replace(" ", NO_BREAK)


def moment_in_prose(at: datetime, now: datetime) -> str:
    """Return when something is due inside a sentence: `à 14 h 32` today, `demain à 14 h 32`, `le 3 mars à 14 h 32`."""
    time, days = time_in_prose(at), (localtime(at).date() - localtime(now).date()).days
    if days == 0:
        return _("à %(time)s") % {"time": time}
    if days == 1:
        return _("demain à %(time)s") % {"time": time}
    return _("le %(day)s à %(time)s") % {"day": date_format(localtime(at), _("j F")), "time": time}


def due_in_short(at: datetime, now: datetime) -> str:
    """Return a due time for a list: `14:32` today, `27/11 14:32` on another day."""
    local = localtime(at)
    return f"{local:%H:%M}" if local.date() == localtime(now).date() else f"{local:%d/%m %H:%M}"


def outcome_of(call: Call) -> str:
    """Return how a call of the agent's list ended, "" when it is not settled."""
    if call.disposition:
        return label_of(call.disposition)
    return str(call.get_cause_display()) if call.cause else ""


def name_of(call: Call) -> str:
    """Return whom the call is for, never empty."""
    return call.prospect.display_name if call.prospect else spaced(call.number)


def label_of(row: Disposition) -> str:
    """Return a disposition's label in the language of the page."""
    return row.shown_label


def facts_of(call: Call) -> list[dict[str, str]]:
    """Return what is known of the person, as labels and values; what is unknown takes no place."""
    prospect = call.prospect
    if prospect is None:
        return []
    town = " ".join(part for part in (prospect.postal_code, prospect.city) if part)
    known = (
        (_("Secteur"), prospect.sector),
        (_("Adresse"), prospect.address),
        (_("Ville"), town),
        (_("Langue"), prospect.language),
        (_("E-mail"), prospect.email),
        (_("Fichier"), prospect.source.name),
    )
    attributes = sorted(prospect.attributes.items())[:12]
    rows = [
        *known,
        *((name.replace("_", " "), str(value)) for name, value in attributes if value not in ("", None)),
    ]
    return [{"label": label, "value": value} for label, value in rows if value]


def result_label(result: str, heard: str) -> str:
    """Return an answer in words, with what was heard."""
    labels = {Result.MATCH: _("oui"), Result.MISMATCH: _("non"), Result.UNKNOWN: _("ne sait pas")}
    label = labels[Result(result)] if result else ""
    return label + _(" : ") + heard if label and heard else label


def mismatch_sentence(facts: CallScreen) -> str:
    """Return why the call is out of criteria, empty when it is not."""
    if not facts.mismatches:
        return ""
    last = facts.mismatches[-1]
    if not last.expected:
        return _("Hors-critères : %(heard)s.") % {"heard": last.heard}
    return _("Hors-critères : %(heard)s, attendu : %(expected)s.") % {
        "heard": last.heard,
        "expected": last.expected,
    }


def recorded_sentence(facts: CallScreen) -> str:
    """Return in one sentence what the call leaves behind."""
    call = facts.call
    if call.state == CallState.RELEASED:
        return _("Fiche rendue à la liste.")
    if call.out_of_criteria_at and call.disposition and call.disposition.by_mismatch_only:
        return _("Hors-critères enregistré : plus aucun appel pour « %(programme)s ».") % {
            "programme": call.campaign.programme.name
        }
    if facts.callback_at:
        return _("Rappel promis %(when)s.") % {"when": moment_in_prose(facts.callback_at, timezone.now())}
    if call.disposition:
        return _("Enregistré : %(label)s.") % {"label": label_of(call.disposition)}
    if call.cause:
        return _("Pas joint : %(cause)s.") % {"cause": call.get_cause_display().lower()}
    return _("Rien n'est encore enregistré.")


def ending_sentence(call: Call) -> str:
    """Return who ended the communication, as it was stored."""
    sentences = {
        HungUpBy.PROSPECT: _("La personne a raccroché."),
        HungUpBy.AGENT: _("Vous avez raccroché."),
        HungUpBy.NETWORK: _("La communication a été coupée par le réseau."),
        HungUpBy.SUPERVISOR: _("Le superviseur a mis fin à l'appel."),
        HungUpBy.UNKNOWN: _("La communication a pris fin."),
    }
    return sentences.get(HungUpBy(call.hung_up_by), "") if call.hung_up_by else ""
