"""The words of a campaign as its page shows them: each with how it sounds, how long it takes, and what it lacks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from campaigns.enums import STEPS_OF, ClosingKind, ScriptKind, Step
from campaigns.models import Campaign, ClosingStep, ListEntry
from campaigns.rules.catalogue import OPENINGS
from campaigns.rules.texts import PLACEHOLDERS, check_text, reason_clause, render
from crm.models import Prospect, User

#: Languages in which a campaign can have words.
LANGUAGES = ("fr", "en")


@dataclass(frozen=True, slots=True)
class Block:
    """A text of a campaign: where it is said, its words now, and how they sound with a real fiche.

    `step` is empty for a script. `own` tells whether the campaign has its own words; `default` are those it falls
    back to ("" for a script).
    """

    kind: str
    step: str
    label: Any
    text: str
    own: bool
    default: str
    said: str

    @property
    def key(self) -> str:
        """The anchor of the block on the page."""
        return f"{self.kind}-{self.step}" if self.step else self.kind


def is_step(kind: str, step: str) -> bool:
    """Tell whether a closing of this kind has this step."""
    return kind in ClosingKind.values and step in STEPS_OF[kind]


def placeholders() -> Mapping[str, Any]:
    """Return the words in braces that a text may hold, with what each stands for."""
    return PLACEHOLDERS


def blocks(campaign: Campaign, language: str, *, agent: User) -> list[Block]:
    """Return every text of a campaign in one language, in the order of a call."""
    values = sample_values(campaign, language, agent=agent)
    scripts = dict(campaign.scripts.filter(language=language).values_list("kind", "text"))
    found = []
    for kind in ScriptKind.values:
        default = OPENINGS.get(language, "") if kind == ScriptKind.OPENING else ""
        found.append(
            _block(kind, "", ScriptKind(kind).label, scripts.get(kind, ""), default, values, language)
        )
    rows = ClosingStep.objects.filter(language=language, campaign__isnull=True) | ClosingStep.objects.filter(
        language=language, campaign=campaign
    )
    texts = {(row.campaign_id is not None, row.kind, row.step): row.text for row in rows}
    for kind, steps in STEPS_OF.items():
        for step in steps:
            own, default = texts.get((True, kind, step), ""), texts.get((False, kind, step), "")
            found.append(_block(kind, step, Step(step).label, own, default, values, language))
    return found


def _block(
    kind: str, step: str, label: Any, own: str, default: str, values: Mapping[str, str], language: str
) -> Block:
    text = own or default
    return Block(kind, step, label, text, bool(own), default, render(text, values, language))


def sample(campaign: Campaign, text: str, language: str, *, agent: User) -> str:
    """Return a text filled in from a real fiche of the campaign; raises Invalid for one that could not be said."""
    return render(check_text(text, maximum=4000), sample_values(campaign, language, agent=agent), language)


def sample_values(campaign: Campaign, language: str, *, agent: User) -> dict[str, str]:
    """Return what the placeholders stand for with the campaign's first fiche; without one, nothing of a fiche."""
    entry = (
        ListEntry.objects.filter(campaign=campaign).select_related("prospect__source").order_by("id").first()
    )
    prospect = entry.prospect if entry else None
    criterion = campaign.programme.criteria.filter(retired_at__isnull=True, blocking=True).first()
    expected = criterion.expected if criterion else ""
    return {
        "subject": campaign.programme.subject,
        "reason": reason_clause(expected, language),
        "expected": expected,
        "agent": agent.get_full_name() or agent.get_username(),
        "sponsor": campaign.programme.sponsor.name,
        "campaign": campaign.name,
        "number": entry.number if entry else "",
    } | _words_of(prospect)


def _words_of(prospect: Prospect | None) -> dict[str, str]:
    if prospect is None:
        return {}
    return {
        "organisation": prospect.organisation,
        "person": prospect.person_name,
        "city": prospect.city,
        "origin": prospect.source.spoken_origin,
    }
