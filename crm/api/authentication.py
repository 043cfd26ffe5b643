"""Who calls the API: `Authorization: Bearer TOKEN`."""

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from crm.models import User
from crm.rules.token_scopes import TokenReach
from crm.services.tokens import user_of_token

SCHEME = "bearer"


def carries_token(request: HttpRequest | Request) -> bool:
    """Return whether the request says who asks by a bearer token, whatever that is worth."""
    words = request.META.get("HTTP_AUTHORIZATION", "").split(maxsplit=1)
    return bool(words) and words[0].lower() == SCHEME


def reach_of(request: Request) -> TokenReach | None:
    """Return what the token of a request opens; None for somebody who signed in on a page."""
    reach = request.auth
    assert reach is None or isinstance(reach, TokenReach)
    return reach


class TokenAuthentication(BaseAuthentication):
    """Recognise a bearer token; a wrong, expired or revoked one is refused with 401, never ignored."""

    def authenticate(self, request: Request) -> tuple[User, TokenReach | None] | None:
        """Return the token's user and what it opens, or None when the request carries no bearer token."""
        if not carries_token(request):
            return None
        parts = get_authorization_header(request).split()
        if len(parts) != 2:
            raise AuthenticationFailed("The Authorization header must be: Bearer TOKEN.")
        user = user_of_token(text=parts[1].decode("latin-1"), at=timezone.now())
        if user is None:
            raise AuthenticationFailed("This token is unknown, expired or revoked.")
        return user, user.token

    def authenticate_header(self, request: Request) -> str:
        """Return the scheme that a 401 answer asks for."""
        return 'Bearer realm="courtois"'
