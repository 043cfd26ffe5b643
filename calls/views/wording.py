"""Sentences and labels of the call screen: what a call's facts are in words. Pure: reads what was loaded."""

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from calls.enums import CallState, HungUpBy, Result
from calls.models import Call
from calls.selectors.call_screen import CallScreen
from campaigns.models import Disposition


def spaced(number: str) -> str:
    """Return an E.164 number as it is read: `+33 1 99 00 12 34`; other countries in groups of three."""
    if number.startswith("+33") and len(number) == 12:
        return " ".join((number[:3], number[3], *(number[start : start + 2] for start in range(4, 12, 2))))
    return " ".join((number[:3], *(number[start : start + 3] for start in range(3, len(number), 3))))


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
        return _("Rappel promis le %(when)s.") % {
            "when": date_format(localtime(facts.callback_at), _("j F à H:i"))
        }
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
