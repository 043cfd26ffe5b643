"""The numbers that another dialler must not call: those barred, and those of barred people, in one scope."""

import logging
from collections.abc import Iterator
from typing import Any

from django.db import connection

from campaigns.models import Campaign
from campaigns.rules.dnc import WRITTEN
from crm.models import Sponsor, User

logger = logging.getLogger(__name__)
#: Numbers that are read at once; a file of a million holds the memory of as many.
CHUNK = 5_000

#: What holds in a scope now; each kind of place is given or null.
HOLDS = """
    x.lifted_at IS NULL AND (x.until IS NULL OR x.until > now()) AND (
        x.scope = 'everywhere' OR (x.scope = 'sponsor' AND x.sponsor_id = %(sponsor)s)
        OR (x.scope = 'programme' AND x.programme_id = %(programme)s)
        OR (x.scope = 'campaign' AND x.campaign_id = %(campaign)s))
"""
#: By number, each once: the index of active numbers serves it from where the last chunk ended.
NUMBERS = f"""
SELECT DISTINCT x.number FROM campaigns_exclusion x
 WHERE x.number > %(after)s AND {HOLDS} ORDER BY x.number LIMIT %(limit)s
"""
#: Numbers that only their owner's bar holds: one that came to the record later.
PEOPLE = f"""
WITH barred AS (
    SELECT DISTINCT x.prospect_id FROM campaigns_exclusion x
     WHERE x.prospect_id > %(after)s AND {HOLDS} ORDER BY x.prospect_id LIMIT %(limit)s)
SELECT b.prospect_id, n.number FROM barred b LEFT JOIN crm_prospectnumber n ON n.prospect_id = b.prospect_id
   AND NOT EXISTS (SELECT FROM campaigns_exclusion x WHERE x.number = n.number AND {HOLDS})
 ORDER BY b.prospect_id
"""


def dnc_lines(
    *, sponsor: Sponsor | None = None, campaign: Campaign | None = None, written: str, by: User
) -> Iterator[str]:
    """Yield the lines of a "do not call" file, in pieces: one number a line, as `written` (`DncFormat`) has it.

    Of a `campaign` all that bars a call of it; of a `sponsor` what bars every call for it, and no narrower bar. Told
    in the log with who took how many.
    """
    owner = campaign.programme.sponsor_id if campaign else sponsor.pk if sponsor else None
    place = {
        "sponsor": owner,
        "programme": campaign.programme_id if campaign else None,
        "campaign": campaign.pk if campaign else None,
    }
    write, count = WRITTEN[written], 0
    try:
        for numbers in _chunks(place):
            count += len(numbers)
            yield "".join(f"{write(number)}\n" for number in numbers)
    finally:
        # Told as well when the download was broken off.
        logger.info("export dnc: %d numbers sent to user %s", count, by.pk)


def dnc_name(campaign: Campaign | None, sponsor: Sponsor | None) -> str:
    """Return the name of the file, without its ending."""
    return f"dnc-{campaign.slug}" if campaign else f"dnc-sponsor-{sponsor.pk if sponsor else ''}"


def _chunks(place: dict[str, int | None]) -> Iterator[list[str]]:
    after = ""
    while found := [number for (number,) in _rows(NUMBERS, place, after)]:
        yield found
        after = found[-1]
    last = 0
    while people := _rows(PEOPLE, place, last):
        yield sorted({number for _prospect, number in people if number})
        last = people[-1][0]


def _rows(sql: str, place: dict[str, int | None], after: int | str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {**place, "after": after, "limit": CHUNK})
        return list(cursor.fetchall())
