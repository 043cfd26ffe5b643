"""With somebody on the line: the greeting, who speaks, the criteria, a fact corrected, a wish."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from calls.enums import AnsweredBy, CallEventKind, CallState, NotePlace, Result
from calls.models import Call, CallAnswer, Reminder
from calls.rules.hang_up import SUPERVISOR
from calls.services.errors import Invalid, InvalidTransition
from calls.services.held import Line, held, line, require_verb, save, talk_lease, tell, tell_all
from calls.services.mismatch import store_mismatch
from calls.services.note_check import kept_words
from campaigns.models import Criterion
from crm.models import User
from crm.selectors.composed import ask

#: Who can answer for the prospect: only they can mismatch a criterion (contract, section 4).
ABLE_TO_ANSWER = frozenset({AnsweredBy.INTENDED, AnsweredBy.COLLEAGUE})
#: Kept as what was heard when another organisation answers and nothing more was noted.
SOMEBODY_ELSE = "Une autre organisation ou personne a répondu"


def greet(*, call: Call, answered_by: str, by: User, at: datetime, heard: str = "") -> Call:
    """Store that the greeting was said, and to whom (`calls.enums.AnsweredBy`).

    Empty keeps what is known, by a handover for instance; at first that is the intended person. Said again with another
    `answered_by`, it corrects who speaks. Another organisation or person is a mismatch in itself: it is stored at once,
    with `heard` when there are words. Raises InvalidTransition before an answer.
    """
    answered_by = _known(answered_by or call.answered_by)
    with held(call, by=by, bars=_bars(answered_by)) as current:
        again = current.state == CallState.CONNECTED and current.greeted_at is not None
        if again and current.answered_by == answered_by:
            return current
        if not again:
            require_verb("greet", current, at)
            save(current, greeted_at=at, answered_by=answered_by, lease_until=talk_lease(current, at))
        else:
            save(current, answered_by=answered_by)
        tell(current, CallEventKind.GREETED, by=by, at=at, data={"answered_by": answered_by})
        if answered_by == AnsweredBy.OTHER:
            heard = _kept(current, heard.strip(), by=by, at=at) or SOMEBODY_ELSE
            return store_mismatch(current, None, heard, by=by, at=at)
        return current


def hand_over(*, call: Call, answered_by: str, by: User, at: datetime, heard: str = "") -> Call:
    """Store that the line was passed to another person: greeting and criteria start again with them.

    What had been allowed because of the person before (a playbook's stage, driving) is allowed no longer. Another
    organisation is a mismatch in itself. Raises InvalidTransition before the first greeting.
    """
    answered_by = _known(answered_by)
    with held(call, by=by, bars=_bars(answered_by)) as current:
        require_verb("handover", current, at)
        kept = current.end_allowed_by if current.end_allowed_by.startswith(SUPERVISOR) else ""
        save(
            current,
            respondent=current.respondent + 1,
            answered_by=answered_by,
            greeted_at=None,
            line_dead_at=None,
            end_allowed_by=kept,
            lease_until=talk_lease(current, at),
        )
        data = {"answered_by": answered_by, "respondent": current.respondent}
        tell(current, CallEventKind.HANDOVER, by=by, at=at, data=data)
        if answered_by == AnsweredBy.OTHER:
            heard = _kept(current, heard.strip(), by=by, at=at) or SOMEBODY_ELSE
            return store_mismatch(current, None, heard, by=by, at=at)
        return current


def answer_criterion(
    *,
    call: Call,
    criterion: Criterion | None,
    result: str,
    heard: str,
    by: User,
    at: datetime,
    override_reason: str = "",
) -> Call:
    """Store an answer (`calls.enums.Result`) to a criterion; a blocking mismatch is final the moment it is stored.

    Without criterion, another organisation or person answers: a mismatch in itself. A mismatch needs `heard` (what
    was heard, 500 characters, checked as a note is) and somebody able to answer for the prospect. The same answer twice
    is stored once.
    Raises Invalid for what is missing, ClosingRequired after a mismatch, InvalidTransition in any other state.
    """
    heard = heard.strip()[:500]
    _check_answer(criterion, result, heard)
    with held(call, by=by, bars="exclusive" if result == Result.MISMATCH else "") as current:
        if _is_stored(current, criterion, result, heard):
            return current
        require_verb("criteria", current, at)
        _check_criterion(current, criterion)
        heard = _kept(current, heard, by=by, at=at, override_reason=override_reason)
        if criterion is None:
            save(current, answered_by=AnsweredBy.OTHER)
            return store_mismatch(current, None, heard, by=by, at=at)
        if result == Result.MISMATCH:
            require_able(current)
            return store_mismatch(current, criterion, heard, by=by, at=at)
        answer, told = answer_of(current, criterion, result, heard, by=by, at=at)
        answer.save()
        tell_all(current, [told], by=by, at=at)
        return current


def _kept(call: Call, heard: str, *, by: User, at: datetime, override_reason: str = "") -> str:
    """Return what was heard as it may be kept."""
    return kept_words(
        call, heard, NotePlace.HEARD, field="heard", override_reason=override_reason, by=by, at=at
    )


def note_wish(
    *, call: Call, text: str, remind_at: datetime | None, by: User, at: datetime, override_reason: str = ""
) -> Call:
    """Keep the person's wish to be called about something else: its words (500 characters), its time, and nothing more.

    The words are checked as those of a note. It opens no campaign and lifts no exclusion. At `remind_at` the agent and
    the supervisors are reminded, to decide for themselves: nobody is called by it. The same words twice are kept once.
    Raises Invalid without words.
    """
    text = text.strip()[:500]
    with held(call, by=by) as current:
        require_verb("wish", current, at)
        if not text:
            raise Invalid.field("text", _("Notez ce que la personne souhaite."))
        text = kept_words(
            current, text, NotePlace.WISH, field="text", override_reason=override_reason, by=by, at=at
        )
        data = {"text": text, "remind_at": remind_at.isoformat() if remind_at else None}
        if not current.events.filter(kind=CallEventKind.WISH, data=data).exists():
            tell(current, CallEventKind.WISH, by=by, at=at, data=data)
            if remind_at is not None:
                told = current.events.filter(kind=CallEventKind.WISH).latest("pk")
                Reminder.objects.create(call=current, event=told, owner=by, due_at=remind_at)
        return current


def _known(answered_by: str) -> str:
    answered_by = answered_by or AnsweredBy.INTENDED
    if answered_by not in AnsweredBy.values:
        raise Invalid.field("answered_by", _("Qui répond ?"))
    return answered_by


def _bars(answered_by: str) -> str:
    return "exclusive" if answered_by == AnsweredBy.OTHER else ""


def _check_answer(criterion: Criterion | None, result: str, heard: str) -> None:
    if result not in Result.values:
        raise Invalid.field("result", _("Réponse inconnue."))
    if criterion is None and result != Result.MISMATCH:
        raise Invalid.field("criterion", _("De quel critère s'agit-il ?"))
    if result == Result.MISMATCH and not heard:
        raise Invalid.field("heard", _("Notez en quelques mots ce que vous avez entendu."))


def _check_criterion(call: Call, criterion: Criterion | None) -> None:
    if criterion is None:
        return
    if criterion.programme_id != call.campaign.programme_id:
        raise Invalid.field("criterion", _("Ce critère n'est pas de cette démarche."))
    if criterion.retired_at is not None:
        raise Invalid.field("criterion", _("Ce critère n'est plus demandé."))


def require_able(call: Call) -> None:
    """Raise InvalidTransition unless the person on the line can answer for the prospect."""
    if call.answered_by not in ABLE_TO_ANSWER:
        raise InvalidTransition(
            _("Seule une personne qui peut répondre pour la fiche peut infirmer un critère."),
            extra={"answered_by": call.answered_by},
        )


def _is_stored(call: Call, criterion: Criterion | None, result: str, heard: str) -> bool:
    """Whether this is the second submit of an answer that stands."""
    about = {"criterion": criterion.pk} if criterion else {}
    for last in ask(_last_answer, call.respondent, call=call.pk, **about):
        return last.result == result and (call.out_of_criteria_at is not None or last.heard == heard)
    return False


def _last_answer(respondent: int, *, call: int, criterion: int | None = None) -> QuerySet[CallAnswer]:
    answers = CallAnswer.objects.filter(call=call, respondent=respondent, criterion=criterion)
    return answers.order_by("-id")[:1]


def answer_of(
    call: Call, criterion: Criterion, result: str, heard: str, *, by: User, at: datetime
) -> tuple[CallAnswer, Line]:
    """Return an answer, not stored yet, and its line of history."""
    answer = CallAnswer(
        call=call,
        criterion=criterion,
        version=criterion.version,
        result=result,
        blocking=criterion.blocking,
        expected=criterion.expected,
        heard=heard,
        answered_by=call.answered_by,
        respondent=call.respondent,
        at=at,
        by=by,
    )
    data = {"criterion": criterion.pk, "version": criterion.version, "result": result, "heard": heard}
    return answer, line(CallEventKind.CRITERION, data)
