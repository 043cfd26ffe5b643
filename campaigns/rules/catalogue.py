"""The catalogue as data: dispositions with their AAPOR codes, and the default sentences of a closing.

AAPOR codes: Standard Definitions, telephone surveys. Delays: queXS's defaults; a refusal is final in France (L221-16).
"""

from datetime import timedelta
from typing import Any

from campaigns.enums import BarTarget, ClosingKind, ExclusionReason, HangUpPolicy, Reach, Scope, Step

_RETRY = timedelta(minutes=180)
_BUSY = timedelta(minutes=60)
_SOON = timedelta(minutes=15)
_NEXT_DAY = timedelta(days=1)


def _bar(target: BarTarget, scope: Scope, reason: ExclusionReason) -> dict[str, Any]:
    return {"bar_target": target.value, "bar_scope": scope.value, "bar_reason": reason.value}


def _human(code: str, label: str, label_en: str, aapor: str, **columns: Any) -> dict[str, Any]:
    fixed = {"code": code, "label": label, "label_en": label_en, "aapor": aapor}
    return {"reach": Reach.HUMAN.value, "contacted": True, "eligible": None, **fixed, **columns}


def _machine(code: str, label: str, label_en: str, aapor: str, **columns: Any) -> dict[str, Any]:
    """A call that no human answered: no closing is due to a machine, and the agent ends it."""
    fixed = {"code": code, "label": label, "label_en": label_en, "aapor": aapor}
    return {
        "reach": Reach.MACHINE.value,
        "hang_up": HangUpPolicy.ANY.value,
        "eligible": None,
        **fixed,
        **columns,
    }


_OBJECTION = {"hang_up": HangUpPolicy.AFTER_GOODBYE.value, "closing": ClosingKind.ORDINARY.value}
_MISTAKE = {"closing": ClosingKind.MISMATCH.value}

#: In the order of the screen. Columns are those of `Disposition`.
DISPOSITIONS: tuple[dict[str, Any], ...] = (
    _human("complete", "Complet", "Complete", "1.1", eligible=True, requires_match=True),
    _human(
        "partial", "Partiel", "Partial", "1.2", eligible=True, final=False, retry_after=_NEXT_DAY, requires_note=True
    ),
    _human(
        "appointment", "Rendez-vous pris", "Appointment made", "1.1", eligible=True, requires_match=True,
        requires_note=True,
    ),
    _human(
        "callback", "À rappeler", "Call back", "2.20", final=False, retry_after=_RETRY, requires_callback=True
    ),
    _human("not_interested", "Pas intéressé", "Not interested", "2.112"),
    _human(
        "refusal", "Refus", "Refusal", "2.112",
        **_OBJECTION, **_bar(BarTarget.PROSPECT, Scope.PROGRAMME, ExclusionReason.REFUSAL),
    ),
    _human(
        "opt_out", "Ne plus appeler", "Do not call again", "2.112",
        **_OBJECTION, **_bar(BarTarget.BOTH, Scope.SPONSOR, ExclusionReason.OPPOSITION),
    ),
    _human(
        "out_of_criteria", "Hors-critères", "Out of criteria", "4.70", eligible=False, by_mismatch_only=True,
        **_MISTAKE, **_bar(BarTarget.BOTH, Scope.PROGRAMME, ExclusionReason.OUT_OF_CRITERIA),
    ),
    _human(
        "wrong_number", "Mauvais numéro", "Wrong number", "4.10", resource=True,
        **_MISTAKE, **_bar(BarTarget.NUMBER, Scope.PROGRAMME, ExclusionReason.WRONG_NUMBER),
    ),
    _human("quota_full", "Quota atteint", "Quota filled", "4.80", eligible=False, **_MISTAKE),
    _human("language", "Autre langue", "Other language", "2.33", final=False, retry_after=_RETRY, requires_note=True),
    _human(
        "deceased", "Personne décédée", "Deceased", "2.31",
        closing=ClosingKind.MOURNING.value,
        **_bar(BarTarget.PROSPECT, Scope.EVERYWHERE, ExclusionReason.DECEASED),
    ),
    _human("minor", "Un enfant a répondu", "A child answered", "2.21", final=False, retry_after=_RETRY),
    _human(
        "abuse_ended", "Fin pour propos abusifs", "Ended for abuse", "2.11", hang_up=HangUpPolicy.ANY.value,
        requires_note=True, **_bar(BarTarget.PROSPECT, Scope.SPONSOR, ExclusionReason.REFUSAL),
    ),
    _machine("no_answer", "Pas de réponse", "No answer", "3.13", final=False, retry_after=_RETRY),
    _machine("busy", "Occupé", "Busy", "3.12", final=False, retry_after=_BUSY),
    _machine("voicemail", "Messagerie", "Voicemail", "3.14", final=False, retry_after=_RETRY),
    _machine("unreachable", "Injoignable", "Unreachable", "3.16", final=False, retry_after=_RETRY),
    _machine(
        "invalid_number", "Numéro invalide", "Invalid number", "4.31", counts_as_attempt=False, resource=True,
        **_bar(BarTarget.NUMBER, Scope.PROGRAMME, ExclusionReason.INVALID),
    ),
    _machine(
        "number_changed", "Numéro changé", "Number changed", "4.41", resource=True,
        **_bar(BarTarget.NUMBER, Scope.PROGRAMME, ExclusionReason.INVALID),
    ),
    _machine(
        "fax", "Fax", "Fax", "4.20", resource=True,
        **_bar(BarTarget.NUMBER, Scope.PROGRAMME, ExclusionReason.INVALID),
    ),
    _machine(
        "technical", "Incident technique", "Technical problem", "3.16", final=False, retry_after=_SOON,
        counts_as_attempt=False,
    ),
)  # fmt: skip

