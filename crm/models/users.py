"""The people who work with Courtois, and the programs that act for them."""

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from crm.enums import CALLING, MANAGING, SUPERVISING, Role
from crm.models.sponsors import Sponsor


class User(AbstractUser):
    """A person or an integration. `role` decides what it may do; `sponsors` narrows what it sees."""

    role = models.CharField(_("rôle"), max_length=12, choices=Role.choices, default=Role.AGENT)
    #: ISO 639-1 codes of the languages that the agent can hold a call in.
    languages = ArrayField(
        models.CharField(max_length=8), default=list, blank=True, verbose_name=_("langues")
    )
    daily_goal = models.PositiveSmallIntegerField(_("objectif du jour"), default=50)
    extension = models.CharField(_("poste"), max_length=20, blank=True)
    #: Empty: every sponsor for the staff, none for an integration.
    sponsors = models.ManyToManyField(
        Sponsor, blank=True, related_name="users", verbose_name=_("donneurs d'ordre")
    )

    class Meta:
        verbose_name = _("utilisateur")
        verbose_name_plural = _("utilisateurs")
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
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
