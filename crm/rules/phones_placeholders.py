"""Numbers that stand for "none": what people type where a form insists on a number."""

from __future__ import annotations

import re
from itertools import pairwise

_NOT_DIGITS = re.compile(r"\D", re.ASCII)
_TAIL = 8
_SHORTEST = 6


def is_placeholder(number: str, raw: str = "") -> bool:
    """Tell whether an E.164 number, or the piece of a cell in which none could be read (``number`` is ""), only fills a
    field: one digit repeated, digits or pairs that count up or down ("06 12 34 56 78", "01 02 03 04 05")."""
    if number:
        return (
            number[-_TAIL:] in _TAILS or number[-9:] in _PAIRS or (len(number) < 11 and _is_run(number[-6:]))
        )
    digits = _NOT_DIGITS.sub("", raw)
    return len(digits) >= _SHORTEST and (_is_run(digits) or digits[-_TAIL:] in _TAILS)


def _is_run(digits: str) -> bool:
    """Whether each digit follows the one before by the same step of 0, 1 or -1, nine followed by zero."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(digits)}
    return len(steps) == 1 and steps <= {0, 1, 9}


def _runs() -> frozenset[str]:
    return frozenset(
        "".join(str((first + step * place) % 10) for place in range(_TAIL))
        for first in range(10)
        for step in (0, 1, -1)
    )


def _counting_pairs() -> frozenset[str]:
    """ "02030405", "20304050", "22334455"."""
    return frozenset(
        "".join(f"{first + step * place:02}" for place in range(_TAIL // 2))
        for step in (1, 10, 11)
        for first in range(100 - 3 * step)
    )


#: How they end, and "06 06 06 06 06" without its first zero.
_TAILS = _runs() | _counting_pairs()
_PAIRS = frozenset(f"{digit}" + f"0{digit}" * 4 for digit in range(1, 10))
