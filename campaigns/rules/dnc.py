"""How a number stands in the "do not call" file of another dialler. Pure."""

from collections.abc import Callable
from enum import StrEnum

import phonenumbers

from crm.rules.phones import national


class DncFormat(StrEnum):
    """How numbers are written: as VICIdial's lists hold them (after `phone_code`), E.164 without plus, as in France."""

    VICIDIAL = "vicidial"
    E164 = "e164"
    NATIONAL = "national"


def _after_its_code(number: str) -> str:
    """Return the digits after the country's code: those of France without asking the numbering plan."""
    if number.startswith("+33"):
        return number[3:]
    return phonenumbers.national_significant_number(phonenumbers.parse(number))


def _as_dialled(number: str) -> str:
    """Return the digits as they are dialled inside the country, E.164 without plus for those of elsewhere."""
    return "".join(filter(str.isdigit, national(number)))


#: What each format makes of an E.164 number.
WRITTEN: dict[str, Callable[[str], str]] = {
    DncFormat.VICIDIAL: _after_its_code,
    DncFormat.E164: lambda number: number.removeprefix("+"),
    DncFormat.NATIONAL: _as_dialled,
}
