"""What is known of one exact number when somebody calls us: the fiches that carry it, and why they were called."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from calls.enums import CallbackState, CallEventKind, Mode
from calls.models import Call, Callback, CallEvent
from campaigns.enums import CampaignStatus, Scope
from campaigns.models import Campaign, Exclusion, ListEntry
from crm.models import Prospect, Sponsor, User
from crm.selectors.scopes import sources_of, sponsors_of

#: Past calls and bars shown of each fiche.
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Fiche:
    """A record that carries the number, and why it was called: newest first. `campaign` is the one to take it in.

    `prospect` is null for what is known of the number alone.
    """

    prospect: Prospect | None
    calls: Sequence[Call]
    callbacks: Sequence[Callback]
    bars: Sequence[Exclusion]
    notes: Sequence[tuple[datetime, str]]
    campaign: Campaign | None


@dataclass(frozen=True, slots=True)
class Known:
    """What an agent may know of a number (E.164): its fiches, and the campaigns in which a call may be taken."""

    number: str
    fiches: Sequence[Fiche]
    campaigns: Sequence[Campaign]


def answerable_campaigns(user: User) -> QuerySet[Campaign]:
    """Return the campaigns in which somebody who calls us may be answered: any that was ever started, by name."""
    return (
        Campaign.objects.filter(programme__sponsor__in=sponsors_of(user))
        .exclude(status=CampaignStatus.DRAFT)
        .select_related("programme__sponsor")
        .order_by("name", "pk")
    )


def fiches_with(user: User, number: str) -> QuerySet[Prospect]:
    """Return the records inside the user's sponsors that carry exactly this number."""
    return (
        Prospect.objects.with_number(number)
        .filter(source__in=sources_of(user), erased_at__isnull=True)
        .select_related("source")
        .order_by("pk")
    )


def known_of(user: User, number: str, *, at: datetime) -> Known:
    """Return what is known of a number inside the user's sponsors. A constant number of queries."""
    sponsors = sponsors_of(user)
    prospects = list(fiches_with(user, number)[:10])
    ids = [prospect.pk for prospect in prospects]
    calls = _calls(sponsors, number, ids)
    callbacks = list(
        Callback.objects.filter(
            prospect__in=ids, state=CallbackState.OPEN, campaign__programme__sponsor__in=sponsors
        )
        .select_related("campaign__programme", "owner")
        .order_by("due_at")
    )
    bars = _bars(sponsors, number, ids, at)
    notes = _notes([call.pk for call in calls])
    entries = list(
        ListEntry.objects.filter(prospect__in=ids, campaign__programme__sponsor__in=sponsors)
        .exclude(campaign__status=CampaignStatus.DRAFT)
        .select_related("campaign__programme__sponsor")
        .order_by("-updated_at")
    )
    fiches = [_fiche(prospect, calls, callbacks, bars, notes, entries) for prospect in prospects]
    loose = [call for call in calls if call.prospect_id not in ids]
    only_number = [bar for bar in bars if bar.prospect_id is None]
    if not fiches and (loose or only_number):
        told = [words for call in loose for words in notes.get(call.pk, [])]
        campaign = loose[0].campaign if loose else None
        fiches = [Fiche(None, loose[:SHOWN], [], only_number[:SHOWN], told[:SHOWN], campaign)]
    return Known(number, fiches, list(answerable_campaigns(user)))


def _fiche(
    prospect: Prospect,
    calls: Sequence[Call],
    callbacks: Sequence[Callback],
    bars: Sequence[Exclusion],
    notes: dict[int, list[tuple[datetime, str]]],
    entries: Sequence[ListEntry],
) -> Fiche:
    # A call that reached nobody on this number may have been another fiche's: only its own are why it was called.
    own = [call for call in calls if call.prospect_id == prospect.pk]
    promised = [row for row in callbacks if row.prospect_id == prospect.pk]
    listed = [row.campaign for row in entries if row.prospect_id == prospect.pk]
    candidates = [*(row.campaign for row in promised), *(call.campaign for call in own), *listed]
    return Fiche(
        prospect=prospect,
        calls=own[:SHOWN],
        callbacks=promised,
        bars=[bar for bar in bars if bar.prospect_id in (None, prospect.pk)][:SHOWN],
        notes=[words for call in own for words in notes.get(call.pk, [])][:SHOWN],
        campaign=next(iter(candidates), None),
    )


def _calls(sponsors: QuerySet[Sponsor], number: str, prospects: Sequence[int]) -> list[Call]:
    found = (
        Call.objects.filter(
            Q(number=number) | Q(prospect__in=prospects), campaign__programme__sponsor__in=sponsors
        )
        .filter(Q(dialled_at__isnull=False) | Q(mode=Mode.INBOUND))
        .select_related("campaign__programme__sponsor", "disposition", "agent")
    )
    return list(found.order_by("-started_at", "-pk")[:50])


def _bars(
    sponsors: QuerySet[Sponsor], number: str, prospects: Sequence[int], at: datetime
) -> list[Exclusion]:
    inside = (
        Q(scope=Scope.EVERYWHERE)
        | Q(sponsor__in=sponsors)
        | Q(programme__sponsor__in=sponsors)
        | Q(campaign__programme__sponsor__in=sponsors)
    )
    found = (
        Exclusion.objects.filter(inside, Q(number=number) | Q(prospect__in=prospects), lifted_at__isnull=True)
        .filter(Q(until__isnull=True) | Q(until__gt=at))
        .select_related("sponsor", "programme", "campaign")
        .order_by("-since", "-pk")
    )
    return list(found[:20])


def _notes(calls: Sequence[int]) -> dict[int, list[tuple[datetime, str]]]:
    """Return the notes and wishes of these calls by call, the last note of each."""
    told = CallEvent.objects.filter(
        call__in=calls, kind__in=(CallEventKind.NOTE, CallEventKind.WISH)
    ).order_by("id")
    last: dict[tuple[int, str], tuple[int, datetime, str]] = {}
    for event in told:
        if event.data.get("text"):
            last[event.call_id, event.kind] = (event.call_id, event.at, event.data["text"])
    found: dict[int, list[tuple[datetime, str]]] = {}
    for call, when, text in last.values():
        found.setdefault(call, []).append((when, text))
    return found
