"""Coming in: sign in, and the language of the pages.

Leaving is a page of `calls`, because nobody leaves in the middle of a call.
"""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

login = LoginView.as_view(template_name="crm/login.html", redirect_authenticated_user=True)


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Store the language of the pages (`language`: `fr` or `en`) in a cookie and go back to `next`."""
    return set_language(request)
