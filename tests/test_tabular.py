"""Files as people send them: what is told from their bytes, and what is refused with a sentence."""

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.rules.formats import REMARKS
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


FRENCH = "Société;Téléphone;Ville\n" + "".join(
    f"{name};0199001234;{city}\n"
    for name, city in [("Crédit à l'été", "Besançon"), ("Hôtel du Nord", "Nîmes"), ("Noël Frères", "Orléans")]
)


def encoding_of(text: str, encoding: str) -> str:
    return sniff(text.encode(encoding)).encoding


def test_windows_latin_1_and_latin_9_are_told_apart_by_what_only_one_of_them_writes() -> None:
    assert encoding_of(FRENCH + "Œuvre d’art;0261910010;Metz\n", "cp1252") == "cp1252"
    assert encoding_of(FRENCH + "Le Sacré-Cœur;0261910010;Metz\n", "iso8859-15") == "iso8859-15"
    assert encoding_of(FRENCH + "Tarif 12 €;0261910010;Metz\n", "iso8859-15") == "iso8859-15"
    # One letter less in the alphabet: what is written without it reads alike in all three.
    assert encoding_of(FRENCH, "iso8859-15") == "cp1252"
    assert encoding_of(FRENCH + "Le 12½;0261910010;Metz\n", "latin-1") == "cp1252"


@pytest.mark.parametrize("encoding", ["cp1252", "mac-roman", "cp850", "utf-8"])
@pytest.mark.parametrize(
    "text", [FRENCH, FRENCH.upper(), "Nom;Tel\nRené;0199001234\n", "Nom;N° tél\nL’Île;0199001234\n"]
)
def test_accents_read_as_french_in_whatever_encoding_they_were_written(text: str, encoding: str) -> None:
    content = text.encode(encoding, errors="replace")

    layout = sniff(content)

    assert layout.encoding == encoding
    assert [row.cells for row in rows(content, layout)] == [
        tuple(line.split(";")) for line in content.decode(encoding).split("\n")[1:-1]
    ]


def test_lines_of_utf8_in_a_file_of_windows_are_read_in_their_own_encoding_and_said() -> None:
    windows, utf8 = FRENCH.encode("cp1252"), "Maïs d’Été;0261910010;Épinal\n".encode()

    layout, found = read(windows + utf8 + windows.partition(b"\n")[2])

    assert (layout.encoding, layout.foreign_lines) == ("cp1252", 1)
    assert "mixed_encodings" in layout.remarks
    assert found[3] == Row(5, ("Maïs d’Été", "0261910010", "Épinal"), foreign=True)
    assert [row.foreign for row in found].count(True) == 1
    assert found[4].cells[0] == "Crédit à l'été"


def test_lines_of_windows_in_a_file_of_utf8_are_read_in_their_own_encoding_and_said() -> None:
    utf8, windows = FRENCH.encode(), "Maïs d’Été;0261910010;Épinal\n".encode("cp1252")

    layout, found = read(utf8 + windows)

    assert (layout.encoding, layout.foreign_lines) == ("utf-8", 1)
    assert found[3] == Row(5, ("Maïs d’Été", "0261910010", "Épinal"), foreign=True)


def test_a_line_that_holds_both_encodings_keeps_the_accents_of_both() -> None:
    line = "Crème;".encode() + "0199001234;Évry\n".encode("cp1252")

    _, found = read(FRENCH.encode("cp1252") + line)

    assert found[-1].cells == ("Crème", "0199001234", "Évry")
    assert found[-1].foreign


def test_other_alphabets_are_kept() -> None:
    text = "Nom;Tel\nЗдравствуйте;0199001234\nΕνέργεια;0261910010\n中文;0353010011\n"

    layout, found = read(text.encode())

    assert (layout.encoding, layout.foreign_lines) == ("utf-8", 0)
    assert [row.cells[0] for row in found] == ["Здравствуйте", "Ενέργεια", "中文"]


@pytest.mark.parametrize("byte", [0xA1, 0xA6, 0xA7, 0xAC, 0xB6, 0xB7, 0xBF, 0xD7, 0xF7])
def test_a_single_byte_beyond_ascii_may_part_the_cells(byte: int) -> None:
    text = FRENCH.replace(";", chr(byte))

    layout, found = read(text.encode("latin-1"))

    assert layout.delimiter == chr(byte)
    assert found[0].cells == ("Crédit à l'été", "0199001234", "Besançon")


