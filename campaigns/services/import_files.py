"""Keeping an uploaded file where every worker can read it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import BinaryIO

from django.db import connection

from campaigns.models import ImportFile, ImportPiece
from campaigns.rules.workbooks import Readable, readable
from campaigns.selectors.import_files import PIECE_BYTES, import_limits


def store_file(*, name: str, content: BinaryIO) -> ImportFile:
    """Keep a stream of bytes from its beginning, piece by piece. The caller is in a transaction; the stream comes from
    elsewhere than the database."""
    content.seek(0)
    file = ImportFile.objects.create(name=name[:255], size=0, sha256="")
    digest, size = hashlib.sha256(), 0
    # Not by INSERT, of whose texts the memory is not given back.
    columns = "file_id, position, content"
    sql = f"COPY {ImportPiece._meta.db_table} ({columns}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.cursor.copy(sql) as copy:
        copy.set_types(("int8", "int4", "bytea"))
        while piece := content.read(PIECE_BYTES):
            copy.write_row((file.pk, size // PIECE_BYTES, piece))
            digest.update(piece)
            size += len(piece)
    file.size, file.sha256 = size, digest.hexdigest()
    file.save(update_fields=["size", "sha256"])
    return file


@dataclass(frozen=True, slots=True)
class Table:
    """What a file was found to be, and the text that its rows are read from, a seekable stream of bytes."""

    found: Readable
    text: BinaryIO


@contextmanager
def readable_text(content: BinaryIO, sheet: str = "") -> Iterator[Table]:
    """Make a file readable as text: a sheet of a workbook, or text in an encoding that cannot be cut into chunks, is
    written anew to a temporary file. Raises `UnreadableFile`."""
    content.seek(0)
    with TemporaryFile() as sink:
        found = readable(content, sink, sheet=sheet, limits=import_limits())
        text = sink if found.converted else content
        text.seek(0)
        yield Table(found, text)
