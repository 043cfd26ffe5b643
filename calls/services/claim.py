"""The claim: the next prospect that may be called, reserved for one agent. One short transaction."""

import json
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from calls.enums import CallState, Mode
from calls.models import Call
from calls.selectors.claiming import Candidate, Lane, lanes, lock_candidates
from calls.services.dispositions import finish, is_settled
from calls.services.errors import domain_errors
from campaigns.enums import CampaignStatus
from campaigns.models import Campaign
from campaigns.rules.hours import window_open
from campaigns.selectors.gate import entry_verdicts
from campaigns.services.queue import step_aside, store_refusals
from crm.models import User
from crm.rules.errors import InvalidTransition, OpenCallExists

#: Candidates locked a round: one nearly always does, and the fewer are locked the less others pass over.
ROUNDS = (1, 4, 16, *[50] * 20)
#: While bars are being written in bulk every candidate may be held: how often and how long (s) to look again.
PATIENCE = 40
PAUSE = 0.05

# One statement, so that call, entry and both histories cost one round trip and stand or fall together.
TAKE = """
WITH taken AS (
    INSERT INTO calls_call (campaign_id, prospect_id, entry_id, number, agent_id, state, mode, entry_was, language,
                            lease_until, started_at, answered_by, respondent, closing_kind, goodbyes, end_allowed_by,
                            hung_up_by, evidence, cause, release_reason)
    VALUES (%(campaign)s, %(prospect)s, %(entry)s, %(number)s, %(agent)s, 'claimed', %(mode)s, %(was)s, %(language)s,
            %(lease)s, %(at)s, '', 0, '', 0, '', '', '', '', '')
    ON CONFLICT DO NOTHING
    RETURNING id
), entry AS (
    UPDATE campaigns_listentry SET state = 'claimed', verdict_gate = '', verdict_reason = '', verdict_until = NULL,
           updated_at = %(at)s
      FROM taken WHERE campaigns_listentry.id = %(entry)s
), event AS (
    INSERT INTO calls_callevent (call_id, kind, at, by_id, data) SELECT id, 'claimed', %(at)s, %(agent)s, '{}' FROM taken
), line AS (
    INSERT INTO crm_prospectevent (prospect_id, sponsor_id, at, by_id, kind, call_ref, data)
    SELECT %(prospect)s, p.sponsor_id, %(at)s, %(agent)s, 'claimed', taken.id, %(data)s
      FROM taken, campaigns_programme p WHERE p.id = %(programme)s
)
SELECT id FROM taken
"""

MINE = """
SELECT (SELECT id FROM calls_call WHERE agent_id = %(agent)s AND state NOT IN ('done', 'released')),
       EXISTS (SELECT FROM calls_pause WHERE agent_id = %(agent)s AND ended_at IS NULL),
       (SELECT status FROM campaigns_campaign WHERE id = %(campaign)s)
"""


def claim_next(*, campaign: Campaign, by: User, at: datetime) -> Call | None:
    """Reserve the next callable prospect of `campaign` for the agent and return the call, or None when none is.

    A call that only lacked its last confirmation is finished first. Raises OpenCallExists while another call of
    the agent is open, InvalidTransition during a pause. What the gate refuses on the way is moved, with its
    verdict stored.
    """
    _check_free(campaign, by, at)
    if campaign.status != CampaignStatus.RUNNING:
        return None
    for _look in range(PATIENCE):
        call, held = _look_once(campaign, by, at)
        if call is not None or not held:
            return call
        # Nothing was refused for good: bars are being written over the rest at this moment.
        time.sleep(PAUSE)
    return None


