"""API tokens: made, recognised, revoked. The text of a token is known to its owner alone."""

import hashlib
import secrets
from datetime import datetime, timedelta

from crm.models import ApiToken, User

PREFIX = "ctw_"
#: Written out because every request of the API asks it: composing it cost more than answering it.
OWNER = """
SELECT u.*, t.id AS token_id, t.last_used_at AS token_used_at,
       EXISTS (SELECT FROM crm_user_sponsors s WHERE s.user_id = u.id) AS is_narrowed
  FROM crm_apitoken t JOIN crm_user u ON u.id = t.user_id
 WHERE t.digest = %s AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > %s) AND u.is_active
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
    user = next(iter(User.objects.raw(OWNER, [_digest(text), at])), None)
    if user is None:
        return None
    used: datetime | None = user.token_used_at  # type: ignore[attr-defined]
    if used is None or at - used > timedelta(minutes=1):
        token: int = user.token_id  # type: ignore[attr-defined]
        ApiToken.objects.filter(pk=token).update(last_used_at=at)
    return user


def revoke_token(*, token: ApiToken, at: datetime) -> None:
    """End a token. A second revocation keeps the first moment."""
    ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=at)
