"""Where the lists of campaigns stand: counts, and why nobody is callable. One query, however many and however long."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q
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

#: Gates that put a waiting entry off and say so on it.
PUTTING_OFF = (Gate.WINDOW, Gate.ATTEMPTS)


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many entries are not callable now for one reason. `until` is when the first of them may be.

    `state` is theirs, "" when they wait in the queue.
    """

    gate: str
    reason: str
    count: int
    until: datetime | None = None
    state: str = ""

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


class Group(NamedTuple):
    """Entries of a campaign that stand alike. `outcome` is the code of a disposition, "" for none, and its labels.

    `first_due` and `last_due` are the bounds of when they are due, where that is later; null: they are due.
    """

    campaign: int
    state: str
    progress: str
    outcome: str
    gate: str
    reason: str
    time_zone: str
    exact: bool
    entries: int
    first_due: datetime | None = None
    last_due: datetime | None = None
    label: str = ""
    label_en: str = ""

    @property
    def is_waiting(self) -> bool:
        """Whether the queue can still serve them."""
        return self.state in WAITING


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """The list of a campaign at one moment.

    `states` counts every entry by state; `reasons` those that are not callable now; `next_at` is when the next one
    may be, null while somebody is callable or when nobody ever will be; `why` is "" while somebody is callable.
    `groups` is what was counted.
    """

    callable: int
    total: int
    states: dict[str, int]
    reasons: list[ReasonCount] = field(default_factory=list)
    next_at: datetime | None = None
    why: str = ""
    groups: Sequence[Group] = ()
    #: When the first of those that wait may be called, null when nobody knows, and whether all of them may then.
    opens_at: datetime | None = None
    opens_alike: bool = False

    @property
    def waiting(self) -> int:
        """How many wait in the queue and are not callable now."""
        return sum(row.count for row in self.reasons if not row.state)


# Every entry is read from an index that holds equal keys once; the few that are not due yet by those of the claim.
KEY = "campaign_id, state, progress, outcome_id, verdict_gate, verdict_reason, time_zone, exact"
GROUPS = f"""
SELECT g.campaign_id, g.state, g.progress, coalesce(d.code, ''), g.verdict_gate, g.verdict_reason, g.time_zone, g.exact,
       g.entries, g.first_due, g.last_due, coalesce(d.label, ''), coalesce(d.label_en, '')
  FROM (
    SELECT {KEY}, count(*) AS entries, NULL::timestamptz AS first_due, NULL::timestamptz AS last_due
      FROM campaigns_listentry WHERE campaign_id = ANY(%(campaigns)s) GROUP BY {KEY}
     UNION ALL
    SELECT {KEY}, count(*), min(due_at), max(due_at) FROM campaigns_listentry
     WHERE campaign_id = ANY(%(campaigns)s) AND state = 'ready' AND due_at > %(at)s GROUP BY {KEY}
     UNION ALL
    SELECT {KEY}, count(*), min(due_at), max(due_at) FROM campaigns_listentry
     WHERE campaign_id = ANY(%(campaigns)s) AND state = 'callback' AND due_at > %(at)s GROUP BY {KEY}
  ) g LEFT JOIN campaigns_disposition d ON d.id = g.outcome_id
"""


def groups_of(campaigns: Iterable[Campaign], at: datetime) -> dict[int, list[Group]]:
    """Return how the entries of these campaigns stand, by the campaign's id; those due and those not yet apart."""
    found: dict[int, list[Group]] = {campaign.pk: [] for campaign in campaigns}
    if not found:
        return found
    with connection.cursor() as cursor:
        cursor.execute(GROUPS, {"campaigns": list(found), "at": at})
        rows = [Group(*row) for row in cursor.fetchall()]
    later = {row[:8]: row for row in rows if row.first_due is not None}
    for row in rows:
        if row.first_due is not None:
            found[row.campaign].append(row)
            continue
        due = row.entries - (later[row[:8]].entries if row[:8] in later else 0)
        if due:
            found[row.campaign].append(row._replace(entries=due))
    return found


def queue_counts(campaign: Campaign, at: datetime) -> QueueCounts:
    """Count the list of a campaign by state and by reason, and say why nobody is callable, and until when."""
    return counted(campaign, groups_of([campaign], at)[campaign.pk], at)


