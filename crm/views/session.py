"""Coming in.

Leaving is a page of `calls`, because nobody leaves in the middle of a call.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm.models import User
from crm.rules.demo import DEMO_PASSWORD, DemoLogin
from crm.selectors.demo import open_demo_logins
from crm.views.language import remember_language


class SignInForm(AuthenticationForm):
    """Name and password. What is wrong is said without saying whether such a user exists."""

    error_messages = {
        "invalid_login": _(
            "Ce nom et ce mot de passe ne vont pas ensemble. Vérifiez les majuscules ; si le mot de passe est perdu,"
            " votre responsable peut en donner un nouveau."
        ),
        "inactive": _("Ce nom et ce mot de passe ne vont pas ensemble."),
    }


class SignIn(LoginView):
    """The page where everybody comes in; on one's own desk it offers the demo's logins."""

    template_name = "crm/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_form_kwargs(self) -> dict[str, Any]:
        """Read the name and password typed; a demo's login comes in by its button alone, wherever it is shown."""
        arguments = super().get_form_kwargs()
        chosen = self.request.POST.get("demo")
        if chosen and chosen in {login.username for login in demo_logins()}:
            arguments["data"] = {"username": chosen, "password": DEMO_PASSWORD}
        return arguments

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Let somebody in, in the language that they chose on whatever machine."""
        response = super().form_valid(form)
        user = form.get_user()
        if isinstance(user, User) and user.page_language:
            remember_language(response, user.page_language)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add why the page came in between, and the demo's logins."""
        return super().get_context_data(**kwargs) | sign_in_context(self.request)


login = SignIn.as_view()


def sign_in_context(request: HttpRequest) -> dict[str, Any]:
    """Return what the page says beside its form: the demo's logins, and why somebody was led here."""
    wished = request.GET.get("next") or request.POST.get("next") or ""
    return {
        "demo": demo_logins(),
        "demo_password": DEMO_PASSWORD,
        "came_from": wished not in ("", "/"),
        # A browser that still shows its cookie had come in before.
        "expired": settings.SESSION_COOKIE_NAME in request.COOKIES,
    }


def demo_logins() -> list[DemoLogin]:
    """Return the logins that may be shown to anybody: in development alone, whatever the database holds."""
    return open_demo_logins() if settings.DEBUG else []


def locked_out(request: HttpRequest, response: Any, credentials: Any) -> HttpResponse:
    """Answer, for django-axes, whoever failed too often: the same page, which says how long to wait (429)."""
    view = SignIn()
    view.setup(request)
    form = SignInForm(request, initial={"username": request.POST.get("username", "")[:150]})
    minutes = round(settings.AXES_COOLOFF_TIME.total_seconds() / 60)
    sentence = ngettext(
        "Trop d'essais : attendez %(minutes)d minute, puis recommencez. Votre responsable peut aussi vous donner un"
        " nouveau mot de passe.",
        "Trop d'essais : attendez %(minutes)d minutes, puis recommencez. Votre responsable peut aussi vous donner un"
        " nouveau mot de passe.",
        minutes,
    )
    context = view.get_context_data(form=form, locked=sentence % {"minutes": minutes})
    answer = render(request, SignIn.template_name, context, status=429)
    answer["Retry-After"] = str(minutes * 60)
    return answer
