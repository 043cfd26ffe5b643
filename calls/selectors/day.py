"""The agent's day in figures: calls finished, the goal, the time spent in each state, a break that is due."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from calls.enums import HARD_EFFECTS
from calls.rules.goal import goal_of_day
from crm.models import User

#: One statement over the calls and the pauses of the day; what is still going on counts up to now.
TODAY = """
WITH calls AS (
    SELECT c.* FROM calls_call c WHERE c.agent_id = %(agent)s AND c.started_at >= %(since)s AND c.state <> 'released'
), pauses AS (
    SELECT p.*, coalesce(p.ended_at, %(at)s) - p.started_at AS lasted
      FROM calls_pause p WHERE p.agent_id = %(agent)s AND p.started_at >= %(since)s
), latest AS (
    SELECT c.id FROM calls c WHERE c.state IN ('ended', 'not_reached', 'done')
     ORDER BY c.started_at DESC, c.id DESC LIMIT 1
)
SELECT (SELECT count(*) FROM calls c WHERE c.state = 'done'),
       (SELECT sum(coalesce(c.ended_at, CASE WHEN c.state IN ('connected', 'closing') THEN %(at)s END) - c.answered_at)
          FROM calls c),
       (SELECT sum(coalesce(c.done_at, %(at)s) - c.ended_at) FROM calls c),
       (SELECT sum(p.lasted) FROM pauses p),
       (SELECT sum(p.lasted) FROM pauses p WHERE p.kind = 'hard_call'),
       least((SELECT min(c.started_at) FROM calls c), (SELECT min(p.started_at) FROM pauses p)),
       (SELECT l.id FROM latest l
         WHERE EXISTS (SELECT FROM calls_callevent e JOIN calls_situation s ON s.code = e.data->>'situation'
                        WHERE e.call_id = l.id AND e.kind = 'situation' AND s.effect = ANY (%(hard)s))
           AND NOT EXISTS (SELECT FROM calls_pause p WHERE p.after_call_id = l.id AND p.agent_id = %(agent)s)),
       coalesce((SELECT w.sound FROM calls_workplace w WHERE w.agent_id = %(agent)s), true),
       EXISTS (SELECT FROM calls_reminder r
                WHERE r.owner_id = %(agent)s AND r.done_at IS NULL AND r.due_at <= %(at)s)
"""


@dataclass(frozen=True, slots=True)
class Day:
    """An agent's day so far. `goal` is what the day asks for, `spared` what breaks after hard calls took off it.

    `hard_call` is the last call, where it was hard and no break followed it yet. Times are durations. `sound`: the desk
    may sound; `wishes`: some are to be seen to.
    """

    finished: int
    goal: int
    spared: int
    online: timedelta
    after_call: timedelta
    waiting: timedelta
    pause: timedelta
    hard_call: int | None
    sound: bool
    wishes: bool


def day_of(user: User, *, since: datetime, at: datetime) -> Day:
    """Return the day that began at `since`, as it stands at `at`. One query.

    Waiting is what is left of the time since the first call or pause.
    """
    asked: dict[str, Any] = {
        "agent": user.pk,
        "since": since,
        "at": at,
        "hard": sorted(map(str, HARD_EFFECTS)),
    }
    with connection.cursor() as cursor:
        cursor.execute(TODAY, asked)
        finished, online, after_call, pause, hard, first, hard_call, sound, wishes = cursor.fetchone()
    spent = [max(time or timedelta(), timedelta()) for time in (online, after_call, pause)]
    waiting = (at - first if first else timedelta()) - sum(spent, timedelta())
    goal = goal_of_day(user.daily_goal, hard or timedelta())
    return Day(
        finished=finished,
        goal=goal,
        spared=user.daily_goal - goal,
        online=spent[0],
        after_call=spent[1],
        waiting=max(waiting, timedelta()),
        pause=spent[2],
        hard_call=hard_call,
        sound=sound,
        wishes=wishes,
    )
