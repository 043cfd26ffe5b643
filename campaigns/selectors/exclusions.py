"""Reading the exclusions: which bar covers a number, and the page that finds them."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from campaigns.enums import Scope
from campaigns.models import Campaign, Exclusion
from crm.access import prospects_of, sponsors_of
from crm.enums import Role
from crm.models import ProspectNumber, User
from crm.rules.phones import search_forms
from crm.selectors.prospects import prospects_found

MAX_RECORDS = 1_000
#: Holds now: not lifted, not past its end.
IN_FORCE = Q(lifted_at__isnull=True) & (Q(until__isnull=True) | Q(until__gt=Now()))


def covering(numbers: Iterable[str], campaign: Campaign) -> dict[str, Exclusion]:
    """Return, by number, the exclusion that covers each of these E.164 numbers in the campaign. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT number, bar FROM (
                SELECT number, courtois_covering_exclusion(number, NULL, %s) AS bar FROM unnest(%s::text[]) number) q
             WHERE bar IS NOT NULL
            """,
            [campaign.pk, sorted(set(numbers))],
        )
        bars = dict(cursor.fetchall())
    found = Exclusion.objects.in_bulk(set(bars.values()))
    return {number: found[bar] for number, bar in bars.items()}


def exclusions_seen_by(user: User) -> QuerySet[Exclusion]:
    """Return the exclusions inside the user's walls; agents see none."""
    if user.role == Role.AGENT:
        return Exclusion.objects.none()
    return Exclusion.objects.filter(Q(scope=Scope.EVERYWHERE) | Q(sponsor__in=sponsors_of(user)))


def prospects_barred(user: User) -> Q:
    """Return the condition for the prospects that are barred, or one of whose numbers is, by what the user sees."""
    bars = exclusions_seen_by(user).filter(IN_FORCE)
    numbers = ProspectNumber.objects.filter(
        Exists(bars.filter(number=OuterRef("number"))), prospect=OuterRef("pk")
    )
    return Q(Exists(bars.filter(prospect=OuterRef("pk")))) | Q(Exists(numbers))


def search(user: User, text: str) -> QuerySet[Exclusion]:
    """Return the exclusions, inside the user's walls, of a number in any spelling or of a record by its name."""
    seen = exclusions_seen_by(user)
    text = text.strip()
    if not text:
        return seen
    forms = search_forms(text)
    records = prospects_found(prospects_of(user), text).values("pk")[:MAX_RECORDS]
    return seen.filter(Q(number__in=forms) | Q(prospect__in=list(records.values_list("pk", flat=True))))


def exclusions_found(
    user: User, *, q: str = "", state: str = "", reason: str = "", scope: str = ""
) -> QuerySet[Exclusion]:
    """Return the rows of the page: `state` "" for those in force, "lifted", or "all"; newest first."""
    found = search(user, q)
    in_force = Q(lifted_at__isnull=True) & (Q(until__isnull=True) | Q(until__gt=Now()))
    if state == "lifted":
        found = found.filter(lifted_at__isnull=False)
    elif state != "all":
        found = found.filter(in_force)
    if reason:
        found = found.filter(reason=reason)
    if scope:
        found = found.filter(scope=scope)
    related = ("sponsor", "programme", "campaign", "prospect", "created_by", "lifted_by")
    return found.select_related(*related).order_by("-id")


def others_on_number(user: User, exclusion: Exclusion) -> int:
    """Count the other records that the user sees and that carry the barred number."""
    if exclusion.number is None:
        return 0
    carrying = prospects_of(user).filter(erased_at__isnull=True, phones__number=exclusion.number)
    own = [exclusion.prospect_id] if exclusion.prospect_id else []
    return carrying.exclude(pk__in=own).distinct().count()
