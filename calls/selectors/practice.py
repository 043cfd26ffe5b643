"""What the training shows: its exercises, how often each was done, and how one stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.translation import get_language

from calls.models import Practice, Stage
from calls.rules.palette import GROUPS, group_of
from calls.rules.playbooks.words import filled
from calls.rules.practice import EXERCISES, Exercise, Move, Standing, standing_of
from calls.selectors.playbooks import Sentence, StageCard
from campaigns.enums import STEPS_OF, Step
from campaigns.rules.catalogue import CLOSING_STEPS
from crm.models import User


@dataclass(frozen=True, slots=True)
class Offered:
    """An exercise to choose: its code, what it is called, what is heard, and how often this person did it."""

    code: str
    title: str
    heard: str
    times: int


@dataclass(frozen=True, slots=True)
class OfferedGroup:
    """Exercises that belong together."""

    title: Any
    exercises: Sequence[Offered]


@dataclass(frozen=True, slots=True)
class Scene:
    """How an exercise stands, with the words of it: what the prospect says, the sentences of its closing."""

    exercise: Exercise
    standing: Standing
    moves: Sequence[Move]
    says: str
    steps: Sequence[tuple[str, Any, str]]


def exercise_of(code: str) -> Exercise | None:
    """Return the exercise of a code, or None."""
    return next((exercise for exercise in EXERCISES if exercise.code == code), None)


def offered_to(user: User, closings: Any) -> list[OfferedGroup]:
    """Return the exercises in groups, polite ends first under the title `closings`. Two queries.

    One whose playbook is no longer offered, or no longer has its stage, is left out.
    """
    done = dict(
        Practice.objects.filter(agent=user, ended_at__isnull=False)
        .values_list("exercise")
        .annotate(times=Count("pk"))
        .order_by()
    )
    stages = {
        (stage.situation.code, stage.position): stage
        for stage in Stage.objects.filter(situation__active=True).select_related("situation")
    }
    groups: list[list[Offered]] = [[] for _group in range(len(GROUPS) + 1)]
    for exercise in EXERCISES:
        times = done.get(exercise.code, 0)
        if not exercise.situation:
            groups[0].append(Offered(exercise.code, _own(exercise.title), _own(exercise.opening), times))
        elif stage := stages.get((exercise.situation, exercise.entry)):
            place = group_of(stage.situation.effect) + 1
            groups[place].append(
                Offered(exercise.code, stage.situation.shown_label, _own(exercise.opening), times)
            )
    titles = [closings, *(title for title, _effects in GROUPS)]
    return [OfferedGroup(title, rows) for title, rows in zip(titles, groups, strict=True) if rows]


def next_for(user: User, done: Exercise) -> Offered | None:
    """Return what to try after an exercise: the one practised least, the nearest after it. Two queries."""
    offered = [one for group in offered_to(user, "") for one in group.exercises]
    place = next((place for place, one in enumerate(offered) if one.code == done.code), -1)
    others = [one for one in (*offered[place + 1 :], *offered[: place + 1]) if one.code != done.code]
    return min(others, key=lambda one: one.times, default=None)


def scene_of(practice: Practice, exercise: Exercise) -> Scene:
    """Return how an exercise stands, in the language of the page."""
    moves = [Move(**move) for move in practice.moves]
    steps = [(str(step), step.label, _said(exercise.closing, step)) for step in STEPS_OF[exercise.closing]]
    standing = standing_of(exercise, moves, len(steps))
    lines = {
        "opening": exercise.opening,
        "goes_on": exercise.goes_on,
        "calm": exercise.calm if exercise.situation else exercise.opening,
        "goodbye": GOODBYE,
    }
    return Scene(exercise, standing, moves, _own(lines.get(standing.line, ("", ""))), steps)


#: What a person says before they hang up.
GOODBYE = ("Au revoir, merci.", "Goodbye, thank you.")


def card_of(standing: Standing) -> StageCard | None:
    """Return the card of the stage that is open in an exercise, None when it was taken out meanwhile. One query."""
    rows = Stage.objects.filter(situation__code=standing.situation).select_related("situation")
    stages = list(rows.order_by("position"))
    number = next((n for n, row in enumerate(stages) if row.position == standing.stage), None)
    if number is None:
        return None
    stage, language = stages[number], _language()
    following = stages[number + 1] if number + 1 < len(stages) else None
    said = stage.say.get(language) or stage.say.get("fr") or []
    return StageCard(
        situation=stage.situation.code,
        label=stage.situation.shown_label,
        effect=stage.situation.effect,
        severity=stage.shown_opens,
        title=stage.shown_title or stage.situation.shown_label,
        position=stage.position,
        number=number + 1,
        count=len(stages),
        say=[Sentence(filled(text, {}, language), language) for text in said],
        do=filled(stage.shown_do, {}, language),
        may_end=stage.may_end,
        next=following.position if following else None,
        next_title=following.shown_title if following else "",
    )


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "fr"


def _own(pair: tuple[str, str]) -> str:
    return pair[1] if _language() == "en" else pair[0]


def _said(kind: str, step: Step) -> str:
    return filled(CLOSING_STEPS[_language(), kind, step], {}, _language())
