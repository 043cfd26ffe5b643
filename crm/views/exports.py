"""Lists as files: streamed, safe for spreadsheets, and told in the log with who took how many."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse

from crm.models import User
from crm.rules.sheets import BOM, sheet_line

M = TypeVar("M", bound=Model)

logger = logging.getLogger(__name__)
#: Rows that are read at once; a file of a million holds the memory of as many.
CHUNK = 2_000


def sheet_answer(
    name: str,
    titles: Iterable[Any],
    rows: QuerySet[M],
    cells: Callable[[M], Iterable[Any]],
    *,
    by: User,
) -> StreamingHttpResponse:
    """Answer with `rows` as `<name>.csv`, in the order of their ids: a line of `titles`, then the `cells` of each."""
    lines = _lines(name, titles, rows, cells, by)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def text_answer(name: str, pieces: Iterable[str]) -> StreamingHttpResponse:
    """Answer with a text, in pieces, as `<name>.txt`: for a program, not for a spreadsheet."""
    encoded = (piece.encode() for piece in pieces)
    answer = StreamingHttpResponse(encoded, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.txt"'
    answer["Cache-Control"] = "no-store"
    return answer


def _lines(
    name: str, titles: Iterable[Any], rows: QuerySet[M], cells: Callable[[M], Iterable[Any]], by: User
) -> Iterator[str]:
    yield BOM + sheet_line(titles)
    last, count = 0, 0
    try:
        while chunk := list(rows.filter(pk__gt=last).order_by("pk")[:CHUNK]):
            for row in chunk:
                yield sheet_line(cells(row))
                count += 1
            last = chunk[-1].pk
    finally:
        # Told as well when the download was broken off.
        logger.info("export %s: %d rows sent to user %s", name, count, by.pk)
