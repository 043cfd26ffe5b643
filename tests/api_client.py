"""A client of the API for tests: a user's token, JSON in and out, and what a problem answer must look like."""

import json
from typing import Any

from django.test import Client

from crm.models import User
from crm.services.tokens import create_token
from tests.factories import NOW

BASE = "/api/v1/"


class Api:
    """Speaks to the API as one user; paths are relative to /api/v1/."""

    def __init__(self, user: User | None) -> None:
        """Make a token for the user, or speak without one."""
        self.client = Client(raise_request_exception=False)
        self.headers: dict[str, str] = {}
        if user is not None:
            self.headers["Authorization"] = f"Bearer {create_token(user=user, name='test', at=NOW)}"

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request; header names are given with underscores."""
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        address = path if path.startswith(("/", "http")) else BASE + path
        return self.client.generic(method, address, content, content_type="application/json", headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        """GET."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST JSON."""
        return self.call("POST", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        """PATCH JSON."""
        return self.call("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        """DELETE."""
        return self.call("DELETE", path, **headers)

    def upload(self, path: str, fields: dict[str, Any], **headers: str) -> Any:
        """POST a form with files."""
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(BASE + path, fields, headers=sent)


def problem_of(response: Any, name: str, status: int) -> dict[str, Any]:
    """Assert that an answer is this problem, and return its body."""
    assert response.status_code == status, (response.status_code, response.content[:2000])
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"].endswith(f"/problems/{name}/"), body
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body
