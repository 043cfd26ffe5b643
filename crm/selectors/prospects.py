"""Finding prospects by what people know of them."""

from typing import Any

from django.db.models import Q, QuerySet

from crm.models import Prospect, ProspectNumber, Source
from crm.rules.phones import search_forms

#: Records that are found by one number, a switchboard at most.
MAX_CARRYING = 1_000

#: Columns that say who a prospect is, in the order of its page.
IDENTITY = (
    "kind",
    "organisation",
    "civility",
    "first_name",
    "last_name",
    "job_title",
    "sector",
    "email",
    "address",
    "postal_code",
    "city",
    "country",
    "language",
    "time_zone",
    "preferred_channel",
    "external_id",
)


def prospects_found(scope: QuerySet[Prospect], text: str) -> QuerySet[Prospect]:
    """Return the prospects of `scope` that `text` means: a number in any spelling, an external id, or the beginning
    of an organisation's or a person's name. Blank text keeps the whole scope, newest change first.

    Each condition has its index: the page answers at once on a million records."""
    text = text.strip()
    scope = scope.filter(erased_at__isnull=True)
    if not text:
        return scope.order_by("-updated_at", "-id")
    # The index of external ids begins with the source.
    external = Q(source__in=list(Source.objects.values_list("pk", flat=True)), external_id=text)
    names = Q(organisation__istartswith=text) | Q(last_name__istartswith=text) | _person(text)
    if forms := search_forms(text):
        carrying = ProspectNumber.objects.filter(number__in=forms).order_by("prospect")
        found = list(carrying.values_list("prospect", flat=True).distinct()[:MAX_CARRYING])
        # A name may hold figures that read as a number.
        named = names if any(map(str.isalpha, text)) else Q()
        return scope.filter(Q(pk__in=found) | external | named).order_by("id")
    return scope.filter(names | external).order_by("id")


def _person(text: str) -> Q:
    """Return the condition for a first and a last name in either order, where `text` has two words."""
    words = text.split()
    if len(words) != 2:
        return Q()
    one, other = words
    return Q(last_name__iexact=one, first_name__istartswith=other) | Q(
        last_name__iexact=other, first_name__istartswith=one
    )


def identity_of(prospect: Prospect) -> list[tuple[Any, Any]]:
    """Return what is known of a prospect's identity, as (label, value as people read it), in the order of its page."""
    found = []
    for name in IDENTITY:
        field = prospect._meta.get_field(name)
        shown = getattr(prospect, f"get_{name}_display", None)
        value = shown() if shown else getattr(prospect, name)
        if value:
            found.append((getattr(field, "verbose_name", name), value))
    return found
