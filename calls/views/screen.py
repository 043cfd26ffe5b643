"""What the call screen's templates need beside the domain's facts: which partial, which keys, which addresses.

The agent's state is the server's: `show` answers every request of the screen, page or fragment, with the one partial
of that state. The view part of the address (`Ask`: which inline form is open) is the only other input.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, repeat
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls.enums import AnsweredBy, CallState, Cause, Evidence
from calls.forms import FactForm
from calls.models import Call
from calls.selectors import call_screen
from calls.selectors.call_screen import CallScreen
from calls.selectors.hard import was_hard
from calls.selectors.origins import language_of_origin, origin_of
from calls.services.note_check import NoteNotNeutral
from calls.views import playbook
from calls.views.agreeing import callback_form
from calls.views.beside import LIVE_EVERY, beside_of, colleagues_shown
from calls.views.carried import known_before, known_of, mandate_of
from calls.views.courtesy import closing_sentence
from calls.views.follow_up_form import follow_up_form, may_follow_up
from calls.views.wording import (
    clock_in,
    ending_sentence,
    facts_of,
    label_of,
    mismatch_sentence,
    name_of,
    recorded_sentence,
    result_label,
    spaced,
    time_in_prose,
)
from campaigns.rules.criteria import ATTRIBUTE
from crm.enums import LookPlace
from crm.models import User
from crm.services.looks import note_look

Row = TypeVar("Row")

#: Choices of a list are numbered, then lettered; letters of other actions on the screen are left out.
CHOICE_KEYS = "1234567890fiaoutvb"
#: Once the line is free fewer actions stand beside, and more dispositions are offered.
CHOICE_KEYS_AFTER = "1234567890fikmopstuvx"
#: Beyond so many characters a text to say is set in the smaller of its two sizes, so that it fits its place whole.
LONG = 240
PHONES = ("demo", "tel")

#: What a dialled number can turn out to be, in the order of the keys.
DIALLING_CAUSES = (
    Cause.NO_ANSWER,
    Cause.BUSY,
    Cause.VOICEMAIL,
    Cause.INVALID_NUMBER,
    Cause.NUMBER_CHANGED,
    Cause.REJECTED,
    Cause.UNREACHABLE,
    Cause.FAX,
    Cause.TECHNICAL,
    Cause.CANCELLED,
)
#: What a voice that is no person's can be: no closing is due to a machine.
MACHINE_CAUSES = (Cause.VOICEMAIL, Cause.FAX, Cause.ANNOUNCEMENT)

STATE_LABELS = {
    "claimed": gettext_lazy("Fiche présentée"),
    "dialling": gettext_lazy("Appel en cours"),
    "connected": gettext_lazy("En ligne"),
    "closing": gettext_lazy("En ligne"),
    "waiting": gettext_lazy("En ligne"),
    "ended": gettext_lazy("Raccroché"),
}
ANNOUNCEMENTS = {
    "claimed": gettext_lazy("Fiche présentée. Entrée pour appeler."),
    "dialling": gettext_lazy("Numérotation en cours. Espace dès que la personne décroche."),
    "connected": gettext_lazy("En ligne."),
    "closing": gettext_lazy("Clôture. Dites la phrase, puis Espace."),
    "waiting": gettext_lazy("Tout est dit. Laissez la personne raccrocher."),
    "ended": gettext_lazy("Communication terminée."),
}
#: Screens with somebody on the line.
ON_LINE = ("connected", "closing", "waiting")
#: Seconds between two renewals of the lease; while waiting, the right to hang up comes by itself and must show.
LEASE_EVERY = 10
LEASE_EVERY_WAITING = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """A button of a list: its code, its label, its key, and the address of its form when it asks for more.

    `off`: it cannot be chosen on this call, and keeps its place and key, so that the others keep theirs.
    """

    code: str
    label: str
    key: str
    form_url: str = ""
    off: bool = False

    @property
    def kbd(self) -> str:
        """The key as printed on the button."""
        return self.key.upper()


#: The parts of `Ask` that stand in the address.
IN_ADDRESS = (
    "heard",
    "ask",
    "conclude",
    "code",
    "situation",
    "edit",
    "wish",
    "boss",
    "hand",
    "follow",
)


@dataclass(frozen=True, slots=True)
class Ask:
    """The view part of the address: which inline form is open, empty when none is; `value` is what was typed in it and
    `swap` the field that it is exchanged with. `doubt` is what the check of notes says of that.
    """

    heard: str = ""
    ask: str = ""
    conclude: str = ""
    code: str = ""
    situation: str = ""
    edit: str = ""
    wish: str = ""
    boss: str = ""
    hand: str = ""
    follow: str = ""
    effect: str = ""
    value: str = ""
    swap: str = ""
    doubt: NoteNotNeutral | None = None
    #: What was typed in the form that was refused, by field.
    typed: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, query: Mapping[str, Any]) -> "Ask":
        """Read it from a query string; anything else in there is ignored."""
        named: dict[str, Any] = {name: str(query.get(name, ""))[:40] for name in IN_ADDRESS}
        return cls(**named)

    def address(self, path: str) -> str:
        """Return `path` with what is open. Words about a person never stand in an address."""
        query = {name: getattr(self, name) for name in IN_ADDRESS if getattr(self, name)}
        return f"{path}?{urlencode(query)}" if query else path


NOTHING = Ask()


def phone_of(request: HttpRequest) -> str:
    """Return the agent's phone: their choice, else the simulated one in development and a real one elsewhere."""
    chosen = request.session.get("phone", "")
    return chosen if chosen in PHONES else ("demo" if settings.DEBUG else "tel")


