"""The health of a campaign in one sentence, whose numbers lead to their fiches; and the counts behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.utils.formats import number_format as plain_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.enums import CampaignStatus, EntryState, Gate
from campaigns.models import Campaign
from campaigns.rules.wording import hours_words, moment_words
from campaigns.selectors.queue import QueueCounts, ReasonCount, counted, standings_of

#: Tones of a sentence: somebody can be called; it needs somebody; neither.
FINE, CARE, QUIET = "fine", "care", ""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the sentence, such as "41 attendent 14 h", and the query of the list that shows exactly those."""

    text: str
    query: str
    count: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Entries that one reason holds back: the reason in words, how many, until when, and the query of their list."""

    sentence: str
    count: int
    until: datetime | None
    query: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the bar that shows a whole list: what it counts, and where it lies on a line of 1,000."""

    code: str
    label: str
    count: int
    query: str
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class Health:
    """A campaign's health at a moment.

    The sentence is its `lead`, which may be "", and its `parts`. `states` are (code, label, count) for every state;
    `why` says why nobody is callable, "" when somebody is; `next_at` is when the next entry becomes callable.
    """

    campaign: Campaign
    counts: QueueCounts
    lead: str
    parts: Sequence[Part]
    tone: str

    @property
    def sentence(self) -> str:
        """Return the sentence as text."""
        told = ", ".join(part.text for part in self.parts) + "." if self.parts else ""
        return " ".join(filter(None, (self.lead, told)))

    @property
    def states(self) -> list[tuple[str, str, int]]:
        """Return (code, label, count) for every state, in the order of the enum."""
        return [(state.value, str(state.label), self.counts.states.get(state, 0)) for state in EntryState]

    @property
    def reasons(self) -> list[Reason]:
        """Return what holds entries back, the most frequent first."""
        return [Reason(row.message, row.count, row.until, _query_of(row)) for row in self.counts.reasons]

    @property
    def callable_now(self) -> int:
        """How many can be called now."""
        return self.counts.callable

    @property
    def next_at(self) -> datetime | None:
        """When the next one may be called, null while somebody can."""
        return self.counts.next_at

    @property
    def why(self) -> str:
        """Why nobody is callable, "" when somebody is."""
        return self.counts.why

    @property
    def hours(self) -> list[str]:
        """The calling hours as words."""
        return hours_words(self.campaign.hours)

    @property
    def segments(self) -> list[Segment]:
        """Return the list as stretches of one bar, without those that are empty."""
        states = self.counts.states
        barred = states.get(EntryState.EXCLUDED, 0), states.get(EntryState.SCREENED_OUT, 0)
        rows = [
            (
                "now",
                ngettext("appelable", "appelables", self.counts.callable),
                self.counts.callable,
                {"when": "now"},
            ),
            ("later", _("en attente"), self.counts.waiting, {"when": "later"}),
            ("claimed", _("chez des agents"), states.get(EntryState.CLAIMED, 0), {"state": "claimed"}),
            (
                "done",
                ngettext("terminée", "terminées", states.get(EntryState.DONE, 0)),
                states.get(EntryState.DONE, 0),
                {"state": "done"},
            ),
            (
                "exhausted",
                ngettext("épuisée", "épuisées", states.get(EntryState.EXHAUSTED, 0)),
                states.get(EntryState.EXHAUSTED, 0),
                {"state": "exhausted"},
            ),
            ("excluded", ngettext("exclue", "exclues", barred[0]), barred[0], {"state": "excluded"}),
            ("screened_out", _("hors-critères sur papier"), barred[1], {"state": "screened_out"}),
        ]
        found, begun = [], 0
        for code, label, count, query in rows:
            if count:
                start, end = (1000 * place // self.counts.total for place in (begun, begun + count))
                found.append(
                    Segment(code, label, count, urlencode(query), min(start, 996), max(end - start, 4))
                )
                begun += count
        return found


def health_of(campaign: Campaign, *, at: datetime) -> Health:
    """Return the health of one campaign. One query."""
    return healths([campaign], at=at)[0]


def healths(campaigns: Sequence[Campaign], *, at: datetime) -> list[Health]:
    """Return the health of each campaign, in one query however many there are."""
    found = standings_of(campaigns, at)
    return [_health(campaign, counted(campaign, found[campaign.pk], at), at) for campaign in campaigns]


def _health(campaign: Campaign, counts: QueueCounts, at: datetime) -> Health:
    if not counts.total:
        lead = " ".join(filter(None, (_lead(campaign, ""), _("La liste est vide."))))
        return Health(campaign, counts, lead, (), _tone(campaign, counts))
    told = [_now(counts), _later(campaign, counts, at), _screened_out(counts)]
    if campaign.status != CampaignStatus.RUNNING or not (counts.callable or counts.waiting):
        told += [_state(counts, EntryState.DONE), _state(counts, EntryState.EXCLUDED)]
        told.append(_state(counts, EntryState.EXHAUSTED))
    parts = [part for part in told if part.count]
    return Health(campaign, counts, _lead(campaign, _nobody(counts)), parts, _tone(campaign, counts))


def _lead(campaign: Campaign, otherwise: str) -> str:
    """Return how the sentence begins: by the state of the campaign where that decides, else by `otherwise`."""
    return {
        CampaignStatus.DRAFT.value: _("En préparation : rien n'est servi."),
        CampaignStatus.PAUSED.value: _("En pause : rien n'est servi."),
        CampaignStatus.CLOSED.value: _("Terminée : plus personne n'est appelé."),
    }.get(campaign.status, otherwise)


def _nobody(counts: QueueCounts) -> str:
    """Return that nobody is callable, and why, "" when somebody is."""
    if counts.callable:
        return ""
    held = next((row for row in counts.reasons if not row.state), None)
    if held is not None:
        return _("Personne n'est appelable maintenant : %(why)s") % {"why": _lower_first(held.message)}
    if counts.states.get(EntryState.CLAIMED):
        return _("Les dernières fiches sont chez des agents.")
    return _("Plus personne à appeler.")


def _tone(campaign: Campaign, counts: QueueCounts) -> str:
    if campaign.status == CampaignStatus.CLOSED:
        return QUIET
    return FINE if counts.callable else CARE


def _now(counts: QueueCounts) -> Part:
    text = ngettext("%(n)s appelable maintenant", "%(n)s appelables maintenant", counts.callable)
    return Part(text % {"n": number_format(counts.callable)}, urlencode({"when": "now"}), counts.callable)


def _later(campaign: Campaign, counts: QueueCounts, at: datetime) -> Part:
    count, known = counts.waiting, {"n": number_format(counts.waiting)}
    if counts.opens_at is None or campaign.status != CampaignStatus.RUNNING:
        text = ngettext("%(n)s attend", "%(n)s attendent", count) % known
    else:
        known["when"] = moment_words(counts.opens_at, at)
        alike = ngettext("%(n)s attend %(when)s", "%(n)s attendent %(when)s", count)
        first = ngettext("%(n)s attend, au plus tôt %(when)s", "%(n)s attendent, au plus tôt %(when)s", count)
        text = (alike if counts.opens_alike else first) % known
    return Part(text, urlencode({"when": "later"}), count)


def _screened_out(counts: QueueCounts) -> Part:
    count = counts.states.get(EntryState.SCREENED_OUT, 0)
    text = _("%(n)s hors-critères sur papier") % {"n": number_format(count)}
    return Part(text, urlencode({"state": EntryState.SCREENED_OUT.value}), count)


def _state(counts: QueueCounts, state: EntryState) -> Part:
    count = counts.states.get(state, 0)
    words = {
        EntryState.DONE: ngettext("%(n)s terminée", "%(n)s terminées", count),
        EntryState.EXCLUDED: ngettext("%(n)s exclue", "%(n)s exclues", count),
        EntryState.EXHAUSTED: ngettext("%(n)s épuisée", "%(n)s épuisées", count),
    }
    return Part(words[state] % {"n": number_format(count)}, urlencode({"state": state.value}), count)


def number_format(count: int) -> str:
    """Return a count as it is read, its thousands apart."""
    return plain_format(count, force_grouping=True)


def _lower_first(words: str) -> str:
    return words[:1].lower() + words[1:]


def _query_of(row: ReasonCount) -> str:
    """Return the query of the list that shows exactly the entries of a reason."""
    if not row.state:
        known = {"when": "later", "gate": row.gate, "reason": row.reason}
        return urlencode({name: value for name, value in known.items() if value})
    if row.state == EntryState.EXHAUSTED and row.gate == Gate.ATTEMPTS:
        return urlencode({"state": row.state, "gate": row.gate})
    return urlencode({"state": row.state, "gate": row.gate or "-", "reason": row.reason or "-"})