@pytest.mark.parametrize("delimiter", [":", "*", "~", "\\", "{", "\x1f", "\x01"])
def test_a_delimiter_that_nobody_expects_is_found_where_it_is_regular(delimiter: str) -> None:
    layout, found = read(FRENCH.replace(";", delimiter).encode())

    assert layout.delimiter == delimiter
    assert [len(row.cells) for row in found] == [3, 3, 3]


def test_one_column_without_any_delimiter_is_a_list_too() -> None:
    layout, found = read("Téléphone\n0199001234\n02 61 91 00 10\n03.53.01.00.11\n".encode())

    assert layout.headers == ("Téléphone",)
    assert [row.cells for row in found] == [("0199001234",), ("02 61 91 00 10",), ("03.53.01.00.11",)]


def test_a_line_that_is_cut_at_another_delimiter_into_all_columns_is_taken_so_and_said() -> None:
    _, found = read(b"nom;tel;cp\nAlpha,0199001234,45000\nBeta;0261910010;35000\nGamma|0353010011|57000\n")

    assert [row.cells[1] for row in found] == ["0199001234", "0261910010", "0353010011"]
    assert [row.recut for row in found] == [",", "", "|"]


def test_a_line_that_is_not_cut_into_all_columns_is_left_as_it_is() -> None:
    _, found = read(b"nom;tel;cp\nDupont, Jean\nBeta;0261910010;35000\n")

    assert found[0] == Row(2, ("Dupont, Jean", "", ""))


def test_a_line_in_one_quoted_piece_is_not_cut_at_what_it_holds() -> None:
    _, found = read(b'nom;tel;cp\n"Dupont, Jean, dit JJ"\nBeta;0261910010;35000\n')

    assert found[0].cells == ("Dupont, Jean, dit JJ", "", "")


def test_a_second_line_of_headers_parts_what_the_first_one_gathers() -> None:
    layout, found = read(
        "Société;Téléphones;;SIRET\n;Téléphone fixe;Mobile;\nAlpha;0199001234;0639980001;\nBeta;;;\n".encode()
    )

    assert layout.headers == ("Société", "Téléphones Téléphone fixe", "Téléphones Mobile", "SIRET")
    assert [row.line for row in found] == [3, 4]


def test_a_row_without_values_below_the_headers_is_data() -> None:
    layout, found = read(b"Nom;Ville;;\nAlpha;Metz;x;\nBeta;Nancy;;0199001234\n")

    assert layout.headers == ("Nom", "Ville", "Colonne 3", "Colonne 4")
    assert [row.line for row in found] == [2, 3]


def test_what_the_person_should_be_told_of_a_file_is_remarked() -> None:
    def remarks(content: bytes) -> set[str]:
        codes = sniff(content).remarks
        assert all(str(REMARKS[code]).endswith(".") for code in codes)
        return set(codes)

    assert remarks(b"Nom;Tel\nAlpha;0199001234\n") == set()
    assert remarks(b"Alpha;0199001234\nBeta;0261910010\n") == {"no_header"}
    assert remarks(b"Liste du 3 juin\n\nNom;Tel\nAlpha;0199001234\n") == {"late_header"}
    assert remarks(b"Nom;Tel;tel;\nAlpha;0199001234;;x\n") == {"renamed_headers"}


def test_more_columns_than_the_limit_are_refused() -> None:
    content = b";".join(b"c%d" % n for n in range(501)) + b"\n" + b";".join([b"1"] * 501) + b"\n"

    with pytest.raises(UnreadableFile) as caught:
        sniff(content)

    assert caught.value.code == "too_many_columns"
    assert "500" in str(caught.value)


def test_a_stream_is_left_open_and_read_as_its_bytes_are() -> None:
    class Stored(io.RawIOBase):
        """As a file in pieces in a database: no `readline` of its own worth the name."""

        def __init__(self, content: bytes) -> None:
            self.inner = io.BytesIO(content)

        def readable(self) -> bool:
            return True

        def seekable(self) -> bool:
            return True

        def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
            return self.inner.seek(offset, whence)

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            return self.inner.readinto(buffer)

    content = FRENCH.encode("cp1252")
    stream = Stored(content)

    layout = sniff(stream)  # type: ignore[arg-type]
    found = [list(rows(stream, layout, place, place.rows)) for place in places(stream, layout, 2)]  # type: ignore[arg-type]

    assert layout == sniff(content)
    assert [row for run in found for row in run] == list(rows(content, layout))
    assert not stream.closed
