"""What the domain refuses, in one shape that pages and API answer alike (RFC 9457); subclasses state the fact."""

from typing import Any

from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A refusal of the domain.

    `problem` is a name of the contract, `status` its HTTP status, `message` a sentence for the user,
    `fields` messages by field, `extra` facts for programs.
    """

    problem = "validation"
    status = 400
    default_message: Any = _("Cette action est refusée.")

    def __init__(
        self,
        message: Any = None,
        *,
        fields: dict[str, list[Any]] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Keep the sentence (lazy or not), the messages by field and the facts."""
        self.message: Any = message if message is not None else self.default_message
        self.fields: dict[str, list[Any]] = fields or {}
        self.extra: dict[str, Any] = extra or {}
        super().__init__(self.message)

    def __str__(self) -> str:
        """Return the sentence in the language that is active now."""
        return str(self.message)


class Invalid(DomainError):
    """What was given cannot be right. `fields` says where."""

    problem = "validation"
    status = 400
    default_message = _("Certaines valeurs sont à corriger.")

    @classmethod
    def field(cls, name: str, message: Any) -> "Invalid":
        """Return the refusal of one field."""
        return cls(message, fields={name: [message]})


class NotFound(DomainError):
    """There is no such thing, or it is not this user's to see."""

    problem = "not-found"
    status = 404
    default_message = _("Introuvable.")


class Forbidden(DomainError):
    """This user may not do this."""

    problem = "forbidden"
    status = 403
    default_message = _("Votre rôle ne permet pas cette action.")


class OpenCallExists(DomainError):
    """The agent's call is not finished. `call` is its id."""

    problem = "open-call"
    status = 409
    default_message = _("Un appel est déjà ouvert : terminez-le d'abord.")

    def __init__(self, call: int | None = None, message: Any = None) -> None:
        """Name the open call."""
        self.call = call
        super().__init__(message, extra={} if call is None else {"call": call})


class ClosingRequired(DomainError):
    """The polite end is not over: the prospect hangs up."""

    problem = "closing-required"
    status = 409
    default_message = _("La clôture n'est pas terminée : c'est le prospect qui raccroche.")


class ProspectExcluded(DomainError):
    """An active exclusion covers the number or the prospect. `exclusion_id` is null where it may not be told."""

    problem = "excluded"
    status = 409
    default_message = _("Ce numéro ou cette fiche est exclu des appels.")

    def __init__(self, exclusion_id: int | None = None, message: Any = None) -> None:
        """Name the exclusion."""
        self.exclusion_id = exclusion_id
        super().__init__(message, extra={} if exclusion_id is None else {"exclusion": exclusion_id})


class NotCallable(DomainError):
    """The gate refused. `verdict` is the gate's (`campaigns.rules.gate.Verdict`)."""

    problem = "not-callable"
    status = 409
    default_message = _("Cette fiche ne peut pas être appelée maintenant.")

    def __init__(self, verdict: Any = None, message: Any = None, extra: dict[str, Any] | None = None) -> None:
        """Keep the verdict for whoever shows why."""
        self.verdict = verdict
        super().__init__(message, extra=extra)


class InvalidTransition(DomainError):
    """The call, campaign or record is not in a state that allows this."""

    problem = "invalid-transition"
    status = 409
    default_message = _("Cette action n'est pas possible dans l'état actuel.")


class StaleRecord(DomainError):
    """Somebody changed the record since it was read."""

    problem = "stale"
    status = 412
    default_message = _("La fiche a changé entre-temps : rechargez-la avant de la corriger.")
