"""In which encoding a text is written, line by line where lines differ, and how it is turned into text that can be
read from any line on.

Canonical text has an encoding in which ASCII stands for itself and lines that end with "\\n". Anything else (UTF-16,
the lines of old Macintoshes) goes through `Transcoded` first.
"""

from __future__ import annotations

import codecs
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

BLOCK_BYTES = 1024 * 1024
#: Bytes of the lines in a one-byte encoding from which that encoding is told.
_EVIDENCE_BYTES = 128 * 1024
#: Bytes of them in which rare characters are looked for.
_COUNTED_BYTES = 8 * 1024 * 1024

_WIDE = ("utf-16-le", "utf-16-be")
_ASCII = bytes(range(128))
# UTF-8 for Latin letters, quotes, dashes, ellipsis and euro: in one byte each, they read as nothing that is written.
_PLAIN_UTF8 = re.compile(rb"[\xc2-\xc5][\x80-\xbf]|\xe2[\x80-\x84][\x80-\xbf]")
_PAIR = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
#: Here UTF-8 of other alphabets reads as accented French ("l'âge" in mac-roman), so only the plain kind counts.
_CONFUSABLE = frozenset({"mac-roman", "cp850"})


@dataclass(frozen=True, slots=True)
class Scan:
    """What one pass over a text tells: Python codec, whether its lines end with CR alone, and how many lines are not
    in that encoding."""

    encoding: str
    newline: str = "\n"
    foreign_lines: int = 0

    @property
    def is_canonical(self) -> bool:
        """Whether the text can be read as it is, from any line on."""
        return self.newline == "\n" and self.encoding not in _WIDE


def scan(stream: BinaryIO) -> Scan:
    """Read a text once, from its beginning, in bounded memory, and tell its encoding and line ends."""
    stream.seek(0)
    start = stream.read(4096)
    stream.seek(0)
    if wide := _utf16_of(start):
        return Scan(wide, _newline_of(start.decode(wide, errors="replace")))
    tally = _Tally()
    for block in _whole_lines(stream):
        tally.add(block)
    encoding = "utf-8" if start.startswith(codecs.BOM_UTF8) else tally.encoding()
    return Scan(encoding, tally.newline(), tally.foreign_to(encoding))


def _utf16_of(start: bytes) -> str:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le" if start.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    half = len(start) // 2
    if half < 8:
        return ""
    even, odd = start[0 : 2 * half : 2].count(0), start[1 : 2 * half : 2].count(0)
    if odd > half * 0.4 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.05:
        return "utf-16-be"
    return ""


def _newline_of(text: str) -> str:
    return "\r" if "\r" in text and "\n" not in text else "\n"


def _whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Blocks that end where a line does; a line longer than a block is cut, never within a character of UTF-8."""
    rest = b""
    while block := stream.read(BLOCK_BYTES):
        block = rest + block
        cut = block.rfind(b"\n") + 1 or block.rfind(b"\r") + 1 or _character_end(block)
        rest = block[cut:]
        yield block[:cut]
    if rest:
        yield rest


def _character_end(block: bytes) -> int:
    """Where a character of UTF-8 that the block's end cuts begins; the end where none does."""
    for back in range(1, min(4, len(block))):
        if block[-back] >= 0xC0:
            return len(block) - back
        if block[-back] < 0x80:
            break
    return len(block)


