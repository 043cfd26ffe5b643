"""The day's goal: shown, never a whip. Pure."""

import math
from datetime import timedelta

#: The goal is of a day of so many hours at work.
DAY = timedelta(hours=7)


def goal_of_day(goal: int, hard_break: timedelta) -> int:
    """Return how many calls the day asks for: a break after a hard call takes away what its time would have held.

    What is taken away is rounded up, in favour of the agent; never below 0.
    """
    taken = math.ceil(goal * max(hard_break, timedelta()) / DAY)
    return max(0, goal - taken)
