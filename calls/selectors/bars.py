"""What the database says of bars: the one rule, asked for one call."""

from django.db import connection


def covering_exclusion(number: str, prospect_id: int | None, campaign_id: int) -> int | None:
    """Return the id of the active exclusion that bars this number or prospect in the campaign, or None."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT courtois_covering_exclusion(%s, %s, %s)", [number, prospect_id, campaign_id])
        row = cursor.fetchone()
    return row[0] if row else None
