"""When a consent to be called holds: code de la consommation, L223-1 and R223-1 to R223-3.

The trader proves it: what is missing, unreadable or yet to come does not count."""

from datetime import datetime, timedelta

#: R223-1: no consent lasts longer, and none renews itself.
LONGEST = timedelta(days=365)


def is_consent_valid(
    *,
    given_at: datetime | None,
    period_end: datetime | None,
    withdrawn_at: datetime | None,
    at: datetime,
) -> bool:
    """Whether a consent holds at `at`: given at a known moment that has come, within its period, never withdrawn."""
    if withdrawn_at is not None or given_at is None:
        return False
    return given_at <= at < consent_ends_at(given_at, period_end)


def consent_ends_at(given_at: datetime, period_end: datetime | None) -> datetime:
    """The first moment at which a consent no longer holds: the end that was agreed, or 365 days, what comes first."""
    longest = given_at + LONGEST
    return longest if period_end is None else min(longest, period_end)