@dataclass(slots=True)
class _Tally:
    """Counts over the lines of a text. `whole` lines are UTF-8 beyond ASCII, `plain_whole` those of them that hold
    UTF-8 of the plain kind, `partial` hold some of it beside bytes that are none, `legacy` have no UTF-8 at all."""

    whole: int = 0
    plain_whole: int = 0
    partial: int = 0
    legacy: int = 0
    line_feeds: int = 0
    returns: int = 0
    last: bytes = b""
    high: Counter[int] = field(default_factory=Counter)
    evidence: bytearray = field(default_factory=bytearray)
    latin9: int = 0
    counted: int = 0

    def add(self, block: bytes) -> None:
        feeds = block.count(b"\n")
        self.line_feeds += feeds
        self.returns += block.count(b"\r") - block.count(b"\r\n")
        self.last = block[-1:]
        if not block.isascii():
            self._add_lines(block.split(b"\n" if feeds else b"\r"), _is_utf8(block))

    def _add_lines(self, lines: list[bytes], is_utf8: bool) -> None:
        accented = [line for line in lines if not line.isascii()]
        if is_utf8:
            self.whole += len(accented)
            self.plain_whole += len(accented)
            return
        others: list[bytes] = []
        for line in accented:
            has_pair = _has_pair(line)
            is_plain = has_pair and _PLAIN_UTF8.search(line) is not None
            if has_pair and _is_utf8(line):
                self.whole += 1
                self.plain_whole += is_plain
            else:
                self.partial += is_plain
                self.legacy += not is_plain
                others.append(line)
        if others:
            self._weigh(others)

    def _weigh(self, lines: list[bytes]) -> None:
        """Keep what tells one-byte encodings apart."""
        joined = b"\n".join(lines)
        if self.counted < _COUNTED_BYTES:
            self.counted += len(joined)
            self.high.update(joined.translate(None, _ASCII))
            self.latin9 += _latin9_votes(joined)
        if len(self.evidence) < _EVIDENCE_BYTES:
            self.evidence += joined[:_EVIDENCE_BYTES] + b"\n"

    def encoding(self) -> str:
        others = self.legacy + self.partial
        # In mac-roman, "l’âge" happens to be UTF-8: lines that are so by chance are few, or not of the plain kind.
        if self.whole >= 4 * others or self.plain_whole >= max(others, 1):
            return "utf-8"
        return _legacy_encoding(self)

    def newline(self) -> str:
        only_feed_is_last = self.line_feeds == 1 and self.last == b"\n" and self.returns > 1
        return "\r" if self.returns and (not self.line_feeds or only_feed_is_last) else "\n"

    def foreign_to(self, encoding: str) -> int:
        if encoding == "utf-8":
            return self.legacy + self.partial
        return self.partial + (self.plain_whole if encoding in _CONFUSABLE else self.whole)


def _has_pair(line: bytes) -> bool:
    """Whether a sequence of UTF-8 is possible. Beyond ASCII a line has few bytes, which are soon looked through."""
    return _PAIR.search(line.translate(None, _ASCII)) is not None


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


# ---- one-byte encodings

#: cp1252 before its subset latin-1: where both read alike, Windows it was.
_LEGACY = ("cp1252", "mac-roman", "cp850", "latin-1")
_UNDEFINED_IN_CP1252 = (0x81, 0x8D, 0x8F, 0x90, 0x9D)

_USUAL = frozenset("éèêëàâçùûôîïœ")
_LETTERS = frozenset("äüöæñáíóúßåøãõìòýÿ")
_SIGNS = frozenset("’‘“”«»–—…€°·\u00a0²³º£§µ¬´®™½¼¦")


def _latin9_votes(text: bytes) -> int:
    """How much more often bytes that latin-9 reads otherwise are its letters and its euro than fractions and signs."""
    if not any(byte in text for byte in (b"\xa4", b"\xbc", b"\xbd", b"\xbe")):
        return 0
    letters = len(re.findall(rb"[A-Za-z\xc0-\xff][\xbc\xbd]|[\xbc\xbd][A-Za-z\xc0-\xff]", text))
    fractions = len(re.findall(rb"[0-9 ][\xbc-\xbe](?![A-Za-z\xc0-\xff])", text))
    return letters + text.count(b"\xa4") - fractions


def _legacy_encoding(tally: _Tally) -> str:
    """The one-byte encoding in which the text reads most like a western European list."""
    evidence = bytes(tally.evidence)
    if separator := _separating_byte(evidence):
        evidence = evidence.replace(separator, b";")
    scores = {name: _score(evidence, name) for name in _LEGACY}
    best = max(_LEGACY, key=lambda name: scores[name])
    if tally.newline() == "\r" and scores["mac-roman"] >= scores[best] * 0.8:
        return "mac-roman"
    if best in _CONFUSABLE:
        return best
    controls = [byte for byte in tally.high if byte < 0xA0]
    if not controls:
        return "iso8859-15" if tally.latin9 > 0 else "cp1252"
    return "latin-1" if all(byte in _UNDEFINED_IN_CP1252 for byte in controls) else best


