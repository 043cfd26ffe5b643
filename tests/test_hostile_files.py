"""Files that were made to do harm, or might have been: refused or read, in bounded memory, never an exception.

Each one is read by a process of its own that may take little memory; it says what became of the file.
"""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.rules.formats import UnreadableFile
from campaigns.rules.tabular import rows, sniff
from campaigns.rules.workbooks import readable
from tests.workbook_files import number, ods, ods_cell, sheet_xml, table, text, xlsx, zipped

MIB = 1024 * 1024
#: Python itself with Django's translations takes some 40 MiB of this.
MEMORY = 220 * MIB

READ = f"""
import json, resource, sys, tempfile
from django.conf import settings
settings.configure(USE_I18N=False)
from campaigns.rules.tabular import places, rows, sniff
from campaigns.rules.workbooks import UnreadableFile, readable
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
said = dict(code="", rows=0, problems=[], longest=0)
try:
    with open(sys.argv[1], "rb") as file, tempfile.TemporaryFile() as sink:
        found = readable(file, sink)
        stream = sink if found.converted else file
        layout = sniff(stream, scanned=found.scanned)
        for place in places(stream, layout, 2000):
            for row in list(rows(stream, layout, place, place.rows)):
                said["rows"] += 1
                said["longest"] = max([said["longest"], *map(len, row.cells)])
                if row.problem and row.problem not in said["problems"]:
                    said["problems"].append(row.problem)
except UnreadableFile as refusal:
    said["code"] = refusal.code
children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps(dict(said, children=children)))
"""

Write = Callable[[Path], None]


