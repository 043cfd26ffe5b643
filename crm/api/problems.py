"""Errors as problem details (RFC 9457): one catalogue of names, one answer, one page that explains each."""

import logging
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from crm.api.fields import stamp
from crm.rules.errors import DomainError

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger(__name__)
#: How PostgreSQL's codes begin when it stops, starts, is full or cannot be reached; a broken connection has none.
GONE = ("08", "57P0", "53300")


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of error: its title and, for whoever writes a client, what it means and what to do."""

    title: Any
    help: Any


PROBLEMS: dict[str, Problem] = {
    "open-call": Problem(
        _("Un appel est encore ouvert"),
        _(
            "Un agent n'a qu'un appel à la fois. Le champ `call` donne celui qui est ouvert : "
            "terminez-le et qualifiez-le, puis recommencez."
        ),
    ),
    "closing-required": Problem(
        _("La clôture n'est pas terminée"),
        _(
            "Tout échange avec une personne finit par les phrases de clôture, puis c'est elle qui raccroche. "
            "Dites les phrases dues (`closing/`), attendez la fin de la communication, puis recommencez."
        ),
    ),
    "excluded": Problem(
        _("Ce numéro ou cette fiche est exclu des appels"),
        _(
            "Une exclusion active couvre le numéro ou la fiche. Elle ne s'efface pas : un superviseur peut la lever, "
            "avec un motif."
        ),
    ),
    "not-callable": Problem(
        _("L'appel n'est pas permis maintenant"),
        _(
            "Une règle refuse l'appel : `gate` dit laquelle, `reason` pourquoi, `until` jusqu'à quand, si on le sait."
        ),
    ),
    "invalid-transition": Problem(
        _("Pas possible dans l'état actuel"),
        _("Relisez l'objet : son état, et pour un appel `allowed`, disent ce qui est possible maintenant."),
    ),
    "stale": Problem(
        _("La fiche a changé entre-temps"),
        _("L'en-tête `If-Match` ne correspond plus. Relisez l'objet, reportez vos changements, recommencez."),
    ),
    "validation": Problem(
        _("Certaines valeurs sont à corriger"),
        _("`errors` donne, champ par champ, ce qui ne va pas. Rien n'a été changé."),
    ),
    "not-found": Problem(
        _("Introuvable"),
        _(
            "Il n'y a rien à cette adresse, ou rien que ce jeton puisse voir. Les adresses finissent par « / »."
        ),
    ),
    "forbidden": Problem(
        _("Action non permise"),
        _(
            "Le rôle du compte ne permet pas cette action, qui n'est pas non plus offerte dans ses pages ; ou ce jeton "
            "n'en a pas le droit : `scope` dit alors lequel lui manque."
        ),
    ),
    "throttled": Problem(
        _("Trop de demandes"),
        _("Attendez le nombre de secondes que donne l'en-tête `Retry-After`, puis recommencez."),
    ),
    "idempotency-conflict": Problem(
        _("Clé d'idempotence déjà employée"),
        _(
            "422 : cette `Idempotency-Key` a servi à une autre demande ; prenez-en une neuve. "
            "409 : la même demande est encore en cours ; recommencez dans un instant avec la même clé."
        ),
    ),
    "cursor-gone": Problem(
        _("Ce curseur ne mène plus nulle part"),
        _(
            "Ce qui le suit n'est plus conservé, ou la base a été restaurée. Relisez les listes, puis suivez "
            "`changes/` depuis le champ `cursor` de cette réponse."
        ),
    ),
    "feed-moved": Problem(
        _("Le flux attend l'administrateur"),
        _(
            "La base a changé de place ou a été restaurée : un administrateur lance `manage.py rebase_changes`. "
            "Gardez votre curseur et recommencez plus tard."
        ),
    ),
    "unauthenticated": Problem(
        _("Jeton absent ou refusé"),
        _("Envoyez `Authorization: Bearer JETON` ; le jeton est peut-être inconnu, périmé ou révoqué."),
    ),
    "method-not-allowed": Problem(
        _("Méthode non permise ici"), _("L'en-tête `Allow` donne les méthodes que cette adresse accepte.")
    ),
    "unsupported-media-type": Problem(
        _("Format de demande non accepté"),
        _("Envoyez du JSON (`Content-Type: application/json`) ; pour un fichier, `multipart/form-data`."),
    ),
    "too-large": Problem(
        _("Demande trop grande"),
        _("Découpez la demande en plusieurs ; pour une grande liste, passez par un import."),
    ),
    "busy": Problem(
        _("Occupé"),
        _("La base est occupée par une autre écriture. Recommencez dans un instant : rien n'a été changé."),
    ),
    "unavailable": Problem(
        _("La base ne répond pas"),
        _(
            "La liaison avec la base s'est rompue, comme à son redémarrage. Recommencez dans un instant ; avec une "
            "`Idempotency-Key` ou un `If-Match`, rien n'est fait deux fois."
        ),
    ),
    "internal": Problem(
        _("Erreur interne"),
        _("L'erreur est consignée de notre côté. Avec une `Idempotency-Key`, on peut recommencer."),
    ),
}


class ProblemResponse(Response):
    """An answer that is JSON whatever the endpoint renders otherwise."""

    @property
    def rendered_content(self) -> bytes:  # type: ignore[override]
        """Return the body."""
        self["Content-Type"] = MEDIA_TYPE
        body: bytes = JSONRenderer().render(self.data)
        return body


class TooLarge(exceptions.APIException):
    """The body is larger than what this address reads."""

    status_code = 413
    default_detail = _("La demande est trop grande.")


def problem(
    request: HttpRequest,
    name: str,
    status: int,
    detail: Any = "",
    *,
    errors: dict[str, list[str]] | None = None,
    extra: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a problem answer. `errors` holds messages by field; `extra` holds more members, such as `call`."""
    body: dict[str, Any] = {
        **(extra or {}),
        "type": request.build_absolute_uri(f"/problems/{name}/"),
        "title": str(PROBLEMS[name].title),
        "status": status,
        "detail": str(detail or PROBLEMS[name].title),
    }
    if errors is not None:
        body["errors"] = errors
    return ProblemResponse(body, status=status, content_type=MEDIA_TYPE, headers=headers)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer any exception of an API view as a problem; the ones nobody foresaw are logged and answered with 500."""
    request = context["request"]
    answer = _foreseen(request, exc)
    if answer is None:
        log.exception("unforeseen error in the API: %s %s", request.method, request.path, exc_info=exc)
        answer = problem(request, "internal", 500)
    return answer


def _foreseen(request: HttpRequest, exc: Exception) -> Response | None:
    if isinstance(exc, DomainError):
        return _domain(request, exc)
    if isinstance(exc, exceptions.ValidationError):
        return problem(request, "validation", 400, errors=_by_field(exc.detail))
    if isinstance(exc, DjangoValidationError):
        return problem(request, "validation", 400, errors=_by_django_field(exc))
    if isinstance(exc, Http404 | exceptions.NotFound):
        return problem(request, "not-found", 404)
    if isinstance(exc, PermissionDenied | exceptions.PermissionDenied):
        return problem(request, "forbidden", 403, _("Votre rôle ne permet pas cette action."))
    if isinstance(exc, RequestDataTooBig):
        return problem(request, "too-large", 413)
    if isinstance(exc, SuspiciousOperation):
        return problem(request, "validation", 400, errors={"__all__": [str(PROBLEMS["validation"].title)]})
    if isinstance(exc, exceptions.APIException):
        return _framework(request, exc)
    return _database(request, exc)


def _domain(request: HttpRequest, exc: DomainError) -> Response:
    extra = dict(exc.extra)
    verdict = getattr(exc, "verdict", None)
    if verdict is not None:
        extra |= {
            "gate": str(verdict.gate),
            "reason": str(verdict.reason),
            "until": stamp(getattr(verdict, "until", None)),
        }
    errors = {name: [str(message) for message in messages] for name, messages in exc.fields.items()}
    if exc.problem == "validation" and not errors:
        errors = {"__all__": [str(exc.message)]}
    return problem(request, exc.problem, exc.status, exc.message, errors=errors or None, extra=extra)


def _framework(request: HttpRequest, exc: exceptions.APIException) -> Response:
    headers = {}
    if auth_header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(max(1, int(wait)))
    name = {
        401: "unauthenticated",
        403: "forbidden",
        404: "not-found",
        405: "method-not-allowed",
        413: "too-large",
        415: "unsupported-media-type",
        429: "throttled",
    }.get(exc.status_code)
    if name is None and exc.status_code >= 500:
        return problem(request, "internal", exc.status_code)
    errors = {"__all__": [str(exc.detail)]} if name is None else None
    return problem(
        request,
        name or "validation",
        exc.status_code,
        str(exc.detail),
        errors=errors,
        headers=headers or None,
    )


def _database(request: HttpRequest, exc: Exception) -> Response | None:
    code = getattr(exc.__cause__, "sqlstate", None) or ""
    if isinstance(exc, IntegrityError) and code == "23505":
        message = str(_("Il existe déjà un enregistrement avec cette valeur."))
        return problem(request, "validation", 400, message, errors={"__all__": [message]})
    if isinstance(exc, OperationalError) and code in {"40P01", "40001", "55P03"}:
        log.warning("the API gave way to another writer: %s", exc)
        return problem(request, "busy", 503, headers={"Retry-After": "1"})
    if is_database_gone(exc):
        log.error("the database went away during an API request: %s", exc)
        return problem(request, "unavailable", 503, headers={"Retry-After": "5"})
    return None


def is_database_gone(exc: BaseException | None) -> bool:
    """Whether an error means that the database cannot be reached, not that it refused something."""
    code = getattr(exc.__cause__, "sqlstate", None) or "" if exc else ""
    return isinstance(exc, OperationalError | InterfaceError) and (not code or code.startswith(GONE))


def _by_field(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """Flatten nested messages: `{"phones": [{"number": ["…"]}]}` becomes `{"phones.0.number": ["…"]}`."""
    if isinstance(detail, dict):
        found: dict[str, list[str]] = {}
        for key, value in detail.items():
            whole = key == "non_field_errors"
            inner = prefix if whole else f"{prefix}.{key}" if prefix else str(key)
            found |= _by_field(value, inner)
        return found
    if isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        found = {}
        for index, item in enumerate(detail):
            if item:
                found |= _by_field(item, f"{prefix}.{index}" if prefix else str(index))
        return found
    messages = detail if isinstance(detail, list) else [detail]
    return {prefix or "__all__": [str(message) for message in messages]}


def _by_django_field(exc: DjangoValidationError) -> dict[str, list[str]]:
    if hasattr(exc, "error_dict"):
        return {name: [str(message) for message in messages] for name, messages in exc.message_dict.items()}
    return {"__all__": [str(message) for message in exc.messages]}


@login_not_required
@require_safe
def problem_page(request: HttpRequest, name: str) -> HttpResponse:
    """Explain one kind of error to whoever writes a client; `name` is the last part of a problem's `type`."""
    if name not in PROBLEMS:
        raise Http404
    return render(
        request, "crm/problem.html", {"name": name, "problem": PROBLEMS[name], "problems": PROBLEMS}
    )
