"""Prospects in a campaign's list: queued, screened, followed when their fiche changes, reset, removed. Set-based."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from campaigns.enums import WAITING, ChangeKind, EntryState, Gate
from campaigns.models import Attempt, CallList, Campaign, ListEntry, Programme
from campaigns.rules.gate import CAP_DAYS
from campaigns.rules.hours import next_opening, window_open
from campaigns.selectors.criteria import active_criteria
from campaigns.selectors.gate import screening
from campaigns.services.campaigns import require_unclosed
from campaigns.services.changes import AlreadyDone, record_change
from campaigns.services.settling import Moves, chunks, judgement, moved_into, settle, share_bars
from crm.enums import EventKind
from crm.models import Prospect, User
from crm.rules.errors import Invalid, InvalidTransition, NotFound
from crm.services.prospects import add_event

#: States that a corrected fiche or criterion may move an entry out of; a bar stays, whatever the fiche says now.
FOLLOWING = (EntryState.READY, EntryState.CALLBACK, EntryState.SCREENED_OUT)


@dataclass(frozen=True, slots=True)
class AddResult:
    """What became of the prospects given to a list: `added` are callable, the others stand in it with their reason.

    `already` were in the list; `refused` are erased, unknown, or belong to another sponsor: they are not in the list.
    """

    added: int = 0
    already: int = 0
    excluded: int = 0
    screened_out: int = 0
    without_number: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class ScreenResult:
    """How many waiting entries the criteria took out, how many of those were callbacks, and how many came back."""

    screened_out: int = 0
    callbacks_closed: int = 0
    reopened: int = 0

    def counts(self) -> dict[str, int]:
        """Return it for the history."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class MoveResult:
    """What beat moved: reopened after a bar's end, put off to the next opening, put off by the cap."""

    reopened: int = 0
    outside_hours: int = 0
    capped: int = 0


ADD = """
WITH t AS (
    SELECT p.id AS prospect_id, %(campaign)s::bigint AS campaign_id, %(programme)s::bigint AS programme_id,
           %(sponsor)s::bigint AS sponsor_id
      FROM crm_prospect p JOIN crm_source s ON s.id = p.source_id
     WHERE p.id = ANY(%(prospects)s) AND p.erased_at IS NULL
       AND (s.sponsor_id IS NULL OR s.sponsor_id = %(sponsor)s)
), known AS (
    SELECT t.prospect_id FROM t JOIN campaigns_listentry e USING (campaign_id, prospect_id)
), added AS (
    INSERT INTO campaigns_listentry (campaign_id, call_list_id, prospect_id, number, state, priority, due_at, exact,
                                     language, time_zone, attempts, verdict_gate, verdict_reason, verdict_until,
                                     excluded_by_id, created_at, updated_at)
    SELECT t.campaign_id, %(call_list)s, t.prospect_id, coalesce(pick.number, ''), {state}, %(priority)s, %(at)s, false,
           p.language, {zone}, 0, {gate}, {reason}, x.until, x.id, %(at)s, %(at)s
      FROM t JOIN crm_prospect p ON p.id = t.prospect_id
      {joins}
     WHERE t.prospect_id NOT IN (SELECT prospect_id FROM known)
     ORDER BY t.prospect_id
        ON CONFLICT (campaign_id, prospect_id) DO NOTHING
    RETURNING prospect_id, state
), told AS (
    INSERT INTO crm_prospectevent (prospect_id, sponsor_id, at, by_id, kind, data)
    SELECT prospect_id, %(sponsor)s, %(at)s, %(by)s, 'queued', jsonb_build_object('campaign', %(campaign)s::bigint,
                                                                              'state', state)
      FROM added
)
SELECT (SELECT count(*) FROM t), (SELECT jsonb_object_agg(state, n) FROM (
    SELECT state, count(*) AS n FROM added GROUP BY state) q)
"""


