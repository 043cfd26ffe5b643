"""What an API token opens, narrower than its user: scopes such as `prospects:write`, and sponsors. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from crm.enums import Resource
from crm.rules.errors import Invalid

READ, WRITE = "read", "write"
#: The scope that holds all others: whatever the user's role may.
EVERYTHING = "*"
#: Methods that change nothing.
SAFE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class TokenReach:
    """What the token of a request opens: its id, its scopes, and the ids of the sponsors that it keeps to, which are
    among its user's; None where it keeps to none."""

    pk: int
    scopes: frozenset[str]
    sponsors: tuple[int, ...] | None = None


def scope_needed(resource: str, method: str, *, only_reads: bool = False) -> str:
    """Return the scope that a method at an address of this resource asks for. `only_reads`: it changes nothing."""
    return f"{resource}:{READ if only_reads or method in SAFE else WRITE}"


def is_covered(needed: str, scopes: Collection[str]) -> bool:
    """Tell whether scopes hold the one that is needed: to write is to read, too."""
    resource, _colon, act = needed.partition(":")
    return EVERYTHING in scopes or needed in scopes or (act == READ and f"{resource}:{WRITE}" in scopes)


def scopes_of(given: Iterable[str]) -> list[str]:
    """Return scopes as they are stored: each once, in the order of the resources, without those that another holds.

    None given, or `*` among them: all. Refuses the field `scopes` where one is unknown.
    """
    wanted = {scope.strip() for scope in given} - {""}
    if not wanted or EVERYTHING in wanted:
        return [EVERYTHING]
    known = [f"{resource}:{act}" for resource in Resource.values for act in (READ, WRITE)]
    if unknown := sorted(wanted.difference(known)):
        raise Invalid.field("scopes", _("Droit inconnu : %(scopes)s.") % {"scopes": ", ".join(unknown)[:200]})
    return [
        scope
        for scope in known
        if scope in wanted and not (scope.endswith(f":{READ}") and scope[: -len(READ)] + WRITE in wanted)
    ]


#: What the addresses of the API offer to each role, filled in as they are defined: (resource, read or write) by role.
OFFERED: dict[str, set[tuple[str, str]]] = {}


def offer(resource: str, act: str, roles: Iterable[str]) -> None:
    """Note that the API lets these roles read or write a resource."""
    for role in roles:
        OFFERED.setdefault(role, set()).add((resource, act))
