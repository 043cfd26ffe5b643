"""Consents to be called: entered, withdrawn, told by a supplier's file.

A file never loosens anything. It may add a consent where the person never withdrew; behind a withdrawal it changes
nothing, whatever date it tells: the law wants the trader to prove that the person changed their mind (L223-1), a
supplier's cell proves nothing, and the dates of such files are often those of their export. Whoever holds the proof
enters it by hand (`record_consent`). What the file says against calling is believed at once, with or without a date."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.enums import NOT_THE_PERSONS, Withdrawal
from campaigns.models import Consent
from crm.models import Prospect, Sponsor, User
from crm.rules.errors import Invalid, InvalidTransition


class ConsentWithdrawn(InvalidTransition):
    """The person withdrew since the consent that is told."""

    default_message = _("Cette personne a retiré son consentement : seul un accord donné depuis compte.")


def record_consent(
    *,
    prospect: Prospect,
    sponsor: Sponsor,
    given_at: datetime,
    exact_text: str,
    channel: str,
    period_end: datetime | None = None,
    by: User,
    at: datetime,
) -> Consent:
    """Enter a consent that somebody holds the proof of; the same one twice is one. Raises Invalid (a date to come, no
    text) and `ConsentWithdrawn`, unless it was given after the withdrawal."""
    if given_at > at:
        raise Invalid.field("given_at", _("Cette date n'est pas encore venue."))
    if not exact_text.strip():
        raise Invalid.field("exact_text", _("Recopiez la phrase à laquelle la personne a dit oui."))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK_ONE, {"prospect": prospect.pk, "alone": False})
        theirs = Consent.objects.filter(prospect=prospect, sponsor=sponsor)
        if theirs.withdrawn_by_the_person().filter(withdrawn_at__gte=given_at).exists():
            raise ConsentWithdrawn
        consent, _created = theirs.filter(withdrawn_at__isnull=True).get_or_create(
            given_at=given_at,
            defaults={
                "prospect": prospect,
                "sponsor": sponsor,
                "period_end": period_end,
                "channel": channel.strip()[:100],
                "exact_text": exact_text.strip(),
                "created_at": at,
                "created_by": by,
            },
        )
    return consent


def withdraw_consent(
    *, prospect: Prospect, sponsor: Sponsor, how: Withdrawal, by: User, at: datetime
) -> Consent | None:
    """Take note that the person withdraws whatever they consented to for this principal; spoken counts (R223-3).
    Returns a withdrawal of now, None when they had withdrawn everything already."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK_ONE, {"prospect": prospect.pk, "alone": True})
        theirs = Consent.objects.filter(prospect=prospect, sponsor=sponsor)
        standing = list(theirs.filter(withdrawn_at__isnull=True).values_list("pk", flat=True))
        if standing:
            theirs.filter(pk__in=standing).update(withdrawn_at=at, withdrawn_how=how, withdrawn_by=by)
            return theirs.get(pk=standing[0])
        if theirs.withdrawn_by_the_person().exists():
            return None
        return theirs.create(
            prospect=prospect,
            sponsor=sponsor,
            withdrawn_at=at,
            withdrawn_how=how,
            withdrawn_by=by,
            created_at=at,
            created_by=by,
        )


@dataclass(frozen=True, slots=True)
class ImportedConsents:
    """What a file's consents came to: rows written as `given` (with a date) and `unproved` (without a usable one),
    people newly `withdrawn`, people whose earlier withdrawal stands against the file (`kept_withdrawn`)."""

    given: int = 0
    withdrawn: int = 0
    kept_withdrawn: int = 0
    unproved: int = 0

    def as_json(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)