def add_prospects(
    *,
    campaign: Campaign,
    prospects: QuerySet[Prospect] | Iterable[Prospect | int],
    call_list: CallList | None = None,
    priority: int = 0,
    by: User | None,
    at: datetime,
) -> AddResult:
    """Queue prospects (a queryset, records or ids) in a campaign, each at most once; return what became of them.

    Those that a bar covers, that have no number to dial or that the file puts out of criteria are listed as such, not
    lost. Committed by chunks of 5,000 unless the caller is in a transaction, so that a million can be given. Raises
    CampaignClosed.
    """
    ids = sorted(_ids_of(prospects))
    total = AddResult()
    sql, params = _add_sql(campaign, call_list, priority, by, at)
    for chunk in chunks(ids):
        with transaction.atomic(), connection.cursor() as cursor:
            require_unclosed(campaign)
            share_bars(chunk)
            cursor.execute(sql, {**params, "prospects": chunk})
            known, states = cursor.fetchone() or (0, None)
        total = _summed(total, len(chunk), known, json.loads(states or "{}"))
    return total


def _ids_of(prospects: QuerySet[Prospect] | Iterable[Prospect | int]) -> set[int]:
    if isinstance(prospects, QuerySet):
        return set(prospects.order_by().values_list("pk", flat=True))
    return {item.pk if isinstance(item, Prospect) else int(item) for item in prospects}


def _add_sql(
    campaign: Campaign, call_list: CallList | None, priority: int, by: User | None, at: datetime
) -> tuple[str, dict[str, Any]]:
    return ADD.format(**judgement(campaign.programme)), {
        "campaign": campaign.pk,
        "programme": campaign.programme_id,
        "sponsor": campaign.programme.sponsor_id,
        "call_list": None if call_list is None else call_list.pk,
        "priority": priority,
        "by": None if by is None else by.pk,
        "at": at,
    }


def _summed(total: AddResult, given: int, known: int, states: dict[str, int]) -> AddResult:
    return replace(
        total,
        added=total.added + states.get(EntryState.READY, 0),
        already=total.already + known - sum(states.values()),
        excluded=total.excluded + states.get(EntryState.EXCLUDED, 0),
        screened_out=total.screened_out + states.get(EntryState.SCREENED_OUT, 0),
        without_number=total.without_number + states.get(EntryState.EXHAUSTED, 0),
        refused=total.refused + given - known,
    )


@transaction.atomic
def remove_prospect(*, campaign: Campaign, prospect: Prospect, by: User, at: datetime) -> None:
    """Take a prospect out of a list. One that was called stays there as done: it is history.

    Raises NotFound when it is not in the list, InvalidTransition while an agent has it.
    """
    entry = ListEntry.objects.select_for_update().filter(campaign=campaign, prospect=prospect).first()
    if entry is None:
        raise NotFound(_("Cette fiche n'est pas dans la liste."))
    if entry.state == EntryState.CLAIMED:
        raise InvalidTransition(_("Cette fiche est chez un agent."))
    called = entry.attempts or Attempt.objects.filter(campaign=campaign, prospect=prospect).exists()
    if (called or not _deleted(entry)) and entry.state != EntryState.EXCLUDED:
        ListEntry.objects.filter(pk=entry.pk).update(state=EntryState.DONE, updated_at=at)
    sponsor = campaign.programme.sponsor
    data = {"campaign": campaign.pk}
    add_event(prospect=prospect, kind=EventKind.UNQUEUED, at=at, by=by, sponsor=sponsor, data=data)


def _deleted(entry: ListEntry) -> bool:
    try:
        with transaction.atomic():
            entry.delete()
    except (IntegrityError, ProtectedError):
        return False
    return True


CONTRADICTED = """
SELECT e.id, e.prospect_id FROM campaigns_listentry e JOIN campaigns_campaign c ON c.id = e.campaign_id {screened}
 WHERE c.programme_id = %(programme)s AND (%(campaign)s::bigint IS NULL OR c.id = %(campaign)s)
   AND (%(prospects)s::bigint[] IS NULL OR e.prospect_id = ANY(%(prospects)s))
   AND ((e.state IN ('ready', 'callback') AND {reason} <> '')
        OR (e.state = 'screened_out' AND ({reason} = '' OR {reason} <> e.verdict_reason)))
"""


