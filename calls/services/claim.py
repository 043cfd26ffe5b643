"""The claim: the next prospect that may be called, reserved for one agent. One short transaction."""

import time
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from calls.enums import CallState, Mode
from calls.models import Call
from calls.selectors.claiming import Candidate, Look, facts_again, look, take
from calls.services.dispositions import finish, is_settled
from calls.services.errors import domain_errors
from calls.services.held import fiche_lease
from campaigns.models import Campaign
from campaigns.rules.gate import Verdict
from campaigns.selectors.gate import verdicts_of_rows
from campaigns.services.queue import step_aside, store_refusals
from crm.models import User
from crm.rules.errors import InvalidTransition, OpenCallExists, ProspectExcluded

#: Rounds of one claim: the first candidate, then some fifty a round.
ROUNDS = 21
#: While bars are being written in bulk every candidate may be held: how often and how long (s) to look again.
PATIENCE = 40
PAUSE = 0.05


class _Refused(Exception):
    """The gate refuses what was taken before it was asked."""


def claim_next(*, campaign: Campaign, by: User, at: datetime) -> Call | None:
    """Reserve the next callable prospect of `campaign` for the agent and return the call, or None when none is.

    A call that only lacked its last confirmation is finished first. Raises OpenCallExists while another call of
    the agent is open, InvalidTransition during a pause. What the gate refuses on the way is moved, with its
    verdict stored.
    """
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
    at_once = True
    for _round in range(ROUNDS):
        try:
            with domain_errors(), transaction.atomic():
                now = look(
                    campaign=campaign,
                    agent_id=by.pk,
                    spoken=spoken_by(campaign, by),
                    at=at,
                    passed=passed,
                    # One candidate nearly always does, and the fewer are locked the less others pass over.
                    many=bool(passed),
                    lease_until=fiche_lease(campaign, at) if at_once else None,
                )
                campaign.status = now.status
                call = _take_first(campaign, now, by, at)
        except (_Refused, ProspectExcluded):
            # Taken at once and not to be called, or barred since the look began: undone, then gone through.
            if not at_once:
                raise
            at_once = False
            continue
        if now.open_call is not None or now.paused:
            _make_free(now, by, at)
            continue
        at_once = False
        held = held or not all(candidate.free for candidate in now.candidates)
        if call is not None or not now.candidates:
            return call, held
        passed.extend(candidate.entry for candidate in now.candidates)
    return None, held


def spoken_by(campaign: Campaign, by: User) -> list[str]:
    """Return the languages in which entries are served to this agent; "" stands for entries without one."""
    return ["", campaign.language, *(code for code in by.languages if code != campaign.language)]


def _make_free(now: Look, by: User, at: datetime) -> None:
    if now.open_call is not None:
        call = Call.objects.get(pk=now.open_call)
        if not is_settled(call):
            raise OpenCallExists(call=now.open_call)
        finish(call=call, by=by, at=at)
    if now.paused:
        raise InvalidTransition(_("Vous êtes en pause : terminez-la d'abord."))


def _take_first(campaign: Campaign, now: Look, by: User, at: datetime) -> Call | None:
    """Take the first candidate that the gate lets through; move the ones before it that it refuses.

    Raises _Refused for one that the look has taken already.
    """
    busy = [candidate.entry for candidate in now.candidates if candidate.free and candidate.busy]
    able = [candidate for candidate in now.candidates if candidate.free and not candidate.busy]
    verdicts = verdicts_of_rows(campaign, [candidate.facts for candidate in able], now.criteria, at)
    refused = []
    call = None
    for candidate in able:
        if not verdicts[candidate.entry].allowed:
            if candidate.call is not None:
                raise _Refused
            refused.append(candidate)
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
        store_refusals(refusals=_still_refused(campaign, refused, now.criteria, at), at=at)
    return call


def _still_refused(
    campaign: Campaign, candidates: Sequence[Candidate], criteria: str | None, at: datetime
) -> dict[int, Verdict]:
    """Return the verdicts, by entry, of those that the gate refuses on facts read after their locks, too."""
    rows = facts_again(campaign=campaign, candidates=candidates, criteria=criteria, at=at)
    verdicts = verdicts_of_rows(campaign, rows, criteria, at)
    return {entry: verdict for entry, verdict in verdicts.items() if not verdict.allowed}


def _take(campaign: Campaign, candidate: Candidate, by: User, at: datetime) -> Call | None:
    lease = fiche_lease(campaign, at)
    made = candidate.call or take(entry_id=candidate.entry, agent_id=by.pk, at=at, lease_until=lease)
    if made is None:
        return None
    call = Call(
        pk=made,
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
