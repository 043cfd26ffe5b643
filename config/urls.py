"""Every URL of the product: pages at the root, the API under its version, health for the machines."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import JavaScriptCatalog

from config.docs import api_docs, schema
from config.health import healthz, readyz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("i18n/catalogue.js", JavaScriptCatalog.as_view(packages=[]), name="javascript-catalogue"),
    path("admin/", admin.site.urls),
    path("api/v1/schema/", schema, name="api-schema"),
    path("api/v1/docs/", api_docs, name="api-docs"),
    path("api/v1/", include("calls.api.urls")),
    path("api/v1/", include("campaigns.api.urls")),
    path("api/v1/", include("crm.api.urls")),
    # Addresses below a campaign's own are told from its name by coming first.
    path("", include("campaigns.urls")),
    path("", include("calls.urls")),
    path("", include("crm.urls")),
]

handler400 = "config.refusals.bad_request"
handler500 = "config.refusals.server_error"
