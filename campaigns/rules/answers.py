"""What the cell of a yes-or-no column says. Each column has its own side to err on: that of not calling."""

from __future__ import annotations

from campaigns.rules.headers import fold

_YES = frozenset({"oui", "o", "x", "1", "yes", "y", "true", "vrai", "v", "t", "ok", "on"})
_NO = frozenset({"", "non", "n", "0", "no", "false", "faux", "f", "off"})
#: A "do not call" told in words, where a yes or no is expected.
_OBJECTS = frozenset({"ne pas appeler", "opposition", "opt out", "dnc", "stop"})
_NOT_LISTED = frozenset({"non inscrit", "non inscrite", "not listed", "absent", "aucune", "none"})
_AGREES = frozenset(
    {
        "accord",
        "accorde",
        "accepte",
        "acceptee",
        "donne",
        "opt in",
        "optin",
        "opted in",
        "given",
        "granted",
        "agreed",
    }
)
#: Words that begin a refusal, whatever follows: "non, plus jamais", "refuse tout appel".
_REFUSING = frozenset(
    {
        "non",
        "no",
        "not",
        "ne",
        "never",
        "jamais",
        "refus",
        "refuse",
        "refusee",
        "refused",
        "denied",
        "opposition",
        "oppose",
        "opposee",
        "interdit",
        "interdite",
        "retire",
        "retiree",
        "withdrawn",
        "revoque",
        "revoked",
        "stop",
        "dnc",
        "optout",
    }
)
#: "Non renseigné" refuses nothing: it is a blank in words.
_UNTOLD = frozenset(
    {
        "renseigne",
        "renseignee",
        "communique",
        "connu",
        "connue",
        "precise",
        "defini",
        "answer",
        "data",
        "info",
        "known",
    }
)


def says_yes(cell: str) -> bool:
    """Whether the cell of an opt-out column bars the call. Only a clear "no" or a blank leaves the call open: what
    cannot be understood there is taken as the person's objection."""
    words = fold(cell)
    return words not in _NO and words not in _NOT_LISTED


def refuses_call(cell: str) -> bool:
    """Whether the cell of a "may be called" column bars the call. Only a clear "no" does: a blank says nothing, and a
    yes from a supplier lifts nothing."""
    words = fold(cell)
    if not words:
        return False
    return words in _NO or _begins_refusal(words)


def consent_given(cell: str) -> bool | None:
    """What the cell of a consent column says: yes (True), no, which withdraws (False), or nothing clear (None)."""
    words = fold(cell)
    if refuses_call(cell):
        return False
    return True if words in _YES or words in _AGREES else None


def is_answer(cell: str) -> bool:
    """Whether a cell can be read as a yes or no of any of these columns."""
    words = fold(cell)
    return words in _YES or words in _NO or words in _OBJECTS or words in _NOT_LISTED or words in _AGREES


def _begins_refusal(words: str) -> bool:
    first, _, rest = words.partition(" ")
    if words.startswith("opt out"):
        return True
    return first in _REFUSING and (not rest or rest.split()[0] not in _UNTOLD)
