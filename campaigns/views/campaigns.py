"""Campaigns: the list, and why nobody is callable. The page of one lies above, where its calls are known."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from campaigns import access
from campaigns.forms.lists import CampaignFilterForm
from campaigns.selectors import health
from campaigns.selectors.campaigns import SORTS, campaigns_found
from crm.access import role_required
from crm.enums import SUPERVISING
from crm.views.answers import now, page_of, user_of


@role_required(*SUPERVISING)
@require_safe
def campaign_list(request: HttpRequest) -> HttpResponse:
    """List the campaigns that the user sees, by the filters of the address, each with its sentence of health."""
    user = user_of(request)
    programmes = access.programmes_of(user).select_related("sponsor").order_by("name")
    form = CampaignFilterForm(request.GET, programmes=programmes)
    values, sort = form.values(), request.GET.get("sort", "")
    page = page_of(request, campaigns_found(access.campaigns_of(user), sort=sort, **values))
    context = {
        "page": page,
        "healths": health.healths(list(page.object_list), at=now()),
        "form": form,
        "filtered": bool(values),
        "sort": sort if sort.removeprefix("-") in SORTS else "name",
    }
    return render(request, "campaigns/campaign_list.html", context)


@role_required(*SUPERVISING)
@require_safe
def campaign_queue(request: HttpRequest, slug: str) -> HttpResponse:
    """Say why nobody, or how many, can be called now, and until when."""
    found = access.get_campaign_or_404(user_of(request), slug)
    context = {"campaign": found, "health": health.health_of(found, at=now()), "tab": "queue"}
    return render(request, "campaigns/campaign_queue.html", context)
