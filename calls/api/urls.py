"""API routes of this app, below /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from calls.api import inbox, prospects

urlpatterns: list[URLPattern | URLResolver] = [
    path("callbacks/", inbox.CallbackList.as_view(), name="api-callbacks"),
    path("callbacks/<int:pk>/", inbox.CallbackDetail.as_view(), name="api-callback"),
    path("incidents/", inbox.IncidentList.as_view(), name="api-incidents"),
    path("incidents/<int:pk>/", inbox.IncidentDetail.as_view(), name="api-incident"),
    path("incidents/<int:pk>/decide/", inbox.IncidentDecide.as_view(), name="api-incident-decide"),
    path("prospects/<int:pk>/", prospects.ProspectOfCalls.as_view(), name="api-prospect"),
]
