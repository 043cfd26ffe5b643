"""Where the lists of campaigns stand: counts, and why nobody is callable. One query, however many and however long."""

from collections.abc import Iterable, Iterator, Sequence
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
    """Entries of a campaign that stand alike. `outcome` is the code of a disposition, "" for none, and its labels."""

    campaign: int
    state: str
    progress: str
    outcome: str
    gate: str
    reason: str
    time_zone: str
    exact: bool
    entries: int
    label: str = ""
    label_en: str = ""

    @property
    def is_waiting(self) -> bool:
        """Whether the queue can still serve them."""
        return self.state in WAITING


class Later(NamedTuple):
    """Waiting entries that are not due yet, between `first_due` and `last_due`; `exact` of callbacks alone.

    `gate` and `reason` are what put them off, "" where nothing did. Those of one time zone that nothing put off are
    given the earliest time of all.
    """

    state: str
    time_zone: str
    exact: bool
    gate: str
    reason: str
    entries: int
    first_due: datetime
    last_due: datetime


class Standing(NamedTuple):
    """How the entries of a campaign stand, and which of those that wait are not due yet."""

    groups: list[Group]
    later: list[Later]

    @property
    def zones(self) -> set[str]:
        """The time zones of those that wait."""
        return {group.time_zone for group in self.groups if group.is_waiting}


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
    #: Callbacks whose time has come.
    overdue: int = 0
    #: When the first of those that wait may be called, null when nobody knows, and whether all of them may then.
    opens_at: datetime | None = None
    opens_alike: bool = False

    @property
    def waiting(self) -> int:
        """How many wait in the queue and are not callable now."""
        return sum(row.count for row in self.reasons if not row.state)


# The standings that occur are found one after the other in their index, which holds equal keys once; the entries of
# each are counted there, without comparing any two of them. What is not due yet is counted in indexes of its own.
KEY = "state, progress, verdict_gate, verdict_reason, time_zone, exact"
GROUPS = """
WITH RECURSIVE g AS (
    SELECT f.* FROM unnest(%(campaigns)s::bigint[]) c(id) CROSS JOIN LATERAL (
        SELECT campaign_id, {key} FROM campaigns_listentry WHERE campaign_id = c.id
         ORDER BY campaign_id, {key} LIMIT 1) f
     UNION ALL
    SELECT n.* FROM g CROSS JOIN LATERAL (
        SELECT e.campaign_id, {of_e} FROM campaigns_listentry e
         WHERE e.campaign_id = g.campaign_id AND ({of_e}) > ({of_g})
         ORDER BY e.campaign_id, {of_e} LIMIT 1) n
)
SELECT g.campaign_id, g.state, g.progress, coalesce(d.code, ''), g.verdict_gate, g.verdict_reason, g.time_zone, g.exact,
       c.entries, coalesce(d.label, ''), coalesce(d.label_en, ''), NULL::timestamptz, NULL::timestamptz
  FROM g CROSS JOIN LATERAL (
      SELECT e.outcome_id, count(*) AS entries FROM campaigns_listentry e
       WHERE e.campaign_id = g.campaign_id AND e.state = g.state AND e.progress = g.progress
         AND e.verdict_gate = g.verdict_gate AND e.verdict_reason = g.verdict_reason AND e.time_zone = g.time_zone
         AND e.exact = g.exact
       GROUP BY e.outcome_id) c
  LEFT JOIN campaigns_disposition d ON d.id = c.outcome_id
 UNION ALL
SELECT campaign_id, 'ready', '', '', '', '', time_zone, false, count(*), '', '', min(due_at), max(due_at)
  FROM campaigns_listentry WHERE campaign_id = ANY(%(campaigns)s) AND state = 'ready' AND due_at > %(at)s
 GROUP BY campaign_id, time_zone
 UNION ALL
SELECT campaign_id, 'ready', '', '', verdict_gate, verdict_reason, time_zone, false, count(*), '', '', min(due_at),
       max(due_at)
  FROM campaigns_listentry
 WHERE campaign_id = ANY(%(campaigns)s) AND state = 'ready' AND verdict_gate <> '' AND due_at > %(at)s
 GROUP BY campaign_id, time_zone, verdict_gate, verdict_reason
 UNION ALL
SELECT campaign_id, 'callback', '', '', verdict_gate, verdict_reason, time_zone, exact, count(*), '', '', min(due_at),
       max(due_at)
  FROM campaigns_listentry WHERE campaign_id = ANY(%(campaigns)s) AND state = 'callback' AND due_at > %(at)s
 GROUP BY campaign_id, time_zone, exact, verdict_gate, verdict_reason
""".format(
    key=KEY,
    of_e=", ".join(f"e.{name}" for name in KEY.split(", ")),
    of_g=", ".join(f"g.{name}" for name in KEY.split(", ")),
)