def state_of(facts: CallScreen) -> str:
    """Return the name of the one partial that shows this call."""
    match facts.call.state:
        case CallState.CLAIMED | CallState.DIALLING | CallState.CONNECTED as state:
            return str(state)
        case CallState.CLOSING:
            return "closing" if any(step.said_at is None for step in facts.steps) else "waiting"
    return "ended"


def fingerprint_of(facts: CallScreen) -> str:
    """Return a text that changes when the screen of the call would: what an open screen compares with the server's."""
    call = facts.call
    said = sum(step.said_at is not None for step in facts.steps)
    answered = sum(bool(question.result) for question in facts.questions)
    parts = (state_of(facts), call.respondent, bool(call.greeted_at), said, call.goodbyes, answered)
    beside = facts.escalation.mark(timezone.now())
    return "-".join(map(str, (*parts, call.disposition_id or 0, int(facts.may_hang_up), beside)))


def show(request: HttpRequest, facts: CallScreen, *, ask: Ask = NOTHING, status: int = 200) -> HttpResponse:
    """Answer with the call's screen: the fragment for htmx, the page otherwise, the same inside."""
    if facts.call.prospect is not None and isinstance(request.user, User):
        # In a call it is shown whole: who needs it has it, and that they saw it is kept.
        note_look(prospect=facts.call.prospect, by=request.user, at=timezone.now(), place=LookPlace.CALL)
    screen = ScreenContext(request, facts, ask).build()
    context = {"screen": screen, "call": facts.call}
    address = ask.address(reverse("call", args=[facts.call.pk]))
    return answer(request, context, address=address, status=status)


def answer(request: HttpRequest, context: dict[str, Any], *, address: str, status: int = 200) -> HttpResponse:
    """Render the screen and tell the browser under which address it would be read again. Never stored."""
    fragment = bool(getattr(request, "htmx", False))
    template = "calls/screen.html#screen" if fragment else "calls/screen.html"
    response = render(request, template, context, status=status)
    if fragment:
        title = f"<title>{escape(context['screen']['title'])} · Courtois</title>"
        response.content = title.encode() + response.content
        response["HX-Replace-Url"] = address
    response["Cache-Control"] = "no-store"
    return response


