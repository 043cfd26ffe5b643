"""What is known of a person's consents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import QuerySet

from campaigns.enums import NOT_THE_PERSONS
from campaigns.models import Consent
from campaigns.rules.consent import consent_ends_at, is_consent_valid
from crm.models import Prospect, Sponsor

#: Consents and withdrawals that are shown of one person.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class ToldConsent:
    """A consent or a withdrawal and what it is worth now: `ends_at` is when it ends or ended by itself, null where
    nobody knows when it was given."""

    row: Consent
    state: Literal["valid", "ended", "withdrawn", "unproved"]
    ends_at: datetime | None


def consents_told(prospect: Prospect, sponsors: QuerySet[Sponsor], at: datetime) -> Sequence[ToldConsent]:
    """What a person told these principals, newest first, `SHOWN` at most; what an import undid was never told."""
    rows = Consent.objects.filter(prospect=prospect, sponsor__in=sponsors)
    told = rows.exclude(withdrawn_how__in=NOT_THE_PERSONS).select_related("sponsor", "source", "withdrawn_by")
    return [_judged(row, at) for row in told.order_by("-created_at", "-pk")[:SHOWN]]


def _judged(row: Consent, at: datetime) -> ToldConsent:
    ends_at = None if row.given_at is None else consent_ends_at(row.given_at, row.period_end)
    if row.withdrawn_at is not None:
        return ToldConsent(row, "withdrawn", ends_at)
    if row.given_at is None:
        return ToldConsent(row, "unproved", None)
    valid = is_consent_valid(
        given_at=row.given_at, period_end=row.period_end, withdrawn_at=row.withdrawn_at, at=at
    )
    return ToldConsent(row, "valid" if valid else "ended", ends_at)