def screen(
    *,
    programme: Programme | None = None,
    campaign: Campaign | None = None,
    prospect_ids: Sequence[int] | None = None,
    at: datetime,
) -> ScreenResult:
    """Run the criteria over the lists of a programme or one campaign, or only these prospects in them.

    Waiting entries that the file puts out of criteria become `screened_out`; those that it no longer does come back.
    """
    programme = programme or (campaign.programme if campaign is not None else None)
    if programme is None:
        raise ValueError("a programme or a campaign")
    reason, join = screening(active_criteria(programme))
    with connection.cursor() as cursor:
        cursor.execute(
            CONTRADICTED.format(reason=reason, screened=join.format(on="e.prospect_id")),
            {
                "programme": programme.pk,
                "campaign": None if campaign is None else campaign.pk,
                "prospects": None if prospect_ids is None else list(prospect_ids),
            },
        )
        found = dict(cursor.fetchall())
    moved = _settled(found, FOLLOWING, at)
    out = EntryState.SCREENED_OUT
    return ScreenResult(
        screened_out=sum(moved.get((was, out), 0) for was in WAITING),
        callbacks_closed=moved.get((EntryState.CALLBACK, out), 0),
        reopened=sum(moved.get((out, state), 0) for state in WAITING),
    )


def _settled(prospect_of: dict[int, int], states: Sequence[str], at: datetime) -> Moves:
    """Settle entries (id → prospect id) chunk by chunk, each against the bars that are being written."""
    found: Moves = {}
    for chunk in chunks(sorted(prospect_of)):
        with transaction.atomic():
            share_bars([prospect_of[pk] for pk in chunk])
            entries = ListEntry.objects.filter(pk__in=chunk)
            for move, count in settle(entries=entries, states=states, at=at).items():
                found[move] = found.get(move, 0) + count
    return found


def follow_prospects(prospect_ids: Sequence[int], at: datetime) -> None:
    """Bring the entries of corrected fiches up to date: number, language, zone, criteria. The hook of `crm`.

    A bar is never loosened here: an excluded entry stays excluded, whatever number the fiche has now. Takes no lock on
    bars, for the caller may hold a call: the guard of the dial has the last word.
    """
    numberless = Q(state=EntryState.EXHAUSTED, verdict_gate=Gate.NUMBER)
    # One parameter: thousands of them would take longer to read than to find.
    told = RawSQL("SELECT unnest(%s::bigint[])", [list(prospect_ids)])
    followed = ListEntry.objects.filter(Q(state__in=FOLLOWING) | numberless, prospect__in=told)
    with transaction.atomic():
        settle(entries=followed, states=FOLLOWING, numberless=True, at=at)


def reopen_closed_by(*, exclusion_ids: Sequence[int], at: datetime) -> int:
    """Judge again the entries that these exclusions had closed; return how many are callable again.

    What another bar covers stays excluded, by that bar. Called when they are lifted or past their end.
    """
    reopened = 0
    closed = ListEntry.objects.filter(excluded_by__in=list(exclusion_ids), state=EntryState.EXCLUDED)
    for chunk in chunks(sorted(closed.values_list("pk", "prospect"))):
        with transaction.atomic():
            share_bars([prospect for _pk, prospect in chunk])
            still = closed.filter(pk__in=[pk for pk, _prospect in chunk])
            moves = settle(entries=still, states=[EntryState.EXCLUDED], at=at)
            reopened += moved_into(moves, EntryState.READY)
    return reopened


@transaction.atomic
def remove_entries(
    *, campaign: Campaign, entries: QuerySet[ListEntry], reason: str, by: User, at: datetime
) -> dict[str, int]:
    """Take many entries of a list out of it, each as `remove_prospect` does; those that an agent has stay.

    Returns the counts of `removed`, `kept_done` (called: they stay as done), `kept_claimed` and `removed_callbacks`.
    Raises Invalid without a reason.
    """
    reason = _checked_reason(reason)
    counts = dict.fromkeys(("removed", "kept_done", "kept_claimed", "removed_callbacks"), 0)
    ids = sorted(entries.filter(campaign=campaign).order_by().values_list("pk", flat=True))
    for chunk in chunks(ids):
        for code, count in _removed(campaign, chunk, by, at).items():
            counts[code] += count
    if counts["removed"] or counts["kept_done"]:
        record_change(
            ChangeKind.ENTRIES_REMOVED, by=by, at=at, reason=reason, campaign=campaign, touched=counts
        )
    return counts


