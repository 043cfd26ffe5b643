"""What the database says of bars: the one rule, asked for one call."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from calls.enums import Result
from calls.models import Call, CallAnswer, CallDisposition
from campaigns.selectors.exclusions import CallOrigin
from crm.models import User
from crm.selectors.scopes import sponsors_of


def covering_exclusion(number: str, prospect_id: int | None, campaign_id: int) -> int | None:
    """Return the id of the active exclusion that bars this number or prospect in the campaign, or None."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT courtois_covering_exclusion(%s, %s, %s)", [number, prospect_id, campaign_id])
        row = cursor.fetchone()
    return row[0] if row else None


def origins_of_bars(user: User, refs: Sequence[int]) -> dict[int, CallOrigin]:
    """Return these calls, by their ids, as what exclusions came from; those behind a wall are left out. One query."""
    wrong = CallAnswer.objects.filter(call=OuterRef("pk"), result=Result.MISMATCH).order_by("-id")
    calls = Call.objects.filter(pk__in=refs, campaign__programme__sponsor__in=sponsors_of(user))
    noted = CallDisposition.objects.filter(call=OuterRef("pk")).order_by("-id")
    said = Coalesce(Subquery(wrong.values("heard")[:1]), Subquery(noted.values("note")[:1]), Value(""))
    calls = calls.select_related("agent").annotate(said=said)
    return {
        call.pk: CallOrigin(
            call.pk,
            call.prospect_id,
            call.started_at,
            call.agent.get_full_name() or call.agent.get_username(),
            call.said,  # type: ignore[attr-defined]
        )
        for call in calls
    }
