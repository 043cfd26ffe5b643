"""The agent's day: pauses, agreed callbacks."""

from datetime import datetime

from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calls.enums import CallbackState
from calls.models.calls import Call
from campaigns.models import Campaign, ListEntry
from crm.models import Prospect, User


class Pause(models.Model):
    """A pause of an agent. None may start while the agent's call is not done."""

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="pauses")
    reason = models.CharField(_("motif"), max_length=100, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        constraints = [
            models.UniqueConstraint(
                fields=["agent"], condition=Q(ended_at__isnull=True), name="pause_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.started_at:%Y-%m-%d %H:%M}"


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

    class Meta:
        verbose_name = _("rappel")
        verbose_name_plural = _("rappels")
        constraints = [
            models.UniqueConstraint(
                fields=["entry"], condition=Q(state="open"), name="callback_one_open_per_entry"
            ),
        ]
        indexes = [models.Index(fields=["owner", "due_at"], condition=Q(state="open"), name="callback_open")]

    def __str__(self) -> str:
        return f"{self.prospect_id} {self.due_at:%Y-%m-%d %H:%M}"


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
