"""How a call ended: stored once with its effects, finished, and corrected by a supervisor with theirs undone."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from calls.enums import DISPOSITION_OF_CAUSE, CallEventKind, CallState, IncidentKind, NotePlace
from calls.models import Call, CallAnswer, CallDisposition, Incident
from calls.rules.transitions import ON_LINE
from calls.selectors.agreeing import time_verdict
from calls.selectors.answers import unmet
from calls.selectors.choosing import Choice, choice_of
from calls.selectors.facts import is_settled
from calls.services.closing import closing_of
from calls.services.conclude import Consequences, conclude
from calls.services.effects import Agreed, run_effects, undo_effects
from calls.services.errors import ClosingRequired, Invalid, InvalidTransition, OpenCallExists
from calls.services.held import (
    Line,
    held,
    line,
    require_manager,
    require_supervisor,
    require_verb,
    save,
    tell,
)
from calls.services.note_check import kept_words
from calls.services.notes import note_lines, publish_note
from campaigns.enums import Reach
from campaigns.models import Criterion, Disposition
from campaigns.rules.gate import OPEN, sentence
from crm.models import User

__all__ = [
    "ask_correction",
    "correct_disposition",
    "correct_version",
    "dispose",
    "finish",
    "finish_or_refuse",
    "finish_settled",
    "is_settled",
]


def dispose(
    *,
    call: Call,
    code: str,
    by: User,
    at: datetime,
    note: str = "",
    callback_at: datetime | None = None,
    callback_agent: User | None = None,
    callback_language: str = "",
    exact: bool = False,
    override_reason: str = "",
) -> Call:
    """Store how the call ended and run its effects; in `connected` it starts the closing, off the line it is done.

    `callback_at` (aware, later than `at`) is obligatory where the disposition says so, and refused where it bars the
    person; `callback_agent` makes it personal, as does a final disposition (an appointment is kept by who made it),
    `exact` says that the person gave that very time: else one outside the calling rules is refused.
    `callback_language` (ISO 639-1) gives the callback to who speaks it. `note` is checked as every note is
    (`override_reason`). The same code twice is stored once; off the line it then finishes the call. Raises Invalid for
    a code that is unknown, not offered here or lacks something;
    ClosingRequired after a mismatch that is not closed; InvalidTransition otherwise.
    """
    with held(call, by=by, bars="exclusive") as current:
        choice = _offered(current, code)
        disposition = choice.disposition
        if current.disposition_id == disposition.pk:
            return _already(current, by=by, at=at)
        require_verb("disposition", current, at)
        _check_choice(current, choice)
        agreed = _agreed(disposition, callback_at, callback_agent, exact, callback_language, call=current)
        words = _kept_note(current, choice, note, override_reason, by=by, at=at) or choice.note
        _check_words(current, disposition, words, agreed, at)
        return _store(current, choice, words, agreed, by=by, at=at)


def finish(*, call: Call, by: User, at: datetime) -> Call:
    """End a call off the line whose disposition is known; a cause that nobody qualified takes the one it proposes.

    A finished call stays as it is. Raises ClosingRequired while somebody is on the line, InvalidTransition before
    a disposition.
    """
    with held(call, by=by, bars="exclusive") as current:
        if not current.is_open:
            return current
        require_verb("finish", current, at)
        if current.disposition_id is None:
            proposed = _known(current, DISPOSITION_OF_CAUSE[current.cause], retired=True)
            return _store(current, proposed, proposed.note, None, by=by, at=at)
        return _done(current, by=by, at=at)


def finish_settled(*, by: User, at: datetime) -> None:
    """Finish the agent's call if only that is missing; raise OpenCallExists if more is."""
    call = Call.objects.open().filter(agent=by).first()
    if call is not None:
        finish_or_refuse(call, by=by, at=at)


def finish_or_refuse(call: Call, *, by: User, at: datetime) -> None:
    """Finish an open call if only that is missing; raise OpenCallExists if more is."""
    if not is_settled(call):
        raise OpenCallExists(call=call.pk)
    finish(call=call, by=by, at=at)


def ask_correction(*, call: Call, reason: str, by: User, at: datetime) -> Call:
    """Ask the supervisor to correct an entry error (reason required, 500 characters), once per call."""
    reason = reason.strip()[:500]
    with held(call, by=by) as current:
        if not reason:
            raise Invalid.field("reason", _("Dites pourquoi en quelques mots."))
        if current.disposition_id is None:
            raise InvalidTransition(_("Rien n'est encore enregistré."))
        incident, created = Incident.objects.get_or_create(
            call=current,
            kind=IncidentKind.ENTRY_ERROR,
            defaults={
                "sponsor_id": current.campaign.programme.sponsor_id,
                "prospect_id": current.prospect_id,
                "summary": reason,
                "data": {"disposition": current.disposition.code if current.disposition else ""},
                "at": at,
                "by": by,
            },
        )
        if created:
            data = {"reason": reason, "incident": incident.pk}
            tell(current, CallEventKind.CORRECTION_ASKED, by=by, at=at, data=data)
        return current


