"""Any bytes as a file: refused with a sentence, or imported with every row accounted for; never another exception."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from campaigns.enums import ImportState
from campaigns.models import ImportJob, ImportReject, ImportRow
from campaigns.rules.import_options import CHOICES
from campaigns.rules.tabular import UnreadableFile, rows
from campaigns.selectors.import_files import import_limits, open_text
from campaigns.selectors.imports import layout_of, rejects_csv
from campaigns.services import import_work
from campaigns.services.imports import preview_import
from tests.importing import COUNTED, Desk, check

pytestmark = pytest.mark.django_db

#: More files than a test run needs.
EXAMPLES = int(os.environ.get("COURTOIS_EXAMPLES", "15"))
often = trying(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(import_work, "CHUNK_ROWS", 3)
    return Desk()


def bring_in(desk: Desk, content: bytes, **options: Any) -> ImportJob | None:
    """Preview and import a file and check what holds of every import; None when it is refused. Leaves nothing."""
    with transaction.atomic():
        try:
            trial = desk.upload(content, **options)
        except UnreadableFile:
            transaction.set_rollback(True)
            return None
        preview = preview_import(job=trial, by=desk.manager, at=trial.created_at)
        job = desk.bring_in(content, **options)
        every_row_is_told(job)
        same = (*COUNTED, "excluded", "screened_out")
        assert {name: preview[name] for name in same} == {name: job.counts[name] for name in same}
        transaction.set_rollback(True)
    return job


def every_row_is_told(job: ImportJob) -> None:
    """Each data row of the file, and no other line, has an outcome; rejects can be written out."""
    check(job)
    with open_text(job) as stream:
        lines = {row.line for row in rows(stream, layout_of(job), limits=import_limits())}
    told = set(ImportRow.objects.filter(job=job).values_list("line", flat=True))
    told |= set(ImportReject.objects.filter(job=job).values_list("line", flat=True))
    assert told == lines
    "".join(rejects_csv(job)).encode()


# ---- any bytes


@given(content=st.binary(max_size=400))
@example(b"")
@example(b"\x00" * 50)
@example(b"\xff\xfe\x00\xd8;\x00\n\x00")
@example(b"\xef\xbb\xbf;\n;\n")
@example(b'"\n"\n"')
@example(b"a;b\r\r\n\r1;2")
@example(b"Tel\n\xa01\n")
@often
def test_any_bytes_are_refused_or_imported(desk: Desk, content: bytes) -> None:
    bring_in(desk, content)


#: Pieces of which lists are made, in good and in bad order.
PIECES = [
    *(b";", b",", b"\t", b"|", b"\n", b"\r\n", b"\r", b'"', b'""', b"\\", b"'", b"=", b" ", b"\x00", b"\xa0"),
    *(
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xc3\xa9",
        b"\xe9",
        b"\xed\xa0\x80",
        b"\xe2\x80\xae",
        b"\xf0\x9f\x98\x80",
        b"\x85",
        b"\x1a",
    ),
    *(
        b"SIRET;Nom;Tel\n",
        b"Nom,Phone\n",
        b"sep=;\n",
        b"1;Alpha;0199001001\n",
        b"1;Beta;0199001002\n",
        b";;0199001001\n",
    ),
    *(
        b"0199001003",
        b"3,3E+10",
        b"0639981234 / 0199001004",
        b"oui",
        b"24/12/2026",
        b"PK\x03\x04",
        b"NaN",
        b"\\N",
        b"{}",
        b"%s%(a)s",
    ),
]


@given(
    content=st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join),
    repeated=st.sampled_from(CHOICES["repeated"]),
    blank=st.sampled_from(CHOICES["blank"]),
)
@often
def test_lists_that_are_torn_to_pieces_are_refused_or_imported(
    desk: Desk, content: bytes, repeated: str, blank: str
) -> None:
    bring_in(desk, b"SIRET;Nom;Tel\n" + content, repeated=repeated, blank=blank)


# ---- tables of any text

CELLS = st.one_of(
    st.text(max_size=30),
    st.text(st.characters(categories=["Cc", "Cf", "Zs", "Zl", "Zp", "Co"]), max_size=8),
    st.sampled_from(
        [
            "0199001001",
            "01 99 00 10 02 / 06 39 98 10 02",
            "15",
            "=1+1",
            "\x00",
            "\u202e",
            "oui",
            "\\",
            "\\.",
            "{}",
            "NULL",
        ]
    ),
)
HEADERS = [
    "SIRET",
    "Raison sociale",
    "Ville",
    "Téléphone",
    "Ne pas appeler",
    "Consentement",
    "Remarque maison",
]


def written(table: list[list[str]], delimiter: str, encoding: str) -> bytes:
    """A list as a careful program writes it: every cell in quotes."""
    lines = [
        delimiter.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in [HEADERS, *table]
    ]
    return ("\r\n".join(lines) + "\r\n").encode(encoding, "replace")


@given(
    table=st.lists(st.lists(CELLS, min_size=7, max_size=7), min_size=1, max_size=8),
    delimiter=st.sampled_from(";,\t|"),
    encoding=st.sampled_from(
        ["utf-8", "utf-8-sig", "cp1252", "latin-1", "iso8859-15", "utf-16", "utf-16-le"]
    ),
    mode=st.sampled_from(CHOICES["mode"]),
    repeated=st.sampled_from(CHOICES["repeated"]),
    among=st.sampled_from(CHOICES["among"]),
)
@often
def test_whatever_the_cells_hold_every_row_is_accounted_for(
    desk: Desk, table: list[list[str]], delimiter: str, encoding: str, mode: str, repeated: str, among: str
) -> None:
    desk.bring_in("SIRET;Raison sociale;Téléphone\n0199001001;Alpha;0199001001\n")

    bring_in(desk, written(table, delimiter, encoding), mode=mode, repeated=repeated, among=among)


# ---- nasty ones, each by name


def long_row(cell: str) -> bytes:
    return f"SIRET;Nom;Tel\n1;{cell};0199001001\n2;Bêta;0199001002\n".encode("utf-8", "surrogatepass")


NASTY: dict[str, bytes] = {
    "NUL characters": long_row("Al\x00pha\x00"),
    "lone surrogates": long_row("Al\ud800pha"),
    "a cell at the limit": long_row("x" * 65_536),
    "a cell past the limit": long_row("x" * 65_537),
    "nothing but quotes": long_row('"' * 301),
    "a quote that is never closed": long_row('"Alpha'),
    "right to left": long_row("\u202eahpla\u202c\u2066"),
    "backslashes as COPY has them": long_row("\\N\\.\\t\\n\\\\"),
    "a vertical tab and form feed": long_row("Al\x0bpha\x0c\x1c\x1d\x85"),
    "separators of lines": long_row("Al\u2028pha\u2029"),
    "placeholders": long_row("%s %(line)s {stage} $1 ${x}"),
    "JSON": long_row('{"a": [1, null]}\\u0000'),
    "a name in every letter": long_row(
        "".join(map(chr, range(33, 59))) + "".join(map(chr, range(60, 1_200)))
    ),
    "a line of commas": long_row("," * 3_000),
}


@pytest.mark.parametrize("content", NASTY.values(), ids=NASTY.keys())
def test_nasty_cells_cost_their_own_row_at_most(desk: Desk, content: bytes) -> None:
    job = bring_in(desk, content)

    assert job is not None
    assert job.state == ImportState.DONE
    assert job.counts["rows"] == 2
    assert job.counts["created"] >= 1


@pytest.mark.parametrize("columns", [499, 500, 501, 5_000])
def test_of_very_many_columns_the_limit_is_said(desk: Desk, columns: int) -> None:
    headers = ";".join(["Tel", *(f"c{n}" for n in range(columns - 1))])
    line = ";".join(["0199001001", *("x" * (columns - 1))])

    job = bring_in(desk, f"{headers}\n{line}\n".encode())

    assert (job is not None) == (columns <= 500)


def test_an_external_id_longer_than_any_is_told(desk: Desk) -> None:
    job = bring_in(
        desk, f"SIRET;Nom;Tel\n{'9' * 5_000};Alpha;0199001001\n{'9' * 5_000};B;0199001002\n".encode()
    )

    assert job is not None
