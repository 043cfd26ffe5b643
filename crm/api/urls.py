"""API routes of this app, below /api/v1/. One prospect is answered by `calls`, which knows what is under way."""

from django.urls import URLPattern, URLResolver, path, re_path

from crm.api import prospects, sponsors, webhooks
from crm.api.nowhere import Nowhere

urlpatterns: list[URLPattern | URLResolver] = [
    path("sponsors/", sponsors.SponsorList.as_view(), name="api-sponsors"),
    path("sponsors/<int:pk>/", sponsors.SponsorDetail.as_view(), name="api-sponsor"),
    path("sources/", sponsors.SourceList.as_view(), name="api-sources"),
    path("sources/<int:pk>/", sponsors.SourceDetail.as_view(), name="api-source"),
    path("prospects/", prospects.ProspectList.as_view(), name="api-prospects"),
    path("webhooks/", webhooks.WebhookList.as_view(), name="api-webhooks"),
    path("webhooks/<int:pk>/", webhooks.WebhookDetail.as_view(), name="api-webhook"),
    path("webhooks/<int:pk>/rotate/", webhooks.WebhookRotate.as_view(), name="api-webhook-rotate"),
    path("webhooks/<int:pk>/test/", webhooks.WebhookTest.as_view(), name="api-webhook-test"),
    path("webhooks/<int:pk>/replay/", webhooks.WebhookReplay.as_view(), name="api-webhook-replay"),
    path(
        "webhooks/<int:pk>/deliveries/", webhooks.WebhookDeliveries.as_view(), name="api-webhook-deliveries"
    ),
    path(
        "webhooks/deliveries/<int:pk>/",
        webhooks.WebhookDeliveryDetail.as_view(),
        name="api-webhook-delivery",
    ),
    path(
        "webhooks/deliveries/<int:pk>/replay/",
        webhooks.WebhookDeliveryReplay.as_view(),
        name="api-webhook-delivery-replay",
    ),
    # Last: whatever no route above has taken.
    re_path(r"^[\s\S]*\Z", Nowhere.as_view(), name="api-nowhere"),
]
