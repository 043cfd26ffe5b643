"""API tokens. Only a digest is stored: a leaked dump opens nothing."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.sponsors import Sponsor
from crm.rules.token_scopes import EVERYTHING


def everything() -> list[str]:
    """Return the scopes of a token that opens all that its user's role may."""
    return [EVERYTHING]


class ApiToken(models.Model):
    """A bearer token of a user, shown once at creation; `digest` is the hex SHA-256 of its text.

    It opens what its user's role may and no more: `scopes` narrow what is done, and `sponsors`, where it
    `keeps_to_sponsors`, what is seen. One whose sponsors are all gone sees nothing.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("nom"), max_length=100, blank=True)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    #: `resource:read` or `resource:write` (crm/rules/token_scopes.py); `*` is all.
    scopes = ArrayField(models.CharField(max_length=40), default=everything, verbose_name=_("droits"))
    keeps_to_sponsors = models.BooleanField(default=False, db_default=False)
    sponsors = models.ManyToManyField(
        Sponsor, blank=True, related_name="+", verbose_name=_("donneurs d'ordre")
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("jeton d'API")
        verbose_name_plural = _("jetons d'API")
        constraints = [
            # No scope is no token: an empty list must never come to mean all.
            models.CheckConstraint(condition=models.Q(scopes__len__gt=0), name="api_token_has_scopes"),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"

    @property
    def last_moment(self) -> datetime | None:
        """The last moment at which it opens anything; None where it has no end."""
        return None if self.expires_at is None else self.expires_at - timedelta(microseconds=1)


class IdempotentRequest(models.Model):
    """The stored answer to a POST that carried an `Idempotency-Key`, kept 24 hours.

    `status` is null while the first request is still running; `fingerprint` is the hex SHA-256 of its body.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    key = models.CharField(max_length=200)
    path = models.CharField(max_length=300)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotent_request_once")]

    def __str__(self) -> str:
        return self.key
