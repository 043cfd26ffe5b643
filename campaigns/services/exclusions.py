"""Bars on dialling: written, and lifted. The database does the rest at once: calls, entries, callbacks."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from campaigns.enums import ChangeKind, ExclusionReason, Scope
from campaigns.models import Campaign, Exclusion, ListEntry, Programme
from campaigns.services.changes import record_change
from campaigns.services.entries import reopen_closed_by
from campaigns.services.settling import chunks, share_bars
from crm.enums import SUPERVISING, EventKind
from crm.models import Prospect, Sponsor, User
from crm.rules.errors import Forbidden, Invalid, InvalidTransition
from crm.rules.phones import normalise

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
#: Numbers barred in one transaction: short, for claims and dials on these numbers wait for it.
BULK = 2_000

LOCK = "SELECT courtois_lock_bars(%s::text[], %s::bigint[])"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an exclusion holds: its scope, and what the scope names (null above it)."""

    scope: str
    sponsor: Sponsor | None = None
    programme: Programme | None = None
    campaign: Campaign | None = None

    @property
    def ids(self) -> dict[str, int | None]:
        """Return the columns of the place; those above the scope are filled by the database."""
        named = {"sponsor": self.sponsor, "programme": self.programme, "campaign": self.campaign}
        return {
            f"{name}_id": row.pk if row is not None and name == self.scope else None
            for name, row in named.items()
        }

    @property
    def owner(self) -> Sponsor | None:
        """Return the sponsor inside which the exclusion is shown; None everywhere."""
        if self.campaign is not None and self.scope == Scope.CAMPAIGN:
            return self.campaign.programme.sponsor
        if self.programme is not None and self.scope == Scope.PROGRAMME:
            return self.programme.sponsor
        return self.sponsor if self.scope == Scope.SPONSOR else None


@dataclass(frozen=True, slots=True)
class ExcludeManyResult:
    """How many bars were written, and how many were there already."""

    added: int
    already: int


@transaction.atomic
def exclude(
    *,
    scope: str,
    sponsor: Sponsor | None = None,
    programme: Programme | None = None,
    campaign: Campaign | None = None,
    number: str | None = None,
    prospect: Prospect | None = None,
    reason: str,
    note: str = "",
    by: User | None,
    at: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
    call_ref: int | None = None,
) -> Exclusion:
    """Bar a number (any spelling), a prospect, or both, at once: calls not yet dialled and waiting entries follow.

    `since` says from when on, in the past, the bar has stood elsewhere. The same bar, already there and no shorter, is
    returned as it is. Raises Invalid, by field.
    """
    place = _checked_place(scope, sponsor, programme, campaign)
    number = _read_number(number)
    _check(number, prospect, reason, until, at)
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [[number], [None if prospect is None else prospect.pk]])
    same = Exclusion.objects.active().filter(
        scope=place.scope, number=number, prospect=prospect, reason=reason, **_named(place)
    )
    standing = same.filter(until__isnull=True) if until is None else same.filter(until=until)
    if (found := standing.first()) is not None:
        return found
    exclusion = Exclusion.objects.create(
        scope=place.scope,
        **place.ids,
        number=number,
        prospect=prospect,
        reason=reason,
        note=note.strip()[:300],
        since=min(since or at, at),
        until=until,
        created_by=by,
        call_ref=call_ref,
    )
    exclusion.refresh_from_db()
    _tell(EventKind.EXCLUDED, [exclusion], by=by, at=at)
    return exclusion


