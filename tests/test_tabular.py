"""Files as people send them: what is told from their bytes, and what is refused with a sentence."""

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.rules.tabular import Layout, Limits, Place, Row, UnreadableFile, places, rows, sniff

TEXT = (
    "Société;Contact;Téléphone;CP\r\n"
    "Banque de l’Été;Zoé Lefèvre;01 99 00 12 34;45000\r\n"
    "Crèche Noël;Maïté Çelik;02 61 91 00 10;57000\r\n"
)


def read(content: bytes) -> tuple[Layout, list[Row]]:
    layout = sniff(content)
    return layout, list(rows(content, layout))


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (b"\xef\xbb\xbf" + TEXT.encode(), "utf-8"),
        (b"\xef\xbb\xbf\xef\xbb\xbf" + TEXT.encode(), "utf-8"),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("cp1252"), "cp1252"),
        (TEXT.replace("’", "'").encode("latin-1"), "cp1252"),
        (TEXT.replace("’", "'").replace("Noël", "Cœur").encode("iso8859-15"), "iso8859-15"),
        (TEXT.replace("\r\n", "\r").encode("mac-roman"), "mac-roman"),
    ],
)
def test_no_accent_is_lost_whatever_the_encoding(content: bytes, encoding: str) -> None:
    layout, (first, second) = read(content)

    assert layout.encoding == encoding
    assert layout.headers == ("Société", "Contact", "Téléphone", "CP")
    assert first.cells[0].replace("'", "’") == "Banque de l’Été"
    assert second.cells[1] == "Maïté Çelik"
    assert [first.line, second.line] == [2, 3]


def test_a_few_foreign_bytes_in_a_file_of_utf8_keep_their_accents_too() -> None:
    content = (TEXT * 5).encode() + "Café;;0199001234;\n".encode("cp1252")

    layout, found = read(content)

    assert layout.encoding == "utf-8"
    assert found[0].cells[0] == "Banque de l’Été"
    assert found[-1].cells[0] == "Café"


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|", "¬", "^"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    text = 'nom;tel;ville\n"Alpha; Beta, et Cie";0199001234;Metz\nGamma;0261910010;Nancy\n'.replace(
        ";", delimiter
    )

    layout, found = read(text.encode())

    assert layout.delimiter == delimiter
    assert [len(row.cells) for row in found] == [3, 3]


def test_the_delimiter_that_excel_announces_is_obeyed() -> None:
    layout, found = read(b"sep=;\r\nNom;Tel\r\nA, B, C;0199001234\r\n")

    assert (layout.delimiter, layout.headers) == (";", ("Nom", "Tel"))
    assert found == [Row(3, ("A, B, C", "0199001234"))]


def test_a_header_may_come_later() -> None:
    layout, found = read(
        "Export du 03/06/2024;;\nCampagne : banques 57;;\n;;\nSociété;Tél;NAF\nAlpha;199001234;6419Z\n".encode()
    )

    assert layout.headers == ("Société", "Tél", "NAF")
    assert found == [Row(5, ("Alpha", "199001234", "6419Z"))]


def test_a_file_without_header_gives_its_first_row_as_data() -> None:
    layout, found = read(b"Alpha;0199001234;6419Z\r\nBeta;0261910010;4772A\r\n")

    assert not layout.has_header
    assert layout.headers == ("Colonne 1", "Colonne 2", "Colonne 3")
    assert [row.line for row in found] == [1, 2]


def test_headers_are_told_apart_and_never_empty() -> None:
    layout, _ = read("Nom;Téléphone;téléphone ;;Nom;\ufeffCP\nAlpha;0199001234;;;Bis;45000\n".encode())

    assert layout.headers == ("Nom", "Téléphone", "téléphone (2)", "Colonne 4", "Nom (2)", "CP")


def test_quoted_cells_may_hold_quotes_delimiters_and_lines() -> None:
    text = 'nom;adresse;tel\n"SARL ""Le 7""\n(ex Dupont)";"1 rue A; B\n";0199001234\n\'Apostrophe\';"x"y";0261910010\n'

    _, found = read(text.encode())

    assert found == [
        Row(2, ('SARL "Le 7"\n(ex Dupont)', "1 rue A; B\n", "0199001234")),
        Row(5, ("'Apostrophe'", 'xy"', "0261910010")),
    ]


def test_a_quote_that_is_never_closed_costs_its_own_row_only() -> None:
    text = 'nom;tel;note\nAlpha;0199001234;"jamais fermé\nBeta;0261910010;ok\nGamma;0353010011;"ok"\n'

    _, found = read(text.encode())

    assert [(row.line, row.problem) for row in found] == [(2, "unclosed_quote"), (3, ""), (4, "")]
    assert found[2].cells == ("Gamma", "0353010011", "ok")


def test_a_quote_that_is_never_closed_in_a_long_file_costs_its_own_row_only() -> None:
    text = 'nom;tel\n"Alpha;0199001234\n' + "Beta;0261910010\n" * 1000

    _, found = read(text.encode())

    assert [row.problem for row in found].count("unclosed_quote") == 1
    assert len(found) == 1001


def test_short_rows_are_filled_and_longer_ones_reported() -> None:
    _, found = read(
        b"Nom;Tel;CP\r\nAlpha;0199001234\r\n\r\nGamma;0261910010;45000;trop\r\nDelta;0353010011;57000;;\r\n;;\r\n"
    )

    assert found == [
        Row(2, ("Alpha", "0199001234", "")),
        Row(4, ("Gamma", "0261910010", "45000", "trop"), "too_many_cells"),
        Row(5, ("Delta", "0353010011", "57000")),
    ]


