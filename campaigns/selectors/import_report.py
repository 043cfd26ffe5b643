"""An import as its page shows it: what it will do, is doing or did, in words and counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.enums import ExclusionReason, ImportState
from campaigns.models import ImportJob, ImportReject
from campaigns.selectors.imports import DUPLICATE, progress_of, reason_label, reject_sentence, rows_done

#: Without a sign of life for so long, the page says that nobody works on it.
SILENT_AFTER = timedelta(seconds=20)
EXAMPLES = 20

FIGURES: tuple[tuple[str, Any], ...] = (
    ("rows", gettext_lazy("lignes lues")),
    ("created", gettext_lazy("fiches créées")),
    ("updated", gettext_lazy("mises à jour")),
    ("unchanged", gettext_lazy("inchangées")),
    ("duplicates", gettext_lazy("doublons dans le fichier")),
    ("rejected", gettext_lazy("rejetées")),
    ("excluded_before", gettext_lazy("déjà exclues ici")),
    ("excluded_by_file", gettext_lazy("exclues par le fichier")),
    ("screened_out", gettext_lazy("hors-critères sur papier")),
)
REPAIRS: dict[str, Any] = {
    "leading_zero": gettext_lazy("zéro de tête rétabli"),
    "trunk_zero": gettext_lazy("« (0) » retiré"),
    "double_zero": gettext_lazy("00 lu comme +"),
    "missing_plus": gettext_lazy("+ rétabli"),
    "separators": gettext_lazy("séparateurs retirés"),
    "exotic_space": gettext_lazy("espaces insécables retirées"),
    "invisible_characters": gettext_lazy("caractères invisibles retirés"),
    "apostrophe": gettext_lazy("apostrophe de tableur retirée"),
    "foreign_digits": gettext_lazy("chiffres d'une autre écriture lus"),
    "letter_for_digit": gettext_lazy("lettre lue comme un chiffre"),
    "spreadsheet_text": gettext_lazy("écriture de tableur retirée"),
    "scientific_notation": gettext_lazy("notation scientifique développée"),
    "decimal": gettext_lazy("décimale de tableur retirée"),
    "several_numbers": gettext_lazy("plusieurs numéros dans une cellule"),
    "extension": gettext_lazy("poste séparé du numéro"),
    "words": gettext_lazy("mots séparés du numéro"),
    "overseas": gettext_lazy("numéro lu comme ultramarin"),
    "stray_plus": gettext_lazy("+ en trop retiré"),
    "damaged_id": gettext_lazy("identifiant abîmé par le tableur, laissé de côté"),
    "shortened": gettext_lazy("valeur trop longue, raccourcie"),
    "other_encoding": gettext_lazy("ligne lue dans un autre encodage que le fichier"),
    "consent_date_unreadable": gettext_lazy("date de consentement illisible ou à venir, laissée de côté"),
    "postal_code_zero": gettext_lazy("zéro de tête du code postal rétabli"),
}
DELIMITERS = {
    "\t": gettext_lazy("tabulation"),
    ";": gettext_lazy("point-virgule"),
    ",": gettext_lazy("virgule"),
    "|": gettext_lazy("barre verticale"),
}


@dataclass(frozen=True, slots=True)
class Report:
    """What the page of an import says.

    `figures` are (code, label, count), empty while a preview is not ready; the other lists are (words, count),
    `repairs` with up to three [before, after] examples. `silent`: nobody has worked on it for a while. `undoable`: an
    undo may be asked for.
    """

    under_way: bool
    silent: bool
    percent: int
    done: int
    delimiter: str
    figures: Sequence[tuple[str, Any, int]]
    nothing_new: bool
    nothing_usable: bool
    rejected: Sequence[tuple[str, int]]
    excluded: Sequence[tuple[Any, int]]
    screened: Sequence[tuple[str, int]]
    repairs: Sequence[tuple[Any, int, Sequence[Sequence[str]]]]
    examples: Sequence[tuple[Any, str]]
    rejects_count: int
    undoable: bool


def is_under_way(job: ImportJob) -> bool:
    """Tell whether a preview or a run is not finished."""
    if job.state == ImportState.UPLOADED:
        return "rows" not in job.preview
    return job.state == ImportState.RUNNING


def report(job: ImportJob, at: datetime) -> Report:
    """Return what the page of an import says at a moment."""
    before = job.state == ImportState.UPLOADED
    counts = job.preview if before else job.counts
    known = "rows" in counts
    figures = counts | {"excluded_before": counts.get("excluded", 0) - counts.get("excluded_by_file", 0)}
    return Report(
        under_way=is_under_way(job),
        silent=_is_silent(job, at),
        percent=progress_of(job),
        done=rows_done(job.pk) if is_under_way(job) else int(counts.get("rows", 0)),
        delimiter=str(DELIMITERS.get(job.delimiter, job.delimiter)) or _("aucun"),
        figures=[(code, label, int(figures.get(code, 0))) for code, label in FIGURES] if known else [],
        nothing_new=known and not counts["created"] and not counts["updated"] and counts["rows"] > 0,
        nothing_usable=known and 0 < counts["rows"] <= counts["rejected"],
        rejected=[(reason_label(code), count) for code, count in _sorted(counts.get("rejected_by_reason"))],
        excluded=[(_exclusion(code), count) for code, count in _sorted(counts.get("excluded_by_reason"))],
        screened=[(item["question"], item["count"]) for item in counts.get("screened_out_by_criterion", [])],
        repairs=[
            (REPAIRS.get(code, code), item["count"], item["examples"])
            for code, item in counts.get("repairs", {}).items()
        ],
        examples=_examples(job),
        rejects_count=int(counts.get("rejected", 0)),
        undoable=job.state in (ImportState.DONE, ImportState.CANCELLED, ImportState.FAILED),
    )


def _sorted(counts: dict[str, int] | None) -> list[tuple[str, int]]:
    return sorted((counts or {}).items(), key=lambda item: -item[1])


def _exclusion(code: str) -> Any:
    return dict(ExclusionReason.choices).get(code, code)


def _examples(job: ImportJob) -> list[tuple[ImportReject, str]]:
    """Return the first rows that are not taken."""
    rows = ImportReject.objects.filter(job=job).exclude(reason=DUPLICATE).order_by("line")
    return [(row, reject_sentence(row)) for row in rows[:EXAMPLES]]


def _is_silent(job: ImportJob, at: datetime) -> bool:
    if not is_under_way(job):
        return False
    since = (
        job.chunks.aggregate(last=Max("done_at"))["last"] or job.phase_at or job.started_at or job.created_at
    )
    return at - since > SILENT_AFTER
