"""The agent's day: the workplace, pauses, agreed callbacks, wishes to remind somebody of."""

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calls.enums import CallbackState, PauseKind
from calls.models.calls import Call
from campaigns.models import Campaign, ListEntry
from crm.models import Prospect, User
from crm.models.record_changes import recording
from crm.models.triggers import Trigger

#: A break after a hard call is after a call that its agent held, even one that was handed on since.
AFTER_OWN_CALL = """
    IF NOT EXISTS (SELECT FROM calls_call c WHERE c.id = NEW.after_call_id AND c.agent_id = NEW.agent_id)
       AND NOT EXISTS (SELECT FROM calls_callevent e WHERE e.call_id = NEW.after_call_id AND e.by_id = NEW.agent_id)
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'pause_after_own_call', TABLE = TG_TABLE_NAME,
            MESSAGE = 'a break after a hard call is after a call that the agent held';
    END IF;
    RETURN NEW;
"""


class Workplace(models.Model):
    """What the desk keeps of an agent: when they last did something there, and whether it may sound."""

    agent = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="workplace", primary_key=True
    )
    #: The last touch of key or mouse that the open page told of; a page left open alone tells of none.
    seen_at = models.DateTimeField(null=True, blank=True)
    sound = models.BooleanField(default=True, db_default=True)

    class Meta:
        verbose_name = _("poste de travail")
        verbose_name_plural = _("postes de travail")

    def __str__(self) -> str:
        return str(self.agent_id)


class Pause(models.Model):
    """A pause of an agent. None may start while the agent's call is not done."""

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="pauses")
    kind = models.CharField(
        max_length=10, choices=PauseKind.choices, default=PauseKind.SHORT, db_default=PauseKind.SHORT
    )
    reason = models.CharField(_("motif"), max_length=100, blank=True)
    #: The hard call that it follows: such a break lowers the day's goal.
    after_call = models.ForeignKey(
        Call, on_delete=models.PROTECT, null=True, blank=True, related_name="breaks", db_index=False
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        constraints = [
            models.UniqueConstraint(
                fields=["agent"], condition=Q(ended_at__isnull=True), name="pause_one_open"
            ),
            models.UniqueConstraint(
                fields=["after_call", "agent"],
                condition=Q(after_call__isnull=False),
                name="pause_once_after_call",
            ),
            models.CheckConstraint(condition=Q(kind__in=PauseKind.values), name="pause_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=PauseKind.HARD_CALL, after_call__isnull=False)
                | (~Q(kind=PauseKind.HARD_CALL) & Q(after_call__isnull=True)),
                name="pause_hard_after_a_call",
            ),
        ]
        indexes = [
            # An agent's day: the time spent in each state.
            models.Index(fields=["agent", "started_at"], name="pause_day"),
        ]
        triggers = [
            Trigger(
                name="pause_after_own_call",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("after_call_id", "agent_id"),
                condition=pgtrigger.Condition("NEW.after_call_id IS NOT NULL"),
                func=AFTER_OWN_CALL,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.started_at:%Y-%m-%d %H:%M}"


_SCHEDULED = """SELECT n.id, true, p.sponsor_id FROM new_rows n JOIN campaigns_campaign c ON c.id = n.campaign_id
      JOIN campaigns_programme p ON p.id = c.programme_id"""
_MOVED = f"""{_SCHEDULED.replace("true", "false")} JOIN old_rows o ON o.id = n.id
     WHERE n.state = 'open' AND n.due_at <> o.due_at"""


class Callback(models.Model):
    """An agreed later call: when, by whom, with what is known. Its queue entry carries the same time and owner."""

    entry = models.ForeignKey(ListEntry, on_delete=models.PROTECT, related_name="callbacks")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="callbacks")
    prospect = models.ForeignKey(Prospect, on_delete=models.PROTECT, related_name="callbacks")
    call = models.ForeignKey(Call, on_delete=models.PROTECT, null=True, blank=True, related_name="callbacks")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="callbacks"
    )
    due_at = models.DateTimeField(_("le"))
    exact = models.BooleanField(_("heure donnée par la personne"), default=False)
    note = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=CallbackState.choices, default=CallbackState.OPEN)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    #: When it left its owner for whoever is free, because nobody was there to call, and whose it was.
    released_at = models.DateTimeField(null=True, blank=True)
    released_from = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    cancel_reason = models.CharField(
        _("motif de l'annulation"), max_length=300, default="", db_default="", blank=True
    )

    class Meta:
        verbose_name = _("rappel")
        verbose_name_plural = _("rappels")
        constraints = [
            models.UniqueConstraint(
                fields=["entry"], condition=Q(state="open"), name="callback_one_open_per_entry"
            ),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, released_from__isnull=True)
                | Q(released_at__isnull=False, released_from__isnull=False),
                name="callback_released_from_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "due_at"], condition=Q(state="open"), name="callback_open"),
            # What left an agent, told on their desk.
            models.Index(
                fields=["released_from", "released_at"],
                condition=Q(released_from__isnull=False),
                name="callback_released",
            ),
        ]
        triggers = [
            recording("callback_recorded_new", "callback.scheduled", _SCHEDULED, pgtrigger.Insert),
            recording("callback_recorded_moved", "callback.scheduled", _MOVED, pgtrigger.Update),
        ]

    def __str__(self) -> str:
        return f"{self.prospect_id} {self.due_at:%Y-%m-%d %H:%M}"


class Reminder(models.Model):
    """A wish to be called about something else, whose time somebody is reminded of. Its words stay with the call.

    It opens no call by itself: a person reads it and decides.
    """

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="reminders")
    event = models.OneToOneField("calls.CallEvent", on_delete=models.PROTECT, related_name="reminder")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reminders", db_index=False
    )
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )

    class Meta:
        verbose_name = _("souhait à transmettre")
        verbose_name_plural = _("souhaits à transmettre")
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, done_by__isnull=True)
                | Q(done_at__isnull=False, done_by__isnull=False),
                name="reminder_done_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "due_at"], condition=Q(done_at__isnull=True), name="reminder_open"),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} {self.due_at:%Y-%m-%d %H:%M}"


class PressQuerySet(models.QuerySet["Press"]):
    """The vocabulary for gestures."""

    def claim(self, *, agent: User, key: str, at: datetime) -> bool:
        """Store a key and return whether it is new; waits for somebody who is storing the same one."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO calls_press (agent_id, key, at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                [agent.pk, key, at],
            )
            return int(cursor.rowcount) == 1


class Press(models.Model):
    """The key of a gesture of an agent's screen that was done: the same one sent again does nothing. Kept for a day."""

    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    key = models.CharField(max_length=40)
    at = models.DateTimeField(db_index=True)

    objects = PressQuerySet.as_manager()

    class Meta:
        verbose_name = _("geste")
        verbose_name_plural = _("gestes")
        constraints = [models.UniqueConstraint(fields=["agent", "key"], name="press_once")]

    def __str__(self) -> str:
        return self.key
