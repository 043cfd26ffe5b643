"""What is said at the end of an exercise: kindly, point by point, with what to try next. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from calls.rules.practice.lines import Exercise
from calls.rules.practice.simulation import Do, Move, standing_of


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the review: whether it went as the playbook asks, and a sentence."""

    good: bool
    words: Any


def review_of(exercise: Exercise, moves: Sequence[Move], steps: int) -> list[Point]:
    """Return the review of a finished exercise, whose closing has so many `steps`."""
    points = [*_playbook(exercise, moves), _ending(exercise, moves, steps)]
    said = sum(move.do == Do.SAY for move in moves)
    ended_rightly = _ended(moves) and _allowed(moves)
    if not ended_rightly:
        points.append(_closing(said, steps))
    return points


def _entered(moves: Sequence[Move]) -> list[Move]:
    return [move for move in moves if move.do in (Do.OPEN, Do.NEXT)]


def _ended(moves: Sequence[Move]) -> bool:
    return bool(moves) and moves[-1].do == Do.END


def _allowed(moves: Sequence[Move]) -> bool:
    """Whether the last stage that was entered lets the agent end the call, and nothing was taken up again since."""
    entered = _entered(moves)
    return bool(entered) and entered[-1].may_end and not any(move.do == Do.BACK for move in moves)


def _playbook(exercise: Exercise, moves: Sequence[Move]) -> list[Point]:
    if not exercise.situation:
        return []
    entered = _entered(moves)
    if not entered:
        return [
            Point(False, _("Aucun scénario n'a été ouvert. Touche S, puis un mot de ce que vous entendez."))
        ]
    points = [_opening(exercise, entered[0])]
    back = next((place for place, move in enumerate(moves) if move.do == Do.BACK), len(moves))
    calm = standing_of(exercise, moves[:back], 1).calm
    if back < len(moves):
        points.append(_return(calm=calm))
    elif calm:
        points.append(Point(False, _("La personne s'était apaisée : l'appel pouvait reprendre.")))
    return points


def _opening(exercise: Exercise, first: Move) -> Point:
    if first.situation != exercise.situation:
        return Point(False, _("Un autre scénario convenait mieux à ce que disait la personne."))
    if first.stage < exercise.entry:
        return Point(False, _("Ce qui était dit demandait d'ouvrir plus loin : l'étape était trop douce."))
    if first.stage > exercise.entry:
        return Point(
            False, _("L'étape ouverte était plus ferme que ce qui était dit. Commencez plus doucement.")
        )
    return Point(True, _("Le scénario est ouvert à la bonne étape, dès ce qui a été entendu."))


def _return(*, calm: bool) -> Point:
    if calm:
        return Point(True, _("L'appel a repris au bon moment, sans reproche."))
    return Point(False, _("L'appel a repris un peu tôt : une étape de plus aurait aidé la personne."))


def _ending(exercise: Exercise, moves: Sequence[Move], steps: int) -> Point:
    if not _ended(moves):
        return Point(True, _("C'est la personne qui a raccroché, comme il se doit."))
    if not _allowed(moves):
        return Point(
            False, _("Vous avez raccroché sans qu'une étape le permette. Laissez la personne raccrocher.")
        )
    entered = _entered(moves)
    warned = len(entered) > 1 or exercise.entry == entered[0].stage
    if not warned:
        return Point(False, _("L'appel a pris fin sans avertissement. Prévenez une fois, puis tenez parole."))
    return Point(True, _("Vous avez mis fin à l'appel là où le scénario le permet, après l'avoir dit."))


def _closing(said: int, steps: int) -> Point:
    if said >= steps:
        return Point(True, _("Toutes les phrases de la clôture ont été dites."))
    return Point(False, _("Il manquait une partie de la clôture : merci, puis au revoir, à chacun."))