def import_consents(
    cursor: CursorWrapper,
    *,
    told: str,
    params: dict[str, Any],
    sponsor_id: int,
    source_id: int,
    import_ref: int | None,
    by_id: int,
    at: datetime,
) -> ImportedConsents:
    """Take in what a file says of consents, inside the caller's transaction. The same file again writes nothing.

    `told` is SQL (with `params`) that yields (prospect_id bigint, consent jsonb), the latter `{"given": true | false |
    null, "at": "ISO date and time", "until": "ISO date", "channel": "", "text": ""}`. Moments without an offset are
    those of the installation's time zone; a date alone begins at midnight. `false` withdraws, null says nothing. True
    without a readable date that has come is kept as unproved, and holds never. Where a file contradicts itself, no
    wins. A consent told again with an earlier end, or with the text or channel that lacked, replaces the file's former
    one; a later end does not: nothing renews itself."""
    values = {
        **params,
        "sponsor": sponsor_id,
        "source": source_id,
        "import": import_ref,
        "by": by_id,
        "at": at,
        "zone": timezone.get_default_timezone_name(),
    }
    cursor.execute("DROP TABLE IF EXISTS pg_temp.import_consent, pg_temp.import_wish")
    cursor.execute(_READ.format(told=told), values)
    cursor.execute("ANALYZE import_consent")
    cursor.execute("SELECT FROM import_consent LIMIT 1")
    if cursor.fetchone() is None:
        return ImportedConsents()
    cursor.execute(_LOCK_ALL)
    cursor.execute(_WITHDRAW, values)
    [(withdrawn,)] = cursor.fetchall()
    cursor.execute(_JUDGE, values)
    cursor.execute(_REPLACE, values)
    cursor.execute(_GIVE, values)
    [(given, unproved, kept)] = cursor.fetchall()
    return ImportedConsents(given, withdrawn, kept, unproved)


def annul_consents(cursor: CursorWrapper, *, import_ref: int, by_id: int, at: datetime) -> int:
    """End the consents that an import brought, when it is undone; returns how many. Withdrawals that it told stay. A
    later import may tell them again: the person has withdrawn nothing."""
    cursor.execute(_ANNUL, {"import": import_ref, "by": by_id, "at": at})
    return int(cursor.rowcount)


_NOT_THE_PERSONS = ", ".join(f"'{how}'" for how in sorted(NOT_THE_PERSONS))
_WITHDREW = f"""EXISTS (SELECT FROM campaigns_consent w
             WHERE w.prospect_id = {{row}}.prospect_id AND w.sponsor_id = %(sponsor)s AND w.withdrawn_at IS NOT NULL
               AND w.withdrawn_how NOT IN ({_NOT_THE_PERSONS}))"""

#: As the triggers lock: who gives shares, who withdraws is alone.
_LOCK_ONE = """
SELECT CASE WHEN %(alone)s THEN pg_advisory_xact_lock(72, k) ELSE pg_advisory_xact_lock_shared(72, k) END
  FROM (SELECT hashint8(%(prospect)s::bigint) & 1023 AS k) s
"""
_LOCK_ALL = """
SELECT count(CASE WHEN alone THEN pg_advisory_xact_lock(72, k) ELSE pg_advisory_xact_lock_shared(72, k) END)
  FROM (SELECT hashint8(prospect_id) & 1023 AS k, bool_or(NOT given) AS alone
          FROM import_consent GROUP BY 1 ORDER BY 1) s
"""


def _moment(text: str) -> str:
    """SQL for the moment that an ISO text tells, NULL when it tells none."""
    offset = f"length({text}) > 10 AND {text} ~ '(Z|[+-]\\d\\d(:?\\d\\d)?)$'"
    return f"""CASE WHEN {text} ~ '^\\d{{{{4}}}}-\\d\\d-\\d\\d' AND pg_input_is_valid({text}, 'timestamptz') THEN
             CASE WHEN {offset} THEN ({text})::timestamptz ELSE ({text})::timestamp AT TIME ZONE %(zone)s END END"""


#: What the file says, one row per distinct statement; dates to come are errors and read as unknown. Materialised, so
#: that each statement is taken apart once.
_READ = f"""
CREATE TEMPORARY TABLE import_consent ON COMMIT DROP AS
WITH told (prospect_id, consent) AS MATERIALIZED ({{told}}), said AS MATERIALIZED (
    SELECT t.prospect_id, c.given, c.at, c.until, left(coalesce(c.channel, ''), 100) AS channel,
           coalesce(c.text, '') AS exact_text
      FROM told t, jsonb_to_record(t.consent) c (given boolean, at text, until text, channel text, text text)
     WHERE c.given IS NOT NULL),
read AS MATERIALIZED (
    SELECT prospect_id, given, {_moment("at")} AS given_at, {_moment("until")} AS period_end, channel, exact_text
      FROM said)
SELECT DISTINCT r.prospect_id, r.given, CASE WHEN r.given_at <= %(at)s THEN r.given_at END AS given_at, r.period_end,
       r.channel, r.exact_text
  FROM read r JOIN crm_prospect p ON p.id = r.prospect_id AND p.erased_at IS NULL
"""

