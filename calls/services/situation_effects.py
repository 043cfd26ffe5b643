"""What a delicate situation does beside its words: by itself when it is opened, or when the agent says so."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from calls.enums import OF_LISTS, CallEventKind, IncidentKind, SituationEffect
from calls.models import Call, Incident, Situation, SituationMark, Stage
from calls.rules.hang_up import DRIVING, STAGE, SUPERVISOR
from calls.rules.quick_times import TIMES, quick_time
from calls.rules.suspicions import is_suspect
from calls.selectors.call_screen import time_zone_of
from calls.selectors.situations import list_standing, open_situation
from calls.services.conclude import incident_of, report
from calls.services.dispositions import dispose
from calls.services.errors import Invalid, InvalidTransition, domain_errors
from calls.services.fiche import correct_fact
from calls.services.held import held, line, require_verb, save, tell_all
from calls.services.supervisor import ask_supervisor
from campaigns.enums import ExclusionReason, Scope
from campaigns.models import ListEntry
from campaigns.services.exclusions import exclude
from crm.enums import Channel, LookPlace
from crm.models import User
from crm.services.looks import note_look

#: A request about one's own data is answered within a month (GDPR, article 12).
RIGHTS_WITHIN = timedelta(days=30)
#: Opening one of these tells the supervisor at once.
ALERTS: dict[str, IncidentKind] = {SituationEffect.DANGER: IncidentKind.DANGER}
#: Whoever speaks of dying is sold nothing any more by anybody; a supervisor who knows better lifts the exclusion.
#: Comes under the locks on the bars.
BARS = frozenset({SituationEffect.DANGER})


@dataclass(frozen=True, slots=True)
class Asked:
    """What the agent sends with an effect; which of it is needed depends on the effect.

    `words` are what was said (500 characters), `language` an ISO 639-1 code, `channel` a `crm.enums.Channel`,
    `when` the code of a time to call again (`calls.rules.quick_times`).
    """

    words: str = ""
    language: str = ""
    channel: str = ""
    when: str = ""

    def callback_at(self, call: Call, at: datetime) -> datetime | None:
        """Return the moment of `when` by the clock of the called party, None for none. Raises Invalid."""
        if not self.when:
            return None
        if self.when not in TIMES:
            raise Invalid.field("when", _("Quand rappeler ?"))
        return quick_time(self.when, at, time_zone_of(call))


def on_stage(call: Call, stage: Stage, *, first: bool, by: User, at: datetime) -> None:
    """Do what reaching a stage does by itself, on a locked call; `first`: the situation is new to this call."""
    effect = stage.situation.effect
    data = {"situation": stage.situation.code, "stage": stage.position}
    if first and effect in OF_LISTS:
        _mark(call, stage.situation, by=by, at=at)
    if first and (kind := ALERTS.get(effect)):
        report(incident_of(call, kind, by=by, at=at, data=data))
    if first and effect in BARS:
        # What was said stays with the incident: the exclusion gives no reason that tells of it.
        exclude(
            scope=Scope.EVERYWHERE,
            number=call.number,
            prospect=call.prospect,
            reason=ExclusionReason.OTHER,
            note=_("Plus aucun appel après cet échange."),
            by=by,
            at=at,
            call_ref=call.pk,
        )
    if not stage.may_end:
        # Only the stage that says so lets the call be ended: on another one the right is gone.
        if call.end_allowed_by.startswith(STAGE):
            save(call, end_allowed_by="")
        return
    driving = effect == SituationEffect.DRIVING
    allow(call, DRIVING if driving else f"{STAGE}:{stage.situation.code}/{stage.position}")
    if not driving:
        report(incident_of(call, IncidentKind.ABUSE, by=by, at=at, data=data))


def allow(call: Call, why: str) -> None:
    """Let the agent of a locked call end it; what a supervisor allowed stands above."""
    if call.end_allowed_by != SUPERVISOR:
        save(call, end_allowed_by=why[:40])


def apply_effect(*, call: Call, situation: str, asked: Asked, by: User, at: datetime) -> Call:
    """Do what the open situation (its code) is for, with what the agent sends. Sent twice, it is done once.

    Raises Invalid for what is missing, InvalidTransition when that situation is not the one that is open or has
    nothing to do; and whatever the verb behind it refuses (a disposition, a corrected fact).
    """
    opened, done = open_situation(call, situation)
    if opened is None:
        raise InvalidTransition(_("Cette situation n'est pas ouverte sur cet appel."))
    act = _ACTS.get(opened.effect)
    if act is None:
        raise InvalidTransition(_("Cette situation n'a pas d'autre suite que ses phrases."))
    with domain_errors(), transaction.atomic():
        current = act(call, opened, asked, by, at)
        told = _told(opened, asked)
        lines = [] if told in done else [line(CallEventKind.SITUATION_EFFECT, told)]
        if current.disposition_id is not None:
            # The closing comes now: the card steps back, what it allowed stays.
            lines.append(line(CallEventKind.SITUATION, {"situation": None, "calmed": False}))
        tell_all(current, lines, by=by, at=at)
        return current


def _mark(call: Call, situation: Situation, *, by: User, at: datetime) -> None:
    """Count the situation for the list and the source that led here; a list with too many of them is told of."""
    call_list = call.entry.call_list_id if call.entry else None
    mark = SituationMark(
        call=call,
        situation=situation,
        effect=situation.effect,
        call_list_id=call_list,
        source_id=call.prospect.source_id if call.prospect else None,
        at=at,
    )
    SituationMark.objects.bulk_create([mark], ignore_conflicts=True)
    if call_list is not None:
        _suspect(call, OF_LISTS[situation.effect], situation.effect, call_list, by=by, at=at)


def _suspect(call: Call, kind: IncidentKind, effect: str, call_list: int, *, by: User, at: datetime) -> None:
    """Tell the manager once of a list that is probably wrong, with the share that says so."""
    if Incident.objects.filter(kind=kind, data__call_list=call_list).exists():
        return
    standing = list_standing(call_list, effect)
    if is_suspect(standing.met, standing.talks):
        facts = {"call_list": call_list, "name": standing.name, "met": standing.met, "talks": standing.talks}
        report(incident_of(call, kind, by=by, at=at, data=facts))


def _told(situation: Situation, asked: Asked) -> dict[str, Any]:
    """Return what the history keeps of the gesture; never the words, which stand with the incident."""
    data = {
        "situation": situation.code,
        "effect": situation.effect,
        "label": situation.label,
        "language": asked.language,
        "channel": asked.channel,
    }
    return {name: value for name, value in data.items() if value}


Act = Callable[[Call, Situation, Asked, User, datetime], Call]


def _reported(kind: IncidentKind, *, words: bool) -> Act:
    """Return the act of an incident for the supervisor or the manager; `words` when it needs what was said, and
    else keeps none."""

    def act(call: Call, situation: Situation, asked: Asked, by: User, at: datetime) -> Call:
        said = asked.words.strip()[:500] if words else ""
        if words and not said:
            raise Invalid.field("words", _("Notez en quelques mots ce que la personne a dit."))
        with held(call, by=by) as current:
            require_verb("situations", current, at)
            data: dict[str, Any] = {"situation": situation.code}
            if kind == IncidentKind.RIGHTS:
                data["due"] = (at + RIGHTS_WITHIN).date().isoformat()
            incident = incident_of(current, kind, by=by, at=at, data=data)
            incident.summary = said
            report(incident)
            return current

    return act


def _escalated(call: Call, situation: Situation, asked: Asked, by: User, at: datetime) -> Call:
    return ask_supervisor(call=call, words=asked.words, by=by, at=at)


def _in_language(call: Call, situation: Situation, asked: Asked, by: User, at: datetime) -> Call:
    """Put the language on the fiche and on its entry: the next call is served to an agent who speaks it."""
    code = asked.language.strip().lower()[:8]
    if not code:
        raise Invalid.field("language", _("Quelle langue la personne parle-t-elle ?"))
    if call.prospect is None:
        raise InvalidTransition(_("Cet appel n'a pas de fiche."))
    current = correct_fact(call=call, data={"language": code}, by=by, at=at)
    if current.disposition_id is None:
        moment = asked.callback_at(current, at)
        current = dispose(
            call=current,
            code="callback" if moment else "language",
            note=_("Parle : %(language)s.") % {"language": code},
            callback_at=moment,
            exact=moment is not None,
            by=by,
            at=at,
        )
    if current.entry_id is not None:
        ListEntry.objects.filter(pk=current.entry_id).update(language=code)
    return current


def _by_channel(call: Call, situation: Situation, asked: Asked, by: User, at: datetime) -> Call:
    if asked.channel not in Channel.values:
        raise Invalid.field("channel", _("Par quel moyen la personne préfère-t-elle être jointe ?"))
    return correct_fact(call=call, data={"preferred_channel": asked.channel}, by=by, at=at)


def _confidential(call: Call, situation: Situation, asked: Asked, by: User, at: datetime) -> Call:
    current = correct_fact(call=call, data={"confidential": True}, by=by, at=at)
    if current.prospect is not None:
        note_look(prospect=current.prospect, by=by, at=at, place=LookPlace.CALL)
    return current


def _disposed(code: str, *, later: bool = False) -> Act:
    """Return the act of a disposition, which begins the closing; `later` when it needs a time to call again."""

    def act(call: Call, situation: Situation, asked: Asked, by: User, at: datetime) -> Call:
        moment = asked.callback_at(call, at) if later else None
        if later and moment is None:
            raise Invalid.field("when", _("Quand rappeler ?"))
        return dispose(call=call, code=code, callback_at=moment, exact=moment is not None, by=by, at=at)

    return act


#: What the agent's own gesture does, by the effect of the situation.
_ACTS: dict[str, Act] = {
    SituationEffect.POLICY: _reported(IncidentKind.POLICY, words=True),
    SituationEffect.COMPLAINT: _reported(IncidentKind.COMPLAINT, words=True),
    SituationEffect.VULNERABLE: _reported(IncidentKind.VULNERABLE, words=False),
    SituationEffect.ORIGIN: _reported(IncidentKind.RIGHTS, words=False),
    SituationEffect.BOSS: _escalated,
    SituationEffect.LANGUAGE: _in_language,
    SituationEffect.CHANNEL: _by_channel,
    SituationEffect.CONFIDENTIAL: _confidential,
    SituationEffect.MINOR: _disposed("minor"),
    SituationEffect.BEREAVEMENT: _disposed("deceased"),
    SituationEffect.DRIVING: _disposed("callback", later=True),
    SituationEffect.OPT_OUT: _disposed("opt_out"),
}