def correct_disposition(
    *,
    call: Call,
    code: str,
    reason: str,
    by: User,
    at: datetime,
    note: str = "",
    callback_at: datetime | None = None,
    callback_agent: User | None = None,
    exact: bool = False,
    override_reason: str = "",
) -> Call:
    """Replace the disposition of a call: both rows are kept, the old effects undone, the new ones run.

    Lifts the exclusions that this call caused, puts its entry back as it was, then does what the new disposition
    says. A supervisor's or manager's decision, with its reason. The same correction twice is made once. Raises
    Forbidden, Invalid (code, reason, callback_at), InvalidTransition when nothing was stored yet.
    """
    require_supervisor(by)
    reason = reason.strip()[:500]
    if not reason:
        raise Invalid.field("reason", _("Dites pourquoi en quelques mots."))
    with held(call, by=by, bars="exclusive") as current:
        choice = _known(current, code)
        disposition = choice.disposition
        last = current.dispositions.select_related("disposition").order_by("-id").first()
        if last is None:
            raise InvalidTransition(_("Rien n'est encore enregistré."))
        if last.disposition_id == disposition.pk:
            if last.corrects_id is not None:
                return current
            raise Invalid.field("code", _("C'est déjà la qualification de cet appel."))
        agreed = _agreed(disposition, callback_at, callback_agent, exact, "", call=current)
        words = _kept_note(current, choice, note, override_reason, by=by, at=at)
        _check_words(current, disposition, words or last.note, agreed, at)
        return _correct(current, last, choice, reason, words, agreed, by=by, at=at)


def correct_version(
    *, criterion: Criterion, version: int, code: str, reason: str, by: User, at: datetime, note: str = ""
) -> int:
    """Correct in bulk what one wrong version of a criterion put out of criteria; returns how many calls.

    A manager's decision: each call gets its own correction row, with the same reason.
    """
    require_manager(by)
    wrong = CallAnswer.objects.filter(
        criterion=criterion,
        version=version,
        result="mismatch",
        blocking=True,
        call__disposition__by_mismatch_only=True,
    )
    calls = list(Call.objects.filter(pk__in=wrong.values("call")).order_by("pk"))
    for call in calls:
        correct_disposition(call=call, code=code, reason=reason, note=note, by=by, at=at)
    return len(calls)


def _kept_note(call: Call, choice: Choice, note: str, why: str, *, by: User, at: datetime) -> str:
    """Return the note of a disposition as it may be kept; what the call's own note says was decided on."""
    note = note.strip()[:2000]
    return kept_words(
        call, note, NotePlace.DISPOSITION, override_reason=why, accepted=choice.note, by=by, at=at
    )


def _known(call: Call, code: str, *, retired: bool = False) -> Choice:
    choice = choice_of(call, code, retired=retired)
    if choice is None:
        raise Invalid.field("code", _("Qualification inconnue."))
    return choice


def _offered(call: Call, code: str) -> Choice:
    choice = _known(call, code)
    if not choice.offered and call.disposition_id != choice.disposition.pk:
        raise Invalid.field("code", _("Cette campagne ne propose pas cette qualification."))
    return choice


def _already(call: Call, *, by: User, at: datetime) -> Call:
    """Answer the second submit of a disposition: off the line it is the agent's confirmation."""
    if call.state in (CallState.ENDED, CallState.NOT_REACHED):
        return _done(call, by=by, at=at)
    return call


def _check_choice(call: Call, choice: Choice) -> None:
    """Refuse what cannot be chosen on this call: see `Reach`, what only a mismatch stores, and a sale that stopped."""
    disposition = choice.disposition
    if disposition.by_mismatch_only:
        raise Invalid.field(
            "code", _("Hors-critères se constate sur un critère : répondez « non » à sa question.")
        )
    if call.disposition_id is not None:
        if call.out_of_criteria_at is not None and call.state == CallState.CLOSING:
            raise ClosingRequired
        raise InvalidTransition(_("Cet appel est déjà qualifié : un superviseur peut le corriger."))
    human = call.greeted_at is not None or call.state in ON_LINE or call.respondent > 0
    if call.state == CallState.NOT_REACHED:
        human = False
    elif call.state == CallState.ENDED and not human:
        return
    if (disposition.reach == Reach.HUMAN) != human:
        message = _("Une personne a répondu.") if human else _("Personne n'a répondu.")
        raise InvalidTransition(message, extra={"code": disposition.code, "state": call.state})
    if choice.stopped:
        raise InvalidTransition(_("La vente est arrêtée sur cet appel : choisissez une autre fin."))
    if disposition.requires_match:
        missing = unmet(call)
        if missing:
            raise InvalidTransition(
                _("Chaque critère éliminatoire doit être rempli : %(question)s")
                % {"question": missing[0].question},
                extra={"criteria": [criterion.pk for criterion in missing]},
            )