_WITHDRAW = f"""
WITH refusing AS (SELECT DISTINCT prospect_id FROM import_consent WHERE NOT given),
standing AS (
    UPDATE campaigns_consent c SET withdrawn_at = %(at)s, withdrawn_how = 'import', withdrawn_by_id = %(by)s
      FROM refusing r
     WHERE c.prospect_id = r.prospect_id AND c.sponsor_id = %(sponsor)s AND c.withdrawn_at IS NULL
    RETURNING c.prospect_id),
untold AS (
    INSERT INTO campaigns_consent (prospect_id, sponsor_id, channel, exact_text, source_id, import_ref, withdrawn_at,
                                   withdrawn_how, withdrawn_by_id, created_at, created_by_id)
    SELECT r.prospect_id, %(sponsor)s, '', '', %(source)s, %(import)s, %(at)s, 'import', %(by)s, %(at)s, %(by)s
      FROM refusing r
     WHERE NOT {_WITHDREW.format(row="r")}
       AND NOT EXISTS (SELECT FROM campaigns_consent c WHERE c.prospect_id = r.prospect_id
                          AND c.sponsor_id = %(sponsor)s AND c.withdrawn_at IS NULL)
     ORDER BY r.prospect_id
    RETURNING prospect_id)
SELECT count(DISTINCT prospect_id) FROM (TABLE standing UNION ALL TABLE untold) s
"""

#: Each consent of the file beside the standing one of the same moment: what it would become, and whether that is new.
_JUDGE = f"""
CREATE TEMPORARY TABLE import_wish ON COMMIT DROP AS
WITH wish AS (
    SELECT DISTINCT ON (i.prospect_id, i.given_at) i.*
      FROM import_consent i
     WHERE i.given AND NOT EXISTS (SELECT FROM import_consent r WHERE r.prospect_id = i.prospect_id AND NOT r.given)
     ORDER BY i.prospect_id, i.given_at, i.period_end NULLS LAST, i.exact_text DESC, i.channel DESC),
beside AS (
    SELECT w.prospect_id, w.given_at, o.id AS old, o.import_ref IS NULL AND o.id IS NOT NULL AS by_hand,
           least(w.period_end, o.period_end) AS period_end,
           coalesce(nullif(o.channel, ''), w.channel) AS channel,
           coalesce(nullif(o.exact_text, ''), w.exact_text) AS exact_text,
           (o.period_end, o.channel::text, o.exact_text) AS was
      FROM wish w
      LEFT JOIN campaigns_consent o ON o.prospect_id = w.prospect_id AND o.sponsor_id = %(sponsor)s
       AND o.withdrawn_at IS NULL AND o.given_at IS NOT DISTINCT FROM w.given_at)
SELECT b.prospect_id, b.given_at, b.old, b.period_end, b.channel, b.exact_text, k.kept,
       NOT k.kept AND NOT b.by_hand AND CASE
           WHEN b.old IS NOT NULL THEN (b.period_end, b.channel, b.exact_text) IS DISTINCT FROM b.was
           ELSE b.given_at IS NOT NULL OR NOT EXISTS (
               SELECT FROM campaigns_consent c WHERE c.prospect_id = b.prospect_id AND c.sponsor_id = %(sponsor)s
                  AND c.withdrawn_at IS NULL) END AS fresh
  FROM beside b CROSS JOIN LATERAL (SELECT {_WITHDREW.format(row="b")} AS kept) k
"""

_REPLACE = """
UPDATE campaigns_consent c SET withdrawn_at = %(at)s, withdrawn_how = 'replaced', withdrawn_by_id = %(by)s
  FROM import_wish w WHERE w.fresh AND c.id = w.old
"""

_GIVE = """
WITH written AS (
    INSERT INTO campaigns_consent (prospect_id, sponsor_id, given_at, period_end, channel, exact_text, source_id,
                                   import_ref, withdrawn_how, created_at, created_by_id)
    SELECT prospect_id, %(sponsor)s, given_at, period_end, channel, exact_text, %(source)s, %(import)s, '', %(at)s,
           %(by)s
      FROM import_wish WHERE fresh ORDER BY prospect_id, given_at
    RETURNING given_at)
SELECT (SELECT count(given_at) FROM written), (SELECT count(*) - count(given_at) FROM written),
       (SELECT count(DISTINCT prospect_id) FROM import_wish WHERE kept)
"""

_ANNUL = """
UPDATE campaigns_consent SET withdrawn_at = %(at)s, withdrawn_how = 'undone', withdrawn_by_id = %(by)s
 WHERE import_ref = %(import)s AND withdrawn_at IS NULL
"""
