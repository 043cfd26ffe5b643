"""A call handed to a named colleague who accepts: agent, lease, notes and state move in one transaction."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calls.enums import CallEventKind, TransferAnswerKind
from calls.models import Call, Pause, Transfer, TransferAnswer
from calls.rules.transitions import ON_LINE
from calls.selectors.transfers import may_take
from calls.services.dispositions import finish_settled
from calls.services.errors import Forbidden, Invalid, InvalidTransition, NotFound
from calls.services.held import held, save, talk_lease, tell
from crm.models import User

#: How long an offer stands.
OFFER = timedelta(seconds=60)


def offer_transfer(*, call: Call, to: User, note: str, by: User, at: datetime) -> Transfer:
    """Offer a call on the line to a colleague, with a note (500 characters, may be empty). It stands for a minute.

    The same offer again is the one that stands. Raises InvalidTransition when nobody is on the line or another offer
    stands, Invalid for a colleague who cannot take it now.
    """
    with held(call, by=by) as current:
        if current.agent_id != by.pk:
            raise Forbidden
        if current.state not in ON_LINE:
            raise InvalidTransition(_("Personne n'est en ligne."))
        _expire(Q(call=current) | Q(recipient=to), at=at)
        standing = Transfer.objects.filter(call=current, open=True).first()
        if standing is not None:
            if standing.recipient_id == to.pk:
                return standing
            raise InvalidTransition(_("Cet appel est déjà proposé : reprenez-le d'abord."))
        if not may_take(to, current, at=at):
            raise Invalid.field("to", _("Cette personne ne peut pas prendre l'appel maintenant."))
        offer = Transfer.objects.create(
            call=current, sender=by, recipient=to, note=note.strip()[:500], at=at, expires_at=at + OFFER
        )
        data = {"transfer": offer.pk, "to": to.pk, "name": name_of(to), "text": offer.note}
        tell(current, CallEventKind.TRANSFER_OFFERED, by=by, at=at, data=data)
        return offer


def accept_transfer(*, transfer: Transfer, by: User, at: datetime) -> Call:
    """Take the call over: from now on it is this agent's, as it stands. A second press is the same.

    A call of theirs that only lacked its confirmation is finished first. Raises NotFound for somebody else's offer,
    OpenCallExists, InvalidTransition when it was taken back or ran out, or when the person has hung up.
    """
    if transfer.recipient_id != by.pk:
        raise NotFound
    current = Call.objects.get(pk=transfer.call_id)
    if current.agent_id == by.pk:
        return current
    finish_settled(by=by, at=at)
    with held(current, by=transfer.sender) as call:
        _require_open(transfer)
        if call.state not in ON_LINE:
            raise InvalidTransition(_("La personne a raccroché : l'appel reste à votre collègue."))
        if at >= transfer.expires_at:
            raise InvalidTransition(_("Cette proposition a expiré."))
        if Pause.objects.filter(agent=by, ended_at__isnull=True).exists():
            raise InvalidTransition(_("Vous êtes en pause : terminez-la d'abord."))
        TransferAnswer.objects.create(transfer=transfer, kind=TransferAnswerKind.ACCEPTED, at=at, by=by)
        save(call, agent=by, lease_until=talk_lease(call, at))
        data = {"transfer": transfer.pk, "from": transfer.sender_id, "to": by.pk, "name": name_of(by)}
        tell(call, CallEventKind.TRANSFERRED, by=by, at=at, data=data)
        return call


def decline_transfer(*, transfer: Transfer, by: User, at: datetime, words: str = "") -> Transfer:
    """Say that one cannot take the call now, with a word or none; its agent is told. Again: nothing changes."""
    if transfer.recipient_id != by.pk:
        raise NotFound
    return _answer(transfer, TransferAnswerKind.DECLINED, words=words, by=by, at=at)


def withdraw_transfer(*, call: Call, by: User, at: datetime) -> Call:
    """Take back the offer that stands on a call of one's own; without one nothing changes."""
    with held(call, by=by) as current:
        offer = Transfer.objects.select_for_update(no_key=True).filter(call=current, open=True).first()
        if offer is not None and offer.sender_id == by.pk:
            TransferAnswer.objects.create(transfer=offer, kind=TransferAnswerKind.WITHDRAWN, at=at, by=by)
        return current


def name_of(user: User) -> str:
    """Return how a colleague is called on the screen."""
    return user.get_full_name() or user.get_username()


def _answer(transfer: Transfer, kind: TransferAnswerKind, *, words: str, by: User, at: datetime) -> Transfer:
    with held(Call.objects.get(pk=transfer.call_id), by=transfer.sender):
        earlier = TransferAnswer.objects.filter(transfer=transfer).first()
        if earlier is not None and earlier.kind == kind:
            return transfer
        _require_open(transfer)
        TransferAnswer.objects.create(transfer=transfer, kind=kind, words=words.strip()[:300], at=at, by=by)
        return transfer


def _require_open(transfer: Transfer) -> None:
    """Take turns with whoever answers the offer at this moment, and refuse what has its answer."""
    standing = Transfer.objects.select_for_update(no_key=True).get(pk=transfer.pk)
    if not standing.open:
        raise InvalidTransition(_("Cette proposition n'attend plus de réponse."))


def _expire(whose: Q, *, at: datetime) -> None:
    """Close the offers of a call, or to a colleague, whose minute is over."""
    late = Transfer.objects.select_for_update(no_key=True).filter(whose, open=True, expires_at__lte=at)
    for offer in late:
        TransferAnswer.objects.create(transfer=offer, kind=TransferAnswerKind.EXPIRED, at=at, by=None)
