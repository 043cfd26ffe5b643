"""One POST to a server that somebody else named: guarded, bounded in time and size, never redirected.

The name is resolved once, every address that it has is judged, and the connection goes to the address that was judged:
a name that answers differently the next time (DNS rebinding) is not asked again. The certificate is verified by the
name all the same. The standard library does it: its HTTP client would resolve the name by itself.
"""

import io
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any, cast

from crm.enums import DeliveryError
from crm.rules.webhook_targets import BadTarget, Target, all_allowed, target_of

#: Seconds to come to a connection, and for the whole: name, connection, encryption, request and answer.
CONNECT_SECONDS, TOTAL_SECONDS = 5.0, 15.0
#: Addresses of a name that are tried at most; the seconds are shared among those that are left.
MAX_PLACES = 4
#: Bytes of an answer, headers included, that are read at most, and of its body that are kept.
MAX_READ, MAX_KEPT = 64 * 1024, 1024

#: Asked as `socket.getaddrinfo(host, port, type=…)`.
Resolver = Callable[..., list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt. `status` is null when there was no answer, `error` empty when it was taken (2xx).

    `detail` is the machine's own words for the error, `answer` the beginning of the body, `retry_after` its header.
    """

    status: int | None = None
    error: str = ""
    detail: str = ""
    answer: str = ""
    retry_after: str = ""
    milliseconds: int = 0


class _Failed(Exception):
    def __init__(self, error: DeliveryError, detail: object = "") -> None:
        self.error, self.detail = error, str(detail)[:300]
        super().__init__(error)


class _Deadline:
    """A moment after which nothing is waited for."""

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    def left(self, most: float = TOTAL_SECONDS) -> float:
        """Return the seconds that are left, at most `most`; raises TimeoutError when none is."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline")
        return min(left, most)


class _Bounded(io.RawIOBase):
    """The bytes of an answer, until the deadline and up to `MAX_READ`: whoever dribbles them gains nothing."""

    def __init__(self, connected: socket.socket, deadline: _Deadline) -> None:
        self.connected, self.deadline, self.read_so_far = connected, deadline, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        room = memoryview(buffer)[: MAX_READ - self.read_so_far]
        if not room:
            return 0
        self.connected.settimeout(self.deadline.left())
        count = self.connected.recv_into(room)
        self.read_so_far += count
        return count


class _Answer:
    """What `HTTPResponse` takes for a socket."""

    def __init__(self, raw: _Bounded) -> None:
        self.raw = raw

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self.raw)


def post(
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes,
    allow_local: bool = False,
    resolve: Resolver = socket.getaddrinfo,
    trust: ssl.SSLContext | None = None,
    total_seconds: float = TOTAL_SECONDS,
) -> Outcome:
    """Send `body` and return what became of it; never raises for what the other side does.

    `allow_local` lets it go to this machine, `trust` says which certificates hold (default: the system's).
    """
    began = time.monotonic()
    deadline = _Deadline(total_seconds)
    try:
        found = _posted(url, headers, body, deadline, allow_local, resolve, trust)
    except _Failed as failure:
        found = Outcome(error=failure.error, detail=failure.detail)
    except TimeoutError:
        found = Outcome(error=DeliveryError.TIMEOUT)
    except ssl.SSLError as failure:
        found = Outcome(error=DeliveryError.TLS, detail=_words(failure))
    except OSError as failure:
        found = Outcome(error=DeliveryError.CONNECTION, detail=_words(failure))
    except (HTTPException, ValueError) as failure:
        # ValueError: a length or a chunk that is no number.
        found = Outcome(error=DeliveryError.ANSWER, detail=_words(failure))
    return _timed(found, began)


