"""What the lists of each supplier are worth: by their rows, and by what people say when they are called."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from calls.selectors.situations import met_by_source
from campaigns import access
from campaigns.selectors import import_quality
from crm.access import role_required, sources_of
from crm.enums import MANAGING
from crm.views.answers import user_of


@role_required(*MANAGING)
@require_safe
def source_quality(request: HttpRequest) -> HttpResponse:
    """Compare the suppliers by the quality of the lists that they delivered, and by whom their numbers reached."""
    user = user_of(request)
    sources = sources_of(user)
    met = met_by_source(sources)
    found = import_quality.quality_by_source(sources, access.imports_of(user))
    suppliers = [(row, met.get(row.source.pk)) for row in found]
    return render(request, "campaigns/source_quality.html", {"suppliers": suppliers})
