"""The pages of the playbooks: supervisors read them, managers write them, every version is kept."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from calls.forms.playbooks import (
    PlaybookForm,
    content_sent,
    initial_of,
    show_playbook_refusal,
    stages_changed,
    stages_of,
    stages_sent,
)
from calls.models import Situation, SituationVersion
from calls.rules.playbooks.content import Content
from calls.rules.playbooks.words import PLACEHOLDERS as OWN_PLACEHOLDERS
from calls.selectors.playbook_pages import content_of, situations_listed, versions_of
from calls.services.playbooks import restore_version, save_playbook
from campaigns.rules.texts import PLACEHOLDERS
from crm.access import role_required
from crm.enums import MANAGING, SUPERVISING
from crm.rules.errors import DomainError
from crm.views.answers import now, refused, saved, user_of

FORM = "calls/playbook_form.html"


@role_required(*SUPERVISING)
@require_safe
def situation_list(request: HttpRequest) -> HttpResponse:
    """List the playbooks, those that are no longer offered too."""
    return render(request, "calls/playbook_list.html", {"situations": situations_listed()})


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def situation_new(request: HttpRequest) -> HttpResponse:
    """Show the form of a new playbook; create it."""
    return _form(request, None)


@role_required(*SUPERVISING)
@require_http_methods(["GET", "HEAD", "POST"])
def situation(request: HttpRequest, code: str) -> HttpResponse:
    """Show a playbook and its versions: supervisors read it, managers write it."""
    found = get_object_or_404(Situation, code=code)
    if user_of(request).is_managing:
        return _form(request, found)
    if request.method == "POST":
        raise PermissionDenied
    context = {"situation": found, "content": content_of(found), "versions": versions_of(found)}
    return render(request, "calls/playbook.html", context)


@role_required(*SUPERVISING)
@require_http_methods(["GET", "HEAD", "POST"])
def situation_version(request: HttpRequest, code: str, version: int) -> HttpResponse:
    """Show a kept version of a playbook; a manager saves it again as the present one."""
    user = user_of(request)
    found = get_object_or_404(Situation, code=code)
    kept = get_object_or_404(SituationVersion.objects.select_related("by"), situation=found, version=version)
    if request.method == "POST":
        if not user.is_managing:
            raise PermissionDenied
        expected = request.POST.get("version", "")
        try:
            restore_version(
                situation=found,
                version=version,
                by=user,
                at=now(),
                expected_version=int(expected) if expected.isdecimal() else None,
            )
        except DomainError as error:
            return refused(request, error, "situation", code)
        return saved(
            request,
            _("La version %(n)s est de nouveau celle d'aujourd'hui.") % {"n": version},
            "situation",
            code,
        )
    context = {"situation": found, "kept": kept, "content": Content.of_json(kept.content)}
    return render(request, "calls/playbook.html", context)


def _form(request: HttpRequest, found: Situation | None) -> HttpResponse:
    """Show the form of a playbook, change its stages on the page, or save it."""
    written = content_of(found) if found else Content(code="", label="", position=_last() + 10)
    initial = initial_of(written, found.version if found else 0)
    if request.method != "POST":
        head, stages = PlaybookForm(initial=initial, is_new=found is None), stages_of(written)
        return _page(request, found, head, stages)
    if intent := request.POST.get("stages", ""):
        head = PlaybookForm(initial={name: request.POST.get(name) for name in initial}, is_new=found is None)
        return _page(request, found, head, stages_changed(request.POST, intent))
    head, stages = PlaybookForm(request.POST, is_new=found is None), stages_sent(request.POST)
    if head.is_valid() & stages.is_valid():
        try:
            done = save_playbook(
                situation=found,
                content=content_sent(head, stages, written.code),
                by=user_of(request),
                at=now(),
                expected_version=head.cleaned_data["version"],
            )
        except DomainError as error:
            show_playbook_refusal(head, stages, error)
        else:
            return saved(
                request, _("Enregistré : les agents le voient dès le prochain écran."), "situation", done.code
            )
    return _page(request, found, head, stages, status=422)


def _last() -> int:
    return max(Situation.objects.values_list("position", flat=True), default=0)


def _page(
    request: HttpRequest, found: Situation | None, head: PlaybookForm, stages: Any, *, status: int = 200
) -> HttpResponse:
    context = {
        "situation": found,
        "form": head,
        "stages": stages,
        "title": found.shown_label if found else _("Nouvelle situation"),
        "versions": versions_of(found) if found else [],
        "placeholders": {**PLACEHOLDERS, **OWN_PLACEHOLDERS},
    }
    return render(request, FORM, context, status=status)
