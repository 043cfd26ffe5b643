"""Keeping an uploaded file where every worker can read it."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from campaigns.models import ImportFile, ImportPiece
from campaigns.selectors.import_files import PIECE_BYTES


def store_file(*, name: str, content: BinaryIO) -> ImportFile:
    """Keep a stream of bytes from its beginning, piece by piece. The caller is in a transaction."""
    content.seek(0)
    file = ImportFile.objects.create(name=name[:255], size=0, sha256="")
    digest, size = hashlib.sha256(), 0
    while piece := content.read(PIECE_BYTES):
        ImportPiece.objects.create(file=file, position=size // PIECE_BYTES, content=piece)
        digest.update(piece)
        size += len(piece)
    file.size, file.sha256 = size, digest.hexdigest()
    file.save(update_fields=["size", "sha256"])
    return file


def digest_of(content: BinaryIO) -> str:
    """Return the SHA-256 of a stream, in hex; leaves it at its beginning."""
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]
    content.seek(0)
    return digest
