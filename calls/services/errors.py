"""What the services of this app refuse, and the one place where the database's refusals become sentences."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, OperationalError
from django.utils.translation import gettext_lazy as _

from crm.rules.errors import (
    ClosingRequired,
    DomainError,
    Forbidden,
    Invalid,
    InvalidTransition,
    NotCallable,
    NotFound,
    OpenCallExists,
    ProspectExcluded,
)

__all__ = [
    "ClosingRequired",
    "DomainError",
    "Forbidden",
    "Invalid",
    "InvalidTransition",
    "MismatchNotConfirmed",
    "NotCallable",
    "NotFound",
    "OpenCallExists",
    "ProspectExcluded",
    "domain_error",
    "domain_errors",
]


class MismatchNotConfirmed(Invalid):
    """A corrected fact contradicts a blocking criterion: nothing is stored until the agent confirms it."""

    default_message = _("Cette correction met la fiche hors critères : confirmez-la ou reprenez.")


NOT_DONE = _("Vous avez déjà un appel ouvert : terminez-le d'abord.")
NUMBER_IN_USE = _("Ce numéro est déjà en ligne avec un agent.")
PROSPECT_IN_USE = _("Cette fiche est déjà chez un agent.")
FINAL = _("Hors-critères est définitif : seul un superviseur corrige une erreur de saisie, avec un motif.")
BY_SUPERVISOR = _("Une correction est faite par un superviseur, avec un motif.")
ONLY_LIFTED = _("Une exclusion se lève une seule fois, par un superviseur, avec un motif.")
MEANWHILE = _("L'appel a changé entre-temps.")
NOBODY = _("Un critère reçoit sa réponse d'une personne en ligne.")

#: What each constraint or trigger of the database says, by its name.
REFUSALS: dict[str, tuple[type[DomainError], Any]] = {
    "call_one_open_per_number": (InvalidTransition, NUMBER_IN_USE),
    "call_one_open_per_prospect": (InvalidTransition, PROSPECT_IN_USE),
    "call_moves_legally": (InvalidTransition, MEANWHILE),
    "call_starts_claimed": (InvalidTransition, MEANWHILE),
    "call_identity_fixed": (InvalidTransition, MEANWHILE),
    "call_done_is_qualified": (InvalidTransition, _("Qualifiez d'abord l'appel.")),
    "call_ended_by_somebody": (InvalidTransition, MEANWHILE),
    "call_closing_has_its_kind": (InvalidTransition, MEANWHILE),
    "call_mismatch_is_qualified": (InvalidTransition, MEANWHILE),
    "out_of_criteria_is_final": (InvalidTransition, FINAL),
    "correction_by_supervisor": (Forbidden, BY_SUPERVISOR),
    "exclusion_only_lifted": (Forbidden, ONLY_LIFTED),
    "mismatch_needs_a_person": (InvalidTransition, NOBODY),
    "answer_of_its_programme": (Invalid, _("Ce critère n'est pas de cette démarche.")),
    "out_of_criteria_by_mismatch": (
        InvalidTransition,
        _("Hors-critères se constate sur un critère, pendant l'appel."),
    ),
    "disposition_once": (
        InvalidTransition,
        _("Cet appel est déjà qualifié : un superviseur peut le corriger."),
    ),
    "disposition_runs_its_effects": (InvalidTransition, MEANWHILE),
    "call_shows_its_disposition": (InvalidTransition, MEANWHILE),
    "callback_one_open_per_entry": (InvalidTransition, _("Un rappel est déjà prévu pour cette fiche.")),
    "pause_once_after_call": (InvalidTransition, _("Vous avez déjà pris une pause après cet appel.")),
    "pause_after_own_call": (InvalidTransition, MEANWHILE),
    "call_inbound_never_dialled": (InvalidTransition, MEANWHILE),
    "call_external_never_dialled": (InvalidTransition, MEANWHILE),
    "pause_one_open": (InvalidTransition, _("Vous êtes déjà en pause.")),
    "incident_taken_once": (InvalidTransition, _("Un autre superviseur s'en occupe déjà.")),
    "incident_answer_once_each": (InvalidTransition, MEANWHILE),
    "incident_answer_by_supervisor": (InvalidTransition, _("Cet incident est déjà décidé.")),
    "transfer_one_open_per_call": (
        InvalidTransition,
        _("Cet appel est déjà proposé : reprenez-le d'abord."),
    ),
    "transfer_one_open_per_colleague": (
        InvalidTransition,
        _("Un autre appel est déjà proposé à cette personne."),
    ),
    "transfer_by_its_agent": (InvalidTransition, MEANWHILE),
    "transfer_answered_by_its_own": (InvalidTransition, MEANWHILE),
    "transfer_moves_the_call": (InvalidTransition, MEANWHILE),
    "calls_transferanswer_transfer_id_key": (
        InvalidTransition,
        _("Cette proposition n'attend plus de réponse."),
    ),
    "ban_granted_by_another": (Forbidden, _("Un autre responsable que vous doit en décider.")),
    "ban_once_per_call": (InvalidTransition, _("Un bannissement est déjà demandé pour cet appel.")),
    "calls_bandecision_ban_id_key": (InvalidTransition, _("Ce bannissement est déjà décidé.")),
    "line_report_once": (InvalidTransition, MEANWHILE),
    "incident_once_per_call": (InvalidTransition, _("Le superviseur est déjà prévenu pour cet appel.")),
}


def domain_error(error: IntegrityError) -> DomainError | None:
    """Return the refusal that a violated constraint stands for, or None for one that is a defect of ours."""
    diag = getattr(error.__cause__, "diag", None)
    name = getattr(diag, "constraint_name", None) or ""
    if name == "call_not_excluded":
        return ProspectExcluded(_exclusion_of(getattr(diag, "message_detail", None)))
    if name == "call_one_open_per_agent":
        return OpenCallExists(message=NOT_DONE)
    if name.endswith("incident_id_key") or "incidentdecision_incident" in name:
        return InvalidTransition(_("Cet incident est déjà décidé."))
    if name in REFUSALS:
        refusal, message = REFUSALS[name]
        return refusal(message)
    return None


def _exclusion_of(detail: str | None) -> int | None:
    try:
        return int(json.loads(detail or "")["exclusion"])
    except (ValueError, KeyError, TypeError):
        return None


@contextmanager
def domain_errors() -> Iterator[None]:
    """Turn the database's refusals inside the block into DomainError. Stands outside the transaction.

    A deadlock that the database resolved against us is told as a state that changed: the user presses again.
    """
    try:
        yield
    except IntegrityError as error:
        refusal = domain_error(error)
        if refusal is None:
            raise
        raise refusal from error
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "40P01":
            raise
        raise InvalidTransition(MEANWHILE) from error
