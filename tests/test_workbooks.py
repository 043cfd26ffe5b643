"""Workbooks as lists: which sheet is read, what its cells become, and why some are refused."""

import datetime
import io

import pytest
import xlwt  # type: ignore[import-untyped]

from campaigns.rules.formats import DEFAULTS, Limits, UnreadableFile
from campaigns.rules.tabular import Layout, Row, places, rows, sniff
from campaigns.rules.workbooks import Readable, readable
from tests.workbook_files import number, ods, ods_cell, sheet_xml, table, text, xlsx, zipped

LIST = table(["Nom", "Tel"], ["Alpha", "0199001234"], ["Bêta", "0261910010"])


def read(content: bytes, sheet: str = "") -> tuple[Readable, Layout, list[Row]]:
    sink = io.BytesIO()
    found = readable(io.BytesIO(content), sink, sheet=sheet)
    layout = sniff(sink if found.converted else content, scanned=found.scanned)
    return found, layout, list(rows(sink if found.converted else content, layout))


def cells_of(content: bytes) -> list[tuple[str, ...]]:
    return [row.cells for row in read(content)[2]]


def refusal(content: bytes, sheet: str = "", limits: Limits = DEFAULTS) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as caught:
        readable(io.BytesIO(content), io.BytesIO(), sheet=sheet, limits=limits)
    assert str(caught.value).endswith(".")
    return caught.value


def test_a_sheet_is_read_with_the_numbers_of_its_rows() -> None:
    cells = {"B3": text("Nom"), "C3": text("Tel"), "B5": text("Alpha"), "C5": text("0199001234")}

    found, layout, (row,) = read(xlsx({"Liste": sheet_xml(cells)}))

    assert (found.format, found.sheets, found.sheet) == ("xlsx", ("Liste",), "Liste")
    assert (layout.is_sheet, layout.header_line, layout.headers) == (True, 3, ("Nom", "Tel"))
    assert row == Row(5, ("Alpha", "0199001234"))


def test_the_first_visible_sheet_that_holds_something_is_taken() -> None:
    content = xlsx(
        {"Caché": sheet_xml(LIST), "Vide": sheet_xml({}), "Liste": sheet_xml(LIST)}, hidden=["Caché"]
    )

    found, _, taken = read(content)

    assert found.sheets == ("Vide", "Liste", "Caché")
    assert found.sheet == "Liste"
    assert len(taken) == 2


def test_another_sheet_can_be_chosen_even_a_hidden_one() -> None:
    other = table(["Nom", "Tel"], ["Gamma", "0353010011"])
    content = xlsx({"Liste": sheet_xml(LIST), "Été": sheet_xml(other)}, hidden=["Été"])

    found, _, taken = read(content, "Été")

    assert found.sheet == "Été"
    assert [row.cells[0] for row in taken] == ["Gamma"]


def test_a_sheet_that_does_not_exist_is_refused_with_the_names_of_those_that_do() -> None:
    refused = refusal(xlsx({"Liste": sheet_xml(LIST), "Autre": sheet_xml({})}), "Lisste")

    assert refused.code == "unknown_sheet"
    assert "Lisste" in str(refused)
    assert "Liste, Autre" in str(refused)


def test_a_chosen_sheet_without_cells_is_refused() -> None:
    assert refusal(xlsx({"Liste": sheet_xml(LIST), "Vide": sheet_xml({})}), "Vide").code == "empty_sheet"
    assert refusal(xlsx({"Vide": sheet_xml({})})).code == "empty_file"


def test_numbers_are_written_without_fraction_or_exponent() -> None:
    cells = {"A1": text("Nom"), "B1": text("Tel")} | {
        f"{column}{row}": number(value)
        for row, (first, second) in enumerate(
            [
                ("199001234", "33199001234.0"),
                ("3.31254E+13", "73282932000074"),
                ("12.5", "1E-07"),
                ("1E+20", "-3"),
            ],
            2,
        )
        for column, value in (("A", first), ("B", second))
    }

    assert cells_of(xlsx({"Liste": sheet_xml(cells)})) == [
        ("199001234", "33199001234"),
        ("33125400000000", "73282932000074"),
        ("12.5", "0.0000001"),
        ("100000000000000000000", "-3"),
    ]


