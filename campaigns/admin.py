"""Django's admin, for the catalogue only: dispositions and the default sentences of a closing."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from campaigns.models import ClosingStep, Disposition
from campaigns.rules.texts import check_text
from crm.rules.errors import Invalid


@admin.register(Disposition)
class DispositionTable(admin.ModelAdmin):  # type: ignore[type-arg]
    """What each disposition says and does. Codes are fixed, and rows stay: calls name them."""

    list_display = (
        "code",
        "label",
        "aapor",
        "reach",
        "final",
        "retry_after",
        "bar_target",
        "bar_scope",
        "active",
    )
    list_filter = ("reach", "final", "active")
    search_fields = ("code", "label")

    def get_readonly_fields(self, request: HttpRequest, obj: Disposition | None = None) -> tuple[str, ...]:
        """Fix the code of a row that exists, and what the database looks for by itself."""
        return ("code", "by_mismatch_only") if obj is not None else ("by_mismatch_only",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: make it inactive."""
        return False


class ClosingStepForm(forms.ModelForm):  # type: ignore[type-arg]
    """A default sentence, refused when it could not be said or filled in."""

    class Meta:
        model = ClosingStep
        fields = ("language", "kind", "step", "text")

    def clean_text(self) -> str:
        """Refuse unknown placeholders and tags."""
        try:
            return check_text(self.cleaned_data["text"])
        except Invalid as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


@admin.register(ClosingStep)
class ClosingStepTable(admin.ModelAdmin):  # type: ignore[type-arg]
    """The sentences that are said where a campaign has none of its own."""

    form = ClosingStepForm
    list_display = ("language", "kind", "step", "text")
    list_filter = ("language", "kind")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClosingStep]:
        """Leave out the campaigns' own sentences: their pages edit them."""
        return super().get_queryset(request).filter(campaign__isnull=True)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a closing without its sentence cannot be said."""
        return False
