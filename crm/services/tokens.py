"""API tokens: made, recognised, revoked. The text of a token is known to its owner alone."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from crm.enums import MANAGING, Role, UserEventKind
from crm.models import ApiToken, Sponsor, User, UserEvent
from crm.rules.errors import Forbidden, Invalid
from crm.rules.token_scopes import TokenReach, scopes_of
from crm.selectors.people import may_change, users_of
from crm.selectors.prepared import read_one
from crm.selectors.scopes import sponsors_of
from crm.services.users import create_user

PREFIX = "ctw_"
#: A token that outlives everybody who knew why it was made is refused.
LONGEST = timedelta(days=5 * 366)
#: The user of a token that opens something now, and what: of the sponsors that it keeps to, those that are still the
#: user's. An integration without sponsors has none, anybody else without has all.
OWNER = """
SELECT <columns>, k.id, k.last_used_at, k.scopes,
       EXISTS (SELECT FROM crm_user_sponsors s WHERE s.user_id = t.id),
       CASE WHEN k.keeps_to_sponsors THEN ARRAY(
           SELECT n.sponsor_id FROM crm_apitoken_sponsors n WHERE n.apitoken_id = k.id AND (
               EXISTS (SELECT FROM crm_user_sponsors s WHERE s.user_id = t.id AND s.sponsor_id = n.sponsor_id)
               OR (t.role <> 'integration'
                   AND NOT EXISTS (SELECT FROM crm_user_sponsors s WHERE s.user_id = t.id)))) END
  FROM crm_apitoken k JOIN crm_user t ON t.id = k.user_id
 WHERE k.digest = %s AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > %s) AND t.is_active
"""


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A token with its text, which is known here alone."""

    token: ApiToken
    text: str


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def create_token(
    *,
    user: User,
    name: str,
    at: datetime,
    expires_at: datetime | None = None,
    scopes: Iterable[str] = (),
    sponsors: Sequence[Sponsor] = (),
    by: User | None = None,
) -> str:
    """Store a new token of `user` and return its text, which cannot be shown again; see `give_token`."""
    given = give_token(
        user=user, name=name, at=at, expires_at=expires_at, scopes=scopes, sponsors=sponsors, by=by
    )
    return given.text


def give_token(
    *,
    user: User,
    name: str,
    at: datetime,
    expires_at: datetime | None = None,
    scopes: Iterable[str] = (),
    sponsors: Sequence[Sponsor] = (),
    by: User | None = None,
) -> GivenToken:
    """Store a new token of `user`. Without `scopes` it opens all that the role may, without `sponsors` all of the
    user's. `by` is null at the command line.

    Raises Forbidden where `by` may not give it, Invalid for an unknown scope, a sponsor that is not the user's, and an
    end that is past or more than five years ahead.
    """
    kept, own = scopes_of(scopes), list(sponsors)
    _require_own(user, own)
    _require_end(expires_at, at)
    if by is not None:
        _require_giver(by, user, own)
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=user,
            name=name.strip(),
            prefix=text[:10],
            digest=_digest(text),
            scopes=kept,
            keeps_to_sponsors=bool(own),
            created_at=at,
            expires_at=expires_at,
        )
        token.sponsors.set(own)
        data = {"token": token.name, "scopes": kept, "kept_to": sorted(sponsor.pk for sponsor in own)}
        UserEvent.objects.create(user=user, kind=UserEventKind.TOKEN_GIVEN, by=by, at=at, data=data)
    return GivenToken(token, text)


def give_token_to_new_program(
    *,
    name: str,
    at: datetime,
    expires_at: datetime | None,
    scopes: Iterable[str],
    sponsors: Sequence[Sponsor],
    by: User,
) -> GivenToken:
    """Take a program on that sees `sponsors` and nothing else, and give it its first token. Both or neither.

    The account has the name of the token; refuses the field `name` where another one is called so.
    """
    username = slugify(name)[:150]
    if not username:
        raise Invalid.field("name", _("Donnez un nom."))
    if User.objects.filter(username__iexact=username).exists():
        taken = _("Le compte « %(name)s » existe déjà : choisissez-le, ou donnez un autre nom.")
        raise Invalid.field("name", taken % {"name": username})
    with transaction.atomic():
        data = {"first_name": "", "last_name": name, "role": Role.INTEGRATION}
        made = create_user(username=username, data=data, sponsors=sponsors, by=by, at=at)
        return give_token(
            user=made.user,
            name=name,
            at=at,
            expires_at=expires_at,
            scopes=scopes,
            sponsors=sponsors,
            by=by,
        )


def _require_own(user: User, sponsors: Sequence[Sponsor]) -> None:
    if not user.is_active:
        raise Invalid.field("account", _("Ce compte est désactivé."))
    seen = set(sponsors_of(user).filter(pk__in=[s.pk for s in sponsors]).values_list("pk", flat=True))
    if strange := [sponsor.name for sponsor in sponsors if sponsor.pk not in seen]:
        raise Invalid.field(
            "sponsors",
            _("Ce compte ne travaille pas pour : %(names)s.") % {"names": ", ".join(strange)[:300]},
        )


def _require_end(expires_at: datetime | None, at: datetime) -> None:
    if expires_at is not None and not at < expires_at <= at + LONGEST:
        raise Invalid.field("expires", _("Une date à venir, à cinq ans au plus."))


def _require_giver(by: User, user: User, sponsors: Sequence[Sponsor]) -> None:
    """A manager gives tokens to the programs that she may change, and never beyond her own sponsors."""
    if by.role not in MANAGING or not may_change(by, user) or not users_of(by).filter(pk=user.pk).exists():
        raise Forbidden
    seen = sponsors_of(by).filter(pk__in=[sponsor.pk for sponsor in sponsors]).count()
    if seen != len(sponsors):
        raise Forbidden(_("Vous ne donnez accès qu'à vos propres donneurs d'ordre."))


def user_of_token(*, text: str, at: datetime) -> User | None:
    """Return the active user whose valid token this is, with what it opens as `token`, or None. Notes the use at most
    once a minute."""
    found = read_one(User, OWNER, [_digest(text), at])
    if found is None:
        return None
    user, (token, used, scopes, is_narrowed, sponsors) = found
    user.token = TokenReach(token, frozenset(scopes), None if sponsors is None else tuple(sponsors))
    user.is_narrowed = is_narrowed or sponsors is not None
    if used is None or at - used > timedelta(minutes=1):
        ApiToken.objects.filter(pk=token).update(last_used_at=at)
    return user


def revoke_token(*, token: ApiToken, at: datetime, by: User) -> None:
    """End a token: one's own, or that of an account that `by` may change. A second revocation keeps the first moment.

    Raises Forbidden for anybody else's.
    """
    owner = token.user
    if owner.pk != by.pk and not (users_of(by).filter(pk=owner.pk).exists() and may_change(by, owner)):
        raise Forbidden
    with transaction.atomic():
        ended = ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=at)
        if ended:
            data = {"token": token.name}
            UserEvent.objects.create(user=owner, kind=UserEventKind.TOKEN_REVOKED, by=by, at=at, data=data)
