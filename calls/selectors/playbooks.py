"""The playbooks as the call screen reads them: the palette's rows, and the card of the stage that is open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calls.enums import SituationEffect
from calls.models import Call, Situation, Stage
from calls.rules.palette import GROUPS, finds, folded, group_of
from calls.rules.playbooks.words import RIGHT_TO_LEFT, extension_said, filled, language_name
from calls.selectors.call_screen import CallScreen
from calls.selectors.sentences import values_of
from crm.models import User

#: What a stage says in every house; further languages are for people who speak none of these.
HOUSE_LANGUAGES = frozenset({"fr", "en"})
#: Characters to say beyond which a stage is set in its smaller size.
LONG = 330
#: Digits up to which a supervisor's number is an extension, which nobody outside can dial alone.
EXTENSION_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """A way into a playbook: its code and the position it opens at, what is heard there ("" where nothing is named).

    `find` are the folded words by which it is found.
    """

    code: str
    position: int
    label: str
    heard: str
    find: str

    @property
    def value(self) -> str:
        """As the palette sends it."""
        return f"{self.code}/{self.position}"


@dataclass(frozen=True, slots=True)
class Group:
    """Ways in that belong together, under their title."""

    title: Any
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence to say, filled in, in a `language`; `name` is the language's own where several are offered."""

    text: str
    language: str
    name: str = ""

    @property
    def direction(self) -> str:
        """How it is written."""
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"


@dataclass(frozen=True, slots=True)
class StageCard:
    """The stage of a playbook that is open: its situation's code, its number of `count`, what to say and to do.

    `severity` is what is heard at this stage, "" where nothing is named. `position` names
    the stage, `next` the one after it (null on the last) and `next_title` what that one is.
    """

    situation: str
    label: str
    effect: str
    severity: str
    title: str
    position: int
    number: int
    count: int
    say: Sequence[Sentence]
    do: str
    may_end: bool
    next: int | None
    next_title: str

    @property
    def is_in_tongues(self) -> bool:
        """Whether it says the same in many languages, with their names."""
        return any(sentence.name for sentence in self.say)

    @property
    def calms(self) -> bool:
        """Whether it is left because the person calmed down, not because all was said."""
        return self.effect in (SituationEffect.ABUSE, SituationEffect.ANGER)

    @property
    def has_a_mandate(self) -> bool:
        """Whether what the agent may decide and offer has its place: none where somebody is in distress or mourns."""
        return self.effect not in (
            SituationEffect.DANGER,
            SituationEffect.VULNERABLE,
            SituationEffect.MINOR,
            SituationEffect.BEREAVEMENT,
        )

    @property
    def is_long(self) -> bool:
        """Whether its sentences need the smaller size, to be read without scrolling."""
        return sum(len(sentence.text) for sentence in self.say) > LONG


def palette(typed: str = "") -> list[Group]:
    """Return the ways into the playbooks that are offered, in the language of the page; all that `typed` finds.

    One query.
    """
    groups: list[list[Entry]] = [[] for _group in GROUPS]
    stages = Stage.objects.filter(situation__active=True).select_related("situation")
    first: dict[int, int] = {}
    for stage in stages.order_by("situation__position", "situation__code", "position"):
        is_first = first.setdefault(stage.situation_id, stage.position) == stage.position
        if not is_first and not stage.opens:
            continue
        entry = _entry(stage.situation, stage)
        if finds(typed, entry.find):
            groups[group_of(stage.situation.effect)].append(entry)
    return [
        Group(title, entries) for (title, _effects), entries in zip(GROUPS, groups, strict=True) if entries
    ]


def _entry(situation: Situation, stage: Stage) -> Entry:
    words = (situation.label, situation.label_en, situation.keywords, stage.opens, stage.opens_en)
    return Entry(
        situation.code,
        stage.position,
        situation.shown_label,
        stage.shown_opens,
        folded(" ".join(words)),
    )


def stage_of(facts: CallScreen) -> StageCard | None:
    """Return the stage of the playbook that is open on a call, or None: none is, or it was taken out meanwhile.

    One query where there is one, and one more where it names the supervisor.
    """
    if facts.stage is None:
        return None
    rows = (
        Stage.objects.filter(situation__code=facts.situation).select_related("situation").order_by("position")
    )
    stages = list(rows)
    number = next((n for n, row in enumerate(stages) if row.position == facts.stage), None)
    return None if number is None else _card(facts.call, stages, number)


def _card(call: Call, stages: Sequence[Stage], number: int) -> StageCard:
    stage = stages[number]
    following = stages[number + 1] if number + 1 < len(stages) else None
    own = _own_values(call, stage)
    return StageCard(
        situation=stage.situation.code,
        label=stage.situation.shown_label,
        effect=stage.situation.effect,
        severity=stage.shown_opens,
        title=stage.shown_title or stage.situation.shown_label,
        position=stage.position,
        number=number + 1,
        count=len(stages),
        say=_said(call, stage, own),
        do=filled(stage.shown_do, {**values_of(call, "fr"), **own}, "fr"),
        may_end=stage.may_end,
        next=following.position if following else None,
        next_title=following.shown_title if following else "",
    )


def _said(call: Call, stage: Stage, own: Mapping[str, str]) -> list[Sentence]:
    """Return what to say in the person's language, else in French; a sentence in each where it knows more languages."""
    spoken = ((call.prospect.language if call.prospect else "") or call.campaign.language)[:2].lower()
    chosen = spoken if stage.say.get(spoken) else "fr"

    def sentence(language: str, text: str, name: str = "") -> Sentence:
        values = {**values_of(call, language), **own, **_number_said(own, language)}
        return Sentence(filled(text, values, language), language, name)

    if set(stage.say) <= HOUSE_LANGUAGES:
        return [sentence(chosen, text) for text in stage.say.get(chosen, [])]
    languages = dict.fromkeys([chosen, *stage.say])
    return [
        sentence(language, texts[0], language_name(language))
        for language in languages
        if (texts := stage.say.get(language))
    ]


def _own_values(call: Call, stage: Stage) -> dict[str, str]:
    """Return what only a playbook names: the supervisor of the agent's team, where to complain; the number as read."""
    values = {"number": call.spelling}
    if call.prospect is not None:
        values["complaints"] = call.prospect.source.rights_contact
    if "{supervisor" in f"{stage.say} {stage.do} {stage.do_en}":
        values |= _supervisor_of(call.agent)
    return values


def _number_said(own: Mapping[str, str], language: str) -> dict[str, str]:
    """Return the supervisor's number as it is said to somebody outside: a few digits are an extension of this house."""
    number = own.get("supervisor_number", "")
    is_short = number.isdecimal() and len(number) <= EXTENSION_DIGITS
    return {"supervisor_number": extension_said(number, language)} if is_short else {}


def _supervisor_of(agent: User) -> dict[str, str]:
    found = User.objects.filter(supervised_teams=agent.team_id, is_active=True).exclude(pk=agent.pk)
    supervisor = found.order_by("last_name", "pk").first() if agent.team_id else None
    if supervisor is None:
        return {}
    name = supervisor.get_full_name() or supervisor.get_username()
    return {"supervisor": name, "supervisor_number": supervisor.extension}
