"""API tokens as their pages show them: whose, what they open, and whether they still do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from crm.enums import Resource, Role
from crm.models import ApiToken, User
from crm.rules.token_scopes import EVERYTHING, READ, WRITE
from crm.selectors.people import may_change, users_of
from crm.selectors.scopes import sponsors_of

#: How long before its end a token is shown as one to renew.
SOON = timedelta(days=30)


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """Return the tokens of the accounts that a manager sees, and her own."""
    return ApiToken.objects.filter(user__in=users_of(user))


def programs_of(user: User) -> QuerySet[User]:
    """Return the programs in service that a manager may give a token to, by name, with their sponsors."""
    found = users_of(user).filter(role=Role.INTEGRATION, is_active=True)
    return found.prefetch_related("sponsors").order_by("last_name", "username")


def tokens_found(user: User, at: datetime, *, text: str = "", ended: bool = False) -> QuerySet[ApiToken]:
    """Return the tokens that a manager sees by words of their name and account, the newest first.

    `ended`: those that open nothing any more too. Sponsors outside her walls have no name.
    """
    rows = tokens_of(user).select_related("user")
    for word in text.split():
        rows = rows.filter(Q(name__icontains=word) | Q(user__username__icontains=word) | Q(prefix=word))
    if not ended:
        rows = rows.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at), revoked_at__isnull=True)
        rows = rows.filter(user__is_active=True)
    named = Prefetch("sponsors", queryset=sponsors_of(user).order_by("name"))
    return rows.prefetch_related(named, "user__sponsors").order_by("-created_at", "-pk")


@dataclass(frozen=True, slots=True)
class TokenState:
    """Whether a token opens anything: a code for its look (`done`, `callback`, `excluded`), and words."""

    code: str
    text: Any

    @property
    def is_open(self) -> bool:
        """Whether it does."""
        return self.code != "excluded"


def state_of(token: ApiToken, at: datetime) -> TokenState:
    """Return the state of a token; its user should be joined."""
    if token.revoked_at is not None:
        return TokenState("excluded", _("Révoqué"))
    if token.expires_at is not None and token.expires_at <= at:
        return TokenState("excluded", _("Périmé"))
    if not token.user.is_active:
        return TokenState("excluded", _("Compte désactivé"))
    if token.expires_at is not None and token.expires_at <= at + SOON:
        return TokenState("callback", _("Bientôt périmé"))
    return TokenState("done", _("En service"))


def rights_told(scopes: Iterable[str]) -> list[tuple[Any, list[Any]]]:
    """Return scopes in words: what may be done, and to which resources, in their order; none for all of the role."""
    held = set(scopes)
    if EVERYTHING in held:
        return []
    told = [
        (words, [resource.label for resource in Resource if f"{resource}:{act}" in held])
        for act, words in ((WRITE, _("Lire et écrire")), (READ, _("Lire")))
    ]
    return [(words, labels) for words, labels in told if labels]


@dataclass(frozen=True, slots=True)
class TokenLine:
    """A token in the list: its state, its rights in words (none: all of the role), whether the reader may end it."""

    token: ApiToken
    state: TokenState
    rights: list[tuple[Any, list[Any]]]
    may_revoke: bool


def token_line(token: ApiToken, *, reader: User, at: datetime) -> TokenLine:
    """Return a token as the list and its own pages show it."""
    state = state_of(token, at)
    mine = token.user_id == reader.pk or may_change(reader, token.user)
    return TokenLine(token, state, rights_told(token.scopes), token.revoked_at is None and mine)
