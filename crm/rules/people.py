"""Who may touch whose account, and how a pasted list of people is read. Pure."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from crm.enums import Role

#: The roles that each role hands out, and whose accounts it changes. Nobody else changes an account but their own.
GIVES: dict[str, frozenset[str]] = {
    Role.MANAGER: frozenset({Role.AGENT, Role.SUPERVISOR, Role.INTEGRATION}),
    Role.ADMIN: frozenset(Role.values),
}
#: Most people in one paste: each password takes its time to be stored.
MAX_PASTED = 100
#: Letters and figures that are told apart on paper and on the telephone: no 0 and o, no 1 and l, no i.
LEGIBLE = "abcdefghjkmnpqrstuvwxyz23456789"
HEADINGS = frozenset({"identifiant", "login", "username"})
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]{2,4})?")


def roles_given_by(role: str) -> frozenset[str]:
    """Return the roles that somebody of this role may give and take away."""
    return GIVES.get(role, frozenset())


@dataclass(frozen=True, slots=True)
class PastedPerson:
    """A line of a pasted list: its number from 1, its text, and what was read; all blank when it has too few parts."""

    line: int
    text: str
    first_name: str = ""
    last_name: str = ""
    username: str = ""


def pasted_people(text: str) -> list[PastedPerson]:
    """Read "first name, last name, username", one a line: by semicolons, commas or tabs, or else by blanks.

    By blanks the first word is the first name and the last one the username. Empty lines and a line of headings are
    left out.
    """
    return list(_people(text))


def _people(text: str) -> Iterator[PastedPerson]:
    first = True
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        line = line.strip()
        if not line:
            continue
        parts = _parts(line)
        heading, first = first and parts[-1].casefold() in HEADINGS, False
        if heading:
            continue
        if len(parts) == 3 and all(parts):
            yield PastedPerson(number, line, *parts)
        else:
            yield PastedPerson(number, line)


def _parts(line: str) -> list[str]:
    for delimiter in (";", "\t", ","):
        if delimiter in line:
            cells = next(csv.reader([line], delimiter=delimiter))
            return [" ".join(cell.split()) for cell in cells]
    words = line.split()
    return words if len(words) < 3 else [words[0], " ".join(words[1:-1]), words[-1]]


def languages_of(text: str) -> list[str]:
    """Return the language codes in a text, each once, in order, lower-case."""
    return list(dict.fromkeys(code.lower() for code in re.split(r"[\s,;]+", text) if code))


def is_language(code: str) -> bool:
    """Whether this looks like a code of a language (ISO 639, with a region or script at most)."""
    return LANGUAGE.fullmatch(code) is not None
