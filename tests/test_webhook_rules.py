"""What is signed, when it is sent again, and where it may go: rules without a database."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from crm.rules.webhook_retry import DELAYS, MAX_ATTEMPTS, is_silent, retry_delay, wait_asked
from crm.rules.webhook_signature import headers_of, key_of, secret_of, signature
from crm.rules.webhook_targets import BadTarget, is_allowed, target_of
from tests.factories import NOW

BODY = '{"type":"call.ended","data":{"mot":"à"}}'.encode()


def test_the_reference_library_verifies_what_we_sign() -> None:
    secret = secret_of(b"0" * 24)
    headers = headers_of([secret], message="msg_1", at=datetime.now(UTC), body=BODY)

    assert Webhook(secret).verify(BODY, headers) == {"type": "call.ended", "data": {"mot": "à"}}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" ", headers)


def test_during_a_rotation_either_secret_verifies_and_no_other() -> None:
    new, old, other = (secret_of(bytes([number]) * 32) for number in range(3))
    headers = headers_of([new, old], message="msg_1", at=datetime.now(UTC), body=BODY)

    for secret in (new, old):
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, headers)
    assert headers["webhook-signature"].count(" ") == 1


def test_the_example_of_the_standard_is_signed_as_it_says() -> None:
    made = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "text", ["", "MfKQ", "whsec_", "whsec_!!!!", "whsec_" + base64.b64encode(b"1" * 23).decode()]
)
def test_what_is_no_secret_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        key_of(text)


def test_a_message_is_tried_ten_times_over_three_days() -> None:
    delays = [retry_delay(attempts, roll=0) for attempts in range(1, MAX_ATTEMPTS + 1)]

    assert MAX_ATTEMPTS == 10
    assert delays == [*DELAYS, None]
    assert timedelta(days=3) < sum(DELAYS, timedelta()) < timedelta(days=4)
    assert DELAYS[0] < (retry_delay(1, roll=1) or timedelta()) <= DELAYS[0] * 1.2


@pytest.mark.parametrize(
    ("status", "text", "wait"),
    [
        (429, "120", timedelta(minutes=2)),
        (503, " 7 ", timedelta(seconds=7)),
        (503, "Wed, 25 Nov 2026 10:05:00 GMT", timedelta(minutes=5)),
        (503, "Wed, 25 Nov 2026 09:00:00 GMT", timedelta()),
        (429, "9" * 30, timedelta(days=1)),
        (503, "Fri, 01 Jan 2100 00:00:00 GMT", timedelta(days=1)),
        (500, "120", None),
        (429, "", None),
        (429, "soon", None),
        (429, "-5", None),
        (429, "²", None),
    ],
)
def test_a_receiver_that_asks_us_to_wait_is_understood(
    status: int, text: str, wait: timedelta | None
) -> None:
    assert wait_asked(status, text, at=NOW) == wait


def test_five_days_without_a_success_are_silence() -> None:
    assert not is_silent(since=NOW, at=NOW + timedelta(days=4, hours=23))
    assert is_silent(since=NOW, at=NOW + timedelta(days=5))


PRIVATE = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "100::1",
    "nothing",
    "1.2.3",
    "1.2.3.4.5",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_nothing_is_sent_to_an_address_that_is_not_of_the_public_internet(address: str) -> None:
    assert not is_allowed(address, allow_local=False)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_the_public_internet_is_sent_to(address: str) -> None:
    assert is_allowed(address, allow_local=False)


def test_the_setting_of_development_opens_this_machine_and_no_other() -> None:
    opened = [address for address in PRIVATE if is_allowed(address, allow_local=True)]

    assert opened == ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://crm.example.com/", "scheme"),
        ("ftp://crm.example.com/", "scheme"),
        ("crm.example.com", "form"),
        ("https://", "form"),
        ("https://user:secret@crm.example.com/", "form"),
        ("https://crm.example.com/#part", "form"),
        ("https://crm.example.com:99999/", "form"),
        ("https://crm.example.com:0/", "form"),
        ("https://crm.example.com/a b", "form"),
        ("https://crm.example.com/\r\nHost: inside", "form"),
        ("https://" + "a" * 500 + ".example.com/", "form"),
        ("https://localhost/", "inside"),
        ("https://127.0.0.1/", "inside"),
        ("https://[::1]/", "inside"),
        ("https://[fd00:ec2::254]/", "inside"),
        ("https://169.254.169.254/latest/meta-data/", "inside"),
        ("https://2130706433/", "inside"),
        ("https://intranet/", "inside"),
        ("https://printer.local/", "inside"),
        ("https://metadata.google.internal/", "inside"),
        ("https://x.localhost./", "inside"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused_when_it_is_typed(url: str, code: str) -> None:
    with pytest.raises(BadTarget) as refused:
        target_of(url, allow_local=False)

    assert refused.value.code == code


def test_an_address_is_taken_apart_as_it_is_sent() -> None:
    target = target_of("https://büro.example.com:8443/à/b?q=é&x=%20", allow_local=False)

    assert (target.host, target.port) == ("xn--bro-hoa.example.com", 8443)
    assert target.path == "/%C3%A0/b?q=%C3%A9&x=%20"
    assert target.host_header == "xn--bro-hoa.example.com:8443"


def test_plain_http_is_for_this_machine_in_development_alone() -> None:
    assert not target_of("http://localhost:9/x", allow_local=True).is_secure
    with pytest.raises(BadTarget):
        target_of("http://crm.example.com/", allow_local=True)