@pytest.mark.parametrize(("date1904", "day"), [(False, "2024-06-03"), (True, "2028-06-04")])
def test_dates_of_both_epochs_are_written_in_iso(date1904: bool, day: str) -> None:
    cells = {
        **table(["Nom", "Tel", "Jour", "Quand", "Durée", "Part"], ["Alpha", "0199001234"]),
        "C2": number(45446, 1),
        "D2": number(45446.58680555555, 2),
        "E2": number(1.0833333333333333, 3),
        "F2": number(0.25, 4),
    }

    (row,) = cells_of(xlsx({"Liste": sheet_xml(cells)}, date1904=date1904))

    assert row[2:] == (day, f"{day} 14:05:00", "26:00:00", "0.25")


def test_a_formula_gives_the_value_that_was_kept_and_an_error_none() -> None:
    cells = {
        **table(["Nom", "Tel", "Note"]),
        "A2": 't="str"><f>UPPER("alpha")</f><v>ALPHA</v>',
        "B2": "><f>199001234+0</f><v>199001234</v>",
        "C2": 't="e"><v>#N/A</v>',
        "A3": 't="b"><v>1</v>',
        "B3": "><f>NOW()</f><v></v>",
        "C3": text("'=1+1"),
    }

    assert cells_of(xlsx({"Liste": sheet_xml(cells)})) == [("ALPHA", "199001234", ""), ("VRAI", "", "'=1+1")]


def test_a_cell_that_spans_rows_is_said_of_each_and_one_that_spans_columns_of_the_first() -> None:
    cells = table(
        ["Groupe", "Agence", "Tel"],
        ["Zeta", "Metz", "0199001234"],
        ["", "Nancy", "0199001235"],
        ["", "Toul", "0199001236"],
        ["Êta", "", "0199001237"],
    )

    found = cells_of(xlsx({"Liste": sheet_xml(cells, merged=["A2:A4", "A5:B5"])}))

    assert [row[:2] for row in found] == [("Zeta", "Metz"), ("Zeta", "Nancy"), ("Zeta", "Toul"), ("Êta", "")]


def test_breaks_quotes_and_separators_within_a_cell_stay_in_it() -> None:
    cells = table(
        ["Nom", "Tel", "Note"], ['SARL "Le 7"; ex\nDupont', "0199001234", "a\x1fb"], ["B", "0261910010", "c"]
    )
    cells["C2"] = text("un\ndeux\n\nquatre")

    _, layout, found = read(xlsx({"Liste": sheet_xml(cells)}))

    assert [row.line for row in found] == [2, 3]
    assert found[0].cells == ('SARL "Le 7"; ex\nDupont', "0199001234", "un\ndeux\n\nquatre")
    assert layout.is_sheet


def test_a_sheet_of_one_column_is_not_cut_at_its_commas() -> None:
    content = xlsx({"Liste": sheet_xml(table(["Tel"], ["01,99,00,12,34"], ["02;61;91;00;10"]))})

    assert cells_of(content) == [("01,99,00,12,34",), ("02;61;91;00;10",)]


def test_an_opendocument_sheet_is_read() -> None:
    content = ods(
        [
            [ods_cell("Nom"), ods_cell("Tel"), ods_cell("Jour"), ods_cell("Oui")],
            [
                ods_cell("Été"),
                ods_cell("199001234", "float"),
                ods_cell("2024-06-03", "date"),
                ods_cell("true", "boolean", "VRAI"),
            ],
        ]
    )

    found, _, (row,) = read(content)

    assert (found.format, found.sheet) == ("ods", "Feuille1")
    assert row == Row(2, ("Été", "199001234", "2024-06-03", "VRAI"))