BAR_MANY = """
WITH given AS (
    SELECT number, min(since) AS since FROM unnest(%(numbers)s::text[], %(sinces)s::timestamptz[]) t(number, since)
     GROUP BY number
), added AS (
    INSERT INTO campaigns_exclusion (scope, sponsor_id, programme_id, campaign_id, number, reason, note, since, until,
                                     created_by_id, lift_reason)
    SELECT %(scope)s, %(sponsor_id)s, %(programme_id)s, %(campaign_id)s, g.number, %(reason)s, %(note)s, g.since,
           %(until)s, %(by)s, ''
      FROM given g
     WHERE NOT EXISTS (
        SELECT FROM campaigns_exclusion x
         WHERE x.number = g.number AND x.lifted_at IS NULL AND x.scope = %(scope)s AND x.reason = %(reason)s
           AND (%(scope)s <> 'sponsor' OR x.sponsor_id = %(sponsor_id)s)
           AND (%(scope)s <> 'programme' OR x.programme_id = %(programme_id)s)
           AND (%(scope)s <> 'campaign' OR x.campaign_id = %(campaign_id)s)
           AND (x.until IS NULL OR x.until >= %(until)s))
    RETURNING id, number
), told AS (
    INSERT INTO crm_prospectevent (prospect_id, sponsor_id, at, by_id, kind, data)
    SELECT n.prospect_id, %(owner)s, %(at)s, %(by)s, 'excluded',
           jsonb_build_object('exclusion', a.id, 'scope', %(scope)s::text, 'reason', %(reason)s::text)
      FROM added a JOIN crm_prospectnumber n ON n.number = a.number
      JOIN crm_prospect p ON p.id = n.prospect_id JOIN crm_source s ON s.id = p.source_id
     WHERE %(owner)s::bigint IS NULL OR s.sponsor_id IS NULL OR s.sponsor_id = %(owner)s
)
SELECT count(*) FROM added
"""


def exclude_many(
    *,
    scope: str,
    sponsor: Sponsor | None = None,
    programme: Programme | None = None,
    campaign: Campaign | None = None,
    numbers: Iterable[str],
    reason: str,
    note: str = "",
    by: User | None,
    at: datetime,
    until: datetime | None = None,
    since: Mapping[str, datetime] | None = None,
) -> ExcludeManyResult:
    """Bar many E.164 numbers, such as an old opposition list. Numbers that are barred alike already add nothing.

    `since` says of some numbers from when on, in the past, the bar has stood elsewhere. Committed by 2,000, in an order
    that lets claims and dials go on beside it. Raises Invalid before writing anything.
    """
    place = _checked_place(scope, sponsor, programme, campaign)
    given = sorted(set(numbers))
    wrong = [number for number in given if not _E164.fullmatch(number)]
    if wrong:
        raise Invalid.field("numbers", _("Numéro illisible : %(number)s.") % {"number": wrong[0][:60]})
    _check("+", None, reason, until, at)
    params: dict[str, Any] = {
        "scope": place.scope,
        **place.ids,
        "owner": None if place.owner is None else place.owner.pk,
        "reason": reason,
        "note": note.strip()[:300],
        "at": at,
        "until": until,
        "by": None if by is None else by.pk,
    }
    added = 0
    for chunk in chunks(given, BULK):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LOCK, [chunk, []])
            sinces = [min((since or {}).get(number, at), at) for number in chunk]
            cursor.execute(BAR_MANY, {**params, "numbers": chunk, "sinces": sinces})
            added += (cursor.fetchone() or (0,))[0]
    return ExcludeManyResult(added=added, already=len(given) - added)


def lift_exclusion(*, exclusion: Exclusion, reason: str, by: User, at: datetime) -> Exclusion:
    """Lift one exclusion and return it: see `lift_exclusions`."""
    return lift_exclusions(exclusions=[exclusion], reason=reason, by=by, at=at)[0]


@transaction.atomic
def lift_exclusions(
    *, exclusions: Sequence[Exclusion], reason: str, by: User, at: datetime
) -> list[Exclusion]:
    """Lift exclusions: each once, by a supervisor or manager, with a reason. The rows stay; returned by id.

    Entries that they had closed come back where no other bar covers them. In as many queries as one. Raises Forbidden,
    Invalid, InvalidTransition.
    """
    if by.role not in SUPERVISING:
        raise Forbidden(_("Une exclusion est levée par un superviseur ou un responsable."))
    reason = reason.strip()
    if not reason:
        raise Invalid.field("reason", _("Donnez le motif de la levée."))
    # Shared locks do: a new bar on the same records waits for us, and then closes what we reopen.
    share_bars(_records_behind(exclusions))
    rows = Exclusion.objects.filter(pk__in=[exclusion.pk for exclusion in exclusions])
    current = list(rows.select_for_update(of=("self",)).order_by("pk"))
    if any(exclusion.lifted_at is not None for exclusion in current):
        raise InvalidTransition(_("Cette exclusion est déjà levée."))
    for exclusion in current:
        exclusion.lifted_at, exclusion.lifted_by, exclusion.lift_reason = at, by, reason[:300]
    rows.update(lifted_at=at, lifted_by=by, lift_reason=reason[:300])
    back = reopen_closed_by(exclusion_ids=[exclusion.pk for exclusion in current], at=at)
    _tell(EventKind.LIFTED, current, by=by, at=at)
    _keep_lift(current, back, reason=reason, by=by, at=at)
    return current