def _separating_byte(text: bytes) -> bytes:
    """The byte beyond ASCII that stands as often on nearly every line, as a delimiter does; b"" without one."""
    lines = [line for line in text.split(b"\n")[:100] if line.strip()]
    for byte, __ in Counter(text.translate(None, _ASCII)).most_common(3):
        counts = Counter(line.count(byte) for line in lines)
        usual, times = counts.most_common(1)[0]
        if usual > 1 and len(lines) > 1 and times >= len(lines) * 0.9:
            return bytes((byte,))
    return b""


_AROUND = re.compile(r"(.?)([^\x00-\x7f])(?=(.?))", re.DOTALL)


def _score(text: bytes, encoding: str) -> int:
    """How well the characters beyond ASCII fit where they stand."""
    decoded = text.decode(encoding, errors="replace")
    seen = Counter(_AROUND.findall(decoded))
    return sum(_fit(*around) * count for around, count in seen.items())


def _fit(before: str, character: str, after: str) -> int:
    lower = character.lower()
    if lower in _USUAL or lower in _LETTERS:
        weight = 6 if lower in _USUAL else 2
        if not (before.isalpha() or after.isalpha()):
            return 0
        # No word goes from small to capital; the reverse is a careless one.
        if character != lower and (before.islower() or (after.islower() and before.isalpha())):
            return -weight
        return weight if character != lower or not (before.isupper() and after.isupper()) else 0
    if character in _SIGNS:
        return 3
    return -6 if character == "\ufffd" or not character.isprintable() else -3


# ---- decoding, line by line

Decoder = Callable[[bytes], tuple[str, bool]]


def _read_otherwise(encoding: str) -> Callable[[UnicodeError], tuple[str, int]]:
    def read(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        return error.object[error.start : error.end].decode(encoding, errors="replace"), error.end

    return read


#: Codec error handlers: a byte that is no UTF-8 is read in the file's own encoding, so that its accent is not lost.
for _name in (*_LEGACY, "iso8859-15"):
    codecs.register_error(f"courtois_{_name}", _read_otherwise(_name))


def decoder(encoding: str) -> Decoder:
    """Return what decodes one line of canonical text, and tells whether the line is foreign: it was not in `encoding`.

    Never raises: what is undefined becomes U+FFFD."""
    if encoding == "utf-8":
        return _decode_utf8
    return _legacy_decoder(encoding)


def _decode_utf8(line: bytes) -> tuple[str, bool]:
    try:
        return line.decode(), False
    except UnicodeDecodeError:
        return line.decode("utf-8", "courtois_cp1252"), True


def _legacy_decoder(encoding: str) -> Decoder:
    handler = f"courtois_{encoding}"
    alphabet = bytes(range(256)).decode(encoding, "replace")
    others_count = encoding not in _CONFUSABLE

    def decode(line: bytes) -> tuple[str, bool]:
        if line.isascii():
            return line.decode("ascii"), False
        if _has_pair(line) and (_PLAIN_UTF8.search(line) or (others_count and _is_utf8(line))):
            return line.decode("utf-8", handler), True
        return codecs.charmap_decode(line, "replace", alphabet)[0], False

    return decode


class Transcoded(io.RawIOBase):
    """A text that is not canonical, as canonical UTF-8: to be read forward, once."""

    def __init__(self, stream: BinaryIO, encoding: str, newline: str) -> None:
        """Read `stream` from its beginning."""
        stream.seek(0)
        self._texts = _wide_texts(stream, encoding) if encoding in _WIDE else _narrow_texts(stream, encoding)
        self._turns_returns = newline == "\r"
        self._ready = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer as far as there is text; 0 at the end."""
        while not self._ready and (text := next(self._texts, None)) is not None:
            self._ready = (text.replace("\r", "\n") if self._turns_returns else text).encode(errors="replace")
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def _wide_texts(stream: BinaryIO, encoding: str) -> Iterator[str]:
    decode = codecs.getincrementaldecoder(encoding)("replace").decode
    while block := stream.read(BLOCK_BYTES // 4):
        yield decode(block)
    yield decode(b"", True)


def _narrow_texts(stream: BinaryIO, encoding: str) -> Iterator[str]:
    """Lines that end with CR, each read in its own encoding."""
    decode = decoder(encoding)
    for block in _whole_lines(stream):
        yield "\r".join(decode(line)[0] for line in block.split(b"\r"))