def _removed(campaign: Campaign, ids: list[int], by: User, at: datetime) -> dict[str, int]:
    rows = list(ListEntry.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    free = [row for row in rows if row.state != EntryState.CLAIMED]
    dialled = Attempt.objects.filter(campaign=campaign, prospect__in=[row.prospect_id for row in free])
    called = set(dialled.values_list("prospect", flat=True)) | {
        row.prospect_id for row in free if row.attempts
    }
    fresh = [row for row in free if row.prospect_id not in called]
    gone = _all_deleted(fresh)
    kept = [
        row for row in free if row.pk not in gone and row.state not in (EntryState.EXCLUDED, EntryState.DONE)
    ]
    ListEntry.objects.filter(pk__in=[row.pk for row in kept]).update(state=EntryState.DONE, updated_at=at)
    told = [row.prospect_id for row in free if row.pk in gone] + [row.prospect_id for row in kept]
    _tell_removed(campaign, told, by, at)
    return {
        "removed": len(gone),
        "kept_done": len(kept),
        "kept_claimed": len(rows) - len(free),
        "removed_callbacks": sum(row.state == EntryState.CALLBACK for row in kept),
    }


def _all_deleted(rows: Sequence[ListEntry]) -> set[int]:
    """Delete these entries at once, or where history holds one of them, one by one; return the ids that are gone."""
    ids = [row.pk for row in rows]
    try:
        with transaction.atomic():
            ListEntry.objects.filter(pk__in=ids).delete()
    except (IntegrityError, ProtectedError):
        return {pk for pk, row in zip(ids, rows, strict=True) if _deleted(row)}
    return set(ids)


def _tell_removed(campaign: Campaign, prospects: Sequence[int], by: User, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO crm_prospectevent (prospect_id, sponsor_id, at, by_id, kind, data)
            SELECT p, %(sponsor)s, %(at)s, %(by)s, 'unqueued', jsonb_build_object('campaign', %(campaign)s::bigint)
              FROM unnest(%(prospects)s::bigint[]) p
            """,
            {
                "sponsor": campaign.programme.sponsor_id,
                "at": at,
                "by": by.pk,
                "campaign": campaign.pk,
                "prospects": list(prospects),
            },
        )


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise Invalid.field("reason", _("Donnez le motif."))
    return reason


@transaction.atomic
def reset_list(
    *,
    campaign: Campaign,
    by: User,
    at: datetime,
    reason: str,
    include_done: bool = False,
    seen: int | None = None,
) -> int:
    """Open again the exhausted entries of a list (the done ones too when asked); return how many are callable again.

    Exclusions and hors-critères never move, and the caps per person still hold. `seen`: the last reset that its author
    knew of (0: none); another one since raises AlreadyDone. Raises Invalid without a reason, CampaignClosed.
    """
    list(Campaign.objects.select_for_update(no_key=True).filter(pk=campaign.pk).values_list("pk"))
    require_unclosed(campaign)
    reason = _checked_reason(reason)
    if seen is not None:
        _require_no_reset_since(campaign, seen)
    states = [EntryState.EXHAUSTED, *([EntryState.DONE] if include_done else [])]
    reset = ListEntry.objects.filter(campaign=campaign, state__in=states)
    found = dict(reset.values_list("pk", "prospect"))
    moved = _settled(found, states, at)
    back = ListEntry.objects.filter(pk__in=found, state=EntryState.READY)
    back.update(attempts=0, due_at=at, exact=False, owner=None, updated_at=at)
    _tell_reset(campaign, list(found), reason, by, at)
    record_change(
        ChangeKind.LIST_RESET,
        by=by,
        at=at,
        reason=reason,
        campaign=campaign,
        after={"include_done": include_done},
        touched={
            "reopened": moved.get((EntryState.EXHAUSTED, EntryState.READY), 0),
            "reopened_done": moved.get((EntryState.DONE, EntryState.READY), 0),
            "barred": moved_into(moved, EntryState.EXCLUDED),
            "to_screen": moved_into(moved, EntryState.SCREENED_OUT),
        },
    )
    return moved_into(moved, EntryState.READY)


def _require_no_reset_since(campaign: Campaign, seen: int) -> None:
    resets = campaign.changes.filter(kind=ChangeKind.LIST_RESET, pk__gt=seen)
    later = resets.select_related("by", "campaign").order_by("-pk").first()
    if later is not None:
        raise AlreadyDone(later, _("La liste a déjà été recommencée : regardez les nouveaux nombres."))


def _tell_reset(campaign: Campaign, entry_ids: list[int], reason: str, by: User, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO crm_prospectevent (prospect_id, sponsor_id, at, by_id, kind, data)
            SELECT prospect_id, %(sponsor)s, %(at)s, %(by)s, 'queued',
                   jsonb_build_object('campaign', campaign_id, 'state', state, 'reset', %(reason)s::text)
              FROM campaigns_listentry WHERE id = ANY(%(entries)s) AND state = 'ready'
            """,
            {
                "sponsor": campaign.programme.sponsor_id,
                "at": at,
                "by": by.pk,
                "reason": reason[:300],
                "entries": entry_ids,
            },
        )


def move_due_entries(*, at: datetime) -> MoveResult:
    """Move in bulk what the clock has changed, so that no claim walks past it. Safe to run at any time, by anybody.

    Bars that ended reopen what they had closed; callbacks due outside the hours wait for the next opening; records
    whose person has had all the attempts allowed wait until one of them is old enough.
    """
    ended = ListEntry.objects.filter(
        state=EntryState.EXCLUDED, excluded_by__lifted_at__isnull=True, excluded_by__until__lte=at
    )
    reopened = reopen_closed_by(
        exclusion_ids=list(ended.values_list("excluded_by", flat=True).distinct()), at=at
    )
    return MoveResult(reopened=reopened, outside_hours=_put_off_callbacks(at), capped=_put_off_capped(at))


def _put_off_callbacks(at: datetime) -> int:
    due = ListEntry.objects.filter(
        state=EntryState.CALLBACK, due_at__lte=at, exact=False, campaign__status="running"
    ).exclude(campaign__calling_rule="none")
    moved = 0
    for campaign_id, zone in due.order_by().values_list("campaign", "time_zone").distinct():
        hours = Campaign.objects.values_list("hours", flat=True).get(pk=campaign_id)
        until = next_opening(hours, zone, at)
        if window_open(hours, zone, at) or until is None:
            continue
        with transaction.atomic():
            late = due.filter(campaign=campaign_id, time_zone=zone).order_by("pk")
            ids = list(late.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True))
            moved += ListEntry.objects.filter(pk__in=ids).update(
                due_at=until,
                verdict_gate=Gate.WINDOW,
                verdict_reason="outside_hours",
                verdict_until=until,
                updated_at=at,
            )
    return moved