def _look_once(campaign: Campaign, by: User, at: datetime) -> tuple[Call | None, bool]:
    """Go through the candidates once. Returns the call, and whether some were held by a bar being written."""
    passed: list[int] = []
    held = False
    for limit in ROUNDS:
        with domain_errors(), transaction.atomic():
            candidates = lock_candidates(
                campaign_id=campaign.pk,
                agent_id=by.pk,
                lanes=_open_lanes(campaign, by, at),
                spoken=spoken_by(campaign, by),
                at=at,
                passed=passed,
                limit=limit,
            )
            call = _take_first(campaign, candidates, by, at)
        held = held or not all(candidate.free for candidate in candidates)
        if call is not None or len(candidates) < limit:
            return call, held
        passed.extend(candidate.entry for candidate in candidates)
    return None, held


def spoken_by(campaign: Campaign, by: User) -> list[str]:
    """Return the languages in which entries are served to this agent; "" stands for entries without one."""
    return ["", campaign.language, *(code for code in by.languages if code != campaign.language)]


def _check_free(campaign: Campaign, by: User, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(MINE, {"agent": by.pk, "campaign": campaign.pk})
        row = cursor.fetchone()
    open_call, paused, status = row if row else (None, False, "")
    campaign.status = status or campaign.status
    if open_call is not None:
        call = Call.objects.get(pk=open_call)
        if not is_settled(call):
            raise OpenCallExists(call=open_call)
        finish(call=call, by=by, at=at)
    if paused:
        raise InvalidTransition(_("Vous êtes en pause : terminez-la d'abord."))


def _open_lanes(campaign: Campaign, by: User, at: datetime) -> list[Lane]:
    spoken = spoken_by(campaign, by)
    return [
        lane
        for lane in lanes(campaign.pk)
        if lane.language in spoken
        and (campaign.is_unrestricted or window_open(campaign.hours, lane.time_zone, at))
    ]


def _take_first(campaign: Campaign, candidates: Sequence[Candidate], by: User, at: datetime) -> Call | None:
    """Take the first candidate that the gate lets through; move the ones before it that it refuses."""
    busy = [candidate.entry for candidate in candidates if candidate.free and candidate.busy]
    able = [candidate for candidate in candidates if candidate.free and not candidate.busy]
    verdicts = entry_verdicts(campaign=campaign, entry_ids=[candidate.entry for candidate in able], at=at) if able else {}
    refused = {}
    call = None
    for candidate in able:
        verdict = verdicts[candidate.entry]
        if not verdict.allowed:
            refused[candidate.entry] = verdict
            continue
        call = _take(campaign, candidate, by, at)
        if call is not None:
            break
        # Somebody opened a call on the same number, person or agent between the look and the insert.
        mine = Call.objects.open().filter(agent=by).values_list("pk", flat=True).first()
        if mine is not None:
            raise OpenCallExists(call=mine)
        busy.append(candidate.entry)
    if busy:
        step_aside(entry_ids=busy, at=at)
    if refused:
        store_refusals(refusals=refused, at=at)
    return call


def _take(campaign: Campaign, candidate: Candidate, by: User, at: datetime) -> Call | None:
    lease = at + timedelta(seconds=campaign.lease_seconds)
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE,
            {
                "campaign": campaign.pk,
                "programme": campaign.programme_id,
                "prospect": candidate.prospect,
                "entry": candidate.entry,
                "number": candidate.number,
                "agent": by.pk,
                "mode": Mode.QUEUE,
                "was": candidate.state,
                "language": candidate.language or campaign.language,
                "lease": lease,
                "at": at,
                "data": json.dumps({"campaign": campaign.pk}),
            },
        )
        row = cursor.fetchone()
    if row is None:
        return None
    call = Call(
        pk=row[0],
        campaign=campaign,
        prospect_id=candidate.prospect,
        entry_id=candidate.entry,
        number=candidate.number,
        agent=by,
        state=CallState.CLAIMED,
        mode=Mode.QUEUE,
        entry_was=candidate.state,
        language=candidate.language or campaign.language,
        lease_until=lease,
        started_at=at,
    )
    call._state.adding = False
    call._state.db = "default"
    return call
