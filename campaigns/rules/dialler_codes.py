"""What the codes of another dialler say of a number: which of them bar it, which do not. Pure.

The defaults are VICIdial's standard statuses. Only a code that says that the person asked not to be called, or that a
list says so, bars. A refusal of one offer (`NI`, `DEC`), a dead line (`DC`), a voicemail or a busy tone bar nobody: the
number may be somebody else's tomorrow, and the person said nothing of other calls.
"""

from collections.abc import Mapping
from typing import Any

from campaigns.enums import ExclusionReason

#: VICIdial's statuses that bar: asked of the agent, for the whole system or a campaign; found on the list of numbers.
BARRING: dict[str, str] = {
    "DNC": ExclusionReason.OPPOSITION,
    "DNCC": ExclusionReason.OPPOSITION,
    "DNCL": ExclusionReason.REGISTRY,
}
#: VICIdial's statuses that are known, and bar nobody.
SILENT = frozenset(
    {
        "A",
        "AA",
        "AB",
        "ADAIR",
        "ADC",
        "ADCT",
        "AFAX",
        "AFTHRS",
        "AL",
        "AM",
        "AVMA",
        "B",
        "CALLBK",
        "CBHOLD",
        "CPDATB",
        "CPDB",
        "CPDERR",
        "CPDINV",
        "CPDNA",
        "CPDREJ",
        "CPDSNA",
        "CPDSUA",
        "CPDSUK",
        "CPDSV",
        "CPDUK",
        "DAIR",
        "DC",
        "DEC",
        "DISPO",
        "DROP",
        "ERI",
        "HOLDTO",
        "INBND",
        "INCALL",
        "IQNANQ",
        "IVRXFR",
        "LRERR",
        "LSMERG",
        "MAXCAL",
        "MLINAT",
        "N",
        "NA",
        "NANQUE",
        "NEW",
        "NI",
        "NP",
        "PDROP",
        "PM",
        "PU",
        "QCFAIL",
        "QUEUE",
        "QVMAIL",
        "RQXFER",
        "SALE",
        "SVYCLM",
        "SVYEXT",
        "SVYHU",
        "SVYREC",
        "SVYVM",
        "TIMEOT",
        "WAITTO",
        "XDROP",
        "XFER",
    }
)


def folded(code: str) -> str:
    """Return a code as it is compared: without blanks around it, in capitals."""
    return code.strip().upper()


def reason_of(code: str, mapping: Mapping[str, str | None]) -> tuple[bool, str | None]:
    """Return whether a code is known, and the reason for which it bars (null: it bars nobody).

    `mapping` (folded code → reason, or null for "bars nobody") has the first word, then the defaults.
    """
    key = folded(code)
    if key in mapping:
        return True, mapping[key]
    return key in SILENT or key in BARRING, BARRING.get(key)


def folded_mapping(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping whose codes are folded."""
    return {folded(code): reason for code, reason in mapping.items()}
