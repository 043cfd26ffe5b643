"""The polite end: its sentences one by one, and what may cut it short."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from calls.enums import CallEventKind, CallState
from calls.models import Call
from calls.rules.closing import due_step, is_double_key, is_too_fast
from calls.rules.hang_up import SUPERVISOR
from calls.selectors.facts import Said, said_sentences
from calls.selectors.sentences import values_of, words_of
from calls.services.errors import ClosingRequired, Invalid, InvalidTransition
from calls.services.held import (
    Line,
    held,
    line,
    require_supervisor,
    require_verb,
    save,
    talk_lease,
    tell,
    tell_all,
)
from campaigns.enums import ClosingKind, Step
from crm.models import User

TOO_FAST = _("Laissez à la personne le temps d'entendre la phrase.")


def say_closing_step(*, call: Call, step: str, by: User, at: datetime, by_key: bool = True) -> Call:
    """Store that a sentence of the closing was said, with its words; from `connected`, an ordinary closing begins.

    Steps are said in order; `goodbye` may be repeated once all are said. A double key (the same step within a second)
    is one sentence, and a held key (`by_key`) cannot say two in less than 0.7 s. Raises Invalid for an unknown step,
    ClosingRequired for one that is not due (`extra`: due), InvalidTransition when nobody is on the line.
    """
    if step not in Step.values:
        raise Invalid.field("step", _("Phrase inconnue."))
    with held(call, by=by) as current:
        require_verb("closing", current, at)
        if current.state == CallState.CONNECTED:
            start_closing(current, ClosingKind.ORDINARY, by=by, at=at)
        said = said_sentences(current)
        last = said[-1] if said else None
        if last and is_double_key(step, last.step, last.at, at):
            return current
        _check_due(current, step, said)
        if by_key and last and is_too_fast(last.at, at):
            raise InvalidTransition(TOO_FAST)
        return _say(current, step, said, by=by, at=at)


def start_closing(call: Call, kind: str, *, by: User, at: datetime) -> None:
    """Move a locked call from `connected` to its closing of this kind."""
    changes, told = closing_of(call, kind, at)
    save(call, **changes)
    tell_all(call, [told], by=by, at=at)


def closing_of(call: Call, kind: str, at: datetime) -> tuple[dict[str, Any], Line]:
    """Return what starting a closing of this kind changes of the call, and its line of history."""
    changes = {
        "state": CallState.CLOSING,
        "closing_kind": kind,
        "closing_at": at,
        "goodbyes": 0,
        "goodbye_at": None,
        "lease_until": talk_lease(call, at),
    }
    return changes, line(CallEventKind.CLOSING_STARTED, {"closing": str(kind)})


def _check_due(call: Call, step: str, said: list[Said]) -> None:
    due = due_step(call.closing_kind, [sentence.step for sentence in said])
    if step == due or (due is None and step == Step.GOODBYE):
        return
    if due is None:
        raise InvalidTransition(_("Tout est dit : laissez la personne raccrocher."))
    raise ClosingRequired(
        _("La phrase suivante de la clôture est : %(step)s.") % {"step": Step(due).label},
        extra={"due": str(due)},
    )


def _say(call: Call, step: str, said: list[Said], *, by: User, at: datetime) -> Call:
    words = words_of(call)
    mismatch = call.answers.filter(result="mismatch", blocking=True).order_by("-id").first()
    values = values_of(call, words.language, mismatch.expected if mismatch else "")
    text = words.filled(call.closing_kind, step, values)
    repeated = step == Step.GOODBYE and any(sentence.step == step for sentence in said)
    if step == Step.GOODBYE:
        _note_goodbye(call, at)
    data = {"closing": call.closing_kind, "step": step, "text": text, "repeated": repeated}
    tell(call, CallEventKind.CLOSING_STEP, by=by, at=at, data=data)
    return call


def _note_goodbye(call: Call, at: datetime) -> None:
    """Keep what the golden rule counts from: the goodbye, then its first repetition.

    Patience runs from the first repetition, not from the last: saying it again must not take the agent's right away.
    The other side is silent while the agent speaks, so a silence counts from the goodbye at the earliest.
    """
    changes: dict[str, object] = {"goodbyes": call.goodbyes + 1, "lease_until": talk_lease(call, at)}
    if call.goodbyes < 2:
        changes["goodbye_at"] = at
    if call.goodbyes == 0 and call.line_dead_at is not None:
        changes["line_dead_at"] = at
    save(call, **changes)


def release_to_hang_up(*, call: Call, reason: str, by: User, at: datetime) -> Call:
    """Let the agent end this call: a supervisor's decision, with its reason. Again: nothing changes.

    Raises Forbidden for others, Invalid without reason, InvalidTransition when nobody is on the line.
    """
    require_supervisor(by)
    reason = reason.strip()[:500]
    with held(call, by=by) as current:
        require_verb("supervisor_release", current, at)
        if not reason:
            raise Invalid.field("reason", _("Dites pourquoi en quelques mots."))
        if current.end_allowed_by != SUPERVISOR:
            save(current, end_allowed_by=SUPERVISOR)
            tell(current, CallEventKind.SUPERVISOR_RELEASED, by=by, at=at, data={"reason": reason})
        return current