@dataclass(slots=True)
class ScreenContext:
    """Builds the template's `screen` from the domain's facts and the address."""

    request: HttpRequest
    facts: CallScreen
    ask: Ask
    addresses: dict[str, str] = field(default_factory=dict)

    @property
    def call(self) -> Call:
        """The call on the screen."""
        return self.facts.call

    def url(self, name: str) -> str:
        """Return the address of a part of the call."""
        if name not in self.addresses:
            self.addresses[name] = reverse(f"call-{name}" if name else "call", args=[self.call.pk])
        return self.addresses[name]

    def build(self) -> dict[str, Any]:
        """Return the whole context of the screen."""
        state = state_of(self.facts)
        screen = self.frame(state) | self.who() | self.words()
        match state:
            case "dialling":
                screen["causes"] = causes(DIALLING_CAUSES, CHOICE_KEYS)
            case "connected":
                screen |= self.connected()
            case "closing" | "waiting":
                screen |= self.closing(state)
            case "ended":
                screen |= self.ended()
        if form := follow_up_form(self.facts, self.ask.follow, self.ask.value):
            screen |= form
        elif screen["stage"]:
            # The playbook lies over the centre, whatever the state below it.
            screen["template"] = "calls/_situation.html"
        return screen

    def frame(self, state: str) -> dict[str, Any]:
        """What every state has: the phone bar, the lease, the address of each action."""
        call, phone = self.call, phone_of(self.request)
        return {
            "state": state,
            "template": f"calls/_{state}.html",
            "title": f"{STATE_LABELS[state]} – {name_of(call)}",
            "state_label": STATE_LABELS[state],
            "announcement": ANNOUNCEMENTS[state],
            "since": since(call, state),
            "phone": phone,
            "evidence": Evidence.SOFTPHONE if phone == "demo" else Evidence.DECLARED,
            "number_display": spaced(call.number),
            "due_time": due_time(self.facts),
            "sound": self.facts.sound,
            "time_zone": self.facts.time_zone,
            "clock": clock_in(self.facts.time_zone),
            "on_line": state in ON_LINE,
            "may_hang_up": self.facts.may_hang_up and state in ON_LINE,
            # A telephone that tells nothing back leaves it to the agent to say that the person hung up.
            "declares_end": phone == "tel" and state in ON_LINE,
            "lease_every": lease_every(self.facts, state),
            "fingerprint": fingerprint_of(self.facts),
            "url": self.url(""),
            "events_url": self.url("events"),
            "line_dead_url": self.url("events") if state in ON_LINE and not call.line_dead_at else "",
            "dial_url": self.url("dial"),
            "greet_url": self.url("greet"),
            "handover_url": self.url("handover"),
            "criteria_url": self.url("criteria"),
            "closing_url": self.url("closing"),
            "disposition_url": self.url("disposition"),
            "situations_post_url": self.url("situations"),
            "stage": None,
            "situations_url": "",
            "follow_up_url": Ask(follow="1").address(self.url("")) if may_follow_up(call) else "",
            "follow_ups_url": self.url("follow-ups"),
            "doubt": self.ask.doubt,
            "typed": self.ask.value if self.ask.doubt else "",
            **self.beside(),
        }

    def beside(self) -> dict[str, Any]:
        """What goes on beside the call: the supervisor is called, a wish is noted. Both once somebody answered."""
        facts = self.facts
        asks = "help" in facts.allowed and not facts.help_asked_at
        wishes = "wish" in facts.allowed and self.call.answered_at is not None
        return {
            "help_url": Ask(boss="1").address(self.url("")) if asks else "",
            "help_post_url": self.url("help"),
            "help_typed": self.ask.value or facts.note[:500],
            "asks_supervisor": asks and bool(self.ask.boss),
            **self.handing(),
            "beside": beside_of(facts),
            "help_asked_at": facts.help_asked_at,
            "help_asked_time": time_in_prose(facts.help_asked_at) if facts.help_asked_at else "",
            "wish_url": Ask(wish="1").address(self.url("")) if wishes else "",
            "wishes_url": self.url("wishes") if wishes and self.ask.wish else "",
            "wish_typed": self.ask.value if self.ask.wish else "",
            "wishes": facts.wishes,
        }

    def handing(self) -> dict[str, Any]:
        """The transfer of the call to a colleague: its form when it is open, its key while nobody else was asked."""
        offer = self.facts.escalation.offer
        stands = offer is not None and offer.stands(timezone.now())
        # Once all is said there is nothing left to hand over.
        possible = state_of(self.facts) in ("connected", "closing") and not stands
        shown = possible and bool(self.ask.hand)
        return {
            "transfer_url": self.url("transfer"),
            "hand_url": Ask(hand="1").address(self.url("")) if possible else "",
            "hands_over": shown,
            "colleagues": colleagues_shown(self.call, self.request.GET.get("q", "")[:80]) if shown else [],
            "hand_typed": self.ask.value or self.facts.note[:500],
        }

    def who(self) -> dict[str, Any]:
        """The person: facts of the record, numbers, earlier disturbances."""
        facts = self.facts
        return {
            "facts": facts_of(self.call),
            "phones": [
                {
                    "label": phone.get_kind_display(),
                    "display": spaced(phone.number) + (f" ({phone.extension})" if phone.extension else ""),
                    "dialled": phone.number == self.call.number,
                }
                for phone in facts.phones
            ],
            "disturbances": facts.disturbances,
            "barred": facts.barred,
            "spoken_origin": origin_of(self.call),
            "origin_language": language_of_origin(self.call),
            "said_in": facts.said_in,
            "mandate": mandate_of(self.call),
            "known": known_of(facts),
            "history": call_screen.history_of(self.call),
            "edit_url": Ask(edit="1").address(self.url("")) if self.call.prospect_id else "",
            "fiche_url": self.url("fiche"),
            "edit": self.edit(),
            "note": facts.note,
        }

    def edit(self) -> dict[str, Any] | None:
        """The form that corrects a field: open, and asking for confirmation once a value contradicts a criterion."""
        if not self.ask.edit or self.call.prospect is None:
            return None
        prospect = self.call.prospect
        choices = FactForm.choices_of(prospect.attributes)
        chosen = self.ask.edit if self.ask.edit in dict(choices) else "organisation"
        key = chosen.removeprefix(ATTRIBUTE)
        stands = prospect.attributes.get(key) if key != chosen else getattr(prospect, chosen)
        typed = self.ask.typed
        return {
            "fields": choices,
            "swaps": FactForm.FIELDS,
            "chosen": chosen,
            "value": (self.ask.value or typed.get("value", stands)) if self.ask.edit == chosen else "",
            "swap": self.ask.swap or typed.get("swap", ""),
            "refused": bool(typed) and not (self.ask.value or self.ask.swap),
            "confirms": bool(self.ask.value or self.ask.swap),
        }

    def words(self) -> dict[str, Any]:
        """The sentences to say and the questions to ask."""
        facts = self.facts
        return {
            "opening": facts.opening,
            "opening_is_long": len(facts.apology) + len(facts.opening) > LONG,
            "script": facts.script,
            "script_is_long": len(facts.script) > LONG,
            "apology": facts.apology,
            "ringing": facts.ringing_at,
            "questions": self.questions(),
            "mismatch": mismatch_sentence(facts),
            # What a gesture just recorded is seen at once, above the sentences that follow it.
            "settled": recorded_sentence(facts) if self.call.disposition_id else "",
        }

    def questions(self) -> list[dict[str, Any]]:
        """The criteria as questions; the first one without an answer, or the one asked for, is the present one."""
        wanted = self.ask.heard or self.ask.ask
        keys = [str(question.criterion_id) for question in self.facts.questions]
        pending = [
            key
            for key, question in zip(keys, self.facts.questions, strict=True)
            if not question.result and question.known_at is None
        ]
        current = wanted if wanted in keys else ("" if self.ask.heard else next(iter(pending), ""))
        return [
            {
                "pk": question.criterion_id,
                "number": number,
                "text": question.text,
                "is_long": len(question.text) > LONG,
                "expected": question.expected,
                "blocking": question.blocking,
                "on_file": question.on_file,
                "known_before": known_before(question),
                "result": question.result,
                "result_label": result_label(question.result, question.heard),
                "is_current": key == current,
                "is_mismatching": key == self.ask.heard,
                "mismatch_url": Ask(heard=key).address(self.url("")),
                "ask_url": Ask(ask=key).address(self.url("")),
            }
            for number, (key, question) in enumerate(zip(keys, self.facts.questions, strict=True), start=1)
        ]

    def connected(self) -> dict[str, Any]:
        """Somebody is on the line: greet, then ask, then conclude."""
        questions = self.questions()
        step = "greet" if not self.call.greeted_at else "conclude" if self.ask.conclude else "ask"
        can_be_machine = not self.call.greeted_at or self.call.answered_by == AnsweredBy.UNKNOWN
        return {
            "step_name": step,
            "questions": questions,
            "current": next((question for question in questions if question["is_current"]), None),
            "other_open": self.ask.heard == "other",
            "other_url": Ask(heard="other").address(self.url("")),
            "conclude_url": Ask(conclude="1").address(self.url("")),
            "choose_url": Ask(conclude="1").address(self.url("")),
            "answered_by_label": self.call.get_answered_by_display() or AnsweredBy.INTENDED.label,
            "answered_by_choices": self.answered_by_choices(),
            "machine_causes": causes(MACHINE_CAUSES, "vfa") if can_be_machine else [],
            "announcement": self.connected_announcement(step, questions),
            **self.dispositions(Ask(conclude="1")),
            **self.situation(),
        }

    def connected_announcement(self, step: str, questions: list[dict[str, Any]]) -> str:
        """What a screen reader hears: the sentence or the question of now."""
        if step == "greet":
            return _("En ligne. Saluez, puis Espace.")
        if step == "conclude":
            return _("Comment l'appel se conclut-il ?")
        if self.ask.heard:
            return _("Qu'avez-vous entendu ? Entrée enregistre, Échap reprend.")
        current = next((question for question in questions if question["is_current"]), None)
        if current is None:
            return _("Critères vérifiés. Entrée pour conclure.")
        return _("Critère %(number)d sur %(count)d : %(question)s") % {
            "number": current["number"],
            "count": len(questions),
            "question": current["text"],
        }

    def answered_by_choices(self) -> list[Choice]:
        """Who else may be speaking, with one key each. Another organisation is a mismatch, asked for separately."""
        now = self.call.answered_by or AnsweredBy.INTENDED
        keys = {AnsweredBy.INTENDED: "i", AnsweredBy.COLLEAGUE: "o", AnsweredBy.UNKNOWN: "u"}
        return [Choice(code, str(code.label), key) for code, key in keys.items() if code != now]

    def dispositions(self, form: Ask, keys: str = CHOICE_KEYS) -> dict[str, Any]:
        """How the call may be qualified now; what needs words or a time opens its form below `form`."""
        offered, withheld = self.facts.dispositions, self.facts.withheld
        chosen = next((row for row in offered if row.code == self.ask.code), None)
        choices = []
        places = sorted((*offered, *withheld), key=lambda row: (row.position, row.code))
        for row, key in keyed(places, keys):
            if row in withheld:
                choices.append(Choice(row.code, label_of(row), key, off=True))
                continue
            asks = row.requires_note or row.requires_callback
            address = Ask(conclude=form.conclude, code=row.code).address(self.url("")) if asks else ""
            choices.append(Choice(row.code, label_of(row), key, address))
        return {
            "dispositions": choices,
            "chosen": chosen
            and {
                "code": chosen.code,
                "label": label_of(chosen),
                "requires_note": chosen.requires_note,
                "requires_callback": chosen.requires_callback,
                "final": chosen.final,
                **callback_form(self.call, chosen, self.ask.typed),
            },
        }

    def situation(self) -> dict[str, Any]:
        """The playbook that is open: its palette, or the stage that was entered with what it does beside the words."""
        asked, typed = self.ask.situation == "list", self.request.GET.get("q", "")[:60]
        return {
            "situations_url": Ask(situation="list").address(self.url("")),
            "effect_url": self.url("situation-effect"),
            "effect_typed": self.ask.value if self.ask.effect else "",
            **playbook.over(self.facts, asked=asked, typed=typed, at=timezone.now()),
        }

    def closing(self, state: str) -> dict[str, Any]:
        """The polite end: the sentence of now, the progress, then waiting for the prospect to hang up."""
        steps = [
            {
                "code": step.step,
                "label": step.label,
                "text": step.text,
                "said_at": step.said_at,
                "number": number,
                "is_long": len(step.text) > LONG,
            }
            for number, step in enumerate(self.facts.steps, start=1)
        ]
        due = [step for step in steps if step["said_at"] is None]
        for step in steps:
            step["is_current"] = bool(due) and step is due[0]
        if state == "closing":
            words = {"number": due[0]["number"], "count": len(steps), "sentence": due[0]["text"]}
            return {
                "steps": steps,
                "step": due[0],
                "next_step": due[1] if len(due) > 1 else None,
                "announcement": _("Clôture, %(number)d sur %(count)d. Dites : %(sentence)s") % words,
                **self.situation(),
            }
        return {
            "steps": steps,
            **self.situation(),
            "goodbye": steps[-1]["text"] if steps else "",
            "repeat_url": self.url("closing"),
        }

    def ended(self) -> dict[str, Any]:
        """The line is free: what was recorded, or what is still to record."""
        call = self.call
        needs = call.state == CallState.ENDED and call.disposition_id is None
        return {
            "needs_disposition": needs,
            "recorded": recorded_sentence(self.facts),
            "how_it_ended": f"{ending_sentence(call)} {closing_sentence(call)}".strip(),
            "choose_url": self.url(""),
            "explain_url": self.url("events") if self.facts.hang_up_to_explain else "",
            "correction_url": self.url("correction-request") if call.disposition_id else "",
            "next_url": reverse("desk-next-call"),
            "completion_url": self.url("completion"),
            "ban_url": self.url("ban") if self.facts.may_ask_ban else "",
            "ban_asked": self.facts.escalation.ban_asked,
            "pause_url": reverse("desk-pause"),
            "was_hard": was_hard(call),
            "announcement": ended_announcement(needs, recorded_sentence(self.facts)),
            **self.dispositions(NOTHING, CHOICE_KEYS_AFTER),
        }


