"""What the help column says of supervisors and colleagues: a few lines, read anew while somebody's answer may come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from calls.enums import AnswerKind, TransferAnswerKind
from calls.models import Call
from calls.rules.transitions import ON_LINE
from calls.selectors.call_screen import CallScreen
from calls.selectors.escalation import Answer, Escalation, Offer, Person
from calls.selectors.transfers import colleagues_for
from calls.views.wording import moment_in_prose, time_in_prose

#: Seconds between two questions to the server while an answer may come any moment.
LIVE_EVERY = 2


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the help column; `tone` is "care" for what the agent acts on, "done" for good news, "" else."""

    text: str
    tone: str = ""


def beside_of(facts: CallScreen, at: datetime | None = None) -> dict[str, Any]:
    """Return what the help column shows of supervisors, a transfer and a release."""
    at = at or timezone.now()
    found = facts.escalation
    offer = found.offer
    return {
        "lines": list(_lines(facts, found, at)),
        "mark": found.mark(at),
        "may_withdraw": offer is not None and offer.stands(at) and offer.recipient_id != facts.call.agent_id,
        "supervisors": [_with_number(person) for person in found.supervisors],
        "shows_supervisors": found.asked,
    }


def beside_html(request: HttpRequest, facts: CallScreen) -> str:
    """Return that part of the help column alone, for a screen in which somebody types."""
    context = {"screen": {"beside": beside_of(facts)}, "call": facts.call}
    return render_to_string("calls/_beside.html", context, request)


def colleagues_shown(call: Call, text: str) -> list[tuple[int, str]]:
    """Return the colleagues who may take the call, as choices: name, extension, team, languages."""
    rows = colleagues_for(call, text, at=timezone.now())
    return [
        (
            row.pk,
            " · ".join(
                part
                for part in (
                    row.get_full_name() or row.get_username(),
                    row.extension and _("poste %(number)s") % {"number": row.extension},
                    row.team.name if row.team else "",
                    ", ".join(row.languages),
                )
                if part
            ),
        )
        for row in rows
    ]


def _lines(facts: CallScreen, found: Escalation, at: datetime) -> Iterable[Told]:
    if found.released_by is not None and facts.call.state in ON_LINE:
        words = {"name": found.released_by.name, "reason": found.released}
        yield Told(_("%(name)s vous libère : vous pouvez raccrocher. « %(reason)s »") % words, "care")
    # Once somebody answered, who has only seen it is no news.
    answers = [answer for answer in found.answers if answer.kind != AnswerKind.SEEN]
    for answer in answers or found.answers[:1]:
        yield _answered(answer, at)
    if found.asked and not found.waiting and found.taken is None and found.decided is not None:
        yield Told(_("%(name)s a traité votre demande.") % {"name": found.decided.name}, "done")
    if found.offer is not None:
        yield _offered(facts, found.offer, at)


def _answered(answer: Answer, at: datetime) -> Told:
    words = {"name": answer.who.name, "time": time_in_prose(answer.at), "words": answer.words}
    match answer.kind:
        case AnswerKind.ACCEPTED:
            text, tone = _("%(name)s accepte et vient en ligne.") % words, "done"
        case AnswerKind.LATER if answer.due_at is not None:
            words["when"] = moment_in_prose(answer.due_at, at)
            text, tone = _("%(name)s rappellera la personne %(when)s.") % words, "done"
        case AnswerKind.DECLINED:
            text, tone = _("%(name)s ne peut pas venir.") % words, "care"
        case _:
            return Told(_("Vu par %(name)s à %(time)s.") % words)
    return Told(" ".join([text, _("« %(words)s »") % words]) if answer.words else text, tone)


def _offered(facts: CallScreen, offer: Offer, at: datetime) -> Told:
    words = {"name": _with_number(offer.recipient), "words": offer.words, "note": offer.note}
    if offer.answer == TransferAnswerKind.ACCEPTED:
        words["name"] = offer.sender.name
        text = _("Appel passé par %(name)s.") % words
        note = _("« %(note)s »") % words
        return Told(f"{text} {note}" if offer.note else text)
    if offer.answer == TransferAnswerKind.DECLINED:
        text = _("%(name)s ne peut pas prendre l'appel.") % words
        said = _("« %(words)s »") % words
        return Told(f"{text} {said}" if offer.words else text, "care")
    if offer.answer == TransferAnswerKind.WITHDRAWN:
        return Told(_("Proposition reprise."))
    if not offer.stands(at):
        return Told(_("%(name)s n'a pas répondu.") % words, "care")
    return Told(_("Appel proposé à %(name)s. Gardez la ligne.") % words)


def _with_number(person: Person) -> str:
    """Return a name with its extension, to be told to the person on the line."""
    if not person.extension:
        return person.name
    return _("%(name)s, poste %(number)s") % {"name": person.name, "number": person.extension}
