"""Where everybody starts: agents at their desk, the others at the page that says which campaign needs them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from calls.selectors.home import home_of
from campaigns import access
from crm.access import sponsors_of
from crm.enums import SUPERVISING, Role
from crm.selectors.webhooks import stopped_webhooks
from crm.views.answers import now, user_of


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what waits for a supervisor or manager; send an agent to the desk, an integration to the API's pages."""
    user = user_of(request)
    if user.role not in SUPERVISING:
        return redirect("desk" if user.role == Role.AGENT else "api-docs")
    at = now()
    imports = access.imports_of(user)
    page = home_of(
        access.campaigns_of(user),
        access.programmes_of(user),
        sponsors_of(user),
        imports if user.is_managing else imports.none(),
        at=at,
    )
    context = {"home": page, "now": at, "stopped_webhooks": stopped_webhooks(user)}
    return render(request, "calls/home.html", context)
