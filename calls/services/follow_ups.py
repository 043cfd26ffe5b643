"""Follow-ups by e-mail: written on a call, sent by a worker.

A message is a row first. A worker takes it in a transaction (`sending`), sends it outside of one, and marks it in
another. A worker that dies before the mail server has the message, or that hears a refusal, leaves a row that is taken
again. One that dies after the server said yes and before the mark leaves a message that is sent a second time: no
protocol closes this window of milliseconds, so that the message keeps one Message-ID by which mail servers and readers
know it again.
"""

import logging
from datetime import datetime
from email.utils import formataddr, parseaddr
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calls.enums import CallEventKind, CallState, FollowUpState
from calls.models import Call, FollowUp
from calls.rules.sending import MAX_ATTEMPTS, STALE_AFTER, retry_after
from calls.selectors.call_screen import READ_WITH
from calls.selectors.follow_ups import Offer, due_follow_ups, message_of, offer_of, opposition_of
from calls.services.errors import Invalid, InvalidTransition, domain_errors
from calls.services.fiche import correct_fact
from calls.services.held import held, tell
from crm.models import User
from crm.services.wake import wake

logger = logging.getLogger(__name__)

#: The person is on the line, or was.
WRITABLE = frozenset({CallState.CONNECTED, CallState.CLOSING, CallState.ENDED, CallState.DONE})


class PersonOpposed(InvalidTransition):
    """The person said that they do not want to hear from the sponsor: nobody writes to them either."""

    default_message = _("La personne s'est opposée à être recontactée : aucun e-mail ne peut partir.")


def write_follow_up(*, call: Call, template_id: int, to: str, key: UUID, by: User, at: datetime) -> FollowUp:
    """Write a message to the person of a call from a template of its campaign, and have it sent.

    `to` is the address; one that differs from the fiche's corrects the fiche first, as a fact told on the line. `key`
    is the form's: sent twice, it writes once. Raises PersonOpposed, Invalid (`email`, `template`), InvalidTransition
    before somebody answered, without a fiche, or where no mail server is set up.
    """
    to = _checked_address(to)
    if not settings.EMAIL_OFFERED:
        raise InvalidTransition(
            _("Aucun serveur d'e-mail n'est configuré : le responsable peut le demander.")
        )
    with domain_errors(), transaction.atomic():
        offer = offer_of(call, template_id)
        if offer is None:
            raise Invalid.field("template", _("Ce modèle n'est pas de cette campagne."))
        if offer.is_opposed:
            raise PersonOpposed
        if call.prospect_id is not None and offer.address != to:
            # It takes the locks of the bars, which come before the row's.
            correct_fact(call=call, data={"email": to}, by=by, at=at)
        with held(call, by=by) as current:
            row = _written(current, offer, to, key, by=by, at=at)
    wake("calls.send_follow_ups")
    return row


def _checked_address(to: str) -> str:
    try:
        validate_email(to.strip())
    except ValidationError:
        raise Invalid.field("email", _("Cette adresse e-mail n'est pas complète.")) from None
    return to.strip()


def _written(call: Call, offer: Offer, to: str, key: UUID, *, by: User, at: datetime) -> FollowUp:
    known = FollowUp.objects.filter(key=key, call=call).first()
    if known is not None:
        known.call = call
        return known
    if call.prospect_id is None:
        raise InvalidTransition(_("Cet appel n'a pas de fiche."))
    if call.answered_at is None or call.state not in WRITABLE:
        raise InvalidTransition(_("On n'écrit qu'à une personne qui a répondu."))
    message = message_of(call, offer.template)
    row = FollowUp.objects.create(
        call=call,
        prospect_id=call.prospect_id,
        template=offer.template,
        key=key,
        to=to,
        subject=message.subject,
        body=message.body,
        next_at=at,
        at=at,
        by=by,
    )
    data = {"text": message.subject, "follow_up": row.pk}
    tell(call, CallEventKind.FOLLOW_UP, by=by, at=at, data=data)
    return row