def _posted(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    deadline: _Deadline,
    allow_local: bool,
    resolve: Resolver,
    trust: ssl.SSLContext | None,
) -> Outcome:
    try:
        target = target_of(url, allow_local=allow_local)
    except BadTarget as bad:
        raise _Failed(DeliveryError.ADDRESS, bad.code) from bad
    places = _places(target, allow_local, resolve)
    with _connected(places, deadline) as plain, _encrypted(plain, target, deadline, trust) as connected:
        _write(connected, _request(target, headers, body), deadline)
        return _read(connected, deadline)


def _places(target: Target, allow_local: bool, resolve: Resolver) -> list[tuple[Any, Any]]:
    """Return the socket families and addresses of the target's name, all of which may be sent to."""
    try:
        found = resolve(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as failure:
        raise _Failed(DeliveryError.DNS, _words(failure)) from failure
    places = list(dict.fromkeys((family, place) for family, _type, _protocol, _name, place in found))
    if not places:
        raise _Failed(DeliveryError.DNS)
    if not all_allowed((str(place[0]) for _family, place in places), allow_local=allow_local):
        raise _Failed(DeliveryError.ADDRESS)
    return places


def _connected(places: list[tuple[Any, Any]], deadline: _Deadline) -> socket.socket:
    """Return a connection to the first of the places that accepts one, within `CONNECT_SECONDS` for all of them."""
    connecting = _Deadline(min(CONNECT_SECONDS, deadline.left()))
    last: OSError = TimeoutError()
    places = places[:MAX_PLACES]
    for number, (family, place) in enumerate(places):
        attempt = socket.socket(family, socket.SOCK_STREAM)
        try:
            # A name whose IPv6 leads nowhere is still reached by its IPv4.
            attempt.settimeout(connecting.left() / (len(places) - number))
            attempt.connect(place)
            return attempt
        except OSError as failure:
            attempt.close()
            last = failure
    raise last


def _encrypted(
    plain: socket.socket, target: Target, deadline: _Deadline, trust: ssl.SSLContext | None
) -> socket.socket:
    if not target.is_secure:
        return plain
    plain.settimeout(deadline.left())
    context = trust or ssl.create_default_context()
    return context.wrap_socket(plain, server_hostname=target.host)


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    sent = {
        "Host": target.host_header,
        "Content-Length": str(len(body)),
        "Connection": "close",
        **headers,
    }
    if any(not value.isprintable() for value in sent.values()):
        raise ValueError("a header holds what cannot be printed")
    lines = [f"POST {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _write(connected: socket.socket, content: bytes, deadline: _Deadline) -> None:
    rest = memoryview(content)
    while rest:
        connected.settimeout(deadline.left())
        rest = rest[connected.send(rest) :]


def _read(connected: socket.socket, deadline: _Deadline) -> Outcome:
    """Read an answer. Once its status is known it counts, whatever becomes of the body."""
    answer = HTTPResponse(cast(socket.socket, _Answer(_Bounded(connected, deadline))), method="POST")
    answer.begin()
    body = b""
    try:
        while len(body) < MAX_READ and (piece := answer.read1(MAX_READ)):
            body += piece
    except (OSError, HTTPException, ValueError):
        pass
    return Outcome(
        status=answer.status,
        error=_error_of(answer.status),
        detail=_storable(answer.reason[:100]) if answer.status >= 300 else "",
        answer=_storable(body[:MAX_KEPT].decode(errors="replace")),
        retry_after=answer.headers.get("Retry-After", "")[:100],
    )


def _storable(text: str) -> str:
    """PostgreSQL keeps no null character."""
    return text.replace("\0", "\ufffd")


def _error_of(status: int) -> str:
    if 200 <= status < 300:
        return ""
    return DeliveryError.REDIRECT if 300 <= status < 400 else DeliveryError.STATUS


def _timed(found: Outcome, began: float) -> Outcome:
    milliseconds = round((time.monotonic() - began) * 1000)
    return Outcome(found.status, found.error, found.detail, found.answer, found.retry_after, milliseconds)


def _words(failure: BaseException) -> str:
    return _storable(f"{type(failure).__name__}: {failure}"[:300])
