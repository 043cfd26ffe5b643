"""Which logins of the demo can be offered."""

from functools import lru_cache

from django.contrib.auth.hashers import check_password

from crm.models import User
from crm.rules.demo import DEMO_LOGINS, DEMO_PASSWORD, DemoLogin


def open_demo_logins() -> list[DemoLogin]:
    """Return the logins of the demo that anybody could use: active, in their role, with the demo's password.

    Who changed a password or a role has made the demo their own: that login is no longer offered. One query.
    """
    rows = User.objects.filter(username__in=[login.username for login in DEMO_LOGINS], is_active=True)
    found = {
        name: (role, password) for name, role, password in rows.values_list("username", "role", "password")
    }
    return [
        login
        for login in DEMO_LOGINS
        if found.get(login.username, ("", ""))[0] == login.role and _is_public(found[login.username][1])
    ]


@lru_cache(maxsize=16)
def _is_public(encoded: str) -> bool:
    """Whether a stored password is the demo's. Asked once for each: reckoning it is slow on purpose."""
    return check_password(DEMO_PASSWORD, encoded)
