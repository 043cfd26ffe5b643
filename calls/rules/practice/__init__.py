"""Training: simulated prospects, how they answer what the agent does, and the review at the end. Pure."""

from calls.rules.practice.lines import EXERCISES, Exercise
from calls.rules.practice.review import Point, review_of
from calls.rules.practice.simulation import Move, Phase, Standing, possible, standing_of

__all__ = [
    "EXERCISES",
    "Exercise",
    "Move",
    "Phase",
    "Point",
    "Standing",
    "possible",
    "review_of",
    "standing_of",
]
