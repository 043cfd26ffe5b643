"""Up to 5,000 prospects at once: created or changed by the rules of an import."""

from collections import Counter
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.services.bulk import STATUSES, Result, upsert_prospects
from crm.access import sources_of, sponsors_of
from crm.api.endpoints import MANAGERS, PROGRAMS, Endpoint, caller, now
from crm.api.fields import Body, Id
from crm.api.parsers import StrictJSONParser
from crm.api.schema import describe
from crm.models import Sponsor, User
from crm.rules.errors import Invalid

MAX_ITEMS = 5_000

DESCRIPTION = """The body is `{"prospects": [...]}`, or that list alone. Each item is a prospect as `POST prospects/`
takes it, with `opt_out` and `version` besides, told by `source` and `external_id`, both required. The answer is 200
with a result per item, in order: what is wrong with one keeps no other from being stored.

The rules are those of an import: countries, languages and numbers in any spelling, numbers are added and never taken
away, what was said on a call stands until the supplier's own value changes. A field that is absent says nothing; `null`
or `""` takes away what the same supplier had given. With `version`, an item is refused unless the record is at that
version. `opt_out` bars the person for the sponsor of the source, or for `sponsor` where the source has none."""


class BulkParser(StrictJSONParser):
    """Takes 16 MB: 5,000 prospects of 3 kB."""

    max_body = 16 * 1024 * 1024


#: What is wrong with an item is told in its result, so that anything may stand there.
ITEMS: dict[str, Any] = {
    "type": "array",
    "minItems": 1,
    "maxItems": MAX_ITEMS,
    "items": {"anyOf": [{"$ref": "#/components/schemas/ProspectInRequest"}, {}]},
}
BODY = {
    "oneOf": [
        {
            "type": "object",
            "required": ["prospects"],
            "additionalProperties": False,
            "properties": {
                "prospects": ITEMS,
                "region": {
                    "type": "string",
                    "pattern": "^[A-Z]{2}$",
                    "description": "How national numbers are read: FR.",
                },
                "sponsor": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "For whom `opt_out` holds where the source belongs to nobody.",
                },
            },
        },
        ITEMS,
    ]
}


class ProspectBulkOptions(Body):
    """What stands beside the items."""

    region = serializers.RegexField(r"^[A-Z]{2}\Z", required=False)
    sponsor = Id(required=False)


class ProspectBulkResult(serializers.Serializer[Any]):
    """What became of an item."""

    index = serializers.IntegerField()
    id = serializers.IntegerField(allow_null=True)
    external_id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(STATUSES)
    version = serializers.IntegerField(allow_null=True)
    errors = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))  # type: ignore[assignment]
    warnings = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


class ProspectBulkOut(serializers.Serializer[Any]):
    """How many items had each status, and what became of each, in order."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    error = serializers.IntegerField()
    results = ProspectBulkResult(many=True)


def _told(messages: Any) -> dict[str, list[str]]:
    return {name: [str(message) for message in found] for name, found in messages.items()}


def result_out(result: Result) -> dict[str, Any]:
    """Return what became of an item."""
    return {
        "index": result.index,
        "id": result.id,
        "external_id": result.external_id,
        "status": result.status,
        "version": result.version,
        "errors": _told(result.errors),
        "warnings": _told(result.warnings),
    }


def _body(data: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return the items of a body, and what stands beside them, checked."""
    given = {"prospects": data} if isinstance(data, list) else data
    if not isinstance(given, dict):
        raise Invalid.field("prospects", _("Une liste est attendue."))
    options = ProspectBulkOptions(data={name: value for name, value in given.items() if name != "prospects"})
    options.is_valid(raise_exception=True)
    items = given.get("prospects")
    if not isinstance(items, list) or not items:
        raise Invalid.field("prospects", _("Une liste d'au moins une fiche est attendue."))
    if len(items) > MAX_ITEMS:
        raise Invalid.field("prospects", _("Au plus 5 000 fiches par demande : envoyez-en plusieurs."))
    return items, options.validated_data


def _sponsor(user: User, pk: int | None) -> Sponsor | None:
    """Return the sponsor that a request names; else the only one of a caller that has one."""
    mine = sponsors_of(user)
    if pk is None:
        only = list(mine[:2])
        return only[0] if len(only) == 1 else None
    found = mine.filter(pk=pk).first()
    if found is None:
        raise Invalid.field("sponsor", _("Ce donneur d'ordre n'existe pas."))
    return found


class ProspectBulk(Endpoint):
    """Many prospects at once."""

    resource = "prospects"
    roles = {"POST": MANAGERS | PROGRAMS}
    parser_classes = [BulkParser]

    @describe(
        "prospects_bulk",
        "Create or change up to 5,000 prospects",
        asked={
            "region": "FR",
            "prospects": [
                {
                    "source": "crm",
                    "external_id": "crm-1001",
                    "kind": "organisation",
                    "organisation": "Banque de l'Ouest",
                    "city": "Nantes",
                    "country": "FR",
                    "phones": [{"number": "01 99 00 00 01"}],
                }
            ],
        },
        answered={
            "created": 1,
            "updated": 0,
            "unchanged": 0,
            "error": 0,
            "results": [
                {
                    "index": 0,
                    "id": 12,
                    "external_id": "crm-1001",
                    "status": "created",
                    "version": 1,
                    "errors": {},
                    "warnings": {},
                }
            ],
        },
        tag="prospects",
        request={"application/json": BODY},
        answers={200: ProspectBulkOut},
        description=DESCRIPTION,
    )
    def post(self, request: Request) -> Response:
        """Create or change."""
        user = caller(request)
        items, options = _body(request.data)
        results = upsert_prospects(
            items=items,
            sources=sources_of(user),
            sponsor=_sponsor(user, options.get("sponsor")),
            region=options.get("region", "FR"),
            by=user,
            at=now(),
        )
        counts = Counter(result.status for result in results)
        body = {status: counts[status] for status in STATUSES}
        return Response({**body, "results": [result_out(result) for result in results]})