def send_due(*, at: datetime) -> int:
    """Send what waits at `at`; returns how many messages were sent. Safe to run at any moment, beside itself."""
    return sum(send_follow_up(follow_up_id=pk, at=at) for pk in due_follow_ups(at))


def send_follow_up(*, follow_up_id: int, at: datetime) -> bool:
    """Take a message and send it; returns whether it was. One that another worker has, or that is over, is left."""
    row = _taken(follow_up_id, at)
    if row is None:
        return False
    try:
        _mail_of(row).send()
    except (OSError, SMTPException) as error:
        _put_back(row, error)
        return False
    mine = FollowUp.objects.filter(pk=row.pk, state=FollowUpState.SENDING, attempts=row.attempts)
    mine.update(state=FollowUpState.SENT, sent_at=timezone.now(), claimed_at=None, error="")
    return True


@transaction.atomic
def _taken(pk: int, at: datetime) -> FollowUp | None:
    """Mark a message as being sent and return it; None when it is another's, over, or no longer wanted."""
    waiting = Q(state=FollowUpState.QUEUED) | Q(state=FollowUpState.SENDING, claimed_at__lt=at - STALE_AFTER)
    row = FollowUp.objects.select_for_update(skip_locked=True).filter(waiting, pk=pk, next_at__lte=at).first()
    if row is None:
        return None
    call = Call.objects.select_related(*READ_WITH).get(pk=row.call_id)
    if not row.to or opposition_of(call) is not None:
        row.state, row.claimed_at = FollowUpState.CANCELLED, None
        row.save(update_fields=["state", "claimed_at"])
        if row.to:
            _tell_failure(row, call, str(_("la personne s'est opposée")), at)
        return None
    row.state, row.claimed_at, row.attempts = FollowUpState.SENDING, at, row.attempts + 1
    row.save(update_fields=["state", "claimed_at", "attempts"])
    row.call = call
    return row


def _mail_of(row: FollowUp) -> EmailMessage:
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    domain = address.rpartition("@")[2] or "localhost"
    sender = formataddr((row.call.campaign.programme.sponsor.name, address))
    headers = {
        "Message-ID": f"<follow-up-{row.key}@{domain}>",
        "List-Unsubscribe": f"<mailto:{address}?subject=stop>",
    }
    return EmailMessage(row.subject, row.body, sender, [row.to], headers=headers)


def _put_back(row: FollowUp, error: Exception) -> None:
    """Have a message tried again later, or give it up when the server will never take it."""
    at = timezone.now()
    over = row.attempts >= MAX_ATTEMPTS or _is_final(error)
    mine = FollowUp.objects.filter(pk=row.pk, state=FollowUpState.SENDING, attempts=row.attempts)
    words = f"{type(error).__name__}: {error}"[:300]
    logger.warning("follow-up %s not sent, attempt %s: %s", row.pk, row.attempts, type(error).__name__)
    with transaction.atomic():
        if not over:
            later = at + retry_after(row.attempts)
            mine.update(state=FollowUpState.QUEUED, next_at=later, claimed_at=None, error=words)
        elif mine.update(state=FollowUpState.FAILED, claimed_at=None, error=words):
            _tell_failure(row, row.call, str(_("n'a pas pu être envoyé")), at)


def _is_final(error: Exception) -> bool:
    """Whether a server refused for good: a 5xx answer (RFC 5321, section 4.2.1) to the address or the message."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= 500 for code, _words in error.recipients.values())
    return (
        isinstance(error, SMTPResponseException) and 500 <= error.smtp_code < 600 and error.smtp_code != 535
    )


def _tell_failure(row: FollowUp, call: Call, why: str, at: datetime) -> None:
    data = {"text": row.subject, "follow_up": row.pk, "why": why}
    tell(call, CallEventKind.FOLLOW_UP, by=None, at=at, data=data)
