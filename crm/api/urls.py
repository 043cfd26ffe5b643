"""API routes of this app, below /api/v1/. One prospect is answered by `calls`, which knows what is under way."""

from django.urls import URLPattern, URLResolver, path, re_path

from crm.api import prospects, sponsors
from crm.api.nowhere import Nowhere

urlpatterns: list[URLPattern | URLResolver] = [
    path("sponsors/", sponsors.SponsorList.as_view(), name="api-sponsors"),
    path("sponsors/<int:pk>/", sponsors.SponsorDetail.as_view(), name="api-sponsor"),
    path("sources/", sponsors.SourceList.as_view(), name="api-sources"),
    path("sources/<int:pk>/", sponsors.SourceDetail.as_view(), name="api-source"),
    path("prospects/", prospects.ProspectList.as_view(), name="api-prospects"),
    # Last: whatever no route above has taken.
    re_path(r"^[\s\S]*\Z", Nowhere.as_view(), name="api-nowhere"),
]