def standings_of(campaigns: Iterable[Campaign], at: datetime) -> dict[int, Standing]:
    """Return how the entries of these campaigns stand, by the campaign's id. One query."""
    found = {campaign.pk: Standing([], []) for campaign in campaigns}
    if not found:
        return found
    with connection.cursor() as cursor:
        cursor.execute(GROUPS, {"campaigns": list(found), "at": at})
        rows = cursor.fetchall()
    for *group, first_due, last_due in rows:
        standing = found[group[0]]
        if first_due is None:
            standing.groups.append(Group(*group))
        else:
            _campaign, state, _progress, _outcome, gate, reason, zone, exact, entries, *_labels = group
            standing.later.append(Later(state, zone, exact, gate, reason, entries, first_due, last_due))
    for standing in found.values():
        standing.later[:] = list(_apart(standing.later))
    return found


def _apart(rows: Sequence[Later]) -> Iterator[Later]:
    """Yield the rows so that none holds the entries of another: those ready of a zone hold those put off there."""
    for row in rows:
        if row.state == EntryState.READY and not row.gate:
            zone = [
                one for one in rows if one.state == row.state and one.time_zone == row.time_zone and one.gate
            ]
            row = row._replace(entries=row.entries - sum(one.entries for one in zone))
        if row.entries:
            yield row


def queue_counts(campaign: Campaign, at: datetime) -> QueueCounts:
    """Count the list of a campaign by state and by reason, and say why nobody is callable, and until when."""
    return counted(campaign, standings_of([campaign], at)[campaign.pk], at)


def counted(campaign: Campaign, standing: Standing, at: datetime) -> QueueCounts:
    """Return the counts of one campaign out of how its entries stand."""
    states: dict[str, int] = {}
    for group in standing.groups:
        states[group.state] = states.get(group.state, 0) + group.entries
    due = _due(standing)
    reasons: dict[tuple[str, str, str], tuple[int, datetime | None]] = {}
    waits: list[tuple[datetime | None, bool]] = []
    for reason, alike in _held(campaign, standing, due, at):
        key = (reason.gate, reason.reason, reason.state)
        known = reasons.get(key, (0, None))
        reasons[key] = (known[0] + reason.count, _earlier(known[1], reason.until))
        if not reason.state:
            waits.append((reason.until, alike))
    waiting = sum(states.get(state, 0) for state in WAITING)
    rows = [
        ReasonCount(gate, code, count, until, state)
        for (gate, code, state), (count, until) in reasons.items()
    ]
    rows.sort(key=lambda item: -item.count)
    served = waiting - sum(row.count for row in rows if not row.state)
    opens_at = min((moment for moment, _alike in waits if moment is not None), default=None)
    next_at = None if served or campaign.status != CampaignStatus.RUNNING else opens_at
    return QueueCounts(
        callable=served,
        total=sum(states.values()),
        states=states,
        reasons=rows,
        next_at=next_at,
        why="" if served else _why(campaign, states, rows, next_at),
        groups=standing.groups,
        overdue=sum(count for (state, _zone, _exact), count in due.items() if state == EntryState.CALLBACK),
        opens_at=opens_at,
        opens_alike=bool(waits) and all(alike and moment == opens_at for moment, alike in waits),
    )


