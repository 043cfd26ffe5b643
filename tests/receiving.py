"""Receivers of webhooks on this machine: real servers in threads that answer as a test says and keep what they got."""

import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any


@dataclass
class Received:
    """One request: its headers in lower case, and its body."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A server; `status` and `headers` are what it answers, `act` what it does instead when that is given."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    act: Callable[[BaseHTTPRequestHandler], object] | None = None
    got: list[Received] = field(default_factory=list)
    #: Set when the test is over: whoever dribbles stops.
    over: Event = field(default_factory=Event)


@contextmanager
def receiver(**answer: Any) -> Iterator[Receiver]:
    """Run a receiver on a free port of this machine, over https when `certificate` (a folder) is given."""
    certificate: Path | None = answer.pop("certificate", None)
    mine = Receiver(**answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            mine.got.append(Received(self.path, headers, body))
            if mine.act is not None:
                mine.act(self)
                return
            self.send_response(mine.status)
            for name, value in mine.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(mine.body)))
            self.end_headers()
            self.wfile.write(mine.body)

        def log_message(self, *_words: Any) -> None:
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_connection: Any) -> None:
            """Keep quiet about a client that hung up."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "https"
    mine.url = f"{scheme}://localhost:{server.server_port}/hooks"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield mine
    finally:
        mine.over.set()
        server.shutdown()
        server.server_close()


def make_certificate(folder: Path, name: str) -> Path:
    """Write a self-signed certificate for a DNS name into a folder; returns it."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-days", "1", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder
