"""The people who work with Courtois, and the programs that act for them."""

import pgtrigger
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from crm.enums import CALLING, MANAGING, SUPERVISING, Role, UserEventKind
from crm.models.sponsors import Sponsor
from crm.models.triggers import REFUSE, Trigger, append_only
from crm.rules.token_scopes import TokenReach

#: Two administrators who put each other out take turns on this advisory lock, and the second is the last one.
ADMIN_LOCK = 74
KEEP_AN_ADMIN = f"""
    IF TG_OP = 'UPDATE' AND NEW.role = 'admin' AND NEW.is_active THEN RETURN NEW; END IF;
    PERFORM pg_advisory_xact_lock({ADMIN_LOCK}, 0);
    IF EXISTS (SELECT FROM crm_user u WHERE u.role = 'admin' AND u.is_active AND u.id <> OLD.id) THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
"""


class Team(models.Model):
    """People who work together, with whoever looks after them. A person is in one team at most."""

    name = models.CharField(_("nom"), max_length=120)
    supervisors = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="supervised_teams",
        verbose_name=_("superviseurs"),
    )
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("équipe")
        verbose_name_plural = _("équipes")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="team_name_once",
                violation_error_message=_("Une équipe porte déjà ce nom."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person or an integration. `role` decides what it may do; `sponsors` narrows what it sees."""

    role = models.CharField(_("rôle"), max_length=12, choices=Role.choices, default=Role.AGENT)
    #: ISO 639-1 codes of the languages that the agent can hold a call in.
    languages = ArrayField(
        models.CharField(max_length=8), default=list, blank=True, verbose_name=_("langues")
    )
    #: In which the pages speak to this person, on whatever machine; empty: as the browser asks.
    page_language = models.CharField(max_length=8, default="", db_default="", blank=True, editable=False)
    daily_goal = models.PositiveSmallIntegerField(_("objectif du jour"), default=50)
    extension = models.CharField(_("poste"), max_length=20, blank=True)
    #: Empty: every sponsor for the staff, none for an integration.
    sponsors = models.ManyToManyField(
        Sponsor, blank=True, related_name="users", verbose_name=_("donneurs d'ordre")
    )
    team = models.ForeignKey(
        Team,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="members",
        verbose_name=_("équipe"),
    )
    #: The password was given by somebody else: until it is changed, no other page opens.
    must_change_password = models.BooleanField(default=False, db_default=False, editable=False)

    #: What the token of this request opens, set when it is recognised; None for whoever signed in.
    token: TokenReach | None = None

    class Meta:
        verbose_name = _("utilisateur")
        verbose_name_plural = _("utilisateurs")
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
            # "Marie" and "marie" would be two people for the machine and one for everybody else.
            models.UniqueConstraint(
                Lower("username"),
                name="user_username_once",
                violation_error_message=_("Cet identifiant est déjà pris."),
            ),
        ]
        triggers = [
            Trigger(
                name="user_admin_remains",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.role = 'admin' AND OLD.is_active"),
                func=KEEP_AN_ADMIN
                + REFUSE.format(name="user_admin_remains", message="the last active administrator stays"),
            ),
        ]

    @cached_property
    def is_narrowed(self) -> bool:
        """Whether sponsors are listed for this user. Read once: a user object lives as long as one request."""
        return self.sponsors.exists()

    @property
    def is_calling(self) -> bool:
        """Whether this user may hold a call."""
        return self.role in CALLING

    @property
    def is_supervising(self) -> bool:
        """Whether this user may lift, correct and decide."""
        return self.role in SUPERVISING

    @property
    def is_managing(self) -> bool:
        """Whether this user may set up campaigns and lists."""
        return self.role in MANAGING


class UserEvent(models.Model):
    """What was done to an account, by whom. Append-only; `data` is JSON: values before and after by field, reasons."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(max_length=16, choices=UserEventKind.choices)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("événement d'un compte")
        verbose_name_plural = _("événements des comptes")
        indexes = [
            # The history on a user's page, newest first.
            models.Index(fields=["user", "-id"], name="user_event_history"),
        ]
        triggers = append_only("user_event_append_only")

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"
