"""The health of a campaign in one sentence, and the counts behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Count
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.enums import CampaignStatus, EntryState, Gate
from campaigns.models import Campaign, ListEntry
from campaigns.rules.wording import hours_words
from campaigns.selectors.queue import QueueCounts, ReasonCount, queue_counts

#: Gates whose refusals are stored on the entries: their counts are links to exactly those.
STORED = frozenset({Gate.EXCLUSION, Gate.NUMBER, Gate.CRITERIA})


@dataclass(frozen=True, slots=True)
class Reason:
    """Entries that one reason holds back: the reason in words, how many, until when, and the query of their list."""

    sentence: str
    count: int
    until: datetime | None
    query: str


@dataclass(frozen=True, slots=True)
class Health:
    """A campaign's health at a moment.

    `states` are (code, label, count) for every state; `why` says why nobody is callable, "" when somebody is;
    `next_at` is when the next entry becomes callable.
    """

    sentence: str
    states: Sequence[tuple[str, str, int]]
    reasons: Sequence[Reason]
    callable_now: int
    next_at: datetime | None
    why: str
    hours: Sequence[str]


def health_of(campaign: Campaign, *, at: datetime) -> Health:
    """Return the health of one campaign, with the reasons that hold entries back. One query."""
    counts = queue_counts(campaign, at)
    return Health(
        sentence=counts.why or _now_words(counts),
        states=[(state.value, str(state.label), counts.states.get(state.value, 0)) for state in EntryState],
        reasons=[_reason(row) for row in counts.reasons],
        callable_now=counts.callable,
        next_at=counts.next_at,
        why=counts.why,
        hours=hours_words(campaign.hours),
    )


def _now_words(counts: QueueCounts) -> str:
    """Return what can be called now, and the reasons that hold back the most."""
    now = ngettext("%(n)s fiche appelable maintenant", "%(n)s fiches appelables maintenant", counts.callable)
    held = [
        number_format(row.count) + _(" : ") + _lower_first(row.message.rstrip("."))
        for row in counts.reasons[:2]
    ]
    return _(" ; ").join([now % {"n": number_format(counts.callable)}, *held]) + "."


def _lower_first(words: str) -> str:
    return words[:1].lower() + words[1:]


def _reason(row: ReasonCount) -> Reason:
    query = {"state": EntryState.READY.value}
    if row.gate in STORED:
        query = {"gate": row.gate, "reason": row.reason}
    elif row.gate == Gate.ATTEMPTS:
        query = {"gate": row.gate} if row.until else {"state": EntryState.EXHAUSTED.value}
    return Reason(row.message, row.count, row.until, urlencode(query))


def healths(campaigns: Sequence[Campaign]) -> list[tuple[Campaign, str]]:
    """Return each campaign with its sentence, in one query however many there are."""
    rows = ListEntry.objects.filter(campaign__in=campaigns).order_by()
    counts: dict[int, dict[str, int]] = {}
    for pk, state, count in rows.values_list("campaign", "state").annotate(Count("pk")):
        counts.setdefault(pk, {})[state] = count
    return [(campaign, _sentence(campaign, counts.get(campaign.pk, {}))) for campaign in campaigns]


def _sentence(campaign: Campaign, by_state: dict[str, int]) -> str:
    if not sum(by_state.values()):
        return _("La liste est vide.")
    ready, callbacks = by_state.get(EntryState.READY, 0), by_state.get(EntryState.CALLBACK, 0)
    out = by_state.get(EntryState.SCREENED_OUT, 0)
    parts = [
        ngettext("%(n)s fiche à appeler", "%(n)s fiches à appeler", ready) % {"n": number_format(ready)},
        ngettext("%(n)s rappel prévu", "%(n)s rappels prévus", callbacks) % {"n": number_format(callbacks)},
        _("%(n)s hors-critères sur papier") % {"n": number_format(out)},
    ]
    return ", ".join([_state_words(campaign), *parts] if _state_words(campaign) else parts) + "."


def _state_words(campaign: Campaign) -> str:
    return {
        CampaignStatus.DRAFT.value: _("En préparation : rien n'est servi"),
        CampaignStatus.PAUSED.value: _("En pause : rien n'est servi"),
        CampaignStatus.CLOSED.value: _("Terminée"),
    }.get(campaign.status, "")
