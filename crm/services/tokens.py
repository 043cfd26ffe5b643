"""API tokens: made, recognised, revoked. The text of a token is known to its owner alone."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db.models import Q

from crm.models import ApiToken, User

PREFIX = "ctw_"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def create_token(*, user: User, name: str, at: datetime, expires_at: datetime | None = None) -> str:
    """Store a new token of `user` and return its text, which cannot be shown again."""
    text = PREFIX + secrets.token_urlsafe(32)
    ApiToken.objects.create(
        user=user, name=name, prefix=text[:10], digest=_digest(text), created_at=at, expires_at=expires_at
    )
    return text


def user_of_token(*, text: str, at: datetime) -> User | None:
    """Return the active user whose valid token this is, or None. Notes the use at most once a minute."""
    token = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at), digest=_digest(text), revoked_at__isnull=True)
        .filter(user__is_active=True)
        .first()
    )
    if token is None:
        return None
    if token.last_used_at is None or at - token.last_used_at > timedelta(minutes=1):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=at)
    return token.user


def revoke_token(*, token: ApiToken, at: datetime) -> None:
    """End a token. A second revocation keeps the first moment."""
    ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=at)
