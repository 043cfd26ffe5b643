"""A stored file as a stream: read piece by piece, so that its length costs no memory."""

from __future__ import annotations

import io
from typing import BinaryIO

from django.conf import settings

from campaigns.models import ImportFile, ImportJob, ImportPiece
from campaigns.rules.formats import Limits

#: Bytes of a piece; only the last one of a file is shorter.
PIECE_BYTES = 1024 * 1024


class _Pieces(io.RawIOBase):
    """The pieces of a file, the last one that was asked for at hand."""

    def __init__(self, file: ImportFile) -> None:
        self._file = file
        self._at = 0
        self._position = -1
        self._piece = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        position, skipped = divmod(self._at, PIECE_BYTES)
        if position != self._position:
            found = ImportPiece.objects.filter(file=self._file, position=position)
            self._piece, self._position = (
                bytes(found.values_list("content", flat=True).first() or b""),
                position,
            )
        taken = self._piece[skipped : skipped + len(view)]
        view[: len(taken)] = taken
        self._at += len(taken)
        return len(taken)


def open_file(file: ImportFile) -> BinaryIO:
    """Return a stored file as a seekable stream of bytes."""
    return io.BufferedReader(_Pieces(file), 64 * 1024)


def open_text(job: ImportJob) -> BinaryIO:
    """Return what the rows of an import are read from."""
    return open_file(job.text or job.file)


def import_limits() -> Limits:
    """Return what is taken at most, by the settings."""
    return Limits(
        bytes=settings.IMPORT_MAX_BYTES,
        rows=settings.IMPORT_MAX_ROWS,
        columns=settings.IMPORT_MAX_COLUMNS,
        cell=settings.IMPORT_MAX_CELL,
        inflation=settings.IMPORT_MAX_INFLATION,
    )
