"""All that is kept about one person, for a request for access."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from calls.rules.export import PARTS
from calls.selectors.export import export_of
from crm.access import get_prospect_or_404, sponsors_of
from crm.api.endpoints import MANAGERS, Endpoint, caller, now, require_scope
from crm.api.schema import describe
from crm.enums import LookPlace, Resource
from crm.services.looks import note_looks


@extend_schema_field({"type": "array", "items": {"type": "object"}})
class RowsOut(serializers.Field[Any, Any, Any, Any]):
    """The rows of a part; `legend` says what they are."""


class ExportOut(serializers.Serializer[Any]):
    """What is kept about a person, part by part."""

    exported_at = serializers.DateTimeField()
    legend = serializers.DictField(child=serializers.CharField(), help_text="What each part is.")
    record = serializers.DictField()
    origin = serializers.DictField()

    def get_fields(self) -> dict[str, Any]:
        """Add the parts."""
        return super().get_fields() | {part.name: RowsOut() for part in PARTS}


#: What the file tells of besides the record: a token needs to read each.
TOLD = (
    Resource.ENTRIES,
    Resource.IMPORTS,
    Resource.EXCLUSIONS,
    Resource.CALLS,
    Resource.CALLBACKS,
    Resource.INCIDENTS,
    Resource.BANS,
)


class ProspectExport(Endpoint):
    """What is kept about one person."""

    resource = "prospects"
    roles = {"GET": MANAGERS}

    @describe(
        "prospects_export",
        "Export all that is kept about a person",
        tag="prospects",
        answers={200: ExportOut},
        description="For a request for access (GDPR, art. 15). Codes are in words, colleagues are told by their role."
        " A token needs to read all that is told: entries, imports, exclusions, calls, callbacks, incidents, bans.",
    )
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        for resource in TOLD:
            require_scope(request, f"{resource}:read")
        user, at = caller(request), now()
        prospect = get_prospect_or_404(user, pk)
        note_looks(prospects=[prospect], by=user, at=at, place=LookPlace.API)
        headers = {
            "Content-Disposition": f'attachment; filename="fiche-{pk}.json"',
            "Cache-Control": "no-store",
        }
        return Response(export_of(prospect, sponsors=sponsors_of(user), at=at), headers=headers)