def _due(standing: Standing) -> dict[tuple[str, str, bool], int]:
    """Return how many of those that wait are due, by state, zone and (for callbacks) whether the time is exact."""
    due: dict[tuple[str, str, bool], int] = {}
    for group in standing.groups:
        if group.is_waiting:
            key = (group.state, group.time_zone, group.exact and group.state == EntryState.CALLBACK)
            due[key] = due.get(key, 0) + group.entries
    for row in standing.later:
        due[row.state, row.time_zone, row.exact] -= row.entries
    return {key: count for key, count in due.items() if count}


def _held(
    campaign: Campaign, standing: Standing, due: dict[tuple[str, str, bool], int], at: datetime
) -> Iterator[tuple[ReasonCount, bool]]:
    """Yield why entries are not callable now, and whether all of a row become so at once; not those done or claimed."""
    for group in standing.groups:
        if group.is_waiting or group.state in (EntryState.DONE, EntryState.CLAIMED):
            continue
        gate, reason = group.gate, group.reason
        if group.state == EntryState.EXHAUSTED and gate in ("", Gate.ATTEMPTS):
            gate, reason = Gate.ATTEMPTS, f"cap:{campaign.max_attempts}"
        yield ReasonCount(gate, reason, group.entries, state=group.state), False
    if campaign.status != CampaignStatus.RUNNING:
        waiting = sum(group.entries for group in standing.groups if group.is_waiting)
        if waiting:
            yield ReasonCount(Gate.CAMPAIGN, campaign.status, waiting), False
        return
    for row in standing.later:
        put_off = row.gate in PUTTING_OFF
        gate, reason = (row.gate, row.reason) if put_off else ("", LATER)
        until = _opens(campaign, row.state, row.time_zone, row.exact, row.first_due)
        yield ReasonCount(gate, reason, row.entries, until), row.first_due == row.last_due
    for (state, zone, exact), count in due.items():
        if not _is_open(campaign, state, zone, exact, at):
            code = "outside_hours" if zone else "unknown_time_zone"
            yield ReasonCount(Gate.WINDOW, code, count, _opens(campaign, state, zone, exact, at)), True


def served_q(campaign: Campaign, zones: Iterable[str], at: datetime) -> Q:
    """Return the condition for the entries that are callable now: those that `counted` counts as such."""
    if campaign.status != CampaignStatus.RUNNING:
        return Q(pk__in=[])
    return Q(state__in=sorted(WAITING), due_at__lte=at) & _open_q(campaign, zones, at)


def held_q(campaign: Campaign, zones: Iterable[str], at: datetime, gate: str = "", reason: str = "") -> Q:
    """Return the condition for the waiting entries that are not callable now, all or those of one reason."""
    waiting = Q(state__in=sorted(WAITING))
    if campaign.status != CampaignStatus.RUNNING:
        return waiting
    later = waiting & Q(due_at__gt=at)
    shut = Q(pk__in=[])
    if not campaign.is_unrestricted:
        shut = waiting & Q(due_at__lte=at) & ~_open_q(campaign, zones, at)
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


def _open_q(campaign: Campaign, zones: Iterable[str], at: datetime) -> Q:
    if campaign.is_unrestricted:
        return Q()
    open_zones = sorted(zone for zone in zones if window_open(campaign.hours, zone, at))
    return Q(time_zone__in=open_zones) | Q(state=EntryState.CALLBACK, exact=True)


def _is_open(campaign: Campaign, state: str, time_zone: str, exact: bool, at: datetime) -> bool:
    free = campaign.is_unrestricted or (exact and state == EntryState.CALLBACK)
    return free or window_open(campaign.hours, time_zone, at)


def _opens(campaign: Campaign, state: str, time_zone: str, exact: bool, due: datetime) -> datetime | None:
    """Return when an entry that is due at a time may be called."""
    if _is_open(campaign, state, time_zone, exact, due):
        return due
    return next_opening(campaign.hours, time_zone, due)


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
