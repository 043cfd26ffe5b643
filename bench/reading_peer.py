"""The peers of `bench.reading`, only there; as settings it is the product's with their addresses.

The same page of prospects as the framework's own tutorial writes it, and the same page of changes as JSON that
PostgreSQL makes: neither asks who may see what, notes who looked, or says how far behind the feed is.
"""

from typing import Any

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.reading_peer"

FEED = """
SELECT json_build_object('results', coalesce(json_agg(json_build_object(
           'kind', c.kind, 'id', c.ref, 'version', p.version, 'record', to_jsonb(p) || jsonb_build_object('phones', (
               SELECT json_agg(to_jsonb(n)) FROM crm_prospectnumber n WHERE n.prospect_id = p.id)))), '[]'))::text
  FROM (SELECT kind, ref FROM crm_recordchange
         WHERE (xid, kind, ref) > (%s::text::xid8, %s COLLATE "C", %s)
           AND xid < pg_snapshot_xmin(pg_current_snapshot())
         ORDER BY xid, kind, ref LIMIT 500) c
  JOIN crm_prospect p ON p.id = c.ref
"""


def _urls() -> list[Any]:
    from django.db import connection
    from django.http import HttpResponse
    from django.urls import include, path
    from rest_framework.generics import ListAPIView
    from rest_framework.pagination import CursorPagination
    from rest_framework.request import Request
    from rest_framework.serializers import ModelSerializer
    from rest_framework.views import APIView

    from calls.api.changes import decode_cursor
    from crm.api.prospects import PhoneOut, ProspectOut
    from crm.models import FeedState, Prospect, ProspectNumber

    class PhoneSerializer(ModelSerializer[ProspectNumber]):
        class Meta:
            model = ProspectNumber
            fields = list(PhoneOut().get_fields())

    class ProspectSerializer(ModelSerializer[Prospect]):
        phones = PhoneSerializer(many=True)

        class Meta:
            model = Prospect
            fields = list(ProspectOut().get_fields())

    class Paging(CursorPagination):
        ordering = "id"
        page_size = 100

    class PlainPage(ListAPIView[Prospect]):
        queryset = Prospect.objects.prefetch_related("phones")
        serializer_class = ProspectSerializer
        pagination_class = Paging

    class PlainFeed(APIView):
        def get(self, request: Request) -> HttpResponse:
            place = decode_cursor(FeedState.objects.get(pk=1), request.query_params["cursor"])
            with connection.cursor() as cursor:
                cursor.execute(FEED, [str(place.xid), place.kind, place.ref])
                return HttpResponse(cursor.fetchone()[0], content_type="application/json")

    return [
        path("api/v1/bench/prospects/", PlainPage.as_view()),
        path("api/v1/bench/changes/", PlainFeed.as_view()),
        path("", include("config.urls")),
    ]


def __getattr__(name: str) -> Any:
    if name == "urlpatterns":
        return _urls()
    raise AttributeError(name)