def test_columns_that_the_header_forgot_are_read() -> None:
    layout, found = read(b"Nom;Tel\nAlpha;0199001234;Metz\nBeta;0261910010;Nancy\n")

    assert layout.headers == ("Nom", "Tel", "Colonne 3")
    assert [row.problem for row in found] == ["", ""]


def test_nul_bytes_disappear() -> None:
    _, found = read(
        b"Societe;Telephone\r\nAlpha\x00Beta;0199001234\r\nFin;0353010011\x00\r\n" + b"\x00" * 500
    )

    assert [row.cells for row in found] == [("AlphaBeta", "0199001234"), ("Fin", "0353010011")]


def test_a_cell_longer_than_the_limit_is_reported_and_cut() -> None:
    long = "x" * (Limits().cell + 1)

    _, found = read(f"Nom;Tel\nAlpha;0199001234\n{long};0261910010\n".encode())
    _, quoted = read(f'Nom;Tel\nAlpha;0199001234\n"{long * 3}";0261910010\n'.encode())

    assert [row.problem for row in found] == ["", "cell_too_long"]
    assert [row.problem for row in quoted] == ["", "cell_too_long"]
    assert len(found[1].cells[0]) == 200


def test_a_line_without_end_is_passed_over_in_bounded_memory() -> None:
    content = b"Nom;Tel\nAlpha;0199001234\n" + b"x" * (3 * Limits().line) + b"\nBeta;0261910010\n"

    _, found = read(content)

    assert [(row.line, row.problem) for row in found] == [(2, ""), (3, "line_too_long"), (4, "")]


def zipped(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        (b"\r\n\r\n ; ; \r\n;;\r\n", "empty_file"),
        (b"Nom;Tel\r\n", "header_only"),
        (b"Nom;Tel\r\n;;\r\n\r\n", "header_only"),
        (zipped("xl/workbook.xml"), "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 100, "workbook"),
        (zipped("liste.csv"), "archive"),
        (b"<html><table><tr><td>0199001234</td></tr></table></html>", "html"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><p>", "html"),
        (b"BEGIN:VCARD\nTEL:0199001234\nEND:VCARD\n", "vcard"),
        (b'[{"tel": "0199001234"}]', "json"),
        (b"%PDF-1.7\n", "pdf"),
        (bytes(range(1, 9)) * 50, "binary"),
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(content: bytes, code: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        sniff(content)

    assert caught.value.code == code
    assert str(caught.value).endswith(".")


def in_runs(content: bytes, layout: Layout, every: int, limits: Limits) -> list[Row]:
    """The rows of every place, each read by itself from the file's start."""
    found: list[Row] = []
    for place in places(content, layout, every, limits):
        run = list(rows(io.BytesIO(content), layout, place, place.rows, limits))
        assert len(run) == place.rows <= every
        found += run
    return found


NASTY_PIECES = st.sampled_from(
    [
        "a",
        "é",
        "Tél",
        "0199001234",
        ";",
        ";;",
        ",",
        "\t",
        '"',
        '""',
        ';"',
        '";',
        '";"',
        "\n",
        "\r\n",
        "\r",
        " ",
        "\x00",
        "\xa0",
        "’",
        "\ufeff",
        "€",
        "xxxxxxxxxxxxxxxxxxxxxxxxx",
        "nom;tel\n",
        "sep=;\n",
        "\x1f",
        "\x1e",
        "🏦",
        "\x85",
    ]
)
SMALL = Limits(cell=20, columns=6)


@settings(max_examples=400, deadline=None)
@given(
    pieces=st.lists(NASTY_PIECES, max_size=60),
    encoding=st.sampled_from(["utf-8", "cp1252", "iso8859-15", "mac-roman", "cp850", "utf-16", "utf-16-be"]),
    every=st.integers(1, 5),
)
def test_runs_read_one_by_one_are_the_rows_of_the_file(pieces: list[str], encoding: str, every: int) -> None:
    content = "".join(pieces).encode(encoding, errors="ignore")
    try:
        layout = sniff(content, SMALL)
    except UnreadableFile:
        return

    assert in_runs(content, layout, every, SMALL) == list(rows(content, layout, limits=SMALL))


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(st.one_of(st.binary(max_size=6), NASTY_PIECES.map(str.encode)), max_size=40).map(b"".join),
    )
)
def test_any_bytes_are_refused_or_read_and_nothing_else_happens(content: bytes) -> None:
    try:
        layout = sniff(content)
    except UnreadableFile:
        return

    found = list(rows(content, layout))
    assert all(row.problem or len(row.cells) == len(layout.headers) for row in found)
    assert sum(place.rows for place in places(content, layout, 3)) == len(found)


def test_a_run_begins_at_a_byte_and_a_line_of_the_file() -> None:
    content = 'Nom;Tel\nÉté;1\n\n"B\nb";2\nC;3\n'.encode()
    layout = sniff(content)

    found = list(places(content, layout, 2))

    assert found == [Place(8, 2, 2), Place(content.index(b"C;3"), 6, 1)]


def test_a_run_of_long_rows_is_shorter_so_that_memory_is_bounded() -> None:
    content = b"Nom;Tel\n" + (b"x" * 60_000 + b";0199001234\n") * 200
    layout = sniff(content)

    runs = [place.rows for place in places(content, layout, 2000)]

    assert sum(runs) == 200
    assert max(runs) < 80


def test_more_rows_than_the_limit_are_refused() -> None:
    content = b"Nom;Tel\n" + b"Alpha;0199001234\n" * 11
    layout = sniff(content)

    with pytest.raises(UnreadableFile) as caught:
        list(places(content, layout, 4, Limits(rows=10)))

    assert caught.value.code == "too_many_rows"
    assert sum(place.rows for place in places(content, layout, 4, Limits(rows=11))) == 11
