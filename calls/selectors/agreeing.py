"""What a time that is about to be agreed comes to: how it is understood, whether the rules allow it, what it meets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from calls.enums import CallbackState
from calls.models import Call, Callback
from calls.rules.moments import read_moment
from calls.selectors.call_screen import time_zone_of
from campaigns.enums import CampaignStatus
from campaigns.models import Campaign, ListEntry
from campaigns.rules.gate import Facts, Verdict, judge_time, next_allowed_time
from crm.enums import CALLING
from crm.models import User
from crm.rules.phones import time_zone_for

#: Two callbacks of one agent nearer than that meet.
NEAR = timedelta(minutes=10)
#: Where the person's own zone cannot be told, times are read by the clock of the pages.
READ_IN = "Europe/Paris"


@dataclass(frozen=True, slots=True)
class Understood:
    """A text read as a time for a later call: aware, UTC.

    `exact`: the person gave that very time. `moved_from` is what a vague time would have been, where it was moved to
    the next moment that is open. `refusal` is why the time cannot be agreed as it stands (null: it can).
    """

    at: datetime
    exact: bool
    time_zone: str
    moved_from: datetime | None = None
    refusal: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Meeting:
    """Callbacks that the new one meets: the owner's own within ten minutes, and those that the person has already."""

    near: Sequence[Callback]
    already: Sequence[Callback]


def time_facts(campaign: Campaign, number: str, time_zone: str) -> Facts:
    """Return what the gates of the time look at. A campaign that is paused may be agreed for: it may run by then."""
    return Facts(
        number=number,
        time_zone=time_zone,
        status=CampaignStatus.RUNNING,
        hours=campaign.hours,
        max_attempts=campaign.max_attempts,
        unrestricted=campaign.is_unrestricted,
    )


def time_verdict(call: Call, at: datetime) -> Verdict:
    """Return whether the rules of the call's campaign allow a call to its person at `at`."""
    return judge_time(time_facts(call.campaign, call.number, time_zone_of(call)), at)


def verdict_of_entry(entry: ListEntry, at: datetime) -> Verdict:
    """Return whether the rules of its campaign allow a call to the person of an entry at `at`."""
    person = entry.prospect
    zone = person.time_zone or time_zone_for(entry.number, person.postal_code, person.country)
    return judge_time(time_facts(entry.campaign, entry.number, zone), at)


def understand(call: Call, text: str, *, given: bool, now: datetime) -> Understood:
    """Read `text` by the clock of the call's person. `given`: the agent attests that the person gave that very time.

    A clear time inside the rules counts as given. Outside of them it needs the attestation, else it is refused; a
    vague one ("lundi matin") is moved to the next open moment. Raises `calls.rules.moments.Unreadable`.
    """
    zone = time_zone_of(call)
    moment = read_moment(text, now, zone or READ_IN)
    facts = time_facts(call.campaign, call.number, zone)
    verdict = judge_time(facts, moment.at)
    if given or verdict.allowed:
        return Understood(moment.at, given or moment.exact, zone or READ_IN)
    opening = None if moment.exact else next_allowed_time(facts, moment.at)
    if opening is None:
        return Understood(moment.at, False, zone or READ_IN, refusal=verdict)
    return Understood(opening, False, zone or READ_IN, moved_from=moment.at)


def meeting(call: Call, at: datetime, owner: User | None) -> Meeting:
    """Return the open callbacks that one agreed on this call for `at` would meet, inside its sponsor. One query.

    The callback that the call itself keeps is none: it is done with this call.
    """
    near = Q(owner=owner, due_at__gt=at - NEAR, due_at__lt=at + NEAR) if owner else Q(pk__in=[])
    same = Q(prospect=call.prospect_id, campaign__programme__sponsor=call.campaign.programme.sponsor_id)
    found = list(
        Callback.objects.filter(near | same, state=CallbackState.OPEN)
        .exclude(entry=call.entry_id)
        .select_related("prospect", "campaign", "owner")
        .order_by("due_at", "pk")[:10]
    )
    already = [row for row in found if row.prospect_id == call.prospect_id]
    return Meeting([row for row in found if row.prospect_id != call.prospect_id], already)


def spoken_languages(campaign: Campaign) -> list[str]:
    """Return the languages, as codes, in which somebody who calls for the campaign's sponsor holds calls. One query."""
    sponsor = campaign.programme.sponsor_id
    people = User.objects.filter(is_active=True, role__in=CALLING).filter(
        Q(sponsors=sponsor) | Q(sponsors__isnull=True)
    )
    spoken = {code for codes in people.values_list("languages", flat=True).distinct() for code in codes}
    return sorted(spoken - {campaign.language})
