"""What pages, API and command read of imports: progress, counts of entries, rejects as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.enums import EntryState, ExclusionReason, ImportPhase, ImportState
from campaigns.models import Campaign, ImportChunk, ImportJob, ImportReject, ImportRow, ListEntry
from campaigns.rules.tabular import Layout, Row, rows, sniff
from campaigns.selectors.criteria import active_criteria, compile_criterion
from campaigns.selectors.import_files import import_limits, open_text
from crm.models import Prospect

BOM = "\ufeff"

#: Why a row was not taken, and what can be done about it.
REJECT_REASONS: dict[str, Any] = {
    "no_number": _("Aucun numéro de téléphone dans la ligne."),
    "invalid_number": _(
        "Le numéro n'existe pas dans le plan de numérotation : il manque ou il y a trop de chiffres."
    ),
    "short_number": _("Numéro court ou d'urgence : il n'appartient pas à une fiche."),
    "premium_number": _("Numéro surtaxé : il n'est jamais composé."),
    "fax_only": _("La ligne n'a qu'un numéro de fax."),
    "damaged_by_spreadsheet": _(
        "Le tableur a arrondi le numéro (notation scientifique) : des chiffres sont perdus, redemandez le fichier."
    ),
    "unclosed_quote": _("Un guillemet ouvert n'est jamais refermé."),
    "cell_too_long": _("Une cellule dépasse 64 Ko."),
    "line_too_long": _("La ligne dépasse 1 Mo."),
    "too_many_cells": _(
        "La ligne a plus de cellules que le fichier n'a de colonnes : un séparateur est en trop."
    ),
    "duplicate": _("Doublon : la même fiche est déjà là, cette ligne n'y a rien ajouté."),
    "duplicate_in_file": _("Doublon d'une ligne du fichier, refusé comme demandé."),
    "duplicate_known": _("La fiche est déjà connue d'un autre fournisseur, refusée comme demandé."),
    "unknown_record": _("La fiche n'est pas connue, et l'import ne fait que mettre à jour."),
}


def reason_label(reason: str) -> str:
    """The sentence for the code of a reject."""
    return str(REJECT_REASONS.get(reason, reason))


def reject_sentence(reject: ImportReject) -> str:
    """Why a row was not taken, with the line that it repeats."""
    sentence = reason_label(reject.reason)
    if reject.reason in ("duplicate", "duplicate_in_file") and reject.value.isdecimal():
        return gettext("%(why)s (ligne %(line)s)") % {"why": sentence, "line": reject.value}
    return sentence


def imports_of(campaign: Campaign) -> QuerySet[ImportJob]:
    """The imports of a campaign, newest first."""
    return campaign.imports.select_related("source", "file", "by").order_by("-pk")


def layout_of(job: ImportJob) -> Layout:
    """Return how the text of an import is read; one of an import of former times is found out again."""
    if not job.layout:
        with open_text(job) as stream:
            return sniff(stream, import_limits())
    lists = {name: tuple(value) for name, value in job.layout.items() if isinstance(value, list)}
    return Layout(**{**job.layout, **lists})


def imports_ahead(job: ImportJob) -> QuerySet[ImportJob]:
    """The running imports that a running one waits for.

    One at a time writes for a sponsor or for a supplier, the one that was started first: two that bring the same person
    must see each other's records. Lists are numbered in the order of the starts."""
    if job.state != ImportState.RUNNING:
        return ImportJob.objects.none()
    near = Q(source=job.source_id) | Q(campaign__programme__sponsor=job.campaign.programme.sponsor_id)
    return ImportJob.objects.filter(near, state=ImportState.RUNNING, call_list__lt=job.call_list_id)


#: How far a row is, of a hundred, when its chunk is to do this phase next.
PHASE_SHARES = {ImportPhase.MATCH: 35, ImportPhase.MERGE: 40, ImportPhase.DONE: 100}


