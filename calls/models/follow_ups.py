"""E-mails that follow a call. The row comes first; a worker sends it."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calls.enums import FollowUpState
from calls.models.calls import Call
from campaigns.models import FollowUpTemplate
from crm.models import Prospect
from crm.models.triggers import Trigger, no_delete

#: What was written to whom never changes, except that it is forgotten with the person; what was sent stays sent.
MOVES = """
    IF (NEW.call_id, NEW.prospect_id, NEW.by_id, NEW.at, NEW.key)
       IS DISTINCT FROM (OLD.call_id, OLD.prospect_id, OLD.by_id, OLD.at, OLD.key)
       OR ((NEW."to", NEW.subject, NEW.body) IS DISTINCT FROM (OLD."to", OLD.subject, OLD.body)
           AND NOT (NEW."to" = '' AND NEW.subject = '' AND NEW.body = ''
                    AND EXISTS (SELECT FROM crm_prospect p WHERE p.id = OLD.prospect_id AND p.erased_at IS NOT NULL)))
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'follow_up_fixed', TABLE = TG_TABLE_NAME,
            MESSAGE = 'what was written to a person does not change';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state = ANY (ARRAY[
        'queued>sending', 'queued>cancelled', 'sending>sent', 'sending>queued', 'sending>failed',
        'sending>cancelled']))
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'follow_up_moves_legally', TABLE = TG_TABLE_NAME,
            MESSAGE = format('a follow-up cannot go from %s to %s', OLD.state, NEW.state);
    END IF;
    RETURN NEW;
"""


class FollowUp(models.Model):
    """An e-mail to the person of a call: what was written, to which address, and how far it is.

    `key` is the browser's, so that a second press sends nothing twice. A worker takes the row (`sending`,
    `claimed_at`), sends, and marks it; `attempts` counts the takings, `next_at` is when the next one may be, `error`
    why the last failed.
    """

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="follow_ups")
    prospect = models.ForeignKey(Prospect, on_delete=models.PROTECT, related_name="+")
    template = models.ForeignKey(
        FollowUpTemplate, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    key = models.UUIDField(unique=True)
    to = models.CharField(_("adresse"), max_length=254, blank=True)
    subject = models.CharField(_("objet"), max_length=250, blank=True)
    body = models.TextField(_("texte"), blank=True)
    state = models.CharField(max_length=10, choices=FollowUpState.choices, default=FollowUpState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("e-mail de suivi")
        verbose_name_plural = _("e-mails de suivi")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=Q(state__in=FollowUpState.values), name="follow_up_state_known"),
            models.CheckConstraint(
                condition=Q(state=FollowUpState.SENT, sent_at__isnull=False)
                | (~Q(state=FollowUpState.SENT) & Q(sent_at__isnull=True)),
                name="follow_up_sent_at_a_time",
            ),
        ]
        indexes = [
            # What a worker has to send, asked by beat.
            models.Index(
                fields=["next_at"],
                condition=Q(state__in=[FollowUpState.QUEUED, FollowUpState.SENDING]),
                name="follow_up_to_send",
            ),
        ]
        triggers = [
            Trigger(name="follow_up_moves", when=pgtrigger.Before, operation=pgtrigger.Update, func=MOVES),
            *no_delete("follow_up_never_deleted", "an e-mail that was written is history"),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} {self.state}"
