"""What somebody has already done of the tour, read from the demo itself."""

from dataclasses import dataclass

from calls.enums import CallState, HungUpBy
from calls.models import Call, IncidentDecision
from calls.rules.demo_past import AUTUMN, TREASURY
from campaigns.enums import CampaignStatus, Gate
from campaigns.models import Campaign
from crm.enums import EventKind
from crm.models import ProspectEvent


@dataclass(frozen=True, slots=True)
class Tour:
    """The demo's two campaigns of the tour (null where they are missing or do not run), the codes of the steps done
    since the demo was loaded, and the number that was last found out of criteria ("" for none)."""

    autumn: Campaign | None
    treasury: Campaign | None
    done: frozenset[str]
    number: str


def tour_of() -> Tour:
    """Return how far the tour is; in at most five queries, one where the demo is not loaded."""
    campaigns = {
        row.slug: row
        for row in Campaign.objects.select_related("programme").filter(slug__in=[AUTUMN, TREASURY])
    }
    autumn = campaigns.get(AUTUMN)
    if autumn is None:
        return Tour(None, None, frozenset(), "")
    calls = Call.objects.filter(
        campaign__in=[row.pk for row in campaigns.values()], dialled_at__gte=autumn.created_at
    ).order_by("id")
    made = list(calls.only("campaign", "number", "prospect", "state", "hung_up_by", "out_of_criteria_at"))
    treasury = campaigns.get(TREASURY)
    wrong = [call for call in made if call.out_of_criteria_at is not None]
    done = {
        "call": any(call.campaign_id == autumn.pk for call in made),
        "wrong": bool(wrong),
        "close": any(call.state == CallState.DONE and call.hung_up_by == HungUpBy.PROSPECT for call in wrong),
        "refused": bool(wrong) and _refused([call.prospect_id for call in wrong], autumn),
        "sorry": treasury is not None and any(call.campaign_id == treasury.pk for call in made),
        "decide": IncidentDecision.objects.filter(
            at__gte=autumn.created_at, incident__sponsor=autumn.programme.sponsor_id
        ).exists(),
    }
    running = {row.pk for row in campaigns.values() if row.status == CampaignStatus.RUNNING}
    return Tour(
        autumn if autumn.pk in running else None,
        treasury if treasury is not None and treasury.pk in running else None,
        frozenset(code for code, is_done in done.items() if is_done),
        wrong[-1].number if wrong else "",
    )


def _refused(prospects: list[int | None], campaign: Campaign) -> bool:
    """Whether one of these was asked for again and refused by its exclusion."""
    return ProspectEvent.objects.filter(
        prospect__in=[pk for pk in prospects if pk is not None],
        kind=EventKind.REFUSED,
        at__gte=campaign.created_at,
        data__gate=str(Gate.EXCLUSION),
    ).exists()
