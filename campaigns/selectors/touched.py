"""What a change would touch, counted before it is made: hours and caps, state, dispositions, a removal.

Criteria and resets, which judge records by their criteria, are in `judged`; lifting a bar is in `lifting`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from campaigns.enums import WAITING, CampaignStatus, EntryState, ExclusionReason
from campaigns.models import Attempt, Campaign, Disposition, Exclusion, ListEntry
from campaigns.rules.consequences import Line, Touched, kept
from campaigns.rules.gate import CAP_DAYS
from campaigns.rules.hours import window_open
from crm.rules.time_zones import is_time_zone

#: How far ahead a pause looks for promised callbacks.
SOON = timedelta(hours=24)

#: What a disposition did in a campaign, by code of a consequence: told by the app that knows of calls.
DISPOSITION_USES: list[Callable[[Campaign, Disposition, datetime], Mapping[str, int]]] = []
#: How often each disposition was given in a campaign, by its id: told by the same app.
DISPOSITION_COUNTS: list[Callable[[Campaign], Mapping[int, int]]] = []

GROUPS = """
SELECT state, time_zone, exact, date_trunc('minute', greatest(due_at, %(at)s)), due_at <= %(at)s, count(*)
  FROM campaigns_listentry WHERE campaign_id = %(campaign)s AND state IN ('ready', 'callback')
   AND (state = 'callback' OR due_at <= %(at)s)
 GROUP BY 1, 2, 3, 4, 5
"""
ZONELESS = """
SELECT time_zone, count(*) FROM campaigns_listentry
 WHERE campaign_id = %(campaign)s AND state IN ('ready', 'callback') AND NOT exact GROUP BY 1
"""
# A person's attempts are counted by the calendar of their own place.
CAPPED = """
SELECT count(*) FILTER (WHERE n >= %(before)s), count(*) FILTER (WHERE n >= %(after)s) FROM (
    SELECT count(*) AS n FROM campaigns_attempt a JOIN campaigns_listentry e ON e.prospect_id = a.prospect_id
     WHERE e.campaign_id = %(campaign)s AND e.state IN ('ready', 'callback')
       AND a.sponsor_id = %(sponsor)s AND a.counted
       AND a.local_date > (%(at)s AT TIME ZONE coalesce(nullif(e.time_zone, ''), 'UTC'))::date - %(days)s
     GROUP BY e.id) k
"""


def entries_url(campaign: Campaign, **query: str) -> str:
    """Return the address of these entries of a list."""
    return f"{reverse('entry-list', args=[campaign.slug])}?{urlencode(query)}"


def hours_touched(before: Campaign, after: Campaign, *, at: datetime) -> Touched:
    """Tell what other hours, another cap or another calling rule would do to the list of a campaign.

    Callable means due and inside the hours; the agreed times that a person gave stay as they are.
    """
    with connection.cursor() as cursor:
        cursor.execute(GROUPS, {"campaign": after.pk, "at": at})
        groups = cursor.fetchall()
        cursor.execute(ZONELESS, {"campaign": after.pk})
        zones = cursor.fetchall()
    callable_before, callable_after = (_callable(campaign, groups, at) for campaign in (before, after))
    outside_before, outside_after = (_outside(campaign, groups, exact=False) for campaign in (before, after))
    never_before, never_after = (_never(campaign, zones) for campaign in (before, after))
    capped_before, capped_after = _capped(before, after, at)
    lost = callable_after < callable_before
    lines = [
        Line(
            "callable",
            callable_after,
            callable_before,
            entries_url(after, state=EntryState.READY),
            "care" if lost else "",
        ),
        Line(
            "callbacks_outside",
            outside_after,
            outside_before,
            entries_url(after, state=EntryState.CALLBACK),
            "care" if outside_after > outside_before else "",
        ),
        Line(
            "exact_kept",
            _outside(after, groups, exact=True),
            url=entries_url(after, state=EntryState.CALLBACK),
        ),
        Line("capped", capped_after, capped_before, entries_url(after, state=EntryState.READY)),
        Line("never_open", never_after, never_before, entries_url(after, state=EntryState.READY), "care"),
    ]
    return Touched(kept(lines), _("Les exclusions et les hors-critères ne bougent pas."))


def _callable(campaign: Campaign, groups: list[Any], at: datetime) -> int:
    if campaign.status != CampaignStatus.RUNNING:
        return 0
    return sum(
        count
        for state, zone, exact, _due_at, due, count in groups
        if due and (_free(campaign, state, exact) or window_open(campaign.hours, zone, at))
    )


def _outside(campaign: Campaign, groups: list[Any], *, exact: bool) -> int:
    """Count the callbacks, to come or due now, whose time the hours do not allow by themselves."""
    if campaign.is_unrestricted:
        return 0
    return sum(
        count
        for state, zone, given, due_at, _due, count in groups
        if state == EntryState.CALLBACK and given == exact and not window_open(campaign.hours, zone, due_at)
    )


def _free(campaign: Campaign, state: str, exact: bool) -> bool:
    return campaign.is_unrestricted or (exact and state == EntryState.CALLBACK)


def _never(campaign: Campaign, zones: list[Any]) -> int:
    if campaign.is_unrestricted:
        return 0
    return sum(count for zone, count in zones if not campaign.hours or not is_time_zone(zone))


def _capped(before: Campaign, after: Campaign, at: datetime) -> tuple[int, int]:
    same = (before.max_attempts, before.calling_rule) == (after.max_attempts, after.calling_rule)
    if same:
        return 0, 0
    with connection.cursor() as cursor:
        cursor.execute(
            CAPPED,
            {
                "before": before.max_attempts,
                "after": after.max_attempts,
                "campaign": after.pk,
                "sponsor": after.programme.sponsor_id,
                "at": at,
                "days": CAP_DAYS,
            },
        )
        was, now = cursor.fetchone() or (0, 0)
    return (0 if before.is_unrestricted else was), (0 if after.is_unrestricted else now)


def states_of(campaign: Campaign) -> dict[str, int]:
    """Count the list of a campaign by state."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, count(*) FROM campaigns_listentry WHERE campaign_id = %s GROUP BY 1", [campaign.pk]
        )
        return dict(cursor.fetchall())


def status_touched(campaign: Campaign, status: str, *, at: datetime) -> Touched:
    """Tell what starting, pausing or closing a campaign would do."""
    states = states_of(campaign)
    waiting = sum(states.get(state, 0) for state in WAITING)
    callbacks = states.get(EntryState.CALLBACK, 0)
    ready_url = entries_url(campaign, state=EntryState.READY)
    callback_url = entries_url(campaign, state=EntryState.CALLBACK)
    if status == CampaignStatus.RUNNING:
        lines = [
            Line("served", waiting, url=ready_url, tone="done"),
            Line("callbacks", callbacks, url=callback_url),
        ]
        return Touched(
            kept(lines), _("Chaque fiche passe encore par les horaires, les exclusions et le plafond.")
        )
    closing = status == CampaignStatus.CLOSED
    soon = ListEntry.objects.filter(campaign=campaign, state=EntryState.CALLBACK, due_at__lte=at + SOON)
    lines = [
        Line("waiting", waiting, url=ready_url, tone="care"),
        Line("callbacks_lost", callbacks, url=callback_url, tone="danger")
        if closing
        else Line("callbacks_due", soon.count(), url=callback_url, tone="care"),
        Line(
            "open_calls",
            states.get(EntryState.CLAIMED, 0),
            url=entries_url(campaign, state=EntryState.CLAIMED),
        ),
    ]
    note = (
        _("C'est définitif : une campagne terminée ne repart pas. Ses exclusions restent en vigueur.")
        if closing
        else _("Rien n'est perdu : tout reprend là où c'était quand la campagne repart.")
    )
    return Touched(kept(lines), note)


def disposition_touched(campaign: Campaign, disposition: Disposition, *, at: datetime) -> Touched:
    """Tell what a disposition has done in a campaign so far. Nothing of it changes: the next calls follow the rule."""
    uses: dict[str, int] = {}
    for ask in DISPOSITION_USES:
        uses |= ask(campaign, disposition, at)
    urls = {
        "retries": entries_url(campaign, state=EntryState.READY),
        "callbacks": entries_url(campaign, state=EntryState.CALLBACK),
        "done_by_it": entries_url(campaign, state=EntryState.DONE),
        "bars_by_it": f"{reverse('exclusion-list')}?{urlencode({'reason': disposition.bar_reason})}",
    }
    lines = [Line(code, count, url=urls.get(code, "")) for code, count in uses.items()]
    return Touched(kept(lines), _("Rien n'est rétroactif : la règle vaut pour les appels à venir."))


def disposition_counts(campaign: Campaign) -> dict[int, int]:
    """Return how many calls of a campaign got each disposition, by its id."""
    found: dict[int, int] = {}
    for ask in DISPOSITION_COUNTS:
        found |= ask(campaign)
    return found


def removal_touched(campaign: Campaign, entries: QuerySet[ListEntry]) -> Touched:
    """Tell what taking these entries of a campaign out of its list would do."""
    dialled = Attempt.objects.filter(campaign=campaign, prospect=OuterRef("prospect"))
    called = Q(attempts__gt=0) | Q(Exists(dialled))
    rows = entries.filter(campaign=campaign).order_by()
    claimed = rows.filter(state=EntryState.CLAIMED).count()
    stays = rows.filter(called).exclude(state__in=[EntryState.CLAIMED, EntryState.EXCLUDED, EntryState.DONE])
    counts = {
        "removed": rows.exclude(state=EntryState.CLAIMED).exclude(called).count(),
        "kept_done": stays.count(),
        "removed_callbacks": stays.filter(state=EntryState.CALLBACK).count(),
        "kept_claimed": claimed,
    }
    tones = {"removed": "care", "removed_callbacks": "danger"}
    urls = {
        "removed_callbacks": entries_url(campaign, state=EntryState.CALLBACK),
        "kept_claimed": entries_url(campaign, state=EntryState.CLAIMED),
    }
    lines = [
        Line(code, count, url=urls.get(code, ""), tone=tones.get(code, "")) for code, count in counts.items()
    ]
    return Touched(kept(lines), _("Les exclusions restent en vigueur, que la fiche soit en liste ou non."))


def bars_from_calls(campaign_programme: int) -> int:
    """Count the hors-critères bars in force that calls of a programme made."""
    rows = Exclusion.objects.active().filter(programme=campaign_programme, call_ref__isnull=False)
    return rows.filter(reason=ExclusionReason.OUT_OF_CRITERIA).count()
