"""Pages of this app."""

from django.urls import path

from crm.api.problems import problem_page
from crm.views import prospects, session, sources, sponsors

urlpatterns = [
    path("", session.home, name="home"),
    path("login/", session.login, name="login"),
    path("language/", session.language, name="language"),
    path("sponsors/", sponsors.sponsor_list, name="sponsor-list"),
    path("sponsors/new/", sponsors.sponsor_new, name="sponsor-new"),
    path("sponsors/<int:pk>/", sponsors.sponsor, name="sponsor"),
    path("sources/", sources.source_list, name="source-list"),
    path("sources/new/", sources.source_new, name="source-new"),
    path("sources/<int:pk>/", sources.source, name="source"),
    path("prospects/", prospects.prospect_list, name="prospect-list"),
    path("prospects/<int:pk>/edition/", prospects.prospect_edit, name="prospect-edit"),
    path("problems/<slug:name>/", problem_page, name="problem"),
]
