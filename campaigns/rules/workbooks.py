"""Any file that was sent becomes text that can be read from any line on: as it is, transcoded, or a sheet of a
workbook written as text.

Workbooks are read by another process with bounds of its own, see `workbook_reader.py`.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any, BinaryIO, cast

from campaigns.rules.encodings import BLOCK_BYTES, Scan, Transcoded, scan
from campaigns.rules.formats import DEFAULTS, START_BYTES, Format, Limits, UnreadableFile, format_of
from campaigns.rules.tabular import require_size_within

READER = Path(__file__).with_name("workbook_reader.py")
#: Address space of the process that reads a workbook: what it may take of the machine at most.
READER_MEMORY = 450 * 1024 * 1024
#: Its processor time, and how long it is waited for on a machine that does other things as well.
READER_SECONDS = 120
READER_PATIENCE = 300


@dataclass(frozen=True, slots=True)
class Readable:
    """What a file is. `converted` says that the text to read was written to the sink; else the file is that text.
    `encoding` is the file's own ("" for a workbook); `scanned` is what `sniff` wants to know of the text."""

    format: Format
    converted: bool
    encoding: str
    scanned: Scan
    sheets: tuple[str, ...] = ()
    sheet: str = ""


def readable(stream: BinaryIO, sink: BinaryIO, *, sheet: str = "", limits: Limits = DEFAULTS) -> Readable:
    """Tell what a file is and, unless it can be read as it is, write it to `sink` as text that can.

    `stream` is seekable, its position is moved. `sheet` names the sheet of a workbook that is wanted: without it, the
    first visible one that holds something. Raises `UnreadableFile`."""
    require_size_within(stream, limits)
    kind = format_of(stream.read(START_BYTES))
    if kind != "text":
        return _from_workbook(stream, sink, kind, sheet, limits)
    found = scan(stream)
    if found.is_canonical:
        return Readable("text", False, found.encoding, found)
    shutil.copyfileobj(Transcoded(stream, found.encoding, found.newline), sink, BLOCK_BYTES)
    return Readable("text", True, found.encoding, Scan("utf-8", foreign_lines=found.foreign_lines))


def _from_workbook(stream: BinaryIO, sink: BinaryIO, kind: Format, sheet: str, limits: Limits) -> Readable:
    with tempfile.NamedTemporaryFile(suffix=f".{kind}") as file:
        stream.seek(0)
        shutil.copyfileobj(stream, file, BLOCK_BYTES)
        file.flush()
        outcome = _read(file.name, sink, sheet, limits)
    if code := outcome.pop("code", ""):
        raise UnreadableFile(code, **outcome)
    return Readable(kind, True, "", Scan("utf-8"), tuple(outcome["sheets"]), outcome["sheet"])


def _read(path: str, sink: BinaryIO, sheet: str, limits: Limits) -> dict[str, Any]:
    """Have the reader write a sheet to the sink; its outcome."""
    options = {
        "sheet": sheet,
        "memory": READER_MEMORY,
        "seconds": READER_SECONDS,
        "columns": limits.columns,
        "inflated_bytes": limits.inflated_bytes,
        "inflation": limits.inflation,
    }
    # Isolated: neither the project's folder nor the environment decides what it imports.
    command = [sys.executable, "-I", str(READER), path, json.dumps(options)]
    with tempfile.TemporaryFile() as said, _started(command, said) as process:
        assert process.stdout is not None
        too_long = not _copy(cast(BinaryIO, process.stdout), sink, limits.inflated_bytes)
        if too_long:
            process.kill()
        process.wait()
        return {"code": "inflating_workbook"} if too_long else _outcome(process.returncode, said)


@contextmanager
def _started(command: list[str], said: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is killed when it takes too long, and in any case at the end."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said)
    clock = Timer(READER_PATIENCE, process.kill)
    clock.daemon = True
    clock.start()
    try:
        with process:
            yield process
    finally:
        clock.cancel()
        process.kill()


def _copy(source: BinaryIO, sink: BinaryIO, limit: int) -> bool:
    """Copy everything; False when there is more than the limit."""
    while block := source.read(BLOCK_BYTES):
        limit -= len(block)
        if limit < 0:
            return False
        sink.write(block)
    return True


def _outcome(status: int, said: BinaryIO) -> dict[str, Any]:
    """What the reader said at its end; what its death tells when it said nothing."""
    if status == 0:
        said.seek(0)
        return dict(json.loads(said.read().rpartition(b"\n")[2]))
    slow = status in (-signal.SIGXCPU, -signal.SIGKILL)
    return {"code": "workbook_too_slow" if slow else "workbook_too_large"}