def ended_announcement(needs: bool, recorded: str) -> str:
    """What a screen reader hears once the line is free."""
    if needs:
        return _("Communication terminée. Qualifiez l'appel.")
    return _("Communication terminée. %(recorded)s Espace pour la fiche suivante.") % {"recorded": recorded}


def keyed(rows: Iterable[Row], keys: str = CHOICE_KEYS) -> Iterator[tuple[Row, str]]:
    """Pair each choice with its key; those beyond the keys have "" and are clicked."""
    return zip(rows, chain(keys, repeat("")), strict=False)


def causes(codes: tuple[Cause, ...], keys: str) -> list[Choice]:
    """Return buttons for the causes, one key each."""
    return [Choice(code.value, str(code.label), key) for code, key in zip(codes, keys, strict=False)]


def since(call: Call, state: str) -> datetime | None:
    """Return when what the phone bar counts began: the dialling, the conversation; nothing before and after."""
    return {"dialling": call.dialled_at, "connected": call.answered_at, "closing": call.answered_at}.get(
        state, call.answered_at if state == "waiting" else None
    )


def due_time(facts: CallScreen) -> str:
    """Return when the agent's other callback was due, as a clock shows it; "" when none is."""
    return f"{localtime(facts.due_callback):%H:%M}" if facts.due_callback else ""


def lease_every(facts: CallScreen, state: str) -> int:
    """Return the seconds between two renewals, 0 when there is nothing to keep; fewer while an answer may come."""
    if not facts.call.is_open:
        return 0
    if facts.escalation.is_live(timezone.now()):
        return LIVE_EVERY
    return LEASE_EVERY_WAITING if state == "waiting" else LEASE_EVERY
