"""Pages of this app."""

from django.urls import path

from crm.api.problems import problem_page
from crm.views import session

urlpatterns = [
    path("", session.home, name="home"),
    path("login/", session.login, name="login"),
    path("language/", session.language, name="language"),
    path("problems/<slug:name>/", problem_page, name="problem"),
]
