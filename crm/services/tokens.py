"""API tokens: made, recognised, revoked. The text of a token is known to its owner alone."""

import hashlib
import secrets
from datetime import datetime, timedelta

from crm.models import ApiToken, User
from crm.selectors.prepared import read_one

PREFIX = "ctw_"
OWNER = """
SELECT <columns>, k.id, k.last_used_at, EXISTS (SELECT FROM crm_user_sponsors s WHERE s.user_id = t.id)
  FROM crm_apitoken k JOIN crm_user t ON t.id = k.user_id
 WHERE k.digest = %s AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > %s) AND t.is_active
"""


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
    found = read_one(User, OWNER, [_digest(text), at])
    if found is None:
        return None
    user, (token, used, is_narrowed) = found
    user.is_narrowed = is_narrowed
    if used is None or at - used > timedelta(minutes=1):
        ApiToken.objects.filter(pk=token).update(last_used_at=at)
    return user


def revoke_token(*, token: ApiToken, at: datetime) -> None:
    """End a token. A second revocation keeps the first moment."""
    ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=at)
