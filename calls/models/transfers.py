"""The transfer of a call to a named colleague: offers and their answers. Both append-only."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from calls.enums import TransferAnswerKind
from calls.models.calls import ERASED_CALL, Call
from crm.models.triggers import Trigger, append_only

ERASED_OFFER = """SELECT FROM calls_transfer t JOIN calls_call c ON c.id = t.call_id
      JOIN crm_prospect p ON p.id = c.prospect_id
     WHERE t.id = OLD.transfer_id AND p.erased_at IS NOT NULL"""

#: Only the agent who holds the call offers it, while somebody is on the line.
OFFERED = """
    NEW.open := true;
    PERFORM FROM calls_call c
      WHERE c.id = NEW.call_id AND c.agent_id = NEW.sender_id AND c.state IN ('connected', 'closing');
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'transfer_by_its_agent', TABLE = TG_TABLE_NAME,
            MESSAGE = 'a call is offered by the agent who holds it, while somebody is on the line';
    END IF;
    RETURN NEW;
"""
#: The colleague accepts or declines in time, the agent takes back, time alone expires.
ANSWERED = """
    SELECT * INTO STRICT t FROM calls_transfer WHERE id = NEW.transfer_id FOR NO KEY UPDATE;
    IF NOT (CASE NEW.kind
            WHEN 'accepted' THEN NEW.by_id IS NOT DISTINCT FROM t.recipient_id AND NEW.at < t.expires_at
            WHEN 'declined' THEN NEW.by_id IS NOT DISTINCT FROM t.recipient_id
            WHEN 'withdrawn' THEN NEW.by_id IS NOT DISTINCT FROM t.sender_id
            ELSE NEW.by_id IS NULL AND NEW.at >= t.expires_at END)
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'transfer_answered_by_its_own', TABLE = TG_TABLE_NAME,
            MESSAGE = 'the colleague answers in time, the agent takes back, an offer expires by itself';
    END IF;
    RETURN NEW;
"""
CLOSES = """
    UPDATE calls_transfer SET open = false WHERE id = NEW.transfer_id;
    RETURN NULL;
"""
#: At the end of the transaction an accepted offer has moved its call.
MOVED = """
    IF EXISTS (SELECT FROM calls_transfer t JOIN calls_call c ON c.id = t.call_id AND c.agent_id = t.recipient_id
                WHERE t.id = NEW.transfer_id) THEN RETURN NULL; END IF;
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'transfer_moves_the_call', TABLE = TG_TABLE_NAME,
        MESSAGE = 'an accepted transfer moves the call in the same transaction';
"""
#: The mark that an offer stands goes with its answer and with nothing else.
CLOSED = """
    IF TG_OP = 'UPDATE' AND OLD.open AND NOT NEW.open AND (to_jsonb(NEW) - 'open') = (to_jsonb(OLD) - 'open')
       AND EXISTS (SELECT FROM calls_transferanswer a WHERE a.transfer_id = OLD.id)
    THEN RETURN NEW; END IF;
"""


class Transfer(models.Model):
    """The offer of a call to a colleague, with a note so that nothing must be told twice.

    `open` says whether no answer stands beside it; the database keeps it. One offer stands per call and per colleague.
    """

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="transfers")
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    note = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()
    expires_at = models.DateTimeField()
    open = models.BooleanField(default=True, db_default=True, editable=False)

    class Meta:
        verbose_name = _("transfert d'appel")
        verbose_name_plural = _("transferts d'appels")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["call"], condition=Q(open=True), name="transfer_one_open_per_call"
            ),
            # Also how the desk of the colleague asks for its offer, every two seconds.
            models.UniqueConstraint(
                fields=["recipient"], condition=Q(open=True), name="transfer_one_open_per_colleague"
            ),
            models.CheckConstraint(condition=~Q(sender=F("recipient")), name="transfer_to_somebody_else"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("at")), name="transfer_expires_later"),
        ]
        triggers = [
            Trigger(
                name="transfer_by_its_agent", when=pgtrigger.Before, operation=pgtrigger.Insert, func=OFFERED
            ),
            *append_only(
                "transfer_append_only",
                erased=ERASED_CALL,
                blank={"note": "''"},
                allow=CLOSED,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} {self.sender_id}>{self.recipient_id}"


class TransferAnswer(models.Model):
    """How an offer ended, once: whoever comes second is told so."""

    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, related_name="answer")
    kind = models.CharField(max_length=10, choices=TransferAnswerKind.choices)
    words = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )

    class Meta:
        verbose_name = _("réponse à un transfert")
        verbose_name_plural = _("réponses aux transferts")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=TransferAnswerKind.values), name="transfer_answer_kind_known"
            ),
        ]
        triggers = [
            Trigger(
                name="transfer_answered_by_its_own",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("t", "calls_transfer%ROWTYPE")],
                func=ANSWERED,
            ),
            Trigger(name="transfer_closes", when=pgtrigger.After, operation=pgtrigger.Insert, func=CLOSES),
            Trigger(
                name="transfer_moves_the_call",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.kind = 'accepted'"),
                func=MOVED,
            ),
            *append_only("transfer_answer_append_only", erased=ERASED_OFFER, blank={"words": "''"}),
        ]

    def __str__(self) -> str:
        return f"{self.transfer_id} {self.kind}"
