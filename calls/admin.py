"""Django admin of this app: the playbooks alone. What happened on calls is history, shown by the pages."""

from django.contrib import admin

from calls.models import Situation, Stage


class StageInline(admin.TabularInline):  # type: ignore[type-arg]
    """The stages of a playbook, in order."""

    model = Stage
    extra = 0
    fields = ("position", "title", "opens", "say", "do", "may_end")


@admin.register(Situation)
class SituationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Playbooks of delicate situations."""

    list_display = ("label", "code", "position")
    search_fields = ("label", "keywords")
    inlines = (StageInline,)
