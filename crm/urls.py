"""Pages of this app."""

from django.urls import path

from crm.views import session

urlpatterns = [
    path("", session.home, name="home"),
    path("login/", session.login, name="login"),
    path("language/", session.language, name="language"),
]