@pytest.fixture
def what_becomes_of(tmp_path: Path) -> Callable[[Iterator[bytes] | bytes], dict[str, Any]]:
    def read(content: Iterator[bytes] | bytes) -> dict[str, Any]:
        path = tmp_path / "list"
        with path.open("wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
        done = subprocess.run(
            [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return dict(json.loads(done.stdout))

    return read


Reader = Callable[[Iterator[bytes] | bytes], dict[str, Any]]
HEAD = b"Nom;Tel\n"
LIST = table(["Nom", "Tel"], ["Alpha", "0199001234"])


def repeated(piece: bytes, times: int) -> Iterator[bytes]:
    """Some MiB at a time, so that the test itself holds little."""
    for _ in range(times):
        yield piece


def test_ten_megabytes_in_one_line_cost_that_line(what_becomes_of: Reader) -> None:
    said = what_becomes_of(HEAD + b"x" * (10 * MIB) + b"\nAlpha;0199001234\n")

    assert (said["code"], said["rows"], said["problems"]) == ("", 2, ["line_too_long"])
    assert said["longest"] <= 200


def test_ten_megabytes_in_one_cell_of_many_lines_cost_rows_that_are_told(what_becomes_of: Reader) -> None:
    said = what_becomes_of(
        HEAD + b'Alpha;"' + (b"une ligne de note " * 20 + b"\n") * (10 * MIB // 361) + b'"\nBeta;0261910010\n'
    )

    assert said["code"] == ""
    assert said["problems"][0] == "unclosed_quote"


def test_a_cell_longer_than_the_limit_costs_its_row(what_becomes_of: Reader) -> None:
    said = what_becomes_of(HEAD + (b'"' + b"y" * 70_000 + b'";0199001234\n') * 100 + b"Alpha;0199001234\n")

    assert (said["rows"], said["problems"]) == (101, ["cell_too_long"])


@pytest.mark.parametrize("character", [b"a", b"\n", b'"', b";", b"\x00", b"\xe9", b"\r", b" "])
def test_a_file_of_one_character_is_read_or_refused(what_becomes_of: Reader, character: bytes) -> None:
    alone = what_becomes_of(repeated(character * MIB, 96))
    after_a_list = what_becomes_of(
        block for part in ([HEAD, b"Alpha;0199001234\n"], repeated(character * MIB, 16)) for block in part
    )

    assert alone["code"] or alone["rows"] <= 1
    assert after_a_list["code"] == "too_many_rows" or after_a_list["rows"] <= 2


def test_rows_that_are_all_as_long_as_can_be_are_read_a_few_at_a_time(what_becomes_of: Reader) -> None:
    row = b";".join([b"z" * 2000] * 400) + b"\n"

    said = what_becomes_of(repeated(row, 300))

    assert said["code"] == ""
    assert said["rows"] == 300


def test_a_million_cells_in_each_row_are_cut(what_becomes_of: Reader) -> None:
    said = what_becomes_of(
        block for part in ([HEAD], repeated(b";a" * (MIB // 2 - 8) + b"\n", 60)) for block in part
    )

    assert said["code"] in ("too_many_columns", "")


def test_quotes_that_look_open_on_every_line_end(what_becomes_of: Reader) -> None:
    said = what_becomes_of(block for part in ([HEAD], repeated(b'x";"z\n', 20_000)) for block in part)

    assert said["code"] == ""
    assert said["rows"] >= 200


def test_nul_bytes_in_any_number_are_passed_over(what_becomes_of: Reader) -> None:
    said = what_becomes_of(HEAD + b"A\x00lpha;0199\x00001234\n" + b"\x00" * (3 * MIB) + b"\n")

    assert said["code"] == ""
    assert said["rows"] <= 2


def bomb(name: str, size: int) -> bytes:
    """A workbook with a part of that many bytes, all alike: a thousandth of that once packed."""
    buffer = io.BytesIO(xlsx({"Liste": sheet_xml(LIST)}))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as part:
        for _ in range(size // MIB):
            part.write(b" " * MIB)
    return buffer.getvalue()


def test_a_workbook_that_inflates_a_thousand_times_is_refused(what_becomes_of: Reader) -> None:
    assert what_becomes_of(bomb("xl/sharedStrings.xml", 200 * MIB))["code"] == "inflating_workbook"


def test_a_workbook_that_lies_about_its_size_is_stopped(what_becomes_of: Reader) -> None:
    strings = b"<sst>" + b"<si><t>" + b"a" * (200 * MIB) + b"</t></si></sst>"
    content = bytearray(xlsx({"Liste": sheet_xml(LIST)}, extra={"xl/sharedStrings.xml": strings}))
    size = len(strings).to_bytes(4, "little")
    content = content.replace(size, (1000).to_bytes(4, "little"))
    del strings

    said = what_becomes_of(bytes(content))

    assert said["code"] in ("", "damaged_workbook", "workbook_too_large", "workbook_too_slow")
    assert said["children"] < 500 * 1024


def test_a_workbook_that_declares_entities_is_refused(what_becomes_of: Reader) -> None:
    laughs = '<!DOCTYPE lolz [<!ENTITY a "lol">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    sheet = f'<?xml version="1.0"?>{laughs}]>' + sheet_xml({**LIST, "A3": text("x").replace("x", "&j;")})

    assert what_becomes_of(xlsx({"Liste": sheet}))["code"] == "entities"


def test_a_sheet_that_only_claims_to_be_huge_is_read(what_becomes_of: Reader) -> None:
    said = what_becomes_of(xlsx({"Liste": sheet_xml(LIST, dimension="A1:XFD1048576")}))

    assert (said["code"], said["rows"]) == ("", 1)
    assert said["children"] < 500 * 1024


def test_a_cell_in_the_last_corner_of_a_sheet_takes_no_memory_that_is_not_there(
    what_becomes_of: Reader,
) -> None:
    said = what_becomes_of(xlsx({"Liste": sheet_xml({**LIST, "XFD1048576": number(1)})}))

    assert said["code"] in ("workbook_too_large", "too_many_columns")
    assert said["children"] < 500 * 1024


def test_rows_that_repeat_a_million_times_in_an_opendocument_sheet_are_bounded(
    what_becomes_of: Reader,
) -> None:
    repeated_row = '<table:table-row table:number-rows-repeated="1048570">'
    cell = ods_cell("x").replace(" ", ' table:number-columns-repeated="16384" ', 1)

    said = what_becomes_of(ods([[cell]], row=repeated_row))

    assert said["code"] in ("workbook_too_large", "damaged_workbook")
    assert said["children"] < 500 * 1024


def test_an_archive_of_very_many_parts_is_refused(what_becomes_of: Reader) -> None:
    parts = {"[Content_Types].xml": "<Types/>"} | {f"xl/{n}": b"" for n in range(20_000)}

    assert what_becomes_of(zipped(parts))["code"] in ("inflating_workbook", "damaged_workbook")


GOOD = [
    xlsx({"Liste": sheet_xml(LIST)}),
    ods([[ods_cell("Nom"), ods_cell("Tel")], [ods_cell("Alpha"), ods_cell("0199001234")]]),
]


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(GOOD), st.data())
def test_a_workbook_with_any_byte_changed_is_read_or_refused(good: bytes, data: st.DataObject) -> None:
    content = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    sink = io.BytesIO()

    try:
        found = readable(io.BytesIO(bytes(content)), sink)
        text_of_it = sink if found.converted else io.BytesIO(bytes(content))
        layout = sniff(text_of_it, scanned=found.scanned)
        read = list(rows(text_of_it, layout))
    except UnreadableFile:
        return

    width = len(layout.headers)
    assert all(row.problem or len(row.cells) == width for row in read)
