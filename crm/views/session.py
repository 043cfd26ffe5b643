"""Coming in: sign in, the language of the pages, and the page that a role starts from.

Leaving is a page of `calls`, because nobody leaves in the middle of a call.
"""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language

from crm.enums import Role
from crm.models import User

#: The page that each role starts from, by URL name.
START_PAGES = {
    Role.AGENT: "desk",
    Role.SUPERVISOR: "inbox",
    Role.MANAGER: "campaign-list",
    Role.ADMIN: "admin:index",
}

login = LoginView.as_view(template_name="crm/login.html", redirect_authenticated_user=True)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Send the user to the start page of their role; an integration has no page and is sent to the API's."""
    role = request.user.role if isinstance(request.user, User) else Role.INTEGRATION
    return redirect(START_PAGES.get(Role(role), "api-docs"))


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Store the language of the pages (`language`: `fr` or `en`) in a cookie and go back to `next`."""
    return set_language(request)
