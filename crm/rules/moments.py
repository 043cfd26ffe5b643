"""Moments as programs read them. Pure."""

from datetime import UTC, datetime


def stamp(moment: datetime | None) -> str | None:
    """Return a moment in UTC, ISO 8601 with a final Z, or None."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
