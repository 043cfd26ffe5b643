"""Django's admin, for reference tables only: people, their tokens, sponsors, suppliers.

Records and history are not edited here.
"""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.models import ApiToken, Source, Sponsor, User
from crm.rules.errors import DomainError
from crm.services.tokens import revoke_token


@admin.register(User)
class UserTable(UserAdmin):  # type: ignore[type-arg]
    """People: role, languages, sponsors. Never deleted: made inactive."""

    list_display = ("username", "first_name", "last_name", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    filter_horizontal = ("sponsors",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Personne"), {"fields": ("first_name", "last_name", "email", "languages", "extension")}),
        (_("Travail"), {"fields": ("role", "sponsors", "daily_goal")}),
        (_("Accès"), {"fields": ("is_active", "is_staff", "is_superuser", "last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "role", "usable_password", "password1", "password2"),
            },
        ),
    )
    readonly_fields = ("last_login", "date_joined")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: history names its people."""
        return False


@admin.register(ApiToken)
class TokenTable(admin.ModelAdmin):  # type: ignore[type-arg]
    """The API tokens: whose, and when last used. Made by `create_token`, which alone shows the text; here revoked."""

    list_display = (
        "name",
        "user",
        "prefix",
        "scopes",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username")
    exclude = ("digest",)
    actions = ("revoke",)

    @admin.action(description=_("Révoquer les jetons choisis"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """End the chosen tokens, from the next request on."""
        by = request.user
        assert isinstance(by, User)
        try:
            for token in queryset.select_related("user"):
                revoke_token(token=token, at=timezone.now(), by=by)
        except DomainError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, _("Ces jetons n'ouvrent plus rien."))

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Let those revoke who may change tokens."""
        return bool(request.user.has_perm("crm.change_apitoken"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: the text of a token must not pass through a page."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a token is revoked, nothing else of it changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what a token was, and when it ended, stays known."""
        return False


@admin.register(Sponsor)
class SponsorTable(admin.ModelAdmin):  # type: ignore[type-arg]
    """For whom we call."""

    list_display = ("name", "created_at")
    search_fields = ("name",)
    readonly_fields = ("created_at",)


@admin.register(Source)
class SourceTable(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who delivered the records."""

    list_display = ("name", "slug", "sponsor", "obtained_at")
    list_filter = ("sponsor",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("created_at",)

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> tuple[str, ...]:
        """Fix the sponsor of a source that has records: they would change walls."""
        fixed = obj is not None and obj.prospects.exists()
        return ("created_at", "sponsor") if fixed else ("created_at",)
