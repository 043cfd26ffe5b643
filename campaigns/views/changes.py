"""The history of far-reaching changes."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from campaigns import access
from campaigns.forms.changes import ChangeFilterForm
from campaigns.selectors import changes as changes_selector
from crm.access import role_required
from crm.enums import SUPERVISING
from crm.models import User
from crm.views.answers import page_of, user_of


@role_required(*SUPERVISING)
@require_safe
def change_list(request: HttpRequest) -> HttpResponse:
    """List the changes inside the user's walls, newest first, by the filters of the address."""
    user = user_of(request)
    authors = access.changes_of(user).order_by().values("by").distinct()
    filters = ChangeFilterForm(
        request.GET,
        programmes=access.programmes_of(user).order_by("name"),
        campaigns=access.campaigns_of(user).order_by("name"),
        people=User.objects.filter(pk__in=authors).order_by("last_name", "username"),
    )
    values = filters.values()
    page = page_of(request, changes_selector.changes_found(user, **values))
    context = {
        "filters": filters,
        "page": page,
        "rows": changes_selector.told_of(list(page.object_list)),
        "filtered": any(values.values()),
    }
    return render(request, "campaigns/change_list.html", context)


@role_required(*SUPERVISING)
@require_safe
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one change: who, when, why, what it was and is, and what it touched."""
    rows = access.changes_of(user_of(request)).select_related(*changes_selector.RELATED)
    found = get_object_or_404(rows, pk=pk)
    return render(request, "campaigns/change.html", {"told": changes_selector.told_of([found])[0]})
