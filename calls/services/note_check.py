"""The check of what is written about a person on a call: before it is stored, whoever writes it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls.enums import NoteCategory, NotePlace
from calls.models import Call, NoteWarning
from calls.rules.note_check import CARD, CARD_CODE, IBAN, RIB, SECURITY_NUMBER, Finding, Verdict, check
from calls.selectors.word_lists import word_rules
from calls.services.errors import Invalid
from crm.models import User

#: What stands in the place of a number that is never kept.
MASKS: dict[str, Any] = {
    IBAN: gettext_lazy("[IBAN retiré]"),
    RIB: gettext_lazy("[RIB retiré]"),
    CARD: gettext_lazy("[carte bancaire retirée]"),
    CARD_CODE: gettext_lazy("[code retiré]"),
    SECURITY_NUMBER: gettext_lazy("[numéro de sécurité sociale retiré]"),
}
REASON_LENGTH = 300


class NoteNotNeutral(Invalid):
    """Words about a person that should not be kept: nothing is stored until they are reworded, or kept with a reason.

    `place` is where they stand, `findings` what was found, `neutral` the text as it is offered instead.
    """

    def __init__(self, place: NotePlace, field: str, typed: str, verdict: Verdict) -> None:
        """Say what was found in what was `typed`, on the `field` of the form or of the request."""
        self.place, self.field_name, self.typed = place, field, typed
        self.findings, self.neutral = verdict.findings, verdict.neutral
        message = sentence_of_findings(verdict.findings)
        super().__init__(message, fields={field: [message]}, extra={"neutral": verdict.neutral})

    @property
    def findings_shown(self) -> list[dict[str, Any]]:
        """Return the label of each category that was found, with its words as they are shown."""
        return [
            {"label": NoteCategory(finding.category).label, "words": quoted(finding.words)}
            for finding in self.findings
        ]


def sentence_of_findings(findings: Sequence[Finding]) -> str:
    """Return what was found, in one sentence: categories and words."""
    found = " ; ".join(
        f"{NoteCategory(finding.category).label} ({quoted(finding.words)})" for finding in findings
    )
    return _("À ne pas noter : %(found)s.") % {"found": found}


def quoted(words: Sequence[str]) -> str:
    """Return words between quotation marks."""
    return ", ".join(_("« %(word)s »") % {"word": word} for word in words)


def kept_words(
    call: Call,
    text: str,
    place: NotePlace,
    *,
    by: User,
    at: datetime,
    field: str = "note",
    override_reason: str = "",
    accepted: str = "",
) -> str:
    """Return the text to store about the person of a locked call: account and card numbers masked.

    Raises NoteNotNeutral for words of the lists, unless `override_reason` says why they are kept: that is written down,
    without the words. What stands in `accepted` was decided on before. One query; none for no text.
    """
    if not text:
        return text
    verdict = verdict_of(call, text, accepted=accepted)
    if not verdict.findings:
        return verdict.masked
    reason = " ".join(override_reason.split())[:REASON_LENGTH]
    if not reason:
        raise NoteNotNeutral(place, field, text, verdict)
    NoteWarning.objects.bulk_create(
        NoteWarning(call=call, place=place, category=finding.category, reason=reason, at=at, by=by)
        for finding in verdict.findings
    )
    return verdict.masked


def verdict_of(call: Call | None, text: str, *, accepted: str = "") -> Verdict:
    """Return what the lists in use find in a text; names that the call has anyway mean nothing of a person."""
    masks = {kind: str(words) for kind, words in MASKS.items()}
    return check(text, word_rules(), known=names_of(call), accepted=accepted, masks=masks)


def names_of(call: Call | None) -> list[str]:
    """Return the names that a call has anyway: of its prospect, of its subject, of whom it is made for."""
    if call is None:
        return []
    programme, prospect = call.campaign.programme, call.prospect
    names = [call.campaign.name, programme.name, programme.subject, programme.sponsor.name]
    if prospect is not None:
        names += [prospect.organisation, prospect.first_name, prospect.last_name, prospect.job_title]
    return [name for name in names if name]
