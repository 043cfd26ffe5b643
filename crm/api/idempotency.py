"""A POST that carries an `Idempotency-Key` happens once, however often and however concurrently it is sent.

The stored answer and what the request created are one transaction: a crash leaves both or neither.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.authentication import reach_of
from crm.models import IdempotentRequest, User
from crm.rules.errors import DomainError, Invalid

KEPT = timedelta(hours=24)
#: First key of the advisory locks held while a request is running; the second is the hash of user and key.
LOCK = 72
REPLAYED_HEADERS = ("ETag", "Location")


class IdempotencyConflict(DomainError):
    """The key was used for another request (422), or its first request is still running (409)."""

    problem = "idempotency-conflict"
    status = 422
    default_message = _("Cette clé d'idempotence a déjà servi à une autre demande.")


class StillRunning(IdempotencyConflict):
    """The first request with this key has not been answered yet."""

    status = 409
    default_message = _("La même demande est encore en cours.")


def run_once(request: Request, *, user: User, at: datetime, handler: Callable[[], Response]) -> Response:
    """Run `handler` and store its answer under the request's key, or return the answer that was stored before.

    Only successful answers are stored: after an error the same key may be used again. `handler` turns refusals of
    the domain into answers itself, so that what a service stored about its refusal is committed.
    """
    key = request.headers["Idempotency-Key"]
    if not 1 <= len(key) <= 200 or not (key.isascii() and key.isprintable()):
        raise Invalid.field("Idempotency-Key", _("De 1 à 200 caractères imprimables."))
    fingerprint = _fingerprint(request)
    with transaction.atomic():
        if not _lock(f"{user.pk}:{key}"):
            raise StillRunning
        stored = IdempotentRequest.objects.filter(user=user, key=key).first()
        if stored is not None and stored.created_at > at - KEPT:
            if (stored.fingerprint, stored.path) != (fingerprint, request.path[:300]):
                raise IdempotencyConflict
            return _replayed(stored)
        response = handler()
        if 200 <= response.status_code < 300:
            _store(
                stored, user=user, key=key, request=request, fingerprint=fingerprint, response=response, at=at
            )
        return response


def _lock(text: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [LOCK, text])
        row: tuple[bool] = cursor.fetchone()
    return row[0]


def _replayed(stored: IdempotentRequest) -> Response:
    body: dict[str, Any] = stored.body or {}
    headers = {**body.get("headers", {}), "Idempotency-Replayed": "true"}
    return Response(body.get("data"), status=stored.status, headers=headers)


def _store(
    stored: IdempotentRequest | None,
    *,
    user: User,
    key: str,
    request: Request,
    fingerprint: str,
    response: Response,
    at: datetime,
) -> None:
    headers = {name: response.headers[name] for name in REPLAYED_HEADERS if name in response.headers}
    row = stored or IdempotentRequest(user=user, key=key)
    row.path, row.fingerprint, row.created_at = request.path[:300], fingerprint, at
    row.status, row.body = response.status_code, {"data": response.data, "headers": headers}
    row.save()
    forget_old_answers(at=at, limit=20)


def forget_old_answers(*, at: datetime, limit: int) -> None:
    """Delete at most `limit` answers that are older than a day; rows that somebody else deletes are passed over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM crm_idempotentrequest WHERE id IN (SELECT id FROM crm_idempotentrequest"
            " WHERE created_at < %s ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED)",
            [at - KEPT, limit],
        )


def _fingerprint(request: Request) -> str:
    """Return the hex SHA-256 of what the request asks: its body, or its fields and the content of its files, and which
    sponsors its token keeps to."""
    digest = hashlib.sha256()
    token = reach_of(request)
    if token is not None and token.sponsors is not None:
        # Another token of the same user may see what this one must not be told again.
        digest.update(f"{sorted(token.sponsors)}\n".encode())
    data = request.data
    raw = getattr(request, "raw_body", None)
    if raw is not None:
        digest.update(raw)
        return digest.hexdigest()
    files = request.FILES
    for name in sorted(data):
        if name not in files:
            digest.update(f"{name}={data[name]}\n".encode(errors="replace"))
    for name in sorted(files):
        digest.update(f"{name}:{files[name].name}\n".encode(errors="replace"))
        for chunk in files[name].chunks():
            digest.update(chunk)
        files[name].seek(0)
    return digest.hexdigest()
