"""Pages of this app."""

from django.urls import path

from crm.api.problems import problem_page
from crm.views import (
    account,
    language,
    looks,
    prospects,
    session,
    sources,
    sponsors,
    teams,
    tokens,
    users,
)

urlpatterns = [
    path("login/", session.login, name="login"),
    path("language/", language.language, name="language"),
    path("account/", account.account, name="account"),
    path("account/password/", account.account_password, name="account-password"),
    path("users/", users.user_list, name="user-list"),
    path("users/new/", users.user_new, name="user-new"),
    path("users/batch/", users.user_batch, name="user-batch"),
    path("users/<int:pk>/", users.user, name="user"),
    path("users/<int:pk>/password/", users.user_password, name="user-password"),
    path("users/<int:pk>/deactivation/", users.user_deactivation, name="user-deactivation"),
    path("users/<int:pk>/reactivation/", users.user_reactivation, name="user-reactivation"),
    path("teams/", teams.team_list, name="team-list"),
    path("teams/new/", teams.team_new, name="team-new"),
    path("teams/<int:pk>/", teams.team, name="team"),
    path("teams/<int:pk>/deletion/", teams.team_deletion, name="team-deletion"),
    path("tokens/", tokens.token_list, name="token-list"),
    path("tokens/new/", tokens.token_new, name="token-new"),
    path("tokens/<int:pk>/revocation/", tokens.token_revocation, name="token-revocation"),
    path("sponsors/", sponsors.sponsor_list, name="sponsor-list"),
    path("sponsors/new/", sponsors.sponsor_new, name="sponsor-new"),
    path("sponsors/<int:pk>/", sponsors.sponsor, name="sponsor"),
    path("sources/", sources.source_list, name="source-list"),
    path("sources/new/", sources.source_new, name="source-new"),
    path("sources/<int:pk>/", sources.source, name="source"),
    path("prospects/", prospects.prospect_list, name="prospect-list"),
    path("prospects/export/", prospects.prospect_export, name="prospect-export"),
    path("prospects/<int:pk>/look/", looks.prospect_look, name="prospect-look"),
    path("prospects/<int:pk>/edition/", prospects.prospect_edit, name="prospect-edit"),
    path("problems/<slug:name>/", problem_page, name="problem"),
]
