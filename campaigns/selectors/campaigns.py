"""Finding campaigns by their name, state, programme and sponsor."""

from django.db.models import QuerySet

from campaigns.models import Campaign

#: What the list can be sorted by, with the columns.
SORTS: dict[str, tuple[str, ...]] = {
    "name": ("name", "id"),
    "programme": ("programme__name", "name", "id"),
    "sponsor": ("programme__sponsor__name", "name", "id"),
    "created": ("created_at", "id"),
}


def campaigns_found(
    scope: QuerySet[Campaign],
    *,
    q: str = "",
    status: str = "",
    programme: int | None = None,
    sponsor: int | None = None,
    sort: str = "",
) -> QuerySet[Campaign]:
    """Return the campaigns of `scope` that the filters keep, with programme and sponsor, sorted ("-created")."""
    rows = scope.select_related("programme__sponsor")
    for word in q.replace("\x00", " ").split():
        rows = rows.filter(name__icontains=word)
    if status:
        rows = rows.filter(status=status)
    if programme is not None:
        rows = rows.filter(programme=programme)
    if sponsor is not None:
        rows = rows.filter(programme__sponsor=sponsor)
    columns = SORTS.get(sort.removeprefix("-"), SORTS["name"])
    sign = "-" if sort.startswith("-") else ""
    return rows.order_by(*(f"{sign}{column}" for column in columns))
