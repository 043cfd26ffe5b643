"""Delicate situations: a playbook each, stage by stage, edited by managers with every version kept."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from calls.enums import SituationEffect
from calls.models.calls import Call
from calls.rules.playbooks.content import MAY_END_A_CALL
from campaigns.models import CallList
from crm.models import Source
from crm.models.triggers import REFUSE, Trigger, append_only

_ALLOWED = ", ".join(f"'{effect}'" for effect in sorted(MAY_END_A_CALL))
_REFUSED = REFUSE.format(
    name="stage_may_end_a_call",
    message="only abuse and driving let the agent end a call, never this situation",
)
#: The shared lock makes it hold when the effect changes at the same instant.
STAGE_MAY_END = f"""
    SELECT s.effect INTO effect FROM calls_situation s WHERE s.id = NEW.situation_id FOR SHARE;
    IF effect NOT IN ({_ALLOWED}) THEN {_REFUSED} END IF;
    RETURN NEW;
"""
SITUATION_MAY_END = f"""
    IF EXISTS (SELECT FROM calls_stage t WHERE t.situation_id = NEW.id AND t.may_end) THEN {_REFUSED} END IF;
    RETURN NEW;
"""


class Situation(models.Model):
    """A delicate situation that an agent can open on the line.

    `effect` is what it does beside the words (`calls.enums.SituationEffect`, "" for nothing). `version` counts the
    editions; `edited_at` is null as long as nobody changed what was delivered, which the loader may then renew.
    """

    code = models.SlugField(max_length=40, unique=True)
    label = models.CharField(_("libellé"), max_length=120)
    label_en = models.CharField(_("libellé anglais"), max_length=120, blank=True)
    keywords = models.CharField(_("mots de recherche"), max_length=300, blank=True)
    effect = models.CharField(
        _("effet"), max_length=12, choices=SituationEffect.choices, default="", db_default="", blank=True
    )
    active = models.BooleanField(_("proposée"), default=True, db_default=True)
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    edited_at = models.DateTimeField(null=True, blank=True, editable=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("situation délicate")
        verbose_name_plural = _("situations délicates")
        ordering = ("position", "code")
        triggers = [
            Trigger(
                name="situation_may_end",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(f"NEW.effect NOT IN ({_ALLOWED})"),
                func=SITUATION_MAY_END,
            )
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def shown_label(self) -> str:
        """The label in the language of the page."""
        return shown(self.label, self.label_en)


class Stage(models.Model):
    """One stage of a playbook: what to say, what to do, and whether the agent may end the call there.

    `opens` names what is heard when the playbook opens here ("insulte ouverte"); "" where it is only reached from the
    stage before. The first stage opens without a name, too.
    """

    situation = models.ForeignKey(Situation, on_delete=models.CASCADE, related_name="stages")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(_("titre"), max_length=120, default="", db_default="", blank=True)
    title_en = models.CharField(_("titre anglais"), max_length=120, default="", db_default="", blank=True)
    opens = models.CharField(_("s'ouvre sur"), max_length=120, default="", db_default="", blank=True)
    opens_en = models.CharField(
        _("s'ouvre sur, en anglais"), max_length=120, default="", db_default="", blank=True
    )
    say = models.JSONField(
        _("phrases à dire"), default=dict, help_text=_("par langue : une liste de phrases")
    )
    do = models.CharField(_("à faire"), max_length=300, blank=True)
    do_en = models.CharField(_("à faire, en anglais"), max_length=300, default="", db_default="", blank=True)
    may_end = models.BooleanField(_("permet de mettre fin à l'appel"), default=False)

    class Meta:
        verbose_name = _("étape")
        verbose_name_plural = _("étapes")
        ordering = ("situation", "position")
        constraints = [
            models.UniqueConstraint(fields=["situation", "position"], name="stage_once_per_position")
        ]
        triggers = [
            Trigger(
                name="stage_may_end",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Condition("NEW.may_end"),
                declare=[("effect", "text")],
                func=STAGE_MAY_END,
            )
        ]

    def __str__(self) -> str:
        return f"{self.situation_id}/{self.position}"

    @property
    def shown_title(self) -> str:
        """The title in the language of the page."""
        return shown(self.title, self.title_en)

    @property
    def shown_opens(self) -> str:
        """What is heard when the playbook opens here, in the language of the page."""
        return shown(self.opens, self.opens_en)

    @property
    def shown_do(self) -> str:
        """What to do, in the language of the page."""
        return shown(self.do, self.do_en)


class SituationVersion(models.Model):
    """A playbook as somebody saved it: `content` is the whole of it, stages included. Append-only."""

    situation = models.ForeignKey(Situation, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    content = models.JSONField()
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("version d'une situation")
        verbose_name_plural = _("versions de situations")
        ordering = ("situation", "-version")
        constraints = [
            models.UniqueConstraint(fields=["situation", "version"], name="situation_version_once")
        ]
        triggers = append_only("situation_version_append_only")

    def __str__(self) -> str:
        return f"{self.situation_id} v{self.version}"


class SituationMark(models.Model):
    """A situation that says something of the list (`calls.enums.OF_LISTS`), met on a call, once. Append-only, no words.

    `effect` is the situation's at that moment; the list and the source are those that led to the call, null for none.
    """

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="marks")
    situation = models.ForeignKey(Situation, on_delete=models.PROTECT, related_name="marks")
    effect = models.CharField(max_length=12, choices=SituationEffect.choices, blank=True)
    call_list = models.ForeignKey(
        CallList, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("situation rencontrée")
        verbose_name_plural = _("situations rencontrées")
        constraints = [
            models.UniqueConstraint(fields=["call", "situation"], name="situation_mark_once_per_call")
        ]
        indexes = [
            models.Index(fields=["call_list", "effect"], name="situation_mark_by_list"),
            models.Index(fields=["source", "effect"], name="situation_mark_by_source"),
        ]
        triggers = append_only("situation_mark_append_only")

    def __str__(self) -> str:
        return f"{self.call_id} {self.effect}"


def shown(french: str, english: str) -> str:
    """Return a text kept in both languages in that of the page: the French one where the other is missing."""
    return english if english and (get_language() or "").startswith("en") else french
