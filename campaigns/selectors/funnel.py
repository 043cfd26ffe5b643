"""The funnel of a campaign: imported → callable → reached → in criteria → completed, and what is lost between them.

Each stage holds the next one. Every number is a condition on the list, so that its link shows exactly those entries.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from campaigns.enums import IN_PLAY, EntryState, Gate, Progress
from campaigns.rules.gate import sentence
from campaigns.selectors.queue import Group

#: How far an entry has come, for each stage that is asked of its conversations.
FROM_REACHED = frozenset({Progress.REACHED, Progress.IN_CRITERIA, Progress.COMPLETED})
FROM_IN_CRITERIA = frozenset({Progress.IN_CRITERIA, Progress.COMPLETED})

#: The code of the disposition that a mismatch stores.
OUT_OF_CRITERIA = "out_of_criteria"
#: The code of the one that says by its name that they are called again.
CALLBACK = "callback"

#: The stages by their code in addresses, with what each of them says.
STAGES: dict[str, tuple[Any, Any]] = {
    "imported": (gettext_lazy("Importées"), gettext_lazy("Toutes les fiches de la liste.")),
    "callable": (
        gettext_lazy("Appelables"),
        gettext_lazy("Déjà appelées, ou dans la file : ni exclues ni hors-critères avant le premier appel."),
    ),
    "reached": (gettext_lazy("Jointes"), gettext_lazy("Une personne a parlé.")),
    "in_criteria": (
        gettext_lazy("Dans les critères"),
        gettext_lazy("Au dernier entretien, la personne remplit les critères."),
    ),
    "completed": (gettext_lazy("Abouties"), gettext_lazy("Entretien complet ou rendez-vous pris.")),
}


@dataclass(frozen=True, slots=True)
class Loss:
    """Entries that did not come further: why, how many, their query. `is_open`: their time may still come."""

    label: str
    count: int
    query: str
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: its name and meaning, how many entries reached it, their query, and those that came no further.

    `percent` is its share of what was imported, `of_previous` of the stage before (null for the first); `width` lies
    between 0 and 1,000.
    """

    code: str
    label: str
    meaning: str
    count: int
    query: str
    percent: int
    of_previous: int | None
    width: int
    losses: Sequence[Loss] = field(default_factory=list)
    #: The width of the stage that follows, its own for the last.
    narrows_to: int = 0

    @property
    def lost(self) -> int:
        """How many came no further for good."""
        return sum(loss.count for loss in self.losses if not loss.is_open)

    @property
    def open(self) -> int:
        """How many may still come further."""
        return sum(loss.count for loss in self.losses if loss.is_open)


def stage_q(code: str) -> Q:
    """Return the condition of a stage of the funnel; every entry for "imported" and for what is no stage.

    `callable` is what passed the gate once, or still may: it was called, or it never was and is in play. An entry that
    was excluded, screened out, exhausted or taken out before its first call is not.
    """
    return {
        "callable": ~Q(progress="") | Q(state__in=sorted(IN_PLAY)),
        "reached": Q(progress__in=sorted(FROM_REACHED)),
        "in_criteria": Q(progress__in=sorted(FROM_IN_CRITERIA)),
        "completed": Q(progress=Progress.COMPLETED),
    }.get(code, Q())


def _stages_of(group: Group) -> set[str]:
    """Return the stages that the entries of a group reached, as `stage_q` has them."""
    conditions = {
        "imported": True,
        "callable": group.progress != "" or group.state in IN_PLAY,
        "reached": group.progress in FROM_REACHED,
        "in_criteria": group.progress in FROM_IN_CRITERIA,
        "completed": group.progress == Progress.COMPLETED,
    }
    return {code for code, holds in conditions.items() if holds}


def funnel_of(groups: Iterable[Group]) -> list[Stage]:
    """Return the stages of a campaign out of the groups of its list, first to last."""
    counts = dict.fromkeys(STAGES, 0)
    losses: dict[str, dict[tuple[str, str, bool], int]] = {code: {} for code in STAGES}
    for group in groups:
        reached = _stages_of(group)
        for code in reached:
            counts[code] += group.entries
        last = next(code for code in reversed(STAGES) if code in reached)
        if last != "completed":
            key = _loss_of(group)
            losses[last][key] = losses[last].get(key, 0) + group.entries
    found: list[Stage] = []
    for code, (label, meaning) in STAGES.items():
        before = found[-1].count if found else None
        found.append(
            Stage(
                code=code,
                label=str(label),
                meaning=str(meaning),
                count=counts[code],
                query=urlencode({"stage": code}),
                percent=_share(counts[code], counts["imported"], 100),
                of_previous=None if before is None else _share(counts[code], before, 100),
                width=_share(counts[code], counts["imported"], 1000),
                losses=_losses(losses[code]),
            )
        )
    widths = [stage.width for stage in found[1:]] + [found[-1].width]
    return [replace(stage, narrows_to=width) for stage, width in zip(found, widths, strict=True)]


def _share(part: int, whole: int, scale: int) -> int:
    return round(scale * part / whole) if whole else 0


def _losses(counts: dict[tuple[str, str, bool], int]) -> list[Loss]:
    rows = [Loss(label, count, query, is_open) for (label, query, is_open), count in counts.items()]
    return sorted(rows, key=lambda loss: (not loss.is_open, -loss.count, loss.label))


def _loss_of(group: Group) -> tuple[str, str, bool]:
    """Return why entries came no further, in words; the query that shows them; whether they still may."""
    if group.progress:
        waits = group.state in IN_PLAY
        query = {"progress": group.progress, "outcome": group.outcome, "play": "yes" if waits else "no"}
        return _outcome_words(group, waits), urlencode(query), waits
    if group.state in IN_PLAY:
        return _("Pas encore appelées"), urlencode({"progress": "-", "play": "yes"}), True
    query = {"progress": "-", "state": group.state, "gate": group.gate or "-", "reason": group.reason or "-"}
    if group.state == EntryState.EXHAUSTED and group.gate in ("", Gate.ATTEMPTS):
        query = {"progress": "-", "state": group.state, "gate": Gate.ATTEMPTS.value}
        return _("Toutes les tentatives permises sont faites"), urlencode(query), False
    if group.state == EntryState.DONE:
        return _("Retirées de la liste"), urlencode({"progress": "-", "state": group.state}), False
    return sentence(group.gate, group.reason).rstrip("."), urlencode(query), False


def _outcome_words(group: Group, waits: bool) -> str:
    english = (get_language() or "").startswith("en")
    label = group.label_en if english and group.label_en else group.label
    if waits and group.outcome == OUT_OF_CRITERIA:
        # Only a decision brings such an entry back: no rule calls it again.
        return _("%(label)s, rouvertes par une décision") % {"label": label}
    if group.outcome == CALLBACK:
        return label
    return _("%(label)s, à rappeler") % {"label": label} if waits else label
