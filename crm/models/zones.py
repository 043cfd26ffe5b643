"""Time zones, as PostgreSQL knows them."""

from django.db import models
from django.db.models.lookups import IsNull


class ClockOf(models.Func):
    """What a clock in the zone shows at a moment; PostgreSQL refuses a zone that it does not know."""

    template = "timezone(%(expressions)s, '2000-01-01 00:00:00+00'::timestamptz)"
    output_field = models.DateTimeField()


def zone_known(name: str) -> models.CheckConstraint:
    """Return the constraint that `time_zone` is blank or a zone that can be reckoned with.

    One bad name would end every statement that asks for the hour at all people waiting.
    """
    return models.CheckConstraint(
        condition=models.Q(time_zone="") | models.Q(IsNull(ClockOf("time_zone"), False)), name=name
    )
