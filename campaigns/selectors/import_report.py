"""An import as its page shows it: what it will do or did, in words and counts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.enums import ExclusionReason, ImportState
from campaigns.models import ImportJob, ImportReject
from campaigns.rules.formats import REMARKS
from campaigns.selectors.import_progress import is_under_way
from campaigns.selectors.import_quality import share
from campaigns.selectors.imports import reason_label

#: How many rows are shown for each reason.
EXAMPLES = 3

#: What becomes of the rows; each row counts once.
OUTCOMES: tuple[tuple[str, Any], ...] = (
    ("created", gettext_lazy("fiches créées")),
    ("updated", gettext_lazy("mises à jour")),
    ("unchanged", gettext_lazy("inchangées")),
    ("duplicates", gettext_lazy("doublons dans le fichier")),
    ("rejected", gettext_lazy("rejetées")),
)
#: What that means for the campaign's list; the same record may count twice.
FIGURES: tuple[tuple[str, Any], ...] = (
    ("excluded_before", gettext_lazy("déjà exclues ici")),
    ("excluded_by_file", gettext_lazy("exclues par le fichier")),
    ("screened_out", gettext_lazy("hors-critères sur papier")),
)
QUALITY: tuple[tuple[str, Any], ...] = (
    ("valid", gettext_lazy("avec un numéro valide")),
    ("possible", gettext_lazy("avec un numéro possible, d'une tranche non attribuée")),
    ("repaired", gettext_lazy("réparées")),
    ("placeholders", gettext_lazy("avec un numéro bouche-trou, comme 0123456789")),
    ("foreign", gettext_lazy("dans un autre encodage que le fichier")),
)
CONSENTS: tuple[tuple[str, Any], ...] = (
    ("given", gettext_lazy("consentements donnés")),
    ("unproved", gettext_lazy("consentements sans date lisible : gardés, mais sans effet")),
    ("withdrawn", gettext_lazy("consentements retirés par le fichier")),
    ("kept_withdrawn", gettext_lazy("retraits antérieurs, maintenus contre le fichier")),
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
    "other_delimiter": gettext_lazy("ligne coupée à un autre séparateur que le fichier"),
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
class Bar:
    """An outcome: its code, words, rows and share of all rows in percent (as text); where its bar starts and how wide
    it is, of 1,000."""

    code: str
    label: Any
    count: int
    share: str
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """A reason for refusing rows: its sentence, how many, and the first of them."""

    sentence: str
    count: int
    examples: Sequence[ImportReject]


@dataclass(frozen=True, slots=True)
class Report:
    """What the page of an import says once it is previewed or over.

    `known`: there is something to say. `outcomes` share out the `rows`; `figures`, `quality` and `consents` are (code,
    words, count), `excluded` and `screened` (words, count), `repairs` with up to three [before, after] examples,
    `frequent` numbers with their rows. `warnings` are sentences to read before anything else. `rate`: rows per second,
    0 before the run. `undoable`: an undo may be asked for. `partial`: it was stopped, the counts are of what was
    written.
    """

    known: bool
    under_way: bool
    delimiter: str
    rows: int
    outcomes: Sequence[Bar]
    figures: Sequence[tuple[str, Any, int]]
    quality: Sequence[tuple[str, Any, int]]
    consents: Sequence[tuple[str, Any, int]]
    warnings: Sequence[str]
    rejected: Sequence[Rejected]
    excluded: Sequence[tuple[Any, int]]
    screened: Sequence[tuple[str, int]]
    repairs: Sequence[tuple[Any, int, Sequence[Sequence[str]]]]
    frequent: Sequence[Sequence[Any]]
    rejects_count: int
    duplicates_count: int
    seconds: float
    rate: int
    partial: bool
    undoable: bool


def report(job: ImportJob) -> Report:
    """Return what the page of an import says."""
    partial = job.state in (ImportState.CANCELLED, ImportState.FAILED) and job.call_list_id is not None
    counts = _counts(job, partial)
    known = "rows" in counts
    excluded_before = counts.get("excluded", 0) - counts.get("excluded_by_file", 0)
    rows = int(counts.get("rows", 0))
    seconds = float(counts.get("seconds", 0))
    return Report(
        known=known,
        under_way=is_under_way(job),
        delimiter=delimiter_words(job),
        rows=rows,
        outcomes=bars_of(counts) if known else [],
        figures=_told(FIGURES, counts | {"excluded_before": excluded_before})
        if known and not partial
        else [],
        quality=[line for line in _told(QUALITY, counts.get("quality", {})) if line[2]],
        consents=[line for line in _told(CONSENTS, counts.get("consents", {})) if line[2]],
        warnings=_warnings(job, counts),
        rejected=_rejected(job, counts),
        excluded=[(_exclusion(code), count) for code, count in _sorted(counts.get("excluded_by_reason"))],
        screened=[(item["question"], item["count"]) for item in counts.get("screened_out_by_criterion", [])],
        repairs=[
            (REPAIRS.get(code, code), item["count"], item["examples"])
            for code, item in counts.get("repairs", {}).items()
        ],
        frequent=counts.get("frequent", []),
        rejects_count=int(counts.get("rejected", 0)),
        duplicates_count=int(counts.get("duplicates", 0)),
        seconds=seconds,
        rate=rate_of(job),
        partial=partial,
        undoable=job.call_list_id is not None
        and job.state in (ImportState.DONE, ImportState.CANCELLED, ImportState.FAILED),
    )


def rate_of(job: ImportJob) -> int:
    """Rows per second of a finished import, 0 for another one."""
    seconds = float(job.counts.get("seconds") or 0)
    return round(int(job.counts.get("rows", 0)) / seconds) if seconds else 0


def delimiter_words(job: ImportJob) -> str:
    """How the file parts its cells, in words."""
    return str(DELIMITERS.get(job.delimiter, job.delimiter)) or _("aucun")


def _counts(job: ImportJob, partial: bool) -> dict[str, Any]:
    """What is known: by the preview, the finished import, or what a stopped one had written."""
    if partial:
        return _written(job)
    return dict(job.preview if job.state == ImportState.UPLOADED else job.counts)


def _written(job: ImportJob) -> dict[str, Any]:
    """Add up the chunks that a stopped import had written."""
    counts: dict[str, Any] = dict.fromkeys(("rows", *dict(OUTCOMES)), 0)
    reasons: Counter[str] = Counter()
    for written in job.chunks.filter(counts__isnull=False).values_list("counts", flat=True):
        told: dict[str, Any] = written or {}
        for name in counts:
            counts[name] += told.get(name, 0)
        reasons.update(told.get("rejected_by_reason", {}))
    return {**counts, "rejected_by_reason": dict(reasons)}


def _told(names: Sequence[tuple[str, Any]], counts: Mapping[str, Any]) -> list[tuple[str, Any, int]]:
    return [(code, label, int(counts.get(code, 0))) for code, label in names]


def bars_of(counts: Mapping[str, Any]) -> list[Bar]:
    """The outcomes of `counts` one behind the other; none that counts a row is invisible."""
    rows, bars, before = int(counts["rows"]), list[Bar](), 0
    for code, label, count in _told(OUTCOMES, counts):
        width = max(round(count * 1000 / rows), 4) if count else 0
        start = min(round(before * 1000 / rows), 1000 - width) if rows else 0
        bars.append(Bar(code, label, count, share(count, rows), start, width))
        before += count
    return bars


def _warnings(job: ImportJob, counts: Mapping[str, Any]) -> list[str]:
    """What a person must know of a file before anything else."""
    found = [str(REMARKS[code]) for code in job.layout.get("remarks", []) if code in REMARKS]
    over = job.state == ImportState.UNDONE or not counts.get("rows")
    return found if over else [*_verdict(counts), *found]


def _verdict(counts: Mapping[str, Any]) -> list[str]:
    if counts["rejected"] >= counts["rows"]:
        return [
            _(
                "Toutes les lignes sont rejetées : les motifs ci-dessous disent pourquoi. La colonne du numéro "
                "est-elle la bonne ?"
            )
        ]
    if counts["created"] or counts["updated"]:
        return []
    return [_("Aucune fiche nouvelle ni changée : c'est sans doute un fichier déjà importé.")]


def _rejected(job: ImportJob, counts: Mapping[str, Any]) -> list[Rejected]:
    reasons = _sorted(counts.get("rejected_by_reason"))
    examples = _examples(job, dict(reasons)) if reasons else {}
    return [Rejected(reason_label(code), count, examples.get(code, ())) for code, count in reasons]


def _examples(job: ImportJob, reasons: Iterable[str]) -> dict[str, list[ImportReject]]:
    """The first rows that were refused for each of the reasons. One query, which looks no further than it must."""
    refused = ImportReject.objects.filter(job=job).order_by("line")
    first, *others = [refused.filter(reason=reason)[:EXAMPLES] for reason in reasons]
    found: dict[str, list[ImportReject]] = {}
    for reject in sorted(first.union(*others, all=True) if others else first, key=lambda row: row.line):
        found.setdefault(reject.reason, []).append(reject)
    return found


def _sorted(counts: dict[str, int] | None) -> list[tuple[str, int]]:
    return sorted((counts or {}).items(), key=lambda item: -item[1])


def _exclusion(code: str) -> Any:
    return dict(ExclusionReason.choices).get(code, code)
