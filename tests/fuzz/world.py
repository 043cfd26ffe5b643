"""The rows that Schemathesis finds, and a token."""

from typing import Any

from django.utils import timezone

from crm.services.tokens import create_token
from tests.fuzz.running import known_rows
from tests.test_api_matrix import make_world, routes


def make_rows(role: str) -> tuple[str, dict[str, Any]]:
    """Make a small world; return a token of `role` in it, and where its rows are."""
    world = make_world()
    user = world.users[role]
    assert user is not None
    addresses = {name: "/" + _template(item) for name, item in routes()}
    token = create_token(user=user, name="fuzz", at=timezone.now())
    return token, known_rows(world.arguments, addresses)


def _template(item: Any) -> str:
    """Return the path of an address as the schema writes it."""
    return "api/v1/" + str(item.pattern).replace("<int:", "{").replace(">", "}").replace("{pk}", "{id}")
