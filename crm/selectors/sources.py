"""Reading the sources and the sponsors: who is found, and how much hangs on each."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Lower

from crm.models import Source, Sponsor

#: Records of a source that are counted one by one; of more it is said that they are more.
COUNTED = 10_000

SOURCE_ORDERS = {
    "name": (Lower("name").asc(), "pk"),
    "-name": (Lower("name").desc(), "-pk"),
    "obtained": (F("obtained_at").asc(nulls_last=True), "pk"),
    "-obtained": (F("obtained_at").desc(nulls_last=True), "-pk"),
}


# Each count stops at the cap: a page of suppliers answers at once whatever they delivered.
COUNT = """
SELECT s, (SELECT count(*) FROM (SELECT FROM crm_prospect p WHERE p.source_id = s AND p.erased_at IS NULL LIMIT %s) q)
  FROM unnest(%s::bigint[]) s
"""


def record_counts(sources: Sequence[int]) -> dict[int, int]:
    """Return how many known records each of these sources has, `COUNTED` + 1 at most. One query."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [COUNTED + 1, list(sources)])
        return dict(cursor.fetchall())


def sources_found(scope: QuerySet[Source], text: str) -> QuerySet[Source]:
    """Return the sources of `scope` whose name, slug or sponsor holds a text; all for a blank one."""
    if not text:
        return scope
    named = Q(name__icontains=text) | Q(slug__icontains=text) | Q(sponsor__name__icontains=text)
    return scope.filter(named)


def sponsors_found(scope: QuerySet[Sponsor], text: str) -> QuerySet[Sponsor]:
    """Return the sponsors of `scope` whose name or one of whose programmes holds a text; all for a blank one."""
    if not text:
        return scope
    # By ids: what is counted of a sponsor afterwards must not be counted of its matching programmes alone.
    found = Sponsor.objects.filter(Q(name__icontains=text) | Q(programmes__name__icontains=text))
    return scope.filter(pk__in=found.values("pk"))


def sponsors_counted(rows: QuerySet[Sponsor]) -> QuerySet[Sponsor]:
    """Add how many campaigns and sources each has (`campaign_count`, `source_count`), and its programmes."""
    counted = rows.annotate(
        campaign_count=Count("programmes__campaigns", distinct=True),
        source_count=Count("sources", distinct=True),
    )
    return counted.prefetch_related("programmes")
