"""Who calls the API: `Authorization: Bearer TOKEN`."""

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from crm.models import User
from crm.services.tokens import user_of_token


class TokenAuthentication(BaseAuthentication):
    """Recognise a bearer token; a wrong, expired or revoked one is refused with 401, never ignored."""

    keyword = b"bearer"

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        """Return the token's user, or None when the request carries no bearer token."""
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != self.keyword:
            return None
        if len(parts) != 2:
            raise AuthenticationFailed("The Authorization header must be: Bearer TOKEN.")
        user = user_of_token(text=parts[1].decode("latin-1"), at=timezone.now())
        if user is None:
            raise AuthenticationFailed("This token is unknown, expired or revoked.")
        return user, None

    def authenticate_header(self, request: Request) -> str:
        """Return the scheme that a 401 answer asks for."""
        return 'Bearer realm="courtois"'