def _agreed(
    disposition: Disposition,
    at: datetime | None,
    agent: User | None,
    exact: bool,
    language: str,
    *,
    call: Call,
) -> Agreed | None:
    """Return the promise that goes with a disposition, if one was made."""
    if at is None:
        return None
    return Agreed(at, agent or (call.agent if disposition.final else None), exact, language[:8])


def _check_words(
    call: Call, disposition: Disposition, note: str, agreed: Agreed | None, at: datetime
) -> None:
    if disposition.requires_note and not note:
        raise Invalid.field("note", _("Cette qualification demande une note."))
    if agreed is None:
        if disposition.requires_callback:
            raise Invalid.field("callback_at", _("Quand rappeler ?"))
        return
    if agreed.at <= at:
        raise Invalid.field("callback_at", _("L'heure du rappel est passée."))
    if disposition.bar_target:
        raise Invalid.field(
            "callback_at", _("Cette qualification met fin aux appels : aucun rappel ne peut être promis.")
        )
    if call.entry_id is None:
        raise Invalid.field(
            "code", _("Ce numéro n'a pas de fiche en liste : un rappel ne peut pas être promis.")
        )
    _check_time(call, agreed)


def _check_time(call: Call, agreed: Agreed) -> None:
    """Refuse a time outside the calling rules that the person did not give, and an owner who cannot hold the call."""
    verdict = OPEN if agreed.exact else time_verdict(call, agreed.at)
    if not verdict.allowed:
        raise Invalid.field(
            "callback_at",
            _("%(why)s Seule une heure exacte, donnée par la personne, est acceptée.")
            % {"why": sentence(verdict.gate, verdict.reason)},
        )
    owner, language = agreed.agent, agreed.language
    if owner is not None and language and language not in (call.campaign.language, *owner.languages):
        raise Invalid.field(
            "callback_language", _("Qui rappelle doit parler cette langue : confiez ce rappel à l'équipe.")
        )


def _store(call: Call, choice: Choice, note: str, agreed: Agreed | None, *, by: User, at: datetime) -> Call:
    disposition = choice.disposition
    data = {
        "code": disposition.code,
        "label": disposition.label,
        "note": note,
        **(agreed.facts() if agreed else {}),
    }
    changes: dict[str, Any] = {}
    next_lines: list[Line] = []
    if call.state == CallState.CONNECTED:
        changes, started = closing_of(call, disposition.closing, at)
        next_lines = [started]
    elif call.state != CallState.CLOSING:
        changes, next_lines = {"state": CallState.DONE, "done_at": at}, note_lines(choice.note)
    follows = run_effects(call, choice, agreed, note=note, by=by, at=at)
    lines = [line(CallEventKind.DISPOSITION, data), *follows.lines, *next_lines]
    row = CallDisposition(call=call, disposition=disposition, note=note)
    return conclude(call, replace(follows, lines=lines), by=by, at=at, disposition=row, **changes)


def _done(call: Call, *, by: User, at: datetime) -> Call:
    publish_note(call, by=by, at=at)
    return save(call, state=CallState.DONE, done_at=at)


def _correct(
    call: Call,
    last: CallDisposition,
    choice: Choice,
    reason: str,
    note: str,
    agreed: Agreed | None,
    *,
    by: User,
    at: datetime,
) -> Call:
    disposition = choice.disposition
    changes: dict[str, Any] = {}
    if disposition.by_mismatch_only and call.out_of_criteria_at is None:
        changes["out_of_criteria_at"] = at
    data = {
        "from": last.disposition.code,
        "to": disposition.code,
        "label": disposition.label,
        "note": note,
        "reason": reason,
    }
    row = CallDisposition(call=call, disposition=disposition, note=note, corrects=last, reason=reason)
    told = Consequences(lines=[line(CallEventKind.CORRECTED, data)])
    conclude(call, told, by=by, at=at, disposition=row, **changes)
    undo_effects(call, reason, by=by, at=at)
    return conclude(call, run_effects(call, choice, agreed, note=note, by=by, at=at), by=by, at=at)
