"""The words of a campaign as its page shows them: each with how it sounds, how long it takes, and what it lacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from campaigns.enums import STEPS_OF, ClosingKind, ScriptKind, Step
from campaigns.models import Campaign, ClosingStep, ListEntry
from campaigns.rules.catalogue import OPENINGS
from campaigns.rules.texts import (
    PLACEHOLDERS,
    advice,
    check_text,
    missing_values,
    reason_clause,
    render,
    seconds_aloud,
    words_in,
)
from crm.models import Prospect, User

#: Languages in which a campaign can have words.
LANGUAGES = ("fr", "en")


@dataclass(frozen=True, slots=True)
class Heard:
    """A text filled from a fiche: the sentence, how long it takes, what it lacks, and what the fiche does not know.

    `gaps` are (placeholder, what is said instead).
    """

    said: str
    seconds: int
    words: int
    advice: tuple[str, ...]
    gaps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A text of a campaign: where it is said, its words now, and how they sound with a real fiche.

    `step` is empty for a script. `own` tells whether the campaign has its own words; `default` are those it falls
    back to ("" for a script without one). `other` is the same text in the other language, as it is said.
    """

    kind: str
    step: str
    label: Any
    text: str
    own: bool
    default: str
    heard: Heard
    other: str = ""

    @property
    def key(self) -> str:
        """The anchor of the block on the page."""
        return f"{self.kind}-{self.step}" if self.step else self.kind


@dataclass(frozen=True, slots=True)
class Closing:
    """A whole closing as it is heard: with what the fiche says, and with neither person nor organisation known."""

    kind: str
    steps: tuple[tuple[Any, str], ...]
    plain: tuple[tuple[Any, str], ...]
    seconds: int


@dataclass(frozen=True, slots=True)
class Fiche:
    """The fiche that a page of words is read with, and the next one in the list (null when there is no other)."""

    entry: ListEntry | None
    next_id: int | None
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        """Return whose fiche it is, "" without one."""
        return self.entry.prospect.display_name if self.entry else ""


def is_step(kind: str, step: str) -> bool:
    """Tell whether a closing of this kind has this step."""
    return kind in ClosingKind.values and step in STEPS_OF[kind]


def placeholders() -> Mapping[str, Any]:
    """Return the words in braces that a text may hold, with what each stands for."""
    return PLACEHOLDERS


def hear(text: str, fiche: Fiche, language: str, *, where: str) -> Heard:
    """Return a text as it is heard with a fiche. `where`: see `campaigns.rules.texts.advice`."""
    said = render(text, fiche.values, language)
    return Heard(
        said,
        seconds_aloud(said),
        words_in(said),
        tuple(advice(text, said, where=where)),
        tuple(missing_values(text, fiche.values, language)),
    )


def heard_anew(text: str, fiche: Fiche, language: str, *, where: str) -> Heard:
    """Return a text that is being written as it is heard; raises Invalid for one that could not be said."""
    return hear(check_text(text, maximum=4000), fiche, language, where=where)


def blocks(campaign: Campaign, language: str, fiche: Fiche) -> list[Block]:
    """Return every text of a campaign in one language, in the order of a call. Two queries."""
    scripts = {(row.language, row.kind): row.text for row in campaign.scripts.filter(language__in=LANGUAGES)}
    steps = ClosingStep.objects.filter(language__in=LANGUAGES)
    steps = steps.filter(campaign__isnull=True) | steps.filter(campaign=campaign)
    texts = {(row.language, row.campaign_id is not None, row.kind, row.step): row.text for row in steps}
    other = next(code for code in LANGUAGES if code != language)
    found = []
    for kind in ScriptKind.values:
        openings = OPENINGS if kind == ScriptKind.OPENING else {}
        own, default = scripts.get((language, kind), ""), openings.get(language, "")
        beside = scripts.get((other, kind), "") or openings.get(other, "")
        label = ScriptKind(kind).label
        found.append(_block((kind, ""), label, own, default, beside, fiche, (language, other)))
    for kind, names in STEPS_OF.items():
        for step in names:
            own, default = (texts.get((language, is_own, kind, step), "") for is_own in (True, False))
            beside = texts.get((other, True, kind, step), "") or texts.get((other, False, kind, step), "")
            label = Step(step).label
            found.append(_block((kind, step), label, own, default, beside, fiche, (language, other)))
    return found


def _block(
    place: tuple[str, str],
    label: Any,
    own: str,
    default: str,
    beside: str,
    fiche: Fiche,
    languages: tuple[str, str],
) -> Block:
    kind, step = place
    text = own or default
    where = f"{kind}-{step}" if step else kind
    heard = hear(text, fiche, languages[0], where=where)
    return Block(
        kind, step, label, text, bool(own), default, heard, render(beside, fiche.values, languages[1])
    )


def closings(found: Sequence[Block], fiche: Fiche, language: str) -> list[Closing]:
    """Return both closings whole, as they are heard."""
    nobody = {**fiche.values, "organisation": "", "person": ""}
    told = []
    for kind in STEPS_OF:
        of = [block for block in found if block.kind == kind and block.step]
        told.append(
            Closing(
                kind,
                tuple((block.label, block.heard.said) for block in of),
                tuple((block.label, render(block.text, nobody, language)) for block in of),
                sum(block.heard.seconds for block in of),
            )
        )
    return told


def fiche_of(campaign: Campaign, language: str, *, agent: User, pk: int | None = None) -> Fiche:
    """Return a fiche of the campaign's list to read its words with: the entry `pk`, else the first one.

    Without any, nothing of a fiche is known. Three queries.
    """
    rows = ListEntry.objects.filter(campaign=campaign).select_related("prospect__source").order_by("id")
    rows = rows.filter(prospect__erased_at__isnull=True, prospect__confidential=False)
    entry = (rows.filter(pk=pk).first() if pk else None) or rows.first()
    after = rows.filter(pk__gt=entry.pk) if entry else rows.none()
    next_id = after.values_list("pk", flat=True).first() if entry else None
    if next_id is None and entry is not None:
        next_id = rows.exclude(pk=entry.pk).values_list("pk", flat=True).first()
    criterion = campaign.programme.criteria.filter(retired_at__isnull=True, blocking=True).first()
    expected = criterion.expected if criterion else ""
    same = language == campaign.language
    values = {
        # The programme's phrases are written in the language of its campaign: in another one they cannot be said.
        "subject": campaign.programme.subject if same else "",
        "reason": reason_clause(expected if same else "", language),
        "expected": expected if same else "",
        "agent": agent.get_full_name() or agent.get_username(),
        "sponsor": campaign.programme.sponsor.name,
        "campaign": campaign.name,
        "number": entry.number if entry else "",
    } | _words_of(entry.prospect if entry else None, same)
    return Fiche(entry, next_id, values)


def _words_of(prospect: Prospect | None, same: bool) -> dict[str, str]:
    if prospect is None:
        return {}
    return {
        "organisation": prospect.organisation,
        "person": prospect.person_name,
        "city": prospect.city,
        "origin": prospect.source.spoken_origin if same else "",
    }
