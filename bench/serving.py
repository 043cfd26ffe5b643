"""The web server that benchmarks ask, as the Procfile starts it, and bare sockets that ask it without costing much."""

import gzip
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

from bench.place import ROOT


@contextmanager
def served() -> Iterator[int]:
    """Run the web server on a free port, which is also left in `BENCH_PORT`; stop it at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ.update(BENCH_PORT=str(port), PORT=str(port), HOST="127.0.0.1", DEBUG="0")
    command = next(row for row in (ROOT / "Procfile").read_text().splitlines() if row.startswith("web:"))
    shell = command.removeprefix("web:").strip()
    environment = os.environ | {
        "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    # Pages name the files of a collected, hashed set: as `make run` leaves it.
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(collect, cwd=ROOT, env=environment, check=True)
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            ["sh", "-c", f"exec {shell}"], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            if not _answers(port, process):
                log.seek(0)
                raise RuntimeError(f"the web server did not answer:\n{log.read()[-2000:]}")
            yield port
        finally:
            process.terminate()
            process.wait(30)
            os.environ["DEBUG"] = "1"


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + 60
    request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Host": "localhost"})
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(request, timeout=2):
            return True
        time.sleep(0.2)
    return False


@dataclass(frozen=True)
class Answer:
    """What the server answered, and the seconds from the first byte sent to the last one read."""

    status: int
    head: str
    body: bytes
    seconds: float

    def header(self, name: str) -> str:
        """Return a header, "" when it is absent."""
        found = re.search(rf"(?im)^{name}: *(.*?)\r?$", self.head)
        return found[1] if found else ""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Line:
    """A kept connection to the server."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self._server = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> Answer:
        """Send a request, wait for its answer."""
        begin = time.perf_counter()
        self._server.sendall(request)
        read = b""
        while b"\r\n\r\n" not in read:
            read += self._some()
        head, _blank, body = read.partition(b"\r\n\r\n")
        text = head.decode("latin-1")
        length = re.search(r"(?i)\r\ncontent-length: *(\d+)", text)
        wanted = int(length[1]) if length else 0
        while len(body) < wanted:
            body += self._some()
        took = time.perf_counter() - begin
        if re.search(r"(?i)\r\ncontent-encoding: *gzip", text):
            body = gzip.decompress(body)
        return Answer(int(text.split(" ", 2)[1]), text, body, took)

    def _some(self) -> bytes:
        data = self._server.recv(65536)
        if not data:
            raise ConnectionError("the web server closed the connection")
        return data

    def close(self) -> None:
        """Hang up."""
        self._server.close()


class Browser:
    """A signed-in browser as far as the server can tell: cookies, the token of its forms, what htmx sends."""

    def __init__(self, port: int, session: str) -> None:
        """Keep the session's cookie and a connection."""
        self.line = Line(port)
        self._cookies = {"sessionid": session}
        self._token = ""

    def get(self, path: str, *, fragment: bool = False) -> Answer:
        """Ask for a page, or for what htmx puts into one."""
        return self._ask("GET", path, "", fragment=fragment)

    def post(self, path: str, form: str = "", *, fragment: bool = True) -> Answer:
        """Send a form, already encoded."""
        return self._ask("POST", path, form, fragment=fragment)

    def _ask(self, method: str, path: str, form: str, *, fragment: bool) -> Answer:
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: localhost",
            "X-Forwarded-Proto: https",
            "Origin: https://localhost",
            "Accept-Language: fr",
            "Accept-Encoding: gzip",
            "Cookie: " + "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
        ]
        if fragment:
            lines.append("HX-Request: true")
            if method == "POST":
                lines.append(f"X-Press: {uuid4()}")
        if method == "POST":
            lines += [
                f"X-CSRFToken: {self._token}",
                "Content-Type: application/x-www-form-urlencoded",
                f"Content-Length: {len(form.encode())}",
            ]
        answer = self.line.ask("\r\n".join((*lines, "", form)).encode())
        for name, value in re.findall(r"(?im)^set-cookie: *([^=]+)=([^;\r\n]*)", answer.head):
            self._cookies[name] = value
        token = re.search(rb'"X-CSRFToken": ?"(\w+)"', answer.body)
        if token:
            self._token = token[1].decode()
        return answer


def session_of(user: int) -> str:
    """Return the cookie of a new session of this user, as a login would leave it."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from crm.models import User

    session = SessionStore()
    session[SESSION_KEY] = str(user)
    session[BACKEND_SESSION_KEY] = "config.sessions.Accounts"
    session[HASH_SESSION_KEY] = User.objects.get(pk=user).get_session_auth_hash()
    session.create()
    return session.session_key or ""