# The attempt whose age frees a place is the `max_attempts`-th from the end; its local date + 30 days is when.
CAPPED = """
WITH counted AS (
    SELECT prospect_id, sponsor_id, local_date,
           row_number() OVER (PARTITION BY prospect_id, sponsor_id ORDER BY local_date DESC, id DESC) AS age
      FROM campaigns_attempt
     WHERE counted AND prospect_id IS NOT NULL AND local_date > %(since)s
), due AS (
    SELECT e.id, c.max_attempts,
           ((k.local_date + %(days)s)::timestamp AT TIME ZONE coalesce(nullif(e.time_zone, ''), 'UTC')) AS until
      FROM counted k
      JOIN campaigns_listentry e ON e.prospect_id = k.prospect_id
      JOIN campaigns_campaign c ON c.id = e.campaign_id AND c.max_attempts = k.age
      JOIN campaigns_programme g ON g.id = c.programme_id AND g.sponsor_id = k.sponsor_id
     WHERE e.state = 'ready' AND e.due_at <= %(at)s AND c.status = 'running' AND c.calling_rule <> 'none'
       AND k.local_date > (%(at)s AT TIME ZONE coalesce(nullif(e.time_zone, ''), 'UTC'))::date - %(days)s
     ORDER BY e.id FOR UPDATE OF e SKIP LOCKED
)
UPDATE campaigns_listentry e
   SET due_at = due.until, verdict_gate = 'attempts', verdict_reason = 'cap:' || due.max_attempts,
       verdict_until = due.until, updated_at = %(at)s
  FROM due WHERE e.id = due.id
"""


def _put_off_capped(at: datetime) -> int:
    since = at.date() - timedelta(days=CAP_DAYS + 1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CAPPED, {"since": since, "days": CAP_DAYS, "at": at})
        return int(cursor.rowcount)
