"""Small workbooks for tests, built cell by cell: every defect is in the open."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"

# Number formats of the cells, by index of `s`: general, date, date and time, duration, percentage.
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="dd/mm/yyyy\\ hh:mm"/></numFmts>'
    '<fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0"/></cellStyleXfs><cellXfs count="5"><xf numFmtId="0"/>'
    '<xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="46"/><xf numFmtId="9"/></cellXfs></styleSheet>'
)

Cells = Mapping[str, str]


def text(value: str) -> str:
    """A cell of text, to be put at an address by `xlsx`."""
    return f't="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is>'


def number(value: float | str, style: int = 0) -> str:
    """A cell that holds a number, shown as the style says (1: date, 2: date and time, 3: duration, 4: percentage)."""
    return f's="{style}"><v>{value}</v>'


def table(*lines: Sequence[str]) -> dict[str, str]:
    """Cells of text from A1 on."""
    return {
        f"{chr(65 + column)}{row}": text(cell)
        for row, cells in enumerate(lines, 1)
        for column, cell in enumerate(cells)
    }


def sheet_xml(cells: Cells, merged: Sequence[str] = (), dimension: str = "") -> str:
    """A worksheet: cells by address ("B3"), ranges that are merged, the size that it claims."""
    by_row: dict[int, list[str]] = {}
    for address, cell in cells.items():
        row = int(address.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        by_row.setdefault(row, []).append(f'<c r="{address}" {cell}</c>')
    data = "".join(f'<row r="{row}">{"".join(found)}</row>' for row, found in sorted(by_row.items()))
    size = f'<dimension ref="{dimension}"/>' if dimension else ""
    ranges = "".join(f'<mergeCell ref="{merge}"/>' for merge in merged)
    merges = f"<mergeCells>{ranges}</mergeCells>" if merged else ""
    return f'<worksheet xmlns="{_MAIN}">{size}<sheetData>{data}</sheetData>{merges}</worksheet>'


def xlsx(
    sheets: Mapping[str, str],
    *,
    hidden: Sequence[str] = (),
    date1904: bool = False,
    extra: Mapping[str, bytes | str] | None = None,
) -> bytes:
    """An XLSX of these sheets (name to XML), with parts added or replaced by `extra`."""
    numbered = list(enumerate(sheets, 1))
    states = dict.fromkeys(hidden, ' state="hidden"')
    entries = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" r:id="r{n}"{states.get(name, "")}/>'
        for n, name in numbered
    )
    links = "".join(
        f'<Relationship Id="r{n}" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n, __ in numbered
    )
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" '
        f'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r" '
        f'Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><workbookPr date1904="{int(date1904)}"/>'
        f"<sheets>{entries}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{links}<Relationship Id="s" '
        f'Type="{_DOCUMENT}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": _STYLES,
    }
    parts |= {f"xl/worksheets/sheet{n}.xml": sheets[name] for n, name in numbered}
    return zipped(parts | dict(extra or {}))


def ods(rows: Sequence[Sequence[str]], name: str = "Feuille1", row: str = "<table:table-row>") -> bytes:
    """An ODS of one sheet; each cell is the XML of `ods_cell`, each row begins with the tag `row`."""
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    tables = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
    words = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
    lines = "".join(f"{row}{''.join(cells)}</table:table-row>" for cells in rows)
    content = (
        f'<office:document-content xmlns:office="{office}" xmlns:table="{tables}" xmlns:text="{words}"><office:body>'
        f'<office:spreadsheet><table:table table:name="{name}">{lines}</table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    parts = {
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "content.xml": content,
        "META-INF/manifest.xml": manifest,
    }
    return zipped(parts)


def ods_cell(value: str, kind: str = "string", shown: str = "") -> str:
    """A cell of an ODS: of a string its text, else the value under its kind (float, date, percentage, boolean)."""
    name = {"date": "date-value", "boolean": "boolean-value", "string": "string-value"}.get(kind, "value")
    return (
        f'<table:table-cell office:value-type="{kind}" office:{name}="{escape(value)}">'
        f"<text:p>{escape(shown or value)}</text:p></table:table-cell>"
    )


def zipped(parts: Mapping[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these parts; `mimetype` is stored, as ODF asks."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else None)
    return buffer.getvalue()
