"""One POST to a server of somebody else: guarded, bounded, never redirected. The servers are real, on this machine."""

import socket
import ssl
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from crm.services.webhook_client import MAX_KEPT, Outcome, post
from tests.receiving import Receiver, make_certificate, receiver


def sent(url: str, **options: Any) -> Outcome:
    headers = {"Content-Type": "application/json"}
    return post(url, **{"headers": headers, "body": b"{}", "allow_local": True, **options})


def test_an_answer_of_2xx_is_a_success() -> None:
    with receiver(status=202, body=b"thanks") as there:
        outcome = sent(there.url + "?a=1")

    assert (outcome.status, outcome.error, outcome.answer) == (202, "", "thanks")
    assert there.got[0].path == "/hooks?a=1"
    assert there.got[0].body == b"{}"
    assert there.got[0].headers["host"] == there.url.split("/")[2]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    with receiver() as inside, receiver(status=status, headers={"Location": inside.url}) as there:
        outcome = sent(there.url)

    assert (outcome.status, outcome.error) == (status, "redirect")
    assert inside.got == []


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503])
def test_any_other_answer_is_a_refusal_with_its_words(status: int) -> None:
    with receiver(status=status, body="non à".encode(), headers={"Retry-After": "9"}) as there:
        outcome = sent(there.url)

    assert (outcome.status, outcome.error, outcome.answer) == (status, "status", "non à")
    assert outcome.retry_after == "9"


def test_without_the_setting_nothing_is_sent_to_this_machine() -> None:
    with receiver() as there:
        outcome = sent(there.url.replace("http:", "https:"), allow_local=False)

    assert outcome.error == "address"
    assert there.got == []


def names(*answers: list[str]) -> Any:
    """A resolver that gives other addresses each time it is asked."""
    left = list(answers)

    def resolve(host: str, port: int, **_options: Any) -> list[Any]:
        return [
            (socket.AF_INET6 if ":" in text else socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port))
            for text in left.pop(0)
        ]

    return resolve


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["::ffff:169.254.169.254"],
        ["fd00:ec2::254"],
        ["64:ff9b::7f00:1"],
        ["93.184.215.14", "127.0.0.1"],
    ],
)
def test_a_public_name_with_one_address_inside_is_refused_whole(addresses: list[str]) -> None:
    outcome = sent("https://crm.example.com/", allow_local=False, resolve=names(addresses))

    assert outcome.error == "address"


def test_a_name_that_changes_its_mind_is_asked_once_and_its_first_answer_is_called() -> None:
    with receiver() as first, receiver() as second:
        port = int(first.url.split(":")[2].split("/")[0])
        asked = names(["127.0.0.1"], ["127.0.0.2"])
        outcome = sent(f"http://localhost:{port}/", resolve=asked)

    assert outcome.status == 204
    assert len(first.got) == 1
    assert second.got == []
    with pytest.raises(IndexError):
        asked("x", 1), asked("x", 1)


def test_a_name_whose_first_address_is_dead_is_reached_by_its_second() -> None:
    with receiver() as there:
        port = int(there.url.split(":")[2].split("/")[0])
        outcome = sent(f"http://localhost:{port}/", resolve=names(["::1", "127.0.0.1"]))

    assert outcome.status == 204


def test_a_name_that_nobody_knows_says_so() -> None:
    def unknown(*_args: Any, **_options: Any) -> Any:
        raise socket.gaierror("Name or service not known")

    assert sent("https://nowhere.example.com/", resolve=unknown).error == "dns"


def test_the_certificate_is_verified_by_the_name_although_the_address_is_called(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, "localhost")
    trust = ssl.create_default_context(cafile=str(certificate / "cert.pem"))

    with receiver(certificate=certificate) as there:
        trusted = sent(there.url, trust=trust)
        unknown = sent(there.url)

    assert trusted.status == 204
    assert unknown.error == "tls"
    assert len(there.got) == 1


def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, "crm.example.com")
    trust = ssl.create_default_context(cafile=str(certificate / "cert.pem"))

    with receiver(certificate=certificate) as there:
        outcome = sent(there.url, trust=trust)

    assert outcome.error == "tls"
    assert there.got == []


def dribble(there: Receiver, first: bytes) -> Any:
    """Answer one byte at a time, for ever."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(first)
        try:
            while not there.over.wait(0.05):
                handler.wfile.write(b"a")
        except OSError:
            pass

    return act


def test_a_receiver_that_dribbles_its_headers_is_cut_off_at_the_deadline() -> None:
    with receiver() as there:
        there.act = dribble(there, b"HTTP/1.1 200 OK\r\nX-Slow: ")
        began = time.monotonic()
        outcome = sent(there.url, total_seconds=0.4)

    assert outcome.error == "timeout"
    assert time.monotonic() - began < 3


def test_a_receiver_that_never_ends_its_body_has_answered_by_its_status() -> None:
    with receiver() as there:
        there.act = dribble(there, b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n")
        outcome = sent(there.url, total_seconds=0.4)

    assert (outcome.status, outcome.error) == (200, "")


def test_a_receiver_that_says_nothing_is_cut_off() -> None:
    with receiver() as there:
        there.act = lambda handler: there.over.wait(20)
        outcome = sent(there.url, total_seconds=0.3)

    assert outcome.error == "timeout"


def test_of_a_huge_answer_only_the_beginning_is_read_and_kept() -> None:
    counted: list[int] = []

    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 500 Oops\r\n\r\n")
        try:
            for number in range(2_000):
                handler.wfile.write(b"\0" * 10_000)
                counted.append(number)
        except OSError:
            pass

    with receiver(act=flood) as there:
        outcome = sent(there.url)

    assert outcome.status == 500
    assert len(outcome.answer) == MAX_KEPT
    assert "\0" not in outcome.answer
    assert len(counted) < 2_000


@pytest.mark.parametrize(
    "answer",
    [
        b"hello\r\n\r\n",
        b"\0hello\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 9_000,
    ],
)
def test_what_is_no_http_is_a_failure_not_an_error(answer: bytes) -> None:
    with receiver(act=lambda handler: handler.wfile.write(answer)) as there:
        outcome = sent(there.url)

    assert outcome.error in {"answer", "connection"}


def test_a_closed_port_is_a_failure() -> None:
    with receiver() as there:
        url = there.url

    assert sent(url).error == "connection"
