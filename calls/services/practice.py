"""The training: an exercise is begun, and what the agent does is kept. Nothing else is written."""

from dataclasses import asdict
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from calls.models import Practice, Stage
from calls.rules.practice import Move, Phase, possible
from calls.rules.practice.simulation import Do
from calls.selectors.practice import exercise_of, scene_of
from calls.services.errors import Forbidden, Invalid, InvalidTransition
from crm.models import User

#: Moves of one exercise; beyond them somebody only presses keys.
MOVES = 60


def begin_practice(*, exercise: str, by: User, at: datetime) -> Practice:
    """Begin an exercise (its code). Raises Forbidden for who holds no calls, Invalid for an unknown exercise."""
    if not by.is_calling:
        raise Forbidden
    if exercise_of(exercise) is None:
        raise Invalid.field("exercise", _("Cet exercice n'existe pas."))
    return Practice.objects.create(agent=by, exercise=exercise, started_at=at)


def make_move(
    *, practice: Practice, do: str, by: User, at: datetime, situation: str = "", stage: int = 0
) -> Practice:
    """Keep what the agent did (`calls.rules.practice.simulation.Do`); a stage is named by its situation and position.

    Waiting for the person to hang up, or hanging up, ends the exercise. Raises Invalid for what is unknown,
    InvalidTransition for what cannot be done now.
    """
    with transaction.atomic():
        current = Practice.objects.select_for_update().get(pk=practice.pk, agent=by)
        exercise = exercise_of(current.exercise)
        if exercise is None:
            raise Invalid.field("exercise", _("Cet exercice n'existe pas."))
        standing = scene_of(current, exercise).standing
        if not possible(standing.phase, do) or len(current.moves) >= MOVES:
            raise InvalidTransition
        move = Move(do)
        if do in (Do.OPEN, Do.NEXT):
            move = _entered(do, situation, stage)
        current.moves = [*current.moves, asdict(move)]
        if scene_of(current, exercise).standing.phase == Phase.DONE:
            current.ended_at = at
        current.save(update_fields=["moves", "ended_at"])
        return current


def _entered(do: str, situation: str, position: int) -> Move:
    stage = Stage.objects.filter(situation__code=situation, position=position).first()
    if stage is None:
        raise Invalid.field("stage", _("Étape inconnue."))
    return Move(do, situation, position, stage.may_end)