def _keep_lift(lifted: Sequence[Exclusion], back: int, *, reason: str, by: User, at: datetime) -> None:
    """Keep in the history what was lifted: one line, for the bars of one act stand in one place or go together."""
    if not lifted:
        return
    first = lifted[0]
    record_change(
        ChangeKind.EXCLUSION_LIFTED,
        by=by,
        at=at,
        reason=reason,
        exclusion=first,
        before={"reason": first.reason, "scope": first.scope},
        touched={"exclusions": len(lifted), "reopened": back},
    )


def _records_behind(exclusions: Sequence[Exclusion]) -> list[int]:
    closed = ListEntry.objects.filter(excluded_by__in=exclusions).values_list("prospect", flat=True)
    return sorted({*closed, *(row.prospect_id for row in exclusions if row.prospect_id)})


#: Each record that is barred or carries the barred number, inside the walls.
TELL = """
INSERT INTO crm_prospectevent (prospect_id, sponsor_id, at, by_id, kind, call_ref, data)
SELECT p.id, x.sponsor_id, %(at)s, %(by)s, %(kind)s, x.call_ref,
       jsonb_build_object('exclusion', x.id, 'scope', x.scope, 'reason', x.reason)
  FROM campaigns_exclusion x
 CROSS JOIN LATERAL (SELECT prospect_id AS id FROM crm_prospectnumber WHERE number = x.number
                     UNION SELECT x.prospect_id) q
  JOIN crm_prospect p ON p.id = q.id JOIN crm_source s ON s.id = p.source_id
 WHERE x.id = ANY(%(exclusions)s)
   AND (x.sponsor_id IS NULL OR s.sponsor_id IS NULL OR s.sponsor_id = x.sponsor_id)
 ORDER BY x.id, p.id
"""


def _tell(kind: EventKind, exclusions: Sequence[Exclusion], *, by: User | None, at: datetime) -> None:
    """Write a line on the timeline of each record that these exclusions bar, by itself or by its number."""
    told = {"kind": kind, "exclusions": [row.pk for row in exclusions], "by": by.pk if by else None, "at": at}
    with connection.cursor() as cursor:
        cursor.execute(TELL, told)


def _checked_place(
    scope: str, sponsor: Sponsor | None, programme: Programme | None, campaign: Campaign | None
) -> Place:
    if scope not in Scope.values:
        raise Invalid.field("scope", _("Portée inconnue."))
    place = Place(scope, sponsor, programme, campaign)
    if scope != Scope.EVERYWHERE and getattr(place, scope) is None:
        raise Invalid.field(scope, _("Cette portée demande de le choisir."))
    return place


def _named(place: Place) -> dict[str, int | None]:
    """Return the one column that the scope names: the database has filled those above it."""
    return {name: pk for name, pk in place.ids.items() if pk is not None}


def _read_number(number: str | None) -> str | None:
    if not number or not number.strip():
        return None
    number = number.strip()
    if _E164.fullmatch(number):
        return number
    found = normalise(number).numbers
    if len(found) != 1:
        raise Invalid.field("number", _("« %(raw)s » ne se lit pas comme un numéro.") % {"raw": number[:60]})
    return found[0].number


def _check(
    number: str | None, prospect: Prospect | None, reason: str, until: datetime | None, at: datetime
) -> None:
    if number is None and prospect is None:
        raise Invalid.field("number", _("Donnez un numéro ou une fiche."))
    if reason not in ExclusionReason.values:
        raise Invalid.field("reason", _("Motif inconnu."))
    if until is not None and until <= at:
        raise Invalid.field("until", _("La fin doit être à venir."))
