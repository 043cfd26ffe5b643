"""What the API answers where there is nothing."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.endpoints import ANY, EVERYBODY, Endpoint
from crm.rules.errors import NotFound


@extend_schema(exclude=True)
class Nowhere(Endpoint):
    """An address below /api/v1/ that is none: 404, to whoever has come in."""

    resource = ANY
    roles = dict.fromkeys(("GET", "POST", "PATCH", "PUT", "DELETE"), EVERYBODY)
    http_method_names = ["get", "head", "post", "patch", "put", "delete"]

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refuse."""
        raise NotFound(_("Il n'y a rien à cette adresse. Les adresses de l'API finissent par « / »."))

    post = patch = put = delete = get