#: (language, kind, step) → the sentence that is said where a campaign has none of its own.
CLOSING_STEPS: dict[tuple[str, str, str], str] = {
    ("fr", ClosingKind.MISMATCH.value, Step.APOLOGISE.value): (
        "Merci de me l'avoir dit : {reason}, et ce n'est donc pas vous que je devais appeler. "
        "Je vous présente toutes mes excuses pour ce dérangement."
    ),
    ("fr", ClosingKind.MISMATCH.value, Step.THANK.value): (
        "Je vous remercie du temps que vous m'avez accordé. Nous ne vous appellerons plus pour {subject}."
    ),
    (
        "fr",
        ClosingKind.MISMATCH.value,
        Step.GOODBYE.value,
    ): "Je vous souhaite une très bonne journée. Au revoir.",
    ("fr", ClosingKind.MOURNING.value, Step.APOLOGISE.value): (
        "Je vous présente mes condoléances, et toutes mes excuses pour cet appel."
    ),
    ("fr", ClosingKind.MOURNING.value, Step.THANK.value): (
        "Nous ne vous appellerons plus. Prenez soin de vous."
    ),
    (
        "fr",
        ClosingKind.MOURNING.value,
        Step.GOODBYE.value,
    ): "Je vous souhaite beaucoup de courage. Au revoir.",
    ("fr", ClosingKind.ORDINARY.value, Step.THANK.value): (
        "Je vous remercie du temps que vous m'avez accordé, et de votre accueil."
    ),
    (
        "fr",
        ClosingKind.ORDINARY.value,
        Step.GOODBYE.value,
    ): "Je vous souhaite une très bonne journée. Au revoir.",
    ("en", ClosingKind.MISMATCH.value, Step.APOLOGISE.value): (
        "Thank you for telling me: {reason}, so it was not you that I should have called. "
        "I do apologise for the disturbance."
    ),
    ("en", ClosingKind.MISMATCH.value, Step.THANK.value): (
        "Thank you for the time you gave me. We will not call you again about {subject}."
    ),
    ("en", ClosingKind.MISMATCH.value, Step.GOODBYE.value): "I wish you a very good day. Goodbye.",
    ("en", ClosingKind.MOURNING.value, Step.APOLOGISE.value): (
        "Please accept my condolences, and my apologies for this call."
    ),
    ("en", ClosingKind.MOURNING.value, Step.THANK.value): (
        "We will not call you again. Please take care of yourself."
    ),
    ("en", ClosingKind.MOURNING.value, Step.GOODBYE.value): "I wish you strength. Goodbye.",
    (
        "en",
        ClosingKind.ORDINARY.value,
        Step.THANK.value,
    ): "Thank you for your time and for your kind welcome.",
    ("en", ClosingKind.ORDINARY.value, Step.GOODBYE.value): "I wish you a very good day. Goodbye.",
}

#: Said first, in a campaign that has no opening of its own.
OPENINGS: dict[str, str] = {
    "fr": (
        "Bonjour, {agent} à l'appareil, pour {sponsor}. Je vous appelle pour {subject}. "
        "Est-ce que je vous dérange, ou avez-vous un instant ?"
    ),
    "en": (
        "Hello, this is {agent}, calling for {sponsor} about {subject}. Is this a good moment for you, "
        "or am I disturbing you?"
    ),
}
