"""The list of a campaign as its page shows it."""

from django.db.models import Count, QuerySet

from campaigns.enums import EntryState, Gate
from campaigns.models import Campaign, ListEntry
from campaigns.rules.gate import sentence
from crm.models import Prospect
from crm.selectors.prospects import prospects_found


def entries_found(
    campaign: Campaign, *, q: str = "", state: str = "", gate: str = "", reason: str = ""
) -> QuerySet[ListEntry]:
    """Return the entries of a campaign, oldest first, narrowed by state, gate, stored reason and search."""
    rows = campaign.entries.select_related("prospect", "owner", "excluded_by").order_by("id")
    rows = rows.prefetch_related("prospect__phones")
    if state:
        rows = rows.filter(state=state)
    if gate:
        rows = rows.filter(verdict_gate=gate)
    if reason:
        rows = rows.filter(verdict_reason=reason)
    if q.strip():
        # The search finds its few prospects by their own indexes first; the list is then read by (campaign, prospect).
        found = prospects_found(Prospect.objects.all(), q).order_by().values("pk")
        rows = rows.filter(prospect__in=found)
    return rows


def shown_number(entry: ListEntry) -> str:
    """Return the number that the list shows: the one to dial, or where none may be dialled the first on the record."""
    return entry.number or next((line.number for line in entry.prospect.phones.all()), "")


def why(entry: ListEntry) -> str:
    """Return in one sentence what holds an entry back, "" when nothing does."""
    if not entry.verdict_gate or entry.verdict_gate == Gate.OPEN:
        return ""
    return sentence(entry.verdict_gate, entry.verdict_reason, entry.verdict_until, entry.time_zone)


def counts_by_state(campaign: Campaign) -> list[tuple[str, str, int]]:
    """Return (state, label, count) for every state, in the order of the enum."""
    counts = dict(campaign.entries.order_by().values_list("state").annotate(Count("pk")))
    return [(state.value, str(state.label), counts.get(state.value, 0)) for state in EntryState]