def counted(campaign: Campaign, groups: Sequence[Group], at: datetime) -> QueueCounts:
    """Return the counts of one campaign out of its groups."""
    states: dict[str, int] = {}
    reasons: dict[tuple[str, str, str], tuple[int, datetime | None]] = {}
    served = 0
    waits: list[tuple[datetime | None, bool]] = []
    for group in groups:
        states[group.state] = states.get(group.state, 0) + group.entries
        reason = _reason_of(campaign, group, at)
        if reason is None:
            served += group.entries if group.is_waiting else 0
            continue
        if group.is_waiting:
            waits.append((reason.until, group.first_due == group.last_due))
        key = (reason.gate, reason.reason, reason.state)
        known = reasons.get(key, (0, None))
        reasons[key] = (known[0] + reason.count, _earlier(known[1], reason.until))
    rows = [
        ReasonCount(gate, code, count, until, state)
        for (gate, code, state), (count, until) in reasons.items()
    ]
    rows.sort(key=lambda item: -item.count)
    next_at = None if served else _next_at(campaign, groups, at)
    why = "" if served else _why(campaign, states, rows, next_at)
    opens_at = min((moment for moment, _alike in waits if moment is not None), default=None)
    alike = all(whole and moment == opens_at for moment, whole in waits)
    return QueueCounts(
        served, sum(states.values()), states, rows, next_at, why, groups, opens_at, bool(waits) and alike
    )


def _reason_of(campaign: Campaign, group: Group, at: datetime) -> ReasonCount | None:
    """Return why the entries of a group are not callable now; None when they are, or need no reason."""
    if not group.is_waiting:
        if group.state in (EntryState.DONE, EntryState.CLAIMED):
            return None
        gate, reason = group.gate, group.reason
        if group.state == EntryState.EXHAUSTED and gate in ("", Gate.ATTEMPTS):
            gate, reason = Gate.ATTEMPTS, f"cap:{campaign.max_attempts}"
        return ReasonCount(gate, reason, group.entries, state=group.state)
    if campaign.status != CampaignStatus.RUNNING:
        return ReasonCount(Gate.CAMPAIGN, campaign.status, group.entries)
    if group.first_due is not None:
        put_off = group.gate in PUTTING_OFF
        gate, reason = (group.gate, group.reason) if put_off else ("", LATER)
        return ReasonCount(gate, reason, group.entries, _opens(campaign, group, at))
    if _is_open(campaign, group, at):
        return None
    code = "outside_hours" if group.time_zone else "unknown_time_zone"
    return ReasonCount(Gate.WINDOW, code, group.entries, _opens(campaign, group, at))


def served_q(campaign: Campaign, groups: Iterable[Group], at: datetime) -> Q:
    """Return the condition for the entries that are callable now: those that `counted` counts as such."""
    if campaign.status != CampaignStatus.RUNNING:
        return Q(pk__in=[])
    return Q(state__in=sorted(WAITING), due_at__lte=at) & _open_q(campaign, groups, at)


def held_q(campaign: Campaign, groups: Iterable[Group], at: datetime, gate: str = "", reason: str = "") -> Q:
    """Return the condition for the waiting entries that are not callable now, all or those of one reason."""
    waiting = Q(state__in=sorted(WAITING))
    if campaign.status != CampaignStatus.RUNNING:
        return waiting
    later = waiting & Q(due_at__gt=at)
    shut = Q(pk__in=[])
    if not campaign.is_unrestricted:
        shut = waiting & Q(due_at__lte=at) & ~_open_q(campaign, groups, at)
    if reason == LATER:
        return later & ~Q(verdict_gate__in=PUTTING_OFF)
    if not gate:
        return later | shut
    said = later & Q(verdict_gate=gate, **({"verdict_reason": reason} if reason else {}))
    if gate != Gate.WINDOW:
        return said
    if reason == "outside_hours":
        shut &= ~Q(time_zone="")
    elif reason:
        shut &= Q(time_zone="") if reason == "unknown_time_zone" else Q(pk__in=[])
    return said | shut


def _open_q(campaign: Campaign, groups: Iterable[Group], at: datetime) -> Q:
    if campaign.is_unrestricted:
        return Q()
    zones = {group.time_zone for group in groups if group.is_waiting}
    open_zones = sorted(zone for zone in zones if window_open(campaign.hours, zone, at))
    return Q(time_zone__in=open_zones) | Q(state=EntryState.CALLBACK, exact=True)


def _is_open(campaign: Campaign, group: Group, at: datetime) -> bool:
    free = campaign.is_unrestricted or (group.exact and group.state == EntryState.CALLBACK)
    return free or window_open(campaign.hours, group.time_zone, at)


def _opens(campaign: Campaign, group: Group, at: datetime) -> datetime | None:
    """Return when the first entry of a waiting group may be called."""
    due = at if group.first_due is None else group.first_due
    return due if _is_open(campaign, group, due) else next_opening(campaign.hours, group.time_zone, due)


def _next_at(campaign: Campaign, groups: Sequence[Group], at: datetime) -> datetime | None:
    if campaign.status != CampaignStatus.RUNNING:
        return None
    moments = [_opens(campaign, group, at) for group in groups if group.is_waiting]
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
