"""The stage card's own gesture: what an open situation asks of the agent, and what it then does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls.enums import SituationEffect
from calls.forms import EffectForm
from calls.models import Call
from calls.rules.playbooks.words import language_in_words
from calls.rules.quick_times import TIMES, quick_time
from calls.selectors.agreeing import spoken_languages
from calls.selectors.call_screen import CallScreen, time_zone_of
from calls.services.situation_effects import Asked, apply_effect
from calls.views.refusals import checked
from calls.views.wording import moment_in_prose
from crm.enums import Channel
from crm.models import User

#: Languages that an agent can name, those of the house first; any other is corrected on the fiche.
LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "nl", "pl", "pt", "ro", "ru", "tr", "uk", "vi", "zh-hans")
#: The telephone is what did not work.
CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.POST, Channel.RELAY)


@dataclass(frozen=True, slots=True)
class Button:
    """One gesture: the field that it sends with its value, its label, its key."""

    name: str
    value: str
    label: str
    key: str


@dataclass(frozen=True, slots=True)
class EffectCard:
    """What the card asks: a sentence on what will happen, words or a language, and its buttons.

    `done` says what was done already, "" as long as nothing was. `asks` is "words", "language" or "".
    """

    situation: str
    means: str
    asks: str
    buttons: Sequence[Button]
    languages: Sequence[tuple[str, str]] = ()
    done: str = ""


#: What the gesture means, in words, before it is made.
MEANS: dict[str, Any] = {
    SituationEffect.POLICY: gettext_lazy("L'objection est gardée pour le responsable, avec vos mots."),
    SituationEffect.COMPLAINT: gettext_lazy(
        "Le superviseur est prévenu aussitôt, avec les mots de la personne."
    ),
    SituationEffect.BOSS: gettext_lazy("Le superviseur reçoit votre mot : rien ne sera à redire."),
    SituationEffect.VULNERABLE: gettext_lazy("La vente s'arrête là. Rien n'est noté de sa santé."),
    SituationEffect.ORIGIN: gettext_lazy("La demande part au superviseur : réponse due sous un mois."),
    SituationEffect.LANGUAGE: gettext_lazy(
        "La langue va sur la fiche : un collègue qui la parle rappellera."
    ),
    SituationEffect.CHANNEL: gettext_lazy("Le moyen préféré est noté sur la fiche."),
    SituationEffect.CONFIDENTIAL: gettext_lazy("La fiche est masquée hors appel, chaque consultation notée."),
    SituationEffect.MINOR: gettext_lazy("On rappellera plus tard. Rien n'est noté de l'enfant."),
    SituationEffect.BEREAVEMENT: gettext_lazy(
        "Plus aucun appel, nulle part : rappels et listes sont fermés aussitôt."
    ),
    SituationEffect.DRIVING: gettext_lazy("Un rendez-vous d'une touche, puis raccrochez : c'est permis."),
    SituationEffect.OPT_OUT: gettext_lazy("Plus aucun appel pour ce donneur d'ordre, puis la clôture."),
}
#: What is said once it was made.
DONE: dict[str, Any] = {
    SituationEffect.POLICY: gettext_lazy("L'objection est transmise au responsable."),
    SituationEffect.COMPLAINT: gettext_lazy("Le superviseur est prévenu."),
    SituationEffect.BOSS: gettext_lazy("Le superviseur est prévenu."),
    SituationEffect.DANGER: gettext_lazy("Le superviseur est alerté. Restez en ligne."),
    SituationEffect.VULNERABLE: gettext_lazy("La vente est arrêtée, le superviseur est prévenu."),
    SituationEffect.ORIGIN: gettext_lazy("La demande est transmise."),
    SituationEffect.LANGUAGE: gettext_lazy("La langue est notée."),
    SituationEffect.CHANNEL: gettext_lazy("Le moyen préféré est noté."),
    SituationEffect.CONFIDENTIAL: gettext_lazy("La fiche est confidentielle."),
}
#: The one button of an effect that asks for nothing more, or only for words.
LABELS: dict[str, Any] = {
    SituationEffect.POLICY: gettext_lazy("Transmettre au responsable"),
    SituationEffect.COMPLAINT: gettext_lazy("Prévenir le superviseur"),
    SituationEffect.BOSS: gettext_lazy("Transmettre au superviseur"),
    SituationEffect.VULNERABLE: gettext_lazy("Arrêter la vente, prévenir le superviseur"),
    SituationEffect.ORIGIN: gettext_lazy("La personne demande ses données"),
    SituationEffect.CONFIDENTIAL: gettext_lazy("Rendre la fiche confidentielle"),
    SituationEffect.MINOR: gettext_lazy("Conclure, rappeler plus tard"),
    SituationEffect.BEREAVEMENT: gettext_lazy("Ne plus jamais appeler, conclure"),
    SituationEffect.OPT_OUT: gettext_lazy("Ne plus appeler, conclure"),
}
ASKS = {
    SituationEffect.POLICY: "words",
    SituationEffect.COMPLAINT: "words",
    SituationEffect.BOSS: "words",
    SituationEffect.LANGUAGE: "language",
}


def effect_card(facts: CallScreen, effect: str, at: datetime) -> EffectCard | None:
    """Return what the stage card offers beside its sentences, None for an effect without a gesture."""
    if effect in (SituationEffect.DANGER, *facts.effects_done):
        # What opening it did by itself, or the gesture that was made.
        return EffectCard(facts.situation, "", "", (), done=str(DONE.get(effect, "")))
    if effect not in MEANS or facts.call.disposition_id is not None:
        return None
    return EffectCard(
        situation=facts.situation,
        means=str(MEANS[effect]),
        asks=ASKS.get(SituationEffect(effect), ""),
        buttons=_buttons(facts.call, effect, at),
        languages=_languages(facts.call) if effect == SituationEffect.LANGUAGE else (),
    )


def _buttons(call: Call, effect: str, at: datetime) -> list[Button]:
    match effect:
        case SituationEffect.CHANNEL:
            return [
                Button("channel", code.value, str(code.label), str(number))
                for number, code in enumerate(CHANNELS, start=1)
            ]
        case SituationEffect.DRIVING:
            return _times(call, at)
        case SituationEffect.LANGUAGE:
            times = _times(call, at)
            alone = Button("when", "", _("Sans rappel promis"), str(len(times) + 1))
            return [*times, alone]
    return [Button("", "", str(LABELS[effect]), "" if effect in ASKS else "1")]


def _times(call: Call, at: datetime) -> list[Button]:
    """Return the times of one key; a number without a list entry can promise none."""
    if call.entry_id is None:
        return []
    zone = time_zone_of(call)
    return [
        Button(
            "when",
            code,
            _("Rappel %(when)s") % {"when": moment_in_prose(quick_time(code, at, zone), at)},
            str(key),
        )
        for key, code in enumerate(TIMES, start=1)
    ]


def _languages(call: Call) -> list[tuple[str, str]]:
    """Return codes and names of languages, those first that somebody here speaks, and said so. One query."""
    spoken = spoken_languages(call.campaign)
    here = [(code, _("%(language)s (parlé ici)") % {"language": language_in_words(code)}) for code in spoken]
    rest = [(code[:2], language_in_words(code)) for code in LANGUAGES if code[:2] not in spoken]
    return here + sorted(rest, key=lambda row: row[1])


def do_effect(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """Do what the open situation is for, with what the card's form sends."""
    told = checked(EffectForm(request.POST))
    situation = told.pop("situation")
    return apply_effect(call=call, situation=situation, asked=Asked(**told), by=user, at=at)
