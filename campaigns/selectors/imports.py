"""What pages, API and command read of imports: progress, counts of entries, rejects as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.enums import EntryState, ExclusionReason
from campaigns.models import Campaign, ImportJob, ImportReject, ImportRow, ListEntry
from campaigns.rules.records import Record
from campaigns.rules.tabular import sniff
from campaigns.selectors.criteria import active_criteria, compile_criterion
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
}


def reason_label(reason: str) -> str:
    """The sentence for the code of a reject."""
    return str(REJECT_REASONS.get(reason, reason))


def imports_of(campaign: Campaign) -> QuerySet[ImportJob]:
    """The imports of a campaign, newest first; the file's bytes stay in the database."""
    return campaign.imports.select_related("source", "file", "by").defer("file__content").order_by("-pk")


def progress_of(job: ImportJob) -> int:
    """Percent of the rows that are done, 0 to 100."""
    done = int(job.counts.get("rows", 0))
    if job.finished_at is not None:
        return 100
    return min(99, done * 100 // max(job.total_rows, 1))


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


def rejects_csv(job: ImportJob) -> Iterator[str]:
    """The rejected rows of an import as CSV, in pieces; see `rejects_lines`."""
    headers = sniff(bytes(job.file.content)).headers
    found = ImportReject.objects.filter(job=job).order_by("line")
    return rejects_lines(headers, found.iterator(chunk_size=2_000))


def rejects_lines(headers: Sequence[str], rejects: Iterable[ImportReject | Record]) -> Iterator[str]:
    """Rejected rows as CSV: the file's own columns, then the line number and the reason last.

    `;` between cells and a UTF-8 byte-order mark, as French spreadsheets expect; a cell that a spreadsheet would
    execute is prefixed with an apostrophe (OWASP)."""
    yield BOM + _csv_line([*headers, "ligne", "motif"])
    for reject in rejects:
        cells = reject.cells if isinstance(reject, Record) else reject.row
        yield _csv_line([*_padded(cells, len(headers)), str(reject.line), reason_label(reject.reason)])


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
