"""Who sent a request: the session of its cookie and the user of that session, read by statements that are prepared.

Every request begins with these two rows. They are Django's own in all else.
"""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session

from crm.models import User
from crm.selectors.prepared import read_one

SESSION = "SELECT <columns> FROM django_session t WHERE session_key = %s::text AND expire_date > now()"
USER = """
SELECT <columns>, EXISTS (SELECT FROM crm_user_sponsors s WHERE s.user_id = t.id) FROM crm_user t WHERE id = %s::bigint
"""


class SessionStore(db.SessionStore):
    """Django's sessions in the database."""

    def _get_session_from_db(self) -> Any:
        found = read_one(Session, SESSION, [self.session_key])
        if found is None:
            self._session_key = None
            return None
        return found[0]


class Accounts(ModelBackend):
    """Django's accounts."""

    def get_user(self, user_id: int) -> User | None:
        """Return the active user of a session, or None."""
        found = read_one(User, USER, [user_id])
        if found is None or not self.user_can_authenticate(found[0]):
            return None
        user, (is_narrowed,) = found
        user.is_narrowed = is_narrowed
        return user
