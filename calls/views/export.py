"""All that is kept about one person, as a file, for a request for access."""

import logging

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from calls.selectors.export import export_of
from crm.access import get_prospect_or_404, role_required, sponsors_of
from crm.enums import MANAGING
from crm.views.answers import now, user_of
from crm.views.looks import is_masked, masked

logger = logging.getLogger(__name__)


@role_required(*MANAGING)
@require_safe
def prospect_data(request: HttpRequest, pk: int) -> HttpResponse:
    """Send what is kept about a person. A confidential record asks for a reason first, which is kept as a look."""
    user, at = user_of(request), now()
    found = get_prospect_or_404(user, pk)
    if is_masked(request, found, at):
        return masked(request, found)
    kept = export_of(found, sponsors=sponsors_of(user), at=at)
    answer = JsonResponse(kept, json_dumps_params={"ensure_ascii": False, "indent": 2})
    answer["Content-Disposition"] = f'attachment; filename="fiche-{pk}.json"'
    answer["Cache-Control"] = "no-store"
    logger.info("data of prospect %s sent to user %s", pk, user.pk)
    return answer
