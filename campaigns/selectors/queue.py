"""Where the list of a campaign stands: counts, and why nobody is callable. One query, however long the list is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.enums import WAITING, CampaignStatus, EntryState, Gate
from campaigns.models import Campaign
from campaigns.rules.gate import sentence
from campaigns.rules.hours import next_opening, window_open

#: Reason of an entry that waits for its own time: a retry or a callback. It is no refusal of the gate.
LATER = "later"


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many entries are not callable now for one reason. `until` is when the first of them may be."""

    gate: str
    reason: str
    count: int
    until: datetime | None = None

    @property
    def message(self) -> str:
        """Return the reason as a sentence."""
        if self.reason == LATER:
            return _("Rappel ou nouvelle tentative à l'heure prévue.")
        return sentence(self.gate, self.reason)

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "gate": self.gate,
            "reason": self.reason,
            "count": self.count,
            "until": self.until,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """The list of a campaign at one moment.

    `states` counts every entry by state; `reasons` those that are not callable now; `next_at` is when the next one
    may be, null while somebody is callable or when nobody ever will be; `why` is "" while somebody is callable.
    """

    callable: int
    total: int
    states: dict[str, int]
    reasons: list[ReasonCount] = field(default_factory=list)
    next_at: datetime | None = None
    why: str = ""


class _Group(NamedTuple):
    state: str
    time_zone: str
    due: bool
    exact: bool
    gate: str
    reason: str
    entries: int
    first_due: datetime


GROUPS = """
SELECT state, CASE WHEN state IN ('ready', 'callback') THEN time_zone ELSE '' END, due_at <= %(at)s, exact,
       verdict_gate, verdict_reason, count(*), min(due_at)
  FROM campaigns_listentry WHERE campaign_id = %(campaign)s GROUP BY 1, 2, 3, 4, 5, 6
"""


def queue_counts(campaign: Campaign, at: datetime) -> QueueCounts:
    """Count the list of a campaign by state and by reason, and say why nobody is callable, and until when."""
    with connection.cursor() as cursor:
        cursor.execute(GROUPS, {"campaign": campaign.pk, "at": at})
        groups = [_Group(*row) for row in cursor.fetchall()]
    states: dict[str, int] = {}
    reasons: dict[tuple[str, str], tuple[int, datetime | None]] = {}
    served = 0
    for group in groups:
        states[group.state] = states.get(group.state, 0) + group.entries
        reason = _reason_of(campaign, group, at)
        if reason is None:
            served += group.entries if group.state in WAITING else 0
            continue
        known = reasons.get((reason.gate, reason.reason), (0, None))
        reasons[reason.gate, reason.reason] = (known[0] + reason.count, _earlier(known[1], reason.until))
    counted = [ReasonCount(gate, code, count, until) for (gate, code), (count, until) in reasons.items()]
    counted.sort(key=lambda item: -item.count)
    next_at = None if served else _next_at(campaign, groups, at)
    why = "" if served else _why(campaign, states, counted, next_at)
    return QueueCounts(served, sum(states.values()), states, counted, next_at, why)


def _reason_of(campaign: Campaign, group: _Group, at: datetime) -> ReasonCount | None:
    """Return why the entries of a group are not callable now; None when they are, or need no reason."""
    if group.state not in WAITING:
        if group.state in (EntryState.DONE, EntryState.CLAIMED):
            return None
        gate, reason = group.gate, group.reason
        if group.state == EntryState.EXHAUSTED and not gate:
            gate, reason = Gate.ATTEMPTS, f"cap:{campaign.max_attempts}"
        return ReasonCount(gate, reason, group.entries)
    if campaign.status != CampaignStatus.RUNNING:
        return ReasonCount(Gate.CAMPAIGN, campaign.status, group.entries)
    if not group.due:
        put_off = group.gate in (Gate.WINDOW, Gate.ATTEMPTS)
        gate, reason = (group.gate, group.reason) if put_off else ("", LATER)
        return ReasonCount(gate, reason, group.entries, _opens(campaign, group, at))
    if _is_open(campaign, group, at):
        return None
    code = "outside_hours" if group.time_zone else "unknown_time_zone"
    return ReasonCount(Gate.WINDOW, code, group.entries, _opens(campaign, group, at))


def _is_open(campaign: Campaign, group: _Group, at: datetime) -> bool:
    free = campaign.is_unrestricted or (group.exact and group.state == EntryState.CALLBACK)
    return free or window_open(campaign.hours, group.time_zone, at)


def _opens(campaign: Campaign, group: _Group, at: datetime) -> datetime | None:
    """Return when the first entry of a waiting group may be called."""
    due = max(group.first_due, at)
    return due if _is_open(campaign, group, due) else next_opening(campaign.hours, group.time_zone, due)


def _next_at(campaign: Campaign, groups: Sequence[_Group], at: datetime) -> datetime | None:
    if campaign.status != CampaignStatus.RUNNING:
        return None
    moments = [_opens(campaign, group, at) for group in groups if group.state in WAITING]
    return min((moment for moment in moments if moment is not None), default=None)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)


def _why(
    campaign: Campaign, states: dict[str, int], reasons: Sequence[ReasonCount], next_at: datetime | None
) -> str:
    if campaign.status != CampaignStatus.RUNNING:
        return sentence(Gate.CAMPAIGN, campaign.status)
    if not states:
        return _("La liste est vide : importez ou ajoutez des fiches.")
    if next_at is not None:
        first = min(
            (item for item in reasons if item.until is not None), key=lambda item: item.until or next_at
        )
        when = date_format(timezone.localtime(next_at), "DATETIME_FORMAT")
        return _("%(why)s Prochaine fiche : %(when)s.") % {"why": first.message, "when": when}
    if states.get(EntryState.CLAIMED):
        return _("Les dernières fiches sont chez des agents.")
    if not reasons:
        return _("Toutes les fiches sont terminées.")
    count = reasons[0].count
    known = ngettext("%(count)d fiche : %(why)s", "%(count)d fiches : %(why)s", count)
    why = known % {"count": count, "why": reasons[0].message}
    return _("Plus aucune fiche à appeler. %(why)s") % {"why": why}
