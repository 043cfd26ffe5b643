"""The API's schema (OpenAPI 3.1) and its pages for people, both from our own origin."""

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib.auth.decorators import login_required
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import IsAuthenticated

from crm.api.endpoints import JsonAlways

# JSON whatever is asked for, its refusals too.
schema = SpectacularJSONAPIView.as_view(
    permission_classes=[IsAuthenticated], content_negotiation_class=JsonAlways
)

# Swagger UI writes its styles into the page; its scripts come from files, so they keep the strict rule.
api_docs = login_required(
    csp_update({"style-src": [UNSAFE_INLINE], "img-src": ["data:"]})(
        SpectacularSwaggerSplitView.as_view(url_name="api-schema")
    )
)
