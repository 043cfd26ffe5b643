"""Where messages may be sent: to servers of the public Internet, never to our own network. Pure.

A subscriber names an address; if we sent to whatever it names, it could make our server ask the machines behind the
firewall, or the cloud's metadata service, which gives out keys. So every IP address that a name leads to is judged.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import quote, urlsplit

MAX_URL = 500
#: The part of IPv6 that is given out (RFC 4291, IANA), so neither site-local nor translated addresses (64:ff9b::/96).
GIVEN_OUT = ip_network("2000::/3")
#: Of those, what carries an IPv4 address inside, which could be a private one: 6to4 and Teredo.
TUNNELS = (ip_network("2002::/16"), ip_network("2001::/32"))
#: Metadata services of clouds; all are refused by their networks too, this names them for the reader.
METADATA = frozenset(
    map(ip_address, ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"))
)
#: Names that lead inside wherever they are asked.
INSIDE_NAMES = (".local", ".internal", ".localhost", ".localdomain", ".home.arpa")
#: Characters of a path and query that are sent as they are.
KEPT = "/%:@!$&'()*+,;=~-._?"


class BadTarget(Exception):
    """An address that cannot be sent to. `code` says why: `form`, `scheme` or `inside`."""

    def __init__(self, code: str) -> None:
        """Keep the reason."""
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. `host` is ASCII (IDNA), without brackets; `path` includes the query."""

    is_secure: bool
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """Return the Host header: with its port unless it is the scheme's own."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.is_secure else 80
        return name if self.port == usual else f"{name}:{self.port}"


def target_of(url: str, *, allow_local: bool) -> Target:
    """Take a URL apart, or raise BadTarget: not https, with a password, or evidently inside our own network.

    `allow_local` (development) lets this machine's own names and plain http to them pass; whatever a name leads to is
    judged again when it is sent to.
    """
    if len(url) > MAX_URL or not url.isprintable() or any(letter.isspace() for letter in url):
        raise BadTarget("form")
    try:
        parts = urlsplit(url)
        port, name = parts.port, (parts.hostname or "").rstrip(".")
        host = name if ":" in name else name.encode("idna").decode()
    except ValueError as error:
        raise BadTarget("form") from error
    if not host or parts.username is not None or parts.password is not None or parts.fragment or port == 0:
        raise BadTarget("form")
    is_local = allow_local and _is_this_machine(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise BadTarget("scheme")
    if not is_local and _is_inside(host):
        raise BadTarget("inside")
    is_secure = parts.scheme == "https"
    path = quote(parts.path or "/", safe=KEPT) + (f"?{quote(parts.query, safe=KEPT)}" if parts.query else "")
    return Target(is_secure, host, port or (443 if is_secure else 80), path)


def all_allowed(addresses: Iterable[str], *, allow_local: bool) -> bool:
    """Whether every one of the IP addresses may be sent to; one that may not condemns the name, and so does none."""
    found = list(addresses)
    return bool(found) and all(is_allowed(address, allow_local=allow_local) for address in found)


def is_allowed(text: str, *, allow_local: bool) -> bool:
    """Whether an IP address is of the public Internet; `allow_local` lets this machine's own (loopback) pass."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    address = inner or address
    if address.is_loopback:
        return allow_local
    return _is_public(address)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if address.is_multicast or address in METADATA or not address.is_global:
        return False
    if address.version == 4:
        return True
    return address in GIVEN_OUT and not any(address in network for network in TUNNELS)


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_inside(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        name = host.lower()
        return name == "localhost" or name.endswith(INSIDE_NAMES) or "." not in name
    return not is_allowed(host, allow_local=False)
