"""The peer of `bench.bulk_api`, only there: the same rows through the same server into Django's own upsert, which
checks, normalises and remembers nothing. As settings it is the product's with one address more."""

from typing import Any

from django.urls import include, path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from bench.bulk_rows import COLUMNS


def _urls() -> list[Any]:
    from campaigns.api.prospects_bulk import BulkParser
    from crm.api.endpoints import MANAGERS, Endpoint
    from crm.models import Prospect, ProspectNumber

    class RawBulk(Endpoint):
        """Prospects and numbers as they come, into `bulk_create`."""

        resource = "prospects"
        roles = {"POST": MANAGERS}
        parser_classes = [BulkParser]

        def post(self, request: Request) -> Response:
            """Create or change."""
            now, items = timezone.now(), list(_items(request.data))
            rows = [
                Prospect(
                    source_id=item["source"],
                    external_id=item["external_id"],
                    time_zone="Europe/Paris",
                    attributes=item["attributes"],
                    created_at=now,
                    updated_at=now,
                    **{name: item[name] for name in COLUMNS},
                )
                for item in items
            ]
            stored = Prospect.objects.bulk_create(
                rows,
                update_conflicts=True,
                unique_fields=["source", "external_id"],
                update_fields=[*COLUMNS, "attributes", "updated_at"],
            )
            pairs = zip(stored, items, strict=True)
            numbers = [
                ProspectNumber(prospect=prospect, number=item["e164"], raw=item["phones"][0]["number"])
                for prospect, item in pairs
            ]
            ProspectNumber.objects.bulk_create(numbers, ignore_conflicts=True)
            results = [{"id": row.pk, "external_id": row.external_id} for row in stored]
            return Response({"results": results})

    return [path("api/v1/bench/raw/", RawBulk.as_view()), path("", include("config.urls"))]


def _items(body: Any) -> Any:
    return body["prospects"]


def __getattr__(name: str) -> Any:
    if name == "urlpatterns":
        return _urls()
    raise AttributeError(name)