def rows_done(job_id: int) -> int:
    """How many rows would be done if the work on every row were the same."""
    counted = ImportChunk.objects.filter(job=job_id).values_list("phase").annotate(Sum("rows")).order_by()
    return int(sum(PHASE_SHARES.get(ImportPhase(phase), 0) * rows for phase, rows in counted) // 100)


def progress_of(job: ImportJob) -> int:
    """Percent of the work that is done, 0 to 100."""
    if job.finished_at is not None:
        return 100
    return min(99, rows_done(job.pk) * 100 // max(job.total_rows, 1))


def entry_counts(campaign: Campaign, prospect_ids: Sequence[int], bars: Sequence[int]) -> dict[str, Any]:
    """Entries of these prospects in the campaign that are excluded (by reason) and screened out (by criterion).

    `excluded_by_file` are those of the excluded that one of `bars` (exclusions that the file itself made) keeps out.
    """
    return _counted(campaign, Q(prospect__in=list(prospect_ids)), Q(excluded_by__in=list(bars)))


def entry_counts_of_job(job: ImportJob) -> dict[str, Any]:
    """The same for every prospect that a row of the import meant."""
    rows = ImportRow.objects.filter(job=job, prospect=OuterRef("prospect_id"))
    return _counted(job.campaign, Exists(rows), Q(excluded_by__import_ref=job.pk))


def _counted(campaign: Campaign, condition: Q | Exists, by_file: Q) -> dict[str, Any]:
    entries = ListEntry.objects.filter(condition, campaign=campaign).order_by()
    states = dict(entries.values_list("state").annotate(Count("pk")))
    excluded = entries.filter(state=EntryState.EXCLUDED)
    reasons = excluded.values_list("excluded_by__reason").annotate(Count("pk"))
    screened_out = states.get(EntryState.SCREENED_OUT, 0)
    return {
        "excluded": states.get(EntryState.EXCLUDED, 0),
        "excluded_by_file": excluded.filter(by_file).count(),
        "screened_out": screened_out,
        "excluded_by_reason": {reason or ExclusionReason.OTHER.value: count for reason, count in reasons},
        "screened_out_by_criterion": _by_criterion(campaign, entries) if screened_out else [],
    }


def _by_criterion(campaign: Campaign, entries: QuerySet[ListEntry]) -> list[dict[str, Any]]:
    """How many screened-out entries each criterion contradicts; one entry may count under several."""
    criteria = [c for c in active_criteria(campaign.programme) if c.blocking and c.trust_file]
    mine = entries.filter(state=EntryState.SCREENED_OUT, prospect=OuterRef("pk"))
    found = Prospect.objects.filter(Exists(mine)).aggregate(
        **{f"c{c.pk}": Count("pk", filter=compile_criterion(c).contradicts) for c in criteria}
    )
    return [
        {"criterion": c.pk, "question": c.question, "count": found[f"c{c.pk}"]}
        for c in criteria
        if found[f"c{c.pk}"]
    ]


#: The reason of a row that repeats another and was not refused for it: told apart from the rejects.
DUPLICATE = "duplicate"


def rejects_csv(job: ImportJob, *, duplicates: bool = False) -> Iterator[str]:
    """The rejected rows of an import as CSV, in pieces (or its `duplicates`, each with the line that it repeats): the
    file's own columns, then the line number and the reason last. The cells are read from the file again.

    `;` between cells and a UTF-8 byte-order mark, as French spreadsheets expect; a cell that a spreadsheet would
    execute is prefixed with an apostrophe (OWASP)."""
    layout = layout_of(job)
    yield BOM + _csv_line([*layout.headers, "ligne", "motif"])
    found = ImportReject.objects.filter(job=job).order_by("line")
    rejects = found.filter(reason=DUPLICATE) if duplicates else found.exclude(reason=DUPLICATE)
    for reject, row in _with_rows(job, layout, rejects):
        cells = _padded(row.cells, len(layout.headers))
        yield _csv_line([*cells, str(reject.line), reject_sentence(reject)])


def _with_rows(
    job: ImportJob, layout: Layout, rejects: QuerySet[ImportReject]
) -> Iterator[tuple[ImportReject, Row]]:
    """Each reject with the row of the file that it speaks of."""
    waiting = rejects.iterator(chunk_size=2_000)
    reject = next(waiting, None)
    with open_text(job) as stream:
        for row in rows(stream, layout, limits=import_limits()):
            if reject is None:
                return
            if row.line == reject.line:
                yield reject, row
                reject = next(waiting, None)


def _padded(cells: Sequence[str], width: int) -> list[str]:
    """As many cells as there are columns; what is beyond them goes on in the last one, so that nothing is lost."""
    if len(cells) <= width:
        return [*cells, *[""] * (width - len(cells))]
    return [*cells[: width - 1], ";".join(cells[width - 1 :])]


def _csv_line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=";", lineterminator="\r\n").writerow([formula_safe(cell) for cell in cells])
    return buffer.getvalue()


def formula_safe(cell: str) -> str:
    """A cell that no spreadsheet executes: `=`, `+`, `-`, `@`, TAB, CR, LF and NUL at its start get an apostrophe."""
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "\0") else cell
