"""The quality of the lists that each supplier delivered: what its imports found, added up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from campaigns.enums import ImportState
from campaigns.models import ImportJob
from crm.models import Source

#: Imports that were carried through; one that was undone was delivered all the same.
TOLD = (ImportState.DONE, ImportState.UNDONE)
#: How many imports a page lists; the total counts them all.
LISTED = 50


@dataclass(frozen=True, slots=True)
class Quality:
    """Rows of one or more imports: how many, and how many of them had a valid number, only possible ones, were
    repaired, held a placeholder, repeated another or were refused. An import of former times does not tell it all."""

    rows: int = 0
    valid: int = 0
    possible: int = 0
    repaired: int = 0
    placeholders: int = 0
    foreign: int = 0
    duplicates: int = 0
    rejected: int = 0
    imports: int = 0

    def __add__(self, other: "Quality") -> "Quality":
        return Quality(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    @property
    def shares(self) -> dict[str, str]:
        """Each count in percent of the rows, in words: "<1", "12", ">99"."""
        return {name: share(getattr(self, name), self.rows) for name in self.__slots__}

    @property
    def is_poor(self) -> bool:
        """More than a fifth of the rows could not be used."""
        return self.rows > 0 and (self.rejected + self.duplicates) * 5 > self.rows


@dataclass(frozen=True, slots=True)
class Supplied:
    """What a supplier delivered: the last imports with the quality of each, and of all of them."""

    source: Source
    total: Quality = field(default_factory=Quality)
    imports: tuple[tuple[ImportJob, Quality], ...] = ()


def share(part: int, whole: int) -> str:
    """A count in percent of another, never rounded to nothing or to everything."""
    if not whole or not part:
        return "0"
    if part * 100 < whole:
        return "<1"
    return ">99" if part < whole and part * 100 > whole * 99 else str(round(part * 100 / whole))


def quality_of(counts: Mapping[str, Any]) -> Quality:
    """Return the quality that an import's `counts` (or `preview`) tell; a part that is missing is 0."""
    found = counts.get("quality") or {}
    names = ("valid", "possible", "repaired", "placeholders", "foreign")
    told = {name: int(found.get(name, 0)) for name in names}
    rows = {name: int(counts.get(name, 0)) for name in ("rows", "duplicates", "rejected")}
    return Quality(**told, **rows, imports=1)


def quality_of_source(source: Source, jobs: QuerySet[ImportJob]) -> Supplied:
    """What a supplier delivered by those of `jobs` that were carried through. Two queries."""
    mine = jobs.filter(source=source, state__in=TOLD)
    total = sum(map(quality_of, mine.values_list("counts", flat=True)), Quality())
    listed = (
        mine.select_related("file", "campaign").defer("preview", "mapping", "layout").order_by("-pk")[:LISTED]
    )
    return Supplied(source, total, tuple((job, quality_of(job.counts)) for job in listed))


def quality_by_source(sources: Iterable[Source], jobs: QuerySet[ImportJob]) -> list[Supplied]:
    """What each of the suppliers delivered that delivered anything, the worst first. Two queries."""
    totals: dict[int, Quality] = {}
    for pk, counts in jobs.filter(state__in=TOLD).values_list("source", "counts"):
        totals[pk] = totals.get(pk, Quality()) + quality_of(counts)
    found = [Supplied(source, totals[source.pk]) for source in sources if source.pk in totals]
    return sorted(found, key=lambda one: (-_unusable(one.total), one.source.name))


def _unusable(quality: Quality) -> float:
    return (quality.rejected + quality.duplicates) / quality.rows if quality.rows else 0.0