def test_an_old_workbook_is_read_in_its_epoch() -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Liste")
    for column, name in enumerate(("Nom", "Tel", "Jour")):
        sheet.write(1, column, name)
    sheet.write(2, 0, "Été")
    sheet.write(2, 1, 199001234)
    sheet.write(2, 2, datetime.date(2024, 6, 3), xlwt.easyxf(num_format_str="DD/MM/YYYY"))
    buffer = io.BytesIO()
    book.save(buffer)

    found, _, (row,) = read(buffer.getvalue())

    assert found.format == "xls"
    assert row == Row(3, ("Été", "199001234", "2024-06-03"))


def test_the_name_of_a_file_counts_for_nothing_its_content_does() -> None:
    found, layout, (row,) = read(b"Nom;Tel\r\nAlpha;0199001234\r\n")

    assert (found.format, found.converted, found.encoding) == ("text", False, "utf-8")
    assert (layout.is_sheet, row.cells) == (False, ("Alpha", "0199001234"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_text_in_utf16_is_turned_into_text_that_is_read_from_any_line_on(encoding: str) -> None:
    content = ("Société\tTél\r\n" + "Été\t0199001234\r\n" * 30_000).encode(encoding)
    sink = io.BytesIO()

    found = readable(io.BytesIO(content), sink)

    layout = sniff(sink, scanned=found.scanned)
    *_, last = places(sink, layout, 7_000)
    assert (found.converted, found.encoding[:6]) == (True, "utf-16")
    assert list(rows(sink, layout, last, 1)) == [Row(28_002, ("Été", "0199001234"))]
    assert sum(place.rows for place in places(sink, layout, 7_000)) == 30_000


def test_text_whose_lines_end_as_on_old_macintoshes_is_turned_as_well() -> None:
    content = ("Société;Tél\r" + "Été;0199001234\r" * 3).encode("mac-roman")

    found, _, taken = read(content)

    assert (found.converted, found.encoding) == (True, "mac-roman")
    assert taken[-1] == Row(4, ("Été", "0199001234"))


def test_a_line_in_another_encoding_is_kept_and_said_when_a_text_is_turned() -> None:
    content = (
        "Société;Tél\rÉté;0199001234\rl’âge;0261910010\r".encode("mac-roman") + "Noël;0353010011\r".encode()
    )

    _, layout, taken = read(content)

    assert [row.cells[0] for row in taken] == ["Été", "l’âge", "Noël"]
    assert (layout.foreign_lines, layout.remarks) == (1, ("mixed_encodings",))


def test_a_workbook_under_a_password_has_its_own_sentence() -> None:
    encrypted = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 1016 + "EncryptedPackage".encode("utf-16-le")
    locked = bytearray(xlsx({"Liste": sheet_xml(LIST)}))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = locked.find(mark)
        while position >= 0:
            locked[position + flags] |= 1
            position = locked.find(mark, position + 1)

    assert refusal(encrypted + b"\x00" * 4096).code == "password"
    assert refusal(bytes(locked)).code == "password"


@pytest.mark.parametrize(
    "content",
    [
        xlsx({"Liste": sheet_xml(LIST)})[:-300],
        xlsx({"Liste": sheet_xml(LIST)}).replace(b"PK\x01\x02", b"PK\x01\x00"),
        xlsx({"Liste": "<worksheet><sheetData><row"}),
        xlsx({"Liste": sheet_xml(LIST)}, extra={"xl/workbook.xml": "rien"}),
        zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"}),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 100,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 5000,
    ],
    ids=["truncated", "without directory", "broken sheet", "no workbook", "a letter", "short", "noise"],
)
def test_a_damaged_workbook_is_refused(content: bytes) -> None:
    assert refusal(content).code == "damaged_workbook"


def test_more_columns_than_the_limit_are_refused_before_the_rows_are_written() -> None:
    content = xlsx({"Liste": sheet_xml({**LIST, "ZZ2": text("loin")})})

    refused = refusal(content)

    assert refused.code == "too_many_columns"
    assert "500" in str(refused)


def test_a_file_larger_than_the_limit_is_refused_unread() -> None:
    refused = refusal(b"Nom;Tel\n" + b"a;1\n" * 400_000, limits=Limits(bytes=1024**2))

    assert refused.code == "too_large"
    assert "1 Mo" in str(refused)
